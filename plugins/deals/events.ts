// What deals tells the house. Amounts in minor units.
import { z } from 'zod'
import { amountField, defineEvent } from '../kit/index.ts'

const what = { dealId: z.uuid(), partnerId: z.uuid() }

export const dealSubmitted = defineEvent('deals.submitted', { ...what, expected: amountField, currency: z.string() })
export const dealAccepted = defineEvent('deals.accepted', what)
/** The deal is a sale: `attribution.sale_recorded` tells of the same. */
export const dealWon = defineEvent('deals.won', { ...what, saleId: z.uuid(), amount: amountField, currency: z.string() })
export const dealLost = defineEvent('deals.lost', { ...what, reason: z.string().nullable() })
