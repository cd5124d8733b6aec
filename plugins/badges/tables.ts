// Drizzle's view of db/migrations/0041_badges.sql.
import { boolean, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { at } from '../../db/tables.ts'
import type { Facts } from './public.ts'

export const awards = pgTable('badges_awards', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  partnerId: uuid('partner_id').notNull(),
  userId: text('user_id').notNull(),
  badge: text('badge').notNull(),
  /** `once`, or the month of a monthly badge. */
  period: text('period').notNull(),
  /** What it was earned for. */
  facts: jsonb('facts').notNull().$type<Facts>().default({}),
  awardedAt: at('awarded_at').notNull().defaultNow(),
  /** The admin who gave it; null when a rule did. */
  awardedBy: text('awarded_by'),
  /** Whether it was celebrated for all to see. */
  celebrated: boolean('celebrated').notNull(),
  revokedAt: at('revoked_at'),
  revokedBy: text('revoked_by'),
  revokeReason: text('revoke_reason'),
})

export type Award = typeof awards.$inferSelect
