// What deals store about one partner: for the export, and erased.
import { and, eq, inArray, ne } from 'drizzle-orm'
import type { Reader, Tx } from '../kit/index.ts'
import { claims, deals, drafts, payments } from './tables.ts'

const theirDeals = (programId: string, userId: string) => and(eq(deals.programId, programId), eq(deals.userId, userId))
const theirDrafts = (programId: string, userId: string) => and(eq(drafts.programId, programId), eq(drafts.userId, userId))

export async function exportFor(reader: Reader, programId: string, userId: string): Promise<unknown> {
  const found = await reader.select().from(deals).where(theirDeals(programId, userId))
  return {
    // Amounts as text: JSON has no integers of that size.
    deals: found.map((deal) => ({ ...deal, expected: String(deal.expected), wonAmount: deal.wonAmount?.toString() ?? null })),
    drafts: await reader.select().from(drafts).where(theirDrafts(programId, userId)),
  }
}

/** Deals that became sales stay without the people in them, because the books point to them; all others go, and their prospects are free. */
export async function eraseFor(tx: Tx, programId: string, userId: string): Promise<void> {
  const theirs = theirDeals(programId, userId)
  await tx.delete(drafts).where(theirDrafts(programId, userId))
  const ids = tx.select({ id: deals.id }).from(deals).where(theirs)
  await tx.delete(claims).where(and(eq(claims.programId, programId), inArray(claims.dealId, ids)))
  const unsold = and(theirs, ne(deals.status, 'won'))
  const unsoldIds = tx.select({ id: deals.id }).from(deals).where(unsold)
  await tx.delete(payments).where(and(eq(payments.programId, programId), inArray(payments.dealId, unsoldIds)))
  await tx.delete(deals).where(unsold)
  await tx.update(deals).set({ userId: 'erased', contactEmail: null, notes: '' }).where(theirs)
}
