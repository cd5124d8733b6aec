// How the API's routes are written down, and what they share: finding objects, metadata, pages of a list, expanding references.

import type Stripe from 'stripe'
import { invalid, missing } from './errors.ts'
import type { ParamsType } from './parameters.ts'
import { lookUp, newestFirst, type Scope, type TableName, type Tables, type World } from './world.ts'

/** One API call: who asks, about which account, with which path. */
export interface Call {
  world: World
  /** The account the call acts on: the platform, or the one named by `Stripe-Account`. */
  scope: Scope
  path: Record<string, string>
}

export interface Route {
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  params: ParamsType
  run: (call: Call, params: never) => object
}

/** Declares a route; `P` is the declared parameter type of the resource. */
export function route<P>(method: Route['method'], path: string, params: ParamsType, run: (call: Call, params: P) => object): Route {
  return { method, path, params, run: run as Route['run'] }
}

/** The object with the id in the path (or `id`); refuses with 404 `resource_missing`. */
export function required<K extends TableName>(scope: Scope, table: K, noun: string, id: string, param = 'id'): Tables[K] {
  const found = scope.tables[table].get(id)
  if (!found) throw missing(noun, id, param)
  return found as Tables[K]
}

/** The object that a parameter names; refuses with 400, as Stripe does for a parameter instead of a path. */
export function referred<K extends TableName>(scope: Scope, table: K, noun: string, id: string, param: string): Tables[K] {
  const found = scope.tables[table].get(id)
  if (!found) throw missing(noun, id, param, 400)
  return found as Tables[K]
}

type MetadataParam = Record<string, string | number | null> | '' | null | undefined

/** New metadata after an update: given keys replace, empty values remove, `''` removes all. Refuses more than 50 keys, long keys and long values. */
export function mergeMetadata(current: Stripe.Metadata | null, update: MetadataParam): Stripe.Metadata {
  if (update === undefined) return current ?? {}
  if (update === '' || update === null) return {}
  const merged: Stripe.Metadata = { ...current }
  for (const [key, value] of Object.entries(update)) {
    if (key.length > 40)
      throw invalid(`Metadata keys can have up to 40 characters, but ${key} has ${key.length}`, `metadata[${key}]`)
    if (String(value ?? '').length > 500)
      throw invalid(
        `Metadata values can have up to 500 characters, but you passed in a value that is ${String(value).length} characters.`,
        'metadata',
      )
    if (value === null || value === '') delete merged[key]
    else merged[key] = String(value)
  }
  if (Object.keys(merged).length > 50) throw invalid('You can only have up to 50 metadata keys', 'metadata')
  return merged
}

interface PageParams {
  limit?: number
  starting_after?: string
  ending_before?: string
  created?: number | Stripe.RangeQueryParam
}

/** One page of `rows` (newest first), with Stripe's cursors, limits and `created` filter. */
export function listPage<T extends { id: string; created?: number }>(
  url: string,
  rows: readonly T[],
  params: PageParams,
): Stripe.ApiList<T> {
  const limit = params.limit ?? 10
  if (limit < 1 || limit > 100)
    throw invalid(
      limit < 1 ? 'Invalid integer: limit must be at least 1' : 'Limit cannot exceed 100',
      'limit',
      'parameter_invalid_integer',
    )
  if (params.starting_after && params.ending_before)
    throw invalid('You cannot provide both `starting_after` and `ending_before`', 'starting_after')
  const matching = rows.filter((row) => inRange(row.created ?? 0, params.created))
  const cursor = (id: string): number => {
    const index = rows.findIndex((row) => row.id === id)
    if (index < 0) throw missing('object', id, params.starting_after ? 'starting_after' : 'ending_before', 400)
    return index
  }
  const before = params.ending_before === undefined ? undefined : rows.slice(0, cursor(params.ending_before))
  const after = params.starting_after === undefined ? rows : rows.slice(cursor(params.starting_after) + 1)
  const window = new Set((before ?? after).map((row) => row.id))
  const candidates = matching.filter((row) => window.has(row.id))
  const data = before ? candidates.slice(-limit) : candidates.slice(0, limit)
  return { object: 'list', data, has_more: candidates.length > data.length, url } as Stripe.ApiList<T>
}

function inRange(value: number, range: PageParams['created']): boolean {
  if (range === undefined) return true
  if (typeof range === 'number') return value === range
  return (
    (range.gt === undefined || value > range.gt) &&
    (range.gte === undefined || value >= range.gte) &&
    (range.lt === undefined || value < range.lt) &&
    (range.lte === undefined || value <= range.lte)
  )
}

/** A list route over one table, with the filters that its parameters name. */
export function listRoute<K extends TableName, P extends PageParams>(
  path: string,
  params: ParamsType,
  table: K,
  keep: (row: Tables[K], params: P) => boolean = () => true,
): Route {
  return route<P>('GET', path, params, ({ scope }, given) =>
    listPage(
      path,
      newestFirst(scope, table).filter((row) => keep(row, given)),
      given,
    ),
  )
}

/** A retrieve route over one table. */
export function retrieveRoute<K extends TableName>(path: string, params: ParamsType, table: K, noun: string, param = 'id'): Route {
  return route('GET', `${path}/:id`, params, ({ scope, path: at }) => required(scope, table, noun, at.id!, param))
}

/** What can be asked for with `expand` although the object does not carry it by default. */
export type Includable = Record<string, (call: Call, object: never) => unknown>

/** A copy of `object` in which the references named by `paths` are replaced by what they refer to. Refuses paths that lead nowhere. */
export function expand(call: Call, object: object, paths: readonly string[], includable: Includable): object {
  const copy = structuredClone(object) as Record<string, unknown>
  for (const path of paths) {
    const segments = path.split('.')
    if (segments.length > 5 || (segments[0] !== 'data' && segments.length > 4))
      throw invalid('You cannot expand more than 4 levels of a property.', 'expand')
    expandPath(call, copy, segments, path, includable)
  }
  return copy
}

function expandPath(
  call: Call,
  node: Record<string, unknown>,
  segments: readonly string[],
  whole: string,
  includable: Includable,
): void {
  const [head = '', ...rest] = segments
  const step = (child: unknown): unknown => {
    const target = typeof child === 'string' ? resolveReference(call, child) : child
    if (target === undefined) throw cannotExpand(whole)
    if (rest.length > 0 && target !== null) expandPath(call, target as Record<string, unknown>, rest, whole, includable)
    return target
  }
  const include = includable[`${String(node.object)}.${head}`]
  if (node[head] === undefined && include) node[head] = structuredClone(include(call, node as never))
  const value = node[head]
  if (value === undefined) throw cannotExpand(whole)
  node[head] = Array.isArray(value) ? value.map(step) : step(value)
}

function resolveReference(call: Call, id: string): object | undefined {
  const reachable = call.scope === call.world.platform ? call.world.scopes.values() : [call.scope, call.world.platform]
  let found: object | undefined
  for (const scope of reachable) found ??= lookUp(scope, id)
  return found === undefined ? undefined : structuredClone(found)
}

function cannotExpand(path: string) {
  return invalid(
    `This property cannot be expanded (${path}). You may want to try expanding 'data.${path}' if this is a list endpoint.`,
    'expand',
  )
}
