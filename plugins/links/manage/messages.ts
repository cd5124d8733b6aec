// Every word that the management of links says to partners.
import { customId } from '../../../commands/customId.ts'
import {
  button,
  card,
  type Field,
  linkButton,
  literal,
  type Message,
  type Modal,
  modal,
  select,
  time,
} from '../../../commands/messages.ts'
import type { LinkCardField } from '../public.ts'
import { changeLink, linkQr, linksPage, openLink, pauseLink, resumeLink, saveLink } from '../refs.ts'
import type { Target } from '../targets.ts'
import type { LinkClicks } from './figures.ts'
import type { LinkRow } from './parts.ts'
import type { LinkState, ManagedLink } from './read.ts'
import type { LinkView, ListView } from './views.ts'

export function linkCreated(view: LinkView): Message {
  const { link, url } = view
  return card({
    title: 'Your link is ready',
    body: [
      codeBlock(url),
      'Share it anywhere. Whoever follows it and buys later is counted for you.',
      lines([`Leads to ${whereTo(view)}`, ...properties(view)]),
    ],
    tone: 'good',
    footer: 'See all your links and their clicks with /link list.',
    rows: [
      [
        linkButton({ url, label: 'Try it' }),
        button({ customId: customId(linkQr, { link: link.id }), label: 'QR code' }),
        button({ customId: customId(changeLink, { link: link.id }), label: 'Change' }),
      ],
    ],
  })
}

const stateNames: Readonly<Record<LinkState, string>> = {
  live: '🟢 works',
  paused: '⏸️ paused',
  suspended: '⛔ stopped by the team',
  expired: '⌛ over',
  'used up': '⌛ all its clicks are used',
}

const restingWords =
  '⏸️ Your links rest: they lead on once you are an active partner and have signed the current agreement. `/agreement` shows what is missing.'

/** One page of the partner's links, each of which can be opened. */
export function linkList(list: ListView): Message {
  const { links, total, page, pages, search, rests } = list
  if (total === 0)
    return search
      ? card({ title: 'No link found', body: `None of your links has “${literal(search)}” in its code, campaign or tags.` })
      : card({ title: 'You have no links yet', body: 'Make your first one with `/link create`, then share it.' })
  const turn = (to: number) => customId(linksPage, { page: String(to), search })
  const found = search ? ` with “${literal(search)}”` : ''
  return card({
    title: total === 1 ? `Your link${found}` : `Your ${total} links${found}`,
    body: [...(rests ? [restingWords] : []), links.map(listLine).join('\n\n')],
    ...(rests && { tone: 'warn' as const }),
    footer: `Bots and previews do not count, and a visitor counts once an hour.${pages > 1 ? ` Page ${page + 1} of ${pages}.` : ''}`,
    rows: [
      select({
        customId: customId(openLink, {}),
        placeholder: 'Open a link: figures, QR code, changes',
        options: links.map(({ link }) => ({
          label: link.code,
          value: link.id,
          description: [clickCount(link.clicks), link.campaign, stateName(link)].filter(Boolean).join(' · '),
        })),
      }),
      ...(pages > 1
        ? [
            [
              button({ customId: turn(page - 1), label: 'Newer', disabled: page === 0 }),
              button({ customId: turn(page + 1), label: 'Older', disabled: page === pages - 1 }),
            ],
          ]
        : []),
    ],
  })
}

function listLine({ link, url }: LinkView): string {
  const facts = [`**${clickCount(link.clicks)}**`, link.campaign && literal(link.campaign), tagLine(link.tags), stateName(link)]
  return `\`${url}\`\n${[...facts, `made ${time(link.createdAt)}`].filter(Boolean).join(' · ')}`
}

/** Nothing of a link that works: that is the rule. */
const stateName = ({ state }: ManagedLink): string => (state === 'live' ? '' : stateNames[state])
export const clickCount = (clicks: number): string => (clicks === 1 ? '1 click' : `${clicks.toLocaleString('en-US')} clicks`)
const tagLine = (tags: readonly string[]): string => tags.map((tag) => `#${literal(tag)}`).join(' ')

interface LinkFacts {
  readonly clicks: LinkClicks
  /** What other plugins say of it. */
  readonly more: readonly LinkCardField[]
  /** It leads nowhere, whatever it says of itself: its partner is not active, or has not signed. */
  readonly rests: boolean
}

/** All about one link, with what can be done with it. `note` says what was just done. */
export function linkCard(view: LinkView, { clicks, more, rests }: LinkFacts, note?: string): Message {
  const { link, url } = view
  const id = { link: link.id }
  const isPaused = link.pausedAt !== null
  return card({
    title: literal(link.code),
    body: [
      ...(note ? [note] : []),
      ...(rests ? [restingWords] : []),
      codeBlock(url),
      lines([stateWords(link), `Leads to ${whereTo(view)}`, ...link.targets.map(targetLine)]),
    ],
    fields: [{ name: 'Clicks', value: clickWords(clicks) }, ...more, ...details(view)],
    tone: link.state === 'live' && !rests ? 'good' : 'warn',
    footer: 'Bots and previews do not count, and a visitor counts once an hour. More in /stats show.',
    rows: [
      [
        linkButton({ url, label: 'Try it' }),
        button({ customId: customId(linkQr, id), label: 'QR code' }),
        button({ customId: customId(changeLink, id), label: 'Change' }),
        isPaused
          ? button({ customId: customId(resumeLink, id), label: 'Resume', style: 'success' })
          : button({ customId: customId(pauseLink, id), label: 'Pause' }),
        button({ customId: customId(linksPage, { page: '0', search: '' }), label: 'All links' }),
      ],
    ],
  })
}

export function stateWords({ state, suspendedBecause, expiresAt, clickLimit }: ManagedLink): string {
  const facts = [
    `${stateNames[state]}${state === 'suspended' && suspendedBecause ? `: ${literal(suspendedBecause)}` : ''}`,
    expiresAt && state !== 'expired' && `ends ${time(expiresAt)}`,
    expiresAt && state === 'expired' && `ended ${time(expiresAt)}`,
    clickLimit !== null && `at most ${clickCount(clickLimit)}`,
  ]
  return facts.filter(Boolean).join(' · ')
}

function clickWords({ day, week, all, lastAt }: LinkClicks): string {
  if (all === 0) return 'None yet. Share the link, and come back.'
  const counts = [
    [day, 'in 24 hours'],
    [week, 'in 7 days'],
    [all, 'in all'],
  ] as const
  const words = counts.map(([clicks, span]) => `**${clicks.toLocaleString('en-US')}** ${span}`).join(' · ')
  return lastAt ? `${words}\nThe last one ${time(lastAt)}` : words
}

function details(view: LinkView): { name: string; value: string }[] {
  const { link, formerCodes } = view
  const known = [
    ...labels(link),
    ...(formerCodes.length > 0 ? [`Former codes, which still work: ${formerCodes.map((code) => `\`${code}\``).join(' ')}`] : []),
  ]
  return known.length > 0 ? [{ name: 'Details', value: lines(known) }] : []
}

function properties({ link }: LinkView): string[] {
  return [
    ...labels(link),
    ...(link.expiresAt ? [`Ends ${time(link.expiresAt)}`] : []),
    ...(link.clickLimit !== null ? [`Ends after ${clickCount(link.clickLimit)}`] : []),
  ]
}

function labels({ campaign, tags, subs }: LinkRow): string[] {
  return [
    ...(campaign ? [`Campaign: ${literal(campaign)}`] : []),
    ...(tags.length > 0 ? [`Tags: ${tagLine(tags)}`] : []),
    ...(subs ? [`Passed on with every click: ${subWords(subs)}`] : []),
  ]
}

function subWords(subs: NonNullable<LinkRow['subs']>): string {
  return Object.entries(subs)
    .map(([name, value]) => `${name} = ${literal(value)}`)
    .join(' · ')
}

const reasons: Readonly<Record<LinkView['leadsTo']['because'], string>> = {
  link: 'chosen for this link',
  partner: 'meant for you',
  campaign: 'meant for this campaign',
  industry: 'meant for your industry',
  program: 'the program’s page',
}

/** `**shop.example.com/start** (Spring sale, meant for your industry)` */
export function whereTo({ leadsTo, pageName }: Pick<LinkView, 'leadsTo' | 'pageName'>): string {
  const why = [pageName && literal(pageName), reasons[leadsTo.because]].filter(Boolean).join(', ')
  return `**${literal(leadsTo.address.replace(/^https?:\/\//, '').slice(0, 200))}** (${why})`
}

function targetLine({ countries, devices, page }: Target, at: number): string {
  const whom = [countries?.join(', '), devices?.join(', ')].filter(Boolean).join(' · ')
  return `${at + 1}. ${whom} → ${literal(page.replace(/^https?:\/\//, '').slice(0, 200))}`
}

export function targetsCard(view: LinkView): Message {
  const { link } = view
  return card({
    title: `Where ${literal(link.code)} leads`,
    body: [
      ...(link.targets.length > 0 ? [`The first that fits a visitor:\n${link.targets.map(targetLine).join('\n')}`] : []),
      `${link.targets.length > 0 ? 'Everybody else' : 'Everybody'}: ${whereTo(view)}`,
    ],
    footer: 'Add a page with /link target page and countries or devices; take one away with remove and its number.',
  })
}

export function qrCard({ code }: LinkRow, url: string, png: Buffer, use: 'screen' | 'print'): Message {
  const name = `qr-${code}.png`
  return card({
    title: `QR code of ${literal(code)}`,
    body: `It leads to ${url}.${use === 'print' ? ' Made for print: it bears some damage and can be large.' : ''}`,
    image: { url: name, alt: `QR code that leads to ${url}` },
    footer:
      use === 'print'
        ? 'Leave the white edge around it, or scanners may not find it.'
        : 'Leave the white edge around it. For posters, run /link qr with for_print.',
    files: [{ name, data: png, description: `QR code that leads to ${url}` }],
  })
}

/** The form that changes the fields that are changed most. */
export function changeForm(link: LinkRow, ownPage: string | undefined, lastDay: string | undefined): Modal {
  const field = (key: string, label: string, value: string | null | undefined, more: Partial<Field & { kind: 'text' }>): Field => ({
    kind: 'text',
    key,
    label,
    required: false,
    ...(value && { value }),
    ...more,
  })
  return modal({
    customId: customId(saveLink, { link: link.id }),
    title: `Change ${link.code}`,
    fields: [
      field('code', 'Code', link.code, { required: true, max: 32, description: 'The old one goes on working.' }),
      field('campaign', 'Campaign', link.campaign, { max: 50 }),
      field('tags', 'Tags', link.tags.join(', '), { max: 200, description: 'Separated by commas' }),
      field('page', 'Leads to', ownPage, {
        max: 2000,
        description: 'An address, or the name of a landing page; empty: the page meant for you',
      }),
      field('expires', 'Last day', lastDay, { max: 10, placeholder: '2026-12-31' }),
    ],
  })
}

/** Told once, when someone becomes an active partner. */
export function firstLinks(urls: readonly string[]): Message {
  return card({
    title: urls.length === 1 ? 'Your first link is ready' : 'Your first links are ready',
    body: [codeBlock(urls.join('\n')), 'Share it anywhere. Whoever follows it and buys later is counted for you.'],
    tone: 'good',
    footer: 'Make more with /link create; /link list shows their clicks.',
  })
}

const codeBlock = (text: string): string => `\`\`\`\n${text}\n\`\`\``
const lines = (texts: readonly string[]): string => texts.join('\n')
