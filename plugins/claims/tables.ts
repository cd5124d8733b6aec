// Drizzle's view of db/migrations/0151_claims.sql.
import { customType, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { at, minor } from '../../db/tables.ts'

const bytes = customType<{ data: Buffer }>({ dataType: () => 'bytea' })

export const claims = pgTable('claims_claims', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  partnerId: uuid('partner_id').notNull(),
  userId: text('user_id').notNull(),
  paidFrom: at('paid_from').notNull(),
  paidTo: at('paid_to').notNull(),
  reference: text('reference'),
  emailHash: text('email_hash'),
  gross: minor('gross'),
  currency: text('currency'),
  story: text('story').notNull(),
  evidence: bytes('evidence'),
  evidenceName: text('evidence_name'),
  filedAt: at('filed_at').notNull(),
  state: text('state').notNull().$type<'open' | 'waiting' | 'approved' | 'declined'>(),
  saleId: uuid('sale_id'),
  decidedBy: text('decided_by'),
  decidedAt: at('decided_at'),
  reason: text('reason'),
})

export const overrides = pgTable('claims_overrides', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  saleId: uuid('sale_id').notNull(),
  fromId: uuid('from_id'),
  toId: uuid('to_id'),
  reason: text('reason').notNull(),
  claimId: uuid('claim_id'),
  proposedBy: text('proposed_by').notNull(),
  proposedAt: at('proposed_at').notNull(),
  state: text('state').notNull().$type<'open' | 'approved' | 'declined' | 'outdated'>(),
  decidedBy: text('decided_by'),
  decidedAt: at('decided_at'),
})

export type Claim = typeof claims.$inferSelect
export type OverrideRow = typeof overrides.$inferSelect
