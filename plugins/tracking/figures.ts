// Leads for statistics: counted by the database, by day and by what is known of the click that brought them.
import { sql } from 'drizzle-orm'
import { dayKey, type FigureSource, isAmongKeys, originKey } from '../analytics/public.ts'

/** What tracking contributes to the statistics. Leads of nobody are not counted. */
export const leadFigures: FigureSource = {
  id: 'tracking.leads',
  read: async (reader, question) => {
    const { programId, partnerId, from, to } = question
    const rows = await reader.execute<{ day: string | null; key: string | null; leads: number }>(sql`
      select day, key, count(*)::integer as leads
      from (
        select ${dayKey(question, sql`occurred_at`)} as day, ${originKey(question)} as key from tracking_leads
        where program_id = ${programId} and partner_id ${partnerId === undefined ? sql`is not null` : sql`= ${partnerId}`}
          and occurred_at >= ${from.toISOString()}::timestamptz and occurred_at < ${to.toISOString()}::timestamptz
      ) led
      where ${isAmongKeys(question)} group by 1, 2`)
    return rows.map(({ day, key, leads }) => ({ ...(day !== null && { day }), ...(question.by && { key }), counts: { leads } }))
  },
}
