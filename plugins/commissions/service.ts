// Commissions: reads the facts of a sale, asks decide.ts what follows, and writes it: rows, ledger transfers, events. Calls no vendor.
import { and, asc, eq, gt, inArray, lte, sql } from 'drizzle-orm'
import type { Agreements } from '../agreements/public.ts'
import type { Attribution, Sale } from '../attribution/public.ts'
import { type Clock, type Db, days, type Emit, newId, type Reader, type Settings, sum, type Tx } from '../kit/index.ts'
import type { Ledger } from '../ledger/public.ts'
import type { Notifications } from '../notifications/public.ts'
import type { Partner, Partners } from '../partners/public.ts'
import type { Config } from './config.ts'
import {
  closeIfSpent,
  decideCommission,
  eligibility,
  type Move,
  type Part,
  repay,
  type Settlement,
  settle,
  shift,
} from './decide.ts'
import { commissionAccrued, commissionAdjusted, commissionPayable } from './events.ts'
import { accruedMessage, adjustedMessage } from './messages.ts'
import type { Commission, Commissions } from './public.ts'
import { currentRule } from './rules.ts'
import { changes, commissions } from './tables.ts'

type Row = typeof commissions.$inferSelect

/** Which sale; `partnerId` is who is believed to have it, which saves a look when it is right. */
export interface SaleRef {
  readonly programId: string
  readonly saleId: string
  readonly partnerId: string | null
  readonly currency: string
}

export interface CommissionService extends Commissions {
  /**
   * Brings the commission of the sale to what the facts of now say: accrues it, lowers or restores it, holds it or lets it go. Whoever calls it, in
   * whatever order and however often, the books end the same.
   */
  bookSale(tx: Tx, ref: SaleRef): Promise<void>
  /** Looks again at what is held of a partner, after they signed or became active. */
  reviewHeld(tx: Tx, programId: string, partnerId: string): Promise<void>
  /** Makes payable what has waited long enough, of one program or of all; returns how many commissions. */
  releaseDue(programId?: string): Promise<number>
  /** Sets the hold of pending commissions anew, counted from each payment; returns how many were changed. */
  restampPending(tx: Tx, programId: string, holdDays: number, by: { actor: string; note: string }): Promise<number>
}

export interface Needs {
  readonly db: Db
  readonly clock: Clock
  readonly emit: Emit
  readonly settings: Settings<Config>
  readonly ledger: Ledger
  readonly partners: Partners
  readonly agreements: Agreements
  readonly attribution: Attribution
  readonly notifications: Notifications
}

export function createCommissionService(needs: Needs): CommissionService {
  const { db, clock, emit, settings, ledger, partners, agreements, attribution, notifications } = needs

  async function bookSale(tx: Tx, ref: SaleRef): Promise<void> {
    const believed = ref.partnerId ?? (await attribution.sale(tx, ref.programId, ref.saleId))?.partnerId
    if (!believed) return
    await lockBooks(tx, { ...ref, partnerId: believed })
    // Read behind the lock: whoever comes later sees at least what this one saw.
    const sale = await attribution.sale(tx, ref.programId, ref.saleId)
    const rows = await partsOf(tx, ref)
    const partnerId = rows[0]?.partnerId ?? sale?.partnerId
    if (!sale || !partnerId) return
    if (partnerId !== believed) await lockBooks(tx, { ...ref, partnerId })

    const partner = await partnerOf(tx, ref.programId, partnerId)
    const blank = await blankPart(tx, rows, sale, partnerId)
    const decision = decideCommission(
      {
        basis: blank.basis,
        refunded: sale.refunded,
        dispute: sale.dispute,
        ...(await standingOf(tx, partner)),
        accepted: rows.some(({ reason }) => reason !== 'ineligible_status' && reason !== 'agreement_unsigned'),
      },
      blank,
    )
    const debt = await debtOf(tx, blank)
    const settlement = settle(rows, decision, debt, blank)
    await write(tx, rows, settlement)
    await repayDebt(tx, blank, debt + debtMoved(settlement.moves))
    if (rows.length === 0) await announceAccrual(tx, partner, settlement.parts[0]!)
    else if (settlement.change !== 0n) await announceChange(tx, partner, settlement)
  }

  async function partnerOf(tx: Tx, programId: string, partnerId: string): Promise<Partner> {
    const partner = await partners.byId(tx, programId, partnerId)
    if (!partner) throw new Error(`The partner ${partnerId}, who has a sale, does not exist`)
    return partner
  }

  async function standingOf(tx: Tx, partner: Partner) {
    return {
      partnerStatus: partner.status,
      agreementSigned: await agreements.hasSignedCurrent(tx, partner.programId, partner.id, clock.now()),
    }
  }

  /** An empty part with the stamp of the sale's first part, or a new stamp when this is to be the first. */
  async function blankPart(tx: Tx, rows: readonly Row[], sale: Sale, partnerId: string): Promise<Row> {
    const now = clock.now()
    const empty = { amount: 0n, due: 0n, clawed: 0n, repaid: 0n, state: 'pending', reason: null, revision: 0 } as const
    const fresh = { id: newId(now), part: rows.length, createdAt: now, updatedAt: now, ...empty }
    if (rows[0]) return { ...rows[0], ...fresh }
    const config = await settings.of(tx, sale.programId)
    const rule = await currentRule(tx, sale.programId, config, now)
    return {
      ...fresh,
      programId: sale.programId,
      saleId: sale.id,
      partnerId,
      currency: sale.currency,
      ruleId: rule.id,
      ruleVersion: rule.version,
      ratePpm: rule.ratePpm,
      basis: sale.basis,
      holdUntil: new Date(sale.paidAt.getTime() + days(config.holdDays)),
      earnedAt: sale.paidAt,
    }
  }

  /** Stores the parts that changed, each with its history, and posts their moves. A part that is not among `before` is new. */
  async function write(
    tx: Tx,
    before: readonly Row[],
    { parts, moves }: { parts: readonly Row[]; moves: readonly Move[] },
  ): Promise<void> {
    const now = clock.now()
    for (const part of parts) {
      const old = before.find(({ id }) => id === part.id)
      const own = moves.filter(({ partId }) => partId === part.id)
      if (old && own.length === 0 && sameBooks(old, part)) continue
      const { amount, due, clawed, repaid, state, reason } = part
      const revision = part.revision + own.length
      if (old)
        await tx
          .update(commissions)
          .set({ amount, due, clawed, repaid, state, reason, revision, updatedAt: now })
          .where(eq(commissions.id, part.id))
      else await tx.insert(commissions).values({ ...part, revision })
      for (const [i, move] of own.entries()) await post(tx, part, part.revision + i + 1, move)
      await tx.insert(changes).values(changeOf(part, now, { change: amount - (old?.amount ?? 0n) }))
    }
  }

  async function post(tx: Tx, part: Row, revision: number, move: Move): Promise<void> {
    await ledger.post(tx, {
      programId: part.programId,
      key: `commission:${part.id}:${revision}`,
      reason: move.reason,
      subject: { type: 'commission', id: part.id },
      entries: move.entries.map(({ account, amount }) => ({
        account: {
          kind: account,
          partnerId: account === 'commission_expense' ? null : part.partnerId,
          currency: part.currency,
        },
        amount,
      })),
    })
  }

  async function debtOf(reader: Reader, books: Books): Promise<bigint> {
    const balances = await ledger.balances(reader, books.programId, books.partnerId)
    return sum(
      balances.filter(({ kind, currency }) => kind === 'clawback_debt' && currency === books.currency).map(({ amount }) => amount),
    )
  }

  /** Repays what the partner owes out of what they have coming; see `repay`. */
  async function repayDebt(tx: Tx, books: Books, debt: bigint): Promise<void> {
    if (debt === 0n) return
    const rows = await tx
      .select()
      .from(commissions)
      .where(and(inBooks(books), inArray(commissions.state, ['payable', 'pending']), gt(commissions.due, 0n)))
      .orderBy(asc(commissions.earnedAt), asc(commissions.id))
    await write(tx, rows, repay(rows, debt))
  }

  async function announceAccrual(tx: Tx, partner: Partner, part: Row): Promise<void> {
    if (part.amount === 0n) return
    const { programId, id: commissionId, partnerId, saleId, currency, amount } = part
    await emit(tx, commissionAccrued, { programId, commissionId, partnerId, saleId, currency, amount })
    await notifications.tell(tx, {
      programId,
      key: `commissions.accrued:${part.id}`,
      userId: partner.userId,
      message: accruedMessage(part, clock.now()),
    })
  }

  async function announceChange(tx: Tx, partner: Partner, { parts, change }: Settlement<Row>): Promise<void> {
    const { programId, id: commissionId, partnerId, saleId, currency } = parts[0]!
    const amount = sum(parts.map((part) => part.amount))
    const reason = parts[0]!.reason ?? 'restored'
    await emit(tx, commissionAdjusted, { programId, commissionId, partnerId, saleId, currency, amount, change, reason })
    await notifications.tell(tx, {
      programId,
      key: `commissions.adjusted:${commissionId}:${await countChanges(tx, parts)}`,
      userId: partner.userId,
      message: adjustedMessage({ currency, amount, change, reason, clawed: sum(parts.map((part) => part.clawed)) }),
    })
  }

  async function reviewHeld(tx: Tx, programId: string, partnerId: string): Promise<void> {
    const rows = await tx
      .select({ saleId: commissions.saleId, currency: commissions.currency })
      .from(commissions)
      .where(and(eq(commissions.programId, programId), eq(commissions.partnerId, partnerId), eq(commissions.state, 'held')))
      .orderBy(asc(commissions.currency), asc(commissions.saleId))
    for (const row of rows) await bookSale(tx, { programId, partnerId, ...row })
  }

  async function releaseDue(programId?: string): Promise<number> {
    const due = and(
      eq(commissions.state, 'pending'),
      lte(commissions.holdUntil, clock.now()),
      programId === undefined ? undefined : eq(commissions.programId, programId),
    )
    const waiting = await db
      .selectDistinct({ programId: commissions.programId, partnerId: commissions.partnerId, currency: commissions.currency })
      .from(commissions)
      .where(due)
    let released = 0
    for (const books of waiting) released += await db.transaction((tx) => release(tx, books))
    return released
  }

  async function release(tx: Tx, books: Books): Promise<number> {
    await lockBooks(tx, books)
    const rows = await tx
      .select()
      .from(commissions)
      .where(and(inBooks(books), eq(commissions.state, 'pending'), lte(commissions.holdUntil, clock.now())))
      .orderBy(asc(commissions.earnedAt), asc(commissions.id))
    const hold = eligibility({ ...(await standingOf(tx, await partnerOf(tx, books.programId, books.partnerId))), accepted: true })
    const shifted = rows.map((row) => (hold ? shift(row, 'held', hold, 'hold') : shift(row, 'payable', row.reason, 'release')))
    await write(tx, rows, {
      parts: shifted.map(({ part }) => closeIfSpent(part)),
      moves: shifted.flatMap(({ moves }) => moves),
    })
    if (hold) return 0
    for (const { programId, id: commissionId, partnerId, saleId, currency, amount } of rows)
      await emit(tx, commissionPayable, { programId, commissionId, partnerId, saleId, currency, amount })
    return rows.length
  }

  async function restampPending(tx: Tx, programId: string, holdDays: number, by: { actor: string; note: string }): Promise<number> {
    const now = clock.now()
    const rows = await tx
      .update(commissions)
      .set({ holdUntil: sql`${commissions.earnedAt} + make_interval(days => ${holdDays}::integer)`, updatedAt: now })
      .where(and(eq(commissions.programId, programId), eq(commissions.state, 'pending')))
      .returning()
    for (let i = 0; i < rows.length; i += 1000)
      await tx.insert(changes).values(rows.slice(i, i + 1000).map((row) => changeOf(row, now, { change: 0n, ...by })))
    return rows.length
  }

  const takePayable: Commissions['takePayable'] = async (tx, programId, partnerId, currency) => {
    const books = { programId, partnerId, currency }
    await lockBooks(tx, books)
    return tx
      .select()
      .from(commissions)
      .where(and(inBooks(books), eq(commissions.state, 'payable'), gt(commissions.due, 0n)))
      .orderBy(asc(commissions.earnedAt), asc(commissions.id))
  }

  const setState: Commissions['setState'] = async (tx, programId, ids, state, reason) => {
    const wanted = and(eq(commissions.programId, programId), inArray(commissions.id, [...ids]))
    const books = await tx
      .selectDistinct({ partnerId: commissions.partnerId, currency: commissions.currency })
      .from(commissions)
      .where(wanted)
    if (books.length !== 1)
      throw new Error(`${ids.length} commissions that are to become ${state} are of ${books.length} books, not of one`)
    await lockBooks(tx, { programId, ...books[0]! })
    const now = clock.now()
    const moved = await tx
      .update(commissions)
      .set({ state, reason: sql`coalesce(${reason}::text, ${commissions.reason})`, updatedAt: now })
      .where(and(wanted, inArray(commissions.state, [...comesFrom[state]])))
      .returning()
    if (moved.length !== ids.length)
      throw new Error(`Of ${ids.length} commissions only ${moved.length} can become ${state}: the others are in another state`)
    await tx.insert(changes).values(moved.map((row) => changeOf(row, now, { change: 0n })))
    // Back in the partner's hands it is subject to what happened meanwhile: an open dispute, a debt.
    if (state === 'payable') for (const row of moved) await bookSale(tx, row)
  }

  return {
    bookSale,
    reviewHeld,
    releaseDue,
    restampPending,
    takePayable,
    setState,
    ofPartner: (reader, programId, partnerId) =>
      reader
        .select()
        .from(commissions)
        .where(and(eq(commissions.programId, programId), eq(commissions.partnerId, partnerId)))
        .orderBy(asc(commissions.createdAt), asc(commissions.id)),
    payable: async (reader, programId, partnerId) => {
      const rows = await reader
        .select({
          partnerId: commissions.partnerId,
          currency: commissions.currency,
          amount: sql<string>`sum(${commissions.due})`,
          count: sql<number>`count(*)::integer`,
        })
        .from(commissions)
        .where(
          and(
            eq(commissions.programId, programId),
            partnerId === undefined ? undefined : eq(commissions.partnerId, partnerId),
            eq(commissions.state, 'payable'),
            gt(commissions.due, 0n),
          ),
        )
        .groupBy(commissions.partnerId, commissions.currency)
        .orderBy(asc(commissions.partnerId), asc(commissions.currency))
      return rows.map((row) => ({ ...row, amount: BigInt(row.amount) }))
    },
  }
}

/** Which states may become this one by way of a payout. */
const comesFrom: Readonly<Record<'in_payout' | 'paid' | 'payable', readonly Commission['state'][]>> = {
  in_payout: ['payable'],
  paid: ['in_payout'],
  payable: ['in_payout', 'paid'],
}

/** What one partner has in one currency: the unit that is changed by one transaction at a time. */
interface Books {
  readonly programId: string
  readonly partnerId: string
  readonly currency: string
}

/** Everything that changes commissions of one partner and currency takes this lock first, so that no two transactions wait for each other's rows. */
async function lockBooks(tx: Tx, { programId, partnerId, currency }: Books): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`commissions:${programId}:${partnerId}:${currency}`}, 0))`)
}

const inBooks = (books: Books) =>
  and(
    eq(commissions.programId, books.programId),
    eq(commissions.partnerId, books.partnerId),
    eq(commissions.currency, books.currency),
  )

const partsOf = (tx: Tx, sale: { programId: string; saleId: string }): Promise<Row[]> =>
  tx
    .select()
    .from(commissions)
    .where(and(eq(commissions.programId, sale.programId), eq(commissions.saleId, sale.saleId)))
    .orderBy(asc(commissions.part))

function changeOf(row: Row, at: Date, more: { change: bigint; actor?: string; note?: string }): typeof changes.$inferInsert {
  const { programId, id: commissionId, state, reason, holdUntil } = row
  return { programId, commissionId, at, state, reason, holdUntil, ...more }
}

/** How often the sale's commission has changed: what makes the key of a message about the latest change. */
async function countChanges(tx: Tx, parts: readonly Row[]): Promise<number> {
  const ids = parts.map(({ id }) => id)
  return tx.$count(changes, inArray(changes.commissionId, ids))
}

const debtMoved = (moves: readonly Move[]): bigint =>
  sum(moves.flatMap(({ entries }) => entries.filter(({ account }) => account === 'clawback_debt').map(({ amount }) => amount)))

function sameBooks(a: Part, b: Part): boolean {
  return (
    a.amount === b.amount &&
    a.due === b.due &&
    a.clawed === b.clawed &&
    a.repaid === b.repaid &&
    a.state === b.state &&
    a.reason === b.reason
  )
}
