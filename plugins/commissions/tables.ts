// Drizzle's view of the commissions' tables; db/migrations/0031_commissions.sql is the truth.
import { bigint, integer, pgTable, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { at, minor } from '../../db/tables.ts'
import type { CommissionState } from './public.ts'

export const rules = pgTable('commissions_rules', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  scope: text('scope').notNull().$type<'program' | 'product' | 'tier' | 'partner'>(),
  subject: text('subject'),
  version: integer('version').notNull(),
  ratePpm: minor('rate_ppm').notNull(),
  createdAt: at('created_at').notNull(),
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
