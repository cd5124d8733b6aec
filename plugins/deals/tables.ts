// Drizzle's view of db/migrations/{0051_deals,0152_deal_payments,0194_deal_same_amount,0195_deals_won_amount}.sql.
import { jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { at, minor } from '../../db/tables.ts'
import type { Typed } from './prospect.ts'

export const statuses = ['submitted', 'accepted', 'won', 'lost', 'rejected', 'expired'] as const
export type DealStatus = (typeof statuses)[number]

export const deals = pgTable('deals_deals', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  partnerId: uuid('partner_id').notNull(),
  userId: text('user_id').notNull(),
  company: text('company').notNull(),
  contactEmail: text('contact_email'),
  emailHash: text('email_hash').notNull(),
  domain: text('domain'),
  expected: minor('expected').notNull(),
  currency: text('currency').notNull(),
  notes: text('notes').notNull().default(''),
  status: text('status').notNull().$type<DealStatus>(),
  reason: text('reason'),
  submittedAt: at('submitted_at').notNull().defaultNow(),
  protectedUntil: at('protected_until').notNull(),
  acceptedAt: at('accepted_at'),
  closedAt: at('closed_at'),
  wonAmount: minor('won_amount'),
  wonCurrency: text('won_currency'),
  saleId: uuid('sale_id'),
})

export type Deal = typeof deals.$inferSelect

/** Some of the deals that there are. */
export interface DealPage {
  readonly total: number
  readonly deals: readonly Deal[]
}

export const claims = pgTable(
  'deals_claims',
  {
    programId: uuid('program_id').notNull(),
    kind: text('kind').notNull().$type<'company' | 'domain' | 'email'>(),
    value: text('value').notNull(),
    dealId: uuid('deal_id').notNull(),
    until: at('until').notNull(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.kind, t.value] })],
)

export const drafts = pgTable(
  'deals_drafts',
  {
    programId: uuid('program_id').notNull(),
    userId: text('user_id').notNull(),
    form: text('form').notNull(),
    typed: jsonb('typed').notNull().$type<Partial<Typed>>(),
    updatedAt: at('updated_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.userId, t.form] })],
)

export const payments = pgTable(
  'deals_payments',
  {
    programId: uuid('program_id').notNull(),
    saleId: uuid('sale_id').notNull(),
    dealId: uuid('deal_id').notNull(),
    how: text('how').notNull().$type<'named' | 'contact' | 'amount'>(),
    state: text('state').notNull().$type<'open' | 'counted' | 'other'>(),
    amount: minor('amount').notNull(),
    currency: text('currency').notNull(),
    paidAt: at('paid_at').notNull(),
    decidedBy: text('decided_by'),
  },
  (t) => [primaryKey({ columns: [t.programId, t.saleId] })],
)
export type DealPayment = typeof payments.$inferSelect
