// Webhooks of the local Stripe: signature, retries, Connect, order, duplicates.

import Stripe from 'stripe'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { aCheckout, aPayableAccount, aReceiver, type Connected, connected } from './testkit.ts'
import type { Delivery } from './webhooks.ts'

const SECRET = 'whsec_test'
let here: Connected
let stripe: Stripe
const opened: Array<() => Promise<unknown>> = []

beforeEach(async () => {
  here = await connected({ funds: { usd: 100_000 }, retries: { firstMs: 20, factor: 2, maxMs: 100, attempts: 4 } })
  stripe = here.stripe
})
afterEach(async () => {
  for (const close of opened.splice(0)) await close()
  await here.sandbox.close()
})

async function receiver(
  options: { connect?: boolean; events?: string[]; answer?: (event: Stripe.Event, times: number) => number } = {},
) {
  const hook = await aReceiver(SECRET, options.answer)
  opened.push(hook.close)
  const endpoint = here.sandbox.addWebhook({
    url: hook.url,
    secret: SECRET,
    connect: options.connect ?? false,
    enabled_events: options.events ?? ['*'],
  })
  return { ...hook, endpoint }
}

async function sale(): Promise<Stripe.Checkout.Session> {
  const session = await stripe.checkout.sessions.create(aCheckout({ customer_creation: 'always' }))
  await here.control(`stripe/checkout/${session.id}/pay`, { email: 'bea@buyer.example' })
  return session
}

test('a delivery is signed so that constructEvent accepts it, and no other secret or body does', async () => {
  const hook = await receiver({ events: ['checkout.session.completed'] })
  const session = await sale()
  await here.sandbox.webhooks.idle()
  const [{ event, signature, body }] = hook.received as [(typeof hook.received)[0]]
  expect(event).toMatchObject({
    type: 'checkout.session.completed',
    api_version: Stripe.API_VERSION,
    data: { object: { id: session.id, payment_status: 'paid' } },
  })
  expect(() => Stripe.webhooks.constructEvent(body, signature, 'whsec_other')).toThrow()
  expect(() => Stripe.webhooks.constructEvent(`${body} `, signature, SECRET)).toThrow()
})

test('an endpoint made by the API shows its secret once, and hears only what it asked for', async () => {
  const hook = await aReceiver('unused')
  opened.push(hook.close)
  const created = await stripe.webhookEndpoints.create({ url: hook.url, enabled_events: ['customer.created'] })
  expect(created.secret).toMatch(/^whsec_\w{32}$/)
  expect(await stripe.webhookEndpoints.retrieve(created.id)).not.toHaveProperty('secret')
  await stripe.webhookEndpoints.update(created.id, { disabled: true })
  await stripe.customers.create({})
  expect(here.sandbox.webhooks.deliveries()).toEqual([])
  await stripe.webhookEndpoints.del(created.id)
  await expect(stripe.webhookEndpoints.retrieve(created.id)).rejects.toMatchObject({ statusCode: 404 })
  await expect(
    stripe.webhookEndpoints.create({ url: hook.url, enabled_events: ['customer.exploded' as never] }),
  ).rejects.toMatchObject({ param: 'enabled_events[0]' })
})

test('events of connected accounts go to Connect endpoints only, with the account', async () => {
  const own = await receiver()
  const connect = await receiver({ connect: true })
  const account = await aPayableAccount(here)
  await stripe.transfers.create({ amount: 5000, currency: 'usd', destination: account })
  await here.sandbox.webhooks.idle()
  expect(own.types()).toEqual(['transfer.created'])
  expect(connect.types().sort()).toEqual([
    'account.external_account.created',
    'account.updated',
    'account.updated',
    'capability.updated',
    'payout.created',
  ])
  expect(new Set(connect.received.map(({ event }) => event.account))).toEqual(new Set([account]))
  const [last] = connect.received.filter(
    ({ event }) => event.type === 'account.updated' && (event.data.object as Stripe.Account).payouts_enabled,
  )
  expect(last!.event.data.previous_attributes).toMatchObject({ payouts_enabled: false })
})

describe('retries', () => {
  test('a delivery is tried again until it is answered with 2xx', async () => {
    const hook = await receiver({ events: ['customer.created'], answer: (_, times) => (times < 3 ? 500 : 200) })
    await stripe.customers.create({})
    await here.sandbox.webhooks.idle()
    expect(hook.received).toHaveLength(3)
    expect(here.sandbox.webhooks.deliveries()).toMatchObject([
      { state: 'delivered', attempts: [{ status: 500 }, { status: 500 }, { status: 200 }] },
    ])
    expect(new Set(hook.received.map(({ event }) => event.id)).size).toBe(1)
  })

  test('a redirect is not an answer, and after the last attempt the delivery is abandoned', async () => {
    await receiver({ events: ['customer.created'], answer: () => 302 })
    const customer = await stripe.customers.create({})
    await here.sandbox.webhooks.idle()
    expect(here.sandbox.webhooks.deliveries()).toMatchObject([
      { state: 'abandoned', attempts: [{ status: 302 }, { status: 302 }, { status: 302 }, { status: 302 }] },
    ])
    const [event] = (await stripe.events.list({ type: 'customer.created' })).data
    expect(event).toMatchObject({ pending_webhooks: 1, data: { object: { id: customer.id } } })
  })

  test('a delivery nobody listens to is tried until somebody does', async () => {
    const hook = await aReceiver(SECRET)
    await hook.close()
    here.sandbox.addWebhook({ url: hook.url, secret: SECRET })
    await stripe.customers.create({})
    await expect.poll(() => here.sandbox.webhooks.deliveries()[0]!.attempts.length).toBeGreaterThan(1)
    expect(here.sandbox.webhooks.deliveries()[0]!.attempts[0]!.error).toContain('ECONNREFUSED')
  })

  test('an abandoned event can be sent again', async () => {
    let working = false
    const hook = await receiver({ events: ['customer.created'], answer: () => (working ? 200 : 503) })
    await stripe.customers.create({})
    await here.sandbox.webhooks.idle()
    working = true
    const [event] = (await stripe.events.list({ type: 'customer.created' })).data
    await here.control(`stripe/events/${event!.id}/resend`)
    await here.sandbox.webhooks.idle()
    expect(hook.received.at(-1)!.event.id).toBe(event!.id)
    expect(here.sandbox.webhooks.deliveries()[0]!.state).toBe('delivered')
  })
})

describe('order', () => {
  const money = ['checkout.session.completed', 'payment_intent.succeeded', 'charge.succeeded', 'charge.updated']

  test('held deliveries wait, and leave in the order that a test gives, each as often as it says', async () => {
    const hook = await receiver({ events: money })
    await here.control('stripe/webhooks/hold')
    await sale()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(hook.received).toEqual([])
    const order = ['charge.updated', 'checkout.session.completed', 'payment_intent.succeeded']
    await here.control('stripe/webhooks/release', { order, times: 2 })
    await here.sandbox.webhooks.idle()
    const once = [...order, 'charge.succeeded']
    expect(hook.types()).toEqual([...once, ...once])
  })

  test('a shuffle is repeatable by its seed and loses nothing', async () => {
    const orders: string[][] = []
    for (const seed of [7, 7, 8]) {
      const hook = await receiver({ events: money })
      await here.control('stripe/webhooks/hold')
      await sale()
      await here.control('stripe/webhooks/release', { order: 'shuffled', seed })
      await here.sandbox.webhooks.idle()
      orders.push(hook.types())
      await stripe.webhookEndpoints.del(hook.endpoint.id)
    }
    expect(orders[0]).toEqual(orders[1])
    expect([...orders[0]!].sort()).toEqual([...money].sort())
    expect(
      orders.some(
        (order) =>
          order.join() !== ['charge.succeeded', 'payment_intent.succeeded', 'checkout.session.completed', 'charge.updated'].join(),
      ),
    ).toBe(true)
  })

  test('everything can be delivered twice and late', async () => {
    const hook = await receiver({ events: ['customer.created'] })
    await here.control('stripe/webhooks', { times: 2, delayMs: 80 })
    await stripe.customers.create({})
    expect(hook.received).toEqual([])
    await here.sandbox.webhooks.idle()
    expect(hook.types()).toEqual(['customer.created', 'customer.created'])
  })
})

test('the log of deliveries can be asked by event, type and state', async () => {
  await receiver({ events: ['customer.created', 'customer.updated'] })
  const customer = await stripe.customers.create({})
  await stripe.customers.update(customer.id, { name: 'Ada' })
  await here.sandbox.webhooks.idle()
  const log = (await (await fetch(`${here.sandbox.url}/sandbox/stripe/deliveries?type=customer.updated`)).json()) as {
    deliveries: Delivery[]
  }
  expect(log.deliveries).toMatchObject([{ type: 'customer.updated', state: 'delivered', account: null }])
})

test('an event tells the request that caused it, with its idempotency key', async () => {
  await stripe.customers.create({}, { idempotencyKey: 'because' })
  const [event] = (await stripe.events.list()).data
  expect(event!.request).toMatchObject({ id: expect.stringMatching(/^req_/), idempotency_key: 'because' })
})
