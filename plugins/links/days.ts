// Clicks summed by day and dimension, until a few minutes ago, when no click can still be on its way. Knows no reader.
import { type SQL, sql } from 'drizzle-orm'
import { type Db, minutes, type Sql, type Tx } from '../kit/index.ts'

/** Clicks may still be on their way for so long. */
const settledAfterMs = minutes(5)
/** Whoever holds it changes the sums of days; who holds it shared keeps them as they are. */
export const daysLock = 7_405_562
/** So many days are summed at a time, so that years of clicks need no more room than a week of them. */
const stepDays = 7

/** What the values of each dimension are, of a click `c`. */
export const clickValues = {
  all: sql`''`,
  partner: sql`c.partner_id::text`,
  link: sql`c.link_id::text`,
  campaign: sql`coalesce(c.campaign, '')`,
  page: sql`coalesce(c.landing_page_id::text, '')`,
  country: sql`coalesce(c.country, '')`,
  device: sql`coalesce(c.device::text, '')`,
  referrer: sql`coalesce(c.referrer, '')`,
} as const

/**
 * Whether a counted click `c` is the first of its browser on the links of the partner that day in UTC, among those that are looked at: the salt of the
 * hashes is the same for just that long.
 */
export const isFirstOfDay = sql`row_number() over (
  partition by c.partner_id, c.ip_hash, c.agent_hash, date_trunc('day', c.at, 'utc') order by c.at, c.id) = 1`

/** The same among all clicks of that day, when those before `since` that were the first are in links_seen. */
export const isFirstSince = (since: SQL) => sql`${isFirstOfDay} and (
  -- One at most. Not as \`exists\`, for which the planner may read all that were seen today.
  select s.at from links_seen s
  where s.day = (c.at at time zone 'utc')::date and s.partner_id = c.partner_id and s.ip_hash = c.ip_hash and s.agent_hash = c.agent_hash
    and s.at < ${since}) is null`

/** From where clicks have to be read so that `isFirstOfDay` is right for the day: the beginning of the day in UTC in which it begins. */
export const readFrom = (day: SQL, timeZone: SQL) => sql`date_trunc('day', links_begin_of_day(${day}, ${timeZone}), 'utc')`

/**
 * Sums up every program's clicks, also those of the day that is under way, until a few minutes ago. To that day those since the last time are added; once it
 * is over it is summed up from its beginning, so nothing that is wrong stays wrong. A program that has changed its time zone is summed up anew, as far back as
 * there are clicks.
 */
export async function sumDays(db: Db, now: Date): Promise<void> {
  const settled = new Date(now.getTime() - settledAfterMs)
  while (await db.transaction((tx) => sumSomeDays(tx, settled)));
  await db.execute(sql`delete from links_seen where day < (${settled.toISOString()}::timestamptz at time zone 'utc')::date - 1`)
}

/** False once nothing is left to do. */
async function sumSomeDays(tx: Tx, settled: Date): Promise<boolean> {
  await tx.execute(sql`select pg_advisory_xact_lock(${daysLock})`)
  await tx.execute(sql`set local work_mem = '64MB'`)
  const until = sql`${settled.toISOString()}::timestamptz`
  const [oldest] = await tx.execute<{ at: string | null }>(sql`select min(at) as at from links_clicks`)
  const first = oldest?.at ?? settled.toISOString()
  // Days of which the clicks are gone stay as they were.
  await tx.execute(sql`
    with moved as materialized (
      select s.program_id, s.time_zone as before, p.time_zone as after,
        (select c.at from links_clicks c where c.program_id = p.id and c.counted order by c.at limit 1) as oldest
      from links_days_summed s join core_programs p on p.id = s.program_id where s.time_zone <> p.time_zone
    ),
    gone as (
      delete from links_days d using moved m
      where d.program_id = m.program_id and d.day >= least((m.oldest at time zone m.before)::date, (m.oldest at time zone m.after)::date)
    )
    insert into links_days_summed as s (program_id, time_zone, through, read_from, reached)
    select p.id, p.time_zone, begin, date_trunc('day', begin, 'utc'), begin
    from core_programs p, lateral (
      -- No click of the program is older: it would be in its hours, or those are not summed up so far.
      select least((select min(hour) from links_hours h where h.program_id = p.id), (select through from links_summed), (select min(hour) from links_stale_hours)) as since) h,
      lateral (select links_begin_of_day((greatest(${first}::timestamptz, least(since, ${until})) at time zone p.time_zone)::date, p.time_zone) as begin) b
    order by p.id
    on conflict (program_id) do update set time_zone = excluded.time_zone, through = excluded.through, read_from = excluded.read_from
    where s.time_zone <> excluded.time_zone`)
  // Locked, so that a click of the past that is committed from here on sets its program back afterwards.
  const due = await tx.execute<Due & { adding: boolean }>(sql`
    select program_id, through as since, until, through > links_begin_of_day(day, time_zone) and read_from = through and (until at time zone time_zone)::date = day as adding
    from links_days_summed, lateral (select (through at time zone time_zone)::date as day) d,
      lateral (select least(links_begin_of_day(day + ${stepDays}::integer, time_zone), greatest(${until}, reached)) as until) u
    where through < until order by program_id for update of links_days_summed`)
  if (due.length === 0) return false
  for (const [adding, some] of Map.groupBy(due, (row) => row.adding))
    await sumInto(tx, some, daySums, adding ? sinceTheLastTime : fromTheBeginning)
  await tx.execute(
    sql`update links_days_summed s set through = w.until, read_from = w.until, reached = greatest(reached, w.until) from ${given(due)} where s.program_id = w.id`,
  )
  return true
}

/** A program and from when to when its clicks are to be summed up. */
export type Due = { program_id: string; since: string; until: string }

function given(due: readonly Due[]): SQL {
  const columns = (key: keyof Due) => `{${due.map((row) => row[key]).join()}}`
  return sql`unnest(${columns('program_id')}::uuid[], ${columns('since')}::timestamptz[], ${columns('until')}::timestamptz[]) as w (id, since, until)`
}

const daySums = sql`links_days`

/** A way to bring clicks into the sums: which of them are read, which count as a visitor, which visitors are remembered, and what becomes of a sum that is there. */
interface Way {
  readonly from: SQL
  readonly first: SQL
  readonly remembered: SQL
  readonly change: SQL
}

/** Those of the day in UTC that goes on where the summing up ends: for what is added to it. */
const ofTheLastDay = sql`date_trunc('day', at, 'utc') = date_trunc('day', until, 'utc')`

/** Adds the clicks since the last time to the sums of the day. */
const sinceTheLastTime: Way = {
  from: sql`w.since`,
  first: isFirstSince(sql`w.from`),
  remembered: ofTheLastDay,
  change: sql`set clicks = d.clicks + excluded.clicks, visitors = d.visitors + excluded.visitors`,
}

/** Sums up whole days, the last of them as far as it goes, in place of what their sums were. */
export const fromTheBeginning: Way = {
  from: readFrom(sql`start`, sql`s.time_zone`),
  first: isFirstOfDay,
  remembered: ofTheLastDay,
  change: sql`set clicks = excluded.clicks, visitors = excluded.visitors
      where (d.clicks, d.visitors) is distinct from (excluded.clicks, excluded.visitors)`,
}

/** Sums up the clicks in a table that is made like links_days. */
export async function sumInto(tx: Tx, due: readonly Due[], table: SQL, { from, first, remembered, change }: Way): Promise<void> {
  await tx.execute(sql`
    with wanted as materialized (
      select s.program_id, s.time_zone, start, w.until, ${from} as "from"
      from ${given(due)} join links_days_summed s on s.program_id = w.id, lateral (select (w.since at time zone s.time_zone)::date as start) d
    ),
    clicks as materialized (
      select c.*, (c.at at time zone w.time_zone)::date as day, w.start, w.until, ${first} as first
      from links_clicks c join wanted w on w.program_id = c.program_id and c.at >= w.from and c.at < w.until
      where c.counted and c.at >= (select min("from") from wanted) and c.at < (select max(until) from wanted)
    ),
    seen as (
      insert into links_seen as s (day, program_id, partner_id, ip_hash, agent_hash, at)
      select (at at time zone 'utc')::date, program_id, partner_id, ip_hash, agent_hash, at from clicks
      where first and ${remembered}
      order by 1, 3, 4, 5
      on conflict (day, partner_id, ip_hash, agent_hash) do update set at = excluded.at where s.at <> excluded.at
    ),
    of_partners as materialized (
      select program_id, partner_id, dimension, day, value, count(*) as clicks, count(*) filter (where first) as visitors
      from clicks c cross join lateral (values ${sql.join(
        Object.entries(clickValues).map(([dimension, value]) => sql`(${dimension}, ${value})`),
        sql`, `,
      )}) as d (dimension, value)
      where day >= start
      group by program_id, partner_id, dimension, day, value
    ),
    summed as (
      select * from of_partners where dimension <> 'partner'
      union all
      select program_id, null, dimension, day, value, sum(clicks), sum(visitors) from of_partners group by program_id, dimension, day, value
    )
    insert into ${table} as d (program_id, partner_id, dimension, day, value, clicks, visitors)
    select program_id, partner_id, dimension, day, value, clicks, visitors from summed
    on conflict (program_id, partner_id, dimension, day, value) do update ${change}`)
}

/** After clicks of the past were stored: their days, and those of which the first click of a browser may be another now, are summed up again. */
export async function sumDaysAgain(sql: Sql, clicks: readonly { programId: string; at: string }[]): Promise<void> {
  const oldest = new Map<string, string>()
  for (const { programId, at } of clicks) if (at < (oldest.get(programId) ?? '~')) oldest.set(programId, at)
  const [programs, times] = [[...oldest.keys()], [...oldest.values()]].map((values) => `{${values.join()}}`) as [string, string]
  // Locked first, whatever they say: a summing up that is under way may have read the clicks before these came, and is to say how far it went.
  const setBack = () => sql`
    with found as materialized (
      select s.*, w.at from links_days_summed s join unnest(${programs}::uuid[], ${times}::timestamptz[]) as w (id, at) on w.id = s.program_id
      order by s.program_id for update of s
    ),
    back as (
      update links_days_summed s set through = begin, read_from = date_trunc('day', begin, 'utc')
      from found f, lateral (select links_begin_of_day((date_trunc('day', f.at, 'utc') at time zone f.time_zone)::date, f.time_zone) as begin) b
      where s.program_id = f.program_id and f.at < f.through
    )
    select program_id from found`
  if ((await setBack()).length === oldest.size) return
  // Programs that are summed up for the first time, perhaps at this moment.
  await sql`select pg_advisory_xact_lock_shared(${daysLock})`
  await setBack()
}

/** Takes the names of a partner's campaigns out of their clicks and the sums of these. Clicks are read for that, all since the partner has links: not for everyday. */
export async function forgetCampaigns(tx: Tx, programId: string, partnerId: string): Promise<void> {
  // No summing up in between: it would bring back what it has read.
  await tx.execute(sql`select pg_advisory_xact_lock(${daysLock})`)
  await tx.execute(sql`
    update links_clicks set campaign = null, subs = null
    where program_id = ${programId} and partner_id = ${partnerId} and (campaign is not null or subs is not null)
      and at >= (select min(created_at) from links_links where program_id = ${programId} and partner_id = ${partnerId}) and at < 'infinity'`)
  await tx.execute(sql`
    with own as (
      delete from links_days where program_id = ${programId} and partner_id = ${partnerId} and dimension = 'campaign' and value <> ''
      returning day, value, clicks, visitors
    ),
    theirs as materialized (
      select d.day, d.value, o.clicks, o.visitors, d.clicks <= o.clicks as alone
      from own o join links_days d on d.program_id = ${programId} and d.partner_id is null and d.dimension = 'campaign' and (d.day, d.value) = (o.day, o.value)
    ),
    emptied as (
      delete from links_days d using theirs t
      where alone and d.program_id = ${programId} and d.partner_id is null and d.dimension = 'campaign' and (d.day, d.value) = (t.day, t.value)
    ),
    lessened as (
      update links_days d set clicks = d.clicks - t.clicks, visitors = greatest(0, least(d.visitors - t.visitors, d.clicks - t.clicks)) from theirs t
      where not alone and d.program_id = ${programId} and d.partner_id is null and d.dimension = 'campaign' and (d.day, d.value) = (t.day, t.value)
    )
    insert into links_days as d (program_id, partner_id, dimension, day, value, clicks, visitors)
    select ${programId}, whose, 'campaign', day, '', sum(clicks), sum(visitors)
    from own cross join (values (${partnerId}::uuid), (null)) as w (whose) group by whose, day
    on conflict (program_id, partner_id, dimension, day, value) do update set clicks = d.clicks + excluded.clicks, visitors = d.visitors + excluded.visitors`)
}
