// The clicks of one link, from the sums of its hours; what is not summed up yet is counted. What clicks lead to is told by the statistics.
import { sql } from 'drizzle-orm'
import { days, type Reader } from '../../kit/index.ts'
import { sinceSummed } from '../hours.ts'

/** Counted clicks: bots and previews left out, a visitor once an hour. */
export interface LinkClicks {
  readonly day: number
  readonly week: number
  readonly all: number
  /** The moment of the last click, its hour when the click itself is not kept any more; null before the first. */
  readonly lastAt: Date | null
}

/** The clicks of a link in the last 24 hours (in whole hours), in 7 days, and since it was made. */
export async function clicksOf(
  reader: Reader,
  link: { id: string; programId: string; partnerId: string },
  now: Date,
): Promise<LinkClicks> {
  const since = (count: number) => sql`at >= ${new Date(now.getTime() - days(count)).toISOString()}::timestamptz`
  const own = sql`program_id = ${link.programId} and partner_id = ${link.partnerId} and link_id = ${link.id} and counted`
  const [row] = await reader.execute<{ day: string; week: string; all: string; last_at: string | null }>(sql`
    with clicks as materialized (
      select hour as at, counted as clicks from links_hours
      where link_id = ${link.id} and program_id = ${link.programId} and hour < (select through from links_summed)
      union all
      select at, 1 from links_clicks where ${own} and ${sinceSummed}
    ),
    last as (select max(at) as at from clicks where clicks > 0)
    select coalesce(sum(clicks) filter (where ${since(1)}), 0) as day, coalesce(sum(clicks) filter (where ${since(7)}), 0) as week,
      coalesce(sum(clicks), 0) as all,
      coalesce(
        (select max(at) from links_clicks where ${own} and at >= (select at from last) and at < (select at from last) + interval '1 hour'),
        (select at from last)) as last_at
    from clicks`)
  const { day, week, all, last_at: lastAt } = row!
  return {
    day: Number(day),
    week: Number(week),
    all: Number(all),
    lastAt: lastAt === null ? null : new Date(lastAt),
  }
}
