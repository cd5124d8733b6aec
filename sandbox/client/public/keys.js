// The page's keyboard shortcuts, as Discord has them: Ctrl+K finds a place, Alt with an arrow goes through the channels, Escape marks a channel as read.

import { showPanel } from './actions.js'
import { markRead } from './session.js'
import { state } from './store.js'

export function listenToKeys() {
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault()
      showPanel(state.panel?.kind === 'switcher' ? null : { kind: 'switcher' })
    } else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      event.preventDefault()
      step(event.key === 'ArrowDown' ? 1 : -1, event.shiftKey)
    } else if (event.key === 'Escape' && !event.defaultPrevented && !state.panel && !state.modal) {
      markRead()
    }
  })
}

/**
 * Goes to the next channel of the list, or the next one with something new.
 * @param {1 | -1} direction
 * @param {boolean} unreadOnly
 */
function step(direction, unreadOnly) {
  const rows = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('#sidebar .channel'))]
  const at = rows.findIndex((row) => row.getAttribute('aria-current') === 'page')
  for (let tried = 1; tried <= rows.length; tried++) {
    const row = rows[(at + direction * tried + rows.length * 2) % rows.length]
    if (row && (!unreadOnly || row.classList.contains('unread'))) {
      row.click()
      row.scrollIntoView({ block: 'nearest' })
      return
    }
  }
}
