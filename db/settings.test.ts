// Settings: what admins changed is kept whatever else changes at the same time.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { Connection } from './connect.ts'
import { programStore } from './programs.ts'
import { changeSetting, readSettings, settingsOf, writeSetting } from './settings.ts'
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

test('what people changed is told with who did it and how all was before, the latest first', async () => {
  const other = (await database.db.transaction((tx) => programStore.ensure(tx, { guildId: '2', name: 'Two' }))).id
  const change = (key: string, text: string, actor: string, at: string) =>
    database.db.transaction((tx) =>
      changeSetting(tx, { programId: other, plugin: 'club', schema, key, text }, { actor, at: new Date(at) }),
    )
  const { changes } = settingsOf({ id: 'club', config: schema })
  await change('days', '7', 'ada', '2027-01-01T00:00:00Z')
  await change('title', 'Club', 'eva', '2027-01-02T00:00:00Z')
  await change('days', '9', 'eva', '2027-01-03T00:00:00Z')
  expect(await changes(database.db, other, new Date('2027-01-01T00:00:00Z'))).toEqual([
    { key: 'days', actor: 'eva', at: new Date('2027-01-03T00:00:00Z'), before: { title: 'Club', days: 7, colour: 'red' } },
    { key: 'title', actor: 'eva', at: new Date('2027-01-02T00:00:00Z'), before: { title: 'Program', days: 7, colour: 'red' } },
  ])
  expect(await changes(database.db, other, new Date(0))).toMatchObject([{}, {}, { before: { days: 30 } }])
  expect(await changes(database.db, programId, new Date(0))).toEqual([])
  expect(await settingsOf({ id: 'club', config: schema }).of(database.db, other)).toEqual({ title: 'Club', days: 9, colour: 'red' })
})
