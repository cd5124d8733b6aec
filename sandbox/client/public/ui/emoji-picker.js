// The picker of emoji, for reactions and for writing: groups, a search, and the server's own.

import { useEffect, useRef, useState } from 'preact/hooks'
import { EMOJI, findEmoji } from '../emoji.js'
import { currentGuild } from '../store.js'
import { Floating, html } from './html.js'
import { Icon } from './icons.js'

/** @typedef {{ id?: string | null, name: string }} Picked */

/**
 * A button that opens the picker.
 * @param {{ label: string, class: string, size?: number, disabled?: boolean, onPick: (emoji: Picked) => void }} props
 */
export function EmojiButton({ label, class: className, size = 20, disabled, onPick }) {
  const [open, setOpen] = useState(false)
  const button = useRef(/** @type {HTMLElement | null} */ (null))
  const close = () => {
    setOpen(false)
    button.current?.focus()
  }
  return html`<button ref=${button} type="button" class=${className} aria-label=${label} aria-haspopup="dialog" aria-expanded=${open} disabled=${disabled} onClick=${() => setOpen(!open)}><${Icon} name="emoji" size=${size} /></button>
    ${
      open &&
      html`<${Floating} anchor=${button} placement="above" width=${352} class="emoji-picker" role="dialog" label="Pick an emoji" onClose=${close} testid="emoji-picker">
        <${Picker} onPick=${(/** @type {Picked} */ emoji) => {
          close()
          onPick(emoji)
        }} />
      <//>`
    }`
}

/** @param {{ onPick: (emoji: Picked) => void }} props */
function Picker({ onPick }) {
  const [query, setQuery] = useState('')
  const search = useRef(/** @type {HTMLInputElement | null} */ (null))
  useEffect(() => search.current?.focus({ preventScroll: true }), [])
  const guild = currentGuild()
  const own = (guild?.emojis ?? []).filter((emoji) => emoji.name?.toLowerCase().includes(query.toLowerCase()))
  const found = query === '' ? EMOJI : [{ title: 'Found', emoji: findEmoji(query) }]
  return html`
    <input ref=${search} class="text-input" placeholder="Find the perfect emoji" aria-label="Find an emoji" value=${query} onInput=${(/** @type {any} */ event) => setQuery(event.target.value)} />
    <div class="emoji-groups scroller">
      ${own.length > 0 && html`<section><h3>${guild?.name}</h3><div class="emoji-grid">${own.map((emoji) => html`<button type="button" class="emoji-cell named" aria-label=${emoji.name} onClick=${() => onPick({ id: emoji.id, name: emoji.name ?? '' })}>:${emoji.name}:</button>`)}</div></section>`}
      ${found.map(
        ({ title, emoji }) => html`<section>
          <h3>${title}</h3>
          <div class="emoji-grid">${emoji.map(({ name, text }) => html`<button type="button" class="emoji-cell" aria-label=${name.replaceAll('_', ' ')} title=${`:${name}:`} onClick=${() => onPick({ name: text })}>${text}</button>`)}</div>
        </section>`,
      )}
      ${own.length === 0 && found.every((group) => group.emoji.length === 0) && html`<p class="hint">No emoji is called that.</p>`}
    </div>
  `
}
