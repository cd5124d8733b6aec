// What people do to single commissions, and what is stopped because it looks like fraud.
import type { Hand } from '../plan/hands.ts'
import type { Books } from './books.ts'
import { isOpen, type Sale, type Share, shareOf } from './sale.ts'

export interface Hands {
  /** Judges a sale that was booked for the first time. */
  judge(sale: Sale, now: number): void
  act(hand: Hand, now: number): void
  /** The sale went to somebody: what is suspected of them counts again. */
  passed(sale: Sale, now: number): void
  /** `payment` → state, of every case that stopped something or would have. */
  cases(): Map<string, string>
}

interface Case {
  /** A case stays with its partner. */
  readonly share: Share
  state: 'open' | 'cleared' | 'rejected'
  held: boolean
}

/** A payment that comes sooner than this after its click was made by no person. */
const soonSeconds = 15

export function createHands(books: Books, sales: ReadonlyMap<string, Sale>): Hands {
  const cases = new Map<string, Case>()
  const allowed = new Set<string>()

  function stop(share: Share, reason: 'manual' | 'fraud', now: number): boolean {
    books.bring(share, now)
    if (!share.lots.some(isOpen)) return false
    share.stops.add(reason)
    books.bring(share, now)
    return true
  }

  function voidIt(share: Share, now: number): boolean {
    books.bring(share, now)
    if (share.voided) return false
    share.voided = true
    books.bring(share, now)
    return true
  }

  function adjust(share: Share, amount: bigint, now: number): boolean {
    books.bring(share, now)
    if (share.voided || books.worthOf(share) + amount < 0n) return false
    share.adjusted.push(amount)
    books.bring(share, now)
    return true
  }

  function release(share: Share, now: number): boolean {
    books.bring(share, now)
    if (share.stops.size === 0) return false
    share.stops.clear()
    books.bring(share, now)
    const found = cases.get(share.sale.key)
    if (found?.share === share && found.state === 'open') found.state = 'cleared'
    return true
  }

  function decide(found: Case, kind: 'clear' | 'reject', now: number): boolean {
    if (found.state !== 'open') return false
    const { share } = found
    found.state = kind === 'clear' ? 'cleared' : 'rejected'
    if (kind === 'reject' && isTheirs(share)) voidIt(share, now)
    if (kind === 'reject' || !found.held) return true
    books.bring(share, now)
    share.stops.delete('fraud')
    books.bring(share, now)
    return true
  }

  const isTheirs = ({ sale, partner }: Share): boolean => sale.partner === partner

  return {
    judge: (sale, now) => {
      const { clickLead: lead, key, partner } = sale
      if (lead === undefined || Math.max(0, Math.round(lead / 1000)) >= soonSeconds || allowed.has(partner!)) return
      const share = shareOf(sale)!
      cases.set(key, { share, state: 'open', held: stop(share, 'fraud', now) })
    },
    act: (hand, now) => {
      if (hand.kind === 'allow') return void allowed.add(hand.partner)
      const sale = sales.get(hand.payment)
      const found = hand.kind === 'clear' || hand.kind === 'reject' ? cases.get(hand.payment) : undefined
      const share = found?.share ?? (sale && shareOf(sale))
      // Nothing is booked for whoever has it, so there is nothing to lay hands on.
      if (!share) return
      const work = {
        adjust: () => hand.kind === 'adjust' && adjust(share, hand.amount, now),
        void: () => voidIt(share, now),
        hold: () => stop(share, 'manual', now),
        release: () => release(share, now),
        clear: () => found !== undefined && decide(found, 'clear', now),
        reject: () => found !== undefined && decide(found, 'reject', now),
      }[hand.kind]
      books.attempt(share, work)
    },
    passed: (sale, now) => {
      const found = cases.get(sale.key)
      if (!found || !isTheirs(found.share)) return
      if (found.state === 'open') found.held = stop(found.share, 'fraud', now)
      if (found.state === 'rejected') voidIt(found.share, now)
    },
    cases: () => new Map([...cases].map(([key, { state }]) => [key, state])),
  }
}
