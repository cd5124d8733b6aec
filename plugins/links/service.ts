// Links: creating them, listing them, and what led a visitor to a purchase. Knows no HTTP and no Discord.
import { and, count, desc, eq, sql } from 'drizzle-orm'
import type { Origin } from '../attribution/public.ts'
import { type Clock, newId, type Reader, type Settings, type Tx, UserError } from '../kit/index.ts'
import { chosenCode, fold, newCode } from './codes.ts'
import type { Config } from './config.ts'
import { isAllowed, isDestination } from './destination.ts'
import { countByLink, countInRange } from './hours.ts'
import type { Links, PartnerLink } from './public.ts'
import { codes, links } from './tables.ts'

export interface LinksService extends Links {
  /** @throws UserError when the code is taken, reserved or malformed, the page is not allowed, or the partner has enough links */
  create(
    tx: Tx,
    request: { programId: string; partnerId: string; code?: string; campaign?: string; page?: string },
  ): Promise<PartnerLink>
  /** The click and those that the same browser made before it, newest first, without what no person did. */
  trail(reader: Reader, programId: string, clickId: string): Promise<readonly TrailClick[]>
}

/** A click that may have led to a purchase. */
export interface TrailClick {
  readonly id: string
  readonly partnerId: string
  readonly at: Date
  readonly origin: Origin
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
/** How many clicks of one browser are looked back at. */
const longestTrail = 20

export function isClickId(text: string): boolean {
  return uuid.test(text)
}

export function createLinksService({
  clock,
  settings,
  url,
}: {
  clock: Clock
  settings: Settings<Config>
  url: (path: string) => string
}): LinksService {
  const urlOf = (code: string) => url(`/r/${code}`)

  const create: LinksService['create'] = async (tx, { programId, partnerId, ...wish }) => {
    const rule = await settings.of(tx, programId)
    const destination = wish.page === undefined ? null : checkedPage(wish.page, rule)
    const campaign =
      wish.campaign
        ?.replace(/\p{Cc}/gu, ' ')
        .trim()
        .slice(0, 50) || null
    const own = and(eq(links.programId, programId), eq(links.partnerId, partnerId))
    const [existing] = await tx.select({ links: count() }).from(links).where(own)
    if (existing!.links >= rule.maxLinks)
      throw new UserError(
        'too_many_links',
        `You have ${existing!.links} links, and ${rule.maxLinks} is the most. Use one of them: \`/link list\` shows them.`,
      )
    const id = newId(clock.now())
    const createdAt = clock.now()
    const code = wish.code === undefined ? await freeCode(tx) : await claimable(tx, chosenCode(wish.code))
    await tx.insert(links).values({ id, programId, partnerId, code, destination, campaign, createdAt })
    const claimed = await tx
      .insert(codes)
      .values({ folded: fold(code), programId, linkId: id, createdAt })
      .onConflictDoNothing()
      .returning({ folded: codes.folded })
    if (claimed.length === 0) throw taken(code)
    return { id, code, url: urlOf(code), campaign, createdAt, clicks: 0 }
  }

  const ofPartner: Links['ofPartner'] = async (reader, programId, partnerId) => {
    const rows = await reader
      .select({ id: links.id, code: links.code, campaign: links.campaign, createdAt: links.createdAt })
      .from(links)
      .where(and(eq(links.programId, programId), eq(links.partnerId, partnerId)))
      .orderBy(desc(links.createdAt), desc(links.id))
    const clicks = await countByLink(reader, programId, partnerId)
    return rows.map((row) => ({ ...row, url: urlOf(row.code), clicks: clicks.get(row.id) ?? 0 }))
  }

  return {
    create,
    urlOf,
    ofPartner,
    clickCount: countInRange,
    trail: async (reader, programId, clickId) => {
      if (!isClickId(clickId)) return []
      const rows = await reader.execute<{ id: string; partner_id: string; at: string; origin: Origin }>(sql`
        with recursive trail as (
          select c.*, 1 as step from links_clicks c
          where program_id = ${programId} and id = ${clickId} and at = links_click_at(${clickId}::uuid)
          union all
          select c.*, trail.step + 1
          from trail join links_clicks c on c.id = trail.previous and c.at = links_click_at(trail.previous)
          where c.program_id = ${programId} and trail.step < ${longestTrail})
        select id, partner_id, at, jsonb_strip_nulls(jsonb_build_object('link', link_id, 'campaign', campaign, 'page', landing_page_id,
          'country', country, 'device', device, 'referrer', referrer)) as origin
        from trail where rejected is null or rejected = 'prefetch' order by step`)
      return rows.map((row) => ({ id: row.id, partnerId: row.partner_id, at: new Date(row.at), origin: row.origin }))
    },
  }
}

/** @throws UserError when links may not lead there */
function checkedPage(page: string, rule: Config): string {
  const text = page.trim()
  if (!isDestination(text))
    throw new UserError('bad_page', 'That is not a web address. Write the whole address of the page, beginning with https://.')
  if (!isAllowed(text, rule))
    throw new UserError(
      'page_not_allowed',
      `Links of this program may lead to ${[new URL(rule.landingPage).host, ...rule.allowedHosts].join(', ')}. Choose a page there, or ask an admin to allow another site.`,
    )
  return new URL(text).href
}

async function isFree(tx: Tx, code: string): Promise<boolean> {
  const rows = await tx
    .select({ folded: codes.folded })
    .from(codes)
    .where(eq(codes.folded, fold(code)))
  return rows.length === 0
}

async function freeCode(tx: Tx): Promise<string> {
  for (let tries = 0; tries < 10; tries++) {
    const code = newCode()
    if (await isFree(tx, code)) return code
  }
  throw new Error('ten random codes in a row were taken')
}

async function claimable(tx: Tx, code: string): Promise<string> {
  if (!(await isFree(tx, code))) throw taken(code)
  return code
}

function taken(code: string): UserError {
  return new UserError(
    'code_taken',
    `The code “${code}” (or one that looks like it) is taken. How about \`${code.slice(0, 27)}-${newCode().slice(0, 4)}\`? Without a code you get a free one.`,
  )
}
