// Partners: people who register, verify their e-mail, meet the requirements and become active.
import { days, definePlugin, memberJoined, memberLeft, on, schedule } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { createCommands } from './commands.ts'
import { createComponents } from './components.ts'
import { config, type PartnersConfig } from './config.ts'
import { eraseFor, exportFor } from './privacy.ts'
import { activationRequirement, type Partners, partnerCardPart, partnerHelp, partnerWitness } from './public.ts'
import { publicEvents } from './publicEvents.ts'
import { createRoutes } from './routes.ts'
import { createPartnerService } from './service.ts'
import { suspensionCommands } from './suspensionCommands.ts'
import { createSuspensions } from './suspensions.ts'
import * as tables from './tables.ts'

export const partners = definePlugin<PartnersConfig, Partners>({
  id: 'partners',
  title: 'Partners',
  summary: 'Registration, e-mail verification, the way to an active partner, and profiles.',
  help: partnerHelp,
  features: [1, 2, 4, 5, 15],
  requires: [notifications],
  config,
  tables,
  data: {
    statement:
      'Discord id, name, e-mail, industry, status, the dates of each step and why the team suspended somebody, until erased. A form that was refused for 7 days. Which addresses verification mails went to.',
    exportPartner: exportFor,
    deletePartner: eraseFor,
  },
  setup: ({ use, contributions, ...house }) => {
    const { db, settings } = house
    const service = createPartnerService({
      ...house,
      notifications: use(notifications),
      requirements: () => contributions(activationRequirement),
    })
    const seen: Partners['seen'] = async (tx, sighting) => {
      for (const witness of contributions(partnerWitness)) await witness(tx, sighting)
    }
    const suspensions = createSuspensions({ ...house, notifications: use(notifications), service })
    const parts = { db, service, settings, cardParts: () => contributions(partnerCardPart) }
    return {
      public: { ...service, seen },
      commands: [...createCommands(parts), ...suspensionCommands({ db, suspensions })],
      commandGroups: { profile: 'Your details as a partner', 'admin partners': 'The partners of the program' },
      components: createComponents(parts),
      routes: createRoutes(service),
      listeners: [on(memberJoined, 'partners.note_joined', service.joined), on(memberLeft, 'partners.note_left', service.left)],
      schedules: [schedule('partners.forget_drafts', { ms: days(1) }, service.forgetDrafts)],
      extends: publicEvents,
    }
  },
})
