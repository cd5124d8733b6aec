// What people do about sales that the rule decided, or could not: find them by what somebody knows, and give them to another partner. Every decision stays.
import { and, desc, eq, gte, inArray, lte, or, sql } from 'drizzle-orm'
import { type Clock, type Emit, newId, type Tx, UserError } from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import { overridden } from './decide.ts'
import { saleReassigned } from './events.ts'
import type { Corrections, SaleFollower } from './public.ts'
import { toSale } from './sale.ts'
import { bindings, customers, decisions, identities, sales } from './tables.ts'

const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i

export function createCorrections(needs: {
  clock: Clock
  emit: Emit
  partners: Partners
  followers: () => readonly SaleFollower[]
  hashEmail: (email: string) => string
}): Corrections {
  const { clock, emit, partners, followers, hashEmail } = needs

  const reassign: Corrections['reassign'] = async (tx, programId, saleId, to, override) => {
    const now = clock.now()
    const [sale] = await tx
      .select()
      .from(sales)
      .where(and(eq(sales.programId, programId), eq(sales.id, saleId)))
      .for('update')
    if (!sale) throw new UserError('unknown_sale', 'There is no such sale any more.')
    const { partnerId: from, customerId, currency } = sale
    // In the order in which a payment that is told again takes them: the sale, then the customer.
    await tx.select({ id: customers.id }).from(customers).where(eq(customers.id, customerId)).for('update')
    if (from === to)
      throw new UserError('already_theirs', to === null ? 'The sale belongs to nobody already.' : 'The sale is theirs already.')
    if (to !== null) await assertEligible(tx, programId, customerId, to)

    const [last] = await tx
      .select({ number: decisions.number, trace: decisions.trace })
      .from(decisions)
      .where(and(eq(decisions.programId, programId), eq(decisions.saleId, saleId)))
      .orderBy(desc(decisions.number))
      .limit(1)
    const trace = overridden(last!.trace, to, override, now)
    const decisionId = newId(now)
    await tx.update(sales).set({ partnerId: to, origin: null }).where(eq(sales.id, saleId))
    await tx.insert(decisions).values({
      id: decisionId,
      programId,
      saleId,
      number: last!.number + 1,
      partnerId: to,
      ruleVersion: trace.ruleVersion,
      trace,
      decidedAt: now,
    })
    const ofCustomer = and(eq(bindings.programId, programId), eq(bindings.customerId, customerId))
    if (to === null) await tx.delete(bindings).where(ofCustomer)
    else {
      const bound = { partnerId: to, saleId, decisionId, boundAt: sale.paidAt }
      await tx
        .insert(bindings)
        .values({ programId, customerId, ...bound })
        .onConflictDoUpdate({ target: [bindings.programId, bindings.customerId], set: bound })
    }
    const by = { actor: override.approvedBy, note: override.reason }
    for (const follow of followers()) await follow(tx, { programId, saleId, currency, from, to, by })
    await emit(tx, saleReassigned, { programId, saleId, from, to })
    return { from }
  }

  async function assertEligible(tx: Tx, programId: string, customerId: string, to: string): Promise<void> {
    const partner = await partners.byId(tx, programId, to)
    if (partner?.status !== 'active')
      throw new UserError('partner_not_active', 'That partner is not active, and sales are credited to active partners only.')
    const [own] = await tx
      .select({ value: identities.value })
      .from(identities)
      .where(
        and(
          eq(identities.programId, programId),
          eq(identities.customerId, customerId),
          eq(identities.kind, 'email'),
          eq(identities.value, hashEmail(partner.email)),
        ),
      )
    if (own)
      throw new UserError('self_referral', 'That partner bought it themselves, and nobody is credited for their own purchases.')
  }

  const matching: Corrections['matching'] = async (reader, programId, clues, limit) => {
    const { reference, emailHash, gross, orWithoutTax, currency, from, to } = clues
    const byReference =
      reference === undefined
        ? undefined
        : uuid.test(reference)
          ? or(eq(sales.id, reference), eq(sales.paymentKey, reference))
          : eq(sales.paymentKey, reference)
    const byEmail =
      emailHash === undefined
        ? undefined
        : inArray(
            sales.customerId,
            reader
              .select({ id: identities.customerId })
              .from(identities)
              .where(and(eq(identities.programId, programId), eq(identities.kind, 'email'), eq(identities.value, emailHash))),
          )
    const inTime = and(gte(sales.paidAt, from), lte(sales.paidAt, to))
    const withoutTax = orWithoutTax ? sql`${sales.gross} - ${sales.tax} - ${sales.shipping} = ${gross}` : undefined
    const byAmount =
      gross === undefined || currency === undefined
        ? undefined
        : and(inTime, eq(sales.currency, currency), or(eq(sales.gross, gross), withoutTax))
    const clue = or(byReference, byEmail && and(byEmail, inTime), byAmount)
    if (!clue) return []
    const holds = (condition: typeof byReference) => sql<boolean>`coalesce(${condition ?? sql`false`}, false)`
    const rows = await reader
      .select({ sale: sales, reference: holds(byReference), email: holds(byEmail), amount: holds(byAmount) })
      .from(sales)
      .where(and(eq(sales.programId, programId), clue))
      .orderBy(desc(holds(byReference)), desc(holds(byEmail)), desc(holds(byAmount)), desc(sales.paidAt))
      .limit(limit)
    return rows.map(({ sale, ...match }) => ({ sale: toSale(sale), ...match }))
  }

  return {
    reassign,
    matching,
    origins: async (reader, programId, saleId) =>
      (
        await reader
          .select({ provider: sales.provider, paymentKey: sales.paymentKey, hints: sales.hints })
          .from(sales)
          .where(and(eq(sales.programId, programId), eq(sales.id, saleId)))
      )[0],
  }
}
