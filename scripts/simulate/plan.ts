// What happens to a program, day by day: a pure function of size and seed. A shorter plan is the beginning of a longer one. Knows no plugin.
import { chance, type Dice, diceOf } from './random.ts'

export interface Size {
  readonly partners: number
  readonly days: number
  readonly seed: number
}

/** The money of one payment, as it was made. Amounts in minor units, instants in ms. */
export interface Payment {
  readonly key: string
  readonly customer: Customer
  readonly currency: string
  readonly gross: bigint
  readonly tax: bigint
  readonly shipping: bigint
  readonly paidAt: number
  /** The click whose id the payment carried. */
  readonly click: string | undefined
  readonly subscription: { readonly id: string; readonly sequence: number } | undefined
}

export interface Customer {
  /** The key at the payment provider. */
  readonly key: string
  readonly email: string | undefined
}

/** News about a payment as the payment provider tells them; `at` is the provider's own time and orders them, whenever they arrive. */
export type News = { readonly payment: string; readonly at: number } & (
  | { readonly kind: 'paid'; readonly made: Payment }
  | { readonly kind: 'refunded'; readonly total: bigint }
  | { readonly kind: 'dispute'; readonly state: 'open' | 'won' | 'lost' }
  | { readonly kind: 'click'; readonly click: string }
)

export interface Click {
  readonly key: string
  readonly partner: string
  readonly at: number
  /** The click that the same browser made before. */
  readonly previous: string | undefined
}

export type PartnerChange = {
  readonly partner: string
  readonly kind: 'joined' | 'left' | 'returned' | 'method_ready' | 'method_broken'
}

export interface Day {
  readonly day: number
  /** Midnight, UTC. */
  readonly start: number
  readonly settings: readonly { readonly name: 'ratePercent' | 'holdDays'; readonly value: string }[]
  readonly partners: readonly PartnerChange[]
  readonly clicks: readonly Click[]
  /** In the order of arrival; `times` copies arrive at once. */
  readonly news: readonly { readonly news: News; readonly times: number }[]
  /** Payments that cannot be, to be refused. */
  readonly impossible: readonly Payment[]
  readonly payday: boolean
}

/** What the bank does with one payout. */
export interface Fate {
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

export const dayMs = 86_400_000
const hourMs = 3_600_000
/** Days from a click to the payment, at most. */
const longestLead = 121
export const epoch = Date.UTC(2027, 0, 1)
export const startOf = (day: number): number => epoch + day * dayMs

export const currencies = {
  USD: { exponent: 2, weight: 0.55 },
  EUR: { exponent: 2, weight: 0.25 },
  JPY: { exponent: 0, weight: 0.12 },
  KWD: { exponent: 3, weight: 0.08 },
} as const

export const partnerEmail = (partner: string): string => `${partner}@example.com`
export const partnerKeys = (size: Size): string[] => Array.from({ length: size.partners }, (_, i) => `p${i}`)

/** The events of one payment at one day of arrival. */
type Arrivals = Map<number, { at: number; news: News; times: number }[]>

export function planOf(size: Size): Day[] {
  const lives = new Map(partnerKeys(size).map((key) => [key, lifeOf(size, key)]))
  const clicks = new Map<number, Click[]>()
  const arrivals: Arrivals = new Map()
  // Also of those who buy after the last day and clicked before it.
  for (let day = 0; day < size.days + longestLead; day++)
    for (let nth = 0; nth < newCustomers(size, day); nth++) customerStory(size, day, nth, lives, clicks, arrivals)
  return Array.from({ length: size.days }, (_, day) => ({
    day,
    start: startOf(day),
    settings: settingsOf(size, day),
    partners: [...lives].flatMap(([partner, life]) =>
      life.filter((change) => change.day === day).map(({ kind }) => ({ partner, kind })),
    ),
    clicks: (clicks.get(day) ?? []).sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1)),
    news: (arrivals.get(day) ?? [])
      .sort((a, b) => a.at - b.at || (a.news.payment + a.news.kind < b.news.payment + b.news.kind ? -1 : 1))
      .map(({ news, times }) => ({ news, times })),
    impossible: impossibleOn(size, day),
    payday: isPayday(day),
  }))
}

const isPayday = (day: number): boolean => day > 0 && new Date(startOf(day)).getUTCDate() === 1

/** The payday of the month that this day is in. */
export function paydayBefore(day: number): number {
  return day - new Date(startOf(day)).getUTCDate() + 1
}

/** Whether the company's account lacks the money on this day. */
export const isPoor = (size: Size, currency: string, day: number): boolean =>
  isPayday(day) && chance(size.seed, 'poor', currency, day) < 0.08

/** How much a bank does wrong, for the payout to this partner that is prepared on this day. */
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
  }
}

interface LifeChange {
  readonly day: number
  readonly kind: PartnerChange['kind']
}

/** When a partner joins, says where to be paid, leaves and comes back. */
function lifeOf(size: Size, partner: string): LifeChange[] {
  const dice = diceOf(size.seed, 'life', partner)
  const joined = dice.maybe(0.6) ? 0 : dice.between(1, 300)
  const changes: LifeChange[] = [{ day: joined, kind: 'joined' }]
  if (!dice.maybe(0.08)) changes.push({ day: joined + dice.between(0, 45), kind: 'method_ready' })
  if (dice.maybe(0.1)) {
    const broken = joined + dice.between(50, 400)
    changes.push({ day: broken, kind: 'method_broken' }, { day: broken + dice.between(1, 30), kind: 'method_ready' })
  }
  if (dice.maybe(0.2)) {
    const left = joined + dice.between(20, 500)
    changes.push({ day: left, kind: 'left' })
    if (dice.maybe(0.5)) changes.push({ day: left + dice.between(1, 60), kind: 'returned' })
  }
  return changes
}

function isActive(life: readonly LifeChange[], day: number): boolean {
  let active = false
  for (const change of [...life].sort((a, b) => a.day - b.day)) {
    if (change.day > day) break
    if (change.kind === 'joined' || change.kind === 'returned') active = true
    if (change.kind === 'left') active = false
  }
  return active
}

/** Grows with the square root, so that a thousand partners stay affordable and a few partners still have something to do. */
function newCustomers(size: Size, day: number): number {
  const wanted = 0.7 + 0.1 * Math.sqrt(size.partners)
  return Math.floor(wanted) + (chance(size.seed, 'customers', day) < wanted % 1 ? 1 : 0)
}

function settingsOf(size: Size, day: number): Day['settings'] {
  if (day === 0) return []
  const dice = diceOf(size.seed, 'settings', day)
  const changes: { name: 'ratePercent' | 'holdDays'; value: string }[] = []
  if (dice.maybe(1 / 60)) changes.push({ name: 'ratePercent', value: dice.pick(['20', '12.5', '33.3333', '7', '64.6', '9.2']) })
  if (dice.maybe(1 / 90)) changes.push({ name: 'holdDays', value: dice.pick(['30', '14', '0', '45']) })
  return changes
}

function impossibleOn(size: Size, day: number): Payment[] {
  const dice = diceOf(size.seed, 'impossible', day)
  if (!dice.maybe(0.15)) return []
  const good: Payment = {
    key: `impossible_${day}`,
    customer: { key: `nobody_${day}`, email: undefined },
    currency: 'USD',
    gross: 10_000n,
    tax: 0n,
    shipping: 0n,
    paidAt: startOf(day) + hourMs,
    click: undefined,
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

/** Clicks of one customer, the payments, and everything that happens to them later. */
function customerStory(
  size: Size,
  day: number,
  nth: number,
  lives: ReadonlyMap<string, readonly LifeChange[]>,
  clicks: Map<number, Click[]>,
  arrivals: Arrivals,
): void {
  const name = `${day}_${nth}`
  const dice = diceOf(size.seed, 'customer', name)
  const boughtAt = startOf(day) + dice.between(hourMs, 20 * hourMs)
  const made = clicksOf(size, name, boughtAt, dice, lives)
  for (const click of made) keep(clicks, Math.floor((click.at - epoch) / dayMs), click)
  const sameDay = (at: number) => Math.floor((at - epoch) / dayMs) === day
  const newest = made.filter(({ at }) => at <= boughtAt).at(-1) ?? made.filter(({ at }) => sameDay(at)).at(-1)
  const customer: Customer = {
    key: `cus_${name}`,
    email:
      dice.maybe(0.03) && made[0]
        ? partnerEmail(made[0].partner).toUpperCase()
        : dice.maybe(0.7)
          ? `c${name}@example.org`
          : undefined,
  }
  const currency = currencyOf(dice)
  const price = dice.between(1_500, 60_000)
  const subscribes = dice.maybe(0.35)
  // A hint that comes later than the payment, in its own event.
  const late = newest !== undefined && dice.maybe(0.08)
  const lateBy = dice.between(1, 3 * 24) * hourMs
  const first = paymentOf(`pay_${name}_1`, customer, currency, price, boughtAt, late ? undefined : newest?.key, dice)
  const payments = [subscribes ? { ...first, subscription: { id: `sub_${name}`, sequence: 1 } } : first]
  if (subscribes) payments.push(...renewals(size, name, first, price, dice))
  else if (dice.maybe(0.2)) {
    // Bought again later, half of the time under another key but the same address.
    const again = boughtAt + dice.between(1, 200) * dayMs + dice.between(0, 3_000_000)
    const key = dice.maybe(0.5) ? `cus_${name}_again` : customer.key
    payments.push(
      paymentOf(`pay_${name}_2`, { ...customer, key }, currencyOf(dice), dice.between(1_500, 60_000), again, undefined, dice),
    )
  }
  for (const payment of payments) paymentStory(size, payment, arrivals)
  if (late)
    arrive(size, arrivals, {
      payment: first.key,
      at: boughtAt + lateBy,
      kind: 'click',
      click: newest.key,
    })
}

function clicksOf(
  size: Size,
  name: string,
  boughtAt: number,
  dice: Dice,
  lives: ReadonlyMap<string, readonly LifeChange[]>,
): Click[] {
  const count = dice.maybe(0.12) ? 0 : dice.between(1, 3)
  const made: Click[] = []
  const wanted = Array.from({ length: count }, () => ({
    // Most within the window of 90 days, some before it, a few after the payment.
    at:
      boughtAt -
      (dice.maybe(0.04) ? -dice.between(1, 48) * hourMs : Math.round(dice.roll() ** 3 * (longestLead - 1) * dayMs)) -
      dice.between(1_000, 999_000),
    partner: `p${Math.floor(size.partners * dice.roll() ** 2.2)}`,
    chained: dice.maybe(0.85),
  })).sort((a, b) => a.at - b.at)
  for (const [i, { at, partner, chained }] of wanted.entries()) {
    const day = Math.floor((at - epoch) / dayMs)
    if (at < epoch || !isActive(lives.get(partner)!, day)) continue
    made.push({ key: `click_${name}_${i}`, partner, at, previous: chained ? made.at(-1)?.key : undefined })
  }
  return made
}

function currencyOf(dice: Dice): string {
  let left = dice.roll()
  for (const [code, { weight }] of Object.entries(currencies)) {
    left -= weight
    if (left < 0) return code
  }
  return 'USD'
}

/** `cents` is a price in hundredths: every currency has prices of the same order. */
function paymentOf(
  key: string,
  customer: Customer,
  currency: string,
  cents: number,
  paidAt: number,
  click: string | undefined,
  dice: Dice,
): Payment {
  const { exponent } = currencies[currency as keyof typeof currencies]
  // A yen is worth a cent; a thousandth of a dinar needs an odd digit of its own.
  const gross = BigInt(exponent === 3 ? cents * 10 + dice.between(0, 9) : cents)
  const tax = dice.maybe(0.5) ? (gross * BigInt(dice.between(5, 20))) / 100n : 0n
  const shipping = dice.maybe(0.2) ? gross / BigInt(dice.between(10, 40)) : 0n
  return { key, customer, currency, gross, tax, shipping, paidAt, click, subscription: undefined }
}

/** Monthly payments; the plan may change, and there may be a pause of months. */
function renewals(size: Size, name: string, first: Payment, cents: number, dice: Dice): Payment[] {
  const count = dice.between(0, 18)
  const made: Payment[] = []
  let price = cents
  let months = 0
  for (let i = 0; i < count; i++) {
    months += dice.maybe(0.05) ? dice.between(2, 4) : 1
    if (dice.maybe(0.08)) price = Math.max(500, Math.round(price * (0.5 + dice.roll())))
    const paidAt = first.paidAt + months * 30 * dayMs + dice.between(0, 600_000)
    if (paidAt >= startOf(size.days)) break
    const payment = paymentOf(`pay_${name}_${i + 2}`, first.customer, first.currency, price, paidAt, undefined, dice)
    made.push({ ...payment, subscription: { id: `sub_${name}`, sequence: i + 2 } })
  }
  return made
}

/** The payment itself, its refunds and reversed refunds, and its dispute. */
function paymentStory(size: Size, payment: Payment, arrivals: Arrivals): void {
  const dice = diceOf(size.seed, 'story', payment.key)
  arrive(size, arrivals, { payment: payment.key, at: payment.paidAt, kind: 'paid', made: payment })
  const later = () => Math.round(dice.roll() ** 3 * 120 * dayMs) + dice.between(60_000, 6_000_000)
  if (dice.maybe(0.14)) {
    let at = payment.paidAt
    let total = 0n
    for (let i = dice.between(1, 3); i > 0 && total < payment.gross; i--) {
      at += later()
      const part = dice.maybe(0.4) ? payment.gross - total : ((payment.gross - total) * BigInt(dice.between(1, 99))) / 100n
      if (part === 0n) continue
      total += part
      arrive(size, arrivals, { payment: payment.key, at, kind: 'refunded', total })
      if (dice.maybe(0.15)) {
        at += later()
        total -= part
        arrive(size, arrivals, { payment: payment.key, at, kind: 'refunded', total })
      }
    }
  }
  if (dice.maybe(0.05)) {
    const at = payment.paidAt + later()
    arrive(size, arrivals, { payment: payment.key, at, kind: 'dispute', state: 'open' })
    if (dice.maybe(0.9))
      arrive(size, arrivals, {
        payment: payment.key,
        at: at + dice.between(1, 75) * dayMs,
        kind: 'dispute',
        state: dice.pick(['won', 'lost']),
      })
  }
}

/** Delivers the news: mostly at once, sometimes hours or days late and so after newer ones, sometimes several times. */
function arrive(size: Size, arrivals: Arrivals, news: News): void {
  const dice = diceOf(size.seed, 'arrive', news.payment, news.kind, news.at)
  const copies = dice.maybe(0.12) ? dice.between(2, 3) : 1
  for (let i = 0; i < copies; i++) {
    const delay = dice.maybe(0.8)
      ? dice.between(0, 5_000)
      : dice.maybe(0.7)
        ? dice.between(0, 12) * hourMs
        : dice.between(1, 6) * dayMs
    const at = news.at + delay
    keep(arrivals, Math.floor((at - epoch) / dayMs), { at, news, times: dice.maybe(0.04) ? 3 : 1 })
  }
}

function keep<T>(into: Map<number, T[]>, day: number, item: T): void {
  const there = into.get(day)
  if (there) there.push(item)
  else into.set(day, [item])
}
