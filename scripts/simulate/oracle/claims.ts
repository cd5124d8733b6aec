// Claims of sales: who may file them, and what becomes of them.
import { startOf } from '../plan/calendar.ts'
import type { ClaimStep } from '../plan/claims.ts'
import type { Changes, Verdict } from './changes.ts'
import type { Sale } from './sale.ts'

export interface Claims {
  act(step: ClaimStep, now: number, day: number): void
  /** A change was decided, which a claim may have asked for. */
  decided(change: string, verdict: Verdict): void
  states(): Map<string, string>
}

interface Claim {
  readonly partner: string
  /** The sale that was recorded under the order number by the time of the claim. */
  readonly sale: Sale | undefined
  state: 'open' | 'waiting' | 'approved' | 'declined'
}

const deadlineDays = 30
const mostOpen = 5

export function createClaims({
  sales,
  isActive,
  changes,
}: {
  sales: ReadonlyMap<string, Sale>
  isActive: (partner: string) => boolean
  changes: Changes
}): Claims {
  const claims = new Map<string, Claim>()

  function file({ claim, payment, partner, bought, knows }: ClaimStep & { kind: 'filed' }, now: number): void {
    const waiting = [...claims.values()].filter(
      (one) => one.partner === partner && (one.state === 'open' || one.state === 'waiting'),
    )
    if (!isActive(partner) || waiting.length >= mostOpen || startOf(bought + 1 + deadlineDays) < now) return
    claims.set(claim, { partner, sale: knows ? sales.get(payment) : undefined, state: 'open' })
  }

  return {
    act: (step, now, day) => {
      if (step.kind === 'filed') return file(step, now)
      const claim = claims.get(step.claim)
      if (claim?.state !== 'open') return
      const { sale, partner } = claim
      if (step.kind === 'declined' || !sale || sale.partner === partner) claim.state = 'declined'
      // The partner and the admin are two people already; what belongs to somebody else needs one more.
      else if (sale.partner === undefined) {
        if (changes.agreed(step.claim, sale, partner, now, day)) claim.state = 'approved'
      } else if (changes.proposed(step.claim, sale, partner)) claim.state = 'waiting'
    },
    decided: (change, verdict) => {
      const claim = claims.get(change)
      if (claim?.state === 'waiting') claim.state = verdict === 'approved' || verdict === 'declined' ? verdict : 'open'
    },
    states: () => new Map([...claims].map(([key, { state }]) => [key, state])),
  }
}
