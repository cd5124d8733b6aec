// Measures with millions of clicks in the table: what a click takes on the disk, how fast clicks are found and counted, and whether the redirect minds.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { type Connection, connect } from '../../db/connect.ts'
import { startEmbedded } from '../../db/embedded.ts'
import { newId } from '../../db/ids.ts'
import { migrate } from '../../db/migrate.ts'
import { countInRange, sumUp } from '../../plugins/links/hours.ts'
import { createLinksService } from '../../plugins/links/service.ts'
import { bytesPerClick, createTrack, seed, summaryOf } from './redirect.ts'

const days = 90
const mostBytes = 250
const mostMs = 100
const times = 15

export interface ClicksBench {
  clicks: number
  fillSeconds: number
  /** Of summing all of them up by hour at once; the program sums every five minutes. */
  sumSeconds: number
  /** With all indexes, and each part of it. */
  bytesPerClick: number
  bytes: Record<string, number>
  /** Milliseconds, medians. */
  questions: Record<string, number>
  /** With the full table. */
  redirect: ReturnType<typeof summaryOf>
}

/** @throws Error when a click takes more than 250 bytes, or a question more than 100 ms */
export async function run(flags: { clicks?: string | number; seconds?: string | number } = {}): Promise<ClicksBench> {
  const directory = await mkdtemp(path.join(tmpdir(), 'siso-bench-'))
  const server = await startEmbedded({ directory: path.join(directory, 'postgres') })
  const connection = await connect(server.url, { max: 4 })
  const track = createTrack(connection, directory)
  try {
    await migrate(connection)
    const paths = await seed(connection)
    const begin = performance.now()
    await fillClicks(connection, days, Number(flags.clicks ?? 10_000_000))
    const fillSeconds = Math.round((performance.now() - begin) / 1000)
    const filled = performance.now()
    await sumUp(connection.db, new Date())
    const sumSeconds = Math.round((performance.now() - filled) / 1000)
    const perClick = await bytesPerClick(connection)
    const bytes = await bytesByPart(connection)
    const [stored] = await connection.sql<{ clicks: string }[]>`select count(*) as clicks from links_clicks`
    const questions = await ask(connection)
    const both = await track.startBoth(paths, 1000)
    const redirect = summaryOf(await both.rounds('http', 3, Number(flags.seconds ?? 4) * 1000))
    await both.stop()
    const result = {
      clicks: Number(stored!.clicks),
      fillSeconds,
      sumSeconds,
      bytesPerClick: perClick,
      bytes,
      questions,
      redirect,
    }
    if (perClick > mostBytes || Object.values(questions).some((ms) => ms > mostMs))
      throw new Error(`too large or too slow: ${JSON.stringify(result)}`)
    return result
  } finally {
    track.clear()
    await connection.close()
    await server.stop()
    for (const used of [directory, server.directory]) await rm(used, { recursive: true, force: true })
  }
}

/** Clicks of the past days, in the order of time, as clicks come, by two sessions that each have months of their own. */
export async function fillClicks(connection: Connection, days: number, clicks: number): Promise<void> {
  const { sql } = connection
  await sql`select links_ensure_month(now() - make_interval(days => ${days}) + make_interval(days => d)) from generate_series(0, ${days}) d`
  const lanes = [
    [days, days / 2],
    [days / 2, 0],
  ] as const
  await Promise.all(
    lanes.map(async ([oldest, newest]) => {
      for (let day = oldest; day > newest; day--) await fillDay(connection, day, Math.ceil(clicks / days))
    }),
  )
}

/** Few links with most of the clicks, one of twenty a bot's, some with a page before, a campaign, parameters or an earlier click. */
async function fillDay({ sql }: Connection, day: number, perDay: number): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`set local synchronous_commit = off`
    await tx`
        with l as materialized (
          select array_agg(id order by id) as ids, array_agg(partner_id order by id) as owners, (array_agg(program_id))[1] as program_id, count(*) as links
          from links_links)
        insert into links_clicks (at, id, program_id, link_id, partner_id, previous, counted, ip_hash, agent_hash, rejected, subs,
          device, country, landing_page_id, referrer, campaign)
        select at, (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(noise, 1, 3) || '8' || substr(noise, 4, 15))::uuid,
          l.program_id, l.ids[place], l.owners[place],
          case when chance < 0.1 then gen_random_uuid() end, chance < 0.85,
          decode(substr(md5(n::text), 1, 16), 'hex'), decode(substr(md5((n % 300)::text), 1, 16), 'hex'),
          case when chance >= 0.95 then 'bot' end, case when chance < 0.05 then '{"sub1": "spring"}'::jsonb end,
          (array['desktop', 'mobile', 'mobile', 'tablet'])[1 + n % 4]::links_device,
          (array['US', 'DE', 'GB', 'FR', 'BR', 'IN', 'JP', null])[1 + n % 8],
          case when place % 10 < 3 then l.ids[1 + place % 7] end,
          case when n % 10 < 6 then 'site-' || n % 997 || '.example.com' end,
          case when place % 2 = 0 then 'campaign ' || place % 40 end
        from l, lateral (
          select n, date_trunc('milliseconds', now() - make_interval(days => ${day}) + n * interval '1 day' / ${perDay}::float) as at,
            random() as chance, md5(random()::text) as noise,
            1 + floor(random() * random() * random() * l.links)::integer as place
          from generate_series(0, ${perDay}::integer - 1) n) c`
  })
}

async function bytesByPart({ sql }: Connection): Promise<Record<string, number>> {
  const rows = await sql<{ name: string; bytes: number }[]>`
    select case when c.relkind = 'i' then regexp_replace(c.relname, '^links_clicks_\\d{4}_\\d{2}_', '') else 'table' end as name,
      round(sum(pg_relation_size(c.oid)) / (select count(*) from links_clicks))::int as bytes
    from pg_class c where c.relname like 'links\\_clicks\\_2%' and c.relkind in ('r', 'i') group by 1 order by 2 desc`
  return Object.fromEntries(rows.map(({ name, bytes }) => [name, bytes]))
}

/** What attribution and people ask of clicks; the figures of statistics have a measurement of their own. */
async function ask(connection: Connection): Promise<Record<string, number>> {
  const { db, sql } = connection
  const service = createLinksService({
    clock: { now: () => new Date() },
    settings: { of: () => Promise.reject(new Error('not asked')), changes: () => Promise.reject(new Error('not asked')) },
    url: (to: string) => to,
  } as never)
  const [busiest] = await sql<{ id: string; program_id: string; partner_id: string }[]>`
    select id, program_id, partner_id from links_clicks where at > now() - interval '2 days' and counted
      and partner_id = (select partner_id from links_clicks where at > now() - interval '2 days' group by 1 order by count(*) desc limit 1) limit 1`
  const { id, program_id: program, partner_id: partner } = busiest!
  const ago = (count: number) => new Date(Date.now() - count * 86_400_000)
  return {
    clickOfPurchase: await timed(() => service.trail(db, program, id)),
    clickThatIsNone: await timed(() => service.trail(db, program, newId(ago(40)))),
    countedOnOneDay: await timed(() => countInRange(db, program, partner, { from: ago(1), to: ago(0) })),
  }
}

async function timed(question: () => Promise<unknown>): Promise<number> {
  await question()
  const taken: number[] = []
  for (let i = 0; i < times; i++) {
    const begin = performance.now()
    await question()
    taken.push(performance.now() - begin)
  }
  return Math.round(taken.sort((a, b) => a - b)[Math.floor(times / 2)]! * 10) / 10
}
