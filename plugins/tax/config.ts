// What an admin may change about tax.
import { z } from 'zod'
import { moneySettings } from '../kit/index.ts'

export const config = moneySettings({
  gate: z
    .boolean()
    .default(true)
    .describe(
      'Whether payouts wait for a valid tax form once a partner’s payments of the year reach the threshold of their country.',
    ),
  assumeJurisdiction: z
    .string()
    .regex(/^([A-Z]{2})?$/, { error: 'it must be a country code such as US, or empty' })
    .default('')
    .describe('Country of partners for whom none is recorded, such as US. Empty: none, so they need no form.'),
})
export type Config = z.output<typeof config>
