// Attribution: records payments as sales and decides, with a trace, which partner each belongs to.
import { figureSource } from '../analytics/public.ts'
import { definePlugin, extend } from '../kit/index.ts'
import { partners } from '../partners/plugin.ts'
import { attributionCommands, attributionComponents } from './commands.ts'
import { type Config, config } from './config.ts'
import { createCorrections } from './corrections.ts'
import { createEmailHash } from './emailHash.ts'
import { saleFigures } from './figures.ts'
import { createListing } from './listing.ts'
import { createPointing } from './pointing.ts'
import { type Attribution, saleFollower, saleHelp, touchSource } from './public.ts'
import { publicEvents } from './publicEvents.ts'
import { readRevenue } from './revenue.ts'
import { toSale } from './sale.ts'
import { createAttributionService } from './service.ts'
import * as tables from './tables.ts'

export const attribution = definePlugin<Config, Attribution>({
  id: 'attribution',
  title: 'Attribution',
  summary: 'Records payments as sales and decides, with a trace, which partner each belongs to.',
  help: saleHelp,
  requires: [partners],
  config,
  tables,
  data: {
    statement:
      'Sales with their amounts and times; customers under the payment provider’s key and a keyed hash of their e-mail address, never the address itself. Kept for as long as the program keeps its books.',
  },
  setup: ({ db, clock, emit, settings, use, contributions, secret }) => {
    const needs = {
      clock,
      emit,
      settings,
      partners: use(partners),
      touchSources: () => contributions(touchSource),
      hashEmail: createEmailHash(secret('attribution.email')),
    }
    const service = { ...createAttributionService(needs), ...createPointing(needs), ...createListing(toSale), revenue: readRevenue }
    const followers = () => contributions(saleFollower)
    const corrections = createCorrections({ clock, emit, partners: use(partners), followers, hashEmail: service.hashEmail })
    const parts = { db, service, partners: use(partners) }
    return {
      public: { ...service, ...corrections },
      commandGroups: { sales: 'The sales that came through you', 'admin sales': 'Sales and whose they are' },
      commands: attributionCommands(parts),
      components: attributionComponents(parts),
      extends: [...publicEvents, extend(figureSource, saleFigures)],
    }
  },
})
