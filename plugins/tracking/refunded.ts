// How much of a payment is refunded, from all that was reported. Pure.
import { sum } from '../kit/index.ts'

export interface ReportedRefund {
  readonly id: string
  /** Null for a total so far. */
  readonly refundId: string | null
  /** Minor units. */
  readonly amount: bigint
  readonly reversed: boolean
  readonly refundedAt: Date
}

/** The reports that count: the single refunds that were not taken back, or the newest total. The same in whatever order the reports came. */
export function counting<R extends ReportedRefund>(reports: readonly R[]): readonly R[] {
  const totals = reports.filter((report) => report.refundId === null)
  if (totals.length > 0) return [totals.reduce((newest, report) => (isLater(report, newest) ? report : newest))]
  return reports.filter(({ reversed }) => !reversed)
}

export const refundedTotal = (reports: readonly ReportedRefund[]): bigint => sum(counting(reports).map(({ amount }) => amount))

function isLater(a: ReportedRefund, b: ReportedRefund): boolean {
  return a.refundedAt.getTime() > b.refundedAt.getTime() || (a.refundedAt.getTime() === b.refundedAt.getTime() && a.id > b.id)
}
