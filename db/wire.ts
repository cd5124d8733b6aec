// Connections to Postgres beside the pool: for statements that must not wait behind others, and for hearing what other processes tell (LISTEN/NOTIFY).
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { type Connection, promptly } from './connect.ts'

export type Sql = postgres.Sql

export interface Wire {
  /** A small pool of its own, for statements that must not wait behind those of others. It connects when it is first used; whoever opens it ends it. */
  open(options: { name: string; max: number }): Sql
  /** Listens on the channel until told to stop; a lost line is opened again for as long as it takes. */
  listen(channel: string, hearer: Hearer): Silence
}

export function createWire(connection: Connection): Wire {
  return {
    open: ({ name, max }) =>
      postgres(connection.url, {
        max,
        onnotice: () => {},
        connection: { application_name: name, statement_timeout: 10_000 },
        connect_timeout: 5,
        // The one who asks decides when to try again.
        backoff: false,
        ...promptly(),
      }),
    listen: (channel, hearer) => listen(connection, channel, hearer),
  }
}

export interface Hearer {
  /** From now on everything is heard. What was told before, or since `lost`, is not known. */
  connected(): void
  heard(payload: string): void
  /** From now on something may be missed, until `connected`. */
  lost(): void
}

/** Stops listening. */
export type Silence = () => Promise<void>

const retryMs = 250
/** How often the line is tried, and how long it may take to hear oneself. A line can be dead without anyone having closed it. */
const tryEveryMs = 2000
const patienceMs = 3000
const echo = 'echo '

/** Other listeners on the channel hear the echoes, too, and drop them. */
function listen({ url, sql }: Connection, channel: string, hearer: Hearer): Silence {
  const stopped = new AbortController()
  const echoes = new EventTarget()
  const hear = (payload: string) => {
    if (payload.startsWith(echo)) echoes.dispatchEvent(new Event(payload))
    else hearer.heard(payload)
  }

  const tryLine = () => {
    const word = echo + randomUUID()
    const back = new Promise((resolve) => echoes.addEventListener(word, resolve, { once: true }))
    return within(patienceMs, Promise.all([sql`select pg_notify(${channel}, ${word})`, back]))
  }

  const stayOnLine = async () => {
    const line = postgres(url, {
      max: 1,
      onnotice: () => {},
      connection: { application_name: 'siso listener' },
      connect_timeout: 5,
    })
    try {
      // The driver listens again by itself when the connection breaks and can be had again at once; it then calls `connected`, too.
      await within(
        patienceMs,
        line.listen(channel, hear, () => hearer.connected()),
      )
      for (;;) {
        await tryLine()
        await sleep(tryEveryMs, undefined, { signal: stopped.signal })
      }
    } finally {
      hearer.lost()
      await line.end({ timeout: 0 })
    }
  }

  const running = (async () => {
    while (!stopped.signal.aborted) {
      await stayOnLine().catch(() => {})
      await sleep(retryMs, undefined, { signal: stopped.signal }).catch(() => {})
    }
  })()
  return async () => {
    stopped.abort()
    await running
  }
}

/** What `promise` gives, unless it takes longer than `ms`. @throws Error when it does; whatever it was goes on unheard */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
