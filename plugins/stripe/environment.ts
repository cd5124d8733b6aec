// Stripe's environment variables. All optional: without a secret key the plugin is off.
import { z } from 'zod'
import type { EnvironmentVariable } from '../kit/index.ts'

export const environment: readonly EnvironmentVariable[] = [
  {
    name: 'STRIPE_SECRET_KEY',
    schema: z
      .string()
      .regex(/^(sk|rk)_(test|live)_\w+$/, { error: 'it begins with sk_test_, sk_live_, rk_test_ or rk_live_' })
      .optional(),
    purpose: 'reads payments from Stripe and pays partners through Stripe Connect; unset, Stripe is off',
    where: 'https://dashboard.stripe.com/apikeys',
    example: 'sk_test_51Abc…',
  },
  {
    name: 'STRIPE_WEBHOOK_SECRET',
    schema: z
      .string()
      .refine((text) => secretsOf(text).every((secret) => /^whsec_\S+$/.test(secret)), {
        error: 'each secret begins with whsec_; separate several by commas',
      })
      .optional(),
    purpose:
      'verifies what Stripe sends to /webhooks/stripe; the endpoints for your account and for connected accounts have one each',
    where: 'https://dashboard.stripe.com/webhooks → the endpoint → Signing secret',
    example: 'whsec_first,whsec_second',
  },
  {
    name: 'STRIPE_API_URL',
    schema: z
      .url({ protocol: /^https?$/, error: 'it must be a http:// or https:// address' })
      .refine((text) => new URL(text).pathname === '/', { error: 'it must be an address without a path' })
      .optional(),
    purpose: 'another address for Stripe’s API, for tests',
    where: 'leave it unset in production',
    example: 'http://127.0.0.1:4610',
  },
]

export function secretsOf(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((secret) => secret.trim())
    .filter(Boolean)
}
