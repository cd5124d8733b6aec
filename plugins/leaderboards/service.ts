// The rules of leaderboards: a month's board is computed from facts as often as one likes, and frozen once.
import { and, asc, eq, isNull, sql } from 'drizzle-orm'
import {
  type Clock,
  type Db,
  type DiscordEffects,
  hours,
  type Month,
  monthOf,
  type Program,
  type Programs,
  type Reader,
  rangeOf,
  type Settings,
  type Tx,
  UserError,
} from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import type { Board, Standing } from './board.ts'
import type { Config } from './config.ts'
import { boardMessage } from './messages.ts'
import type { Metric } from './public.ts'
import { decideRanking } from './ranking.ts'
import { revenueMetricId } from './revenue.ts'
import { months, optOuts, results } from './tables.ts'

export const boardChannel = 'channels:leaderboard'
export const boardKey = (month: Month) => `leaderboards:${month}`

export interface LeaderboardService {
  board(reader: Reader, programId: string, month: Month): Promise<Board>
  /** Posts or mends the month's board in its channel; freezes the month first when it is due. */
  bringUpToDate(programId: string, month: Month): Promise<void>
  /** The months whose boards may still change: the running one, and those that are over and not final. */
  openMonths(program: Program): Promise<Month[]>
  monthAt(reader: Reader, programId: string, at: Date): Promise<Month>
  optOut(tx: Tx, programId: string, userId: string): Promise<void>
  optIn(tx: Tx, programId: string, userId: string): Promise<void>
  hasOptedOut(reader: Reader, programId: string, userId: string): Promise<boolean>
}

export function createLeaderboardService(ports: {
  db: Db
  clock: Clock
  discord: DiscordEffects
  programs: Programs
  settings: Settings<Config>
  partners: Pick<Partners, 'list'>
  metrics: () => readonly Metric[]
}): LeaderboardService {
  const { db, clock, discord, programs, settings, partners, metrics } = ports

  const metricOf = (id: string): Metric => {
    const found = metrics().find((metric) => metric.id === id) ?? metrics().find((metric) => metric.id === revenueMetricId)
    if (!found) throw new Error('the metric of sales is missing')
    return found
  }
  const one = (programId: string, month: Month) => and(eq(months.programId, programId), eq(months.month, month))
  const headerOf = async (reader: Reader, programId: string, month: Month) =>
    (await reader.select().from(months).where(one(programId, month)))[0]
  const hiddenUsers = async (reader: Reader, programId: string) =>
    new Set((await reader.select().from(optOuts).where(eq(optOuts.programId, programId))).map((row) => row.userId))

  async function board(reader: Reader, programId: string, month: Month): Promise<Board> {
    const program = await programs.byId(reader, programId)
    const own = await settings.of(reader, programId)
    const header = await headerOf(reader, programId, month)
    const metric = metricOf(header?.metric ?? own.metric)
    const { to } = rangeOf(month, program.timeZone)
    const finalAt = header?.frozenAt ?? new Date(to.getTime() + hours(own.graceHours))
    const currency = header?.currency ?? program.currency
    const standings = header?.frozenAt
      ? await frozen(reader, programId, month)
      : await computed(reader, { ...program, currency }, month, metric, own)
    const state = header?.frozenAt ? 'final' : clock.now() < to ? 'running' : 'provisional'
    return { month, metric, currency, standings, state, finalAt }
  }

  /** Active partners who compete, from the facts as they are now. */
  async function computed(reader: Reader, program: Program, month: Month, metric: Metric, own: Config): Promise<Standing[]> {
    const absent = new Set([...own.staff, ...(await hiddenUsers(reader, program.id))])
    const competing = new Map(
      (await partners.list(reader, program.id, { status: 'active' }))
        .filter((partner) => !absent.has(partner.userId))
        .map((partner) => [partner.id, partner.userId]),
    )
    const scores = await metric.scores(reader, program, rangeOf(month, program.timeZone))
    return decideRanking(scores.filter(({ partnerId }) => competing.has(partnerId))).map(({ rank, partnerId, score }) => ({
      rank,
      partnerId,
      userId: competing.get(partnerId),
      score,
    }))
  }

  /** The result as it was frozen; who has asked since not to be named keeps the place without the name. */
  async function frozen(reader: Reader, programId: string, month: Month): Promise<Standing[]> {
    const hidden = await hiddenUsers(reader, programId)
    const rows = await reader
      .select()
      .from(results)
      .where(and(eq(results.programId, programId), eq(results.month, month)))
      .orderBy(asc(results.position))
    return rows.map(({ rank, partnerId, userId, score }) => ({
      rank,
      partnerId,
      userId: hidden.has(userId) ? undefined : userId,
      score,
    }))
  }

  async function freeze(tx: Tx, programId: string, { month, standings }: Board): Promise<void> {
    const rows = standings.map(({ rank, partnerId, userId, score }, i) => ({
      position: i + 1,
      rank,
      partner_id: partnerId,
      user_id: userId,
      score: score.toString(),
    }))
    // As one value: a statement has room for parameters of some nine thousand rows only.
    await tx.execute(sql`
      insert into leaderboards_results (program_id, month, position, rank, partner_id, user_id, score)
      select ${programId}::uuid, ${month}, position, rank, partner_id, user_id, score
      from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r (position integer, rank integer, partner_id uuid, user_id text, score bigint)`)
    await tx.update(months).set({ frozenAt: clock.now() }).where(one(programId, month))
  }

  return {
    board,
    bringUpToDate: (programId, month) =>
      db.transaction(async (tx) => {
        // One at a time per board: the later run sees every fact that the earlier one saw, so the board never goes back.
        await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`leaderboards ${programId} ${month}`}, 0))`)
        const own = await settings.of(tx, programId)
        const { currency } = await programs.byId(tx, programId)
        // Sales of long ago (an import) open no boards of long ago.
        const isNew = (await headerOf(tx, programId, month)) === undefined
        if (isNew && (await board(tx, programId, month)).finalAt <= clock.now()) return
        await tx
          .insert(months)
          .values({ programId, month, metric: metricOf(own.metric).id, currency })
          .onConflictDoNothing()
        let current = await board(tx, programId, month)
        if (current.state === 'provisional' && current.finalAt <= clock.now()) {
          await freeze(tx, programId, current)
          current = await board(tx, programId, month)
        }
        await discord.post(tx, { programId, key: boardKey(month), channel: boardChannel, message: boardMessage(current, own) })
      }),
    openMonths: async (program) => {
      const open = await db
        .select({ month: months.month })
        .from(months)
        .where(and(eq(months.programId, program.id), isNull(months.frozenAt)))
      return [...new Set([...open.map(({ month }) => month), monthOf(clock.now(), program.timeZone)])].sort()
    },
    monthAt: async (reader, programId, at) => monthOf(at, (await programs.byId(reader, programId)).timeZone),
    optOut: async (tx, programId, userId) => {
      const added = await tx
        .insert(optOuts)
        .values({ programId, userId, createdAt: clock.now() })
        .onConflictDoNothing()
        .returning({ userId: optOuts.userId })
      if (added.length === 0)
        throw new UserError(
          'already_hidden',
          'You are not on the leaderboard already. Come back any time with `/leaderboard opt-in`.',
        )
    },
    optIn: async (tx, programId, userId) => {
      const removed = await tx
        .delete(optOuts)
        .where(and(eq(optOuts.programId, programId), eq(optOuts.userId, userId)))
        .returning({ userId: optOuts.userId })
      if (removed.length === 0) throw new UserError('not_hidden', 'You are on the leaderboard already: your sales count.')
    },
    hasOptedOut: async (reader, programId, userId) => (await hiddenUsers(reader, programId)).has(userId),
  }
}

/** What is stored about one person: for the export, and erased. */
export async function exportFor(reader: Reader, programId: string, userId: string): Promise<unknown> {
  return {
    hidden: await reader
      .select()
      .from(optOuts)
      .where(and(eq(optOuts.programId, programId), eq(optOuts.userId, userId))),
    results: await reader
      .select()
      .from(results)
      .where(and(eq(results.programId, programId), eq(results.userId, userId))),
  }
}

export async function eraseFor(tx: Tx, programId: string, userId: string): Promise<void> {
  await tx.delete(optOuts).where(and(eq(optOuts.programId, programId), eq(optOuts.userId, userId)))
  await tx.delete(results).where(and(eq(results.programId, programId), eq(results.userId, userId)))
}
