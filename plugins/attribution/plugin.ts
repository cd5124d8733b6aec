// Attribution: records payments as sales and decides, with a trace, which partner each belongs to.
import { createHmac } from 'node:crypto'
import { figureSource } from '../analytics/public.ts'
import { definePlugin, extend } from '../kit/index.ts'
import { partners } from '../partners/plugin.ts'
import { attributionCommands, attributionComponents } from './commands.ts'
import { type Config, config } from './config.ts'
import { createCorrections } from './corrections.ts'
import { saleFigures } from './figures.ts'
import { createListing } from './listing.ts'
import { createPointing } from './pointing.ts'
import { type Attribution, saleFollower, touchSource } from './public.ts'
import { publicEvents } from './publicEvents.ts'
import { readRevenue } from './revenue.ts'
import { toSale } from './sale.ts'
import { createAttributionService } from './service.ts'
import * as tables from './tables.ts'

export const attribution = definePlugin<Config, Attribution>({
  id: 'attribution',
  title: 'Attribution',
  summary: 'Records payments as sales and decides, with a trace, which partner each belongs to.',
  requires: [partners],
  config,
  tables,
  data: {
    statement:
      'Sales with their amounts and times; customers under the payment provider’s key and a keyed hash of their e-mail address, never the address itself. Kept for as long as the program keeps its books.',
  },
  setup: ({ db, clock, emit, settings, use, contributions, secret }) => {
    const key = secret('attribution.email')
    const needs = {
      clock,
      emit,
      settings,
      partners: use(partners),
      touchSources: () => contributions(touchSource),
      hashEmail: remembering((email) =>
        createHmac('sha256', key).update(email.normalize('NFC').trim().toLowerCase()).digest('base64url'),
      ),
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

const mostRemembered = 10_000

/** A keyed hash takes longer than all else that is done with an address, and every sale asks for those of its partner. */
function remembering(of: (text: string) => string): (text: string) => string {
  const known = new Map<string, string>()
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    const made = of(text)
    if (known.size >= mostRemembered) known.clear()
    known.set(text, made)
    return made
  }
}
