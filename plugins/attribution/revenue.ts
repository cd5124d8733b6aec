// What partners sold in a period, summed by the database: one row for each partner and currency, however many sales there are.
import { sql } from 'drizzle-orm'
import type { Attribution, Revenue } from './public.ts'
import { netOfSale } from './sale.ts'

/** The statement behind `readRevenue`, for a test of its plan. */
export function revenueQuery(programId: string, { from, to }: { from: Date; to: Date }) {
  return sql`
    select partner_id as "partnerId", currency, sum(net)::text as net, max(paid_at) as "lastPaidAt"
    from (
      select partner_id, currency, paid_at, ${netOfSale} as net from attribution_sales
      where program_id = ${programId}::uuid and partner_id is not null
        and paid_at >= ${from.toISOString()}::timestamptz and paid_at < ${to.toISOString()}::timestamptz) sold
    where net > 0 group by 1, 2`
}

export const readRevenue: Attribution['revenue'] = async (reader, programId, range) => {
  const rows = await reader.execute<Record<keyof Revenue, string>>(revenueQuery(programId, range))
  return rows.map((row) => ({ ...row, net: BigInt(row.net), lastPaidAt: new Date(row.lastPaidAt) }))
}
