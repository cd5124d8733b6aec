// Where a day begins: the database must say what the program says, in every zone, also when the clocks change at midnight.
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Connection } from '../../db/connect.ts'
import { testDatabase } from '../../db/testing.ts'
import { addDays, startOfDay } from '../kit/index.ts'

let connection: Connection
beforeAll(async () => {
  connection = await testDatabase()
})
afterAll(() => connection.close())

test.each([
  ['UTC', '2026-01-01'],
  ['Europe/Berlin', '2026-01-01'],
  ['America/New_York', '2026-01-01'],
  ['Asia/Kathmandu', '2026-01-01'],
  ['Australia/Lord_Howe', '2026-01-01'],
  // Midnight twice, no midnight, and a day that never was.
  ['Atlantic/Azores', '2026-01-01'],
  ['America/Havana', '2026-01-01'],
  ['America/Asuncion', '2017-01-01'],
  ['America/Sao_Paulo', '2018-01-01'],
  ['Pacific/Apia', '2011-01-01'],
])('every day of a year in %s begins at the same instant for the database and the program', async (zone, first) => {
  const rows = await connection.db.execute<{ day: string; begin: string }>(sql`
    select day::date::text as day, links_begin_of_day(day::date, ${zone}) as begin
    from generate_series(${first}::date, ${addDays(first, 365)}::date, interval '1 day') day`)
  expect(rows).toHaveLength(366)
  const differing = rows.filter(({ day, begin }) => new Date(begin).getTime() !== startOfDay(day, zone).getTime())
  expect(differing).toEqual([])
})
