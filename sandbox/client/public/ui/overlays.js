// What lies above the page: context menus, the enlarged picture, short notices.

import { useEffect, useRef, useState } from 'preact/hooks'
import { state, update } from '../store.js'
import { classes, Floating, html, useFocusTrap } from './html.js'
import { Icon } from './icons.js'
import { ProfileCard } from './user-menu.js'

/** @import { MenuItem } from '../types.d.ts' */

export function Overlays() {
  return html`
    <${ProfileCard} key=${state.profile?.userId} />
    ${state.menu && html`<${Menu} key=${`${state.menu.x},${state.menu.y}`} />`}
    ${state.picture && html`<${Lightbox} />`}
    <div class="toasts" role="status" aria-live="polite">${state.toasts.map((toast) => html`<div key=${toast.id} class=${`toast ${toast.kind}`}>${toast.text}</div>`)}</div>
  `
}

function Menu() {
  const { menu } = state
  if (!menu) return null
  const close = () => update((s) => (s.menu = null))
  return html`<${Floating} x=${menu.x} y=${menu.y} class="menu" role="menu" label=${menu.title} onClose=${close} testid="menu"><${Items} items=${menu.items} close=${close} /><//>`
}

/** @param {{ items: MenuItem[], close: () => void }} props */
function Items({ items, close }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null))
  const [open, setOpen] = useState(/** @type {string | null} */ (null))
  useEffect(() => {
    const first = box.current?.querySelector('button')
    first?.focus({ preventScroll: true })
  }, [])
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
    event.preventDefault()
    const all = [...(box.current?.querySelectorAll('button') ?? [])]
    const at = all.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement))
    all[(at + (event.key === 'ArrowDown' ? 1 : -1) + all.length) % all.length]?.focus()
  }
  return html`<div ref=${box} onKeyDown=${onKey} role="none">
    ${items.map((item) =>
      item.items
        ? html`<button type="button" role="menuitem" aria-haspopup="true" aria-expanded=${open === item.label} class="menu-item" onClick=${() => setOpen(open === item.label ? null : item.label)}>
              <span>${item.label}</span><${Icon} name="chevron" size=${14} class=${classes('icon', open !== item.label && 'turned')} />
            </button>
            ${
              open === item.label &&
              html`<div class="submenu" role="group" aria-label=${item.label}>
                ${item.items.map((child) => html`<button type="button" role="menuitem" class="menu-item" onClick=${() => run(child, close)}><span>${child.label}</span>${child.hint && html`<small>${child.hint}</small>`}</button>`)}
              </div>`
            }`
        : html`<button type="button" role="menuitem" class=${classes('menu-item', item.danger && 'danger')} onClick=${() => run(item, close)}><span>${item.label}</span></button>`,
    )}
  </div>`
}

/**
 * @param {MenuItem} item
 * @param {() => void} close
 */
function run(item, close) {
  close()
  item.run?.()
}

function Lightbox() {
  const { picture } = state
  const box = useRef(/** @type {HTMLElement | null} */ (null))
  useFocusTrap(box)
  const close = () => update((s) => (s.picture = null))
  if (!picture) return null
  return html`<div class="backdrop lightbox" ref=${box} role="dialog" aria-modal="true" aria-label="Picture" onClick=${close} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Escape' && close()}>
    <img src=${picture.url} alt=${picture.alt} />
    <button type="button" class="icon-button lightbox-close" aria-label="Close picture" onClick=${close}><${Icon} name="close" size=${24} /></button>
  </div>`
}
