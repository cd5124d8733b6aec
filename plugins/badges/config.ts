// What an admin may change about badges.
import { z } from 'zod'

export const config = z.object({
  celebrate: z
    .boolean()
    .default(true)
    .describe('Whether new badges are celebrated for all to see in the channel for wins. true or false.'),
})
export type Config = z.output<typeof config>
