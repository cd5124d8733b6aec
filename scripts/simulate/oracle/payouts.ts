// Payouts as the oracle sees them: who is paid on a payday, and what the bank and the people who pay by hand make of it.

import { hourMs, type Size, timesOfDay } from '../plan/calendar.ts'
import { type Fate, fateOf, handDaysOf } from '../plan/fates.ts'
import { type Way, wayOf } from '../plan/lives.ts'
import type { Day } from '../plan.ts'
import { shuffled } from '../random.ts'
import { type Books, minimumIn } from './books.ts'
import type { People } from './people.ts'
import { bookOf, type Lot, type Sale } from './sale.ts'

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
  readonly lots: Map<Lot, Sale>
  readonly amount: bigint
  state: 'waiting' | 'sent' | 'paid' | 'back'
  wordOn: number
  backOn: number | undefined
}

const coolingMs = 72 * hourMs
const unknownToPayPal: ReadonlySet<string> = new Set(['KWD'])

export function createPayouts(size: Size, people: People, books: Books): Payouts {
  const payouts: Payout[] = []

  function mayBePaid(partner: string, currency: string, amount: bigint, now: number): boolean {
    const { active, method } = people.get(partner)!
    if (books.debtOf(bookOf(partner, currency)) > 0n || !method?.ready || method.since + coolingMs > now) return false
    // Who left is paid the rest, and need not sign any more.
    return !active || (amount >= minimumIn(currency) && people.hasSigned(partner, now))
  }

  /** What nobody has tried to send yet, for want of funds or of a list, is looked at again when it could be; the rest may be at the bank already. */
  function sendLate(payout: Payout, day: Day, now: number): void {
    const { partner, currency, amount, fate, way } = payout
    if ((way === 'hand' || fate.stuck === 'poor') && !mayBePaid(partner, currency, amount, now)) cameBack(payout, day, now)
    else send(payout, day, now)
  }

  function payEveryone(day: Day, now: number): void {
    for (const own of books.owners()) {
      const [partner, currency] = own.split(' ') as [string, string]
      const ready = books.lotsAt(own, 'payable').filter(({ lot }) => lot.there > 0n)
      const amount = ready.reduce((sum, { lot }) => sum + lot.there, 0n)
      if (amount === 0n || !mayBePaid(partner, currency, amount, now)) continue
      const payout: Payout = {
        partner,
        currency,
        day: day.day,
        way: wayOf(size, partner),
        fate: fateOf(size, partner, currency, day.day),
        lots: new Map(ready.map(({ lot, sale }) => [lot, sale])),
        amount,
        state: 'waiting',
        wordOn: Number.NaN,
        backOn: undefined,
      }
      for (const { lot } of ready) lot.at = 'in_flight'
      books.moved(own)
      payouts.push(payout)
    }
    for (const payout of payouts.filter(({ day: made, fate }) => made === day.day && fate.cancelled)) cameBack(payout, day, now)
    for (const payout of payouts)
      if (payout.day === day.day && payout.state === 'waiting' && payout.way !== 'hand' && payout.fate.stuck === undefined)
        send(payout, day, now)
  }

  function send(payout: Payout, day: Day, now: number): void {
    const { fate } = payout
    if (payout.way === 'hand') {
      const { word, back } = handDaysOf(fate, payout.day)
      Object.assign(payout, { state: 'sent', wordOn: word, backOn: back })
      return
    }
    if (fate.refused || (payout.way === 'paypal' && unknownToPayPal.has(payout.currency))) {
      cameBack(payout, day, now)
      return
    }
    payout.state = 'sent'
    // What the bank took before our own record was written may be confirmed before it, too.
    payout.wordOn = payout.way === 'bank' && fate.early && fate.troubles.includes('after') ? day.day : day.day + fate.daysToWord
    if (fate.comesBack !== undefined && fate.word === 'paid') payout.backOn = payout.wordOn + fate.comesBack
  }

  function listen(day: Day, now: number, way: Way): void {
    const today = day.day
    const nameOf = ({ partner, currency, day: made }: Payout) => `${partner} ${currency} ${made}`
    const due = payouts.filter((one) => one.way === way && (one.wordOn === today || one.backOn === today))
    for (const payout of shuffled(due, nameOf, size.seed, way, today)) {
      if (payout.state === 'sent' && payout.wordOn === today) {
        if (payout.fate.word === 'returned') cameBack(payout, day, now)
        else {
          payout.state = 'paid'
          for (const lot of payout.lots.keys()) lot.at = 'paid'
          books.moved(bookOf(payout.partner, payout.currency))
        }
      }
      if (payout.state === 'paid' && payout.backOn === today) cameBack(payout, day, now)
    }
  }

  /** Money that did not go out, or did not arrive, is payable again, subject to what happened meanwhile. */
  function cameBack(payout: Payout, day: Day, now: number): void {
    payout.state = 'back'
    for (const lot of payout.lots.keys()) lot.at = 'payable'
    books.moved(bookOf(payout.partner, payout.currency))
    for (const sale of new Set(payout.lots.values())) books.book(sale, now, day.day, false)
    books.repay(bookOf(payout.partner, payout.currency))
  }

  return {
    evening: (day) => {
      const now = day.start + timesOfDay.evening
      const sendWaiting = (byHand: boolean) => {
        for (const payout of payouts)
          if (payout.state === 'waiting' && payout.day < day.day && (payout.way === 'hand') === byHand) sendLate(payout, day, now)
      }
      sendWaiting(false)
      if (day.payday) payEveryone(day, now)
      for (const way of ['bank', 'paypal'] as const) listen(day, now, way)
      sendWaiting(true)
      listen(day, now, 'hand')
    },
    transferred: () => {
      const found = new Map<string, bigint>()
      for (const { partner, currency, way, state, amount } of payouts) {
        const own = bookOf(partner, currency)
        if (state === 'paid' || (state === 'sent' && way !== 'hand')) found.set(own, (found.get(own) ?? 0n) + amount)
      }
      return found
    },
    count: () => payouts.length,
  }
}
