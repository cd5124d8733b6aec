// Who is paid and who is not yet: the gates of payouts as a pure function.
import { exponentOf, hours } from '../kit/index.ts'
import type { PartnerStatus } from '../partners/public.ts'
import type { Config } from './config.ts'

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

/** The first gate that is closed, or null when the partner is to be paid. A partner who left gets the rest, however small. */
export function closedGate(facts: PayoutFacts, config: Config): Gate | null {
  const { method, partnerStatus } = facts
  if (partnerStatus !== 'active' && partnerStatus !== 'left') return { gate: 'partner_not_active' }
  if (!facts.agreementSigned) return { gate: 'agreement_unsigned' }
  if (facts.debt > 0n) return { gate: 'in_debt' }
  if (!method) return { gate: 'no_method' }
  if (!method.ready) return { gate: 'method_not_ready', missing: method.missing }
  const until = new Date(method.changedAt.getTime() + hours(config.methodCoolingHours))
  if (until > facts.now) return { gate: 'method_cooling', until }
  const minimum = inMinorUnits(config.minimum, facts.currency)
  if (facts.amount < minimum && partnerStatus !== 'left') return { gate: 'below_minimum', minimum }
  return null
}

/** A decimal setting in the currency's minor units; decimals that the currency lacks are cut off. */
export function inMinorUnits(decimal: string, currency: string): bigint {
  const [whole = '0', decimals = ''] = decimal.split('.')
  const exponent = exponentOf(currency)
  return BigInt(whole + decimals.slice(0, exponent).padEnd(exponent, '0'))
}
