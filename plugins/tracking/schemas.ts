// What the routes of leads, sales and refunds take and give, as zod schemas: they check requests, and the documentation at /docs is made of them.
import { z } from 'zod'
import { currencyCode } from '../kit/index.ts'

/** Text without line breaks or control characters, and, because it is kept, without halves of characters (lone surrogates). */
const line = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\p{Cs}]+$/u, { error: 'control characters, line breaks and halves of characters are not taken' })
const longText = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[^\0\p{Cs}]*$/u, { error: 'null characters and halves of characters are not taken' })

const id = line(255)
const instant = z.iso
  .datetime({ offset: true })
  .refine((text) => Date.parse(text) >= 0, { error: 'a time before 1970 is a mistake' })
const given = {
  clickId: z
    .guid()
    .transform((text) => text.toLowerCase())
    .describe('The click id that came to your landing page as `siso_cid`.')
    .meta({ example: '01980c6e-9d2a-7c3b-8f10-3b2a1c0d9e8f' }),
  coupon: line(100).describe('The coupon code that the customer typed in.').meta({ example: 'ADA-15' }),
  email: z
    .email()
    .max(254)
    .describe('Kept as a keyed hash only; the address itself is not stored.')
    .meta({ example: 'grace@example.com' }),
  currency: z
    .string()
    .regex(/^[A-Za-z]{3}$/)
    .pipe(currencyCode)
    .describe('ISO 4217.')
    .meta({ example: 'USD' }),
  amount: z.int().min(1).max(1e13).describe('In the currency’s minor unit: 4900 is $49.00, and ¥4900.').meta({ example: 4900 }),
  part: z.int().min(0).max(1e13).default(0),
}
const stored = {
  id: z.uuid(),
  partnerId: z.uuid().nullable().describe('The partner who is credited; null when nobody can be.'),
  instant: z.string().describe('ISO 8601, UTC.').meta({ example: '2026-11-02T09:00:00.000Z' }),
}

const mostMetadata = 20

export const newLead = z
  .strictObject({
    external_id: id
      .optional()
      .describe('The lead’s id at yours: reported again, it is the same lead.')
      .meta({ example: 'lead_1042' }),
    email: given.email.optional(),
    click_id: given.clickId.optional(),
    coupon: given.coupon.optional(),
    metadata: z
      .record(
        z.string().regex(/^[\w.-]{1,40}$/, { error: 'a name has 1 to 40 letters, digits, dots, dashes or underscores' }),
        longText(500),
      )
      .refine((entries) => Object.keys(entries).length <= mostMetadata, { error: `at most ${mostMetadata} entries` })
      .optional()
      .describe('Up to 20 texts of yours, up to 500 characters each. Put no personal data here.')
      .meta({ example: { plan: 'team', form: 'demo' } }),
    occurred_at: instant.optional().describe('When it happened; now, when left out.').meta({ example: '2026-11-02T09:00:00Z' }),
  })
  .refine((lead) => lead.external_id !== undefined || lead.email !== undefined, {
    error: 'a lead needs an external_id or an email, so that it is recorded once',
  })

export const lead = z.object({
  id: stored.id,
  external_id: z.string().nullable(),
  partner_id: stored.partnerId,
  attributed_by: z
    .object({ kind: z.enum(['click', 'coupon', 'deal', 'binding']), reference: z.string(), at: stored.instant })
    .nullable()
    .describe('What decided: the click, coupon or deal, or that the customer belongs to the partner already.'),
  metadata: z.record(z.string(), z.string()),
  occurred_at: stored.instant,
  recorded_at: stored.instant,
})

export const newSale = z.strictObject({
  payment_id: id
    .describe(
      'Your id of the payment: reported again, it is the same sale. Do not report payments that the program hears of from Stripe itself.',
    )
    .meta({ example: 'order_2077' }),
  amount: given.amount,
  tax: given.part.describe('Part of the amount that is tax; no commission on it.').meta({ example: 900 }),
  shipping: given.part.describe('Part of the amount that is shipping; no commission on it.').meta({ example: 0 }),
  currency: given.currency,
  customer: z
    .strictObject({
      id: id.optional().describe('Your id of the customer.').meta({ example: 'customer_88' }),
      email: given.email.optional(),
      country: z
        .string()
        .regex(/^[A-Za-z]{2}$/, { error: 'ISO 3166, two letters' })
        .transform((code) => code.toUpperCase())
        .optional()
        .meta({ example: 'DE' }),
    })
    .refine((customer) => customer.id !== undefined || customer.email !== undefined, {
      error: 'a customer needs an id or an email',
    }),
  click_id: given.clickId.optional(),
  coupon: given.coupon.optional(),
  product: line(200).optional().meta({ example: 'team-plan' }),
  subscription: z
    .strictObject({ id, sequence: z.int().min(1).max(10_000).describe('Which payment this is, from 1.') })
    .optional()
    .describe('For the payments of a subscription.')
    .meta({ example: { id: 'sub_5', sequence: 1 } }),
  paid_at: instant.optional().describe('When it was paid; now, when left out.').meta({ example: '2026-11-02T09:00:00Z' }),
})

export const saleReceipt = z.object({
  id: stored.id,
  payment_id: z.string(),
  partner_id: stored.partnerId,
  refunded: z.int().describe('Refunded so far, with what was reported before the sale. Minor units.'),
  parked_refunds: z.int().describe('Refunds that do not fit this sale; an admin sees them.'),
})

export const sale = z.object({
  id: stored.id,
  payment_id: z.string(),
  source: z.string().describe('`api` for sales reported here; else the payment provider.').meta({ example: 'api' }),
  partner_id: stored.partnerId,
  customer_id: z.uuid(),
  amount: z.int(),
  basis: z.int().describe('Amount − tax − shipping: what commissions are counted on.'),
  refunded: z.int(),
  currency: z.string(),
  dispute: z.enum(['none', 'open', 'won', 'lost']),
  lost: z.int().describe('What lost disputes took.'),
  product: z.string().nullable(),
  subscription: z.object({ id: z.string(), sequence: z.int() }).nullable(),
  paid_at: stored.instant,
  recorded_at: stored.instant,
})

export const newRefund = z
  .strictObject({
    payment_id: id.describe('The payment that was refunded.').meta({ example: 'order_2077' }),
    refund_id: id.optional().describe('Your id of this refund: reported again, it counts once.').meta({ example: 'refund_3' }),
    amount: z.int().min(1).max(1e13).optional().describe('Of this refund, with `refund_id`. Minor units.').meta({ example: 1000 }),
    total_refunded: z
      .int()
      .min(0)
      .max(1e13)
      .optional()
      .describe('Instead of `refund_id` and `amount`: everything refunded of the payment so far. The newest total counts.'),
    status: z
      .enum(['succeeded', 'reversed'])
      .default('succeeded')
      .describe('`reversed`: this refund failed or was taken back; with `refund_id`.'),
    currency: given.currency.optional(),
    refunded_at: instant.optional().describe('When it was refunded; now, when left out.').meta({ example: '2026-11-03T10:00:00Z' }),
  })
  .refine(
    (refund) =>
      refund.total_refunded === undefined
        ? refund.refund_id !== undefined && refund.amount !== undefined
        : refund.refund_id === undefined && refund.amount === undefined && refund.status === 'succeeded',
    { error: 'send refund_id with amount, or total_refunded alone' },
  )

export const refund = z.object({
  id: stored.id,
  payment_id: z.string(),
  refund_id: z.string().nullable(),
  amount: z.int().nullable(),
  total_refunded: z.int().nullable(),
  status: z.enum(['succeeded', 'reversed']),
  state: z.enum(['applied', 'parked']).describe('`parked`: its sale is not known yet, or it does not fit; `problem` says which.'),
  problem: z.string().nullable(),
  refunded_at: stored.instant,
  recorded_at: stored.instant,
})
