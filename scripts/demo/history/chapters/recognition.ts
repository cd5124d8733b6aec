// Chapters about recognition: the board of each month, badges for all to see, and messages to the people concerned.
import { type Chapter, daily } from '../chapter.ts'
import type { Past } from '../past.ts'
import type { Story } from '../story.ts'

export const leaderboards: Chapter = {
  plugin: 'leaderboards',
  happenings: (story) => [
    ...story.parts
      .filter(({ fate }) => fate === 'works')
      .slice(4, 5)
      .map((part) => ({
        day: Math.min(part.joins + 2, story.days - 1),
        hour: 10,
        run: async (past: Past) => void (await past.run(past.actor(part.username), 'leaderboard opt-out')),
      })),
    ...daily(story, 21, async (past, day) => {
      if (day % 7 === 6 || day === story.days - 1) await past.tick('leaderboards.draw_open_boards')
    }),
  ],
  figures: { 'months with a board': 'select count(*) from leaderboards_months' },
}

export const badges: Chapter = {
  plugin: 'badges',
  happenings: (story) => [
    ...daily(story, 21, async (past, day) => {
      if (day % 14 === 13) await past.tick('badges.review_all')
    }),
    ...story.parts
      .filter(({ fate, username }) => fate === 'works' && !hasSold(story, username))
      .slice(-1)
      .map((part) => ({
        day: story.days - 1,
        hour: 17,
        run: async (past: Past) => {
          const { identity } = past.actor(part.username)
          const reason = 'Sold at the fair, before the program began.'
          await past.run('owner', 'admin badges award', { partner: { id: identity.id }, badge: 'badges:first_sale', reason })
        },
      })),
  ],
  figures: { badges: 'select count(*) from badges_awards' },
}

export const notifications: Chapter = {
  plugin: 'notifications',
  happenings: () => [],
  // How many messages there are in Discord depends on how quickly one piece of news follows another: those are told together.
  figures: { mails: 'select count(*) from notifications_mails' },
}

const hasSold = ({ orders, leads, deals }: Story, username: string): boolean =>
  [...orders, ...leads.filter(({ buys }) => buys), ...deals].some(({ partner }) => partner === username)
