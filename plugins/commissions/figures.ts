// Commissions for statistics: what the sales of a period are worth to their partners now, summed by the database.
import { sql } from 'drizzle-orm'
import { dayKey, type FigureQuestion, type FigureRow, type FigureSource, isAmongKeys, originKey } from '../analytics/public.ts'
import type { Reader } from '../kit/index.ts'

/** What commissions contribute to the statistics. */
export const commissionFigures: FigureSource = { id: 'commissions.commissions', read: readCommissions }

/** The statement behind it, for tests of its plan. A commission belongs to the moment at which the customer paid. */
export function commissionsQuery(question: FigureQuestion) {
  const { programId, partnerId, from, to } = question
  return sql`
    select day, key, currency, sum(amount)::text as commission, coalesce(sum(amount) filter (where origin is not null), 0)::text as by_click
    from (
      select ${dayKey(question, sql`earned_at`)} as day, ${originKey(question)} as key, currency, amount, origin from commissions_commissions
      where program_id = ${programId} ${partnerId === undefined ? sql`` : sql`and partner_id = ${partnerId}`}
        and earned_at >= ${from.toISOString()}::timestamptz and earned_at < ${to.toISOString()}::timestamptz
        and state not in ('rejected', 'voided')
    ) earned
    where ${isAmongKeys(question)} group by 1, 2, 3`
}

async function readCommissions(reader: Reader, question: FigureQuestion): Promise<FigureRow[]> {
  const rows = await reader.execute<{
    day: string | null
    key: string | null
    currency: string
    commission: string
    by_click: string
  }>(commissionsQuery(question))
  return rows.map(({ day, key, currency, commission, by_click }) => ({
    ...(day !== null && { day }),
    ...(question.by && { key }),
    currency,
    money: { commission: BigInt(commission), clickCommission: BigInt(by_click) },
  }))
}
