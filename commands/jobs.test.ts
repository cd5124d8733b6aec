// What an admin sees and does about work that was set aside.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../app/testing.ts'
import { programStore } from '../db/programs.ts'
import type { Message } from './messages.ts'
import { housePlugin } from './plugin.ts'

const admin = { isAdmin: true, userId: '300000000000000001' }
let house: TestHouse

beforeAll(async () => {
  const own = housePlugin({ commands: () => house.loaded.commands, plugins: () => house.loaded.plugins, reconcile: async () => [] })
  house = await testHouse([own])
  for (const programId of [house.program.id, null])
    await house.connection.sql`
      insert into core_outbox (program_id, kind, name, payload, failed_at, last_error)
      values (${programId}, 'job', ${programId ? 'shop.refresh' : 'stripe.handle_events'}, '{}', now(), ${programId ? 'the shop is closed' : 'the event is odd'})`
})
afterAll(() => house?.close())

const failed = async () => wordsOf((await house.run('admin jobs failed', {}, admin)) as Message)

test('an admin sees what failed, and what failed for no program', async () => {
  expect(await failed()).toMatch(/shop\.refresh[\s\S]*the shop is closed/)
  expect(await failed()).toMatch(/stripe\.handle_events[\s\S]*the event is odd/)
})

test('beside another program, the cause of what belongs to none is left to the operator', async () => {
  await house.db.transaction((tx) => programStore.ensure(tx, { guildId: '900000000000000077', name: 'Another' }))
  expect(await failed()).toContain('the shop is closed')
  expect(await failed()).toContain('npm run doctor')
  expect(await failed()).not.toContain('the event is odd')
})

test('all of it is tried again', async () => {
  expect(wordsOf((await house.run('admin jobs retry', {}, admin)) as Message)).toContain('2 pieces of work are tried again')
  expect(await failed()).toContain('Everything that was asked for has been done')
})
