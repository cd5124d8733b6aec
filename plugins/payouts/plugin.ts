// Payouts: where partners are paid, who is paid what, and that nobody is paid twice.
import { agreements } from '../agreements/plugin.ts'
import { commissions } from '../commissions/plugin.ts'
import { definePlugin, extend } from '../kit/index.ts'
import { ledger } from '../ledger/plugin.ts'
import { projection } from '../ledger/public.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { payoutCommands } from './commands.ts'
import { type Config, config } from './config.ts'
import { payoutJobs, payoutSchedules } from './jobs.ts'
import { createMethods } from './methods.ts'
import { payoutProjection } from './projection.ts'
import { type Payouts, payoutProvider } from './public.ts'
import { payoutRoutes } from './routes.ts'
import { createSender } from './send.ts'
import { createPayoutService } from './service.ts'
import * as tables from './tables.ts'

export const payouts = definePlugin<Config, Payouts>({
  id: 'payouts',
  title: 'Payouts',
  summary: 'Pays partners through payout providers: dry run, run, approval, confirmation, and never twice.',
  requires: [partners, agreements, commissions, ledger, notifications],
  config,
  tables,
  data: {
    statement:
      'The payment provider’s account id of a partner and whether it can be paid; each payout with its amount and times. Bank details and tax numbers stay with the provider. Payouts are kept as long as the law asks of bookkeeping.',
  },
  setup: ({ db, clock, emit, enqueue, settings, programs, tokens, url, use, contributions }) => {
    const providers = () => contributions(payoutProvider)
    const service = createPayoutService({
      db,
      clock,
      emit,
      enqueue,
      settings,
      programs,
      ledger: use(ledger),
      partners: use(partners),
      agreements: use(agreements),
      commissions: use(commissions),
      notifications: use(notifications),
    })
    const methods = createMethods({ db, clock, tokens, url, partners: use(partners), service, providers })
    return {
      public: service,
      commandGroups: { payout: 'Where your money goes', 'admin payouts': 'Pay the partners' },
      commands: payoutCommands({ db, settings, service, methods, partners: use(partners) }),
      routes: payoutRoutes(methods),
      jobs: payoutJobs(createSender({ db, service, providers })),
      schedules: payoutSchedules(service),
      extends: [extend(projection, payoutProjection(use(ledger)))],
    }
  },
})
