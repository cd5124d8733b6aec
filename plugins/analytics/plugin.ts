// Analytics: clicks, leads, sales and what they earn, by link, place and time, for partners, admins and programs.
import { apiScope } from '../developer/public.ts'
import { definePlugin, extend } from '../kit/index.ts'
import { linkCardPart } from '../links/public.ts'
import { partners } from '../partners/plugin.ts'
import { statsCommands } from './commands.ts'
import { onLinkCard } from './linkCard.ts'
import { forgetLook, storedLook } from './looks.ts'
import { createPainter } from './picture/painter.ts'
import { figureSource } from './public.ts'
import { createReports, type Reports } from './report.ts'
import { analyticsRoutes, analyticsScope } from './routes.ts'
import * as tables from './tables.ts'

export const analytics = definePlugin<Record<never, never>, Reports>({
  id: 'analytics',
  title: 'Statistics',
  summary: 'Clicks, leads, sales and what they earn, by link, place and day, as cards, pictures, files and for other programs.',
  help: {
    partners: {
      id: 'figures',
      title: 'Your figures',
      emoji: '📊',
      about: 'Clicks, sales and what they earn, as picture and as file',
    },
    admins: {
      id: 'figures',
      title: 'Figures',
      emoji: '📊',
      about: 'Clicks, sales and what they earn: the program’s and each partner’s',
    },
  },
  features: [25, 42, 44],
  requires: [partners],
  tables,
  data: {
    statement: 'Whether you want pictures dark or light, until erased. Figures are counted from what other parts store.',
    exportPartner: storedLook,
    deletePartner: forgetLook,
  },
  setup: ({ contributions, use, ...host }) => {
    const reports = createReports(() => contributions(figureSource))
    const painter = createPainter()
    const parts = { ...host, reports, painter, partners: use(partners) }
    return {
      public: reports,
      commandGroups: { stats: 'Your clicks, sales and what they earn', 'admin-stats': 'The figures of the program' },
      commands: statsCommands(parts),
      routes: analyticsRoutes(parts),
      extends: [extend(apiScope, analyticsScope), extend(linkCardPart, onLinkCard(reports))],
      stop: painter.stop,
    }
  },
})
