// Stripe: payments become sales, and partners are paid through Stripe Connect. The only plugin that knows Stripe's SDK.
import { attribution } from '../attribution/plugin.ts'
import { definePlugin, extend, minutes, schedule } from '../kit/index.ts'
import { payouts } from '../payouts/plugin.ts'
import { payoutProvider, providerHelp } from '../payouts/public.ts'
import { createApi, createClient } from './client.ts'
import { stripeTools } from './commands.ts'
import { environment, secretsOf } from './environment.ts'
import { stripeJobs } from './jobs.ts'
import { createPayoutProvider } from './provider.ts'
import { stripeRoutes } from './routes.ts'
import { createStripeService } from './service.ts'
import * as tables from './tables.ts'

export const stripe = definePlugin({
  id: 'stripe',
  title: 'Stripe',
  summary: 'Turns Stripe’s payments into sales, and pays partners through Stripe Connect.',
  help: providerHelp,
  requires: [attribution, payouts],
  tables,
  environment,
  data: {
    statement:
      'Of customers’ payments: Stripe’s ids, amounts, times, country and a keyed hash of the e-mail address. Of partners: the id of their Stripe account, whether it can be paid, fingerprints of its bank accounts and cards, and how far its tax form is. Bank details and tax numbers stay with Stripe.',
  },
  setup: ({ db, clock, log, env, enqueue, webhooks, programs, use, url }) => {
    const secrets = secretsOf(env.STRIPE_WEBHOOK_SECRET)
    const { hashEmail } = use(attribution)
    const client = env.STRIPE_SECRET_KEY
      ? createClient({ secretKey: env.STRIPE_SECRET_KEY, apiUrl: env.STRIPE_API_URL })
      : undefined
    const service =
      client &&
      createStripeService({
        db,
        clock,
        log,
        enqueue,
        webhooks,
        programs,
        attribution: use(attribution),
        payouts: use(payouts),
        api: createApi(client, hashEmail),
      })
    return {
      commandGroups: { 'admin stripe': 'Payments and payouts through Stripe' },
      ...stripeTools({ db, webhooks, service, secrets: secrets.length, webhookUrl: url('/webhooks/stripe') }),
      routes: stripeRoutes({ db, clock, webhooks, service, secrets, hashEmail }),
      jobs: service ? stripeJobs(service) : [],
      schedules: service ? [schedule('stripe.reconcile', { ms: minutes(5) }, service.reconcile)] : [],
      extends: client ? [extend(payoutProvider, createPayoutProvider(client))] : [],
    }
  },
})
