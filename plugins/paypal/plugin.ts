// PayPal: partners are paid to their PayPal address. The only plugin that knows PayPal's API.
import { definePlugin, extend, handle, minutes, schedule } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { payouts } from '../payouts/plugin.ts'
import { payoutProvider, providerHelp } from '../payouts/public.ts'
import { createBatches } from './batches.ts'
import { paypalChecks } from './checks.ts'
import { createPayPalApi } from './client.ts'
import { paypalTools } from './commands.ts'
import { environment, productionUrl } from './environment.ts'
import { eraseFor, exportFor } from './privacy.ts'
import { createPayoutProvider } from './provider.ts'
import { createPageLinks, createReceivers } from './receivers.ts'
import { addressRoutes, webhookRoutes } from './routes.ts'
import { createPayPalService, handleEventJob } from './service.ts'
import * as tables from './tables.ts'

export const paypal = definePlugin({
  id: 'paypal',
  title: 'PayPal',
  summary: 'Pays partners to their PayPal address.',
  help: providerHelp,
  requires: [payouts, partners, notifications],
  tables,
  environment,
  data: {
    statement: 'The PayPal address that a partner gave, until erased. PayPal learns it with each payout and its amount.',
    exportPartner: exportFor,
    deletePartner: eraseFor,
  },
  setup: (house) => {
    const { db, clock, env, programs, use, url, secret } = house
    const { PAYPAL_CLIENT_ID: clientId, PAYPAL_CLIENT_SECRET: clientSecret, PAYPAL_WEBHOOK_ID: webhookId } = env
    const api =
      clientId && clientSecret
        ? createPayPalApi({ clientId, clientSecret, apiUrl: env.PAYPAL_API_URL ?? productionUrl, clock })
        : undefined
    const receivers = createReceivers({ db, clock, partners: use(partners) })
    const links = createPageLinks({ clock, key: secret('paypal.address') })
    const batches = createBatches({ db, clock })
    const programName = async (programId: string) => (await programs.byId(db, programId)).name
    const ports = { ...house, batches, receivers, links, programName, payouts: use(payouts), notifications: use(notifications) }
    const service = api && createPayPalService({ ...ports, api })
    const on = api && service && webhookId ? { api, service, webhookId } : undefined
    const webhookUrl = url('/webhooks/paypal')
    return {
      commandGroups: { 'admin paypal': 'Payouts through PayPal' },
      ...paypalTools({ ...ports, service, webhook: on !== undefined, webhookUrl }),
      routes: async (app) => {
        webhookRoutes({ ...ports, on })(app)
        addressRoutes(ports)(app)
      },
      jobs: service ? [handle(handleEventJob, ({ eventId }) => service.handleAlone(eventId))] : [],
      schedules: service ? [schedule('paypal.reconcile', { ms: minutes(5) }, service.reconcile)] : [],
      extends: api ? [extend(payoutProvider, createPayoutProvider({ ...ports, api }))] : [],
      checks: paypalChecks({ api, half: Boolean(clientId) !== Boolean(clientSecret), webhookId, webhookUrl }),
    }
  },
})
