// What payouts store about one partner that can be exported and erased: their reference. Payouts themselves are bookkeeping and hold no name.
import { and, asc, eq, inArray } from 'drizzle-orm'
import type { Reader, Tx } from '../kit/index.ts'
import { partnerIdOf } from '../partners/public.ts'
import { underwayWords } from './messages.ts'
import { byHand } from './model.ts'
import { methods, payouts, references } from './tables.ts'

const theirs = (programId: string, userId: string) => and(eq(references.programId, programId), eq(references.userId, userId))

export async function exportFor(reader: Reader, programId: string, userId: string): Promise<unknown> {
  return { references: await reader.select().from(references).where(theirs(programId, userId)) }
}

/** Money that is on its way must arrive at somebody, or come back to somebody. */
export async function whyNotYet(reader: Reader, programId: string, userId: string): Promise<string | undefined> {
  const partnerId = await partnerIdOf(reader, programId, userId)
  if (partnerId === undefined) return undefined
  const rows = await reader
    .select({ amount: payouts.amount, currency: payouts.currency, state: payouts.state })
    .from(payouts)
    .where(
      and(
        eq(payouts.programId, programId),
        eq(payouts.partnerId, partnerId),
        inArray(payouts.state, ['awaiting_approval', 'queued', 'sent']),
      ),
    )
    .orderBy(asc(payouts.id))
  return rows.length === 0 ? undefined : underwayWords(rows)
}

/** The text goes; the row stays, because payouts name its account. Nothing more is paid to it, for nobody would know to whom. */
export async function eraseFor(tx: Tx, programId: string, userId: string): Promise<void> {
  const erased = await tx
    .update(references)
    .set({ reference: null, userId: 'erased' })
    .where(theirs(programId, userId))
    .returning({ account: references.account })
  const accounts = erased.map(({ account }) => account)
  await tx
    .update(methods)
    .set({ ready: false, missing: 'your reference' })
    .where(and(eq(methods.programId, programId), eq(methods.provider, byHand), inArray(methods.account, accounts)))
}
