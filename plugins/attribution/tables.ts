// Drizzle's view of attribution's tables; the SQL in db/migrations is the truth.
import { boolean, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { at, minor } from '../../db/tables.ts'
import type { Trace } from './decide.ts'
import type { CanonicalPayment, Origin } from './public.ts'

export const customers = pgTable('attribution_customers', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  country: text('country'),
  createdAt: at('created_at').notNull().defaultNow(),
})

export const identities = pgTable(
  'attribution_identities',
  {
    programId: uuid('program_id').notNull(),
    kind: text('kind').notNull(),
    value: text('value').notNull(),
    customerId: uuid('customer_id').notNull(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.kind, t.value] })],
)

export const sales = pgTable('attribution_sales', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  provider: text('provider').notNull(),
  paymentKey: text('payment_key').notNull(),
  customerId: uuid('customer_id').notNull(),
  partnerId: uuid('partner_id'),
  currency: text('currency').notNull(),
  gross: minor('gross').notNull(),
  tax: minor('tax').notNull(),
  shipping: minor('shipping').notNull(),
  refunded: minor('refunded').notNull().default(0n),
  dispute: text('dispute').notNull().default('none').$type<CanonicalPayment['dispute']>(),
  lost: minor('lost').notNull().default(0n),
  product: text('product'),
  subscription: text('subscription'),
  sequence: integer('sequence'),
  firstOfCustomer: boolean('first_of_customer').notNull(),
  hints: jsonb('hints').notNull().$type<CanonicalPayment['hints']>(),
  origin: jsonb('origin').$type<Origin>(),
  paidAt: at('paid_at').notNull(),
  recordedAt: at('recorded_at').notNull().defaultNow(),
})

export const decisions = pgTable('attribution_decisions', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  saleId: uuid('sale_id').notNull(),
  number: integer('number').notNull(),
  partnerId: uuid('partner_id'),
  ruleVersion: text('rule_version').notNull(),
  trace: jsonb('trace').notNull().$type<Trace>(),
  decidedAt: at('decided_at').notNull().defaultNow(),
})

export const bindings = pgTable(
  'attribution_bindings',
  {
    programId: uuid('program_id').notNull(),
    customerId: uuid('customer_id').notNull(),
    partnerId: uuid('partner_id').notNull(),
    saleId: uuid('sale_id').notNull(),
    decisionId: uuid('decision_id').notNull(),
    boundAt: at('bound_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.customerId] })],
)
