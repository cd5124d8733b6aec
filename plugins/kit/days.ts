// Days as a program sees them: in its own time zone, half-open, so that every instant belongs to exactly one, also where clocks change. And as people type them.
import { UserError } from './errors.ts'

/** A day as text, `2026-11-03`. Days sort by time. */
export type Day = string

/** The day that `at` belongs to. @throws RangeError for a time zone that is not an IANA name */
export function dayOf(at: Date, timeZone: string): Day {
  return formatterOf(timeZone).format(at)
}

/** The first instant of the day. Found by halving, because clocks may skip or repeat midnight. */
export function startOfDay(day: Day, timeZone: string): Date {
  let before = utcStart(day) - farthestMs
  let within = utcStart(day) + farthestMs
  while (within - before > 1) {
    const middle = Math.floor((before + within) / 2)
    if (dayOf(new Date(middle), timeZone) < day) before = middle
    else within = middle
  }
  return new Date(within)
}

/** The day that many days later; earlier for a negative count. */
export function addDays(day: Day, count: number): Day {
  return new Date(utcStart(day) + count * dayMs).toISOString().slice(0, 10)
}

/** How many days lie in [from, to). */
export function daysBetween(from: Day, to: Day): number {
  return Math.round((utcStart(to) - utcStart(from)) / dayMs)
}

/** Whether the text names a day that exists. */
export function isDay(text: string): boolean {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text)
}

/** The first instant of the day that is written as 2026-12-31, in the time zone, or of the day `after` it. @throws UserError for what is no day */
export function readDay(text: string, timeZone: string, after: 0 | 1): Date {
  const day = text.trim()
  if (!isDay(day)) throw new UserError('bad_date', `“${text}” is not a day. Write it as 2026-12-31.`)
  return startOfDay(addDays(day, after), timeZone)
}

const dayMs = 86_400_000
/** No zone is further than this from UTC. */
const farthestMs = 15 * 3_600_000

function utcStart(day: Day): number {
  return Date.parse(`${day}T00:00:00Z`)
}

/** Making a formatter costs far more than using it. */
const formatters = new Map<string, Intl.DateTimeFormat>()

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(timeZone)
  if (!formatter) {
    const parts = { year: 'numeric', month: '2-digit', day: '2-digit' } as const
    formatter = new Intl.DateTimeFormat('en-CA-u-ca-gregory-nu-latn', { timeZone, ...parts })
    formatters.set(timeZone, formatter)
  }
  return formatter
}
