// A chosen slash command being filled: one small field an option, suggestions above, keyboard throughout.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { autocomplete, currentCommands, runCommand } from '../interactions.js'
import { smallEnough } from '../notices.js'
import { beginsName, OptionType, readNamed, wrong } from '../slash.js'
import { state } from '../store.js'
import { Avatar } from './avatar.js'
import { classes, html } from './html.js'
import { Icon } from './icons.js'
import { choicesOf, suggest } from './offers.js'

/** @import { Choice, Runnable } from '../types.d.ts' */
/** @import { Field } from '../slash.js' */

const AUTOCOMPLETE_DELAY_MS = 150

/**
 * `runs`: the line was finished already and is run at once, unless something is wrong with it. `onLeave` gets the text that the composer should
 * show again.
 * @param {{ runnable: Runnable, values: Record<string, string>, begun: string, runs: boolean, onLeave: (text: string) => void }} props
 */
export function CommandBar({ runnable, values, begun, runs, onLeave }) {
  /** @type {any[]} */
  const options = runnable.options
  const [fields, setFields] = useState(() => startFields(options, values))
  const [focused, setFocused] = useState(
    () => [...fields.keys()].find((name) => fields.get(name)?.text === '') ?? [...fields.keys()].at(-1) ?? '',
  )
  /** What is typed while no option is open: the beginning of an option's name. */
  const [loose, setLoose] = useState(begun)
  const [active, setActive] = useState(-1)
  const [errors, setErrors] = useState(/** @type {Map<string, string>} */ (new Map()))
  const [nonce, setNonce] = useState('')
  const bar = useRef(/** @type {HTMLElement | null} */ (null))

  const shown = options.filter((option) => fields.has(option.name))
  const hidden = options.filter((option) => !fields.has(option.name))
  const current = shown.find((option) => option.name === focused)
  const field = fields.get(focused)
  const offers = current && field && field.chosen === undefined ? suggest(current, field.text, nonce) : []
  const loading =
    current?.autocomplete &&
    field?.chosen === undefined &&
    nonce !== '' &&
    state.autocomplete?.nonce !== nonce &&
    state.pending.has(nonce)

  useLayoutEffect(() => {
    const element = bar.current?.querySelector(`[data-option="${focused}"]`) ?? bar.current
    if (element instanceof HTMLElement) element.focus()
  }, [focused, fields.size])
  useLayoutEffect(() => {
    if (runs) submit()
  }, [])
  useEffect(() => {
    if (!current?.autocomplete || field?.chosen !== undefined) return
    const timer = setTimeout(() => setNonce(autocomplete(runnable, fields, focused) ?? ''), AUTOCOMPLETE_DELAY_MS)
    return () => clearTimeout(timer)
  }, [focused, field?.text, field?.chosen])
  useEffect(() => document.getElementById(`offer-${active}`)?.scrollIntoView({ block: 'nearest' }), [active])

  const set = (/** @type {string} */ name, /** @type {Field} */ value) => {
    setFields(new Map(fields).set(name, value))
    setActive(-1)
    if (errors.has(name)) setErrors(new Map([...errors].filter(([key]) => key !== name)))
  }
  /** Writing an option's name and a colon goes over to that option, as does a pasted line. */
  const type = (/** @type {any} */ option, /** @type {string} */ text) => {
    const { head, values: named } = readNamed(runnable, text)
    const last = Object.keys(named).at(-1)
    if (last === undefined) return set(option.name, fieldOf(option, text))
    const found = options.flatMap((candidate) => {
      const value = named[candidate.name]
      return value === undefined ? [] : [fieldEntry(candidate, value)]
    })
    const kept = [...fields].filter(([key]) => key !== option.name)
    setFields(new Map([...kept, ...(head === '' && !option.required ? [] : [fieldEntry(option, head)]), ...found]))
    setFocused(last)
    setLoose('')
    setActive(-1)
  }
  /** Text that begins no name belongs to the first option that is not open. */
  const typeLoose = (/** @type {string} */ text) => {
    const first = hidden[0]
    if (text.trim() === '' || beginsName(hidden, text)) return setLoose(text.trimStart())
    type(first, text)
    if (Object.keys(readNamed(runnable, text).values).length === 0) setFocused(first.name)
    setLoose('')
  }
  const add = (/** @type {string} */ name) => {
    setFields(new Map(fields).set(name, { text: '' }))
    setFocused(name)
    setLoose('')
    setActive(-1)
  }
  const drop = (/** @type {string} */ name) => {
    const rest = new Map([...fields].filter(([key]) => key !== name))
    const before = shown[shown.findIndex((option) => option.name === name) - 1]
    setFields(rest)
    setFocused(before?.name ?? '')
  }
  const move = (/** @type {number} */ step, filled = fields) => {
    const at = shown.findIndex((option) => option.name === focused)
    const next = shown[at + step]
    setActive(-1)
    if (next) setFocused(next.name)
    else if (step > 0 && hidden[0]) {
      setFields(new Map(filled).set(hidden[0].name, { text: '' }))
      setFocused(hidden[0].name)
    }
  }
  const pick = (/** @type {Choice | undefined} */ choice, advance = true) => {
    if (!choice || !current) return
    const filled = new Map(fields).set(current.name, { text: choice.name, chosen: choice })
    setFields(filled)
    setActive(-1)
    setErrors(new Map([...errors].filter(([key]) => key !== current.name)))
    const open = options.find((option) => option.required && isEmpty(filled.get(option.name)))
    if (advance && open) setFocused(open.name)
  }
  const submit = () => {
    const given = loose === '' ? fields : new Map([...fields, fieldEntry(hidden[0], loose)])
    const found = new Map(
      options.flatMap((option) => {
        const value = given.get(option.name)
        if (value?.file) return []
        const problem = wrong(option, value?.text.trim() ?? '', value?.chosen)
        return problem === undefined ? [] : [[option.name, problem]]
      }),
    )
    setErrors(found)
    const first = [...found.keys()][0]
    if (first !== undefined) {
      if (!fields.has(first)) add(first)
      else setFocused(first)
      return
    }
    void runCommand(runnable, given)
    onLeave('')
  }
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Escape') {
      event.preventDefault()
      onLeave('')
    } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && offers.length > 0) {
      event.preventDefault()
      setActive(
        (Math.max(active, event.key === 'ArrowUp' ? 0 : -1) + (event.key === 'ArrowDown' ? 1 : -1) + offers.length) % offers.length,
      )
    } else if (event.key === 'Tab') {
      const isAtEdge = event.shiftKey
        ? shown[0]?.name === focused || focused === ''
        : shown.at(-1)?.name === focused && hidden.length === 0
      const offer = event.shiftKey ? undefined : (offers[active] ?? (field?.text !== '' ? offers[0] : undefined))
      const begun = loose === '' ? undefined : hidden.find(({ name }) => name.startsWith(loose.toLowerCase()))
      if (isAtEdge && !offer && !begun) return
      event.preventDefault()
      if (begun) add(begun.name)
      else if (offer) pick(offer)
      else move(event.shiftKey ? -1 : 1)
    } else if (event.key === 'Enter' && !event.isComposing) {
      event.preventDefault()
      const mustChoose =
        current && (current.choices?.length > 0 || (current.type >= OptionType.Boolean && current.type <= OptionType.Mentionable))
      const offer = offers[active] ?? (mustChoose && field?.text !== '' ? offers[0] : undefined)
      if (offer) pick(offer)
      else submit()
    } else if (event.key === 'Backspace' && (focused === '' ? loose === '' : field?.text === '' && !field?.file)) {
      event.preventDefault()
      if (current && !current.required) drop(current.name)
      else if (!current || shown[0]?.name === focused) onLeave(`/${runnable.name}`)
      else move(-1)
    }
  }

  const application = currentCommands()?.applications.get(runnable.command.application_id)
  return html`
    <div class="suggestions command-help" data-testid="command-help">
      <div class="suggestions-head">
        ${
          current
            ? html`<strong>${current.name}</strong><span>${current.description}</span>${current.required && html`<span class="required-tag">required</span>`}`
            : html`<strong>/${runnable.name}</strong><span>${runnable.description}</span>`
        }
      </div>
      ${errors.has(focused) && html`<div class="option-error" role="alert">${errors.get(focused)}</div>`}
      ${loading && html`<div class="offers-loading" role="status"><span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>Loading options…</div>`}
      ${
        offers.length > 0 &&
        html`<div role="listbox" id="offers" aria-label=${`Choices for ${focused}`} class="scroller">
          ${offers.map(
            (offer, index) => html`<div
              id=${`offer-${index}`}
              role="option"
              aria-selected=${index === active}
              class=${classes('suggestion compact', index === active && 'active')}
              data-testid="option-choice"
              onPointerMove=${() => index !== active && setActive(index)}
              onPointerDown=${(/** @type {Event} */ event) => event.preventDefault()}
              onClick=${() => pick(offer)}
            >
              ${offer.icon}<span class="suggestion-main"><span class="suggestion-name" style=${offer.colour ? { color: offer.colour } : undefined}>${offer.name}</span></span>
              <span class="suggestion-app">${offer.detail}</span>
            </div>`,
          )}
        </div>`
      }
      ${
        hidden.length > 0 &&
        html`<div class="optional-row">
          <span>Optional</span>
          ${hidden.map((option) => html`<button type="button" class="chip" title=${option.description} onPointerDown=${(/** @type {Event} */ event) => event.preventDefault()} onClick=${() => add(option.name)}>+ ${option.name}</button>`)}
        </div>`
      }
    </div>
    <div class="composer command" role="group" aria-label=${`Command /${runnable.name}`} data-testid="command-bar" data-command=${runnable.name} ref=${bar} tabindex="-1" onKeyDown=${onKey}>
      <div class="composer-line">
        <${Avatar} user=${application?.bot ?? { id: application?.id ?? runnable.command.application_id, username: application?.name ?? '?', bot: true }} size=${24} />
        <div class="command-fields">
          <span class="command-name">/${runnable.name}</span>
          ${shown.map(
            (option) =>
              html`<${OptionField} key=${option.name} option=${option} field=${fields.get(option.name)} focused=${option.name === focused} error=${errors.get(option.name)} expanded=${option.name === focused && offers.length > 0} activeId=${active >= 0 ? `offer-${active}` : undefined} onFocus=${() => {
                setFocused(option.name)
                setActive(-1)
              }} onType=${(/** @type {string} */ text) => type(option, text)} onFile=${(/** @type {File} */ file) => smallEnough([file]).length > 0 && set(option.name, { text: file.name, file })} />`,
          )}
          ${
            focused === '' &&
            hidden.length > 0 &&
            html`<input class="option-input loose" data-option="" aria-label=${`Options of /${runnable.name}`} autocomplete="off" spellcheck=${false} value=${loose} onInput=${(/** @type {any} */ event) => typeLoose(event.target.value)} />`
          }
        </div>
        <button type="button" class="icon-button" aria-label="Cancel command" onClick=${() => onLeave('')}><${Icon} name="close" /></button>
        <button type="button" class="icon-button send" aria-label="Run command" data-testid="run-command" onClick=${submit}><${Icon} name="send" size=${22} /></button>
      </div>
    </div>
  `
}

/** @param {{ option: any, field: Field | undefined, focused: boolean, error: string | undefined, expanded: boolean, activeId: string | undefined, onFocus: () => void, onType: (text: string) => void, onFile: (file: File) => void }} props */
function OptionField({ option, field, focused, error, expanded, activeId, onFocus, onType, onFile }) {
  const text = field?.text ?? ''
  const frame = classes('option', focused && 'focused', error && 'wrong', field?.chosen !== undefined && 'chosen')
  if (option.type === OptionType.Attachment)
    return html`<label class=${frame}>
      <span class="option-name">${option.name}</span>
      <span class="option-file">${field?.file?.name ?? 'Choose a file'}</span>
      <input type="file" class="visually-hidden" aria-label=${option.name} data-option=${option.name} onFocus=${onFocus} onChange=${(/** @type {any} */ event) => event.target.files[0] && onFile(event.target.files[0])} />
    </label>`
  return html`<label class=${frame}>
    <span class="option-name">${option.name}</span>
    <input
      class="option-input"
      data-option=${option.name}
      data-testid="option-input"
      aria-label=${option.name}
      aria-required=${option.required || undefined}
      aria-invalid=${error !== undefined || undefined}
      role="combobox"
      aria-expanded=${expanded}
      aria-controls=${expanded ? 'offers' : undefined}
      aria-activedescendant=${expanded ? activeId : undefined}
      autocomplete="off"
      spellcheck=${false}
      inputmode=${option.type === OptionType.Integer ? 'numeric' : option.type === OptionType.Number ? 'decimal' : 'text'}
      style=${{ width: `calc(${Math.max(2, [...text].length + 1)}ch + 18px)` }}
      value=${text}
      onFocus=${onFocus}
      onInput=${(/** @type {any} */ event) => onType(event.target.value)}
    />
  </label>`
}

/**
 * The required options are open from the start, and those that were typed already; without any, the first optional one when typed values name none.
 * @param {any[]} options
 * @param {Record<string, string>} values
 */
function startFields(options, values) {
  /** @type {Map<string, Field>} */
  const fields = new Map()
  for (const option of options) {
    const text = values[option.name]
    if (text !== undefined || option.required) fields.set(option.name, text === undefined ? { text: '' } : fieldOf(option, text))
  }
  return fields
}

/**
 * A typed value: text that is the name or the value of an offered choice counts as chosen.
 * @param {any} option
 * @param {string} text
 * @returns {Field}
 */
function fieldOf(option, text) {
  const word = text.trim().toLowerCase()
  const chosen = choicesOf(option).find(({ name, value }) => name.toLowerCase() === word || String(value).toLowerCase() === word)
  return chosen ? { text, chosen: { name: chosen.name, value: chosen.value } } : { text }
}

/**
 * @param {any} option
 * @param {string} text
 * @returns {[string, Field]}
 */
const fieldEntry = (option, text) => [option.name, fieldOf(option, text)]

/** @param {Field | undefined} field */
const isEmpty = (field) => !field || (field.text === '' && !field.file)
