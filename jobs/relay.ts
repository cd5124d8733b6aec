// The relay: takes what is due out of the outbox and has it handled here and now, most of it many rows to a transaction. What fails at the first try goes to the
// queue, which tries again with growing pauses. Whatever a process leaves behind is found again by its row.
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import type { Logger } from 'pino'
import { type Connection, connect } from '../db/connect.ts'
import {
  type DueRow,
  giveBack,
  handOverFresh,
  markDone,
  markHandedOver,
  outboxChannel,
  takeFresh,
  takeStale,
} from '../db/outbox.ts'
import type { Clock } from '../plugins/kit/clock.ts'
import { inGroups } from '../plugins/kit/groups.ts'
import type { Deliverer } from './deliver.ts'

/** Work for the queue: one row to one target. */
export interface HandOver {
  readonly outboxId: number
  readonly target: string
  /** Tries that were made already. */
  readonly before: number
  readonly attempts: number
  readonly backoffMs: number
}

export interface RelayOptions {
  connection: Connection
  clock: Clock
  log: Logger
  deliverer: Deliverer
  /** How many jobs that reach out of the database run at the same time. */
  concurrency: number
  /** Adds work to the queue; what it has already is ignored. */
  handOver(items: readonly HandOver[]): Promise<void>
}

/** How the sessions of every relay begin, by which relays see one another. */
const relayName = 'siso relay'
const batch = 200
const pollMs = 1_000
/** A row that was handed over this long ago and is still open goes to the queue, unless this process says that it still has it. */
const handOverAgainMs = 30_000
const stillHereMs = 10_000
const staleEveryMs = 5_000
/** How long the relay rests after a round, as a share of what the round took: those whom its commit lets go on come into the next one together. */
const restShare = 0.25
const longestRestMs = 15

/** Starts the relay; resolves once it hears of new rows. The function that it gives stops it, once what was begun is finished. */
export async function startRelay({
  connection,
  clock,
  log,
  deliverer,
  concurrency,
  handOver,
}: RelayOptions): Promise<() => Promise<void>> {
  const { db } = connection
  // Few sessions, which see the same statements again and again: they have their plans. In the pool each session would come to have its own. Three, so that
  // one works while another commits, and one hands over.
  const name = `${relayName} ${randomBytes(4).toString('hex')}`
  const lane = await connect(connection.url, { max: 3, name })
  const stopping = new AbortController()
  const { signal } = stopping
  const bell = createBell()
  const outer = createPool(concurrency)
  const closeRow = inGroups(async (ids: readonly number[]) => {
    await markDone(db, ids, clock.now())
    return ids
  })

  const toQueue = async (rows: readonly DueRow[], before: number) => {
    const isNobodys = (row: DueRow) => deliverer.targetsOf(row).length === 0
    await markDone(
      db,
      rows.filter(isNobodys).map(({ id }) => id),
      clock.now(),
    )
    await handOver(
      rows.flatMap((row) =>
        deliverer.targetsOf(row).map((target) => ({ outboxId: row.id, target, before, ...deliverer.patienceOf(row) })),
      ),
    )
  }

  /** Handles what is fresh; returns how many rows that were, and says it already when only the commit is left. */
  async function relayFresh(committing: (rows: number) => void): Promise<number> {
    const beginning = outer.size < 4 * concurrency ? beginOuter() : Promise.resolve(0)
    const begun = beginning.catch(() => 0)
    let rows: DueRow[] = []
    try {
      await lane.db.transaction(async (tx) => {
        rows = await takeFresh(tx, { now: clock.now(), limit: batch, jobs: deliverer.innerJobs })
        await deliverer.deliverTogether(tx, rows)
        committing((await begun) + rows.length)
      })
    } catch (error) {
      if (rows.length === 0) throw error
      log.debug({ err: error, rows: rows.length }, 'rows that failed together are handled one by one')
      await markHandedOver(
        db,
        rows.map(({ id }) => id),
        clock.now(),
      )
      for (const row of rows) await deliverAlone(row)
    }
    return (await beginning) + rows.length
  }

  async function beginOuter(): Promise<number> {
    const rows = await handOverFresh(lane.db, { now: clock.now(), limit: batch, except: deliverer.innerJobs })
    for (const row of rows) outer.run(row.id, () => runOuter(row))
    return rows.length
  }

  async function deliverAlone(row: DueRow): Promise<void> {
    try {
      const targets = deliverer.targetsOf(row)
      for (const target of targets) await deliverer.deliver(row.id, target, 1, signal)
      if (targets.length === 0) await markDone(db, [row.id], clock.now())
    } catch (error) {
      await tryLater(row, error)
    }
  }

  async function runOuter(row: DueRow): Promise<void> {
    try {
      await deliverer.runOuter(row, signal)
    } catch (error) {
      return tryLater(row, error)
    }
    await closeRow(row.id).catch((error: unknown) =>
      log.warn({ err: error, outboxId: row.id }, 'finished work could not be recorded; it is done again'),
    )
  }

  async function tryLater(row: DueRow, error: unknown): Promise<void> {
    log.warn({ err: error, outboxId: row.id, work: row.name, attempt: 1 }, 'work failed and will be tried again')
    await toQueue([row], 1).catch((problem: unknown) =>
      log.warn({ err: problem, outboxId: row.id }, 'the queue takes no work; it is handed over again'),
    )
  }

  async function relayStale(handedOverBefore: Date): Promise<void> {
    for (;;) {
      const rows = await takeStale(db, { now: clock.now(), handedOverBefore, limit: batch })
      await toQueue(rows, 0)
      if (rows.length < batch) return
    }
  }

  async function isAlone(): Promise<boolean> {
    const [row] = await db.execute<{ alone: boolean }>(sql`
      select not exists (
        select from pg_stat_activity
        where datname = current_database() and application_name like ${`${relayName} %`} and application_name <> ${name}
      ) as alone`)
    return row!.alone
  }

  const troubled = async (error: unknown) => {
    if (!signal.aborted) log.warn({ err: error }, 'the outbox could not be relayed; it is tried again')
    await sleep(pollMs, undefined, { signal }).catch(() => {})
  }

  const handleWhatComes = async () => {
    let latest: Promise<unknown> = Promise.resolve()
    while (!signal.aborted) {
      const heard = bell.next()
      const began = performance.now()
      const before = latest
      const { promise: committing, resolve } = Promise.withResolvers<number>()
      const over = relayFresh(resolve).catch(async (error) => {
        await troubled(error)
        return 1
      })
      latest = over
      // What comes next is begun while this is committed, and no earlier: it may be about the same.
      const rows = await Promise.race([committing, over])
      await before
      if (rows === 0) await Promise.race([heard, sleep(pollMs, undefined, { signal }).catch(() => {})])
      else if (rows < batch) await rest(performance.now() - began)
    }
    await latest
  }

  /** A round costs much more than a row in it. Rounds are short while little is asked for, and so are the rests. */
  const rest = async (tookMs: number) => {
    const ms = Math.min(longestRestMs, Math.floor(tookMs * restShare))
    if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => {})
  }

  /** Sees to it that what this process has stays its own, and that what others lost is done. */
  const keepWatch = async () => {
    // What earlier processes had in their hands is nobody's, once no other runs that may still have it.
    let inheritance: Date | undefined = clock.now()
    let said = 0
    while (!signal.aborted) {
      try {
        if (Date.now() - said > stillHereMs) {
          await markHandedOver(db, outer.keys(), clock.now())
          said = Date.now()
        }
        if (inheritance && (await isAlone())) {
          await relayStale(inheritance)
          inheritance = undefined
        }
        await relayStale(new Date(clock.now().getTime() - handOverAgainMs))
      } catch (error) {
        await troubled(error)
      }
      await sleep(staleEveryMs, undefined, { signal }).catch(() => {})
    }
  }

  const subscription = await connection.sql.listen(outboxChannel, bell.ring)
  const running = [keepWatch(), handleWhatComes()]
  return async () => {
    stopping.abort()
    bell.ring()
    await Promise.all(running)
    await lane.close()
    await giveBack(db, await outer.drain()).catch((error: unknown) => log.warn({ err: error }, 'work could not be given back'))
    await subscription.unlisten().catch(() => {})
  }
}

/** Wakes whoever waits; what rings before the next wait counts, too. */
function createBell(): { next(): Promise<void>; ring(): void } {
  let { promise, resolve } = Promise.withResolvers<void>()
  return {
    next: () => promise,
    ring: () => {
      resolve()
      ;({ promise, resolve } = Promise.withResolvers<void>())
    },
  }
}

interface Pool {
  /** Running and waiting. */
  readonly size: number
  keys(): number[]
  run(key: number, work: () => Promise<void>): void
  /** Begins nothing more and waits for what runs; returns the keys of what was not begun. */
  drain(): Promise<number[]>
}

/** Runs at most `most` pieces of work at the same time, in the order in which they came. */
function createPool(most: number): Pool {
  const running = new Map<number, Promise<void>>()
  const waiting: { key: number; work: () => Promise<void> }[] = []
  let draining = false
  const next = () => {
    while (!draining && running.size < most && waiting.length > 0) {
      const { key, work } = waiting.shift()!
      running.set(
        key,
        work().finally(() => {
          running.delete(key)
          next()
        }),
      )
    }
  }
  return {
    get size() {
      return running.size + waiting.length
    },
    keys: () => [...running.keys(), ...waiting.map(({ key }) => key)],
    run: (key, work) => {
      waiting.push({ key, work })
      next()
    },
    drain: async () => {
      draining = true
      await Promise.allSettled([...running.values()])
      return waiting.splice(0).map(({ key }) => key)
    },
  }
}
