// The clicks of one link, from the sums of its hours; what is not summed up yet is counted. What clicks lead to is told by the statistics.
import { sql } from 'drizzle-orm'
import { days, type Reader } from '../../kit/index.ts'

/** Counted clicks: bots and previews left out, a visitor once an hour. */
export interface LinkClicks {
  readonly day: number
  readonly week: number
  readonly all: number
  /** The hour of the last click, or its moment when it is not summed up yet; null before the first. */
  readonly lastAt: Date | null
}

/** The clicks of a link in the last 24 hours (in whole hours), in 7 days, and since it was made. */
export async function clicksOf(
  reader: Reader,
  link: { id: string; programId: string; partnerId: string },
  now: Date,
): Promise<LinkClicks> {
  const since = (count: number) => sql`at >= ${new Date(now.getTime() - days(count)).toISOString()}::timestamptz`
  const [row] = await reader.execute<{ day: string; week: string; all: string; last_at: string | null }>(sql`
    select coalesce(sum(clicks) filter (where ${since(1)}), 0) as day, coalesce(sum(clicks) filter (where ${since(7)}), 0) as week,
      coalesce(sum(clicks), 0) as all, max(at) filter (where clicks > 0) as last_at
    from (
      select hour as at, counted as clicks from links_hours
      where link_id = ${link.id} and program_id = ${link.programId} and hour < (select through from links_summed)
      union all
      select at, 1 from links_clicks
      where program_id = ${link.programId} and partner_id = ${link.partnerId} and link_id = ${link.id} and counted
        and at >= (select through from links_summed)) c`)
  const { day, week, all, last_at: lastAt } = row!
  return {
    day: Number(day),
    week: Number(week),
    all: Number(all),
    lastAt: lastAt === null ? null : new Date(lastAt),
  }
}
