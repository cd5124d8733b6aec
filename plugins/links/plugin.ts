// Links: referral links for partners, the redirect behind them, and honest click counts.
import { agreements } from '../agreements/plugin.ts'
import { attribution } from '../attribution/plugin.ts'
import { touchSource } from '../attribution/public.ts'
import { definePlugin, extend, hours, schedule } from '../kit/index.ts'
import { partners } from '../partners/plugin.ts'
import { linkCommands, linkComponents } from './commands.ts'
import { type Config, config } from './config.ts'
import type { Links } from './public.ts'
import { linkRoutes } from './routes.ts'
import { createLinksService } from './service.ts'
import * as tables from './tables.ts'

export const links = definePlugin<Config, Links>({
  id: 'links',
  title: 'Links',
  summary: 'Referral links for partners, the redirect behind them, and honest click counts.',
  requires: [partners, agreements, attribution],
  config,
  tables,
  data: {
    statement:
      'Partners’ links, and clicks with their time, link and a hash of address and browser whose salt changes daily; no address is kept. Clicks are deleted after two years, those of bots after a week, unless the program sets other terms.',
  },
  setup: ({ db, clock, log, settings, use, programs, url, secret }) => {
    const service = createLinksService({
      clock,
      settings,
      partners: use(partners),
      hasSigned: (reader, partner) => use(agreements).hasSignedCurrent(reader, partner.programId, partner.id, clock.now()),
      url,
      key: secret('links.clicks'),
    })
    const parts = { db, service, partners: use(partners) }
    return {
      public: service,
      commandGroups: { link: 'Your links' },
      commands: linkCommands(parts),
      components: linkComponents(parts),
      routes: linkRoutes({
        db,
        log,
        service,
        programs,
        windowDays: (programId) => use(attribution).windowDays(db, programId),
        secure: url('/').startsWith('https:'),
      }),
      schedules: [
        schedule('links.forget_clicks', { ms: hours(6) }, async () => {
          for (const program of await programs.all(db)) await service.forgetClicks(db, program.id)
        }),
      ],
      extends: [
        extend(touchSource, {
          kind: 'click',
          find: async (reader, programId, { clickId }) =>
            (clickId ? await service.trail(reader, programId, clickId) : []).map(({ id, partnerId, at }) => ({
              kind: 'click',
              partnerId,
              at,
              reference: id,
            })),
        }),
      ],
    }
  },
})
