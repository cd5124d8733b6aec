// Drizzle's view of db/migrations/0143_analytics.sql.
import { pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import type { Theme } from './picture/drawing.ts'

export const looks = pgTable(
  'analytics_looks',
  {
    programId: uuid('program_id').notNull(),
    userId: text('user_id').notNull(),
    theme: text('theme').notNull().$type<Theme>(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.userId] })],
)
