// What an admin may change about payouts. Amounts are in units of the payout's own currency: nothing is converted.
import { z } from 'zod'
import { currencyCode, moneySettings } from '../kit/index.ts'

const amount = z.string().regex(/^\d{1,12}(\.\d{1,4})?$/, { error: 'it must be an amount such as 50.00' })

const amountByCurrency = z.record(
  z.string().refine((code) => code === code.toUpperCase() && currencyCode.safeParse(code).success, {
    error: 'each key must be a currency code such as EUR',
  }),
  amount,
)

export const config = moneySettings({
  minimum: amount
    .default('50.00')
    .describe('Smallest payout, in units of its currency, such as 50.00. Less waits for the next payout.'),
  minimumByCurrency: amountByCurrency
    .default({})
    .describe('Other smallest payouts by currency, such as {"EUR": "45.00", "JPY": "7000"}. Currencies left out follow minimum.'),
  methodCoolingHours: z
    .int()
    .min(0)
    .max(720)
    .default(72)
    .describe('Hours a payout method must be unchanged before it is paid to: protects partners whose account was taken over.'),
  approvalAbove: amount
    .default('5000.00')
    .describe(
      'A payout run waits for a second admin when its total in a currency, with what the last 24 hours prepared, is above this. A higher value counts seven days after it was set.',
    ),
  approvalAboveByCurrency: amountByCurrency
    .default({})
    .describe(
      'Other thresholds by currency, such as {"JPY": "750000"}. Currencies left out follow approvalAbove. A higher value counts seven days later.',
    ),
  scheduleDay: z
    .int()
    .min(0)
    .max(28)
    .default(0)
    .describe(
      'Day of the month, in the program’s time zone, on which payouts run by themselves. 0: only when an admin runs them. Whoever sets it approves no such run for seven days.',
    ),
  manual: z
    .boolean()
    .default(false)
    .describe('Whether partners may choose to be paid by hand: exported as a file with /admin payouts export.'),
})
export type Config = z.output<typeof config>
