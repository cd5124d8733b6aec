// The few tools that every drawing module uses: templates, redrawing on change, memoised parts, floating panels.

import htm from 'htm'
import { Component, createPortal, h } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { subscribe } from '../store.js'

/** Templates that give Preact nodes. Text put in is text, never markup. @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(/** @type {any} */ (h))

/** Redraws the calling component after every change of the state. */
export function useChanges() {
  const [, redraw] = useState(0)
  useEffect(() => subscribe(() => redraw((count) => count + 1)), [])
}

/**
 * A part that is drawn again only when one of its properties is another value.
 * @template {object} P
 * @param {(props: P) => any} draw
 */
export function memo(draw) {
  return class extends Component {
    /** @override @param {any} next */
    shouldComponentUpdate(next) {
      const now = /** @type {any} */ (this.props)
      return Object.keys({ ...now, ...next }).some((key) => key !== 'children' && now[key] !== next[key])
    }
    /** @override @param {any} props */
    render(props) {
      return h(/** @type {any} */ (draw), props)
    }
  }
}

/** @param {...(string | false | null | undefined)} names */
export const classes = (...names) => names.filter(Boolean).join(' ')

/**
 * Calls `close` on Escape and on a press outside of `ref`.
 * @param {{ current: HTMLElement | null }} ref
 * @param {() => void} close
 * @param {boolean} [active]
 */
export function useDismiss(ref, close, active = true) {
  useEffect(() => {
    if (!active) return
    const onPointer = (/** @type {PointerEvent} */ event) => {
      if (!ref.current?.contains(/** @type {Node} */ (event.target))) close()
    }
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== 'Escape') return
      event.stopPropagation()
      close()
    }
    document.addEventListener('pointerdown', onPointer, true)
    document.addEventListener('keydown', onKey, true)
    return () => {
      document.removeEventListener('pointerdown', onPointer, true)
      document.removeEventListener('keydown', onKey, true)
    }
  }, [active, close])
}

/**
 * A panel above everything, beside an element or at a point, kept inside the window.
 * @param {{ anchor?: { current: HTMLElement | null }, x?: number, y?: number, width?: number, placement?: 'below' | 'above' | 'side',
 *   onClose: () => void, class?: string, role?: string, label?: string, id?: string, children: any, testid?: string }} props
 */
export function Floating(props) {
  const { anchor, x = 0, y = 0, width, placement = 'below', onClose } = props
  const box = useRef(/** @type {HTMLElement | null} */ (null))
  const [at, setAt] = useState({ left: -9999, top: 0 })
  useLayoutEffect(() => {
    const panel = box.current
    if (!panel) return
    const { width: panelWidth, height: panelHeight } = panel.getBoundingClientRect()
    const rect = anchor?.current?.getBoundingClientRect()
    let left = rect ? (placement === 'side' ? rect.right + 8 : rect.left) : x
    let top = rect ? (placement === 'above' ? rect.top - panelHeight - 6 : placement === 'side' ? rect.top : rect.bottom + 6) : y
    if (rect && placement === 'below' && top + panelHeight > innerHeight - 8 && rect.top - panelHeight - 6 > 8)
      top = rect.top - panelHeight - 6
    left = Math.max(8, Math.min(left, innerWidth - panelWidth - 8))
    top = Math.max(8, Math.min(top, innerHeight - panelHeight - 8))
    if (left !== at.left || top !== at.top) setAt({ left, top })
  })
  useDismiss(
    {
      get current() {
        return /** @type {any} */ ({
          contains: (/** @type {Node} */ node) => box.current?.contains(node) || anchor?.current?.contains(node) || false,
        })
      },
    },
    onClose,
  )
  const panel = html`<div
    ref=${box}
    id=${props.id}
    class=${classes('floating', props.class)}
    role=${props.role}
    aria-label=${props.label}
    data-testid=${props.testid}
    style=${{ left: `${at.left}px`, top: `${at.top}px`, ...(width ? { width: `${width}px` } : {}) }}
  >
    ${props.children}
  </div>`
  return createPortal(panel, document.body)
}

/**
 * Keeps the keyboard inside a dialog and gives the focus back when it closes.
 * @param {{ current: HTMLElement | null }} ref
 */
export function useFocusTrap(ref) {
  useLayoutEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement)
    const focusable = () =>
      [
        .../** @type {NodeListOf<HTMLElement>} */ (
          ref.current?.querySelectorAll('a[href],button:not(:disabled),input:not(:disabled),textarea,select,[tabindex="0"]') ?? []
        ),
      ].filter((element) => element.offsetParent !== null)
    const first = ref.current?.querySelector('.modal-body :is(input,textarea,button)') ?? focusable()[0]
    if (first instanceof HTMLElement) first.focus()
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== 'Tab' || !ref.current?.contains(document.activeElement)) return
      const all = focusable()
      const edge = event.shiftKey ? all[0] : all.at(-1)
      if (document.activeElement !== edge) return
      event.preventDefault()
      const target = event.shiftKey ? all.at(-1) : all[0]
      target?.focus()
    }
    document.addEventListener('keydown', onKey)
    return () => {
      document.removeEventListener('keydown', onKey)
      const target = before?.isConnected && before !== document.body ? before : document.getElementById('composer')
      setTimeout(() => target?.focus())
    }
  }, [])
}
