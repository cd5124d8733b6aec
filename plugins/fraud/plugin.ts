// Fraud: named signals add up to a score, suspicious commissions are held with a reason that the partner reads, and a person decides.
import { attribution } from '../attribution/plugin.ts'
import { channels } from '../channels/plugin.ts'
import { commissions } from '../commissions/plugin.ts'
import { definePlugin, extend } from '../kit/index.ts'
import { links } from '../links/plugin.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { partnerWitness } from '../partners/public.ts'
import { payouts } from '../payouts/plugin.ts'
import { fraudCommands } from './commands.ts'
import { fraudComponents } from './components.ts'
import { type Config, config } from './config.ts'
import { createReactions } from './listeners.ts'
import { eraseFor, exportFor } from './privacy.ts'
import { fraudHelp, fraudSignal } from './public.ts'
import { createFraudService } from './service.ts'
import { noteSighting } from './sightings.ts'
import { asSignal, builtInSignals } from './signals.ts'
import * as tables from './tables.ts'

export const fraud = definePlugin<Config>({
  id: 'fraud',
  title: 'Fraud',
  summary: 'Signals add up to a score, suspicious commissions are held, partners may appeal, and a person decides.',
  help: fraudHelp,
  requires: [partners, attribution, links, commissions, payouts, channels, notifications],
  config,
  tables,
  data: {
    statement:
      'Which signals saw something about a partner’s commission, with counts and times; what the partner wrote in an appeal; who decided and why; keyed hashes of the addresses a partner has used; and allowances; for 120 days, from which computers they opened pages of their own, as hashes that compare with the clicks of a single day only. Until erased; a case that waits for a decision is kept until then.',
    exportPartner: exportFor,
    deletePartner: eraseFor,
  },
  setup: ({ db, clock, discord, settings, enqueue, use, contributions }) => {
    const others = { partners: use(partners), attribution: use(attribution), links: use(links), payouts: use(payouts) }
    const service = createFraudService({
      clock,
      discord,
      settings,
      ...others,
      commissions: use(commissions),
      notifications: use(notifications),
      signals: () => contributions(fraudSignal),
    })
    const parts = { db, service, partners: use(partners) }
    return {
      commands: fraudCommands(parts),
      commandGroups: { 'admin fraud': 'Commissions that need a second look' },
      components: fraudComponents(parts),
      extends: [
        extend(partnerWitness, noteSighting(use(links))),
        ...builtInSignals.map((one) => extend(fraudSignal, asSignal(one))),
      ],
      ...createReactions({ db, clock, enqueue, service }),
    }
  },
})
