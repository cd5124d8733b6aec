// Payouts through the local Stripe whose webhooks are lost: what Stripe says when it is asked counts.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createActing } from '../../app/acting.ts'
import { createLog } from '../../app/log.ts'
import type { TestHouse } from '../../app/testing.ts'
import { commissions } from '../commissions/plugin.ts'
import type { TestPartner } from '../commissions/testing.ts'
import { days, hours, minutes } from '../kit/index.ts'
import { ledger } from '../ledger/plugin.ts'
import { payouts } from '../payouts/plugin.ts'
import { type PayingHouse, payingHouse } from './testing.ts'

const boss = { isAdmin: true, userId: '1', username: 'boss' }
let paying: PayingHouse
let house: TestHouse

beforeAll(async () => {
  paying = await payingHouse()
  ;({ house } = paying)
})
afterAll(() => paying.close())
beforeEach(async () => {
  paying.sandbox.webhooks.release()
  await paying.settled()
})

const payoutOf = async (partner: TestPartner | undefined) =>
  (await house.connection.sql`select state, provider_id from payouts_payouts where partner_id = ${partner!.id}`)[0]!
/** These are paid, and no event of it arrives. */
async function paidSilently(count: number): Promise<TestPartner[]> {
  const all: TestPartner[] = []
  while (all.length < count) all.push((await paying.aPartner()).ada)
  paying.sandbox.webhooks.hold()
  await house.run('admin payouts run', {}, boss)
  await house.drain()
  return all
}
const askStripe = async () => {
  house.clock.advance(minutes(15))
  await house.tick('stripe.reconcile')
  await house.drain()
}

test('a transfer that no event confirmed is confirmed by asking, a quarter of an hour later', async () => {
  const [ada] = await paidSilently(1)
  await house.tick('stripe.reconcile')
  expect((await payoutOf(ada)).state).toBe('sent')
  await askStripe()
  expect((await payoutOf(ada)).state).toBe('paid')
  paying.sandbox.webhooks.release()
  await paying.settled()
  expect((await payoutOf(ada)).state).toBe('paid')
  expect((await house.use(ledger).prove(house.db, house.program.id)).ok).toBe(true)
})

test.each([
  ['told', () => paying.sandbox.webhooks.release()],
  ['asked', () => house.tick('stripe.reconcile')],
])('a payout counts as paid when Stripe made its transfer, however late that is %s', async (_, hear) => {
  const [ada] = await paidSilently(1)
  const madeAt = house.clock.now()
  house.clock.advance(days(3))
  await hear()
  await paying.settled()
  expect((await payoutOf(ada)).state).toBe('paid')
  const then = { from: new Date(madeAt.getTime() - hours(1)), to: new Date(madeAt.getTime() + hours(1)) }
  expect(await house.use(payouts).paidBetween(house.db, house.program.id, then, [ada!.id])).toMatchObject([{ payouts: 1 }])
})

test('one that was reversed meanwhile comes back, and what was told of its making later changes nothing', async () => {
  const [ada] = await paidSilently(1)
  const { provider_id } = await payoutOf(ada)
  await paying.act(`transfers/${provider_id}/reverse`)
  await askStripe()
  expect((await payoutOf(ada)).state).toBe('returned')
  paying.sandbox.webhooks.release()
  await paying.settled()
  expect((await payoutOf(ada)).state).toBe('returned')
  expect((await house.use(ledger).prove(house.db, house.program.id)).ok).toBe(true)
})

test('of transfers that are confirmed at once, one whose partner’s books are in use holds up no other', async () => {
  const both = await paidSilently(2)
  const states = async () => Promise.all(both.map(async (partner) => (await payoutOf(partner)).state))
  let letGo = () => {}
  const gate = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const holding = house.db.transaction(async (tx) => {
    await house.use(commissions).lock(tx, { programId: house.program.id, partnerId: both[1]!.id, currency: 'USD' })
    await gate
  })
  paying.sandbox.webhooks.release()
  await paying.sandbox.webhooks.idle()
  const draining = createActing({ ...house, log: createLog('silent'), atOnce: 4 }).drain()
  try {
    await expect.poll(states, { timeout: 3_000 }).toEqual(['paid', 'sent'])
  } finally {
    letGo()
    await Promise.all([holding, draining])
  }
  expect(await states()).toEqual(['paid', 'paid'])
})

test('one that Stripe does not show keeps no other from being asked about', async () => {
  const [lost, ada] = await paidSilently(2)
  await house.connection.sql`update payouts_payouts set provider_id = 'tr_gone' where partner_id = ${lost!.id}`
  await askStripe()
  expect([(await payoutOf(lost)).state, (await payoutOf(ada)).state]).toEqual(['sent', 'paid'])
})

test('where Stripe does not answer for one, the others are asked about, and that one in the next round', async () => {
  const [unlucky, ada] = await paidSilently(2)
  await paying.trouble(`GET /v1/transfers/${(await payoutOf(unlucky)).provider_id}`)
  house.clock.advance(minutes(15))
  await expect(house.tick('stripe.reconcile')).rejects.toThrow()
  expect([(await payoutOf(unlucky)).state, (await payoutOf(ada)).state]).toEqual(['sent', 'paid'])
  await askStripe()
  expect((await payoutOf(unlucky)).state).toBe('paid')
})
