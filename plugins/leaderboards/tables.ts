// Drizzle's view of db/migrations/0040_leaderboards.sql.
import { integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { at, minor } from '../../db/tables.ts'

/** One board a month; open until `frozenAt`. */
export const months = pgTable(
  'leaderboards_months',
  {
    programId: uuid('program_id').notNull(),
    month: text('month').notNull(),
    metric: text('metric').notNull(),
    currency: text('currency').notNull(),
    frozenAt: at('frozen_at'),
  },
  (t) => [primaryKey({ columns: [t.programId, t.month] })],
)

/** The final result of a month. Rows are never changed. */
export const results = pgTable(
  'leaderboards_results',
  {
    programId: uuid('program_id').notNull(),
    month: text('month').notNull(),
    position: integer('position').notNull(),
    rank: integer('rank').notNull(),
    partnerId: uuid('partner_id').notNull(),
    userId: text('user_id').notNull(),
    score: minor('score').notNull(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.month, t.position] })],
)

export const optOuts = pgTable(
  'leaderboards_opt_outs',
  {
    programId: uuid('program_id').notNull(),
    userId: text('user_id').notNull(),
    createdAt: at('created_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.userId] })],
)
