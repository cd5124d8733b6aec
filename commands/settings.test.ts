// The staff channel hears of changes of settings that money depends on, whichever command makes them.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../app/testing.ts'
import { earningPlugins } from '../plugins/commissions/testing.ts'
import { payouts } from '../plugins/payouts/plugin.ts'
import type { Message } from './messages.ts'
import { housePlugin } from './plugin.ts'

const boss = { isAdmin: true, userId: '300000000000000001', username: 'boss' }
let house: TestHouse
beforeAll(async () => {
  const own = housePlugin({ commands: () => house.loaded.commands, plugins: () => house.loaded.plugins, reconcile: async () => [] })
  house = await testHouse([own, ...earningPlugins, payouts])
})
afterAll(() => house?.close())
beforeEach(() => house.connection.sql`truncate core_settings, core_messages, core_audit`)

const set = (setting: string, value: string) => house.run('admin settings set', { setting, value }, boss)
const staffReads = async () => {
  const rows = (await house.connection
    .sql`select payload from core_messages where target = 'channels:staff' order by created_at, id`) as unknown as {
    payload: Message
  }[]
  return rows.map(({ payload }) => wordsOf(payload))
}

test('who changed it, from what to what, and what it decides', async () => {
  await set('payouts approvalAbove', '9000.00')
  const [note, ...more] = await staffReads()
  expect(more).toEqual([])
  expect(note).toContain('Payouts: approvalAbove was changed')
  expect(note).toContain(`<@${boss.userId}> changed it from **5000.00** to **9000.00**`)
  expect(note).toContain('waits for a second admin')
})

test.each([
  ['payouts minimum', '10.00', '**50.00** to **10.00**'],
  ['payouts minimumByCurrency', '{"EUR": "45.00"}', '**\\{\\}** to **\\{"EUR":"45.00"\\}**'],
  ['payouts scheduleDay', '3', '**0** to **3**'],
  ['payouts manual', 'true', '**false** to **true**'],
  ['commissions ratePercent', '25', '**20** to **25**'],
  ['attribution windowDays', '30', '**90** to **30**'],
])('%s', async (setting, value, words) => {
  await set(setting, value)
  const [note] = await staffReads()
  expect(note?.replaceAll('\\', '')).toContain(words.replaceAll('\\', ''))
})

test('each of two changes', async () => {
  await set('payouts minimum', '10.00')
  await set('payouts minimum', '20.00')
  expect((await staffReads()).map((note) => note.match(/from .*\./)?.[0])).toEqual([
    'from **50.00** to **10.00**.',
    'from **10.00** to **20.00**.',
  ])
})

test('by the command that sets the hold, which the audit keeps with what it was', async () => {
  await house.run('admin commissions hold', { days: 7 }, boss)
  const [note] = await staffReads()
  expect(note).toContain('Commissions: holdDays was changed')
  expect(note).toContain('**30** to **7**')
  const trail = await house.connection.sql`select action, detail from core_audit order by id`
  expect(trail).toMatchObject([{ action: 'settings.set', detail: { key: 'holdDays', was: 30 } }, { action: 'commissions.hold' }])
})

test.each([
  ['a setting that is given the value it has', 'payouts minimum', '50.00'],
  ['a setting on which no money depends', 'partners blockDisposableMail', 'false'],
])('not of %s', async (_, setting, value) => {
  await set(setting, value)
  expect(await staffReads()).toEqual([])
})

test('not of a value that was refused', async () => {
  await expect(set('payouts scheduleDay', '40')).rejects.toMatchObject({ code: 'bad_setting' })
  expect(await staffReads()).toEqual([])
})

test('a value too long for a card is cut', async () => {
  const many = Object.fromEntries(
    [
      'AED',
      'AUD',
      'BRL',
      'CAD',
      'CHF',
      'CNY',
      'CZK',
      'DKK',
      'EUR',
      'GBP',
      'HKD',
      'HUF',
      'ILS',
      'INR',
      'JPY',
      'KRW',
      'MXN',
      'NOK',
      'NZD',
      'PLN',
    ].map((code) => [code, '123456789012.1234']),
  )
  await set('payouts minimumByCurrency', JSON.stringify(many))
  const [note] = await staffReads()
  expect(note).toContain('AED')
  expect(note!.length).toBeLessThan(1_000)
})
