// What is stored about one partner: for the export, and erased.
import { and, eq, like } from 'drizzle-orm'
import { tokens } from '../../db/tables.ts'
import type { Reader, Tx } from '../kit/index.ts'
import { drafts, partners, verificationMails } from './tables.ts'

export async function exportFor(reader: Reader, programId: string, userId: string): Promise<unknown> {
  const [partner] = await reader
    .select()
    .from(partners)
    .where(and(eq(partners.programId, programId), eq(partners.userId, userId)))
  return {
    partner,
    draft: (
      await reader
        .select()
        .from(drafts)
        .where(and(eq(drafts.programId, programId), eq(drafts.userId, userId)))
    )[0],
    verificationMails:
      partner && (await reader.select().from(verificationMails).where(eq(verificationMails.partnerId, partner.id))),
  }
}

/** Takes the person out of the record. The row itself stays, because sales and payouts point to it; no link that they were sent leads to it any more. */
export async function eraseFor(tx: Tx, programId: string, userId: string): Promise<void> {
  await tx.delete(drafts).where(and(eq(drafts.programId, programId), eq(drafts.userId, userId)))
  const [partner] = await tx
    .select()
    .from(partners)
    .where(and(eq(partners.programId, programId), eq(partners.userId, userId)))
    .for('update')
  if (!partner) return
  await tx.delete(verificationMails).where(eq(verificationMails.partnerId, partner.id))
  await tx.delete(tokens).where(and(eq(tokens.programId, programId), like(tokens.subject, `${partner.id}%`)))
  await tx
    .update(partners)
    .set({
      userId: `erased:${partner.id}`,
      name: 'Erased partner',
      email: `erased+${partner.id}@invalid`,
      pendingEmail: null,
      suspendedBecause: null,
      status: 'left',
      statusBeforeLeft: partner.statusBeforeLeft ?? (partner.status === 'left' ? 'registered' : partner.status),
    })
    .where(eq(partners.id, partner.id))
}
