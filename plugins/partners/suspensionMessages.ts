// What partners, admins and the staff read of a suspension. Pure functions.
import { card, literal, type Message, time } from '../../commands/messages.ts'
import { type PartnerRow, progressOf, type Step } from './model.ts'

/** What a partner who is suspended should know: why, what it means, whom to ask. */
export function suspensionLines(program: string, partner: PartnerRow): string[] {
  const { suspendedBecause } = partner
  return [
    ...(suspendedBecause ? [`**Why:** ${literal(suspendedBecause)}`] : []),
    `**What it means:** ${consequences(partner)}`,
    `If you think this is a mistake, or wonder what can be done, ask the team of ${literal(program)} in the server.`,
  ]
}

const consequences = (partner: PartnerRow): string =>
  progressOf(partner) === 'active'
    ? 'your links and codes rest, so what is sold in this time is not credited to you, and nothing is paid out. What you earned before stays in your books; `/earnings show` goes on working.'
    : 'you cannot become a partner until the suspension ends. What you have done so far is kept.'

/** In place of the next step to become a partner. */
export const suspendedStep: Step = {
  title: 'Ask the team',
  done: false,
  hint: 'Your partnership is suspended; `/start` in Discord says why. Once that ends, you go on where you are.',
}

/** Why a command for active partners refuses. */
export function suspendedWords({ suspendedBecause }: PartnerRow): string {
  const why = suspendedBecause ? `: ${literal(suspendedBecause)}` : ' at the moment.'
  return `Your partnership is suspended${why}\nPlease ask the team in this server what can be done.`
}

export function suspendedMessage(program: string, partner: PartnerRow): Message {
  return card({
    title: `Your partnership with ${literal(program)} is suspended`,
    body: suspensionLines(program, partner),
    tone: 'warn',
  })
}

/** `next` is what the partner has to do before they earn (again). */
export function reinstatedMessage(program: string, partner: PartnerRow, next: Step | undefined): Message {
  return card({
    title: `Your partnership with ${literal(program)} goes on`,
    body: ['Your suspension has ended.', ...whatNow(partner, next)],
    tone: 'good',
  })
}

function whatNow(partner: PartnerRow, next: Step | undefined): string[] {
  const away = partner.status === 'left'
  const where = away ? 'When you come back to the server, you go on' : 'You go on'
  if (progressOf(partner) !== 'active')
    return [`${where} where you were.`, ...(next && !away ? [`**Next:** ${next.title}. \`/start\` leads there.`] : [])]
  if (away) return ['What you had earned is yours, also what was on hold because of the suspension, and is paid out.']
  if (next)
    return [
      `Before your links lead on and you are paid again, one step is missing: **${next.title}**. \`/start\` leads there. What was on hold waits for it.`,
    ]
  return [
    'Your links lead on and your codes count again. What was on hold because of the suspension becomes payable as usual. `/earnings show` has it all.',
  ]
}

/** What an admin reads who suspends somebody. */
export function suspendAnswer(partner: PartnerRow, changed: boolean): Message {
  const { userId, suspendedAt, suspendedBecause } = partner
  if (changed)
    return card({
      title: 'Partner suspended',
      body: [
        `<@${userId}> was told why: ${literal(suspendedBecause ?? '')}`,
        'Their links, codes and roles rest. What is sold meanwhile is not credited to them, and nothing is paid out to them.',
      ],
      footer: 'End it with /admin partners reinstate.',
      tone: 'good',
    })
  const since = suspendedAt ? ` since ${time(suspendedAt, 'f')}` : ''
  const because = suspendedBecause ? ` They read this reason: ${literal(suspendedBecause)}` : ''
  return card({
    title: 'Nothing changed',
    body: `<@${userId}> is suspended already${since}.${because}`,
    footer: 'For another reason, reinstate and suspend them again.',
  })
}

/** What an admin reads who ends a suspension; `is` says what the partner is now. */
export function reinstateAnswer({ userId }: PartnerRow, is: string, next: Step | undefined, changed: boolean): Message {
  if (!changed) return card({ title: 'Nothing changed', body: `<@${userId}> is not suspended: ${is}.` })
  return card({
    title: 'Partner reinstated',
    body: [`<@${userId}> was told. Status: ${is}.`, ...(next ? [`Their next step: **${next.title}**.`] : [])],
    tone: 'good',
  })
}

export function suspendedForStaff(partner: PartnerRow, by: string): Message {
  return card({
    title: 'A partner was suspended',
    body: `<@${by}> suspended <@${partner.userId}> (${literal(partner.name)}): ${literal(partner.suspendedBecause ?? '')}`,
    footer: 'Nothing is credited or paid out to them until /admin partners reinstate.',
    tone: 'warn',
  })
}

export function reinstatedForStaff(partner: PartnerRow, is: string, by: string): Message {
  return card({
    title: 'A suspension has ended',
    body: `<@${by}> reinstated <@${partner.userId}> (${literal(partner.name)}): ${is}.`,
    tone: 'good',
  })
}
