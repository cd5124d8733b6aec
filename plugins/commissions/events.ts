// What commissions tells the house. Amounts in minor units.
import { z } from 'zod'
import { amountField, defineEvent } from '../kit/index.ts'

const what = { commissionId: z.uuid(), partnerId: z.uuid(), saleId: z.uuid(), currency: z.string() }

export const commissionAccrued = defineEvent('commissions.accrued', { ...what, amount: amountField })
/** The worth of a commission changed by a refund or dispute. */
export const commissionAdjusted = defineEvent('commissions.adjusted', {
  ...what,
  amount: amountField,
  change: amountField,
  reason: z.string(),
})
export const commissionPayable = defineEvent('commissions.payable', { ...what, amount: amountField })
/** An admin lifted every hold that people or other plugins had put on the commission of a sale, for the reason in `note`. */
export const commissionReleased = defineEvent('commissions.released', {
  commissionId: z.uuid(),
  saleId: z.uuid(),
  partnerId: z.uuid(),
  actor: z.string(),
  note: z.string(),
})
