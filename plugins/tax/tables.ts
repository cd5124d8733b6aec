// Drizzle's view of tax; db/migrations/0091_tax.sql and 0200_tax_tellers.sql are the truth.
import { pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { at } from '../../db/tables.ts'
import type { FormStatus } from './public.ts'

export const forms = pgTable(
  'tax_forms',
  {
    programId: uuid('program_id').notNull(),
    partnerId: uuid('partner_id').notNull(),
    userId: text('user_id').notNull(),
    jurisdiction: text('jurisdiction'),
    form: text('form'),
    status: text('status').$type<FormStatus>(),
    validUntil: at('valid_until'),
    source: text('source').notNull(),
    recordedBy: text('recorded_by'),
    saidAt: at('said_at').notNull(),
    toldAt: at('told_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.partnerId, t.source] })],
)
