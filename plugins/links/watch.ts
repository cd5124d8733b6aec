// Whether the database answers. Whoever meets a failure says so; then it is asked again and again, by this file alone, until it is back.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'

export interface Watch {
  readonly isAway: boolean
  /** The database did not answer, or not in time. */
  failed(error: unknown): void
  stop(): void
}

const askEveryMs = 250

/** `ask` must end in bounded time, and throw while the database is away; `onReturn` is called each time that the database is back. */
export function createWatch(parts: { ask: () => Promise<unknown>; onReturn: () => void; log: Logger }): Watch {
  const { ask, onReturn, log } = parts
  const stopped = new AbortController()
  let isAway = false

  const wait = async () => {
    while (!stopped.signal.aborted) {
      await sleep(askEveryMs, undefined, { signal: stopped.signal, ref: false })
      try {
        await ask()
      } catch {
        continue
      }
      isAway = false
      log.warn('the database is back')
      return onReturn()
    }
  }
  return {
    get isAway() {
      return isAway
    },
    failed: (error) => {
      if (isAway || stopped.signal.aborted) return
      isAway = true
      log.error({ err: error }, 'the database does not answer: clicks are kept on this machine and links lead where they last led')
      wait().catch(() => {})
    },
    stop: () => stopped.abort(),
  }
}
