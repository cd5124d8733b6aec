// Every word and form that a partner or admin reads in Discord or mail. Pure functions.
import { type ComponentRef, componentRef, customId } from '../../commands/customId.ts'
import {
  beginning,
  button,
  card,
  type Field,
  literal,
  type Message,
  type Modal,
  modal,
  type Tone,
  time,
} from '../../commands/messages.ts'
import type { Mail } from '../notifications/public.ts'
import type { Details, Refusal } from './details.ts'
import { type PartnerRow, type Step, statusOf } from './model.ts'
import type { ActivationRequirement, Industry, PartnerCardField, PartnerStatus } from './public.ts'
import { suspensionLines } from './suspensionMessages.ts'

/** Which fields a form asks for. */
export type Form = 'register' | 'details' | 'email'
export const openForm = componentRef('partners.open', ['form'])
/** Sent by a form that a command or a card for everyone opened: the answer is a message of its own. */
export const submitForm = componentRef('partners.submit', ['form'])
/** Sent by a form that a button of a personal card opened: the answer takes the place of that card. */
export const submitAgain = componentRef('partners.submit_again', ['form'])
export const resendMail = componentRef('partners.resend')

const titles: Record<Form, string> = { register: 'Become a partner', details: 'Your details', email: 'Change your e-mail' }

/** The form with what is known filled in. */
export function form(kind: Form, industries: readonly Industry[], known: Partial<Details>, submit: ComponentRef<'form'>): Modal {
  const name: Field = {
    kind: 'text',
    key: 'name',
    label: 'Your name',
    description: 'As it should stand on your agreement',
    min: 2,
    max: 80,
    ...prefilled(known.name, 80),
  }
  const email: Field = {
    kind: 'text',
    key: 'email',
    label: 'Your e-mail',
    description: 'We send a link there to verify it',
    max: 254,
    placeholder: 'you@example.com',
    ...prefilled(known.email, 254),
  }
  const industry: Field = {
    kind: 'select',
    key: 'industry',
    label: 'Where do you sell?',
    description: 'You get this industry’s channel',
    placeholder: 'Choose an industry',
    options: industries.map(({ key, name: label, emoji }) => ({ value: key, label, emoji, default: key === known.industry })),
  }
  return modal({
    customId: customId(submit, { form: kind }),
    title: titles[kind],
    fields: kind === 'email' ? [email] : [name, email, industry],
  })
}

function prefilled(value: string | undefined, max: number): { value?: string } {
  return value ? { value: beginning(value, max) } : {}
}

const refusals: Record<Refusal, { title: string; body: string }> = {
  name_length: {
    title: 'We need your name',
    body: 'A name has 2 to 80 characters. Please use the one that should stand on your agreement.',
  },
  name_web_address: {
    title: 'That name looks like a web address',
    body: 'Your name stands in mails, where nobody should meet a link that is not ours. Please leave web addresses out of it, and put a space after each dot, as in “J. R. Müller”.',
  },
  email_malformed: {
    title: 'That e-mail does not look right',
    body: 'An address looks like `you@example.com`. Please check it for typing errors.',
  },
  email_disposable: {
    title: 'That e-mail is from a throw-away service',
    body: 'Your agreement and payout notices go to this address, so it has to last. Please use one that you keep.',
  },
  email_taken: {
    title: 'That e-mail belongs to another partner here',
    body: 'Each address can be used once in this program. Please use another one, or ask the team if you think this is a mistake.',
  },
  industry_unknown: { title: 'That industry is not offered any more', body: 'Please choose one from the list.' },
  too_many_mails: {
    title: 'Enough mails for today',
    body: 'We have sent several verification mails within 24 hours. Please look for the latest one, in the spam folder too, or try again tomorrow.',
  },
}

export function refusalWords(refusal: Refusal): { title: string; body: string } {
  return refusals[refusal]
}

export function refusedCard(refusal: Refusal, kind: Form, typed: Partial<Details>): Message {
  const { title, body } = refusals[refusal]
  // A name that was fine when it was given can only be mended where it is asked for.
  const again = refusal.startsWith('name') && kind === 'email' ? 'details' : kind
  const about = refusal.startsWith('email') && typed.email ? [`You typed **${literal(typed.email)}**.`] : []
  return card({
    title,
    body: [...about, body],
    tone: 'warn',
    rows: [[button({ customId: customId(openForm, { form: again }), label: 'Try again', style: 'primary' })]],
    footer: 'What you typed is kept and filled in for you.',
  })
}

/** Where a partner stands and what is next. `mailed` says that a verification mail has just gone out. */
export function statusCard(options: {
  program: string
  partner: PartnerRow
  steps: readonly Step[]
  awaited: string | undefined
  mailed?: string | undefined
}): Message {
  const { program, partner, steps, awaited, mailed } = options
  const next = steps.find((step) => !step.done)
  const sent = mailed
    ? [
        `📬 We sent a mail to **${literal(mailed)}**. Open it and follow its link within 24 hours. If it is not there, look into the spam folder.`,
      ]
    : []
  const change =
    awaited && partner.verifiedAt && !mailed
      ? [`Your new address **${literal(awaited)}** counts once you follow the link in the mail we sent there.`]
      : []
  const buttons = awaited
    ? [
        button({ customId: customId(resendMail, {}), label: 'Send it again', style: 'primary', emoji: '📨' }),
        button({ customId: customId(openForm, { form: 'email' }), label: 'Change e-mail', emoji: '✏️' }),
      ]
    : next?.button && partner.verifiedAt && partner.status !== 'suspended'
      ? [button({ ...next.button, style: 'success' })]
      : []
  const { title, tone } = heading(program, partner)
  const progress =
    partner.status === 'suspended'
      ? suspensionLines(program, partner)
      : [checklist(steps), ...(next && !mailed ? [`**Next:** ${next.hint}`] : []), ...closing(partner)]
  return card({
    title,
    body: [...sent, ...change, ...progress],
    tone,
    rows: [buttons],
  })
}

function heading(program: string, { status, name }: PartnerRow): { title: string; tone: Tone } {
  if (status === 'active') return { title: `You are a partner of ${literal(program)}`, tone: 'good' }
  if (status === 'suspended') return { title: 'Your partnership is suspended', tone: 'warn' }
  return { title: `Welcome, ${literal(name)}`, tone: 'neutral' }
}

function closing({ status }: PartnerRow): string[] {
  if (status === 'active')
    return ['Make a link with `/link create`, and see what it brings with `/earnings`. `/profile show` has your details.']
  return []
}

function checklist(steps: readonly Step[]): string {
  const next = steps.findIndex((step) => !step.done)
  return steps
    .map(({ title, done }, i) => `${done ? '✅' : i === next ? '👉' : '⬜'} ${i === next ? `**${title}**` : title}`)
    .join('\n')
}

export function profileCard(partner: PartnerRow, industries: readonly Industry[], awaited: string | undefined): Message {
  const email = awaited
    ? partner.verifiedAt
      ? `${literal(partner.email)}\n-# changes to ${literal(awaited)} once verified`
      : `${literal(partner.email)} (not verified yet)`
    : `${literal(partner.email)} ✅`
  return card({
    title: 'Your profile',
    fields: [
      { name: 'Name', value: literal(partner.name) },
      { name: 'E-mail', value: email },
      { name: 'Industry', value: industryName(partner.industry, industries) },
      { name: 'Status', value: `${statusWords[partner.status]} · registered ${time(partner.registeredAt, 'D')}` },
      ...suspensionField(partner),
    ],
    rows: [[button({ customId: customId(openForm, { form: 'details' }), label: 'Edit', emoji: '✏️' })]],
    footer: 'Only you see this.',
  })
}

function suspensionField({ suspendedAt, suspendedBecause }: PartnerRow): PartnerCardField[] {
  if (!suspendedAt) return []
  return [{ name: 'Suspended', value: `${time(suspendedAt, 'f')}: ${literal(suspendedBecause ?? '')}` }]
}

export function savedCard(partner: PartnerRow, industries: readonly Industry[], mailed: string | undefined): Message {
  return card({
    title: 'Saved',
    body: [
      `**${literal(partner.name)}** · ${industryName(partner.industry, industries)}`,
      ...(mailed
        ? [`📬 We sent a mail to **${literal(mailed)}**. The new address counts once you follow its link, within 24 hours.`]
        : []),
    ],
    tone: 'good',
    rows: mailed
      ? [
          [
            button({ customId: customId(resendMail, {}), label: 'Send it again' }),
            button({ customId: customId(openForm, { form: 'email' }), label: 'Change e-mail' }),
          ],
        ]
      : [],
  })
}

export function stepMessage(program: string, { title, nextStep }: Pick<ActivationRequirement, 'title' | 'nextStep'>): Message {
  return card({
    title: 'Your e-mail is verified',
    body: [`Your next step to become a partner of ${literal(program)}: **${title}**`, nextStep],
    tone: 'good',
  })
}

export function verificationMail({
  program,
  partner,
  url,
}: {
  program: string
  partner: string
  url: string
}): Pick<Mail, 'subject' | 'paragraphs' | 'button' | 'footer'> {
  return {
    subject: `Confirm your e-mail for ${program}`,
    paragraphs: [
      `Hi ${partner},`,
      `you are one click away from the next step in the partner program of ${program}: please confirm that this address is yours.`,
      'The link works once, for 24 hours.',
    ],
    button: { label: 'Confirm my e-mail', url },
    footer: 'If you did not ask for this, ignore it: without the click, nothing happens.',
  }
}

const statusIcons: Record<PartnerStatus, string> = { registered: '📝', verified: '📬', active: '✅', suspended: '⛔', left: '🚪' }
const statuses = Object.keys(statusIcons) as PartnerStatus[]
const statusWords: Record<PartnerStatus, string> = {
  registered: `${statusIcons.registered} registered, e-mail not verified`,
  verified: `${statusIcons.verified} e-mail verified`,
  active: `${statusIcons.active} active`,
  suspended: `${statusIcons.suspended} suspended`,
  left: `${statusIcons.left} left the server`,
}
/** Who left while suspended is both. */
export const standing = (partner: PartnerRow): string =>
  [...new Set([partner.status, ...(statusOf(partner) === 'suspended' ? (['suspended'] as const) : [])])]
    .map((status) => statusWords[status])
    .join(' · ')
export const statusChoices = statuses.map((value) => ({ name: value, value }))

export function partnerList(
  rows: readonly PartnerRow[],
  counts: ReadonlyMap<PartnerStatus, number>,
  status: PartnerStatus | undefined,
): Message {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
  if (total === 0) return card({ title: 'No partners yet', body: 'People become partners with /start.' })
  const summary = statuses.filter((one) => counts.has(one)).map((one) => `${statusWords[one]}: **${counts.get(one)}**`)
  const lines = rows.map(
    (row) =>
      `${status ? '' : `${statusIcons[row.status]} `}<@${row.userId}> · ${literal(row.name)}${status ? ` · ${time(row.registeredAt, 'd')}` : ''}`,
  )
  return card({
    title: `${total} ${total === 1 ? 'partner' : 'partners'}`,
    body: [summary.join('\n'), ...(lines.length > 0 ? [lines.join('\n')] : [`None is ${status}.`])],
    footer: `The newest ${lines.length}. /admin partners show has the details of one.`,
  })
}

export function partnerDetails(
  partner: PartnerRow,
  steps: readonly Step[],
  industries: readonly Industry[],
  more: readonly PartnerCardField[],
): Message {
  const date = (at: Date | null) => (at ? time(at, 'f') : '–')
  return card({
    title: literal(partner.name),
    body: [`<@${partner.userId}>`, checklist(steps)],
    fields: [
      { name: 'Status', value: standing(partner) },
      ...suspensionField(partner),
      { name: 'E-mail', value: `${literal(partner.email)}${partner.pendingEmail ? ` → ${literal(partner.pendingEmail)}` : ''}` },
      { name: 'Industry', value: industryName(partner.industry, industries) },
      {
        name: 'Registered · verified · active',
        value: [partner.registeredAt, partner.verifiedAt, partner.activatedAt].map(date).join(' · '),
      },
      ...(partner.leftAt ? [{ name: 'Left', value: date(partner.leftAt) }] : []),
      ...more,
    ],
    footer: `Partner id ${partner.id}`,
  })
}

function industryName(key: string, industries: readonly Industry[]): string {
  const industry = industries.find((candidate) => candidate.key === key)
  return industry ? `${industry.emoji} ${literal(industry.name)}` : literal(key)
}
