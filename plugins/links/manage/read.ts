// Links as those see them who manage them: with their clicks, former codes, and whether they lead anywhere.
import { and, count, desc, eq, ilike, inArray, or, type SQL, sql } from 'drizzle-orm'
import type { Reader } from '../../kit/index.ts'
import { readCode } from '../codes.ts'
import { countByLink } from '../hours.ts'
import { codes, links } from '../tables.ts'

type Row = typeof links.$inferSelect

/** Why a link leads nowhere, or that it leads on; whether its partner may have links is for others to say. */
export type LinkState = 'live' | 'paused' | 'suspended' | 'expired' | 'used up'

export interface ManagedLink extends Row {
  /** Counted clicks so far. */
  readonly clicks: number
  readonly state: LinkState
}

export function stateOf(
  link: Pick<Row, 'suspendedAt' | 'pausedAt' | 'expiresAt' | 'clickLimit'>,
  clicks: number,
  now: Date,
): LinkState {
  if (link.suspendedAt) return 'suspended'
  if (link.pausedAt) return 'paused'
  if (link.expiresAt && link.expiresAt <= now) return 'expired'
  return link.clickLimit !== null && clicks >= link.clickLimit ? 'used up' : 'live'
}

export interface LinkPage {
  readonly links: readonly ManagedLink[]
  /** How many there are in all. */
  readonly total: number
}

/** A page of the partner's links, newest first: those whose code, campaign or tag holds `search`, when it is given. */
export async function pageOfLinks(
  reader: Reader,
  partner: { id: string; programId: string },
  { search, limit, offset, now }: { search: string; limit: number; offset: number; now: Date },
): Promise<LinkPage> {
  const wanted = and(ofPartner(partner), holding(search))
  const [[found], rows, clicks] = await Promise.all([
    reader.select({ total: count() }).from(links).where(wanted),
    reader.select().from(links).where(wanted).orderBy(desc(links.createdAt), desc(links.id)).limit(limit).offset(offset),
    countByLink(reader, partner.programId, partner.id),
  ])
  return { total: found!.total, links: rows.map((row) => managed(row, clicks, now)) }
}

/** The links of the program, or of one partner, newest first. */
export async function allLinks(
  reader: Reader,
  programId: string,
  partnerId: string | undefined,
  { limit, now }: { limit: number; now: Date },
): Promise<LinkPage> {
  const wanted = and(eq(links.programId, programId), partnerId === undefined ? undefined : eq(links.partnerId, partnerId))
  const [[found], rows, clicks] = await Promise.all([
    reader.select({ total: count() }).from(links).where(wanted),
    reader.select().from(links).where(wanted).orderBy(desc(links.createdAt), desc(links.id)).limit(limit),
    countByLink(reader, programId, partnerId),
  ])
  return { total: found!.total, links: rows.map((row) => managed(row, clicks, now)) }
}

/** The partner's link with this id. */
export async function linkById(
  reader: Reader,
  partner: { id: string; programId: string },
  linkId: string,
): Promise<Row | undefined> {
  if (!/^[0-9a-f-]{36}$/i.test(linkId)) return undefined
  return (
    await reader
      .select()
      .from(links)
      .where(and(ofPartner(partner), eq(links.id, linkId)))
  )[0]
}

/** The link of the program with this code, present or former, as a person types it: the code or its whole address. */
export async function linkByCode(reader: Reader, programId: string, typed: string): Promise<Row | undefined> {
  const folded = readCode(
    typed
      .trim()
      .replace(/[?#].*$/, '')
      .replace(/^.*\//, ''),
  )
  if (!folded) return undefined
  const [row] = await reader
    .select({ link: links })
    .from(codes)
    .innerJoin(links, and(eq(links.programId, codes.programId), eq(links.id, codes.linkId)))
    .where(and(eq(codes.folded, folded), eq(codes.programId, programId)))
  return row?.link
}

/** The link with its clicks. */
export async function withClicks(reader: Reader, link: Row, now: Date): Promise<ManagedLink> {
  return managed(link, await countByLink(reader, link.programId, link.partnerId), now)
}

/** All codes of each link beside the one it shows, oldest first. Links without any are absent. */
export async function formerCodes(
  reader: Reader,
  programId: string,
  linkIds: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (linkIds.length === 0) return new Map()
  const rows = await reader
    .select({ linkId: codes.linkId, code: sql<string>`coalesce(${codes.code}, ${codes.folded})` })
    .from(codes)
    .innerJoin(links, and(eq(links.programId, codes.programId), eq(links.id, codes.linkId)))
    .where(and(eq(codes.programId, programId), inArray(codes.linkId, [...linkIds]), sql`${codes.folded} <> ${foldedCode}`))
    .orderBy(codes.createdAt)
  const former = new Map<string, string[]>()
  for (const { linkId, code } of rows) former.set(linkId, [...(former.get(linkId) ?? []), code])
  return former
}

/** `fold` in SQL. */
const foldedCode = sql`translate(lower(${links.code}), '01l', 'oii')`

/** Links whose code or campaign holds what is being typed, for suggestions; of one partner when it is given. */
export function suggestedLinks(reader: Reader, programId: string, partnerId: string | undefined, typed: string): Promise<Row[]> {
  return reader
    .select()
    .from(links)
    .where(
      and(eq(links.programId, programId), partnerId === undefined ? undefined : eq(links.partnerId, partnerId), holding(typed)),
    )
    .orderBy(desc(links.createdAt))
    .limit(25)
}

/** Campaigns of links that hold what is being typed, for suggestions; of one partner's links when it is given. */
export async function campaignsIn(
  reader: Reader,
  programId: string,
  partnerId: string | undefined,
  typed: string,
): Promise<string[]> {
  const rows = await reader
    .selectDistinct({ campaign: links.campaign })
    .from(links)
    .where(
      and(
        eq(links.programId, programId),
        partnerId === undefined ? undefined : eq(links.partnerId, partnerId),
        ilike(links.campaign, containing(typed)),
      ),
    )
    .orderBy(links.campaign)
    .limit(25)
  return rows.map((row) => row.campaign!)
}

const ofPartner = ({ id, programId }: { id: string; programId: string }) =>
  and(eq(links.programId, programId), eq(links.partnerId, id))

function holding(text: string): SQL | undefined {
  const wanted = text.trim()
  if (wanted === '') return undefined
  const pattern = containing(wanted)
  return or(
    ilike(links.code, pattern),
    ilike(links.campaign, pattern),
    sql`exists (select from unnest(${links.tags}) tag where tag ilike ${pattern})`,
  )
}

const containing = (text: string) => `%${text.trim().replace(/[\\%_]/g, '\\$&')}%`

function managed(row: Row, clicks: ReadonlyMap<string, number>, now: Date): ManagedLink {
  const counted = clicks.get(row.id) ?? 0
  return { ...row, clicks: counted, state: stateOf(row, counted, now) }
}
