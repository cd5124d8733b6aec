// Drizzle's view of db/migrations/{0080_fraud,0154_fraud_facts}.sql.
import { boolean, date, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { at, minor } from '../../db/tables.ts'
import type { Finding } from './score.ts'

/** noted: something was seen, but nothing held; open: an admin is to decide. */
export type CaseState = 'noted' | 'open' | 'cleared' | 'rejected'

export const cases = pgTable('fraud_cases', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  commissionId: uuid('commission_id').notNull(),
  saleId: uuid('sale_id').notNull(),
  partnerId: uuid('partner_id').notNull(),
  userId: text('user_id').notNull(),
  amount: minor('amount').notNull(),
  currency: text('currency').notNull(),
  score: integer('score').notNull(),
  threshold: integer('threshold').notNull(),
  /** The heaviest signal. */
  strongest: text('strongest').notNull(),
  findings: jsonb('findings').notNull().$type<readonly Finding[]>(),
  state: text('state').notNull().$type<CaseState>(),
  /** Whether the commission could be held; not when it was paid out or worth nothing by then. */
  held: boolean('held').notNull(),
  openedAt: at('opened_at').notNull(),
  appeal: text('appeal'),
  appealedAt: at('appealed_at'),
  decidedBy: text('decided_by'),
  decidedAt: at('decided_at'),
  decisionReason: text('decision_reason'),
})

/** Whose commissions are not held (other_id is null), or which two partners may be connected. */
export const allowances = pgTable('fraud_allowances', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  partnerId: uuid('partner_id').notNull(),
  otherId: uuid('other_id'),
  reason: text('reason').notNull(),
  allowedBy: text('allowed_by').notNull(),
  allowedAt: at('allowed_at').notNull(),
})

/** Which addresses a partner has used, as keyed hashes only: of the address, and of the mailbox that it reaches. */
export const addresses = pgTable(
  'fraud_addresses',
  {
    programId: uuid('program_id').notNull(),
    partnerId: uuid('partner_id').notNull(),
    userId: text('user_id').notNull(),
    address: text('address').notNull(),
    mailbox: text('mailbox').notNull(),
    firstSeenAt: at('first_seen_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.partnerId, t.address] })],
)

/** From which computers a partner was seen, in the marks of links. */
export const sightings = pgTable(
  'fraud_sightings',
  {
    programId: uuid('program_id').notNull(),
    partnerId: uuid('partner_id').notNull(),
    userId: text('user_id').notNull(),
    day: date('day').notNull(),
    address: text('address').notNull(),
    agent: text('agent').notNull(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.partnerId, t.day, t.address, t.agent] })],
)

export type Case = typeof cases.$inferSelect
export type Allowance = typeof allowances.$inferSelect
