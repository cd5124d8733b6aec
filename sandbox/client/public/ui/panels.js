// The panels above the page, one at a time: threads, pins, events, finding a place, who reacted, a new poll, an invite.

import { useEffect, useState } from 'preact/hooks'
import { pinsOf, reactorsOf, showPanel, votersOf } from '../actions.js'
import { messageTime, nameIn } from '../format.js'
import { openChannel } from '../session.js'
import { currentGuild, state, update } from '../store.js'
import { Avatar } from './avatar.js'
import { Dialog, Loaded } from './dialog.js'
import { EventsPanel } from './events-panel.js'
import { classes, html } from './html.js'
import { InvitePanel, LinkPanel } from './invite.js'
import { EmojiMark, Markdown, plainText } from './markup.js'
import { mayEdit } from './message-menu.js'
import { Onboarding } from './onboarding.js'
import { PollForm } from './poll-form.js'
import { Switcher } from './switcher.js'
import { PostForm, ThreadForm, ThreadsPanel } from './threads.js'

/** @import { Message, Panel, User } from '../types.d.ts' */

export function Panels() {
  const { panel } = state
  if (!panel) return null
  const close = () => showPanel(null)
  switch (panel.kind) {
    case 'switcher':
      return html`<${Switcher} onClose=${close} />`
    case 'pins':
      return html`<${Pins} channelId=${panel.channelId} onClose=${close} />`
    case 'threads':
      return html`<${ThreadsPanel} channelId=${panel.channelId} onClose=${close} />`
    case 'thread':
      return html`<${ThreadForm} channelId=${panel.channelId} message=${panel.message} onClose=${close} />`
    case 'post':
      return html`<${PostForm} channelId=${panel.channelId} onClose=${close} />`
    case 'events':
      return html`<${EventsPanel} guildId=${panel.guildId} onClose=${close} />`
    case 'onboarding':
      return html`<${Onboarding} guildId=${panel.guildId} onClose=${close} />`
    case 'poll':
      return html`<${PollForm} channelId=${panel.channelId} onClose=${close} />`
    case 'reactors':
      return html`<${Reactors} message=${panel.message} onClose=${close} />`
    case 'voters':
      return html`<${Voters} message=${panel.message} onClose=${close} />`
    case 'invite':
      return html`<${InvitePanel} code=${panel.code} onClose=${close} />`
    case 'link':
      return html`<${LinkPanel} title=${panel.title} url=${panel.url} onClose=${close} />`
  }
}

/** @template T @param {() => Promise<T[]>} load @param {unknown[]} inputs */
function useLoaded(load, inputs) {
  const [loaded, setLoaded] = useState(/** @type {T[] | undefined} */ (undefined))
  const [error, setError] = useState(/** @type {string | undefined} */ (undefined))
  useEffect(() => {
    setLoaded(undefined)
    load().then(setLoaded, (/** @type {Error} */ problem) => setError(problem.message))
  }, inputs)
  return { loaded, error }
}

/** @param {{ channelId: string, onClose: () => void }} props */
function Pins({ channelId, onClose }) {
  const { loaded, error } = useLoaded(() => pinsOf(channelId), [channelId])
  const go = (/** @type {Message} */ message) => {
    onClose()
    openChannel(channelId)
    document.querySelector(`[data-message-id="${CSS.escape(message.id)}"]`)?.scrollIntoView({ block: 'center' })
  }
  return html`<${Dialog} title="Pinned Messages" onClose=${onClose} testid="pins">
    <${Loaded} loaded=${loaded} error=${error} empty="This channel has no pinned messages yet.">
      ${(/** @type {Message[]} */ messages) =>
        html`<ul class="cards">
          ${messages.map(
            (message) => html`<li class="pin">
              <${Avatar} user=${message.author} size=${32} />
              <div class="pin-main">
                <div><strong>${nameIn(message.author, currentGuild())}</strong> <time datetime=${message.timestamp}>${messageTime(Date.parse(message.timestamp))}</time></div>
                <div class="markup">${message.content ? html`<${Markdown} text=${message.content} />` : html`<em>${preview(message)}</em>`}</div>
              </div>
              <button type="button" class="button button-secondary" onClick=${() => go(message)}>Jump</button>
            </li>`,
          )}
        </ul>`}
    <//>
  <//>`
}

/** What a message without text holds, in a word. @param {Message} message */
const preview = (message) =>
  message.poll
    ? `Poll: ${message.poll.question.text}`
    : message.embeds[0]
      ? plainText(message.embeds[0].title ?? message.embeds[0].description ?? 'Embed')
      : (message.attachments[0]?.filename ?? 'A card')

/** Tabs of emoji or answers on the left, the people of the chosen one on the right. @param {{ title: string, tabs: { key: string, label: any, name: string, load: () => Promise<User[]> }[], onClose: () => void }} props */
function PeopleByTab({ title, tabs, onClose }) {
  const [at, setAt] = useState(0)
  const tab = tabs[at]
  const { loaded, error } = useLoaded(() => tab?.load() ?? Promise.resolve([]), [tab?.key])
  return html`<${Dialog} title=${title} onClose=${onClose} wide=${true} testid="people-by">
    <div class="split">
      <div class="tabs" role="tablist" aria-label=${title} aria-orientation="vertical">
        ${tabs.map((one, index) => html`<button type="button" role="tab" class=${classes('tab', index === at && 'on')} aria-selected=${index === at} aria-label=${one.name} onClick=${() => setAt(index)}>${one.label}</button>`)}
      </div>
      <div class="tab-people" role="tabpanel" aria-label=${tab?.name}>
        <${Loaded} loaded=${loaded} error=${error} empty="Nobody yet.">
          ${(/** @type {User[]} */ users) => html`<ul>${users.map((user) => html`<li class="member still"><${Avatar} user=${user} size=${24} /><span class="member-name">${nameIn(user, currentGuild())}</span></li>`)}</ul>`}
        <//>
      </div>
    </div>
  <//>`
}

/** @param {{ message: Message, onClose: () => void }} props */
function Reactors({ message, onClose }) {
  const tabs = (message.reactions ?? []).map((reaction) => ({
    key: reaction.emoji.id ?? reaction.emoji.name ?? '',
    name: `${reaction.emoji.name}, ${reaction.count}`,
    label: html`<${EmojiMark} emoji=${reaction.emoji} /> ${reaction.count}`,
    load: () => reactorsOf(message, reaction.emoji),
  }))
  return html`<${PeopleByTab} title="Reactions" tabs=${tabs} onClose=${onClose} />`
}

/** @param {{ message: Message, onClose: () => void }} props */
function Voters({ message, onClose }) {
  const tabs = (message.poll?.answers ?? []).map(({ answer_id: id, poll_media: media }) => ({
    key: String(id),
    name: media.text ?? String(id),
    label: html`<${EmojiMark} emoji=${media.emoji} /> ${media.text}`,
    load: () => votersOf(message, id),
  }))
  return html`<${PeopleByTab} title=${message.poll?.question.text ?? 'Poll'} tabs=${tabs} onClose=${onClose} />`
}

/** Begins the edit of one's own last message in the open channel. */
export function editLast() {
  const messages = state.timelines.get(state.channelId ?? '')?.messages ?? []
  const last = messages.findLast(mayEdit)
  if (last) update((s) => (s.editing = last.id))
}
