// Claims: partners name a sale that should be theirs, and admins credit it to them or do not. Pure.
import { diceOf } from '../random.ts'
import { dayOf, type Size } from './calendar.ts'
import type { ChangeStep } from './changes.ts'
import { popular } from './lives.ts'
import type { Payment } from './shop.ts'

export type ClaimStep = { readonly claim: string; readonly payment: string } & (
  | {
      readonly kind: 'filed'
      readonly partner: string
      /** The day of the purchase. */
      readonly bought: number
      /** They know its order number; else they name one that does not exist. */
      readonly knows: boolean
    }
  /** An admin looks at it and credits the sale, if it is among those that it may mean; or declines it. */
  | { readonly kind: 'credited' | 'declined' }
)

/** Claims of one payment, sometimes by two partners; a change that a claim asks for has the name of the claim. */
export function claimsOf(size: Size, { key: payment, paidAt }: Payment): { day: number; step: ClaimStep | ChangeStep }[] {
  const dice = diceOf(size.seed, 'claims', payment)
  if (!dice.maybe(0.04)) return []
  const bought = dayOf(paidAt)
  return Array.from({ length: dice.maybe(0.4) ? 2 : 1 }, (_, nth) => {
    const claim = `${payment} claim ${nth}`
    const filed = bought + dice.between(0, 33)
    const looked = filed + dice.between(0, 5)
    const kind = dice.maybe(0.8) ? ('credited' as const) : ('declined' as const)
    const steps: { day: number; step: ClaimStep | ChangeStep }[] = [
      { day: filed, step: { claim, payment, kind: 'filed', partner: popular(size, dice), bought, knows: dice.maybe(0.9) } },
      { day: looked, step: { claim, payment, kind } },
    ]
    const decided = looked + dice.between(0, 20)
    if (kind === 'declined' || dice.maybe(0.1)) return steps
    const change = { change: claim, payment }
    if (dice.maybe(0.2)) steps.push({ day: decided, step: { ...change, kind: 'approved', by: 'proposer' } })
    const approved = dice.maybe(0.75)
    const by = approved ? 'other' : dice.pick(['other', 'proposer', 'keeper'] as const)
    steps.push({ day: decided, step: { ...change, kind: approved ? 'approved' : 'declined', by } })
    return steps
  }).flat()
}
