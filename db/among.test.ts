import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { amongIds, amongTexts } from './among.ts'
import type { Connection } from './connect.ts'
import { newId } from './ids.ts'
import { testDatabase } from './testing.ts'

let connection: Connection
beforeAll(async () => {
  connection = await testDatabase()
})
afterAll(() => connection.close())

const holds = async (condition: ReturnType<typeof sql>) =>
  (await connection.db.execute<{ holds: boolean }>(sql`select ${condition} as holds`))[0]!.holds

test.each([
  'plain',
  '',
  'NULL',
  'with, comma',
  'a "quoted" one',
  String.raw`back\slash`,
  '{braces}',
  ' blanks ',
  'ünïcode 🎈',
  'two\nlines',
])('the text %j is found among others, and not among others alone', async (text) => {
  expect(await holds(amongTexts(sql`${text}::text`, ['other', text, 'another']))).toBe(true)
  expect(await holds(amongTexts(sql`${text}::text`, ['other', `${text}x`, `x${text}`]))).toBe(false)
})

test('nothing is among none', async () => {
  expect(await holds(amongTexts(sql`'a'::text`, []))).toBe(false)
  expect(await holds(amongIds(sql`${newId(new Date())}::uuid`, []))).toBe(false)
})

test('an id is found among others', async () => {
  const [one, other] = [newId(new Date()), newId(new Date())]
  expect(await holds(amongIds(sql`${one}::uuid`, [other, one]))).toBe(true)
  expect(await holds(amongIds(sql`${one}::uuid`, [other]))).toBe(false)
})
