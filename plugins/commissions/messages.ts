// The words of commissions: pure functions.
import { card, literal, type Message, time } from '../../commands/messages.ts'
import { formatMoney, formatRate } from '../kit/index.ts'
import type { Commission } from './public.ts'

type Told = Pick<Commission, 'amount' | 'basis' | 'ratePpm' | 'currency' | 'state' | 'reason' | 'holdUntil'>

const reasons: Readonly<Record<string, string>> = {
  agreement_unsigned: 'the current agreement is not signed; run `/start` to see the next step',
  ineligible_status: 'your membership is not active; run `/start` to see the next step',
  dispute_open: 'the customer disputes the payment; it is decided by their bank',
  dispute_won: 'the dispute was won',
  dispute_lost: 'the customer’s bank took the payment back',
  refund_full: 'the customer got all of it back',
  refund_partial: 'the customer got a part of it back',
  restored: 'a refund was taken back',
  nothing_due: 'the sale has no amount that earns',
  debt_repaid: 'it repaid what was owed back',
}

/** A reason code in words for the partner. */
export const reasonWords = (code: string): string => reasons[code] ?? code.replaceAll('_', ' ')

export function accruedMessage(commission: Told, now: Date): Message {
  const { amount, basis, ratePpm, currency } = commission
  return card({
    title: `You earned ${formatMoney(amount, currency)} 🎉`,
    body: [`That is ${formatRate(ratePpm)} of a sale of ${formatMoney(basis, currency)}.`, nextStep(commission, now)],
    tone: 'celebrate',
    footer: 'See everything with /earnings show.',
  })
}

function nextStep({ state, reason, holdUntil }: Told, now: Date): string {
  if (state === 'held')
    return `It is on hold: ${reasonWords(reason ?? '')}. Nothing is lost; it goes on as soon as that is settled.`
  if (holdUntil <= now) return 'It can be paid out within minutes.'
  return `It can be paid out from ${time(holdUntil, 'D')} (${time(holdUntil)}), once the time for refunds is over.`
}

export function adjustedMessage(change: {
  currency: string
  amount: bigint
  change: bigint
  reason: string
  clawed: bigint
}): Message {
  const lowered = change.change < 0n
  const by = formatMoney(lowered ? -change.change : change.change, change.currency)
  return card({
    title: lowered ? `A commission is ${by} lower` : `A commission is ${by} higher`,
    body: [
      `Reason: ${reasonWords(change.reason)}. It is now worth ${formatMoney(change.amount, change.currency)}.`,
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
    const own = commissions.filter((commission) => commission.state === state)
    if (own.length === 0) return []
    const total = own.reduce((amount, commission) => amount + commission.due, 0n)
    return [`${label}: **${formatMoney(total, currency)}** (${own.length})${detail(state, own, now)}`]
  })
  const voided = commissions.filter(({ state }) => state === 'voided' || state === 'rejected').length
  return [
    ...summed,
    ...(debt > 0n ? [`↩️ Owed back: **${formatMoney(debt, currency)}**, taken from your next earnings`] : []),
    ...(voided > 0 ? [`⚪ ${voided} came to nothing (refunded or taken back)`] : []),
  ].join('\n')
}

function detail(state: Commission['state'], own: readonly Commission[], now: Date): string {
  if (state === 'pending') {
    const next = new Date(Math.min(...own.map(({ holdUntil }) => holdUntil.getTime())))
    return next <= now ? ' · payable within minutes' : ` · the next becomes payable ${time(next)}`
  }
  if (state === 'held') {
    const why = [...new Set(own.map(({ reason }) => reasonWords(reason ?? 'manual')))]
    return why.map((text) => `\n-# ${text}`).join('')
  }
  return ''
}

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
