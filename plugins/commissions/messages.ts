// The words of commissions: pure functions.
import { card, literal, type Message, time } from '../../commands/messages.ts'
import { formatMoney, formatRate } from '../kit/index.ts'
import type { Commission, CommissionState } from './public.ts'

type Told = Pick<Commission, 'amount' | 'basis' | 'ratePpm' | 'flat' | 'currency' | 'state' | 'reason' | 'holdUntil'>

const reasons: Readonly<Record<string, string>> = {
  agreement_unsigned: 'the current agreement is not signed; run `/start` to see the next step',
  ineligible_status: 'your membership is not active; run `/start` to see the next step',
  dispute_open: 'the customer disputes the payment; it is decided by their bank',
  dispute_won: 'the dispute was won',
  dispute_lost: 'the customer’s bank took money back',
  refund_full: 'the customer got all of it back',
  reassigned: 'the sale was credited to another partner',
  basis_changed: 'tax or shipping of the sale changed',
  refund_partial: 'the customer got a part of it back',
  restored: 'a refund was taken back',
  nothing_due: 'the sale has no amount that earns',
  debt_repaid: 'it repaid what was owed back',
  window_expired: 'the rule does not pay for this payment any more',
  cap_reached: 'the most that the rule pays is reached',
  adjusted: 'it was adjusted by hand',
  manual: 'the team looks into it',
  duplicate: 'it was counted twice',
  self_referral: 'partners are not credited for their own purchases',
  payout_returned: 'the payout came back',
}

/** A reason code in words for the partner; `state` tells what is still being looked into from what is decided. */
export function reasonWords(code: string, state: CommissionState): string {
  const open = state === 'held'
  if (code === 'manual' && !open) return 'the team took it back'
  if (code === 'fraud_confirmed') return 'the team found that it is fraud'
  if (!code.startsWith('fraud_')) return reasons[code] ?? code.replaceAll('_', ' ')
  const saw = `a check saw “${code.replace(/^fraud_/, '').replaceAll('_', ' ')}”`
  return open ? saw : `${saw}, and the team decided that it is not paid`
}

/** Why it is on hold now, in words for the partner, with what they can do. */
export const holdWords = (code: string): string =>
  `${reasonWords(code, 'held')}${code.startsWith('fraud_') ? '; while it is on hold, tell your side with `/appeal`' : ''}`

export function accruedMessage(commission: Told, now: Date): Message {
  const { amount, currency } = commission
  return card({
    title: `You earned ${formatMoney(amount, currency)} 🎉`,
    body: [`That is ${howMuch(commission)}.`, nextStep(commission, now)],
    tone: 'celebrate',
    footer: 'See everything with /earnings show.',
  })
}

/** “20% of a sale of $100.00”. */
export function howMuch({ basis, ratePpm, flat, currency }: Pick<Told, 'basis' | 'ratePpm' | 'flat' | 'currency'>): string {
  return flat === null
    ? `${formatRate(ratePpm)} of a sale of ${formatMoney(basis, currency)}`
    : `${formatMoney(flat, currency)} for a sale of ${formatMoney(basis, currency)}`
}

function nextStep({ state, reason, holdUntil }: Told, now: Date): string {
  if (state === 'held') return `It is on hold: ${holdWords(reason ?? '')}. Nothing is lost; it goes on as soon as that is settled.`
  if (holdUntil <= now) return 'It can be paid out within minutes.'
  return `It can be paid out from ${time(holdUntil, 'D')} (${time(holdUntil)}), once the time for refunds is over.`
}

export function adjustedMessage(change: {
  currency: string
  amount: bigint
  change: bigint
  reason: string
  note: string | undefined
  clawed: bigint
}): Message {
  const lowered = change.change < 0n
  const by = formatMoney(lowered ? -change.change : change.change, change.currency)
  return card({
    title: lowered ? `A commission is ${by} lower` : `A commission is ${by} higher`,
    body: [
      `Reason: ${reasonWords(change.reason, 'voided')}. It is now worth ${formatMoney(change.amount, change.currency)}.`,
      ...(change.note === undefined ? [] : [`The team says: ${literal(change.note)}`]),
      ...(change.clawed > 0n
        ? [
            `${formatMoney(change.clawed, change.currency)} of it was already paid out or on its way, and is taken from your next earnings.`,
          ]
        : []),
    ],
    tone: lowered ? 'warn' : 'good',
    footer: 'See everything with /earnings show.',
  })
}

export function heldMessage({ amount, currency }: Told, note: string): Message {
  return card({
    title: `A commission of ${formatMoney(amount, currency)} is on hold`,
    body: [`The team says: ${literal(note)}`, 'Nothing is lost; a person decides about it, and you will hear of it here.'],
    tone: 'warn',
    footer: 'See what happened to it with /earnings why.',
  })
}

export function releasedMessage(commission: Told, note: string, now: Date): Message {
  const { amount, currency } = commission
  return card({
    title: `A commission of ${formatMoney(amount, currency)} is no longer stopped`,
    body: [`The team says: ${literal(note)}`, nextStep(commission, now)],
    tone: 'good',
    footer: 'See what happened to it with /earnings why.',
  })
}

export interface Earnings {
  readonly commissions: readonly Commission[]
  /** What the partner owes, by currency. */
  readonly debts: ReadonlyMap<string, bigint>
}

const lines: readonly { state: Commission['state']; label: string }[] = [
  { state: 'pending', label: '⏳ Pending' },
  { state: 'held', label: '✋ On hold' },
  { state: 'payable', label: '✅ Payable' },
  { state: 'in_payout', label: '🚚 On its way' },
  { state: 'paid', label: '💸 Paid out' },
]

export function earningsCard({ commissions, debts }: Earnings, now: Date): Message {
  if (commissions.length === 0)
    return card({
      title: 'Your earnings',
      body: ['Nothing earned yet.', 'Share one of your links; a commission appears here as soon as a customer buys.'],
    })
  const currencies = [...new Set([...commissions.map(({ currency }) => currency), ...debts.keys()])].sort()
  return card({
    title: 'Your earnings',
    fields: currencies.map((currency) => ({
      name: currency,
      value: section(
        commissions.filter((commission) => commission.currency === currency),
        currency,
        debts.get(currency) ?? 0n,
        now,
      ),
    })),
    footer: 'Payable amounts are paid with the next payout. Set up where it goes with /payout setup.',
  })
}

function section(commissions: readonly Commission[], currency: string, debt: bigint, now: Date): string {
  const summed = lines.flatMap(({ state, label }) => {
    const own = commissions.filter((commission) => commission.state === state && commission.due > 0n)
    if (own.length === 0) return []
    const total = own.reduce((amount, commission) => amount + commission.due, 0n)
    return [`${label}: **${formatMoney(total, currency)}** (${own.length})${detail(state, own, now)}`]
  })
  const isNothing = ({ state }: Commission) => state === 'voided' || state === 'rejected'
  const voided = commissions.filter(isNothing).length
  const spent = commissions.filter((commission) => commission.due === 0n && !isNothing(commission)).length
  return [
    ...summed,
    ...(debt > 0n ? [`↩️ Owed back: **${formatMoney(debt, currency)}**, taken from your next earnings`] : []),
    ...(spent > 0 ? [`🔁 ${spent} repaid what you owed back`] : []),
    ...(voided > 0 ? [`⚪ ${voided} came to nothing (refunded or taken back)`] : []),
  ].join('\n')
}

function detail(state: Commission['state'], own: readonly Commission[], now: Date): string {
  if (state === 'pending') {
    const next = new Date(Math.min(...own.map(({ holdUntil }) => holdUntil.getTime())))
    const soon = next <= now ? ' · payable within minutes' : ` · the next becomes payable ${time(next)}`
    return `${soon}${byDay(own)}`
  }
  if (state === 'held') {
    const byReason = Map.groupBy(own, ({ reason }) => reason ?? 'manual')
    return [...byReason].map(([reason, group]) => `\n-# ${together(group)}: ${holdWords(reason)}`).join('')
  }
  return ''
}

const shownDays = 5

/** What becomes payable on which day, the next days first; nothing for a single day, which the line above tells. */
function byDay(own: readonly Commission[]): string {
  const days = [...Map.groupBy(own, ({ holdUntil }) => holdUntil.toISOString().slice(0, 10))].sort(([a], [b]) => (a < b ? -1 : 1))
  if (days.length < 2) return ''
  const shown = days.slice(0, shownDays).map(([, group]) => `\n-# ${time(group[0]!.holdUntil, 'D')}: ${together(group)}`)
  const later = days.slice(shownDays).flatMap(([, group]) => group)
  return [...shown, ...(later.length > 0 ? [`\n-# later: ${together(later)}`] : [])].join('')
}

const together = (group: readonly Commission[]): string =>
  `${formatMoney(
    group.reduce((amount, { due }) => amount + due, 0n),
    group[0]!.currency,
  )} (${group.length})`

export function holdCard(change: { days: number; restamped: number | undefined; note: string }): Message {
  return card({
    title: change.days === 0 ? 'Commissions are payable right away' : `Commissions are held for ${change.days} days`,
    body: [
      'This counts for every sale from now on.',
      change.restamped === undefined
        ? 'Commissions that are pending keep the date they were given. Run the command with apply_to_pending to change them, too.'
        : `${change.restamped} pending commission${change.restamped === 1 ? ' has' : 's have'} a new date. Reason: ${literal(change.note)}`,
    ],
    tone: 'good',
  })
}

const done: Readonly<Record<string, string>> = {
  adjust: 'The commission is adjusted',
  void: 'The commission is voided',
  hold_one: 'The commission is on hold',
  release_one: 'The commission is released',
}

/** For the admin: how all parts of the sale's commission stand after what they did. */
export function interventionCard(action: string, parts: readonly Commission[], partner: string): Message {
  return card({
    title: done[action] ?? 'Done',
    body: [
      parts
        .map(({ amount, due, currency, state, reason }) => {
          const why = reason === null ? '' : `: ${reasonWords(reason, state)}`
          const left = due === amount ? '' : `, ${formatMoney(due, currency)} of it due`
          return `• ${formatMoney(amount, currency)}${left} · ${state.replace('_', ' ')}${why}`
        })
        .join('\n'),
      `${partner} reads your reason.`,
    ],
    tone: 'good',
    footer: 'It is in the audit, in the partner’s /earnings why, and in the ledger.',
  })
}
