// Writing a partner's row, for all parts of this plugin.
import { and, eq } from 'drizzle-orm'
import type { Tx } from '../kit/index.ts'
import type { PartnerRow } from './model.ts'
import { partners } from './tables.ts'

/** Changes a partner, whose row the caller has read in `tx`, and returns the row as it is now. */
export async function updatePartner(tx: Tx, { programId, id }: PartnerRow, change: Partial<PartnerRow>): Promise<PartnerRow> {
  const [row] = await tx
    .update(partners)
    .set(change)
    .where(and(eq(partners.programId, programId), eq(partners.id, id)))
    .returning()
  return row!
}
