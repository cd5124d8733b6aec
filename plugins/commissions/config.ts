// What an admin may change about commissions. A change never touches what was earned before it.
import { z } from 'zod'
import { moneySettings } from '../kit/index.ts'

export const config = moneySettings({
  ratePercent: z
    .string()
    .regex(/^(100(\.0{1,4})?|\d{1,2}(\.\d{1,4})?)$/, { error: 'it must be a percentage from 0 to 100 with at most 4 decimals' })
    .default('20')
    .describe('Percentage of each sale (without tax and shipping) that the partner earns, such as 20 or 12.5.'),
  holdDays: z
    .int()
    .min(0)
    .max(365)
    .default(30)
    .describe('Days from the payment until a commission can be paid out; time for refunds. Also set by /admin commissions hold.'),
  mailStatements: z
    .boolean()
    .default(true)
    .describe('Whether partners get the statement of each month by e-mail, when something was booked for them in it.'),
})
export type Config = z.output<typeof config>

/** "12.5" → 125000 parts per million. */
export function percentToPpm(percent: string): bigint {
  const [whole = '0', decimals = ''] = percent.split('.')
  return BigInt(whole + decimals.padEnd(4, '0'))
}
