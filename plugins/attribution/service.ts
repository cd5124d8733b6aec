// Records payments as sales, decides whose they are, and keeps the bindings. Knows no provider and no Discord; amounts in minor units.
import { and, asc, count, desc, eq, gte, isNotNull, lt, type SQL, sql } from 'drizzle-orm'
import { type Clock, type Emit, exponentOf, newId, type Reader, type Settings, type Tx, UserError } from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import type { Config } from './config.ts'
import { decide, type Facts, originOf, type Standing, type Trace } from './decide.ts'
import { saleAttributed, saleDisputed, saleRebased, saleRecorded, saleRefunded } from './events.ts'
import {
  type Attribution,
  type CanonicalPayment,
  type Corrections,
  largestSale,
  type Origin,
  type Sale,
  type TouchSource,
} from './public.ts'
import { bindings, customers, decisions, identities, sales } from './tables.ts'

type SaleRow = typeof sales.$inferSelect

export interface Explanation {
  readonly sale: Sale
  readonly recordedAt: Date
  /** What the payment said about who brought it. */
  readonly hints: CanonicalPayment['hints']
  /** Oldest first; the last one is in force. */
  readonly decisions: readonly { readonly decidedAt: Date; readonly trace: Trace }[]
}

export interface AttributionService extends Omit<Attribution, keyof Corrections> {
  /** A page of the partner's sales, newest first, and how many there are. */
  ofPartner(
    reader: Reader,
    programId: string,
    partnerId: string,
    page: { limit: number; offset: number },
  ): Promise<{ total: number; sales: Sale[] }>
  explain(reader: Reader, programId: string, saleId: string): Promise<Explanation | undefined>
}

export function createAttributionService({
  clock,
  emit,
  settings,
  partners,
  touchSources,
  hashEmail,
}: {
  clock: Clock
  emit: Emit
  settings: Settings<Config>
  partners: Partners
  touchSources: () => readonly TouchSource[]
  hashEmail: (email: string) => string
}): Omit<AttributionService, 'pointsTo' | 'recorded'> {
  const recordPayment: Attribution['recordPayment'] = async (tx, given) => {
    const payment = checked(given)
    await lockNames(tx, payment)
    const known = await saleOf(tx, payment)
    const sale = known ? await refine(tx, known, payment) : await create(tx, payment)
    await followUp(tx, sale, payment)
    return { saleId: sale.id, created: !known }
  }

  async function create(tx: Tx, payment: CanonicalPayment): Promise<SaleRow> {
    const customerId = await customerOf(tx, payment)
    const [earlier] = await tx
      .select({ sales: count() })
      .from(sales)
      .where(and(eq(sales.programId, payment.programId), eq(sales.customerId, customerId)))
    const { trace, origin } = await judge(tx, payment, customerId)
    const row: SaleRow = {
      id: newId(clock.now()),
      programId: payment.programId,
      provider: payment.provider,
      paymentKey: payment.paymentKey,
      customerId,
      partnerId: trace.winner,
      currency: payment.currency,
      gross: payment.gross,
      tax: payment.tax,
      shipping: payment.shipping,
      refunded: 0n,
      dispute: 'none',
      product: payment.product ?? null,
      subscription: payment.recurring?.subscription ?? null,
      sequence: payment.recurring?.sequence ?? null,
      firstOfCustomer: earlier!.sales === 0,
      hints: payment.hints,
      origin,
      paidAt: payment.paidAt,
      recordedAt: clock.now(),
    }
    await tx.insert(sales).values(row)
    await keepDecision(tx, row, trace)
    await emit(tx, saleRecorded, { ...whole(row), partnerId: row.partnerId })
    return row
  }

  /** A known sale: what was paid stands, tax and shipping follow the provider; a new hint may give it the partner that it does not have yet. */
  async function refine(tx: Tx, known: SaleRow, payment: CanonicalPayment): Promise<SaleRow> {
    const row = await rebase(tx, known, payment)
    if (payment.currency !== row.currency || payment.gross !== row.gross)
      throw new UserError(
        'sale_changed',
        `The payment ${payment.paymentKey} was recorded as ${row.gross} ${row.currency} (minor units) and now comes as ${payment.gross} ${payment.currency}.`,
      )
    const hints = { ...row.hints, ...payment.hints }
    const nothingNew = (['clickId', 'coupon', 'deal'] as const).every((kind) => hints[kind] === row.hints[kind])
    if (row.partnerId !== null || nothingNew) return row
    const { trace, origin } = await judge(tx, { ...payment, hints }, row.customerId)
    const updated = { ...row, hints, origin, partnerId: trace.winner }
    await tx.update(sales).set({ hints, origin, partnerId: trace.winner }).where(eq(sales.id, row.id))
    await keepDecision(tx, updated, trace)
    if (trace.winner) await emit(tx, saleAttributed, { ...whole(updated), partnerId: trace.winner })
    return updated
  }

  async function rebase(tx: Tx, row: SaleRow, { tax, shipping }: CanonicalPayment): Promise<SaleRow> {
    if (tax === row.tax && shipping === row.shipping) return row
    const rebased = { ...row, tax, shipping }
    await tx.update(sales).set({ tax, shipping }).where(eq(sales.id, row.id))
    await emit(tx, saleRebased, { ...parties(row), basis: basisOf(rebased) })
    return rebased
  }

  /** Takes over what was refunded or disputed since, and tells it. */
  async function followUp(tx: Tx, row: SaleRow, payment: CanonicalPayment): Promise<void> {
    const { refunded } = payment
    // A provider that knows of no dispute has not closed one: an open dispute ends as won or lost.
    const dispute = payment.dispute === 'none' ? row.dispute : payment.dispute
    if (refunded === row.refunded && dispute === row.dispute) return
    await tx.update(sales).set({ refunded, dispute }).where(eq(sales.id, row.id))
    if (refunded !== row.refunded) await emit(tx, saleRefunded, { ...parties(row), refundedTotal: refunded })
    if (dispute !== row.dispute && dispute !== 'none') await emit(tx, saleDisputed, { ...parties(row), dispute })
  }

  async function judge(tx: Tx, payment: CanonicalPayment, customerId: string): Promise<{ trace: Trace; origin: Origin | null }> {
    const { programId } = payment
    const rule = await settings.of(tx, programId)
    // Payments of one customer under names that do not overlap are still decided one after the other.
    await tx.select({ id: customers.id }).from(customers).where(eq(customers.id, customerId)).for('update')
    const [binding] = await tx
      .select({ partnerId: bindings.partnerId, boundAt: bindings.boundAt, origin: sales.origin })
      .from(bindings)
      .innerJoin(sales, and(eq(sales.programId, bindings.programId), eq(sales.id, bindings.saleId)))
      .where(and(eq(bindings.programId, programId), eq(bindings.customerId, customerId)))
    const { hints, customer, paidAt } = payment
    const touches = (await inTurn(touchSources(), (source) => source.find(tx, programId, hints, customer, paidAt))).flat()
    const involved = new Set([...(binding ? [binding.partnerId] : []), ...touches.map((touch) => touch.partnerId)])
    const standings = await inTurn([...involved], async (id): Promise<[string, Standing][]> => {
      const partner = await partners.byId(tx, programId, id)
      return partner ? [[id, { status: partner.status, emailHash: hashEmail(partner.email) }]] : []
    })
    const facts: Facts = {
      boundAt: payment.paidAt,
      customerEmailHash: payment.customer.emailHash,
      existing: binding && { partnerId: binding.partnerId, boundAt: binding.boundAt },
      touches,
      partners: new Map(standings.flat()),
    }
    const trace = decide(facts, rule)
    return { trace, origin: originOf(trace, touches, binding?.origin ?? null) }
  }

  async function keepDecision(tx: Tx, row: SaleRow, trace: Trace): Promise<void> {
    const decisionId = newId(clock.now())
    const { programId, id: saleId, customerId, partnerId } = row
    await tx.insert(decisions).values({
      id: decisionId,
      programId,
      saleId,
      number: sql<number>`(select count(*) + 1 from attribution_decisions where program_id = ${programId} and sale_id = ${saleId})`,
      partnerId,
      ruleVersion: trace.ruleVersion,
      trace,
      decidedAt: clock.now(),
    })
    if (partnerId)
      await tx
        .insert(bindings)
        .values({ programId, customerId, partnerId, saleId, decisionId, boundAt: row.paidAt })
        .onConflictDoNothing()
  }

  /** The customer under any of the payment's names, made when all are new. */
  async function customerOf(tx: Tx, payment: CanonicalPayment): Promise<string> {
    const { programId } = payment
    const names = namesOf(payment)
    const found = await inTurn(names, async ({ kind, value }) => {
      const [row] = await tx
        .select({ id: identities.customerId })
        .from(identities)
        .where(and(eq(identities.programId, programId), eq(identities.kind, kind), eq(identities.value, value)))
      return row?.id
    })
    const customerId = found.find((id) => id !== undefined) ?? newId(clock.now())
    if (!found.includes(customerId))
      await tx
        .insert(customers)
        .values({ id: customerId, programId, country: payment.customer.country ?? null, createdAt: clock.now() })
    const missing = names.filter((_, i) => found[i] === undefined)
    if (missing.length > 0) await tx.insert(identities).values(missing.map((name) => ({ programId, customerId, ...name })))
    return customerId
  }

  const inRange = (programId: string, { from, to, partnerId }: Parameters<Attribution['sales']>[2]) =>
    and(
      eq(sales.programId, programId),
      isNotNull(sales.partnerId),
      gte(sales.paidAt, from),
      lt(sales.paidAt, to),
      partnerId === undefined ? undefined : eq(sales.partnerId, partnerId),
    )
  const one = (programId: string, saleId: string) => and(eq(sales.programId, programId), eq(sales.id, saleId))

  const explain: AttributionService['explain'] = async (reader, programId, saleId) => {
    const [row] = await reader.select().from(sales).where(one(programId, saleId))
    if (!row) return undefined
    const made = await reader
      .select({ decidedAt: decisions.decidedAt, trace: decisions.trace })
      .from(decisions)
      .where(and(eq(decisions.programId, programId), eq(decisions.saleId, saleId)))
      .orderBy(asc(decisions.number))
    return { sale: toSale(row), recordedAt: row.recordedAt, hints: row.hints, decisions: made }
  }

  return {
    recordPayment,
    hashEmail,
    windowDays: async (reader, programId) => (await settings.of(reader, programId)).windowDays,
    sale: async (reader, programId, saleId) => {
      const [row] = await reader.select().from(sales).where(one(programId, saleId))
      return row && toSale(row)
    },
    sales: async (reader, programId, range) =>
      (await reader.select().from(sales).where(inRange(programId, range)).orderBy(asc(sales.paidAt), asc(sales.id))).map(toSale),
    circumstances: async (reader, programId, saleIds) => {
      if (saleIds.length === 0) return new Map()
      const rows = await reader.execute<{ id: string; country: string | null; since: string | null }>(sql`
        select s.id, c.country, case when s.subscription is not null then (
            select min(f.paid_at) from attribution_sales f where f.program_id = s.program_id and f.subscription = s.subscription) end as since
        from attribution_sales s join attribution_customers c on c.id = s.customer_id
        where s.program_id = ${programId}::uuid and s.id in (select v::uuid from jsonb_array_elements_text(${JSON.stringify(saleIds)}::text::jsonb) v)`)
      return new Map(
        rows.map(({ id, country, since }) => [id, { country, subscriptionSince: since === null ? null : new Date(since) }]),
      )
    },
    decisions: async (reader, programId, saleId) => {
      const explained = await explain(reader, programId, saleId)
      return (explained?.decisions ?? []).map(({ decidedAt, trace }) => ({
        decidedAt,
        rule: trace.rule,
        ...(trace.override && { override: trace.override }),
        candidates: trace.candidates.map((candidate) => ({ ...candidate, at: new Date(candidate.at) })),
      }))
    },
    missed: async (reader, programId, partnerId, { since, limit }) => {
      const rows = await reader
        .selectDistinct({ sale: sales })
        .from(sales)
        .innerJoin(decisions, and(eq(decisions.programId, sales.programId), eq(decisions.saleId, sales.id)))
        .where(
          and(
            eq(sales.programId, programId),
            gte(sales.recordedAt, since),
            sql`${sales.partnerId} is distinct from ${partnerId}::uuid`,
            sql`${decisions.trace} -> 'candidates' @> ${JSON.stringify([{ partnerId }])}::text::jsonb`,
          ),
        )
        .orderBy(desc(sales.recordedAt))
        .limit(limit)
      return rows.map(({ sale }) => toSale(sale))
    },
    explain,
    ofPartner: async (reader, programId, partnerId, { limit, offset }) => {
      const own = and(eq(sales.programId, programId), eq(sales.partnerId, partnerId))
      const [all] = await reader.select({ total: count() }).from(sales).where(own)
      const rows = await reader
        .select()
        .from(sales)
        .where(own)
        .orderBy(desc(sales.paidAt), desc(sales.id))
        .limit(limit)
        .offset(offset)
      return { total: all!.total, sales: rows.map(toSale) }
    },
    recent: async (reader, programId, limit) =>
      (await reader.select().from(sales).where(eq(sales.programId, programId)).orderBy(desc(sales.recordedAt)).limit(limit)).map(
        toSale,
      ),
    emailHashes: async (reader, programId, customerId) => {
      const rows = await reader
        .select({ hash: identities.value })
        .from(identities)
        .where(and(eq(identities.programId, programId), eq(identities.customerId, customerId), eq(identities.kind, 'email')))
      return rows.map(({ hash }) => hash)
    },
    figures: async (reader, programId, partnerId, range) => {
      const number = (condition: SQL) => sql<number>`(count(*) filter (where ${condition}))::integer`
      const [row] = await reader
        .select({
          sales: number(sql`true`),
          refunded: number(sql`${sales.refunded} > 0 or ${sales.dispute} = 'lost'`),
          firstByClick: number(
            sql`${sales.firstOfCustomer} and ${sales.hints} ? 'clickId' and not ${sales.hints} ?| '{coupon,deal}'`,
          ),
          firstByCoupon: number(sql`${sales.firstOfCustomer} and ${sales.hints} ? 'coupon'`),
        })
        .from(sales)
        .where(inRange(programId, { ...range, partnerId }))
      return row!
    },
  }
}

/** The payment in canonical form. @throws UserError that names what cannot be */
function checked(payment: CanonicalPayment): CanonicalPayment {
  const currency = payment.currency.toUpperCase()
  exponentOf(currency)
  const { gross, tax, shipping, refunded } = payment
  const refuse = (code: string, what: string) => {
    throw new UserError(code, `The payment ${payment.paymentKey} cannot be recorded: ${what}.`)
  }
  if (gross <= 0n) refuse('bad_gross', `its amount is ${gross}, and a sale is more than zero`)
  if (gross > largestSale) refuse('bad_gross', `its amount of ${gross} minor units is larger than any sale can be`)
  if (tax < 0n || shipping < 0n || tax + shipping > gross)
    refuse('bad_basis', `tax ${tax} and shipping ${shipping} do not fit into its amount of ${gross}`)
  if (refunded < 0n || refunded > gross) refuse('bad_refund', `${refunded} were refunded of ${gross}`)
  return { ...payment, currency }
}

/** The customer's names: the provider's key first, since it is the most certain. */
function namesOf({ provider, customer }: CanonicalPayment): { kind: string; value: string }[] {
  return [
    { kind: provider, value: customer.key },
    ...(customer.emailHash === undefined ? [] : [{ kind: 'email', value: customer.emailHash }]),
  ]
}

/**
 * Holds the payment and its customer until the transaction ends, so that of concurrent deliveries the first records and the others find it recorded,
 * and two first payments of one customer make one binding. Taken in sorted order: no two transactions can wait for each other.
 */
async function lockNames(tx: Tx, payment: CanonicalPayment): Promise<void> {
  const names = [
    `payment ${payment.provider} ${payment.paymentKey}`,
    ...namesOf(payment).map(({ kind, value }) => `customer ${kind} ${value}`),
  ].map((name) => `attribution ${payment.programId} ${name}`)
  await tx.execute(
    sql`select pg_advisory_xact_lock(hashtextextended(name, 0)) from (select name from json_array_elements_text(${JSON.stringify(names)}::json) as name order by name) as sorted`,
  )
}

async function saleOf(tx: Tx, { programId, provider, paymentKey }: CanonicalPayment): Promise<SaleRow | undefined> {
  const [row] = await tx
    .select()
    .from(sales)
    .where(and(eq(sales.programId, programId), eq(sales.provider, provider), eq(sales.paymentKey, paymentKey)))
    .for('update')
  return row
}

/** One after the other: a transaction runs one query at a time anyway. */
async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const item of items) results.push(await work(item))
  return results
}

function parties(row: SaleRow) {
  return {
    programId: row.programId,
    saleId: row.id,
    partnerId: row.partnerId,
    customerId: row.customerId,
    currency: row.currency,
  }
}

function whole(row: SaleRow) {
  const { gross, product, sequence, firstOfCustomer, paidAt } = row
  return { ...parties(row), gross, basis: basisOf(row), product, sequence, firstOfCustomer, paidAt }
}

function basisOf(row: SaleRow): bigint {
  return row.gross - row.tax - row.shipping
}

export function toSale(row: SaleRow): Sale {
  const {
    id,
    programId,
    partnerId,
    customerId,
    currency,
    gross,
    refunded,
    dispute,
    paidAt,
    product,
    subscription,
    sequence,
    firstOfCustomer,
    origin,
  } = row
  return {
    id,
    programId,
    partnerId,
    customerId,
    currency,
    gross,
    basis: basisOf(row),
    refunded,
    dispute,
    net: dispute === 'lost' ? 0n : gross - refunded,
    paidAt,
    product,
    subscription,
    sequence,
    firstOfCustomer,
    origin,
  }
}
