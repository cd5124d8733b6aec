// Months in a time zone: every instant belongs to exactly one, also where clocks change.
import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { monthName, monthOf, nextMonth, previousMonth, rangeOf } from './calendar.ts'

test.each([
  ['UTC', '2026-11', '2026-11-01T00:00:00.000Z', '2026-12-01T00:00:00.000Z'],
  ['Europe/Berlin', '2026-10', '2026-09-30T22:00:00.000Z', '2026-10-31T23:00:00.000Z'],
  ['America/Los_Angeles', '2026-12', '2026-12-01T08:00:00.000Z', '2027-01-01T08:00:00.000Z'],
  ['Pacific/Kiritimati', '2026-02', '2026-01-31T10:00:00.000Z', '2026-02-28T10:00:00.000Z'],
  ['Asia/Kathmandu', '2028-02', '2028-01-31T18:15:00.000Z', '2028-02-29T18:15:00.000Z'],
  // Paraguay went from midnight to one o'clock on 1 October 2017.
  ['America/Asuncion', '2017-10', '2017-10-01T04:00:00.000Z', '2017-11-01T03:00:00.000Z'],
])('in %s, %s is from %s to %s', (zone, month, from, to) => {
  expect(rangeOf(month, zone)).toEqual({ from: new Date(from), to: new Date(to) })
})

const instants = fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
const zones = fc.constantFrom('UTC', 'Europe/London', 'America/St_Johns', 'Australia/Lord_Howe', 'Pacific/Apia', 'Asia/Tehran')

test.prop([instants, zones], { numRuns: 50 })(
  'an instant lies in the range of its month, and months touch each other',
  (at, zone) => {
    const month = monthOf(at, zone)
    const { from, to } = rangeOf(month, zone)
    expect(from.getTime()).toBeLessThanOrEqual(at.getTime())
    expect(at.getTime()).toBeLessThan(to.getTime())
    expect(rangeOf(nextMonth(month), zone).from).toEqual(to)
    expect(previousMonth(nextMonth(month))).toBe(month)
  },
)

test('a month is named for people', () => {
  expect(monthName('2026-11')).toBe('November 2026')
  expect(previousMonth('2026-01')).toBe('2025-12')
})
