// What payouts tells the house. Amounts in minor units.
import { z } from 'zod'
import { amountField, defineEvent } from '../kit/index.ts'

const what = { payoutId: z.uuid(), partnerId: z.uuid(), currency: z.string(), amount: amountField }

export const payoutSent = defineEvent('payouts.sent', what)
export const payoutPaid = defineEvent('payouts.paid', what)
export const payoutReturned = defineEvent('payouts.returned', { ...what, reason: z.string() })
/** Called back by an admin before it was sent. */
export const payoutCancelled = defineEvent('payouts.cancelled', { ...what, reason: z.string() })
