// Clicks and visitors for statistics: from their sums by day, and from the clicks for the last minutes. One statement, whatever is asked.
import { sql } from 'drizzle-orm'
import type { Dimension, FigureQuestion, FigureRow, FigureSource } from '../analytics/public.ts'
import { amongIds, type Reader } from '../kit/index.ts'
import { clickValues, isFirstSince, readFrom } from './days.ts'

/** What links contribute to the statistics. */
export const clickFigures: FigureSource = { id: 'links.clicks', read: readClicks, names: readNames }

/** The statement and so the plan behind every card, for tests and measurements. */
export function clicksQuery(question: FigureQuestion) {
  const { programId, timeZone, partnerId, days, to, by, keys, daily } = question
  const dimension = partnerId !== undefined && by === 'partner' ? 'all' : (by ?? 'all')
  const key = partnerId !== undefined && by === 'partner' ? sql`${partnerId}` : sql`value`
  const known = keys?.filter((value) => value !== null)
  const isWanted = known && dimension !== 'all' ? sql`and value in ${known.length > 0 ? known : [null]}` : sql``
  const from = sql`${days.from}::date`
  return sql`
    with summed as materialized (
      select coalesce(max(through), '-infinity') as through, coalesce(max(read_from), '-infinity') as read_from,
        ((coalesce(max(through), '-infinity') - interval '1 microsecond') at time zone ${timeZone})::date as last_day
      from links_days_summed where program_id = ${programId} and time_zone = ${timeZone}
    ),
    tail as (
      select c.at, (c.at at time zone ${timeZone})::date as day, ${clickValues[dimension]} as value, ${isFirstSince(sql`(select read_from from summed)`)} as first
      from links_clicks c
      where c.program_id = ${programId} ${partnerId === undefined ? sql`` : sql`and c.partner_id = ${partnerId}`} and c.counted
        and c.at >= greatest((select read_from from summed), ${readFrom(from, sql`${timeZone}`)}) and c.at < ${to.toISOString()}::timestamptz
    )
    select ${daily ? sql`day::text` : sql`null`} as day, ${by ? key : sql`null`} as key, sum(clicks)::text as clicks, sum(visitors)::text as visitors
    from (
      select day, value, clicks, visitors from links_days
      where program_id = ${programId} and partner_id ${partnerId === undefined ? sql`is null` : sql`= ${partnerId}`} and dimension = ${dimension}
        and day >= ${from} and day < ${days.to}::date and day <= (select last_day from summed)
      union all
      select day, value, 1, first::integer from tail where at >= (select through from summed) and day >= ${from}
    ) counted
    where true ${isWanted}
    group by 1, 2`
}

async function readClicks(reader: Reader, question: FigureQuestion): Promise<FigureRow[]> {
  const rows = await reader.execute<{ day: string | null; key: string | null; clicks: string; visitors: string }>(
    clicksQuery(question),
  )
  return rows.map(({ day, key, clicks, visitors }) => ({
    ...(day !== null && { day }),
    ...(key !== null && { key }),
    counts: { clicks: Number(clicks), visitors: Number(visitors) },
  }))
}

/** Links by code and campaign, landing pages by name. */
async function readNames(
  reader: Reader,
  programId: string,
  dimension: Dimension,
  keys: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (dimension !== 'link' && dimension !== 'page') return new Map()
  const listed = sql`program_id = ${programId} and ${amongIds(sql`id`, keys)}`
  const rows = await reader.execute<{ id: string; name: string }>(
    dimension === 'link'
      ? sql`select id, code || coalesce(' · ' || campaign, '') as name from links_links where ${listed}`
      : sql`select id, name from links_landing_pages where ${listed}`,
  )
  return new Map(rows.map(({ id, name }) => [id, name]))
}
