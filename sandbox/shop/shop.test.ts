// The company's website against the local Stripe: from a landing with a click to a paid order.

import Stripe from 'stripe'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createStripeSandbox, type StripeSandbox } from '../stripe/index.ts'
import { createShop, type Shop } from './index.ts'

let sandbox: StripeSandbox
let shop: Shop
let stripe: Stripe

beforeAll(async () => {
  sandbox = await createStripeSandbox()
  const stripeApi = { host: sandbox.host, port: sandbox.port, protocol: 'http' as const }
  shop = await createShop({ stripeApi, secretKey: 'sk_test_shop' })
  stripe = new Stripe('sk_test_shop', stripeApi)
})
afterAll(async () => {
  await shop.close()
  await sandbox.close()
})

/** Presses the button of a product, with the cookies of the browser; returns the hosted checkout's address. */
async function order(slug: string, cookies = ''): Promise<string> {
  const response = await fetch(`${shop.url}/buy/${slug}`, { method: 'POST', headers: { cookie: cookies }, redirect: 'manual' })
  expect(response.status).toBe(303)
  return response.headers.get('location')!
}

/** Fills in and sends the hosted checkout's form; returns where it leads. */
async function pay(checkoutUrl: string, fields: Record<string, string> = {}) {
  return fetch(checkoutUrl, {
    method: 'POST',
    body: new URLSearchParams({ email: 'buyer@example.com', card: '4242 4242 4242 4242', ...fields }),
    redirect: 'manual',
  })
}

async function land(query: string): Promise<string> {
  const response = await fetch(`${shop.url}/${query}`)
  return response.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
}

test('the landing page offers three services with their prices', async () => {
  const text = await (await fetch(shop.url)).text()
  for (const price of ['$2,500', '$150', '$900']) expect(text).toContain(price)
})

test('a click id that arrives in the address is kept in a first-party cookie for 90 days', async () => {
  const response = await fetch(`${shop.url}/?siso_cid=clk_123`)
  expect(response.headers.getSetCookie()).toEqual([
    expect.stringMatching(/^siso_cid=clk_123; Max-Age=7776000; Path=\/; HttpOnly; SameSite=Lax$/),
  ])
})

test('a click id that Stripe would refuse is not kept', async () => {
  expect(await land('?siso_cid=<script>')).toBe('')
  expect(await land(`?siso_cid=${'x'.repeat(201)}`)).toBe('')
})

describe('buying', () => {
  test('carries the click through Checkout to the session, the payment intent and the invoice', async () => {
    const checkout = await order('website-build', await land('?siso_cid=clk_abc'))
    const paid = await pay(checkout)
    expect(paid.status).toBe(303)
    const thanks = paid.headers.get('location')!
    const session = await stripe.checkout.sessions.retrieve(new URL(thanks).searchParams.get('session_id')!, {
      expand: ['payment_intent', 'invoice'],
    })
    expect(session).toMatchObject({
      client_reference_id: 'clk_abc',
      metadata: { siso_cid: 'clk_abc' },
      amount_total: 250_000,
      payment_status: 'paid',
      customer: expect.stringMatching(/^cus_/),
    })
    expect(session.payment_intent).toMatchObject({ metadata: { siso_cid: 'clk_abc' } })
    expect(session.invoice).toMatchObject({ status: 'paid', metadata: { siso_cid: 'clk_abc' } })
    const page = await (await fetch(thanks)).text()
    expect(page).toContain('Thank you!')
    expect(page).toContain('$2,500.00')
  })

  test('without a click sends none', async () => {
    const paid = await pay(await order('ai-workshop'))
    const session = await stripe.checkout.sessions.retrieve(new URL(paid.headers.get('location')!).searchParams.get('session_id')!)
    expect(session).toMatchObject({ client_reference_id: null, metadata: { product: 'ai-workshop' }, amount_total: 90_000 })
  })

  test('the care plan starts a monthly subscription that carries the click', async () => {
    const paid = await pay(await order('care-plan', 'siso_cid=clk_sub'))
    const session = await stripe.checkout.sessions.retrieve(
      new URL(paid.headers.get('location')!).searchParams.get('session_id')!,
      { expand: ['subscription'] },
    )
    expect(session.subscription).toMatchObject({ status: 'active', metadata: { siso_cid: 'clk_sub' } })
  })

  test('a declined card leaves the visitor on the checkout with the reason, and a second card pays', async () => {
    const checkout = await order('ai-workshop')
    const declined = await pay(checkout, { card: '4000000000000002' })
    expect(declined.status).toBe(402)
    expect(await declined.text()).toContain('Your card was declined.')
    expect((await pay(checkout)).status).toBe(303)
  })

  test('going back from the checkout says that nothing was charged', async () => {
    const id = new URL(await order('ai-workshop')).pathname.split('/').at(-1)!
    const session = await stripe.checkout.sessions.retrieve(id)
    expect(await (await fetch(session.cancel_url!)).text()).toContain('Nothing was charged')
  })
})

test('a page, product or order that does not exist gets a friendly page', async () => {
  expect((await fetch(`${shop.url}/nowhere`)).status).toBe(404)
  expect((await fetch(`${shop.url}/buy/nothing`, { method: 'POST' })).status).toBe(404)
  expect((await fetch(`${shop.url}/thanks?session_id=cs_test_no`)).status).toBe(404)
})

describe('webhooks of the partner program', () => {
  const tell = (id: string, body: unknown) =>
    fetch(`${shop.url}/hooks/partners`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'webhook-id': id },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const shown = async () => (await fetch(`${shop.url}/hooks/partners`)).text()

  test('what arrives is shown, once however often it is sent, and whatever it says', async () => {
    for (const _ of [1, 2])
      expect((await tell('evt_1', { type: '<b>payout</b>.paid', timestamp: '2026-11-02T09:00:00Z' })).status).toBe(204)
    await tell('evt_2', { type: 'lead.attributed', timestamp: 'whenever' })
    const page = await shown()
    expect(page.match(/<td class="mono">[^/]*/g)).toEqual([
      '<td class="mono">lead.attributed<',
      '<td class="mono">&#60;b&#62;payout&#60;',
    ])
    expect(page).toContain('Nov 2, 09:00')
  })

  test('what is no message is refused and not shown', async () => {
    const before = await shown()
    expect((await tell('evt_3', '{')).status).toBe(400)
    expect((await tell('', { type: 'payout.paid' })).status).toBe(400)
    expect((await tell('evt_4', 'null')).status).toBe(400)
    expect(await shown()).toBe(before)
  })

  test('a reset forgets them', async () => {
    shop.reset()
    expect(await shown()).toContain('Nothing yet.')
  })
})
