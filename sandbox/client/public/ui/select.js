// One select for messages, modals and command options: a button that opens a list, with search, several values and keyboard use.

import { useMemo, useRef, useState } from 'preact/hooks'
import { findChannels, findPeople } from '../finding.js'
import { channelName, colourIn, compareIds, cssColour, nameIn } from '../format.js'
import { currentGuild, state } from '../store.js'
import { Avatar } from './avatar.js'
import { classes, Floating, html } from './html.js'
import { Icon } from './icons.js'
import { EmojiMark } from './markup.js'

/** @import { SelectOption } from '../types.d.ts' */

export const SelectType = { String: 3, User: 5, Role: 6, Mentionable: 7, Channel: 8 }

/**
 * The options of any select: its own for a string select, else people, roles or channels of the open guild.
 * @param {{ type: number, options?: SelectOption[], channel_types?: number[] }} component
 * @returns {SelectOption[]}
 */
export function optionsOf(component) {
  if (component.type === SelectType.String) return component.options ?? []
  const people = component.type === SelectType.User || component.type === SelectType.Mentionable ? findPeople('') : []
  const guild = currentGuild()
  const roles =
    component.type === SelectType.Role || component.type === SelectType.Mentionable
      ? [...(guild?.roles.values() ?? [])]
          .filter((role) => role.id !== guild?.id)
          .sort((a, b) => b.position - a.position || compareIds(a.id, b.id))
      : []
  const channels = component.type === SelectType.Channel ? findChannels('', component.channel_types) : []
  return [
    ...people.map((user) => ({
      value: user.id,
      label: nameIn(user, guild),
      description: user.username,
      icon: html`<${Avatar} user=${user} size=${20} />`,
      colour: colourIn(user.id, guild),
    })),
    ...roles.map((role) => ({
      value: role.id,
      label: role.name,
      icon: html`<span class="role-dot" style=${{ background: cssColour(role.color) ?? '#99aab5' }}></span>`,
    })),
    ...channels.map((channel) => ({
      value: channel.id,
      label: channelName(channel),
      description: state.channels.get(channel.parent_id ?? '')?.name ?? undefined,
      icon: html`<${Icon} name=${channel.type === 4 ? 'chevron' : channel.type === 2 ? 'voice' : channel.type === 5 ? 'announcement' : 'hash'} size=${18} />`,
    })),
  ]
}

/**
 * The values a select starts with.
 * @param {{ type: number, options?: SelectOption[], default_values?: { id: string }[] }} component
 */
export const defaultsOf = (component) =>
  component.type === SelectType.String
    ? (component.options ?? []).filter((option) => option.default).map((option) => option.value)
    : (component.default_values ?? []).map((value) => value.id)

/**
 * `onChange` is called for every choice; `onDone` once the person has finished (at once for a single value, on closing for several).
 * @param {{ component: { type: number, custom_id?: string, options?: SelectOption[], channel_types?: number[], placeholder?: string, min_values?: number, max_values?: number, disabled?: boolean },
 *   values: string[], label?: string, busy?: boolean, disabled?: boolean, describedBy?: string, onChange?: (values: string[]) => void, onDone?: (values: string[]) => void }} props
 */
export function Select({ component, values, label, busy, disabled, describedBy, onChange, onDone }) {
  const [open, setOpen] = useState(false)
  const [draft, setDraft] = useState(values)
  const [query, setQuery] = useState('')
  const [active, setActive] = useState(0)
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null))
  const id = useMemo(() => `select-${Math.random().toString(36).slice(2)}`, [])
  const options = optionsOf(component)
  const maximum = component.max_values ?? 1
  const minimum = component.min_values ?? 1
  const several = maximum > 1
  const chosen = open ? draft : values
  const wanted = query.toLowerCase()
  const shown = options
    .filter((option) => `${option.label} ${option.description ?? ''}`.toLowerCase().includes(wanted))
    .slice(0, 100)
  const searchable = component.type !== SelectType.String || options.length > 8
  const placeholder = component.placeholder || (several ? 'Select options' : 'Make a selection')
  const off = disabled || component.disabled || busy

  const start = () => {
    if (off) return
    setDraft(values)
    setQuery('')
    setActive(
      Math.max(
        0,
        options.findIndex((option) => values.includes(option.value)),
      ),
    )
    setOpen(true)
  }
  const finish = (/** @type {string[]} */ result) => {
    setOpen(false)
    const changed = result.length !== values.length || result.some((value) => !values.includes(value))
    if (changed && result.length >= Math.min(minimum, maximum)) onDone?.(result)
    button.current?.focus()
  }
  const pick = (/** @type {SelectOption | undefined} */ option) => {
    if (!option) return
    if (!several) {
      const result = draft.includes(option.value) && minimum === 0 ? [] : [option.value]
      onChange?.(result)
      finish(result)
      return
    }
    const result = draft.includes(option.value)
      ? draft.filter((value) => value !== option.value)
      : draft.length < maximum
        ? [...draft, option.value]
        : draft
    setDraft(result)
    onChange?.(result)
  }
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      if (!open) return start()
      const step = event.key === 'ArrowDown' ? 1 : -1
      const next = (active + step + shown.length) % Math.max(1, shown.length)
      setActive(next)
      document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: 'nearest' })
    } else if (open && (event.key === 'Enter' || (event.key === ' ' && !searchable))) {
      event.preventDefault()
      event.stopPropagation()
      pick(shown[active])
    } else if (open && event.key === 'Tab') finish(draft)
  }

  const picked = options.filter((option) => chosen.includes(option.value))
  return html`<div class="select">
    <button
      ref=${button}
      type="button"
      class=${classes('select-button', open && 'open')}
      role="combobox"
      aria-haspopup="listbox"
      aria-expanded=${open}
      aria-controls=${open ? id : undefined}
      aria-label=${label ?? placeholder}
      aria-describedby=${describedBy}
      aria-activedescendant=${open ? `${id}-${active}` : undefined}
      disabled=${off}
      data-testid="select"
      data-custom-id=${component.custom_id}
      onClick=${() => (open ? finish(draft) : start())}
      onKeyDown=${onKey}
    >
      <span class="select-value">
        ${
          picked.length === 0
            ? html`<span class="placeholder">${placeholder}</span>`
            : picked.map(
                (option) =>
                  html`<span class=${several || option.icon ? 'select-tag' : 'select-one'}>${option.icon}<${EmojiMark} emoji=${option.emoji} />${option.label}</span>`,
              )
        }
      </span>
      ${busy ? html`<span class="dots small" aria-hidden="true"><i></i><i></i><i></i></span>` : html`<${Icon} name="chevron" class="icon select-arrow" />`}
    </button>
    ${
      open &&
      html`<${Floating} anchor=${button} width=${button.current?.offsetWidth} class="select-list" onClose=${() => finish(draft)}>
        ${
          searchable &&
          html`<input
            class="select-search"
            placeholder="Search"
            aria-label="Search options"
            value=${query}
            ref=${(/** @type {HTMLInputElement | null} */ input) => input && query === '' && document.activeElement !== input && input.focus()}
            onInput=${(/** @type {any} */ event) => {
              setQuery(event.target.value)
              setActive(0)
            }}
            onKeyDown=${onKey}
          />`
        }
        <div id=${id} role="listbox" aria-multiselectable=${several} aria-label=${label ?? placeholder} class="scroller">
          ${shown.map(
            (option, index) => html`<div
              key=${option.value}
              id=${`${id}-${index}`}
              role="option"
              aria-selected=${chosen.includes(option.value)}
              data-value=${option.value}
              class=${classes('select-option', index === active && 'active')}
              onPointerEnter=${() => setActive(index)}
              onClick=${() => pick(option)}
            >
              ${option.icon}<${EmojiMark} emoji=${option.emoji} />
              <span class="select-text"><span style=${option.colour ? { color: option.colour } : undefined}>${option.label}</span>${option.description && html`<small>${option.description}</small>`}</span>
              ${
                several
                  ? html`<span class=${classes('tick', chosen.includes(option.value) && 'on')}>${chosen.includes(option.value) && html`<${Icon} name="check" size=${14} />`}</span>`
                  : chosen.includes(option.value) && html`<span class="dot-on"><${Icon} name="check" size=${12} /></span>`
              }
            </div>`,
          )}
          ${shown.length === 0 && html`<div class="select-empty">No results found</div>`}
        </div>
      <//>`
    }
  </div>`
}
