// The rules as an admin keeps them: drafts, publishing, ending, and what a draft would have changed. A published rule is never changed.
import { and, asc, desc, eq, gt, gte, isNull, or, sql } from 'drizzle-orm'
import type { Attribution } from '../attribution/public.ts'
import { type Clock, days, newId, type Programs, type Reader, type Settings, type Tx, UserError } from '../kit/index.ts'
import { type Config, percentToPpm } from './config.ts'
import { reassigned } from './decide.ts'
import type { TierSource } from './public.ts'
import { type Recorded, replay, type SimulatedChange } from './replay.ts'
import { circumstancesFrom, defaultName, periodOf, tierOf } from './rules.ts'
import { commissions, interventions, ruleDrafts, rules } from './tables.ts'
import { type Circumstances, type Rule, scopeOf, type Terms, termsSchema } from './terms.ts'

export interface Draft {
  readonly id: string
  readonly terms: Terms
  readonly publishedAt: Date | null
}

export interface Simulation {
  readonly draft: Draft
  readonly days: number
  /** Sales that were replayed. */
  readonly sales: number
  /** Partners and currencies for which something would change, the largest change first. */
  readonly changes: readonly SimulatedChange[]
}

export interface RuleBook {
  /** Rules that are in force or will be, the program's own rate left out, and drafts that wait. */
  current(reader: Reader, programId: string): Promise<{ rules: Rule[]; drafts: Draft[] }>
  /** Keeps a draft. @throws UserError when its terms contradict each other */
  draft(tx: Tx, programId: string, terms: Terms, actor: string): Promise<Draft>
  /** @throws UserError when there is no such draft */
  require(reader: Reader, programId: string, draftId: string): Promise<Draft>
  /**
   * Makes the draft a rule: the next version of its name, in force from its start, though never before now, so that nothing earned is touched. The version
   * before ends there (`ended`). Publishing again changes nothing (`fresh` is false).
   */
  publish(tx: Tx, programId: string, draftId: string, actor: string): Promise<{ rule: Rule; fresh: boolean; ended: Rule[] }>
  /**
   * Ends the rule of that name for payments from now on, one that has not begun included: of its versions those that are returned, the last one first.
   * @throws UserError when none is in force or to come
   */
  end(tx: Tx, programId: string, name: string): Promise<[Rule, ...Rule[]]>
  /** What the sales of the last `days` days would have earned had the draft been in force, beside what they earn now. Changes nothing. */
  simulate(reader: Reader, programId: string, draftId: string, days: number): Promise<Simulation>
}

interface Needs {
  readonly clock: Clock
  readonly settings: Settings<Config>
  readonly programs: Programs
  readonly attribution: Attribution
  readonly tiers: () => readonly TierSource[]
}

export function createRuleBook({ clock, settings, programs, attribution, tiers }: Needs): RuleBook {
  const stillToApply = (programId: string, name?: string) =>
    and(
      eq(rules.programId, programId),
      name === undefined ? sql`${rules.name} <> ${defaultName}` : eq(rules.name, name),
      or(isNull(rules.endsAt), and(gt(rules.endsAt, clock.now()), gt(rules.endsAt, rules.startsAt))),
    )

  const requireDraft: RuleBook['require'] = async (reader, programId, draftId) => {
    const [row] = await reader
      .select()
      .from(ruleDrafts)
      .where(and(eq(ruleDrafts.programId, programId), sql`${ruleDrafts.id}::text = ${draftId.trim()}`))
    if (!row)
      throw new UserError(
        'unknown_draft',
        'There is no draft with that id. Choose one from the list, or make one with /admin rules add.',
      )
    return toDraft(row)
  }

  const publish: RuleBook['publish'] = async (tx, programId, draftId, actor) => {
    // One at a time in a program: versions follow each other.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`commissions:rules:${programId}`}, 0))`)
    const { terms } = await requireDraft(tx, programId, draftId)
    const [draft] = await tx.select({ ruleId: ruleDrafts.ruleId }).from(ruleDrafts).where(eq(ruleDrafts.id, draftId))
    if (draft?.ruleId) return { rule: await ruleOf(tx, draft.ruleId), fresh: false, ended: [] }
    const now = clock.now()
    const startsAt = new Date(Math.max(terms.startsAt.getTime(), now.getTime()))
    if (terms.endsAt !== null && terms.endsAt <= startsAt)
      throw new UserError('ends_before_start', 'The rule would end before it begins. Make another draft with a later end.')
    const endsAt = sql`greatest(${rules.startsAt}, ${startsAt.toISOString()}::timestamptz)`
    const ended = await tx
      .update(rules)
      .set({ endsAt })
      .where(and(eq(rules.programId, programId), eq(rules.name, terms.name), or(isNull(rules.endsAt), gt(rules.endsAt, endsAt))))
      .returning()
    const id = newId(now)
    await tx.insert(rules).values({
      ...terms,
      id,
      programId,
      scope: scopeOf(terms),
      subject: terms.partnerId ?? terms.tier ?? terms.product,
      version: sql<number>`(select coalesce(max(version), 0) + 1 from commissions_rules where program_id = ${programId}::uuid and name = ${terms.name})`,
      startsAt,
      createdAt: now,
      createdBy: actor,
    })
    await tx.update(ruleDrafts).set({ publishedAt: now, ruleId: id }).where(eq(ruleDrafts.id, draftId))
    return { rule: await ruleOf(tx, id), fresh: true, ended }
  }

  const simulate: RuleBook['simulate'] = async (reader, programId, draftId, lastDays) => {
    const draft = await requireDraft(reader, programId, draftId)
    const now = clock.now()
    const from = new Date(now.getTime() - days(lastDays))
    const published = await reader
      .select()
      .from(rules)
      .where(and(eq(rules.programId, programId), sql`${rules.name} <> ${defaultName}`))
    const { timeZone } = await programs.byId(reader, programId)
    // What was sold earlier in a period takes up its cap, too.
    const begins = [draft.terms, ...published].flatMap(({ capPeriod }) =>
      capPeriod === null ? [] : [periodOf(from, capPeriod, timeZone).from.getTime()],
    )
    const since = new Date(Math.min(from.getTime(), ...begins))
    const sold = await attribution.sales(reader, programId, { from: since, to: new Date(now.getTime() + 1) })
    const more = new Map<string, { country: string | null; subscriptionSince: Date | null }>()
    for (let i = 0; i < sold.length; i += 1000) {
      const ids = sold.slice(i, i + 1000).map(({ id }) => id)
      for (const [id, found] of await attribution.circumstances(reader, programId, ids)) more.set(id, found)
    }
    const tierByPartner = new Map<string, string | null>()
    for (const partnerId of new Set(sold.flatMap((sale) => sale.partnerId ?? [])))
      tierByPartner.set(partnerId, await tierOf(reader, tiers(), programId, partnerId))
    const recorded = await recordedSince(reader, programId, since)
    const config = await settings.of(reader, programId)
    const facts = sold.flatMap((sale) => {
      const known = recorded.get(sale.id)
      if (!known) return []
      const { partnerId } = known
      const circumstances: Circumstances = circumstancesFrom(
        sale,
        partnerId,
        tierByPartner.get(partnerId) ?? null,
        more.get(sale.id),
      )
      return [{ ...known, circumstances, refunded: sale.refunded, dispute: sale.dispute, lost: sale.lost }]
    })
    const programRatePpm = percentToPpm(config.ratePercent)
    const changes = replay(facts, { draft: draft.terms, published, programRatePpm, timeZone, from })
    const replayed = facts.filter(({ circumstances }) => circumstances.paidAt >= from)
    return { draft, days: lastDays, sales: replayed.length, changes }
  }

  return {
    publish,
    simulate,
    require: requireDraft,
    current: async (reader, programId) => ({
      rules: await reader.select().from(rules).where(stillToApply(programId)).orderBy(asc(rules.name), asc(rules.startsAt)),
      drafts: (
        await reader
          .select()
          .from(ruleDrafts)
          .where(and(eq(ruleDrafts.programId, programId), isNull(ruleDrafts.publishedAt)))
          .orderBy(desc(ruleDrafts.createdAt))
          .limit(25)
      ).map(toDraft),
    }),
    draft: async (tx, programId, terms, actor) => {
      refuseContradictions(terms)
      const now = clock.now()
      const row = { id: newId(now), programId, terms: termsSchema.encode(terms), createdBy: actor, createdAt: now }
      await tx.insert(ruleDrafts).values(row)
      return { id: row.id, terms, publishedAt: null }
    },
    end: async (tx, programId, name) => {
      const now = clock.now().toISOString()
      const ended = await tx
        .update(rules)
        .set({ endsAt: sql`greatest(${rules.startsAt}, ${now}::timestamptz)` })
        .where(stillToApply(programId, name))
        .returning()
      const [last, ...before] = ended.toSorted((a, b) => b.version - a.version)
      if (!last || name === defaultName)
        throw new UserError('unknown_rule', 'No rule of that name is in force or to come. /admin rules list shows those that are.')
      return [last, ...before]
    },
  }
}

/** @throws UserError that names what does not go together */
function refuseContradictions(terms: Terms): void {
  const refuse = (code: string, message: string) => {
    throw new UserError(code, message)
  }
  if (terms.name.toLowerCase() === defaultName)
    refuse(
      'reserved_name',
      'The rule “default” is the program’s own rate: change it with /admin settings set. Choose another name.',
    )
  if (terms.flat !== null && terms.ratePpm !== 0n)
    refuse('rate_and_amount', 'A rule pays a rate or an amount for each sale, not both.')
  if (terms.payments === 'first' && (terms.months !== null || terms.maxPayments !== null))
    refuse(
      'first_and_more',
      'A rule that pays for the first payment only has no months and no number of payments. Leave them out, or choose every payment.',
    )
  if (terms.endsAt !== null && terms.endsAt <= terms.startsAt) refuse('ends_before_start', 'The rule would end before it begins.')
}

/** What was recorded of each sale since then: its worth, under which rule, and what admins did to it. */
async function recordedSince(reader: Reader, programId: string, from: Date): Promise<Map<string, Recorded>> {
  const rows = await reader
    .select({
      saleId: commissions.saleId,
      partnerId: commissions.partnerId,
      amount: sql<string>`sum(${commissions.amount})`,
      rule: sql<string>`min(${rules.name})`,
    })
    .from(commissions)
    .innerJoin(rules, eq(rules.id, commissions.ruleId))
    .where(
      and(
        eq(commissions.programId, programId),
        gte(commissions.earnedAt, from),
        sql`${commissions.reason} is distinct from ${reassigned}`,
      ),
    )
    .groupBy(commissions.saleId, commissions.partnerId)
  const byHand = await reader
    .select()
    .from(interventions)
    .where(and(eq(interventions.programId, programId), isNull(interventions.endedAt)))
    .orderBy(asc(interventions.id))
  const handled = Map.groupBy(byHand, ({ saleId }) => saleId)
  return new Map(
    rows.map(({ saleId, partnerId, amount, rule }) => {
      const own = handled.get(saleId) ?? []
      return [
        saleId,
        {
          partnerId,
          rule,
          amount: BigInt(amount),
          adjusted: own.map((one) => one.amount),
          voided: own.find(({ kind }) => kind === 'void')?.reason ?? null,
        },
      ]
    }),
  )
}

async function ruleOf(reader: Reader, id: string): Promise<Rule> {
  const [row] = await reader.select().from(rules).where(eq(rules.id, id))
  return row!
}

function toDraft(row: typeof ruleDrafts.$inferSelect): Draft {
  return { id: row.id, terms: termsSchema.decode(row.terms), publishedAt: row.publishedAt }
}
