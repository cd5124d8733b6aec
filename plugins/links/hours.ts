// Clicks summed by link and hour, the counts that are read from these sums, and the deletion of clicks that have been kept long enough.
import { type SQL, sql } from 'drizzle-orm'
import { type Db, days, hours, minutes, type Reader, type Tx } from '../kit/index.ts'

/** Clicks are summed up once no other of that time can still be on its way. */
const settledAfterMs = minutes(5)
/** One summing up at a time; clicks of the past are stored beside it and mark their hours, so none is forgotten. */
export const hoursLock = 7_405_563

/**
 * Sums up the hours since the last time, the one that is under way until a few minutes ago, and again those that clicks arrived for afterwards.
 * An hour is summed up from its beginning each time.
 */
export async function sumUp(db: Db, now: Date): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(${hoursLock})`)
    const until = instant(now.getTime() - settledAfterMs)
    // Marks are taken before the clicks are read: a click that is committed after that leaves its mark for the next time.
    const stale = await tx.execute<{ hour: string }>(
      sql`delete from links_stale_hours where hour < (select through from links_summed) returning hour`,
    )
    // Another worker may have come further already, and what it has summed up stays.
    await sumHours(
      tx,
      sql`at >= (select date_trunc('hour', through, 'utc') from links_summed) and at < (select greatest(through, ${until}) from links_summed)`,
    )
    await tx.execute(sql`update links_summed set through = greatest(through, ${until})`)
    for (const { hour } of stale)
      await sumHours(
        tx,
        sql`at >= ${hour}::timestamptz and at < least(${hour}::timestamptz + interval '1 hour', (select through from links_summed))`,
      )
  })
}

/** Sums up [from, to) anew, whole hours as far as they have been summed up before, from the clicks that are there. Sums of deleted clicks stay. */
export async function sumAgain(tx: Tx, from: Date, to: Date): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(${hoursLock})`)
  await sumHours(
    tx,
    sql`at >= ${instant(floorHour(from.getTime()))} and at < least(${instant(floorHour(to.getTime()))}, (select through from links_summed))`,
  )
}

async function sumHours(tx: Tx, range: SQL): Promise<void> {
  await tx.execute(sql`
    insert into links_hours as h (link_id, hour, program_id, partner_id, counted, people, rejected)
    select link_id, date_trunc('hour', at, 'utc'), program_id, partner_id,
      count(*) filter (where counted), count(*) filter (where rejected is null), count(*) filter (where rejected is not null)
    from links_clicks where ${range}
    group by link_id, date_trunc('hour', at, 'utc'), program_id, partner_id
    on conflict (link_id, hour, partner_id) do update
    set counted = excluded.counted, people = excluded.people,
      -- Rejected clicks are deleted after days, and the sum of an hour outlives them.
      rejected = greatest(h.rejected, excluded.rejected)
    where (h.counted, h.people) is distinct from (excluded.counted, excluded.people) or h.rejected < excluded.rejected`)
}

/** Counted clicks of a partner in [from, to). */
export interface Counting {
  readonly partnerId: string
  readonly from: Date
  readonly to: Date
}

/**
 * For each, in their order and in one statement: whole hours from their sums, also the one under way as far as it is summed up, and the rest from the clicks.
 * Those lie by time: ranges that begin or end together are counted for all partners at once, and one of whole hours reads the clicks of the last minutes at most.
 */
export async function countInRanges(reader: Reader, programId: string, asked: readonly Counting[]): Promise<number[]> {
  if (asked.length === 0) return []
  const ranges = asked.map(({ partnerId, from, to }, place) => {
    // [first, last) are the whole hours of the range.
    const first = Math.min(ceilHour(from.getTime()), to.getTime())
    return { place, partnerId, from, to, first: new Date(first), last: new Date(Math.max(first, floorHour(to.getTime()))) }
  })
  const rows = await reader.execute<{ clicks: string }>(sql`
    with ranges as materialized (
      select a.*, case when a."to" < s.through then a.last else greatest(s.through, a.first) end as through
      from links_summed s, jsonb_to_recordset(${JSON.stringify(ranges)}::text::jsonb)
        as a (place integer, "partnerId" uuid, "from" timestamptz, "to" timestamptz, first timestamptz, last timestamptz)
    ),
    edges as materialized (
      select since, until, c.partner_id, count(*) as clicks
      from (
        select distinct since, until
        from ranges, lateral (values ("from", first), (through, "to")) as edge (since, until) where since < until
      ) edge join links_clicks c on c.at >= since and c.at < until
      where c.program_id = ${programId}::uuid and c.counted and c.partner_id in (select "partnerId" from ranges)
      group by since, until, c.partner_id
    )
    select (select coalesce(sum(h.counted), 0) from links_hours h
        where h.program_id = ${programId}::uuid and h.partner_id = r."partnerId" and h.hour >= r.first and h.hour < r.through)
      + coalesce(b.clicks, 0) + coalesce(e.clicks, 0) as clicks
    from ranges r
      left join edges b on (b.partner_id, b.since, b.until) = (r."partnerId", r."from", r.first)
      left join edges e on (e.partner_id, e.since, e.until) = (r."partnerId", r.through, r."to")
    order by r.place`)
  return rows.map((row) => Number(row.clicks))
}

/** As `countInRanges` for one. */
export async function countInRange(
  reader: Reader,
  programId: string,
  partnerId: string,
  range: { from: Date; to: Date },
): Promise<number> {
  return (await countInRanges(reader, programId, [{ partnerId, ...range }]))[0]!
}

/**
 * What is not summed up yet. The planner cannot know that this is little, takes a condition with one end for a third of all clicks and reads a whole month;
 * one with two ends for very few, whatever they are, and finds them by their time.
 */
export const sinceSummed = sql`at >= (select through from links_summed) and at < 'infinity'`

/** Counted clicks of each of the partner's links, or of all links of the program, since there are links. Links without any are absent. */
export async function countByLink(reader: Reader, programId: string, partnerId: string | undefined): Promise<Map<string, number>> {
  const mine = sql`program_id = ${programId}${partnerId === undefined ? sql`` : sql` and partner_id = ${partnerId}`}`
  const rows = await reader.execute<{ link_id: string; clicks: string }>(sql`
    select link_id, sum(counted) as clicks from (
      select link_id, counted from links_hours where ${mine} and hour < (select through from links_summed)
      union all
      select link_id, 1 from links_clicks where ${mine} and counted and ${sinceSummed}) c
    group by link_id`)
  return new Map(rows.map((row) => [row.link_id, Number(row.clicks)]))
}

/** Counted clicks of a link, since there are links. */
export async function countOfLink(reader: Reader, link: { id: string; programId: string; partnerId: string }): Promise<number> {
  const [row] = await reader.execute<{ clicks: string }>(sql`
    select (select coalesce(sum(counted), 0) from links_hours where link_id = ${link.id} and hour < (select through from links_summed))
      + (select count(*) from links_clicks where program_id = ${link.programId} and partner_id = ${link.partnerId} and link_id = ${link.id}
        and counted and ${sinceSummed}) as clicks`)
  return Number(row!.clicks)
}

/** How long each program keeps its clicks. */
export interface Keeping {
  readonly programId: string
  readonly clickDays: number
  readonly rejectedClickDays: number
}

/** Deletes what has been kept long enough: whole months at once when no program needs them, else the clicks of the programs that do not. */
export async function forgetClicks(db: Db, programs: readonly Keeping[], now: Date): Promise<void> {
  const before = (kept: number) => instant(now.getTime() - days(kept))
  const longest = Math.max(0, ...programs.map(({ clickDays }) => clickDays))
  const gone = await db.execute<{ part: string }>(
    sql`select part from links_months where ends <= ${before(longest)} and ends <= (select through from links_summed) order by ends`,
  )
  for (const { part } of gone)
    await db.transaction(async (tx) => {
      // Dropping waits for whoever reads the clicks, and visitors wait behind it: better to try again another time.
      await tx.execute(sql`set local lock_timeout = '500ms'`)
      await tx.execute(sql`drop table ${sql.identifier(part)}`)
    })
  for (const { programId, clickDays, rejectedClickDays } of programs) {
    await db.execute(sql`delete from links_clicks where program_id = ${programId} and at < ${before(clickDays)}`)
    await db.execute(
      // What a browser fetched ahead may have been shown to a person, whose purchase names that click.
      sql`delete from links_clicks
        where program_id = ${programId} and rejected is not null and rejected <> 'prefetch' and at < ${before(rejectedClickDays)}`,
    )
  }
  await db.execute(sql`delete from links_visits where counted_at < ${instant(now.getTime() - hours(2))}`)
}

/** Makes the partitions of this month and the next two, so that no click has to wait for one. */
export async function prepareMonths(db: Db, now: Date): Promise<void> {
  for (const ahead of [0, 1, 2])
    await db.execute(sql`select links_ensure_month(${now.toISOString()}::timestamptz + make_interval(months => ${ahead}))`)
}

const hourMs = hours(1)
const floorHour = (ms: number) => Math.floor(ms / hourMs) * hourMs
const ceilHour = (ms: number) => Math.ceil(ms / hourMs) * hourMs
const instant = (ms: number) => sql`${new Date(ms).toISOString()}::timestamptz`
