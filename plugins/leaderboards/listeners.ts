// When a board has to be drawn again: one job a board, asked for by every fact that may change it, and every hour in case something was missed.
import { z } from 'zod'
import { saleAttributed, saleDisputed, saleReassigned, saleRecorded, saleRefunded } from '../attribution/events.ts'
import type { Attribution } from '../attribution/public.ts'
import {
  type Clock,
  type Db,
  defineJob,
  type Enqueue,
  handle,
  hours,
  type JobHandler,
  type Listener,
  type Month,
  on,
  type Programs,
  type Schedule,
  schedule,
  settingsChanged,
  type Tx,
} from '../kit/index.ts'
import { partnerActivated, partnerLeft, partnerReturned } from '../partners/events.ts'
import type { LeaderboardService } from './service.ts'

export const drawBoard = defineJob({
  name: 'leaderboards.draw_board',
  payload: z.object({ programId: z.uuid(), month: z.string() }),
})

interface Ports {
  db: Db
  clock: Clock
  enqueue: Enqueue
  programs: Programs
  attribution: Pick<Attribution, 'sale'>
  service: LeaderboardService
}

export function createReactions({ db, clock, enqueue, programs, attribution, service }: Ports): {
  listeners: Listener[]
  jobs: JobHandler[]
  schedules: Schedule[]
  redraw(tx: Tx, programId: string): Promise<void>
} {
  const ask = (tx: Tx, programId: string, month: Month) =>
    enqueue(tx, drawBoard, { programId, month }, { programId, dedupeKey: `${programId} ${month}` })
  const redraw = async (tx: Tx, programId: string) => ask(tx, programId, await service.monthAt(tx, programId, clock.now()))
  /** The board of the month in which the sale was paid, whenever the news of it comes. */
  const ofSale = async (tx: Tx, { programId, saleId }: { programId: string; saleId: string }) => {
    const sale = await attribution.sale(tx, programId, saleId)
    if (sale?.partnerId) await ask(tx, programId, await service.monthAt(tx, programId, sale.paidAt))
  }
  const ofPartner = (tx: Tx, { programId }: { programId: string }) => redraw(tx, programId)

  return {
    redraw,
    listeners: [
      on(saleRecorded, 'leaderboards.sale_recorded', ofSale),
      on(saleAttributed, 'leaderboards.sale_attributed', ofSale),
      on(saleReassigned, 'leaderboards.sale_reassigned', ofSale),
      on(saleRefunded, 'leaderboards.sale_refunded', ofSale),
      on(saleDisputed, 'leaderboards.sale_disputed', ofSale),
      on(partnerActivated, 'leaderboards.partner_activated', ofPartner),
      on(partnerLeft, 'leaderboards.partner_left', ofPartner),
      on(partnerReturned, 'leaderboards.partner_returned', ofPartner),
      on(settingsChanged, 'leaderboards.settings_changed', async (tx, { programId, plugin }) => {
        if (plugin === 'leaderboards') await redraw(tx, programId)
      }),
    ],
    jobs: [handle(drawBoard, ({ programId, month }) => service.bringUpToDate(programId, month))],
    schedules: [
      schedule('leaderboards.draw_open_boards', { ms: hours(1) }, async () => {
        for (const program of await programs.all(db))
          for (const month of await service.openMonths(program)) await db.transaction((tx) => ask(tx, program.id, month))
      }),
    ],
  }
}
