// Days in a time zone: every instant belongs to exactly one, also where clocks change.
import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { readCountries } from './countries.ts'
import { addDays, dayOf, daysBetween, isDay, readDay, startOfDay } from './days.ts'

test.each([
  ['UTC', '2026-11-01', '2026-11-01T00:00:00.000Z'],
  ['a day of 23 hours begins as usual', '2026-03-29', '2026-03-28T23:00:00.000Z', 'Europe/Berlin'],
  ['and the next an hour earlier', '2026-03-30', '2026-03-29T22:00:00.000Z', 'Europe/Berlin'],
  ['no midnight at all', '2017-10-01', '2017-10-01T04:00:00.000Z', 'America/Asuncion'],
  ['midnight comes twice, and the first counts', '2026-10-25', '2026-10-25T00:00:00.000Z', 'Atlantic/Azores'],
  ['a zone of 45 minutes', '2026-05-01', '2026-04-30T18:15:00.000Z', 'Asia/Kathmandu'],
])('%s', (_, day, start, zone = 'UTC') => expect(startOfDay(day, zone)).toEqual(new Date(start)))

const instants = fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
const zones = fc.constantFrom('UTC', 'Europe/London', 'America/St_Johns', 'Australia/Lord_Howe', 'Pacific/Apia', 'Asia/Tehran')

test.prop([instants, zones], { numRuns: 50 })('an instant lies in its day, and days touch each other', (at, zone) => {
  const day = dayOf(at, zone)
  expect(startOfDay(day, zone).getTime()).toBeLessThanOrEqual(at.getTime())
  expect(at.getTime()).toBeLessThan(startOfDay(addDays(day, 1), zone).getTime())
  expect(daysBetween(addDays(day, -30), day)).toBe(30)
})

test.each([
  ['2028-02-29', true],
  ['2026-02-29', false],
  ['2026-13-01', false],
  ['26-01-01', false],
  ['2026-01-01T00:00', false],
])('%s is a day: %s', (text, yes) => expect(isDay(text)).toBe(yes))

test.each([
  ['in UTC', '2026-12-31', 'UTC', 0, '2026-12-31T00:00:00.000Z'],
  ['its end', '2026-12-31', 'UTC', 1, '2027-01-01T00:00:00.000Z'],
  ['east of it', '2026-12-31', 'Asia/Tokyo', 0, '2026-12-30T15:00:00.000Z'],
  ['on the day that the clocks go back', '2026-11-01', 'America/New_York', 1, '2026-11-02T05:00:00.000Z'],
  ['on the day that the clocks go ahead', '2027-03-14', 'America/New_York', 0, '2027-03-14T05:00:00.000Z'],
] as const)('a day %s', (_, text, zone, after, at) => expect(readDay(text, zone, after).toISOString()).toBe(at))

test.each(['', '31.12.2026', '2026-02-30', '2026-13-01', 'tomorrow', '2026-12-31T10:00'])('%j is no day', (text) => {
  expect(() => readDay(text, 'UTC', 0)).toThrow(expect.objectContaining({ code: 'bad_date' }))
})

test('countries are read from a list in any case, each once', () => {
  expect(readCountries('de, AT;ch  de')).toEqual(['AT', 'CH', 'DE'])
  for (const text of ['', 'Germany', 'DE, QQ1', 'Q1'])
    expect(() => readCountries(text), text).toThrow(expect.objectContaining({ code: 'unknown_country' }))
})
