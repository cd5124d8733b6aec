// A forum: its posts by what happened last, filtered by tag, the older ones below, and the way to a new one.

import { useState } from 'preact/hooks'
import { showPanel } from '../actions.js'
import { channelName, relativeTime, timeOf } from '../format.js'
import { Permission } from '../permissions.js'
import { isUnread, openChannel } from '../session.js'
import { may } from '../store.js'
import { classes, html } from './html.js'
import { Icon } from './icons.js'
import { Markdown } from './markup.js'
import { counted, startedBy, TagButton, threadsOf, useArchived } from './threads.js'

/** @import { Channel } from '../types.d.ts' */

const PINNED = 2

/** @param {{ channel: Channel }} props */
export function Forum({ channel }) {
  const [chosen, setChosen] = useState(/** @type {string[]} */ ([]))
  useArchived(channel)
  const tags = channel.available_tags ?? []
  const posts = threadsOf(channel.id).filter((post) => chosen.every((id) => post.applied_tags?.includes(id)))
  const isOld = (/** @type {Channel} */ post) => post.thread_metadata?.archived === true
  const first = posts.filter((post) => ((post.flags ?? 0) & PINNED) !== 0)
  const live = posts.filter((post) => !first.includes(post) && !isOld(post))
  const old = posts.filter((post) => !first.includes(post) && isOld(post))
  const toggle = (/** @type {string} */ id) =>
    setChosen(chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id])
  return html`<div class="forum scroller" tabindex="0" role="group" aria-label=${`Posts in ${channelName(channel)}`}>
    <div class="forum-head">
      ${channel.topic && html`<div class="forum-topic markup"><${Markdown} text=${channel.topic} /></div>`}
      ${may(channel, Permission.SendMessages) && html`<button type="button" class="button button-primary" data-testid="new-post" onClick=${() => showPanel({ kind: 'post', channelId: channel.id })}><${Icon} name="plus" size=${16} />New Post</button>`}
    </div>
    ${tags.length > 0 && html`<div class="tag-row" role="group" aria-label="Filter by tag">${tags.map((tag) => html`<${TagButton} tag=${tag} on=${chosen.includes(tag.id)} onClick=${() => toggle(tag.id)} />`)}</div>`}
    ${posts.length === 0 && html`<div class="nothing">${chosen.length > 0 ? 'No post has these tags.' : 'No posts yet.'}</div>`}
    <ul class="posts">${[...first, ...live].map((post) => html`<${Post} key=${post.id} post=${post} tags=${tags} pinned=${first.includes(post)} />`)}</ul>
    ${old.length > 0 && html`<h2 class="forum-older">Older Posts</h2><ul class="posts">${old.map((post) => html`<${Post} key=${post.id} post=${post} tags=${tags} pinned=${false} />`)}</ul>`}
  </div>`
}

/** @param {{ post: Channel, tags: NonNullable<Channel['available_tags']>, pinned: boolean }} props */
function Post({ post, tags, pinned }) {
  const own = (post.applied_tags ?? []).flatMap((id) => tags.find((tag) => tag.id === id) ?? [])
  return html`<li>
    <button type="button" class=${classes('post', isUnread(post) && 'unread')} data-testid="post" onClick=${() => openChannel(post.id)}>
      <span class="post-tags">${pinned && html`<span class="post-tag on">Pinned</span>`}${own.map((tag) => html`<span class="post-tag">${tag.emoji_name} ${tag.name}</span>`)}${post.thread_metadata?.locked && html`<span class="post-tag">Locked</span>`}</span>
      <strong>${channelName(post)}</strong>
      <small>${startedBy(post)} · ${counted(post.message_count)} · ${relativeTime(timeOf(post.last_message_id ?? post.id))}</small>
    </button>
  </li>`
}
