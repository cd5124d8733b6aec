// The inbox of webhooks: verified events are stored before they are handled, duplicates are counted, refusals leave a count and nothing else.
import { and, desc, eq, isNotNull, isNull, or, sql } from 'drizzle-orm'
import type { Clock } from '../plugins/kit/clock.ts'
import type { Db, Reader, Tx } from './connect.ts'
import { webhookRefusals, webhooks } from './tables.ts'

export type StoredWebhook = typeof webhooks.$inferSelect

export interface WebhookInbox {
  /** Stores the event; false when it was already there (a duplicate, which is no error). Call within the transaction that enqueues its handling. */
  store(tx: Tx, event: { source: string; eventId: string; type: string; body: unknown }): Promise<boolean>
  /** The event, locked for handling; undefined when it is already handled. */
  open(tx: Tx, source: string, eventId: string): Promise<StoredWebhook | undefined>
  markHandled(tx: Tx, source: string, eventId: string, programId?: string): Promise<void>
  /** Keeps the event for an admin, with a reason in plain words. */
  park(tx: Tx, source: string, eventId: string, reason: string, programId?: string): Promise<void>
  /** The latest parked events of the program, and with `unassigned` those of no program yet, newest first. */
  parked(
    reader: Reader,
    source: string,
    programId: string,
    options: { unassigned: boolean; limit: number },
  ): Promise<StoredWebhook[]>
  /** Counts a refused delivery by reason (`bad_signature`, `too_old`, `malformed`). */
  refuse(db: Db, source: string, reason: string): Promise<void>
}

export function createWebhookInbox(clock: Clock): WebhookInbox {
  const one = (source: string, eventId: string) => and(eq(webhooks.source, source), eq(webhooks.eventId, eventId))
  return {
    store: async (tx, event) => {
      const [row] = await tx
        .insert(webhooks)
        .values({ ...event, receivedAt: clock.now() })
        .onConflictDoUpdate({ target: [webhooks.source, webhooks.eventId], set: { deliveries: sql`${webhooks.deliveries} + 1` } })
        .returning({ deliveries: webhooks.deliveries })
      return row!.deliveries === 1
    },
    open: async (tx, source, eventId) =>
      (
        await tx
          .select()
          .from(webhooks)
          .where(and(one(source, eventId), isNull(webhooks.handledAt)))
          .for('update')
      )[0],
    markHandled: async (tx, source, eventId, programId) => {
      await tx
        .update(webhooks)
        .set({ handledAt: clock.now(), parkedAt: null, parkReason: null, ...(programId && { programId }) })
        .where(one(source, eventId))
    },
    park: async (tx, source, eventId, reason, programId) => {
      await tx
        .update(webhooks)
        .set({ parkedAt: clock.now(), parkReason: reason, ...(programId && { programId }) })
        .where(one(source, eventId))
    },
    parked: (reader, source, programId, { unassigned, limit }) =>
      reader
        .select()
        .from(webhooks)
        .where(
          and(
            eq(webhooks.source, source),
            isNotNull(webhooks.parkedAt),
            isNull(webhooks.handledAt),
            unassigned ? or(eq(webhooks.programId, programId), isNull(webhooks.programId)) : eq(webhooks.programId, programId),
          ),
        )
        .orderBy(desc(webhooks.parkedAt))
        .limit(limit),
    refuse: async (db, source, reason) => {
      const day = clock.now().toISOString().slice(0, 10)
      await db
        .insert(webhookRefusals)
        .values({ source, reason, day })
        .onConflictDoUpdate({
          target: [webhookRefusals.source, webhookRefusals.reason, webhookRefusals.day],
          set: { count: sql`${webhookRefusals.count} + 1` },
        })
    },
  }
}
