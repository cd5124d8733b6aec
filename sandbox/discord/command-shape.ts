// The shape of an application command: names, options, choices, sizes. Every problem with its path; nothing is stored here.

import type { Wire } from './store.ts'
import {
  bitfield,
  boolean,
  type Check,
  lengthOf,
  list,
  nullable,
  number,
  object,
  oneOf,
  type Path,
  type Problem,
  required,
  text,
  whole,
} from './validate.ts'

const MAX_CHARACTERS = 8000
const NAME = /^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u

export interface CommandBody {
  name: string
  name_localizations?: Record<string, string> | null
  description?: string | null
  description_localizations?: Record<string, string> | null
  type?: number | null
  options?: Wire[] | null
  default_member_permissions?: string | number | null
  dm_permission?: boolean | null
  contexts?: number[] | null
  integration_types?: number[] | null
  nsfw?: boolean | null
}

const slashName: Check = (value, at, problems) => {
  text({ min: 1, max: 32 })(value, at, problems)
  if (typeof value === 'string' && (!NAME.test(value) || value !== value.toLowerCase())) {
    problems.push({ path: at, code: 'APPLICATION_COMMAND_INVALID_NAME', message: 'Command name is invalid' })
  }
}

const description = text({ min: 1, max: 100 })
const localizations: Check = (value, at, problems) => {
  object({})(value, at, problems)
  for (const [locale, name] of Object.entries((value ?? {}) as Wire)) text({ min: 1, max: 100 })(name, [...at, locale], problems)
}

const common = {
  name_localizations: nullable(localizations),
  description_localizations: nullable(localizations),
}

const outer = object({
  ...common,
  type: nullable(oneOf([1, 2, 3])),
  default_member_permissions: nullable(bitfield),
  dm_permission: nullable(boolean),
  contexts: nullable(list(oneOf([0, 1, 2]), { max: 3 })),
  integration_types: nullable(list(oneOf([0, 1]), { max: 2 })),
  nsfw: nullable(boolean),
})

/** All problems of one command body, with paths below `at`. */
export function commandProblems(body: unknown, at: Path, partial: boolean, kind: number): Problem[] {
  const problems: Problem[] = []
  outer(body, at, problems)
  if (typeof body !== 'object' || body === null) return problems
  const command = body as CommandBody
  if (command.name === undefined) {
    if (!partial) problems.push({ path: [...at, 'name'], code: 'BASE_TYPE_REQUIRED', message: 'This field is required' })
  } else (kind === 1 ? slashName : text({ min: 1, max: 32 }))(command.name, [...at, 'name'], problems)
  if (kind === 1) {
    if (command.description === undefined || command.description === null || command.description === '') {
      if (!partial) problems.push({ path: [...at, 'description'], code: 'BASE_TYPE_REQUIRED', message: 'This field is required' })
    } else description(command.description, [...at, 'description'], problems)
  } else if (command.description) {
    problems.push({
      path: [...at, 'description'],
      code: 'APPLICATION_COMMAND_INVALID_DESCRIPTION',
      message: 'Context menu commands cannot have a description',
    })
  }
  if (command.options) {
    if (kind !== 1 && command.options.length > 0) {
      problems.push({
        path: [...at, 'options'],
        code: 'APPLICATION_COMMAND_CONTEXT_MENU_OPTIONS',
        message: 'Context menu commands cannot have options',
      })
    } else optionProblems(command.options, [...at, 'options'], 0, problems)
  }
  if (characters(command as unknown as Wire) > MAX_CHARACTERS) {
    problems.push({ path: at, code: 'APPLICATION_COMMAND_TOO_LARGE', message: `Command exceeds maximum size (${MAX_CHARACTERS})` })
  }
  return problems
}

const option = object({
  ...common,
  type: required(whole(1, 11)),
  name: required(slashName),
  description: required(description),
  required: nullable(boolean),
  autocomplete: nullable(boolean),
  min_value: nullable(number()),
  max_value: nullable(number()),
  min_length: nullable(whole(0, 6000)),
  max_length: nullable(whole(1, 6000)),
  channel_types: nullable(list(whole(0, 16))),
})

function optionProblems(options: unknown, at: Path, depth: number, problems: Problem[]): void {
  list(option, { max: 25 })(options, at, problems)
  if (!Array.isArray(options)) return
  const names = new Set<unknown>()
  let sawOptional = false
  const nests = (options as Wire[]).filter((one) => one?.type === 1 || one?.type === 2).length
  for (const [index, one] of (options as Wire[]).entries()) {
    if (typeof one !== 'object' || one === null) continue
    const here = [...at, index]
    if (names.has(one.name)) {
      problems.push({
        path: [...here, 'name'],
        code: 'APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS',
        message: 'Command option name already exists',
      })
    }
    names.add(one.name)
    const isNest = one.type === 1 || one.type === 2
    if ((isNest && (depth > 1 || (depth === 1 && one.type === 2))) || (nests > 0 && !isNest)) {
      problems.push({
        path: [...here, 'type'],
        code: 'APPLICATION_COMMAND_OPTIONS_TYPE_INVALID',
        message: 'Sub-commands and sub-command groups cannot stand beside other options',
      })
    }
    if (one.required === true && sawOptional) {
      problems.push({
        path: here,
        code: 'APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID',
        message: 'Required options must be placed before non-required options',
      })
    }
    if (!isNest && one.required !== true) sawOptional = true
    if (isNest && one.options !== undefined && one.options !== null)
      optionProblems(one.options, [...here, 'options'], one.type === 2 ? 1 : 2, problems)
    if (one.choices !== undefined && one.choices !== null) choiceProblems(one, here, problems)
  }
}

function choiceProblems(one: Wire, at: Path, problems: Problem[]): void {
  const value = one.type === 3 ? text({ min: 1, max: 100 }) : number({ whole: one.type === 4 })
  list(object({ name: required(text({ min: 1, max: 100 })), value: required(value) }), { max: 25 })(
    one.choices,
    [...at, 'choices'],
    problems,
  )
  if (one.autocomplete === true && Array.isArray(one.choices) && one.choices.length > 0) {
    problems.push({
      path: [...at, 'autocomplete'],
      code: 'APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE',
      message: 'Choices and autocomplete are mutually exclusive',
    })
  }
}

/** Characters that count toward the 8,000: names, descriptions and choice values, the longest localization of each. */
function characters(node: Wire): number {
  const longest = (field: string): number => {
    const texts = [node[field], ...Object.values((node[`${field}_localizations`] ?? {}) as Wire)]
    return Math.max(0, ...texts.map((value) => (typeof value === 'string' ? lengthOf(value) : 0)))
  }
  const choices = (Array.isArray(node.choices) ? node.choices : []) as Wire[]
  const options = (Array.isArray(node.options) ? node.options : []) as Wire[]
  return (
    longest('name') +
    longest('description') +
    choices.reduce((sum, choice) => sum + lengthOf(String(choice?.name ?? '')) + lengthOf(String(choice?.value ?? '')), 0) +
    options.reduce((sum, child) => sum + (child ? characters(child) : 0), 0)
  )
}

/** 1 slash, 2 user, 3 message. */
export const kindOf = (body: unknown): number => Number((body as CommandBody | null)?.type ?? 1)

/** Drops what Discord does not store: nulls, and false for required and autocomplete. */
export function storeOption(source: Wire): Wire {
  const kept = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== null && value !== undefined))
  if (kept.required === false) delete kept.required
  if (kept.autocomplete === false) delete kept.autocomplete
  if (Array.isArray(kept.options)) kept.options = (kept.options as Wire[]).map(storeOption)
  return kept
}
