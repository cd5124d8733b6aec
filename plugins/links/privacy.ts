// What links store about one partner: for the export, and erased. Links know partners by id, so this is to be asked before the partner's record is erased.
import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import type { Reader, Tx } from '../kit/index.ts'
import { partnerIdOf } from '../partners/public.ts'
import { forgetCampaigns } from './days.ts'
import { assignments, codes, hours, imports, landingPages, links } from './tables.ts'

export const statement =
  'Partners’ links, and clicks with their time, link, its campaign and sub ids, country, kind of device, the site they came from, and a hash of address and browser whose salt changes daily; no address is kept. Clicks are deleted after two years, those of bots after a week, unless the program sets other terms. How many there were each hour and day stays.'

const theirLists = (programId: string, userId: string) => and(eq(imports.programId, programId), eq(imports.userId, userId))
const theirLinks = (programId: string, partnerId: string) => and(eq(links.programId, programId), eq(links.partnerId, partnerId))
const theirPages = (programId: string, partnerId: string) =>
  and(eq(assignments.programId, programId), eq(assignments.kind, 'partner'), eq(assignments.subject, partnerId))

/** Links with all their codes, the clicks that count by month in UTC, the landing page that was given to the partner, and lists that wait for a go-ahead. */
export async function exportFor(reader: Reader, programId: string, userId: string): Promise<unknown> {
  const partnerId = await partnerIdOf(reader, programId, userId)
  const lists = await reader.select().from(imports).where(theirLists(programId, userId))
  if (partnerId === undefined) return { links: [], landingPages: [], lists }
  const found = await reader.select().from(links).where(theirLinks(programId, partnerId)).orderBy(asc(links.createdAt))
  const named = await reader
    .select()
    .from(codes)
    .where(
      and(
        eq(codes.programId, programId),
        inArray(codes.linkId, reader.select({ id: links.id }).from(links).where(theirLinks(programId, partnerId))),
      ),
    )
    .orderBy(asc(codes.createdAt))
  const month = sql<string>`to_char(${hours.hour} at time zone 'UTC', 'YYYY-MM')`
  const clicked = await reader
    .select({ linkId: hours.linkId, month, clicks: sql<number>`sum(${hours.counted})::integer` })
    .from(hours)
    .where(and(eq(hours.programId, programId), eq(hours.partnerId, partnerId)))
    .groupBy(hours.linkId, sql`2`)
    .orderBy(sql`2`)
  return {
    links: found.map((link) => ({
      ...link,
      codes: named.filter(({ linkId }) => linkId === link.id).map(({ code, folded }) => code ?? folded),
      clicks: clicked.filter(({ linkId }) => linkId === link.id).map(({ month, clicks }) => ({ month, clicks })),
    })),
    landingPages: await reader
      .select({ name: landingPages.name, address: landingPages.address, assignedAt: assignments.assignedAt })
      .from(assignments)
      .innerJoin(landingPages, and(eq(landingPages.programId, assignments.programId), eq(landingPages.id, assignments.pageId)))
      .where(theirPages(programId, partnerId)),
    lists,
  }
}

/** What the partner wrote beside their links goes, also from their clicks. The links and their codes stay: what was shared must never lead to somebody else's account, and sales point to them. */
export async function eraseFor(tx: Tx, programId: string, userId: string): Promise<void> {
  await tx.delete(imports).where(theirLists(programId, userId))
  const partnerId = await partnerIdOf(tx, programId, userId)
  if (partnerId === undefined) return
  await tx.delete(assignments).where(theirPages(programId, partnerId))
  await tx
    .update(links)
    .set({ campaign: null, tags: [], subs: null, suspendedBecause: null })
    .where(theirLinks(programId, partnerId))
  await forgetCampaigns(tx, programId, partnerId)
}
