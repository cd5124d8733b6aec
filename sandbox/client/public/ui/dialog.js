// A dialog above the page: title, body, perhaps buttons. Keeps the keyboard inside; Escape and a press beside it close it.

import { useRef } from 'preact/hooks'
import { classes, html, useFocusTrap } from './html.js'
import { Icon } from './icons.js'

/**
 * @param {{ title: string, onClose: () => void, onSubmit?: () => void, submit?: string, ready?: boolean, wide?: boolean, testid?: string, children?: any }} props
 * `submit` names the button that hands the dialog in; without it there are no buttons.
 */
export function Dialog({ title, onClose, onSubmit, submit, ready = true, wide, testid, children }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null))
  useFocusTrap(box)
  const hand = (/** @type {Event} */ event) => {
    event.preventDefault()
    if (ready) onSubmit?.()
  }
  return html`<div class="backdrop" onPointerDown=${(/** @type {PointerEvent} */ event) => event.target === event.currentTarget && onClose()}>
    <form
      ref=${box}
      class=${classes('modal', wide && 'wide')}
      role="dialog"
      aria-modal="true"
      aria-labelledby="dialog-title"
      data-testid=${testid}
      novalidate
      onSubmit=${hand}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
        if (event.key !== 'Escape') return
        event.preventDefault()
        onClose()
      }}
    >
      <header class="modal-head">
        <h2 id="dialog-title">${title}</h2>
        <button type="button" class="icon-button" aria-label="Close" onClick=${onClose}><${Icon} name="close" /></button>
      </header>
      <div class="modal-body scroller">${children}</div>
      ${
        submit &&
        html`<footer class="modal-foot">
          <button type="button" class="button button-secondary" onClick=${onClose}>Cancel</button>
          <button type="submit" class="button button-primary" disabled=${!ready} data-testid="dialog-submit">${submit}</button>
        </footer>`
      }
    </form>
  </div>`
}

/**
 * A labelled text field of a dialog.
 * @param {{ id: string, label: string, value: string, max: number, long?: boolean, placeholder?: string, onInput: (value: string) => void }} props
 */
export function TextField({ id, label, value, max, long, placeholder, onInput }) {
  const common = {
    id: `dialog-${id}`,
    class: 'text-input',
    maxlength: max,
    placeholder,
    value,
    autocomplete: 'off',
    onInput: (/** @type {any} */ event) => onInput(event.target.value),
  }
  return html`<div class="field">
    <label class="field-label" for=${common.id}>${label}</label>
    ${long ? html`<textarea ...${common} rows="4"></textarea>` : html`<input ...${common} type="text" />`}
  </div>`
}

/**
 * What a promise gave, once it is there; the words of its refusal otherwise.
 * @param {{ loaded: any[] | undefined, error: string | undefined, empty: string, children: (list: any[]) => any }} props
 */
export function Loaded({ loaded, error, empty, children }) {
  if (error !== undefined) return html`<p class="hint" role="alert">${error}</p>`
  if (loaded === undefined) return html`<p class="hint" role="status">Loading…</p>`
  return loaded.length === 0 ? html`<p class="hint">${empty}</p>` : children(loaded)
}
