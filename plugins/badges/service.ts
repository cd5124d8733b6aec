// The rules of badges: each is awarded once per partner and period, celebrated once, and taken back only by an admin with a reason.
import { and, eq, sql } from 'drizzle-orm'
import {
  amongTexts,
  type Clock,
  type Db,
  type DiscordEffects,
  type Emit,
  type MonthRange,
  monthOf,
  newId,
  type Programs,
  type Reader,
  rangeOf,
  type Settings,
  type Tx,
  UserError,
} from '../kit/index.ts'
import type { Notifications } from '../notifications/public.ts'
import type { Partner, Partners } from '../partners/public.ts'
import type { Config } from './config.ts'
import { badgeAwarded, badgeRevoked } from './events.ts'
import { awardedMessage, celebration, withdrawnCelebration } from './messages.ts'
import type { BadgeRule, Facts } from './public.ts'
import { type Award, awards } from './tables.ts'

export const winsChannel = 'channels:wins'

export interface BadgeService {
  rules(): readonly BadgeRule[]
  /** Awards whatever the partner has earned by the facts as they are now; `at`: instants whose months are looked at for monthly badges. */
  review(tx: Tx, programId: string, partnerId: string, at: readonly Date[]): Promise<void>
  /** As `review` for several partners; those who have every badge cost nothing more. */
  reviewAll(tx: Tx, programId: string, at: ReadonlyMap<string, readonly Date[]>): Promise<void>
  /** Reviews every active partner, for facts that no sale announced. */
  reviewProgram(programId: string): Promise<void>
  /** The person's badges, without those taken back, newest first. */
  ofUser(reader: Reader, programId: string, userId: string): Promise<Award[]>
  /** An admin gives a badge, also one that was taken back before. @throws UserError for an unknown badge, or someone who has it or is no partner */
  give(tx: Tx, programId: string, userId: string, badge: string, admin: { id: string; reason: string }): Promise<BadgeRule>
  /** An admin takes a badge back; the same facts do not earn it again. @throws UserError when the person does not have it */
  takeBack(tx: Tx, programId: string, userId: string, badge: string, admin: { id: string; reason: string }): Promise<BadgeRule>
}

const always: MonthRange = { from: new Date(0), to: new Date('9999-01-01T00:00:00Z') }

export function createBadgeService(ports: {
  db: Db
  clock: Clock
  emit: Emit
  discord: DiscordEffects
  programs: Programs
  settings: Settings<Config>
  partners: Pick<Partners, 'byIds' | 'byUser' | 'list'>
  notifications: Pick<Notifications, 'tell'>
  rules: () => readonly BadgeRule[]
}): BadgeService {
  const { db, clock, emit, discord, programs, settings, partners, notifications, rules } = ports

  const ruleOf = (badge: string): BadgeRule => {
    const rule = rules().find((candidate) => candidate.id === badge)
    if (rule) return rule
    const known = rules().map((candidate) => `\`${candidate.id}\``)
    throw new UserError('unknown_badge', `There is no badge “${badge}”. There are: ${known.join(', ')}.`)
  }
  const mine = (programId: string, userId: string) => and(eq(awards.programId, programId), eq(awards.userId, userId))

  const reviewAll: BadgeService['reviewAll'] = async (tx, programId, at) => {
    const active = (await partners.byIds(tx, programId, [...at.keys()])).filter(({ status }) => status === 'active')
    if (active.length === 0) return
    const { timeZone } = await programs.byId(tx, programId)
    const users = active.map(({ userId }) => userId)
    const had = new Set(
      (
        await tx
          .select()
          .from(awards)
          .where(and(eq(awards.programId, programId), amongTexts(awards.userId, users)))
      ).map((row) => `${row.userId} ${row.badge} ${row.period}`),
    )
    for (const partner of active) {
      const months = [...new Set(at.get(partner.id)!.map((instant) => monthOf(instant, timeZone)))]
      for (const rule of rules())
        for (const period of rule.period === 'once' ? ['once'] : months) {
          if (had.has(`${partner.userId} ${rule.id} ${period}`)) continue
          const facts = await rule.earned(tx, programId, partner.id, period === 'once' ? always : rangeOf(period, timeZone))
          if (facts) await award(tx, partner, rule, period, facts, null)
        }
    }
  }
  const review: BadgeService['review'] = (tx, programId, partnerId, at) => reviewAll(tx, programId, new Map([[partnerId, at]]))

  /** Writes the award and everything that follows from it. Whoever comes second (another sale at the same moment) changes nothing. */
  async function award(
    tx: Tx,
    partner: Partner,
    rule: BadgeRule,
    period: string,
    facts: Facts,
    admin: string | null,
  ): Promise<boolean> {
    const now = clock.now()
    const { celebrate } = await settings.of(tx, partner.programId)
    const [row] = await tx
      .insert(awards)
      .values({
        id: newId(now),
        programId: partner.programId,
        partnerId: partner.id,
        userId: partner.userId,
        badge: rule.id,
        period,
        facts,
        awardedAt: now,
        awardedBy: admin,
        celebrated: celebrate,
      })
      .onConflictDoUpdate({
        target: [awards.programId, awards.partnerId, awards.badge, awards.period],
        set: {
          awardedAt: now,
          awardedBy: admin,
          facts,
          celebrated: celebrate,
          revokedAt: null,
          revokedBy: null,
          revokeReason: null,
        },
        // Only an admin gives back what an admin took.
        setWhere: admin === null ? sql`false` : sql`${awards.revokedAt} is not null`,
      })
      .returning()
    if (!row) return false
    const { programId, userId } = partner
    if (rule.flagshipRole)
      await discord.setRole(tx, { programId, userId, role: rule.flagshipRole.key, wanted: true, reason: `Badge: ${rule.title}` })
    if (row.celebrated)
      await discord.post(tx, { programId, key: celebrationKey(row), channel: winsChannel, message: celebration(userId, rule) })
    await notifications.tell(tx, {
      programId,
      key: `badges:award:${row.id}:${now.getTime()}`,
      userId,
      message: awardedMessage(rule, period),
    })
    await emit(tx, badgeAwarded, { programId, awardId: row.id, partnerId: partner.id, badge: rule.id, period })
    return true
  }

  return {
    rules,
    review,
    reviewAll,
    reviewProgram: async (programId) => {
      for (const partner of await partners.list(db, programId, { status: 'active' }))
        await db.transaction((tx) => review(tx, programId, partner.id, [clock.now()]))
    },
    ofUser: async (reader, programId, userId) =>
      reader
        .select()
        .from(awards)
        .where(and(mine(programId, userId), sql`${awards.revokedAt} is null`))
        .orderBy(sql`${awards.awardedAt} desc, ${awards.id} desc`),
    give: async (tx, programId, userId, badge, admin) => {
      const rule = ruleOf(badge)
      const partner = await partners.byUser(tx, programId, userId)
      if (partner?.status !== 'active')
        throw new UserError('no_partner', `<@${userId}> is not an active partner, so there is nobody to give the badge to.`)
      const { timeZone } = await programs.byId(tx, programId)
      const period = rule.period === 'once' ? 'once' : monthOf(clock.now(), timeZone)
      if (!(await award(tx, partner, rule, period, { reason: admin.reason }, admin.id)))
        throw new UserError('has_badge', `<@${userId}> has “${rule.title}” already.`)
      return rule
    },
    takeBack: async (tx, programId, userId, badge, admin) => {
      const rule = ruleOf(badge)
      const taken = await tx
        .update(awards)
        .set({ revokedAt: clock.now(), revokedBy: admin.id, revokeReason: admin.reason })
        .where(and(mine(programId, userId), eq(awards.badge, badge), sql`${awards.revokedAt} is null`))
        .returning()
      if (taken.length === 0) throw new UserError('has_no_badge', `<@${userId}> does not have “${rule.title}”.`)
      if (rule.flagshipRole)
        await discord.setRole(tx, {
          programId,
          userId,
          role: rule.flagshipRole.key,
          wanted: false,
          reason: `Taken back: ${rule.title}`,
        })
      for (const row of taken) {
        if (row.celebrated)
          await discord.post(tx, { programId, key: celebrationKey(row), channel: winsChannel, message: withdrawnCelebration() })
        await emit(tx, badgeRevoked, { programId, awardId: row.id, partnerId: row.partnerId, badge, period: row.period })
      }
      return rule
    },
  }
}

const celebrationKey = (award: Pick<Award, 'id'>) => `badges:award:${award.id}`

/** What is stored about one person: for the export, and erased. */
export async function exportFor(reader: Reader, programId: string, userId: string): Promise<unknown> {
  return reader
    .select()
    .from(awards)
    .where(and(eq(awards.programId, programId), eq(awards.userId, userId)))
}

export async function eraseFor(tx: Tx, programId: string, userId: string): Promise<void> {
  await tx.delete(awards).where(and(eq(awards.programId, programId), eq(awards.userId, userId)))
}
