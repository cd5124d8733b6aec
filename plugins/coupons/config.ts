// What an admin may change about coupons.
import { z } from 'zod'

export const config = z.object({
  maxCoupons: z
    .int()
    .min(0)
    .max(100)
    .default(5)
    .describe('How many codes a partner may make. 0: only admins hand them out, with /admin coupons assign.'),
})
export type Config = z.output<typeof config>
