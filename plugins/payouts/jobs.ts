// Payouts in the background: sending one, asking again for those that wait, and forgetting old news.
import { z } from 'zod'
import { days, defineJob, handle, hours, type JobHandler, minutes, type Schedule, schedule } from '../kit/index.ts'
import type { PayoutService } from './model.ts'
import type { Sender } from './send.ts'

export const sendPayout = defineJob({
  name: 'payouts.send',
  payload: z.object({ programId: z.uuid(), payoutId: z.uuid() }),
  attempts: 8,
  backoffMs: 1_000,
})

/** A payout did not get through: is the account still there? */
export const checkAccount = defineJob({
  name: 'payouts.check_account',
  payload: z.object({ programId: z.uuid(), provider: z.string(), account: z.string() }),
})

export const payoutJobs = (sender: Sender): JobHandler[] => [
  handle(sendPayout, ({ payoutId }) => sender.send(payoutId)),
  handle(checkAccount, ({ provider, account }) => sender.checkAccount(provider, account)),
]

export const payoutSchedules = (
  service: PayoutService,
  scheduler: { runDue(): Promise<void> },
  providers: () => readonly { readonly id: string }[],
): Schedule[] => [
  schedule('payouts.monthly', { ms: minutes(10) }, () => scheduler.runDue()),
  schedule('payouts.retry', { ms: minutes(1) }, async () => void (await service.retryDue())),
  schedule('payouts.check_accounts', { ms: hours(1) }, () => service.checkAgain(providers().map(({ id }) => id))),
  schedule('payouts.forget_news', { ms: days(1) }, () => service.forgetEarlyNews()),
]
