// Links: referral links for partners, the redirect behind them, and honest click counts.
import { agreements } from '../agreements/plugin.ts'
import { figureSource } from '../analytics/public.ts'
import { attribution } from '../attribution/plugin.ts'
import { touchSource } from '../attribution/public.ts'
import { definePlugin, extend, readAttachment } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { type Config, config } from './config.ts'
import { environment } from './environment.ts'
import { createClickFacts } from './facts.ts'
import { clickFigures } from './figures.ts'
import { createLand } from './land.ts'
import { createLandingPages } from './landing/pages.ts'
import { manageLinks } from './manage.ts'
import { eraseFor, exportFor, statement } from './privacy.ts'
import { type Links, linkHelp } from './public.ts'
import { createRedirect } from './redirect.ts'
import { linkRoutes } from './routes.ts'
import { linkSchedules } from './schedules.ts'
import { createLinksService } from './service.ts'
import * as tables from './tables.ts'
import { clickTouches } from './touches.ts'
import { createWhereabouts } from './whereabouts.ts'

export const links = definePlugin<Config, Links>({
  id: 'links',
  title: 'Links',
  summary: 'Referral links for partners, the redirect behind them, and honest click counts.',
  help: linkHelp,
  requires: [partners, agreements, attribution, notifications],
  config,
  tables,
  environment,
  data: { statement, exportPartner: exportFor, deletePartner: eraseFor },
  setup: (context) => {
    const { clock, use, url } = context
    const service = createLinksService(context)
    const pages = createLandingPages(context)
    const whereabouts = createWhereabouts({
      ...context,
      partners: use(partners),
      hasSigned: (reader, partner) => use(agreements).hasSignedCurrent(reader, partner.programId, partner.id, clock.now()),
      windowDays: use(attribution).windowDays,
      landing: pages.landing,
    })
    const redirect = createRedirect({ ...context, whereabouts, key: context.secret('links.clicks') })
    const others = { partners: use(partners), notifications: use(notifications) }
    return {
      public: { ...service, ...createClickFacts(redirect.seals), land: createLand(redirect.follow) },
      ...manageLinks({ ...context, ...others, pages, urlOf: service.urlOf, standing: whereabouts.standing, readAttachment }),
      routes: linkRoutes({ redirect, secure: url('/').startsWith('https:') }),
      schedules: linkSchedules(context),
      gauges: redirect.gauges,
      stop: redirect.stop,
      extends: [extend(touchSource, clickTouches(service)), extend(figureSource, clickFigures)],
    }
  },
})
