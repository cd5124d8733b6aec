// What tax stores about one partner: for the export, and erased.
import { and, eq } from 'drizzle-orm'
import type { Reader, Tx } from '../kit/index.ts'
import { forms } from './tables.ts'

const theirs = (programId: string, userId: string) => and(eq(forms.programId, programId), eq(forms.userId, userId))

export async function exportFor(reader: Reader, programId: string, userId: string): Promise<unknown> {
  return { forms: await reader.select().from(forms).where(theirs(programId, userId)).orderBy(forms.source) }
}

/** The country and the form stay, because a year that was paid must be reported; the person goes. */
export async function eraseFor(tx: Tx, programId: string, userId: string): Promise<void> {
  await tx.update(forms).set({ userId: 'erased' }).where(theirs(programId, userId))
}
