// Ctrl+K: finds a channel, thread, person or server by name and goes there.

import { useEffect, useRef, useState } from 'preact/hooks'
import { findPeople } from '../finding.js'
import { channelName, displayName, nameIn } from '../format.js'
import { openChannel, openDirect, openGuild } from '../session.js'
import { isDirect, isThread, may, state } from '../store.js'
import { Avatar, GuildIcon } from './avatar.js'
import { channelIcon } from './channels.js'
import { classes, html, useFocusTrap } from './html.js'
import { Icon } from './icons.js'

const SHOWN = 12

/** @typedef {{ key: string, name: string, detail: string, icon: any, go: () => void }} Place */

/** @param {{ onClose: () => void }} props */
export function Switcher({ onClose }) {
  const [query, setQuery] = useState('')
  const [active, setActive] = useState(0)
  const box = useRef(/** @type {HTMLElement | null} */ (null))
  useFocusTrap(box)
  const found = places(query)
  useEffect(() => document.getElementById(`place-${active}`)?.scrollIntoView({ block: 'nearest' }), [active])
  const pick = (/** @type {Place | undefined} */ place) => {
    onClose()
    place?.go()
  }
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Escape') onClose()
    else if (event.key === 'Enter') pick(found[active])
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp')
      setActive((active + (event.key === 'ArrowDown' ? 1 : -1) + found.length) % Math.max(1, found.length))
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return html`<div class="backdrop high" onPointerDown=${(/** @type {PointerEvent} */ event) => event.target === event.currentTarget && onClose()}>
    <div class="modal switcher" ref=${box} role="dialog" aria-modal="true" aria-label="Quick switcher" data-testid="switcher" onKeyDown=${onKey}>
      <div class="modal-body">
        <input
          class="text-input"
          placeholder="Where would you like to go?"
          role="combobox"
          aria-label="Find a channel, person or server"
          aria-expanded="true"
          aria-controls="places"
          aria-activedescendant=${found.length > 0 ? `place-${active}` : undefined}
          autocomplete="off"
          value=${query}
          onInput=${(/** @type {any} */ event) => {
            setQuery(event.target.value)
            setActive(0)
          }}
        />
        <div id="places" role="listbox" aria-label="Places" class="scroller">
          ${found.map(
            (
              place,
              index,
            ) => html`<div key=${place.key} id=${`place-${index}`} role="option" aria-selected=${index === active} class=${classes('suggestion compact', index === active && 'active')} onPointerMove=${() => index !== active && setActive(index)} onClick=${() => pick(place)}>
              ${place.icon}<span class="suggestion-main"><span class="suggestion-name">${place.name}</span></span><span class="suggestion-app">${place.detail}</span>
            </div>`,
          )}
          ${found.length === 0 && html`<p class="hint">Nothing is called that.</p>`}
        </div>
      </div>
    </div>
  </div>`
}

/** Places whose name contains the words: channels, then people, then servers; a leading # or @ narrows them. @param {string} query @returns {Place[]} */
function places(query) {
  const mark = /^[#@*]/.exec(query)?.[0]
  const wanted = query
    .replace(/^[#@*]/, '')
    .trim()
    .toLowerCase()
  const fits = (/** @type {string} */ name) => name.toLowerCase().includes(wanted)
  const channels = [...state.channels.values()]
    .filter((channel) => channel.type !== 4 && !isDirect(channel) && may(channel) && fits(channelName(channel)))
    .filter((channel) => !isThread(channel) || channel.member || wanted !== '')
    .sort(
      (a, b) =>
        Number(b.guild_id === state.guildId) - Number(a.guild_id === state.guildId) ||
        Number(isThread(a)) - Number(isThread(b)) ||
        (a.position ?? 0) - (b.position ?? 0),
    )
    .map((channel) => ({
      key: channel.id,
      name: channelName(channel),
      detail: state.guilds.get(channel.guild_id ?? '')?.name ?? '',
      icon: html`<${Icon} name=${channelIcon(channel)} class="icon muted" />`,
      go: () => openChannel(channel.id),
    }))
  const people = findPeople(wanted)
    .filter((user) => user.id !== state.me?.id)
    .map((user) => ({
      key: user.id,
      name: nameIn(user, state.guilds.get(state.guildId ?? '')),
      detail: displayName(user) === user.username ? '' : user.username,
      icon: html`<${Avatar} user=${user} size=${20} />`,
      go: () => void openDirect(user.id),
    }))
  const guilds = [...state.guilds.values()]
    .filter((guild) => fits(guild.name))
    .map((guild) => ({
      key: guild.id,
      name: guild.name,
      detail: 'Server',
      icon: html`<${GuildIcon} guild=${guild} size=${20} />`,
      go: () => openGuild(guild.id),
    }))
  const all = mark === '#' ? channels : mark === '@' ? people : mark === '*' ? guilds : [...channels, ...people, ...guilds]
  return all.slice(0, SHOWN)
}
