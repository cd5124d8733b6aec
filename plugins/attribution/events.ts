// What attribution tells the house. Amounts in minor units. Order between events is not promised: listeners compute from the sale as it is now.
import { z } from 'zod'
import { amountField, defineEvent, instantField } from '../kit/index.ts'

const sale = { saleId: z.uuid(), partnerId: z.uuid().nullable(), customerId: z.uuid(), currency: z.string() }
const whole = {
  ...sale,
  gross: amountField,
  /** gross − tax − shipping */
  basis: amountField,
  product: z.string().nullable(),
  /** Which payment of a subscription, from 1; null for a one-time sale. */
  sequence: z.int().nullable(),
  firstOfCustomer: z.boolean(),
  paidAt: instantField,
}

/** A payment was recorded as a sale: exactly once per sale. `partnerId` is null while nobody can be credited. */
export const saleRecorded = defineEvent('attribution.sale_recorded', whole)
/** A sale that was recorded without a partner got one: at most once per sale, and never for a sale that was recorded with a partner. */
export const saleAttributed = defineEvent('attribution.sale_attributed', { ...whole, partnerId: z.uuid() })
/** Tax or shipping of the sale changed, as the provider tells it now; its basis is another. */
export const saleRebased = defineEvent('attribution.sale_rebased', { ...sale, basis: amountField })
/** People took the sale from `from` and gave it to `to`; either may be nobody. What it earned was moved in the same transaction. */
export const saleReassigned = defineEvent('attribution.sale_reassigned', {
  saleId: z.uuid(),
  from: z.uuid().nullable(),
  to: z.uuid().nullable(),
})
/** The total refunded of the sale changed; listeners compute from the total, not from the step. */
export const saleRefunded = defineEvent('attribution.sale_refunded', { ...sale, refundedTotal: amountField })
/** A dispute was opened, won or lost; `lostTotal` is what lost disputes took so far. It is missing from events that are older than it. */
export const saleDisputed = defineEvent('attribution.sale_disputed', {
  ...sale,
  dispute: z.enum(['open', 'won', 'lost']),
  lostTotal: amountField.optional(),
})
