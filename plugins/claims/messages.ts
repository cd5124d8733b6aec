// Every word that claims and overrides say to people. Pure functions.
import { customId } from '../../commands/customId.ts'
import { button, card, literal, type Message, type Modal, modal, select, time } from '../../commands/messages.ts'
import type { Sale, SaleMatch } from '../attribution/public.ts'
import { formatMoney } from '../kit/index.ts'
import {
  approveOverride,
  creditButton,
  creditForm,
  declineButton,
  declineForm,
  declineOverride,
  lookButton,
  openClaim,
} from './refs.ts'
import type { Claim, OverrideRow } from './tables.ts'

/** A mention of the partner with this id; “nobody” for null. */
export type Names = (partnerId: string | null) => string

const saleWords = ({ gross, currency, paidAt, product }: Sale): string =>
  `**${formatMoney(gross, currency)}** paid ${time(paidAt, 'f')}${product === null ? '' : ` for ${literal(product)}`}`

const clues = ({ reference, emailHash, gross, currency, paidFrom }: Claim): string =>
  [
    `on ${time(paidFrom, 'D')}`,
    ...(reference === null ? [] : [`order ${literal(reference)}`]),
    ...(gross === null || currency === null ? [] : [formatMoney(gross, currency)]),
    ...(emailHash === null ? [] : ['with the customer’s e-mail address']),
  ].join(' · ')

const overrideStates = {
  open: 'waits for a second admin',
  approved: 'approved',
  declined: 'declined',
  outdated: 'closed: the sale had changed hands meanwhile',
} as const

/** The proposal in the staff channel, and what the admin sees who made or decided it. */
export function overrideCard(row: OverrideRow, sale: Sale, nameOf: Names): Message {
  const open = row.state === 'open'
  return card({
    title: open ? 'Whose sale is it? A second admin decides' : `Change of a sale: ${overrideStates[row.state]}`,
    body: [
      saleWords(sale),
      `From ${nameOf(row.fromId)} to ${nameOf(row.toId)}, proposed by <@${row.proposedBy}> ${time(row.proposedAt)}: ${literal(row.reason)}`,
      ...(row.decidedBy === null ? [] : [`Decided by <@${row.decidedBy}> ${time(row.decidedAt!)}.`]),
      ...(open
        ? [
            'Approved, the customer is bound anew, what the sale earned is taken back from the one (what was paid becomes debt) and booked for the other. Both are told.',
          ]
        : []),
    ],
    tone: open ? 'warn' : row.state === 'approved' ? 'good' : 'neutral',
    ...(open && {
      rows: [
        [
          button({ customId: customId(approveOverride, { override: row.id }), label: 'Approve', style: 'success' }),
          button({ customId: customId(declineOverride, { override: row.id }), label: 'Decline', style: 'danger' }),
        ],
      ],
    }),
    footer: `Sale ${row.saleId}${row.claimId === null ? '' : ' · asked for with a claim'}`,
  })
}

export function overridesCard(rows: readonly OverrideRow[], nameOf: Names): Message {
  if (rows.length === 0)
    return card({ title: 'No sale was ever given to another partner', body: 'Propose a change with `/admin-sales override`.' })
  return card({
    title: 'The latest changes of whose a sale is',
    body: rows
      .map(
        (row) =>
          `• ${time(row.proposedAt, 'd')} · sale …${row.saleId.slice(-8)} · ${nameOf(row.fromId)} → ${nameOf(row.toId)} · ${overrideStates[row.state]}\n-# <@${row.proposedBy}>: ${literal(row.reason)}`,
      )
      .join('\n'),
    footer: 'What waits has its card with buttons in the staff channel.',
  })
}

/** For the partner who has it now. */
export const creditedMessage = (sale: Sale, reason: string): Message =>
  card({
    title: 'A sale is now yours',
    body: [saleWords(sale), `The team decided so: ${literal(reason)}`],
    tone: 'good',
    footer: 'What it earns is in /earnings; how it was decided in /earnings why.',
  })

export const filedCard = (claim: Claim): Message =>
  card({
    title: 'Your claim is with the team',
    body: [
      `A purchase ${clues(claim)}${claim.evidenceName === null ? '' : ` · ${literal(claim.evidenceName)}`}`,
      'A person compares it with what was recorded. You hear of the decision here, with the reason.',
    ],
    tone: 'good',
  })

const claimStates = {
  open: 'waits for an admin',
  waiting: 'waits for a second admin',
  approved: 'approved',
  declined: 'declined',
} as const

/** The claim in the staff channel: what was claimed and how far it is; the sales it may mean are shown to who opens it. */
export function staffClaimCard(claim: Claim): Message {
  const open = claim.state === 'open'
  return card({
    title: open ? 'A partner claims a sale' : `A claim: ${claimStates[claim.state]}`,
    body: [
      `<@${claim.userId}> · a purchase ${clues(claim)}`,
      literal(claim.story),
      ...(claim.evidenceName === null ? [] : [`📎 ${literal(claim.evidenceName)}`]),
      ...(claim.reason === null ? [] : [`Reason: ${literal(claim.reason)}`]),
      ...(claim.decidedBy === null ? [] : [`Decided by <@${claim.decidedBy}> ${time(claim.decidedAt!)}.`]),
    ],
    tone: open ? 'warn' : claim.state === 'approved' ? 'good' : 'neutral',
    ...(open && {
      rows: [[button({ customId: customId(lookButton, { claim: claim.id }), label: 'Look at it', style: 'primary' })]],
    }),
  })
}

const fits = ({ reference, email, amount }: SaleMatch): string =>
  [...(reference ? ['order'] : []), ...(email ? ['e-mail'] : []), ...(amount ? ['amount and day'] : [])].join(', ')

/** The claim as an admin opens it: evidence, and the sales that it may mean, each with a button. */
export function claimCard(claim: Claim, matches: readonly SaleMatch[], nameOf: Names): Message {
  const { id, evidence, evidenceName } = claim
  const open = claim.state === 'open'
  const credits = matches
    .filter(({ sale }) => sale.partnerId !== claim.partnerId)
    .map(({ sale }) =>
      button({
        customId: customId(creditButton, { claim: id, sale: sale.id }),
        label: `Credit …${sale.id.slice(-8)}`,
        style: 'success',
      }),
    )
  return card({
    title: 'A claim of a sale',
    body: [`<@${claim.userId}> · a purchase ${clues(claim)}`, literal(claim.story)],
    fields: [
      {
        name: 'Sales that it may mean',
        value:
          matches
            .map(
              (match) =>
                `• …${match.sale.id.slice(-8)} · ${saleWords(match.sale)} · ${nameOf(match.sale.partnerId)} · fits: ${fits(match)}`,
            )
            .join('\n') || 'None that was recorded fits.',
      },
    ],
    rows: open
      ? [[...credits, button({ customId: customId(declineButton, { claim: id }), label: 'Decline', style: 'danger' })]]
      : [],
    footer: open ? 'A sale of another partner’s needs a second admin.' : `This claim is ${claimStates[claim.state]}.`,
    ...(evidence && { files: [{ name: evidenceName!, data: evidence }] }),
  })
}

export function claimsCard(queue: readonly Claim[]): Message {
  if (queue.length === 0) return card({ title: 'No claim waits', body: 'Every claim of a sale was decided.', tone: 'good' })
  return card({
    title: queue.length === 1 ? '1 claim waits' : `${queue.length} claims wait`,
    body: queue
      .map((claim) => `• <@${claim.userId}> ${time(claim.filedAt)} · ${clues(claim)} · ${claimStates[claim.state]}`)
      .join('\n'),
    rows: [
      select({
        customId: customId(openClaim, {}),
        placeholder: 'Look at one',
        options: queue.map(({ id, filedAt, story }) => ({
          value: id,
          label: `${filedAt.toISOString().slice(0, 10)} · …${id.slice(-8)}`,
          description: story,
        })),
      }),
    ],
  })
}

export function reasonModal(what: 'credit' | 'decline', claim: string, sale = ''): Modal {
  return modal({
    customId: what === 'credit' ? customId(creditForm, { claim, sale }) : customId(declineForm, { claim }),
    title: what === 'credit' ? 'Credit the sale' : 'Decline the claim',
    fields: [{ kind: 'text', key: 'reason', label: 'Why', description: 'The partner reads it', long: true, min: 3, max: 500 }],
  })
}

export function claimDecidedMessage({ state, reason, paidFrom }: Claim): Message {
  const approved = state === 'approved'
  return card({
    title: approved ? 'Your claim was approved' : 'Your claim was not approved',
    body: [`The purchase of ${time(paidFrom, 'D')}.`, ...(reason === null ? [] : [`The team says: ${literal(reason)}`])],
    tone: approved ? 'good' : 'neutral',
    footer: approved ? 'What it earns is in /earnings.' : 'If something new turns up, open a ticket.',
  })
}

export const claimSettledCard = (claim: Claim): Message =>
  card({
    title:
      claim.state === 'waiting'
        ? 'A second admin is asked'
        : claim.state === 'approved'
          ? 'The sale is theirs'
          : 'The claim is declined',
    body:
      claim.state === 'waiting'
        ? 'The sale belongs to another partner, so another admin approves the change: its card is in the staff channel.'
        : `<@${claim.userId}> is told, with your reason.`,
    tone: 'good',
  })
