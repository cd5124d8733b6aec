// Payouts in the background: sending one, asking again for those that wait, forgetting old news, and what they listen to.
import { z } from 'zod'
import {
  days,
  defineJob,
  handle,
  hours,
  type JobHandler,
  type Listener,
  minutes,
  on,
  type Schedule,
  schedule,
} from '../kit/index.ts'
import { partnerSuspended } from '../partners/events.ts'
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

export const payoutWork = (parts: {
  readonly service: PayoutService
  readonly sender: Sender
  readonly scheduler: { runDue(): Promise<void> }
  readonly providers: () => readonly { readonly id: string }[]
}): { jobs: JobHandler[]; schedules: Schedule[]; listeners: Listener[] } => {
  const { service, sender, scheduler, providers } = parts
  return {
    jobs: [
      handle(sendPayout, ({ payoutId }) => sender.send(payoutId)),
      handle(checkAccount, ({ provider, account }) => sender.checkAccount(provider, account)),
    ],
    schedules: [
      schedule('payouts.monthly', { ms: minutes(10) }, () => scheduler.runDue()),
      schedule('payouts.retry', { ms: minutes(1) }, async () => void (await service.retryDue())),
      schedule('payouts.check_accounts', { ms: hours(1) }, () => service.checkAgain(providers().map(({ id }) => id))),
      schedule('payouts.forget_news', { ms: days(1) }, () => service.forgetEarlyNews()),
    ],
    listeners: [
      on(partnerSuspended, 'payouts.look_again', (tx, { programId, partnerId }) => service.lookAgain(tx, programId, partnerId)),
    ],
  }
}
