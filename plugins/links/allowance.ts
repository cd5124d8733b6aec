// Links with a click limit: whether their clicks are used up. The count comes from the clicks themselves; in between, those of this process are added to it.
import { type Db, within } from '../kit/index.ts'
import { countOfLink } from './hours.ts'
import type { Watch } from './watch.ts'
import type { LinkRecord } from './whereabouts.ts'

export interface Allowance {
  /**
   * Whether a link may lead one more visitor on. Clicks at the very same moment may pass the limit by a few; while the database is away, all may.
   * Never rejects.
   */
  has(link: LinkRecord, now: Date): boolean | Promise<boolean>
}

/** Other processes let visitors through, too. */
const rememberedMs = 1000
/** How long a visitor waits for a count. */
const patienceMs = 1000
/** After so long a count is asked for again. */
const mostMs = 15_000

interface Known {
  readonly counted: number
  readonly at: number
  /** Let through by this process since. */
  since: number
}

export function createAllowance({ db, watch }: { db: Db; watch: Watch }): Allowance {
  const known = new Map<string, Known>()
  const asked = new Map<string, Promise<void>>()

  const count = async (link: LinkRecord, now: Date) => {
    try {
      const answer = countOfLink(db, link).catch((error: unknown) => {
        watch.failed(error)
        throw error
      })
      const counted = await within(mostMs, answer)
      known.set(link.id, { counted, at: now.getTime(), since: 0 })
    } catch {
      // Not known now.
    } finally {
      asked.delete(link.id)
    }
  }
  /** A count that is late is no sign that the database is away: it goes on, and until it is there nobody waits for it again. */
  const ask = (link: LinkRecord, now: Date) => within(patienceMs, count(link, now)).catch(() => {})
  const take = (link: LinkRecord, limit: number) => {
    const found = known.get(link.id)
    if (found && found.counted >= limit) return false
    if (found) found.since++
    return true
  }
  return {
    has: (link, now) => {
      const limit = link.clickLimit
      if (limit === null) return true
      const found = known.get(link.id)
      // Counts never fall, so one that is reached stays reached; one that is far away is sure for a moment.
      const isSure =
        found && (found.counted >= limit || (found.counted + found.since < limit && now.getTime() - found.at < rememberedMs))
      if (isSure) return take(link, limit)
      let question = asked.get(link.id)
      if (!question) {
        if (watch.isAway) return take(link, limit)
        question = ask(link, now)
        asked.set(link.id, question)
      }
      return question.then(() => take(link, limit))
    },
  }
}
