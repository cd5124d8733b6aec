// Selling through the local Stripe: Checkout, invoices, subscriptions, refunds, disputes.

import type Stripe from 'stripe'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { periodEnd } from './billing.ts'
import { aCheckout, aSubscription, type Connected, connected } from './testkit.ts'

let here: Connected
let stripe: Stripe

beforeAll(async () => {
  here = await connected()
  stripe = here.stripe
})
afterAll(() => here.sandbox.close())
beforeEach(() => here.sandbox.reset())

async function paid(params: Stripe.Checkout.SessionCreateParams = {}, form: object = {}): Promise<Stripe.Checkout.Session> {
  const session = await stripe.checkout.sessions.create(aCheckout(params))
  await here.control(`stripe/checkout/${session.id}/pay`, { email: 'bea@buyer.example', ...form })
  return stripe.checkout.sessions.retrieve(session.id)
}

async function eventTypes(): Promise<string[]> {
  const types: string[] = []
  for await (const event of stripe.events.list({ limit: 100 })) types.unshift(event.type)
  return types
}

async function chargeOf(session: Stripe.Checkout.Session): Promise<Stripe.Charge> {
  const intent = await stripe.paymentIntents.retrieve(String(session.payment_intent), { expand: ['latest_charge'] })
  return intent.latest_charge as Stripe.Charge
}

describe('a checkout', () => {
  test('is open and unpaid until somebody pays', async () => {
    const session = await stripe.checkout.sessions.create(
      aCheckout({ client_reference_id: 'clk_1', metadata: { siso_cid: 'clk_1' } }),
    )
    expect(session).toMatchObject({
      status: 'open',
      payment_status: 'unpaid',
      amount_total: 250_000,
      currency: 'usd',
      client_reference_id: 'clk_1',
      payment_intent: null,
      customer: null,
      ui_mode: 'hosted_page',
    })
    expect(session.id).toMatch(/^cs_test_a1\w{58}$/)
    expect((await fetch(session.url!)).status).toBe(200)
  })

  test('paid once tells the events of a payment in the order of Stripe', async () => {
    await paid({ customer_creation: 'always' })
    expect((await eventTypes()).filter((type) => !/^(product|price)/.test(type))).toEqual([
      'customer.created',
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.succeeded',
      'checkout.session.completed',
      'charge.updated',
    ])
  })

  test('with an invoice joins it to the payment by an Invoice Payment alone', async () => {
    const session = await paid({ invoice_creation: { enabled: true, invoice_data: { metadata: { order: '7' } } } })
    const invoice = await stripe.invoices.retrieve(String(session.invoice))
    expect(invoice).toMatchObject({
      status: 'paid',
      total: 250_000,
      amount_paid: 250_000,
      metadata: { order: '7' },
      parent: null,
      number: expect.stringMatching(/-0001$/),
    })
    expect(invoice).not.toHaveProperty('payment_intent')
    expect(await chargeOf(session)).not.toHaveProperty('invoice')
    const payments = await stripe.invoicePayments.list({
      payment: { type: 'payment_intent', payment_intent: String(session.payment_intent) },
    })
    expect(payments.data).toMatchObject([
      {
        invoice: invoice.id,
        amount_paid: 250_000,
        status: 'paid',
        payment: { type: 'payment_intent', payment_intent: session.payment_intent },
      },
    ])
    expect(await eventTypes()).toEqual(
      expect.arrayContaining([
        'invoice.created',
        'invoice.finalized',
        'invoice.paid',
        'invoice.payment_succeeded',
        'invoice_payment.paid',
      ]),
    )
  })

  test('charge.succeeded comes before the balance transaction is known, charge.updated with it', async () => {
    await paid()
    const events = (await stripe.events.list({ types: ['charge.succeeded', 'charge.updated'] })).data
    expect(events.map((event) => (event.data.object as Stripe.Charge).balance_transaction)).toEqual([
      expect.stringMatching(/^txn_/),
      null,
    ])
    expect(events[0]!.data.previous_attributes).toMatchObject({ balance_transaction: null })
  })

  test('without customer creation leaves a guest without a customer', async () => {
    const session = await paid()
    expect(session).toMatchObject({ customer: null, customer_details: { email: 'bea@buyer.example' } })
  })

  test('declined stays open, tells so, and can be paid with another card on the same payment intent', async () => {
    const session = await stripe.checkout.sessions.create(aCheckout())
    await expect(
      here.control(`stripe/checkout/${session.id}/pay`, { email: 'b@x.co', card: '4000000000000002' }),
    ).rejects.toMatchObject({ status: 402, message: 'Your card was declined.' })
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ status: 'open', payment_status: 'unpaid' })
    await here.control(`stripe/checkout/${session.id}/pay`, { email: 'b@x.co' })
    const types = await eventTypes()
    expect(types.filter((type) => type === 'payment_intent.created')).toHaveLength(1)
    expect(types).toEqual(expect.arrayContaining(['charge.failed', 'payment_intent.payment_failed', 'payment_intent.succeeded']))
    const charges = (
      await stripe.charges.list({ payment_intent: String((await stripe.checkout.sessions.retrieve(session.id)).payment_intent) })
    ).data
    expect(charges.map((charge) => charge.status)).toEqual(['succeeded', 'failed'])
  })

  test('cannot be paid twice, nor after it has expired', async () => {
    const session = await paid()
    await expect(here.control(`stripe/checkout/${session.id}/pay`, { email: 'b@x.co' })).rejects.toMatchObject({ status: 400 })
    const late = await stripe.checkout.sessions.create(aCheckout())
    await here.control('stripe/clock/advance', { seconds: 86_400 })
    await expect(here.control(`stripe/checkout/${late.id}/pay`, { email: 'b@x.co' })).rejects.toMatchObject({ status: 400 })
    expect(await stripe.checkout.sessions.retrieve(late.id)).toMatchObject({ status: 'expired', url: null })
    expect(await eventTypes()).toContain('checkout.session.expired')
  })

  test('a promotion code takes off its share, on the page or from the start', async () => {
    const coupon = await stripe.coupons.create({ percent_off: 10, duration: 'once' })
    const promotion = await stripe.promotionCodes.create({
      promotion: { type: 'coupon', coupon: coupon.id },
      code: 'ADA10',
      metadata: { partner: 'ada' },
    })
    const session = await paid({ allow_promotion_codes: true }, { promotion_code: 'ada10' })
    expect(session).toMatchObject({
      amount_subtotal: 250_000,
      amount_total: 225_000,
      total_details: { amount_discount: 25_000 },
      discounts: [{ coupon: coupon.id, promotion_code: promotion.id }],
    })
    const second = await paid({ discounts: [{ promotion_code: promotion.id }] })
    expect(second.amount_total).toBe(225_000)
    expect((await stripe.promotionCodes.retrieve(promotion.id)).times_redeemed).toBe(2)
  })

  test.each<[string, Stripe.Checkout.SessionCreateParams, string]>([
    ['no line', { line_items: [] }, 'line_items'],
    [
      'a line without quantity',
      { line_items: [{ price_data: { currency: 'usd', unit_amount: 100, product_data: { name: 'x' } } }] },
      'line_items[0][quantity]',
    ],
    [
      'less than fifty cents',
      { line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: 10, product_data: { name: 'x' } } }] },
      'line_items',
    ],
    [
      'a currency that is none',
      { line_items: [{ quantity: 1, price_data: { currency: 'xxq', unit_amount: 100, product_data: { name: 'x' } } }] },
      'line_items[0][price_data][currency]',
    ],
    ['an address that is none', { success_url: 'shop' }, 'success_url'],
    ['an e-mail that is none', { customer_email: 'nobody' }, 'customer_email'],
    ['a reference that is too long', { client_reference_id: 'x'.repeat(201) }, 'client_reference_id'],
    ['subscription data for a payment', { subscription_data: { description: 'x' } }, 'subscription_data'],
  ])('%s is refused', async (_, changes, param) => {
    await expect(stripe.checkout.sessions.create(aCheckout(changes))).rejects.toMatchObject({ statusCode: 400, param })
  })

  test('the same card has the same fingerprint for everybody, another card another', async () => {
    const prints = []
    for (const card of ['4242424242424242', '4242 4242 4242 4242', '5555555555554444'])
      prints.push((await chargeOf(await paid({}, { card }))).payment_method_details!.card!.fingerprint)
    expect(prints[0]).toBe(prints[1])
    expect(prints[2]).not.toBe(prints[0])
  })

  test('a real card is never accepted', async () => {
    await expect(paid({}, { card: '4532015112830366' })).rejects.toMatchObject({
      status: 402,
      message: expect.stringContaining('non test card'),
    })
  })
})

describe('a refund', () => {
  test('in part, then of the rest, adds up and tells charge.refunded each time', async () => {
    const charge = await chargeOf(await paid())
    await stripe.refunds.create({ charge: charge.id, amount: 100_001 })
    expect(await stripe.charges.retrieve(charge.id)).toMatchObject({ amount_refunded: 100_001, refunded: false })
    const rest = await stripe.refunds.create({ payment_intent: String(charge.payment_intent) })
    expect(rest).toMatchObject({ amount: 149_999, status: 'succeeded', charge: charge.id })
    const expanded = await stripe.charges.retrieve(charge.id, { expand: ['refunds'] })
    expect(expanded).toMatchObject({ amount_refunded: 250_000, refunded: true })
    expect(expanded.refunds!.data.map((refund) => refund.amount)).toEqual([149_999, 100_001])
    expect((await eventTypes()).filter((type) => type === 'charge.refunded')).toHaveLength(2)
  })

  test('of more than is left is refused, and so is a second whole one', async () => {
    const charge = await chargeOf(await paid())
    await stripe.refunds.create({ charge: charge.id, amount: 200_000 })
    await expect(stripe.refunds.create({ charge: charge.id, amount: 50_001 })).rejects.toMatchObject({
      param: 'amount',
      message: 'Refund amount ($500.01) is greater than unrefunded amount on charge ($500.00)',
    })
    await stripe.refunds.create({ charge: charge.id })
    await expect(stripe.refunds.create({ charge: charge.id })).rejects.toMatchObject({ code: 'charge_already_refunded' })
  })

  test('that the bank returns restores the charge', async () => {
    const charge = await chargeOf(await paid())
    const refund = await stripe.refunds.create({ charge: charge.id, amount: 1000 })
    await here.control(`stripe/refunds/${refund.id}/fail`)
    expect(await stripe.refunds.retrieve(refund.id)).toMatchObject({ status: 'failed', failure_reason: 'expired_or_canceled_card' })
    expect(await stripe.charges.retrieve(charge.id)).toMatchObject({ amount_refunded: 0, refunded: false })
    expect(await eventTypes()).toContain('refund.failed')
  })

  test('can be asked for by the session, the intent or the invoice', async () => {
    const session = await paid({ invoice_creation: { enabled: true } })
    for (const id of [session.id, String(session.payment_intent), String(session.invoice)])
      await here.control(`stripe/charges/${id}/refund`, { amount: 100 })
    expect((await chargeOf(session)).amount_refunded).toBe(300)
  })
})

describe('a dispute', () => {
  test('lost keeps the money, won brings it back with the fee', async () => {
    const lost = await here.control(`stripe/charges/${(await chargeOf(await paid())).id}/dispute`, {
      reason: 'product_not_received',
    })
    await here.control(`stripe/disputes/${lost.id}/lost`)
    expect(await stripe.disputes.retrieve(lost.id as never)).toMatchObject({
      status: 'lost',
      amount: 250_000,
      reason: 'product_not_received',
    })
    const won = await here.control(`stripe/charges/${(await chargeOf(await paid())).id}/dispute`)
    await here.control(`stripe/disputes/${won.id}/won`)
    const dispute = await stripe.disputes.retrieve(won.id as never)
    expect(dispute.status).toBe('won')
    expect(dispute.balance_transactions.map((transaction) => transaction.net)).toEqual([-251_500, 251_500])
    expect(await eventTypes()).toEqual(
      expect.arrayContaining([
        'charge.dispute.created',
        'charge.dispute.funds_withdrawn',
        'charge.dispute.funds_reinstated',
        'charge.dispute.closed',
      ]),
    )
  })

  test('blocks refunds and a second dispute', async () => {
    const charge = await chargeOf(await paid({}, { card: '4000000000000259' }))
    expect((await stripe.charges.retrieve(charge.id)).disputed).toBe(true)
    await expect(stripe.refunds.create({ charge: charge.id })).rejects.toMatchObject({ code: 'charge_disputed' })
    await expect(here.control(`stripe/charges/${charge.id}/dispute`)).rejects.toMatchObject({ status: 400 })
  })
})

describe('a subscription', () => {
  async function subscribed(params: Stripe.Checkout.SessionCreateParams = {}, form: object = {}) {
    const session = await stripe.checkout.sessions.create(aSubscription(params))
    await here.control(`stripe/checkout/${session.id}/pay`, { email: 'bea@buyer.example', ...form })
    const completed = await stripe.checkout.sessions.retrieve(session.id)
    return { session: completed, subscription: await stripe.subscriptions.retrieve(String(completed.subscription)) }
  }

  test('starts with a customer, a paid invoice that carries its metadata, and a monthly period', async () => {
    const { session, subscription } = await subscribed({ subscription_data: { metadata: { siso_cid: 'clk_2' } } })
    expect(session).toMatchObject({ payment_intent: null, invoice: subscription.latest_invoice, payment_status: 'paid' })
    expect(subscription).toMatchObject({ status: 'active', metadata: { siso_cid: 'clk_2' } })
    expect(subscription).not.toHaveProperty('current_period_end')
    const [item] = subscription.items.data
    expect(item!.current_period_end).toBe(periodEnd(item!.current_period_start, { interval: 'month', interval_count: 1 }))
    expect(await stripe.invoices.retrieve(String(session.invoice))).toMatchObject({
      billing_reason: 'subscription_create',
      parent: {
        type: 'subscription_details',
        subscription_details: { subscription: subscription.id, metadata: { siso_cid: 'clk_2' } },
      },
    })
  })

  test('renews with a new paid invoice for the next period', async () => {
    const { subscription } = await subscribed()
    await here.control(`stripe/subscriptions/${subscription.id}/renew`)
    const invoices = (await stripe.invoices.list({ subscription: subscription.id })).data
    expect(invoices.map((invoice) => [invoice.billing_reason, invoice.status, invoice.amount_paid])).toEqual([
      ['subscription_cycle', 'paid', 15_000],
      ['subscription_create', 'paid', 15_000],
    ])
    expect(invoices[0]!.period_start).toBe(subscription.items.data[0]!.current_period_end)
  })

  test('renews by itself when the clock moves on, once for every month', async () => {
    const { subscription } = await subscribed()
    expect(await here.control('stripe/clock/advance', { seconds: 93 * 86_400 })).toMatchObject({ renewed: 3 })
    expect((await stripe.invoices.list({ subscription: subscription.id })).data).toHaveLength(4)
  })

  test('with a card that fails later is past due, its invoice open', async () => {
    const { subscription } = await subscribed({}, { card: '4000000000000341' })
    await here.control(`stripe/subscriptions/${subscription.id}/renew`)
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('past_due')
    expect((await stripe.invoices.list({ status: 'open' })).data).toHaveLength(1)
    expect(await eventTypes()).toContain('invoice.payment_failed')
  })

  test('that is to end at the end of its period ends there, without a further invoice', async () => {
    const { subscription } = await subscribed()
    await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true })
    await here.control('stripe/clock/advance', { seconds: 32 * 86_400 })
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('canceled')
    expect((await stripe.invoices.list()).data).toHaveLength(1)
    expect(await eventTypes()).toContain('customer.subscription.deleted')
  })

  test('that is paused makes invoices that are void', async () => {
    const { subscription } = await subscribed()
    await stripe.subscriptions.update(subscription.id, { pause_collection: { behavior: 'void' } })
    await here.control(`stripe/subscriptions/${subscription.id}/renew`)
    expect((await stripe.invoices.list()).data[0]!.status).toBe('void')
    expect((await stripe.charges.list()).data).toHaveLength(1)
  })

  test('on another plan bills the new price from the next period on', async () => {
    const { subscription } = await subscribed()
    const price = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 30_000,
      recurring: { interval: 'month' },
      product_data: { name: 'Care plan plus' },
    })
    await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]!.id, price: price.id }],
      proration_behavior: 'none',
    })
    await here.control(`stripe/subscriptions/${subscription.id}/renew`)
    expect((await stripe.invoices.list()).data[0]!.total).toBe(30_000)
  })

  test('on trial pays nothing at first', async () => {
    const { session, subscription } = await subscribed({ subscription_data: { trial_period_days: 14 } })
    expect(subscription.status).toBe('trialing')
    expect((await stripe.invoices.retrieve(String(session.invoice))).amount_paid).toBe(0)
    await here.control('stripe/clock/advance', { seconds: 15 * 86_400 })
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active')
    expect((await stripe.charges.list()).data).toMatchObject([{ amount: 15_000 }])
  })
})

test.each([
  ['2026-01-31T12:00:00Z', 'month', 1, '2026-02-28T12:00:00Z'],
  ['2026-12-15T00:00:00Z', 'month', 1, '2027-01-15T00:00:00Z'],
  ['2028-02-29T00:00:00Z', 'year', 1, '2029-02-28T00:00:00Z'],
  ['2026-03-01T00:00:00Z', 'week', 2, '2026-03-15T00:00:00Z'],
])('a period from %s of one %s times %i ends at %s', (start, interval, count, end) => {
  expect(periodEnd(Date.parse(start) / 1000, { interval, interval_count: count })).toBe(Date.parse(end) / 1000)
})
