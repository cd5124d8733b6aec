// Drizzle's view of db/migrations/0013_channels.sql.
import { pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { at } from '../../db/tables.ts'

export const grants = pgTable(
  'channels_grants',
  {
    programId: uuid('program_id').notNull(),
    partnerId: uuid('partner_id').notNull(),
    roleKey: text('role_key').notNull(),
    grantedAt: at('granted_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.partnerId, t.roleKey] })],
)
