// Drizzle's view of db/migrations/0011_partners.sql.
import { bigint, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { at } from '../../db/tables.ts'
import type { PartnerStatus } from './public.ts'

export const partners = pgTable('partners_partners', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  userId: text('user_id').notNull(),
  name: text('name').notNull(),
  email: text('email').notNull(),
  pendingEmail: text('pending_email'),
  industry: text('industry').notNull(),
  status: text('status').notNull().$type<PartnerStatus>(),
  statusBeforeLeft: text('status_before_left').$type<Exclude<PartnerStatus, 'left'>>(),
  membershipEvent: bigint('membership_event', { mode: 'number' }).notNull().default(0),
  registeredAt: at('registered_at').notNull().defaultNow(),
  verifiedAt: at('verified_at'),
  activatedAt: at('activated_at'),
  leftAt: at('left_at'),
  suspendedAt: at('suspended_at'),
  suspendedBecause: text('suspended_because'),
})

export const drafts = pgTable(
  'partners_drafts',
  {
    programId: uuid('program_id').notNull(),
    userId: text('user_id').notNull(),
    name: text('name').notNull(),
    email: text('email').notNull(),
    industry: text('industry').notNull(),
    updatedAt: at('updated_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.userId] })],
)

export const verificationMails = pgTable('partners_verification_mails', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  partnerId: uuid('partner_id').notNull(),
  email: text('email').notNull(),
  sentAt: at('sent_at').notNull().defaultNow(),
})
