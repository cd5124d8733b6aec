// The dialog that a bot opens: labels with inputs of every kind, checked before they are sent.

import { useMemo, useRef, useState } from 'preact/hooks'
import { fileSize } from '../format.js'
import { closeModal, submitModal } from '../interactions.js'
import { smallEnough } from '../notices.js'
import { state } from '../store.js'
import { Avatar } from './avatar.js'
import { classes, html, useFocusTrap } from './html.js'
import { Icon } from './icons.js'
import { Markdown } from './markup.js'
import { defaultsOf, Select } from './select.js'

/** @import { ModalComponent, ModalState } from '../types.d.ts' */

const Type = {
  Row: 1,
  StringSelect: 3,
  TextInput: 4,
  UserSelect: 5,
  RoleSelect: 6,
  MentionableSelect: 7,
  ChannelSelect: 8,
  Text: 10,
  Label: 18,
  File: 19,
  Radio: 21,
  Checkboxes: 22,
  Checkbox: 23,
}
const isSelect = (/** @type {number} */ type) =>
  type === Type.StringSelect || (type >= Type.UserSelect && type <= Type.ChannelSelect)

/** @typedef {{ text?: string, values?: string[], on?: boolean, files?: File[] }} Value */

export function Modal() {
  const { modal } = state
  return modal ? html`<${Dialog} key=${modal.id} modal=${modal} />` : null
}

/** @param {{ modal: ModalState }} props */
function Dialog({ modal }) {
  const inputs = useMemo(() => inputsOf(modal.components), [modal.id])
  const [values, setValues] = useState(() => new Map(inputs.map((input) => [input.custom_id ?? '', startValue(input)])))
  const [errors, setErrors] = useState(/** @type {Map<string, string>} */ (new Map()))
  const box = useRef(/** @type {HTMLElement | null} */ (null))
  useFocusTrap(box)
  const busy = modal.submitting !== undefined

  const set = (/** @type {string} */ id, /** @type {Value} */ value) => {
    setValues(new Map(values).set(id, value))
    if (errors.has(id)) setErrors(new Map([...errors].filter(([key]) => key !== id)))
  }
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault()
    if (busy) return
    const found = new Map(
      inputs.flatMap((input) => {
        const problem = wrong(input, values.get(input.custom_id ?? '') ?? {})
        return problem === undefined ? [] : [[input.custom_id ?? '', problem]]
      }),
    )
    setErrors(found)
    const first = [...found.keys()][0]
    if (first !== undefined) {
      const field = box.current?.querySelector(`[data-field="${CSS.escape(first)}"] :is(input,textarea,button)`)
      if (field instanceof HTMLElement) field.focus()
      return
    }
    /** @type {File[]} */
    const files = []
    const components = modal.components.map((component) => encode(component, values, files))
    void submitModal(components, files)
  }
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Escape') closeModal()
  }

  const application = modal.application
  return html`<div class="backdrop" onPointerDown=${(/** @type {PointerEvent} */ event) => event.target === event.currentTarget && closeModal()}>
    <form ref=${box} class="modal" role="dialog" aria-modal="true" aria-labelledby="modal-title" data-testid="modal" data-custom-id=${modal.custom_id} onSubmit=${submit} onKeyDown=${onKey} novalidate>
      <header class="modal-head">
        ${application && html`<${Avatar} user=${{ id: application.id, username: application.name ?? '', bot: true }} size=${24} />`}
        <h2 id="modal-title">${modal.title}</h2>
        <button type="button" class="icon-button" aria-label="Close" onClick=${closeModal}><${Icon} name="close" /></button>
      </header>
      <div class="modal-body scroller">
        <p class="modal-notice">This form will be submitted to <strong>${application?.name ?? 'the app'}</strong>. Do not share passwords or other sensitive information.</p>
        ${modal.components.map((component, index) => html`<${Part} key=${index} component=${component} values=${values} errors=${errors} set=${set} />`)}
        ${modal.error && html`<div class="modal-error" role="alert" data-testid="modal-error"><${Icon} name="warning" size=${16} />${modal.error}</div>`}
      </div>
      <footer class="modal-foot">
        <button type="button" class="button button-secondary" onClick=${closeModal}>Cancel</button>
        <button type="submit" class=${classes('button button-primary', busy && 'busy')} aria-busy=${busy || undefined} data-testid="modal-submit">
          <span class="button-content">Submit</span>${busy && html`<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>`}
        </button>
      </footer>
    </form>
  </div>`
}

/** @param {{ component: ModalComponent, values: Map<string, Value>, errors: Map<string, string>, set: (id: string, value: Value) => void }} props */
function Part({ component, values, errors, set }) {
  if (component.type === Type.Text)
    return html`<div class="markup modal-text"><${Markdown} text=${component.content ?? ''} /></div>`
  const input = component.type === Type.Label ? component.component : component.components?.[0]
  if (!input?.custom_id) return null
  const id = input.custom_id
  const label = component.label ?? input.label ?? ''
  const problem = errors.get(id)
  const help = component.description
  const describedBy = problem ? `error-${id}` : help ? `help-${id}` : undefined
  const isGroup = input.type === Type.Radio || input.type === Type.Checkboxes
  const heading = html`${label}${isRequired(input) && input.type !== Type.Checkbox && html`<span class="required" aria-hidden="true"> *</span>`}`
  return html`<div class=${classes('field', problem && 'wrong')} data-field=${id}>
    ${
      isGroup || isSelect(input.type)
        ? html`<div class="field-label" id=${`label-${id}`}>${heading}</div>`
        : input.type !== Type.Checkbox && html`<label class="field-label" for=${`field-${id}`}>${heading}</label>`
    }
    ${help && input.type !== Type.Checkbox && html`<div class="field-help" id=${`help-${id}`}>${help}</div>`}
    <${Input} input=${input} label=${label} help=${help} value=${values.get(id) ?? {}} describedBy=${describedBy} invalid=${problem !== undefined} set=${(/** @type {Value} */ value) => set(id, value)} />
    ${problem && html`<div class="field-error" id=${`error-${id}`} role="alert">${problem}</div>`}
  </div>`
}

/** @param {{ input: ModalComponent, label: string, help: string | undefined, value: Value, describedBy: string | undefined, invalid: boolean, set: (value: Value) => void }} props */
function Input({ input, label, help, value, describedBy, invalid, set }) {
  const id = `field-${input.custom_id}`
  const common = {
    id,
    'aria-describedby': describedBy,
    'aria-invalid': invalid || undefined,
    'aria-required': isRequired(input) || undefined,
  }
  switch (input.type) {
    case Type.TextInput: {
      const text = value.text ?? ''
      const onInput = (/** @type {any} */ event) => set({ text: event.target.value })
      const left = input.max_length === undefined ? undefined : input.max_length - text.length
      const field =
        input.style === 2
          ? html`<textarea ...${common} class="text-input" rows="4" placeholder=${input.placeholder} maxlength=${input.max_length ?? 4000} value=${text} onInput=${onInput}></textarea>`
          : html`<input ...${common} class="text-input" type="text" placeholder=${input.placeholder} maxlength=${input.max_length ?? 4000} value=${text} onInput=${onInput} autocomplete="off" />`
      return html`<div class="text-input-frame">${field}${left !== undefined && (input.style === 2 || left < 20) && html`<span class="characters-left" aria-hidden="true">${left}</span>`}</div>`
    }
    case Type.Radio:
      return html`<div role="radiogroup" aria-labelledby=${`label-${input.custom_id}`} class="choices">
        ${(input.options ?? []).map(
          (option) => html`<label class=${classes('choice', value.values?.includes(option.value) && 'on')}>
            <input type="radio" name=${id} value=${option.value} checked=${value.values?.includes(option.value) ?? false} onChange=${() => set({ values: [option.value] })} />
            <span class="choice-mark radio" aria-hidden="true"></span>
            <span class="choice-text"><span>${option.label}</span>${option.description && html`<small>${option.description}</small>`}</span>
          </label>`,
        )}
      </div>`
    case Type.Checkboxes:
      return html`<div role="group" aria-labelledby=${`label-${input.custom_id}`} class="choices">
        ${(input.options ?? []).map((option) => {
          const on = value.values?.includes(option.value) ?? false
          return html`<${Check} on=${on} label=${option.label} help=${option.description} onChange=${() => set({ values: on ? (value.values ?? []).filter((other) => other !== option.value) : [...(value.values ?? []), option.value] })} />`
        })}
      </div>`
    case Type.Checkbox:
      return html`<div class="choices"><${Check} id=${id} on=${value.on ?? false} label=${label} help=${help} onChange=${() => set({ on: !value.on })} /></div>`
    case Type.File:
      return html`<${Files} input=${input} common=${common} value=${value} set=${set} />`
    default:
      return isSelect(input.type)
        ? html`<${Select} component=${input} values=${value.values ?? []} label=${label} describedBy=${describedBy} onChange=${(/** @type {string[]} */ next) => set({ values: next })} />`
        : html`<div class="unsupported">This input cannot be shown (type ${input.type}).</div>`
  }
}

/** @param {{ id?: string, on: boolean, label: string, help?: string | undefined, onChange: () => void }} props */
function Check({ id, on, label, help, onChange }) {
  return html`<label class=${classes('choice', on && 'on')}>
    <input id=${id} type="checkbox" checked=${on} onChange=${onChange} />
    <span class="choice-mark check" aria-hidden="true">${on && html`<${Icon} name="check" size=${14} />`}</span>
    <span class="choice-text"><span>${label}</span>${help && html`<small>${help}</small>`}</span>
  </label>`
}

/** @param {{ input: ModalComponent, common: object, value: Value, set: (value: Value) => void }} props */
function Files({ input, common, value, set }) {
  const { files = [] } = value
  const maximum = input.max_values ?? 1
  return html`<div class="file-input">
    ${files.map(
      (
        file,
      ) => html`<div class="upload"><${Icon} name="file" size=${24} /><span>${file.name}</span><small>${fileSize(file.size)}</small>
        <button type="button" class="icon-button" aria-label=${`Remove ${file.name}`} onClick=${() => set({ files: files.filter((other) => other !== file) })}><${Icon} name="close" size=${16} /></button></div>`,
    )}
    ${
      files.length < maximum &&
      html`<label class="drop">
        <input ...${common} class="visually-hidden" type="file" multiple=${maximum > 1} accept=${input.file_types?.join(',')} onChange=${(/** @type {any} */ event) => set({ files: smallEnough([...files, ...event.target.files].slice(0, maximum)) })} />
        <span>Drop files here or <span class="link">browse</span></span><small>${maximum === 1 ? 'One file' : `Up to ${maximum} files`}, 10 MB each</small>
      </label>`
    }
  </div>`
}

/** @param {ModalComponent[]} components */
const inputsOf = (components) =>
  components.flatMap((component) => {
    const input = component.type === Type.Label ? component.component : component.components?.[0]
    return input ? [input] : []
  })

/** Everything but a lone checkbox is required unless it says otherwise. @param {ModalComponent} input */
const isRequired = (input) =>
  input.type !== Type.Checkbox &&
  input.required !== false &&
  !(isSelect(input.type) && input.min_values === 0 && input.required === undefined)

/** @param {ModalComponent} input @returns {Value} */
function startValue(input) {
  if (input.type === Type.TextInput) return { text: input.value ?? '' }
  if (input.type === Type.Checkbox) return { on: input.default ?? false }
  if (input.type === Type.File) return { files: [] }
  if (input.type === Type.Radio || input.type === Type.Checkboxes)
    return { values: (input.options ?? []).filter((option) => option.default).map((option) => option.value) }
  return { values: defaultsOf(/** @type {any} */ (input)) }
}

/**
 * What Discord's own dialog would refuse, in words for the person.
 * @param {ModalComponent} input
 * @param {Value} value
 */
function wrong(input, value) {
  if (input.type === Type.Checkbox) return undefined
  if (input.type === Type.TextInput) {
    const length = value.text?.length ?? 0
    if (length === 0) return isRequired(input) ? 'This field is required' : undefined
    if (input.min_length !== undefined && length < input.min_length) return `Must be at least ${input.min_length} characters long`
    return undefined
  }
  const count = input.type === Type.File ? (value.files?.length ?? 0) : (value.values?.length ?? 0)
  if (count === 0 && !isRequired(input)) return undefined
  if (count === 0) return 'This field is required'
  const minimum = input.min_values ?? 1
  return count < minimum ? `Choose at least ${minimum}` : undefined
}

/**
 * A component as a modal submit carries it; files are collected and named by their position.
 * @param {ModalComponent} component
 * @param {Map<string, Value>} values
 * @param {File[]} files
 * @returns {object}
 */
function encode(component, values, files) {
  const id = component.id === undefined ? {} : { id: component.id }
  if (component.type === Type.Text) return { type: component.type, ...id }
  if (component.type === Type.Label && component.component)
    return { type: component.type, ...id, component: encodeInput(component.component, values, files) }
  return { type: component.type, ...id, components: (component.components ?? []).map((input) => encodeInput(input, values, files)) }
}

/**
 * @param {ModalComponent} input
 * @param {Map<string, Value>} all
 * @param {File[]} files
 */
function encodeInput(input, all, files) {
  const value = all.get(input.custom_id ?? '') ?? {}
  const head = { type: input.type, custom_id: input.custom_id, ...(input.id === undefined ? {} : { id: input.id }) }
  if (input.type === Type.TextInput) return { ...head, value: value.text ?? '' }
  if (input.type === Type.Checkbox) return { ...head, value: value.on ?? false }
  if (input.type === Type.Radio) return { ...head, value: value.values?.[0] ?? null }
  if (input.type === Type.File) {
    const ids = (value.files ?? []).map((file) => String(files.push(file) - 1))
    return { ...head, values: ids }
  }
  return { ...head, values: value.values ?? [] }
}
