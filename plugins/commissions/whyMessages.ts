// The words of /earnings why: pure functions.
import { card, literal, type Message, time } from '../../commands/messages.ts'
import type { AttributionDecision, LossReason } from '../attribution/public.ts'
import { formatMoney, sum } from '../kit/index.ts'
import { holdWords, howMuch, reasonWords } from './messages.ts'
import type { CommissionState } from './public.ts'
import { termsWords } from './ruleMessages.ts'
import { limitedBy, payingStamp } from './terms.ts'
import type { Credited, Missed } from './why.ts'

const shownChanges = 15

export function whyCard(explanation: Credited | Missed, partnerId: string, now: Date): Message {
  return explanation.kind === 'credited' ? creditedCard(explanation, partnerId, now) : missedCard(explanation, partnerId)
}

function creditedCard(explained: Credited, partnerId: string, now: Date): Message {
  const { sale, parts, history, decision } = explained
  const worth = sum(parts.map(({ amount }) => amount))
  const shown = history.slice(-shownChanges)
  return card({
    title: parts.length === 0 ? 'This sale is yours' : `This sale earns you ${formatMoney(worth, sale.currency)}`,
    fields: [
      { name: 'The sale', value: saleWords(explained) },
      { name: 'Why it is yours', value: decision ? traceWords(decision, partnerId) : 'It was credited to you.' },
      { name: 'What it pays', value: ruleWords(explained) },
      {
        name: 'What happened',
        value:
          shown.length === 0
            ? 'It is being booked; look again in a minute.'
            : [
                ...(history.length > shown.length
                  ? [`${history.length - shown.length} earlier changes are in your statements.`]
                  : []),
                ...shown.map((change) => changeWords(change, sale.currency)),
              ].join('\n'),
      },
      { name: 'What happens next', value: parts.map((part) => nextWords(part, now)).join('\n') || 'Nothing for you to do.' },
    ],
    footer: `Sale ${sale.id}`,
  })
}

function saleWords({ sale }: Credited): string {
  const { gross, basis, refunded, currency, paidAt, product, subscription, sequence, dispute, lost } = sale
  const what = [
    ...(product === null ? [] : [literal(product)]),
    ...(subscription === null ? [] : [`payment ${sequence} of a subscription`]),
  ]
  return [
    `${formatMoney(gross, currency)} paid ${time(paidAt, 'f')}${what.length > 0 ? ` for ${what.join(', ')}` : ''}; without tax and shipping ${formatMoney(basis, currency)}.`,
    ...(refunded > 0n ? [`${formatMoney(refunded, currency)} of it was refunded.`] : []),
    ...(lost > 0n ? [`${formatMoney(lost, currency)} of it was lost in a dispute.`] : []),
    ...(dispute === 'open' ? ['The customer disputes it.'] : dispute === 'won' ? ['A dispute was won.'] : []),
  ].join('\n')
}

function traceWords({ rule, candidates, override }: AttributionDecision, partnerId: string): string {
  const winner = candidates.find(({ lost }) => lost === null)
  const others = candidates.filter((candidate) => candidate.lost !== null && candidate.partnerId !== partnerId).length
  return [
    winner?.kind === 'binding'
      ? `The customer bought through you before (${time(winner.at, 'D')}), and stays yours.`
      : winner?.kind === 'override'
        ? `The team credited it to you by hand ${time(winner.at, 'f')}: ${literal(override?.reason ?? '')}`
        : winner
          ? `${touchWords(winner)} of ${time(winner.at, 'f')} decided it: the ${rule.model} one within ${rule.windowDays} days, a deal before a coupon, a coupon before a click.`
          : 'It was credited to you.',
    ...(others > 0 ? [`${others} ${others === 1 ? 'touch' : 'touches'} of other partners lost.`] : []),
  ].join('\n')
}

const touchWords = ({ kind, reference }: { kind: AttributionDecision['candidates'][number]['kind']; reference: string }): string =>
  ({
    click: 'A click on your link',
    coupon: `Your coupon ${literal(reference)}`,
    deal: 'Your registered deal',
    binding: 'An earlier purchase through you',
    override: 'A decision of the team',
  })[kind]

function ruleWords({ parts, rule, sale }: Credited): string {
  const stamped = parts.at(-1)
  if (!stamped) return 'The rule is stamped on it when it is booked.'
  const paying = payingStamp(stamped)
  const limited = limitedBy(paying, sale.basis)
  return [
    `${howMuch(stamped)}, fixed when it was booked; later changes of rules do not touch it.`,
    rule
      ? `By the rule “${literal(rule.name)}”, version ${rule.version}: ${termsWords(rule, () => 'you')}.`
      : `By the program’s own rate, version ${stamped.ruleVersion}.`,
    ...(paying.limitAmount !== null && limited !== null
      ? [`At most ${formatMoney(paying.limitAmount, stamped.currency)}: ${reasonWords(limited, stamped.state)}.`]
      : []),
    `Held until ${time(stamped.holdUntil, 'D')}, while the customer may still get the money back.`,
  ].join('\n')
}

const states: Readonly<Record<CommissionState, string>> = {
  pending: 'pending',
  held: 'on hold',
  payable: 'payable',
  in_payout: 'in a payout',
  paid: 'paid',
  rejected: 'rejected',
  voided: 'came to nothing',
}

function changeWords({ at, state, reason, change, note }: Credited['history'][number], currency: string): string {
  const by = change === 0n ? '' : `${change > 0n ? '+' : ''}${formatMoney(change, currency)} · `
  const why = note === null ? (reason === null ? '' : `: ${reasonWords(reason, state)}`) : `: ${literal(note)}`
  return `${time(at, 'f')} · ${by}${states[state]}${why}`
}

/** What could still change a commission that came to nothing, by its reason. What people or other plugins voided stays so. */
const afterVoided: Readonly<Record<string, string>> = {
  refund_full: ', unless the refund is taken back',
  refund_partial: ', unless the refund is taken back',
  dispute_lost: ', unless the customer’s bank decides otherwise after all',
  nothing_due: ', unless tax or shipping of the sale is corrected',
  basis_changed: ', unless tax or shipping of the sale is corrected',
  window_expired: '',
  cap_reached: '',
  adjusted: ', unless the team adjusts it again',
  reassigned: ': the sale was credited to another partner',
}

function nextWords({ state, reason, holdUntil, due, clawed, currency }: Credited['parts'][number], now: Date): string {
  const amount = formatMoney(due, currency)
  const words: Record<CommissionState, string> = {
    pending:
      holdUntil <= now
        ? `${amount} becomes payable within minutes.`
        : `${amount} becomes payable ${time(holdUntil)}, unless the customer gets money back.`,
    held: `${amount} is on hold: ${holdWords(reason ?? 'manual')}. It goes on when that is settled.`,
    payable: `${amount} is paid with the next payout.`,
    in_payout: `${amount} is on its way to you.`,
    paid:
      due === 0n
        ? 'It went to what was owed back; nothing more happens.'
        : clawed > 0n
          ? `${amount} was paid out; ${formatMoney(clawed, currency)} of it is taken from your earnings.`
          : `${amount} was paid out; a later refund would become a debt.`,
    rejected: 'Nothing more happens.',
    voided: `Nothing more happens${afterVoided[reason ?? ''] ?? ': it was voided for good. If that cannot be right, talk to the team'}.`,
  }
  return words[state]
}

function missedCard({ paidAt, someoneElse, decision }: Missed, partnerId: string): Message {
  const mine = decision.candidates.filter((candidate) => candidate.partnerId === partnerId)
  return card({
    title: 'This sale was not credited to you',
    body: [
      `It was paid ${time(paidAt, 'f')}${someoneElse ? ' and went to another partner' : ' and went to nobody'}. What pointed to you:`,
      mine
        .map((candidate) => `• ${touchWords(candidate)} of ${time(candidate.at, 'f')}: ${lossWords(candidate.lost, decision)}.`)
        .join('\n'),
      `The rule: the ${decision.rule.model} touch within ${decision.rule.windowDays} days, a deal before a coupon, a coupon before a click; a customer stays with the partner of the first purchase.`,
    ],
    footer: 'If that cannot be right, claim it with /sales claim, and say what you did.',
  })
}

function lossWords(reason: LossReason | null, { rule, override }: AttributionDecision): string {
  const words: Record<LossReason, string> = {
    bound_to_another: 'the customer had bought through another partner before',
    lower_precedence: 'a deal or coupon of someone else goes before it',
    later_touch_won: 'a later one won',
    earlier_touch_won: 'an earlier one won',
    window_expired: `it was more than ${rule.windowDays} days before the purchase`,
    after_the_sale: 'it came only after the purchase',
    self_referral: 'partners are not credited for their own purchases',
    ineligible_status: 'your membership was not active then',
    unknown_partner: 'your membership was not known then',
    overridden: override ? `the team decided otherwise: ${literal(override.reason)}` : 'the team decided otherwise',
  }
  return reason === null ? 'it would have won, but the sale was decided again since' : words[reason]
}
