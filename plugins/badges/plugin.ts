// Badges: small rules over facts, awarded once, celebrated once; a few come with a role.
import { attribution } from '../attribution/plugin.ts'
import { definePlugin, extend } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { partnerHelp } from '../partners/public.ts'
import { badgeCommands } from './commands.ts'
import { type Config, config } from './config.ts'
import { createReactions } from './listeners.ts'
import { badgeRule } from './public.ts'
import { firstSale, firstSaleRole } from './rules.ts'
import { createBadgeService, eraseFor, exportFor } from './service.ts'
import * as tables from './tables.ts'

export const badges = definePlugin<Config>({
  id: 'badges',
  title: 'Badges',
  summary: 'Badges for what partners achieve, celebrated in the server; the greatest come with a role.',
  help: {
    partners: { id: 'badges', title: 'Badges', emoji: '🏅', about: 'What you have achieved, and what is still to be earned' },
    admins: partnerHelp.admins,
  },
  features: [22],
  requires: [partners, attribution, notifications],
  config,
  tables,
  blueprint: () => ({ roles: [firstSaleRole] }),
  data: {
    statement: 'Which badges a partner has, when and for what they were earned, and why one was taken back; until erased.',
    exportPartner: exportFor,
    deletePartner: eraseFor,
  },
  setup: ({ db, clock, emit, enqueue, discord, programs, settings, use, contributions }) => {
    const service = createBadgeService({
      db,
      clock,
      emit,
      discord,
      programs,
      settings,
      partners: use(partners),
      notifications: use(notifications),
      rules: () => contributions(badgeRule),
    })
    return {
      commands: badgeCommands({ db, service, partners: use(partners) }),
      commandGroups: { badges: 'What you have achieved', 'admin badges': 'Give and take back badges' },
      extends: [extend(badgeRule, firstSale(use(attribution)))],
      ...createReactions({ db, clock, enqueue, programs, attribution: use(attribution), service }),
    }
  },
})
