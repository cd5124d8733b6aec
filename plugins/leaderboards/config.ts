// What an admin may change about leaderboards.
import { z } from 'zod'
import { revenueMetricId } from './revenue.ts'

export const config = z.object({
  metric: z
    .string()
    .min(1)
    .default(revenueMetricId)
    .describe('What partners compete in: the id of a metric. A month that has begun keeps its metric.'),
  places: z.int().min(3).max(25).default(10).describe('How many partners the posted board shows. 3 to 25.'),
  showScores: z.boolean().default(true).describe('Whether the board shows figures beside the names. true or false.'),
  staff: z
    .array(z.string().regex(/^\d{17,20}$/, { error: 'a Discord id has 17 to 20 digits' }))
    .max(100)
    .default([])
    .describe('Discord ids of staff who sell but do not compete. A list, such as ["123456789012345678"].'),
  graceHours: z
    .int()
    .min(0)
    .max(240)
    .default(24)
    .describe('How many hours after the end of a month late sales and refunds still count before its result is final. 0 to 240.'),
})
export type Config = z.output<typeof config>
