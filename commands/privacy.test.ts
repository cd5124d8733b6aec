// Personal data over the whole house: everyone may know and have a copy, an admin may erase, and then nothing names the person any more.
import { REST } from '@discordjs/rest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { controlsOf, type TestHouse, testHouse, wordsOf } from '../app/testing.ts'
import { guildPlugin } from '../bot/plugin.ts'
import { attribution } from '../plugins/attribution/plugin.ts'
import type { CanonicalPayment } from '../plugins/attribution/public.ts'
import { type TestPartner, type Trade, tradeIn } from '../plugins/commissions/testing.ts'
import { plugins } from '../plugins/index.ts'
import { minutes } from '../plugins/kit/clock.ts'
import { directMessageRefused } from '../plugins/kit/events.ts'
import { browser } from '../plugins/links/testing.ts'
import { payouts } from '../plugins/payouts/plugin.ts'
import type { Message } from './messages.ts'
import { housePlugin } from './plugin.ts'

const admin = { isAdmin: true, userId: '300000000000000001' }
/** Takes every message. */
const discord = new REST({
  makeRequest: async () =>
    new Response('{"id":"500000000000000001"}', { headers: { 'content-type': 'application/json' } }) as never,
}).setToken('of-nobody')
let house: TestHouse
let trade: Trade
let ada: TestPartner
let grace: TestPartner
let adasPayment: CanonicalPayment

beforeAll(async () => {
  const own = [
    guildPlugin(discord),
    housePlugin({ commands: () => house.loaded.commands, plugins: () => house.loaded.plugins, reconcile: async () => [] }),
  ]
  house = await testHouse([...plugins, ...own])
  await house.connection.sql`
    insert into core_guild_objects (program_id, kind, key, discord_id)
    values (${house.program.id}, 'role', 'badges:first_sale', '500000000000000002')`
  trade = tradeIn(house)
  ada = await trade.aPartner()
  grace = await trade.aPartner()
  for (const partner of [ada, grace]) {
    const payment = await soldBy(partner)
    if (partner === ada) adasPayment = payment
  }
  await house.connection.sql`
    insert into core_member_roles (program_id, user_id, role_key, wanted, applied, reason)
    values (${house.program.id}, ${ada.userId}, 'partner', true, true, 'active')`
  await house.drain()
})
afterAll(() => house.close())

/** Somebody comes by a link of the partner's and buys. */
async function soldBy(partner: TestPartner, change: Partial<CanonicalPayment> = {}): Promise<CanonicalPayment> {
  const code = `of-${partner.username}`
  await house.run('link create', { code, campaign: `Campaign of ${partner.username}` }, partner)
  const visit = await house.app.inject({ url: `/r/${code}`, headers: { 'user-agent': browser } })
  const clickId = new URL(visit.headers.location as string).searchParams.get('siso_cid')!
  house.clock.advance(minutes(1))
  const payment = { ...trade.aPayment(partner, change), hints: { clickId } }
  await house.db.transaction((tx) => house.use(attribution).recordPayment(tx, payment))
  return payment
}

const copyOf = (answer: unknown): Record<string, unknown> => {
  const [file] = (answer as Message).files!
  expect(file!.name).toBe('personal-data.json')
  return JSON.parse(file!.data.toString())
}
/** The tables that mention it anywhere. */
async function tablesWith(text: string): Promise<string[]> {
  const { sql } = house.connection
  const tables = await sql<{ name: string }[]>`
    select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition order by 1`
  const found: string[] = []
  for (const { name } of tables) {
    const [row] = await sql.unsafe(`select count(*)::int as count from "${name}" t where t::text like $1`, [`%${text}%`])
    if (row!.count > 0) found.push(name)
  }
  return found
}

test('/privacy tells what every part of the program stores, page by page, and hands over a copy of what is the person’s own', async () => {
  let page = await house.run('privacy', {}, ada)
  let words = wordsOf(page)
  for (let next = 1; controlsOf(page).includes(`house.privacy:${next}`); next++) {
    page = await house.press(`house.privacy:${next}`, {}, ada)
    words += wordsOf(page)
  }
  for (const { title, data } of house.loaded.plugins) if (data) expect(words).toContain(`**${title}**`)
  const copy = copyOf(await house.press(controlsOf(page).find((control) => control.startsWith('house.privacy-export'))!, {}, ada))
  expect(JSON.stringify(copy)).toContain(ada.email)
  expect(JSON.stringify(copy)).toContain(`Campaign of ${ada.username}`)
  expect(JSON.stringify(copy)).not.toContain(grace.email)
  expect(JSON.stringify(copy.guild)).toContain('partner')
})

test('an admin gets a copy for somebody who asks in writing; a partner cannot get another’s', async () => {
  const answer = await house.run('admin privacy export', { user: { id: grace.userId } }, admin)
  expect(JSON.stringify(copyOf(answer))).toContain(grace.email)
  await expect(house.run('admin privacy export', { user: { id: grace.userId } }, ada)).rejects.toThrow()
})

test('who is erased is named nowhere afterwards but in what they signed; others are left alone, and the books hold', async () => {
  const others = await tablesWith(grace.userId)
  const asked = await house.run('admin privacy erase', { user: { id: ada.userId } }, admin)
  expect(wordsOf(asked)).toContain('Nothing has been changed so far')
  expect(await tablesWith(ada.userId)).toContain('partners_partners')
  const done = await house.press(controlsOf(asked)[0]!, {}, admin)
  expect(wordsOf(done)).toContain('The person is erased')
  expect({
    id: await tablesWith(ada.userId),
    email: await tablesWith(ada.email),
  }).toEqual({
    // The roles until they are taken.
    id: ['agreements_signatures', 'core_member_roles'],
    email: ['agreements_signatures'],
  })
  expect(await tablesWith(grace.userId)).toEqual(others)
  expect(wordsOf(await house.run('admin ledger proof', {}, admin))).toMatch(/The books hold.*[1-9]\d* transfers/s)
  await expect(house.run('earnings', {}, ada)).rejects.toThrow()
})

test('links to pages about the payouts of whoever was erased lead nowhere', async () => {
  await house.run('admin settings set', { setting: 'payouts manual', value: 'true' }, admin)
  const [setup] = controlsOf(await house.run('payout setup', { provider: 'manual' }, grace)).filter((url) => url.startsWith('http'))
  const { pathname } = new URL(setup!)
  expect((await house.app.inject({ url: pathname })).statusCode).toBe(200)
  const asked = await house.run('admin privacy erase', { user: { id: grace.userId } }, admin)
  await house.press(controlsOf(asked)[0]!, {}, admin)
  expect((await house.app.inject({ url: pathname })).statusCode).not.toBe(200)
  expect(await house.connection.sql`select purpose from core_tokens where subject like ${`${grace.id}%`}`).toEqual([])
})

test('a refund after that changes the books, and nobody is written to', async () => {
  await house.db.transaction((tx) => house.use(attribution).recordPayment(tx, { ...adasPayment, refunded: 5_000n }))
  await house.drain()
  expect(await house.connection.sql`select 1 from core_outbox where name = 'commissions.adjusted'`).toHaveLength(1)
  expect(await house.connection.sql`select key from core_messages where target like 'erased%'`).toEqual([])
})

test('nothing is left of somebody who came by the form and whose direct messages are closed, and no link that they were sent works', async () => {
  const alan = { userId: '300000000000000077', username: 'alan' }
  const email = 'alan.turing@example.org'
  const mailed = async () => {
    const [mail] = await house.connection
      .sql`select content from notifications_mails where user_id = ${alan.userId} order by created_at desc, id desc limit 1`
    return new URL(mail!.content.button.url as string).pathname
  }
  const erase = async () => {
    const asked = await house.run('admin privacy erase', { user: { id: alan.userId } }, admin)
    await house.press(controlsOf(asked)[0]!, {}, admin)
  }
  const register = () => house.press('partners.submit:register', { fields: { name: 'Alan Turing', email, industry: 'saas' } }, alan)

  await register()
  const unused = await mailed()
  await erase()
  expect((await house.app.inject({ url: unused })).statusCode).toBe(404)

  await register()
  await house.app.inject({ method: 'POST', url: await mailed() })
  await house.drain()
  const signing = await mailed()
  await house.connection.sql`
    insert into core_guild_objects (program_id, kind, key, discord_id)
    values (${house.program.id}, 'channel', 'channels:inbox', '500000000000000003')`
  const [tell] = await house.connection.sql<{ key: string }[]>`select key from core_messages where target = ${alan.userId}`
  await house.db.transaction((tx) =>
    house.emit(tx, directMessageRefused, { programId: house.program.id, userId: alan.userId, key: tell!.key }),
  )
  await house.drain()
  await erase()
  expect((await house.app.inject({ url: signing })).statusCode).toBe(404)
  expect({ id: await tablesWith(alan.userId), email: await tablesWith(email) }).toEqual({ id: [], email: [] })
})

describe('somebody whose money is on its way', () => {
  test('is not erased before it has arrived or come back; what comes back afterwards the staff is told of', async () => {
    const { sql } = house.connection
    for (const [setting, value] of [
      ['payouts manual', 'true'],
      ['payouts methodCoolingHours', '0'],
      ['commissions holdDays', '0'],
    ])
      await house.run('admin settings set', { setting, value }, admin)
    const linus = await trade.aPartner()
    const [page] = controlsOf(await house.run('payout setup', { provider: 'manual' }, linus)).filter((url) =>
      url.startsWith('http'),
    )
    await house.app.inject({
      method: 'POST',
      url: new URL(page!).pathname,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'reference=Supplier',
    })
    await soldBy(linus, { gross: 60_000n })
    await house.drain()
    await house.tick('commissions.release')
    await house.drain()
    await house.run('admin payouts run', {}, admin)
    await house.drain()

    const ask = () => house.run('admin privacy erase', { user: { id: linus.userId } }, admin)
    const erase = `house.privacy-erase:${linus.userId}`
    for (const refused of [await ask(), await house.press(erase, {}, admin)]) {
      expect(wordsOf(refused)).toContain('cannot be erased yet')
      expect(wordsOf(refused)).toMatch(/\$120\.00.*was not sent yet.*\/admin payouts cancel/s)
      expect(controlsOf(refused)).not.toContain(erase)
    }
    await house.run('admin payouts export', {}, admin)
    expect(wordsOf(await house.press(erase, {}, admin))).toMatch(/\$120\.00.*is on its way/s)
    expect(await tablesWith(linus.userId)).toContain('partners_partners')

    const [payout] = await sql`select id, provider_id from payouts_payouts where partner_id = ${linus.id}`
    const told = (outcome: 'paid' | 'returned') =>
      house.db.transaction((tx) =>
        house.use(payouts).confirm(tx, 'manual', payout!.provider_id as string, outcome, 'Account closed.'),
      )
    await told('paid')
    expect(controlsOf(await ask())).toContain(erase)
    expect(wordsOf(await house.press(erase, {}, admin))).toContain('The person is erased')
    await told('returned')
    await house.drain()
    const [message] = await sql`select payload from core_messages where key = ${`payouts.came_back_erased:${payout!.id}`}`
    expect(wordsOf(message!.payload)).toMatch(/\$120\.00.*Account closed\..*\/admin commissions void/s)
    expect(wordsOf(await house.run('admin payouts dry-run', {}, admin))).toContain('Erased partner')
    const [commission] = await sql`select id from commissions_commissions where partner_id = ${linus.id}`
    const voided = await house.run('admin commissions void', { commission: commission!.id, reason: 'paid by hand' }, admin)
    expect(wordsOf(voided)).not.toContain('<@erased')
    expect(await trade.balances(linus)).toEqual({})
    expect(wordsOf(await house.run('admin payouts dry-run', {}, admin))).not.toContain('Erased partner')
    expect(wordsOf(await house.run('admin ledger proof', {}, admin))).toContain('The books hold')
  })
})
