// What a sale pays: the rules as they are written in the handbook of commissions, folded once more. Amounts in minor units, rates in parts per million.
import { dayMs, type Size } from '../plan/calendar.ts'
import { tierOf } from '../plan/lives.ts'
import type { RuleStep, RuleTerms, Setting } from '../plan/terms.ts'
import { type Sale, type Share, type Stamp, smaller } from './sale.ts'

export interface Rates {
  morning(settings: readonly Setting[], rules: readonly RuleStep[], start: number, now: number): void
  /** The stamp of a sale that is booked for the first time; a cap is used up by it. */
  stamp(sale: Sale, partner: string, day: number): Stamp
  /** A sale whose basis has grown takes what is left of its cap for a month or year. */
  grow(share: Share): void
  /** The share's sale went to somebody else: what it had used up of a cap is room again. */
  left(share: Share): void
  /** It came back: under a cap for a period it gets what room is left by now. */
  cameBack(share: Share): Stamp
  /** What the sale tells of its subscription. */
  recorded(sale: Sale): void
}

interface Rule {
  readonly terms: RuleTerms
  readonly from: number
  to: number
}

export function createRates(size: Size): Rates {
  let rate = 200_000n
  let holdDays = 30
  const rules: Rule[] = []
  const subscriptions = new Map<string, number>()
  /** Shares whose sale went to somebody else, with the rule whose cap they had used up. */
  const gone = new Map<Share, Rule | undefined>()
  let capped: { sale: Sale; rule: Rule; partner: string; stamp: Stamp }[] = []

  function publish(terms: RuleTerms, start: number, now: number): void {
    const from = terms.startsIn === 0 ? now : start + terms.startsIn * dayMs
    const to = terms.endsIn === undefined ? Number.POSITIVE_INFINITY : start + (terms.endsIn + 1) * dayMs
    for (const old of rules) if (old.terms.name === terms.name) old.to = Math.min(old.to, Math.max(old.from, from))
    rules.push({ terms, from, to })
  }

  function end(name: string, now: number): void {
    for (const rule of rules)
      if (rule.terms.name === name && rule.to > now && rule.to > rule.from) rule.to = Math.max(rule.from, now)
  }

  function chosen(sale: Sale, partner: string, day: number): Rule | undefined {
    const fits = ({ terms, from, to }: Rule) =>
      from <= sale.made.paidAt &&
      sale.made.paidAt < to &&
      (terms.partner === undefined || terms.partner === partner) &&
      (terms.tier === undefined || terms.tier === tierOf(size, partner, day)) &&
      (terms.product === undefined || terms.product === sale.made.product) &&
      (terms.currency === undefined || terms.currency === sale.made.currency) &&
      (terms.minimum === undefined || basisOf(sale) >= terms.minimum) &&
      (terms.countries === undefined || (sale.country !== undefined && terms.countries.includes(sale.country))) &&
      (terms.customer === undefined || (terms.customer === 'new') === sale.firstOfCustomer)
    return rules
      .filter(fits)
      .sort(
        (a, b) =>
          closeness(a.terms) - closeness(b.terms) ||
          asks(b.terms) - asks(a.terms) ||
          b.from - a.from ||
          (a.terms.name < b.terms.name ? -1 : 1),
      )[0]
  }

  function limitOf(terms: RuleTerms, sale: Sale, partner: string): bigint | undefined {
    if (!pays(terms, sale)) return 0n
    const limits = terms.saleCap === undefined ? [] : [terms.saleCap]
    if (terms.periodCap !== undefined) {
      limits.push(roomIn(terms, terms.periodCap, sale, partner))
    }
    return limits.reduce<bigint | undefined>((least, one) => (least === undefined || one < least ? one : least), undefined)
  }

  function roomIn(terms: RuleTerms, cap: bigint, { made }: Sale, partner: string): bigint {
    const used = capped
      .filter(
        (one) =>
          one.rule.terms.name === terms.name &&
          one.partner === partner &&
          one.sale.made.currency === made.currency &&
          periodOf(one.sale.made.paidAt, terms) === periodOf(made.paidAt, terms),
      )
      .reduce((sum, { stamp }) => sum + stamp.taken!, 0n)
    return used > cap ? 0n : cap - used
  }

  /** The stamp with its limit, which uses up a cap for a period. */
  function limited(terms: Omit<Stamp, 'limit' | 'taken'>, rule: Rule, sale: Sale, partner: string): Stamp {
    const stamp: Stamp = { ...terms, limit: limitOf(rule.terms, sale, partner), taken: undefined }
    if (rule.terms.periodCap !== undefined) {
      stamp.taken = earned(stamp, basisOf(sale))
      capped.push({ sale, rule, partner, stamp })
    }
    return stamp
  }

  /** Which payments of a subscription earn; what is no subscription is its own first payment. */
  function pays({ payments, maxPayments, months }: RuleTerms, { made }: Sale): boolean {
    const number = made.subscription?.sequence ?? 1
    if (payments === 'first') return number === 1
    if (maxPayments !== undefined && number > maxPayments) return false
    const since = made.subscription && subscriptions.get(made.subscription.id)
    return months === undefined || since === undefined || made.paidAt < monthsLater(since, months)
  }

  return {
    morning: (settings, steps, start, now) => {
      for (const { name, value } of settings) {
        if (name === 'holdDays') holdDays = Number(value)
        else rate = ppmOf(value)
      }
      for (const step of steps) {
        if (step.kind === 'publish') publish(step.terms, start, now)
        else end(step.name, now)
      }
    },
    recorded: ({ made: { subscription, paidAt } }) => {
      if (subscription) subscriptions.set(subscription.id, Math.min(subscriptions.get(subscription.id) ?? paidAt, paidAt))
    },
    stamp: (sale, partner, day) => {
      const until = sale.made.paidAt + holdDays * dayMs
      const basis = basisOf(sale)
      const rule = chosen(sale, partner, day)
      if (!rule) {
        const before = [...sale.shares.values()].find(({ stamp }) => stamp.rule === 'default')?.stamp.rate
        return { rule: 'default', rate: before ?? rate, flat: undefined, basis, limit: undefined, taken: undefined, until }
      }
      const { terms } = rule
      const stamp = { rule: terms.name, rate: ppmOf(terms.rate ?? '0'), flat: terms.flat, basis, until }
      return limited(stamp, rule, sale, partner)
    },
    left: (share) => {
      gone.set(share, capped.find(({ sale, partner }) => sale === share.sale && partner === share.partner)?.rule)
      capped = capped.filter(({ sale, partner }) => sale !== share.sale || partner !== share.partner)
    },
    cameBack: (share) => {
      const rule = gone.get(share)
      return rule ? limited(share.stamp, rule, share.sale, share.partner) : share.stamp
    },
    grow: (share) => {
      const { stamp, sale, partner } = share
      if (stamp.taken === undefined) return
      const more = earned({ ...stamp, taken: undefined }, basisOf(sale)) - stamp.taken
      const terms = more > 0n && capped.find((one) => one.stamp === stamp)?.rule.terms
      if (terms) stamp.taken += smaller(more, roomIn(terms, terms.periodCap!, sale, partner))
    },
  }
}

/** What `left` of the basis earns. An amount for each sale shrinks with the share that is left, and never grows. */
export function earned({ rate, flat, basis, limit, taken }: Stamp, left: bigint): bigint {
  if (left <= 0n) return 0n
  const full =
    flat === undefined ? roundedHalfUp(left * rate, 1_000_000n) : left >= basis ? flat : roundedHalfUp(flat * left, basis)
  return [limit, taken].reduce<bigint>((worth, most) => (most !== undefined && worth > most ? most : worth), full)
}

export const basisOf = ({ made: { gross, shipping }, tax }: Sale): bigint => gross - tax - shipping

/** A half is rounded up: what is shared here is never negative. */
const roundedHalfUp = (amount: bigint, by: bigint): bigint => (2n * amount + by) / (2n * by)

/** "12.5" per cent in parts per million. */
const ppmOf = (percent: string): bigint => BigInt(Math.round(Number(percent) * 10_000))

/** Partner before tier before product before everybody. */
const closeness = ({ partner, tier, product }: RuleTerms): number => (partner ? 0 : tier ? 1 : product ? 2 : 3)

const asks = ({ partner, tier, product, currency, minimum, countries, customer }: RuleTerms): number =>
  [partner, tier, product, currency, minimum, countries, customer].filter((one) => one !== undefined).length

const periodOf = (at: number, { period }: RuleTerms): string => new Date(at).toISOString().slice(0, period === 'year' ? 4 : 7)

/** The same day of a later month, or its last day. */
function monthsLater(at: number, months: number): number {
  const date = new Date(at)
  const month = date.getUTCMonth() + months
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), month + 1, 0)).getUTCDate()
  return Date.UTC(date.getUTCFullYear(), month, Math.min(date.getUTCDate(), lastDay)) + (at % dayMs)
}
