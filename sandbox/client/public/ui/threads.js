// Threads of a channel: the open and the sleeping ones, a new thread, a new forum post.

import { useEffect, useState } from 'preact/hooks'
import { loadArchived, showPanel, startPost, startThread } from '../actions.js'
import { channelName, compareIds, nameIn, relativeTime, timeOf } from '../format.js'
import { toast } from '../notices.js'
import { Permission } from '../permissions.js'
import { openChannel } from '../session.js'
import { currentGuild, isThread, may, state } from '../store.js'
import { Dialog, TextField } from './dialog.js'
import { classes, html } from './html.js'
import { Icon } from './icons.js'
import { plainText } from './markup.js'

/** @import { Channel, Message } from '../types.d.ts' */

/** Threads of a channel that the person may see, the liveliest first. @param {string} channelId */
export const threadsOf = (channelId) =>
  [...state.channels.values()]
    .filter((thread) => thread.parent_id === channelId && isThread(thread) && may(thread))
    .sort((a, b) => compareIds(b.last_message_id ?? b.id, a.last_message_id ?? a.id))

/** Asks for the sleeping threads once. @param {Channel | undefined} channel */
export function useArchived(channel) {
  useEffect(() => {
    if (channel && may(channel, Permission.ReadMessageHistory))
      void loadArchived(channel).catch((error) => toast(error.message, 'error'))
  }, [channel?.id])
}

/** @param {{ channelId: string, onClose: () => void }} props */
export function ThreadsPanel({ channelId, onClose }) {
  const channel = state.channels.get(channelId)
  useArchived(channel)
  if (!channel) return null
  const threads = threadsOf(channelId)
  const groups = [
    { title: 'Active threads', list: threads.filter((thread) => !thread.thread_metadata?.archived) },
    { title: 'Older threads', list: threads.filter((thread) => thread.thread_metadata?.archived) },
  ].filter((group) => group.list.length > 0)
  return html`<${Dialog} title="Threads" onClose=${onClose} testid="threads">
    ${may(channel, Permission.CreatePublicThreads) && html`<button type="button" class="button button-primary" onClick=${() => showPanel({ kind: 'thread', channelId })}>Create Thread</button>`}
    ${groups.length === 0 && html`<p class="hint">There are no threads. Stay focused on a conversation with a thread: a temporary channel of its own.</p>`}
    ${groups.map(
      (group) => html`<section class="thread-group">
        <h3>${group.title} — ${group.list.length}</h3>
        <ul class="cards">
          ${group.list.map(
            (thread) => html`<li>
              <button
                type="button"
                class="post"
                onClick=${() => {
                  onClose()
                  openChannel(thread.id)
                }}
              >
                <strong><${Icon} name=${thread.type === 12 ? 'hashLock' : 'thread'} size=${16} class="icon muted" /> ${channelName(thread)}</strong>
                <small>${startedBy(thread)} · ${counted(thread.message_count)} · ${relativeTime(timeOf(thread.last_message_id ?? thread.id))}</small>
              </button>
            </li>`,
          )}
        </ul>
      </section>`,
    )}
  <//>`
}

/** `1 message`. @param {number | undefined} count */
export const counted = (count = 0) => `${count} ${count === 1 ? 'message' : 'messages'}`

/** Who started a thread. @param {Channel} thread */
export function startedBy(thread) {
  const user = state.users.get(thread.owner_id ?? '')
  return user ? nameIn(user, currentGuild()) : 'someone'
}

/** @param {{ channelId: string, message?: Message | undefined, onClose: () => void }} props */
export function ThreadForm({ channelId, message, onClose }) {
  const [name, setName] = useState(message ? plainText(message.content).slice(0, 40) : '')
  const [isPrivate, setPrivate] = useState(false)
  const channel = state.channels.get(channelId)
  if (!channel) return null
  const mayHide = !message && channel.type === 0 && may(channel, Permission.CreatePrivateThreads)
  const start = () => {
    onClose()
    void startThread(channel, { name: name.trim(), isPrivate }, message)
  }
  return html`<${Dialog} title="New Thread" onClose=${onClose} onSubmit=${start} submit="Create Thread" ready=${name.trim() !== ''} testid="thread-form">
    <${TextField} id="thread-name" label="Thread name" max=${100} value=${name} onInput=${setName} placeholder="New Thread" />
    ${mayHide && html`<label class="plain-check"><input type="checkbox" checked=${isPrivate} onChange=${() => setPrivate(!isPrivate)} /> Private thread: only people you invite and moderators can see it</label>`}
  <//>`
}

/** @param {{ channelId: string, onClose: () => void }} props */
export function PostForm({ channelId, onClose }) {
  const [name, setName] = useState('')
  const [content, setContent] = useState('')
  const [tags, setTags] = useState(/** @type {string[]} */ ([]))
  const forum = state.channels.get(channelId)
  if (!forum) return null
  const needsTag = ((forum.flags ?? 0) & 16) !== 0
  const offered = (forum.available_tags ?? []).filter((tag) => !tag.moderated || may(forum, Permission.ManageThreads))
  const ready = name.trim() !== '' && content.trim() !== '' && !(needsTag && tags.length === 0)
  const toggle = (/** @type {string} */ id) =>
    setTags(tags.includes(id) ? tags.filter((other) => other !== id) : [...tags, id].slice(-5))
  const post = () => {
    onClose()
    void startPost(forum, { name: name.trim(), content: content.trim(), tags })
  }
  return html`<${Dialog} title="New Post" onClose=${onClose} onSubmit=${post} submit="Post" ready=${ready} testid="post-form">
    <${TextField} id="post-title" label="Title" max=${100} value=${name} onInput=${setName} />
    <${TextField} id="post-message" label="Message" long=${true} max=${2000} value=${content} onInput=${setContent} />
    ${
      offered.length > 0 &&
      html`<div class="field"><div class="field-label" id="post-tags">Tags${needsTag && html`<span class="required"> *</span>`}</div>
        <div class="tag-row" role="group" aria-labelledby="post-tags">${offered.map((tag) => html`<${TagButton} tag=${tag} on=${tags.includes(tag.id)} onClick=${() => toggle(tag.id)} />`)}</div></div>`
    }
  <//>`
}

/** @param {{ tag: { id: string, name: string, emoji_name?: string | null }, on: boolean, onClick: () => void }} props */
export const TagButton = ({ tag, on, onClick }) =>
  html`<button type="button" class=${classes('post-tag', on && 'on')} aria-pressed=${on} onClick=${onClick}>${tag.emoji_name} ${tag.name}</button>`
