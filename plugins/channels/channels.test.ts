import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import { blueprintOf } from '../../bot/guild.ts'
import { memberJoined, memberLeft } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { inboxChannel } from '../notifications/public.ts'
import { industryChanged, partnerActivated, partnerLeft } from '../partners/events.ts'
import { partners } from '../partners/plugin.ts'
import { blueprintFor } from './blueprint.ts'
import { channels } from './plugin.ts'
import { rolesOf } from './service.ts'

let house: TestHouse
let ada: { userId: string; username: string }
let email: string
let people = 0
beforeAll(async () => {
  house = await testHouse([notifications, partners, channels])
})
beforeEach(async () => {
  people++
  ada = { userId: `3000000000000000${String(people).padStart(2, '0')}`, username: 'ada' }
  email = `ada${people}@example.com`
})
afterAll(() => house.close())

const industries = [
  { key: 'saas', name: 'SaaS', emoji: '💻' },
  { key: 'finance', name: 'Finance', emoji: '💼' },
]
const details = (industry: string) => ({ name: 'Ada Lovelace', email, industry })
const partnerOf = async () => (await house.use(partners).byUser(house.db, house.program.id, ada.userId))!
/** Without a requirement a verified partner is active at once. */
async function activate(industry = 'saas') {
  await becomeActive(industry)
  await house.drain()
}
async function becomeActive(industry: string) {
  await house.press('partners.submit:register', { fields: details(industry) }, ada)
  const [row] = await house.connection.sql`select content from notifications_mails where recipient = ${email}`
  await house.app.inject({ method: 'POST', url: new URL(row!.content.button.url as string).pathname })
}
const roles = async () => {
  const rows = await house.connection
    .sql`select role_key, wanted from core_member_roles where user_id = ${ada.userId} order by role_key`
  return Object.fromEntries(rows.map((row) => [row.role_key as string, row.wanted as boolean]))
}
const changeIndustry = (industry: string) => house.press('partners.submit:details', { fields: details(industry) }, ada)
const happen = (event: typeof memberLeft | typeof memberJoined) =>
  house.db.transaction((tx) => house.emit(tx, event as typeof memberJoined, { programId: house.program.id, ...ada }))

test('a newcomer sees the channels of the Welcome category and no others, and may write (and so type commands) in one of them', () => {
  const { channels: wishes = [], categories = [] } = blueprintFor(industries)
  const welcome = categories.find(({ name }) => name === 'Welcome')!.key
  const seen = wishes.filter(({ seenBy }) => seenBy === 'everyone')
  expect(seen.map(({ name }) => name)).toEqual(['welcome', 'rules', 'faq', 'inbox'])
  expect(seen.every(({ category }) => category === welcome)).toBe(true)
  expect(seen.filter(({ writtenBy }) => writtenBy === 'all').map(({ name }) => name)).toEqual(['faq'])
  expect(wishes.filter(({ category }) => category === welcome)).toEqual(seen)
})

test('an industry’s channel is seen by its role alone, and staff by admins alone', () => {
  const { channels: wishes = [] } = blueprintFor(industries)
  const seenBy = (key: string) => wishes.find((wish) => wish.key === key)!.seenBy
  expect(seenBy('channels:industry:saas')).toEqual({ roles: ['channels:industry:saas'] })
  expect(seenBy('channels:industry:finance')).toEqual({ roles: ['channels:industry:finance'] })
  expect(seenBy('channels:staff')).toBe('admins')
  for (const key of ['channels:announcements', 'channels:general', 'channels:wins', 'channels:leaderboard'])
    expect(seenBy(key)).toEqual({ roles: ['channels:partner'] })
})

test('each key and name is used once, every category exists, and the inbox is where notifications expect it', () => {
  const { roles: wanted = [], categories = [], channels: wishes = [] } = blueprintFor(industries)
  for (const list of [wanted, categories, wishes]) {
    expect(new Set(list.map(({ key }) => key)).size).toBe(list.length)
    expect(new Set(list.map(({ name }) => name.toLowerCase())).size).toBe(list.length)
  }
  for (const { category } of wishes) expect(categories.map(({ key }) => key)).toContain(category)
  expect(wishes.map(({ key }) => key)).toContain(inboxChannel)
})

test('the industries of the program’s settings become roles and channels', async () => {
  await house.set('partners', 'industries', [{ key: 'mining', name: 'Mining', emoji: '⛏️' }])
  const wish = await blueprintOf(house.db, house.loaded.plugins, house.program.id)
  expect(wish.roles.map(({ key }) => key)).toEqual(['channels:partner', 'channels:industry:mining'])
  expect(wish.channels.map(({ name }) => name)).toContain('mining')
  await house.connection.sql`delete from core_settings`
})

test('the welcome notice explains the three steps and carries the button that starts them', () => {
  const notice = blueprintFor(industries).channels!.find(({ key }) => key === 'channels:welcome')!.notice!
  expect(wordsOf(notice)).toMatch(/1\. Register.*2\. Confirm your e-mail.*3\. Sign the agreement/s)
  expect(JSON.stringify(notice)).toContain('"custom_id":"partners.start"')
})

test.each([
  ['an active partner', 'active', ['channels:partner', 'channels:industry:saas']],
  ['a verified one', 'verified', []],
  ['one who left', 'left', []],
  ['a suspended one', 'suspended', []],
] as const)('%s has the roles that follow', (_, status, expected) => {
  expect(rolesOf({ status, industry: 'saas' })).toEqual(expected)
})

test('activation gives the partner role and the industry role, and tells what to do next', async () => {
  await activate('saas')
  expect(await roles()).toEqual({ 'channels:partner': true, 'channels:industry:saas': true })
  const [tell] = await house.connection.sql`select message from notifications_tells where user_id = ${ada.userId}`
  const words = wordsOf(tell!.message)
  expect(words).toContain('You are in, Ada Lovelace!')
  for (const command of ['/link create', '/earnings', '/help']) expect(words).toContain(command)
})

test('the welcome names the channels that opened, once they exist', async () => {
  await house.connection
    .sql`insert into core_guild_objects (program_id, kind, key, discord_id) values (${house.program.id}, 'channel', 'channels:industry:saas', '777')`
  await activate('saas')
  const [tell] = await house.connection.sql`select message from notifications_tells where user_id = ${ada.userId}`
  expect(wordsOf(tell!.message)).toContain('<#777>')
})

test('before activation there is no role', async () => {
  await house.press('partners.submit:register', { fields: details('saas') }, ada)
  await house.drain()
  expect(await roles()).toEqual({})
})

test('another industry swaps the industry role and leaves the partner role', async () => {
  await activate('saas')
  await changeIndustry('finance')
  await house.drain()
  expect(await roles()).toEqual({ 'channels:partner': true, 'channels:industry:saas': false, 'channels:industry:finance': true })
  await changeIndustry('saas')
  await house.drain()
  expect(await roles()).toEqual({ 'channels:partner': true, 'channels:industry:saas': true, 'channels:industry:finance': false })
})

test('who leaves loses the roles and who comes back has them again', async () => {
  await activate('saas')
  await happen(memberLeft)
  await house.drain()
  expect(await roles()).toEqual({ 'channels:partner': false, 'channels:industry:saas': false })
  await happen(memberJoined)
  await house.drain()
  expect(await roles()).toEqual({ 'channels:partner': true, 'channels:industry:saas': true })
})

test('events that come late, twice, or in another order end in what the partner is now', async () => {
  await activate('saas')
  await changeIndustry('finance')
  const { id: partnerId } = await partnerOf()
  const who = { programId: house.program.id, partnerId, userId: ada.userId }
  const before = await house.connection.sql`select count(*)::int as n from core_outbox where name = 'guild.apply_role'`
  await Promise.all([
    house.db.transaction((tx) => house.emit(tx, partnerLeft, who)),
    house.db.transaction((tx) => house.emit(tx, industryChanged, { ...who, from: 'saas', to: 'finance' })),
    house.db.transaction((tx) => house.emit(tx, partnerActivated, { ...who, industry: 'saas' })),
  ])
  await house.drain()
  expect(await roles()).toEqual({ 'channels:partner': true, 'channels:industry:saas': false, 'channels:industry:finance': true })
  const after = await house.connection.sql`select count(*)::int as n from core_outbox where name = 'guild.apply_role'`
  expect(after[0]!.n - before[0]!.n).toBe(2)
  expect(await house.connection.sql`select 1 from notifications_tells where user_id = ${ada.userId}`).toHaveLength(1)
})

test('a partner who leaves while their roles are being given ends without them', async () => {
  await becomeActive('saas')
  const { id: partnerId } = await partnerOf()
  const payload = { programId: house.program.id, partnerId, userId: ada.userId } as never
  const settle = (id: string, hold: Promise<void> = Promise.resolve()) =>
    house.db.transaction(async (tx) => {
      await house.loaded.listeners
        .find((listener) => listener.id === id)!
        .handle(tx, [{ payload, delivery: { id: 1, at: house.clock.now() } }])
      await hold
    })
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const giving = settle('channels.grant_roles', released)
  await lockTaken()
  await house.connection.sql`update partners_partners set status_before_left = status, status = 'left' where id = ${partnerId}`
  const taking = settle('channels.remove_roles')
  setTimeout(release, 200)
  await Promise.all([giving, taking])
  expect(await roles()).toEqual({ 'channels:partner': false, 'channels:industry:saas': false })
})

/** Waits until the transaction that gives roles has read the partner: it has written a role then, which is seen as a lock on the table. */
async function lockTaken(): Promise<void> {
  for (;;) {
    const held = await house.connection
      .sql`select 1 from pg_locks where relation = 'core_member_roles'::regclass and mode = 'RowExclusiveLock' and database = (select oid from pg_database where datname = current_database())`
    if (held.length > 0) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
