// One deployment serves many programs: whatever anyone does in one of them, even an admin with ids of another, reads and changes nothing of the other.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { controlsOf, type TestHouse, testHouse, wordsOf } from '../app/testing.ts'
import type { Command, Option } from '../commands/define.ts'
import { type Program, programStore } from '../db/programs.ts'
import { attribution } from './attribution/plugin.ts'
import { tradeIn } from './commissions/testing.ts'
import { plugins } from './index.ts'

let house: TestHouse
let other: Program
/** Ids and names of the first program that somebody might try in the second. */
let loot: string[]

const environment = {
  STRIPE_SECRET_KEY: 'sk_test_isolation',
  STRIPE_API_URL: 'http://127.0.0.1:1',
  STRIPE_WEBHOOK_SECRET: 'whsec_isolation',
}
const stranger = '300000000000000009'

beforeAll(async () => {
  house = await testHouse(plugins, { environment })
  other = await house.db.transaction((tx) => programStore.ensure(tx, { guildId: '900000000000000002', name: 'Other' }))
  const trade = tradeIn(house)
  const partner = await trade.aPartner()
  const made = await house.run('link create', {}, partner)
  const link = controlsOf(made)
    .concat(wordsOf(made).split(/\s+/))
    .find((word) => word.includes('/r/'))!
  const code = /\/r\/([\w-]+)/.exec(link)![1]!
  const visit = await house.app.inject({
    url: `/r/${code}`,
    headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0' },
  })
  const clickId = new URL(visit.headers.location as string).searchParams.get('siso_cid')!
  house.clock.advance(60_000)
  const saleId = await house.db.transaction((tx) =>
    house.use(attribution).recordPayment(tx, { ...trade.aPayment(partner), hints: { clickId } }),
  )
  await house.drain()
  await house.tick('ledger.seal')
  const ids = await house.connection.sql<
    { id: string }[]
  >`select id::text from commissions_commissions union all select id::text from ledger_transfers`
  expect(ids.length).toBeGreaterThan(1)
  loot = [
    partner.userId,
    partner.id,
    partner.username,
    partner.email,
    'Partner 1',
    code,
    clickId,
    saleId.saleId,
    ...ids.map((row) => row.id),
  ]
})
afterAll(() => house.close())

test('the first program has something to find', async () => {
  expect(Object.keys(await snapshot(house.program.id)).length).toBeGreaterThan(8)
  expect(wordsOf(await house.run('admin partners list', {}, { isAdmin: true, userId: stranger }))).toContain('Partner 1')
})

test('no command of another program shows or changes anything of the first', async () => {
  const before = await snapshot(house.program.id)
  let answered = 0
  for (const command of house.loaded.commands) {
    for (const attempt of attempts(command)) {
      const answer = await house
        .run(command.path, attempt, { program: other, userId: stranger, username: 'eve', isAdmin: true })
        .catch(() => undefined)
      if (!answer) continue
      answered++
      const typed = Object.values(attempt).map((value) => JSON.stringify(value))
      const words = wordsOf(answer)
      const leaked = loot.filter((secret) => words.includes(secret) && !typed.some((text) => text.includes(secret)))
      expect({ command: command.path, attempt, leaked }).toEqual({ command: command.path, attempt, leaked: [] })
    }
  }
  await house.drain()
  expect(answered).toBeGreaterThan(10)
  expect(await snapshot(house.program.id)).toEqual(before)
})

test('no button of another program changes anything of the first', async () => {
  const before = await snapshot(house.program.id)
  for (const { ref } of house.loaded.components.values()) {
    for (const secret of loot) {
      const customId = [ref.id, ...ref.params.map(() => secret)].join(':')
      await house
        .press(
          customId,
          { values: [secret], fields: { reason: 'because', name: 'Eve' } },
          { program: other, userId: stranger, isAdmin: true },
        )
        .catch(() => undefined)
    }
  }
  await house.drain()
  expect(await snapshot(house.program.id)).toEqual(before)
})

test('what a person suggests themselves while typing comes from their own program only', async () => {
  for (const command of house.loaded.commands)
    for (const option of Object.values(command.options)) {
      if (option.type !== 'string' || !option.suggest) continue
      const ctx = {
        program: other,
        user: { id: stranger, username: 'eve', displayName: 'eve' },
        member: { roleIds: [], isAdmin: true },
      }
      const choices = await option.suggest(ctx as never, '').catch(() => [])
      const text = JSON.stringify(choices)
      expect(loot.filter((secret) => text.includes(secret))).toEqual([])
    }
})

/** Every piece of loot in every option it fits into, and the options left out. */
function attempts(command: Command): Record<string, unknown>[] {
  const options = Object.entries(command.options)
  if (options.length === 0) return [{}]
  const texts = options.some(([, option]) => option.type === 'string' || option.type === 'user') ? loot : [loot[0]!]
  return texts.map((secret) => Object.fromEntries(options.map(([name, option]) => [name, valueFor(option, secret)])))
}

function valueFor(option: Option, secret: string): unknown {
  switch (option.type) {
    case 'string':
      return option.choices?.[0]?.value ?? secret
    case 'user':
      return { id: loot[0], username: loot[2], bot: false }
    case 'integer':
    case 'number':
      return option.min ?? 1
    case 'boolean':
      return true
    default:
      return undefined
  }
}

/** A hash of every table's rows of the program, so that any change of any row shows. */
async function snapshot(programId: string): Promise<Record<string, string>> {
  const { sql } = house.connection
  const tables = await sql<{ name: string }[]>`
    select table_name as name from information_schema.columns
    where table_schema = 'public' and column_name = 'program_id' and table_name <> 'core_outbox' order by 1`
  const hashes: Record<string, string> = {}
  for (const { name } of tables) {
    const [row] = await sql<
      { hash: string | null }[]
    >`select md5(string_agg(t::text, '|' order by t::text)) as hash from ${sql(name)} t where program_id = ${programId}`
    if (row?.hash) hashes[name] = row.hash
  }
  return hashes
}
