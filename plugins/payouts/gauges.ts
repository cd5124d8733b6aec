// What operators watch of payouts: how many are in each state that is not the end of it.
import { and, count, eq, inArray, lt } from 'drizzle-orm'
import { type Clock, type Db, type Gauge, hours } from '../kit/index.ts'
import { payouts } from './tables.ts'

const underway = ['awaiting_approval', 'queued', 'sent'] as const

export function payoutGauges(db: Db, clock: Clock): Gauge[] {
  return [
    {
      name: 'siso_payouts_underway',
      help: 'Payouts that are not settled, by state.',
      labels: ['state'],
      read: async () => {
        const rows = await db
          .select({ state: payouts.state, n: count() })
          .from(payouts)
          .where(inArray(payouts.state, [...underway]))
          .groupBy(payouts.state)
        return underway.map((state) => ({ labels: { state }, value: rows.find((row) => row.state === state)?.n ?? 0 }))
      },
    },
    {
      name: 'siso_payouts_late',
      help: 'Payouts that have waited to be sent for more than six hours: the provider refuses, or has no funds. See /admin payouts list.',
      read: async () => {
        const before = new Date(clock.now().getTime() - hours(6))
        const late = and(eq(payouts.state, 'queued'), lt(payouts.preparedAt, before))
        return [{ value: await db.$count(payouts, late) }]
      },
    },
  ]
}
