// The strip of servers at the left edge, with direct messages above and joinable servers below.

import { isUnread, joinGuild, openGuild, openHome } from '../session.js'
import { isDirect, isThread, may, state } from '../store.js'
import { GuildIcon } from './avatar.js'
import { classes, html } from './html.js'
import { Icon } from './icons.js'

export function Rail() {
  const channels = [...state.channels.values()]
  const direct = channels.filter(isDirect)
  const directMentions = direct.reduce((sum, channel) => sum + (state.mentions.get(channel.id) ?? 0), 0)
  return html`<nav class="rail scroller" aria-label="Servers">
    <${Item} label="Direct Messages" active=${state.guildId === null} mentions=${directMentions} onClick=${() => openHome()}>
      <span class="guild-icon home"><${Icon} name="home" size=${24} /></span>
    <//>
    <div class="rail-line"></div>
    ${[...state.guilds.values()].map((guild) => {
      const own = channels.filter(
        (channel) => channel.guild_id === guild.id && may(channel) && (!isThread(channel) || channel.member),
      )
      const mentions = own.reduce((sum, channel) => sum + (state.mentions.get(channel.id) ?? 0), 0)
      return html`<${Item} key=${guild.id} label=${guild.name} active=${state.guildId === guild.id} unread=${own.some(isUnread)} mentions=${mentions} onClick=${() => openGuild(guild.id)}>
        <${GuildIcon} guild=${guild} size=${40} />
      <//>`
    })}
    ${state.joinable.map(
      (guild) => html`<${Item} key=${guild.id} label=${`Join ${guild.name}`} onClick=${() => joinGuild(guild.id)}>
        <span class="guild-icon joinable"><${Icon} name="plus" size=${20} /></span>
      <//>`,
    )}
  </nav>`
}

/** @param {{ label: string, active?: boolean, unread?: boolean, mentions?: number, onClick: () => void, children?: any }} props */
function Item({ label, active, unread, mentions = 0, onClick, children }) {
  return html`<div class=${classes('rail-item', active && 'active', unread && 'unread')}>
    <span class="pill" aria-hidden="true"></span>
    <button type="button" aria-label=${`${label}${mentions > 0 ? `, ${mentions} mentions` : unread ? ', unread' : ''}`} aria-current=${active ? 'true' : undefined} title=${label} onClick=${onClick}>${children}</button>
    ${mentions > 0 && html`<span class="badge" aria-hidden="true">${mentions}</span>`}
  </div>`
}
