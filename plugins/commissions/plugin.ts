// Commissions: what each attributed sale earns its partner, held, lowered and released by rule, and booked in the ledger.
import { agreements } from '../agreements/plugin.ts'
import { attribution } from '../attribution/plugin.ts'
import { definePlugin } from '../kit/index.ts'
import { ledger } from '../ledger/plugin.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { commissionCommands, commissionGroups } from './commands.ts'
import { type Config, config } from './config.ts'
import { commissionExtensions } from './extensions.ts'
import { commissionJobs, commissionSchedules } from './jobs.ts'
import { commissionListeners } from './listeners.ts'
import { type Commissions, commissionHelp, tierSource } from './public.ts'
import { createRuleBook } from './ruleBook.ts'
import { ruleComponents } from './ruleCommands.ts'
import { createStampers } from './rules.ts'
import { createCommissionService } from './service.ts'
import { createStatementService } from './statements.ts'
import * as tables from './tables.ts'

export const commissions = definePlugin<Config, Commissions>({
  id: 'commissions',
  title: 'Commissions',
  summary: 'Books what each sale earns its partner, holds it while it can be refunded, and releases it.',
  help: commissionHelp,
  requires: [partners, agreements, attribution, ledger, notifications],
  config,
  tables,
  data: {
    statement:
      'What each sale earned, by partner id, with every change and its reason. Kept as long as the law asks of bookkeeping. No personal data of customers.',
  },
  setup: ({ use, contributions, ...host }) => {
    const others = {
      ledger: use(ledger),
      partners: use(partners),
      agreements: use(agreements),
      attribution: use(attribution),
      notifications: use(notifications),
    }
    const chooses = { ...host, ...others, tiers: () => contributions(tierSource) }
    const service = createCommissionService({ ...host, ...others, ...createStampers(chooses) })
    const statements = createStatementService({ ...host, ...others, commissions: service })
    const needs = { ...host, ...others, service, statements, book: createRuleBook(chooses) }
    return {
      public: service,
      commandGroups: commissionGroups,
      commands: commissionCommands(needs),
      components: ruleComponents(needs),
      listeners: commissionListeners(service),
      jobs: commissionJobs(service),
      schedules: commissionSchedules(service, statements),
      extends: commissionExtensions(service, others.ledger),
    }
  },
})
