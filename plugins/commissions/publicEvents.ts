// What programs of the company are told of commissions.
import { z } from 'zod'
import { publish } from '../developer/public.ts'
import { commissionAccrued, commissionAdjusted, commissionPayable } from './events.ts'

const what = {
  commission_id: z.uuid(),
  partner_id: z.uuid(),
  sale_id: z.uuid(),
  currency: z.string(),
  amount: z.int().describe('Minor units.'),
}
const example = {
  commission_id: '01a19b7c-a680-77ee-b7f1-4a59e351efba',
  partner_id: '01a19b7c-a680-7e68-91c8-bfdddc82883b',
  sale_id: '01a19b7c-a680-7fc6-aeee-3809e8a9e02f',
  currency: 'USD',
  amount: 980,
}
const whatOf = (of: { commissionId: string; partnerId: string; saleId: string; currency: string; amount: bigint }) => ({
  commission_id: of.commissionId,
  partner_id: of.partnerId,
  sale_id: of.saleId,
  currency: of.currency,
  amount: Number(of.amount),
})

export const publicEvents = [
  publish(commissionAccrued, {
    type: 'commission.accrued',
    version: 1,
    describes: 'A partner earned a commission on a sale.',
    schema: z.object(what),
    example,
    map: whatOf,
  }),
  publish(commissionAdjusted, {
    type: 'commission.adjusted',
    version: 1,
    describes: 'A refund or dispute changed what a commission is worth; `amount` is what it is worth now.',
    schema: z.object({ ...what, change: z.int(), reason: z.string() }),
    example: { ...example, change: -200, reason: 'refund_partial' },
    map: (of) => ({ ...whatOf(of), change: Number(of.change), reason: of.reason }),
  }),
  publish(commissionPayable, {
    type: 'commission.payable',
    version: 1,
    describes: 'The hold of a commission ended: it is paid with the next payout.',
    schema: z.object(what),
    example,
    map: whatOf,
  }),
]
