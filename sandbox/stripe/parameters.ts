// Turns a form into typed parameters and refuses what Stripe refuses: unknown, missing and mistyped parameters, values outside an enum.
// What is known comes from the declared parameter types of the pinned version; rules between parameters belong to the resources.

import { declared, type Field, resolve, type TypeNode } from './declarations.ts'
import { invalid, type StripeRefusal } from './errors.ts'
import type { FormValue } from './form.ts'

/** Where a route's parameters are declared: file and interface below `stripe/resources`. `null`: the route takes none but `expand`. */
export type ParamsType = readonly [file: string, name: string] | null

const EXPAND: Field = { optional: true, type: { kind: 'array', of: { kind: 'primitive', name: 'string' } } }

/** Parameters with their JavaScript types. `''` (unset) stays `''`. Throws a `StripeRefusal` that names the first parameter at fault. */
export function readParams(form: Record<string, FormValue>, type: ParamsType): Record<string, unknown> {
  const node = type ? declared(...type) : emptyObject()
  if (node.kind !== 'object') throw new Error(`${type?.join(' ')} is not an interface`)
  return readObject(form, node.fields, node.index, '')
}

function emptyObject(): TypeNode {
  return { kind: 'object', fields: new Map([['expand', EXPAND]]), index: undefined, name: '' }
}

function readObject(form: Record<string, FormValue>, fields: Map<string, Field>, index: TypeNode | undefined, at: string) {
  const unknown = index ? [] : Object.keys(form).filter((key) => !fields.has(key))
  if (unknown.length > 0) {
    const names = unknown.map((key) => nameOf(at, key))
    throw invalid(`Received unknown parameter${names.length > 1 ? 's' : ''}: ${names.join(', ')}`, names[0], 'parameter_unknown')
  }
  for (const [key, field] of fields)
    if (!field.optional && form[key] === undefined)
      throw invalid(`Missing required param: ${nameOf(at, key)}.`, nameOf(at, key), 'parameter_missing')
  const read: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(form)) {
    const name = nameOf(at, key)
    const type = fields.get(key)?.type ?? index!
    const outcome = readValue(value, type, name)
    if (!outcome.ok) throw outcome.refusal
    read[key] = outcome.value
  }
  return read
}

function nameOf(at: string, key: string): string {
  return at === '' ? key : `${at}[${key}]`
}

type Outcome = { ok: true; value: unknown } | { ok: false; refusal: StripeRefusal }
const fail = (refusal: StripeRefusal): Outcome => ({ ok: false, refusal })
const pass = (value: unknown): Outcome => ({ ok: true, value })

function readValue(value: FormValue, declaredType: TypeNode, name: string): Outcome {
  const type = resolve(declaredType)
  switch (type.kind) {
    case 'literal':
      return value === String(type.value) ? pass(type.value) : fail(invalid(`Invalid ${name}: must be ${type.value}`, name))
    case 'array':
      if (!Array.isArray(value)) return value === '' ? fail(emptyRefusal(name)) : fail(invalid('Invalid array', name))
      return attempt(() =>
        value.map((item, index) => {
          const outcome = readValue(item, type.of, `${name}[${index}]`)
          if (!outcome.ok) throw outcome.refusal
          return outcome.value
        }),
      )
    case 'object':
      if (typeof value === 'string') return value === '' ? fail(emptyRefusal(name)) : fail(invalid('Invalid object', name))
      return attempt(() =>
        readObject(Array.isArray(value) ? Object.fromEntries(value.entries()) : value, type.fields, type.index, name),
      )
    case 'primitive':
      return readPrimitive(value, type.name, name)
    case 'union':
      return readUnion(value, type.of, name)
    case 'reference':
      throw new Error(`unresolved ${type.path.join('.')}`)
  }
}

function readUnion(value: FormValue, members: readonly TypeNode[], name: string): Outcome {
  const resolved = flatten(members)
  const literals = resolved.flatMap((member) => (member.kind === 'literal' && member.value !== '' ? [String(member.value)] : []))
  const isEnum = literals.length > 0 && resolved.every((member) => member.kind === 'literal' || isOpenEnd(member))
  if (
    value === '' &&
    resolved.some(
      (member) => (member.kind === 'literal' && member.value === '') || (member.kind === 'primitive' && member.name === 'null'),
    )
  )
    return pass('')
  if (isEnum)
    return typeof value === 'string' && literals.includes(value)
      ? pass(value)
      : fail(invalid(`Invalid ${name}: must be ${oneOf(literals)}`, name))
  const outcomes = resolved.filter((member) => !isOpenEnd(member)).map((member) => readValue(value, member, name))
  // Of several refusals, the one about a nested parameter says most.
  const refusals = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.refusal]))
  return outcomes.find((outcome) => outcome.ok) ?? fail(refusals.find((refusal) => refusal.details.param !== name) ?? refusals[0]!)
}

function flatten(members: readonly TypeNode[]): TypeNode[] {
  return members.map(resolve).flatMap((member) => (member.kind === 'union' ? flatten(member.of) : [member]))
}

/** `null` and the open end that the declarations give to every enum: no value of its own on the wire. */
function isOpenEnd(member: TypeNode): boolean {
  return member.kind === 'primitive' && (member.name === 'other' || member.name === 'null')
}

function oneOf(values: readonly string[]): string {
  return values.length === 1 ? values[0]! : `one of ${values.slice(0, -1).join(', ')}, or ${values.at(-1)}`
}

function readPrimitive(value: FormValue, type: string, name: string): Outcome {
  if (typeof value !== 'string')
    return fail(invalid(`Invalid ${type === 'string' ? 'string' : type}: ${JSON.stringify(value)}`, name))
  if (type === 'boolean')
    return value === 'true' || value === 'false' ? pass(value === 'true') : fail(invalid(`Invalid boolean: ${value}`, name))
  if (type === 'number') {
    const fractional = /percent|latitude|longitude|rate$/.test(name)
    if (!(fractional ? /^-?\d+(\.\d+)?$/ : /^-?\d+$/).test(value) || !Number.isSafeInteger(Math.trunc(Number(value))))
      return fail(invalid(`Invalid integer: ${value}`, name, 'parameter_invalid_integer'))
    return pass(Number(value))
  }
  if (type === 'decimal') return /^-?\d+(\.\d{1,12})?$/.test(value) ? pass(value) : fail(invalid(`Invalid decimal: ${value}`, name))
  if (value === '') return fail(emptyRefusal(name))
  return value.length > 5000
    ? fail(invalid(`Invalid string: ${name} must be at most 5000 characters`, name, 'parameter_invalid_string_too_long'))
    : pass(value)
}

function emptyRefusal(name: string): StripeRefusal {
  return invalid(
    `You passed an empty string for '${name}'. We assume empty values are an attempt to unset a field; however '${name}' cannot be unset. You should remove '${name}' from your request or supply a non-empty value.`,
    name,
    'parameter_invalid_empty',
  )
}

function attempt(read: () => unknown): Outcome {
  try {
    return pass(read())
  } catch (error) {
    if (error instanceof Error && error.name === 'StripeRefusal') return fail(error as StripeRefusal)
    throw error
  }
}
