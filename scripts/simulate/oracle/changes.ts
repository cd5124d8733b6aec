// Changes of whose a sale is, by two people: who may decide what, and what becomes of it.
import type { ChangeStep, Judge } from '../plan/changes.ts'
import type { Sale } from './sale.ts'

export interface Changes {
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
}: {
  sales: ReadonlyMap<string, Sale>
  isPartner: (partner: string) => boolean
  /** Whether the sale may be credited to the partner now. */
  mayEarn: (sale: Sale, partner: string) => boolean
  /** Does what an approval means. */
  give: (sale: Sale, to: string | undefined, now: number, day: number) => void
}): Changes {
  const changes = new Map<string, Change>()

  function propose({ change, payment, heir }: ChangeStep & { kind: 'proposed' }): void {
    const sale = sales.get(payment)
    if (!sale || (heir === 'before' && !sale.change)) return
    const to = heir === 'before' ? sale.change!.from : heir === 'nobody' ? undefined : heir.partner
    const waits = [...changes.values()].some((one) => one.sale === sale && one.state === 'open')
    if (waits || sale.partner === to || (to !== undefined && !isPartner(to))) return
    changes.set(change, { sale, from: sale.partner, to, state: 'open' })
  }

  /** Nobody approves what they proposed or would gain by, nor declines what would take a sale from them. */
  function mayDecide({ from, to }: Change, kind: 'approved' | 'declined', by: Judge): boolean {
    if (by === 'receiver' && to === undefined) return false
    if (by === 'keeper' && from === undefined) return false
    return kind === 'approved' ? by === 'other' || by === 'keeper' : by !== 'keeper'
  }

  return {
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
    },
    states: () => new Map([...changes].map(([key, { state }]) => [key, state])),
  }
}
