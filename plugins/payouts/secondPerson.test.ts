// That no admin lets a large run go alone, whatever they do to the settings before.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { controlsOf, type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import { housePlugin } from '../../commands/plugin.ts'
import { earningPlugins, type TestPartner, type Trade, tradeIn } from '../commissions/testing.ts'
import { days, hours } from '../kit/index.ts'
import { config } from './config.ts'
import { approvalBar, thresholdIn } from './decide.ts'
import { payouts } from './plugin.ts'
import { payByHand } from './testing.ts'

const boss = { isAdmin: true, userId: '1', username: 'boss' }
const second = { isAdmin: true, userId: '2', username: 'second' }

let house: TestHouse
let trade: Trade
beforeAll(async () => {
  const own = housePlugin({ commands: () => house.loaded.commands, plugins: () => house.loaded.plugins, reconcile: async () => [] })
  house = await testHouse([...earningPlugins, payouts, own])
  trade = tradeIn(house)
  await house.set('commissions', 'holdDays', 0)
  await house.set('payouts', 'methodCoolingHours', 0)
  await house.set('payouts', 'manual', true)
})
afterAll(() => house.close())
beforeEach(async () => {
  await house.set('payouts', 'scheduleDay', 0)
  await house.set('payouts', 'approvalAbove', '5000.00')
  await house.set('payouts', 'approvalAboveByCurrency', {})
  // What earlier tests prepared and set counts no more.
  house.clock.advance(days(40))
  await house.tick('payouts.monthly')
  await house.drain()
})

async function aPayablePartner(amount: bigint): Promise<TestPartner> {
  const partner = await trade.aPartner()
  await payByHand(house, partner, 'Supplier 4711')
  await trade.record(trade.aPayment(partner, { gross: amount * 5n }))
  await house.drain()
  await house.tick('commissions.release')
  await house.drain()
  return partner
}
const set = (setting: string, value: string, visitor = boss) => house.run('admin settings set', { setting, value }, visitor)
const run = (visitor = boss) => house.run('admin payouts run', {}, visitor).then(wordsOf)
const today = () => String(house.clock.now().getUTCDate())
/** Of the month at hand, a day that the schedule can have. */
const toTheTenth = () => {
  const now = house.clock.now()
  house.clock.set(new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 10, 12)))
}
const stateOf = async ({ id }: TestPartner) =>
  (await house.connection.sql`select state from payouts_payouts where partner_id = ${id}`).map(({ state }) => state as string)
const waitingButtons = async (visitor = boss) => {
  const card = await house.run('admin payouts approve', {}, visitor)
  return { words: wordsOf(card), approve: controlsOf(card).find((control) => control.startsWith('payouts.approve:'))! }
}
const approveAs = async (visitor = boss) => house.press((await waitingButtons(visitor)).approve, {}, visitor)

describe('a run that the schedule made on the day that an admin set', () => {
  const scheduled = async () => {
    toTheTenth()
    const ada = await aPayablePartner(600_000n)
    await set('payouts scheduleDay', today())
    await house.tick('payouts.monthly')
    await house.drain()
    expect(await stateOf(ada)).toEqual(['awaiting_approval'])
    return ada
  }

  test('is not theirs to approve, is told to be so, and waits for another admin', async () => {
    const ada = await scheduled()
    const { words, approve } = await waitingButtons()
    expect(words).toMatch(/You set the day of the schedule .*another admin must approve it.*yourself from <t:\d+:f>/)
    await expect(house.press(approve, {}, boss)).rejects.toMatchObject({ code: 'second_person_needed' })
    await set('payouts scheduleDay', '0')
    await expect(house.press(approve, {}, boss)).rejects.toThrow('another admin must approve it')
    expect(await stateOf(ada)).toEqual(['awaiting_approval'])
    expect((await waitingButtons(second)).words).not.toContain('You set the day')
    await approveAs(second)
    expect(await stateOf(ada)).toEqual(['queued'])
  })

  test('is theirs to approve after seven days: a server with one admin comes to no dead end', async () => {
    const ada = await scheduled()
    house.clock.advance(days(7) - 1)
    await expect(approveAs()).rejects.toMatchObject({ code: 'second_person_needed' })
    house.clock.advance(1)
    await approveAs()
    expect(await stateOf(ada)).toEqual(['queued'])
  })

  test('long before, or only afterwards, is theirs to approve as anybody’s', async () => {
    toTheTenth()
    await set('payouts scheduleDay', today())
    await house.tick('payouts.monthly')
    toTheTenth()
    const ada = await aPayablePartner(600_000n)
    await house.tick('payouts.monthly')
    await house.drain()
    house.clock.advance(hours(1))
    await set('payouts scheduleDay', '28')
    await approveAs()
    expect(await stateOf(ada)).toEqual(['queued'])
  })

  test.each([
    ['only afterwards, is approved by them', [9], null],
    ['three days before, is approved by them from the tenth on', [3], 10],
    ['several times, is approved by them seven days after the last before it', [3, 5, 9], 12],
    ['never, is approved by them', [], null],
  ])('%s', (_, set, until) => {
    const day = (n: number) => new Date(Date.UTC(2027, 0, n))
    const made = { startedAt: day(6), payouts: [] }
    const admin = { userId: '1', partnerId: undefined, setTheDay: set.map(day) }
    expect(approvalBar({ ...made, actor: 'schedule' }, admin)).toEqual(
      until === null ? null : { because: 'set_the_day', until: day(until) },
    )
    expect(approvalBar({ ...made, actor: '2' }, admin)).toBeNull()
  })
})

describe('a threshold', () => {
  test.each([
    ['payouts approvalAbove', '999999.00'],
    ['payouts approvalAboveByCurrency', '{"USD": "999999.00"}'],
  ])('that was raised by %s counts seven days later, and the admin who runs reads when', async (setting, value) => {
    const ada = await aPayablePartner(600_000n)
    await set(setting, value)
    expect(await run()).toMatch(/another admin runs[\s\S]*raised lately: the one before counts until <t:\d+:f>/)
    expect(await stateOf(ada)).toEqual(['awaiting_approval'])
    await expect(approveAs()).rejects.toMatchObject({ code: 'second_person_needed' })
    house.clock.advance(days(7))
    const { approve } = await waitingButtons()
    await house.press(approve.replace('payouts.approve:', 'payouts.reject:').replace(/:\d+$/, ''), {}, boss)
    await run()
    expect((await stateOf(ada)).toSorted()).toEqual(['cancelled', 'queued'])
  })

  test('that was raised holds the schedule’s run, too, however often it was changed', async () => {
    toTheTenth()
    const ada = await aPayablePartner(600_000n)
    await set('payouts approvalAbove', '999999.00')
    house.clock.advance(hours(1))
    await set('payouts approvalAbove', '888888.00', second)
    await house.set('payouts', 'scheduleDay', 10)
    await house.tick('payouts.monthly')
    await house.drain()
    expect(await stateOf(ada)).toEqual(['awaiting_approval'])
    await approveAs()
  })

  test('that was lowered counts at once, and is told without a date', async () => {
    const ada = await aPayablePartner(60_000n)
    await set('payouts approvalAbove', '100.00')
    const words = await run()
    expect(words).toContain('another admin runs')
    expect(words).not.toContain('raised lately')
    expect(await stateOf(ada)).toEqual(['awaiting_approval'])
    await approveAs(second)
  })

  test('of a change that tells nothing of before is that of the settings', () => {
    const now = new Date('2027-01-10T00:00:00Z')
    const change = (before: object) => ({ key: 'approvalAbove', actor: '1', at: now, before: config.parse(before) })
    const raised = config.parse({ approvalAbove: '9000' })
    expect(thresholdIn('USD', raised, [change(raised)])).toEqual({ above: 900_000n, later: undefined })
    expect(thresholdIn('JPY', raised, [change({ approvalAboveByCurrency: { JPY: '700' } }), change({})])).toEqual({
      above: 700n,
      later: { above: 9_000n, from: new Date('2027-01-17T00:00:00Z') },
    })
  })
})
