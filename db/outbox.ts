// The outbox: facts and work asked for by a transaction, kept until every target has handled them. What matters is never only in a queue.
import { and, eq, isNotNull, isNull, or, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Clock } from '../plugins/kit/clock.ts'
import type { DomainEvent, Emit } from '../plugins/kit/events.ts'
import type { Enqueue, EnqueueOptions, Job } from '../plugins/kit/jobs.ts'
import type { Db, Reader, Tx } from './connect.ts'
import { deliveries, outbox } from './tables.ts'

/** The NOTIFY channel that wakes the relay. */
export const outboxChannel = 'core_outbox'

export type OutboxRow = typeof outbox.$inferSelect

/**
 * Writes events and jobs within the caller's transaction, or, while it is gathered, keeps them for whoever gathers.
 * @throws ZodError when a payload is not of its declared shape
 */
export function createOutbox(clock: Clock): { emit: Emit; enqueue: Enqueue } {
  const emit: Emit = async (tx, event, ...payloads) => {
    const { schema, name } = event as DomainEvent
    const now = clock.now()
    await ask(
      tx,
      payloads.map((payload) => ({
        programId: payload.programId,
        kind: 'event',
        name,
        payload: z.encode(schema, payload as never),
        dedupeKey: null,
        availableAt: now,
        createdAt: now,
      })),
    )
  }
  const many: Enqueue['many'] = async (tx, job, requests) => {
    const now = clock.now()
    await ask(
      tx,
      requests.map(({ payload, programId, dedupeKey, at }) => ({
        programId: programId ?? null,
        kind: 'job',
        name: job.name,
        payload: z.encode(job.payload, payload),
        // A job of another program is another job, whatever its key.
        dedupeKey: dedupeKey === undefined ? null : [programId, dedupeKey].filter((part) => part !== undefined).join(' '),
        availableAt: at ?? now,
        createdAt: now,
      })),
    )
  }
  const enqueue = <T>(tx: Tx, job: Job<T>, payload: T, options: EnqueueOptions = {}) => many(tx, job, [{ payload, ...options }])
  return { emit, enqueue: Object.assign(enqueue, { many }) }
}

interface NewRow {
  readonly programId: string | null
  readonly kind: 'event' | 'job'
  readonly name: string
  readonly payload: unknown
  readonly dedupeKey: string | null
  readonly availableAt: Date
  readonly createdAt: Date
}

/** What transactions that are gathered have asked for and nobody has taken yet. */
const gatherings = new WeakMap<Tx, NewRow[]>()

async function ask(tx: Tx, rows: readonly NewRow[]): Promise<void> {
  const gathered = gatherings.get(tx)
  if (gathered) gathered.push(...rows)
  else await write(tx, rows)
}

/** What a transaction asks for while it is gathered, to be handled within that transaction before any of it is written. */
export interface Gathering {
  /** Events, and jobs of these names, that are due and were not taken yet. Events have their numbers; jobs have none, and the same job comes once. */
  take(now: Date, jobs: ReadonlySet<string>): Promise<GatheredRow[]>
  /** Writes the events that were taken, as done, and as open whatever was not taken. Jobs that were taken leave no trace. Ends the gathering. */
  write(now: Date): Promise<void>
}

export type GatheredRow = Pick<OutboxRow, 'id' | 'kind' | 'name' | 'payload' | 'createdAt'>

/**
 * From now on keeps what `tx` asks for. `write` must come before the commit; when the transaction fails, nothing was asked for. What a savepoint within `tx` asks
 * for is written at once.
 */
export function gather(tx: Tx): Gathering {
  const asked: NewRow[] = []
  const done: (NewRow & { readonly id: number })[] = []
  gatherings.set(tx, asked)
  return {
    take: async (now, jobs) => {
      const isReady = (row: NewRow) => row.availableAt <= now && (row.kind === 'event' || jobs.has(row.name))
      const ready = asked.filter(isReady)
      const rest = asked.filter((row) => !isReady(row))
      asked.splice(0, asked.length, ...rest)
      const events = ready.filter(({ kind }) => kind === 'event')
      const ids = await nextIds(tx, events.length)
      const numbered = events.map((row, i) => ({ ...row, id: ids[i]! }))
      done.push(...numbered)
      const seen = new Set<string>()
      const once = ready.filter((row) => {
        if (row.kind === 'event') return false
        const key = nameAndKey(row)
        if (row.dedupeKey !== null && seen.has(key)) return false
        seen.add(key)
        return true
      })
      return [...numbered, ...once.map((row) => ({ ...row, id: 0 }))]
    },
    write: async (now) => {
      gatherings.delete(tx)
      await Promise.all([insertDone(tx, done, now), write(tx, asked)])
    },
  }
}

async function nextIds(tx: Tx, count: number): Promise<number[]> {
  if (count === 0) return []
  const rows = await tx.execute<{ id: string }>(
    sql`select nextval(pg_get_serial_sequence('core_outbox', 'id')) as id from generate_series(1, ${count}::integer)`,
  )
  return rows.map(({ id }) => Number(id))
}

/** Writes the rows, save jobs that wait already, which then wait for the end of `tx`. */
async function write(tx: Tx, asked: readonly NewRow[]): Promise<void> {
  let rows = asked
  // What waits already may be done by the time it is held; then it is asked for after all.
  while (rows.length > 0) {
    const written = new Set((await insert(tx, rows)).map(nameAndKey))
    const waiting = rows.filter((row) => row.dedupeKey !== null && !written.has(nameAndKey(row)))
    if (waiting.length === 0) return
    const held = new Set((await hold(tx, waiting)).map(nameAndKey))
    rows = waiting.filter((row) => !held.has(nameAndKey(row)))
  }
}

interface Keyed {
  readonly name: string
  readonly dedupeKey: string | null
}

const nameAndKey = ({ name, dedupeKey }: Keyed): string => JSON.stringify([name, dedupeKey])

/** Returns what was written. */
async function insert(tx: Tx, rows: readonly NewRow[]): Promise<Keyed[]> {
  return tx.execute<{ name: string; dedupeKey: string | null }>(sql`
    insert into core_outbox (program_id, kind, name, payload, dedupe_key, available_at, created_at)
    select "programId", kind, name, payload, "dedupeKey", "availableAt", "createdAt"
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r ("programId" uuid, kind text, name text, payload jsonb, "dedupeKey" text,
      "availableAt" timestamptz, "createdAt" timestamptz)
    on conflict do nothing returning name, dedupe_key as "dedupeKey"`)
}

async function insertDone(tx: Tx, rows: readonly (NewRow & { readonly id: number })[], now: Date): Promise<void> {
  if (rows.length === 0) return
  await tx.execute(sql`
    insert into core_outbox (id, program_id, kind, name, payload, available_at, created_at, relayed_at, done_at)
    overriding system value
    select id, "programId", kind, name, payload, "availableAt", "createdAt", at.now, at.now
    from (select ${now.toISOString()}::timestamptz as now) at, jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
      as r (id bigint, "programId" uuid, kind text, name text, payload jsonb, "availableAt" timestamptz, "createdAt" timestamptz)`)
}

/**
 * Keeps the waiting jobs of these keys from being taken until `tx` ends: a job that began before would not see what `tx` has written, and nothing would run after
 * it. Several transactions may hold one job. Returns the keys of those that still wait.
 */
async function hold(tx: Tx, jobs: readonly Keyed[]): Promise<Keyed[]> {
  return tx.execute<{ name: string; dedupeKey: string | null }>(sql`
    select o.name, o.dedupe_key as "dedupeKey"
    from core_outbox o
    join (select distinct name, "dedupeKey" from jsonb_to_recordset(${JSON.stringify(jobs)}::text::jsonb) as j (name text, "dedupeKey" text)) j
      on o.name = j.name and o.dedupe_key = j."dedupeKey"
    where o.done_at is null
    order by o.id for share of o`)
}

const columns = sql`id, program_id as "programId", kind, name, payload, dedupe_key as "dedupeKey", created_at as "createdAt"`

/** What is needed of a row to deliver it. */
export type DueRow = Pick<OutboxRow, 'id' | 'programId' | 'kind' | 'name' | 'payload' | 'dedupeKey' | 'createdAt'>

const toDueRows = (rows: readonly (Omit<DueRow, 'id' | 'createdAt'> & { id: string; createdAt: string })[]): DueRow[] =>
  rows.map((row) => ({ ...row, id: Number(row.id), createdAt: new Date(row.createdAt) }))

const isFresh = (now: Date) =>
  sql`done_at is null and failed_at is null and relayed_at is null and available_at <= ${now.toISOString()}::timestamptz`

/** Events, and jobs of these names, that are due and were never handed to anyone: locked for this transaction and passed over by others. */
export async function takeFresh(tx: Tx, options: { now: Date; limit: number; jobs: readonly string[] }): Promise<DueRow[]> {
  const { now, limit, jobs } = options
  return toDueRows(
    await tx.execute(sql`
      select ${columns} from core_outbox
      where ${isFresh(now)} and (kind = 'event' or name = any(${`{${jobs.join()}}`}::text[]))
      order by id limit ${limit} for update skip locked`),
  )
}

/**
 * Jobs of other names that are due and were never handed to anyone, handed over now and their keys freed, as `markHandedOver` does. Who asks for such a job never
 * waits for whoever has it: so this is a transaction of its own, and a short one.
 */
export async function handOverFresh(db: Db, options: { now: Date; limit: number; except: readonly string[] }): Promise<DueRow[]> {
  const { now, limit, except } = options
  const rows = toDueRows(
    await db.execute(sql`
      update core_outbox set relayed_at = ${now.toISOString()}::timestamptz, dedupe_key = null
      where id in (
        select id from core_outbox
        where ${isFresh(now)} and kind = 'job' and name <> all(${`{${except.join()}}`}::text[])
        order by id limit ${limit} for update skip locked)
      returning ${columns}`),
  )
  return rows.sort((a, b) => a.id - b.id)
}

/** Rows that are open although they were handed over before that time, marked as handed over now. */
export async function takeStale(db: Db, options: { now: Date; handedOverBefore: Date; limit: number }): Promise<DueRow[]> {
  const { now, handedOverBefore, limit } = options
  const rows = toDueRows(
    await db.execute(sql`
      update core_outbox set relayed_at = ${now.toISOString()}::timestamptz
      where id in (
        select id from core_outbox
        where done_at is null and failed_at is null and relayed_at is not null and relayed_at < ${handedOverBefore.toISOString()}::timestamptz
        order by relayed_at limit ${limit} for update skip locked)
      returning ${columns}`),
  )
  return rows.sort((a, b) => a.id - b.id)
}

/** Records that the rows are in somebody's hands since `now`, and frees their keys: what is asked for from now on may concern facts that they no longer see. */
export async function markHandedOver(reader: Reader, ids: readonly number[], now: Date): Promise<void> {
  if (ids.length === 0) return
  await reader.execute(sql`
    update core_outbox set relayed_at = ${now.toISOString()}::timestamptz, dedupe_key = null
    where id = any(${`{${ids.join()}}`}::bigint[]) and done_at is null`)
}

/** Gives back rows that were taken and not begun. */
export async function giveBack(db: Db, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return
  await db.execute(sql`update core_outbox set relayed_at = null where id = any(${`{${ids.join()}}`}::bigint[]) and done_at is null`)
  await db.execute(sql`select pg_notify(${outboxChannel}, '')`)
}

/** Closes rows whose every target has handled them. */
export async function markDone(reader: Reader, ids: readonly number[], now: Date): Promise<void> {
  if (ids.length === 0) return
  const at = now.toISOString()
  await reader.execute(sql`
    update core_outbox set done_at = ${at}::timestamptz, relayed_at = coalesce(relayed_at, ${at}::timestamptz), failed_at = null, last_error = null
    where id = any(${`{${ids.join()}}`}::bigint[])`)
}

/**
 * Closes a row whose only target is `target`, in the target's own transaction. Returns false when it was closed before, or when the target handled it while the row
 * had others, which are gone since: then do nothing.
 */
export async function closeOnce(tx: Tx, outboxId: number, target: string, now: Date): Promise<boolean> {
  const [closed] = await tx
    .update(outbox)
    .set({ doneAt: now, failedAt: null, lastError: null })
    .where(and(eq(outbox.id, outboxId), isNull(outbox.doneAt)))
    .returning({ wasHandled: wasHandledBy(target) })
  return closed !== undefined && !closed.wasHandled
}

const wasHandledBy = (target: string) =>
  sql<boolean>`exists (select from core_deliveries d where d.outbox_id = core_outbox.id and d.target = ${target})`

/** Records that one of the row's `target`s handled it, in the target's own transaction. Returns false when it already had: then do nothing. */
export async function claimDelivery(tx: Tx, outboxId: number, target: string, now: Date): Promise<boolean> {
  const inserted = await tx
    .insert(deliveries)
    .values({ outboxId, target, handledAt: now })
    .onConflictDoNothing()
    .returning({ id: deliveries.outboxId })
  return inserted.length > 0
}

/** Those of the row's several targets that have handled it. */
async function handledTargets(reader: Db | Tx, outboxId: number): Promise<string[]> {
  return (await reader.select({ target: deliveries.target }).from(deliveries).where(eq(deliveries.outboxId, outboxId))).map(
    (row) => row.target,
  )
}

/** Closes the row once all of `targets` have handled it. */
export async function closeIfHandled(reader: Db | Tx, outboxId: number, targets: readonly string[], now: Date): Promise<void> {
  const handled = new Set(await handledTargets(reader, outboxId))
  if (targets.every((target) => handled.has(target)))
    await reader.update(outbox).set({ doneAt: now, failedAt: null, lastError: null }).where(eq(outbox.id, outboxId))
}

/** Sets the row aside after its last try, for an admin to see and retry. */
export async function setAside(db: Db, outboxId: number, error: string, now: Date): Promise<void> {
  await db
    .update(outbox)
    .set({ failedAt: now, lastError: error.slice(0, 2000), dedupeKey: null })
    .where(eq(outbox.id, outboxId))
}

/** Work of the program that was set aside, and what belongs to no program: nobody else would see to that. */
const wasSetAside = (programId: string) =>
  and(or(eq(outbox.programId, programId), isNull(outbox.programId)), isNull(outbox.doneAt), isNotNull(outbox.failedAt))

/** Work of the program, and of none, that was set aside, newest first. */
export async function listFailed(db: Db, programId: string, limit = 10): Promise<OutboxRow[]> {
  return db.select().from(outbox).where(wasSetAside(programId)).orderBy(sql`${outbox.id} desc`).limit(limit)
}

/** Some of its targets may have handled it: so it is not fresh, but stale. */
const beforeEverything = new Date(0)

/** Gives failed work of the program, and of none, another round of tries; returns how many rows. */
export async function retryFailed(db: Db, programId: string): Promise<number> {
  const rows = await db
    .update(outbox)
    .set({ failedAt: null, relayedAt: beforeEverything })
    .where(wasSetAside(programId))
    .returning({ id: outbox.id })
  if (rows.length > 0) await db.execute(sql`select pg_notify(${outboxChannel}, '')`)
  return rows.length
}
