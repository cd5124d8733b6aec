// Draws embeds, attachments and polls: what may stand below a message's text.

import { useState } from 'preact/hooks'
import { endPoll, showPanel } from '../actions.js'
import { cssColour, messageTime, relativeTime } from '../format.js'
import { votePoll } from '../messages.js'
import { state } from '../store.js'
import { FileCard, Picture, safeUrl } from './components.js'
import { classes, html } from './html.js'
import { EmojiMark, Markdown } from './markup.js'

/** @import { Message } from '../types.d.ts' */

/** @param {{ embed: import('discord-api-types/v10').APIEmbed }} props */
export function Embed({ embed }) {
  const { author, title, url, description, fields = [], image, thumbnail, footer, timestamp, color, provider } = embed
  if (embed.type === 'image' && thumbnail) return html`<${Picture} media=${thumbnail} class="attachment-picture" />`
  return html`<article class="embed" style=${{ borderLeftColor: cssColour(color) }} data-testid="embed" aria-label=${title ?? 'Embed'}>
    <div class="embed-body">
      <div class="embed-main">
        ${provider?.name && html`<div class="embed-provider">${provider.name}</div>`}
        ${
          author &&
          html`<div class="embed-author">
            ${safeUrl(author.icon_url) && html`<img src=${safeUrl(author.icon_url)} alt="" width="24" height="24" />`}
            ${author.url ? html`<a href=${safeUrl(author.url)} target="_blank" rel="noreferrer noopener">${author.name}</a>` : author.name}
          </div>`
        }
        ${
          title &&
          html`<div class="embed-title">
            ${url ? html`<a href=${safeUrl(url)} target="_blank" rel="noreferrer noopener"><${Markdown} text=${title} inline=${true} /></a>` : html`<${Markdown} text=${title} inline=${true} />`}
          </div>`
        }
        ${description && html`<div class="embed-description markup"><${Markdown} text=${description} /></div>`}
        ${
          fields.length > 0 &&
          html`<div class="embed-fields">
            ${columns(fields).map(
              ({ field, span }) => html`<div class="embed-field" style=${{ gridColumn: span }}>
                <div class="embed-field-name"><${Markdown} text=${field.name} inline=${true} /></div>
                <div class="embed-field-value markup"><${Markdown} text=${field.value} /></div>
              </div>`,
            )}
          </div>`
        }
      </div>
      ${thumbnail && html`<${Picture} media=${thumbnail} class="embed-thumbnail" />`}
    </div>
    ${image && html`<${Picture} media=${image} class="embed-image" />`}
    ${
      (footer || timestamp) &&
      html`<div class="embed-footer">
        ${safeUrl(footer?.icon_url) && html`<img src=${safeUrl(footer?.icon_url)} alt="" width="20" height="20" />`}
        <span>${[footer?.text, timestamp && messageTime(Date.parse(timestamp))].filter(Boolean).join(' • ')}</span>
      </div>`
    }
  </article>`
}

/**
 * Inline fields stand up to three in a row; a row is filled by what it has.
 * @param {import('discord-api-types/v10').APIEmbedField[]} fields
 */
function columns(fields) {
  /** @type {{ field: typeof fields[number], span: string }[]} */
  const placed = []
  for (let index = 0; index < fields.length; ) {
    const row = []
    while (row.length < 3 && fields[index + row.length]?.inline) row.push(fields[index + row.length])
    if (row.length === 0) row.push(fields[index])
    const width = 12 / row.length
    for (const [at, field] of row.entries()) if (field) placed.push({ field, span: `${at * width + 1} / span ${width}` })
    index += row.length
  }
  return placed
}

/** @param {{ attachment: import('discord-api-types/v10').APIAttachment }} props */
export function Attachment({ attachment }) {
  const { url, filename, content_type: type, description, size } = attachment
  const spoiler = filename.startsWith('SPOILER_') || ((attachment.flags ?? 0) & 8) !== 0
  if (type?.startsWith('image/') || /\.(png|jpe?g|gif|webp|svg)$/i.test(filename))
    return html`<${Picture} media=${attachment} alt=${description ?? filename} spoiler=${spoiler} class="attachment-picture" />`
  return html`<${FileCard} name=${filename} size=${size} url=${url} spoiler=${spoiler} />`
}

/** @param {{ message: Message }} props */
export function Poll({ message }) {
  const [picked, setPicked] = useState(/** @type {number[]} */ ([]))
  const { poll } = message
  if (!poll) return null
  const counts = new Map((poll.results?.answer_counts ?? []).map((count) => [count.id, count]))
  const total = [...counts.values()].reduce((sum, count) => sum + count.count, 0)
  const voted = [...counts.values()].some((count) => count.me_voted)
  const closed = poll.results?.is_finalized || (poll.expiry !== null && Date.parse(poll.expiry) < Date.now())
  const showsResults = voted || closed
  const toggle = (/** @type {number} */ id) =>
    setPicked(poll.allow_multiselect ? (picked.includes(id) ? picked.filter((other) => other !== id) : [...picked, id]) : [id])
  return html`<section class="poll" aria-label=${`Poll: ${poll.question.text}`} data-testid="poll">
    <div class="poll-question">${poll.question.text}</div>
    <div class="poll-hint">${poll.allow_multiselect ? 'Select one or more answers' : 'Select one answer'}</div>
    ${poll.answers.map(({ answer_id: id, poll_media: media }) => {
      const count = counts.get(id)
      const share = total > 0 ? Math.round(((count?.count ?? 0) / total) * 100) : 0
      return html`<button
        type="button"
        class=${classes('poll-answer', (picked.includes(id) || count?.me_voted) && 'picked')}
        aria-pressed=${picked.includes(id) || count?.me_voted || false}
        disabled=${showsResults}
        onClick=${() => toggle(id)}
      >
        ${showsResults && html`<span class="poll-bar" style=${{ width: `${share}%` }}></span>`}
        <${EmojiMark} emoji=${media.emoji} /><span class="poll-text">${media.text}</span>
        ${showsResults ? html`<span class="poll-count">${count?.count ?? 0} ${count?.count === 1 ? 'vote' : 'votes'} · ${share}%</span>` : html`<span class="poll-box"></span>`}
      </button>`
    })}
    <div class="poll-foot">
      <span>${total} ${total === 1 ? 'vote' : 'votes'}${poll.expiry !== null && ` · ${closed ? 'Poll closed' : `ends ${relativeTime(Date.parse(poll.expiry))}`}`}</span>
      ${showsResults && total > 0 && html`<button type="button" class="link" onClick=${() => showPanel({ kind: 'voters', message })}>View votes</button>`}
      ${!closed && message.author.id === state.me?.id && html`<button type="button" class="link" onClick=${() => void endPoll(message)}>End poll</button>`}
      ${!closed && (voted ? html`<button type="button" class="link" onClick=${() => votePoll(message, [])}>Remove Vote</button>` : html`<button type="button" class="button button-primary" disabled=${picked.length === 0} onClick=${() => votePoll(message, picked)}>Vote</button>`)}
    </div>
  </section>`
}
