// Drizzle's view of the tables of Stripe; the SQL in db/migrations is the truth.
import { bigint, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { at } from '../../db/tables.ts'
import type { Fact } from './facts.ts'

export const accounts = pgTable('stripe_accounts', {
  programId: uuid('program_id').primaryKey(),
  accountId: text('account_id').notNull(),
  name: text('name').notNull(),
  connectedAt: at('connected_at').notNull().defaultNow(),
})

export const facts = pgTable(
  'stripe_facts',
  {
    programId: uuid('program_id').notNull(),
    objectId: text('object_id').notNull(),
    type: text('type').notNull().$type<Fact['type']>(),
    paymentKey: text('payment_key'),
    invoiceId: text('invoice_id'),
    subscriptionId: text('subscription_id'),
    fields: jsonb('fields').notNull().$type<Fact['fields']>(),
    eventCreated: bigint('event_created', { mode: 'number' }).notNull(),
    rank: bigint('rank', { mode: 'number' }).notNull(),
    eventId: text('event_id').notNull(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.objectId] })],
)

export const payments = pgTable(
  'stripe_payments',
  {
    programId: uuid('program_id').notNull(),
    paymentKey: text('payment_key').notNull(),
    askedAt: at('asked_at'),
    saleId: uuid('sale_id'),
  },
  (t) => [primaryKey({ columns: [t.programId, t.paymentKey] })],
)
