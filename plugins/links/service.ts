// Links as other plugins see them, and what led a visitor to a purchase. Knows no HTTP and no Discord.
import { and, desc, eq, sql } from 'drizzle-orm'
import type { Origin } from '../attribution/public.ts'
import type { Reader } from '../kit/index.ts'
import { countByLink, countInRange, countInRanges } from './hours.ts'
import type { Links } from './public.ts'
import { links } from './tables.ts'

export interface LinksService extends Omit<Links, 'clickFacts' | 'marks' | 'land'> {
  /** The click and those that the same browser made before it, newest first, without what no person did. */
  trail(reader: Reader, programId: string, clickId: string): Promise<readonly TrailClick[]>
  /** As `trail` for each, in one statement; ids that are none have no trail. */
  trails(reader: Reader, programId: string, clickIds: readonly string[]): Promise<ReadonlyMap<string, readonly TrailClick[]>>
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

export function createLinksService({ url }: { url: (path: string) => string }): LinksService {
  const urlOf = (code: string) => url(`/r/${code}`)

  const ofPartner: Links['ofPartner'] = async (reader, programId, partnerId) => {
    const rows = await reader
      .select({ id: links.id, code: links.code, campaign: links.campaign, createdAt: links.createdAt })
      .from(links)
      .where(and(eq(links.programId, programId), eq(links.partnerId, partnerId)))
      .orderBy(desc(links.createdAt), desc(links.id))
    const clicks = await countByLink(reader, programId, partnerId)
    return rows.map((row) => ({ ...row, url: urlOf(row.code), clicks: clicks.get(row.id) ?? 0 }))
  }

  const trails: LinksService['trails'] = async (reader, programId, given) => {
    const clickIds = [...new Set(given.filter(isClickId))]
    if (clickIds.length === 0) return new Map()
    const rows = await reader.execute<{ last: string; id: string; partner_id: string; at: string; origin: Origin }>(sql`
      with recursive trail as (
        select c.*, c.id as last, 1 as step from unnest(${`{${clickIds.join()}}`}::uuid[]) as asked (id)
        join links_clicks c on c.id = asked.id and c.at = links_click_at(asked.id)
        where c.program_id = ${programId}
        union all
        select c.*, trail.last, trail.step + 1
        from trail join links_clicks c on c.id = trail.previous and c.at = links_click_at(trail.previous)
        where c.program_id = ${programId} and trail.step < ${longestTrail})
      select last, id, partner_id, at, jsonb_strip_nulls(jsonb_build_object('link', link_id, 'campaign', campaign, 'page', landing_page_id,
        'country', country, 'device', device, 'referrer', referrer)) as origin
      from trail where rejected is null or rejected = 'prefetch' order by last, step`)
    const byLast = Map.groupBy(rows, ({ last }) => last)
    return new Map(
      given.map((clickId) => [
        clickId,
        (byLast.get(clickId.toLowerCase()) ?? []).map((row) => ({
          id: row.id,
          partnerId: row.partner_id,
          at: new Date(row.at),
          origin: row.origin,
        })),
      ]),
    )
  }

  return {
    urlOf,
    ofPartner,
    clickCount: countInRange,
    clickCounts: countInRanges,
    trails,
    trail: async (reader, programId, clickId) => (await trails(reader, programId, [clickId])).get(clickId) ?? [],
  }
}
