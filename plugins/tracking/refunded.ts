// How much of a payment is refunded, from all that was reported. Pure.

export interface ReportedRefund {
  readonly id: string
  /** Null for a total so far. */
  readonly refundId: string | null
  /** Minor units. */
  readonly amount: bigint
  readonly reversed: boolean
  readonly refundedAt: Date
}

/** The sum of single refunds that were not taken back, or the newest total: the same in whatever order the reports came. */
export function refundedTotal(reports: readonly ReportedRefund[]): bigint {
  const totals = reports.filter((report) => report.refundId === null)
  if (totals.length > 0) return totals.reduce((newest, report) => (isLater(report, newest) ? report : newest)).amount
  return reports.reduce((sum, { amount, reversed }) => (reversed ? sum : sum + amount), 0n)
}

function isLater(a: ReportedRefund, b: ReportedRefund): boolean {
  return a.refundedAt.getTime() > b.refundedAt.getTime() || (a.refundedAt.getTime() === b.refundedAt.getTime() && a.id > b.id)
}
