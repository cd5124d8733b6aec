// What is stored about one partner's signatures, for the export.
import { and, desc, eq } from 'drizzle-orm'
import type { Reader } from '../kit/index.ts'
import { signatures } from './tables.ts'

export async function exportFor(reader: Reader, programId: string, userId: string): Promise<unknown> {
  const rows = await reader
    .select()
    .from(signatures)
    .where(and(eq(signatures.programId, programId), eq(signatures.userId, userId)))
    .orderBy(desc(signatures.signedAt))
  return rows.map((row) => ({ ...row, pdf: row.pdf.toString('base64') }))
}
