// Draws a markdown tree: mentions with names and colours, times that tick, spoilers that open. Text stays text.

import { useEffect, useState } from 'preact/hooks'
import { channelName, cssColour, fullTime, nameIn, timestamp } from '../format.js'
import { isJumbo, parse, parseInline, plain } from '../markdown.js'
import { openChannel } from '../session.js'
import { currentGuild, isForum, isThread, state, update } from '../store.js'
import { writeCommand } from './composer-link.js'
import { html } from './html.js'
import { Icon } from './icons.js'

/** @import { Node } from '../markdown.js' */

/** @type {Map<string, Node[]>} */
const parsed = new Map()

/** @param {string} text */
function tree(text) {
  let nodes = parsed.get(text)
  if (!nodes) {
    nodes = parse(text)
    if (parsed.size > 500) parsed.clear()
    parsed.set(text, nodes)
  }
  return nodes
}

/**
 * `inline` leaves out headings, lists and quotes, as in the title of an embed; `jumbo` draws a text of nothing but emoji large.
 * @param {{ text: string, jumbo?: boolean, inline?: boolean }} props
 */
export function Markdown({ text, jumbo = false, inline = false }) {
  const nodes = inline ? parseInline(text) : tree(text)
  return jumbo && isJumbo(nodes) ? html`<span class="jumbo">${draw(nodes)}</span>` : draw(nodes)
}

/** The words of a text without its markup, for one-line previews. @param {string} text */
export const plainText = (text) => plain(tree(text))

/** @param {Node[]} nodes @returns {any[]} */
const draw = (nodes) => nodes.map(drawOne)

/** @param {Node} node @returns {any} */
function drawOne(node) {
  switch (node.type) {
    case 'text':
      return node.text
    case 'break':
      return html`<br />`
    case 'bold':
      return html`<strong>${draw(node.children)}</strong>`
    case 'italic':
      return html`<em>${draw(node.children)}</em>`
    case 'underline':
      return html`<u>${draw(node.children)}</u>`
    case 'strike':
      return html`<s>${draw(node.children)}</s>`
    case 'spoiler':
      return html`<${Spoiler}>${draw(node.children)}<//>`
    case 'code':
      return html`<code class="inline-code">${node.text}</code>`
    case 'block':
      return html`<pre class="code-block" data-language=${node.language || undefined}><code>${node.text}</code></pre>`
    case 'quote':
      return html`<div class="quote"><div class="quote-bar"></div><blockquote>${draw(node.children)}</blockquote></div>`
    case 'heading':
      return html`<div class=${`md-heading md-h${node.level}`} role="heading" aria-level=${node.level + 2}>${draw(node.children)}</div>`
    case 'subtext':
      return html`<small class="subtext">${draw(node.children)}</small>`
    case 'list':
      return node.ordered
        ? html`<ol class="md-list" start=${node.start} style=${{ '--digits': String(node.start + node.items.length).length }}>${node.items.map((item) => html`<li>${draw(item)}</li>`)}</ol>`
        : html`<ul class="md-list">${node.items.map((item) => html`<li>${draw(item)}</li>`)}</ul>`
    case 'link':
      return html`<a href=${node.url} title=${node.title ?? node.url} target="_blank" rel="noreferrer noopener">${draw(node.children)}</a>`
    case 'user':
      return html`<${UserMention} id=${node.id} />`
    case 'role':
      return html`<${RoleMention} id=${node.id} />`
    case 'channel':
      return html`<${ChannelMention} id=${node.id} />`
    case 'place':
      return html`<${PlaceMention} id=${node.id} />`
    case 'everyone':
      return html`<span class="mention">${node.text}</span>`
    case 'command':
      return html`<button type="button" class="mention" onClick=${() => writeCommand(node.name)}>/${node.name}</button>`
    case 'emoji':
      return html`<${CustomEmoji} id=${node.id} name=${node.name} />`
    case 'timestamp':
      return html`<${Timestamp} ms=${node.ms} style_=${node.style} />`
  }
}

/** @type {Record<string, string>} */
const PLACES = {
  customize: 'Channels & Roles',
  browse: 'Browse Channels',
  guide: 'Server Guide',
  home: 'Server Guide',
  'linked-roles': 'Linked Roles',
}

/** A place of the server; “Channels & Roles” asks its questions anew. @param {{ id: string }} props */
function PlaceMention({ id }) {
  const name = PLACES[id] ?? id
  const guildId = state.guildId
  if (id !== 'customize' || guildId === null) return html`<span class="mention">${name}</span>`
  return html`<button type="button" class="mention" onClick=${() => update((s) => (s.panel = { kind: 'onboarding', guildId }))}>${name}</button>`
}

/** @param {{ children: any }} props */
function Spoiler({ children }) {
  const [open, setOpen] = useState(false)
  if (open) return html`<span class="spoiler open">${children}</span>`
  const reveal = (/** @type {Event} */ event) => {
    event.stopPropagation()
    setOpen(true)
  }
  return html`<span class="spoiler" role="button" tabindex="0" aria-label="Spoiler" aria-expanded="false" onClick=${reveal} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Enter' && reveal(event)}>
    <span aria-hidden="true">${children}</span>
  </span>`
}

/** @param {{ id: string }} props */
function UserMention({ id }) {
  const guild = currentGuild()
  const user = state.users.get(id)
  if (!user) return html`<span class="mention">@unknown-user</span>`
  const open = (/** @type {MouseEvent} */ event) =>
    update((s) => (s.profile = { userId: id, guildId: s.guildId, x: event.clientX, y: event.clientY }))
  return html`<button type="button" class="mention" onClick=${open}>@${nameIn(user, guild)}</button>`
}

/** @param {{ id: string }} props */
function RoleMention({ id }) {
  const role = currentGuild()?.roles.get(id)
  if (!role) return html`<span class="mention">@unknown-role</span>`
  const colour = cssColour(role.color)
  return html`<span class="mention" style=${colour ? { color: colour, background: `${colour}1a` } : undefined}>@${role.name.replace(/^@/, '')}</span>`
}

/** @param {{ id: string }} props */
function ChannelMention({ id }) {
  const channel = state.channels.get(id)
  if (!channel) return html`<span class="mention"><em>#No Access</em></span>`
  const icon = isThread(channel)
    ? 'thread'
    : isForum(channel)
      ? 'forum'
      : channel.type === 5
        ? 'announcement'
        : channel.type === 2
          ? 'voice'
          : 'hash'
  return html`<button type="button" class="mention" onClick=${() => openChannel(id)}><${Icon} name=${icon} size=${14} />${channelName(channel)}</button>`
}

/** Custom emoji live on a CDN that this page does not use: their name stands for them. @param {{ id: string, name: string }} props */
export function CustomEmoji({ name }) {
  return html`<span class="custom-emoji" title=${`:${name}:`}>:${name}:</span>`
}

/** @param {{ emoji: { id?: string | null, name?: string | null } | undefined | null }} props */
export function EmojiMark({ emoji }) {
  if (!emoji?.name) return null
  return emoji.id ? html`<${CustomEmoji} id=${emoji.id} name=${emoji.name} />` : html`<span class="emoji">${emoji.name}</span>`
}

/** @param {{ ms: number, style_: string }} props */
function Timestamp({ ms, style_ }) {
  const [, tick] = useState(0)
  useEffect(() => {
    if (style_ !== 'R') return
    const distance = Math.abs(Date.now() - ms)
    const timer = setInterval(() => tick((count) => count + 1), distance < 120_000 ? 1000 : 30_000)
    return () => clearInterval(timer)
  }, [ms, style_])
  return html`<time class="timestamp" datetime=${new Date(ms).toISOString()} title=${fullTime(ms)}>${timestamp(ms, style_)}</time>`
}
