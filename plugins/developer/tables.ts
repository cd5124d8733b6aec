// Drizzle's view of the developer tables in db/migrations (0120 and on).
import { bigint, customType, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
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

export const unsealed = pgTable('developer_unsealed', {
  outboxId: bigint('outbox_id', { mode: 'number' }).primaryKey(),
  programId: uuid('program_id').notNull(),
  problem: text('problem'),
  triedAt: at('tried_at'),
})

export const events = pgTable('developer_events', {
  position: bigint('position', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  id: uuid('id').notNull(),
  programId: uuid('program_id').notNull(),
  outboxId: bigint('outbox_id', { mode: 'number' }).notNull(),
  type: text('type').notNull(),
  version: integer('version').notNull(),
  data: jsonb('data').notNull().$type<Readonly<Record<string, unknown>>>(),
  occurredAt: at('occurred_at').notNull(),
})

export const feeds = pgTable('developer_feeds', {
  programId: uuid('program_id').primaryKey(),
  forgottenThrough: bigint('forgotten_through', { mode: 'number' }).notNull(),
})

export const endpoints = pgTable('developer_endpoints', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  url: text('url').notNull(),
  types: text('types').array(),
  secret: bytes('secret').notNull(),
  oldSecret: bytes('old_secret'),
  oldSecretUntil: at('old_secret_until'),
  createdBy: text('created_by').notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
  lastSuccessAt: at('last_success_at'),
  failures: integer('failures').notNull().default(0),
  failingSince: at('failing_since'),
  restUntil: at('rest_until'),
  disabledAt: at('disabled_at'),
  disabledReason: text('disabled_reason'),
})

export const sends = pgTable(
  'developer_sends',
  {
    endpointId: uuid('endpoint_id').notNull(),
    position: bigint('position', { mode: 'number' }).notNull(),
    programId: uuid('program_id').notNull(),
    state: text('state').notNull().default('pending').$type<'pending' | 'delivered' | 'failed'>(),
    attempts: integer('attempts').notNull().default(0),
    nextAt: at('next_at').notNull(),
    claimedUntil: at('claimed_until'),
    firstAt: at('first_at'),
    endedAt: at('ended_at'),
    lastResult: text('last_result'),
  },
  (t) => [primaryKey({ columns: [t.endpointId, t.position] })],
)
