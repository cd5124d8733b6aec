// The door for Stripe's webhooks: verify over the raw body, keep, answer. Handling comes later, in a job.
import type { FastifyInstance } from 'fastify'
import Stripe from 'stripe'
import { type Clock, type Db, UserError, type WebhookInbox } from '../kit/index.ts'
import { apiVersion } from './client.ts'
import { readEvent } from './facts.ts'
import { type StripeService, source } from './service.ts'

/** Older deliveries are refused: someone may be replaying them. Stripe signs each delivery anew. */
const toleranceSeconds = 300

interface Parts {
  db: Db
  clock: Clock
  webhooks: WebhookInbox
  /** Undefined while Stripe is off. */
  service: StripeService | undefined
  secrets: readonly string[]
  hashEmail: (email: string) => string
}

export function stripeRoutes({ db, clock, webhooks, service, secrets, hashEmail }: Parts): (app: FastifyInstance) => void {
  return (app) => {
    app.post('/webhooks/stripe', { config: { access: 'webhook' } }, async (request, reply) => {
      if (!service || secrets.length === 0)
        throw new UserError('stripe_off', 'Stripe is not set up here: STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET are needed.', {
          status: 503,
        })
      const result = verify(request.rawBody, request.headers['stripe-signature'], secrets, clock.now())
      const event = 'refused' in result ? undefined : readable(result.event, hashEmail)
      if (!event) {
        const reason = 'refused' in result ? result.refused : 'malformed'
        await webhooks.refuse(db, source, reason)
        throw new UserError(reason, refusals[reason], { status: 400 })
      }
      await service.receive(event)
      return reply.send({ received: true })
    })
  }
}

type Refusal = 'bad_signature' | 'too_old' | 'malformed'
const refusals: Record<Refusal, string> = {
  bad_signature: 'The signature does not fit. Check that STRIPE_WEBHOOK_SECRET is the signing secret of this endpoint.',
  too_old: 'The delivery is older than five minutes. Check the clock of this server.',
  malformed: 'The body is not an event of Stripe.',
}

/** The event if any of the secrets signed it. */
export function verify(
  body: Buffer | undefined,
  header: string | string[] | undefined,
  secrets: readonly string[],
  now: Date,
): { event: unknown } | { refused: Refusal } {
  if (body === undefined || typeof header !== 'string') return { refused: 'bad_signature' }
  let refused: Refusal = 'bad_signature'
  for (const secret of secrets) {
    try {
      return { event: Stripe.webhooks.constructEvent(body, header, secret, toleranceSeconds, undefined, now.getTime()) }
    } catch (error) {
      // The body is only read, and the time only looked at, once the signature fits.
      if (error instanceof SyntaxError) return { refused: 'malformed' }
      if (error instanceof Error && error.message.includes('Timestamp outside the tolerance zone')) refused = 'too_old'
    }
  }
  return { refused }
}

function readable(event: unknown, hashEmail: (email: string) => string): ReturnType<typeof readEvent> | undefined {
  try {
    return readEvent(event, hashEmail, apiVersion)
  } catch {
    return undefined
  }
}
