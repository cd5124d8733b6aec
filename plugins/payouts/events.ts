// What payouts tells the house. Amounts in minor units.
import { z } from 'zod'
import { amountField, defineEvent, instantField } from '../kit/index.ts'

const what = { payoutId: z.uuid(), partnerId: z.uuid(), currency: z.string(), amount: amountField }

export const payoutSent = defineEvent('payouts.sent', what)
export const payoutPaid = defineEvent('payouts.paid', what)
export const payoutReturned = defineEvent('payouts.returned', { ...what, reason: z.string() })
/** Called back by an admin before it was sent. */
export const payoutCancelled = defineEvent('payouts.cancelled', { ...what, reason: z.string() })

/** What a provider says now of the tax form that it collects for a partner's account; null when it says nothing of one. Not only when it changed, and in no order: `at` tells. */
export const taxFormTold = defineEvent('payouts.tax_form_told', {
  partnerId: z.uuid(),
  provider: z.string(),
  /** When it was so, by the provider's clock, to the second. */
  at: instantField,
  form: z
    .object({
      jurisdiction: z.string().regex(/^[A-Z]{2}$/),
      form: z.string(),
      status: z.enum(['requested', 'submitted', 'valid', 'rejected']),
    })
    .nullable(),
})
