// What a person wants of a link, as typed, read and checked. Pure: what has to be known is handed in.
import { readDay, UserError } from '../../kit/index.ts'
import { type HostRule, isAllowed, isDestination, subsOf, withoutClickId } from '../destination.ts'
import type { LandingPage } from '../landing/page.ts'
import { unknownPage } from '../landing/pages.ts'
import type { links } from '../tables.ts'

/** What is left out stays as it is, or has no value at a new link. “none” takes it away. */
export interface LinkWish {
  readonly campaign?: string | undefined
  /** Separated by commas. */
  readonly tags?: string | undefined
  /** The name of a landing page. */
  readonly landing?: string | undefined
  /** The address of a page. */
  readonly page?: string | undefined
  /** The last day, 2026-12-31. */
  readonly expires?: string | undefined
  /** 0 takes the limit away. */
  readonly maxClicks?: number | undefined
  readonly subs?: Readonly<Record<string, string | undefined>> | undefined
}

type Row = typeof links.$inferSelect
export type LinkFields = Pick<Row, 'campaign' | 'tags' | 'destination' | 'landingPageId' | 'expiresAt' | 'clickLimit' | 'subs'>

export const emptyFields: LinkFields = {
  campaign: null,
  tags: [],
  destination: null,
  landingPageId: null,
  expiresAt: null,
  clickLimit: null,
  subs: null,
}

export interface Circumstances {
  readonly rule: HostRule
  readonly pages: readonly LandingPage[]
  /** Whether pages may be chosen that are not offered to partners. */
  readonly isAdmin: boolean
  readonly timeZone: string
  readonly now: Date
}

export const mostClicks = 1_000_000_000
const mostTags = 10

/** The link with the wishes fulfilled. @throws UserError that says what was typed wrong, and what would be right */
export function fulfil(link: LinkFields, wish: LinkWish, known: Circumstances): LinkFields {
  const { campaign, tags, expires, maxClicks, subs } = wish
  return {
    ...target(link, wish, known),
    campaign: campaign === undefined ? link.campaign : orNone(campaign, readCampaign),
    tags: tags === undefined ? link.tags : (orNone(tags, readTags) ?? []),
    expiresAt: expires === undefined ? link.expiresAt : orNone(expires, (text) => readEnd(text, known)),
    clickLimit: maxClicks === undefined ? link.clickLimit : readLimit(maxClicks),
    subs: subs === undefined ? link.subs : readSubs(link.subs, subs),
  }
}

const orNone = <T>(text: string, read: (text: string) => T): T | null => (/^\s*(none|-)?\s*$/i.test(text) ? null : read(text))

/** An address of its own and a landing page exclude each other: the one that is named takes the other's place. */
function target(
  link: LinkFields,
  { landing, page }: LinkWish,
  known: Circumstances,
): Pick<LinkFields, 'destination' | 'landingPageId'> {
  const [name, address] = [landing && orNone(landing, String), page && orNone(page, String)]
  if (name && address) throw new UserError('two_pages', 'A link leads to one page: name a landing page or an address, not both.')
  if (name) return { destination: null, landingPageId: offeredPage(name, known).id }
  if (address) return { destination: checkedPage(address, known.rule), landingPageId: null }
  return {
    destination: page === undefined && landing === undefined ? link.destination : null,
    landingPageId: page === undefined && landing === undefined ? link.landingPageId : null,
  }
}

function offeredPage(typed: string, { pages, isAdmin }: Circumstances): LandingPage {
  const page = pages.find(({ name }) => name.toLowerCase() === typed.trim().toLowerCase())
  if (!page || !(page.offered || isAdmin)) throw unknownPage(typed)
  return page
}

/** An address as it is stored. @throws UserError when links may not lead there */
export function checkedPage(typed: string, rule: HostRule): string {
  const text = typed.trim()
  if (!isDestination(text))
    throw new UserError('bad_page', 'That is not a web address. Write the whole address of the page, beginning with https://.')
  if (!isAllowed(text, rule))
    throw new UserError(
      'page_not_allowed',
      `Links of this program may lead to ${[new URL(rule.landingPage).host, ...rule.allowedHosts].join(', ')}. Choose a page there, or ask an admin to allow another site.`,
    )
  return withoutClickId(new URL(text).href)
}

function readCampaign(text: string): string | null {
  return (
    text
      .toWellFormed()
      .replace(/\p{Cc}/gu, ' ')
      .trim()
      .slice(0, 50)
      .toWellFormed() || null
  )
}

function readTags(text: string): string[] {
  const tags = text
    .split(/[,;]/)
    .map((tag) =>
      tag
        .toWellFormed()
        .replace(/[\s\p{Cc}]+/gu, ' ')
        .trim()
        .toLowerCase(),
    )
    .filter(Boolean)
  const distinct = [...new Set(tags)].sort()
  if (distinct.length > mostTags || distinct.some((tag) => tag.length > 30))
    throw new UserError(
      'bad_tags',
      `A link has at most ${mostTags} tags of up to 30 characters, separated by commas, such as \`video, spring\`.`,
    )
  return distinct
}

/** The link works through the day that is written. */
function readEnd(text: string, { timeZone, now }: Circumstances): Date {
  const end = readDay(text, timeZone, 1)
  if (end <= now)
    throw new UserError('past_day', `${text.trim()} is over. Write a day to come, or leave it out for a link without an end.`)
  return end
}

function readLimit(clicks: number): number | null {
  if (!Number.isInteger(clicks) || clicks < 0 || clicks > mostClicks)
    throw new UserError('bad_limit', 'The most clicks of a link are a whole number, such as 500; 0 means as many as come.')
  return clicks || null
}

function readSubs(own: LinkFields['subs'], typed: Readonly<Record<string, string | undefined>>): LinkFields['subs'] {
  const subs: Record<string, string> = { ...own }
  for (const [name, text] of Object.entries(typed)) {
    if (text === undefined) continue
    const value = orNone(text, (given) => subsOf({ [name]: given })?.[name])
    if (value) subs[name] = value
    else delete subs[name]
  }
  return Object.keys(subs).length > 0 ? subs : null
}
