// From what the local Stripe says of an account, over signed webhooks, to the gate before a partner's payout.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { controlsOf, type TestHouse, wordsOf } from '../../app/testing.ts'
import type { StripeSandbox } from '../../sandbox/stripe/index.ts'
import type { TestPartner } from '../commissions/testing.ts'
import { hours } from '../kit/index.ts'
import { tax } from '../tax/plugin.ts'
import { type PayingHouse, payingHouse } from './testing.ts'

const boss = { isAdmin: true, userId: '1', username: 'boss' }
let paying: PayingHouse
let sandbox: StripeSandbox
let house: TestHouse

beforeAll(async () => {
  paying = await payingHouse([tax])
  ;({ sandbox, house } = paying)
})
afterAll(() => paying.close())

const settled = () => paying.settled()
const aPartner = () => paying.aPartner()
const taxNumberIs = (account: string, state: string) => paying.act(`accounts/${account}/tax_number`, { state })

/** The partner opens Stripe's page and returns from it to ours. */
async function comesBack(ada: TestPartner): Promise<void> {
  const [page] = controlsOf(await house.run('payout setup', { provider: 'stripe' }, ada))
  const answer = await fetch(page!, { method: 'POST', redirect: 'manual' })
  expect((await house.app.inject(new URL(answer.headers.get('location')!).pathname)).body).toContain('ready')
  await house.drain()
}
const formOf = (ada: TestPartner) => house.use(tax).formOf(house.db, house.program.id, ada.id)
const statusOf = async (ada: TestPartner) => (await formOf(ada))?.status
async function paidAfterRun(ada: TestPartner): Promise<number> {
  await house.run('admin payouts run', {}, boss)
  await settled()
  return (await house.connection.sql`select 1 from payouts_payouts where partner_id = ${ada.id} and state = 'paid'`).length
}

test('the gate opens and closes by what Stripe says of the tax number', async () => {
  const { ada, account } = await aPartner()
  expect(await statusOf(ada)).toBeUndefined()
  for (const [state, status] of [
    ['due', 'requested'],
    ['checking', 'submitted'],
    ['refused', 'rejected'],
  ] as const) {
    await taxNumberIs(account, state)
    await settled()
    expect(await statusOf(ada)).toBe(status)
    expect(await paidAfterRun(ada)).toBe(0)
  }
  await taxNumberIs(account, 'verified')
  await settled()
  expect(await paidAfterRun(ada)).toBe(1)
  const words = wordsOf(await house.run('admin tax status', { partner: { id: ada.userId } }, boss))
  expect(words).toMatch(/W\\-9 for US is valid[\s\S]*Told by the payment provider \(stripe\)/)
})

test('events that come in another order leave what Stripe said last', async () => {
  const { ada, account } = await aPartner()
  sandbox.webhooks.hold()
  for (const state of ['due', 'checking', 'verified']) await taxNumberIs(account, state)
  sandbox.webhooks.release('reversed')
  await settled()
  expect(await statusOf(ada)).toBe('valid')
})

test('what Stripe answers when the partner comes back counts, and news of before that come later do not', async () => {
  const { ada, account } = await aPartner()
  sandbox.webhooks.hold()
  for (const state of ['due', 'verified']) await taxNumberIs(account, state)
  house.clock.advance(hours(1))
  await comesBack(ada)
  const since = house.clock.now()
  expect(await formOf(ada)).toMatchObject({ status: 'valid', since })
  house.clock.advance(hours(1))
  sandbox.webhooks.release()
  await settled()
  expect(await formOf(ada)).toMatchObject({ status: 'valid', since })
  sandbox.webhooks.hold()
  await taxNumberIs(account, 'refused')
  const refused = house.clock.now()
  house.clock.advance(hours(1))
  sandbox.webhooks.release()
  await settled()
  expect(await formOf(ada)).toMatchObject({ status: 'rejected', since: refused })
})
