// What rests while a partner is suspended, and comes back: links, credit, holds, payouts, roles and the leaderboard, all through the admins' commands.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { controlsOf, type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import type { Message } from '../../commands/messages.ts'
import { channels } from '../channels/plugin.ts'
import { earningPlugins, type TestPartner, type Trade, tradeIn } from '../commissions/testing.ts'
import { days, memberLeft, minutes } from '../kit/index.ts'
import { leaderboards } from '../leaderboards/plugin.ts'
import { links } from '../links/plugin.ts'
import { browser } from '../links/testing.ts'
import { payouts } from '../payouts/plugin.ts'
import { payByHand } from '../payouts/testing.ts'
import { partnerActivated } from './events.ts'

const boss = { userId: '100000000000000003', username: 'boss', isAdmin: true }
const second = { userId: '100000000000000004', username: 'second', isAdmin: true }

let house: TestHouse
let trade: Trade
let ada: TestPartner
beforeAll(async () => {
  house = await testHouse([...earningPlugins, channels, links, payouts, leaderboards])
  trade = tradeIn(house)
  await house.set('links', 'landingPage', 'https://shop.example.com/')
  await house.set('payouts', 'manual', true)
  await house.set('payouts', 'methodCoolingHours', 0)
  await house.connection
    .sql`insert into core_guild_objects (program_id, kind, key, discord_id) values (${house.program.id}, 'channel', 'channels:leaderboard', '777')`
})
afterAll(() => house.close())
beforeEach(async () => {
  house.clock.advance(days(1))
  await house.set('payouts', 'approvalAbove', '5000.00')
  await house.connection.sql`update payouts_methods set chosen = false`
  ada = await trade.aPartner()
  const who = { programId: house.program.id, partnerId: ada.id, userId: ada.userId, industry: 'saas' }
  await house.db.transaction((tx) => house.emit(tx, partnerActivated, who))
  await house.drain()
})

const act = async (name: 'suspend' | 'reinstate') => {
  house.clock.advance(minutes(1))
  await house.run(`admin partners ${name}`, { user: { id: ada.userId }, reason: 'A look at your advert' }, boss)
  await house.drain()
}
const sell = async (gross = 50_000n) => {
  const id = await trade.record(trade.aPayment(ada, { gross }))
  await house.drain()
  return id
}
const release = async () => {
  house.clock.advance(days(31))
  await house.tick('commissions.release')
  await house.drain()
}
const leave = async () => {
  await house.db.transaction((tx) => house.emit(tx, memberLeft, { programId: house.program.id, userId: ada.userId }))
  await house.drain()
}
const holderOf = async (saleId: string) =>
  (await house.connection.sql`select partner_id from attribution_sales where id = ${saleId}`)[0]!.partner_id as string | null
const commissionStates = async () =>
  (await house.connection.sql`select state, reason from commissions_commissions where partner_id = ${ada.id} order by id`).map(
    ({ state, reason }) => [state, reason],
  )
const payoutStates = async () =>
  (await house.connection.sql`select state from payouts_payouts where partner_id = ${ada.id} order by prepared_at, id`).map(
    ({ state }) => state,
  )
const run = async () => {
  await house.run('admin payouts run', {}, boss)
  await house.drain()
}

test('links lead nowhere, and lead on when the suspension ends', async () => {
  const url = controlsOf(await house.run('link create', {}, ada)).find((control) => control.includes('/r/'))!
  const visit = async () =>
    (await house.app.inject({ url: new URL(url).pathname, headers: { 'user-agent': browser } })).headers.location ?? 'nowhere'
  expect(await visit()).toContain('shop.example.com')
  await act('suspend')
  expect(await visit()).toBe('nowhere')
  await expect(house.run('link create', {}, ada)).rejects.toMatchObject({ code: 'partner_suspended' })
  await act('reinstate')
  expect(await visit()).toContain('shop.example.com')
})

test('the roles that open the channels are taken, and given back', async () => {
  const roles = async () =>
    (await house.connection.sql`select wanted from core_member_roles where user_id = ${ada.userId}`).map(({ wanted }) => wanted)
  expect(await roles()).toEqual([true, true])
  await act('suspend')
  expect(await roles()).toEqual([false, false])
  await act('reinstate')
  expect(await roles()).toEqual([true, true])
})

test('the leaderboard is drawn without them, and with them again', async () => {
  const board = async () => {
    await house.drain()
    const [row] = (await house.connection
      .sql`select payload from core_messages where target = 'channels:leaderboard' order by created_at desc, id desc limit 1`) as unknown as [
      { payload: Message },
    ]
    return wordsOf(row.payload)
  }
  await sell(90_000_000n)
  house.clock.advance(minutes(10))
  expect(await board()).toContain(`<@${ada.userId}>`)
  await act('suspend')
  expect(await board()).not.toContain(`<@${ada.userId}>`)
  await act('reinstate')
  expect(await board()).toContain(`<@${ada.userId}>`)
})

describe('what they earn', () => {
  test('meanwhile is not credited to them, also by a customer of theirs, and what comes afterwards is', async () => {
    const customer = { key: `cus_of_${ada.id}`, emailHash: undefined, country: 'DE' }
    const renew = async () => {
      const saleId = await trade.record(trade.aPayment(undefined, { customer }))
      await house.drain()
      return holderOf(saleId)
    }
    await trade.record(trade.aPayment(ada, { customer }))
    await house.drain()
    await act('suspend')
    expect(await holderOf(await sell())).toBeNull()
    expect(await renew()).toBeNull()
    await act('reinstate')
    expect(await renew()).toBe(ada.id)
    expect(await holderOf(await sell())).toBe(ada.id)
    expect(await trade.findings()).toEqual([])
  })

  test('before and falls due meanwhile is held, and payable once they are reinstated', async () => {
    await sell()
    await act('suspend')
    await release()
    expect(await commissionStates()).toEqual([['held', 'ineligible_status']])
    expect(await trade.balances(ada)).toEqual({ held: 10_000n })
    await act('reinstate')
    await release()
    expect(await commissionStates()).toMatchObject([['payable', null]])
    expect(await trade.balances(ada)).toEqual({ payable: 10_000n })
    expect(await trade.findings()).toEqual([])
  })

  test('before is theirs once they are reinstated, also if they left meanwhile', async () => {
    await sell()
    await act('suspend')
    await release()
    await leave()
    expect(await commissionStates()).toEqual([['held', 'ineligible_status']])
    await act('reinstate')
    await release()
    expect(await commissionStates()).toMatchObject([['payable', null]])
    expect(await trade.findings()).toEqual([])
  })

  test('stays held while what they signed is out of date, until they sign', async () => {
    await sell()
    await act('suspend')
    await release()
    const { sql } = house.connection
    await sql`alter table agreements_signatures disable trigger user`
    await sql`delete from agreements_signatures where partner_id = ${ada.id}`
    await sql`alter table agreements_signatures enable trigger user`
    await expect(house.run('agreement', {}, ada)).rejects.toMatchObject({ code: 'cannot_sign' })
    await act('reinstate')
    await release()
    expect(await commissionStates()).toEqual([['held', 'agreement_unsigned']])
    const tells =
      (await sql`select message from notifications_tells where user_id = ${ada.userId} order by created_at desc limit 1`) as unknown as [
        { message: Message },
      ]
    expect(wordsOf(tells[0].message)).toContain('one step is missing: **Sign the agreement**')
    await trade.sign(ada)
    await release()
    expect(await commissionStates()).toMatchObject([['payable', null]])
    expect(await trade.findings()).toEqual([])
  })
})

describe('a payout', () => {
  const payable = async () => {
    await payByHand(house, ada, 'Supplier 4711')
    await sell()
    await release()
    expect(await trade.balances(ada)).toEqual({ payable: 10_000n })
  }

  test('is not made, and is made by the next run afterwards', async () => {
    await payable()
    await act('suspend')
    await run()
    expect(await payoutStates()).toEqual([])
    await act('reinstate')
    await run()
    expect(await payoutStates()).toEqual(['queued'])
  })

  test.each([
    ['was just prepared', '5000.00', 'queued'],
    ['waits for a second admin', '1.00', 'awaiting_approval'],
  ])('that %s is taken back at once, which the staff reads', async (_, approvalAbove, state) => {
    await house.set('payouts', 'approvalAbove', approvalAbove)
    await payable()
    await run()
    expect(await payoutStates()).toEqual([state])
    const [before] = await house.connection.sql`select id from payouts_payouts where partner_id = ${ada.id}`
    await house.run('admin partners suspend', { user: { id: ada.userId }, reason: 'A look at your advert' }, second)
    await house.drain()
    expect(await payoutStates()).toEqual(['cancelled'])
    expect(await trade.balances(ada)).toEqual({ held: 10_000n })
    const [note] = await house.connection.sql`select payload from core_messages where key = ${`payouts.taken_back:${before!.id}`}`
    expect(JSON.stringify(note)).toContain('is not an active partner')
    await act('reinstate')
    await release()
    expect(await trade.balances(ada)).toEqual({ payable: 10_000n })
    expect(await trade.findings()).toEqual([])
  })
})
