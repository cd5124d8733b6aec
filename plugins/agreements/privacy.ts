// What is stored about one partner's signatures, for the privacy statement and the export.

import { and, desc, eq } from 'drizzle-orm'
import type { Reader } from '../kit/index.ts'
import { signatures } from './tables.ts'

/** What is kept of a signer and why it is not erased on request. */
export const statement =
  'For each signature: the text and its hash, the typed name, e-mail, time, Discord id, browser, a keyed hash of the IP address, and the signed PDF. It is evidence of a contract and kept for as long as claims from it can be made; it cannot be changed or erased before.'

export async function exportFor(reader: Reader, programId: string, userId: string): Promise<unknown> {
  const rows = await reader
    .select()
    .from(signatures)
    .where(and(eq(signatures.programId, programId), eq(signatures.userId, userId)))
    .orderBy(desc(signatures.signedAt))
  return rows.map((row) => ({ ...row, pdf: row.pdf.toString('base64') }))
}
