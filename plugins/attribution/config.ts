// The rule of attribution that an admin may change. A change holds for decisions made after it.
import { z } from 'zod'
import { moneySettings } from '../kit/index.ts'

export const config = moneySettings({
  windowDays: z
    .int()
    .min(1)
    .max(730)
    .default(90)
    .describe('How many days after a click, coupon or deal a first purchase still counts for the partner.'),
  model: z
    .enum(['last', 'first'])
    .default('last')
    .describe(
      'Which of several touches of the same kind wins: the last one before the purchase, or the first one within the window.',
    ),
})

export type Config = z.infer<typeof config>
