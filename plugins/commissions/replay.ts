// What a draft of a rule would have changed: the recorded sales, decided again under it. Pure; reads and writes nothing.
import { decideCommission, type Facts } from './decide.ts'
import { defaultName, periodOf } from './rules.ts'
import { type Circumstances, chooseRule, type Rule, stampOf, type Terms, worthOf } from './terms.ts'

/** What is on record for a sale. */
export interface Recorded {
  readonly partnerId: string
  /** The name of the rule it is stamped with. */
  readonly rule: string
  /** What it is worth now. */
  readonly amount: bigint
  readonly adjusted: Facts['adjusted']
  readonly voided: string | null
}

export interface ReplayedSale extends Recorded, Pick<Facts, 'refunded' | 'dispute' | 'lost'> {
  readonly circumstances: Circumstances
}

export interface SimulatedChange {
  readonly partnerId: string
  readonly currency: string
  /** Sales whose worth would be another. */
  readonly sales: number
  /** What the partner's replayed sales are worth now, and would be. */
  readonly now: bigint
  readonly would: bigint
}

/**
 * Decides the sales again, in the order of their payments, as if the draft had been in force all the time, in place of earlier versions of its name. A sale
 * that the draft does not concern keeps what it earned. Sales paid before `from` only take up caps. Partners and currencies without a change are left out;
 * the largest change comes first.
 */
export function replay(
  sales: readonly ReplayedSale[],
  under: { draft: Terms; published: readonly Rule[]; programRatePpm: bigint; timeZone: string; from: Date },
): SimulatedChange[] {
  const { name } = under.draft
  const others: Terms[] = under.published.filter((rule) => rule.name !== name)
  const used = new Map<string, bigint>()
  const totals = new Map<string, { partnerId: string; currency: string; sales: number; now: bigint; would: bigint }>()
  for (const sale of sales.toSorted((a, b) => a.circumstances.paidAt.getTime() - b.circumstances.paidAt.getTime())) {
    const { partnerId, amount } = sale
    const { currency, paidAt } = sale.circumstances
    // Published, it starts later than every rule that is in force: where one is as specific, it goes before it.
    const draft = { ...under.draft, startsAt: paidAt, endsAt: null }
    const rule = chooseRule([...others, draft], sale.circumstances) ?? programRule(under.programRatePpm)
    const concerned = rule === draft || sale.rule === name
    const period = rule.capPeriod === null ? '' : periodOf(paidAt, rule.capPeriod, under.timeZone).from.toISOString()
    const room = `${rule.name}|${partnerId}|${currency}|${period}`
    const stamp = stampOf(rule, sale.circumstances, used.get(room) ?? 0n)
    used.set(room, (used.get(room) ?? 0n) + worthOf(stamp, stamp.basis))
    if (paidAt < under.from) continue
    const would = concerned
      ? decideCommission({ ...sale, basis: sale.circumstances.basis, ...inGoodStanding }, stamp).target
      : amount
    const key = `${partnerId}|${currency}`
    const total = totals.get(key) ?? { partnerId, currency, sales: 0, now: 0n, would: 0n }
    totals.set(key, {
      ...total,
      sales: total.sales + (would === amount ? 0 : 1),
      now: total.now + amount,
      would: total.would + would,
    })
  }
  return [...totals.values()]
    .filter((total) => total.sales > 0)
    .sort((a, b) => Number(magnitude(b.would - b.now) - magnitude(a.would - a.now)) || (a.partnerId < b.partnerId ? -1 : 1))
}

/** Holds do not change what a sale is worth, so they do not matter here. */
const inGoodStanding = { partnerStatus: 'active', agreementSigned: true, accepted: true, stopped: null } as const

const programRule = (ratePpm: bigint): Terms => ({
  name: defaultName,
  partnerId: null,
  tier: null,
  product: null,
  ratePpm,
  flat: null,
  currency: null,
  minimum: null,
  countries: null,
  customer: 'any',
  payments: 'every',
  months: null,
  maxPayments: null,
  saleCap: null,
  periodCap: null,
  capPeriod: null,
  startsAt: new Date(0),
  endsAt: null,
})

const magnitude = (amount: bigint): bigint => (amount < 0n ? -amount : amount)
