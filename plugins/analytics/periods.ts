// Periods that people ask for, and the one before each to compare with: half-open, made of whole days in the program's time zone. Pure.
import { addDays, type Day, daysBetween, isDay, monthName, startOfDay, UserError } from '../kit/index.ts'

/** [from, to): `to` is the first day that no longer belongs to it. */
export interface Period {
  readonly from: Day
  readonly to: Day
}

export const ranges = {
  today: 'Today',
  '7d': 'Last 7 days',
  '30d': 'Last 30 days',
  '90d': 'Last 90 days',
  'this-month': 'This month',
  'last-month': 'Last month',
  quarter: 'This quarter',
  year: 'This year',
} as const
export type RangeName = keyof typeof ranges

/** Longer than the two years for which clicks are kept, and still quick. */
const mostDays = 1100

/** The period of that name that ends with today. Periods that still run end with today, so that nothing is compared with days to come. */
export function periodOf(range: RangeName, today: Day): Period {
  const to = addDays(today, 1)
  const monthStart = `${today.slice(0, 8)}01`
  switch (range) {
    case 'today':
      return { from: today, to }
    case '7d':
    case '30d':
    case '90d':
      return { from: addDays(to, -Number.parseInt(range, 10)), to }
    case 'this-month':
      return { from: monthStart, to }
    case 'last-month':
      return { from: `${addDays(monthStart, -1).slice(0, 8)}01`, to: monthStart }
    case 'quarter':
      return {
        from: `${today.slice(0, 5)}${String(Math.floor((Number(today.slice(5, 7)) - 1) / 3) * 3 + 1).padStart(2, '0')}-01`,
        to,
      }
    case 'year':
      return { from: `${today.slice(0, 5)}01-01`, to }
  }
}

/** The period from the first to the last day, both included. @throws UserError for what is no day, the wrong way round, too long, or has not begun */
export function customPeriod(first: string | undefined, last: string | undefined, today: Day): Period {
  const from = first === undefined ? undefined : typedDay(first)
  const until = last === undefined ? today : typedDay(last)
  if (from === undefined) throw new UserError('from_missing', 'Say with which day to begin, too: `from:2026-01-01`.')
  if (from > today) throw new UserError('bad_period', `${from} is still to come. The last day there is anything about is ${today}.`)
  if (from > until) throw new UserError('bad_period', `${from} comes after ${until}. Swap the two days.`)
  const to = addDays(until, 1)
  if (daysBetween(from, to) > mostDays)
    throw new UserError('bad_period', `That is more than three years. Ask for at most ${mostDays} days.`)
  return { from, to }
}

function typedDay(text: string): Day {
  const day = text.trim()
  if (!isDay(day)) throw new UserError('bad_date', `“${text}” is not a day. Write it as 2026-12-31.`)
  return day
}

/** What a period is compared with: as long as it and right before it. Before whole months come as many whole months. */
export function periodBefore({ from, to }: Period): Period {
  if (from.endsWith('-01') && to.endsWith('-01')) return { from: monthsLater(from, -monthsBetween(from, to)), to: from }
  return { from: addDays(from, -daysBetween(from, to)), to: from }
}

/** The instants at which the period begins and ends. */
export function instantsOf({ from, to }: Period, timeZone: string): { from: Date; to: Date } {
  return { from: startOfDay(from, timeZone), to: startOfDay(to, timeZone) }
}

/** The days of the period, in order. */
export function daysOf({ from, to }: Period): Day[] {
  return Array.from({ length: daysBetween(from, to) }, (_, i) => addDays(from, i))
}

export const intervals = ['day', 'week', 'month'] as const
export type Interval = (typeof intervals)[number]

/** The first day of the interval that the day is in, though not before the period itself. Weeks begin on Monday (ISO 8601). */
export function intervalStart(day: Day, interval: Interval, { from }: Period): Day {
  const start =
    interval === 'day'
      ? day
      : interval === 'month'
        ? `${day.slice(0, 8)}01`
        : addDays(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7))
  return start < from ? from : start
}

/** The first days of the intervals that the period has a part of, in order. */
export function intervalsOf(period: Period, interval: Interval): Day[] {
  return [...new Set(daysOf(period).map((day) => intervalStart(day, interval, period)))]
}

/** As a person reads it: “3 Nov 2026”, “Nov 3 – 9, 2026”, “November 2026”. */
export function periodName({ from, to }: Period): string {
  if (from.endsWith('-01') && to === monthsLater(from, 1)) return monthName(from.slice(0, 7))
  const format = new Intl.DateTimeFormat('en-US', { timeZone: 'UTC', year: 'numeric', month: 'short', day: 'numeric' })
  return format.formatRange(new Date(`${from}T00:00:00Z`), new Date(`${addDays(to, -1)}T00:00:00Z`))
}

function monthsBetween(from: Day, to: Day): number {
  return (Number(to.slice(0, 4)) - Number(from.slice(0, 4))) * 12 + Number(to.slice(5, 7)) - Number(from.slice(5, 7))
}

/** For the first of a month. */
function monthsLater(day: Day, count: number): Day {
  return new Date(Date.UTC(Number(day.slice(0, 4)), Number(day.slice(5, 7)) - 1 + count, 1)).toISOString().slice(0, 10)
}
