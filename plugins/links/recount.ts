// Proves the sums of clicks against the clicks themselves, and makes those right that are not. Reads every click of the days that are asked about: not for everyday.
import { sql } from 'drizzle-orm'
import { type Db, days, type Tx } from '../kit/index.ts'
import { type Due, daysLock, fromTheBeginning, sumDays, sumInto } from './days.ts'
import { hoursLock, type Keeping, sumUp } from './hours.ts'

/** What came of a day, which is one of the program's time zone. */
export interface Recounted {
  readonly programId: string
  readonly day: string
  /** Counted clicks. */
  readonly clicks: number
  /** Sums by link and hour that were not what the clicks say. */
  readonly wrongHours: number
  /** Sums by day and what clicks can be told apart by that were not. */
  readonly wrongDays: number
}

export interface Recounting {
  /** Days of the program's time zone, both included; without them from the first to the last that can be counted. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** Makes right what is wrong; else it is only counted. */
  readonly repair: boolean
  readonly now: Date
}

/**
 * Counts a program's days that are over once more, each in transactions of its own, so that it can be stopped at any time, and tells of each as it is done.
 * Days whose clicks may have been deleted in part, which are those up to the oldest click's, are left as they are: their sums are all that is left of them.
 */
export async function* recount(db: Db, { programId, clickDays }: Keeping, asked: Recounting): AsyncGenerator<Recounted> {
  await sumUp(db, asked.now)
  await sumDays(db, asked.now)
  const kept = new Date(asked.now.getTime() - days(clickDays)).toISOString()
  const found = await db.execute<{ day: string }>(sql`
    with oldest as (
      select c.at from links_clicks c where c.program_id = ${programId} and c.counted and c.at >= ${kept}::timestamptz and c.at < 'infinity' order by c.at limit 1
    )
    select day::date::text as day
    from links_days_summed s, links_summed h, oldest o, lateral generate_series(
      -- A day in UTC further: who was first on a day is told by the whole day in UTC in which it begins.
      greatest(${asked.from ?? null}::date, (o.at at time zone s.time_zone)::date + 2)::timestamp,
      least(${asked.to ?? null}::date, (least(s.through, h.through) at time zone s.time_zone)::date - 1)::timestamp, interval '1 day') as day
    where s.program_id = ${programId} order by day`)
  const recounted = (day: string, repair: boolean) => db.transaction((tx) => recountDay(tx, programId, day, repair))
  for (const { day } of found) {
    const first = await recounted(day, false)
    if (first.wrongDays + first.wrongHours === 0) {
      yield first
      continue
    }
    // Clicks may have come late since the sums were made.
    await sumUp(db, asked.now)
    await sumDays(db, asked.now)
    yield await recounted(day, asked.repair)
  }
}

async function recountDay(tx: Tx, programId: string, day: string, repair: boolean): Promise<Recounted> {
  for (const lock of [hoursLock, daysLock]) await tx.execute(sql`select pg_advisory_xact_lock(${lock})`)
  const [due] = await tx.execute<Due>(sql`
    select program_id, links_begin_of_day(${day}::date, time_zone) as since, links_begin_of_day(${day}::date + 1, time_zone) as until
    from links_days_summed where program_id = ${programId} for update`)
  const { clicks, wrong: wrongDays } = await recountDays(tx, due!, day, repair)
  return { programId, day, clicks, wrongHours: await recountHours(tx, due!, repair), wrongDays }
}

async function recountDays(tx: Tx, due: Due, day: string, repair: boolean): Promise<{ clicks: number; wrong: number }> {
  const nobody = sql`'00000000-0000-0000-0000-000000000000'::uuid`
  const theirs = sql`d.program_id = ${due.program_id} and d.day = ${day}::date`
  await tx.execute(
    sql`create temp table links_days_recounted (like links_days including constraints including indexes) on commit drop`,
  )
  await sumInto(tx, [due], sql`links_days_recounted`, { ...fromTheBeginning, remembered: sql`false` })
  await tx.execute(sql`
    create temp table links_days_wrong on commit drop as
    select coalesce(t.partner_id, d.partner_id) as partner_id, coalesce(t.dimension, d.dimension) as dimension, coalesce(t.value, d.value) as value, t.clicks, t.visitors
    from links_days_recounted t full join (select * from links_days d where ${theirs}) d
      on coalesce(d.partner_id, ${nobody}) = coalesce(t.partner_id, ${nobody}) and d.dimension = t.dimension and d.value = t.value
    where (t.clicks, t.visitors) is distinct from (d.clicks, d.visitors)`)
  if (repair) {
    await tx.execute(sql`
      delete from links_days d using links_days_wrong w
      where ${theirs} and d.partner_id is not distinct from w.partner_id and d.dimension = w.dimension and d.value = w.value`)
    await tx.execute(sql`
      insert into links_days (program_id, partner_id, dimension, day, value, clicks, visitors)
      select ${due.program_id}, partner_id, dimension, ${day}::date, value, clicks, visitors from links_days_wrong where clicks is not null`)
  }
  const [counted] = await tx.execute<{ clicks: string; wrong: string }>(sql`
    select (select coalesce(sum(clicks), 0) from links_days_recounted where dimension = 'all' and partner_id is null) as clicks,
      (select count(*) from links_days_wrong) as wrong`)
  return { clicks: Number(counted!.clicks), wrong: Number(counted!.wrong) }
}

/** The hours that begin within the day; those of a time zone of half hours reach into the next. */
async function recountHours(tx: Tx, { program_id, since, until }: Due, repair: boolean): Promise<number> {
  const first = sql`date_trunc('hour', ${since}::timestamptz + interval '1 hour' - interval '1 microsecond', 'utc')`
  const end = sql`least(date_trunc('hour', ${until}::timestamptz + interval '1 hour' - interval '1 microsecond', 'utc'), (select through from links_summed))`
  const [row] = await tx.execute<{ wrong: string }>(sql`
    with hours as materialized (
      select link_id, date_trunc('hour', at, 'utc') as hour, partner_id,
        count(*) filter (where counted) as counted, count(*) filter (where rejected is null) as people, count(*) filter (where rejected is not null) as rejected
      from links_clicks where program_id = ${program_id} and at >= ${first} and at < ${end}
      group by link_id, date_trunc('hour', at, 'utc'), partner_id
    ),
    wrong as materialized (
      select coalesce(t.link_id, h.link_id) as link_id, coalesce(t.hour, h.hour) as hour, coalesce(t.partner_id, h.partner_id) as partner_id,
        -- Rejected clicks are deleted after days, and the sum of an hour outlives them.
        coalesce(t.counted, 0) as counted, coalesce(t.people, 0) as people, greatest(t.rejected, h.rejected) as rejected
      from hours t full join (select * from links_hours where program_id = ${program_id} and hour >= ${first} and hour < ${end}) h
        on (h.link_id, h.hour, h.partner_id) = (t.link_id, t.hour, t.partner_id)
      where (coalesce(t.counted, 0), coalesce(t.people, 0)) is distinct from (coalesce(h.counted, 0), coalesce(h.people, 0)) or t.rejected > coalesce(h.rejected, 0)
    )${
      repair
        ? sql`,
    mended as (
      insert into links_hours (link_id, hour, program_id, partner_id, counted, people, rejected)
      select link_id, hour, ${program_id}, partner_id, counted, people, rejected from wrong
      on conflict (link_id, hour, partner_id) do update set counted = excluded.counted, people = excluded.people, rejected = excluded.rejected
    )`
        : sql``
    }
    select count(*) as wrong from wrong`)
  return Number(row!.wrong)
}
