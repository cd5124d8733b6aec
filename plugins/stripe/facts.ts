// Reads Stripe's events and objects into facts: the few fields that are needed, what connects them to a payment, and how new they are. Pure.
import { z } from 'zod'
import type { AccountState } from '../payouts/public.ts'
import { accountShape, stateOf } from './account.ts'

export type FactType =
  | 'payment_intent'
  | 'charge'
  | 'refund'
  | 'dispute'
  | 'session'
  | 'invoice'
  | 'invoice_payment'
  | 'transfer'
  | 'account'

interface FieldsOf {
  payment_intent: {
    status: string
    tax: number
    shipping: number
    clickId: string | null
    product: string | null
    deal?: string | null
  }
  charge: {
    status: string
    captured: number
    /** What was authorized and will never be captured: Stripe counts it as refunded. */
    released?: number
    refunded: number
    currency: string
    customer: string | null
    emailHash: string | null
    country: string | null
    clickId: string | null
    product: string | null
    deal?: string | null
    paidAt: number
    /** When it was read from Stripe, if it was not told: what was refunded is as of then. */
    asOf?: number
  }
  refund: { status: string; amount: number; currency: string; createdAt?: number | null }
  /** `amount` is null when it was not told. */
  dispute: { status: string; amount?: number | null; currency?: string | null }
  session: {
    /** Something was to be paid, and is. */
    paid?: boolean
    currency: string | null
    total: number
    tax: number
    shipping: number
    customer: string | null
    emailHash: string | null
    country: string | null
    clickId: string | null
    product: string | null
    deal?: string | null
    /** Stripe's id of the promotion code that was typed in, and the code itself once Stripe was asked. */
    promotion?: string | null
    coupon?: string | null
  }
  invoice: {
    status: string | null
    billingReason: string | null
    currency: string
    total: number
    tax: number
    shipping: number
    customer: string | null
    emailHash: string | null
    country: string | null
    clickId: string | null
    product: string | null
    deal?: string | null
    promotion?: string | null
    coupon?: string | null
    /** It has discounts that the event does not show. */
    discounted?: boolean
    /** What was to be paid; less than the total when the customer had credit. */
    due?: number
    createdAt: number
    /** The period that it is mostly for: where one ends, the next invoice of the subscription begins. */
    from?: number | null
    to?: number | null
  }
  /** `outside`: the money did not go through Stripe, which only has a record of it. */
  invoice_payment: { status: string; outside?: boolean }
  /** `madeAt` is null when it was not told. */
  transfer: { amount: number; reversed: number; payoutId: string | null; madeAt?: number | null }
  account: Omit<AccountState, 'at'>
}

/** What is known of one object of Stripe's. Amounts in Stripe's units, times in seconds. */
export type Fact<T extends FactType = FactType> = {
  [K in T]: {
    readonly type: K
    readonly objectId: string
    /** The payment intent (or, without one, the charge) that the object belongs to. */
    readonly paymentKey: string | null
    readonly invoiceId: string | null
    readonly subscriptionId: string | null
    readonly eventCreated: number
    /**
     * How far the object has come: decides between events of one second. An account goes back and forth: of answers about it, the time of the question in
     * milliseconds.
     */
    readonly rank: number
    readonly eventId: string
    readonly fields: FieldsOf[K]
  }
}[T]

/** Stands for the event of a fact that was asked for, not told. */
export const askedEventId = 'asked'

const reference = z
  .union([z.string(), z.object({ id: z.string() }).transform(({ id }) => id)])
  .nullish()
  .transform((id) => id ?? null)
/** What merchants write may hold null characters and halves of characters, which the database cannot keep. */
const kept = (value: string): string => value.replaceAll('\0', '').toWellFormed()
const text = z
  .string()
  .nullish()
  .transform((value) => (value ? kept(value) : null) || null)
const amount = z.int()
/** What was paid, refunded or sent is never below zero. */
const positive = z.int().nonnegative()
const optionalAmount = z
  .int()
  .nullish()
  .transform((value) => value ?? 0)
const metadata = z
  .record(z.string(), z.string().transform(kept))
  .nullish()
  .transform((value) => value ?? {})
/** A country is ISO 3166, but what merchants write into an address is not checked everywhere: what is no code says nothing. */
const country = text.transform((code) => (code && /^[a-z]{2}$/i.test(code) ? code.toUpperCase() : null))
const address = z.object({ country }).nullish()
/** Unix time, up to the year 9999. */
const time = z.int().min(0).max(253_402_300_799)
const currency = z.string().transform((code) => code.toUpperCase())

const shapes = {
  payment_intent: z.object({
    id: z.string(),
    status: z.string(),
    metadata,
    amount_details: z
      .object({
        tax: z.object({ total_tax_amount: optionalAmount }).nullish(),
        shipping: z.object({ amount: optionalAmount }).nullish(),
      })
      .nullish(),
  }),
  charge: z.object({
    id: z.string(),
    payment_intent: reference,
    status: z.string(),
    amount: positive.nullish(),
    amount_captured: positive,
    amount_refunded: positive,
    currency,
    customer: reference,
    billing_details: z.object({ email: text, address }).nullish(),
    receipt_email: text,
    metadata,
    created: time,
  }),
  refund: z.object({
    id: z.string(),
    payment_intent: reference,
    charge: reference,
    status: text,
    amount: positive,
    currency,
    created: z.int().nullish(),
  }),
  dispute: z.object({
    id: z.string(),
    payment_intent: reference,
    charge: reference,
    status: z.string(),
    amount: positive.nullish(),
    currency: currency.nullish(),
  }),
  'checkout.session': z.object({
    id: z.string(),
    payment_intent: reference,
    invoice: reference,
    subscription: reference,
    client_reference_id: text,
    metadata,
    status: text,
    payment_status: z.string(),
    currency: currency.nullish().transform((code) => code ?? null),
    amount_total: optionalAmount,
    total_details: z.object({ amount_tax: optionalAmount, amount_shipping: optionalAmount }).nullish(),
    discounts: z.array(z.object({ promotion_code: reference })).nullish(),
    customer: reference,
    customer_details: z.object({ email: text, address }).nullish(),
  }),
  invoice: z.object({
    id: z.string(),
    status: text,
    billing_reason: text,
    currency,
    total: amount,
    amount_due: amount.nullish(),
    total_taxes: z.array(z.object({ amount })).nullish(),
    shipping_cost: z.object({ amount_subtotal: optionalAmount }).nullish(),
    customer: reference,
    customer_email: text,
    customer_address: address,
    metadata,
    created: time,
    parent: z.object({ subscription_details: z.object({ subscription: reference, metadata }).nullish() }).nullish(),
    lines: z
      .object({
        data: z.array(
          z.object({
            amount: optionalAmount,
            period: z.object({ start: z.int(), end: z.int() }).nullish(),
            pricing: z.object({ price_details: z.object({ product: text }).nullish() }).nullish(),
          }),
        ),
      })
      .nullish(),
    discounts: z.array(z.union([z.string(), z.object({ promotion_code: reference })])).nullish(),
  }),
  invoice_payment: z.object({
    id: z.string(),
    invoice: reference,
    status: z.string(),
    payment: z.object({ type: text, payment_intent: reference, charge: reference }),
  }),
  transfer: z.object({ id: z.string(), amount: positive, amount_reversed: positive, metadata, created: time.nullish() }),
  account: accountShape,
}

/** The kinds of events that are handled; Stripe's `payment.*` are the other side of our own transfers and say nothing new. */
const handled = /^(payment_intent|charge|refund|checkout\.session|invoice|invoice_payment|transfer)\.|^account\.updated$/
/** The object is one bank account or card, and says nothing of the others: the connected account itself is read for all of them. */
const ofPlaces = /^account\.external_account\./

/** Every event type that an endpoint has to be subscribed to, for the setup guide. */
export const platformEvents = [
  'checkout.session.completed',
  'checkout.session.async_payment_succeeded',
  'payment_intent.succeeded',
  'charge.succeeded',
  'charge.captured',
  'charge.refunded',
  'charge.updated',
  'refund.created',
  'refund.updated',
  'refund.failed',
  'charge.dispute.created',
  'charge.dispute.updated',
  'charge.dispute.closed',
  'invoice.paid',
  'invoice_payment.paid',
  'transfer.created',
  'transfer.reversed',
] as const
export const connectEvents = [
  'account.updated',
  'account.external_account.created',
  'account.external_account.updated',
  'account.external_account.deleted',
] as const

/** The kinds of objects that tell facts, and can be read by their id. */
const objectWithId = z.object({
  object: z.enum([
    'payment_intent',
    'charge',
    'refund',
    'dispute',
    'checkout.session',
    'invoice',
    'invoice_payment',
    'transfer',
    'account',
  ]),
  id: z.string(),
})
export type ObjectKind = z.infer<typeof objectWithId>['object']

/** What a verified webhook is kept as: never the customer's data, only the fact. `problem` says why an event that should be a fact is none. */
export const keptEvent = z.object({
  account: z.string().nullable(),
  fact: z.custom<Fact>((value) => typeof value === 'object' && value !== null).nullable(),
  problem: z.string().nullable(),
  /** Instead of a fact: an event in the shape of another version of the API, or about a part of an object, tells only which object to read, in our own. */
  unread: z.object({ ...objectWithId.shape, created: z.int(), version: z.string() }).nullish(),
})
export type UnreadObject = NonNullable<KeptEvent['unread']>
export type KeptEvent = z.infer<typeof keptEvent>

const envelope = z.object({
  id: z.string().regex(/^evt_\w{1,250}$/),
  type: z.string().max(100),
  created: z.int(),
  account: z.string().nullish(),
  api_version: z.string().max(50).nullish(),
  data: z.object({ object: z.record(z.string(), z.unknown()) }),
})

/**
 * Reads an event as Stripe sent it. `kept` is undefined for a kind that is not handled. Each endpoint has a version of the API that its events are written in;
 * of an event in another one than `version` only the id of its object is believed. Of a bank account or card of a connected account, only whose it is. @throws ZodError when it is no event at all
 */
export function readEvent(
  event: unknown,
  hashEmail: (email: string) => string,
  version: string,
): { id: string; type: string; kept: KeptEvent | undefined } {
  const { id, type, created, account, api_version: writtenIn, data } = envelope.parse(event)
  if (ofPlaces.test(type) && account) {
    const unread = { object: 'account', id: account, created, version: writtenIn ?? version } as const
    return { id, type, kept: { account, fact: null, problem: null, unread } }
  }
  if (!handled.test(type)) return { id, type, kept: undefined }
  const named = objectWithId.safeParse(data.object)
  if (writtenIn && dateOf(writtenIn) !== dateOf(version) && named.success)
    return {
      id,
      type,
      kept: { account: account ?? null, fact: null, problem: null, unread: { ...named.data, created, version: writtenIn } },
    }
  const result = readObject(data.object, { created, eventId: id }, hashEmail)
  const fact = typeof result === 'object' ? result : null
  const problem = typeof result === 'string' ? result : null
  return { id, type, kept: fact || problem ? { account: account ?? null, fact, problem } : undefined }
}

/** Versions of one date have one shape: 2026-10-28.endive. */
const dateOf = (version: string): string => version.slice(0, 10)

/** The fact that an object tells, a sentence when it is not as expected, or undefined when its kind is not needed. */
export function readObject(
  object: Readonly<Record<string, unknown>>,
  source: { created: number; eventId: string },
  hashEmail: (email: string) => string,
): Fact | string | undefined {
  const reader = readers(hashEmail)[String(object.object)]
  if (!reader) return undefined
  const result = reader(object)
  if (!result.success) {
    const [issue] = result.error.issues
    return `The ${String(object.object)} is not as expected: ${issue!.path.join('.')}: ${issue!.message}`
  }
  const connections = { paymentKey: null, invoiceId: null, subscriptionId: null, ...result.data }
  return { ...connections, eventCreated: source.created, eventId: source.eventId } as Fact
}

/** A fact that was read from Stripe at this time, however it is dated. */
export function readAt(fact: Fact, at: Date): Fact {
  return fact.type === 'charge' ? { ...fact, fields: { ...fact.fields, asOf: Math.floor(at.getTime() / 1000) } } : fact
}

type Read = { success: true; data: object } | { success: false; error: z.ZodError }

function readers(hashEmail: (email: string) => string): Record<string, (object: unknown) => Read> {
  const hashed = (email: string | null | undefined) => (email ? hashEmail(email) : null)
  const read =
    <S extends z.ZodType>(shape: S, toFact: (object: z.output<S>) => object) =>
    (object: unknown): Read => {
      const result = shape.safeParse(object)
      return result.success ? { success: true, data: toFact(result.data) } : { success: false, error: result.error }
    }
  return {
    payment_intent: read(shapes.payment_intent, (intent) => ({
      type: 'payment_intent',
      objectId: intent.id,
      paymentKey: intent.id,
      rank: { succeeded: 4, canceled: 4, requires_capture: 3, processing: 2 }[intent.status] ?? 1,
      fields: {
        status: intent.status,
        tax: intent.amount_details?.tax?.total_tax_amount ?? 0,
        shipping: intent.amount_details?.shipping?.amount ?? 0,
        clickId: uuidOf(intent.metadata.siso_cid),
        product: intent.metadata.product ?? null,
        deal: uuidOf(intent.metadata.siso_deal),
      },
    })),
    charge: read(shapes.charge, (charge) => ({
      type: 'charge',
      objectId: charge.id,
      paymentKey: charge.payment_intent ?? charge.id,
      rank:
        charge.status === 'succeeded' ? 2 + charge.amount_captured + charge.amount_refunded : charge.status === 'failed' ? 1 : 0,
      fields: {
        status: charge.status,
        captured: charge.amount_captured,
        released: Math.max((charge.amount ?? 0) - charge.amount_captured, 0),
        refunded: charge.amount_refunded,
        currency: charge.currency,
        customer: charge.customer,
        emailHash: hashed(charge.billing_details?.email ?? charge.receipt_email),
        country: charge.billing_details?.address?.country ?? null,
        clickId: uuidOf(charge.metadata.siso_cid),
        product: charge.metadata.product ?? null,
        deal: uuidOf(charge.metadata.siso_deal),
        paidAt: charge.created,
      },
    })),
    refund: read(shapes.refund, (refund) => ({
      type: 'refund',
      objectId: refund.id,
      paymentKey: refund.payment_intent ?? refund.charge,
      rank: { failed: 3, canceled: 3, succeeded: 2, requires_action: 0 }[refund.status ?? 'succeeded'] ?? 1,
      fields: {
        status: refund.status ?? 'succeeded',
        amount: refund.amount,
        currency: refund.currency,
        createdAt: refund.created ?? null,
      },
    })),
    dispute: read(shapes.dispute, (dispute) => ({
      type: 'dispute',
      objectId: dispute.id,
      paymentKey: dispute.payment_intent ?? dispute.charge,
      rank: disputeRanks[dispute.status] ?? 1,
      fields: { status: dispute.status, amount: dispute.amount ?? null, currency: dispute.currency ?? null },
    })),
    'checkout.session': read(shapes['checkout.session'], (session) => ({
      type: 'session',
      objectId: session.id,
      paymentKey: session.payment_intent,
      invoiceId: session.invoice,
      subscriptionId: session.subscription,
      rank: ({ complete: 2, expired: 2 }[session.status ?? ''] ?? 0) + (session.payment_status === 'unpaid' ? 0 : 1),
      fields: {
        paid: session.payment_status === 'paid',
        currency: session.currency,
        total: session.amount_total,
        tax: session.total_details?.amount_tax ?? 0,
        shipping: session.total_details?.amount_shipping ?? 0,
        customer: session.customer,
        emailHash: hashed(session.customer_details?.email),
        country: session.customer_details?.address?.country ?? null,
        clickId: uuidOf(session.client_reference_id) ?? uuidOf(session.metadata.siso_cid),
        product: session.metadata.product ?? null,
        deal: uuidOf(session.metadata.siso_deal),
        promotion: promotionOf(session.discounts),
      },
    })),
    invoice: read(shapes.invoice, (invoice) => {
      const largest = largestOf(invoice.lines?.data ?? [])
      return {
        type: 'invoice',
        objectId: invoice.id,
        invoiceId: invoice.id,
        subscriptionId: invoice.parent?.subscription_details?.subscription ?? null,
        rank: { paid: 3, void: 3, uncollectible: 2, open: 1 }[invoice.status ?? ''] ?? 0,
        fields: {
          status: invoice.status,
          billingReason: invoice.billing_reason,
          currency: invoice.currency,
          total: invoice.total,
          tax: (invoice.total_taxes ?? []).reduce((total, tax) => total + tax.amount, 0),
          shipping: invoice.shipping_cost?.amount_subtotal ?? 0,
          customer: invoice.customer,
          emailHash: hashed(invoice.customer_email),
          country: invoice.customer_address?.country ?? null,
          clickId: uuidOf(invoice.parent?.subscription_details?.metadata.siso_cid) ?? uuidOf(invoice.metadata.siso_cid),
          product: invoice.metadata.product ?? largest?.pricing?.price_details?.product ?? null,
          deal: uuidOf(invoice.parent?.subscription_details?.metadata.siso_deal) ?? uuidOf(invoice.metadata.siso_deal),
          promotion: promotionOf(invoice.discounts),
          discounted: (invoice.discounts ?? []).some((discount) => typeof discount === 'string'),
          due: invoice.amount_due ?? invoice.total,
          createdAt: invoice.created,
          from: largest?.period?.start ?? null,
          to: largest?.period?.end ?? null,
        },
      }
    }),
    invoice_payment: read(shapes.invoice_payment, (payment) => ({
      type: 'invoice_payment',
      objectId: payment.id,
      paymentKey: payment.payment.payment_intent ?? payment.payment.charge,
      invoiceId: payment.invoice,
      rank: payment.status === 'open' ? 1 : 2,
      fields: { status: payment.status, outside: payment.payment.type === 'payment_record' },
    })),
    transfer: read(shapes.transfer, (transfer) => ({
      type: 'transfer',
      objectId: transfer.id,
      rank: transfer.amount_reversed,
      fields: {
        amount: transfer.amount,
        reversed: transfer.amount_reversed,
        payoutId: transfer.metadata.payoutId ?? null,
        madeAt: transfer.created ?? null,
      },
    })),
    account: read(shapes.account, (account) => {
      const state = stateOf(account)
      const formRank = state.taxForm ? { requested: 1, submitted: 2, valid: 3, rejected: 3 }[state.taxForm.status] : 0
      return { type: 'account', objectId: account.id, rank: (state.ready ? 10 : 0) + formRank, fields: state }
    }),
  }
}

/** Something was to be paid beside the customer's credit, and is. */
export const tookMoney = ({ fields }: Fact<'invoice'>): boolean => fields.status === 'paid' && (fields.due ?? fields.total) > 0

/** An inquiry (`warning_…`) may become a dispute: https://docs.stripe.com/disputes/how-disputes-work */
const disputeRanks: Readonly<Record<string, number>> = {
  warning_under_review: 2,
  needs_response: 3,
  under_review: 4,
  won: 5,
  lost: 5,
  warning_closed: 5,
  prevented: 5,
}

/** Merchants put all kinds of things into references and metadata; click ids and deals’ ids are UUIDs. */
function uuidOf(value: string | null | undefined): string | null {
  return value && /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(value) ? value.toLowerCase() : null
}

function promotionOf(discounts: readonly (string | { promotion_code: string | null })[] | null | undefined): string | null {
  for (const discount of discounts ?? [])
    if (typeof discount === 'object' && discount.promotion_code) return discount.promotion_code
  return null
}

/** What an invoice is mostly for: when the plan changed, its first line is what is given back for the old one. */
function largestOf<T extends { amount: number }>(lines: readonly T[]): T | undefined {
  return lines.toSorted((a, b) => b.amount - a.amount)[0]
}
