// One simulation: the plan is lived through by the real plugins and by the oracle, and compared every day. Reads no flags and prints nothing.
import { randomBytes } from 'node:crypto'
import { type Connection, connect } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'
import { createDriver, type Driver } from './drive.ts'
import { createOracle } from './oracle.ts'
import type { Size } from './plan/calendar.ts'
import { planOf } from './plan.ts'
import { createTally, type Seen } from './tally.ts'

export interface Difference {
  readonly day: number
  /** Where: `balance p1 USD payable`, `sale pay_3_1_1`, `bank p1 USD`, `state deal_3_0`, `proof`. */
  readonly what: string
  readonly expected: string
  readonly actual: string
}

export interface Outcome extends Size {
  readonly ok: boolean
  /** How many things happened. */
  readonly events: number
  /** The same by kind, with what the program made of it. */
  readonly seen: Readonly<Record<string, number>>
  /** Of the first day on which anything differed; empty when all agreed. */
  readonly differences: readonly Difference[]
  readonly proof: { readonly ok: boolean; readonly runs: number; readonly transfers: number }
  readonly ms: number
  /** Milliseconds by kind of work; `cpu` is this process's own processor time. */
  readonly spent: Readonly<Record<string, number>>
}

export interface Watch {
  readonly onProgress?: (day: number, ms: number, seen: Readonly<Seen>) => void
  /** Runs before the day is compared: a test may meddle with the books here. */
  readonly onDay?: (day: number, sql: Connection['sql']) => Promise<void>
  /** When aborted, the simulation ends after the day that it is living. */
  readonly signal?: AbortSignal
}

/** Sales one by one are compared this often, balances every day. */
const daysBetweenSales = 30

/** Whether the planner is told on this day what there is: whenever the books are twice as old as the last time. */
const isAnalyzed = (day: number): boolean =>
  day === 1 || (day % daysBetweenSales === 0 && Number.isInteger(Math.log2(day / daysBetweenSales)))

/** Lives through the plan on a new database of the server (gone afterwards). Stops at the first day on which oracle, bank or proof disagree. */
export async function simulate(serverUrl: string, size: Size, watch: Watch = {}): Promise<Outcome> {
  const name = `simulation_${randomBytes(6).toString('hex')}`
  const admin = await connect(serverUrl, { max: 1 })
  await admin.sql.unsafe(`create database ${name}`)
  const connection = await connect(serverUrl.replace(/\/postgres$/, `/${name}`), { max: 12 })
  try {
    await migrate(connection)
    const driver = await createDriver(connection, size)
    try {
      return await liveThrough(driver, connection.sql, size, watch)
    } finally {
      await driver.close()
    }
  } finally {
    await connection.close()
    await admin.sql.unsafe(`drop database if exists ${name} with (force)`)
    await admin.close()
  }
}

async function liveThrough(driver: Driver, sql: Connection['sql'], size: Size, watch: Watch): Promise<Outcome> {
  const started = performance.now()
  const plan = planOf(size)
  const oracle = createOracle(size)
  const tally = createTally()
  const differences: Difference[] = []
  const proof = { ok: true, runs: 0, transfers: 0 }
  // Each day's proof goes on from that of the day before; once a month, and at the end, everything is proven anew. It reads a snapshot, so that it may run
  // while the next day begins.
  let proving: Promise<void> = Promise.resolve()
  const prove = async (day: number, anew: boolean) => {
    const result = await driver.prove(anew)
    Object.assign(proof, { ok: proof.ok && result.ok, runs: proof.runs + 1, transfers: result.transfers })
    for (const { check, detail } of result.findings)
      differences.push({ day, what: `proof: ${check}`, expected: 'no finding', actual: detail })
  }
  const compare = async (day: number, oneByOne: boolean) => {
    differences.push(...differing(day, 'balance', oracle.balances(), await driver.balances()))
    differences.push(...differing(day, 'bank', oracle.transferred(), driver.transferred()))
    // Which sale it was is the first question when something differs.
    if (!oneByOne && differences.length === 0) return
    differences.push(...differing(day, 'sale', oracle.sales(), await driver.sales()))
    differences.push(...differing(day, 'state', oracle.states(), await driver.states()))
  }
  for (const day of plan) {
    tally.add(day)
    oracle.live(day)
    await driver.live(day)
    await watch.onDay?.(day.day, sql)
    // Months pass in seconds, faster than the server's own statistics keep up.
    if (isAnalyzed(day.day)) await sql.unsafe('analyze')
    await compare(day.day, day.day % daysBetweenSales === daysBetweenSales - 1)
    await proving
    proving = prove(day.day, day.payday)
    // What it throws is thrown where it is awaited, unless something else went wrong before.
    proving.catch(() => {})
    watch.onProgress?.(day.day, performance.now() - started, tally.seen)
    if (differences.length > 0 || watch.signal?.aborted) break
  }
  await proving
  if (differences.length === 0 && !watch.signal?.aborted) {
    oracle.settle()
    await driver.settle()
    await compare(size.days, true)
    await prove(size.days, true)
  }
  const { events, ...kinds } = tally.seen
  const stripe = driver.stripe()
  return {
    ok: differences.length === 0 && proof.ok,
    ...size,
    events,
    seen: {
      ...kinds,
      payouts: driver.payouts(),
      refusals: driver.refusals(),
      crashes: driver.crashes(),
      stripeEvents: stripe.events,
      stripeDuplicates: stripe.again,
      askedOfStripe: stripe.asked,
      transfersAtStripe: stripe.transfers,
    },
    differences: differences.slice(0, 100),
    proof,
    ms: Math.round(performance.now() - started),
    spent: { ...driver.spent(), cpu: Math.round(process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000) },
  }
}

/** What is in one of them and not the same in the other; nothing is the same as zero. */
export function differing<T extends bigint | string>(
  day: number,
  what: string,
  expected: ReadonlyMap<string, T>,
  actual: ReadonlyMap<string, T>,
): Difference[] {
  return [...new Set([...expected.keys(), ...actual.keys()])]
    .filter((key) => expected.get(key) !== actual.get(key) && (expected.get(key) || actual.get(key)))
    .map((key) => ({
      day,
      what: `${what} ${key}`,
      expected: String(expected.get(key) ?? 'nothing'),
      actual: String(actual.get(key) ?? 'nothing'),
    }))
}
