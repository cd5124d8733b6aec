// Decides whose sale it is: a pure function of facts and rule, which also tells why each other candidate lost. Reads and writes nothing.
import type { PartnerStatus } from '../partners/public.ts'
import type { LossReason, Origin, Override, Touch } from './public.ts'

export interface Rule {
  readonly windowDays: number
  readonly model: 'last' | 'first'
}

/** What is known of a partner who is a candidate. */
export interface Standing {
  readonly status: PartnerStatus
  readonly emailHash: string
}

export interface Facts {
  /** The moment at which the customer is bound: when the payment was made. */
  readonly boundAt: Date
  /** Every address that the customer is known under. */
  readonly customerEmails: readonly string[]
  /** The partner whom the customer is bound to already, and since when. */
  readonly existing: { readonly partnerId: string; readonly boundAt: Date } | undefined
  readonly touches: readonly Touch[]
  readonly partners: ReadonlyMap<string, Standing>
}

/** One candidate as the decision saw it; kept as JSON, so instants are ISO 8601 text. */
export interface Candidate {
  readonly kind: Touch['kind'] | 'binding' | 'override'
  readonly reference: string
  readonly partnerId: string
  readonly at: string
  /** Null for the winner. */
  readonly lost: LossReason | null
}

export interface Trace {
  readonly ruleVersion: string
  readonly rule: Rule
  readonly boundAt: string
  readonly winner: string | null
  readonly candidates: readonly Candidate[]
  /** Set when people decided, not the rule. */
  readonly override?: Override
}

/** Deals are agreed on before the sale, coupons are typed in, clicks merely happen: so they count in this order. */
const precedence: readonly Touch['kind'][] = ['deal', 'coupon', 'click']
const dayMs = 86_400_000
/** Providers stamp whole seconds with their own clock: a touch this much after the payment still came before it. */
const clockToleranceMs = 300_000

/** Names the rule in a decision: the version of this function and its settings. */
export function ruleVersionOf(rule: Rule): string {
  return `1/${rule.model}/${rule.windowDays}d`
}

/**
 * An existing binding wins over everything. Else deal over coupon over click, and among touches of one kind the last (or first) within the window:
 * touchedAt + windowDays ≥ boundAt. Partners who are not active, and partners who buy themselves, are never credited.
 */
export function decide(facts: Facts, rule: Rule): Trace {
  const candidates = facts.existing ? besideBinding(facts, facts.existing) : byPrecedence(facts, rule)
  return {
    ruleVersion: ruleVersionOf(rule),
    rule: { windowDays: rule.windowDays, model: rule.model },
    boundAt: facts.boundAt.toISOString(),
    winner: candidates.find((candidate) => candidate.lost === null)?.partnerId ?? null,
    candidates,
  }
}

/** Where the sale came from: the winning click’s origin, or for a bound customer that of the sale that bound them. */
export function originOf(trace: Trace, touches: readonly Touch[], ofBinding: Origin | null): Origin | null {
  const winner = trace.candidates.find(({ lost }) => lost === null)
  if (winner?.kind === 'binding') return ofBinding
  if (winner?.kind !== 'click') return null
  return touches.find(({ kind, reference }) => kind === 'click' && reference === winner.reference)?.origin ?? null
}

function besideBinding(facts: Facts, existing: NonNullable<Facts['existing']>): Candidate[] {
  const bound: Candidate = {
    kind: 'binding',
    reference: 'binding',
    partnerId: existing.partnerId,
    at: existing.boundAt.toISOString(),
    lost: ineligibility(existing.partnerId, facts),
  }
  return [bound, ...inOrder(facts.touches, 'last').map((touch) => candidate(touch, 'bound_to_another'))]
}

function byPrecedence(facts: Facts, rule: Rule): Candidate[] {
  const judged = inOrder(facts.touches, rule.model).map((touch) => ({ touch, lost: refusal(touch, facts, rule) }))
  const winner = judged.find(({ lost }) => lost === null)?.touch
  return judged.map(({ touch, lost }) => candidate(touch, lost ?? (touch === winner ? null : outranked(touch, winner!, rule))))
}

/** Best first. Ties in time are settled by reference, so that the same facts always give the same decision. */
function inOrder(touches: readonly Touch[], model: Rule['model']): Touch[] {
  const direction = model === 'last' ? -1 : 1
  return [...touches].sort(
    (a, b) =>
      precedence.indexOf(a.kind) - precedence.indexOf(b.kind) ||
      direction * (a.at.getTime() - b.at.getTime()) ||
      (a.reference < b.reference ? -1 : 1),
  )
}

function refusal(touch: Touch, facts: Facts, rule: Rule): LossReason | null {
  if (touch.at.getTime() > facts.boundAt.getTime() + clockToleranceMs) return 'after_the_sale'
  if (touch.at.getTime() + rule.windowDays * dayMs < facts.boundAt.getTime()) return 'window_expired'
  return ineligibility(touch.partnerId, facts)
}

function ineligibility(partnerId: string, facts: Facts): LossReason | null {
  const partner = facts.partners.get(partnerId)
  if (!partner) return 'unknown_partner'
  if (facts.customerEmails.includes(partner.emailHash)) return 'self_referral'
  return partner.status === 'active' ? null : 'ineligible_status'
}

function outranked(touch: Touch, winner: Touch, rule: Rule): LossReason {
  if (touch.kind !== winner.kind) return 'lower_precedence'
  return rule.model === 'last' ? 'later_touch_won' : 'earlier_touch_won'
}

function candidate(touch: Touch, lost: LossReason | null): Candidate {
  return { kind: touch.kind, reference: touch.reference, partnerId: touch.partnerId, at: touch.at.toISOString(), lost }
}

/** The trace of a decision by people: whoever they chose wins, and every earlier candidate is overridden. */
export function overridden(before: Trace, to: string | null, override: Override, now: Date): Trace {
  const lost = before.candidates
    .filter(({ kind, partnerId }) => !(kind === 'override' && partnerId === to))
    .map((candidate) => ({ ...candidate, lost: candidate.lost ?? ('overridden' as const) }))
  const won: Candidate[] =
    to === null ? [] : [{ kind: 'override', reference: override.id, partnerId: to, at: now.toISOString(), lost: null }]
  return { ...before, winner: to, candidates: [...won, ...lost], override }
}
