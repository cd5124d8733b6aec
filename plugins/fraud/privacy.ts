// What fraud stores about one partner: for the export, and erased. An open case stays until it is decided, because money depends on it.
import { and, eq, inArray, ne, or } from 'drizzle-orm'
import type { Reader, Tx } from '../kit/index.ts'
import { addresses, allowances, cases, sightings } from './tables.ts'

const theirs = (programId: string, userId: string) => and(eq(cases.programId, programId), eq(cases.userId, userId))
const theirAddresses = (programId: string, userId: string) => and(eq(addresses.programId, programId), eq(addresses.userId, userId))

const theirSightings = (programId: string, userId: string) => and(eq(sightings.programId, programId), eq(sightings.userId, userId))

/** Which partners the person is here, by what is stored. */
async function partnersOf(reader: Reader, programId: string, userId: string): Promise<string[]> {
  const rows = await reader.selectDistinct({ id: addresses.partnerId }).from(addresses).where(theirAddresses(programId, userId))
  return rows.map(({ id }) => id)
}

const allowing = (programId: string, partnerIds: string[]) =>
  and(eq(allowances.programId, programId), or(inArray(allowances.partnerId, partnerIds), inArray(allowances.otherId, partnerIds)))

/** Other partners that a signal connected this one with are theirs, and left out. */
export async function exportFor(reader: Reader, programId: string, userId: string): Promise<unknown> {
  const found = await reader.select().from(cases).where(theirs(programId, userId))
  const partnerIds = await partnersOf(reader, programId, userId)
  return {
    cases: found.map(({ amount, findings, ...rest }) => ({
      ...rest,
      // As text: JSON has no integers of that size.
      amount: amount.toString(),
      findings: findings.map(({ evidence: { others: _, ...evidence }, ...finding }) => ({ ...finding, evidence })),
    })),
    addresses: await reader.select().from(addresses).where(theirAddresses(programId, userId)),
    sightings: await reader.select().from(sightings).where(theirSightings(programId, userId)),
    allowances: await reader
      .select({ reason: allowances.reason, allowedAt: allowances.allowedAt })
      .from(allowances)
      .where(allowing(programId, partnerIds)),
  }
}

export async function eraseFor(tx: Tx, programId: string, userId: string): Promise<void> {
  const partnerIds = await partnersOf(tx, programId, userId)
  await tx.delete(allowances).where(allowing(programId, partnerIds))
  await tx.delete(cases).where(and(theirs(programId, userId), ne(cases.state, 'open')))
  await tx.update(cases).set({ appeal: null, appealedAt: null }).where(theirs(programId, userId))
  await tx.delete(sightings).where(theirSightings(programId, userId))
  await tx.delete(addresses).where(theirAddresses(programId, userId))
}
