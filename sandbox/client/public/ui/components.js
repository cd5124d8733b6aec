// Draws the components of a message, both generations: action rows and selects, and the layout components that replace content and embeds.

import { useEffect, useState } from 'preact/hooks'
import { cssColour, fileSize } from '../format.js'
import { press } from '../interactions.js'
import { update } from '../store.js'
import { classes, html } from './html.js'
import { Icon } from './icons.js'
import { EmojiMark, Markdown } from './markup.js'
import { defaultsOf, Select } from './select.js'

/** @import { Message, Pending } from '../types.d.ts' */

export const Type = {
  Row: 1,
  Button: 2,
  StringSelect: 3,
  UserSelect: 5,
  RoleSelect: 6,
  MentionableSelect: 7,
  ChannelSelect: 8,
  Section: 9,
  Text: 10,
  Thumbnail: 11,
  Gallery: 12,
  File: 13,
  Separator: 14,
  Container: 17,
}

/**
 * @param {{ message: Message, components: any[], pending: Pending | undefined }} props
 */
export function Components({ message, components, pending }) {
  return html`<div class="components" data-testid="components">
    ${components.map((component, index) => html`<${One} key=${component.id ?? index} message=${message} component=${component} pending=${pending} />`)}
  </div>`
}

/** @param {{ message: Message, component: any, pending: Pending | undefined }} props */
function One({ message, component, pending }) {
  const inside = (/** @type {any[]} */ list) =>
    list.map((child, index) => html`<${One} key=${child.id ?? index} message=${message} component=${child} pending=${pending} />`)
  switch (component.type) {
    case Type.Row:
      return html`<div class="action-row">${inside(component.components)}</div>`
    case Type.Button:
      return html`<${Button} message=${message} component=${component} pending=${pending} />`
    case Type.StringSelect:
    case Type.UserSelect:
    case Type.RoleSelect:
    case Type.MentionableSelect:
    case Type.ChannelSelect:
      return html`<${MessageSelect} message=${message} component=${component} pending=${pending} />`
    case Type.Section:
      return html`<div class="section">
        <div class="section-texts">${inside(component.components)}</div>
        <div class="section-accessory">${component.accessory && inside([component.accessory])}</div>
      </div>`
    case Type.Text:
      return html`<div class="markup text-display"><${Markdown} text=${component.content} /></div>`
    case Type.Thumbnail:
      return html`<${Picture} media=${component.media} alt=${component.description} spoiler=${component.spoiler} class="thumbnail" />`
    case Type.Gallery:
      return html`<div class="gallery" data-count=${Math.min(component.items.length, 10)}>
        ${component.items.map((/** @type {any} */ item) => html`<${Picture} media=${item.media} alt=${item.description} spoiler=${item.spoiler} class="gallery-item" />`)}
      </div>`
    case Type.File:
      return html`<${FileCard} name=${component.name ?? nameOfUrl(component.file.url)} size=${component.size} url=${component.file.url} spoiler=${component.spoiler} />`
    case Type.Separator:
      return html`<div class=${classes('separator', component.divider !== false && 'line', component.spacing === 2 && 'large')} role=${component.divider === false ? undefined : 'separator'}></div>`
    case Type.Container: {
      const colour = component.accent_color
      return html`<${Veil} active=${component.spoiler}>
        <div class=${classes('container', colour != null && 'accented')} style=${colour == null ? undefined : { '--accent': cssColour(colour) ?? '#000000' }}>${inside(component.components)}</div>
      <//>`
    }
    default:
      return html`<div class="unsupported">This component cannot be shown (type ${component.type}).</div>`
  }
}

/** @type {Record<number, string>} */
const STYLES = { 1: 'primary', 2: 'secondary', 3: 'success', 4: 'danger', 5: 'link', 6: 'primary' }

/** @param {{ message: Message, component: any, pending: Pending | undefined }} props */
function Button({ message, component, pending }) {
  const { style, label, emoji, url, custom_id: customId } = component
  const waits = pending?.state === 'waiting'
  const isMine = waits && pending?.customId === customId
  const content = html`<${EmojiMark} emoji=${emoji} />${label && html`<span>${label}</span>`}`
  const name = label || emoji?.name || 'Button'
  if (style === 5)
    return html`<a class=${classes('button', 'button-link', component.disabled && 'disabled')} href=${component.disabled ? undefined : safeUrl(url)} target="_blank" rel="noreferrer noopener" aria-disabled=${component.disabled || undefined} data-testid="link-button">
      ${content}<${Icon} name="external" size=${16} />
    </a>`
  return html`<button
    type="button"
    class=${classes('button', `button-${STYLES[style] ?? 'secondary'}`, isMine && 'busy')}
    disabled=${component.disabled || waits}
    aria-busy=${isMine || undefined}
    aria-label=${name}
    data-testid="button"
    data-custom-id=${customId}
    onClick=${() => press(message, { type: Type.Button, custom_id: customId })}
  >
    <span class="button-content">${content}</span>
    ${isMine && html`<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>`}
  </button>`
}

/** @param {{ message: Message, component: any, pending: Pending | undefined }} props */
function MessageSelect({ message, component, pending }) {
  const [values, setValues] = useState(() => defaultsOf(component))
  useEffect(() => setValues(defaultsOf(component)), [component])
  const waits = pending?.state === 'waiting'
  return html`<${Select}
    component=${component}
    values=${values}
    busy=${waits && pending?.customId === component.custom_id}
    disabled=${waits}
    onDone=${(/** @type {string[]} */ next) => {
      setValues(next)
      void press(message, { type: component.type, custom_id: component.custom_id, values: next })
    }}
  />`
}

/**
 * Hides what is marked as a spoiler until it is pressed.
 * @param {{ active?: boolean | undefined, children?: any }} props
 */
function Veil({ active, children }) {
  const [open, setOpen] = useState(false)
  if (!active || open) return children
  return html`<div class="veil" role="button" tabindex="0" aria-label="Show spoiler" onClick=${() => setOpen(true)} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Enter' && setOpen(true)}>
    <div class="veiled" inert>${children}</div>
    <span class="veil-label">SPOILER</span>
  </div>`
}

/** @param {{ media: any, alt?: string | null | undefined, spoiler?: boolean, class: string }} props */
export function Picture({ media, alt, spoiler, class: className }) {
  const url = safeUrl(media.proxy_url || media.url)
  if (url === undefined) return null
  const open = () => update((s) => (s.picture = { url: safeUrl(media.url) ?? url, alt: alt ?? '' }))
  const isVideo = media.content_type?.startsWith('video/')
  return html`<${Veil} active=${spoiler}>
    ${
      isVideo
        ? html`<video class=${className} src=${url} controls aria-label=${alt || 'Video'}></video>`
        : html`<button type="button" class=${`picture ${className}`} onClick=${open} aria-label=${alt ? `Image: ${alt}` : 'Image'}>
            <img src=${url} alt=${alt ?? ''} width=${media.width || undefined} height=${media.height || undefined} loading="lazy" />
          </button>`
    }
  <//>`
}

/** @param {{ name: string, size?: number | undefined, url: string, spoiler?: boolean }} props */
export function FileCard({ name, size, url, spoiler }) {
  return html`<${Veil} active=${spoiler}>
    <div class="file-card">
      <${Icon} name="file" size=${32} class="file-icon" />
      <div class="file-text">
        <a href=${safeUrl(url)} target="_blank" rel="noreferrer noopener">${name}</a>
        ${size !== undefined && html`<small>${fileSize(size)}</small>`}
      </div>
      <a class="icon-button" href=${safeUrl(url)} download=${name} target="_blank" rel="noreferrer noopener" aria-label=${`Download ${name}`}><${Icon} name="download" /></a>
    </div>
  <//>`
}

/** A url that a link or picture may have: never script. @param {string | undefined} url */
export const safeUrl = (url) => (url && /^(https?:\/\/|data:image\/|blob:|mailto:|\/)/i.test(url) ? url : undefined)

/** @param {string} url */
const nameOfUrl = (url) => decodeURIComponent(url.split('?')[0]?.split('/').at(-1) ?? 'file')
