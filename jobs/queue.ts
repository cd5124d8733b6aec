// BullMQ on whichever store there is: Redis when REDIS_URL is set, else tables in Postgres. Nothing else in the house knows which.
import { createPostgresBackend, Queue, type Job as QueueJob, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import type { Logger } from 'pino'

export interface QueueStore {
  readonly kind: 'redis' | 'postgres'
  queue(name: string): Queue
  worker(name: string, concurrency: number, process: (job: QueueJob) => Promise<void>): Worker
  close(): Promise<void>
}

const schema = 'bullmq'
/** A pause that doubles from the job's own first one up to a minute, shortened by up to a fifth so that what failed together does not return together. */
export const doublingBackoff = 'doubling'
const longestPauseMs = 60_000

/** Milliseconds until the next try, after so many. */
export function pauseAfter(tries: number, firstMs: number): number {
  return Math.round(Math.min(firstMs * 2 ** (tries - 1), longestPauseMs) * (0.8 + 0.2 * Math.random()))
}

/** A job whose process died is given to another one after this time. */
const lockMs = 6_000

/** Opens the store. @throws Error with a sentence when Redis does not answer or may evict jobs */
export async function openQueueStore(options: {
  redisUrl: string | undefined
  databaseUrl: string
  log: Logger
  prefix?: string
}): Promise<QueueStore> {
  return options.redisUrl
    ? onRedis(options.redisUrl, options.log, options.prefix ?? 'siso')
    : onPostgres(options.databaseUrl, options.log)
}

async function onRedis(url: string, log: Logger, prefix: string): Promise<QueueStore> {
  const connection = new Redis(url, {
    maxRetriesPerRequest: null,
    lazyConnect: true,
    retryStrategy: (times) => Math.min(times * 200, 5_000),
  })
  connection.on('error', (error) => log.warn({ reason: error.message }, 'Redis does not answer; queued work waits'))
  try {
    await connection.connect()
  } catch (error) {
    connection.disconnect()
    throw new Error(
      `Redis at REDIS_URL does not answer: ${(error as Error).message}. Start it, or unset REDIS_URL to keep the queue in Postgres.`,
    )
  }
  const policy = /maxmemory_policy:(\S+)/.exec(await connection.info('memory'))?.[1]
  if (policy && policy !== 'noeviction') log.warn({ policy }, 'Redis may evict jobs: set maxmemory-policy to noeviction')
  return opened('redis', log, {
    queue: (name) => new Queue(name, { connection, prefix }),
    worker: (name, process, options) => new Worker(name, process, { connection, prefix, ...options }),
    close: async () => connection.disconnect(),
  })
}

function onPostgres(databaseUrl: string, log: Logger): QueueStore {
  const connection = { connectionString: databaseUrl, schema, migrate: true, max: 4, application_name: 'siso-queue' }
  // The classes carry their backend in their type; what the house uses of them is the same for both.
  return opened('postgres', log, {
    queue: (name) => new Queue(name, { connection }, createPostgresBackend) as unknown as Queue,
    worker: (name, process, options) =>
      new Worker(name, process, { connection, ...options }, createPostgresBackend) as unknown as Worker,
    close: async () => {},
  })
}

interface Factories {
  queue(name: string): Queue
  worker(name: string, process: (job: QueueJob) => Promise<void>, options: ReturnType<typeof workerOptions>): Worker
  close(): Promise<void>
}

/** Keeps track of what was opened, workers apart from queues: workers are closed first, so that running jobs can still finish. */
function opened(kind: QueueStore['kind'], log: Logger, make: Factories): QueueStore {
  const queues: Queue[] = []
  const workers: Worker[] = []
  let closing = false
  const report = (queue: string) => (error: Error) => {
    if (!closing) log.warn({ queue, reason: error.message }, 'the queue reports an error')
  }
  return {
    kind,
    queue: (name) => {
      const queue = make.queue(name)
      queue.on('error', report(name))
      queues.push(queue)
      return queue
    },
    worker: (name, concurrency, process) => {
      const worker = make.worker(name, process, workerOptions(concurrency))
      worker.on('error', report(name))
      workers.push(worker)
      return worker
    },
    close: async () => {
      closing = true
      await Promise.all(workers.map((worker) => worker.close()))
      await Promise.all(queues.map((queue) => queue.close()))
      await make.close()
    },
  }
}

function workerOptions(concurrency: number) {
  return {
    concurrency,
    lockDuration: lockMs,
    stalledInterval: lockMs / 2,
    maxStalledCount: 20,
    settings: {
      backoffStrategy: (attemptsMade: number, _type?: string, _error?: Error, job?: Pick<QueueJob, 'opts'>) => {
        const first = typeof job?.opts.backoff === 'object' ? (job.opts.backoff.delay ?? 0) : 0
        return pauseAfter(attemptsMade, first)
      },
    },
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  }
}
