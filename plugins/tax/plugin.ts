// Tax: forms as providers tell of them and admins record them, the gate before a payout, and the report of a year. No tax number is stored.
import { definePlugin, extend } from '../kit/index.ts'
import { partners } from '../partners/plugin.ts'
import { payouts } from '../payouts/plugin.ts'
import { payoutGate, payoutHelp } from '../payouts/public.ts'
import { taxCommands } from './commands.ts'
import { type Config, config } from './config.ts'
import { taxListeners } from './listeners.ts'
import { eraseFor, exportFor } from './privacy.ts'
import type { Tax } from './public.ts'
import { createTaxService } from './service.ts'
import * as tables from './tables.ts'

export const tax = definePlugin<Config, Tax>({
  id: 'tax',
  title: 'Tax',
  summary: 'Keeps how far partners’ tax forms are, holds payouts that need one, and reports each year as CSV.',
  help: payoutHelp,
  requires: [partners, payouts],
  config,
  tables,
  data: {
    statement:
      'The country where a partner is liable, which tax form the payment provider has and how far it is, by the provider’s word and by hand; kept as long as payouts must be reported, without the person once erased. Tax numbers stay with the provider.',
    exportPartner: exportFor,
    deletePartner: eraseFor,
  },
  setup: ({ db, clock, settings, programs, use }) => {
    const service = createTaxService({ clock, settings, programs, partners: use(partners), payouts: use(payouts) })
    return {
      public: service,
      commandGroups: { 'admin tax': 'Tax forms and yearly reports' },
      commands: taxCommands({ db, partners: use(partners), service }),
      listeners: taxListeners(service),
      extends: [extend(payoutGate, service.gate)],
    }
  },
})
