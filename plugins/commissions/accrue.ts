// Accrues the commissions of many new sales with few statements: what the hot path needs. Whatever is not plain is left to the one who books a sale alone.
import { sql } from 'drizzle-orm'
import type { Sale } from '../attribution/public.ts'
import { amongIds, days, newId, type Tx } from '../kit/index.ts'
import type { Partner } from '../partners/public.ts'
import { type Books, lockBooks, type SaleRef } from './books.ts'
import { decideCommission, type Move, settle } from './decide.ts'
import { commissionAccrued } from './events.ts'
import { accruedMessage } from './messages.ts'
import type { Needs } from './needs.ts'
import type { RuleStamp, ToStamp } from './rules.ts'
import type { commissions } from './tables.ts'
import { transferOf } from './transfers.ts'

type Row = typeof commissions.$inferSelect

interface Accrual {
  readonly part: Row
  readonly moves: readonly Move[]
  readonly partner: Partner
}

/**
 * Makes the function that accrues what is new and plain: a first commission of a sale whose partner owes nothing, under a rule without a cap per period.
 * Returns the references that are left. The books of all of them are locked, in sorted order.
 */
export function createAccrual(needs: Needs): (tx: Tx, refs: readonly SaleRef[]) => Promise<SaleRef[]> {
  const { clock, emit, settings, ledger, partners, agreements, attribution, notifications, stampTogether } = needs

  return async (tx, refs) => {
    const believed = refs.filter((ref): ref is Books & SaleRef => ref.partnerId !== null)
    await lockBooks(tx, believed)
    const left = refs.filter(({ partnerId }) => partnerId === null)
    for (const [programId, own] of Map.groupBy(believed, (ref) => ref.programId)) left.push(...(await accrueIn(tx, programId, own)))
    return left
  }

  async function accrueIn(tx: Tx, programId: string, refs: readonly (Books & SaleRef)[]): Promise<SaleRef[]> {
    const partnerIds = [...new Set(refs.map(({ partnerId }) => partnerId))]
    const [plain, config, known, signers] = await Promise.all([
      plainOnes(tx, programId, refs, partnerIds),
      settings.of(tx, programId),
      partners.byIds(tx, programId, partnerIds),
      agreements.signersOfCurrent(tx, programId, partnerIds, clock.now()),
    ])
    if (plain.length === 0) return [...refs]
    const stamps = await stampTogether(tx, plain, config)
    const stamped = plain.flatMap((one, i) => (stamps[i] ? [{ ...one, stamp: stamps[i] }] : []))
    const byId = new Map(known.map((partner) => [partner.id, partner]))
    const accruals = stamped.map(({ sale, stamp, partnerId }) => {
      const partner = byId.get(partnerId)
      if (!partner) throw new Error(`The partner ${partnerId}, who has a sale, does not exist`)
      return accrualOf(sale, stamp, partner, signers.has(partnerId), config.holdDays)
    })
    await write(tx, accruals)
    await announce(tx, accruals)
    const done = new Set(accruals.map(({ part }) => part.saleId))
    return refs.filter(({ saleId }) => !done.has(saleId))
  }

  /** Sales without any commission, of the partner that they are believed to have, who owes nothing. */
  async function plainOnes(
    tx: Tx,
    programId: string,
    refs: readonly (Books & SaleRef)[],
    partnerIds: readonly string[],
  ): Promise<ToStamp[]> {
    const saleIds = refs.map(({ saleId }) => saleId)
    const [found, withCommission, debts] = await Promise.all([
      attribution.salesById(tx, programId, saleIds),
      tx.execute<{ sale_id: string }>(sql`
        select sale_id from commissions_commissions where program_id = ${programId}::uuid and ${amongIds(sql`sale_id`, saleIds)}`),
      ledger.debtsOf(tx, programId, partnerIds),
    ])
    const sales = new Map(found.map((sale) => [sale.id, sale]))
    const begun = new Set(withCommission.map((row) => row.sale_id))
    const owing = new Set(debts.map(({ partnerId, currency }) => `${partnerId} ${currency}`))
    return refs.flatMap(({ saleId, partnerId, currency }) => {
      const sale = sales.get(saleId)
      if (!sale || sale.partnerId !== partnerId || begun.has(saleId) || owing.has(`${partnerId} ${currency}`)) return []
      begun.add(saleId)
      return [{ sale, partnerId }]
    })
  }

  function accrualOf(sale: Sale, stamp: RuleStamp, partner: Partner, agreementSigned: boolean, holdDays: number): Accrual {
    const now = clock.now()
    const blank: Row = {
      id: newId(now),
      programId: sale.programId,
      saleId: sale.id,
      part: 0,
      partnerId: partner.id,
      currency: sale.currency,
      ...stamp,
      holdUntil: new Date(sale.paidAt.getTime() + days(holdDays)),
      earnedAt: sale.paidAt,
      origin: sale.origin,
      amount: 0n,
      due: 0n,
      clawed: 0n,
      repaid: 0n,
      state: 'pending',
      reason: null,
      revision: 0,
      createdAt: now,
      updatedAt: now,
    }
    const facts = {
      basis: sale.basis,
      refunded: sale.refunded,
      dispute: sale.dispute,
      lost: sale.lost,
      partnerStatus: partner.status,
      agreementSigned,
      accepted: agreementSigned,
      stopped: null,
      adjusted: 0n,
      voided: null,
    }
    const { parts, moves } = settle([], decideCommission(facts, blank), 0n, blank)
    return { part: { ...parts[0]!, revision: moves.length }, moves, partner }
  }

  async function write(tx: Tx, accruals: readonly Accrual[]): Promise<void> {
    const rows = accruals.map(({ part }) => part)
    const kept = tx.execute(sql`
      with fresh as (
        insert into commissions_commissions (id, program_id, sale_id, part, partner_id, currency, rule_id, rule_version, rate_ppm, basis, hold_until, earned_at,
          amount, due, clawed, repaid, state, reason, revision, created_at, updated_at, flat, limit_amount, limit_reason, full_amount, capped_by, origin)
        select "id", "programId", "saleId", "part", "partnerId", "currency", "ruleId", "ruleVersion", "ratePpm", "basis", "holdUntil", "earnedAt",
          "amount", "due", "clawed", "repaid", "state", "reason", "revision", "createdAt", "updatedAt", "flat", "limitAmount", "limitReason", "fullAmount", "cappedBy", "origin"
        from jsonb_to_recordset(${asJson(rows)}::text::jsonb) as c ("id" uuid, "programId" uuid, "saleId" uuid, "part" smallint, "partnerId" uuid, "currency" text,
          "ruleId" uuid, "ruleVersion" integer, "ratePpm" bigint, "basis" bigint, "holdUntil" timestamptz, "earnedAt" timestamptz, "amount" bigint, "due" bigint,
          "clawed" bigint, "repaid" bigint, "state" text, "reason" text, "revision" integer, "createdAt" timestamptz, "updatedAt" timestamptz, "flat" bigint,
          "limitAmount" bigint, "limitReason" text, "fullAmount" bigint, "cappedBy" text, "origin" jsonb)
        returning id, program_id, state, reason, amount, hold_until, created_at)
      insert into commissions_changes (program_id, commission_id, at, state, reason, change, hold_until)
      select program_id, id, created_at, state, reason, amount, hold_until from fresh`)
    const booked = ledger.postAll(
      tx,
      accruals.flatMap(({ part, moves }) => moves.map((move, i) => transferOf(part, i + 1, move))),
    )
    await Promise.all([kept, booked])
  }

  async function announce(tx: Tx, accruals: readonly Accrual[]): Promise<void> {
    const worth = accruals.filter(({ part }) => part.amount > 0n)
    await emit(
      tx,
      commissionAccrued,
      ...worth.map(({ part: { programId, id: commissionId, partnerId, saleId, currency, amount } }) => ({
        programId,
        commissionId,
        partnerId,
        saleId,
        currency,
        amount,
      })),
    )
    await notifications.tell(
      tx,
      ...worth.map(({ part, partner }) => ({
        programId: part.programId,
        key: `commissions.accrued:${part.id}`,
        userId: partner.userId,
        message: accruedMessage(part, clock.now()),
      })),
    )
  }
}

const asJson = (rows: readonly object[]): string =>
  JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
