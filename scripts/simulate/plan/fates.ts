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

/** What happens besides to one payout through Stripe. */
export interface TransferFate {
  /**
   * What keeps it on the first day: the account lacks the money before it is sent, or by the time it is; nothing gets through; Stripe fails and says so again
   * for a day, whoever asks under the same key; or Stripe takes the money and then says nothing.
   */
  readonly stuck: 'poor' | 'short' | 'silent' | 'failed' | 'taken' | undefined
  /** Days until Stripe tells that it made the transfer; undefined: it never does. */
  readonly toldAfter: number | undefined
  /** Days after which somebody reverses the transfer. */
  readonly reversedAfter: number | undefined
  /** Days from then until Stripe tells; undefined: it never does. */
  readonly reversalToldAfter: number | undefined
}

export interface TransferNews {
  readonly on: number
  readonly kind: 'created' | 'reversed'
  /** Written in another version of the API, so that the transfer is read from Stripe. */
  readonly isRead: boolean
}

/** The fate of the payout through Stripe that is prepared on this day, besides what may happen to any. */
export function transferFateOf(size: Size, partner: string, currency: string, day: number): TransferFate {
  const dice = diceOf(size.seed, 'transfer', partner, currency, day)
  const stuck = dice.maybe(0.25) ? dice.pick(['short', 'silent', 'failed', 'taken', 'taken'] as const) : undefined
  const late = () => (dice.maybe(0.1) ? undefined : dice.maybe(0.8) ? dice.between(0, 5) : dice.between(10, 60))
  // What is found only when it is looked up may be gone again by then.
  const reversedAfter = dice.maybe(stuck === 'taken' ? 0.3 : 0.06) ? 1 : dice.maybe(0.1) ? dice.between(1, 40) : undefined
  return {
    stuck: isPoor(size, currency, day) ? 'poor' : stuck,
    toldAfter: late(),
    reversedAfter,
    reversalToldAfter: late(),
  }
}

/** Whether the first try is the one to which Stripe says that the money is lacking: nobody waits for an answer to an earlier one. */
export const isShortAtOnce = (fate: Fate, { stuck }: TransferFate): boolean => stuck === 'short' && fate.troubles[0] !== 'before'

/** What Stripe tells of the transfer that it made on the day `taken` for the payout of this payday, each word on its day. */
export function transferNewsOf(size: Size, partner: string, currency: string, payday: number, taken: number): TransferNews[] {
  const { toldAfter, reversedAfter, reversalToldAfter } = transferFateOf(size, partner, currency, payday)
  const { toldTwice } = fateOf(size, partner, currency, payday)
  const isRead = (kind: string) => chance(size.seed, 'read', kind, partner, currency, payday) < 0.1
  const news: TransferNews[] = []
  const tell = (kind: TransferNews['kind'], on: number) => {
    for (const day of toldTwice ? [on, on + 3] : [on]) news.push({ on: day, kind, isRead: isRead(kind) })
  }
  if (toldAfter !== undefined) tell('created', taken + toldAfter)
  if (reversedAfter !== undefined && reversalToldAfter !== undefined) tell('reversed', taken + reversedAfter + reversalToldAfter)
  return news
}

/** On which days a payout that is made by hand is listed, comes back confirmed, and comes back after all. */
export function handDaysOf(fate: Fate, payday: number): { listed: number; word: number; back: number | undefined } {
  const listed = payday + 1
  const word = listed + 1 + fate.daysToWord
  return { listed, word, back: fate.word === 'paid' && fate.comesBack !== undefined ? word + fate.comesBack : undefined }
}
