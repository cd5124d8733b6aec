// What Stripe knows of each payment, and how much of it was told: the rest it keeps to itself, whoever asks. Shares nothing with the program.
import { exponentOf, startOf, timesOfDay } from '../plan/calendar.ts'
import type { Charged, News, Refund } from '../plan/shop.ts'
import { diceOf } from '../random.ts'

/** How a customer pays, and where the shop puts what points to a partner. */
export interface Way {
  readonly kind: 'checkout' | 'intent' | 'first' | 'renewal'
  /** Without a customer at Stripe. */
  readonly isGuest: boolean
  /** By a method that takes days: the session is completed before anything is paid. */
  readonly isSlow: boolean
  readonly hintAt: 'reference' | 'session' | 'payment'
  /** A card was declined before. */
  readonly isRetried: boolean
  /** The bank asks before it disputes. */
  readonly isInquiry: boolean
}

export interface Account {
  readonly charged: Charged
  readonly way: Way
  /** The payment of its subscription before this one. */
  readonly before: Account | undefined
  /** Told so far: that it is paid, the click that was added late, and refunds and disputes up to these times. */
  paid: boolean
  hinted: boolean
  refundsUntil: number
  dispute: (News & { kind: 'dispute' }) | undefined
}

export function openAccount(seed: number, charged: Charged, before: Account | undefined): Account {
  const { made, lateClick } = charged
  const dice = diceOf(seed, 'way of Stripe', made.key)
  // A code can be typed in at the checkout only.
  const isOwnPage = dice.maybe(0.08) && made.coupon === undefined
  const { subscription, customer } = made
  const way: Way = {
    kind: subscription ? (subscription.sequence === 1 ? 'first' : 'renewal') : isOwnPage ? 'intent' : 'checkout',
    isGuest: dice.maybe(0.3) && !subscription && customer.email !== undefined,
    isSlow: dice.maybe(0.15),
    hintAt: dice.pick(['reference', 'session', 'payment'] as const),
    isRetried: dice.maybe(0.1),
    isInquiry: dice.maybe(0.3),
  }
  return { charged, way, before, paid: false, hinted: lateClick === undefined, refundsUntil: 0, dispute: undefined }
}

/** The refunds that were made until then, and whether they still stand. */
export function refundsAt({ charged: { refunds } }: Account, at: number): { refund: Refund; nth: number; stands: boolean }[] {
  return refunds
    .map((refund, nth) => ({ refund, nth, stands: refund.failedAt === undefined || refund.failedAt > at }))
    .filter(({ refund }) => refund.at <= at)
}

export const refundedAt = (account: Account, at: number): bigint =>
  refundsAt(account, at).reduce((sum, { refund, stands }) => (stands ? sum + refund.amount : sum), 0n)

/**
 * Whether everything that has happened to the charge was told when the day's news are heard, and nothing that happens later on that day. Only then may
 * somebody read it from Stripe, whose answer is as of now.
 */
export function isAllTold(account: Account, day: number): boolean {
  const told = (at: number | undefined) => at === undefined || at > startOf(day + 1) || at <= account.refundsUntil
  const isPast = account.refundsUntil <= startOf(day) + timesOfDay.news
  return account.hinted && isPast && account.charged.refunds.every(({ at, failedAt }) => told(at) && told(failedAt))
}

/** How many decimals Stripe counts a currency with. https://docs.stripe.com/currencies */
const decimals: Readonly<Record<string, number>> = { JPY: 0, KWD: 3 }

/** An amount in the plan's minor units as Stripe writes it. */
export function units(amount: bigint, currency: string): number {
  const shift = (decimals[currency] ?? 2) - exponentOf(currency)
  return Number(amount) * 10 ** shift
}

export const seconds = (at: number): number => Math.floor(at / 1000)
