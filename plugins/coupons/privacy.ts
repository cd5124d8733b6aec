// What coupons store about one partner: for the export, and erased.
import { and, eq } from 'drizzle-orm'
import type { Reader, Tx } from '../kit/index.ts'
import { coupons } from './tables.ts'

const isTheirs = (programId: string, userId: string) => and(eq(coupons.programId, programId), eq(coupons.userId, userId))

export async function exportFor(reader: Reader, programId: string, userId: string): Promise<unknown> {
  return { coupons: await reader.select().from(coupons).where(isTheirs(programId, userId)) }
}

/** Codes often carry a name, so they go; which sales they brought is in the books of attribution. */
export async function eraseFor(tx: Tx, programId: string, userId: string): Promise<void> {
  await tx.delete(coupons).where(isTheirs(programId, userId))
}
