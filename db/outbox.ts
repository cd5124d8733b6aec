// The outbox: facts and work asked for by a transaction, kept until every target has handled them. What matters is never only in a queue.
import { and, asc, eq, isNull, lt, lte, or, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Clock } from '../plugins/kit/clock.ts'
import type { DomainEvent, Emit } from '../plugins/kit/events.ts'
import type { Enqueue } from '../plugins/kit/jobs.ts'
import type { Db, Tx } from './connect.ts'
import { deliveries, outbox } from './tables.ts'

/** The NOTIFY channel that wakes the relay. */
export const outboxChannel = 'core_outbox'

export type OutboxRow = typeof outbox.$inferSelect

/** Writes events and jobs within the caller's transaction. @throws ZodError when a payload is not of its declared shape */
export function createOutbox(clock: Clock): { emit: Emit; enqueue: Enqueue } {
  return {
    emit: async (tx, event, payload) => {
      await insert(tx, {
        programId: payload.programId,
        kind: 'event',
        name: event.name,
        payload: encode(event as DomainEvent, payload),
        availableAt: clock.now(),
        createdAt: clock.now(),
      })
    },
    enqueue: async (tx, job, payload, options = {}) => {
      await insert(tx, {
        programId: options.programId ?? null,
        kind: 'job',
        name: job.name,
        payload: z.encode(job.payload, payload),
        dedupeKey: options.dedupeKey ?? null,
        availableAt: options.at ?? clock.now(),
        createdAt: clock.now(),
      })
    },
  }
}

function encode(event: DomainEvent, payload: object): unknown {
  return z.encode(event.schema, payload as never)
}

async function insert(tx: Tx, row: typeof outbox.$inferInsert): Promise<void> {
  await tx.insert(outbox).values(row).onConflictDoNothing()
  await tx.execute(sql`select pg_notify(${outboxChannel}, '')`)
}

/**
 * Rows to hand to the queue: due, open, and not handed over since `relayedBefore` (what was handed over at that very instant is left alone). Marks them as handed over; the caller adds them to the queue before
 * the transaction commits, so a crash in between hands them over again.
 */
export async function takeDue(tx: Tx, options: { now: Date; relayedBefore: Date; limit: number }): Promise<OutboxRow[]> {
  const rows = await tx
    .select()
    .from(outbox)
    .where(
      and(
        isNull(outbox.doneAt),
        isNull(outbox.failedAt),
        lte(outbox.availableAt, options.now),
        or(isNull(outbox.relayedAt), lt(outbox.relayedAt, options.relayedBefore)),
      ),
    )
    .orderBy(asc(outbox.id))
    .limit(options.limit)
    .for('update', { skipLocked: true })
  if (rows.length > 0)
    await tx.execute(sql`update core_outbox set relayed_at = ${options.now.toISOString()} where id in ${rows.map((row) => row.id)}`)
  return rows
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

/** Frees the row's key when its job starts: what is asked for from now on may concern facts that this run no longer sees, so it needs a run of its own. */
export async function releaseDedupeKey(db: Db, outboxId: number): Promise<void> {
  await db.update(outbox).set({ dedupeKey: null }).where(eq(outbox.id, outboxId))
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

/** Gives failed work of the program another round of tries; returns how many rows. */
export async function retryFailed(db: Db, programId: string): Promise<number> {
  const rows = await db
    .update(outbox)
    .set({ failedAt: null, relayedAt: null })
    .where(and(eq(outbox.programId, programId), isNull(outbox.doneAt), sql`${outbox.failedAt} is not null`))
    .returning({ id: outbox.id })
  if (rows.length > 0) await db.execute(sql`select pg_notify(${outboxChannel}, '')`)
  return rows.length
}
