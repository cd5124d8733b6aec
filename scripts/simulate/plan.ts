// What happens to a program, day by day: a pure function of size and seed. A shorter plan is the beginning of a longer one. Knows no plugin.
import { hourMs, isPayday, partnerKeys, type Size, startOf } from './plan/calendar.ts'
import type { ChangeStep } from './plan/changes.ts'
import type { ClaimStep } from './plan/claims.ts'
import { contactStory, customerStory, keep, longestLead, type Stage } from './plan/customers.ts'
import { allowanceOf, type Hand } from './plan/hands.ts'
import { type LifeKind, lifeOf, versionDays } from './plan/lives.ts'
import { type CouponStep, couponOf, type DealStep, dealsOn } from './plan/offers.ts'
import type { Charged, Click, News, Payment } from './plan/shop.ts'
import { type RuleStep, rulesOn, type Setting, settingsOf } from './plan/terms.ts'
import { chance, diceOf } from './random.ts'

export interface Day {
  readonly day: number
  /** Midnight, UTC. */
  readonly start: number
  readonly settings: readonly Setting[]
  readonly rules: readonly RuleStep[]
  /** A new version of the agreement comes out. */
  readonly newVersion: boolean
  readonly partners: readonly { readonly partner: string; readonly kind: LifeKind }[]
  readonly coupons: readonly CouponStep[]
  readonly deals: readonly DealStep[]
  readonly clicks: readonly Click[]
  /** Payments through Stripe that are made on this day. */
  readonly charged: readonly Charged[]
  /** In the order of arrival; `times` copies arrive at once. */
  readonly news: readonly { readonly news: News; readonly times: number }[]
  /** Payments that cannot be, to be refused. */
  readonly impossible: readonly Payment[]
  readonly hands: readonly Hand[]
  /** Of whose a sale is, and claims of it; those of one payment in the order in which they are taken. */
  readonly changes: readonly (ChangeStep | ClaimStep)[]
  readonly payday: boolean
}

export function planOf(size: Size): Day[] {
  const lives = new Map(partnerKeys(size).map((key) => [key, lifeOf(size, key)]))
  const stage: Stage = {
    size,
    lives,
    clicks: new Map(),
    arrivals: new Map(),
    hands: new Map(),
    changes: new Map(),
    charged: new Map(),
  }
  const coupons = new Map<number, CouponStep[]>()
  const deals = new Map<number, DealStep[]>()
  // Also of those who buy after the last day and clicked before it.
  for (let day = 0; day < size.days + longestLead; day++) {
    for (let nth = 0; nth < newCustomers(size, day); nth++) customerStory(stage, day, nth)
    for (const deal of dealsOn(size, day, lives)) {
      for (const { day: on, step } of deal.steps) keep(deals, on, step)
      contactStory(stage, deal)
    }
  }
  for (const [partner, life] of lives) {
    for (const { day, step } of couponOf(size, partner, life)) keep(coupons, day, step)
    for (const { day, hand } of allowanceOf(size, partner, life)) keep(stage.hands, day, hand)
  }
  const versions = versionDays(size)
  return Array.from({ length: size.days }, (_, day) => ({
    day,
    start: startOf(day),
    settings: settingsOf(size, day),
    rules: rulesOn(size, day),
    newVersion: versions.includes(day),
    partners: [...lives].flatMap(([partner, life]) =>
      life.filter((change) => change.day === day).map(({ kind }) => ({ partner, kind })),
    ),
    coupons: (coupons.get(day) ?? []).sort((a, b) => (a.code + a.kind < b.code + b.kind ? -1 : 1)),
    deals: inOrder(deals.get(day) ?? []),
    clicks: (stage.clicks.get(day) ?? []).sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1)),
    charged: (stage.charged.get(day) ?? []).sort((a, b) => a.made.paidAt - b.made.paidAt || (a.made.key < b.made.key ? -1 : 1)),
    news: (stage.arrivals.get(day) ?? [])
      .sort((a, b) => a.at - b.at || (a.news.payment + a.news.kind < b.news.payment + b.news.kind ? -1 : 1))
      .map(({ news, times }) => ({ news, times })),
    impossible: impossibleOn(size, day),
    hands: (stage.hands.get(day) ?? []).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)),
    changes: (stage.changes.get(day) ?? []).sort((a, b) => (a.payment === b.payment ? 0 : a.payment < b.payment ? -1 : 1)),
    payday: isPayday(day),
  }))
}

const nameOf = (hand: Hand): string => `${'payment' in hand ? hand.payment : hand.partner} ${hand.kind}`

/** A deal goes from step to step, and what is over makes room for what is new. */
function inOrder(steps: readonly DealStep[]): DealStep[] {
  const rank = { given_up: 0, lost: 1, submitted: 2, accepted: 3, rejected: 4, won: 5 } as const
  return [...steps].sort((a, b) => rank[a.kind] - rank[b.kind] || (a.deal < b.deal ? -1 : 1))
}

/** No more than this come on a day, on average: so a thousand partners over two years end within ten minutes, with some twelve thousand sales. */
const mostCustomers = 5

/** Grows more slowly than the partners: many partners sell little, and a few partners still have something to do. */
function newCustomers(size: Size, day: number): number {
  const wanted = Math.min(0.5 + 0.09 * size.partners ** 0.7, mostCustomers)
  return Math.floor(wanted) + (chance(size.seed, 'customers', day) < wanted % 1 ? 1 : 0)
}

function impossibleOn(size: Size, day: number): Payment[] {
  const dice = diceOf(size.seed, 'impossible', day)
  if (!dice.maybe(0.15)) return []
  const good: Payment = {
    key: `impossible_${day}`,
    customer: { key: `nobody_${day}`, email: undefined, country: undefined },
    currency: 'USD',
    gross: 10_000n,
    tax: 0n,
    shipping: 0n,
    paidAt: startOf(day) + hourMs,
    product: 'Course',
    click: undefined,
    coupon: undefined,
    subscription: undefined,
  }
  return [
    dice.pick<Payment>([
      { ...good, gross: 0n },
      { ...good, gross: -5_000n },
      { ...good, gross: 10n ** 15n },
      { ...good, currency: 'XYZ' },
      { ...good, tax: 9_000n, shipping: 1_001n },
    ]),
  ]
}
