// The metric that every program has: what attributed sales are still worth.
import type { Attribution, Sale } from '../attribution/public.ts'
import type { Metric, Score } from './public.ts'

export const revenueMetricId = 'leaderboards.revenue'

/** Attributed sales in the program's currency, net of refunds and lost disputes. Amounts in other currencies are left out, never added or converted. */
export function revenueMetric(attribution: Pick<Attribution, 'sales'>): Metric {
  return {
    id: revenueMetricId,
    title: 'Sales',
    unit: 'money',
    counts: (currency) => `Sales in ${currency} after refunds; other currencies are not counted.`,
    scores: async (reader, program, range) =>
      scoresOf((await attribution.sales(reader, program.id, range)).filter((sale) => sale.currency === program.currency)),
  }
}

/** Each partner's sum, reached with the last sale that still counts. */
function scoresOf(sales: readonly Sale[]): Score[] {
  const counting = sales.filter((sale) => sale.partnerId !== null && sale.net > 0n)
  return [...Map.groupBy(counting, (sale) => sale.partnerId!)].map(([partnerId, own]) => ({
    partnerId,
    score: own.reduce((sum, sale) => sum + sale.net, 0n),
    reachedAt: new Date(Math.max(...own.map((sale) => sale.paidAt.getTime()))),
  }))
}
