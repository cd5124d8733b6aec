// Payouts in the background: sending one, asking again for those that wait, and forgetting old news.
import { z } from 'zod'
import { days, defineJob, handle, type JobHandler, minutes, type Schedule, schedule } from '../kit/index.ts'
import type { PayoutService } from './model.ts'
import type { Sender } from './send.ts'

export const sendPayout = defineJob({
  name: 'payouts.send',
  payload: z.object({ programId: z.uuid(), payoutId: z.uuid() }),
  attempts: 8,
  backoffMs: 1_000,
})

export const payoutJobs = (sender: Sender): JobHandler[] => [handle(sendPayout, ({ payoutId }) => sender.send(payoutId))]

export const payoutSchedules = (service: PayoutService): Schedule[] => [
  schedule('payouts.retry', { ms: minutes(1) }, async () => void (await service.retryDue())),
  schedule('payouts.forget_news', { ms: days(1) }, () => service.forgetEarlyNews()),
]
