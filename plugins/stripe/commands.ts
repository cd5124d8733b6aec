// What admins do with Stripe: connect the account, see what is parked, hand it in again.
import { type Command, defineCommand } from '../../commands/define.ts'
import { type Db, UserError } from '../kit/index.ts'
import { apiVersion } from './client.ts'
import { connected, parkedList, replayed } from './messages.ts'
import type { StripeService } from './service.ts'

export function stripeCommands({
  db,
  service,
  secrets,
  webhookUrl,
}: {
  db: Db
  service: StripeService | undefined
  secrets: number
  webhookUrl: string
}): Command[] {
  const on = (): StripeService => {
    if (service) return service
    throw new UserError(
      'stripe_off',
      'Stripe is not set up. Set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET where the program runs, restart it, and run this command again.',
    )
  }
  return [
    defineCommand({
      path: 'admin stripe connect',
      description: 'Let payments on your Stripe account count for this program',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => connected(await on().connect(ctx.program.id), { webhookUrl, secrets, version: apiVersion }),
    }),
    defineCommand({
      path: 'admin stripe parked',
      description: 'Events of Stripe that could not be handled, and why',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => parkedList(await on().parked(db, ctx.program.id)),
    }),
    defineCommand({
      path: 'admin stripe replay',
      description: 'Hand parked events in again',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => replayed(await on().replay(ctx.program.id)),
    }),
  ]
}
