// What people read about the leaderboard.
import { card, type Message, time } from '../../commands/messages.ts'
import { formatMoney, monthName } from '../kit/index.ts'
import type { Board, Standing } from './board.ts'
import type { Config } from './config.ts'

/** The board as it stands in its channel. It names nobody with a ping, and changes only when a place or figure does. */
export function boardMessage(board: Board, { places, showScores }: Pick<Config, 'places' | 'showScores'>): Message {
  const over = board.state === 'final' ? ' · final' : ''
  const lines = board.standings.slice(0, places).map((standing) => line(board, standing, showScores))
  const more = board.standings.length - lines.length
  return card({
    title: `🏆 ${board.metric.title} · ${monthName(board.month)}${over}`,
    body: [
      lines.length > 0 ? lines.join('\n') : emptyWords(board),
      ...(more > 0 ? [`… and ${more} more with sales to their name.`] : []),
      ...(board.state === 'provisional'
        ? [`The month is over. What is still on its way counts until ${time(board.finalAt, 'f')}.`]
        : []),
    ],
    tone: 'celebrate',
    footer: `${board.metric.counts(board.currency)} Rather not be listed? /leaderboard opt-out`,
  })
}

/** The answer to /leaderboard show: the board and the reader's own place. */
export function showMessage(
  board: Board,
  own: { partnerId: string; hidden: boolean },
  options: Pick<Config, 'places' | 'showScores'>,
): Message {
  const lines = board.standings.slice(0, options.places).map((standing) => line(board, standing, options.showScores))
  const mine = board.standings.find((standing) => standing.partnerId === own.partnerId)
  return card({
    title: `🏆 ${board.metric.title} · ${monthName(board.month)}${board.state === 'final' ? ' · final' : ''}`,
    body: [lines.length > 0 ? lines.join('\n') : emptyWords(board), yourPlace(board, mine, own.hidden)],
    tone: 'celebrate',
    footer: board.metric.counts(board.currency),
  })
}

function yourPlace(board: Board, mine: Standing | undefined, hidden: boolean): string {
  if (hidden) return 'You have asked not to be listed. `/leaderboard opt-in` puts you back.'
  if (mine) return `You are number **${mine.rank}** with **${score(board, mine.score)}**.`
  return board.state === 'running'
    ? 'You are not on the board yet: the first sale puts you there.'
    : 'You were not on the board this time.'
}

function emptyWords(board: Board): string {
  return board.state === 'running'
    ? 'Nobody is on the board yet. The first sale of the month takes the lead.'
    : 'Nobody made it onto the board this month. The next one starts fresh for everyone.'
}

const medals = ['🥇', '🥈', '🥉']

function line(board: Board, standing: Standing, showScores: boolean): string {
  const place = medals[standing.rank - 1] ?? `**${standing.rank}.**`
  const who = standing.userId ? `<@${standing.userId}>` : 'a partner who would rather not be named'
  return `${place} ${who}${showScores ? ` · **${score(board, standing.score)}**` : ''}`
}

function score({ metric, currency }: Board, value: bigint): string {
  if (metric.unit === 'money') return formatMoney(value, currency)
  return `${value} ${value === 1n ? metric.unit.one : metric.unit.many}`
}

export const hiddenMessage = (): Message =>
  card({
    title: 'You are off the leaderboard',
    body: 'Nobody sees your figures there any more. Your sales and commissions are not touched.',
    tone: 'good',
  })

export const shownMessage = (): Message =>
  card({ title: 'Welcome back on the leaderboard', body: 'Your sales of this month count, from its first day on.', tone: 'good' })

export function postedMessage(month: string, channelId: string | undefined): Message {
  return card(
    channelId
      ? { title: 'The board is up to date', body: `${monthName(month)} stands in <#${channelId}>.`, tone: 'good' }
      : {
          title: 'The board has no channel yet',
          body: 'It is ready and will be posted as soon as the channel exists. Run `/admin setup` to create it.',
          tone: 'warn',
        },
  )
}
