// Drizzle's view of db/migrations/0010_notifications.sql.
import { jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import type { Attachment, Message } from '../../commands/messages.ts'
import { at } from '../../db/tables.ts'
import type { LetterContent } from './letter.ts'

/** A message as a row keeps it: files in base64. */
export type StoredMessage = Omit<Message, 'files'> & { files?: (Omit<Attachment, 'data'> & { data: string })[] }

export type MailState = 'waiting' | 'sent' | 'refused' | 'unsent'

export const mails = pgTable('notifications_mails', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  key: text('key').notNull(),
  recipient: text('recipient').notNull(),
  userId: text('user_id'),
  subject: text('subject').notNull(),
  content: jsonb('content').$type<LetterContent>(),
  state: text('state').notNull().default('waiting').$type<MailState>(),
  providerId: text('provider_id'),
  reason: text('reason'),
  createdAt: at('created_at').notNull().defaultNow(),
  finishedAt: at('finished_at'),
})

export type MailRow = typeof mails.$inferSelect

export const tells = pgTable('notifications_tells', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  key: text('key').notNull(),
  userId: text('user_id').notNull(),
  message: jsonb('message').$type<StoredMessage>(),
  createdAt: at('created_at').notNull().defaultNow(),
  threadedAt: at('threaded_at'),
})
