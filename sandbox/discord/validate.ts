// Shapes of request bodies: small checks that compose, and report every problem with its path as Discord's 50035 does.
// Checks never change the value; what they let through has the shape that the caller names.

import { invalidForm } from './errors.ts'

export type Path = readonly (string | number)[]
export interface Problem {
  path: Path
  code: string
  message: string
}
export type Check = (value: unknown, at: Path, problems: Problem[]) => void
export type Field = Check & { required?: true }

/** Runs the check and returns the body as T; throws 50035 with all problems. */
export function validate<T>(check: Check, body: unknown): T {
  const problems: Problem[] = []
  check(body, [], problems)
  if (problems.length > 0) throw invalidForm(problems)
  return body as T
}

/** Characters as Discord counts them: code points, not UTF-16 units. */
export function lengthOf(text: string): number {
  let length = 0
  for (const _ of text) length++
  return length
}

const problem = (at: Path, code: string, message: string): Problem => ({ path: at, code, message })

function checkLength(length: number, at: Path, problems: Problem[], min: number, max: number): void {
  if (length >= min && length <= max) return
  if (min === 0) problems.push(problem(at, 'BASE_TYPE_MAX_LENGTH', `Must be ${max} or fewer in length.`))
  else if (max === Number.POSITIVE_INFINITY) problems.push(problem(at, 'BASE_TYPE_MIN_LENGTH', `Must be ${min} or more in length.`))
  else problems.push(problem(at, 'BASE_TYPE_BAD_LENGTH', `Must be between ${min} and ${max} in length.`))
}

/** Text, trimmed before it is measured. A pattern comes with the code and message that Discord uses for it. */
export function text(
  limits: { min?: number; max?: number; pattern?: RegExp; patternCode?: string; patternMessage?: string } = {},
): Check {
  return (value, at, problems) => {
    if (typeof value !== 'string') {
      problems.push(problem(at, 'STRING_TYPE_CONVERT', `Could not interpret "${String(value)}" as string.`))
      return
    }
    checkLength(lengthOf(value.trim()), at, problems, limits.min ?? 0, limits.max ?? Number.POSITIVE_INFINITY)
    if (limits.pattern && !limits.pattern.test(value)) {
      problems.push(
        problem(
          at,
          limits.patternCode ?? 'STRING_TYPE_REGEX',
          limits.patternMessage ?? 'String value did not match validation regex.',
        ),
      )
    }
  }
}

export function number(limits: { min?: number; max?: number; whole?: boolean } = {}): Check {
  return (value, at, problems) => {
    const parsed = typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
    const kind = limits.whole ? 'int' : 'float'
    if (!Number.isFinite(parsed) || (limits.whole && !Number.isInteger(parsed))) {
      problems.push(problem(at, 'NUMBER_TYPE_COERCE', `Value "${String(value)}" is not ${kind}.`))
      return
    }
    if (limits.max !== undefined && parsed > limits.max) {
      problems.push(problem(at, 'NUMBER_TYPE_MAX', `${kind} value should be less than or equal to ${limits.max}.`))
    }
    if (limits.min !== undefined && parsed < limits.min) {
      problems.push(problem(at, 'NUMBER_TYPE_MIN', `${kind} value should be greater than or equal to ${limits.min}.`))
    }
  }
}

export const whole = (min?: number, max?: number): Check =>
  number({ whole: true, ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) })

export const boolean: Check = (value, at, problems) => {
  if (typeof value !== 'boolean') problems.push(problem(at, 'BOOLEAN_TYPE_CONVERT', 'Must be either true or false.'))
}

export const snowflake: Check = (value, at, problems) => {
  const ok = (typeof value === 'string' && /^\d{1,20}$/.test(value)) || (typeof value === 'number' && Number.isSafeInteger(value))
  if (!ok) problems.push(problem(at, 'NUMBER_TYPE_COERCE', `Value "${String(value)}" is not snowflake.`))
}

/** A permission bitfield: decimal text or a whole number. */
export const bitfield: Check = (value, at, problems) => {
  const ok =
    (typeof value === 'string' && /^\d{1,20}$/.test(value)) || (typeof value === 'number' && Number.isInteger(value) && value >= 0)
  if (!ok) problems.push(problem(at, 'NUMBER_TYPE_COERCE', `Value "${String(value)}" is not int.`))
}

export const timestamp: Check = (value, at, problems) => {
  if (typeof value !== 'string' || Number.isNaN(Date.parse(value))) {
    problems.push(problem(at, 'DATE_TIME_TYPE_PARSE', `Could not parse "${String(value)}". Should be ISO8601.`))
  }
}

export function url(schemes: readonly string[] = ['http:', 'https:']): Check {
  return (value, at, problems) => {
    const parsed = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null
    if (!parsed) problems.push(problem(at, 'URL_TYPE_INVALID_URL', 'Not a well formed URL.'))
    else if (!schemes.includes(parsed.protocol)) {
      const names = schemes.map((scheme) => `'${scheme.slice(0, -1)}'`).join(', ')
      problems.push(
        problem(
          at,
          'URL_TYPE_INVALID_SCHEME',
          `Scheme "${parsed.protocol.slice(0, -1)}" is not supported. Scheme must be one of (${names}).`,
        ),
      )
    }
  }
}

export function oneOf(values: readonly (string | number)[]): Check {
  return (value, at, problems) => {
    if (!values.includes(value as string | number)) {
      problems.push(problem(at, 'BASE_TYPE_CHOICES', `Value must be one of {${values.join(', ')}}.`))
    }
  }
}

export function list(item: Check, limits: { min?: number; max?: number } = {}): Check {
  return (value, at, problems) => {
    if (!Array.isArray(value)) {
      problems.push(problem(at, 'LIST_TYPE_CONVERT', 'Only iterables may be used in a ListType'))
      return
    }
    checkLength(value.length, at, problems, limits.min ?? 0, limits.max ?? Number.POSITIVE_INFINITY)
    for (const [index, entry] of value.entries()) item(entry, [...at, index], problems)
  }
}

/** An object with the given fields; unknown fields are ignored as Discord ignores them. */
export function object(fields: Record<string, Field>): Check {
  return (value, at, problems) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      problems.push(problem(at, 'DICT_TYPE_CONVERT', 'Only dictionaries may be used in a DictType'))
      return
    }
    for (const [name, field] of Object.entries(fields)) {
      const entry = (value as Record<string, unknown>)[name]
      if (entry !== undefined) field(entry, [...at, name], problems)
      else if (field.required) problems.push(problem([...at, name], 'BASE_TYPE_REQUIRED', 'This field is required'))
    }
  }
}

export function required(check: Check): Field {
  const field: Field = (value, at, problems) => {
    if (value === null) problems.push(problem(at, 'BASE_TYPE_REQUIRED', 'This field is required'))
    else check(value, at, problems)
  }
  field.required = true
  return field
}

export function nullable(check: Check): Check {
  return (value, at, problems) => {
    if (value !== null) check(value, at, problems)
  }
}

/** Runs several checks on the same value. */
export function all(...checks: Check[]): Check {
  return (value, at, problems) => {
    for (const check of checks) check(value, at, problems)
  }
}

export const anything: Check = () => {}
