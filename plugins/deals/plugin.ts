// Deals: partners register prospects, the first is protected, staff decide, and a won deal is a sale.
import { attribution } from '../attribution/plugin.ts'
import { touchSource } from '../attribution/public.ts'
import { channels } from '../channels/plugin.ts'
import { days, definePlugin, extend, hours, schedule } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { dealCommands } from './commands.ts'
import { dealComponents } from './components.ts'
import { type Config, config } from './config.ts'
import { dealListeners } from './listeners.ts'
import { createDealPayments } from './payments.ts'
import { eraseFor, exportFor } from './privacy.ts'
import { createDealService } from './service.ts'
import * as tables from './tables.ts'

export const deals = definePlugin<Config>({
  id: 'deals',
  title: 'Deals',
  summary: 'Partners register prospects, the first one is protected, staff decide, and a won deal is a sale.',
  help: {
    partners: { id: 'deals', title: 'Deals', emoji: '🤝', about: 'Register companies that might buy, and protect them for you' },
    admins: { id: 'deals', title: 'Deals', emoji: '🤝', about: 'Accept, reject and record what partners registered' },
  },
  requires: [partners, attribution, notifications, channels],
  config,
  tables,
  data: {
    statement:
      'Registered prospects: company, a contact’s e-mail address, expected value and notes. The address and the notes are deleted 30 days after the deal is over, unless the program sets another term; a keyed hash of the address stays. Forms that were refused for 7 days.',
    exportPartner: exportFor,
    deletePartner: eraseFor,
  },
  setup: ({ db, clock, emit, settings, discord, programs, use }) => {
    const needs = { clock, discord, attribution: use(attribution), notifications: use(notifications) }
    const service = createDealService({ db, emit, settings, ...needs })
    const payments = createDealPayments({ ...needs, service })
    const parts = { db, service, partners: use(partners), payments }
    const everywhere = async (work: (programId: string) => Promise<unknown>) => {
      for (const { id } of await programs.all(db)) await work(id)
    }
    return {
      commandGroups: { deal: 'Companies that might buy', 'admin deals': 'Deals that partners registered' },
      commands: dealCommands(parts),
      components: dealComponents(parts),
      listeners: dealListeners(payments),
      schedules: [
        schedule('deals.expire', { ms: hours(1) }, () => everywhere(service.expireDue)),
        schedule('deals.forget', { ms: days(1) }, () => everywhere(service.forget)),
      ],
      extends: [extend(touchSource, service.touches)],
    }
  },
})
