// Days as people type them, in their program's time zone.
import { UserError } from './errors.ts'

/** The first instant of the day that is written as 2026-12-31, in the time zone, or of the day `after` it. @throws UserError for what is no day */
export function readDay(text: string, timeZone: string, after: 0 | 1): Date {
  const midnight = new Date(`${text.trim()}T00:00:00Z`)
  if (
    !/^\d{4}-\d{2}-\d{2}$/.test(text.trim()) ||
    Number.isNaN(midnight.getTime()) ||
    midnight.toISOString().slice(0, 10) !== text.trim()
  )
    throw new UserError('bad_date', `“${text}” is not a day. Write it as 2026-12-31.`)
  const wanted = midnight.getTime() + after * 86_400_000
  // Twice, because the offset at the first guess may be that of before a change of the clocks.
  const guess = wanted - offsetAt(wanted, timeZone)
  return new Date(wanted - offsetAt(guess, timeZone))
}

/** How far the zone's clock is ahead of UTC at this instant, in ms. */
function offsetAt(at: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(new Date(at))
  const part = (type: Intl.DateTimeFormatPartTypes) => Number(parts.find((candidate) => candidate.type === type)!.value)
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')) - at
}
