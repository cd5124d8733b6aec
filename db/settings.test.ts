// Settings: what admins changed is kept whatever else changes at the same time.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { Connection } from './connect.ts'
import { programStore } from './programs.ts'
import { readSettings, writeSetting } from './settings.ts'
import { testDatabase } from './testing.ts'

const schema = z.object({
  title: z.string().default('Program'),
  days: z.coerce.number().int().min(0).default(30),
  colour: z.string().default('red'),
})
let database: Connection
let programId: string
beforeAll(async () => {
  database = await testDatabase()
  programId = (await database.db.transaction((tx) => programStore.ensure(tx, { guildId: '1', name: 'One' }))).id
})
afterAll(() => database.close())

const set = (key: string, value: string) => database.db.transaction((tx) => writeSetting(tx, programId, 'club', schema, key, value))

test('two admins who change the first two settings at the same time both keep theirs', async () => {
  let firstWrote = () => {}
  const written = new Promise<void>((resolve) => {
    firstWrote = resolve
  })
  let finish = () => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const first = database.db.transaction(async (tx) => {
    await writeSetting(tx, programId, 'club', schema, 'title', 'Club')
    firstWrote()
    await finished
  })
  await written
  const second = set('days', '7')
  await expect
    .poll(
      async () =>
        (await database.sql`select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`).length,
    )
    .toBe(1)
  finish()
  await Promise.all([first, second])
  expect(await readSettings(database.db, programId, 'club', schema)).toEqual({ title: 'Club', days: 7, colour: 'red' })
})

test('a setting that is changed again keeps the others', async () => {
  await set('days', '9')
  expect(await readSettings(database.db, programId, 'club', schema)).toEqual({ title: 'Club', days: 9, colour: 'red' })
})

test.each(['colours', 'toString', '__proto__'])(
  'a setting that there is not is refused with those that there are: %s',
  async (key) => {
    await expect(set(key, 'red')).rejects.toThrow(`club has no setting “${key}”. It has: title, days, colour.`)
  },
)
