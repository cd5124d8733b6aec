// PayPal's environment variables. All optional: without client id and secret the plugin is off.
import { z } from 'zod'
import type { EnvironmentVariable } from '../kit/index.ts'

const credential = z.string().regex(/^\S+$/, { error: 'it has no spaces' }).optional()

export const environment: readonly EnvironmentVariable[] = [
  {
    name: 'PAYPAL_CLIENT_ID',
    schema: credential,
    purpose: 'pays partners through PayPal, together with PAYPAL_CLIENT_SECRET; unset, PayPal is off',
    where: 'https://developer.paypal.com/dashboard/applications/live → your app, with the feature Payouts',
    example: 'AbC…',
  },
  {
    name: 'PAYPAL_CLIENT_SECRET',
    schema: credential,
    purpose: 'the secret of the same app',
    where: 'https://developer.paypal.com/dashboard/applications/live → your app → Secret',
    example: 'EFg…',
  },
  {
    name: 'PAYPAL_WEBHOOK_ID',
    schema: credential,
    purpose: 'verifies what PayPal sends to /webhooks/paypal; unset, PayPal is asked every quarter of an hour instead',
    where: 'https://developer.paypal.com/dashboard/applications/live → your app → Webhooks, with the events “Payments & Payouts”',
    example: '1JE4291016473214C',
  },
  {
    name: 'PAYPAL_API_URL',
    schema: z
      .url({ protocol: /^https?$/, error: 'it must be a http:// or https:// address' })
      .refine((text) => new URL(text).pathname === '/', { error: 'it must be an address without a path' })
      .optional(),
    purpose: 'another address for PayPal’s API: https://api-m.sandbox.paypal.com for their sandbox',
    where: 'leave it unset in production',
    example: 'https://api-m.sandbox.paypal.com',
  },
]

export const productionUrl = 'https://api-m.paypal.com'
