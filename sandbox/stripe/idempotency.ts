// Idempotency keys as Stripe keeps them: the first answer for a key is the answer, for 24 hours, as long as the request is the same.

import { StripeRefusal } from './errors.ts'

const KEPT_SECONDS = 86_400

interface SavedAnswer {
  status: number
  body: string
  requestId: string
}

interface Entry {
  path: string
  body: string
  at: number
  answer: SavedAnswer | undefined
}

/** The keys of every account. Keys older than 24 hours by the sandbox's clock are forgotten, as Stripe may do. */
export function createIdempotency(now: () => number) {
  const entries = new Map<string, Entry>()
  return {
    /**
     * Claims a key for a request, or returns the saved answer. Refuses with `idempotency_error` when the key was used for another request,
     * and with 409 `idempotency_key_in_use` while the first request is under way.
     */
    claim(account: string, key: string, path: string, body: string): SavedAnswer | undefined {
      const id = `${account}\n${key}`
      const entry = entries.get(id)
      if (!entry || entry.at + KEPT_SECONDS < now()) {
        entries.set(id, { path, body, at: now(), answer: undefined })
        return undefined
      }
      if (entry.path !== path)
        throw new StripeRefusal(
          400,
          `Keys for idempotent requests can only be used for the same endpoint they were first used for ('${path}' vs '${entry.path}'). Try using a key other than '${key}' if you meant to execute a different request.`,
          { type: 'idempotency_error' },
        )
      if (entry.body !== body)
        throw new StripeRefusal(
          400,
          `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
          { type: 'idempotency_error' },
        )
      if (!entry.answer)
        throw new StripeRefusal(
          409,
          `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`,
          { code: 'idempotency_key_in_use', type: 'idempotency_error' },
        )
      return entry.answer
    },
    /** Remembers the answer of the request that claimed the key. */
    save(account: string, key: string, answer: SavedAnswer): void {
      const entry = entries.get(`${account}\n${key}`)
      if (entry) entry.answer = answer
    },
    /** Forgets a key whose request never began to run. */
    free(account: string, key: string): void {
      entries.delete(`${account}\n${key}`)
    },
    /** Forgets every key, as Stripe may after 24 hours. */
    prune(): number {
      const count = entries.size
      entries.clear()
      return count
    },
  }
}

export type Idempotency = ReturnType<typeof createIdempotency>
