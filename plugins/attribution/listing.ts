// Reads sales page by page, newest first, for whoever shows them to a program of the company.
import { and, desc, eq, lt } from 'drizzle-orm'
import type { Attribution, Sale } from './public.ts'
import { sales } from './tables.ts'

export function createListing(toSale: (row: typeof sales.$inferSelect) => Sale): Pick<Attribution, 'recorded'> {
  return {
    recorded: async (reader, programId, { before, limit }) =>
      (
        await reader
          .select()
          .from(sales)
          .where(and(eq(sales.programId, programId), before === undefined ? undefined : lt(sales.id, before)))
          .orderBy(desc(sales.id))
          .limit(limit)
      ).map((row) => ({ sale: toSale(row), provider: row.provider, paymentKey: row.paymentKey, recordedAt: row.recordedAt })),
  }
}
