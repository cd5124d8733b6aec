// Reads PayPal's webhooks: what is kept of one is the little that is needed, and no address. Pure.
import { z } from 'zod'
import { payoutOf } from './batches.ts'

export const keptEvent = z.object({
  batchId: z.string(),
  senderBatchId: z.string().nullable(),
  batchStatus: z.string().nullable(),
  itemStatus: z.string().nullable(),
  error: z.string().nullable(),
  at: z.iso.datetime({ offset: true }).nullish(),
})
export type KeptEvent = z.output<typeof keptEvent>

export interface ReadEvent {
  readonly id: string
  readonly type: string
  /** Undefined for what is not about a payout of ours. */
  readonly kept: KeptEvent | undefined
}

const envelope = z.object({
  id: z.string().min(1).max(200),
  event_type: z.string().max(200),
  create_time: z.iso.datetime({ offset: true }).nullish().catch(null),
  resource: z.unknown(),
})
const header = z.object({
  payout_batch_id: z.string().min(1).max(100),
  batch_status: z.string(),
  sender_batch_header: z.object({ sender_batch_id: z.string() }).partial().optional(),
})
const batchResource = z.object({ batch_header: header })
const itemResource = z.object({
  payout_batch_id: z.string().min(1).max(100),
  sender_batch_id: z.string().optional(),
  transaction_status: z.string(),
  errors: z.object({ message: z.string() }).partial().optional(),
})

/** @throws ZodError when it is no event of PayPal, or one about payouts that is not as documented */
export function readEvent(body: unknown): ReadEvent {
  const { id, event_type: type, create_time: at, resource } = envelope.parse(body)
  const news = type.startsWith('PAYMENT.PAYOUTSBATCH.')
    ? ofBatch(batchResource.parse(resource))
    : type.startsWith('PAYMENT.PAYOUTS-ITEM.')
      ? ofItem(itemResource.parse(resource))
      : undefined
  // Payouts that somebody sent from the same account by other means are their own affair.
  const foreign = news?.senderBatchId != null && payoutOf(news.senderBatchId) === undefined
  return { id, type, kept: news && !foreign ? { ...news, at } : undefined }
}

function ofBatch({ batch_header }: z.output<typeof batchResource>): Omit<KeptEvent, 'at'> {
  return {
    batchId: batch_header.payout_batch_id,
    senderBatchId: batch_header.sender_batch_header?.sender_batch_id ?? null,
    batchStatus: batch_header.batch_status,
    itemStatus: null,
    error: null,
  }
}

function ofItem(item: z.output<typeof itemResource>): Omit<KeptEvent, 'at'> {
  return {
    batchId: item.payout_batch_id,
    senderBatchId: item.sender_batch_id ?? null,
    batchStatus: null,
    itemStatus: item.transaction_status,
    error: item.errors?.message ?? null,
  }
}
