// Drizzle's view of db/migrations/0012_agreements.sql.
import { customType, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { at } from '../../db/tables.ts'

const bytes = customType<{ data: Buffer }>({ dataType: () => 'bytea' })

export const texts = pgTable('agreements_texts', {
  hash: text('hash').primaryKey(),
  text: text('text').notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
})

export const versions = pgTable(
  'agreements_versions',
  {
    programId: uuid('program_id').notNull(),
    version: text('version').notNull(),
    hash: text('hash').notNull(),
    publishedAt: at('published_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.version] })],
)

export const signatures = pgTable('agreements_signatures', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  partnerId: uuid('partner_id').notNull(),
  userId: text('user_id').notNull(),
  version: text('version').notNull(),
  documentVersions: jsonb('document_versions').notNull().$type<Record<string, string>>(),
  hash: text('hash').notNull(),
  typedName: text('typed_name').notNull(),
  email: text('email').notNull(),
  ipHash: text('ip_hash').notNull(),
  userAgent: text('user_agent').notNull(),
  signedAt: at('signed_at').notNull().defaultNow(),
  pdf: bytes('pdf').notNull(),
})
