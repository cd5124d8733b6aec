// The people of the open server at the right edge, grouped by their highest hoisted role.

import { colourIn, highestRole, nameIn } from '../format.js'
import { Permission, permissionsOf } from '../permissions.js'
import { currentChannel, currentGuild, isThread, state, update } from '../store.js'
import { Avatar } from './avatar.js'
import { html } from './html.js'
import { Icon } from './icons.js'
import { openUserMenu } from './user-menu.js'

/** @import { Guild, Member } from '../types.d.ts' */

const SHOWN = 300

export function Members() {
  const guild = currentGuild()
  const channel = currentChannel()
  if (!guild || !channel) return null
  const parent = isThread(channel) ? state.channels.get(channel.parent_id ?? '') : undefined
  const members = [...guild.members.values()].filter(
    (member) => (permissionsOf(guild, member.user.id, channel, parent) & Permission.ViewChannel) !== 0n,
  )
  const groups = grouped(guild, members.slice(0, SHOWN))
  return html`<aside class="members scroller" aria-label="Members" data-testid="members">
    ${groups.map(
      ({ title, list }) => html`<section key=${title}>
        <h3>${title} — ${list.length}</h3>
        <ul>
          ${list.map(
            (member) => html`<li key=${member.user.id}>
              <button
                type="button"
                class="member"
                data-testid="member"
                data-user=${member.user.username}
                onClick=${(/** @type {MouseEvent} */ event) => update((s) => (s.profile = { userId: member.user.id, guildId: guild.id, x: event.clientX - 330, y: event.clientY - 20 }))}
                onContextMenu=${(/** @type {MouseEvent} */ event) => openUserMenu(event, member.user)}
              >
                <${Avatar} user=${member.user} size=${32} status=${presence(guild, member)} />
                <span class="member-name" style=${{ color: colourIn(member.user.id, guild) }}>${nameIn(member.user, guild)}</span>
                ${guild.owner_id === member.user.id && html`<${Icon} name="crown" size=${14} class="icon crown" />`}
                ${member.user.bot && html`<span class="app-tag">APP</span>`}
              </button>
            </li>`,
          )}
        </ul>
      </section>`,
    )}
    ${members.length > SHOWN && html`<p class="hint">and ${members.length - SHOWN} more</p>`}
  </aside>`
}

/** A server that tells no presences has everyone online. @param {Guild} guild @param {Member} member */
const presence = (guild, member) => (guild.presences.size === 0 ? 'online' : (guild.presences.get(member.user.id) ?? 'offline'))

/**
 * @param {Guild} guild
 * @param {Member[]} members
 */
function grouped(guild, members) {
  /** @type {Map<string, { title: string, order: number, list: Member[] }>} */
  const groups = new Map()
  for (const member of members) {
    const isOnline = presence(guild, member) !== 'offline'
    const role = isOnline ? highestRole(member.user.id, guild, (candidate) => candidate.hoist) : undefined
    const key = role?.id ?? (isOnline ? 'online' : 'offline')
    const group = groups.get(key) ?? {
      title: role?.name ?? (isOnline ? 'Online' : 'Offline'),
      order: role?.position ?? (isOnline ? -1 : -2),
      list: [],
    }
    group.list.push(member)
    groups.set(key, group)
  }
  const sorted = [...groups.values()].sort((a, b) => b.order - a.order)
  for (const group of sorted) group.list.sort((a, b) => nameIn(a.user, guild).localeCompare(nameIn(b.user, guild)))
  return sorted
}
