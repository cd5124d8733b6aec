// Sales for statistics: counted and summed by the database, by day and by what is known of the click that won them.
import { sql } from 'drizzle-orm'
import { dayKey, type FigureQuestion, type FigureRow, type FigureSource, isAmongKeys, originKey } from '../analytics/public.ts'
import type { Reader } from '../kit/index.ts'
import { netOfSale } from './sale.ts'

/** What attribution contributes to the statistics. */
export const saleFigures: FigureSource = { id: 'attribution.sales', read: readSales }

/** The statement behind it, for tests of its plan. `net` is what `Sale.net` is. */
export function salesQuery(question: FigureQuestion) {
  const { programId, partnerId, from, to } = question
  return sql`
    select day, key, currency, count(*) filter (where net > 0)::integer as sales,
      count(*) filter (where net > 0 and origin is not null and coalesce(sequence, 1) = 1)::integer as conversions, sum(net)::text as revenue
    from (
      select ${dayKey(question, sql`paid_at`)} as day, ${originKey(question)} as key, currency, origin, sequence,
        ${netOfSale} as net
      from attribution_sales
      where program_id = ${programId} and partner_id ${partnerId === undefined ? sql`is not null` : sql`= ${partnerId}`}
        and paid_at >= ${from.toISOString()}::timestamptz and paid_at < ${to.toISOString()}::timestamptz
    ) sold
    where ${isAmongKeys(question)} group by 1, 2, 3`
}

async function readSales(reader: Reader, question: FigureQuestion): Promise<FigureRow[]> {
  const rows = await reader.execute<{
    day: string | null
    key: string | null
    currency: string
    sales: number
    conversions: number
    revenue: string
  }>(salesQuery(question))
  return rows.map(({ day, key, currency, sales, conversions, revenue }) => ({
    ...(day !== null && { day }),
    ...(question.by && { key }),
    counts: { sales, conversions },
    currency,
    money: { revenue: BigInt(revenue) },
  }))
}
