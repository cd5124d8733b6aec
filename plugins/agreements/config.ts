// What an admin may change about agreements.
import { z } from 'zod'

export const config = z.object({
  graceDays: z
    .int()
    .min(0)
    .max(365)
    .default(14)
    .describe('Days for which a partner who signed an earlier version still counts as signed when a new one comes out.'),
  copyTo: z
    .union([z.literal(''), z.email()])
    .default('')
    .describe('An address of the company that gets a copy of every signed agreement. Empty: nobody.'),
})
export type AgreementsConfig = z.output<typeof config>
