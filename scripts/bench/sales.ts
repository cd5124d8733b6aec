// Measures sales: from the signed webhooks of a payment to its commission in the ledger, 16 at a time (or `in-flight`), beside what the same server does in
// TPC-B with 16 clients. The server keeps its default durability. With `payouts`, measures a payout run instead.
import { type ChildProcess, fork } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Connection, connect } from '../../db/connect.ts'
import { removeEmbedded, startEmbedded } from '../../db/embedded.ts'
import { migrate } from '../../db/migrate.ts'
import { sumUp } from '../../plugins/links/hours.ts'
import { fillClicks } from './clicks.ts'
import { measurePayouts } from './payouts.ts'
import { createPoster, type Poster } from './poster.ts'
import { environmentOf, readiness, seed } from './redirect.ts'
import { yardstickOn } from './yardstick.ts'

const usuallyInFlight = 16
const clickDays = 20
const clicksPerDay = 5_000
/** So few of those who clicked buy that nobody looks suspicious. */
const mostBuyers = 15_000
const webhookSecret = 'whsec_bench'
/** A sale is told by its Checkout session and its charge; both are needed, in either order. */
const webhooksPerSale = 2

interface SalesBench {
  /** Sales per second. */
  ours: number
  /** TPC-B transactions per second: the mean of before and after. */
  pgbench: number
  ratio: number
  /** Milliseconds from the first webhook sent to the commission committed with its ledger transfer. */
  p50: number
  p99: number
  yardstick: string
  inFlight: number
  sales: number
  webhooksPerSale: number
  /** Pairs of signed webhooks per second that are verified and, being of no kind that matters here, neither stored nor handled: what HTTP alone allows. */
  unhandled: number
  /** Rows inserted and updated per sale, by whatever it sets in motion; a transaction of TPC-B has four. */
  rowsPerSale: number
  /** Database transactions of any kind per sale, the queue's included. */
  transactionsPerSale: number
  walBytesPerSale: number
  /** Milliseconds of the program's own processor time per sale. */
  cpuPerSale: number
  /** With `profile`: statements per sale and the milliseconds they took in the server. */
  statements?: object
}

export async function run(flags: {
  seconds?: string | boolean | undefined
  payouts?: string | boolean | undefined
  profile?: string | boolean | undefined
  'in-flight'?: string | boolean | undefined
}): Promise<object> {
  const directory = await mkdtemp(path.join(tmpdir(), 'siso-bench-'))
  const cluster = path.join(directory, 'postgres')
  let server = await startEmbedded({ directory: cluster })
  try {
    if (flags.payouts) return await measurePayouts(server.url, Number(flags.payouts) || undefined)
    if (flags.profile) {
      const admin = await connect(server.url, { max: 1 })
      await admin.sql.unsafe("alter system set shared_preload_libraries = 'pg_stat_statements'")
      await admin.close()
      await server.stop()
      server = await startEmbedded({ directory: cluster })
    }
    return await measureSales(server.url, directory, {
      seconds: Number(flags.seconds ?? 10),
      inFlight: Number(flags['in-flight'] ?? usuallyInFlight),
      profile: Boolean(flags.profile),
    })
  } finally {
    await server.stop()
    await removeEmbedded(cluster)
    await rm(directory, { recursive: true, force: true })
  }
}

async function measureSales(
  serverUrl: string,
  directory: string,
  { seconds, inFlight, profile }: { seconds: number; inFlight: number; profile: boolean },
): Promise<SalesBench> {
  const admin = await connect(serverUrl, { max: 1 })
  await admin.sql.unsafe('create database sales')
  await admin.close()
  const url = serverUrl.replace(/\/postgres$/, '/sales')
  const connection = await connect(url, { max: 3 })
  const stripe = await startAccountServer()
  let shop: ChildProcess | undefined
  try {
    await migrate(connection)
    if (profile) await connection.sql.unsafe('create extension pg_stat_statements')
    await seed(connection, 100)
    const clickIds = await pastClicks(connection)
    await announceCommissions(connection)
    const environment = {
      ...environmentOf(url, directory),
      PATH: process.env.PATH,
      STRIPE_SECRET_KEY: 'sk_test_bench',
      STRIPE_WEBHOOK_SECRET: webhookSecret,
      STRIPE_API_URL: stripe.url,
    }
    shop = fork(fileURLToPath(new URL('./shop.ts', import.meta.url)), { env: environment })
    const address = `http://127.0.0.1:${await readiness(shop)}`
    const buyers = await openShop(connection, address, clickIds, inFlight)
    // What the program sold before; then the planner is told what there is, as the server tells it by itself every minute.
    await buyers.during(8_000)
    await connection.sql.unsafe('vacuum analyze')
    await buyers.during(2_000)
    const unhandled = await buyers.unhandled(2_000)

    const yardstick = await yardstickOn(serverUrl)
    const half = Math.max(2, Math.round(seconds / 2))
    const before = await yardstick.measure(half)
    if (profile) await connection.sql`select pg_stat_statements_reset()`
    const counted = await counters(connection, shop)
    const { latencies, ms } = await buyers.during(seconds * 1000)
    const after = await counters(connection, shop)
    const statements = profile ? await statementsOf(connection, latencies.length) : undefined
    const pgbench = (before + (await yardstick.measure(half))) / 2
    await buyers.close()

    const sorted = latencies.toSorted((a, b) => a - b)
    const percentile = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!)
    const perSale = (before: number, after: number) => Math.round((after - before) / latencies.length)
    const ours = latencies.length / (ms / 1000)
    return {
      ours: Math.round(ours * 10) / 10,
      pgbench: Math.round(pgbench),
      ratio: Math.round((ours / pgbench) * 1000) / 1000,
      p50: percentile(0.5),
      p99: percentile(0.99),
      yardstick: yardstick.name,
      inFlight,
      sales: latencies.length,
      webhooksPerSale,
      unhandled: Math.round(unhandled),
      rowsPerSale: perSale(counted.rows, after.rows),
      transactionsPerSale: perSale(counted.transactions, after.transactions),
      walBytesPerSale: perSale(counted.wal, after.wal),
      cpuPerSale: Math.round((after.cpu - counted.cpu) / latencies.length / 100) / 10,
      ...(statements && { statements }),
    }
  } finally {
    if (shop) {
      const exit = once(shop, 'exit')
      shop.disconnect()
      await Promise.race([exit, new Promise((resolve) => setTimeout(resolve, 5_000))])
      shop.kill('SIGKILL')
    }
    await connection.close()
    stripe.close()
  }
}

/** The only thing that Stripe is asked for: whose key it is. */
async function startAccountServer(): Promise<{ url: string; close(): void }> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ id: 'acct_bench', object: 'account', business_profile: { name: 'Bench' } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() }
}

/** Has the database say when a commission is committed: only then is a sale done. */
async function announceCommissions({ sql }: Connection): Promise<void> {
  await sql.unsafe(`
    create function bench_announce() returns trigger language plpgsql as $$
    begin
      perform pg_notify('bench_commission', (select payment_key from attribution_sales where id = new.sale_id));
      return null;
    end $$;
    create trigger bench_announce after insert on commissions_commissions for each row execute function bench_announce()`)
}

/** What people clicked in the last weeks, as in a program that has run for a while; gives the ids of some of the clicks, each for one buyer. */
async function pastClicks(connection: Connection): Promise<string[]> {
  await fillClicks(connection, clickDays, clickDays * clicksPerDay)
  await sumUp(connection.db, new Date())
  await connection.sql.unsafe('vacuum analyze')
  const rows = await connection.sql<{ id: string }[]>`
    select id from links_clicks where counted and at < now() - interval '1 hour' order by md5(id::text) limit ${mostBuyers}`
  return rows.map(({ id }) => id)
}

interface Shop {
  /** Keeps so many sales in flight for that long; milliseconds of each that was done. */
  during(ms: number): Promise<{ latencies: number[]; ms: number }>
  /** Pairs of webhooks per second that are verified and nothing else. */
  unhandled(ms: number): Promise<number>
  close(): Promise<void>
}

async function openShop(connection: Connection, address: string, clickIds: readonly string[], inFlight: number): Promise<Shop> {
  const poster = createPoster(address)
  const waiting = new Map<string, () => void>()
  const subscription = await connection.sql.listen('bench_commission', (payment) => waiting.get(payment)?.())
  let count = 0

  async function sell(): Promise<number> {
    const number = ++count
    const payment = `pi_${randomBytes(8).toString('hex')}`
    const started = performance.now()
    const done = new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`The sale ${payment} was not booked within 60 seconds`)), 60_000)
      waiting.set(payment, () => {
        clearTimeout(late)
        waiting.delete(payment)
        resolve()
      })
    })
    await Promise.all(eventsOf(payment, number, clickIds[number % clickIds.length]!).map((event) => deliver(poster, event)))
    await done
    return performance.now() - started
  }

  /** Has so many buyers do something again and again for that long; gives what each time gave. */
  async function again<T>(ms: number, what: () => Promise<T>): Promise<{ results: T[]; ms: number }> {
    const started = performance.now()
    const results: T[] = []
    const buyer = async () => {
      while (performance.now() - started < ms) results.push(await what())
    }
    await Promise.all(Array.from({ length: inFlight }, buyer))
    return { results, ms: performance.now() - started }
  }

  return {
    during: async (ms) => {
      const { results: latencies, ...took } = await again(ms, sell)
      return { latencies, ...took }
    },
    unhandled: async (ms) => {
      const pair = async () => {
        const events = eventsOf(`pi_${randomBytes(8).toString('hex')}`, 0, clickIds[0]!)
        await Promise.all(events.map((event) => deliver(poster, { ...event, type: 'bench.of_no_kind' })))
      }
      const took = await again(ms, pair)
      return took.results.length / (took.ms / 1000)
    },
    close: async () => {
      poster.close()
      await subscription.unlisten()
    },
  }
}

function eventsOf(payment: string, number: number, clickId: string): object[] {
  const created = Math.floor(Date.now() / 1000)
  const event = (type: string, object: object) => ({
    id: `evt_${randomBytes(8).toString('hex')}`,
    object: 'event',
    type,
    created,
    data: { object },
  })
  const person = { email: `buyer${number}@example.org`, address: { country: 'DE' } }
  return [
    event('checkout.session.completed', {
      id: `cs_${payment.slice(3)}`,
      object: 'checkout.session',
      payment_intent: payment,
      client_reference_id: clickId,
      status: 'complete',
      payment_status: 'paid',
      currency: 'usd',
      amount_total: 10_000,
      total_details: { amount_tax: 0, amount_shipping: 0 },
      customer: `cus_${payment.slice(3)}`,
      customer_details: person,
      metadata: { product: 'Course' },
    }),
    event('charge.succeeded', {
      id: `ch_${payment.slice(3)}`,
      object: 'charge',
      payment_intent: payment,
      status: 'succeeded',
      amount: 10_000,
      amount_captured: 10_000,
      amount_refunded: 0,
      currency: 'usd',
      customer: `cus_${payment.slice(3)}`,
      billing_details: person,
      metadata: {},
      created,
    }),
  ]
}

/** As Stripe delivers: signed over the raw body. */
function deliver(poster: Poster, event: object): Promise<void> {
  const body = JSON.stringify(event)
  const time = Math.floor(Date.now() / 1000)
  const signature = createHmac('sha256', webhookSecret).update(`${time}.${body}`).digest('hex')
  return poster.post(
    '/webhooks/stripe',
    { 'content-type': 'application/json', 'stripe-signature': `t=${time},v1=${signature}` },
    body,
  )
}

async function counters(
  { sql }: Connection,
  shop: ChildProcess,
): Promise<{ transactions: number; rows: number; wal: number; cpu: number }> {
  const answer = once(shop, 'message') as Promise<[{ cpu: NodeJS.CpuUsage }]>
  shop.send('cpu')
  const [{ cpu }] = await answer
  const [row] = await sql<{ transactions: string; rows: string; wal: string }[]>`
    select (xact_commit + xact_rollback)::text as transactions, (tup_inserted + tup_updated)::text as rows, (pg_current_wal_lsn() - '0/0')::text as wal
    from pg_stat_database where datname = current_database()`
  return { transactions: Number(row!.transactions), rows: Number(row!.rows), wal: Number(row!.wal), cpu: cpu.user + cpu.system }
}

async function statementsOf({ sql }: Connection, sales: number): Promise<object> {
  const rows = await sql<{ query: string; calls: number; ms: number }[]>`
    select query, calls::int as calls, total_exec_time as ms from pg_stat_statements
    where dbid = (select oid from pg_database where datname = current_database()) and toplevel order by total_exec_time desc`
  const total = (of: (row: (typeof rows)[number]) => number) => rows.reduce((sum, row) => sum + of(row), 0)
  return {
    perSale: Math.round(total(({ calls }) => calls) / sales),
    msPerSale: Math.round((total(({ ms }) => ms) / sales) * 100) / 100,
    costliest: rows.slice(0, 40).map(({ query, calls, ms }) => ({
      perSale: Math.round((calls / sales) * 100) / 100,
      msPerSale: Math.round((ms / sales) * 1000) / 1000,
      query: query.replace(/\s+/g, ' ').slice(0, 110),
    })),
  }
}
