// When a board has to be drawn again: one job a board, asked for by every fact that may change it, and every hour in case something was missed. Sales come in
// numbers, so their board is drawn a moment later, for all that came meanwhile.
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
  monthOf,
  on,
  onAll,
  type Programs,
  type Schedule,
  schedule,
  seconds,
  settingsChanged,
  type Told,
  type Tx,
} from '../kit/index.ts'
import { partnerActivated, partnerLeft, partnerReinstated, partnerReturned, partnerSuspended } from '../partners/events.ts'
import type { LeaderboardService } from './service.ts'

export const drawBoard = defineJob({
  name: 'leaderboards.draw_board',
  payload: z.object({ programId: z.uuid(), month: z.string() }),
})

/** How long after a sale its board is drawn; so it is never drawn more often than this for sales. */
export const pauseAfterSale = seconds(3)

interface Ports {
  db: Db
  clock: Clock
  enqueue: Enqueue
  programs: Programs
  attribution: Pick<Attribution, 'salesById'>
  service: LeaderboardService
}

export function createReactions({ db, clock, enqueue, programs, attribution, service }: Ports): {
  listeners: Listener[]
  jobs: JobHandler[]
  schedules: Schedule[]
  redraw(tx: Tx, programId: string): Promise<void>
} {
  const ask = (tx: Tx, programId: string, months: Iterable<Month>, at?: Date) =>
    enqueue.many(
      tx,
      drawBoard,
      [...months].map((month) => ({
        payload: { programId, month },
        programId,
        dedupeKey: `${programId} ${month}`,
        ...(at && { at }),
      })),
    )
  const redraw = async (tx: Tx, programId: string) => ask(tx, programId, [await service.monthAt(tx, programId, clock.now())])
  /** The boards of the months in which the sales were paid, whenever the news of it comes. */
  const afterSales = async (tx: Tx, programId: string, paid: readonly { paidAt: Date }[]) => {
    if (paid.length === 0) return
    const { timeZone } = await programs.byId(tx, programId)
    const months = new Set(paid.map(({ paidAt }) => monthOf(paidAt, timeZone)))
    await ask(tx, programId, months, new Date(clock.now().getTime() + pauseAfterSale))
  }
  const ofNewSales = async (tx: Tx, told: readonly Told<{ programId: string; partnerId: string | null; paidAt: Date }>[]) => {
    const credited = told.map(({ payload }) => payload).filter(({ partnerId }) => partnerId !== null)
    for (const [programId, paid] of Map.groupBy(credited, (sale) => sale.programId)) await afterSales(tx, programId, paid)
  }
  const ofKnownSales = async (tx: Tx, told: readonly Told<{ programId: string; saleId: string }>[]) => {
    for (const [programId, own] of Map.groupBy(told, ({ payload }) => payload.programId)) {
      const saleIds = own.map(({ payload }) => payload.saleId)
      await afterSales(tx, programId, await attribution.salesById(tx, programId, saleIds))
    }
  }
  const ofPartner = (tx: Tx, { programId }: { programId: string }) => redraw(tx, programId)

  return {
    redraw,
    listeners: [
      onAll(saleRecorded, 'leaderboards.sale_recorded', ofNewSales),
      onAll(saleAttributed, 'leaderboards.sale_attributed', ofNewSales),
      onAll(saleReassigned, 'leaderboards.sale_reassigned', ofKnownSales),
      onAll(saleRefunded, 'leaderboards.sale_refunded', ofKnownSales),
      onAll(saleDisputed, 'leaderboards.sale_disputed', ofKnownSales),
      on(partnerActivated, 'leaderboards.partner_activated', ofPartner),
      on(partnerLeft, 'leaderboards.partner_left', ofPartner),
      on(partnerReturned, 'leaderboards.partner_returned', ofPartner),
      on(partnerSuspended, 'leaderboards.partner_suspended', ofPartner),
      on(partnerReinstated, 'leaderboards.partner_reinstated', ofPartner),
      on(settingsChanged, 'leaderboards.settings_changed', async (tx, { programId, plugin }) => {
        if (plugin === 'leaderboards') await redraw(tx, programId)
      }),
    ],
    jobs: [handle(drawBoard, ({ programId, month }) => service.bringUpToDate(programId, month))],
    schedules: [
      schedule('leaderboards.draw_open_boards', { ms: hours(1) }, async () => {
        for (const program of await programs.all(db))
          for (const month of await service.openMonths(program)) await db.transaction((tx) => ask(tx, program.id, [month]))
      }),
    ],
  }
}
