// Drizzle's view of db/migrations/0122_tracking.sql.
import { boolean, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { at, minor } from '../../db/tables.ts'
import type { Origin } from '../attribution/public.ts'

export const leads = pgTable('tracking_leads', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  externalId: text('external_id'),
  emailHash: text('email_hash'),
  clickId: uuid('click_id'),
  coupon: text('coupon'),
  partnerId: uuid('partner_id'),
  wonKind: text('won_kind').$type<'click' | 'coupon' | 'deal' | 'binding'>(),
  wonBy: text('won_by'),
  wonAt: at('won_at'),
  origin: jsonb('origin').$type<Origin>(),
  metadata: jsonb('metadata').notNull().$type<Readonly<Record<string, string>>>(),
  occurredAt: at('occurred_at').notNull(),
  recordedAt: at('recorded_at').notNull().defaultNow(),
})

export const payments = pgTable(
  'tracking_payments',
  {
    programId: uuid('program_id').notNull(),
    paymentId: text('payment_id').notNull(),
    saleId: uuid('sale_id').notNull(),
    gross: minor('gross').notNull(),
    tax: minor('tax').notNull(),
    shipping: minor('shipping').notNull(),
    currency: text('currency').notNull(),
    customerKey: text('customer_key').notNull(),
    emailHash: text('email_hash'),
    country: text('country'),
    clickId: uuid('click_id'),
    coupon: text('coupon'),
    product: text('product'),
    subscription: text('subscription'),
    sequence: integer('sequence'),
    paidAt: at('paid_at').notNull(),
    recordedAt: at('recorded_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.paymentId] })],
)

export const refunds = pgTable('tracking_refunds', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  paymentId: text('payment_id').notNull(),
  refundId: text('refund_id'),
  amount: minor('amount').notNull(),
  currency: text('currency'),
  reversed: boolean('reversed').notNull().default(false),
  state: text('state').notNull().$type<'applied' | 'parked'>(),
  problem: text('problem'),
  refundedAt: at('refunded_at').notNull(),
  recordedAt: at('recorded_at').notNull().defaultNow(),
})
