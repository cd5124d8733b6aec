// The rules of commissions as pure functions: what a sale is worth to its partner, and which movements of money bring the books there. No effects.

import { atLeastZero, sum } from '../kit/index.ts'
import type { PartnerAccount } from '../ledger/public.ts'
import type { PartnerStatus } from '../partners/public.ts'
import type { CommissionState } from './public.ts'
import { type LimitReason, limitedBy, type Stamp, worthOf } from './terms.ts'

/** Why a commission is held by itself although its hold time is another matter; each is lifted again when its cause is gone. */
type OwnHold = 'agreement_unsigned' | 'ineligible_status' | 'dispute_open'

/** The holds that concern everything the partner earns. */
export const eligibilityHolds = ['agreement_unsigned', 'ineligible_status'] as const satisfies readonly OwnHold[]

export interface Facts {
  /** What the sale is worth to the commission now: gross − tax − shipping. Tax and shipping may have changed since the stamp. */
  readonly basis: bigint
  readonly refunded: bigint
  readonly dispute: 'none' | 'open' | 'won' | 'lost'
  /** What lost disputes took of the sale. */
  readonly lost: bigint
  readonly partnerStatus: PartnerStatus
  readonly agreementSigned: boolean
  /** The partner was eligible when the sale came in: leaving later takes nothing away. */
  readonly accepted: boolean
  /** The reason of the oldest hold that somebody put on it and nobody lifted. */
  readonly stopped: string | null
  /** What admins added to its worth, or took from it, oldest first. */
  readonly adjusted: readonly bigint[]
  /** The reason for which an admin voided it. */
  readonly voided: string | null
}

export interface Decision {
  /** What the commission is worth now. */
  readonly target: bigint
  readonly hold: string | null
  /** Why it is worth what it is. */
  readonly cause: string | null
}

/**
 * What the facts of now make of a sale under its stamp. The same facts give the same answer, however often and in whatever order they were told. What an
 * admin adds stands beside what the sale is worth: refunds do not lower it. What they take finds at most what there is, so what is added later is added whole.
 */
export function decideCommission(facts: Facts, stamp: Stamp): Decision {
  const left = atLeastZero(facts.basis - facts.refunded - facts.lost)
  const target =
    facts.voided === null ? facts.adjusted.reduce((worth, amount) => atLeastZero(worth + amount), worthOf(stamp, left)) : 0n
  return { target, hold: holdOf(facts), cause: causeOf(facts, stamp) }
}

/** Eligibility first: it concerns everything the partner earns; then what people stopped; a dispute concerns only this sale, and ends by itself. */
function holdOf(facts: Facts): string | null {
  const disputed: OwnHold | null = facts.dispute === 'open' ? 'dispute_open' : null
  return eligibility(facts) ?? facts.stopped ?? disputed
}

export function eligibility(facts: Pick<Facts, 'partnerStatus' | 'agreementSigned' | 'accepted'>): OwnHold | null {
  if (facts.partnerStatus === 'left') return facts.accepted ? null : 'ineligible_status'
  if (!facts.agreementSigned) return 'agreement_unsigned'
  return facts.partnerStatus === 'active' ? null : 'ineligible_status'
}

function causeOf({ basis, refunded, dispute, lost, adjusted, voided }: Facts, stamp: Stamp): string | null {
  const limited = limitedBy(stamp, basis)
  const causes: Record<Cause, boolean> = {
    dispute_lost: lost > 0n,
    nothing_due: basis <= 0n,
    refund_full: refunded >= basis,
    refund_partial: refunded > 0n,
    window_expired: limited === 'window_expired',
    cap_reached: limited === 'cap_reached',
    adjusted: sum(adjusted) !== 0n,
    basis_changed: basis !== stamp.basis,
    dispute_won: dispute === 'won',
  }
  return voided ?? causesInOrder.find((cause) => causes[cause]) ?? null
}

type Cause =
  | 'refund_full'
  | 'refund_partial'
  | 'dispute_lost'
  | 'dispute_won'
  | 'nothing_due'
  | 'adjusted'
  | 'basis_changed'
  | LimitReason

/** The first that is the case is told. */
const causesInOrder: readonly Cause[] = [
  'dispute_lost',
  'nothing_due',
  'refund_full',
  'refund_partial',
  'window_expired',
  'cap_reached',
  'adjusted',
  'basis_changed',
  'dispute_won',
]

/** One part of a commission and how it stands in the books; `due = amount + clawed − repaid`. */
export interface Part {
  readonly id: string
  readonly state: CommissionState
  readonly reason: string | null
  readonly amount: bigint
  readonly due: bigint
  readonly clawed: bigint
  readonly repaid: bigint
}

/** A ledger transfer for one part: debits positive, credits negative. */
export interface Move {
  readonly partId: string
  readonly reason: 'accrue' | 'refund' | 'restore' | 'adjust' | 'void' | 'hold' | 'unhold' | 'release' | 'repay_debt'
  readonly entries: readonly { readonly account: PartnerAccount | 'commission_expense'; readonly amount: bigint }[]
}

export interface Settlement<P extends Part = Part> {
  readonly parts: readonly P[]
  readonly moves: readonly Move[]
  /** By how much the worth of the sale changed. */
  readonly change: bigint
}

const accountOf = {
  pending: 'pending',
  held: 'held',
  payable: 'payable',
  in_payout: 'in_flight',
  paid: 'paid',
} as const satisfies Partial<Record<CommissionState, PartnerAccount>>

/** The account in which `due` of a part in this state lies; none for those that have nothing. */
export function accountIn(state: CommissionState): PartnerAccount | undefined {
  return state === 'rejected' || state === 'voided' ? undefined : accountOf[state]
}

const isOpen = (state: CommissionState): state is 'pending' | 'held' | 'payable' =>
  state === 'pending' || state === 'held' || state === 'payable'

/** Why the commission of a partner came to nothing: the sale was given to another. Stays until the sale is theirs again. */
export const reassigned = 'reassigned'

const ownReasons: ReadonlySet<string | null> = new Set([
  ...(['agreement_unsigned', 'ineligible_status', 'dispute_open'] satisfies OwnHold[]),
  ...causesInOrder,
  reassigned,
])

/**
 * Brings the parts of one sale to what was decided: the difference to what is booked, out of whichever account each part is in; what a payout has already
 * taken becomes debt. `debt` is what the partner owes in this currency. `blank` is an empty pending part, used when no part can carry an increase.
 * `why` names the moves when people changed the worth, not the customer.
 */
export function settle<P extends Part>(
  parts: readonly P[],
  decision: Decision,
  debt: bigint,
  blank: P,
  why?: 'adjust' | 'void',
): Settlement<P> {
  const now = parts.length > 0 ? parts : [blank]
  const change = decision.target - sum(now.map(({ amount }) => amount))
  const moved = change < 0n ? lower(now, -change, why ?? 'refund') : raise(now, change, debt, blank, why ?? 'restore')
  const stood = moved.parts.map((part) => stand(part, decision))
  return { parts: stood.map(({ part }) => part), moves: [...moved.moves, ...stood.flatMap(({ moves }) => moves)], change }
}

interface Moved<P extends Part> {
  readonly parts: readonly P[]
  readonly moves: readonly Move[]
}

/** Takes `by` from the open parts first, newest first; what they no longer hold becomes debt. */
function lower<P extends Part>(parts: readonly P[], by: bigint, reason: Move['reason']): Moved<P> {
  let left = by
  const moves: Move[] = []
  const changed = new Map<string, P>()
  const newest = parts.toReversed()
  const order = [...newest.filter(({ state }) => isOpen(state)), ...newest.filter(({ state }) => !isOpen(state))]
  for (const part of order) {
    const taken = min(left, part.amount)
    if (taken === 0n) continue
    const fromDue = isOpen(part.state) ? min(taken, part.due) : 0n
    const clawed = taken - fromDue
    left -= taken
    changed.set(part.id, { ...part, amount: part.amount - taken, due: part.due - fromDue, clawed: part.clawed + clawed })
    moves.push({
      partId: part.id,
      reason,
      entries: present([
        { account: accountIn(part.state) ?? 'pending', amount: fromDue },
        { account: 'clawback_debt', amount: clawed },
        { account: 'commission_expense', amount: -taken },
      ]),
    })
  }
  return { parts: parts.map((part) => changed.get(part.id) ?? part), moves }
}

/** Gives `by`: first by forgiving debt that these very parts caused, then to the newest part that is not paid out yet, else to a new one. */
function raise<P extends Part>(parts: readonly P[], by: bigint, debt: bigint, blank: P, reason: Move['reason']): Moved<P> {
  let left = by
  let owed = debt
  const moves: Move[] = []
  const forgiven = parts.map((part) => {
    const amount = min(left, part.clawed, owed)
    if (amount === 0n) return part
    left -= amount
    owed -= amount
    moves.push({
      partId: part.id,
      reason,
      entries: [
        { account: 'commission_expense', amount },
        { account: 'clawback_debt', amount: -amount },
      ],
    })
    return { ...part, amount: part.amount + amount, clawed: part.clawed - amount }
  })
  if (left === 0n) return { parts: forgiven, moves }
  const carrier = forgiven.findLast(({ state }) => isOpen(state) || state === 'voided') ?? blank
  const state = isOpen(carrier.state) ? carrier.state : 'pending'
  const carrying: P = { ...carrier, state, amount: carrier.amount + left, due: carrier.due + left }
  moves.push({
    partId: carrier.id,
    reason: parts.length === 1 && parts[0] === blank ? 'accrue' : reason,
    entries: [
      { account: 'commission_expense', amount: left },
      { account: accountOf[state], amount: -left },
    ],
  })
  const known = forgiven.some(({ id }) => id === carrier.id)
  return { parts: known ? forgiven.map((part) => (part.id === carrier.id ? carrying : part)) : [...forgiven, carrying], moves }
}

/** The state and reason of one part after its amount is right. */
function stand<P extends Part>(part: P, { hold, cause }: Pick<Decision, 'hold' | 'cause'>): Shifted<P> {
  const reason = cause ?? (part.state === 'held' || ownReasons.has(part.reason) ? null : part.reason)
  if ((isOpen(part.state) || part.state === 'voided') && part.amount === 0n && part.due === 0n)
    return { part: { ...part, state: 'voided', reason }, moves: [] }
  if (part.state === 'voided') return stand({ ...part, state: 'pending', reason: null }, { hold, cause })
  if (!isOpen(part.state)) return { part: { ...part, reason }, moves: [] }
  if (hold) return shift(part, 'held', hold, 'hold')
  return part.state === 'held' ? shift(part, 'pending', reason, 'unhold') : { part: closeIfSpent({ ...part, reason }), moves: [] }
}

interface Shifted<P extends Part> {
  readonly part: P
  readonly moves: readonly Move[]
}

/** Moves what is due of an open part to the account of another open state. */
export function shift<P extends Part>(
  part: P,
  state: 'pending' | 'held' | 'payable',
  reason: string | null,
  why: 'hold' | 'unhold' | 'release',
): Shifted<P> {
  const from = accountIn(part.state)
  const moves: Move[] =
    part.state === state || part.due === 0n || !from
      ? []
      : [
          {
            partId: part.id,
            reason: why,
            entries: [
              { account: from, amount: part.due },
              { account: accountOf[state], amount: -part.due },
            ],
          },
        ]
  return { part: { ...part, state, reason }, moves }
}

/**
 * Repays a debt out of what the partner has coming: payable first, then pending; what is held stays untouched until it is decided. So a partner never
 * owes and is owed at once, in whatever order things happened. What is payable and went to the debt as a whole counts as paid.
 */
export function repay<P extends Part>(parts: readonly P[], debt: bigint): Moved<P> {
  let owed = debt
  const moves: Move[] = []
  const changed = new Map<string, P>()
  for (const part of [...parts.filter(({ state }) => state === 'payable'), ...parts.filter(({ state }) => state === 'pending')]) {
    const amount = min(owed, part.due)
    if (amount === 0n) continue
    owed -= amount
    changed.set(part.id, closeIfSpent({ ...part, due: part.due - amount, repaid: part.repaid + amount }))
    moves.push({
      partId: part.id,
      reason: 'repay_debt',
      entries: [
        { account: part.state === 'payable' ? 'payable' : 'pending', amount },
        { account: 'clawback_debt', amount: -amount },
      ],
    })
  }
  return { parts: parts.map((part) => changed.get(part.id) ?? part), moves }
}

/** A payable part with nothing due has been paid, to the debt. */
export function closeIfSpent<P extends Part>(part: P): P {
  if (part.state !== 'payable' || part.due !== 0n) return part
  return { ...part, state: 'paid', reason: part.reason === reassigned ? reassigned : 'debt_repaid' }
}

function present(entries: Move['entries']): Move['entries'] {
  return entries.filter(({ amount }) => amount !== 0n)
}

function min(first: bigint, ...others: readonly bigint[]): bigint {
  let least = first
  for (const amount of others) if (amount < least) least = amount
  return least
}
