// The public API: keys that programs of the company call it with, and what all of its routes have in common.
import { definePlugin, schedule } from '../kit/index.ts'
import { type Config, config } from './config.ts'
import { keyCommands } from './keyCommands.ts'
import { createKeyService } from './keys.ts'
import { createOnce, pruneAnswers } from './once.ts'
import { apiScope, type Developer } from './public.ts'
import * as tables from './tables.ts'

export const developer = definePlugin<Config, Developer>({
  id: 'developer',
  title: 'Public API',
  summary: 'API keys and what all routes of the public API have in common.',
  features: [69],
  config,
  tables,
  data: {
    statement:
      'API keys with the Discord id of the admin who made them, for as long as the program exists; of a key only its hash.',
  },
  setup: ({ db, clock, settings, contributions }) => {
    const keys = createKeyService({ db, clock, settings, scopes: () => contributions(apiScope) })
    return {
      public: { once: createOnce({ db, clock }) },
      commandGroups: { 'admin-api': 'The public API', 'admin-api keys': 'Keys for the public API' },
      commands: keyCommands({ db, keys }),
      schedules: [schedule('developer.prune', { cron: '41 3 * * *' }, () => pruneAnswers(db, clock.now()))],
      keyGuard: { identify: keys.identify, scopes: () => keys.scopes().map((scope) => scope.name) },
    }
  },
})
