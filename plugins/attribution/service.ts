// What others may ask of sales and of how they were decided. Recording is in record.ts. Knows no provider and no Discord; amounts in minor units.
import { and, asc, count, desc, eq, gte, isNotNull, lt, sql } from 'drizzle-orm'
import { amongIds, type Reader } from '../kit/index.ts'
import type { Trace } from './decide.ts'
import { readEmails } from './past.ts'
import type { Attribution, AttributionDecision, CanonicalPayment, Corrections, Sale } from './public.ts'
import { createRecording, type Needs } from './record.ts'
import { toSale } from './sale.ts'
import { decisions, sales } from './tables.ts'

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

export function createAttributionService(needs: Needs): Omit<AttributionService, 'pointsTo' | 'recorded' | 'revenue'> {
  const { settings, hashEmail } = needs
  const recordPayments = createRecording(needs)

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
    recordPayments,
    recordPayment: async (tx, payment) => (await recordPayments(tx, [payment]))[0]!,
    hashEmail,
    windowDays: async (reader, programId) => (await settings.of(reader, programId)).windowDays,
    sale: async (reader, programId, saleId) => {
      const [row] = await reader.select().from(sales).where(one(programId, saleId))
      return row && toSale(row)
    },
    salesById: async (reader, programId, saleIds) =>
      (
        await reader
          .select()
          .from(sales)
          .where(and(eq(sales.programId, programId), amongIds(sales.id, saleIds)))
      ).map(toSale),
    sales: async (reader, programId, range) =>
      (await reader.select().from(sales).where(inRange(programId, range)).orderBy(asc(sales.paidAt), asc(sales.id))).map(toSale),
    circumstances: async (reader, programId, saleIds) => {
      if (saleIds.length === 0) return new Map()
      const rows = await reader.execute<{ id: string; country: string | null; since: string | null }>(sql`
        select s.id, c.country, case when s.subscription is not null then (
            select min(f.paid_at) from attribution_sales f where f.program_id = s.program_id and f.subscription = s.subscription) end as since
        from attribution_sales s join attribution_customers c on c.id = s.customer_id
        where s.program_id = ${programId}::uuid and ${amongIds(sql`s.id`, saleIds)}`)
      return new Map(
        rows.map(({ id, country, since }) => [id, { country, subscriptionSince: since === null ? null : new Date(since) }]),
      )
    },
    decisions: async (reader, programId, saleId) => {
      const explained = await explain(reader, programId, saleId)
      return (explained?.decisions ?? []).map(toDecision)
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
    withDealHint: async (reader, programId, saleIds) => {
      const rows = await reader
        .select({ id: sales.id })
        .from(sales)
        .where(and(eq(sales.programId, programId), amongIds(sales.id, saleIds), sql`${sales.hints} ? 'deal'`))
      return new Set(rows.map(({ id }) => id))
    },
    latestDecisions: async (reader, programId, saleIds) => {
      const made = await reader
        .selectDistinctOn([decisions.saleId], { saleId: decisions.saleId, decidedAt: decisions.decidedAt, trace: decisions.trace })
        .from(decisions)
        .where(and(eq(decisions.programId, programId), amongIds(decisions.saleId, saleIds)))
        .orderBy(decisions.saleId, desc(decisions.number))
      return new Map(made.map((decision) => [decision.saleId, toDecision(decision)]))
    },
    emailHashesOf: readEmails,
    emailHashes: async (reader, programId, customerId) => (await readEmails(reader, programId, [customerId])).get(customerId) ?? [],
    figures: async (reader, programId, asked) => {
      if (asked.length === 0) return []
      const rows = await reader.execute<Record<'sales' | 'refunded' | 'firstByClick' | 'firstByCoupon', number>>(sql`
        select f.* from jsonb_to_recordset(${JSON.stringify(asked.map((one, place) => ({ ...one, place })))}::text::jsonb)
          as a (place integer, "partnerId" uuid, "from" timestamptz, "to" timestamptz)
        cross join lateral (
          select count(*)::integer as sales,
            (count(*) filter (where s.refunded > 0 or s.lost > 0))::integer as refunded,
            (count(*) filter (where s.first_of_customer and s.hints ? 'clickId' and not s.hints ?| '{coupon,deal}'))::integer as "firstByClick",
            (count(*) filter (where s.first_of_customer and s.hints ? 'coupon'))::integer as "firstByCoupon"
          from attribution_sales s
          where s.program_id = ${programId}::uuid and s.partner_id = a."partnerId" and s.paid_at >= a."from" and s.paid_at < a."to") f
        order by a.place`)
      return [...rows]
    },
  }
}

function toDecision({ decidedAt, trace }: { decidedAt: Date; trace: Trace }): AttributionDecision {
  return {
    decidedAt,
    rule: trace.rule,
    ...(trace.override && { override: trace.override }),
    candidates: trace.candidates.map((candidate) => ({ ...candidate, at: new Date(candidate.at) })),
  }
}
