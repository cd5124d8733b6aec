// Drizzle's view of the tables of links; the SQL in db/migrations is the truth.
import { boolean, customType, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { at } from '../../db/tables.ts'

const bytes = customType<{ data: Buffer }>({ dataType: () => 'bytea' })

/** Why a click redirects without counting. */
export type Rejection = 'bot' | 'head' | 'prefetch'

export const links = pgTable('links_links', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  partnerId: uuid('partner_id').notNull(),
  code: text('code').notNull(),
  destination: text('destination'),
  campaign: text('campaign'),
  createdAt: at('created_at').notNull().defaultNow(),
})

export const codes = pgTable('links_codes', {
  folded: text('folded').primaryKey(),
  programId: uuid('program_id').notNull(),
  linkId: uuid('link_id').notNull(),
  createdAt: at('created_at').notNull().defaultNow(),
})

export const clicks = pgTable('links_clicks', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  linkId: uuid('link_id').notNull(),
  partnerId: uuid('partner_id').notNull(),
  at: at('at').notNull(),
  ipHash: bytes('ip_hash').notNull(),
  agentHash: bytes('agent_hash').notNull(),
  previous: uuid('previous'),
  counted: boolean('counted').notNull(),
  rejected: text('rejected').$type<Rejection>(),
  subs: jsonb('subs').$type<Record<string, string>>(),
})

export const visits = pgTable('links_visits', {
  key: bytes('key').primaryKey(),
  countedAt: at('counted_at').notNull(),
})
