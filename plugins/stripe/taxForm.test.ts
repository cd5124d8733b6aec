// From what the local Stripe says of an account, over signed webhooks, to the gate before a partner's payout.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { controlsOf, type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import { createStripeSandbox, type StripeSandbox } from '../../sandbox/stripe/index.ts'
import { earningPlugins, type TestPartner, type Trade, tradeIn } from '../commissions/testing.ts'
import { hours } from '../kit/index.ts'
import { payouts } from '../payouts/plugin.ts'
import { tax } from '../tax/plugin.ts'
import { stripe } from './plugin.ts'

const boss = { isAdmin: true, userId: '1', username: 'boss' }
const secrets = { platform: 'whsec_platform', connect: 'whsec_connect' }
let sandbox: StripeSandbox
let house: TestHouse
let trade: Trade

beforeAll(async () => {
  sandbox = await createStripeSandbox({
    clock: { now: () => house?.clock.now() ?? new Date('2026-11-02T09:00:00Z') },
    payoutDelayMs: null,
    funds: { usd: 1_000_000 },
  })
  house = await testHouse([...earningPlugins, payouts, tax, stripe], {
    environment: {
      STRIPE_SECRET_KEY: 'sk_test_sandbox',
      STRIPE_WEBHOOK_SECRET: `${secrets.platform},${secrets.connect}`,
      STRIPE_API_URL: sandbox.url,
    },
  })
  trade = tradeIn(house)
  const url = `${await house.app.listen({ host: '127.0.0.1', port: 0 })}/webhooks/stripe`
  sandbox.addWebhook({ url, secret: secrets.platform })
  sandbox.addWebhook({ url, secret: secrets.connect, connect: true })
  await house.set('commissions', 'holdDays', 0)
  await house.set('payouts', 'methodCoolingHours', 0)
  await house.set('payouts', 'approvalAbove', '99999999.00')
})
afterAll(async () => {
  sandbox.close()
  await house.close()
})

const settled = async () => {
  await sandbox.webhooks.idle()
  await house.drain()
}
async function act(path: string, body: object = {}): Promise<void> {
  house.clock.advance(hours(1))
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${sandbox.url}/sandbox/stripe/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(await answer.text())
}
const taxNumberIs = (account: string, state: string) => act(`accounts/${account}/tax_number`, { state })

/** A partner with an account at Stripe, who has earned $2,000. */
async function aPartner(): Promise<{ ada: TestPartner; account: string }> {
  const ada = await trade.aPartner()
  await house.run('payout setup', { provider: 'stripe' }, ada)
  const [method] = await house.connection.sql`select account from payouts_methods where partner_id = ${ada.id}`
  await act(`accounts/${method!.account}/onboard`)
  await trade.record(trade.aPayment(ada, { gross: 1_000_000n }))
  await settled()
  await house.tick('commissions.release')
  await house.drain()
  return { ada, account: method!.account }
}

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
