// Commissions: what each attributed sale earns its partner, held, lowered and released by rule, and booked in the ledger.
import { agreements } from '../agreements/plugin.ts'
import { attribution } from '../attribution/plugin.ts'
import { definePlugin, extend } from '../kit/index.ts'
import { ledger } from '../ledger/plugin.ts'
import { projection } from '../ledger/public.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { commissionCommands } from './commands.ts'
import { type Config, config } from './config.ts'
import { commissionJobs, commissionSchedules } from './jobs.ts'
import { commissionListeners } from './listeners.ts'
import { commissionProjection } from './projection.ts'
import type { Commissions } from './public.ts'
import { createCommissionService } from './service.ts'
import * as tables from './tables.ts'

export const commissions = definePlugin<Config, Commissions>({
  id: 'commissions',
  title: 'Commissions',
  summary: 'Books what each sale earns its partner, holds it while it can be refunded, and releases it.',
  requires: [partners, agreements, attribution, ledger, notifications],
  config,
  tables,
  data: {
    statement:
      'What each sale earned, by partner id, with every change and its reason. Kept as long as the law asks of bookkeeping. No personal data of customers.',
  },
  setup: ({ db, clock, emit, enqueue, settings, use }) => {
    const service = createCommissionService({
      db,
      clock,
      emit,
      settings,
      ledger: use(ledger),
      partners: use(partners),
      agreements: use(agreements),
      attribution: use(attribution),
      notifications: use(notifications),
    })
    return {
      public: service,
      commandGroups: { earnings: 'What you have earned', 'admin commissions': 'What partners earn' },
      commands: commissionCommands({ db, emit, enqueue, service, partners: use(partners), ledger: use(ledger) }),
      listeners: commissionListeners(service),
      jobs: commissionJobs(service),
      schedules: commissionSchedules(service),
      extends: [extend(projection, commissionProjection(use(ledger)))],
    }
  },
})
