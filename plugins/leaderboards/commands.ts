// What partners and admins may ask of the leaderboard. Answers are for the asker alone: the board itself stands in its channel for all.
import { type Command, type Ctx, defineCommand } from '../../commands/define.ts'
import { type Db, type DiscordEffects, type Month, previousMonth, type Settings, type Tx } from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import type { Config } from './config.ts'
import { hiddenMessage, postedMessage, showMessage, shownMessage } from './messages.ts'
import { boardChannel, type LeaderboardService } from './service.ts'

export function leaderboardCommands(parts: {
  db: Db
  discord: DiscordEffects
  service: LeaderboardService
  partners: Partners
  settings: Settings<Config>
  /** Asks for the running month's board to be drawn again. */
  redraw: (tx: Tx, programId: string) => Promise<void>
}): Command[] {
  const { db, discord, service, partners, settings, redraw } = parts
  const monthFor = async (ctx: Ctx, period: string | undefined): Promise<Month> => {
    const month = await service.monthAt(db, ctx.program.id, ctx.now)
    return period === 'last-month' ? previousMonth(month) : month
  }
  return [
    defineCommand({
      path: 'leaderboard show',
      description: 'Who leads, and where you stand',
      options: {
        period: {
          type: 'string',
          description: 'Which month (this one if left out)',
          choices: [
            { name: 'This month', value: 'this-month' },
            { name: 'Last month', value: 'last-month' },
          ],
        },
      },
      access: partners.active,
      reply: 'ephemeral',
      run: async (ctx, { period }) => {
        const { id } = await partners.require(db, ctx)
        const board = await service.board(db, ctx.program.id, await monthFor(ctx, period))
        const hidden = await service.hasOptedOut(db, ctx.program.id, ctx.user.id)
        return showMessage(board, { partnerId: id, hidden }, await settings.of(db, ctx.program.id))
      },
    }),
    defineCommand({
      path: 'leaderboard opt-out',
      description: 'Take yourself off the leaderboard',
      access: partners.registered,
      reply: 'ephemeral',
      run: async (ctx) => {
        await db.transaction(async (tx) => {
          await service.optOut(tx, ctx.program.id, ctx.user.id)
          await redraw(tx, ctx.program.id)
        })
        return hiddenMessage()
      },
    }),
    defineCommand({
      path: 'leaderboard opt-in',
      description: 'Come back to the leaderboard',
      access: partners.registered,
      reply: 'ephemeral',
      run: async (ctx) => {
        await db.transaction(async (tx) => {
          await service.optIn(tx, ctx.program.id, ctx.user.id)
          await redraw(tx, ctx.program.id)
        })
        return shownMessage()
      },
    }),
    defineCommand({
      path: 'admin leaderboards post',
      description: 'Bring the board of this month up to date now',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => {
        const month = await monthFor(ctx, undefined)
        await service.bringUpToDate(ctx.program.id, month)
        return postedMessage(month, await discord.idOf(db, ctx.program.id, 'channel', boardChannel))
      },
    }),
  ]
}
