// What people do to single commissions, and what is stopped because it looks like fraud.
import type { Hand } from '../plan/hands.ts'
import type { Books } from './books.ts'
import { isOpen, type Sale } from './sale.ts'

export interface Hands {
  /** Judges a sale that was booked for the first time. */
  judge(sale: Sale, now: number, day: number): void
  act(hand: Hand, now: number, day: number): void
  /** `payment` → state, of every case that stopped something or would have. */
  cases(): Map<string, string>
}

/** A payment that comes sooner than this after its click was made by no person. */
const soonSeconds = 15

export function createHands(books: Books, sales: ReadonlyMap<string, Sale>): Hands {
  const cases = new Map<string, { state: 'open' | 'cleared' | 'rejected'; held: boolean }>()
  const allowed = new Set<string>()

  const canBeHeld = (sale: Sale) => sale.lots.some(isOpen)

  function stop(sale: Sale, reason: 'manual' | 'fraud', now: number, day: number): boolean {
    books.book(sale, now, day)
    if (!canBeHeld(sale)) return false
    sale.stops.add(reason)
    books.book(sale, now, day)
    return true
  }

  function voidIt(sale: Sale, now: number, day: number): boolean {
    books.book(sale, now, day)
    if (sale.voided) return false
    sale.voided = true
    books.book(sale, now, day)
    return true
  }

  function adjust(sale: Sale, amount: bigint, now: number, day: number): boolean {
    books.book(sale, now, day)
    if (sale.voided || books.worthOf(sale) + amount < 0n) return false
    sale.adjusted.push(amount)
    books.book(sale, now, day)
    return true
  }

  function release(sale: Sale, now: number, day: number): boolean {
    books.book(sale, now, day)
    if (sale.stops.size === 0) return false
    sale.stops.clear()
    books.book(sale, now, day)
    const found = cases.get(sale.key)
    if (found?.state === 'open') found.state = 'cleared'
    return true
  }

  function decide(sale: Sale, kind: 'clear' | 'reject', now: number, day: number): boolean {
    const found = cases.get(sale.key)
    if (found?.state !== 'open') return false
    found.state = kind === 'clear' ? 'cleared' : 'rejected'
    if (kind === 'reject') voidIt(sale, now, day)
    if (kind === 'reject' || !found.held) return true
    books.book(sale, now, day)
    sale.stops.delete('fraud')
    books.book(sale, now, day)
    return true
  }

  return {
    judge: (sale, now, day) => {
      const { clickLead: lead, key, partner } = sale
      if (lead === undefined || Math.max(0, Math.round(lead / 1000)) >= soonSeconds || allowed.has(partner!)) return
      cases.set(key, { state: 'open', held: stop(sale, 'fraud', now, day) })
    },
    act: (hand, now, day) => {
      if (hand.kind === 'allow') return void allowed.add(hand.partner)
      const sale = sales.get(hand.payment)
      // Nothing was booked for it yet, so there is nothing to lay hands on.
      if (!sale?.stamp) return
      const work = {
        adjust: () => hand.kind === 'adjust' && adjust(sale, hand.amount, now, day),
        void: () => voidIt(sale, now, day),
        hold: () => stop(sale, 'manual', now, day),
        release: () => release(sale, now, day),
        clear: () => decide(sale, 'clear', now, day),
        reject: () => decide(sale, 'reject', now, day),
      }[hand.kind]
      books.attempt(sale, work)
    },
    cases: () => new Map([...cases].map(([key, { state }]) => [key, state])),
  }
}
