// What an admin may change about payouts. Amounts are in units of the payout's own currency: nothing is converted.
import { z } from 'zod'

const amount = z.string().regex(/^\d{1,12}(\.\d{1,4})?$/, { error: 'it must be an amount such as 50.00' })

export const config = z.object({
  minimum: amount
    .default('50.00')
    .describe('Smallest payout, in units of its currency, such as 50.00. Less waits for the next payout.'),
  methodCoolingHours: z
    .int()
    .min(0)
    .max(720)
    .default(72)
    .describe('Hours a payout method must be unchanged before it is paid to: protects partners whose account was taken over.'),
  approvalAbove: amount
    .default('5000.00')
    .describe('A payout run whose total in a currency is above this amount waits for a second admin.'),
})
export type Config = z.output<typeof config>
