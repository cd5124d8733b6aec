// A house that pays partners through the local Stripe at once: no holding time, nothing to approve, webhooks signed and delivered. For tests.
import { type TestHouse, testHouse } from '../../app/testing.ts'
import { createStripeSandbox, type StripeSandbox } from '../../sandbox/stripe/index.ts'
import { earningPlugins, type TestPartner, tradeIn } from '../commissions/testing.ts'
import { hours, type Plugin } from '../kit/index.ts'
import { payouts } from '../payouts/plugin.ts'
import { stripe } from './plugin.ts'

export interface PayingHouse {
  readonly house: TestHouse
  readonly sandbox: StripeSandbox
  /** Waits until the webhooks are delivered and what came of them is done. */
  settled(): Promise<void>
  /** An hour later, or after that time, something happens at Stripe. */
  act(path: string, body?: object, afterMs?: number): Promise<void>
  /** Stripe fails at what matches, until its client gives up once. */
  trouble(match: string): Promise<void>
  /** A partner with an account at Stripe, who has earned $2,000. */
  aPartner(): Promise<{ ada: TestPartner; account: string }>
  close(): Promise<void>
}

const secrets = { platform: 'whsec_platform', connect: 'whsec_connect' }

export async function payingHouse(more: readonly Plugin[] = []): Promise<PayingHouse> {
  let house: TestHouse | undefined
  const sandbox = await createStripeSandbox({
    clock: { now: () => house?.clock.now() ?? new Date('2026-11-02T09:00:00Z') },
    payoutDelayMs: null,
    funds: { usd: 100_000_000 },
  })
  house = await testHouse([...earningPlugins, payouts, ...more, stripe], {
    environment: {
      STRIPE_SECRET_KEY: 'sk_test_sandbox',
      STRIPE_WEBHOOK_SECRET: `${secrets.platform},${secrets.connect}`,
      STRIPE_API_URL: sandbox.url,
    },
  })
  const { app, clock, connection, drain, run, set, tick } = house
  const trade = tradeIn(house)
  const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/webhooks/stripe`
  sandbox.addWebhook({ url, secret: secrets.platform })
  sandbox.addWebhook({ url, secret: secrets.connect, connect: true })
  await set('commissions', 'holdDays', 0)
  await set('payouts', 'methodCoolingHours', 0)
  await set('payouts', 'approvalAbove', '99999999.00')

  const settled = async () => {
    await sandbox.webhooks.idle()
    await drain()
  }
  const control = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${sandbox.url}/sandbox/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(await answer.text())
  }
  const act = async (path: string, body: object = {}, afterMs = hours(1)) => {
    clock.advance(afterMs)
    await control(`stripe/${path}`, body)
  }
  return {
    house,
    sandbox,
    settled,
    act,
    trouble: (match) => control('faults', { match, kind: 'status', status: 503, count: 2 }),
    aPartner: async () => {
      const ada = await trade.aPartner()
      await run('payout setup', { provider: 'stripe' }, ada)
      const [method] = await connection.sql`select account from payouts_methods where partner_id = ${ada.id}`
      await act(`accounts/${method!.account}/onboard`)
      await trade.record(trade.aPayment(ada, { gross: 1_000_000n }))
      await settled()
      await tick('commissions.release')
      await drain()
      return { ada, account: method!.account }
    },
    close: async () => {
      sandbox.close()
      await house.close()
    },
  }
}
