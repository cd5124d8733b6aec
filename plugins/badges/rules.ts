// The badges that every program has.
import type { Attribution } from '../attribution/public.ts'
import type { RoleWish } from '../kit/index.ts'
import type { BadgeRule } from './public.ts'

export const firstSaleRole: RoleWish = { key: 'badges:first_sale', name: 'First sale', color: 0xeb9e34 }

/** Earned with the first attributed sale that still counts: one that was fully refunded, or lost in a dispute, is as if it had not been. */
export function firstSale(attribution: Pick<Attribution, 'sales'>): BadgeRule {
  return {
    id: 'badges:first_sale',
    title: 'First sale',
    description: 'Your first sale that was not refunded.',
    emoji: '🎯',
    period: 'once',
    flagshipRole: firstSaleRole,
    earned: async (reader, programId, partnerId, range) => {
      const counting = (await attribution.sales(reader, programId, { ...range, partnerId })).find((sale) => sale.net > 0n)
      return counting && { saleId: counting.id }
    },
  }
}
