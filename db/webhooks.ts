// The inbox of webhooks: verified events are stored before they are handled, duplicates are counted, refusals leave a count and nothing else.
import { and, desc, eq, isNotNull, isNull, or, sql } from 'drizzle-orm'
import type { Clock } from '../plugins/kit/clock.ts'
import { amongTexts } from './among.ts'
import type { Db, Reader, Tx } from './connect.ts'
import { webhookRefusals, webhooks } from './tables.ts'

export type StoredWebhook = typeof webhooks.$inferSelect

export interface Incoming {
  readonly source: string
  readonly eventId: string
  readonly type: string
  readonly body: unknown
}

export interface WebhookInbox {
  /** Stores the event; false when it was already there (a duplicate, which is no error). Call within the transaction that enqueues its handling. */
  store(tx: Tx, event: Incoming): Promise<boolean>
  /** Stores many at once; the ids of those that were not there before. */
  storeAll(tx: Tx, events: readonly Incoming[]): Promise<string[]>
  /** Those of the events that are not handled yet, locked for handling. */
  openAll(tx: Tx, source: string, eventIds: readonly string[]): Promise<StoredWebhook[]>
  markAllHandled(tx: Tx, source: string, eventIds: readonly string[], programId: string): Promise<void>
  /** The event, locked for handling; undefined when it is already handled. */
  open(tx: Tx, source: string, eventId: string): Promise<StoredWebhook | undefined>
  markHandled(tx: Tx, source: string, eventId: string, programId?: string): Promise<void>
  /** Keeps the event for an admin, with a reason in plain words. */
  park(tx: Tx, source: string, eventId: string, reason: string, programId?: string): Promise<void>
  /** Parks an event that was handled: what it led to turned out not to work. */
  parkHandled(tx: Tx, source: string, eventId: string, reason: string, programId: string): Promise<void>
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
  const among = (source: string, eventIds: readonly string[]) =>
    and(eq(webhooks.source, source), amongTexts(webhooks.eventId, eventIds))

  const storeAll: WebhookInbox['storeAll'] = async (tx, events) => {
    // An event may come twice in one go, too.
    const times = Map.groupBy(events, ({ source, eventId }) => `${source} ${eventId}`)
    const rows = [...times.values()].map((same) => ({ ...same[0]!, deliveries: same.length }))
    const stored = await tx.execute<{ eventId: string; fresh: boolean }>(sql`
      insert into core_webhooks as w (source, event_id, type, body, received_at, deliveries)
      select r.source, r."eventId", r.type, r.body, ${clock.now().toISOString()}::timestamptz, r.deliveries
      from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r (source text, "eventId" text, type text, body jsonb, deliveries integer)
      order by 1, 2
      on conflict (source, event_id) do update set deliveries = w.deliveries + excluded.deliveries
      returning event_id as "eventId", xmax = 0 as fresh`)
    return stored.filter(({ fresh }) => fresh).map(({ eventId }) => eventId)
  }

  return {
    store: async (tx, event) => (await storeAll(tx, [event])).length > 0,
    storeAll,
    openAll: (tx, source, eventIds) =>
      tx
        .select()
        .from(webhooks)
        .where(and(among(source, eventIds), isNull(webhooks.handledAt)))
        .orderBy(webhooks.eventId)
        .for('update'),
    markAllHandled: async (tx, source, eventIds, programId) => {
      await tx
        .update(webhooks)
        .set({ handledAt: clock.now(), parkedAt: null, parkReason: null, programId })
        .where(among(source, eventIds))
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
    parkHandled: async (tx, source, eventId, reason, programId) => {
      await tx
        .update(webhooks)
        .set({ handledAt: null, parkedAt: clock.now(), parkReason: reason, programId })
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
