// Endpoints of webhooks: adding, rotating, removing, and which events are to be sent to them. Sends nothing itself.
import { and, asc, eq, isNull, or, sql } from 'drizzle-orm'
import { amongTexts, type Clock, hours, newId, type Reader, type Tx, UserError } from '../kit/index.ts'
import type { FeedEvent } from './feed.ts'
import { isId } from './keys.ts'
import type { PublicEvent } from './public.ts'
import { decrypt, encrypt, newSecret } from './secrets.ts'
import { endpoints, sends } from './tables.ts'

export type Endpoint = typeof endpoints.$inferSelect

export interface EndpointState extends Endpoint {
  readonly pending: number
  readonly failed: number
}

export interface EndpointService {
  /** Adds an endpoint and returns its secret, which is shown this once. @throws UserError for an address that is not fit, unknown types, or too many endpoints */
  add(
    tx: Tx,
    wanted: { programId: string; url: string; types: readonly string[]; createdBy: string },
  ): Promise<{ endpoint: Endpoint; secret: string }>
  list(reader: Reader, programId: string): Promise<EndpointState[]>
  /** @throws UserError for an id that is no endpoint of the program */
  find(reader: Reader, programId: string, id: string): Promise<Endpoint>
  /** A new secret; the old one signs as well for a day. */
  rotate(tx: Tx, programId: string, id: string): Promise<{ endpoint: Endpoint; secret: string }>
  remove(tx: Tx, programId: string, id: string): Promise<Endpoint>
  /** Sends everything since then again, delivered or not, and switches the endpoint on if it was off; returns how many events. */
  replay(tx: Tx, programId: string, id: string, since: Date): Promise<{ endpoint: Endpoint; events: number }>
  /** Notes the events for every endpoint that wants them. */
  spread(tx: Tx, events: readonly FeedEvent[]): Promise<void>
  /** What a message to the endpoint is signed with now; empty when no secret can be read any more. */
  secretsOf(endpoint: Endpoint): string[]
  types(): readonly string[]
}

const mostEndpoints = 10
/** For how long the secret before the last rotation still signs. */
export const oldSecretHours = 24

interface Parts {
  clock: Clock
  /** Encrypts the secrets. */
  key: Buffer
  allowPrivate: boolean
  publicEvents: () => readonly PublicEvent[]
}

export function createEndpointService({ clock, key, allowPrivate, publicEvents }: Parts): EndpointService {
  const types = () => [...new Set(publicEvents().map(({ type }) => type))].sort()
  const one = (programId: string, id: string) => and(eq(endpoints.programId, programId), eq(endpoints.id, id))

  const find: EndpointService['find'] = async (reader, programId, id) => {
    const [endpoint] = isId(id) ? await reader.select().from(endpoints).where(one(programId, id)) : []
    if (!endpoint)
      throw new UserError(
        'unknown_endpoint',
        'There is no such webhook here. Choose one from the list that appears while you type.',
      )
    return endpoint
  }

  return {
    types,
    find,
    add: async (tx, { programId, url, types: wanted, createdBy }) => {
      const address = checkedUrl(url, allowPrivate)
      const unknown = wanted.filter((type) => !types().includes(type))
      if (unknown.length > 0)
        throw new UserError(
          'unknown_event',
          `There is no event ${unknown.map((type) => `“${type}”`).join(', ')}. The events are: ${types().join(', ')}.`,
        )
      const present = await tx.select({ url: endpoints.url }).from(endpoints).where(eq(endpoints.programId, programId))
      if (present.length >= mostEndpoints)
        throw new UserError(
          'too_many_endpoints',
          `There are ${mostEndpoints} webhooks already. Remove one with \`/admin-api webhooks remove\`.`,
        )
      if (present.some((other) => other.url === address))
        throw new UserError(
          'known_endpoint',
          'Events are sent to that address already. `/admin-api webhooks list` shows how it is doing.',
        )
      const secret = newSecret()
      const now = clock.now()
      const [endpoint] = await tx
        .insert(endpoints)
        .values({
          id: newId(now),
          programId,
          url: address,
          types: wanted.length > 0 ? [...wanted] : null,
          secret: encrypt(secret, key),
          createdBy,
          createdAt: now,
        })
        .returning()
      return { endpoint: endpoint!, secret }
    },
    list: async (reader, programId) => {
      const rows = await reader.select().from(endpoints).where(eq(endpoints.programId, programId)).orderBy(asc(endpoints.createdAt))
      const counts = await reader
        .select({
          id: sends.endpointId,
          pending: sql<number>`(count(*) filter (where ${sends.state} = 'pending'))::integer`,
          failed: sql<number>`(count(*) filter (where ${sends.state} = 'failed'))::integer`,
        })
        .from(sends)
        .where(eq(sends.programId, programId))
        .groupBy(sends.endpointId)
      return rows.map((row) => ({ pending: 0, failed: 0, ...counts.find(({ id }) => id === row.id), ...row }))
    },
    rotate: async (tx, programId, id) => {
      const before = await find(tx, programId, id)
      const secret = newSecret()
      const [endpoint] = await tx
        .update(endpoints)
        .set({
          secret: encrypt(secret, key),
          oldSecret: before.secret,
          oldSecretUntil: new Date(clock.now().getTime() + hours(oldSecretHours)),
        })
        .where(one(programId, id))
        .returning()
      return { endpoint: endpoint!, secret }
    },
    remove: async (tx, programId, id) => {
      const endpoint = await find(tx, programId, id)
      await tx.delete(endpoints).where(one(programId, id))
      return endpoint
    },
    replay: async (tx, programId, id, since) => {
      const { types: wanted } = await find(tx, programId, id)
      const now = clock.now().toISOString()
      const { count } = await tx.execute(sql`
        insert into developer_sends (endpoint_id, position, program_id, next_at)
        select ${id}::uuid, position, program_id, ${now}::timestamptz from developer_events
        where program_id = ${programId}::uuid and occurred_at >= ${since.toISOString()}::timestamptz
          and (${wanted === null} or ${amongTexts(sql`type`, wanted ?? [])})
        on conflict (endpoint_id, position) do update
          set state = 'pending', attempts = 0, next_at = excluded.next_at, claimed_until = null, first_at = null, ended_at = null`)
      const [endpoint] = await tx
        .update(endpoints)
        .set({ disabledAt: null, disabledReason: null, failures: 0, failingSince: null, restUntil: null })
        .where(one(programId, id))
        .returning()
      return { endpoint: endpoint!, events: count }
    },
    spread: async (tx, events) => {
      const concerned = [...new Set(events.map(({ programId }) => programId))]
      const open = await tx
        .select()
        .from(endpoints)
        .where(and(isNull(endpoints.disabledAt), or(...concerned.map((id) => eq(endpoints.programId, id)))))
      const rows = open.flatMap((endpoint) =>
        events
          .filter(({ programId, type }) => programId === endpoint.programId && (endpoint.types?.includes(type) ?? true))
          .map(({ programId, position }) => ({ endpointId: endpoint.id, position, programId, nextAt: clock.now() })),
      )
      if (rows.length > 0) await tx.insert(sends).values(rows)
    },
    secretsOf: ({ secret, oldSecret, oldSecretUntil }) =>
      [secret, ...(oldSecret && oldSecretUntil! > clock.now() ? [oldSecret] : [])].flatMap((stored) => readable(stored, key)),
  }
}

/** Nothing, when it was encrypted under another SECRET_KEY. */
function readable(stored: Buffer, key: Buffer): string[] {
  try {
    return [decrypt(stored, key)]
  } catch {
    return []
  }
}

/** @throws UserError for an address that nothing is sent to */
function checkedUrl(text: string, allowPrivate: boolean): string {
  const url = URL.parse(text.trim())
  const fits = url && (url.protocol === 'https:' || (allowPrivate && url.protocol === 'http:'))
  if (!fits || url.username || url.password || url.href.length > 500)
    throw new UserError(
      'bad_url',
      `That address is not fit for a webhook. Write the whole address, beginning with ${allowPrivate ? 'http:// or ' : ''}https://, without a name and password in it.`,
    )
  url.hash = ''
  return url.href
}
