// Payouts as the oracle sees them: who is paid on a payday, and what the bank and the people who pay by hand make of it.

import { hourMs, type Size, timesOfDay } from '../plan/calendar.ts'
import {
  type Fate,
  fateOf,
  handDaysOf,
  isShortAtOnce,
  type TransferFate,
  type TransferNews,
  transferFateOf,
  transferNewsOf,
} from '../plan/fates.ts'
import { type Way, wayOf } from '../plan/lives.ts'
import type { Day } from '../plan.ts'
import { shuffled } from '../random.ts'
import type { Accounts } from './accounts.ts'
import { type Books, minimumIn } from './books.ts'
import type { People } from './people.ts'
import { bookOf, type Lot, type Share } from './sale.ts'

export interface Payouts {
  /** The evening of the day: what waits is tried again, on a payday everybody is paid, and words arrive. */
  evening(day: Day): void
  /** What was paid out and did not come back, by `partner currency`. */
  transferred(): Map<string, bigint>
  count(): number
}

interface Payout {
  readonly partner: string
  readonly currency: string
  readonly day: number
  readonly way: Way
  readonly fate: Fate
  readonly lots: Map<Lot, Share>
  readonly amount: bigint
  state: 'waiting' | 'sent' | 'paid' | 'back'
  wordOn: number
  backOn: number | undefined
  /** The transfer at Stripe. */
  transfer: Transfer | undefined
}

interface Transfer {
  readonly reversedOn: number
  readonly news: readonly TransferNews[]
  /** What the books were told of it, or saw. */
  readonly told: Set<string>
}

const coolingMs = 72 * hourMs
const unknownToPayPal: ReadonlySet<string> = new Set(['KWD'])
/** Stripe takes three decimals in steps of ten. */
const stepOf = (way: Way, currency: string): bigint => (way === 'stripe' && currency === 'KWD' ? 10n : 1n)

export function createPayouts(size: Size, people: People, accounts: Accounts, books: Books): Payouts {
  const payouts: Payout[] = []
  /** Those with whose accounts at Stripe something is wrong, it seems. */
  const suspect = new Set<string>()
  let today = 0

  function mayBePaid(partner: string, currency: string, amount: bigint, now: number): boolean {
    const { active, method } = people.get(partner)!
    if (books.debtOf(bookOf(partner, currency)) > 0n || !method?.ready || method.since + coolingMs > now) return false
    // Who left is paid the rest, and need not sign any more.
    return !active || (amount >= minimumIn(currency) && people.hasSigned(partner, now))
  }

  /** What nobody has tried to send yet, for want of funds or of a list, is looked at again when it could be; the rest may be at the bank already. */
  function sendLate(payout: Payout, day: Day, now: number): void {
    const { partner, currency, amount, fate, way } = payout
    const isUntried = way === 'stripe' ? isUntriedAtStripe(payout) : way === 'hand' || fate.stuck === 'poor'
    const isStopped = [...payout.lots.values()].some(({ stops, sale }) => stops.size > 0 || sale.dispute === 'open')
    if (isUntried && (isStopped || !mayBePaid(partner, currency, amount, now))) returnAll(payout, now)
    else send(payout, day, now)
  }

  function payEveryone(day: Day, now: number): void {
    for (const own of books.owners()) {
      const [partner, currency] = own.split(' ') as [string, string]
      const way = wayOf(size, partner)
      const waiting = books.lotsAt(own, 'payable').filter(({ lot }) => lot.there > 0n)
      const stays = leftBack(
        waiting.map(({ lot }) => lot.there),
        stepOf(way, currency),
      )
      const ready = waiting.filter((_, i) => !stays.includes(i))
      const amount = ready.reduce((sum, { lot }) => sum + lot.there, 0n)
      if (amount === 0n || !mayBePaid(partner, currency, amount, now)) continue
      const payout: Payout = {
        partner,
        currency,
        day: day.day,
        way,
        fate: fateOf(size, partner, currency, day.day),
        lots: new Map(ready.map(({ lot, share }) => [lot, share])),
        amount,
        state: 'waiting',
        wordOn: Number.NaN,
        backOn: undefined,
        transfer: undefined,
      }
      for (const { lot } of ready) lot.at = 'in_flight'
      books.moved(own)
      payouts.push(payout)
    }
    for (const payout of payouts.filter(({ day: made, fate }) => made === day.day && fate.cancelled)) returnAll(payout, now)
    for (const payout of payouts)
      if (payout.day === day.day && payout.state === 'waiting' && payout.way !== 'hand')
        if (payout.way === 'stripe' || payout.fate.stuck === undefined) send(payout, day, now)
  }

  function send(payout: Payout, day: Day, now: number): void {
    const { fate } = payout
    if (payout.way === 'stripe') {
      transfer(payout, day, now)
      return
    }
    if (payout.way === 'hand') {
      const { word, back } = handDaysOf(fate, payout.day)
      Object.assign(payout, { state: 'sent', wordOn: word, backOn: back })
      return
    }
    if (fate.refused || (payout.way === 'paypal' && unknownToPayPal.has(payout.currency))) {
      cameBack(payout, now)
      return
    }
    payout.state = 'sent'
    // What the bank took before our own record was written may be confirmed before it, too.
    payout.wordOn = payout.way === 'bank' && fate.early && fate.troubles.includes('after') ? day.day : day.day + fate.daysToWord
    if (fate.comesBack !== undefined && fate.word === 'paid') payout.backOn = payout.wordOn + fate.comesBack
  }

  const transferFate = ({ partner, currency, day }: Payout): TransferFate => transferFateOf(size, partner, currency, day)

  /** When Stripe itself puts it off for want of funds, that is no try; one that was not answered before is. */
  function isUntriedAtStripe(payout: Payout): boolean {
    const fate = transferFate(payout)
    return fate.stuck === 'poor' || isShortAtOnce(payout.fate, fate)
  }

  function transfer(payout: Payout, day: Day, now: number): void {
    const found = payout.transfer
    const answer = found ? 'made' : answerOfStripe(payout, day, now)
    if (answer === 'no') cameBack(payout, now)
    if (answer !== 'made' && answer !== 'made in silence') return
    const { partner, currency, fate } = payout
    const { reversedAfter } = transferFate(payout)
    const made = found ?? {
      reversedOn: day.day + (reversedAfter ?? Number.POSITIVE_INFINITY),
      news: transferNewsOf(size, partner, currency, payout.day, day.day),
      told: new Set(fate.early ? ['created'] : []),
    }
    payout.transfer = made
    if (answer === 'made in silence') return
    payout.state = 'sent'
    if (made.reversedOn <= day.day) made.told.add('reversed')
    conclude(payout, now)
  }

  function answerOfStripe(payout: Payout, day: Day, now: number): 'no' | 'not now' | 'made' | 'made in silence' {
    const { partner, fate } = payout
    const stuck = payout.day === day.day ? transferFate(payout).stuck : undefined
    if (stuck === 'poor') return 'not now'
    if (stuck === 'silent' || stuck === 'failed') return 'not now'
    if (fate.refused || !accounts.canBePaid(partner, now)) return 'no'
    if (stuck === 'short') return 'not now'
    return stuck === 'taken' ? 'made in silence' : 'made'
  }

  /** Books what is known of a transfer that was recorded. */
  function conclude(payout: Payout, now: number): void {
    const { told } = payout.transfer!
    if (told.has('reversed')) cameBack(payout, now)
    else if (told.has('created') && payout.state === 'sent') arrived(payout)
  }

  function listenToStripe(day: Day, now: number): void {
    const nameOf = ({ payout: { partner, currency, day: made }, kind }: { payout: Payout; kind: string }) =>
      `${partner} ${currency} ${made} ${kind}`
    const due = payouts.flatMap((payout) =>
      (payout.transfer?.news ?? []).filter(({ on }) => on === day.day).map((news) => ({ payout, ...news })),
    )
    for (const { payout, kind, isRead } of shuffled(due, nameOf, size.seed, 'transfers', day.day)) {
      const { told, reversedOn } = payout.transfer!
      if (told.has(kind)) continue
      told.add(kind)
      if (isRead && reversedOn <= day.day) told.add('reversed')
      if (payout.state === 'sent' || payout.state === 'paid') conclude(payout, now)
      askAboutSuspects(now)
    }
  }

  function askAboutSuspects(now: number): void {
    for (const partner of suspect) accounts.ask(partner, now)
    suspect.clear()
  }

  function arrived(payout: Payout): void {
    payout.state = 'paid'
    for (const lot of payout.lots.keys()) lot.at = 'paid'
    books.moved(bookOf(payout.partner, payout.currency))
  }

  function listen(day: Day, now: number, way: Way): void {
    const today = day.day
    const nameOf = ({ partner, currency, day: made }: Payout) => `${partner} ${currency} ${made}`
    const due = payouts.filter((one) => one.way === way && (one.wordOn === today || one.backOn === today))
    for (const payout of shuffled(due, nameOf, size.seed, way, today)) {
      if (payout.state === 'sent' && payout.wordOn === today) {
        if (payout.fate.word === 'returned') cameBack(payout, now)
        else arrived(payout)
      }
      if (payout.state === 'paid' && payout.backOn === today) cameBack(payout, now)
    }
  }

  /** Money that did not go out, or did not arrive, is payable again, subject to what happened meanwhile. */
  function cameBack(payout: Payout, now: number): void {
    if (payout.way === 'stripe') suspect.add(payout.partner)
    returnAll(payout, now)
  }

  function returnAll(payout: Payout, now: number): void {
    payout.state = 'back'
    for (const lot of payout.lots.keys()) lot.at = 'payable'
    books.moved(bookOf(payout.partner, payout.currency))
    for (const share of new Set(payout.lots.values())) books.bring(share, now, false)
    books.repay(bookOf(payout.partner, payout.currency))
  }

  return {
    evening: (day) => {
      const now = day.start + timesOfDay.evening
      today = day.day
      const sendWaiting = (byHand: boolean) => {
        for (const payout of payouts)
          if (payout.state === 'waiting' && payout.day < day.day && (payout.way === 'hand') === byHand) sendLate(payout, day, now)
      }
      sendWaiting(false)
      askAboutSuspects(now)
      if (day.payday) payEveryone(day, now)
      askAboutSuspects(now)
      for (const way of ['bank', 'paypal'] as const) listen(day, now, way)
      listenToStripe(day, now)
      accounts.listen(day.day)
      sendWaiting(true)
      listen(day, now, 'hand')
    },
    transferred: () => {
      const found = new Map<string, bigint>()
      for (const { partner, currency, way, state, amount, transfer: made } of payouts) {
        const own = bookOf(partner, currency)
        if (made ? made.reversedOn > today : state === 'paid' || (state === 'sent' && way !== 'hand'))
          found.set(own, (found.get(own) ?? 0n) + amount)
      }
      return found
    },
    count: () => payouts.length,
  }
}

/**
 * Which of these, oldest first, wait so that the others add up to a multiple of the step: the least money, then the fewest, then the youngest. Looks at one
 * after the other and keeps the best way to be left with each remainder.
 */
export function leftBack(amounts: readonly bigint[], step: bigint): readonly number[] {
  const moneyOf = (left: readonly number[]) => left.reduce((sum, i) => sum + amounts[i]!, 0n)
  const isBetter = (a: readonly number[], b: readonly number[]): boolean => {
    if (moneyOf(a) !== moneyOf(b)) return moneyOf(a) < moneyOf(b)
    if (a.length !== b.length) return a.length < b.length
    const i = a.findIndex((place, n) => place !== b[n])
    return i >= 0 && a[i]! > b[i]!
  }
  const best = new Map<bigint, readonly number[]>([[0n, []]])
  for (const i of amounts.keys())
    for (const left of [...best.values()].map((before) => [...before, i])) {
      const remainder = moneyOf(left) % step
      const known = best.get(remainder)
      if (!known || isBetter(left, known)) best.set(remainder, left)
    }
  return best.get(moneyOf([...amounts.keys()]) % step)!
}
