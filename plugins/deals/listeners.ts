// What deals react to: sales that may be a deal's money.
import { saleAttributed, saleRecorded } from '../attribution/events.ts'
import { type Listener, on, onAll } from '../kit/index.ts'
import type { DealPayments } from './payments.ts'

export const dealListeners = (payments: DealPayments): Listener[] => [
  onAll(saleRecorded, 'deals.sale_recorded', async (tx, told) => {
    for (const [programId, own] of Map.groupBy(told, ({ payload }) => payload.programId))
      await payments.noticedAll(
        tx,
        programId,
        own.map(({ payload }) => payload),
      )
  }),
  on(saleAttributed, 'deals.sale_attributed', (tx, { programId, saleId }) => payments.noticed(tx, programId, saleId)),
]
