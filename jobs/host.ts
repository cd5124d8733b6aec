// The queue host: starts the relay of the outbox, the workers that try again what failed there, and the schedules of the plugins.
import type { Queue } from 'bullmq'
import type { Logger } from 'pino'
import type { Connection } from '../db/connect.ts'
import { setAside } from '../db/outbox.ts'
import type { Clock } from '../plugins/kit/clock.ts'
import type { Loaded } from '../plugins/kit/load.ts'
import { createDeliverer } from './deliver.ts'
import { doublingBackoff, openQueueStore, pauseAfter } from './queue.ts'
import { type HandOver, startRelay } from './relay.ts'

export interface JobsHost {
  readonly store: 'redis' | 'postgres'
  /** How many jobs wait, run and are delayed, by queue. */
  counts(): Promise<Record<string, Record<string, number>>>
  stop(): Promise<void>
}

interface Work {
  outboxId: number
  target: string
  /** Tries that were made before it came to the queue. */
  before: number
}

/** Starts relay, workers and schedules. Work left open by an earlier process is picked up at once. */
export async function startJobs(options: {
  connection: Connection
  redisUrl: string | undefined
  clock: Clock
  log: Logger
  loaded: Loaded
  concurrency?: number
}): Promise<JobsHost> {
  const { connection, clock, log, loaded, concurrency = 8 } = options
  const { db } = connection
  const deliverer = createDeliverer({ db, clock, log, loaded })
  const store = await openQueueStore({ redisUrl: options.redisUrl, databaseUrl: connection.url, log })
  const stopping = new AbortController()

  const work = store.queue('work')
  await work.waitUntilReady()
  store.worker('work', concurrency, async (job) => {
    const { outboxId, target, before } = job.data as Work
    const attempt = before + job.attemptsMade + 1
    try {
      await deliverer.deliver(outboxId, target, attempt, stopping.signal)
    } catch (error) {
      const last = job.attemptsMade + 1 >= (job.opts.attempts ?? 1)
      log[last ? 'error' : 'warn'](
        { err: error, outboxId, target, attempt },
        last ? 'work was set aside after its last try' : 'work failed and will be tried again',
      )
      if (last) await setAside(db, outboxId, causeOf(error), clock.now())
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

  const stopRelay = await startRelay({
    connection,
    clock,
    log,
    deliverer,
    concurrency,
    handOver: (items) => addToQueue(work, items),
  })

  return {
    store: store.kind,
    counts: async () => ({ work: await work.getJobCounts(), schedules: await scheduled.getJobCounts() }),
    stop: async () => {
      stopping.abort()
      await stopRelay()
      await store.close()
    },
  }
}

async function addToQueue(queue: Queue, items: readonly HandOver[]): Promise<void> {
  if (items.length === 0) return
  await queue.addBulk(
    items.map(({ outboxId, target, before, attempts, backoffMs }) => ({
      name: target,
      data: { outboxId, target, before } satisfies Work,
      opts: {
        jobId: `${outboxId}.${target}`,
        attempts: Math.max(1, attempts - before),
        ...(before > 0 && { delay: pauseAfter(before, backoffMs) }),
        backoff: { type: doublingBackoff, delay: backoffMs * 2 ** before },
        removeOnComplete: true,
        removeOnFail: true,
      },
    })),
  )
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

/** What went wrong, its deepest cause first: a failed statement's own message is its text, and that of many failures is their number. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const deeper = error instanceof AggregateError ? error.errors[0] : error.cause
  return deeper === undefined ? error.message : `${causeOf(deeper)}; ${error.message}`
}
