// Drizzle's view of the core tables; the SQL in db/migrations is the truth and a test compares the two.
import { bigint, boolean, date, integer, jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core'

/** A point in time with zone, as `Date`. */
export const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
/** An amount in minor units, as `bigint`. */
export const minor = (name: string) => bigint(name, { mode: 'bigint' })

export const programs = pgTable('core_programs', {
  id: uuid('id').primaryKey(),
  name: text('name').notNull(),
  guildId: text('guild_id').notNull(),
  timeZone: text('time_zone').notNull().default('UTC'),
  currency: text('currency').notNull().default('USD'),
  createdAt: at('created_at').notNull().defaultNow(),
})

export const settings = pgTable(
  'core_settings',
  {
    programId: uuid('program_id').notNull(),
    plugin: text('plugin').notNull(),
    values: jsonb('values').notNull().$type<Record<string, unknown>>(),
    updatedAt: at('updated_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.plugin] })],
)

export type GuildObjectKind = 'role' | 'category' | 'channel'

export const guildObjects = pgTable(
  'core_guild_objects',
  {
    programId: uuid('program_id').notNull(),
    kind: text('kind').notNull().$type<GuildObjectKind>(),
    key: text('key').notNull(),
    discordId: text('discord_id').notNull(),
    updatedAt: at('updated_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.kind, t.key] })],
)

export const outbox = pgTable('core_outbox', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  programId: uuid('program_id'),
  kind: text('kind').notNull().$type<'event' | 'job'>(),
  name: text('name').notNull(),
  payload: jsonb('payload').notNull().$type<unknown>(),
  dedupeKey: text('dedupe_key'),
  availableAt: at('available_at').notNull().defaultNow(),
  createdAt: at('created_at').notNull().defaultNow(),
  relayedAt: at('relayed_at'),
  failedAt: at('failed_at'),
  lastError: text('last_error'),
  doneAt: at('done_at'),
})

export const deliveries = pgTable(
  'core_deliveries',
  {
    outboxId: bigint('outbox_id', { mode: 'number' }).notNull(),
    target: text('target').notNull(),
    handledAt: at('handled_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.outboxId, t.target] })],
)

export const interactions = pgTable('core_interactions', {
  id: text('id').primaryKey(),
  applicationId: text('application_id').notNull(),
  token: text('token'),
  deferred: boolean('deferred').notNull().default(false),
  createdAt: at('created_at').notNull().defaultNow(),
  finishedAt: at('finished_at'),
})

export const tokens = pgTable('core_tokens', {
  hash: text('hash').primaryKey(),
  programId: uuid('program_id').notNull(),
  purpose: text('purpose').notNull(),
  subject: text('subject').notNull(),
  expiresAt: at('expires_at').notNull(),
  usedAt: at('used_at'),
  createdAt: at('created_at').notNull().defaultNow(),
})

export const webhooks = pgTable(
  'core_webhooks',
  {
    source: text('source').notNull(),
    eventId: text('event_id').notNull(),
    programId: uuid('program_id'),
    type: text('type').notNull(),
    body: jsonb('body').notNull().$type<unknown>(),
    receivedAt: at('received_at').notNull().defaultNow(),
    deliveries: integer('deliveries').notNull().default(1),
    handledAt: at('handled_at'),
    parkedAt: at('parked_at'),
    parkReason: text('park_reason'),
    setAsideAt: at('set_aside_at'),
    setAsideBy: text('set_aside_by'),
    setAsideReason: text('set_aside_reason'),
  },
  (t) => [primaryKey({ columns: [t.source, t.eventId] })],
)

export const webhookRefusals = pgTable(
  'core_webhook_refusals',
  {
    source: text('source').notNull(),
    reason: text('reason').notNull(),
    day: date('day').notNull(),
    count: bigint('count', { mode: 'number' }).notNull().default(1),
  },
  (t) => [primaryKey({ columns: [t.source, t.reason, t.day] })],
)

export const memberRoles = pgTable(
  'core_member_roles',
  {
    programId: uuid('program_id').notNull(),
    userId: text('user_id').notNull(),
    roleKey: text('role_key').notNull(),
    wanted: boolean('wanted').notNull(),
    applied: boolean('applied'),
    reason: text('reason').notNull(),
    updatedAt: at('updated_at').notNull().defaultNow(),
    lastError: text('last_error'),
  },
  (t) => [primaryKey({ columns: [t.programId, t.userId, t.roleKey] })],
)

export const messages = pgTable('core_messages', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  key: text('key').notNull(),
  targetKind: text('target_kind').notNull().$type<'channel' | 'dm' | 'thread'>(),
  target: text('target').notNull(),
  payload: jsonb('payload').notNull().$type<Record<string, unknown>>(),
  revision: integer('revision').notNull().default(1),
  sentRevision: integer('sent_revision').notNull().default(0),
  state: text('state').notNull().default('wanted').$type<'wanted' | 'sent' | 'refused' | 'failed'>(),
  channelId: text('channel_id'),
  messageId: text('message_id'),
  lastError: text('last_error'),
  createdAt: at('created_at').notNull().defaultNow(),
  sentAt: at('sent_at'),
})

export const audit = pgTable('core_audit', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  programId: uuid('program_id').notNull(),
  actor: text('actor').notNull(),
  action: text('action').notNull(),
  detail: jsonb('detail').notNull().$type<Record<string, unknown>>().default({}),
  at: at('at').notNull().defaultNow(),
})
