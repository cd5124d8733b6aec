// Drizzle's view of the tables of links; the SQL in db/migrations is the truth.
import { bigint, boolean, customType, date, integer, jsonb, pgEnum, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { at } from '../../db/tables.ts'
import type { Assignee } from './landing/choose.ts'
import { devices, type Target } from './targets.ts'

const bytes = customType<{ data: Buffer }>({ dataType: () => 'bytea' })

/** Why a click does not count though it is sent on, or why it is not sent on. */
export type Rejection = 'bot' | 'head' | 'prefetch' | Closure

/** Why a link leads nowhere: its partner is not active or has not signed, or it is paused, past its end, or used up. */
export type Closure = 'inactive' | 'paused' | 'expired' | 'limit'

export const device = pgEnum('links_device', devices)

export const links = pgTable('links_links', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  partnerId: uuid('partner_id').notNull(),
  code: text('code').notNull(),
  destination: text('destination'),
  landingPageId: uuid('landing_page_id'),
  campaign: text('campaign'),
  tags: text('tags').array().notNull().default([]),
  subs: jsonb('subs').$type<Readonly<Record<string, string>>>(),
  pausedAt: at('paused_at'),
  suspendedAt: at('suspended_at'),
  suspendedBecause: text('suspended_because'),
  defaultFor: text('default_for'),
  expiresAt: at('expires_at'),
  /** Counted clicks. */
  clickLimit: integer('click_limit'),
  targets: jsonb('targets').$type<readonly Target[]>().notNull().default([]),
  createdAt: at('created_at').notNull().defaultNow(),
})

export const codes = pgTable('links_codes', {
  folded: text('folded').primaryKey(),
  programId: uuid('program_id').notNull(),
  linkId: uuid('link_id').notNull(),
  /** As it was written; codes from before that was kept are null. */
  code: text('code'),
  createdAt: at('created_at').notNull().defaultNow(),
})

export const landingPages = pgTable('links_landing_pages', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  name: text('name').notNull(),
  address: text('address').notNull(),
  offered: boolean('offered').notNull(),
  createdAt: at('created_at').notNull(),
  removedAt: at('removed_at'),
})

export const assignments = pgTable(
  'links_assignments',
  {
    programId: uuid('program_id').notNull(),
    kind: text('kind').$type<Assignee>().notNull(),
    subject: text('subject').notNull(),
    pageId: uuid('page_id').notNull(),
    assignedAt: at('assigned_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.kind, t.subject] })],
)

export const imports = pgTable('links_imports', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  userId: text('user_id').notNull(),
  links: jsonb('links').notNull(),
  createdAt: at('created_at').notNull(),
})

/** Partitioned by month; written and read with SQL of its own. */
export const clicks = pgTable(
  'links_clicks',
  {
    at: at('at').notNull(),
    id: uuid('id').notNull(),
    programId: uuid('program_id').notNull(),
    linkId: uuid('link_id').notNull(),
    partnerId: uuid('partner_id').notNull(),
    previous: uuid('previous'),
    counted: boolean('counted').notNull(),
    ipHash: bytes('ip_hash').notNull(),
    agentHash: bytes('agent_hash').notNull(),
    rejected: text('rejected').$type<Rejection>(),
    subs: jsonb('subs').$type<Record<string, string>>(),
    device: device('device'),
    country: text('country'),
    landingPageId: uuid('landing_page_id'),
    referrer: text('referrer'),
    campaign: text('campaign'),
    paidBy: text('paid_by'),
    datacentre: boolean('datacentre').notNull().default(false),
  },
  (t) => [primaryKey({ columns: [t.at, t.id] })],
)

export const hours = pgTable(
  'links_hours',
  {
    linkId: uuid('link_id').notNull(),
    hour: at('hour').notNull(),
    programId: uuid('program_id').notNull(),
    partnerId: uuid('partner_id').notNull(),
    counted: bigint('counted', { mode: 'number' }).notNull(),
    people: bigint('people', { mode: 'number' }).notNull(),
    rejected: bigint('rejected', { mode: 'number' }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.linkId, t.hour, t.partnerId] })],
)

export const summed = pgTable('links_summed', {
  oneRow: boolean('one_row').primaryKey().default(true),
  through: at('through').notNull(),
})

export const days = pgTable('links_days', {
  programId: uuid('program_id').notNull(),
  partnerId: uuid('partner_id'),
  dimension: text('dimension').notNull(),
  day: date('day').notNull(),
  value: text('value').notNull(),
  clicks: bigint('clicks', { mode: 'number' }).notNull(),
  visitors: bigint('visitors', { mode: 'number' }).notNull(),
})

export const daysSummed = pgTable('links_days_summed', {
  programId: uuid('program_id').primaryKey(),
  timeZone: text('time_zone').notNull(),
  through: at('through').notNull(),
  readFrom: at('read_from').notNull(),
  reached: at('reached').notNull(),
})

export const seen = pgTable(
  'links_seen',
  {
    day: date('day').notNull(),
    programId: uuid('program_id').notNull(),
    partnerId: uuid('partner_id').notNull(),
    ipHash: bytes('ip_hash').notNull(),
    agentHash: bytes('agent_hash').notNull(),
    at: at('at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.day, t.partnerId, t.ipHash, t.agentHash] })],
)

export const staleHours = pgTable('links_stale_hours', {
  hour: at('hour').primaryKey(),
})

export const visits = pgTable('links_visits', {
  key: bytes('key').primaryKey(),
  countedAt: at('counted_at').notNull(),
})
