// What admins do to single commissions: adjust, void, hold, release, and decide about what looks like fraud. Pure.
import { type Dice, diceOf } from '../random.ts'
import { dayOf, exponentOf, type Size } from './calendar.ts'
import type { LifeChange } from './lives.ts'
import type { Payment } from './shop.ts'

export type Hand =
  | { readonly kind: 'adjust'; readonly payment: string; readonly amount: bigint; readonly currency: string }
  | { readonly kind: 'void' | 'hold' | 'release' | 'clear' | 'reject'; readonly payment: string }
  /** From now on nothing of this partner is held for fraud. */
  | { readonly kind: 'allow'; readonly partner: string }

/** What is done about one payment, and when; `suspicious` ones came right after their click. */
export function handsOn(size: Size, payment: Payment, suspicious: boolean): { readonly day: number; readonly hand: Hand }[] {
  const dice = diceOf(size.seed, 'hands', payment.key)
  const bought = dayOf(payment.paidAt)
  const done: { day: number; hand: Hand }[] = []
  const { key, currency } = payment
  if (dice.maybe(0.03)) {
    const amount = amountOf(currency, dice)
    done.push({ day: bought + dice.between(0, 90), hand: { kind: 'adjust', payment: key, amount, currency } })
  }
  if (dice.maybe(0.012)) done.push({ day: bought + dice.between(0, 90), hand: { kind: 'void', payment: key } })
  if (dice.maybe(0.025)) {
    const held = bought + dice.between(0, 40)
    done.push({ day: held, hand: { kind: 'hold', payment: key } })
    if (dice.maybe(0.8)) done.push({ day: held + dice.between(1, 40), hand: { kind: 'release', payment: key } })
  }
  // Whoever looks at what is suspicious does so after a while; of others there is no case to decide.
  if (dice.maybe(suspicious ? 0.9 : 0.01))
    done.push({ day: bought + dice.between(1, 20), hand: { kind: dice.maybe(0.5) ? 'clear' : 'reject', payment: key } })
  return done
}

/** Money given, or taken; sometimes more than there is. */
function amountOf(currency: string, dice: Dice): bigint {
  const cents = BigInt(dice.between(1, 2_500))
  const amount = exponentOf(currency) === 3 ? cents * 10n + 3n : cents
  return dice.maybe(0.5) ? -amount : amount
}

/** When a partner is put on the list of those of whom nothing is held for fraud. */
export function allowanceOf(size: Size, partner: string, life: readonly LifeChange[]): { day: number; hand: Hand }[] {
  const dice = diceOf(size.seed, 'allowed', partner)
  return dice.maybe(0.05) ? [{ day: life[0]!.day + dice.between(1, 120), hand: { kind: 'allow', partner } }] : []
}
