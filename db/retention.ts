// How long the floor keeps what has done its duty. Facts of plugins are theirs to keep; events stay, because they are the program's history.
import { sql } from 'drizzle-orm'
import type { Db } from './connect.ts'

/** Days that rows are kept after they are finished. */
const keepDays = { interactions: 1, jobs: 7, deliveries: 30, tokens: 30, webhooks: 90 } as const

/** Deletes what is past its time, counted from `now`, and returns how many rows by table. Work that is still open, and what an admin set aside, is never touched. */
export async function prune(db: Db, now: Date): Promise<Record<keyof typeof keepDays, number>> {
  const before = (kept: keyof typeof keepDays) =>
    sql`${new Date(now.getTime() - keepDays[kept] * 86_400_000).toISOString()}::timestamptz`
  const count = async (query: ReturnType<typeof sql>) => (await db.execute(query)).count
  return {
    interactions: await count(
      sql`delete from core_interactions where finished_at is not null and created_at < ${before('interactions')}`,
    ),
    deliveries: await count(
      sql`delete from core_deliveries d using core_outbox o where o.id = d.outbox_id and o.kind = 'event' and o.done_at < ${before('deliveries')}`,
    ),
    jobs: await count(sql`delete from core_outbox where kind = 'job' and done_at < ${before('jobs')}`),
    tokens: await count(sql`delete from core_tokens where expires_at < ${before('tokens')}`),
    webhooks: await count(sql`delete from core_webhooks where handled_at < ${before('webhooks')} and set_aside_at is null`),
  }
}
