// Measures the statistics with millions of clicks in the table: how long a partner's card, the program's figures and the leaderboard take to be read, and
// whether drawing holds up the process that answers people.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { type OfflineHouse, offlineHouse } from '../../app/offline.ts'
import { type Connection, connect } from '../../db/connect.ts'
import { startEmbedded } from '../../db/embedded.ts'
import { migrate } from '../../db/migrate.ts'
import { analytics } from '../../plugins/analytics/plugin.ts'
import { plugins } from '../../plugins/index.ts'
import { seedPartners } from './partners.ts'

const days = 90
const partners = 500
const linksOfEach = 10
const times = 15

interface Timing {
  median: number
  slowest: number
}

export interface StatsBench {
  clicks: number
  /** Summing all days up from the clicks, as after an import; in everyday life it is one day. Seconds. */
  sumUpSeconds: number
  /** Milliseconds. */
  questions: Record<string, Timing>
  /** The longest that the process did nothing else while pictures were drawn. Milliseconds. */
  heldUpByDrawing: number
}

/** @throws Error when a card or the leaderboard takes longer than 100 ms, or drawing holds the process up for longer */
export async function run(flags: { clicks?: string | number } = {}): Promise<StatsBench> {
  const directory = await mkdtemp(path.join(tmpdir(), 'siso-bench-'))
  const server = await startEmbedded({ directory: path.join(directory, 'postgres'), unsafeFast: true })
  try {
    const connection = await connect(server.url, { max: 10 })
    await migrate(connection)
    const house = await offlineHouse(connection, plugins, { now: new Date().toISOString(), environment: nobody })
    await fill(house, Number(flags.clicks ?? 10_000_000))
    const begin = performance.now()
    await house.tick('links.sum_days')
    const sumUpSeconds = Math.round((performance.now() - begin) / 100) / 10
    await connection.sql.unsafe('vacuum analyze')
    const questions = await askStatistics(house)
    const heldUpByDrawing = await holdUp(house)
    const [stored] = await connection.sql<{ clicks: string }[]>`select count(*) as clicks from links_clicks`
    await house.close()
    const result = { clicks: Number(stored!.clicks), sumUpSeconds, questions, heldUpByDrawing }
    const slow = Object.entries(questions).filter(([name, { median }]) => /^cardOf|leaderboard/.test(name) && median > 100)
    if (slow.length > 0 || heldUpByDrawing > 100) throw new Error(`too slow: ${JSON.stringify(result)}`)
    return result
  } finally {
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

/** What partners and admins ask of a house that has clicks. Asked of the busiest partner. */
export async function askStatistics(house: OfflineHouse): Promise<Record<string, Timing>> {
  const { sql } = house.connection
  const [busiest] = await sql<{ id: string; user_id: string }[]>`
    select p.id, p.user_id from partners_partners p
    where p.id = (select partner_id from links_days where partner_id is not null and dimension = 'all' group by 1 order by sum(clicks) desc limit 1)`
  const today = house.clock.now().toISOString().slice(0, 10)
  const report = (days: number, more: object) => {
    const from = new Date(Date.parse(today) - (days - 1) * 86_400_000).toISOString().slice(0, 10)
    const to = new Date(Date.parse(today) + 86_400_000).toISOString().slice(0, 10)
    const series = { interval: 'day' as const, compare: true, seriesOf: { skip: 0, count: 5 } }
    return () => house.use(analytics).report(house.db, { program: house.program, period: { from, to }, ...series, ...more })
  }
  const partnerId = busiest!.id
  return {
    cardOfPartner: await timed(report(30, { partnerId })),
    cardOfPartnerByLink: await timed(report(30, { partnerId, by: 'link' })),
    cardOfPartnerByCountry90Days: await timed(report(90, { partnerId, by: 'country' })),
    program: await timed(report(30, {})),
    programByPartner90Days: await timed(report(90, { by: 'partner' })),
    programByReferrer90Days: await timed(report(90, { by: 'referrer' })),
    leaderboard: await timed(() => house.run('leaderboard show', {}, { userId: busiest!.user_id })),
  }
}

async function timed(ask: () => Promise<unknown>): Promise<Timing> {
  await ask()
  const taken: number[] = []
  for (let i = 0; i < times; i++) {
    const begin = performance.now()
    await ask()
    taken.push(performance.now() - begin)
  }
  taken.sort((a, b) => a - b)
  return { median: Math.round(taken[Math.floor(times / 2)]!), slowest: Math.round(taken.at(-1)!) }
}

/** The longest pause of this process while ten cards with two pictures each are made. */
async function holdUp(house: OfflineHouse): Promise<number> {
  const admin = { isAdmin: true, userId: '300000000000000001' }
  const show = () => house.run('admin-stats show', { range: '90d', by: 'country' }, admin)
  await show()
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  for (let i = 0; i < 10; i++) await show()
  delay.disable()
  return Math.round(delay.max / 1e6)
}

/** Clicks of the last 90 days, a few partners with most of them, some from most countries, and a sale for every 200. */
async function fill(house: OfflineHouse, clicks: number): Promise<void> {
  const { sql } = house.connection
  const users = Array.from({ length: partners }, (_, i) => String(600_000_000_000_000_000n + BigInt(i)))
  await seedPartners(house.connection, house.program.id, users, linksOfEach)
  const now = house.clock.now()
  for (let day = days; day > 0; day--)
    await fillDay(house.connection, new Date(now.getTime() - day * 86_400_000), Math.ceil(clicks / days))
  await sql`
    insert into attribution_customers (id, program_id) select gen_random_uuid(), ${house.program.id} from generate_series(1, 1000)`
  await sql`
    insert into attribution_sales (id, program_id, provider, payment_key, customer_id, partner_id, currency, gross, tax, shipping, first_of_customer, origin, paid_at)
    select gen_random_uuid(), c.program_id, 'bench', c.id::text, (select id from attribution_customers limit 1), c.partner_id, 'USD', 1000 + (random() * 90000)::bigint, 0, 0, true,
      jsonb_build_object('link', c.link_id, 'country', c.country, 'referrer', c.referrer), c.at
    from links_clicks c where c.counted and random() < 0.005`
}

async function fillDay({ sql }: Connection, begin: Date, count: number): Promise<void> {
  await sql`select links_ensure_month(${begin.toISOString()}::timestamptz), links_ensure_month(${begin.toISOString()}::timestamptz + interval '1 day')`
  await sql`
    with l as materialized (select array_agg(id order by partner_id, id) as ids, array_agg(partner_id order by partner_id, id) as owners, min(program_id::text)::uuid as program_id from links_links)
    insert into links_clicks (at, id, program_id, link_id, partner_id, counted, ip_hash, agent_hash, device, country, referrer, campaign)
    select at, uuidv7(at - now()), l.program_id, l.ids[place], l.owners[place], random() < 0.9,
      decode(substr(md5((random() * ${count})::integer::text), 1, 16), 'hex'), decode('0011223344556677', 'hex'),
      (array['desktop', 'mobile', 'mobile', 'tablet'])[1 + floor(random() * 4)::integer]::links_device,
      (array['US', 'DE', 'GB', 'FR', 'BR', 'IN', 'JP', 'ES', 'IT', 'NL', 'PL', 'SE', 'CA', 'AU', 'MX', null])[1 + floor(16 * random() * random())::integer],
      case when random() < 0.5 then 'site' || floor(40 * random() * random())::integer || '.example' end, null
    from l, (
      select ${begin.toISOString()}::timestamptz + n * interval '1 day' / ${count}::float as at,
        1 + floor(random() * random() * random() * ${partners * linksOfEach})::integer as place
      from generate_series(0, ${count}::integer - 1) n) c`
}

/** Vendors are not called. */
const nobody = { STRIPE_SECRET_KEY: 'sk_test_bench', STRIPE_API_URL: 'http://127.0.0.1:1', STRIPE_WEBHOOK_SECRET: 'whsec_bench' }
