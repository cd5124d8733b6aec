// Customers: their clicks, their payments, everything that happens to those later, and how the news of it arrive. Pure.
import { chance, type Dice, diceOf } from '../random.ts'
import { currencies, dayMs, dayOf, epoch, exponentOf, hourMs, partnerEmail, type Size, startOf } from './calendar.ts'
import { type ChangeStep, changesOf } from './changes.ts'
import { type ClaimStep, claimsOf } from './claims.ts'
import { type Hand, handsOn } from './hands.ts'
import { isActive, type LifeChange, popular } from './lives.ts'
import { type Deal, typedCode } from './offers.ts'
import type { Charged, Click, Customer, News, Payment, Refund } from './shop.ts'
import { products } from './terms.ts'

/** Days from a click to the payment, at most. */
export const longestLead = 121

/** Where the stories of all customers are put, day by day. */
export interface Stage {
  readonly size: Size
  readonly lives: ReadonlyMap<string, readonly LifeChange[]>
  readonly clicks: Map<number, Click[]>
  readonly arrivals: Map<number, { at: number; news: News; times: number }[]>
  readonly hands: Map<number, Hand[]>
  readonly changes: Map<number, (ChangeStep | ClaimStep)[]>
  /** Payments through Stripe, by the day on which they are made. */
  readonly charged: Map<number, Charged[]>
}

/** Half of the customers pay through Stripe. */
const paysThroughStripe = (size: Size, name: string): { stripe: true } | undefined =>
  chance(size.seed, 'stripe', name) < 0.5 ? { stripe: true } : undefined

/** Stripe counts in whole seconds. */
const instantAt = (stripe: unknown, at: number): number => (stripe ? at - (at % 1000) : at)

/** Stripe moves three decimals only in steps of ten. */
const movable = (stripe: unknown, currency: string, amount: bigint): bigint =>
  stripe && exponentOf(currency) === 3 ? amount - (amount % 10n) : amount

/** Clicks of one customer, the payments, and everything that happens to them later. */
export function customerStory(stage: Stage, day: number, nth: number): void {
  const { size, clicks } = stage
  const name = `${day}_${nth}`
  const dice = diceOf(size.seed, 'customer', name)
  const stripe = paysThroughStripe(size, name)
  const boughtAt = instantAt(stripe, startOf(day) + dice.between(hourMs, 20 * hourMs))
  const made = clicksOf(stage, name, boughtAt, dice)
  for (const click of made) keep(clicks, dayOf(click.at), click)
  const newest = made.filter(({ at }) => at <= boughtAt).at(-1) ?? made.filter(({ at }) => dayOf(at) === day).at(-1)
  const customer = { ...customerOf(name, made[0]?.partner, dice), ...stripe }
  const subscribes = dice.maybe(0.35)
  // A hint that comes later than the payment, in its own event.
  const late = newest !== undefined && dice.maybe(0.08)
  const lateBy = dice.between(1, 3 * 24) * hourMs
  const first = paymentOf(size, `pay_${name}_1`, customer, boughtAt, late ? undefined : newest?.key, subscribes, dice)
  const payments = [subscribes ? { ...first, subscription: { id: `sub_${name}`, sequence: 1 } } : first]
  if (subscribes) payments.push(...renewals(size, name, first, dice))
  else if (dice.maybe(0.2)) {
    // Bought again later, half of the time under another key but the same address.
    const again = instantAt(stripe, boughtAt + dice.between(1, 200) * dayMs + dice.between(0, 3_000_000))
    const key = dice.maybe(0.5) ? `cus_${name}_again` : customer.key
    payments.push(paymentOf(size, `pay_${name}_2`, { ...customer, key }, again, undefined, false, dice))
  }
  const tooSoon = newest !== undefined && boughtAt - newest.at < 15_000
  for (const payment of payments) {
    const isFirst = payment === payments[0]
    paymentStory(stage, payment, { suspicious: tooSoon && isFirst, lateClick: late && isFirst ? newest.key : undefined })
  }
  if (late) arrive(stage, { payment: first.key, at: boughtAt + lateBy, kind: 'click', click: newest.key })
}

/** What the contact of a deal pays through the shop; now and then with a code that somebody else gave them. */
export function contactStory(stage: Stage, { key, contactPays }: Deal): void {
  if (!contactPays) return
  const { at, email } = contactPays
  const dice = diceOf(stage.size.seed, 'contact', key)
  const customer = { key: `cus_${key}`, email, country: 'DE', ...paysThroughStripe(stage.size, key) }
  const paidAt = instantAt(customer.stripe, at)
  const payment = paymentOf(stage.size, `pay_${key}`, customer, paidAt, undefined, false, dice)
  paymentStory(stage, payment, { suspicious: false, lateClick: undefined })
}

function customerOf(name: string, clickedFirst: string | undefined, dice: Dice): Customer {
  const email =
    dice.maybe(0.03) && clickedFirst
      ? partnerEmail(clickedFirst).toUpperCase()
      : dice.maybe(0.7)
        ? `c${name}@example.org`
        : undefined
  return { key: `cus_${name}`, email, country: dice.pick(['DE', 'AT', 'CH', 'US', undefined]) }
}

function clicksOf({ size, lives }: Stage, name: string, boughtAt: number, dice: Dice): Click[] {
  const count = dice.maybe(0.12) ? 0 : dice.between(1, 3)
  const wanted = Array.from({ length: count }, () => ({
    at: clickTime(boughtAt, dice),
    partner: popular(size, dice),
    chained: dice.maybe(0.85),
  }))
  // Some pay sooner than a person can.
  if (wanted[0] && dice.maybe(0.06)) wanted[0].at = boughtAt - dice.between(1_000, 14_000)
  const made: Click[] = []
  for (const [i, { at, partner, chained }] of wanted.sort((a, b) => a.at - b.at).entries())
    if (at >= epoch && isActive(lives.get(partner)!, dayOf(at)))
      made.push({ key: `click_${name}_${i}`, partner, at, previous: chained ? made.at(-1)?.key : undefined })
  return made
}

/** Most within the window of 90 days, some before it, a few after the payment. */
function clickTime(boughtAt: number, dice: Dice): number {
  const lead = dice.maybe(0.04) ? -dice.between(1, 48) * hourMs : Math.round(dice.roll() ** 3 * (longestLead - 1) * dayMs)
  return boughtAt - lead - dice.between(20_000, 999_000)
}

function currencyOf(dice: Dice): string {
  let left = dice.roll()
  for (const [code, { weight }] of Object.entries(currencies)) {
    left -= weight
    if (left < 0) return code
  }
  return 'USD'
}

function paymentOf(
  size: Size,
  key: string,
  customer: Customer,
  paidAt: number,
  click: string | undefined,
  subscribes: boolean,
  dice: Dice,
): Payment {
  const money = moneyOf(currencyOf(dice), dice.between(1_500, 60_000), customer, dice)
  const product = subscribes ? 'Membership' : dice.pick(products)
  return { key, customer, ...money, paidAt, product, click, coupon: typedCode(size, dice), subscription: undefined }
}

/** `cents` is a price in hundredths: every currency has prices of the same order. */
function moneyOf(
  currency: string,
  cents: number,
  { stripe }: Customer,
  dice: Dice,
): Pick<Payment, 'currency' | 'gross' | 'tax' | 'shipping'> {
  // A yen is worth a cent; a thousandth of a dinar needs an odd digit of its own.
  const exact = BigInt(exponentOf(currency) === 3 ? cents * 10 + dice.between(0, 9) : cents)
  const gross = movable(stripe, currency, exact)
  const tax = dice.maybe(0.5) ? (gross * BigInt(dice.between(5, 20))) / 100n : 0n
  const shipping = dice.maybe(0.2) ? gross / BigInt(dice.between(10, 40)) : 0n
  return { currency, gross, tax, shipping }
}

/** Monthly payments; the plan may change, and there may be a pause of months. */
function renewals(size: Size, name: string, first: Payment, dice: Dice): Payment[] {
  const count = dice.between(0, 18)
  const made: Payment[] = []
  let price = Number(first.gross) / (exponentOf(first.currency) === 3 ? 10 : 1)
  let months = 0
  for (let i = 0; i < count; i++) {
    months += dice.maybe(0.05) ? dice.between(2, 4) : 1
    if (dice.maybe(0.08)) price = Math.max(500, price * (0.5 + dice.roll()))
    const paidAt = instantAt(first.customer.stripe, first.paidAt + months * 30 * dayMs + dice.between(0, 600_000))
    if (paidAt >= startOf(size.days)) break
    const money = moneyOf(first.currency, Math.round(price), first.customer, dice)
    const subscription = { id: `sub_${name}`, sequence: i + 2 }
    made.push({ ...first, ...money, key: `pay_${name}_${i + 2}`, paidAt, click: undefined, coupon: undefined, subscription })
  }
  return made
}

/** Now and then news of a payment lies somewhere for months, and later payments of the customer are told before it. */
function toldAt(size: Size, { key, paidAt }: Payment): number {
  const dice = diceOf(size.seed, 'forgotten', key)
  return dice.maybe(0.03) ? paidAt + dice.between(20, 100) * dayMs : paidAt
}

/** The payment itself, its refunds and reversed refunds, another tax, its dispute, and what admins do about it. `suspicious`: it came right after its click. */
function paymentStory(
  stage: Stage,
  payment: Payment,
  { suspicious, lateClick }: { suspicious: boolean; lateClick: string | undefined },
): void {
  const { size, hands } = stage
  const { stripe } = payment.customer
  const part = (amount: bigint) => movable(stripe, payment.currency, amount)
  const dice = diceOf(size.seed, 'story', payment.key)
  arrive(stage, { payment: payment.key, at: toldAt(size, payment), kind: 'paid', made: payment })
  const handled = handsOn(size, payment, suspicious)
  for (const { day, hand } of handled) keep(hands, day, hand)
  for (const { day, step } of changesOf(size, payment, handled.length > 0)) keep(stage.changes, day, step)
  for (const { day, step } of claimsOf(size, payment)) keep(stage.changes, day, step)
  const later = () => Math.round(dice.roll() ** 3 * 120 * dayMs) + dice.between(60_000, 6_000_000)
  const refunds: Refund[] = []
  if (dice.maybe(0.14)) {
    let at = payment.paidAt
    let total = 0n
    for (let i = dice.between(1, 3); i > 0 && total < payment.gross; i--) {
      at += later()
      const left = payment.gross - total
      const amount = part(dice.maybe(0.4) ? left : (left * BigInt(dice.between(1, 99))) / 100n)
      if (amount === 0n) continue
      total += amount
      arrive(stage, { payment: payment.key, at, kind: 'refunded', total })
      const refund: Refund = { at, amount }
      refunds.push(refund)
      if (dice.maybe(0.15)) {
        at += later()
        total -= amount
        arrive(stage, { payment: payment.key, at, kind: 'refunded', total })
        refund.failedAt = at
      }
    }
  }
  // The provider works the tax out anew, of the very same amount. At Stripe it stands once it is paid.
  if (dice.maybe(0.04)) {
    const tax = ((payment.gross - payment.shipping) * BigInt(dice.between(0, 25))) / 100n
    const at = payment.paidAt + later()
    if (!stripe) arrive(stage, { payment: payment.key, at, kind: 'retaxed', tax })
  }
  let disputed: Charged['disputed']
  if (dice.maybe(0.05)) {
    const at = payment.paidAt + later()
    disputed = { at, amount: payment.gross }
    arrive(stage, { payment: payment.key, at, kind: 'dispute', state: 'open' })
    if (dice.maybe(0.9)) {
      const closed = { payment: payment.key, at: at + dice.between(1, 75) * dayMs, kind: 'dispute' } as const
      const state = dice.pick(['won', 'lost'] as const)
      const isPart = state === 'lost' && dice.maybe(0.5)
      const lost = isPart ? part((payment.gross * BigInt(dice.between(1, 99))) / 100n) : undefined
      if (lost !== undefined) disputed = { at, amount: lost }
      arrive(stage, { ...closed, state, ...(lost !== undefined && { lost }) })
    }
  }
  if (stripe) keep(stage.charged, dayOf(payment.paidAt), { made: payment, refunds, disputed, lateClick })
}

/** Delivers the news: mostly at once, sometimes hours or days late and so after newer ones, sometimes several times. */
function arrive({ size, arrivals }: Stage, news: News): void {
  const dice = diceOf(size.seed, 'arrive', news.payment, news.kind, news.at)
  const copies = dice.maybe(0.12) ? dice.between(2, 3) : 1
  for (let i = 0; i < copies; i++) {
    const delay = dice.maybe(0.8)
      ? dice.between(0, 5_000)
      : dice.maybe(0.7)
        ? dice.between(0, 12) * hourMs
        : dice.between(1, 6) * dayMs
    const at = news.at + delay
    keep(arrivals, dayOf(at), { at, news, times: dice.maybe(0.04) ? 3 : 1 })
  }
}

/** Adds to the list of one day. */
export function keep<T>(into: Map<number, T[]>, day: number, item: T): void {
  const there = into.get(day)
  if (there) there.push(item)
  else into.set(day, [item])
}
