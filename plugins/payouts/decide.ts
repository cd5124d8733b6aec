// Who is paid and who is not yet: the gates of payouts as a pure function.
import { exponentOf, hours } from '../kit/index.ts'
import type { PartnerStatus } from '../partners/public.ts'
import type { Config } from './config.ts'
import type { GateClosure } from './public.ts'

export interface PayoutFacts {
  readonly amount: bigint
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
  const minimum = minimumIn(facts.currency, config)
  if (facts.amount < minimum && partnerStatus !== 'left') return { gate: 'below_minimum', minimum }
  return null
}

/** What keeps an admin from approving a run that waits for a second person: they started it, or it pays them. */
export type ApprovalBar = 'started_it' | 'is_paid_by_it'

export interface Approver {
  readonly userId: string
  /** Who the admin is as a partner, if they are one. */
  readonly partnerId: string | undefined
}

/** Null when the admin may approve the run. `actor` started it; `payouts` are those of it that wait. */
export function approvalBar(
  { actor, payouts }: { readonly actor: string; readonly payouts: readonly { readonly partnerId: string }[] },
  { userId, partnerId }: Approver,
): ApprovalBar | null {
  if (actor === userId) return 'started_it'
  return payouts.some((payout) => payout.partnerId === partnerId) ? 'is_paid_by_it' : null
}

/** The smallest payout in the currency, in its minor units. */
export const minimumIn = (currency: string, config: Config): bigint =>
  inMinorUnits(config.minimumByCurrency[currency] ?? config.minimum, currency)

/** Above this total, in minor units, a run in the currency waits for a second admin. */
export const approvalAboveIn = (currency: string, config: Config): bigint =>
  inMinorUnits(config.approvalAboveByCurrency[currency] ?? config.approvalAbove, currency)

/** A decimal setting in the currency's minor units; decimals that the currency lacks are cut off. */
function inMinorUnits(decimal: string, currency: string): bigint {
  const [whole = '0', decimals = ''] = decimal.split('.')
  const exponent = exponentOf(currency)
  return BigInt(whole + decimals.slice(0, exponent).padEnd(exponent, '0'))
}
