// When badges are looked at: after each sale of the partner, and every day for what no sale announced.
import { z } from 'zod'
import { saleAttributed, saleReassigned, saleRecorded, saleRefunded } from '../attribution/events.ts'
import type { Attribution } from '../attribution/public.ts'
import {
  type Clock,
  type Db,
  days,
  defineJob,
  type Enqueue,
  handle,
  type JobHandler,
  type Listener,
  on,
  type Programs,
  type Schedule,
  schedule,
  type Tx,
} from '../kit/index.ts'
import type { BadgeService } from './service.ts'

export const reviewProgram = defineJob({ name: 'badges.review_program', payload: z.object({ programId: z.uuid() }) })

interface Ports {
  db: Db
  clock: Clock
  enqueue: Enqueue
  programs: Programs
  attribution: Pick<Attribution, 'sale'>
  service: BadgeService
}

export function createReactions({ db, clock, enqueue, programs, attribution, service }: Ports): {
  listeners: Listener[]
  jobs: JobHandler[]
  schedules: Schedule[]
} {
  /** A refund that is taken back may earn a badge as well, so every change of a sale is a reason to look. */
  const ofSale = async (tx: Tx, { programId, saleId }: { programId: string; saleId: string }) => {
    const sale = await attribution.sale(tx, programId, saleId)
    if (sale?.partnerId) await service.review(tx, programId, sale.partnerId, [sale.paidAt, clock.now()])
  }
  return {
    listeners: [
      on(saleRecorded, 'badges.sale_recorded', ofSale),
      on(saleAttributed, 'badges.sale_attributed', ofSale),
      on(saleReassigned, 'badges.sale_reassigned', ofSale),
      on(saleRefunded, 'badges.sale_refunded', ofSale),
    ],
    jobs: [handle(reviewProgram, ({ programId }) => service.reviewAll(programId))],
    schedules: [
      schedule('badges.review_all', { ms: days(1) }, async () => {
        for (const { id } of await programs.all(db))
          await db.transaction((tx) => enqueue(tx, reviewProgram, { programId: id }, { programId: id, dedupeKey: id }))
      }),
    ],
  }
}
