// Everything the local Stripe says has the fields, types and enum values that the installed `stripe` package declares.

import type Stripe from 'stripe'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { departures } from './conformance.ts'
import { aCheckout, aPayableAccount, aSubscription, type Connected, connected } from './testkit.ts'

let here: Connected
let stripe: Stripe
let account: string

/** A year in the life of a shop, so that every kind of object and event exists. */
beforeAll(async () => {
  here = await connected({
    funds: { usd: 1_000_000 },
    webhooks: [{ url: 'http://127.0.0.1:1/', enabled_events: ['radar.early_fraud_warning.created'] }],
  })
  stripe = here.stripe
  const { control } = here
  account = await aPayableAccount(here)
  const pay = async (params: Stripe.Checkout.SessionCreateParams, form: object = {}) => {
    const session = await stripe.checkout.sessions.create(params)
    await control(`stripe/checkout/${session.id}/pay`, { email: 'bea@buyer.example', name: 'Bea', country: 'DE', ...form })
    return stripe.checkout.sessions.retrieve(session.id)
  }
  const coupon = await stripe.coupons.create({ amount_off: 500, currency: 'usd', duration: 'once' })
  await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: coupon.id }, code: 'SAVE' })
  const sold = await pay(
    aCheckout({ customer_creation: 'always', allow_promotion_codes: true, invoice_creation: { enabled: true } }),
    { promotion_code: 'SAVE' },
  )
  const refund = await stripe.refunds.create({
    payment_intent: String(sold.payment_intent),
    amount: 1000,
    reason: 'requested_by_customer',
  })
  await control(`stripe/refunds/${refund.id}/fail`)
  const disputed = await pay(aCheckout(), { card: '4000000000000259' })
  const [dispute] = (await stripe.disputes.list({ payment_intent: String(disputed.payment_intent) })).data
  await control(`stripe/disputes/${dispute!.id}/won`)
  const lost = await control(`stripe/charges/${sold.id}/dispute`)
  await control(`stripe/disputes/${lost.id}/lost`)
  const open = await stripe.checkout.sessions.create(aCheckout())
  await control(`stripe/checkout/${open.id}/pay`, { email: 'b@x.co', card: '4000000000000002' }).catch(() => undefined)
  await control(`stripe/checkout/${open.id}/expire`)
  const plan = await pay(aSubscription({ subscription_data: { metadata: { a: 'b' } } }))
  await control(`stripe/subscriptions/${String(plan.subscription)}/renew`)
  await stripe.subscriptions.update(String(plan.subscription), { cancel_at_period_end: true })
  await control(`stripe/subscriptions/${String(plan.subscription)}/renew`)
  const failing = await pay(aSubscription(), { card: '4000000000000341' })
  await control(`stripe/subscriptions/${String(failing.subscription)}/renew`)
  await pay(aSubscription({ subscription_data: { trial_period_days: 7 } }))
  await stripe.paymentIntents.create({
    amount: 5000,
    currency: 'usd',
    payment_method: 'pm_card_visa',
    confirm: true,
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
  })
  const idle = await stripe.paymentIntents.create({ amount: 5000, currency: 'usd' })
  await stripe.paymentIntents.cancel(idle.id)
  const transfer = await stripe.transfers.create({ amount: 5000, currency: 'usd', destination: account })
  await stripe.transfers.createReversal(transfer.id, { amount: 100 })
  await control(`stripe/transfers/${transfer.id}/settle`)
  await stripe.transfers.create({ amount: 6000, currency: 'usd', destination: account })
  const [payout] = (await stripe.payouts.list({ status: 'in_transit' }, { stripeAccount: account })).data
  await control(`stripe/payouts/${payout!.id}/fail`)
  await stripe.accounts.update(account, { metadata: { seen: 'yes' } })
  for (const state of ['due', 'checking', 'refused', 'verified']) await control(`stripe/accounts/${account}/tax_number`, { state })
  const [first] = (await stripe.accounts.retrieve(account)).external_accounts!.data
  const added = await control(`stripe/accounts/${account}/add_bank`)
  await control(`stripe/accounts/${account}/default_bank`, { bank: added.id })
  await control(`stripe/accounts/${account}/remove_bank`, { bank: first!.id })
  await control(`stripe/accounts/${account}/restrict`)
})
afterAll(() => here.sandbox.close())

/** The object as it came over the wire, without what the SDK adds. */
async function wire(
  path: string,
  headers: Record<string, string> = {},
): Promise<{ data: Array<{ object: string }>; has_more: boolean }> {
  const response = await fetch(`${here.sandbox.url}${path}`, { headers: { authorization: 'Bearer sk_test_wire', ...headers } })
  expect(response.status).toBe(200)
  return (await response.json()) as never
}

describe('objects', () => {
  test.each([
    'accounts',
    'balance_transactions',
    'charges',
    'checkout/sessions',
    'coupons',
    'customers',
    'disputes',
    'invoice_payments',
    'invoices',
    'payment_intents',
    'prices',
    'products',
    'promotion_codes',
    'refunds',
    'subscriptions?status=all&',
    'topups',
    'transfers',
    'webhook_endpoints',
  ])('%s conform', async (path) => {
    const list = await wire(`/v1/${path}${path.includes('?') ? '' : '?'}limit=100`)
    expect(list.data.length).toBeGreaterThan(0)
    expect(departures(list)).toEqual([])
  })

  test.each(['/v1/account', '/v1/balance'])('%s conforms', async (path) => expect(departures(await wire(path))).toEqual([]))

  test('what belongs to a connected account conforms', async () => {
    const as = { 'stripe-account': account }
    for (const path of ['/v1/payouts', '/v1/charges', '/v1/balance_transactions']) {
      const list = await wire(path, as)
      expect(list.data.length).toBeGreaterThan(0)
      expect(departures(list)).toEqual([])
    }
    expect(departures(await wire(`/v1/accounts/${account}/capabilities`))).toEqual([])
    expect(departures(await wire(`/v1/accounts/${account}/external_accounts`))).toEqual([])
  })

  test('expanded objects conform all the way down', async () => {
    const sessions = await wire(
      '/v1/checkout/sessions?limit=100&expand[]=data.line_items&expand[]=data.invoice.payments&expand[]=data.payment_intent.latest_charge.balance_transaction&expand[]=data.subscription',
    )
    expect(departures(sessions)).toEqual([])
    expect(departures(await wire('/v1/charges?limit=100&expand[]=data.refunds&expand[]=data.customer'))).toEqual([])
  })
})

describe('events', () => {
  test('of the platform and of connected accounts conform, types and objects alike', async () => {
    const types = new Set<string>()
    for (const headers of [{}, { 'stripe-account': account }])
      for (let after = ''; ; ) {
        const page = (await wire(`/v1/events?limit=100${after}`, headers)) as unknown as { data: Stripe.Event[]; has_more: boolean }
        for (const event of page.data) types.add(event.type)
        expect(departures(page)).toEqual([])
        if (!page.has_more) break
        after = `&starting_after=${page.data.at(-1)!.id}`
      }
    expect([...types].sort()).toMatchInlineSnapshot(`
      [
        "account.external_account.created",
        "account.external_account.deleted",
        "account.external_account.updated",
        "account.updated",
        "capability.updated",
        "charge.dispute.closed",
        "charge.dispute.created",
        "charge.dispute.funds_reinstated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.failed",
        "charge.refunded",
        "charge.succeeded",
        "charge.updated",
        "checkout.session.completed",
        "checkout.session.expired",
        "coupon.created",
        "customer.created",
        "customer.subscription.created",
        "customer.subscription.deleted",
        "customer.subscription.updated",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_failed",
        "invoice.payment_succeeded",
        "invoice.updated",
        "invoice_payment.paid",
        "payment_intent.canceled",
        "payment_intent.created",
        "payment_intent.payment_failed",
        "payment_intent.succeeded",
        "payment_method.attached",
        "payout.created",
        "payout.failed",
        "payout.paid",
        "price.created",
        "product.created",
        "promotion_code.created",
        "refund.created",
        "refund.failed",
        "refund.updated",
        "transfer.created",
        "transfer.reversed",
      ]
    `)
  })

  test('say what an update changed, and nothing else', async () => {
    const [event] = (await stripe.events.list({ type: 'charge.refunded' })).data
    expect(event!.data.previous_attributes).toEqual({ amount_refunded: 0 })
  })
})

describe('the check itself', () => {
  test.each([
    ['a missing field', (row: Record<string, unknown>) => delete row.currency, 'transfer.currency is missing'],
    [
      'a field that is not declared',
      (row: Record<string, unknown>) => Object.assign(row, { colour: 'red' }),
      'transfer.colour is not declared',
    ],
    [
      'a wrong type',
      (row: Record<string, unknown>) => Object.assign(row, { amount: '5' }),
      'transfer.amount is "5", declared number',
    ],
  ])('finds %s', async (_, spoil, message) => {
    const [row] = (await wire('/v1/transfers')).data as unknown as [Record<string, unknown>]
    spoil(row)
    expect(departures(row)).toEqual([message])
  })

  test('finds a value outside an enum', async () => {
    const [row] = (await wire('/v1/refunds')).data as unknown as [Record<string, unknown>]
    expect(departures({ ...row, reason: 'boredom' })).toEqual(['refund.reason is "boredom", not one of the declared values'])
  })
})
