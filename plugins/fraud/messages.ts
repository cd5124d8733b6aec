// Every word and form that fraud shows to people. Partners read what was seen about themselves, never about anyone else.
import { customId } from '../../commands/customId.ts'
import {
  button,
  card,
  literal,
  type Message,
  type Modal,
  modal,
  select,
  type Tone,
  time,
  truncate,
} from '../../commands/messages.ts'
import { formatMoney } from '../kit/index.ts'
import { appealForm, clearButton, clearForm, openCase, queuePage, rejectButton, rejectForm } from './refs.ts'
import type { Allowance, Case, CaseState } from './tables.ts'

export const pageSize = 10

const amountOf = ({ amount, currency }: Case) => formatMoney(amount, currency)
const quoted = (text: string) => `> ${literal(text).replaceAll('\n', '\n> ')}`
const listed = (words: readonly string[]) => words.map((line) => `• ${line}`).join('\n')

const stateWords: Record<CaseState, string> = {
  noted: '📎 noted, nothing is held',
  open: '🔎 waits for a decision',
  cleared: '✅ cleared',
  rejected: '⛔ rejected',
}
const tones: Record<CaseState, Tone> = { noted: 'neutral', open: 'warn', cleared: 'good', rejected: 'bad' }

/** The case as the team sees it: in the staff channel, and in answers to admins. */
export function staffCard(found: Case, words: readonly string[]): Message {
  return card({
    title: `${found.state === 'open' ? 'Please look at this commission' : 'Commission that was looked at'}: ${amountOf(found)}`,
    body: [
      `Partner <@${found.userId}> · score **${found.score}** (held from ${found.threshold})`,
      listed(found.findings.map(({ signal, weight }, i) => `**${signal}** (${weight}): ${words[i]}`)),
    ],
    fields: [
      { name: 'Status', value: `${stateWords[found.state]}${holdWords(found)}` },
      ...(found.appeal === null
        ? []
        : [{ name: 'The partner appealed', value: `${time(found.appealedAt!)}\n${quoted(truncate(found.appeal, 1200))}` }]),
      ...(found.decidedBy === null
        ? []
        : [{ name: 'Decided', value: `<@${found.decidedBy}> ${time(found.decidedAt!)}\n${quoted(found.decisionReason!)}` }]),
    ],
    tone: tones[found.state],
    rows: found.state === 'open' ? [decisionButtons(found)] : [],
    footer: `Case ${found.id} · sale ${found.saleId} · the evidence is in /admin fraud show.`,
  })
}

function holdWords({ state, held }: Case): string {
  if (state !== 'open') return ''
  return held
    ? '; the commission is on hold until then'
    : '; nothing could be held, because it was paid out or worth nothing by then'
}

const decisionButtons = ({ id }: Case) => [
  button({ customId: customId(clearButton, { case: id }), label: 'Clear …', style: 'success' }),
  button({ customId: customId(rejectButton, { case: id }), label: 'Reject …', style: 'danger' }),
]

/** The staff card with all that was recorded, for one admin. */
export function evidenceCard(found: Case, words: readonly string[]): Message {
  return card({
    title: `Case about ${amountOf(found)}`,
    body: `Partner <@${found.userId}> · score **${found.score}** (held from ${found.threshold}) · ${time(found.openedAt, 'f')}`,
    fields: [
      ...found.findings.map(({ signal, weight, evidence }, i) => ({
        name: `${signal} · ${weight}`,
        value: [words[i]!, `-# ${evidenceLine(evidence)}`].join('\n'),
      })),
      { name: 'Status', value: `${stateWords[found.state]}${holdWords(found)}` },
      ...(found.appeal === null ? [] : [{ name: 'Appeal', value: quoted(truncate(found.appeal, 1200)) }]),
      ...(found.decidedBy === null
        ? []
        : [{ name: 'Decided', value: `<@${found.decidedBy}> ${time(found.decidedAt!, 'f')}\n${quoted(found.decisionReason!)}` }]),
    ],
    tone: tones[found.state],
    rows: found.state === 'open' ? [decisionButtons(found)] : [],
    footer: `Case ${found.id} · commission ${found.commissionId} · sale ${found.saleId}`,
  })
}

function evidenceLine(evidence: Case['findings'][number]['evidence']): string {
  return Object.entries(evidence)
    .map(([fact, value]) => `${literal(fact)}: ${literal(truncate(Array.isArray(value) ? value.join(', ') : String(value), 300))}`)
    .join(' · ')
}

export function queueCard(open: { total: number; cases: readonly Case[] }, page: number): Message {
  if (open.total === 0) return card({ title: 'Nothing to review', body: 'No commission is held for a second look.', tone: 'good' })
  const pages = Math.max(1, Math.ceil(open.total / pageSize))
  const turn = (to: number, label: string) =>
    button({ customId: customId(queuePage, { page: String(to) }), label, disabled: to < 0 || to >= pages })
  return card({
    title: `To review: ${open.total}`,
    body: open.cases.map(
      (found) =>
        `**${amountOf(found)}** · <@${found.userId}> · ${found.strongest.replaceAll('_', ' ')} · score ${found.score} · ${time(found.openedAt)}${found.appeal === null ? '' : ' · 💬 appealed'}`,
    ),
    rows: [
      ...(open.cases.length > 0
        ? [
            select({
              customId: customId(openCase, {}),
              placeholder: 'Look at one',
              options: open.cases.map((found) => ({ label: suggestionOf(found), value: found.id })),
            }),
          ]
        : []),
      ...(pages > 1 ? [[turn(page - 1, 'Back'), turn(page + 1, 'Next')]] : []),
    ],
    footer: `Page ${Math.min(page + 1, pages)} of ${pages}. Appeals come first, then the oldest.`,
  })
}

/** One line for a list of suggestions; plain text. */
export function suggestionOf(found: Case): string {
  return `${amountOf(found)} · ${found.strongest.replaceAll('_', ' ')} · ${found.openedAt.toISOString().slice(0, 10)}`
}

/** The same for the partner, who need not know how signals are called. */
export function ownSuggestionOf(found: Case): string {
  return `${amountOf(found)} · held since ${found.openedAt.toISOString().slice(0, 10)}${found.appeal === null ? '' : ' · appealed'}`
}

export function decisionModal(found: Case, decision: 'cleared' | 'rejected'): Modal {
  const cleared = decision === 'cleared'
  return modal({
    customId: customId(cleared ? clearForm : rejectForm, { case: found.id }),
    title: `${cleared ? 'Clear' : 'Reject'}: ${amountOf(found)}`,
    fields: [
      {
        kind: 'text',
        key: 'reason',
        label: 'Why?',
        description: cleared ? 'Kept with your name; the team reads this' : 'Kept with your name; the partner reads this',
        long: true,
        min: 3,
        max: 500,
        placeholder: cleared ? 'Called the customer: a real purchase.' : 'The customer’s card is the partner’s own.',
      },
    ],
  })
}

export function decidedCard(found: Case): Message {
  const { state, held, userId } = found
  const outcome =
    state === 'rejected'
      ? `The commission is worth nothing now; what was paid of it is taken from the next earnings. <@${userId}> is told, with your reason.`
      : held
        ? `The commission goes on as if nothing had been, and <@${userId}> is told.`
        : 'Nothing was on hold, so nothing changes.'
  return card({
    title: `${state === 'rejected' ? 'Rejected' : 'Cleared'}: ${amountOf(found)}`,
    body: outcome,
    tone: 'good',
    footer: 'Your name and reason are kept with the case.',
  })
}

/** A decision or an appeal that came too late: what was typed is shown, so that it is not lost. */
export function refusedCard(message: string, typed: string): Message {
  return card({
    title: 'That could not be saved',
    body: [message, ...(typed ? ['What you wrote:', quoted(typed)] : [])],
    tone: 'warn',
  })
}

export function heldMessage(found: Case, words: readonly string[]): Message {
  return card({
    title: `A commission of ${amountOf(found)} is being checked`,
    body: [
      'It is on hold until a person of the team has looked at it. What we saw:',
      listed(words),
      'There is often a good explanation. Tell yours with `/appeal`; the team reads it before they decide.',
    ],
    tone: 'warn',
    footer: 'Your other commissions are not affected. See everything with /earnings show.',
  })
}

export function clearedMessage(found: Case): Message {
  return card({
    title: `Checked and fine: ${amountOf(found)}`,
    body: 'The team has looked at your commission and found nothing wrong. It goes on its way. Thank you for your patience!',
    tone: 'good',
    footer: 'See it with /earnings show.',
  })
}

export function appealModal(found: Case): Modal {
  return modal({
    customId: customId(appealForm, { case: found.id }),
    title: `Your side: ${amountOf(found)}`,
    fields: [
      {
        kind: 'text',
        key: 'text',
        label: 'What happened?',
        description: 'How did this customer find you? You can appeal once, so say all of it.',
        long: true,
        min: 10,
        max: 2000,
      },
    ],
  })
}

export function nothingToAppeal(open: readonly Case[]): Message {
  return card({
    title: open.length > 0 ? 'You have appealed already' : 'Nothing to appeal',
    body:
      open.length > 0
        ? 'The team has your words and will decide. You will hear from us.'
        : 'None of your commissions is being checked. `/earnings show` tells why something is on hold for another reason.',
  })
}

export function appealedCard(found: Case): Message {
  return card({
    title: 'Thank you, the team has your words',
    body: `They read them before they decide about the ${amountOf(found)}. You will hear from us.`,
    tone: 'good',
  })
}

export function allowedCard(userId: string, otherId: string | undefined, open: number): Message {
  return card({
    title: 'Allowed',
    body: [
      otherId === undefined
        ? `Commissions of <@${userId}> are not held any more from now on. What signals see is still noted.`
        : `What connects <@${userId}> and <@${otherId}> does not count any more from now on.`,
      ...(open > 0
        ? [
            `${open} of their commissions ${open === 1 ? 'is' : 'are'} still on hold: decide about ${open === 1 ? 'it' : 'them'} in \`/admin fraud queue\`.`,
          ]
        : []),
    ],
    tone: 'good',
  })
}

export function disallowedCard(userId: string, otherId: string | undefined): Message {
  return card({
    title: 'Not allowed any more',
    body: `${otherId === undefined ? `Commissions of <@${userId}> are` : `What connects <@${userId}> and <@${otherId}> is`} judged like any other from now on.`,
    tone: 'good',
  })
}

/** `people` gives the Discord id of a partner. */
export function allowedList(rows: readonly Allowance[], people: ReadonlyMap<string, string>): Message {
  const who = (id: string) => (people.has(id) ? `<@${people.get(id)}>` : 'a partner who is gone')
  return card({
    title: rows.length === 0 ? 'Nobody is on the allow-list' : 'Allow-list',
    body:
      rows.length === 0
        ? 'Add agencies with `/admin fraud allow`.'
        : rows.map(
            ({ partnerId, otherId, reason, allowedBy, allowedAt }) =>
              `${who(partnerId)}${otherId === null ? '' : ` with ${who(otherId)}`} · by <@${allowedBy}> ${time(allowedAt, 'D')}\n${quoted(reason)}`,
          ),
  })
}
