// One message: its head, text and everything below, with the tools that appear when the pointer is over it.

import { clock, colourIn, displayName, fullTime, messageTime, nameIn } from '../format.js'
import { dismiss, toggleReaction } from '../messages.js'
import { Permission } from '../permissions.js'
import { openChannel } from '../session.js'
import { currentGuild, may, maySend, state, update } from '../store.js'
import { Avatar } from './avatar.js'
import { Components } from './components.js'
import { Attachment, Embed, Poll } from './embed.js'
import { EmojiButton } from './emoji-picker.js'
import { classes, html, memo } from './html.js'
import { Icon } from './icons.js'
import { EmojiMark, Markdown, plainText } from './markup.js'
import { MessageEdit } from './message-edit.js'
import { Flag, has, mayEdit, openMessageMenu, QUICK, reply } from './message-menu.js'
import { openUserMenu } from './user-menu.js'

/** @import { Message, Pending } from '../types.d.ts' */

/** Types that are told as one line with an icon instead of as something someone wrote. @type {Record<number, { icon: import('./icons.js').IconName, text: string }>} */
const EVENTS = {
  6: { icon: 'pin', text: 'pinned a message to this channel.' },
  7: { icon: 'arrow', text: '' },
  12: { icon: 'announcement', text: 'follows another channel from here.' },
  18: { icon: 'thread', text: 'started a thread.' },
  46: { icon: 'check', text: 'The poll has closed.' },
}

/** `revision` and `place` change when names, roles or the open place do: the message is drawn again. */
export const MessageRow = memo(
  /** @param {{ message: Message, grouped: boolean, pending: Pending | undefined, revision: number, highlighted: boolean, editing: boolean }} props */
  ({ message: given, grouped, pending, highlighted, editing }) => {
    // The first line of a thread on a message is that message.
    const message =
      given.type === 21 && given.referenced_message
        ? { ...given, ...given.referenced_message, id: given.id, channel_id: given.channel_id, thread: undefined }
        : given
    const event = EVENTS[message.type]
    if (event) return html`<${EventRow} message=${message} event=${event} />`
    const ephemeral = has(message, Flag.Ephemeral)
    const guild = currentGuild()
    const name = nameIn(message.author, guild)
    const sent = Date.parse(message.timestamp)
    const label = `${name}, ${fullTime(sent)}${ephemeral ? ', only you can see this' : ''}`
    const mentionsMe = !ephemeral && message.author.id !== state.me?.id && mentions(message)
    const open = (/** @type {MouseEvent} */ e) =>
      update((s) => (s.profile = { userId: message.author.id, guildId: s.guildId, x: e.clientX + 12, y: e.clientY - 20 }))
    return html`<li
      class=${classes('message', grouped && 'grouped', ephemeral && 'ephemeral', mentionsMe && 'mentioned', highlighted && 'highlighted', message.local && `local-${message.local.state}`)}
      aria-label=${label}
      data-testid="message"
      data-message-id=${message.id}
      data-author=${message.author.username}
      data-ephemeral=${ephemeral || undefined}
      data-local=${message.local?.state}
      onContextMenu=${(/** @type {MouseEvent} */ e) => openMessageMenu(e, message)}
    >
      <${Above} message=${message} />
      ${
        grouped
          ? html`<time class="gutter-time" datetime=${message.timestamp}>${clock(sent)}</time>`
          : html`<button type="button" class="message-face" onClick=${open} onContextMenu=${(/** @type {MouseEvent} */ e) => openUserMenu(e, message.author)} tabindex="-1" aria-hidden="true"><${Avatar} user=${message.author} size=${40} /></button>`
      }
      <div class="message-main">
        ${
          !grouped &&
          html`<h3 class="message-head">
            <button type="button" class="author" style=${{ color: colourIn(message.author.id, guild) }} onClick=${open} onContextMenu=${(/** @type {MouseEvent} */ e) => openUserMenu(e, message.author)}>${name}</button>
            ${message.author.bot && html`<span class="app-tag">APP</span>`}
            <time datetime=${message.timestamp} title=${fullTime(sent)}>${messageTime(sent)}</time>
          </h3>`
        }
        ${editing ? html`<${MessageEdit} message=${message} />` : html`<${Body} message=${message} pending=${pending} />`}
      </div>
      ${!message.local && !editing && html`<${Tools} message=${message} />`}
    </li>`
  },
)

/** What Discord says when somebody comes: before and after the name, chosen by the moment. */
const GREETINGS = [
  ['', ' joined the party.'],
  ['', ' is here.'],
  ['Welcome, ', '. We hope you brought pizza.'],
  ['A wild ', ' appeared.'],
  ['', ' just landed.'],
  ['', ' just slid into the server.'],
  ['', ' just showed up!'],
  ['Welcome ', '. Say hi!'],
  ['', ' hopped into the server.'],
  ['Everyone welcome ', '!'],
  ['Glad you’re here, ', '.'],
  ['Good to see you, ', '.'],
  ['Yay you made it, ', '!'],
]

/** @param {{ message: Message, event: { icon: import('./icons.js').IconName, text: string } }} props */
function EventRow({ message, event }) {
  const { thread, author, timestamp } = message
  const [before, after] = (message.type === 7 && GREETINGS[Date.parse(timestamp) % GREETINGS.length]) || ['', ` ${event.text}`]
  return html`<li class="message event-row" data-testid="message" data-message-id=${message.id}>
    <span class=${`event-icon event-${message.type}`}><${Icon} name=${event.icon} size=${18} /></span>
    <div class="message-main">
      ${before}${message.type !== 46 && html`<button type="button" class="author" style=${{ color: colourIn(author.id, currentGuild()) }} onClick=${(/** @type {MouseEvent} */ e) => update((s) => (s.profile = { userId: author.id, guildId: s.guildId, x: e.clientX, y: e.clientY }))}>${nameIn(author, currentGuild())}</button>`}
      ${message.type === 18 ? html` started a thread: <button type="button" class="link strong" onClick=${() => openChannel(thread?.id ?? message.message_reference?.channel_id ?? '')}>${message.content}</button>` : after}
      <time datetime=${timestamp}>${messageTime(Date.parse(timestamp))}</time>
    </div>
  </li>`
}

/** What a message answers: another message, or a command that someone used. @param {{ message: Message }} props */
function Above({ message }) {
  const guild = currentGuild()
  const used = message.interaction ?? message.interaction_metadata
  if (used && (message.type === 20 || message.type === 23) && usedName(message)) {
    const user = used.user
    return html`<div class="above" data-testid="used-command">
      <span class="above-line" aria-hidden="true"></span>
      <${Avatar} user=${user} size=${16} />
      <span class="above-name" style=${{ color: colourIn(user.id, guild) }}>${nameIn(user, guild)}</span>
      <span> used </span>
      <span class="above-command">${message.type === 23 ? '' : '/'}${usedName(message)}</span>
    </div>`
  }
  if (message.type !== 19) return null
  const answered = message.referenced_message
  return html`<div class="above">
    <span class="above-line" aria-hidden="true"></span>
    ${
      answered
        ? html`<${Avatar} user=${answered.author} size=${16} />
            <span class="above-name" style=${{ color: colourIn(answered.author.id, guild) }}>${nameIn(answered.author, guild)}</span>
            <button type="button" class="above-text" onClick=${() => scrollTo(answered.id)}>${plainText(answered.content) || 'Click to see attachment'}</button>`
        : html`<span class="above-text">${message.message_reference ? html`<em>Original message was deleted</em>` : ''}</span>`
    }
  </div>`
}

/** @param {Message} message */
const usedName = (message) =>
  message.interaction?.name ??
  message.interaction_metadata?.name ??
  message.interaction_metadata?.triggering_interaction_metadata?.name

/** @param {string} id */
function scrollTo(id) {
  const row = document.querySelector(`[data-message-id="${CSS.escape(id)}"]`)
  row?.scrollIntoView({ block: 'center', behavior: 'smooth' })
  row?.animate([{ background: 'rgba(88,101,242,.25)' }, { background: 'transparent' }], { duration: 1600 })
}

/** @param {{ message: Message, pending: Pending | undefined }} props */
function Body({ message, pending }) {
  const { content, embeds = [], attachments = [], components = [], local } = message
  if (has(message, Flag.Loading))
    return html`<div class="thinking" role="status" data-testid="thinking">
        <span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>${displayName(message.author)} is thinking…
      </div>
      <${Foot} message=${message} pending=${pending} />`
  if (local && (message.type === 20 || message.type === 23))
    return local.state === 'failed'
      ? html`<div class="command-failed" role="alert" data-testid="command-failed"><${Icon} name="warning" size=${16} />${local.text}</div><${Foot} message=${message} pending=${pending} />`
      : html`<div class="thinking" role="status"><span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>${local.text}</div>`
  const isV2 = has(message, Flag.ComponentsV2)
  const showsEmbeds = embeds.length > 0 && !has(message, Flag.SuppressEmbeds)
  return html`
    ${!isV2 && content !== '' && html`<div class="content markup" data-testid="content"><${Markdown} text=${content} jumbo=${true} />${message.edited_timestamp && html`<span class="edited" title=${fullTime(Date.parse(message.edited_timestamp))}> (edited)</span>`}</div>`}
    ${message.message_snapshots?.map(({ message: copy }) => html`<div class="forwarded"><small>Forwarded</small><${Body} message=${{ ...copy, id: message.id, channel_id: message.channel_id, author: message.author, flags: (copy.flags ?? 0) & Flag.ComponentsV2 }} pending=${undefined} /></div>`)}
    ${has(message, Flag.Crossposted) && html`<span class="published"><${Icon} name="announcement" size=${12} /> Published</span>`}
    ${attachments.length > 0 && !isV2 && html`<div class="attachments">${attachments.map((attachment) => html`<${Attachment} key=${attachment.id} attachment=${attachment} />`)}</div>`}
    ${showsEmbeds && embeds.map((embed, index) => html`<${Embed} key=${index} embed=${embed} />`)}
    ${message.poll && html`<${Poll} message=${message} />`}
    ${components.length > 0 && html`<${Components} message=${message} components=${components} pending=${pending} />`}
    <${Reactions} message=${message} />
    ${message.thread && html`<${ThreadCard} message=${message} />`}
    ${local?.state === 'failed' && html`<div class="command-failed" role="alert"><${Icon} name="warning" size=${16} />${local.text}</div>`}
    <${Foot} message=${message} pending=${pending} />
  `
}

/** @param {{ message: Message, pending: Pending | undefined }} props */
function Foot({ message, pending }) {
  const ephemeral = has(message, Flag.Ephemeral)
  const failed = pending?.state === 'failed'
  const canDismiss = ephemeral || message.local?.state === 'failed'
  return html`
    ${failed && html`<div class="interaction-failed" role="alert" data-testid="interaction-failed"><${Icon} name="warning" size=${16} />This interaction failed</div>`}
    ${
      canDismiss &&
      html`<div class="only-you" data-testid="only-you">
        <${Icon} name="eye" size=${16} />Only you can see this •${' '}
        <button type="button" class="link" onClick=${() => dismiss(message)}>Dismiss message</button>
      </div>`
    }
  `
}

/** @param {{ message: Message }} props */
function Reactions({ message }) {
  const { reactions = [] } = message
  if (reactions.length === 0) return null
  return html`<div class="reactions" role="group" aria-label="Reactions">
    ${reactions.map(
      (reaction) => html`<button
        key=${reaction.emoji.id ?? reaction.emoji.name}
        type="button"
        class=${classes('reaction', reaction.me && 'mine')}
        aria-pressed=${reaction.me}
        aria-label=${`${reaction.emoji.name}, ${reaction.count} ${reaction.count === 1 ? 'reaction' : 'reactions'}`}
        onClick=${() => toggleReaction(message, reaction.emoji)}
      >
        <${EmojiMark} emoji=${reaction.emoji} /><span>${reaction.count}</span>
      </button>`,
    )}
    ${!has(message, Flag.Ephemeral) && html`<${EmojiButton} label="Add a reaction" class="reaction add" size=${16} onPick=${(/** @type {any} */ emoji) => toggleReaction(message, emoji)} />`}
  </div>`
}

/** @param {{ message: Message }} props */
function ThreadCard({ message }) {
  const thread = state.channels.get(message.thread?.id ?? '') ?? message.thread
  if (!thread) return null
  const count = 'message_count' in thread ? thread.message_count : undefined
  return html`<button type="button" class="thread-card" onClick=${() => openChannel(thread.id)}>
    <span class="thread-card-head"><strong>${thread.name}</strong><span class="link">${count === undefined ? 'See Thread' : `${count} ${count === 1 ? 'Message' : 'Messages'}`} ›</span></span>
    <small>Open the thread</small>
  </button>`
}

/** @param {{ message: Message }} props */
function Tools({ message }) {
  const channel = state.channels.get(message.channel_id)
  if (!channel) return null
  const ephemeral = has(message, Flag.Ephemeral)
  const canReact = !ephemeral && may(channel, Permission.AddReactions)
  return html`<div class="tools" role="toolbar" aria-label="Message actions">
    ${canReact && QUICK.slice(0, 3).map((emoji) => html`<button type="button" class="tool emoji" aria-label=${`React with ${emoji}`} onClick=${() => toggleReaction(message, { name: emoji })}>${emoji}</button>`)}
    ${canReact && html`<${EmojiButton} label="Add Reaction" class="tool" onPick=${(/** @type {any} */ emoji) => toggleReaction(message, emoji)} />`}
    ${!ephemeral && mayEdit(message) && html`<button type="button" class="tool" aria-label="Edit" onClick=${() => update((s) => (s.editing = message.id))}><${Icon} name="edit" /></button>`}
    ${!ephemeral && maySend(channel) && html`<button type="button" class="tool" aria-label="Reply" onClick=${() => reply(message)}><${Icon} name="reply" /></button>`}
    <button type="button" class="tool" aria-label="More" aria-haspopup="menu" onClick=${(/** @type {MouseEvent} */ e) => openMessageMenu(e, message)}><${Icon} name="more" /></button>
  </div>`
}

/** @param {Message} message */
function mentions(message) {
  const roles = state.guilds.get(state.guildId ?? '')?.members.get(state.me?.id ?? '')?.roles ?? []
  return (
    message.mention_everyone ||
    message.mentions.some((user) => user.id === state.me?.id) ||
    message.mention_roles.some((id) => roles.includes(id))
  )
}
