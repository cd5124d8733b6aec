// Periods as people ask for them, and what they are compared with: nothing overlaps, nothing is left out.
import { fc, test as property } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { addDays, daysBetween } from '../kit/index.ts'
import {
  customPeriod,
  daysOf,
  instantsOf,
  intervalStart,
  intervals,
  intervalsOf,
  periodBefore,
  periodName,
  periodOf,
} from './periods.ts'

test.each([
  ['today', '2026-11-09', '2026-11-10'],
  ['7d', '2026-11-03', '2026-11-10'],
  ['30d', '2026-10-11', '2026-11-10'],
  ['this-month', '2026-11-01', '2026-11-10'],
  ['last-month', '2026-10-01', '2026-11-01'],
  ['quarter', '2026-10-01', '2026-11-10'],
  ['year', '2026-01-01', '2026-11-10'],
] as const)('%s on 9 November is from %s until before %s', (range, from, to) => {
  expect(periodOf(range, '2026-11-09')).toEqual({ from, to })
})

test('last month in January is December of the year before', () => {
  expect(periodOf('last-month', '2027-01-31')).toEqual({ from: '2026-12-01', to: '2027-01-01' })
  expect(periodOf('quarter', '2027-01-31').from).toBe('2027-01-01')
})

test.each([
  ['days with as many days', { from: '2026-11-03', to: '2026-11-10' }, { from: '2026-10-27', to: '2026-11-03' }],
  [
    'a whole month with the month before, however long',
    { from: '2026-03-01', to: '2026-04-01' },
    { from: '2026-02-01', to: '2026-03-01' },
  ],
  ['a whole quarter with the quarter before', { from: '2026-01-01', to: '2026-04-01' }, { from: '2025-10-01', to: '2026-01-01' }],
  ['a month that still runs with as many days', { from: '2026-11-01', to: '2026-11-10' }, { from: '2026-10-23', to: '2026-11-01' }],
])('%s is compared', (_, period, before) => expect(periodBefore(period)).toEqual(before))

const days = fc.integer({ min: 0, max: 4000 }).map((count) => addDays('2020-01-01', count))
const periods = fc.tuple(days, fc.integer({ min: 1, max: 400 })).map(([from, length]) => ({ from, to: addDays(from, length) }))

property.prop([periods])('a period and what it is compared with touch and do not overlap', (period) => {
  const before = periodBefore(period)
  expect(before.to).toBe(period.from)
  expect(before.from < before.to).toBe(true)
  const [now, then] = [instantsOf(period, 'Europe/Berlin'), instantsOf(before, 'Europe/Berlin')]
  expect(then.to).toEqual(now.from)
})

property.prop([periods, fc.constantFrom(...intervals)])(
  'intervals hold every day of the period once, in order',
  (period, interval) => {
    const starts = intervalsOf(period, interval)
    expect(starts[0]).toBe(period.from)
    expect(starts).toEqual([...new Set(starts)].sort())
    const all = starts.flatMap((start, i) => daysOf({ from: start, to: starts[i + 1] ?? period.to }))
    expect(all).toEqual(daysOf(period))
    for (const day of all) expect(starts).toContain(intervalStart(day, interval, period))
    if (interval === 'week')
      for (const start of starts) expect(daysBetween(period.from, start) === 0 || new Date(start).getUTCDay() === 1).toBe(true)
  },
)

test('the days that people type are both included', () => {
  expect(customPeriod(' 2026-11-01', '2026-11-09', '2026-11-20')).toEqual({ from: '2026-11-01', to: '2026-11-10' })
  expect(customPeriod('2026-11-01', undefined, '2026-11-20').to).toBe('2026-11-21')
})

test.each([
  [{ from: '2026-11-01', to: '2026-12-01' }, 'November 2026'],
  [{ from: '2026-11-03', to: '2026-11-04' }, 'Nov 3, 2026'],
])('%o is called %s', (period, name) => expect(periodName(period)).toBe(name))
