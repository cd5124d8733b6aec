// What the PayPal plugin stores about one partner: for the export, and erased.
import { and, eq } from 'drizzle-orm'
import type { Reader, Tx } from '../kit/index.ts'
import { receivers } from './tables.ts'

const theirs = (programId: string, userId: string) => and(eq(receivers.programId, programId), eq(receivers.userId, userId))

export async function exportFor(reader: Reader, programId: string, userId: string): Promise<unknown> {
  return { receivers: await reader.select().from(receivers).where(theirs(programId, userId)) }
}

/** The addresses go; the rows stay, because payouts point to them. */
export async function eraseFor(tx: Tx, programId: string, userId: string): Promise<void> {
  await tx.update(receivers).set({ email: null, userId: 'erased' }).where(theirs(programId, userId))
}
