// Changes of whose a sale is: one admin proposes, and others approve or decline, or try to. Pure.
import { type Dice, diceOf } from '../random.ts'
import { dayOf, partnerOf, type Size } from './calendar.ts'
import { popular } from './lives.ts'
import type { Payment } from './shop.ts'
import { mayBeCapped } from './terms.ts'

/** Who should have a sale. `before`: whoever had it before it last changed hands by people. */
export type Heir = { readonly partner: string } | 'nobody' | 'before'

/** Who decides: the admin who proposed it, another one, or an admin who is the partner that would get the sale or keep it. */
export type Judge = 'proposer' | 'other' | 'receiver' | 'keeper'

export type ChangeStep = { readonly change: string; readonly payment: string } & (
  | { readonly kind: 'proposed'; readonly heir: Heir }
  | { readonly kind: 'approved' | 'declined'; readonly by: Judge }
)

/**
 * What is proposed about one payment, one change after the other, and who decides it on which day. More often where more hangs on it: a cap, or what people
 * did to it (`isHandled`).
 */
export function changesOf(
  size: Size,
  { key: payment, customer, currency, paidAt }: Payment,
  isHandled: boolean,
): { readonly day: number; readonly step: ChangeStep }[] {
  const dice = diceOf(size.seed, 'changes', payment)
  const buyer = partnerOf(customer.email)
  const isDelicate = isHandled || buyer !== undefined || mayBeCapped(size, currency, dayOf(paidAt))
  if (!dice.maybe(isDelicate ? 0.15 : 0.03)) return []
  const steps: { day: number; step: ChangeStep }[] = []
  let day = dayOf(paidAt) + Math.floor(dice.roll() ** 2 * 90)
  for (let nth = 0, count = dice.between(1, 3); nth < count; nth++) {
    const change = `${payment} #${nth}`
    steps.push({ day, step: { change, payment, kind: 'proposed', heir: heirOf(size, nth, buyer, dice) } })
    for (const { after, kind, by } of decisionsOn(dice)) {
      day += after
      steps.push({ day, step: { change, payment, kind, by } })
    }
    day += dice.between(1, 30)
  }
  return steps
}

/** Many a change is taken back. Who bought themselves would like to have the sale, too. */
function heirOf(size: Size, nth: number, buyer: string | undefined, dice: Dice): Heir {
  if (nth > 0 && dice.maybe(0.6)) return 'before'
  if (buyer !== undefined && dice.maybe(0.5)) return { partner: buyer }
  return dice.maybe(0.15) ? 'nobody' : { partner: popular(size, dice) }
}

/** Those who may not decide try first; then somebody decides who may, mostly. After a decision somebody may want another one. */
function decisionsOn(dice: Dice): { after: number; kind: 'approved' | 'declined'; by: Judge }[] {
  const soon = () => dice.between(0, 2)
  const made: { after: number; kind: 'approved' | 'declined'; by: Judge }[] = []
  if (dice.maybe(0.25)) made.push({ after: soon(), kind: 'approved', by: 'proposer' })
  if (dice.maybe(0.12)) made.push({ after: soon(), kind: 'approved', by: 'receiver' })
  if (dice.maybe(0.12)) made.push({ after: soon(), kind: 'declined', by: 'keeper' })
  if (dice.maybe(0.12)) return made
  const after = dice.maybe(0.2) ? dice.between(3, 30) : soon()
  if (dice.maybe(0.8)) made.push({ after, kind: 'approved', by: dice.maybe(0.15) ? 'keeper' : 'other' })
  else made.push({ after, kind: 'declined', by: dice.pick(['other', 'other', 'proposer', 'receiver'] as const) })
  if (dice.maybe(0.1)) made.push({ after: soon(), kind: dice.pick(['approved', 'declined'] as const), by: 'other' })
  return made
}
