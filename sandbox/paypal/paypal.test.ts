// The local PayPal over its REST API, as PayPal documents it (there is no official SDK for payouts any more).

import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createPayPalSandbox, type PayPalSandbox } from './index.ts'

let sandbox: PayPalSandbox
let token: string
let now = new Date('2026-11-23T10:00:00Z')

beforeAll(async () => {
  sandbox = await createPayPalSandbox({
    clock: { now: () => now },
    funds: { USD: 100_000, JPY: 5000 },
    processDelayMs: null,
    retries: { firstMs: 10, attempts: 4 },
  })
})
afterAll(() => sandbox.close())
beforeEach(async () => {
  sandbox.reset()
  now = new Date('2026-11-23T10:00:00Z')
  token = (await login(sandbox.clientId, sandbox.clientSecret)).body.access_token!
})

async function login(id: string, secret: string) {
  const response = await fetch(`${sandbox.url}/v1/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  return { status: response.status, body: (await response.json()) as { access_token?: string; error?: string } }
}

interface Item {
  payout_item_id: string
  transaction_status: string
}

/** Every field that these tests read; an answer has some of them. */
interface Body extends Item {
  name: string
  verification_status: string
  batch_header: { payout_batch_id: string; sender_batch_header: { sender_batch_id: string } }
  items: [Item]
  details: [{ link: [{ href: string }] }]
  balance: { USD: string }
}

async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Body }> {
  const response = await fetch(`${sandbox.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Body }
}

const batch = (id: string, items: object[] = [anItem()]) => ({
  sender_batch_header: { sender_batch_id: id, email_subject: 'You have a payout!' },
  items,
})
const anItem = (changes: object = {}) => ({
  recipient_type: 'EMAIL',
  receiver: 'ada@partner.example',
  amount: { value: '125.50', currency: 'USD' },
  sender_item_id: 'payout-1',
  ...changes,
})

/** Sends and processes a batch of one item; returns the item. */
async function processed(receiver: string) {
  const created = await call('POST', '/v1/payments/payouts', batch(`batch-${receiver}`, [anItem({ receiver })]))
  const done = await call('POST', `/sandbox/paypal/payouts/${created.body.batch_header.payout_batch_id}/process`)
  return done.body.items[0]
}

const balance = async () => (await call('GET', '/sandbox/paypal')).body.balance.USD

describe('tokens', () => {
  test('a wrong secret is refused', async () => {
    expect(await login(sandbox.clientId, 'wrong')).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  })
  test('a token that is unknown or nine hours old is refused', async () => {
    expect((await call('GET', '/v1/payments/payouts/X', undefined, { authorization: 'Bearer nonsense' })).status).toBe(401)
    now = new Date(now.getTime() + 9 * 3_600_000)
    expect((await call('GET', '/v1/payments/payouts/X')).status).toBe(401)
  })
})

describe('a batch', () => {
  test('is taken as pending and paid when it was processed', async () => {
    const created = await call('POST', '/v1/payments/payouts', batch('b-1'))
    expect(created).toMatchObject({
      status: 201,
      body: { batch_header: { batch_status: 'PENDING', sender_batch_header: { sender_batch_id: 'b-1' } } },
    })
    const id = created.body.batch_header.payout_batch_id
    expect((await call('GET', `/v1/payments/payouts/${id}`)).body.items[0]).toMatchObject({
      transaction_status: 'PENDING',
      payout_item: { sender_item_id: 'payout-1', amount: { value: '125.50' } },
    })
    await call('POST', `/sandbox/paypal/payouts/${id}/process`)
    const { body } = await call('GET', `/v1/payments/payouts/${id}`)
    expect(body).toMatchObject({
      batch_header: { batch_status: 'SUCCESS' },
      total_items: 1,
      items: [{ transaction_status: 'SUCCESS', transaction_id: expect.any(String) }],
    })
    expect((await call('GET', `/v1/payments/payouts-item/${body.items[0].payout_item_id}`)).body.transaction_status).toBe('SUCCESS')
    expect(await balance()).toBe('87450')
  })

  test('with a sender_batch_id of the last 30 days is refused and names the batch; after 30 days it would be paid again', async () => {
    const first = await call('POST', '/v1/payments/payouts', batch('b-2'))
    const second = await call('POST', '/v1/payments/payouts', batch('b-2'))
    expect(second).toMatchObject({
      status: 400,
      body: {
        name: 'USER_BUSINESS_ERROR',
        details: [{ field: 'SENDER_BATCH_ID', link: [{ href: expect.stringContaining(first.body.batch_header.payout_batch_id) }] }],
      },
    })
    now = new Date(now.getTime() + 31 * 86_400_000)
    token = (await login(sandbox.clientId, sandbox.clientSecret)).body.access_token!
    expect((await call('POST', '/v1/payments/payouts', batch('b-2'))).status).toBe(201)
  })

  test('repeated with the same PayPal-Request-Id gives the same batch', async () => {
    const headers = { 'paypal-request-id': 'r-1' }
    const first = await call('POST', '/v1/payments/payouts', batch('b-3'), headers)
    const second = await call('POST', '/v1/payments/payouts', batch('b-3'), headers)
    expect(second).toMatchObject({
      status: 201,
      body: { batch_header: { payout_batch_id: first.body.batch_header.payout_batch_id } },
    })
    expect(await balance()).toBe('87450')
  })

  test('beyond the balance is refused whole', async () => {
    const items = [anItem(), anItem({ amount: { value: '1000.00', currency: 'USD' } })]
    expect(await call('POST', '/v1/payments/payouts', batch('b-4', items))).toMatchObject({
      status: 422,
      body: { name: 'INSUFFICIENT_FUNDS' },
    })
    expect(await balance()).toBe('100000')
  })

  test.each([
    ['no sender_batch_id', { sender_batch_header: {}, items: [anItem()] }, 'sender_batch_header.sender_batch_id'],
    ['no item', batch('x', []), 'items'],
    ['a receiver that is no address', batch('x', [anItem({ receiver: 'ada' })]), 'items[0].receiver'],
    ['a third of a cent', batch('x', [anItem({ amount: { value: '1.005', currency: 'USD' } })]), 'items[0].amount.value'],
    ['a part of a yen', batch('x', [anItem({ amount: { value: '10.5', currency: 'JPY' } })]), 'items[0].amount.value'],
    ['nothing', batch('x', [anItem({ amount: { value: '0.00', currency: 'USD' } })]), 'items[0].amount.value'],
    ['a number for an amount', batch('x', [anItem({ amount: { value: 10, currency: 'USD' } })]), 'items[0].amount.value'],
  ])('with %s is refused with the field', async (_, body, field) => {
    expect(await call('POST', '/v1/payments/payouts', body)).toMatchObject({
      status: 400,
      body: { name: 'VALIDATION_ERROR', details: [{ field }] },
    })
  })

  test('that timed out after it was taken can be found by its sender_batch_id', async () => {
    sandbox.faults.add({ match: 'POST /v1/payments/payouts', kind: 'timeout_after_apply' })
    await expect(call('POST', '/v1/payments/payouts', batch('b-5'))).rejects.toThrow()
    const { body } = await call('POST', '/v1/payments/payouts', batch('b-5'))
    const found = await call('GET', body.details[0].link[0].href)
    expect(found.body.batch_header.sender_batch_header.sender_batch_id).toBe('b-5')
    expect(await balance()).toBe('87450')
  })

  test.each([429, 500])('meets a fault of %i before anything happens', async (status) => {
    sandbox.faults.add({ match: 'POST /v1/payments/*', kind: 'status', status })
    expect((await call('POST', '/v1/payments/payouts', batch('b-6'))).status).toBe(status)
    expect(await balance()).toBe('100000')
  })
})

test('the balance is told by currency', async () => {
  await call('POST', '/v1/payments/payouts', batch('b-7'))
  expect((await call('GET', '/v1/reporting/balances?currency_code=USD')).body).toMatchObject({
    balances: [{ currency: 'USD', available_balance: { currency_code: 'USD', value: '874.50' } }],
  })
  expect((await call('GET', '/v1/reporting/balances')).body).toMatchObject({
    balances: [{ currency: 'USD' }, { available_balance: { value: '5000' } }],
  })
})

describe('an item', () => {
  test.each(['UNCLAIMED', 'ONHOLD', 'FAILED', 'BLOCKED', 'DENIED'])('becomes %s when its receiver asks for it', async (state) => {
    const item = await processed(`ada+${state.toLowerCase()}@partner.example`)
    expect(item.transaction_status).toBe(state)
    expect(await balance()).toBe(state === 'UNCLAIMED' || state === 'ONHOLD' ? '87450' : '100000')
  })

  test('that is unclaimed can be cancelled, and its money returns', async () => {
    const item = await processed('ada+unclaimed@partner.example')
    expect((await call('POST', `/v1/payments/payouts-item/${item.payout_item_id}/cancel`)).body.transaction_status).toBe('RETURNED')
    expect(await balance()).toBe('100000')
    expect(await call('POST', `/v1/payments/payouts-item/${item.payout_item_id}/cancel`)).toMatchObject({
      status: 400,
      body: { name: 'ITEM_ALREADY_PROCESSED' },
    })
  })

  test('that failed cannot become paid', async () => {
    const item = await processed('ada+failed@partner.example')
    expect(await call('POST', `/sandbox/paypal/payouts-item/${item.payout_item_id}`, { status: 'SUCCESS' })).toMatchObject({
      status: 400,
      body: { name: 'ITEM_INCORRECT_STATUS' },
    })
  })
})

describe('webhooks', () => {
  async function listening(statuses: number[] = []) {
    const received: Array<{ headers: IncomingHttpHeaders; body: string }> = []
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        received.push({ headers: request.headers, body })
        response.writeHead(statuses.shift() ?? 200).end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const webhook = sandbox.addWebhook({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      event_types: ['PAYMENT.PAYOUTS-ITEM.SUCCEEDED'],
    })
    return { received, webhook, close: () => new Promise((resolve) => server.close(resolve)) }
  }

  test('carry a signature that PayPal confirms, and denies for another body or webhook', async () => {
    const hook = await listening()
    const item = await processed('ada@partner.example')
    await expect.poll(() => hook.received.length).toBe(1)
    const { headers, body } = hook.received[0]!
    const event = JSON.parse(body)
    expect(event).toMatchObject({
      event_type: 'PAYMENT.PAYOUTS-ITEM.SUCCEEDED',
      resource_type: 'payouts_item',
      resource: { payout_item_id: item.payout_item_id, transaction_status: 'SUCCESS', payout_item: { sender_item_id: 'payout-1' } },
    })
    const proof = {
      auth_algo: headers['paypal-auth-algo'],
      cert_url: headers['paypal-cert-url'],
      transmission_id: headers['paypal-transmission-id'],
      transmission_sig: headers['paypal-transmission-sig'],
      transmission_time: headers['paypal-transmission-time'],
      webhook_id: hook.webhook.id,
      webhook_event: event,
    }
    const verify = async (given: object) =>
      (await call('POST', '/v1/notifications/verify-webhook-signature', given)).body.verification_status
    expect(await verify(proof)).toBe('SUCCESS')
    expect(await verify({ ...proof, webhook_event: { ...event, resource: {} } })).toBe('FAILURE')
    expect(await verify({ ...proof, webhook_id: 'other' })).toBe('FAILURE')
    expect(await verify({ ...proof, transmission_time: '2020-01-01T00:00:00Z' })).toBe('FAILURE')
    await hook.close()
  })

  test('are tried again until they are answered with 2xx', async () => {
    const hook = await listening([500, 503])
    await processed('ada@partner.example')
    await expect.poll(() => hook.received.length).toBe(3)
    expect(sandbox.deliveries).toMatchObject([
      { state: 'delivered', attempts: [{ status: 500 }, { status: 503 }, { status: 200 }] },
    ])
    await hook.close()
  })
})
