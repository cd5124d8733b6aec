// Drizzle's view of the developer tables in db/migrations (0120 and on).
import { customType, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
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

export const answers = pgTable(
  'developer_answers',
  {
    programId: uuid('program_id').notNull(),
    keyId: uuid('key_id').notNull(),
    idempotencyKey: text('idempotency_key').notNull(),
    requestHash: bytes('request_hash').notNull(),
    status: integer('status'),
    answer: text('answer'),
    createdAt: at('created_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.keyId, t.idempotencyKey] })],
)
