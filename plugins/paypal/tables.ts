// Drizzle's view of db/migrations/0052_paypal.sql.
import { pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { at } from '../../db/tables.ts'

export const receivers = pgTable('paypal_receivers', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  partnerId: uuid('partner_id').notNull(),
  userId: text('user_id').notNull(),
  email: text('email'),
  createdAt: at('created_at').notNull().defaultNow(),
  givenAt: at('given_at'),
  closedAt: at('closed_at'),
})

export const batches = pgTable('paypal_batches', {
  payoutId: uuid('payout_id').primaryKey(),
  programId: uuid('program_id').notNull(),
  receiverId: uuid('receiver_id').notNull(),
  firstTriedAt: at('first_tried_at').notNull(),
  batchId: text('batch_id'),
  itemStatus: text('item_status'),
  checkedAt: at('checked_at'),
  settledAt: at('settled_at'),
})
