// Links and their clicks: creating, finding, recording, counting. Knows no HTTP and no Discord.
import { createHmac } from 'node:crypto'
import { and, count, desc, eq, gte, lt, sql } from 'drizzle-orm'
import { type Clock, type Db, hours, newId, type Reader, type Settings, type Tx, UserError } from '../kit/index.ts'
import type { Partner, Partners } from '../partners/public.ts'
import { chosenCode, fold, newCode, readCode } from './codes.ts'
import type { Config } from './config.ts'
import { isAllowed, isDestination } from './destination.ts'
import type { Links, PartnerLink } from './public.ts'
import { clicks, codes, links, type Rejection } from './tables.ts'

/** What stands behind an address: a link that leads somewhere, a link that rests because of its partner, or nothing. */
export type Resolved =
  | {
      readonly state: 'open'
      readonly link: { readonly id: string; readonly programId: string; readonly partnerId: string }
      readonly destination: string
    }
  | { readonly state: 'resting'; readonly programId: string; readonly landingPage: string }
  | { readonly state: 'unknown' }

export interface Visit {
  readonly link: { readonly id: string; readonly programId: string; readonly partnerId: string }
  readonly ip: string
  readonly userAgent: string
  readonly rejected: Rejection | null
  /** The click id that the browser's cookie carried. */
  readonly previous: string | undefined
  readonly subs: Record<string, string> | undefined
}

export interface LinksService extends Links {
  /** @throws UserError when the code is taken, reserved or malformed, the page is not allowed, or the partner has enough links */
  create(
    tx: Tx,
    request: { programId: string; partnerId: string; code?: string; campaign?: string; page?: string },
  ): Promise<PartnerLink>
  resolve(reader: Reader, code: string): Promise<Resolved>
  /** Stores the click and returns its id. At most one click an hour counts per link, address and user agent; every click has its own id. */
  recordClick(db: Db, visit: Visit): Promise<string>
  /** The click and those that the same browser made before it, newest first, without what no person did. */
  trail(reader: Reader, programId: string, clickId: string): Promise<readonly { id: string; partnerId: string; at: Date }[]>
  /** Deletes clicks that are older than the program keeps them. */
  forgetClicks(db: Db, programId: string): Promise<void>
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const countAgainAfterMs = hours(1)
/** How many clicks of one browser are looked back at. */
const longestTrail = 20

export function isClickId(text: string): boolean {
  return uuid.test(text)
}

export function createLinksService({
  clock,
  settings,
  partners,
  hasSigned,
  url,
  key,
}: {
  clock: Clock
  settings: Settings<Config>
  partners: Partners
  hasSigned: (reader: Reader, partner: Partner) => Promise<boolean>
  url: (path: string) => string
  /** Keys the hashes of addresses. */
  key: Buffer
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

  const resolve: LinksService['resolve'] = async (reader, text) => {
    const folded = readCode(text)
    if (!folded) return { state: 'unknown' }
    const [link] = await reader
      .select({ id: links.id, programId: links.programId, partnerId: links.partnerId, destination: links.destination })
      .from(codes)
      .innerJoin(links, and(eq(links.programId, codes.programId), eq(links.id, codes.linkId)))
      .where(eq(codes.folded, folded))
    if (!link) return { state: 'unknown' }
    const { programId, partnerId } = link
    const rule = await settings.of(reader, programId)
    const partner = await partners.byId(reader, programId, partnerId)
    if (partner?.status !== 'active' || !(await hasSigned(reader, partner)))
      return { state: 'resting', programId, landingPage: rule.landingPage }
    // What was allowed when the link was made may not be any more.
    const destination = link.destination && isAllowed(link.destination, rule) ? link.destination : rule.landingPage
    return { state: 'open', link: { id: link.id, programId, partnerId }, destination }
  }

  const recordClick: LinksService['recordClick'] = async (db, { link, ip, userAgent, rejected, previous, subs }) => {
    const at = clock.now()
    const id = newId(at)
    const before = new Date(at.getTime() - countAgainAfterMs)
    const visitKey = (day: Date) => sealed(key, day, `${link.id}|${ip}|${userAgent}`)
    const row = sql`${id}::uuid, ${link.programId}::uuid, ${link.id}::uuid, ${link.partnerId}::uuid, ${at.toISOString()}::timestamptz,
      ${sealed(key, at, ip)}::bytea, ${sealed(key, at, userAgent)}::bytea, ${previous ?? null}::uuid`
    const rest = sql`${rejected}::text, ${subs ? JSON.stringify(subs) : null}::jsonb`
    const columns = sql`insert into links_clicks (id, program_id, link_id, partner_id, at, ip_hash, agent_hash, previous, counted, rejected, subs)`
    if (rejected) await db.execute(sql`${columns} select ${row}, false, ${rest}`)
    // One statement, so that of two clicks at the same moment one counts. The salt changes at midnight, so the last hour may be under yesterday's.
    else
      await db.execute(sql`
        with visit as (
          insert into links_visits (key, counted_at)
          select ${visitKey(at)}::bytea, ${at.toISOString()}::timestamptz
          where not exists (select 1 from links_visits where key = ${visitKey(before)}::bytea and counted_at > ${before.toISOString()}::timestamptz)
          on conflict (key) do update set counted_at = excluded.counted_at where links_visits.counted_at <= ${before.toISOString()}::timestamptz
          returning 1)
        ${columns} select ${row}, exists (select 1 from visit), ${rest}`)
    return id
  }

  const withCounts = async (reader: Reader, programId: string, partnerId: string): Promise<PartnerLink[]> => {
    const rows = await reader
      .select({
        id: links.id,
        code: links.code,
        campaign: links.campaign,
        createdAt: links.createdAt,
        clicks: sql<number>`(select count(*)::int from links_clicks c where c.program_id = ${programId} and c.link_id = "links_links"."id" and c.counted)`,
      })
      .from(links)
      .where(and(eq(links.programId, programId), eq(links.partnerId, partnerId)))
      .orderBy(desc(links.createdAt), desc(links.id))
    return rows.map((row) => ({ ...row, url: urlOf(row.code) }))
  }

  return {
    create,
    resolve,
    recordClick,
    urlOf,
    ofPartner: withCounts,
    clickCount: async (reader, programId, partnerId, { from, to }) => {
      const [row] = await reader
        .select({ clicks: count() })
        .from(clicks)
        .where(
          and(
            eq(clicks.programId, programId),
            eq(clicks.partnerId, partnerId),
            eq(clicks.counted, true),
            gte(clicks.at, from),
            lt(clicks.at, to),
          ),
        )
      return row!.clicks
    },
    trail: async (reader, programId, clickId) => {
      if (!isClickId(clickId)) return []
      const rows = await reader.execute<{ id: string; partner_id: string; at: string; rejected: Rejection | null }>(sql`
        with recursive trail as (
          select id, partner_id, at, previous, rejected, 1 as step from links_clicks where program_id = ${programId} and id = ${clickId}
          union all
          select c.id, c.partner_id, c.at, c.previous, c.rejected, trail.step + 1
          from links_clicks c join trail on c.id = trail.previous
          where c.program_id = ${programId} and trail.step < ${longestTrail})
        select id, partner_id, at, rejected from trail where rejected is null or rejected = 'prefetch' order by step`)
      return rows.map((row) => ({ id: row.id, partnerId: row.partner_id, at: new Date(row.at) }))
    },
    forgetClicks: async (db, programId) => {
      const { clickDays, rejectedClickDays } = await settings.of(db, programId)
      const daysAgo = (days: number) => new Date(clock.now().getTime() - hours(24 * days))
      await db.delete(clicks).where(and(eq(clicks.programId, programId), lt(clicks.at, daysAgo(clickDays))))
      await db
        .delete(clicks)
        .where(and(eq(clicks.programId, programId), sql`${clicks.rejected} is not null`, lt(clicks.at, daysAgo(rejectedClickDays))))
      await db.execute(
        sql`delete from links_visits where counted_at < ${new Date(clock.now().getTime() - 2 * countAgainAfterMs).toISOString()}::timestamptz`,
      )
    },
  }
}

/** A keyed hash whose salt changes every day (UTC): within a day the same text is recognised, beyond it nobody is. */
function sealed(key: Buffer, day: Date, text: string): Buffer {
  const salt = createHmac('sha256', key).update(day.toISOString().slice(0, 10)).digest()
  return createHmac('sha256', salt).update(text).digest().subarray(0, 16)
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
