// Accrues the commissions of many new sales with few statements: what the hot path needs. Whatever is not plain is left to the one who books a sale alone.
import { sql } from 'drizzle-orm'
import type { Sale } from '../attribution/public.ts'
import { amongIds, days, newId, type Tx } from '../kit/index.ts'
import type { Partner } from '../partners/public.ts'
import { createAnnounceAccrued } from './announce.ts'
import { type Books, lockBooks, type SaleRef } from './books.ts'
import { decideCommission, type Move, settle } from './decide.ts'
import type { Needs } from './needs.ts'
import type { RuleStamp, ToStamp } from './rules.ts'
import { createStandings, type Standing } from './standings.ts'
import type { commissions } from './tables.ts'
import { createWrite } from './write.ts'

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
  const { clock, settings, ledger, attribution, stampTogether } = needs
  const announceAccrued = createAnnounceAccrued(needs)
  const standingsOf = createStandings(needs)
  const write = createWrite(needs)

  return async (tx, refs) => {
    const believed = refs.filter((ref): ref is Books & SaleRef => ref.partnerId !== null)
    await lockBooks(tx, believed)
    const left = refs.filter(({ partnerId }) => partnerId === null)
    for (const [programId, own] of Map.groupBy(believed, (ref) => ref.programId)) left.push(...(await accrueIn(tx, programId, own)))
    return left
  }

  async function accrueIn(tx: Tx, programId: string, refs: readonly (Books & SaleRef)[]): Promise<SaleRef[]> {
    const partnerIds = [...new Set(refs.map(({ partnerId }) => partnerId))]
    const [plain, config, standingOf] = await Promise.all([
      plainOnes(tx, programId, refs, partnerIds),
      settings.of(tx, programId),
      standingsOf(tx, programId, partnerIds),
    ])
    if (plain.length === 0) return [...refs]
    const stamps = await stampTogether(tx, plain, config)
    const stamped = plain.flatMap((one, i) => (stamps[i] ? [{ ...one, stamp: stamps[i] }] : []))
    const accruals = stamped.map(({ sale, stamp, partnerId }) => accrualOf(sale, stamp, standingOf(partnerId), config.holdDays))
    const parts = accruals.map(({ part }) => part)
    await write(tx, [], { parts, moves: accruals.flatMap(({ moves }) => moves) })
    await announceAccrued(tx, accruals)
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

  function accrualOf(sale: Sale, stamp: RuleStamp, { partner, ...standing }: Standing, holdDays: number): Accrual {
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
      ...standing,
      accepted: standing.agreementSigned,
      stopped: null,
      adjusted: [],
      voided: null,
    }
    const { parts, moves } = settle([], decideCommission(facts, blank), 0n, blank)
    return { part: parts[0]!, moves, partner }
  }
}
