// What attribution tells the house. Amounts in minor units.
import { z } from 'zod'
import { amountField, defineEvent, instantField } from '../kit/index.ts'

const sale = { saleId: z.uuid(), partnerId: z.uuid().nullable(), customerId: z.uuid(), currency: z.string() }

export const saleRecorded = defineEvent('attribution.sale_recorded', {
  ...sale,
  gross: amountField,
  /** gross − tax − shipping */
  basis: amountField,
  product: z.string().nullable(),
  /** Which payment of a subscription, from 1; null for a one-time sale. */
  sequence: z.int().nullable(),
  firstOfCustomer: z.boolean(),
  paidAt: instantField,
})
/** The total refunded of the sale changed; listeners compute from the total, not from the step. */
export const saleRefunded = defineEvent('attribution.sale_refunded', { ...sale, refundedTotal: amountField })
export const saleDisputed = defineEvent('attribution.sale_disputed', { ...sale, dispute: z.enum(['open', 'won', 'lost']) })
