// Every word that the management of links says to admins, and to partners about what admins did.
import { customId } from '../../../commands/customId.ts'
import { button, card, literal, type Message, time } from '../../../commands/messages.ts'
import type { Partner } from '../../partners/public.ts'
import { partnerLinksPage } from '../refs.ts'
import { clickCount, stateWords, whereTo } from './messages.ts'
import type { LinkRow } from './parts.ts'
import type { LinkView, ListView } from './views.ts'

export function partnerLinks(partner: Partner, { links, total, page, pages, rests }: ListView): Message {
  const turn = (to: number) => customId(partnerLinksPage, { partner: partner.id, page: String(to) })
  if (total === 0) return card({ title: 'No links', body: `<@${partner.userId}> has not made any.` })
  return card({
    title: `${total === 1 ? 'The link' : `${total} links`} of ${literal(partner.name)}`,
    body: [
      ...(rests
        ? [
            `None of them leads anywhere: the partner ${partner.status === 'active' ? 'has not signed the current agreement' : `is ${partner.status}`}.`,
          ]
        : []),
      ...links.map(line),
    ],
    footer: `Stop one with /admin-links suspend, give it another code with /admin-links rename.${pages > 1 ? ` Page ${page + 1} of ${pages}.` : ''}`,
    ...(pages > 1 && {
      rows: [
        [
          button({ customId: turn(page - 1), label: 'Newer', disabled: page === 0 }),
          button({ customId: turn(page + 1), label: 'Older', disabled: page === pages - 1 }),
        ],
      ],
    }),
  })
}

function line(view: LinkView): string {
  const { link, formerCodes } = view
  const facts = [
    stateWords(link),
    `**${clickCount(link.clicks)}**`,
    link.campaign && literal(link.campaign),
    `made ${time(link.createdAt)}`,
  ]
  const former = formerCodes.length > 0 ? `\n  earlier ${formerCodes.map((code) => `\`${code}\``).join(' ')}` : ''
  return `• \`${link.code}\` → ${whereTo(view)}\n  ${facts.filter(Boolean).join(' · ')}${former}`
}

export function stopChanged({ code, suspendedAt }: LinkRow, { userId }: Partner, changed: boolean): Message {
  const words = suspendedAt
    ? `\`${code}\` leads nowhere any more: who follows it sees a page that says so. What it brought so far stays.`
    : `\`${code}\` leads on again.`
  return card({
    title: changed ? 'Done' : 'Nothing changed',
    body: changed ? `${words} <@${userId}> was told.` : `\`${code}\` ${suspendedAt ? 'was stopped already' : 'was not stopped'}.`,
    ...(changed && { tone: 'good' as const }),
  })
}

export function stopForPartner({ code, suspendedAt, suspendedBecause }: LinkRow): Message {
  return suspendedAt
    ? card({
        title: 'One of your links was stopped',
        body: `The team stopped \`${code}\`: ${literal(suspendedBecause ?? '')}\nWhat it brought so far stays yours. Ask them if you wonder why.`,
        tone: 'warn',
      })
    : card({ title: 'Your link works again', body: `\`${code}\` leads on again.`, tone: 'good' })
}

export function renamedLink(url: string, { userId }: Partner, changed: boolean): Message {
  return card({
    title: changed ? 'The link has a new code' : 'Nothing changed',
    body: changed
      ? `It is \`${url}\` now; the old code still leads there. <@${userId}> was told.`
      : `\`${url}\` is its address already.`,
    ...(changed && { tone: 'good' as const }),
  })
}

export function renamedForPartner(url: string): Message {
  return card({
    title: 'One of your links has a new address',
    body: `The team gave it another code: \`${url}\`. The old address goes on working, and everything is counted as before.`,
  })
}
