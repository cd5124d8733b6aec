// Changes of whose a sale is, by two people: who may decide what, and what becomes of it.
import type { ChangeStep, Judge } from '../plan/changes.ts'
import type { Sale } from './sale.ts'

/** What became of a change, and whether whoever proposed it took it back. */
export type Verdict = 'approved' | 'declined' | 'outdated' | 'taken back'

export interface Changes {
  /** A claim asks for the change; false when it may not be. */
  proposed(change: string, sale: Sale, to: string | undefined): boolean
  /** Two people have agreed already; false when it may not be. */
  agreed(change: string, sale: Sale, to: string, now: number, day: number): boolean
  act(step: ChangeStep, now: number, day: number): void
  /** How far each proposal is that was taken. */
  states(): Map<string, string>
}

interface Change {
  readonly sale: Sale
  readonly from: string | undefined
  readonly to: string | undefined
  state: 'open' | 'approved' | 'declined' | 'outdated'
}

export function createChanges({
  sales,
  isPartner,
  mayEarn,
  give,
  decided,
}: {
  sales: ReadonlyMap<string, Sale>
  isPartner: (partner: string) => boolean
  /** Whether the sale may be credited to the partner now. */
  mayEarn: (sale: Sale, partner: string) => boolean
  decided: (change: string, verdict: Verdict) => void
  /** Does what an approval means. */
  give: (sale: Sale, to: string | undefined, now: number, day: number) => void
}): Changes {
  const changes = new Map<string, Change>()

  function propose({ change, payment, heir }: ChangeStep & { kind: 'proposed' }): void {
    const sale = sales.get(payment)
    if (!sale || (heir === 'before' && !sale.change)) return
    const to = heir === 'before' ? sale.change!.from : heir === 'nobody' ? undefined : heir.partner
    proposed(change, sale, to)
  }

  const proposed: Changes['proposed'] = (change, sale, to) => {
    const waits = [...changes.values()].some((one) => one.sale === sale && one.state === 'open')
    if (waits || sale.partner === to || (to !== undefined && !isPartner(to))) return false
    changes.set(change, { sale, from: sale.partner, to, state: 'open' })
    return true
  }

  /** Nobody approves what they proposed or would gain by, nor declines what would take a sale from them. */
  function mayDecide({ from, to }: Change, kind: 'approved' | 'declined', by: Judge): boolean {
    if (by === 'receiver' && to === undefined) return false
    if (by === 'keeper' && from === undefined) return false
    return kind === 'approved' ? by === 'other' || by === 'keeper' : by !== 'keeper'
  }

  return {
    proposed,
    agreed: (change, sale, to, now, day) => {
      if (!mayEarn(sale, to) || !proposed(change, sale, to)) return false
      changes.get(change)!.state = 'approved'
      give(sale, to, now, day)
      return true
    },
    act: (step, now, day) => {
      if (step.kind === 'proposed') {
        propose(step)
        return
      }
      const change = changes.get(step.change)
      if (change?.state !== 'open' || !mayDecide(change, step.kind, step.by)) return
      const { sale, from, to } = change
      if (step.kind === 'declined') change.state = 'declined'
      else if (sale.partner !== from) change.state = 'outdated'
      else if (to === undefined || mayEarn(sale, to)) {
        change.state = 'approved'
        give(sale, to, now, day)
      }
      if (change.state !== 'open')
        decided(step.change, step.kind === 'declined' && step.by === 'proposer' ? 'taken back' : change.state)
    },
    states: () => new Map([...changes].map(([key, { state }]) => [key, state])),
  }
}
