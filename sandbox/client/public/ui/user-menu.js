// The menu and the card of a person: what can be done with someone, and who they are.

import { changeRole, copy, kick, timeOut } from '../actions.js'
import { colourIn, cssColour, dayName, displayName, nameIn, timeOf } from '../format.js'
import { currentCommands, runOn } from '../interactions.js'
import { Permission, permissionsOf } from '../permissions.js'
import { openDirect } from '../session.js'
import { currentGuild, state, update } from '../store.js'
import { Avatar } from './avatar.js'
import { Floating, html } from './html.js'

/** @import { MenuItem, User } from '../types.d.ts' */

/**
 * @param {MouseEvent} event
 * @param {User} user
 */
export function openUserMenu(event, user) {
  event.preventDefault()
  event.stopPropagation()
  const commands = currentCommands()
  const apps = (commands?.commands ?? []).filter((command) => command.type === 2)
  /** @type {MenuItem[]} */
  const items = [
    {
      label: 'Profile',
      run: () => update((s) => (s.profile = { userId: user.id, guildId: s.guildId, x: event.clientX, y: event.clientY })),
    },
  ]
  if (user.id !== state.me?.id) items.push({ label: 'Message', run: () => void openDirect(user.id) })
  items.push(...moderation(user))
  if (apps.length > 0)
    items.push({
      label: 'Apps',
      items: apps.map((command) => ({
        label: command.name,
        hint: commands?.applications.get(command.application_id)?.name,
        run: () => void runOn(command, user.id),
      })),
    })
  items.push({
    label: 'Copy User ID',
    run: () => copy(user.id),
  })
  update((s) => (s.menu = { x: event.clientX, y: event.clientY, title: displayName(user), items }))
}

/** What the person may do to a member of the open server. @param {User} user @returns {MenuItem[]} */
function moderation(user) {
  const guild = currentGuild()
  const member = guild?.members.get(user.id)
  if (!guild || !member || !state.me) return []
  const held = permissionsOf(guild, state.me.id)
  const isOther = user.id !== state.me.id && user.id !== guild.owner_id
  const roles = [...guild.roles.values()]
    .filter((role) => role.id !== guild.id && !role.managed)
    .sort((a, b) => b.position - a.position)
  const silenced = Date.parse(member.communication_disabled_until ?? '') > Date.now()
  /** @type {(MenuItem | false)[]} */
  const items = [
    (held & Permission.ManageRoles) !== 0n &&
      roles.length > 0 && {
        label: 'Roles',
        items: roles.map((role) => {
          const has = member.roles.includes(role.id)
          return { label: role.name, hint: has ? '✓' : '', run: () => void changeRole(guild.id, user.id, role.id, !has) }
        }),
      },
    isOther &&
      (held & Permission.ModerateMembers) !== 0n && {
        label: silenced ? 'Remove Timeout' : 'Timeout (10 minutes)',
        run: () => void timeOut(guild.id, user.id, !silenced),
      },
    isOther && (held & Permission.KickMembers) !== 0n && { label: 'Kick', danger: true, run: () => void kick(guild.id, user.id) },
  ]
  return items.filter((item) => item !== false)
}

/** The card that opens from a name or a face. */
export function ProfileCard() {
  const { profile } = state
  const user = state.users.get(profile?.userId ?? '')
  if (!profile || !user) return null
  const guild = profile.guildId === null ? null : state.guilds.get(profile.guildId)
  const member = guild?.members.get(user.id)
  const roles = (member?.roles ?? []).flatMap((id) => guild?.roles.get(id) ?? []).sort((a, b) => b.position - a.position)
  const close = () => update((s) => (s.profile = null))
  return html`<${Floating} x=${profile.x} y=${profile.y} width=${300} class="profile" role="dialog" label=${`Profile of ${nameIn(user, guild)}`} onClose=${close} testid="profile">
    <div class="profile-banner" style=${{ background: colourIn(user.id, guild) ?? '#5865f2' }}></div>
    <div class="profile-face"><${Avatar} user=${user} size=${80} status="online" /></div>
    <div class="profile-body">
      <div class="profile-name">${nameIn(user, guild)}${user.bot && html`<span class="app-tag">APP</span>`}</div>
      <div class="profile-handle">${user.username}</div>
      <div class="profile-block">
        <h4>Member since</h4>
        <p>${dayName(member?.joined_at ? Date.parse(member.joined_at) : timeOf(user.id))}</p>
        ${
          roles.length > 0 &&
          html`<h4>${roles.length === 1 ? 'Role' : 'Roles'}</h4>
            <div class="role-list">${roles.map((role) => html`<span class="role-chip"><span class="role-dot" style=${{ background: cssColour(role.color) ?? '#99aab5' }}></span>${role.name}</span>`)}</div>`
        }
      </div>
      ${
        user.id !== state.me?.id &&
        html`<button
          type="button"
          class="button button-primary wide"
          onClick=${() => {
            close()
            void openDirect(user.id)
          }}
        >Message @${displayName(user)}</button>`
      }
    </div>
  <//>`
}
