// The rules of commissions as pure functions: which rule a sale falls under, and what it is stamped with. No effects.
import { z } from 'zod'
import { amountField, applyRate, atLeastZero, divideRounded, instantField } from '../kit/index.ts'

/** What a rule says. Amounts are in minor units of `currency`; the rule is then for sales in that currency only. */
export const termsSchema = z.object({
  name: z.string(),
  /** Whom and what it is for; the most specific of the three gives its precedence: partner > tier > product > program. */
  partnerId: z.string().nullable(),
  tier: z.string().nullable(),
  product: z.string().nullable(),
  /** A rate, or 0 beside `flat`: an amount for each sale. */
  ratePpm: amountField,
  flat: amountField.nullable(),
  currency: z.string().nullable(),
  /** The basis of the sale must be at least this. */
  minimum: amountField.nullable(),
  /** ISO 3166 codes, in upper case. */
  countries: z.array(z.string()).nullable(),
  customer: z.enum(['any', 'new', 'returning']),
  /** Which payments of a subscription earn. `months` count from its first payment, `maxPayments` counts that one, too. */
  payments: z.enum(['first', 'every']),
  months: z.int().nullable(),
  maxPayments: z.int().nullable(),
  saleCap: amountField.nullable(),
  /** The most that one partner earns by this rule in a calendar month or year of the program. */
  periodCap: amountField.nullable(),
  capPeriod: z.enum(['month', 'year']).nullable(),
  /** In force for payments in [startsAt, endsAt). */
  startsAt: instantField,
  endsAt: instantField.nullable(),
})
export type Terms = z.output<typeof termsSchema>
/** The terms as JSON. */
export type StoredTerms = z.input<typeof termsSchema>

export interface Rule extends Terms {
  readonly id: string
  readonly version: number
}

/** What of a sale a rule may ask for. */
export interface Circumstances {
  readonly partnerId: string
  readonly tier: string | null
  readonly product: string | null
  readonly currency: string
  readonly basis: bigint
  readonly country: string | null
  readonly firstOfCustomer: boolean
  /** Which payment of a subscription, from 1; null for a one-time sale. */
  readonly sequence: number | null
  /** When the subscription's first payment was made; null for a one-time sale. */
  readonly subscriptionSince: Date | null
  readonly paidAt: Date
}

export type Scope = 'partner' | 'tier' | 'product' | 'program'

export const scopeOf = (terms: Pick<Terms, 'partnerId' | 'tier' | 'product'>): Scope =>
  terms.partnerId !== null ? 'partner' : terms.tier !== null ? 'tier' : terms.product !== null ? 'product' : 'program'

const precedence: readonly Scope[] = ['partner', 'tier', 'product', 'program']

/**
 * The rule a sale falls under: of those whose conditions it meets, the most specific scope; within a scope the one with more conditions, then the one that
 * started later, then by name. Undefined when none fits. Limits (payments, months, caps) are not conditions: they say what the chosen rule pays.
 */
export function chooseRule<R extends Terms>(rules: readonly R[], sale: Circumstances): R | undefined {
  const [best] = rules.filter((rule) => isFor(rule, sale)).sort(bySpecificity)
  return best
}

/** Whether the rule is in force for the sale and the sale meets its conditions. */
export function isFor(rule: Terms, sale: Circumstances): boolean {
  return (
    rule.startsAt <= sale.paidAt &&
    (rule.endsAt === null || sale.paidAt < rule.endsAt) &&
    (rule.partnerId === null || rule.partnerId === sale.partnerId) &&
    (rule.tier === null || rule.tier === sale.tier) &&
    (rule.product === null || sameName(rule.product, sale.product)) &&
    (rule.currency === null || rule.currency === sale.currency) &&
    (rule.minimum === null || sale.basis >= rule.minimum) &&
    (rule.countries === null || (sale.country !== null && rule.countries.includes(sale.country.toUpperCase()))) &&
    (rule.customer === 'any' || (rule.customer === 'new') === sale.firstOfCustomer)
  )
}

const sameName = (one: string, other: string | null): boolean =>
  other !== null && one.trim().toLowerCase() === other.trim().toLowerCase()

function bySpecificity(a: Terms, b: Terms): number {
  return (
    precedence.indexOf(scopeOf(a)) - precedence.indexOf(scopeOf(b)) ||
    conditionsOf(b) - conditionsOf(a) ||
    b.startsAt.getTime() - a.startsAt.getTime() ||
    (a.name < b.name ? -1 : 1)
  )
}

const conditionsOf = (rule: Terms): number =>
  [rule.partnerId, rule.tier, rule.product, rule.currency, rule.minimum, rule.countries].filter((value) => value !== null).length +
  (rule.customer === 'any' ? 0 : 1)

/** Why a commission is worth less than rate or amount alone would give: the rule pays for no more payments, or its cap is reached. */
export type LimitReason = 'window_expired' | 'cap_reached'

/** What a commission keeps of its rule for ever. */
export interface Stamp {
  readonly basis: bigint
  readonly ratePpm: bigint
  readonly flat: bigint | null
  /** The most it may be worth, with the reason for which it is not more; null when the rule limits nothing. */
  readonly limitAmount: bigint | null
  readonly limitReason: LimitReason | null
}

/** What a commission takes up of its rule's cap per period, if that has one. */
export interface Share {
  /** The name of the rule whose cap it counts towards. */
  readonly cappedBy: string | null
  /** Its worth without any refund when it was booked. */
  readonly fullAmount: bigint
  /** How much more it has taken up since, because its basis grew and room was left. */
  readonly grown: bigint
}

/** The stamp as it pays: a share of a cap is worth no more than it takes up, however much its basis has grown. */
export function payingStamp<S extends Stamp & Share>(stamp: S): S {
  const { cappedBy, fullAmount, grown, limitAmount } = stamp
  const share = fullAmount + grown
  return cappedBy === null || limitAmount === null || limitAmount <= share ? stamp : { ...stamp, limitAmount: share }
}

/** What `left` of the basis is worth under the stamp. An amount per sale shrinks with the share of the sale that is left, and never grows. */
export function worthOf(stamp: Stamp, left: bigint): bigint {
  if (left <= 0n) return 0n
  const full = unlimitedWorth(stamp, left)
  return stamp.limitAmount !== null && full > stamp.limitAmount ? stamp.limitAmount : full
}

/** The limit under which `left` of the basis is worth less than rate or amount alone would give; null when none takes anything. */
export function limitedBy(stamp: Stamp, left: bigint): LimitReason | null {
  if (stamp.limitReason === 'window_expired') return 'window_expired'
  return left > 0n && worthOf(stamp, left) < unlimitedWorth(stamp, left) ? stamp.limitReason : null
}

function unlimitedWorth({ basis, ratePpm, flat }: Stamp, left: bigint): bigint {
  if (flat === null) return applyRate(left, ratePpm)
  return left >= basis ? flat : divideRounded(flat * left, basis)
}

/** The stamp of a new commission. `used` is what the partner's earlier sales of the period take up of the rule's cap. */
export function stampOf(rule: Terms, sale: Circumstances, used: bigint): Stamp {
  const terms = { basis: sale.basis, ratePpm: rule.ratePpm, flat: rule.flat }
  if (!paysFor(rule, sale)) return { ...terms, limitAmount: 0n, limitReason: 'window_expired' }
  return { ...terms, ...limitUnderCaps(rule, used) }
}

/** The limit of a sale that came back to a partner: what room the caps of its rule have left. `used` as for `stampOf`. */
export function limitOfReturned(before: Stamp, rule: Terms, used: bigint): Limit {
  const { limitAmount, limitReason } = before
  return limitReason === 'window_expired' ? { limitAmount, limitReason } : limitUnderCaps(rule, used)
}

type Limit = Pick<Stamp, 'limitAmount' | 'limitReason'>

function limitUnderCaps(rule: Terms, used: bigint): Limit {
  const caps = [
    ...(rule.saleCap === null ? [] : [rule.saleCap]),
    ...(rule.periodCap === null ? [] : [atLeastZero(rule.periodCap - used)]),
  ]
  const least = caps.reduce<bigint | undefined>((low, cap) => (low === undefined || cap < low ? cap : low), undefined)
  // Kept also while it takes nothing: the basis may grow when tax is corrected.
  return least === undefined ? { limitAmount: null, limitReason: null } : { limitAmount: least, limitReason: 'cap_reached' }
}

/** A one-time sale is its own first payment. */
function paysFor(rule: Terms, { sequence, subscriptionSince, paidAt }: Circumstances): boolean {
  const number = sequence ?? 1
  if (rule.payments === 'first') return number === 1
  if (rule.maxPayments !== null && number > rule.maxPayments) return false
  return rule.months === null || subscriptionSince === null || paidAt < monthsAfter(subscriptionSince, rule.months)
}

/** The same day and time, `months` later in UTC; the last day of a shorter month. */
export function monthsAfter(date: Date, months: number): Date {
  const later = new Date(date)
  later.setUTCDate(1)
  later.setUTCMonth(later.getUTCMonth() + months)
  const lastDay = new Date(Date.UTC(later.getUTCFullYear(), later.getUTCMonth() + 1, 0)).getUTCDate()
  later.setUTCDate(Math.min(date.getUTCDate(), lastDay))
  return later
}
