// Leaderboards: who leads this month, computed from facts, posted in the server, final when the month is over.
import { attribution } from '../attribution/plugin.ts'
import { definePlugin, extend } from '../kit/index.ts'
import { partners } from '../partners/plugin.ts'
import { leaderboardCommands } from './commands.ts'
import { type Config, config } from './config.ts'
import { createReactions } from './listeners.ts'
import { leaderboardMetric } from './public.ts'
import { revenueMetric } from './revenue.ts'
import { createLeaderboardService, eraseFor, exportFor } from './service.ts'
import * as tables from './tables.ts'

export const leaderboards = definePlugin<Config>({
  id: 'leaderboards',
  title: 'Leaderboards',
  summary: 'Who leads this month, posted in the server and final when the month is over.',
  help: {
    partners: { id: 'leaderboard', title: 'Leaderboard', emoji: '🏆', about: 'Who leads this month, and where you stand' },
    admins: { id: 'leaderboard', title: 'Leaderboard', emoji: '🏆', about: 'The board that is posted in the server' },
  },
  features: [21],
  requires: [partners, attribution],
  config,
  tables,
  data: {
    statement:
      'The places and scores of finished months with the Discord id of each partner on them, and who asked not to be listed; until erased. Running months are computed and not stored.',
    exportPartner: exportFor,
    deletePartner: eraseFor,
  },
  setup: ({ db, clock, enqueue, discord, programs, settings, use, contributions }) => {
    const service = createLeaderboardService({
      db,
      clock,
      discord,
      programs,
      settings,
      partners: use(partners),
      metrics: () => contributions(leaderboardMetric),
    })
    const { redraw, ...reactions } = createReactions({ db, clock, enqueue, programs, attribution: use(attribution), service })
    return {
      commands: leaderboardCommands({ db, discord, service, partners: use(partners), settings, redraw }),
      commandGroups: { leaderboard: 'Who leads, and where you stand', 'admin leaderboards': 'The boards of the program' },
      extends: [extend(leaderboardMetric, revenueMetric(use(attribution)))],
      ...reactions,
    }
  },
})
