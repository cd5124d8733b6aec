// Tracking: leads, sales and refunds that the company's own programs report through the public API.
import { figureSource } from '../analytics/public.ts'
import { attribution } from '../attribution/plugin.ts'
import { touchSource } from '../attribution/public.ts'
import { developer } from '../developer/plugin.ts'
import { apiHelp, apiScope } from '../developer/public.ts'
import { definePlugin, extend } from '../kit/index.ts'
import { links } from '../links/plugin.ts'
import { trackingCommands } from './commands.ts'
import { type Config, config } from './config.ts'
import { leadFigures } from './figures.ts'
import { createLeadService } from './leads.ts'
import { createPaymentService } from './payments.ts'
import type { Tracking } from './public.ts'
import { publicEvents } from './publicEvents.ts'
import { trackingRoutes } from './routes.ts'
import { scopes } from './scopes.ts'
import * as tables from './tables.ts'
import { leadTouches } from './touches.ts'
import { visitRoutes } from './visitRoutes.ts'
import { createVisits } from './visits.ts'

export const tracking = definePlugin<Config, Tracking>({
  id: 'tracking',
  title: 'Tracking by API',
  summary: 'Leads, sales and refunds that the company’s own programs report.',
  help: apiHelp,
  features: [20, 25, 69],
  requires: [attribution, developer, links],
  config,
  tables,
  data: {
    statement:
      'Leads and payments with their ids at the company, amounts and times, and a keyed hash of the e-mail address, never the address itself. Kept for as long as the program keeps its books.',
  },
  setup: (context) => {
    const { db, use, url } = context
    const visits = createVisits({ ...context, attribution: use(attribution), land: use(links).land })
    const leads = createLeadService({ ...context, attribution: use(attribution) })
    const payments = createPaymentService({ ...context, attribution: use(attribution) })
    return {
      public: { leads: leads.leads },
      commandGroups: { 'admin-api refunds': 'Refunds that were reported' },
      commands: trackingCommands({ ...context, payments }),
      routes: (app) => {
        trackingRoutes({ db, once: use(developer).once, leads, payments, attribution: use(attribution) })(app)
        visitRoutes({ visits, secure: url('/').startsWith('https:') })(app)
      },
      extends: [
        extend(figureSource, leadFigures),
        ...publicEvents,
        ...scopes.map((scope) => extend(apiScope, scope)),
        extend(touchSource, leadTouches(leads)),
      ],
    }
  },
})
