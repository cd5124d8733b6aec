// When commissions are judged: once each, in the background, after they have accrued. And addresses, when partners verify them.
import { z } from 'zod'
import { saleReassigned } from '../attribution/events.ts'
import { commissionAccrued, commissionReleased } from '../commissions/events.ts'
import {
  amountField,
  type Clock,
  type Db,
  days,
  defineJob,
  type Enqueue,
  handleWithin,
  type JobHandler,
  type Listener,
  on,
  onAll,
  type Schedule,
  schedule,
} from '../kit/index.ts'
import { emailVerified } from '../partners/events.ts'
import type { FraudService } from './service.ts'
import { forgetSightings } from './sightings.ts'

export const evaluateCommission = defineJob({
  name: 'fraud.evaluate_commission',
  payload: z.object({
    programId: z.uuid(),
    commissionId: z.uuid(),
    saleId: z.uuid(),
    partnerId: z.uuid(),
    amount: amountField,
    currency: z.string(),
  }),
})

export function createReactions({
  db,
  clock,
  enqueue,
  service,
}: {
  db: Db
  clock: Clock
  enqueue: Enqueue
  service: FraudService
}): {
  listeners: Listener[]
  jobs: JobHandler[]
  schedules: Schedule[]
} {
  return {
    schedules: [
      schedule('fraud.forget_sightings', { ms: days(1) }, () => db.transaction((tx) => forgetSightings(tx, clock.now()))),
    ],
    listeners: [
      onAll(commissionAccrued, 'fraud.commission_accrued', (tx, told) =>
        enqueue.many(
          tx,
          evaluateCommission,
          told.map(({ payload: { programId, commissionId, saleId, partnerId, amount, currency } }) => ({
            payload: { programId, commissionId, saleId, partnerId, amount, currency },
            programId,
            dedupeKey: commissionId,
          })),
        ),
      ),
      on(commissionReleased, 'fraud.commission_released', (tx, { programId, saleId, partnerId, actor, note }) =>
        service.releasedByHand(tx, programId, { saleId, partnerId }, { id: actor, reason: note }),
      ),
      on(saleReassigned, 'fraud.sale_reassigned', async (tx, { programId, saleId, to }) => {
        if (to !== null) await service.cameBack(tx, programId, { saleId, partnerId: to })
      }),
      on(emailVerified, 'fraud.email_verified', (tx, { programId, partnerId, userId, email }) =>
        service.noteAddress(tx, { programId, id: partnerId, userId, email }),
      ),
    ],
    jobs: [handleWithin(evaluateCommission, service.evaluateAll)],
  }
}
