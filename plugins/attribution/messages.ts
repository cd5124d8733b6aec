// Every word that attribution says to people.
import { customId } from '../../commands/customId.ts'
import { button, card, literal, type Message, time } from '../../commands/messages.ts'
import { formatMoney } from '../kit/index.ts'
import type { Candidate, Trace } from './decide.ts'
import type { LossReason, Sale } from './public.ts'
import { salesPage } from './refs.ts'
import type { Explanation } from './service.ts'

export const pageSize = 10

/** One page of a partner's own sales. */
export function salesList(page: { sales: readonly Sale[]; total: number; page: number }): Message {
  if (page.total === 0)
    return card({
      title: 'No sales yet',
      body: 'As soon as someone buys through one of your links, the sale appears here. Create a link with `/link create` and share it.',
    })
  const pages = Math.ceil(page.total / pageSize)
  const turn = (to: number) => customId(salesPage, { page: String(to) })
  return card({
    title: page.total === 1 ? 'Your sale' : `Your ${page.total} sales`,
    body: page.sales.map(saleLine).join('\n'),
    footer: `Amounts are what customers paid; what you earn is in /earnings.${pages > 1 ? ` Page ${page.page + 1} of ${pages}.` : ''}`,
    ...(pages > 1 && {
      rows: [
        [
          button({ customId: turn(page.page - 1), label: 'Newer', disabled: page.page === 0 }),
          button({ customId: turn(page.page + 1), label: 'Older', disabled: page.page >= pages - 1 }),
        ],
      ],
    }),
  })
}

function saleLine(sale: Sale): string {
  const product = sale.product ? ` · ${literal(sale.product)}` : ''
  return `• ${time(sale.paidAt, 'd')} · **${formatMoney(sale.gross, sale.currency)}**${product}${whatHappened(sale)}`
}

function whatHappened(sale: Sale): string {
  const notes = [
    sale.refunded === 0n ? '' : sale.refunded === sale.gross ? 'refunded' : `${formatMoney(sale.refunded, sale.currency)} refunded`,
    { none: '', open: 'disputed', won: 'dispute won', lost: sale.net === 0n ? 'dispute lost' : '' }[sale.dispute],
    sale.lost === 0n || sale.net === 0n ? '' : `${formatMoney(sale.lost, sale.currency)} lost in a dispute`,
  ].filter(Boolean)
  return notes.length > 0 ? ` · ${notes.join(', ')}` : ''
}

/** How the sale was decided: every decision with its candidates and why each lost. */
export function saleExplained(explanation: Explanation, nameOf: (partnerId: string) => string): Message {
  const { sale } = explanation
  const current = explanation.decisions.at(-1)
  return card({
    title: sale.partnerId ? `This sale belongs to ${nameOf(sale.partnerId)}` : 'This sale belongs to no partner',
    body: [
      `**${formatMoney(sale.gross, sale.currency)}** paid ${time(sale.paidAt, 'f')}, basis ${formatMoney(sale.basis, sale.currency)} after tax and shipping${whatHappened(sale)}.`,
      ...strayHints(explanation),
      ...explanation.decisions.map(({ decidedAt, trace }, i) =>
        decisionText(trace, decidedAt, nameOf, i + 1, explanation.decisions.length),
      ),
    ],
    tone: sale.partnerId ? 'good' : 'neutral',
    footer: `Sale ${sale.id} · rule ${current?.trace.ruleVersion ?? 'unknown'}`,
  })
}

/** Hints that spoke for nobody: a coupon of another program, a click that is not known. An admin sees that they were not lost. */
function strayHints({ hints, decisions }: Explanation): string[] {
  const kinds = new Set(decisions.flatMap(({ trace }) => trace.candidates.map(({ kind }) => kind)))
  const stray = [
    ...(hints.coupon !== undefined && !kinds.has('coupon')
      ? [`The coupon ${literal(hints.coupon)} speaks for nobody in this program: it does not exist here, or was paused.`]
      : []),
    ...(hints.clickId !== undefined && !kinds.has('click')
      ? [`The click ${literal(hints.clickId)} is not known in this program.`]
      : []),
    ...(hints.deal !== undefined && !kinds.has('deal')
      ? [`The deal ${literal(hints.deal)} is none of this program’s, or was not accepted.`]
      : []),
  ]
  return stray.length > 0 ? [stray.join('\n')] : []
}

function decisionText(trace: Trace, decidedAt: Date, nameOf: (id: string) => string, number: number, of: number): string {
  const heading = `**Decided ${time(decidedAt, 'f')}**${of > 1 ? ` (${number} of ${of})` : ''}: ${trace.rule.model} touch within ${trace.rule.windowDays} days.`
  if (trace.override) {
    const { proposedBy, approvedBy, reason } = trace.override
    const by = `**Decided ${time(decidedAt, 'f')}** by people: proposed by <@${proposedBy}>, approved by <@${approvedBy}>: ${literal(reason)}`
    return [by, ...trace.candidates.map((candidate) => candidateLine(candidate, nameOf, trace))].join('\n')
  }
  if (trace.candidates.length === 0) return `${heading}\nNo click, coupon, deal or earlier purchase pointed to a partner.`
  return [heading, ...trace.candidates.map((candidate) => candidateLine(candidate, nameOf, trace))].join('\n')
}

function candidateLine(candidate: Candidate, nameOf: (id: string) => string, trace: Trace): string {
  const what =
    candidate.kind === 'override'
      ? `by decision of the team, ${time(new Date(candidate.at), 'f')}`
      : candidate.kind === 'binding'
        ? `bound since ${time(new Date(candidate.at), 'f')}`
        : `${candidate.kind} ${literal(candidate.reference)}, ${time(new Date(candidate.at), 'f')}`
  return `${candidate.lost === null ? '✅' : '✖️'} ${nameOf(candidate.partnerId)} · ${what} · ${candidate.lost === null ? 'won' : lossWords(candidate.lost, trace)}`
}

function lossWords(reason: LossReason, trace: Trace): string {
  const words: Record<LossReason, string> = {
    bound_to_another: 'the customer was bound to a partner already',
    lower_precedence: 'a deal goes before a coupon, and a coupon before a click',
    later_touch_won: 'a later touch won',
    earlier_touch_won: 'an earlier touch won',
    window_expired: `more than ${trace.rule.windowDays} days before the purchase`,
    after_the_sale: 'came only after the purchase',
    self_referral: 'partners are not credited for their own purchases',
    ineligible_status: 'the partner was not active',
    unknown_partner: 'the partner is not in this program',
    overridden: 'people decided otherwise',
  }
  return words[reason]
}
