// Calendar months as a program sees them: in its own time zone, half-open, so that every instant belongs to exactly one month.
import { dayOf, startOfDay } from './days.ts'

/** A month as text, `2026-11`. Months sort by time. */
export type Month = string

export interface MonthRange {
  /** The first instant of the month. */
  readonly from: Date
  /** The first instant after it. */
  readonly to: Date
}

/** The month that `at` belongs to. @throws RangeError for a time zone that is not an IANA name */
export function monthOf(at: Date, timeZone: string): Month {
  return dayOf(at, timeZone).slice(0, 7)
}

/** From the month's first instant to the next month's, both in UTC, whatever the zone's offset did in between. */
export function rangeOf(month: Month, timeZone: string): MonthRange {
  return { from: startOfDay(`${month}-01`, timeZone), to: startOfDay(`${nextMonth(month)}-01`, timeZone) }
}

export function nextMonth(month: Month): Month {
  return shifted(month, 1)
}

export function previousMonth(month: Month): Month {
  return shifted(month, -1)
}

/** As a person reads it: “November 2026”. */
export function monthName(month: Month): string {
  return new Intl.DateTimeFormat('en-US', { timeZone: 'UTC', year: 'numeric', month: 'long' }).format(utcStart(month))
}

function shifted(month: Month, by: number): Month {
  const { year, index } = read(month)
  return new Date(Date.UTC(year, index + by, 1)).toISOString().slice(0, 7)
}

function read(month: Month): { year: number; index: number } {
  const [year, number] = month.split('-').map(Number)
  return { year: year!, index: number! - 1 }
}

function utcStart(month: Month): number {
  const { year, index } = read(month)
  return Date.UTC(year, index, 1)
}
