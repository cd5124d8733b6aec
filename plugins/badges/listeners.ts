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
  onAll,
  type Programs,
  type Schedule,
  schedule,
  type Told,
  type Tx,
} from '../kit/index.ts'
import type { BadgeService } from './service.ts'

export const reviewProgram = defineJob({ name: 'badges.review_program', payload: z.object({ programId: z.uuid() }) })

interface Ports {
  db: Db
  clock: Clock
  enqueue: Enqueue
  programs: Programs
  attribution: Pick<Attribution, 'salesById'>
  service: BadgeService
}

export function createReactions({ db, clock, enqueue, programs, attribution, service }: Ports): {
  listeners: Listener[]
  jobs: JobHandler[]
  schedules: Schedule[]
} {
  /** A refund that is taken back may earn a badge as well, so every change of a sale is a reason to look. */
  const ofSales = async (tx: Tx, told: readonly Told<{ programId: string; saleId: string }>[]) => {
    for (const [programId, own] of Map.groupBy(told, ({ payload }) => payload.programId)) {
      const saleIds = own.map(({ payload }) => payload.saleId)
      const sales = (await attribution.salesById(tx, programId, saleIds)).filter(({ partnerId }) => partnerId !== null)
      const at = Map.groupBy(sales, ({ partnerId }) => partnerId!)
      await service.reviewAll(
        tx,
        programId,
        new Map([...at].map(([id, mine]) => [id, [...mine.map(({ paidAt }) => paidAt), clock.now()]])),
      )
    }
  }
  return {
    listeners: [
      onAll(saleRecorded, 'badges.sale_recorded', ofSales),
      onAll(saleAttributed, 'badges.sale_attributed', ofSales),
      onAll(saleReassigned, 'badges.sale_reassigned', ofSales),
      onAll(saleRefunded, 'badges.sale_refunded', ofSales),
    ],
    jobs: [handle(reviewProgram, ({ programId }) => service.reviewProgram(programId))],
    schedules: [
      schedule('badges.review_all', { ms: days(1) }, async () => {
        for (const { id } of await programs.all(db))
          await db.transaction((tx) => enqueue(tx, reviewProgram, { programId: id }, { programId: id, dedupeKey: id }))
      }),
    ],
  }
}
