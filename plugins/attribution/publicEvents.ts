// What programs of the company are told of sales.
import { z } from 'zod'
import { publish } from '../developer/public.ts'
import { saleAttributed, saleDisputed, saleReassigned, saleRecorded, saleRefunded } from './events.ts'

const parties = { sale_id: z.uuid(), partner_id: z.uuid().nullable(), customer_id: z.uuid(), currency: z.string() }
const whole = {
  ...parties,
  amount: z.int(),
  basis: z.int().describe('Amount − tax − shipping.'),
  product: z.string().nullable(),
  subscription_sequence: z.int().nullable(),
  first_of_customer: z.boolean(),
  paid_at: z.string(),
}
const ids = {
  sale_id: '01a19b7c-a680-7fc6-aeee-3809e8a9e02f',
  partner_id: '01a19b7c-a680-7e68-91c8-bfdddc82883b',
  customer_id: '01a19b7c-a680-7b90-8943-1cce9607d035',
  currency: 'USD',
}
const example = {
  ...ids,
  amount: 4900,
  basis: 4900,
  product: 'team-plan',
  subscription_sequence: null,
  first_of_customer: true,
  paid_at: '2026-11-02T09:00:00.000Z',
}

interface Parties {
  saleId: string
  partnerId: string | null
  customerId: string
  currency: string
}
const partiesOf = ({ saleId, partnerId, customerId, currency }: Parties) => ({
  sale_id: saleId,
  partner_id: partnerId,
  customer_id: customerId,
  currency,
})

interface Whole extends Parties {
  gross: bigint
  basis: bigint
  product: string | null
  sequence: number | null
  firstOfCustomer: boolean
  paidAt: Date
}
const wholeOf = (sale: Whole) => ({
  ...partiesOf(sale),
  amount: Number(sale.gross),
  basis: Number(sale.basis),
  product: sale.product,
  subscription_sequence: sale.sequence,
  first_of_customer: sale.firstOfCustomer,
  paid_at: sale.paidAt.toISOString(),
})

export const publicEvents = [
  publish(saleRecorded, {
    type: 'sale.recorded',
    version: 1,
    describes: 'A payment was recorded as a sale: once per sale. `partner_id` is null while nobody can be credited.',
    schema: z.object(whole),
    example,
    map: wholeOf,
  }),
  publish(saleAttributed, {
    type: 'sale.attributed',
    version: 1,
    describes: 'A sale that was recorded without a partner got one.',
    schema: z.object(whole),
    example,
    map: wholeOf,
  }),
  publish(saleRefunded, {
    type: 'sale.refunded',
    version: 1,
    describes: 'What is refunded of the sale changed, up or down; `refunded_total` is all of it.',
    schema: z.object({ ...parties, refunded_total: z.int() }),
    example: { ...ids, refunded_total: 1000 },
    map: (sale) => ({ ...partiesOf(sale), refunded_total: Number(sale.refundedTotal) }),
  }),
  publish(saleDisputed, {
    type: 'sale.disputed',
    version: 1,
    describes: 'A dispute about the payment was opened, won or lost; `lost_total` is what lost disputes took of it.',
    schema: z.object({ ...parties, dispute: z.enum(['open', 'won', 'lost']), lost_total: z.int().optional() }),
    example: { ...ids, dispute: 'lost', lost_total: 2000 },
    map: (sale) => ({
      ...partiesOf(sale),
      dispute: sale.dispute,
      ...(sale.lostTotal !== undefined && { lost_total: Number(sale.lostTotal) }),
    }),
  }),
  publish(saleReassigned, {
    type: 'sale.reassigned',
    version: 1,
    describes: 'Admins gave the sale to another partner; either side may be nobody.',
    schema: z.object({ sale_id: z.uuid(), from_partner_id: z.uuid().nullable(), to_partner_id: z.uuid().nullable() }),
    example: { sale_id: ids.sale_id, from_partner_id: null, to_partner_id: ids.partner_id },
    map: ({ saleId, from, to }) => ({ sale_id: saleId, from_partner_id: from, to_partner_id: to }),
  }),
]
