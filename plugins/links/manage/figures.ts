// What one link brought, from the sums of its clicks; what is not summed up yet is counted. What these numbers mean is said where they are made.
import { sql } from 'drizzle-orm'
import { addDays, dayOf, days, type Reader, startOfDay } from '../../kit/index.ts'
import { clickFigures } from '../figures.ts'

/** Counted clicks: bots and previews left out, a visitor once an hour. */
export interface LinkFigures {
  readonly day: number
  readonly week: number
  readonly month: number
  readonly all: number
  /** As statistics count them, in the last 30 days of the program. */
  readonly visitors: number
  /** The hour of the last click, or its moment when it is not summed up yet; null before the first. */
  readonly lastAt: Date | null
}

/** The clicks of a link in the last 24 hours (in whole hours), 7 and 30 days, and since it was made. */
export async function figuresOf(
  reader: Reader,
  link: { id: string; programId: string; partnerId: string },
  now: Date,
  timeZone: string,
): Promise<LinkFigures> {
  const [clicks, visitors] = await Promise.all([clicksOf(reader, link, now), visitorsOf(reader, link, now, timeZone)])
  return { ...clicks, visitors }
}

async function visitorsOf(
  reader: Reader,
  { id, programId, partnerId }: { id: string; programId: string; partnerId: string },
  now: Date,
  timeZone: string,
): Promise<number> {
  const today = dayOf(now, timeZone)
  const range = { from: addDays(today, -29), to: addDays(today, 1) }
  const rows = await clickFigures.read(reader, {
    programId,
    timeZone,
    partnerId,
    days: range,
    from: startOfDay(range.from, timeZone),
    to: startOfDay(range.to, timeZone),
    by: 'link',
    keys: [id],
  })
  return rows.reduce((sum, { counts }) => sum + (counts?.visitors ?? 0), 0)
}

async function clicksOf(
  reader: Reader,
  link: { id: string; programId: string; partnerId: string },
  now: Date,
): Promise<Omit<LinkFigures, 'visitors'>> {
  const since = (count: number) => sql`at >= ${new Date(now.getTime() - days(count)).toISOString()}::timestamptz`
  const [row] = await reader.execute<{ day: string; week: string; month: string; all: string; last_at: string | null }>(sql`
    select coalesce(sum(clicks) filter (where ${since(1)}), 0) as day, coalesce(sum(clicks) filter (where ${since(7)}), 0) as week,
      coalesce(sum(clicks) filter (where ${since(30)}), 0) as month, coalesce(sum(clicks), 0) as all, max(at) filter (where clicks > 0) as last_at
    from (
      select hour as at, counted as clicks from links_hours
      where link_id = ${link.id} and program_id = ${link.programId} and hour < (select through from links_summed)
      union all
      select at, 1 from links_clicks
      where program_id = ${link.programId} and partner_id = ${link.partnerId} and link_id = ${link.id} and counted
        and at >= (select through from links_summed)) c`)
  const { day, week, month, all, last_at: lastAt } = row!
  return {
    day: Number(day),
    week: Number(week),
    month: Number(month),
    all: Number(all),
    lastAt: lastAt === null ? null : new Date(lastAt),
  }
}
