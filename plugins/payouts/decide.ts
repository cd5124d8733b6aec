// Who is paid and who is not yet: the gates of payouts as a pure function.
import { days, exponentOf, hours, type SettingChange } from '../kit/index.ts'
import type { PartnerStatus } from '../partners/public.ts'
import type { Config } from './config.ts'
import type { GateClosure } from './public.ts'

export interface PayoutFacts {
  /** All that is payable. */
  readonly amount: bigint
  /** What of it the payout method pays at once, and what it pays a multiple of. */
  readonly most: bigint
  readonly step: bigint
  readonly currency: string
  readonly partnerStatus: PartnerStatus
  readonly agreementSigned: boolean
  /** What the partner owes in this currency. */
  readonly debt: bigint
  readonly method: { readonly ready: boolean; readonly missing: string; readonly changedAt: Date } | undefined
  readonly now: Date
}

export type Gate =
  | { readonly gate: 'partner_not_active' | 'agreement_unsigned' | 'in_debt' | 'no_method' }
  | { readonly gate: 'method_not_ready'; readonly missing: string }
  | { readonly gate: 'method_cooling'; readonly until: Date }
  | { readonly gate: 'below_minimum'; readonly minimum: bigint }
  /** The payout method pays only multiples of `step`, and `most` is too little. */
  | { readonly gate: 'uneven'; readonly step: bigint; readonly most: bigint; readonly minimum: bigint }
  /** Another plugin's gate. */
  | { readonly gate: 'other'; readonly closed: GateClosure }

/**
 * The first gate that is closed, or null when the partner is to be paid. Someone who left gets the rest, however small, and need not sign what is newer
 * than their leaving, because nobody can sign then.
 */
export function closedGate(facts: PayoutFacts, config: Config): Gate | null {
  const { method, partnerStatus } = facts
  if (partnerStatus !== 'active' && partnerStatus !== 'left') return { gate: 'partner_not_active' }
  if (!facts.agreementSigned && partnerStatus !== 'left') return { gate: 'agreement_unsigned' }
  if (facts.debt > 0n) return { gate: 'in_debt' }
  if (!method) return { gate: 'no_method' }
  if (!method.ready) return { gate: 'method_not_ready', missing: method.missing }
  const until = new Date(method.changedAt.getTime() + hours(config.methodCoolingHours))
  if (until > facts.now) return { gate: 'method_cooling', until }
  const minimum = partnerStatus === 'left' ? 0n : minimumIn(facts.currency, config)
  if (facts.amount < minimum) return { gate: 'below_minimum', minimum }
  const { most, step } = facts
  return most === 0n || most < minimum ? { gate: 'uneven', step, most, minimum } : null
}

/** Who started a run by itself: nobody, so any admin who did not set its day lately may be the one who approves it. */
export const scheduleActor = 'schedule'

/**
 * For so long a change of the settings counts as a hand in what follows from it: whoever set the schedule's day approves no run that it made, and a
 * threshold that was raised holds on for everybody. Else one person alone could have a run prepared and let it go.
 */
export const settingsCountMs = days(7)

/** What keeps an admin from approving a run that waits for a second person: they started it, it pays them, or they set the day on which it was made. */
export type ApprovalBar =
  | { readonly because: 'started_it' | 'is_paid_by_it' }
  | { readonly because: 'set_the_day'; readonly until: Date }

export interface Approver {
  readonly userId: string
  /** Who the admin is as a partner, if they are one. */
  readonly partnerId: string | undefined
  /** When they set the day of the schedule, as far as that still counts. */
  readonly setTheDay: readonly Date[]
}

/** Null when the admin may approve the run. `actor` started it; `payouts` are those of it that wait. */
export function approvalBar(
  { actor, startedAt, payouts }: Waiting,
  { userId, partnerId, setTheDay }: Approver,
): ApprovalBar | null {
  if (actor === userId) return { because: 'started_it' }
  if (payouts.some((payout) => payout.partnerId === partnerId)) return { because: 'is_paid_by_it' }
  const hand = actor === scheduleActor ? latest(setTheDay.filter((at) => at <= startedAt)) : undefined
  return hand ? { because: 'set_the_day', until: new Date(hand.getTime() + settingsCountMs) } : null
}

interface Waiting {
  readonly actor: string
  readonly startedAt: Date
  readonly payouts: readonly { readonly partnerId: string }[]
}

export interface Threshold {
  /** Above this total, in minor units, a run waits for a second admin. */
  readonly above: bigint
  /** What the settings say, and from when on it counts, if a lower one of before still holds. */
  readonly later: { readonly above: bigint; readonly from: Date } | undefined
}

/** The threshold in the currency, after what admins changed within `settingsCountMs`. */
export function thresholdIn(currency: string, config: Config, changes: readonly SettingChange<Config>[]): Threshold {
  const set = approvalAboveIn(currency, config)
  const lower = changes
    .map(({ at, before }) => ({ at, above: approvalAboveIn(currency, before) }))
    .filter(({ above }) => above < set)
  const [lowest] = lower.toSorted((a, b) => Number(a.above - b.above))
  const last = latest(lower.map(({ at }) => at))
  return {
    above: lowest?.above ?? set,
    later: last && { above: set, from: new Date(last.getTime() + settingsCountMs) },
  }
}

const latest = (times: readonly Date[]): Date | undefined => times.toSorted((a, b) => a.getTime() - b.getTime()).at(-1)

/** The smallest payout in the currency, in its minor units. */
export const minimumIn = (currency: string, config: Config): bigint =>
  inMinorUnits(config.minimumByCurrency[currency] ?? config.minimum, currency)

const approvalAboveIn = (currency: string, config: Config): bigint =>
  inMinorUnits(config.approvalAboveByCurrency[currency] ?? config.approvalAbove, currency)

/** A decimal setting in the currency's minor units; decimals that the currency lacks are cut off. */
function inMinorUnits(decimal: string, currency: string): bigint {
  const [whole = '0', decimals = ''] = decimal.split('.')
  const exponent = exponentOf(currency)
  return BigInt(whole + decimals.slice(0, exponent).padEnd(exponent, '0'))
}
