// The queue host: relays the outbox to BullMQ, runs workers, and keeps the schedules of the plugins.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Queue } from 'bullmq'
import type { Logger } from 'pino'
import type { Connection } from '../db/connect.ts'
import { outboxChannel, setAside, takeDue } from '../db/outbox.ts'
import type { Clock } from '../plugins/kit/clock.ts'
import type { Loaded } from '../plugins/kit/load.ts'
import { createDeliverer } from './deliver.ts'
import { doublingBackoff, openQueueStore } from './queue.ts'

export interface JobsHost {
  readonly store: 'redis' | 'postgres'
  /** How many jobs wait, run and are delayed, by queue. */
  counts(): Promise<Record<string, Record<string, number>>>
  stop(): Promise<void>
}

interface Work {
  outboxId: number
  target: string
}

const batch = 200
/** A row handed over this long ago and still open is handed over again: the queue ignores it while it still has the job. */
const handOverAgainMs = 30_000
const pollMs = 1_000

/** Starts relay, workers and schedules. Work left open by an earlier process is picked up at once. */
export async function startJobs(options: {
  connection: Connection
  redisUrl: string | undefined
  clock: Clock
  log: Logger
  loaded: Loaded
  concurrency?: number
}): Promise<JobsHost> {
  const { connection, clock, log, loaded } = options
  const { db } = connection
  const deliverer = createDeliverer({ db, clock, log, loaded })
  const store = await openQueueStore({ redisUrl: options.redisUrl, databaseUrl: connection.url, log })
  const stopping = new AbortController()

  const work = store.queue('work')
  await work.waitUntilReady()
  store.worker('work', options.concurrency ?? 8, async (job) => {
    const { outboxId, target } = job.data as Work
    try {
      await deliverer.deliver(outboxId, target, job.attemptsMade + 1, stopping.signal)
    } catch (error) {
      const last = job.attemptsMade + 1 >= (job.opts.attempts ?? 1)
      log[last ? 'error' : 'warn'](
        { err: error, outboxId, target, attempt: job.attemptsMade + 1 },
        last ? 'work was set aside after its last try' : 'work failed and will be tried again',
      )
      if (last) await setAside(db, outboxId, error instanceof Error ? error.message : String(error), clock.now())
      throw error
    }
  })

  const scheduled = store.queue('schedules')
  await keepSchedules(scheduled, loaded, log)
  const schedules = new Map(loaded.schedules.map((schedule) => [schedule.id, schedule]))
  store.worker('schedules', 2, async (job) => {
    try {
      await schedules.get(job.name)?.run()
    } catch (error) {
      log.error({ err: error, schedule: job.name }, 'scheduled work failed; it runs again at its next time')
      throw error
    }
  })

  const relay = startRelay({
    connection,
    clock,
    log,
    signal: stopping.signal,
    handOver: (rows) => addToQueue(work, rows),
    targetsOf: deliverer.targetsOf,
    patienceOf: deliverer.patienceOf,
    closeUnheard: deliverer.closeUnheard,
  })

  return {
    store: store.kind,
    counts: async () => ({ work: await work.getJobCounts(), schedules: await scheduled.getJobCounts() }),
    stop: async () => {
      stopping.abort()
      await relay
      await store.close()
    },
  }
}

interface HandOver extends Work {
  attempts: number
  backoffMs: number
}

async function addToQueue(queue: Queue, items: readonly HandOver[]): Promise<void> {
  await queue.addBulk(
    items.map(({ outboxId, target, attempts, backoffMs }) => ({
      name: target,
      data: { outboxId, target },
      opts: {
        jobId: `${outboxId}.${target}`,
        attempts,
        backoff: { type: doublingBackoff, delay: backoffMs },
        removeOnComplete: true,
        removeOnFail: true,
      },
    })),
  )
}

interface RelayOptions {
  connection: Connection
  clock: Clock
  log: Logger
  signal: AbortSignal
  handOver(items: readonly HandOver[]): Promise<void>
  targetsOf: ReturnType<typeof createDeliverer>['targetsOf']
  patienceOf: ReturnType<typeof createDeliverer>['patienceOf']
  closeUnheard: ReturnType<typeof createDeliverer>['closeUnheard']
}

async function startRelay({ connection, clock, log, signal, ...options }: RelayOptions): Promise<void> {
  let wake = () => {}
  let notified = false
  const subscription = await connection.sql.listen(outboxChannel, () => {
    notified = true
    wake()
  })
  const startedAt = clock.now()
  let firstPass = true
  while (!signal.aborted) {
    notified = false
    let taken = 0
    try {
      const unheard: number[] = []
      taken = await connection.db.transaction(async (tx) => {
        const now = clock.now()
        const rows = await takeDue(tx, {
          now,
          relayedBefore: firstPass ? startedAt : new Date(now.getTime() - handOverAgainMs),
          limit: batch,
        })
        const items = rows.flatMap((row) =>
          options.targetsOf(row).map((target) => ({ outboxId: row.id, target, ...options.patienceOf(row) })),
        )
        unheard.push(...rows.filter((row) => options.targetsOf(row).length === 0).map((row) => row.id))
        if (items.length > 0) await options.handOver(items)
        return rows.length
      })
      for (const id of unheard) await options.closeUnheard(id)
      firstPass &&= taken === batch
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'the outbox could not be relayed; it is tried again')
      await sleep(pollMs, undefined, { signal }).catch(() => {})
    }
    if (taken === batch || notified) continue
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pollMs)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
      signal.addEventListener('abort', wake, { once: true })
    })
    signal.removeEventListener('abort', wake)
  }
  await subscription.unlisten().catch(() => {})
}

/** Makes the schedulers in the queue exactly those that the plugins declare. */
async function keepSchedules(queue: Queue, loaded: Loaded, log: Logger): Promise<void> {
  await queue.waitUntilReady()
  for (const schedule of loaded.schedules) {
    const every =
      'ms' in schedule.every ? { every: schedule.every.ms } : { pattern: schedule.every.cron, tz: schedule.every.timeZone ?? 'UTC' }
    await queue.upsertJobScheduler(schedule.id, every, { name: schedule.id, opts: { removeOnComplete: true, removeOnFail: 10 } })
  }
  const wanted = new Set(loaded.schedules.map((schedule) => schedule.id))
  for (const { key } of await queue.getJobSchedulers()) {
    if (wanted.has(key)) continue
    await queue.removeJobScheduler(key)
    log.info({ schedule: key }, 'removed a schedule that no plugin declares any more')
  }
}
