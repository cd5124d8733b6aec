// A Redis server for tests: the one at REDIS_TEST_URL, else a fresh one on a free loopback port when `redis-server` is on the PATH.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from '../db/ports.ts'

const given = process.env.REDIS_TEST_URL

/** Whether there is a Redis to test with; tests that need one are skipped otherwise, and say so. */
export const hasRedis = given !== undefined || spawnSync('redis-server', ['--version']).status === 0

export interface TestRedis {
  readonly url: string
  /** Forgets everything, as a lost store would. */
  lose(): Promise<void>
  stop(): Promise<void>
}

/** Starts the server, or borrows the given one. */
export async function startRedis(): Promise<TestRedis> {
  const port = given ? 0 : await freePort()
  const url = given ?? `redis://127.0.0.1:${port}`
  const server: ChildProcess | undefined = given
    ? undefined
    : spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], {
        stdio: 'ignore',
        cwd: tmpdir(),
      })
  const ended = new Promise<void>((resolve) => (server ? server.once('close', () => resolve()) : resolve()))
  for (let tries = 0; ; tries++) {
    const answer = await onRedis(url, (redis) => redis.ping()).catch(() => undefined)
    if (answer === 'PONG') break
    if (tries > 100) throw new Error(`Redis at ${url} does not answer`)
    await sleep(50)
  }
  return {
    url,
    lose: () => onRedis(url, async (redis) => void (await redis.flushdb())),
    stop: async () => {
      server?.kill()
      await ended
    },
  }
}

async function onRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null })
  redis.on('error', () => {})
  try {
    await redis.connect()
    return await work(redis)
  } finally {
    redis.disconnect()
  }
}
