// The routes for leads, sales and refunds: reported once each by the company's own programs, and listed.
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Attribution } from '../attribution/public.ts'
import { type Developer, idempotencyHeaders, jsonOnly, pageOf, pageQuery } from '../developer/public.ts'
import { callerOf, type Db, UserError } from '../kit/index.ts'
import type { LeadRow, LeadService } from './leads.ts'
import type { PaymentService, RefundRow } from './payments.ts'
import * as schemas from './schemas.ts'

interface Parts {
  db: Db
  once: Developer['once']
  leads: LeadService
  payments: PaymentService
  attribution: Pick<Attribution, 'sale' | 'recorded'>
}

export function trackingRoutes(parts: Parts): (app: FastifyInstance) => void {
  // In a scope of their own, because they read nothing but JSON.
  return (app) =>
    void app.register(async (scope) => {
      jsonOnly(scope)
      leadRoutes(scope, parts)
      saleRoutes(scope, parts)
      refundRoutes(scope, parts)
    })
}

function leadRoutes(app: FastifyInstance, { db, once, leads }: Parts): void {
  const route = app.withTypeProvider<ZodTypeProvider>()
  route.post(
    '/v1/leads',
    {
      config: { access: 'key', scope: 'leads:write' },
      schema: {
        tags: ['Leads'],
        summary: 'Report a lead',
        description:
          'Somebody who may become a customer: a sign-up, a form, a trial. Credited to the partner whose click or coupon it came with, by the same rule as a sale, but it binds nobody. A click that led to a lead counts for a purchase with the same e-mail address, within the same window.',
        headers: idempotencyHeaders,
        body: schemas.newLead,
        response: { 200: schemas.lead.describe('Known already.'), 201: schemas.lead.describe('Recorded.') },
      },
    },
    (request, reply) =>
      once(request, reply, async (tx, { programId }) => {
        const { body } = request
        const { lead, created } = await leads.record(tx, {
          programId,
          externalId: body.external_id,
          email: body.email,
          clickId: body.click_id,
          coupon: body.coupon,
          metadata: body.metadata ?? {},
          occurredAt: optionalDate(body.occurred_at),
        })
        return { status: created ? 201 : 200, body: leadAnswer(lead) }
      }),
  )
  route.get(
    '/v1/leads',
    {
      config: { access: 'key', scope: 'leads:read' },
      schema: {
        tags: ['Leads'],
        summary: 'List leads',
        description: 'The newest first.',
        querystring: pageQuery,
        response: { 200: pageOf(schemas.lead) },
      },
    },
    async (request) => {
      const { limit } = request.query
      const rows = await leads.page(db, callerOf(request).programId, { limit: limit + 1, ...pageStart(request.query.after) })
      return cut(rows, limit, leadAnswer)
    },
  )
  route.get(
    '/v1/leads/:id',
    {
      config: { access: 'key', scope: 'leads:read' },
      schema: { tags: ['Leads'], summary: 'Read a lead', params: z.object({ id: z.uuid() }), response: { 200: schemas.lead } },
    },
    async (request) => {
      const lead = await leads.byId(db, callerOf(request).programId, request.params.id)
      if (!lead) throw new UserError('unknown_lead', 'There is no lead with that id.', { status: 404 })
      return leadAnswer(lead)
    },
  )
}

function saleRoutes(app: FastifyInstance, { db, once, payments, attribution }: Parts): void {
  const route = app.withTypeProvider<ZodTypeProvider>()
  route.post(
    '/v1/sales',
    {
      config: { access: 'key', scope: 'sales:write' },
      schema: {
        tags: ['Sales'],
        summary: 'Report a sale',
        description:
          'A payment that was made. The partner is decided by the program’s rule, and the customer is bound to them. Reported again with a click or coupon that was missing, a sale without a partner is decided again.',
        headers: idempotencyHeaders,
        body: schemas.newSale,
        response: { 200: schemas.saleReceipt.describe('Known already.'), 201: schemas.saleReceipt.describe('Recorded.') },
      },
    },
    (request, reply) =>
      once(request, reply, async (tx, { programId }) => {
        const { body } = request
        const { saleId, created, parked } = await payments.recordSale(tx, {
          programId,
          paymentId: body.payment_id,
          gross: BigInt(body.amount),
          tax: BigInt(body.tax),
          shipping: BigInt(body.shipping),
          currency: body.currency,
          customer: { id: body.customer.id, email: body.customer.email, country: body.customer.country },
          clickId: body.click_id,
          coupon: body.coupon,
          product: body.product,
          recurring: body.subscription && { subscription: body.subscription.id, sequence: body.subscription.sequence },
          paidAt: optionalDate(body.paid_at),
        })
        const sale = (await attribution.sale(tx, programId, saleId))!
        return {
          status: created ? 201 : 200,
          body: {
            id: saleId,
            payment_id: body.payment_id,
            partner_id: sale.partnerId,
            refunded: Number(sale.refunded),
            parked_refunds: parked,
          },
        }
      }),
  )
  route.get(
    '/v1/sales',
    {
      config: { access: 'key', scope: 'sales:read' },
      schema: {
        tags: ['Sales'],
        summary: 'List sales',
        description: 'All sales of the program, whoever reported them; the last recorded first.',
        querystring: pageQuery,
        response: { 200: pageOf(schemas.sale) },
      },
    },
    async (request) => {
      const { limit } = request.query
      const rows = await attribution.recorded(db, callerOf(request).programId, {
        limit: limit + 1,
        ...pageStart(request.query.after),
      })
      const page = rows.map((row) => ({ ...row, id: row.sale.id }))
      return cut(page, limit, saleAnswer)
    },
  )
}

function refundRoutes(app: FastifyInstance, { db, once, payments }: Parts): void {
  const route = app.withTypeProvider<ZodTypeProvider>()
  route.post(
    '/v1/refunds',
    {
      config: { access: 'key', scope: 'refunds:write' },
      schema: {
        tags: ['Refunds'],
        summary: 'Report a refund',
        description:
          'Either refund by refund, each with a `refund_id` and `amount`, or as `total_refunded` so far. What a partner earned is brought to what it is now, in whatever order the reports come. A refund whose sale is not known yet is parked (202) and applied when the sale comes.',
        headers: idempotencyHeaders,
        body: schemas.newRefund,
        response: {
          200: schemas.refund.describe('Known already, and applied.'),
          201: schemas.refund.describe('Recorded and applied.'),
          202: schemas.refund.describe('Parked until its sale comes, or until what does not fit is taken back.'),
        },
      },
    },
    (request, reply) =>
      once(request, reply, async (tx, { programId }) => {
        const { body } = request
        const { refund, created } = await payments.recordRefund(tx, {
          programId,
          paymentId: body.payment_id,
          refundId: body.refund_id,
          amount: BigInt(body.total_refunded ?? body.amount!),
          currency: body.currency,
          reversed: body.status === 'reversed',
          refundedAt: optionalDate(body.refunded_at),
        })
        return { status: refund.state === 'parked' ? 202 : created ? 201 : 200, body: refundAnswer(refund) }
      }),
  )
  route.get(
    '/v1/refunds',
    {
      config: { access: 'key', scope: 'refunds:read' },
      schema: {
        tags: ['Refunds'],
        summary: 'List refunds',
        description: 'Those that were reported here; the last reported first.',
        querystring: pageQuery.extend({ state: z.enum(['applied', 'parked']).optional().describe('Only those in this state.') }),
        response: { 200: pageOf(schemas.refund) },
      },
    },
    async (request) => {
      const { limit, state, after } = request.query
      const rows = await payments.refundPage(db, callerOf(request).programId, {
        limit: limit + 1,
        ...pageStart(after),
        ...(state && { state }),
      })
      return cut(rows, limit, refundAnswer)
    },
  )
}

const optionalDate = (text: string | undefined): Date | undefined => (text === undefined ? undefined : new Date(text))

/** @throws UserError for a cursor that no page gave */
function pageStart(after: string | undefined): { before?: string } {
  if (after === undefined) return {}
  if (!z.uuid().safeParse(after).success)
    throw new UserError('bad_cursor', '“after” is not the `next` of a page. Leave it out to begin with the first page.', {
      status: 400,
    })
  return { before: after }
}

/** A page of at most `limit`; one row more says that there is a next one. */
function cut<R extends { id: string }, T>(
  rows: readonly R[],
  limit: number,
  toAnswer: (row: R) => T,
): { data: T[]; next: string | null } {
  const shown = rows.slice(0, limit)
  return { data: shown.map(toAnswer), next: rows.length > limit ? shown.at(-1)!.id : null }
}

function leadAnswer(row: LeadRow): z.output<typeof schemas.lead> {
  return {
    id: row.id,
    external_id: row.externalId,
    partner_id: row.partnerId,
    attributed_by: row.wonKind && { kind: row.wonKind, reference: row.wonBy!, at: row.wonAt!.toISOString() },
    metadata: { ...row.metadata },
    occurred_at: row.occurredAt.toISOString(),
    recorded_at: row.recordedAt.toISOString(),
  }
}

function saleAnswer(row: Awaited<ReturnType<Attribution['recorded']>>[number]): z.output<typeof schemas.sale> {
  const { sale } = row
  return {
    id: sale.id,
    payment_id: row.paymentKey,
    source: row.provider,
    partner_id: sale.partnerId,
    customer_id: sale.customerId,
    amount: Number(sale.gross),
    basis: Number(sale.basis),
    refunded: Number(sale.refunded),
    currency: sale.currency,
    dispute: sale.dispute,
    lost: Number(sale.lost),
    product: sale.product,
    subscription: sale.subscription === null ? null : { id: sale.subscription, sequence: sale.sequence! },
    paid_at: sale.paidAt.toISOString(),
    recorded_at: row.recordedAt.toISOString(),
  }
}

function refundAnswer(row: RefundRow): z.output<typeof schemas.refund> {
  return {
    id: row.id,
    payment_id: row.paymentId,
    refund_id: row.refundId,
    amount: row.refundId === null ? null : Number(row.amount),
    total_refunded: row.refundId === null ? Number(row.amount) : null,
    status: row.reversed ? 'reversed' : 'succeeded',
    state: row.state,
    problem: row.problem,
    refunded_at: row.refundedAt.toISOString(),
    recorded_at: row.recordedAt.toISOString(),
  }
}
