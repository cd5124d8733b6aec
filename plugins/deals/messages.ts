// Every word and form that deals show to people.
import { customId } from '../../commands/customId.ts'
import { button, card, type Field, literal, type Message, type Modal, modal, type Tone, time } from '../../commands/messages.ts'
import type { Sale } from '../attribution/public.ts'
import { formatMoney, toDecimal, type UserError } from '../kit/index.ts'
import type { Money, Typed } from './prospect.ts'
import {
  acceptButton,
  dealsPage,
  openForm,
  otherMoney,
  rejectButton,
  rejectForm,
  reviewPage,
  sameMoney,
  submitForm,
  winAnyway,
} from './refs.ts'
import { type Deal, type DealPage, type DealPayment, type DealStatus, statuses } from './tables.ts'

export const pageSize = 8

const statusWords: Record<DealStatus, string> = {
  submitted: '📝 waits for review',
  accepted: '🛡️ accepted and protected',
  won: '🏆 won',
  lost: '🌫️ lost',
  rejected: '⛔ not accepted',
  expired: '⌛ protection has run out',
}
export const statusChoices = statuses.map((value) => ({ name: value, value }))

/** One line for a list of suggestions; plain text. */
export function suggestionOf({ company, status, expected, currency }: Deal): string {
  return `${company} · ${status} · ${formatMoney(expected, currency)}`
}

export function dealForm(known: Partial<Typed>, currency: string): Modal {
  return modal({
    customId: customId(submitForm, { form: 'submit' }),
    title: 'Register a deal',
    fields: [
      {
        kind: 'text',
        key: 'company',
        label: 'Company',
        description: 'The prospect: who would buy',
        max: 100,
        placeholder: 'Acme Ltd',
        ...filled(known.company),
      },
      {
        kind: 'text',
        key: 'email',
        label: 'Contact’s e-mail',
        description: 'Their purchases with this address count for you, too',
        max: 254,
        placeholder: 'ada@acme.com',
        ...filled(known.email),
      },
      ...moneyFields(known, currency),
      notesField(known.notes),
    ],
  })
}

/** The form for a deal that is registered: the prospect stands, the rest may change. */
export function updateForm(deal: Deal, draft: Partial<Typed> | undefined): Modal {
  const known = { value: toDecimal(deal.expected, deal.currency), currency: deal.currency, notes: deal.notes, ...draft }
  return modal({
    customId: customId(submitForm, { form: deal.id }),
    title: `Update: ${deal.company}`,
    fields: [
      ...moneyFields(known, deal.currency),
      notesField(known.notes),
      {
        kind: 'select',
        key: 'state',
        label: 'How does it stand?',
        options: [
          { value: 'open', label: 'We are still talking', default: true },
          { value: 'lost', label: 'It will not happen', description: 'Closes the deal and frees the prospect' },
        ],
      },
    ],
  })
}

const moneyFields = (known: Partial<Typed>, currency: string): Field[] => [
  {
    kind: 'text',
    key: 'value',
    label: 'Expected value',
    description: 'What the first order may be worth',
    max: 30,
    placeholder: '5,000.00',
    ...filled(known.value),
  },
  {
    kind: 'text',
    key: 'currency',
    label: 'Currency',
    description: 'An ISO code such as USD',
    max: 3,
    value: known.currency || currency,
  },
]

const notesField = (notes: string | undefined): Field => ({
  kind: 'text',
  key: 'notes',
  label: 'Notes',
  description: 'What the team should know: need, people, timing',
  long: true,
  required: false,
  max: 1000,
  ...filled(notes),
})

const filled = (value: string | undefined): { value?: string } => (value ? { value } : {})

export function refusedCard(refusal: UserError, form: string): Message {
  return card({
    title: titles[refusal.code] ?? 'That did not work yet',
    body: refusal.message,
    tone: 'warn',
    rows: [[button({ customId: customId(openForm, { form }), label: 'Change it', style: 'primary', emoji: '✏️' })]],
    footer: 'What you typed is kept and filled in for you.',
  })
}

const titles: Readonly<Record<string, string>> = {
  prospect_taken: 'This prospect is taken at present',
  already_yours: 'You have this one already',
  too_many_deals: 'Enough open deals for now',
  wrong_status: 'This deal cannot be changed',
}

export function submittedCard(deal: Deal): Message {
  return card({
    title: 'Your deal is registered',
    body: [
      `**${literal(deal.company)}** · ${formatMoney(deal.expected, deal.currency)}`,
      `You were first: the prospect is protected for you until ${time(deal.protectedUntil, 'D')}, and nobody else can register it.`,
      'The team looks at it now; you will hear from us. Once it is accepted, what your contact buys counts for you.',
    ],
    tone: 'good',
    footer: 'Keep it fresh with /deal update; see all with /deal list.',
  })
}

export function updatedCard(deal: Deal): Message {
  return deal.status === 'lost'
    ? card({
        title: 'The deal is closed',
        body: `**${literal(deal.company)}** is marked as lost, and the prospect is free again. If it comes back to life, register it anew.`,
      })
    : card({
        title: 'Saved',
        body: `**${literal(deal.company)}** · ${formatMoney(deal.expected, deal.currency)}. The team sees the change.`,
        tone: 'good',
      })
}

/** The deal as its partner sees it. */
export function dealCard(deal: Deal): Message {
  return card({
    title: literal(deal.company),
    fields: details(deal),
    tone: toneOf(deal.status),
    ...(isOpen(deal) && {
      rows: [[button({ customId: customId(openForm, { form: deal.id }), label: 'Update', emoji: '✏️' })]],
    }),
    footer: 'Only you and the team see this.',
  })
}

/** The deal as an admin sees it, in an answer that only they see. */
export function adminDealCard(deal: Deal): Message {
  return card({
    title: literal(deal.company),
    body: `Registered by <@${deal.userId}> ${time(deal.submittedAt)}`,
    fields: details(deal),
    tone: toneOf(deal.status),
    rows: reviewRows(deal),
    footer: `Deal ${deal.id}`,
  })
}

function details(deal: Deal): { name: string; value: string }[] {
  return [
    { name: 'Status', value: `${statusWords[deal.status]}${deal.reason ? `: ${literal(deal.reason)}` : ''}` },
    { name: 'Contact', value: deal.contactEmail ? literal(deal.contactEmail) : 'deleted, since the deal is over' },
    { name: 'Expected', value: formatMoney(deal.expected, deal.currency) },
    ...(deal.wonAmount !== null ? [{ name: 'Won', value: formatMoney(deal.wonAmount, deal.wonCurrency!) }] : []),
    ...(deal.notes ? [{ name: 'Notes', value: literal(deal.notes) }] : []),
    { name: isOpen(deal) ? 'Protected until' : 'Was protected until', value: time(deal.protectedUntil, 'f') },
  ]
}

/** The deal in the staff channel: without the contact’s address, which /admin deals show has. */
export function reviewCard(deal: Deal): Message {
  const won = deal.wonAmount === null ? '' : ` for ${formatMoney(deal.wonAmount, deal.wonCurrency!)}`
  return card({
    title: deal.status === 'submitted' ? `New deal: ${literal(deal.company)}` : `Deal: ${literal(deal.company)}`,
    body: [
      `<@${deal.userId}> expects **${formatMoney(deal.expected, deal.currency)}**${deal.domain ? ` · ${literal(deal.domain)}` : ''}`,
      ...(deal.notes && isOpen(deal) ? [`> ${literal(deal.notes).replaceAll('\n', '\n> ')}`] : []),
      `${statusWords[deal.status]}${won}${deal.reason ? `: ${literal(deal.reason)}` : ''}`,
      ...(isOpen(deal) ? [`Protected until ${time(deal.protectedUntil, 'D')}`] : []),
    ],
    tone: toneOf(deal.status),
    rows: reviewRows(deal),
    footer: `Deal ${deal.id}`,
  })
}

function reviewRows(deal: Deal) {
  if (deal.status !== 'submitted') return []
  return [
    [
      button({ customId: customId(acceptButton, { deal: deal.id }), label: 'Accept', style: 'success' }),
      button({ customId: customId(rejectButton, { deal: deal.id }), label: 'Reject …', style: 'danger' }),
    ],
  ]
}

export function rejectModal(deal: Deal): Modal {
  return modal({
    customId: customId(rejectForm, { deal: deal.id }),
    title: `Reject: ${deal.company}`,
    fields: [
      {
        kind: 'text',
        key: 'reason',
        label: 'Why?',
        description: 'The partner reads this',
        long: true,
        min: 3,
        max: 500,
        placeholder: 'We have been talking with them since spring.',
      },
    ],
  })
}

export function decidedCard(deal: Deal): Message {
  const then = deal.status === 'lost' || deal.status === 'rejected' ? ' The prospect is free again.' : ''
  return card({
    title: `Done: ${literal(deal.company)}`,
    body: `${statusWords[deal.status]}. <@${deal.userId}> was told.${then}`,
    tone: 'good',
  })
}

/** `credited` is whether the sale became the partner's whose deal it was. */
export function wonCard(deal: Deal, credited: boolean): Message {
  const amount = formatMoney(deal.wonAmount!, deal.wonCurrency!)
  return card({
    title: credited ? `Won: ${literal(deal.company)}` : 'Recorded, but credited to another',
    body: credited
      ? `A sale of **${amount}** is recorded for <@${deal.userId}>, and they were told.`
      : `A sale of **${amount}** is recorded, but it did not become <@${deal.userId}>’s: another partner brought the customer, or the partner is not active. \`/admin sales why\` tells. If it should be theirs, propose it with \`/admin-sales override\`.`,
    tone: credited ? 'celebrate' : 'warn',
    footer: `Sale ${deal.saleId}`,
  })
}

/**
 * Payments of the deal's contact, or of its amount: are they the deal's money? With `record`, an admin is about to record that money by hand; else they did so before, and a
 * payment came in since.
 */
export function sameMoneyCard(deal: Deal, payments: readonly DealPayment[], record?: Money): Message {
  const open = payments.filter(({ state }) => state === 'open')
  const [settled] = payments.filter(({ state }) => state !== 'open')
  const words = ({ amount, currency, paidAt }: DealPayment) => `**${formatMoney(amount, currency)}** of ${time(paidAt, 'f')}`
  if (settled && open.length === 0)
    return card({
      title: `${literal(deal.company)}: ${settled.state === 'counted' ? 'the same money, counted once' : 'another payment'}`,
      body: `${words(settled)}, said <@${settled.decidedBy}>.`,
    })
  const ids = (payment: DealPayment) => ({ deal: deal.id, sale: payment.saleId })
  return card({
    title: `${literal(deal.company)}: is it the same money?`,
    body: [
      open
        .map(
          (payment) =>
            `• ${words(payment)} was reported by the payment provider, ${payment.how === 'amount' ? 'for this amount, but not by the contact of this deal' : 'paid by the contact of this deal'}.`,
        )
        .join('\n'),
      record
        ? `If that is the deal’s money, the deal is won with it. Only if the **${formatMoney(record.amount, record.currency)}** are other money, record them.`
        : `The deal was recorded by hand with **${formatMoney(deal.wonAmount!, deal.wonCurrency!)}**. If this is the same money, what was recorded by hand is taken back, so that it counts once.`,
    ],
    tone: 'warn',
    rows: [
      ...open.slice(0, 4).map((payment) => [
        button({
          customId: customId(sameMoney, ids(payment)),
          label: `The same: ${formatMoney(payment.amount, payment.currency)}`,
          style: 'success',
        }),
        ...(record ? [] : [button({ customId: customId(otherMoney, ids(payment)), label: 'Another payment', style: 'secondary' })]),
      ]),
      ...(record
        ? [
            [
              button({
                customId: customId(winAnyway, {
                  deal: deal.id,
                  amount: record.amount.toString(),
                  currency: record.currency,
                  seen: String(open.length),
                }),
                label: 'Other money: record it',
                style: 'danger',
              }),
            ],
          ]
        : []),
    ],
    footer: `Deal ${deal.id}. A payment that carries the deal’s id as siso_deal in its metadata is matched by itself.`,
  })
}

/** For the partner whose won deal was recorded by hand and then reported by the provider; `whole` when nothing is left of what was recorded by hand. */
export const replacedMessage = (deal: Deal, sale: Sale, whole: boolean): Message =>
  card({
    title: `The payment for ${literal(deal.company)} came in`,
    body: `**${formatMoney(sale.gross, sale.currency)}** now counts as a sale of its own. What the team had recorded by hand before is taken back${whole ? '' : ' by what it is worth without tax and shipping'}, so that nothing counts twice.`,
    footer: 'Both stand in /sales list; what they earn in /earnings show.',
  })

/** What the partner is told when a deal has moved on. */
export function outcomeMessage(deal: Deal): Message {
  const company = `**${literal(deal.company)}**`
  const because = deal.reason ? [`> ${literal(deal.reason).replaceAll('\n', '\n> ')}`] : []
  switch (deal.status) {
    case 'submitted':
    case 'accepted':
      return card({
        title: 'Your deal is accepted',
        body: `${company} is yours until ${time(deal.protectedUntil, 'D')}: what your contact buys until then counts for you. Good luck!`,
        tone: 'good',
        footer: '/deal update keeps it fresh.',
      })
    case 'won':
      return card({
        title: `You won ${literal(deal.company)}`,
        body: `A sale of **${formatMoney(deal.wonAmount!, deal.wonCurrency!)}** is recorded for you. Well done!`,
        tone: 'celebrate',
        footer: 'See it with /sales list.',
      })
    case 'lost':
      return card({ title: 'A deal was closed', body: [`The team marked ${company} as lost.`, ...because] })
    case 'rejected':
      return card({
        title: 'Your deal was not accepted',
        body: [`The team looked at ${company} and could not take it:`, ...because, 'Ask them if you see it differently.'],
        tone: 'warn',
      })
    case 'expired':
      return card({
        title: 'A protection has run out',
        body: `${company} is not protected for you any more. If you are still in touch, register it again with \`/deal submit\`, before somebody else does.`,
        tone: 'warn',
      })
  }
}

export function dealList(found: DealPage, page: number): Message {
  if (found.total === 0)
    return card({
      title: 'You have no deals yet',
      body: 'In touch with a company that might buy? Register it with `/deal submit`: who is first is protected.',
    })
  return listCard(found, {
    title: found.total === 1 ? 'Your deal' : `Your ${found.total} deals`,
    page,
    line: (deal) => `**${literal(deal.company)}** · ${worthOf(deal)} · ${stateOf(deal)}`,
    turn: (to) => customId(dealsPage, { page: String(to) }),
    footer: '/deal show has the details of one.',
  })
}

export function reviewList(found: DealPage, status: DealStatus | undefined, page: number): Message {
  if (found.total === 0)
    return card({ title: status ? `No deal is ${status}` : 'No deals yet', body: 'Partners register theirs with `/deal submit`.' })
  return listCard(found, {
    title: `${found.total} ${found.total === 1 ? 'deal' : 'deals'}${status ? ` · ${status}` : ''}`,
    page,
    line: (deal) => `**${literal(deal.company)}** · <@${deal.userId}> · ${worthOf(deal)} · ${stateOf(deal)}`,
    turn: (to) => customId(reviewPage, { status: status ?? 'all', page: String(to) }),
    footer: '/admin deals show has the details of one.',
  })
}

function listCard(
  { total, deals }: DealPage,
  options: { title: string; page: number; line: (deal: Deal) => string; turn: (page: number) => string; footer: string },
): Message {
  const { title, page, line, turn, footer } = options
  const pages = Math.ceil(total / pageSize)
  return card({
    title,
    body: deals.length > 0 ? deals.map((deal) => `• ${line(deal)}`).join('\n') : 'There is nothing on this page any more.',
    footer: `${footer}${pages > 1 ? ` Page ${page + 1} of ${pages}.` : ''}`,
    ...(pages > 1 && {
      rows: [
        [
          button({ customId: turn(Math.max(0, page - 1)), label: 'Newer', disabled: page <= 0 }),
          button({ customId: turn(page + 1), label: 'Older', disabled: page >= pages - 1 }),
        ],
      ],
    }),
  })
}

const worthOf = (deal: Deal): string =>
  deal.wonAmount === null ? formatMoney(deal.expected, deal.currency) : formatMoney(deal.wonAmount, deal.wonCurrency!)
const stateOf = (deal: Deal): string =>
  `${statusWords[deal.status]} ${isOpen(deal) ? `until ${time(deal.protectedUntil, 'D')}` : time(deal.closedAt!)}`
const isOpen = ({ closedAt }: Deal): boolean => closedAt === null

function toneOf(status: DealStatus): Tone {
  if (status === 'won') return 'celebrate'
  if (status === 'accepted') return 'good'
  return status === 'rejected' || status === 'expired' ? 'warn' : 'neutral'
}
