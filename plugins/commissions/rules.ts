// Which rule a new commission is stamped with: reads the rules in force and what they ask of the sale; the choice itself is in terms.ts.
import { and, asc, eq, gt, gte, isNull, lt, lte, notExists, or, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Attribution, Sale } from '../attribution/public.ts'
import { atLeastZero, type Clock, monthOf, newId, type Programs, type Reader, rangeOf, type Tx } from '../kit/index.ts'
import { type Config, percentToPpm } from './config.ts'
import { reassigned } from './decide.ts'
import type { TierSource } from './public.ts'
import { commissions, rules } from './tables.ts'
import {
  type Circumstances,
  chooseRule,
  limitOfReturned,
  type Rule,
  type Share,
  type Stamp,
  stampOf,
  type Terms,
  worthOf,
} from './terms.ts'

/** The name of the program's own rule, whose rate is a setting. It applies when no other does. */
export const defaultName = 'default'

export interface RuleStamp extends Stamp, Share {
  readonly ruleId: string
  readonly ruleVersion: number
}

export interface StampNeeds {
  readonly clock: Clock
  readonly attribution: Attribution
  readonly programs: Programs
  readonly tiers: () => readonly TierSource[]
}

/** What of a stamp hangs on the room under a cap. */
export type RuleLimit = Pick<RuleStamp, 'limitAmount' | 'limitReason' | 'fullAmount' | 'grown'>

/**
 * The functions that stamp new commissions, one alone and several together, the one that limits a commission whose sale came back to the partner, and the one
 * that says what room a cap has left.
 */
export const createStampers = (needs: StampNeeds) => ({
  stamp: createStamper(needs),
  stampTogether: createGroupStamper(needs),
  limitReturned: createReturnLimiter(needs),
  roomIn: createRoom(needs),
})

/** Makes the function that stamps a new commission. It runs under the lock of the partner's books, so that a cap is never used twice. */
function createStamper(needs: StampNeeds) {
  return async (tx: Tx, sale: Sale, partnerId: string, config: Config): Promise<RuleStamp> => {
    const known = await rulesAt(tx, sale.programId, sale.paidAt)
    const inForce = known.filter(({ name }) => name !== defaultName)
    const circumstances = await circumstancesOf(tx, needs, sale, partnerId, inForce)
    const ratePpm = percentToPpm(config.ratePercent)
    const rule =
      chooseRule(inForce, circumstances) ??
      (await ownBefore(tx, sale, known)) ??
      unlessOutdated(newestOwn(known), ratePpm) ??
      (await nextOwnVersion(tx, sale, ratePpm, needs.clock.now()))
    const used = rule.periodCap === null ? 0n : await usedOf(tx, needs.programs, sale, partnerId, rule)
    const stamp = stampOf(rule, circumstances, used)
    return {
      ...stamp,
      ruleId: rule.id,
      ruleVersion: rule.version,
      fullAmount: worthOf(stamp, stamp.basis),
      cappedBy: rule.periodCap === null ? null : rule.name,
      grown: 0n,
    }
  }
}

/** Makes the function that says how much of the cap under which a commission of the sale was stamped nothing takes up. Runs under the lock of the books. */
function createRoom({ programs }: StampNeeds) {
  return async (tx: Tx, sale: Sale, stamped: Stamped): Promise<bigint> => {
    const { rule, used } = await stampedUnder(tx, programs, sale, stamped)
    return atLeastZero((rule.periodCap ?? 0n) - used)
  }
}

/**
 * Makes the function that sees anew what room the cap per period leaves to a sale that went to another partner and is theirs again. All else stays, also when
 * another rule would fit by now: the sale goes on as it was. Runs under the lock of the partner's books, as `stamp` does.
 */
function createReturnLimiter({ programs }: StampNeeds) {
  return async (tx: Tx, sale: Sale, before: RuleStamp & Stamped): Promise<RuleLimit> => {
    const { rule, used } = await stampedUnder(tx, programs, sale, before)
    const limit = limitOfReturned(before, rule, used)
    return { ...limit, fullAmount: worthOf({ ...before, ...limit }, sale.basis), grown: 0n }
  }
}

/** Whose commission it is, and the rule with which it was stamped. */
interface Stamped {
  readonly partnerId: string
  readonly ruleId: string
}

/** The rule with which a commission of the sale was stamped, and what is used of its cap. */
async function stampedUnder(
  tx: Tx,
  programs: Programs,
  sale: Sale,
  { partnerId, ruleId }: Stamped,
): Promise<{ rule: Rule; used: bigint }> {
  const [rule] = await tx
    .select()
    .from(rules)
    .where(and(eq(rules.programId, sale.programId), eq(rules.id, ruleId)))
  return { rule: rule!, used: await usedOf(tx, programs, sale, partnerId, rule!) }
}

/** A new commission's sale and its partner. */
export interface ToStamp {
  readonly sale: Sale
  readonly partnerId: string
}

/**
 * Makes the function that stamps new commissions of one program together. Undefined for a sale that must be stamped alone: what it earns hangs on what the
 * partner earned before (a cap per period), or the program's own rate has just changed.
 */
function createGroupStamper({ attribution, tiers }: StampNeeds) {
  return async (tx: Tx, given: readonly ToStamp[], config: Config): Promise<(RuleStamp | undefined)[]> => {
    const [first] = given
    if (!first) return []
    const { programId } = first.sale
    const known = await tx.select().from(rules).where(eq(rules.programId, programId))
    const others = known.filter(({ name }) => name !== defaultName)
    const asksMore = others.some(({ countries, months }) => countries !== null || months !== null)
    const more = asksMore
      ? await attribution.circumstances(
          tx,
          programId,
          given.map(({ sale }) => sale.id),
        )
      : undefined
    const tierByPartner = new Map<string, string | null>()
    if (others.some(({ tier }) => tier !== null))
      for (const partnerId of new Set(given.map((one) => one.partnerId)))
        tierByPartner.set(partnerId, await tierOf(tx, tiers(), programId, partnerId))
    const own = unlessOutdated(newestOwn(known), percentToPpm(config.ratePercent))
    return given.map(({ sale, partnerId }) => {
      const circumstances = circumstancesFrom(sale, partnerId, tierByPartner.get(partnerId) ?? null, more?.get(sale.id))
      const rule = chooseRule(others, circumstances) ?? own
      if (!rule || rule.periodCap !== null) return undefined
      const stamp = stampOf(rule, circumstances, 0n)
      return {
        ...stamp,
        ruleId: rule.id,
        ruleVersion: rule.version,
        fullAmount: worthOf(stamp, stamp.basis),
        cappedBy: null,
        grown: 0n,
      }
    })
  }
}

/** The rules in force for payments at this time, and every version of the program's own. */
async function rulesAt(reader: Reader, programId: string, at: Date): Promise<Rule[]> {
  return reader
    .select()
    .from(rules)
    .where(
      and(
        eq(rules.programId, programId),
        or(eq(rules.name, defaultName), and(lte(rules.startsAt, at), or(isNull(rules.endsAt), gt(rules.endsAt, at)))),
      ),
    )
}

const newestOwn = (known: readonly Rule[]): Rule | undefined =>
  known
    .filter(({ name }) => name === defaultName)
    .reduce<Rule | undefined>((a, b) => (a && a.version > b.version ? a : b), undefined)

const unlessOutdated = (rule: Rule | undefined, ratePpm: bigint): Rule | undefined => (rule?.ratePpm === ratePpm ? rule : undefined)

/** The version of the program's own rate under which the sale was booked for another partner: the sale goes on under it, whatever the rate is since. */
async function ownBefore(tx: Tx, { programId, id }: Sale, known: readonly Rule[]): Promise<Rule | undefined> {
  const before = await tx
    .select({ ruleId: commissions.ruleId })
    .from(commissions)
    .where(and(eq(commissions.programId, programId), eq(commissions.saleId, id)))
    .orderBy(asc(commissions.createdAt))
  const stamped = before.map(({ ruleId }) => known.find((rule) => rule.id === ruleId))
  return stamped.find((rule) => rule?.name === defaultName)
}

/** The program's own rate changed in the settings: it becomes the next version of its rule, once. */
async function nextOwnVersion(tx: Tx, { programId, paidAt }: Sale, ratePpm: bigint, now: Date): Promise<Rule> {
  const version = (newestOwn(await rulesAt(tx, programId, paidAt))?.version ?? 0) + 1
  await tx
    .insert(rules)
    .values({ id: newId(now), programId, scope: 'program', version, ratePpm, createdAt: now, startsAt: now })
    .onConflictDoNothing()
  return newestOwn(await rulesAt(tx, programId, paidAt))!
}

/** What the rules ask of the sale. What none of them asks is not looked up. */
async function circumstancesOf(
  reader: Reader,
  { attribution, tiers }: StampNeeds,
  sale: Sale,
  partnerId: string,
  asking: readonly Terms[],
): Promise<Circumstances> {
  const asksMore = asking.some(({ countries, months }) => countries !== null || months !== null)
  const more = asksMore ? (await attribution.circumstances(reader, sale.programId, [sale.id])).get(sale.id) : undefined
  const tier = asking.some((rule) => rule.tier !== null) ? await tierOf(reader, tiers(), sale.programId, partnerId) : null
  return circumstancesFrom(sale, partnerId, tier, more)
}

export function circumstancesFrom(
  sale: Sale,
  partnerId: string,
  tier: string | null,
  more: { country: string | null; subscriptionSince: Date | null } = { country: null, subscriptionSince: null },
): Circumstances {
  const { product, currency, basis, firstOfCustomer, sequence, paidAt } = sale
  return { partnerId, tier, product, currency, basis, firstOfCustomer, sequence, paidAt, ...more }
}

export async function tierOf(
  reader: Reader,
  sources: readonly TierSource[],
  programId: string,
  partnerId: string,
): Promise<string | null> {
  for (const source of sources) {
    const tier = await source.tierOf(reader, programId, partnerId)
    if (tier !== null) return tier
  }
  return null
}

/**
 * What the partner's sales of the sale's period that are booked take up of the rule's cap: without refunds, so that the order of news does not matter. The last part of a
 * sale's commission has the stamp that counts.
 */
async function usedOf(tx: Tx, programs: Programs, sale: Sale, partnerId: string, rule: Rule): Promise<bigint> {
  const { timeZone } = await programs.byId(tx, sale.programId)
  const period = periodOf(sale.paidAt, rule.capPeriod ?? 'month', timeZone)
  const later = alias(commissions, 'later')
  const laterPart = tx
    .select({ part: later.part })
    .from(later)
    .where(
      and(
        eq(later.programId, commissions.programId),
        eq(later.saleId, commissions.saleId),
        eq(later.partnerId, commissions.partnerId),
        gt(later.part, commissions.part),
      ),
    )
  const [row] = await tx
    .select({ used: sql<string>`coalesce(sum(${commissions.fullAmount} + ${commissions.grown}), 0)` })
    .from(commissions)
    .where(
      and(
        eq(commissions.programId, sale.programId),
        eq(commissions.partnerId, partnerId),
        eq(commissions.currency, sale.currency),
        eq(commissions.cappedBy, rule.name),
        notExists(laterPart),
        sql`${commissions.reason} is distinct from ${reassigned}`,
        gte(commissions.earnedAt, period.from),
        lt(commissions.earnedAt, period.to),
      ),
    )
  return BigInt(row!.used)
}

/** The calendar month or year of the program that a payment falls into. */
export function periodOf(at: Date, period: 'month' | 'year', timeZone: string): { from: Date; to: Date } {
  const month = monthOf(at, timeZone)
  if (period === 'month') return rangeOf(month, timeZone)
  const year = month.slice(0, 4)
  return { from: rangeOf(`${year}-01`, timeZone).from, to: rangeOf(`${year}-12`, timeZone).to }
}
