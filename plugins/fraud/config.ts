// What an admin may change about fraud: from which score on a commission is held, what each signal weighs, and what is unusual in this program.
import { z } from 'zod'
import { moneySettings } from '../kit/index.ts'

export const config = moneySettings({
  threshold: z
    .int()
    .min(1)
    .max(1000)
    .default(50)
    .describe(
      'From which score on a commission is held until an admin has looked at it. The score is the sum of the weights of all signals.',
    ),
  weights: z
    .record(z.string().regex(/^[a-z][a-z_]*$/), z.int().min(0).max(1000))
    .default({})
    .describe('Weights other than the built-in ones, by signal, e.g. {"refund_outlier": 20}. 0 switches a signal off.'),
  soonSeconds: z
    .int()
    .min(0)
    .max(600)
    .default(15)
    .describe('A purchase within so many seconds after its click is too soon for a person.'),
  injectionSeconds: z
    .int()
    .min(0)
    .max(3600)
    .default(60)
    .describe('A click so many seconds before the payment is suspicious when another partner had brought the customer before.'),
  velocityClicks: z.int().min(1).default(60).describe('More counted clicks than this within ten minutes are unusual.'),
  conversionPercent: z
    .int()
    .min(1)
    .max(100)
    .default(20)
    .describe('A share of clicks that become purchases above this is unusual; small numbers get the benefit of the doubt.'),
  bannedReferrers: z
    .array(z.string().regex(/^[a-z0-9.-]{1,100}$/, { error: 'it must be a host such as coupons.example' }))
    .max(500)
    .default([])
    .describe('Hosts whose pages may not send customers, such as ["coupons.example"]; their subdomains are meant, too.'),
  refundPercent: z
    .int()
    .min(1)
    .max(100)
    .default(20)
    .describe(
      'A share of sales that are refunded or lost in disputes above this is unusual; small numbers get the benefit of the doubt.',
    ),
})
export type Config = z.output<typeof config>
