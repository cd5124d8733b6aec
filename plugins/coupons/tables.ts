// Drizzle's view of db/migrations/0050_coupons.sql.
import { pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { at } from '../../db/tables.ts'

export const coupons = pgTable('coupons_coupons', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  partnerId: uuid('partner_id').notNull(),
  userId: text('user_id').notNull(),
  code: text('code').notNull(),
  folded: text('folded').notNull(),
  createdBy: text('created_by').notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
  pausedAt: at('paused_at'),
})
