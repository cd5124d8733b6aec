// The public API: keys that programs of the company call it with, the feed of events, and webhooks.
import { staffChannel } from '../channels/public.ts'
import { definePlugin, extend, handle } from '../kit/index.ts'
import { developerCommands } from './commands.ts'
import { type Config, config } from './config.ts'
import { createDelivery, deliverJob } from './deliver.ts'
import { docsRoutes } from './docs.ts'
import { createEndpointService } from './endpoints.ts'
import { environment } from './environment.ts'
import { eventRoutes } from './eventRoutes.ts'
import { createFeed } from './feed.ts'
import { developerChecks, developerGauges } from './health.ts'
import { createKeyService } from './keys.ts'
import { createOnce } from './once.ts'
import { eraseFor, exportFor } from './privacy.ts'
import { apiHelp, apiScope, type Developer, publicEvent } from './public.ts'
import { developerSchedules } from './schedules.ts'
import { createSender } from './sender.ts'
import * as tables from './tables.ts'

export const developer = definePlugin<Config, Developer>({
  id: 'developer',
  title: 'Public API',
  summary: 'API keys, the feed of events, outgoing webhooks, and what all routes of the public API have in common.',
  help: apiHelp,
  features: [69],
  config,
  tables,
  environment,
  data: {
    statement:
      'API keys and webhooks with the Discord id of the admin who made them, for as long as the program exists; of a key only its hash. Events with the ids of partners, sales and payouts, for 90 days unless the program sets another term; those with a Discord id until erased.',
    exportPartner: exportFor,
    deletePartner: eraseFor,
  },
  setup: (context) => {
    const { db, clock, env, contributions, secret } = context
    const publicEvents = () => contributions(publicEvent)
    const allowPrivate = env.WEBHOOK_ALLOW_PRIVATE === 'true'
    const send = createSender({ allowPrivate })
    const keys = createKeyService({ ...context, scopes: () => contributions(apiScope) })
    const endpoints = createEndpointService({ clock, key: secret('developer.webhooks'), allowPrivate, publicEvents })
    const feed = createFeed({ ...context, publicEvents, onSealed: endpoints.spread })
    const delivery = createDelivery({ ...context, endpoints, send, channel: staffChannel })
    return {
      public: { once: createOnce({ db, clock }) },
      ...developerCommands({ db, keys, endpoints, send }),
      routes: (app) => {
        eventRoutes({ feed })(app)
        docsRoutes({ publicEvents, url: context.url })(app)
      },
      jobs: [handle(deliverJob, ({ programId, endpointId }, { signal }) => delivery.deliver(programId, endpointId, signal))],
      schedules: developerSchedules({ ...context, feed, delivery }),
      gauges: developerGauges(db),
      checks: developerChecks(db),
      extends: [extend(apiScope, { name: 'events:read', describes: 'Read the feed of events' })],
      keyGuard: { identify: keys.identify, scopes: () => keys.scopes().map((scope) => scope.name) },
    }
  },
})
