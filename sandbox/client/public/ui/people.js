// Who the page is: the panel at the bottom left and the list of people one can become.

import { useRef, useState } from 'preact/hooks'
import { displayName } from '../format.js'
import { addPerson, become, loadPeople } from '../session.js'
import { state } from '../store.js'
import { Avatar } from './avatar.js'
import { classes, Floating, html } from './html.js'
import { Icon } from './icons.js'

/** The panel with the person's own face; pressing it opens the list. */
export function OwnPanel() {
  const [open, setOpen] = useState(false)
  const button = useRef(/** @type {HTMLElement | null} */ (null))
  const { me } = state
  const start = () => {
    if (state.config.features.people) void loadPeople()
    setOpen(true)
  }
  return html`<section class="own-panel" aria-label="You">
    <button ref=${button} type="button" class="own-button" aria-haspopup="dialog" aria-expanded=${open} data-testid="switch-person" data-username=${me?.username} onClick=${() => (open ? setOpen(false) : start())}>
      ${me ? html`<${Avatar} user=${me} size=${32} status=${state.status === 'ready' ? 'online' : 'idle'} />` : html`<span class="avatar skeleton-face"></span>`}
      <span class="own-text"><strong>${me ? displayName(me) : '…'}</strong><small>${label()}</small><span class="visually-hidden">. Switch person</span></span>
      <${Icon} name="chevron" size=${16} class="icon muted up" />
    </button>
    ${open && html`<${Floating} anchor=${button} placement="above" width=${300} class="people" role="dialog" label="Switch person" onClose=${() => setOpen(false)} testid="people"><${PeopleList} onDone=${() => setOpen(false)} /><//>`}
  </section>`
}

function label() {
  const person = state.people.find((candidate) => candidate.id === state.me?.id)
  return state.status === 'ready' ? (person?.label ?? 'Online') : state.status === 'connecting' ? 'Connecting…' : 'Offline'
}

/** @param {{ onDone: () => void }} props */
export function PeopleList({ onDone }) {
  const [name, setName] = useState('')
  const add = (/** @type {Event} */ event) => {
    event.preventDefault()
    if (name.trim() === '') return
    onDone()
    void addPerson(name.trim())
  }
  return html`
    <h3>Be someone else</h3>
    <p class="hint">Everyone here is played by you. Switching reconnects as that person.</p>
    <ul class="people-list scroller">
      ${state.people.map(
        (person) => html`<li key=${person.id}>
          <button
            type="button"
            class=${classes('person', person.id === state.me?.id && 'current')}
            aria-current=${person.id === state.me?.id ? 'true' : undefined}
            data-testid="person"
            data-username=${person.username}
            onClick=${() => {
              onDone()
              void become(person.token)
            }}
          >
            <${Avatar} user=${person} size=${32} /><span class="own-text"><strong>${person.global_name || person.username}</strong>${(person.label || person.global_name) && html`<small>${person.label || person.username}</small>`}</span>
            ${person.id === state.me?.id && html`<${Icon} name="check" class="icon good" />`}
          </button>
        </li>`,
      )}
    </ul>
    ${
      state.config.features.people &&
      html`<form class="add-person" onSubmit=${add}>
        <input class="text-input" placeholder="New partner’s name" aria-label="Name of a new person" maxlength="32" value=${name} onInput=${(/** @type {any} */ event) => setName(event.target.value)} data-testid="new-person" />
        <button type="submit" class="button button-primary" disabled=${name.trim() === ''}>Add</button>
      </form>`
    }
  `
}
