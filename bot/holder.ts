// One live gateway session per application: a session-level advisory lock in Postgres that dies with its holder.
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import postgres from 'postgres'

export interface Holder {
  release(): Promise<void>
}

const retryMs = 1_000

/**
 * Waits until this process holds the gateway of the application. `onLost` is called when the lock's connection breaks: the caller must then leave the gateway.
 * Rejects, leaving nothing open, when `signal` is aborted while waiting or the database does not answer.
 */
export async function holdGateway(options: {
  url: string
  applicationId: string
  log: Logger
  signal: AbortSignal
  onLost: () => void
}): Promise<Holder> {
  const key = createHash('sha256').update(`gateway:${options.applicationId}`).digest().readBigInt64BE().toString()
  let released = false
  const sql = postgres(options.url, {
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    connection: { application_name: 'siso-gateway' },
    onclose: () => {
      if (!released && held) options.onLost()
    },
  })
  let held = false
  try {
    for (let waited = 0; ; waited++) {
      options.signal.throwIfAborted()
      const [row] = await sql<{ got: boolean }[]>`select pg_try_advisory_lock(${key}::bigint) as got`
      if (row?.got) break
      if (waited === 0) options.log.info('another process holds the gateway; this one waits to take over')
      await sleep(retryMs, undefined, { signal: options.signal })
    }
  } catch (error) {
    await sql.end({ timeout: 2 })
    throw error
  }
  held = true
  return {
    release: async () => {
      released = true
      await sql.end({ timeout: 2 })
    },
  }
}
