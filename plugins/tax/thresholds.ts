// From which total of a year on payments must be reported, by jurisdiction and date of payment. A table with dates, never one number.
import { rangeOf } from '../kit/index.ts'

export interface Threshold {
  readonly jurisdiction: string
  /** The return on which payments are reported. */
  readonly report: string
  readonly currency: string
  /** In minor units, for payments of one calendar year; reached means reportable. */
  readonly amount: bigint
  /** First and last year of payment that it is for; without a last one until the table says otherwise. */
  readonly fromYear: number
  readonly toYear?: number
}

/** US: 26 U.S.C. § 6041(a), $600; from payments made in 2026 $2,000 by Public Law 119-21 § 70433 (indexed for inflation later: a new row then). */
const thresholds: readonly Threshold[] = [
  { jurisdiction: 'US', report: '1099-NEC', currency: 'USD', amount: 60_000n, fromYear: 1954, toYear: 2025 },
  { jurisdiction: 'US', report: '1099-NEC', currency: 'USD', amount: 200_000n, fromYear: 2026 },
]

/** The threshold for payments of that year, if the jurisdiction has one here. */
export function thresholdOf(jurisdiction: string, year: number): Threshold | undefined {
  return thresholds.find(
    (row) => row.jurisdiction === jurisdiction && row.fromYear <= year && year <= (row.toYear ?? Number.POSITIVE_INFINITY),
  )
}

/** A calendar year in the program's time zone, half-open. */
export function rangeOfYear(year: number, timeZone: string): { from: Date; to: Date } {
  return { from: rangeOf(`${year}-01`, timeZone).from, to: rangeOf(`${year}-12`, timeZone).to }
}
