// What the company changes over time: its settings, and its rules of commission. Pure.
import { diceOf } from '../random.ts'
import { type Currency, currencies, exponentOf, type Size } from './calendar.ts'
import { lifeOf, popular } from './lives.ts'

export interface Setting {
  readonly name: 'ratePercent' | 'holdDays'
  readonly value: string
}

/** A rule as an admin writes it; amounts in minor units of its currency. */
export interface RuleTerms {
  readonly name: string
  readonly partner?: string
  readonly tier?: string
  readonly product?: string
  /** A percentage, or undefined beside `flat`. */
  readonly rate?: string
  readonly flat?: bigint
  readonly currency?: Currency
  readonly minimum?: bigint
  readonly countries?: readonly string[]
  readonly customer?: 'new' | 'returning'
  readonly payments?: 'first'
  readonly months?: number
  readonly maxPayments?: number
  readonly saleCap?: bigint
  readonly periodCap?: bigint
  readonly period?: 'month' | 'year'
  /** Days from the publication to the first day on which it is in force; 0 is at once. */
  readonly startsIn: number
  /** Days from the publication to the last day on which it is in force. */
  readonly endsIn?: number
}

export type RuleStep = { readonly kind: 'publish'; readonly terms: RuleTerms } | { readonly kind: 'end'; readonly name: string }

export const products = ['Course', 'Workshop', 'Membership'] as const

export function settingsOf(size: Size, day: number): Setting[] {
  if (day === 0) return []
  const dice = diceOf(size.seed, 'settings', day)
  const changes: Setting[] = []
  if (dice.maybe(1 / 60)) changes.push({ name: 'ratePercent', value: dice.pick(['20', '12.5', '33.3333', '7', '64.6', '9.2']) })
  if (dice.maybe(1 / 90)) changes.push({ name: 'holdDays', value: dice.pick(['30', '14', '0', '45']) })
  return changes
}

const longestRule = 90

/** Rules come and go; under a name that was used before, the next version follows. */
export function rulesOn(size: Size, day: number): RuleStep[] {
  const steps: RuleStep[] = []
  for (let made = Math.max(0, day - longestRule); made < day; made++)
    if (publishedOn(size, made) && endedAfter(size, made) === day - made)
      steps.push({ kind: 'end', name: publishedOn(size, made)!.name })
  const terms = publishedOn(size, day)
  if (terms) steps.push({ kind: 'publish', terms })
  return steps
}

/** Whether a rule with a cap for a period may concern what is paid in this currency on this day. */
export const mayBeCapped = (size: Size, currency: string, day: number): boolean =>
  Array.from({ length: Math.min(day, longestRule) }, (_, ago) => publishedOn(size, day - ago)).some(
    (terms) => terms?.periodCap !== undefined && terms.currency === currency,
  )

function endedAfter(size: Size, day: number): number | undefined {
  const dice = diceOf(size.seed, 'rule ends', day)
  return dice.maybe(0.6) ? dice.between(10, longestRule) : undefined
}

function publishedOn(size: Size, day: number): RuleTerms | undefined {
  const dice = diceOf(size.seed, 'rule', day)
  if (!dice.maybe(0.07)) return undefined
  const currency = dice.pick(Object.keys(currencies) as Currency[])
  /** So many units of the order of a dollar. */
  const money = (units: number) => (exponentOf(currency) === 3 ? BigInt(units) * 1000n + 7n : BigInt(units) * 100n)
  const product = dice.pick(products)
  const rates = ['30', '17.5', '8.3333', '50', '0']
  const terms: Omit<RuleTerms, 'startsIn'>[] = [
    { name: 'product', product, rate: dice.pick(rates) },
    { name: 'newcomers', product, customer: 'new', rate: dice.pick(rates) },
    { name: 'loyal', customer: 'returning', rate: dice.pick(rates) },
    { name: 'gold', tier: 'gold', rate: dice.pick(rates) },
    { name: 'friend', partner: popular(size, dice), rate: dice.pick(rates) },
    { name: 'bounty', flat: money(25), minimum: money(100), currency },
    { name: 'alps', countries: ['AT', 'CH'], rate: dice.pick(rates) },
    { name: 'first only', product: 'Membership', payments: 'first', rate: dice.pick(rates) },
    { name: 'half a year', product: 'Membership', months: dice.between(1, 6), rate: dice.pick(rates) },
    { name: 'three payments', product: 'Membership', maxPayments: dice.between(1, 3), rate: dice.pick(rates) },
    { name: 'modest', saleCap: money(20), currency, rate: dice.pick(rates) },
    { name: 'monthly cap', periodCap: money(60), period: 'month', currency, rate: dice.pick(rates) },
    {
      name: 'yearly cap',
      tier: 'gold',
      periodCap: money(300),
      period: 'year',
      saleCap: money(90),
      currency,
      rate: dice.pick(rates),
    },
  ]
  const chosen = dice.pick(terms)
  // Nobody makes a rule for somebody who is not there yet.
  if (chosen.partner !== undefined && lifeOf(size, chosen.partner)[0]!.day >= day) return undefined
  const startsIn = dice.maybe(0.2) ? dice.between(1, 20) : 0
  return { ...chosen, startsIn, ...(dice.maybe(0.25) && { endsIn: startsIn + dice.between(0, 60) }) }
}
