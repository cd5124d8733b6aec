// Drizzle's view of db/migrations/0120_developer_keys.sql.
import { customType, integer, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { at } from '../../db/tables.ts'

const bytes = customType<{ data: Buffer }>({ dataType: () => 'bytea' })

export const keys = pgTable('developer_keys', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  name: text('name').notNull(),
  hash: bytes('hash').notNull(),
  beginning: text('beginning').notNull(),
  scopes: text('scopes').array().notNull(),
  requestsPerMinute: integer('requests_per_minute').notNull(),
  createdBy: text('created_by').notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
  expiresAt: at('expires_at'),
  revokedAt: at('revoked_at'),
  lastUsedAt: at('last_used_at'),
})
