// Drizzle's view of db/migrations/{0050_coupons,0205_coupons_pauses}.sql.
import { jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { at } from '../../db/tables.ts'

/** A pause that is over. ISO 8601; at `to` the code counted again. */
interface Pause {
  readonly from: string
  readonly to: string
}

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
  earlierPauses: jsonb('earlier_pauses').notNull().default([]).$type<readonly Pause[]>(),
})
