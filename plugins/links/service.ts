// Links as other plugins see them, and what led a visitor to a purchase. Knows no HTTP and no Discord.
import { and, desc, eq, sql } from 'drizzle-orm'
import type { Origin } from '../attribution/public.ts'
import type { Reader } from '../kit/index.ts'
import { countByLink, countInRange } from './hours.ts'
import type { Links } from './public.ts'
import { links } from './tables.ts'

export interface LinksService extends Omit<Links, 'clickFacts' | 'marks' | 'land'> {
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

  return {
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
