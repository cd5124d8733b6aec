// The batches in which payouts go to PayPal: noted before PayPal is asked, so that no crash and no silence can lead to a second payment.
import { and, asc, eq, isNotNull, isNull, lte, or, sql } from 'drizzle-orm'
import { type Clock, type Db, days, hours, minutes, type Reader, type Tx, UserError } from '../kit/index.ts'
import { batches } from './tables.ts'

export type Batch = typeof batches.$inferSelect

export interface Batches {
  of(reader: Reader, payoutId: string): Promise<Batch | undefined>
  /**
   * Notes that PayPal is about to be asked and returns the id that we give the batch. It is the same at every try, so PayPal lets through only one.
   * @throws Error when that cannot be relied on any more: the first try was so long ago that PayPal has forgotten it
   */
  noteTry(payout: { payoutId: string; programId: string; receiverId: string }): Promise<string>
  noteBatch(payoutId: string, batchId: string): Promise<void>
  /** PayPal was asked how it stands, and nothing was learned. */
  noteChecked(payoutId: string): Promise<void>
  /** PayPal refused the payout for good: it has no batch of it, and is not asked again. */
  noteRefused(payoutId: string): Promise<void>
  /** Held until the transaction ends; by our id of the batch, or PayPal's. */
  lock(tx: Tx, ids: { senderBatchId: string | null; batchId: string }): Promise<Batch | undefined>
  /** Those that are on their way and of which nothing was heard for a while. */
  unheard(reader: Reader, programId: string, limit: number): Promise<Batch[]>
  /** Payouts of which nobody knows whether PayPal has them. */
  unclear(reader: Reader, programId: string): Promise<Batch[]>
  /** An admin looked: PayPal has no such batch, so it may be sent. What was known of it. @throws UserError unless the payout is unclear */
  noteAbsent(tx: Tx, programId: string, payoutId: string): Promise<Batch>
}

/** PayPal refuses a sender_batch_id for 30 days; a day less, for clocks and for the time under way. */
const guardedMs = days(29)
const prefix = 'siso-'

export const senderBatchIdOf = (payoutId: string): string => `${prefix}${payoutId}`

/** The payout of a batch that we named; undefined for batches that somebody else sent from the same account. */
export function payoutOf(senderBatchId: string): string | undefined {
  return /^siso-([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})$/.exec(senderBatchId)?.[1]
}

export function createBatches({ db, clock }: { db: Db; clock: Clock }): Batches {
  const of: Batches['of'] = async (reader, payoutId) =>
    (await reader.select().from(batches).where(eq(batches.payoutId, payoutId)))[0]
  const forgotten = () => lte(batches.firstTriedAt, new Date(clock.now().getTime() - guardedMs))
  return {
    of,
    noteTry: async (payout) => {
      await db
        .insert(batches)
        .values({ ...payout, firstTriedAt: clock.now() })
        .onConflictDoNothing()
      const { firstTriedAt, batchId } = (await of(db, payout.payoutId))!
      const senderBatchId = senderBatchIdOf(payout.payoutId)
      if (batchId === null && firstTriedAt.getTime() <= clock.now().getTime() - guardedMs) throw unclear(senderBatchId)
      return senderBatchId
    },
    noteBatch: async (payoutId, batchId) => {
      await db
        .update(batches)
        .set({ batchId, checkedAt: sql`coalesce(${batches.checkedAt}, ${clock.now().toISOString()}::timestamptz)` })
        .where(eq(batches.payoutId, payoutId))
    },
    lock: async (tx, { senderBatchId, batchId }) => {
      const payoutId = senderBatchId === null ? undefined : payoutOf(senderBatchId)
      const [batch] = await tx
        .select()
        .from(batches)
        .where(payoutId === undefined ? eq(batches.batchId, batchId) : eq(batches.payoutId, payoutId))
        .for('update')
      return batch
    },
    unheard: (reader, programId, limit) => {
      const ago = (ms: number) => new Date(clock.now().getTime() - ms)
      const young = sql`${batches.firstTriedAt} > ${ago(days(1)).toISOString()}::timestamptz`
      const due = or(lte(batches.checkedAt, ago(hours(6))), and(young, lte(batches.checkedAt, ago(minutes(15)))))
      return reader
        .select()
        .from(batches)
        .where(and(eq(batches.programId, programId), isNull(batches.settledAt), isNotNull(batches.batchId), due))
        .orderBy(asc(batches.checkedAt))
        .limit(limit)
    },
    unclear: (reader, programId) =>
      reader
        .select()
        .from(batches)
        .where(and(eq(batches.programId, programId), isNull(batches.batchId), forgotten()))
        .orderBy(asc(batches.firstTriedAt))
        .limit(25),
    noteChecked: async (payoutId) => {
      await db.update(batches).set({ checkedAt: clock.now() }).where(eq(batches.payoutId, payoutId))
    },
    noteRefused: async (payoutId) => {
      await db.delete(batches).where(and(eq(batches.payoutId, payoutId), isNull(batches.batchId)))
    },
    noteAbsent: async (tx, programId, payoutId) => {
      const [noted] = await tx
        .delete(batches)
        .where(and(eq(batches.programId, programId), eq(batches.payoutId, payoutId), isNull(batches.batchId), forgotten()))
        .returning()
      if (!noted) throw notUnclear()
      return noted
    },
  }
}

/** Nobody knows whether PayPal has it: neither sending nor giving it up is safe. */
export function unclear(senderBatchId: string): Error {
  return new Error(
    `It was tried without an answer, and now PayPal cannot be asked for it. Look for ${senderBatchId} in PayPal’s activity, then run /admin paypal found.`,
  )
}

export function notUnclear(): UserError {
  return new UserError('not_unclear', 'Nothing is unclear about that payout. Choose one from the list that appears while you type.')
}
