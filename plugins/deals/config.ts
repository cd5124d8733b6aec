// What an admin may change about deals. A change never touches the protection of deals that are registered already.
import { z } from 'zod'
import { moneySettings } from '../kit/index.ts'

export const config = moneySettings({
  protectionDays: z
    .int()
    .min(1)
    .max(365)
    .default(90)
    .describe('Days for which a registered prospect is protected for the partner who registered it first.'),
  maxOpenDeals: z
    .int()
    .min(1)
    .max(500)
    .default(25)
    .describe('How many open deals a partner may have, so that nobody fences off a market.'),
  contactDays: z
    .int()
    .min(0)
    .max(365)
    .default(30)
    .describe('Days after the end of a deal until the contact’s e-mail address and the notes are deleted.'),
})
export type Config = z.output<typeof config>
