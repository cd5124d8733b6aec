// What an admin may change about late claims.
import { z } from 'zod'
import { moneySettings } from '../kit/index.ts'

export const config = moneySettings({
  deadlineDays: z
    .int()
    .min(0)
    .max(365)
    .default(30)
    .describe('For how many days after a purchase a partner may claim it with /sales claim. 0: no claims.'),
  maxOpen: z.int().min(1).max(50).default(5).describe('How many claims of one partner may wait for a decision at once.'),
})
export type Config = z.output<typeof config>
