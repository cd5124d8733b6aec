// What becomes of each payout: what the bank does wrong, what admins call back, what comes home. Pure.
import { chance, diceOf } from '../random.ts'
import { isPayday, type Size } from './calendar.ts'

/** What happens to one payout. */
export interface Fate {
  /** An admin calls it back before it is sent. */
  readonly cancelled: boolean
  readonly refused: boolean
  /** What goes wrong with the tries before the one that is answered: before or after the bank took the money. */
  readonly troubles: readonly ('before' | 'after')[]
  /** Nothing gets through on the first day: the bank does not answer, or has too little. */
  readonly stuck: 'silent' | 'poor' | undefined
  /** The bank's word arrives before our own record is written. */
  readonly early: boolean
  readonly daysToWord: number
  readonly word: 'paid' | 'returned'
  /** Days after the payment until the money comes back after all. */
  readonly comesBack: number | undefined
  readonly toldTwice: boolean
}

/** Whether the company's account lacks the money on this day. */
export const isPoor = (size: Size, currency: string, day: number): boolean =>
  isPayday(day) && chance(size.seed, 'poor', currency, day) < 0.08

/** The fate of the payout to this partner that is prepared on this day. */
export function fateOf(size: Size, partner: string, currency: string, day: number): Fate {
  const dice = diceOf(size.seed, 'fate', partner, currency, day)
  const refused = dice.maybe(0.04)
  const troubles = Array.from({ length: dice.maybe(0.25) ? dice.between(1, 3) : 0 }, () => dice.pick(['before', 'after'] as const))
  return {
    refused,
    // What is refused was not taken before.
    troubles: refused ? troubles.map(() => 'before') : troubles,
    stuck: isPoor(size, currency, day) ? 'poor' : dice.maybe(0.04) ? 'silent' : undefined,
    early: dice.maybe(0.3),
    daysToWord: dice.between(0, 5),
    word: dice.maybe(0.06) ? 'returned' : 'paid',
    comesBack: dice.maybe(0.05) ? dice.between(1, 40) : undefined,
    toldTwice: dice.maybe(0.15),
    cancelled: dice.maybe(0.04),
  }
}

/** On which days a payout that is made by hand is listed, comes back confirmed, and comes back after all. */
export function handDaysOf(fate: Fate, payday: number): { listed: number; word: number; back: number | undefined } {
  const listed = payday + 1
  const word = listed + 1 + fate.daysToWord
  return { listed, word, back: fate.word === 'paid' && fate.comesBack !== undefined ? word + fate.comesBack : undefined }
}
