// What an admin may change about the public API.
import { z } from 'zod'

export const config = z.object({
  requestsPerMinute: z
    .int()
    .min(1)
    .max(100_000)
    .default(600)
    .describe('How many requests a minute a new API key may make; keys that exist keep what they have.'),
  eventDays: z
    .int()
    .min(7)
    .max(3650)
    .default(90)
    .describe('How many days events stay in the feed at /v1/events and can be sent again as webhooks.'),
})

export type Config = z.infer<typeof config>
