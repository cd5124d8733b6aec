// The list beside the rail: a server's channels by category with their threads, or the direct messages.

import { useState } from 'preact/hooks'
import { showPanel } from '../actions.js'
import { channelName, compareIds, displayName } from '../format.js'
import { isPrivate } from '../permissions.js'
import { isUnread, joinGuild, openChannel } from '../session.js'
import { currentGuild, isDirect, isThread, state, visibleChannels } from '../store.js'
import { Avatar } from './avatar.js'
import { openChannelMenu } from './channel-menu.js'
import { eventTime } from './events-panel.js'
import { classes, html } from './html.js'
import { Icon } from './icons.js'

/** @import { Channel, Guild } from '../types.d.ts' */

export function Sidebar() {
  const guild = currentGuild()
  return html`<aside class="sidebar" aria-label="Channels" id="sidebar">${guild ? html`<${GuildChannels} guild=${guild} />` : html`<${DirectList} />`}</aside>`
}

/** @param {{ guild: Guild }} props */
function GuildChannels({ guild }) {
  const [closed, setClosed] = useState(() => new Set())
  const visible = visibleChannels(guild.id)
  const categories = visible.filter((channel) => channel.type === 4)
  const listed = visible.filter((channel) => channel.type !== 4 && !isThread(channel))
  const threads = visible.filter(
    (channel) =>
      isThread(channel) &&
      !channel.thread_metadata?.archived &&
      (channel.member || channel.type === 12 || channel.id === state.channelId),
  )
  const known = new Set(categories.map((category) => category.id))
  const loose = listed.filter((channel) => !channel.parent_id || !known.has(channel.parent_id))
  const events = [...guild.scheduledEvents.values()].filter((event) => event.status <= 2)
  const toggle = (/** @type {string} */ id) =>
    setClosed(new Set(closed.has(id) ? [...closed].filter((other) => other !== id) : [...closed, id]))
  const rows = (/** @type {Channel[]} */ channels, folded = false) =>
    inOrder(channels)
      .filter((channel) => !folded || channel.id === state.channelId || isUnread(channel) || state.mentions.has(channel.id))
      .map(
        (channel) => html`<li key=${channel.id}>
          <${ChannelRow} channel=${channel} guild=${guild} />
          <${ThreadRows} threads=${threads.filter((thread) => thread.parent_id === channel.id)} />
        </li>`,
      )
  return html`
    <header class="sidebar-head"><h2>${guild.name}</h2></header>
    <nav class="scroller channel-scroll" aria-label=${`Channels of ${guild.name}`} data-testid="channels">
      ${
        events.length > 0 &&
        html`<div class="events">
          ${events.map((event) => html`<button type="button" class="event" data-testid="event" onClick=${() => showPanel({ kind: 'events', guildId: guild.id })}><${Icon} name="calendar" class="icon muted" /><span><strong>${event.name}</strong><small>${event.status === 2 ? 'Happening now' : eventTime(event.scheduled_start_time)}</small></span></button>`)}
        </div>`
      }
      <ul class="channel-list">${rows(loose)}</ul>
      ${categories
        .filter((category) => listed.some((channel) => channel.parent_id === category.id))
        .map((category) => {
          const isClosed = closed.has(category.id)
          return html`<section key=${category.id} class="category">
            <button type="button" class=${classes('category-head', isClosed && 'closed')} aria-expanded=${!isClosed} onClick=${() => toggle(category.id)}>
              <span>${channelName(category)}</span><${Icon} name="chevron" size=${12} />
            </button>
            <ul class="channel-list">${rows(
              listed.filter((channel) => channel.parent_id === category.id),
              isClosed,
            )}</ul>
          </section>`
        })}
    </nav>
  `
}

/** Voice channels stand below the others, as in Discord. @param {Channel[]} channels */
const inOrder = (channels) =>
  [...channels].sort(
    (a, b) => Number(isVoice(a)) - Number(isVoice(b)) || (a.position ?? 0) - (b.position ?? 0) || compareIds(a.id, b.id),
  )
const isVoice = (/** @type {Channel} */ channel) => channel.type === 2 || channel.type === 13

/** @param {Channel} channel @returns {import('./icons.js').IconName} */
export function channelIcon(channel) {
  if (isThread(channel)) return 'thread'
  if (isVoice(channel)) return 'voice'
  if (channel.type === 5) return 'announcement'
  if (channel.type === 15 || channel.type === 16) return 'forum'
  if (isDirect(channel)) return 'at'
  const guild = state.guilds.get(channel.guild_id ?? '')
  return guild && isPrivate(guild, channel) ? 'hashLock' : 'hash'
}

/** @param {{ channel: Channel, guild: Guild }} props */
function ChannelRow({ channel, guild }) {
  const mentions = state.mentions.get(channel.id) ?? 0
  const active = state.channelId === channel.id
  const unread = !active && isUnread(channel)
  const kind = isVoice(channel)
    ? 'voice channel'
    : channel.type === 15
      ? 'forum'
      : channel.type === 5
        ? 'announcement channel'
        : 'text channel'
  const label = [
    channelName(channel),
    kind,
    isPrivate(guild, channel) && 'private',
    unread && 'unread',
    mentions > 0 && `${mentions} mentions`,
  ]
    .filter(Boolean)
    .join(', ')
  return html`<button
    type="button"
    class=${classes('channel', active && 'active', unread && 'unread')}
    aria-label=${label}
    aria-current=${active ? 'page' : undefined}
    data-testid="channel"
    data-channel=${channel.name}
    data-private=${isPrivate(guild, channel) || undefined}
    onContextMenu=${(/** @type {MouseEvent} */ event) => openChannelMenu(event, channel)}
    onClick=${() => openChannel(channel.id)}
  >
    <${Icon} name=${channelIcon(channel)} /><span class="channel-name">${channelName(channel)}</span>
    ${mentions > 0 && html`<span class="badge">${mentions}</span>`}
  </button>`
}

/** @param {{ threads: Channel[] }} props */
function ThreadRows({ threads }) {
  if (threads.length === 0) return null
  return html`<ul class="thread-list" aria-label="Threads">
    ${threads.map((thread) => {
      const active = thread.id === state.channelId
      const unread = !active && isUnread(thread)
      const mentions = state.mentions.get(thread.id) ?? 0
      return html`<li key=${thread.id}>
        <button type="button" class=${classes('channel thread', active && 'active', unread && 'unread')} aria-label=${`${channelName(thread)}, thread${unread ? ', unread' : ''}`} aria-current=${active ? 'page' : undefined} data-testid="thread" data-channel=${thread.name} onContextMenu=${(/** @type {MouseEvent} */ event) => openChannelMenu(event, thread)} onClick=${() => openChannel(thread.id)}>
          <span class="channel-name">${channelName(thread)}</span>${mentions > 0 && html`<span class="badge">${mentions}</span>`}
        </button>
      </li>`
    })}
  </ul>`
}

function DirectList() {
  const channels = [...state.channels.values()]
    .filter(isDirect)
    .sort((a, b) => compareIds(b.last_message_id ?? b.id, a.last_message_id ?? a.id))
  return html`
    <header class="sidebar-head"><h2>Direct Messages</h2></header>
    <nav class="scroller channel-scroll" aria-label="Direct messages" data-testid="channels">
      <ul class="channel-list">
        ${channels.map((channel) => {
          const user = channel.recipients?.[0]
          const mentions = state.mentions.get(channel.id) ?? 0
          const active = state.channelId === channel.id
          return html`<li key=${channel.id}>
            <button type="button" class=${classes('channel direct', active && 'active', !active && isUnread(channel) && 'unread')} aria-current=${active ? 'page' : undefined} data-testid="channel" data-channel=${channelName(channel)} onClick=${() => openChannel(channel.id)}>
              ${user && html`<${Avatar} user=${user} size=${32} status="online" />`}<span class="channel-name">${user ? displayName(user) : channelName(channel)}</span>
              ${mentions > 0 && html`<span class="badge">${mentions}</span>`}
            </button>
          </li>`
        })}
      </ul>
      ${channels.length === 0 && html`<p class="hint">No conversations yet. Open someone’s profile and press Message.</p>`}
      <${Joinable} />
    </nav>
  `
}

/** The servers that someone may join, told in full to a person who is in none. */
function Joinable() {
  if (state.joinable.length === 0) return null
  return html`<div class="join-cards">
    ${state.joinable.map(
      (guild) => html`<div class="join-card">
        <p>You are not in <strong>${guild.name}</strong> yet.</p>
        <button type="button" class="button button-success wide" data-testid="join" onClick=${() => joinGuild(guild.id)}>Join Server</button>
      </div>`,
    )}
  </div>`
}
