// What claims store about one partner: for the export, and erased.
import { and, eq } from 'drizzle-orm'
import type { Reader, Tx } from '../kit/index.ts'
import { claims, overrides } from './tables.ts'

const theirs = (programId: string, userId: string) => and(eq(claims.programId, programId), eq(claims.userId, userId))

export async function exportFor(reader: Reader, programId: string, userId: string): Promise<unknown> {
  const found = await reader.select().from(claims).where(theirs(programId, userId))
  // Amounts as text: JSON has no integers of that size.
  return found.map(({ evidence, gross, ...claim }) => ({
    ...claim,
    gross: gross?.toString() ?? null,
    evidence: evidence?.toString('base64') ?? null,
  }))
}

/** Overrides stay: they say why the books are as they are. Their link to the claim goes with it. */
export async function eraseFor(tx: Tx, programId: string, userId: string): Promise<void> {
  const gone = await tx.select({ id: claims.id }).from(claims).where(theirs(programId, userId))
  for (const { id } of gone) await tx.update(overrides).set({ claimId: null }).where(eq(overrides.claimId, id))
  await tx.delete(claims).where(theirs(programId, userId))
}
