// What becomes of payouts at PayPal: told by webhooks, asked for when nothing is heard, and handed on to the books. Knows PayPal's API only as a port.
import { and, eq } from 'drizzle-orm'
import { z } from 'zod'
import {
  type Clock,
  type Db,
  defineJob,
  type Enqueue,
  type Programs,
  type Reader,
  type Tx,
  UserError,
  type WebhookInbox,
} from '../kit/index.ts'
import type { Notifications } from '../notifications/public.ts'
import type { Payouts } from '../payouts/public.ts'
import { type Batch, type Batches, notUnclear, senderBatchIdOf } from './batches.ts'
import { type PayPalApi, PayPalRefusal } from './client.ts'
import { type KeptEvent, keptEvent, type ReadEvent } from './incoming.ts'
import { unclaimedMessage } from './messages.ts'
import type { Receivers } from './receivers.ts'
import { detailOf, isNewer, type News, outcomeOf } from './states.ts'
import { batches as table } from './tables.ts'

export interface PayPalService {
  /** Keeps a verified event and asks for its handling. A duplicate is only counted; what is not about our payouts is not kept. */
  receive(event: ReadEvent): Promise<void>
  /** Handles a kept event once. What cannot be handled is parked with a reason. */
  handleAlone(eventId: string): Promise<void>
  /** Asks PayPal about payouts on their way that were not heard of for a while: a webhook may be lost, or not set up. */
  reconcile(): Promise<void>
  /** Asks for the handling of kept events once more. */
  handleAgain(tx: Tx, programId: string, eventIds: readonly string[]): Promise<void>
  /**
   * Whether the admins see events of no payout of ours: those of every program that pays through PayPal, since nobody knows whose they are and any may settle
   * them; of all programs while none does. Such an event names a batch that no program here sent, and nobody's money.
   */
  seesUnassigned(reader: Reader, programId: string): Promise<boolean>
  /** An admin found the batch of an unclear payout at PayPal. @throws UserError when the batch is another one's */
  found(programId: string, payoutId: string, batchId: string): Promise<void>
}

export const source = 'paypal'
export const handleEventJob = defineJob({ name: 'paypal.handle_event', payload: z.object({ eventId: z.string() }) })

const askedAtOnce = 100

export function createPayPalService(ports: {
  db: Db
  clock: Clock
  enqueue: Enqueue
  webhooks: WebhookInbox
  programs: Programs
  payouts: Payouts
  notifications: Notifications
  batches: Batches
  receivers: Receivers
  api: PayPalApi
}): PayPalService {
  const { db, clock, enqueue, webhooks, programs, payouts, notifications, batches, receivers, api } = ports

  const handleAlone: PayPalService['handleAlone'] = (eventId) =>
    db.transaction(async (tx) => {
      const stored = await webhooks.open(tx, source, eventId)
      if (!stored) return
      const news: KeptEvent = keptEvent.parse(stored.body)
      const batch = await batches.lock(tx, news)
      if (!batch) {
        const reason = `No payout of this program was sent in PayPal’s batch ${news.batchId} (${news.senderBatchId ?? 'without an id of ours'}).`
        return webhooks.park(tx, source, eventId, reason)
      }
      await learn(tx, batch, news.batchId, news)
      await webhooks.markHandled(tx, source, eventId, batch.programId)
    })

  /** Takes the news in, unless it falls behind what is known, and tells the books what became of the payout. */
  async function learn(tx: Tx, batch: Batch, batchId: string, news: News): Promise<void> {
    const known: News = { batchStatus: null, itemStatus: batch.itemStatus, error: null }
    const now = clock.now()
    const own = and(eq(table.programId, batch.programId), eq(table.payoutId, batch.payoutId))
    if (!isNewer(news, known)) {
      await tx.update(table).set({ batchId, checkedAt: now }).where(own)
      return
    }
    const outcome = outcomeOf(news)
    const settledAt = outcome === 'in_flight' ? null : (batch.settledAt ?? now)
    const itemStatus = news.itemStatus ?? (outcome === 'returned' ? news.batchStatus : batch.itemStatus)
    await tx.update(table).set({ batchId, checkedAt: now, settledAt, itemStatus }).where(own)
    if (outcome !== 'in_flight')
      await payouts.confirm(tx, source, batchId, outcome, detailOf(news), news.at == null ? undefined : new Date(news.at))
    if (itemStatus === 'UNCLAIMED' && batch.itemStatus !== 'UNCLAIMED') await tellUnclaimed(tx, batch)
  }

  async function tellUnclaimed(tx: Tx, { programId, payoutId, receiverId }: Batch): Promise<void> {
    const receiver = await receivers.find(tx, programId, receiverId)
    if (!receiver?.email) return
    const message = unclaimedMessage(receiver.email)
    await notifications.tell(tx, { programId, key: `paypal.unclaimed:${payoutId}`, userId: receiver.userId, message })
  }

  async function askAbout({ programId, payoutId, batchId }: Batch): Promise<void> {
    const news = await api.batch(batchId!).catch((error: unknown) => {
      if (error instanceof PayPalRefusal && error.status === 404) return undefined
      throw error
    })
    // A batch that PayPal does not show must not keep us from asking about the others.
    if (!news) return batches.noteChecked(payoutId)
    await db.transaction(async (tx) => {
      const batch = await batches.lock(tx, { senderBatchId: senderBatchIdOf(payoutId), batchId: news.batchId })
      if (batch?.programId === programId) await learn(tx, batch, news.batchId, news)
    })
  }

  return {
    handleAlone,
    receive: async ({ id, type, kept }) => {
      if (!kept) return
      await db.transaction(async (tx) => {
        if (await webhooks.store(tx, { source, eventId: id, type, body: kept })) await enqueue(tx, handleEventJob, { eventId: id })
      })
    },
    reconcile: async () => {
      for (const { id } of await programs.all(db))
        for (const batch of await batches.unheard(db, id, askedAtOnce))
          await askAbout(batch).catch(async (error: unknown) => {
            // The next round begins with the others.
            await batches.noteChecked(batch.payoutId)
            throw error
          })
    },
    seesUnassigned: async (reader, programId) => {
      const paying = await receivers.programs(reader)
      return paying.length === 0 || paying.includes(programId)
    },
    handleAgain: async (tx, programId, eventIds) => {
      await enqueue.many(
        tx,
        handleEventJob,
        eventIds.map((eventId) => ({ payload: { eventId }, programId, dedupeKey: eventId })),
      )
    },
    found: async (programId, payoutId, typed) => {
      const batch = await batches.of(db, payoutId)
      if (batch?.programId !== programId || batch.batchId !== null) throw notUnclear()
      const { batchId, senderBatchId } = await api.batch(typed.trim())
      if (senderBatchId !== senderBatchIdOf(payoutId))
        throw new UserError(
          'another_batch',
          `PayPal’s batch ${batchId} is not the one of this payout: that one carries the id ${senderBatchIdOf(payoutId)}.`,
        )
      await batches.noteBatch(payoutId, batchId)
    },
  }
}
