// What admins do with Stripe: connect the account, and deal with events that are parked.
import { defineCommand } from '../../commands/define.ts'
import { parkedEvents } from '../../commands/parked.ts'
import { type Db, type Parts, UserError, type WebhookInbox } from '../kit/index.ts'
import { apiVersion } from './client.ts'
import { connected } from './messages.ts'
import { type StripeService, source } from './service.ts'

export function stripeTools({
  db,
  webhooks,
  service,
  secrets,
  webhookUrl,
}: {
  db: Db
  webhooks: WebhookInbox
  service: StripeService | undefined
  secrets: number
  webhookUrl: string
}): Required<Pick<Parts, 'commands' | 'components'>> {
  const on = (): StripeService => {
    if (service) return service
    throw new UserError(
      'stripe_off',
      'Stripe is not set up. Set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET where the program runs, restart it, and run this command again.',
    )
  }
  const parked = parkedEvents({ source, title: 'Stripe', on }, { db, webhooks })
  return {
    commands: [
      defineCommand({
        path: 'admin stripe connect',
        description: 'Let payments on your Stripe account count for this program',
        access: 'admin',
        reply: 'ephemeral',
        run: async (ctx) => connected(await on().connect(ctx.program.id), { webhookUrl, secrets, version: apiVersion }),
      }),
      ...parked.commands,
    ],
    components: parked.components,
  }
}
