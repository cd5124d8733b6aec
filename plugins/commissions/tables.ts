// Drizzle's view of the commissions' tables; db/migrations/{0031,0070,0071,0150}_*.sql are the truth.
import { bigint, integer, jsonb, pgTable, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { at, minor } from '../../db/tables.ts'
import type { Origin } from '../attribution/public.ts'
import type { CommissionState } from './public.ts'
import type { LimitReason, StoredTerms } from './terms.ts'

export const rules = pgTable('commissions_rules', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  scope: text('scope').notNull().$type<'program' | 'product' | 'tier' | 'partner'>(),
  subject: text('subject'),
  version: integer('version').notNull(),
  ratePpm: minor('rate_ppm').notNull(),
  createdAt: at('created_at').notNull(),
  name: text('name').notNull().default('default'),
  partnerId: uuid('partner_id'),
  tier: text('tier'),
  product: text('product'),
  flat: minor('flat'),
  currency: text('currency'),
  minimum: minor('minimum'),
  countries: text('countries').array(),
  customer: text('customer').notNull().default('any').$type<'any' | 'new' | 'returning'>(),
  payments: text('payments').notNull().default('every').$type<'first' | 'every'>(),
  months: integer('months'),
  maxPayments: integer('max_payments'),
  saleCap: minor('sale_cap'),
  periodCap: minor('period_cap'),
  capPeriod: text('cap_period').$type<'month' | 'year'>(),
  startsAt: at('starts_at').notNull(),
  endsAt: at('ends_at'),
  createdBy: text('created_by'),
})

export const ruleDrafts = pgTable('commissions_rule_drafts', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  terms: jsonb('terms').notNull().$type<StoredTerms>(),
  createdBy: text('created_by').notNull(),
  createdAt: at('created_at').notNull(),
  publishedAt: at('published_at'),
  ruleId: uuid('rule_id'),
})

export const commissions = pgTable('commissions_commissions', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  saleId: uuid('sale_id').notNull(),
  part: smallint('part').notNull(),
  partnerId: uuid('partner_id').notNull(),
  currency: text('currency').notNull(),
  ruleId: uuid('rule_id').notNull(),
  ruleVersion: integer('rule_version').notNull(),
  ratePpm: minor('rate_ppm').notNull(),
  basis: minor('basis').notNull(),
  holdUntil: at('hold_until').notNull(),
  earnedAt: at('earned_at').notNull(),
  amount: minor('amount').notNull(),
  due: minor('due').notNull(),
  clawed: minor('clawed').notNull(),
  repaid: minor('repaid').notNull(),
  state: text('state').notNull().$type<CommissionState>(),
  reason: text('reason'),
  revision: integer('revision').notNull().default(0),
  createdAt: at('created_at').notNull(),
  updatedAt: at('updated_at').notNull(),
  flat: minor('flat'),
  limitAmount: minor('limit_amount'),
  limitReason: text('limit_reason').$type<LimitReason>(),
  fullAmount: minor('full_amount').notNull().default(0n),
  cappedBy: text('capped_by'),
  grown: minor('grown').notNull().default(0n),
  origin: jsonb('origin').$type<Origin>(),
})

export const changes = pgTable('commissions_changes', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  programId: uuid('program_id').notNull(),
  commissionId: uuid('commission_id').notNull(),
  at: at('at').notNull(),
  state: text('state').notNull().$type<CommissionState>(),
  reason: text('reason'),
  change: minor('change').notNull(),
  holdUntil: at('hold_until').notNull(),
  actor: text('actor'),
  note: text('note'),
})

export const holds = pgTable('commissions_holds', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  programId: uuid('program_id').notNull(),
  saleId: uuid('sale_id').notNull(),
  reason: text('reason').notNull(),
  placedAt: at('placed_at').notNull(),
  liftedAt: at('lifted_at'),
})

export const interventions = pgTable('commissions_interventions', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  saleId: uuid('sale_id').notNull(),
  kind: text('kind').notNull().$type<'adjust' | 'void'>(),
  amount: minor('amount').notNull(),
  reason: text('reason').notNull(),
  note: text('note').notNull(),
  actor: text('actor').notNull(),
  at: at('at').notNull(),
  endedAt: at('ended_at'),
})

export const statements = pgTable(
  'commissions_statements',
  {
    programId: uuid('program_id').notNull(),
    partnerId: uuid('partner_id').notNull(),
    month: text('month').notNull(),
    sentAt: at('sent_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.partnerId, t.month] })],
)
