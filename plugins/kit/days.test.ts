import { expect, test } from 'vitest'
import { readCountries } from './countries.ts'
import { readDay } from './days.ts'

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
