// How the local Stripe takes requests: keys, versions, parameters, idempotency, lists, expansion, faults.

import Stripe from 'stripe'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { aCheckout, aPayableAccount, type Connected, connected } from './testkit.ts'
import { API_VERSION } from './world.ts'

let here: Connected
let stripe: Stripe

beforeAll(async () => {
  here = await connected({ funds: { usd: 1_000_000 } })
  stripe = here.stripe
})
afterAll(() => here.sandbox.close())
beforeEach(() => here.sandbox.reset())

/** A request without the SDK. */
async function raw(
  method: string,
  path: string,
  body = '',
  headers: Record<string, string> = { authorization: 'Bearer sk_test_raw' },
) {
  const response = await fetch(`${here.sandbox.url}${path}`, {
    method,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    ...(method === 'GET' ? {} : { body }),
  })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, never> & {
      error: { type: string; code?: string; param?: string; message: string; doc_url?: string }
    },
  }
}

describe('keys and versions', () => {
  test('the sandbox renders the version that the installed SDK pins', () => {
    expect(Stripe.API_VERSION).toBe(API_VERSION)
  })

  test.each([
    ['no key', {}],
    ['a key that is not one', { authorization: 'Bearer nonsense' }],
    ['a live key', { authorization: `Bearer sk_live_${'x'.repeat(16)}` }],
  ])('%s is refused with 401', async (_, headers) => {
    const answer = await raw('GET', '/v1/balance', '', headers as Record<string, string>)
    expect(answer.status).toBe(401)
    expect(answer.body.error.type).toBe('invalid_request_error')
  })

  test('a key may come as the user of basic authentication', async () => {
    const answer = await raw('GET', '/v1/account', '', {
      authorization: `Basic ${Buffer.from('sk_test_basic:').toString('base64')}`,
    })
    expect(answer.body).toMatchObject({ object: 'account', id: here.sandbox.account })
  })

  test('every answer carries a request id and the version', async () => {
    const { headers } = await raw('GET', '/v1/balance')
    expect(headers.get('request-id')).toMatch(/^req_\w{14}$/)
    expect(headers.get('stripe-version')).toBe(API_VERSION)
  })

  test('another version is refused, since the sandbox could not render it', async () => {
    const answer = await raw('GET', '/v1/balance', '', { authorization: 'Bearer sk_test_raw', 'stripe-version': '2020-08-27' })
    expect(answer.status).toBe(400)
  })

  test('an unknown address is answered with 404 and the words of Stripe', async () => {
    const answer = await raw('GET', '/v1/unicorns')
    expect(answer).toMatchObject({
      status: 404,
      body: { error: { message: expect.stringContaining('Unrecognized request URL (GET: /v1/unicorns)') } },
    })
  })
})

describe('parameters', () => {
  test.each([
    ['an unknown one', 'amount=1&colour=red', { code: 'parameter_unknown', param: 'colour' }],
    ['a missing one', 'amount=100&currency=usd', { code: 'parameter_missing', param: 'destination' }],
    ['text for a number', 'amount=ten&currency=usd&destination=acct_1', { code: 'parameter_invalid_integer', param: 'amount' }],
    ['a fraction of a cent', 'amount=10.5&currency=usd&destination=acct_1', { code: 'parameter_invalid_integer', param: 'amount' }],
    ['a value outside the enum', 'amount=1&currency=usd&destination=acct_1&source_type=gold', { param: 'source_type' }],
    ['an empty value', 'amount=1&currency=usd&destination=', { code: 'parameter_invalid_empty', param: 'destination' }],
    ['text for an object', 'amount=1&currency=usd&destination=acct_1&metadata=x', { param: 'metadata' }],
  ])('%s is refused with its name', async (_, body, error) => {
    const answer = await raw('POST', '/v1/transfers', body)
    expect(answer.status).toBe(400)
    expect(answer.body.error).toMatchObject({ type: 'invalid_request_error', ...error })
  })

  test('an unknown parameter deep inside is named with its path', async () => {
    const params = aCheckout({
      line_items: [
        { quantity: 1, price_data: { currency: 'usd', unit_amount: 100, product_data: { name: 'x' }, colour: 'red' } as never },
      ],
    })
    await expect(stripe.checkout.sessions.create(params)).rejects.toMatchObject({
      code: 'parameter_unknown',
      param: 'line_items[0][price_data][colour]',
    })
  })

  test('payment_method_types is refused on a Checkout session, as in the pinned version', async () => {
    await expect(stripe.checkout.sessions.create(aCheckout({ payment_method_types: ['card'] } as never))).rejects.toMatchObject({
      code: 'parameter_unknown',
      param: 'payment_method_types',
    })
  })

  test('metadata merges, an empty value removes its key, and too much of it is refused', async () => {
    const customer = await stripe.customers.create({ metadata: { a: '1', b: '2' } })
    expect((await stripe.customers.update(customer.id, { metadata: { b: '', c: 3 } })).metadata).toEqual({ a: '1', c: '3' })
    expect((await stripe.customers.update(customer.id, { metadata: '' })).metadata).toEqual({})
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'v']))
    await expect(stripe.customers.update(customer.id, { metadata: many })).rejects.toMatchObject({ statusCode: 400 })
    await expect(stripe.customers.update(customer.id, { metadata: { long: 'x'.repeat(501) } })).rejects.toMatchObject({
      statusCode: 400,
    })
  })

  test('what does not exist is refused with 404 in a path and 400 in a parameter', async () => {
    await expect(stripe.transfers.retrieve('tr_none')).rejects.toMatchObject({ statusCode: 404, code: 'resource_missing' })
    await expect(stripe.refunds.create({ charge: 'ch_none' })).rejects.toMatchObject({
      statusCode: 400,
      code: 'resource_missing',
      param: 'charge',
    })
  })
})

describe('idempotency keys', () => {
  const transfer = async (destination: string, amount: number, idempotencyKey: string) =>
    stripe.transfers.create({ amount, currency: 'usd', destination }, { idempotencyKey })

  test('the same key with the same body replays the first answer and does nothing again', async () => {
    const destination = await aPayableAccount(here)
    const first = await transfer(destination, 1000, 'key-1')
    const second = await transfer(destination, 1000, 'key-1')
    expect(second.id).toBe(first.id)
    expect(second.lastResponse.headers['idempotent-replayed']).toBe('true')
    expect(first.lastResponse.headers['idempotent-replayed']).toBeUndefined()
    expect((await stripe.transfers.list()).data).toHaveLength(1)
  })

  test('the order of the parameters does not matter to a replay', async () => {
    const destination = await aPayableAccount(here)
    const headers = { authorization: 'Bearer sk_test_raw', 'idempotency-key': 'key-order' }
    const first = await raw('POST', '/v1/transfers', `amount=500&currency=usd&destination=${destination}`, headers)
    const second = await raw('POST', '/v1/transfers', `destination=${destination}&currency=usd&amount=500`, headers)
    expect(second.body.id).toBe(first.body.id)
  })

  test('the same key with another body, or for another address, is refused with idempotency_error', async () => {
    const destination = await aPayableAccount(here)
    await transfer(destination, 1000, 'key-2')
    await expect(transfer(destination, 2000, 'key-2')).rejects.toMatchObject({ type: 'StripeIdempotencyError', statusCode: 400 })
    await expect(stripe.customers.create({}, { idempotencyKey: 'key-2' })).rejects.toMatchObject({ type: 'StripeIdempotencyError' })
  })

  test('a refusal by the resource is remembered, a refusal of the parameters is not', async () => {
    const destination = await aPayableAccount(here)
    await expect(transfer(destination, 2_000_000, 'key-3')).rejects.toMatchObject({ code: 'balance_insufficient' })
    await here.control('stripe/balance/fund', { amount: 5_000_000, currency: 'usd' })
    await expect(transfer(destination, 2_000_000, 'key-3')).rejects.toMatchObject({ code: 'balance_insufficient' })
    await expect(
      stripe.transfers.create({ amount: 1, currency: 'usd' } as never, { idempotencyKey: 'key-4' }),
    ).rejects.toMatchObject({ code: 'parameter_missing' })
    expect(await transfer(destination, 100, 'key-4')).toMatchObject({ amount: 100 })
  })

  test('while the first request is under way the key is in use', async () => {
    const destination = await aPayableAccount(here)
    await here.control('faults', { match: 'POST /v1/transfers', kind: 'delay', ms: 200 })
    const first = transfer(destination, 1000, 'key-5')
    await new Promise((resolve) => setTimeout(resolve, 60))
    await expect(transfer(destination, 1000, 'key-5')).rejects.toMatchObject({ statusCode: 409, code: 'idempotency_key_in_use' })
    expect((await first).amount).toBe(1000)
  })

  test('after the keys were pruned, the same key pays again', async () => {
    const destination = await aPayableAccount(here)
    const first = await transfer(destination, 1000, 'key-6')
    await here.control('stripe/idempotency/prune')
    expect((await transfer(destination, 1000, 'key-6')).id).not.toBe(first.id)
  })

  test('a key is forgotten after 24 hours', async () => {
    const destination = await aPayableAccount(here)
    const first = await transfer(destination, 1000, 'key-7')
    await here.control('stripe/clock/advance', { seconds: 86_401 })
    expect((await transfer(destination, 1000, 'key-7')).id).not.toBe(first.id)
  })
})

describe('lists', () => {
  test('auto-paging sees every object once, newest first', async () => {
    for (let index = 0; index < 25; index += 1) await stripe.customers.create({ name: `Customer ${index}` })
    const names: Array<string | null | undefined> = []
    for await (const customer of stripe.customers.list({ limit: 10 })) names.push(customer.name)
    expect(names).toEqual(Array.from({ length: 25 }, (_, index) => `Customer ${24 - index}`))
  })

  test('pages go back with ending_before', async () => {
    for (let index = 0; index < 5; index += 1) await stripe.customers.create({ name: `${index}` })
    const all = (await stripe.customers.list()).data
    const page = await stripe.customers.list({ ending_before: all[4]!.id, limit: 2 })
    expect(page.data.map((row) => row.name)).toEqual(['2', '1'])
    expect(page.has_more).toBe(true)
  })

  test('a limit above 100 and an unknown cursor are refused', async () => {
    await expect(stripe.customers.list({ limit: 101 })).rejects.toMatchObject({ param: 'limit' })
    await expect(stripe.customers.list({ starting_after: 'cus_none' })).rejects.toMatchObject({ code: 'resource_missing' })
  })

  test('a transfer group finds its transfers, whatever came between', async () => {
    const destination = await aPayableAccount(here)
    const wanted = await stripe.transfers.create({ amount: 100, currency: 'usd', destination, transfer_group: 'payout_7' })
    await stripe.transfers.create({ amount: 100, currency: 'usd', destination, transfer_group: 'payout_8' })
    expect((await stripe.transfers.list({ transfer_group: 'payout_7' })).data.map((row) => row.id)).toEqual([wanted.id])
  })
})

describe('expand', () => {
  test('replaces references, through lists and four levels deep', async () => {
    const session = await stripe.checkout.sessions.create(aCheckout({ customer_creation: 'always' }))
    await here.control(`stripe/checkout/${session.id}/pay`, { email: 'b@buyer.example' })
    const expanded = await stripe.checkout.sessions.retrieve(session.id, {
      expand: ['line_items.data.price.product', 'payment_intent.latest_charge.balance_transaction', 'customer'],
    })
    expect(expanded.line_items!.data[0]!.price!.product).toMatchObject({ name: 'Website build' })
    expect(expanded.payment_intent).toMatchObject({
      latest_charge: { balance_transaction: { type: 'charge', amount: 250_000, fee: 7280 } },
    })
    expect(expanded.customer).toMatchObject({ email: 'b@buyer.example' })
    const list = await stripe.charges.list({ expand: ['data.payment_intent'] })
    expect(list.data[0]!.payment_intent).toMatchObject({ object: 'payment_intent' })
  })

  test('what cannot be expanded is refused', async () => {
    await expect(stripe.balance.retrieve({ expand: ['livemode.x'] })).rejects.toMatchObject({ statusCode: 400 })
    await expect(stripe.customers.list({ expand: ['data.name'] })).resolves.toMatchObject({ data: [] })
    const customer = await stripe.customers.create({ name: 'Ada' })
    await expect(stripe.customers.retrieve(customer.id, { expand: ['name'] })).rejects.toMatchObject({
      message: expect.stringContaining('cannot be expanded'),
    })
  })
})

describe('faults', () => {
  test('a status is answered in the shape of Stripe, as often as asked, and nothing happens', async () => {
    await here.control('faults', { match: 'POST /v1/customers', kind: 'status', status: 503, count: 2 })
    await expect(stripe.customers.create({})).rejects.toMatchObject({ type: 'StripeAPIError', statusCode: 503 })
    await expect(stripe.customers.create({})).rejects.toMatchObject({ statusCode: 503 })
    await expect(stripe.customers.create({})).resolves.toMatchObject({ object: 'customer' })
    expect((await stripe.customers.list()).data).toHaveLength(1)
  })

  test('a rate limit is one that the SDK knows', async () => {
    await here.control('faults', { match: '/v1/balance', kind: 'status', status: 429 })
    await expect(stripe.balance.retrieve()).rejects.toMatchObject({ type: 'StripeRateLimitError' })
  })

  // The SDK itself tries once more when a connection is closed, so it takes two drops for a caller to see one.
  test('a time-out after the transfer was made looks like a failed connection; the same key finds it made', async () => {
    const destination = await aPayableAccount(here)
    await here.control('faults', { match: 'POST /v1/transfers', kind: 'timeout_after_apply', count: 2 })
    const create = () => stripe.transfers.create({ amount: 700, currency: 'usd', destination }, { idempotencyKey: 'once' })
    await expect(create()).rejects.toMatchObject({ type: 'StripeConnectionError' })
    expect((await create()).lastResponse.headers['idempotent-replayed']).toBe('true')
    expect((await stripe.transfers.list()).data).toHaveLength(1)
  })

  test('a time-out before anything was applied leaves nothing behind', async () => {
    await here.control('faults', { match: 'POST /v1/customers', kind: 'timeout_before_apply', count: 2 })
    await expect(stripe.customers.create({})).rejects.toMatchObject({ type: 'StripeConnectionError' })
    expect((await stripe.customers.list()).data).toEqual([])
  })

  test('the SDK gets over one dropped connection by itself, without paying twice', async () => {
    const destination = await aPayableAccount(here)
    const patient = new Stripe('sk_test_sandbox', {
      host: here.sandbox.host,
      port: here.sandbox.port,
      protocol: 'http',
      maxNetworkRetries: 2,
    })
    await here.control('faults', { match: 'POST /v1/transfers', kind: 'timeout_after_apply' })
    await patient.transfers.create({ amount: 700, currency: 'usd', destination })
    expect((await stripe.transfers.list()).data).toHaveLength(1)
  })
})
