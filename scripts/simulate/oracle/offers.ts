// Coupons and deals as the oracle knows them, and for whom they speak when somebody pays.
import { dayMs } from '../plan/calendar.ts'
import type { CouponStep, DealStep, Prospect } from '../plan/offers.ts'
import type { Payment } from '../plan/shop.ts'
import type { Sale } from './sale.ts'

/** Something that speaks for a partner. */
export interface Touch {
  readonly partner: string
  readonly at: number
}

export interface DealTouch extends Touch {
  readonly deal: string
}

type Status = 'submitted' | 'accepted' | 'rejected' | 'won' | 'lost' | 'expired'

interface Deal {
  readonly key: string
  readonly partner: string
  readonly prospect: Prospect
  readonly submittedAt: number
  readonly until: number
  status: Status
  acceptedAt: number | undefined
  closedAt: number | undefined
}

export interface Offers {
  coupons(steps: readonly CouponStep[], now: number): void
  /** Ends what has run out, and takes the steps that may be taken. */
  deals(steps: readonly DealStep[], now: number): void
  /**
   * Wins the deal with the money that an admin records: returns its contact, who made the payment. With money that the contact paid through the shop, when
   * the admin says so, or when it is not accepted: undefined.
   */
  win(step: DealStep & { kind: 'won' }, now: number): string | undefined
  /** It is told that a sale is there, or whose it is. If a deal spoke for it, it may be the deal's money. */
  told(sale: Pick<Sale, 'key' | 'deal'>): void
  couponFor(payment: Payment): Touch | undefined
  /** Deals that protect whoever pays, the best first; or the deal that the payment is about, when it is one. */
  dealsFor(payment: Payment): DealTouch[]
  /** `deal` → status, of every deal that was taken in. */
  statuses(): Map<string, string>
}

const protectionMs = 90 * dayMs
const mostOpen = 25

export function createOffers(): Offers {
  /** With each time that a code was switched off or on again. */
  const coupons = new Map<string, { partner: string; madeAt: number; turns: { at: number; isOn: boolean }[] }>()
  const deals = new Map<string, Deal>()
  /** By what tells a prospect apart: the deal that has it, and until when. */
  const claims = new Map<string, { deal: string; until: number }>()

  /** Payments of which nobody has said yet whether they are a deal's money. */
  const paid = new Map<string, { deal: string; isOpen: boolean }>()

  const isPending = ({ status }: Deal) => status === 'submitted' || status === 'accepted'

  function submit({ deal: key, partner, prospect }: DealStep & { kind: 'submitted' }, now: number): void {
    const open = [...deals.values()].filter((deal) => deal.partner === partner && isPending(deal)).length
    const wanted = [`firm ${prospect.firm}`, `domain ${prospect.domain}`, `person ${prospect.email}`]
    const isTaken = wanted.some((claim) => (claims.get(claim)?.until ?? Number.NEGATIVE_INFINITY) > now)
    if (open >= mostOpen || isTaken) return
    const until = now + protectionMs
    deals.set(key, {
      key,
      partner,
      prospect,
      submittedAt: now,
      until,
      status: 'submitted',
      acceptedAt: undefined,
      closedAt: undefined,
    })
    for (const claim of wanted) claims.set(claim, { deal: key, until })
  }

  function close(deal: Deal, status: Status, now: number): void {
    deal.status = status
    deal.closedAt = now
    if (status === 'won') return
    for (const [claim, { deal: holder }] of claims) if (holder === deal.key) claims.delete(claim)
  }

  function step(one: DealStep, now: number): void {
    if (one.kind === 'submitted') {
      submit(one, now)
      return
    }
    const deal = deals.get(one.deal)
    if (!deal) return
    if (one.kind === 'accepted' && deal.status === 'submitted') {
      deal.status = 'accepted'
      deal.acceptedAt = now
    }
    if (one.kind === 'rejected' && deal.status === 'submitted') close(deal, 'rejected', now)
    if ((one.kind === 'lost' || one.kind === 'given_up') && isPending(deal)) close(deal, 'lost', now)
  }

  return {
    coupons: (steps, now) => {
      for (const { kind, code, partner } of steps) {
        const coupon = coupons.get(code)
        if (!coupon) {
          if (kind === 'made' || kind === 'assigned') coupons.set(code, { partner, madeAt: now, turns: [] })
        } else if (kind === 'paused' || kind === 'resumed') coupon.turns.push({ at: now, isOn: kind === 'resumed' })
      }
    },
    deals: (steps, now) => {
      for (const deal of deals.values()) if (isPending(deal) && deal.until <= now) close(deal, 'expired', now)
      for (const one of steps) step(one, now)
    },
    win: ({ deal: key, same }, now) => {
      const deal = deals.get(key)
      if (deal?.status !== 'accepted') return undefined
      const open = [...paid.values()].filter((one) => one.deal === key && one.isOpen)
      close(deal, 'won', now)
      if (open.length > 0 && same) return undefined
      for (const one of open) one.isOpen = false
      return deal.prospect.email
    },
    told: ({ key, deal: spoke }) => {
      const deal = spoke === undefined || spoke === key ? undefined : deals.get(spoke)
      if ((deal?.status === 'accepted' || deal?.status === 'won') && !paid.has(key)) paid.set(key, { deal: deal.key, isOpen: true })
    },
    couponFor: ({ coupon: typed, paidAt }) => {
      const coupon = typed === undefined ? undefined : coupons.get(typed.toUpperCase())
      const latest = coupon?.turns.findLast(({ at }) => at <= paidAt)
      if (!coupon || latest?.isOn === false) return undefined
      return { partner: coupon.partner, at: Math.max(coupon.madeAt, paidAt) }
    },
    dealsFor: ({ key, customer, paidAt }) => {
      const own = deals.get(key)
      const speaking = own
        ? [own]
        : [...deals.values()].filter(
            ({ prospect, acceptedAt, until, status, closedAt }) =>
              prospect.email === customer.email?.toLowerCase() &&
              acceptedAt !== undefined &&
              until >= paidAt &&
              (status === 'accepted' || status === 'won' || closedAt! >= paidAt),
          )
      return speaking
        .map(({ key: deal, partner, submittedAt }) => ({ deal, partner, submittedAt, at: Math.max(submittedAt, paidAt) }))
        .sort((a, b) => b.at - a.at || a.submittedAt - b.submittedAt)
    },
    statuses: () => new Map([...deals].map(([key, { status }]) => [key, status])),
  }
}
