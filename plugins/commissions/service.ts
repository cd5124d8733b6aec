// Commissions: reads the facts of a sale, asks decide.ts what follows, and writes it: rows, ledger transfers, events. Calls no vendor.
import { and, asc, desc, eq, gt, inArray, isNull, lte, ne, notInArray, or, type SQL, sql } from 'drizzle-orm'
import type { Message } from '../../commands/messages.ts'
import type { Sale, SaleMove } from '../attribution/public.ts'
import {
  amongIds,
  days,
  failuresOf,
  formatMoney,
  newId,
  type Reader,
  refuseOwn,
  sum,
  type Tx,
  textArray,
  UserError,
} from '../kit/index.ts'
import type { Partner } from '../partners/public.ts'
import { createAccrual } from './accrue.ts'
import { createAnnounceAccrued, payloadOf } from './announce.ts'
import { type Books, lockBooks, type SaleRef } from './books.ts'
import {
  closeIfSpent,
  decideCommission,
  eligibility,
  eligibilityHolds,
  type Facts,
  type Move,
  reassigned,
  repay,
  type Settlement,
  settle,
  shift,
} from './decide.ts'
import { commissionAdjusted, commissionPayable, commissionReleased } from './events.ts'
import { adjustedMessage, heldMessage, releasedMessage } from './messages.ts'
import type { Needs } from './needs.ts'
import type { By, Commission, Commissions } from './public.ts'
import { createStandings } from './standings.ts'
import { changes, commissions, holds, interventions } from './tables.ts'
import { payingStamp, worthOf } from './terms.ts'
import { createWrite } from './write.ts'

type Row = typeof commissions.$inferSelect
export type CommissionPart = Row

export interface CommissionService extends Commissions {
  /**
   * Brings the commission of the sale to what the facts of now say: accrues it, lowers or restores it, holds it or lets it go. Whoever calls it, in
   * whatever order and however often, the books end the same.
   */
  bookSale(tx: Tx, ref: SaleRef): Promise<void>
  /** As `bookSale` for each; new sales, which are most of them, with few statements. */
  bookSales(tx: Tx, refs: readonly SaleRef[]): Promise<void>
  /** Looks again at what is held of a partner, after they signed, became active, left or came back. */
  reviewHeld(tx: Tx, programId: string, partnerId: string): Promise<void>
  /** Makes payable what has waited long enough, of one program or of all. @throws AggregateError when some books could not be released; the others were */
  releaseDue(programId?: string): Promise<void>
  /**
   * Sets the hold of pending commissions anew, counted from each payment; returns how many were changed. Done again, it changes the same ones.
   * @throws AggregateError when some books could not be changed; the others were
   */
  restampPending(programId: string, holdDays: number, by: By): Promise<number>
  /** The newest commissions of the program whose id or partner is wanted: for suggestions. Further parts of a sale are left out. */
  newest(reader: Reader, programId: string, filter: { partnerIds?: readonly string[]; limit: number }): Promise<Commission[]>
  /** Every part of the sale's commission with its stamp; empty when it has none. */
  ofSale(reader: Reader, programId: string, saleId: string): Promise<CommissionPart[]>
  /**
   * The sale went from one partner to another, or to nobody: takes what it earned the one, and books what it earns the other, within `tx`. What was paid
   * becomes debt of the former. Told to both.
   */
  reassign(tx: Tx, move: SaleMove): Promise<void>
  /** @throws UserError when there is no such commission */
  require(reader: Reader, programId: string, commissionId: string): Promise<Commission>
  /** What happened to the parts of a sale's commission, oldest first. */
  historyOf(reader: Reader, programId: string, saleId: string): Promise<(typeof changes.$inferSelect)[]>
  /**
   * Adds `amount` (not zero, may be negative) to the worth of the commission's sale; booked as a transfer that points at the accrual, told to the partner.
   * What is taken and no longer there becomes debt. @throws UserError when it is voided or their own, or when more is taken than it is worth
   */
  adjust(tx: Tx, programId: string, commissionId: string, amount: bigint, by: By): Promise<Commission>
  /** As `hold`, by an admin for the reason `manual`: in the history with who and why, and told to the partner. @throws UserError when nothing can be held */
  holdByHand(tx: Tx, programId: string, commissionId: string, by: By): Promise<Commission>
  /** Lifts every hold that people or other plugins put on it. @throws UserError when there is none, or it is their own */
  releaseByHand(tx: Tx, programId: string, commissionId: string, by: By): Promise<Commission>
}

/** What people did beside the facts of the sale, and how it is told. */
interface How {
  readonly why?: 'adjust' | 'void'
  readonly by?: By
  /** Several sales are brought up to date together: the caller lets them repay debts once all are, so that none repays with what is to be held. */
  readonly debtLater?: true
}

export function createCommissionService(needs: Needs): CommissionService {
  const { db, clock, emit, settings, ledger, partners, attribution, notifications, stamp, limitReturned, roomIn } = needs
  const standingsOf = createStandings(needs)
  const announceAccrued = createAnnounceAccrued(needs)
  const write = createWrite(needs)

  async function book(tx: Tx, ref: SaleRef, how: How = {}): Promise<void> {
    const believed = ref.partnerId ?? (await attribution.sale(tx, ref.programId, ref.saleId))?.partnerId
    if (!believed) return
    await lockBooks(tx, [{ ...ref, partnerId: believed }])
    // Read behind the lock: whoever comes later sees at least what this one saw.
    const sale = await attribution.sale(tx, ref.programId, ref.saleId)
    if (!sale?.partnerId) return
    const { partnerId } = sale
    if (partnerId !== believed) await lockBooks(tx, [{ ...ref, partnerId }])
    const rows = await grow(tx, sale, await partsOf(tx, { ...ref, partnerId }))
    const isBack = isBackUnderCap(rows)

    const { partner, ...standing } = (await standingsOf(tx, ref.programId, [partnerId]))(partnerId)
    const blank = await blankPart(tx, rows, sale, partnerId)
    const decision = decideCommission(
      {
        basis: sale.basis,
        refunded: sale.refunded,
        dispute: sale.dispute,
        lost: sale.lost,
        ...standing,
        // Sales are credited to active partners only: who left since then was eligible when the sale came in, however late it is booked.
        accepted: rows.length === 0 ? standing.agreementSigned : await wasAccepted(tx, rows, standing),
        ...(rows.length > 0 ? await saidByPeople(tx, ref) : unsaid),
      },
      payingStamp(blank),
    )
    const debt = await debtOf(tx, blank)
    const settlement = settle(isBack ? [...rows, blank] : rows, decision, debt, blank, how.why)
    await write(tx, rows, settlement, how.by)
    if (!how.debtLater) await repayDebt(tx, blank, debt + debtMoved(settlement.moves))
    // What was worth nothing so far, such as a sale that was refunded before it was booked, accrues with its first worth.
    if (!how.by && rows.every(({ revision }) => revision === 0))
      await announceAccrued(tx, [{ part: settlement.parts.at(-1)!, partner }])
    else if (settlement.change !== 0n) await announceChange(tx, partner, settlement, how)
  }

  /** What is held now may have been accepted before: a partner may sign nothing newer, and leave. */
  async function wasAccepted(tx: Tx, rows: readonly Row[], { partnerStatus }: Pick<Facts, 'partnerStatus'>): Promise<boolean> {
    if (rows.some(({ reason }) => !eligibilityHolds.some((hold) => hold === reason))) return true
    if (partnerStatus !== 'left') return false
    const ids = rows.map(({ id }) => id)
    const wasFree = or(ne(changes.state, 'held'), notInArray(changes.reason, [...eligibilityHolds]))
    return (await tx.$count(changes, and(inArray(changes.commissionId, ids), ne(changes.state, 'voided'), wasFree))) > 0
  }

  /** Lets the sale take up more of its cap per period when it is worth more than it took up so far: the basis has grown, and it gets what room is left. */
  async function grow(tx: Tx, sale: Sale, rows: Row[]): Promise<Row[]> {
    const last = rows.at(-1)
    if (!last || last.cappedBy === null || isBackUnderCap(rows)) return rows
    const wanted = worthOf(last, sale.basis) - last.fullAmount - last.grown
    const room = wanted > 0n ? await roomIn(tx, sale, last) : 0n
    if (room === 0n) return rows
    const grown = last.grown + (wanted < room ? wanted : room)
    await tx
      .update(commissions)
      .set({ grown })
      .where(and(eq(commissions.programId, last.programId), eq(commissions.id, last.id)))
    return [...rows.slice(0, -1), { ...last, grown }]
  }

  const bookSale: CommissionService['bookSale'] = (tx, ref) => book(tx, ref)

  const accrue = createAccrual(needs)
  const bookSales: CommissionService['bookSales'] = async (tx, refs) => {
    for (const ref of await accrue(tx, refs)) await book(tx, ref)
  }

  const reassign: CommissionService['reassign'] = async (tx, { programId, saleId, currency, from, to, by }) => {
    const parties = [from, to].filter((id) => id !== null)
    await lockBooks(
      tx,
      parties.map((partnerId) => ({ programId, partnerId, currency })),
    )
    if (from !== null) await takeFrom(tx, { programId, saleId, partnerId: from }, by)
    if (to !== null) await book(tx, { programId, saleId, partnerId: to, currency })
  }

  /** Takes everything that the sale earned this partner; what people decided about it ends with it. */
  async function takeFrom(tx: Tx, sale: { programId: string; saleId: string; partnerId: string }, by: By): Promise<void> {
    const now = clock.now()
    const rows = await partsOf(tx, sale)
    if (!rows[0]) return
    const ofSale = (table: typeof holds | typeof interventions) =>
      and(eq(table.programId, sale.programId), eq(table.saleId, sale.saleId))
    await tx
      .update(holds)
      .set({ liftedAt: now })
      .where(and(ofSale(holds), isNull(holds.liftedAt)))
    await tx
      .update(interventions)
      .set({ endedAt: now })
      .where(and(ofSale(interventions), isNull(interventions.endedAt)))
    const debt = await debtOf(tx, rows[0])
    const settlement = settle(rows, { target: 0n, hold: null, cause: reassigned }, debt, rows[0], 'void')
    await write(tx, rows, settlement, by)
    await repayDebt(tx, rows[0], debt + debtMoved(settlement.moves))
    if (settlement.change !== 0n) await announceChange(tx, await partnerOf(tx, sale.programId, sale.partnerId), settlement, { by })
  }

  async function partnerOf(tx: Tx, programId: string, partnerId: string): Promise<Partner> {
    const partner = await partners.byId(tx, programId, partnerId)
    if (!partner) throw new Error(`The partner ${partnerId}, who has a sale, does not exist`)
    return partner
  }

  /** An empty part with the stamp of the sale's last part, with what room its cap has left when the sale came back, or with a new stamp when it is the first. */
  async function blankPart(tx: Tx, rows: readonly Row[], sale: Sale, partnerId: string): Promise<Row> {
    const now = clock.now()
    const empty = { amount: 0n, due: 0n, clawed: 0n, repaid: 0n, state: 'pending', reason: null, revision: 0 } as const
    const fresh = { id: newId(now), part: rows.length, createdAt: now, updatedAt: now, ...empty }
    const last = rows.at(-1)
    if (last) {
      const before = { ...last, ...fresh }
      return isBackUnderCap(rows) ? { ...before, ...(await limitReturned(tx, sale, last)) } : before
    }
    const config = await settings.of(tx, sale.programId)
    return {
      ...fresh,
      programId: sale.programId,
      saleId: sale.id,
      partnerId,
      currency: sale.currency,
      ...(await stamp(tx, sale, partnerId, config)),
      holdUntil: new Date(sale.paidAt.getTime() + days(config.holdDays)),
      earnedAt: sale.paidAt,
      origin: sale.origin,
    }
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

  async function announceChange(tx: Tx, partner: Partner, { parts, change }: Settlement<Row>, { by }: How): Promise<void> {
    const { programId, id: commissionId, partnerId, saleId, currency } = parts[0]!
    const amount = sum(parts.map((part) => part.amount))
    const reason = parts[0]!.reason ?? 'restored'
    await emit(tx, commissionAdjusted, { programId, commissionId, partnerId, saleId, currency, amount, change, reason })
    await notifications.tell(tx, {
      programId,
      key: `commissions.adjusted:${commissionId}:${await countChanges(tx, parts)}`,
      userId: partner.userId,
      message: adjustedMessage({ currency, amount, change, reason, note: by?.note, clawed: sum(parts.map((part) => part.clawed)) }),
    })
  }

  async function reviewHeld(tx: Tx, programId: string, partnerId: string): Promise<void> {
    const rows = await tx
      .select({ saleId: commissions.saleId, currency: commissions.currency })
      .from(commissions)
      .where(and(eq(commissions.programId, programId), eq(commissions.partnerId, partnerId), eq(commissions.state, 'held')))
      .orderBy(asc(commissions.currency), asc(commissions.saleId))
    // Debts are repaid once all are free again, the older payment first, whatever order they are looked at in.
    for (const row of rows) await book(tx, { programId, partnerId, ...row }, { debtLater: true })
    for (const currency of new Set(rows.map((row) => row.currency))) {
      const books = { programId, partnerId, currency }
      await repayDebt(tx, books, await debtOf(tx, books))
    }
  }

  const isDue = () => and(eq(commissions.state, 'pending'), lte(commissions.holdUntil, clock.now()))

  async function releaseDue(programId?: string): Promise<void> {
    const such = and(isDue(), programId === undefined ? undefined : eq(commissions.programId, programId))
    await changeBooksWith(such, releaseIn, 'due commissions could not be released')
  }

  /**
   * Has `work` change the books in which there are such commissions, many of one program together, under the locks of all. Returns how many commissions it
   * changed. @throws AggregateError that begins with `failed` when some books could not be changed; the others were
   */
  async function changeBooksWith(
    such: SQL | undefined,
    work: (tx: Tx, programId: string, books: readonly Books[]) => Promise<number>,
    failed: string,
  ): Promise<number> {
    const { programId, partnerId, currency } = commissions
    const found = await db
      .selectDistinct({ programId, partnerId, currency })
      .from(commissions)
      .where(such)
      .orderBy(asc(programId), asc(partnerId), asc(currency))
    let changed = 0
    const failures = await failuresOf(found, changedTogether, async (books) => {
      const counts = await db.transaction(async (tx) => {
        await lockBooks(tx, books)
        const done: number[] = []
        for (const [program, own] of Map.groupBy(books, (one) => one.programId)) done.push(await work(tx, program, own))
        return done
      })
      for (const count of counts) changed += count
    })
    if (failures.length > 0) throw new AggregateError(failures, `${failed} (books: ${failures.length})`)
    return changed
  }

  async function releaseIn(tx: Tx, programId: string, books: readonly Books[]): Promise<number> {
    const partnerIds = books.map(({ partnerId }) => partnerId)
    const { partnerId, currency, earnedAt, id } = commissions
    const rows = await tx
      .select()
      .from(commissions)
      .where(and(eq(commissions.programId, programId), inAnyOf(books), isDue()))
      .orderBy(asc(partnerId), asc(currency), asc(earnedAt), asc(id))
    const standingOf = await standingsOf(tx, programId, partnerIds)
    const shifted = rows.map((row) => {
      const hold = eligibility({ ...standingOf(row.partnerId), accepted: true })
      return hold ? shift(row, 'held', hold, 'hold') : shift(row, 'payable', row.reason, 'release')
    })
    await write(tx, rows, {
      parts: shifted.map(({ part }) => closeIfSpent(part)),
      moves: shifted.flatMap(({ moves }) => moves),
    })
    const released = shifted.flatMap(({ part }) => (part.state === 'payable' ? [part] : []))
    await emit(tx, commissionPayable, ...released.map(payloadOf))
    return rows.length
  }

  const restampPending: CommissionService['restampPending'] = (programId, holdDays, by) => {
    const pending = and(eq(commissions.programId, programId), eq(commissions.state, 'pending'))
    const restampIn = async (tx: Tx, _: string, books: readonly Books[]): Promise<number> => {
      const now = clock.now()
      const rows = await tx
        .update(commissions)
        .set({ holdUntil: sql`${commissions.earnedAt} + make_interval(days => ${holdDays}::integer)`, updatedAt: now })
        .where(and(pending, inAnyOf(books)))
        .returning({ id: commissions.id })
      const ids = rows.map(({ id }) => id)
      await noteStates(tx, programId, ids, now, by)
      return ids.length
    }
    return changeBooksWith(pending, restampIn, 'pending commissions could not get another hold')
  }

  const takePayable: Commissions['takePayable'] = async (tx, programId, partnerId, currency) => {
    const books = { programId, partnerId, currency }
    await lockBooks(tx, [books])
    return tx
      .select()
      .from(commissions)
      .where(and(inBooks(books), eq(commissions.state, 'payable'), gt(commissions.due, 0n)))
      .orderBy(asc(commissions.earnedAt), asc(commissions.id))
  }

  const setState: Commissions['setState'] = async (tx, books, ids, state, reason) => {
    await lockBooks(tx, [books])
    const now = clock.now()
    const moved = await tx
      .update(commissions)
      .set({
        state,
        reason: sql`case when ${commissions.reason} = ${reassigned} then ${reassigned} else coalesce(${reason}::text, ${commissions.reason}) end`,
        updatedAt: now,
      })
      .where(and(inBooks(books), amongIds(commissions.id, ids), inArray(commissions.state, [...comesFrom[state]])))
      .returning()
    if (moved.length !== ids.length)
      throw new Error(
        `Of ${ids.length} commissions only ${moved.length} can become ${state}: the others are in another state or not in these books`,
      )
    await noteStates(tx, books.programId, ids, now)
    // Back in the partner's hands it is subject to what happened meanwhile: an open dispute, a debt.
    if (state !== 'payable') return
    for (const row of moved) await book(tx, row, { debtLater: true })
    await repayDebt(tx, moved[0]!, await debtOf(tx, moved[0]!))
  }

  const isAnyStopped: Commissions['isAnyStopped'] = async (reader, programId, ids) => {
    const rows = await reader
      .select({ saleId: commissions.saleId })
      .from(commissions)
      .where(and(eq(commissions.programId, programId), amongIds(commissions.id, ids)))
    const saleIds = rows.map(({ saleId }) => saleId)
    const [stopped, sales] = await Promise.all([
      reader
        .select({ saleId: holds.saleId })
        .from(holds)
        .where(and(eq(holds.programId, programId), amongIds(holds.saleId, saleIds), isNull(holds.liftedAt)))
        .limit(1),
      attribution.salesById(reader, programId, saleIds),
    ])
    return stopped.length > 0 || sales.some(({ dispute }) => dispute === 'open')
  }

  /** The commission of that id with its books locked, brought to the facts of now. */
  async function lockedCommission(tx: Tx, programId: string, commissionId: string): Promise<Row | undefined> {
    const row = await rowOf(tx, programId, commissionId)
    if (!row) return undefined
    await book(tx, row)
    return rowOf(tx, programId, commissionId)
  }

  async function placeHold(tx: Tx, row: Row, reason: string, how: How): Promise<Row> {
    await tx
      .insert(holds)
      .values({ programId: row.programId, saleId: row.saleId, reason, placedAt: clock.now() })
      .onConflictDoNothing()
    await book(tx, row, how)
    return (await rowOf(tx, row.programId, row.id))!
  }

  const hasWhatCanBeHeld = async (tx: Tx, row: Row): Promise<boolean> =>
    (await partsOf(tx, row)).some(({ state }) => state === 'pending' || state === 'held' || state === 'payable')

  const hold: CommissionService['hold'] = async (tx, programId, commissionId, reason) => {
    const row = await lockedCommission(tx, programId, commissionId)
    if (!row || row.reason === reassigned) return false
    await placeHold(tx, row, reason, {})
    return hasWhatCanBeHeld(tx, row)
  }

  /** Without a reason every hold is lifted. */
  async function liftHolds(tx: Tx, programId: string, commissionId: string, reason: string | undefined, how: How) {
    const row = await lockedCommission(tx, programId, commissionId)
    // Holds are of the sale, and after it changed hands, of what the other partner has now.
    if (!row || row.reason === reassigned) return undefined
    const lifted = await tx
      .update(holds)
      .set({ liftedAt: clock.now() })
      .where(
        and(
          eq(holds.programId, programId),
          eq(holds.saleId, row.saleId),
          isNull(holds.liftedAt),
          reason === undefined ? undefined : eq(holds.reason, reason),
        ),
      )
      .returning({ reason: holds.reason })
    if (lifted.length === 0) return undefined
    await book(tx, row, how)
    return rowOf(tx, programId, commissionId)
  }

  async function tellPartner(tx: Tx, row: Row, what: string, message: Message): Promise<void> {
    const partner = await partnerOf(tx, row.programId, row.partnerId)
    const key = `commissions.${what}:${row.id}:${await countChanges(tx, [row])}`
    await notifications.tell(tx, { programId: row.programId, key, userId: partner.userId, message })
  }

  async function intervene(
    tx: Tx,
    row: Row,
    what: { kind: 'adjust' | 'void'; amount: bigint; reason: string },
    by: By,
  ): Promise<Commission> {
    const at = clock.now()
    await tx.insert(interventions).values({ id: newId(at), programId: row.programId, saleId: row.saleId, ...what, ...by, at })
    await book(tx, row, { why: what.kind, by })
    return (await rowOf(tx, row.programId, row.id))!
  }

  /** The commission, for someone who wants to change its worth. @throws UserError when there is none, it is their own, or it was voided */
  async function changeable(tx: Tx, programId: string, commissionId: string, by: By): Promise<Row> {
    const row = await lockedCommission(tx, programId, commissionId)
    if (!row) throw unknownCommission()
    await refuseOwnOf(tx, row, by)
    if (row.reason === reassigned)
      throw new UserError('voided', 'The sale was given to another partner. Choose their commission of it.')
    if ((await saidByPeople(tx, row)).voided !== null)
      throw new UserError('voided', 'This commission was voided for good. Nothing about its worth can be changed any more.')
    return row
  }

  /** @throws UserError when whoever acts is the partner whose commission it is */
  async function refuseOwnOf(tx: Tx, { programId, partnerId }: Row, { actor }: By): Promise<void> {
    refuseOwn('commission', (await partnerOf(tx, programId, partnerId)).userId, actor)
  }

  const adjust: CommissionService['adjust'] = async (tx, programId, commissionId, amount, by) => {
    const row = await changeable(tx, programId, commissionId, by)
    const worth = sum((await partsOf(tx, row)).map((part) => part.amount))
    if (worth + amount < 0n)
      throw new UserError(
        'more_than_worth',
        `The commission is worth ${formatMoney(worth, row.currency)} now: at most that can be taken. Use /admin commissions void to take all of it, for good.`,
      )
    return intervene(tx, row, { kind: 'adjust', amount, reason: 'adjusted' }, by)
  }

  const voidCommission: CommissionService['void'] = async (tx, programId, commissionId, reason, by) =>
    intervene(tx, await changeable(tx, programId, commissionId, by), { kind: 'void', amount: 0n, reason }, by)

  const holdByHand: CommissionService['holdByHand'] = async (tx, programId, commissionId, by) => {
    const found = await lockedCommission(tx, programId, commissionId)
    if (!found || !(await hasWhatCanBeHeld(tx, found)))
      throw new UserError(
        'nothing_to_hold',
        'Nothing of this commission can be held: it is in a payout, paid, or worth nothing. A payout that was not sent yet can be called back with /admin payouts cancel; then it can be held. Otherwise use /admin commissions adjust or void to take it back.',
      )
    const row = await placeHold(tx, found, 'manual', { by })
    await tellPartner(tx, row, 'held', heldMessage(row, by.note))
    return row
  }

  const releaseByHand: CommissionService['releaseByHand'] = async (tx, programId, commissionId, by) => {
    const row = await liftHolds(tx, programId, commissionId, undefined, { by })
    if (!row)
      throw new UserError(
        'not_held',
        'Nobody put a hold on this commission. What is held by itself (agreement, membership, dispute) goes on when its cause is gone.',
      )
    await refuseOwnOf(tx, row, by)
    await emit(tx, commissionReleased, { programId, commissionId: row.id, saleId: row.saleId, partnerId: row.partnerId, ...by })
    await tellPartner(tx, row, 'released', releasedMessage(row, by.note, clock.now()))
    return row
  }

  return {
    bookSale,
    reassign,
    bookSales,
    adjust,
    void: voidCommission,
    holdByHand,
    releaseByHand,
    hold,
    release: async (tx, programId, commissionId, reason) =>
      (await liftHolds(tx, programId, commissionId, reason, {})) !== undefined,
    newest: (reader, programId, { partnerIds, limit }) =>
      reader
        .select()
        .from(commissions)
        .where(
          and(
            eq(commissions.programId, programId),
            eq(commissions.part, 0),
            partnerIds === undefined ? undefined : inArray(commissions.partnerId, [...partnerIds]),
          ),
        )
        .orderBy(desc(commissions.id))
        .limit(limit),
    ofSale: (reader, programId, saleId) => partsOf(reader, { programId, saleId }),
    require: async (reader, programId, commissionId) => {
      const row = await rowOf(reader, programId, commissionId)
      if (!row) throw unknownCommission()
      return row
    },
    historyOf: (reader, programId, saleId) =>
      reader
        .select()
        .from(changes)
        .where(
          inArray(
            changes.commissionId,
            reader
              .select({ id: commissions.id })
              .from(commissions)
              .where(and(eq(commissions.programId, programId), eq(commissions.saleId, saleId))),
          ),
        )
        .orderBy(asc(changes.id)),
    reviewHeld,
    releaseDue,
    restampPending,
    lock: (tx, books) => lockBooks(tx, [books]),
    takePayable,
    setState,
    isAnyStopped,
    ofPartner: (reader, programId, partnerId) =>
      reader
        .select()
        .from(commissions)
        .where(and(eq(commissions.programId, programId), eq(commissions.partnerId, partnerId)))
        .orderBy(asc(commissions.createdAt), asc(commissions.id)),
    payableIn: (reader, programId, books) =>
      reader
        .select()
        .from(commissions)
        .where(and(eq(commissions.programId, programId), inAnyOf(books), eq(commissions.state, 'payable'), gt(commissions.due, 0n)))
        .orderBy(asc(commissions.earnedAt), asc(commissions.id)),
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

/** How many books are changed in one transaction, which holds the locks of all; when it fails, each has one of its own. */
const changedTogether = 100

/** Which states may become this one by way of a payout. */
const comesFrom: Readonly<Record<'in_payout' | 'paid' | 'payable', readonly Commission['state'][]>> = {
  in_payout: ['payable'],
  paid: ['in_payout'],
  payable: ['in_payout', 'paid'],
}

/** The sale went to another partner and is theirs again: what it took up of a cap per period, later sales may have used meanwhile. */
const isBackUnderCap = (rows: readonly Row[]): boolean =>
  rows.at(-1)?.cappedBy != null && rows.every(({ reason }) => reason === reassigned)

const inBooks = (books: Books) =>
  and(
    eq(commissions.programId, books.programId),
    eq(commissions.partnerId, books.partnerId),
    eq(commissions.currency, books.currency),
  )

/** Of any of these partners and currencies; they are of one program. */
const inAnyOf = (books: readonly Omit<Books, 'programId'>[]) => {
  const partnerIds = textArray(books.map(({ partnerId }) => partnerId))
  const currencies = textArray(books.map(({ currency }) => currency))
  return sql`(${commissions.partnerId}, ${commissions.currency}) in (select * from unnest(${partnerIds}::uuid[], ${currencies}::text[]))`
}

/** The parts of the sale's commission, of all partners who had it or of one. */
const partsOf = (reader: Reader, sale: { programId: string; saleId: string; partnerId?: string }): Promise<Row[]> =>
  reader
    .select()
    .from(commissions)
    .where(
      and(
        eq(commissions.programId, sale.programId),
        eq(commissions.saleId, sale.saleId),
        sale.partnerId === undefined ? undefined : eq(commissions.partnerId, sale.partnerId),
      ),
    )
    .orderBy(asc(commissions.createdAt), asc(commissions.part))

/** People type the id, or a name instead of choosing from what is suggested. */
const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i

async function rowOf(reader: Reader, programId: string, id: string): Promise<Row | undefined> {
  if (!uuid.test(id)) return undefined
  const [row] = await reader
    .select()
    .from(commissions)
    .where(and(eq(commissions.programId, programId), eq(commissions.id, id)))
  return row
}

const unknownCommission = () =>
  new UserError('unknown_commission', 'There is no commission with that id. Choose one from the list that appears while you type.')

type SaidByPeople = Pick<Facts, 'stopped' | 'adjusted' | 'voided'>

const unsaid: SaidByPeople = { stopped: null, adjusted: [], voided: null }

/** Holds, adjustments and voids of a sale's commission. */
async function saidByPeople(tx: Tx, { programId, saleId }: { programId: string; saleId: string }): Promise<SaidByPeople> {
  const [row] = await tx.execute<{ stopped: string | null; adjusted: string[]; voided: string | null }>(sql`
    select
      (select reason from commissions_holds where program_id = ${programId}::uuid and sale_id = ${saleId}::uuid and lifted_at is null
        order by id limit 1) as stopped,
      coalesce(array_agg(amount::text order by id) filter (where kind = 'adjust'), '{}') as adjusted,
      max(reason) filter (where kind = 'void') as voided
    from commissions_interventions where program_id = ${programId}::uuid and sale_id = ${saleId}::uuid and ended_at is null`)
  return { stopped: row!.stopped, adjusted: row!.adjusted.map(BigInt), voided: row!.voided }
}

/** Adds to the history how these commissions stand now, their worth unchanged. `by` is who did it, when people did. */
async function noteStates(tx: Tx, programId: string, ids: readonly string[], at: Date, by?: By): Promise<void> {
  await tx.execute(sql`
    insert into commissions_changes (program_id, commission_id, at, state, reason, change, hold_until, actor, note)
    select program_id, id, ${at.toISOString()}::timestamptz, state, reason, 0, hold_until, ${by?.actor ?? null}::text, ${by?.note ?? null}::text
    from commissions_commissions where program_id = ${programId}::uuid and ${amongIds(sql`id`, ids)} order by id`)
}

/** How often the sale's commission has changed: what makes the key of a message about the latest change. */
async function countChanges(tx: Tx, parts: readonly Row[]): Promise<number> {
  const ids = parts.map(({ id }) => id)
  return tx.$count(changes, inArray(changes.commissionId, ids))
}

const debtMoved = (moves: readonly Move[]): bigint =>
  sum(moves.flatMap(({ entries }) => entries.filter(({ account }) => account === 'clawback_debt').map(({ amount }) => amount)))
