// Payouts: where partners are paid, who is paid what, and that nobody is paid twice.
import { agreements } from '../agreements/plugin.ts'
import { commissions } from '../commissions/plugin.ts'
import { definePlugin, readAttachment } from '../kit/index.ts'
import { ledger } from '../ledger/plugin.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { adminTools, payoutCommands } from './commands.ts'
import { payoutComponents } from './components.ts'
import { type Config, config } from './config.ts'
import { payoutExtensions } from './extensions.ts'
import { payoutGauges } from './gauges.ts'
import { identifyWith } from './identity.ts'
import { payoutWork } from './jobs.ts'
import { createManual } from './manual.ts'
import { createMethods } from './methods.ts'
import { eraseFor, exportFor, whyNotYet } from './privacy.ts'
import { type Payouts, payoutGate, payoutHelp, payoutProvider } from './public.ts'
import { payoutRoutes } from './routes.ts'
import { createScheduler } from './schedule.ts'
import { createSender } from './send.ts'
import { createPayoutService } from './service.ts'
import * as tables from './tables.ts'

export const payouts = definePlugin<Config, Payouts>({
  id: 'payouts',
  title: 'Payouts',
  summary: 'Pays partners through payout providers: dry run, run, approval, confirmation, and never twice.',
  help: payoutHelp,
  requires: [partners, agreements, commissions, ledger, notifications],
  config,
  tables,
  data: {
    statement:
      'The payment provider’s account id of a partner, whether it can be paid, and a keyed hash of each place that its money can go to; for payment by hand a short reference, until erased; each payout with its amount and times. Bank details and tax numbers stay with the provider. Payouts are kept as long as the law asks of bookkeeping.',
    exportPartner: exportFor,
    whyNotYet,
    deletePartner: eraseFor,
  },
  setup: (house) => {
    const { db, clock, settings, use, contributions } = house
    const providers = () => contributions(payoutProvider)
    const known = { ...house, providers, partners: use(partners), ledger: use(ledger), commissions: use(commissions) }
    const others = { agreements: use(agreements), notifications: use(notifications), gates: () => contributions(payoutGate) }
    const service = createPayoutService({ ...known, ...others, identify: identifyWith(house.secret('payouts.identity')) })
    const manual = createManual({ ...known, service })
    const scheduler = createScheduler({ ...house, service })
    const methods = createMethods({ ...known, service, manual: manual.onboarding })
    return {
      public: service,
      commandGroups: { payout: 'Where your money goes', 'admin payouts': 'Pay the partners' },
      commands: payoutCommands({ db, settings, service, methods, manual, readAttachment, partners: use(partners) }),
      components: payoutComponents({ ...adminTools({ db, partners: use(partners) }), service }),
      routes: payoutRoutes(methods, manual),
      gauges: payoutGauges(db, clock),
      ...payoutWork({ service, providers, sender: createSender({ db, clock, service, providers }), scheduler }),
      extends: payoutExtensions(use(ledger)),
    }
  },
})
