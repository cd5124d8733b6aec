// The outbox: facts and work asked for by a transaction, kept until every target has handled them. What matters is never only in a queue.
import { and, eq, isNull, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Clock } from '../plugins/kit/clock.ts'
import type { DomainEvent, Emit } from '../plugins/kit/events.ts'
import type { Enqueue, EnqueueOptions, Job } from '../plugins/kit/jobs.ts'
import type { Db, Reader, Tx } from './connect.ts'
import { deliveries, outbox } from './tables.ts'

/** The NOTIFY channel that wakes the relay. */
export const outboxChannel = 'core_outbox'

export type OutboxRow = typeof outbox.$inferSelect

/** Writes events and jobs within the caller's transaction. @throws ZodError when a payload is not of its declared shape */
export function createOutbox(clock: Clock): { emit: Emit; enqueue: Enqueue } {
  const emit: Emit = async (tx, event, ...payloads) => {
    const { schema, name } = event as DomainEvent
    await insert(
      tx,
      clock.now(),
      payloads.map((payload) => ({
        program_id: payload.programId,
        kind: 'event',
        name,
        payload: z.encode(schema, payload as never),
        dedupe_key: null,
        available_at: null,
      })),
    )
  }
  const many: Enqueue['many'] = async (tx, job, requests) => {
    let rows = requests.map(({ payload, programId, dedupeKey, at }) => ({
      program_id: programId ?? null,
      kind: 'job' as const,
      name: job.name,
      payload: z.encode(job.payload, payload),
      dedupe_key: dedupeKey ?? null,
      available_at: at?.toISOString() ?? null,
    }))
    // What waits already may be done by the time it is held; then it is asked for after all.
    while (rows.length > 0) {
      const written = new Set(await insert(tx, clock.now(), rows))
      const waiting = rows.flatMap(({ dedupe_key: key }) => (key === null || written.has(key) ? [] : [key]))
      if (waiting.length === 0) return
      const held = new Set(await hold(tx, job.name, waiting))
      rows = rows.filter(({ dedupe_key: key }) => key !== null && !written.has(key) && !held.has(key))
    }
  }
  const enqueue = <T>(tx: Tx, job: Job<T>, payload: T, options: EnqueueOptions = {}) => many(tx, job, [{ payload, ...options }])
  return { emit, enqueue: Object.assign(enqueue, { many }) }
}

interface NewRow {
  program_id: string | null
  kind: 'event' | 'job'
  name: string
  payload: unknown
  dedupe_key: string | null
  available_at: string | null
}

/** Returns the keys of what was written; what has no key is always written. */
async function insert(tx: Tx, now: Date, rows: readonly NewRow[]): Promise<string[]> {
  if (rows.length === 0) return []
  const written = await tx.execute<{ key: string | null }>(sql`
    insert into core_outbox (program_id, kind, name, payload, dedupe_key, available_at, created_at)
    select r.program_id, r.kind, r.name, r.payload, r.dedupe_key, coalesce(r.available_at, at.now), at.now
    from (select ${now.toISOString()}::timestamptz as now) at, jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
      as r (program_id uuid, kind text, name text, payload jsonb, dedupe_key text, available_at timestamptz)
    on conflict do nothing returning dedupe_key as key`)
  return written.flatMap(({ key }) => key ?? [])
}

/**
 * Keeps the waiting jobs of these keys from being taken until `tx` ends: a job that began before would not see what `tx` has written, and nothing would run after
 * it. Several transactions may hold one job. Returns the keys of those that still wait.
 */
async function hold(tx: Tx, name: string, keys: readonly string[]): Promise<string[]> {
  const rows = await tx.execute<{ key: string }>(sql`
    select dedupe_key as key from core_outbox
    where name = ${name} and done_at is null and dedupe_key in (select jsonb_array_elements_text(${JSON.stringify(keys)}::text::jsonb))
    order by id for share`)
  return rows.map(({ key }) => key)
}

const columns = sql`id, program_id as "programId", kind, name, payload, dedupe_key as "dedupeKey", created_at as "createdAt"`

/** What is needed of a row to deliver it. */
export type DueRow = Pick<OutboxRow, 'id' | 'programId' | 'kind' | 'name' | 'payload' | 'dedupeKey' | 'createdAt'>

const toDueRows = (rows: readonly (Omit<DueRow, 'id' | 'createdAt'> & { id: string; createdAt: string })[]): DueRow[] =>
  rows.map((row) => ({ ...row, id: Number(row.id), createdAt: new Date(row.createdAt) }))

/** Rows that are due and were never handed to anyone, locked for this transaction and passed over by others. With `jobs`, of the jobs only those names. */
export async function takeFresh(tx: Tx, options: { now: Date; limit: number; jobs?: readonly string[] }): Promise<DueRow[]> {
  const { now, limit, jobs } = options
  return toDueRows(
    await tx.execute(sql`
      select ${columns} from core_outbox
      where done_at is null and failed_at is null and relayed_at is null and available_at <= ${now.toISOString()}::timestamptz
        and ${jobs === undefined ? sql`true` : sql`(kind = 'event' or name = any(${`{${jobs.join()}}`}::text[]))`}
      order by id limit ${limit} for update skip locked`),
  )
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

/** Records that `target` handled the row, in the target's own transaction. Returns false when it already had: then do nothing. */
export async function claimDelivery(tx: Tx, outboxId: number, target: string, now: Date): Promise<boolean> {
  const inserted = await tx
    .insert(deliveries)
    .values({ outboxId, target, handledAt: now })
    .onConflictDoNothing()
    .returning({ id: deliveries.outboxId })
  return inserted.length > 0
}

/** The targets that have handled the row. */
export async function handledTargets(reader: Db | Tx, outboxId: number): Promise<string[]> {
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

/** Work that was set aside, newest first. */
export async function listFailed(db: Db, programId: string, limit = 10): Promise<OutboxRow[]> {
  return db
    .select()
    .from(outbox)
    .where(and(eq(outbox.programId, programId), isNull(outbox.doneAt), sql`${outbox.failedAt} is not null`))
    .orderBy(sql`${outbox.id} desc`)
    .limit(limit)
}

/** Some of its targets may have handled it: so it is not fresh, but stale. */
const beforeEverything = new Date(0)

/** Gives failed work of the program another round of tries; returns how many rows. */
export async function retryFailed(db: Db, programId: string): Promise<number> {
  const rows = await db
    .update(outbox)
    .set({ failedAt: null, relayedAt: beforeEverything })
    .where(and(eq(outbox.programId, programId), isNull(outbox.doneAt), sql`${outbox.failedAt} is not null`))
    .returning({ id: outbox.id })
  if (rows.length > 0) await db.execute(sql`select pg_notify(${outboxChannel}, '')`)
  return rows.length
}
