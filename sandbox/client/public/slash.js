// Finding, filling and encoding slash commands. Pure: what is offered for a text, which options are wrong, what goes over the wire.

/** @import { Choice, CommandIndex, Runnable } from './types.d.ts' */

export const OptionType = {
  Subcommand: 1,
  Group: 2,
  String: 3,
  Integer: 4,
  Boolean: 5,
  User: 6,
  Channel: 7,
  Role: 8,
  Mentionable: 9,
  Number: 10,
  Attachment: 11,
}

/**
 * Every command that can be run, subcommands flattened: `/team` with `add` and `remove` gives two.
 * @param {CommandIndex | undefined} index
 * @returns {Runnable[]}
 */
export function runnables(index) {
  return (index?.commands ?? [])
    .filter((command) => (command.type ?? 1) === 1)
    .flatMap((command) => flatten(command, [], command.name, command.description, /** @type {any[]} */ (command.options ?? [])))
    .sort((a, b) => a.name.localeCompare(b.name))
}

/**
 * @param {Runnable['command']} command
 * @param {string[]} path
 * @param {string} name
 * @param {string} description
 * @param {any[]} options
 * @returns {Runnable[]}
 */
function flatten(command, path, name, description, options) {
  const nested = options.filter((option) => option.type <= OptionType.Group)
  if (nested.length === 0) return [{ command, path, name, description, options }]
  return nested.flatMap((option) =>
    flatten(command, [...path, option.name], `${name} ${option.name}`, option.description, option.options ?? []),
  )
}

/**
 * The commands that fit what was typed after the slash: names that begin with it first, then names that contain it.
 * @param {Runnable[]} all
 * @param {string} query
 */
export function search(all, query) {
  const wanted = query.toLowerCase().trimEnd()
  const rank = (/** @type {Runnable} */ runnable) => {
    if (runnable.name.startsWith(wanted)) return 0
    if (runnable.name.split(' ').some((part) => part.startsWith(wanted))) return 1
    return runnable.name.includes(wanted) ? 2 : 3
  }
  return all
    .map((runnable) => ({ runnable, order: rank(runnable) }))
    .filter(({ order }) => order < 3)
    .sort((a, b) => a.order - b.order)
    .map(({ runnable }) => runnable)
}

/**
 * Reads a whole command line such as `/links create name:Blog post url:https://…`: the command whose full name leads it and is followed by a
 * blank, with the values found; text before the first named option belongs to the first one, unless it may be the beginning of an option's name
 * (`loose`). Undefined while no full name has been typed.
 * @param {Runnable[]} all
 * @param {string} line
 * @returns {{ runnable: Runnable, values: Record<string, string>, loose: string } | undefined}
 */
export function readLine(all, line) {
  const text = line.slice(1)
  const candidates = all
    .filter(({ name }) => text.toLowerCase().startsWith(`${name} `))
    .sort((a, b) => b.name.length - a.name.length)
  const runnable = candidates[0]
  if (!runnable) return undefined
  const { head, values } = readNamed(runnable, text.slice(runnable.name.length + 1))
  const first = runnable.options[0]?.name
  if (head === '' || first === undefined || first in values) return { runnable, values, loose: '' }
  const closed = Object.keys(values).length === 0 && runnable.options.every(({ required }) => !required)
  if (closed && beginsName(runnable.options, head)) return { runnable, values, loose: head }
  return { runnable, values: { ...values, [first]: head }, loose: '' }
}

/**
 * Whether a text may become the name of one of the options.
 * @param {readonly { name: string }[]} options
 * @param {string} text
 */
export const beginsName = (options, text) => options.some(({ name }) => name.startsWith(text.toLowerCase()))

/**
 * Takes `name:value` pairs out of a text, for names that the command has; `head` is what stands before the first. Blanks at the end stay: more
 * words may follow.
 * @param {Runnable} runnable
 * @param {string} text
 * @returns {{ head: string, values: Record<string, string> }}
 */
export function readNamed(runnable, text) {
  const names = runnable.options.map((option) => option.name)
  const marks = [...text.matchAll(/(?:^|\s)([\p{L}\p{N}_-]{1,32}):/gu)].filter((match) => names.includes(match[1] ?? ''))
  const part = (/** @type {number} */ from, /** @type {number | undefined} */ to) =>
    to === undefined ? text.slice(from).trimStart() : text.slice(from, to).trim()
  const values = marks.map((mark, index) => [mark[1] ?? '', part(mark.index + mark[0].length, marks[index + 1]?.index)])
  return { head: part(0, marks[0]?.index), values: Object.fromEntries(values) }
}

/**
 * What is wrong with an option's value, in Discord's words, or undefined.
 * @param {any} option
 * @param {string} text what the field shows
 * @param {Choice | undefined} chosen what was picked from a list
 */
export function wrong(option, text, chosen) {
  if (text === '' && chosen === undefined) return option.required ? 'This option is required. Specify a value.' : undefined
  if (option.type === OptionType.Attachment) return undefined
  if (option.choices?.length > 0 && !option.choices.some((/** @type {Choice} */ choice) => choice.value === chosen?.value))
    return 'This option must be one of the choices in the list.'
  if (option.type === OptionType.Boolean && chosen === undefined) return 'You can only specify True or False for this option.'
  if (option.type >= OptionType.User && option.type <= OptionType.Mentionable && chosen === undefined)
    return `This option must be a ${KIND[option.type]}.`
  if (option.type === OptionType.Integer || option.type === OptionType.Number) {
    const number = Number(chosen?.value ?? text)
    if (!Number.isFinite(number)) return 'This option must be a number.'
    if (option.type === OptionType.Integer && !Number.isSafeInteger(number)) return 'This option must be a whole number.'
    if (option.min_value !== undefined && number < option.min_value) return `This option must be at least ${option.min_value}.`
    if (option.max_value !== undefined && number > option.max_value) return `This option must be at most ${option.max_value}.`
  }
  if (option.type === OptionType.String) {
    const length = String(chosen?.value ?? text).length
    if (option.min_length !== undefined && length < option.min_length)
      return `This option must have at least ${option.min_length} characters.`
    if (option.max_length !== undefined && length > option.max_length)
      return `This option can have at most ${option.max_length} characters.`
  }
  return undefined
}

/** @type {Record<number, string>} */
const KIND = { 6: 'member', 7: 'channel', 8: 'role', 9: 'member or role' }

/**
 * @typedef {{ text: string, chosen?: Choice, file?: File }} Field
 */

/**
 * The `data` of an interaction for a filled command. While autocompleting, `focused` names the option that has the cursor and half-typed values
 * go out as text.
 * @param {Runnable} runnable
 * @param {Map<string, Field>} fields
 * @param {string} [focused]
 */
export function encode(runnable, fields, focused) {
  /** @type {File[]} */
  const files = []
  const leaves = runnable.options.flatMap((option) => {
    const field = fields.get(option.name)
    if (!field) return []
    const isFocused = option.name === focused
    if (field.file) {
      files.push(field.file)
      return [{ type: option.type, name: option.name, value: files.length - 1 }]
    }
    if (field.text.trim() === '' && field.chosen === undefined && !isFocused) return []
    const value = isFocused ? field.text : typedValue(option.type, field)
    return [
      isFocused ? { type: option.type, name: option.name, value, focused: true } : { type: option.type, name: option.name, value },
    ]
  })
  /** @type {any[]} */
  let options = leaves
  for (const [depth, name] of [...runnable.path.entries()].reverse()) {
    const type = depth === runnable.path.length - 1 ? OptionType.Subcommand : OptionType.Group
    options = [{ type, name, options }]
  }
  const { id, version, name, type = 1, guild_id } = runnable.command
  const data = {
    id,
    version,
    name,
    type,
    ...(guild_id === undefined ? {} : { guild_id }),
    options,
    attachments: files.map((file, index) => ({ id: String(index), filename: file.name })),
  }
  return { data, files }
}

/**
 * @param {number} type
 * @param {Field} field
 */
function typedValue(type, field) {
  const value = field.chosen?.value ?? field.text.trim()
  if (type === OptionType.Integer || type === OptionType.Number) return Number(value)
  if (type === OptionType.Boolean) return value === 'true'
  return value
}
