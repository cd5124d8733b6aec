// The metric that every program has: what attributed sales are still worth.
import type { Attribution } from '../attribution/public.ts'
import type { Metric } from './public.ts'

export const revenueMetricId = 'leaderboards.revenue'

/**
 * Attributed sales in the program's currency, net of refunds and lost disputes; a score is reached with the last sale that still counts. Amounts in other currencies
 * are left out, never added or converted.
 */
export function revenueMetric(attribution: Pick<Attribution, 'revenue'>): Metric {
  return {
    id: revenueMetricId,
    title: 'Sales',
    unit: 'money',
    counts: (currency) => `Sales in ${currency} after refunds; other currencies are not counted.`,
    scores: async (reader, program, range) =>
      (await attribution.revenue(reader, program.id, range))
        .filter(({ currency }) => currency === program.currency)
        .map(({ partnerId, net, lastPaidAt }) => ({ partnerId, score: net, reachedAt: lastPaidAt })),
  }
}
