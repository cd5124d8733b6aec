// The middle of the page: the open channel's head, its messages in order, who is typing. The composer stands below.

import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { showPanel } from '../actions.js'
import { channelName, compareIds, dayName, displayName, sameDay } from '../format.js'
import { Permission } from '../permissions.js'
import { loadMessages, openChannel } from '../session.js'
import { currentChannel, isDirect, isForum, isThread, may, revision, state, update } from '../store.js'
import { Avatar } from './avatar.js'
import { channelIcon } from './channels.js'
import { Composer } from './composer.js'
import { Forum } from './forum.js'
import { classes, html } from './html.js'
import { Icon } from './icons.js'
import { plainText } from './markup.js'
import { MessageRow } from './message.js'
import { startedBy } from './threads.js'

/** @import { Channel, Message, Pending } from '../types.d.ts' */

const GROUP_MS = 7 * 60_000

export function Chat() {
  const channel = currentChannel()
  if (!channel) return html`<main class="chat"><${Head} channel=${null} /><${Nothing} /></main>`
  return html`<main class="chat" aria-label=${channelName(channel)}>
    <${Head} channel=${channel} />
    ${isForum(channel) ? html`<${Forum} channel=${channel} />` : html`<${Timeline} key=${channel.id} channel=${channel} /><${Composer} key=${`composer-${channel.id}`} channel=${channel} />`}
  </main>`
}

function Nothing() {
  const text =
    state.status === 'ready'
      ? state.guildId === null
        ? 'Pick a conversation, or a server on the left.'
        : 'There is no channel here that you may see.'
      : ''
  return html`<div class="nothing">${text}</div>`
}

/** @param {{ channel: Channel | null }} props */
function Head({ channel }) {
  const toggle = (/** @type {'channels' | 'members'} */ drawer) => update((s) => (s.drawer = s.drawer === drawer ? 'none' : drawer))
  const parent = channel && isThread(channel) ? state.channels.get(channel.parent_id ?? '') : undefined
  const direct = channel && isDirect(channel) ? channel.recipients?.[0] : undefined
  const membersShown = innerWidth < 1000 ? state.drawer === 'members' : state.membersShown
  const membersLabel = membersShown ? 'Hide Member List' : 'Show Member List'
  return html`<header class="chat-head">
    <button type="button" class="icon-button only-narrow" aria-label="Open channel list" aria-expanded=${state.drawer === 'channels'} onClick=${() => toggle('channels')}><${Icon} name="menu" size=${24} /></button>
    ${
      channel &&
      html`
        ${parent && html`<button type="button" class="crumb" onClick=${() => openChannel(parent.id)}><${Icon} name=${channelIcon(parent)} class="icon muted" />${channelName(parent)}</button><span class="muted crumb-arrow">›</span>`}
        ${direct ? html`<${Avatar} user=${direct} size=${24} />` : html`<${Icon} name=${channelIcon(channel)} size=${24} class="icon muted" />`}
        <h1 class="chat-title">${channelName(channel)}</h1>
        ${direct?.bot && html`<span class="app-tag">APP</span>`}
        ${channel.topic && html`<span class="divider"></span><span class="topic" title=${plainText(channel.topic)}>${plainText(channel.topic)}</span>`}
      `
    }
    ${!channel?.topic && html`<span class="grow"></span>`}
    ${channel && [0, 5].includes(channel.type) && html`<button type="button" class="icon-button" aria-label="Threads" data-testid="open-threads" onClick=${() => showPanel({ kind: 'threads', channelId: channel.id })}><${Icon} name="thread" size=${24} /></button>`}
    ${channel && !isForum(channel) && (isDirect(channel) || may(channel, Permission.ReadMessageHistory)) && html`<button type="button" class="icon-button" aria-label="Pinned Messages" data-testid="open-pins" onClick=${() => showPanel({ kind: 'pins', channelId: channel.id })}><${Icon} name="pin" size=${24} /></button>`}
    ${
      channel &&
      !isDirect(channel) &&
      html`<button
        type="button"
        class=${classes('icon-button', membersShown && 'on')}
        aria-label=${membersLabel}
        aria-pressed=${membersShown}
        data-testid="toggle-members"
        onClick=${() => (innerWidth < 1000 ? toggle('members') : update((s) => (s.membersShown = !s.membersShown)))}
      >
        <${Icon} name="members" size=${24} />
      </button>`
    }
  </header>`
}

/** @param {{ channel: Channel }} props */
function Timeline({ channel }) {
  const timeline = state.timelines.get(channel.id)
  const messages = timeline?.messages ?? []
  const scroller = useRef(/** @type {HTMLElement | null} */ (null))
  const atEnd = useRef(true)
  const before = useRef({ first: '', height: 0 })

  useLayoutEffect(() => {
    const box = scroller.current
    if (!box) return
    const first = messages[0]?.id ?? ''
    if (atEnd.current) box.scrollTop = box.scrollHeight
    else if (before.current.first !== '' && before.current.first !== first && box.scrollTop < 300)
      box.scrollTop += box.scrollHeight - before.current.height
    before.current = { first, height: box.scrollHeight }
  })
  useEffect(() => {
    const box = scroller.current
    if (!box) return
    const observer = new ResizeObserver(() => {
      if (atEnd.current) box.scrollTop = box.scrollHeight
    })
    observer.observe(box)
    for (const child of box.children) observer.observe(child)
    return () => observer.disconnect()
  }, [])
  const onScroll = () => {
    const box = scroller.current
    if (!box) return
    atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < 40
    if (box.scrollTop < 200 && timeline?.hasMore && !timeline.loading) void loadMessages(channel.id)
  }

  const firstNew = messages.find(
    (message) => state.newAfter !== null && !message.local && compareIds(message.id, state.newAfter) > 0,
  )
  /** @type {Map<string, Pending>} */
  const pendings = new Map()
  for (const pending of state.pending.values()) if (pending.messageId) pendings.set(pending.messageId, pending)

  return html`<div class="timeline scroller" ref=${scroller} onScroll=${onScroll} tabindex="0" role="group" aria-label=${`Messages in ${channelName(channel)}`}>
    <div class="timeline-inner">
      ${timeline?.loaded && !timeline.hasMore && html`<${Beginning} channel=${channel} />`}
      ${timeline?.error && html`<div class="nothing" role="alert">${timeline.error}</div>`}
      ${(!timeline?.loaded || timeline.hasMore) && !timeline?.error && html`<${Skeleton} />`}
      <div role="log" aria-live="polite" aria-relevant="additions" aria-label="Messages"><ol class="messages" data-testid="messages">
        ${messages.map((message, index) => {
          const previous = messages[index - 1]
          const newDay = !previous || !sameDay(Date.parse(previous.timestamp), Date.parse(message.timestamp))
          const isFirstNew = message === firstNew
          return [
            newDay && html`<li key=${`day-${message.id}`} class="day"><span>${dayName(Date.parse(message.timestamp))}</span></li>`,
            isFirstNew && html`<li key="new" class="new-line"><span>New</span></li>`,
            html`<${MessageRow}
              key=${message.id}
              message=${message}
              grouped=${!newDay && !isFirstNew && isGrouped(previous, message)}
              pending=${pendings.get(message.id)}
              revision=${revision}
              highlighted=${state.replyTo?.id === message.id}
              editing=${state.editing === message.id}
            />`,
          ]
        })}
      </ol></div>
    </div>
  </div>`
}

/**
 * Whether a message continues the one before it: same author, within seven minutes, and nothing above it.
 * @param {Message | undefined} previous
 * @param {Message} message
 */
function isGrouped(previous, message) {
  if (!previous || previous.author.id !== message.author.id || previous.author.username !== message.author.username) return false
  if (message.type !== 0 || ![0, 19, 20, 23].includes(previous.type)) return false
  if (((previous.flags ?? 0) & 64) !== ((message.flags ?? 0) & 64)) return false
  return Date.parse(message.timestamp) - Date.parse(previous.timestamp) < GROUP_MS
}

/** @param {{ channel: Channel }} props */
function Beginning({ channel }) {
  if (isDirect(channel)) {
    const user = channel.recipients?.[0]
    if (!user) return null
    return html`<div class="beginning">
      <${Avatar} user=${user} size=${80} />
      <h2>${displayName(user)}</h2>
      <p>This is the beginning of your direct message history with <strong>${displayName(user)}</strong>.</p>
    </div>`
  }
  const name = channelName(channel)
  return html`<div class="beginning">
    <span class="beginning-icon"><${Icon} name=${channelIcon(channel)} size=${40} /></span>
    <h2>${isThread(channel) ? name : `Welcome to #${name}!`}</h2>
    <p>${isThread(channel) ? `Started by ${startedBy(channel)}` : `This is the start of the #${name} channel. ${plainText(channel.topic ?? '')}`}</p>
  </div>`
}

const WIDTHS = [62, 38, 81, 47, 70]
function Skeleton() {
  return html`<div class="skeletons" aria-label="Loading messages" role="status">
    ${WIDTHS.map((width) => html`<div class="skeleton"><span class="skeleton-face"></span><span class="skeleton-text"><i style=${{ width: '110px' }}></i><i style=${{ width: `${width}%` }}></i></span></div>`)}
  </div>`
}
