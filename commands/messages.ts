// What a person reads in Discord, as plain data within Discord's limits: cards (Components V2), buttons, selects and modals. Pure functions only.
import {
  type APIButtonComponent,
  type APIContainerComponent,
  type APIFileComponent,
  type APIMessageTopLevelComponent,
  type APIModalInteractionResponseCallbackData,
  type APISelectMenuComponent,
  type APITextDisplayComponent,
  ButtonStyle,
  ComponentType,
} from 'discord-api-types/v10'

/** A message as the hosts send it. Components V2 only; pings nobody unless `mentions` says so. */
export interface Message {
  readonly components: APIMessageTopLevelComponent[]
  readonly files?: readonly Attachment[]
  /** User ids that may be pinged by this message. */
  readonly mentions?: readonly string[]
}

export interface Attachment {
  readonly name: string
  readonly data: Buffer
  /** Alternative text for pictures. */
  readonly description?: string
}

export type Modal = APIModalInteractionResponseCallbackData

export const tones = { neutral: 0x5865f2, good: 0x3ba55d, warn: 0xfaa61a, bad: 0xed4245, celebrate: 0xeb9e34 } as const
export type Tone = keyof typeof tones

export interface Picture {
  url: string
  alt: string
}

export interface Card {
  title: string
  /** Paragraphs in Discord's markdown. What does not fit is cut with an ellipsis. */
  body?: string | readonly string[]
  fields?: readonly { name: string; value: string }[]
  tone?: Tone
  /** The name of an attached file, or a URL; several stand below each other. */
  image?: Picture | readonly Picture[]
  footer?: string
  /** Rows of up to five buttons, or one select each. */
  rows?: readonly (readonly APIButtonComponent[] | APISelectMenuComponent)[]
  /** Those that no `image` names stand under the card, to download. */
  files?: readonly Attachment[]
  mentions?: readonly string[]
}

const limits = {
  text: 4000,
  title: 300,
  footer: 500,
  components: 40,
  buttonLabel: 80,
  rowButtons: 5,
  modalTitle: 45,
  label: 45,
  labelDescription: 100,
} as const

/**
 * A card: one container with title, text, fields and rows of controls, within 4,000 characters of text and 40 components. Text that does not fit is cut, the
 * title and the footer last of all; rows that do not fit are left out, so page before.
 */
export function card(options: Card): Message {
  const title = truncate(`## ${options.title}`, limits.title)
  const footer = options.footer ? truncate(`-# ${options.footer}`, limits.footer) : ''
  const paragraphs = typeof options.body === 'string' ? [options.body] : (options.body ?? [])
  const body = [...paragraphs, ...(options.fields ?? []).map((field) => `**${field.name}**\n${field.value}`)].join('\n\n')

  const parts: APIContainerComponent['components'] = [text(title)]
  if (body) parts.push(text(truncate(body, limits.text - title.length - footer.length)))
  const images = [options.image ?? []].flat()
  const downloads = (options.files ?? []).filter(({ name }) => !images.some(({ url }) => url === name))
  for (const { url, alt } of images)
    parts.push({ type: ComponentType.MediaGallery, items: [{ media: { url: imageUrl(url) }, description: truncate(alt, 1024) }] })
  const frame = 1 + parts.length + 1 + (footer ? 1 : 0) + downloads.length
  const rows = fitting(options.rows ?? [], limits.components - frame)
  if (rows.length > 0 || footer) parts.push({ type: ComponentType.Separator, divider: true, spacing: 1 })
  for (const components of rows)
    parts.push({ type: ComponentType.ActionRow, components } as APIContainerComponent['components'][number])
  if (footer) parts.push(text(footer))
  return {
    components: [
      { type: ComponentType.Container, accent_color: tones[options.tone ?? 'neutral'], components: parts },
      ...downloads.map(download),
    ],
    ...(options.files && { files: options.files }),
    ...(options.mentions && { mentions: options.mentions }),
  }
}

/** The rows, from the first on, that `room` components can hold; a row counts as one beside its controls. */
function fitting(rows: NonNullable<Card['rows']>, room: number): (readonly APIButtonComponent[] | [APISelectMenuComponent])[] {
  const kept: ReturnType<typeof fitting> = []
  let left = room
  for (const row of rows) {
    const controls = isButtons(row) ? row.slice(0, limits.rowButtons) : ([row] as [APISelectMenuComponent])
    left -= 1 + controls.length
    if (left < 0) break
    if (controls.length > 0) kept.push(controls)
  }
  return kept
}

/** The message with a file to download under it. */
export function withFile(message: Message, file: Attachment): Message {
  return { ...message, files: [...(message.files ?? []), file], components: [...message.components, download(file)] }
}

/** What shows a file: Discord hides one that no component names. https://docs.discord.com/developers/components/reference#file */
const download = ({ name }: Attachment): APIFileComponent => ({ type: ComponentType.File, file: { url: `attachment://${name}` } })

/** A message of one plain paragraph, without a frame. */
export function plain(content: string): Message {
  return { components: [{ type: ComponentType.TextDisplay, content: truncate(content, limits.text) }] }
}

export function button(options: {
  customId: string
  label: string
  style?: 'primary' | 'secondary' | 'success' | 'danger'
  disabled?: boolean
  emoji?: string
}): APIButtonComponent {
  const styles = {
    primary: ButtonStyle.Primary,
    secondary: ButtonStyle.Secondary,
    success: ButtonStyle.Success,
    danger: ButtonStyle.Danger,
  } as const
  return {
    type: ComponentType.Button,
    style: styles[options.style ?? 'secondary'],
    custom_id: options.customId,
    label: truncate(options.label, limits.buttonLabel),
    ...(options.disabled && { disabled: true }),
    ...(options.emoji && { emoji: { name: options.emoji } }),
  }
}

export function linkButton(options: { url: string; label: string; emoji?: string }): APIButtonComponent {
  return {
    type: ComponentType.Button,
    style: ButtonStyle.Link,
    url: options.url,
    label: truncate(options.label, limits.buttonLabel),
    ...(options.emoji && { emoji: { name: options.emoji } }),
  }
}

export interface SelectOption {
  label: string
  value: string
  description?: string
  emoji?: string
  default?: boolean
}

/** A select menu; of more than 25 options the first 25 are kept, so page before. @throws Error without any option, which Discord refuses */
export function select(options: {
  customId: string
  placeholder: string
  options: readonly SelectOption[]
  min?: number
  max?: number
}): APISelectMenuComponent {
  return {
    type: ComponentType.StringSelect,
    custom_id: options.customId,
    placeholder: truncate(options.placeholder, 150),
    ...choicesOf(options),
  }
}

function choicesOf({ options, min, max }: { options: readonly SelectOption[]; min?: number; max?: number }) {
  const kept = options.slice(0, 25).map(toSelectOption)
  if (kept.length === 0) throw new Error('a select menu needs at least one option')
  return { min_values: Math.min(min ?? 1, kept.length), max_values: Math.min(max ?? 1, kept.length), options: kept }
}

function toSelectOption(option: SelectOption) {
  return {
    label: truncate(option.label, 100),
    value: option.value,
    ...(option.description && { description: truncate(option.description, 100) }),
    ...(option.emoji && { emoji: { name: option.emoji } }),
    ...(option.default && { default: true }),
  }
}

export type Field =
  | {
      kind: 'text'
      key: string
      label: string
      description?: string
      long?: boolean
      required?: boolean
      min?: number
      max?: number
      value?: string
      placeholder?: string
    }
  | {
      kind: 'select'
      key: string
      label: string
      description?: string
      required?: boolean
      options: readonly SelectOption[]
      min?: number
      max?: number
      placeholder?: string
    }
  | { kind: 'note'; text: string }

/** A modal with one to five fields; what the person enters arrives under each field's `key`. @throws Error for another number of fields */
export function modal(options: { customId: string; title: string; fields: readonly Field[] }): Modal {
  if (options.fields.length < 1 || options.fields.length > 5) throw new Error('a modal has one to five fields')
  return { custom_id: options.customId, title: truncate(options.title, limits.modalTitle), components: options.fields.map(toLabel) }
}

function toLabel(field: Field): Modal['components'][number] {
  if (field.kind === 'note') return { type: ComponentType.TextDisplay, content: truncate(field.text, 2000) }
  const frame = {
    type: ComponentType.Label as const,
    label: truncate(field.label, limits.label),
    ...(field.description && { description: truncate(field.description, limits.labelDescription) }),
  }
  if (field.kind === 'text') {
    const longest = field.max ?? (field.long ? 4000 : 200)
    return {
      ...frame,
      component: {
        type: ComponentType.TextInput,
        custom_id: field.key,
        style: field.long ? 2 : 1,
        required: field.required ?? true,
        ...(field.min !== undefined && { min_length: field.min }),
        max_length: longest,
        ...(field.value !== undefined && { value: beginning(field.value, longest) }),
        ...(field.placeholder && { placeholder: truncate(field.placeholder, 100) }),
      },
    }
  }
  return {
    ...frame,
    component: {
      type: ComponentType.StringSelect,
      custom_id: field.key,
      required: field.required ?? true,
      ...choicesOf(field),
      ...(field.placeholder && { placeholder: truncate(field.placeholder, 150) }),
    },
  }
}

/** Cuts text to at most `max` UTF-16 units without splitting a character, with an ellipsis where something was cut. */
export function truncate(content: string, max: number): string {
  if (content.length <= max) return content
  const segments = new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(content)
  let kept = ''
  for (const { segment } of segments) {
    if (kept.length + segment.length > max - 1) break
    kept += segment
  }
  return `${kept}…`
}

/** The first `max` UTF-16 units at most; a character that would be split is left out, because Discord takes no half ones. */
export function beginning(content: string, max: number): string {
  return content.slice(0, max).replace(/[\ud800-\udbff]$/, '')
}

/** What a person typed, shown literally: markdown and mentions have no effect. */
export function literal(content: string): string {
  return content.replace(/[\\*_~`|>#[\]()<@:-]/g, (sign) => `\\${sign}`)
}

/** A time as each reader sees it in their own zone: `R` relative, `D` date, `f` date and time. */
export function time(at: Date, style: 'R' | 'D' | 'f' | 'd' = 'R'): string {
  return `<t:${Math.floor(at.getTime() / 1000)}:${style}>`
}

function text(content: string): APITextDisplayComponent {
  return { type: ComponentType.TextDisplay, content }
}

function imageUrl(url: string): string {
  return /^(https?|attachment):/.test(url) ? url : `attachment://${url}`
}

function isButtons(row: readonly APIButtonComponent[] | APISelectMenuComponent): row is readonly APIButtonComponent[] {
  return Array.isArray(row)
}
