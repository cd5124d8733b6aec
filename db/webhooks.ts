// The inbox of webhooks: verified events are stored before they are handled, duplicates are counted, refusals leave a count and nothing else.
import { and, asc, count, desc, eq, isNotNull, isNull, ne, or, type SQL, sql } from 'drizzle-orm'
import type { Clock } from '../plugins/kit/clock.ts'
import { amongTexts, textArray } from './among.ts'
import type { Db, Reader, Tx } from './connect.ts'
import { webhookRefusals, webhooks } from './tables.ts'

export type StoredWebhook = typeof webhooks.$inferSelect

export interface Incoming {
  readonly source: string
  readonly eventId: string
  readonly type: string
  readonly body: unknown
}

/** Events of a vendor that the admins of a program see: the program's own, and with `unassigned` those of no program yet. */
export interface Whose {
  readonly source: string
  readonly programId: string
  readonly unassigned: boolean
}

/** An event that is parked, or that was and was set aside. */
export interface ParkedWebhook extends Pick<StoredWebhook, 'eventId' | 'type' | 'receivedAt' | 'deliveries' | 'parkReason'> {
  readonly parkedAt: Date
  readonly setAside: { readonly at: Date; readonly by: string; readonly reason: string } | null
}

export interface ParkedPage {
  readonly list: 'parked' | 'aside'
  /** Of all pages. */
  readonly total: number
  /** From 0; the last one when a later one was asked for. */
  readonly page: number
  readonly events: readonly ParkedWebhook[]
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
  /** Parks an event that was handled: what it led to turned out not to work. One that was set aside stays so, unless the reason is another. */
  parkHandled(tx: Tx, source: string, eventId: string, reason: string, programId: string): Promise<void>
  /** The events that are parked, or those that were set aside, newest first. */
  parkedPage(reader: Reader, whose: Whose, options: { list: ParkedPage['list']; page: number; size: number }): Promise<ParkedPage>
  countParked(reader: Reader, whose: Whose): Promise<number>
  /** Every parked event, in the order in which they came. */
  parkedIds(reader: Reader, whose: Whose): Promise<string[]>
  /** Parked events of the program whose body has one of these texts at the path, in the order in which they came. */
  parkedWith(reader: Reader, whose: Whose, path: readonly string[], texts: readonly string[]): Promise<string[]>
  /** The event, if it is parked or was set aside. */
  parkedOne(reader: Reader, whose: Whose, eventId: string): Promise<ParkedWebhook | undefined>
  /** Settles a parked event by an admin's word, for good: it counts as handled, and is not deleted in time. Undefined when it is not parked. */
  setAside(tx: Tx, whose: Whose, eventId: string, word: { by: string; reason: string }): Promise<ParkedWebhook | undefined>
  /** Readies an event for handling that is parked or was set aside; false when it is neither. */
  reopen(tx: Tx, whose: Whose, eventId: string): Promise<boolean>
  /** Counts a refused delivery by reason (`bad_signature`, `too_old`, `malformed`). */
  refuse(db: Db, source: string, reason: string): Promise<void>
}

export function createWebhookInbox(clock: Clock): WebhookInbox {
  const one = (source: string, eventId: string) => and(eq(webhooks.source, source), eq(webhooks.eventId, eventId))
  const among = (source: string, eventIds: readonly string[]) =>
    and(eq(webhooks.source, source), amongTexts(webhooks.eventId, eventIds))

  const visible = ({ source, programId, unassigned }: Whose) =>
    and(
      eq(webhooks.source, source),
      unassigned ? or(eq(webhooks.programId, programId), isNull(webhooks.programId)) : eq(webhooks.programId, programId),
    )
  const isParked = and(isNotNull(webhooks.parkedAt), isNull(webhooks.handledAt))
  const isAside = isNotNull(webhooks.setAsideAt)
  const countOf = async (reader: Reader, whose: Whose, condition: SQL | undefined): Promise<number> =>
    (
      await reader
        .select({ n: count() })
        .from(webhooks)
        .where(and(visible(whose), condition))
    )[0]!.n

  const parkedWhere = async (reader: Reader, whose: Whose, condition?: SQL): Promise<string[]> =>
    (
      await reader
        .select({ eventId: webhooks.eventId })
        .from(webhooks)
        .where(and(visible(whose), isParked, condition))
        .orderBy(asc(webhooks.receivedAt), asc(webhooks.eventId))
    ).map(({ eventId }) => eventId)

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
        .where(and(one(source, eventId), isNull(webhooks.handledAt)))
    },
    parkHandled: async (tx, source, eventId, reason, programId) => {
      await tx
        .update(webhooks)
        .set({ handledAt: null, parkedAt: clock.now(), parkReason: reason, programId, ...notAside })
        .where(and(one(source, eventId), or(isNull(webhooks.setAsideAt), ne(webhooks.parkReason, reason))))
    },
    parkedPage: async (reader, whose, { list, page: asked, size }) => {
      const [condition, latest] = list === 'parked' ? [isParked, webhooks.parkedAt] : [isAside, webhooks.setAsideAt]
      const total = await countOf(reader, whose, condition)
      const page = Math.max(0, Math.min(asked, Math.ceil(total / size) - 1))
      const rows = await reader
        .select(parkedColumns)
        .from(webhooks)
        .where(and(visible(whose), condition))
        .orderBy(desc(latest), desc(webhooks.eventId))
        .limit(size)
        .offset(page * size)
      return { list, total, page, events: rows.map(toParked) }
    },
    countParked: (reader, whose) => countOf(reader, whose, isParked),
    parkedIds: (reader, whose) => parkedWhere(reader, whose),
    parkedWith: (reader, whose, path, texts) =>
      parkedWhere(reader, whose, amongTexts(sql`${webhooks.body} #>> ${textArray(path)}::text[]`, texts)),
    parkedOne: async (reader, whose, eventId) => {
      const [row] = await reader
        .select(parkedColumns)
        .from(webhooks)
        .where(and(visible(whose), eq(webhooks.eventId, eventId), or(isParked, isAside)))
      return row && toParked(row)
    },
    setAside: async (tx, whose, eventId, { by, reason }) => {
      const now = clock.now()
      const [row] = await tx
        .update(webhooks)
        .set({ handledAt: now, programId: whose.programId, setAsideAt: now, setAsideBy: by, setAsideReason: reason })
        .where(and(visible(whose), eq(webhooks.eventId, eventId), isParked))
        .returning(parkedColumns)
      return row && toParked(row)
    },
    reopen: async (tx, whose, eventId) => {
      const rows = await tx
        .update(webhooks)
        .set({ handledAt: null, ...notAside })
        .where(and(visible(whose), eq(webhooks.eventId, eventId), or(isParked, isAside)))
        .returning({ eventId: webhooks.eventId })
      return rows.length > 0
    },
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

const notAside = { setAsideAt: null, setAsideBy: null, setAsideReason: null } as const

/** Without the body: lists have no use for it. */
const parkedColumns = {
  eventId: webhooks.eventId,
  type: webhooks.type,
  receivedAt: webhooks.receivedAt,
  deliveries: webhooks.deliveries,
  parkedAt: webhooks.parkedAt,
  parkReason: webhooks.parkReason,
  setAsideAt: webhooks.setAsideAt,
  setAsideBy: webhooks.setAsideBy,
  setAsideReason: webhooks.setAsideReason,
}

function toParked({
  setAsideAt,
  setAsideBy,
  setAsideReason,
  parkedAt,
  ...event
}: Pick<StoredWebhook, keyof typeof parkedColumns>): ParkedWebhook {
  return {
    ...event,
    parkedAt: parkedAt!,
    setAside: setAsideAt && { at: setAsideAt, by: setAsideBy!, reason: setAsideReason! },
  }
}
