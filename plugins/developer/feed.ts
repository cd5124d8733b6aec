// The feed of public events: seals what has happened into an order that never changes, and reads it from a cursor on. Knows no HTTP.
import { and, asc, eq, gt, inArray, sql } from 'drizzle-orm'
import type { Logger } from 'pino'
import { type Clock, type Db, days, newId, type Reader, type Settings, type Tx, UserError } from '../kit/index.ts'
import type { Config } from './config.ts'
import type { PublicEvent } from './public.ts'
import { events, feeds, unsealed } from './tables.ts'

export type FeedEvent = typeof events.$inferSelect

export interface Feed {
  /**
   * Gives every event that is committed by now its place, once, in whatever order the transactions committed. Sealing is done by one at a time, and its lock is
   * held until it has committed: so whoever sees a position has seen, or can see, all lower ones.
   */
  seal(): Promise<void>
  /**
   * Events after the cursor, or from the oldest on, and the cursor to read on from; seals first. @throws UserError for a cursor before what was
   * forgotten (410)
   */
  read(programId: string, page: { after?: number | undefined; limit: number }): Promise<{ events: FeedEvent[]; next: number }>
  /** Forgets events that are older than the program keeps them, up to the first that is not, or is still to be sent: what is left has no gaps. */
  forget(programId: string): Promise<void>
}

/** The name of the lock under which sealing is done. */
const sealLock = 7_405_561
const batch = 500

interface Parts {
  db: Db
  clock: Clock
  log: Logger
  settings: Settings<Config>
  publicEvents: () => readonly PublicEvent[]
  /** What else belongs into the transaction that seals. */
  onSealed: (tx: Tx, events: readonly FeedEvent[]) => Promise<void>
}

export function createFeed({ db, clock, log, settings, publicEvents, onSealed }: Parts): Feed {
  async function sealBatch(): Promise<number> {
    return db.transaction(async (tx) => {
      await tx.execute(sql`select pg_advisory_xact_lock(${sealLock})`)
      const rows = await openRows(tx, clock.now())
      if (rows.length === 0) return 0
      const sealed: number[] = []
      const made: (typeof events.$inferInsert)[] = []
      for (const row of rows) {
        try {
          made.push(...published(row, publicEvents()))
          sealed.push(row.outboxId)
        } catch (error) {
          // A bug in a plugin's mapping. The event waits for a version that mends it and is then published, instead of holding up all others.
          log.error(
            { err: error, event: row.name, outboxId: row.outboxId },
            'an event could not be published; it is tried again every hour',
          )
          const problem = String(error).slice(0, 500)
          await tx.update(unsealed).set({ problem, triedAt: clock.now() }).where(eq(unsealed.outboxId, row.outboxId))
        }
      }
      if (made.length > 0) await onSealed(tx, await tx.insert(events).values(made).returning())
      if (sealed.length > 0) await tx.delete(unsealed).where(inArray(unsealed.outboxId, sealed))
      return rows.length
    })
  }

  const seal: Feed['seal'] = async () => {
    const [open] = await db.select({ id: unsealed.outboxId }).from(unsealed).limit(1)
    if (!open) return
    while ((await sealBatch()) === batch);
  }

  return {
    seal,
    read: async (programId, { after, limit }) => {
      await seal()
      const found = await db
        .select()
        .from(events)
        .where(and(eq(events.programId, programId), gt(events.position, after ?? 0)))
        .orderBy(asc(events.position))
        .limit(limit)
      // Looked at afterwards: what is forgotten meanwhile is not skipped unsaid.
      const [feed] = await db.select().from(feeds).where(eq(feeds.programId, programId))
      const forgotten = feed?.forgottenThrough ?? 0
      if (after !== undefined && after < forgotten)
        throw new UserError(
          'cursor_expired',
          'Events after this cursor were forgotten already, so some were missed. Read what there is now (sales, leads), then begin without “after”.',
          { status: 410 },
        )
      return { events: found, next: found.at(-1)?.position ?? after ?? forgotten }
    },
    forget: async (programId) => {
      await seal()
      const { eventDays } = await settings.of(db, programId)
      const before = new Date(clock.now().getTime() - days(eventDays)).toISOString()
      await db.execute(sql`
        with forgotten as (
          delete from developer_events e
          where e.program_id = ${programId}::uuid and e.position < coalesce((
            select k.position from developer_events k
            where k.program_id = ${programId}::uuid and (k.occurred_at >= ${before}::timestamptz or exists (
              select from developer_sends s join developer_endpoints p on p.id = s.endpoint_id
              where s.position = k.position and s.state = 'pending' and p.disabled_at is null))
            order by k.position limit 1), ${Number.MAX_SAFE_INTEGER}::bigint)
          returning position
        )
        insert into developer_feeds (program_id, forgotten_through)
        select ${programId}::uuid, max(position) from forgotten having count(*) > 0
        on conflict (program_id) do update set forgotten_through = greatest(developer_feeds.forgotten_through, excluded.forgotten_through)`)
    },
  }
}

interface OpenRow {
  outboxId: number
  programId: string
  name: string
  payload: unknown
  at: Date
}

async function openRows(reader: Reader, now: Date): Promise<OpenRow[]> {
  const anHourAgo = new Date(now.getTime() - 3_600_000).toISOString()
  const rows = await reader.execute<{ id: string; program_id: string; name: string; payload: unknown; created_at: string }>(sql`
    select u.outbox_id::text as id, u.program_id, o.name, o.payload, o.created_at
    from developer_unsealed u join core_outbox o on o.id = u.outbox_id
    where u.problem is null or u.tried_at < ${anHourAgo}::timestamptz
    order by u.outbox_id limit ${batch}`)
  return rows.map((row) => ({
    outboxId: Number(row.id),
    programId: row.program_id,
    name: row.name,
    payload: row.payload,
    at: new Date(row.created_at),
  }))
}

/** What is told of the event; nothing when it is not public. @throws whatever is wrong with the mapping */
function published(row: OpenRow, publicEvents: readonly PublicEvent[]): (typeof events.$inferInsert)[] {
  return publicEvents
    .filter(({ event }) => event.name === row.name)
    .map(({ type, version, event, schema, map }) => ({
      id: newId(row.at),
      programId: row.programId,
      outboxId: row.outboxId,
      type,
      version,
      data: schema.parse(map(event.schema.parse(row.payload) as never)),
      occurredAt: row.at,
    }))
}
