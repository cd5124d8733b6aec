// Bad input through the real door: signed webhooks and real services. Nothing is dropped, nothing answers with 500, and an admin sees each with its reason.
import Stripe from 'stripe'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import { programStore } from '../../db/programs.ts'
import { createStripeSandbox, type StripeSandbox } from '../../sandbox/stripe/index.ts'
import { channels } from '../channels/plugin.ts'
import { commissions } from '../commissions/plugin.ts'
import { earningPlugins, type Trade, tradeIn } from '../commissions/testing.ts'
import { coupons } from '../coupons/plugin.ts'
import { newId } from '../kit/index.ts'
import { payouts } from '../payouts/plugin.ts'
import { createClient } from './client.ts'
import { stripe as stripePlugin } from './plugin.ts'

const secret = 'whsec_bad_input'
const admin = { isAdmin: true, userId: '1' }
let sandbox: StripeSandbox
let house: TestHouse
let trade: Trade
let stripe: Stripe
let count = 0
beforeAll(async () => {
  sandbox = await createStripeSandbox({
    clock: { now: () => house?.clock.now() ?? new Date('2026-11-02T09:00:00Z') },
    payoutDelayMs: null,
    funds: { usd: 1_000_000 },
  })
  house = await testHouse([...earningPlugins, channels, payouts, coupons, stripePlugin], {
    environment: { STRIPE_SECRET_KEY: 'sk_test_sandbox', STRIPE_WEBHOOK_SECRET: secret, STRIPE_API_URL: sandbox.url },
  })
  const address = await house.app.listen({ host: '127.0.0.1', port: 0 })
  sandbox.addWebhook({ url: `${address}/webhooks/stripe`, secret })
  stripe = createClient({ secretKey: 'sk_test_sandbox', apiUrl: sandbox.url })
  trade = tradeIn(house)
})
afterAll(async () => {
  sandbox.close()
  await house.close()
})
beforeEach(async () => {
  await house.connection.sql`update core_webhooks set handled_at = now() where parked_at is not null`
  await house.connection.sql`update core_outbox set done_at = now() where done_at is null`
})

const send = async (event: object) => {
  const payload = JSON.stringify(event)
  const timestamp = Math.floor(house.clock.now().getTime() / 1000)
  const answer = await house.app.inject({
    method: 'POST',
    url: '/webhooks/stripe',
    payload,
    headers: {
      'content-type': 'application/json',
      'stripe-signature': Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp }),
    },
  })
  expect(answer.statusCode).toBe(200)
}
const now = () => Math.floor(house.clock.now().getTime() / 1000)
const anEvent = (type: string, object: object, more: object = {}) => ({
  id: `evt_bad${++count}`,
  object: 'event',
  type,
  created: now(),
  data: { object },
  ...more,
})
const aCharge = (given: object = {}) => ({
  object: 'charge',
  id: `ch_bad${++count}`,
  payment_intent: `pi_bad${count}`,
  status: 'succeeded',
  amount_captured: 5_000,
  amount_refunded: 0,
  currency: 'usd',
  metadata: {},
  created: now(),
  ...given,
})
const aSession = (charge: { payment_intent: string }, given: object = {}) => ({
  object: 'checkout.session',
  id: `cs_bad${++count}`,
  payment_intent: charge.payment_intent,
  client_reference_id: null,
  metadata: {},
  status: 'complete',
  payment_status: 'paid',
  currency: 'usd',
  amount_total: 5_000,
  total_details: { amount_tax: 0, amount_shipping: 0 },
  customer: `cus_bad${count}`,
  customer_details: { email: `buyer${count}@example.org` },
  ...given,
})
const parked = async () => wordsOf(await house.run('admin stripe parked', {}, admin))
const salesOf = (payment: string) => house.connection.sql`select * from attribution_sales where payment_key = ${payment}`
const failedWork = async () =>
  (await house.connection.sql`select name, last_error from core_outbox where failed_at is not null and done_at is null`).length

describe('an invoice that was paid outside Stripe', () => {
  const anInvoice = (given: object = {}) => ({
    object: 'invoice',
    id: `in_outside${++count}`,
    status: 'paid',
    billing_reason: 'manual',
    currency: 'usd',
    total: 500_000,
    amount_due: 500_000,
    customer: `cus_outside${count}`,
    metadata: {},
    created: now(),
    lines: { data: [] },
    ...given,
  })
  const aRecord = (invoice: { id: string }) => ({
    object: 'invoice_payment',
    id: `inpay_outside${++count}`,
    invoice: invoice.id,
    status: 'paid',
    payment: { type: 'payment_record', payment_record: 'pr_1' },
  })
  const aWhileLater = async () => {
    await house.drain()
    house.clock.advance(6_000)
    await house.drain()
  }

  test.each([['with'], ['without']])(
    '%s a record of the payment is parked once, with what to do, until it is reported as a sale',
    async (which) => {
      const invoice = anInvoice()
      await send(anEvent('invoice.paid', invoice))
      if (which === 'with') await send(anEvent('invoice_payment.paid', aRecord(invoice)))
      await aWhileLater()
      expect(await parked()).toContain('1 event is parked')
      expect(await parked()).toMatch(/was paid outside Stripe.* POST \/v1\/sales/)
      await house.run('admin stripe replay', {}, admin)
      await aWhileLater()
      expect(await parked()).toContain('1 event is parked')
      await trade.record(trade.aPayment(undefined, { paymentKey: invoice.id, gross: 500_000n }))
      await house.run('admin stripe replay', {}, admin)
      await aWhileLater()
      expect(await parked()).toContain('Nothing is parked')
      expect(await failedWork()).toBe(0)
    },
  )

  test('and set aside by an admin, it is not parked again when more is told of it', async () => {
    const invoice = anInvoice()
    await send(anEvent('invoice.paid', invoice))
    await aWhileLater()
    const [event] = await house.connection
      .sql`select event_id from core_webhooks where parked_at is not null and handled_at is null`
    await house.press(`stripe.parked_reason:parked:0:${event!.event_id}`, { fields: { reason: 'no sale of partners' } }, admin)
    expect(await parked()).toContain('Nothing is parked')
    await send(anEvent('invoice_payment.paid', aRecord(invoice)))
    await aWhileLater()
    expect(await parked()).toContain('Nothing is parked')
    expect(wordsOf(await house.run('admin stripe parked', { set_aside: true }, admin))).toContain('no sale of partners')
  })

  test('is no concern when the customer had credit for all of it', async () => {
    await send(anEvent('invoice.paid', anInvoice({ amount_due: 0 })))
    await aWhileLater()
    expect(await parked()).toContain('Nothing is parked')
  })

  test('in part is parked for that part, and the other part is a sale', async () => {
    const charge = aCharge({ amount_captured: 200_000 })
    const invoice = anInvoice({ billing_reason: 'subscription_cycle' })
    const payment = { type: 'payment_intent', payment_intent: charge.payment_intent }
    await send(anEvent('charge.succeeded', charge))
    await send(anEvent('invoice_payment.paid', { ...aRecord(invoice), payment }))
    await send(anEvent('invoice_payment.paid', aRecord(invoice)))
    await send(anEvent('invoice.paid', invoice))
    await aWhileLater()
    expect(await parked()).toContain('1 event is parked')
    expect(await parked()).toMatch(/was paid outside Stripe in part/)
    expect(await salesOf(charge.payment_intent)).toMatchObject([{ gross: '200000' }])
  })

  test('is none when the payment is told after the invoice', async () => {
    const charge = aCharge()
    const invoice = anInvoice({ total: 5_000, amount_due: 5_000, billing_reason: 'subscription_cycle' })
    await send(anEvent('invoice.paid', invoice))
    await house.drain()
    const payment = { type: 'payment_intent', payment_intent: charge.payment_intent }
    await send(anEvent('invoice_payment.paid', { ...aRecord(invoice), payment }))
    await send(anEvent('charge.succeeded', charge))
    await aWhileLater()
    expect(await parked()).toContain('Nothing is parked')
    expect(await salesOf(charge.payment_intent)).toMatchObject([{ gross: '5000' }])
  })
})

test.each(['012', '021', '102', '120', '201', '210'])(
  'a refund that has room since another failed counts by itself, in whatever order the three are told (%s)',
  async (order) => {
    const charge = aCharge()
    await send(anEvent('charge.succeeded', charge))
    await send(anEvent('checkout.session.completed', aSession(charge)))
    await house.drain()
    const aRefund = (which: string, amount: number, created: number, status: string) => ({
      object: 'refund',
      id: `re_${charge.id}${which}`,
      payment_intent: charge.payment_intent,
      charge: charge.id,
      status,
      amount,
      currency: 'usd',
      created,
    })
    const told = [
      anEvent('refund.created', aRefund('a', 3_000, now() + 1, 'succeeded'), { created: now() + 1 }),
      anEvent('refund.failed', aRefund('a', 3_000, now() + 1, 'failed'), { created: now() + 2 }),
      anEvent('refund.created', aRefund('b', 4_000, now() + 3, 'succeeded'), { created: now() + 3 }),
    ]
    for (const place of order) {
      await send(told[Number(place)]!)
      await house.drain()
    }
    expect(await parked()).toContain('Nothing is parked')
    expect(await salesOf(charge.payment_intent)).toMatchObject([{ gross: '5000', refunded: '4000' }])
  },
)

describe('a payment through the webhook', () => {
  type Case = [string, (charge: ReturnType<typeof aCharge>) => object[], RegExp]
  test.each<Case>([
    [
      'of a negative amount',
      (charge) => [anEvent('charge.succeeded', { ...charge, amount_captured: -5_000 })],
      /amount\\?_captured/,
    ],
    ['of 10^15', (charge) => [anEvent('charge.succeeded', { ...charge, amount_captured: 10 ** 15 })], /more than any sale can be/],
    [
      'of more than numbers hold',
      (charge) => [anEvent('charge.succeeded', { ...charge, amount_captured: 1e21 })],
      /amount\\?_captured/,
    ],
    ['in an unknown currency', (charge) => [anEvent('charge.succeeded', { ...charge, currency: 'xqz' })], /not a currency code/],
    [
      'with a refund larger than itself',
      (charge) => [anEvent('charge.refunded', { ...charge, amount_refunded: 5_001 })],
      /5001 of the payment .* only 5000/,
    ],
    [
      'with a negative refund',
      (charge) => [
        anEvent('refund.created', {
          object: 'refund',
          id: 're_bad',
          payment_intent: charge.payment_intent,
          charge: charge.id,
          status: 'succeeded',
          amount: -1,
          currency: 'usd',
        }),
      ],
      /amount/,
    ],
    [
      'with more tax than amount',
      (charge) => [
        anEvent('charge.succeeded', charge),
        anEvent('checkout.session.completed', aSession(charge, { total_details: { amount_tax: 5_001, amount_shipping: 0 } })),
      ],
      /tax 5001 .* do not fit/,
    ],
    ['of a time that is none', (charge) => [anEvent('charge.succeeded', { ...charge, created: 9e15 })], /created/],
    [
      'of the year 5000',
      (charge) => {
        const paid = { ...charge, created: Date.UTC(5000) / 1000 }
        return [anEvent('charge.succeeded', paid), anEvent('checkout.session.completed', aSession(charge))]
      },
      /dated 5000.*in the future/,
    ],
    ['of another account', (charge) => [anEvent('charge.succeeded', charge, { account: 'acct_somebody' })], /acct\\?_somebody/],
    [
      'whose session is in another currency',
      (charge) => [
        anEvent('charge.succeeded', charge),
        anEvent('checkout.session.completed', aSession(charge, { currency: 'eur' })),
      ],
      /in USD, and its session/,
    ],
  ])('%s is parked with a reason, stays so when it is handed in again, and is no sale', async (_, eventsOf, reason) => {
    const charge = aCharge()
    const events = eventsOf(charge)
    for (const event of [...events, ...events]) await send(event)
    await house.drain()
    expect(await parked()).toMatch(reason)
    expect(await salesOf(charge.payment_intent)).toEqual([])
    await house.run('admin stripe replay', {}, admin)
    await house.drain()
    expect(await parked()).toMatch(reason)
    expect(await failedWork()).toBe(0)
    expect(await trade.findings()).toEqual([])
  })

  test('keeps its worth when a refund comes in another currency, which is parked', async () => {
    const charge = aCharge()
    await send(anEvent('charge.succeeded', charge))
    await send(anEvent('checkout.session.completed', aSession(charge)))
    await house.drain()
    const refund = { object: 'refund', id: `re_yen${charge.id}`, status: 'succeeded', amount: 4_000, currency: 'jpy' }
    await send(anEvent('refund.created', { ...refund, payment_intent: charge.payment_intent, charge: charge.id }))
    await house.drain()
    expect(await parked()).toMatch(/in USD, and its refund .* in JPY/)
    expect(await salesOf(charge.payment_intent)).toMatchObject([{ gross: '5000', refunded: '0' }])
  })

  test.each([
    ['a country that is no code', 'Germany', null],
    ['a country in lower case', 'de', 'DE'],
  ])('with %s is a sale', async (_, written, kept) => {
    const charge = aCharge()
    const address = { country: written }
    await send(anEvent('charge.succeeded', charge))
    await send(
      anEvent('checkout.session.completed', aSession(charge, { customer_details: { email: `${charge.id}@example.org`, address } })),
    )
    await house.drain()
    expect(await salesOf(charge.payment_intent)).toMatchObject([{ gross: '5000' }])
    const [customer] = await house.connection.sql`
      select c.country from attribution_customers c join attribution_sales s on s.customer_id = c.id where s.payment_key = ${charge.payment_intent}`
    expect(customer).toEqual({ country: kept })
  })

  test('with null characters and halves of characters in what the merchant wrote is a sale, without them', async () => {
    const charge = aCharge({ metadata: { product: 'A\u0000 course\ud800', note: '\u0000' } })
    await send(anEvent('charge.succeeded', charge))
    await send(anEvent('checkout.session.completed', aSession(charge)))
    await house.drain()
    expect(await salesOf(charge.payment_intent)).toMatchObject([{ product: 'A course\ufffd' }])
  })

  test('of which no event told where it comes from is parked when it cannot be recorded, and is a sale once it can', async () => {
    const charge = aCharge()
    const anIntent = (tax: number) => ({
      object: 'payment_intent',
      id: charge.payment_intent,
      status: 'succeeded',
      metadata: {},
      amount_details: { tax: { total_tax_amount: tax } },
    })
    const askedFor = async () => {
      await house.drain()
      house.clock.advance(6_000)
      await house.drain()
    }
    await send(anEvent('charge.succeeded', charge))
    await send(anEvent('payment_intent.succeeded', anIntent(5_001)))
    await askedFor()
    expect(await parked()).toMatch(/tax 5001 .* do not fit/)
    await house.run('admin stripe replay', {}, admin)
    await askedFor()
    expect(await parked()).toMatch(/tax 5001 .* do not fit/)
    expect(await salesOf(charge.payment_intent)).toEqual([])
    expect(await failedWork()).toBe(0)

    await send(anEvent('payment_intent.succeeded', anIntent(1_000), { created: now() + 5 }))
    await house.run('admin stripe replay', {}, admin)
    await askedFor()
    expect(await salesOf(charge.payment_intent)).toMatchObject([{ gross: '5000', tax: '1000' }])
    expect(await parked()).toContain('Nothing is parked')
  })

  test('that comes together with others is parked alone; the others are sales', async () => {
    const charges = Array.from({ length: 6 }, () => aCharge())
    const bad = charges[3]!
    const events = charges.flatMap((charge) => [
      anEvent('charge.succeeded', charge),
      anEvent(
        'checkout.session.completed',
        aSession(charge, charge === bad ? { total_details: { amount_tax: 5_001, amount_shipping: 0 } } : {}),
      ),
    ])
    await Promise.all(events.map(send))
    const asked = await house.connection
      .sql`select payload->'eventIds' as ids from core_outbox where name = 'stripe.handle_events' and done_at is null`
    expect(asked.flatMap(({ ids }) => ids).toSorted()).toEqual(events.map(({ id }) => id).toSorted())
    expect(asked.length).toBeLessThan(events.length)
    await house.drain()
    expect(await parked()).toMatch(/tax 5001 .* do not fit/)
    for (const charge of charges) expect((await salesOf(charge.payment_intent)).length).toBe(charge === bad ? 0 : 1)
    expect(await failedWork()).toBe(0)
    expect(await trade.findings()).toEqual([])
  })

  test('of nothing is an authorisation that is not captured yet: no sale, until it is', async () => {
    const charge = aCharge({ amount_captured: 0 })
    await send(anEvent('charge.succeeded', charge))
    await send(anEvent('checkout.session.completed', aSession(charge)))
    await house.drain()
    expect(await salesOf(charge.payment_intent)).toEqual([])
    expect(await parked()).toContain('Nothing is parked')
    await send(anEvent('charge.captured', { ...charge, amount_captured: 5_000 }, { created: now() + 1 }))
    await house.drain()
    expect(await salesOf(charge.payment_intent)).toMatchObject([{ gross: '5000' }])
  })

  test('that is refunded before it is told waits for it, and both count', async () => {
    const charge = aCharge()
    const refund = {
      object: 'refund',
      id: `re_early${++count}`,
      payment_intent: charge.payment_intent,
      charge: charge.id,
      status: 'succeeded',
      amount: 2_000,
      currency: 'usd',
    }
    await send(anEvent('refund.created', refund))
    await house.drain()
    expect(await salesOf(charge.payment_intent)).toEqual([])
    await send(anEvent('checkout.session.completed', aSession(charge)))
    await send(anEvent('charge.succeeded', charge))
    await house.drain()
    expect(await salesOf(charge.payment_intent)).toMatchObject([{ gross: '5000', refunded: '2000' }])
    expect(await parked()).toContain('Nothing is parked')
  })

  test('whose refund was too large is a sale once the provider has corrected it, by a replay', async () => {
    const charge = aCharge()
    await send(anEvent('checkout.session.completed', aSession(charge)))
    await send(anEvent('charge.refunded', { ...charge, amount_refunded: 6_000 }))
    await house.drain()
    expect(await parked()).toContain('6000 of the payment')
    await send(anEvent('charge.updated', { ...charge, amount_refunded: 1_000 }, { created: now() + 5 }))
    await house.run('admin stripe replay', {}, admin)
    await house.drain()
    expect(await salesOf(charge.payment_intent)).toMatchObject([{ gross: '5000', refunded: '1000' }])
    expect(await parked()).toContain('Nothing is parked')
  })

  test('with a coupon of another program is a sale of nobody’s, and the admin sees the coupon', async () => {
    const other = await house.db.transaction((tx) => programStore.ensure(tx, { guildId: '900000000000000077', name: 'Other' }))
    const { accountId } = { accountId: (await stripe.accounts.retrieveCurrent()).id }
    await house.connection.sql`
      insert into stripe_accounts (program_id, account_id, name) values (${house.program.id}, ${accountId}, 'Shop') on conflict do nothing`
    await house.connection.sql`
      insert into coupons_coupons (id, program_id, partner_id, user_id, code, folded, created_by, created_at)
      values (${newId()}, ${other.id}, ${newId()}, '5', 'HEAVY-22', 'heavy-22', '5', now() - interval '1 day')`
    const { id: coupon } = await stripe.coupons.create({ percent_off: 20, duration: 'once' })
    const { id: promotion_code } = await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon }, code: 'HEAVY-22' })
    const charge = aCharge()
    await send(anEvent('checkout.session.completed', aSession(charge, { discounts: [{ coupon, promotion_code }] })))
    await send(anEvent('charge.succeeded', charge))
    await house.drain()
    const [sale] = await salesOf(charge.payment_intent)
    expect(sale).toMatchObject({ partner_id: null, program_id: house.program.id })
    expect(wordsOf(await house.run('admin sales why', { sale: sale!.id }, admin))).toMatch(
      /coupon HEAVY.{1,2}22 speaks for nobody in this program/,
    )
  })
})

test('a payout to a closed account is refused, its commissions are payable again with the reason, and the partner opens another one', async () => {
  await house.set('commissions', 'holdDays', 0)
  await house.set('payouts', 'methodCoolingHours', 0)
  const partner = await trade.aPartner()
  await house.run('payout setup', { provider: 'stripe' }, partner)
  const methodOf = async () =>
    (await house.connection.sql`select ready, missing, account from payouts_methods where partner_id = ${partner.id}`)[0]!
  const { account } = await methodOf()
  await house.connection.sql`update payouts_methods set ready = true where partner_id = ${partner.id}`
  await trade.record(trade.aPayment(partner, { gross: 50_000n }))
  await house.drain()
  await house.tick('commissions.release')
  await stripe.accounts.del(account)
  await house.run('admin payouts run', {}, admin)
  await house.drain()
  const [payout] = await house.connection.sql`select state, note from payouts_payouts where partner_id = ${partner.id}`
  expect(payout).toMatchObject({ state: 'refused', note: expect.stringContaining(account) })
  expect(await trade.balances(partner)).toEqual({ payable: 10_000n })
  expect(await house.use(commissions).ofPartner(house.db, house.program.id, partner.id)).toMatchObject([
    { state: 'payable', reason: 'payout_refused' },
  ])
  expect(wordsOf(await house.run('admin payouts list', {}, admin))).toContain('refused')
  expect(await methodOf()).toEqual({ ready: false, missing: expect.stringContaining('this one was closed'), account })
  await house.run('admin payouts run', {}, admin)
  expect(await house.connection.sql`select 1 from payouts_payouts where partner_id = ${partner.id}`).toHaveLength(1)
  await house.run('payout setup', { provider: 'stripe' }, partner)
  const other = await methodOf()
  expect(other.account).not.toBe(account)
  await house.run('payout setup', { provider: 'stripe' }, partner)
  expect(await methodOf()).toEqual(other)
  expect(await failedWork()).toBe(0)
  expect(await trade.findings()).toEqual([])
})
