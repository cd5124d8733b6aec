// Drizzle's view of the payouts' tables; db/migrations/0032_payouts.sql, 0090_payouts_more.sql, 0190_payouts_postponed.sql, 0197_payouts_places.sql, 0199_payouts_places_read.sql and 0206_payouts_paid_at.sql are the truth.
import { bigint, boolean, integer, pgTable, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { at, minor } from '../../db/tables.ts'

export type PayoutState = 'awaiting_approval' | 'queued' | 'sent' | 'paid' | 'returned' | 'refused' | 'cancelled'

export const methods = pgTable('payouts_methods', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  partnerId: uuid('partner_id').notNull(),
  provider: text('provider').notNull(),
  account: text('account').notNull(),
  chosen: boolean('chosen').notNull(),
  ready: boolean('ready').notNull(),
  missing: text('missing').notNull(),
  verifiedAt: at('verified_at'),
  changedAt: at('changed_at').notNull(),
  /** As of when, to the second, the provider said last how the account is. */
  toldAt: at('told_at'),
  createdAt: at('created_at').notNull(),
  places: text('places').array(),
  defaultPlaces: text('default_places').array(),
})

export const runs = pgTable('payouts_runs', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  actor: text('actor').notNull(),
  startedAt: at('started_at').notNull(),
})

export const payouts = pgTable('payouts_payouts', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  runId: uuid('run_id').notNull(),
  partnerId: uuid('partner_id').notNull(),
  currency: text('currency').notNull(),
  amount: minor('amount').notNull(),
  provider: text('provider').notNull(),
  destination: text('destination').notNull(),
  state: text('state').notNull().$type<PayoutState>(),
  providerId: text('provider_id'),
  attempts: integer('attempts').notNull().default(0),
  postponed: integer('postponed').notNull().default(0),
  nextTryAt: at('next_try_at').notNull(),
  note: text('note'),
  approvedBy: text('approved_by'),
  preparedAt: at('prepared_at').notNull(),
  sentAt: at('sent_at'),
  /** When it arrived; stays when it comes back. */
  paidAt: at('paid_at'),
  settledAt: at('settled_at'),
})

export const items = pgTable(
  'payouts_items',
  {
    payoutId: uuid('payout_id').notNull(),
    commissionId: uuid('commission_id').notNull(),
    programId: uuid('program_id').notNull(),
    amount: minor('amount').notNull(),
    releasedAt: at('released_at'),
  },
  (t) => [primaryKey({ columns: [t.payoutId, t.commissionId] })],
)

export const earlyNews = pgTable('payouts_early_news', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  provider: text('provider').notNull(),
  providerId: text('provider_id').notNull(),
  outcome: text('outcome').notNull().$type<'paid' | 'returned'>(),
  detail: text('detail').notNull(),
  receivedAt: at('received_at').notNull(),
})

export const schedules = pgTable('payouts_schedules', {
  programId: uuid('program_id').primaryKey(),
  day: smallint('day').notNull(),
  doneMonth: text('done_month'),
  updatedAt: at('updated_at').notNull(),
})

export const references = pgTable('payouts_references', {
  account: text('account').primaryKey(),
  programId: uuid('program_id').notNull(),
  partnerId: uuid('partner_id').notNull(),
  userId: text('user_id').notNull(),
  reference: text('reference'),
  updatedAt: at('updated_at').notNull(),
})
