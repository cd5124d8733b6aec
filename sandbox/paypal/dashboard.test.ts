// PayPal's dashboard as a person uses it: the page, and what its buttons do to money and webhooks.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createPayPalSandbox, type PayPalSandbox } from './index.ts'

let paypal: PayPalSandbox
let heard: string[]
const listener = createServer((request, response) => {
  let body = ''
  request.on('data', (chunk) => {
    body += chunk
  })
  request.on('end', () => {
    heard.push((JSON.parse(body) as { event_type: string }).event_type)
    response.end()
  })
})

beforeAll(async () => {
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  paypal = await createPayPalSandbox({ funds: { USD: 100_000 }, processDelayMs: 0, retries: { firstMs: 10 } })
})
afterAll(async () => {
  await paypal.close()
  listener.close()
})
beforeEach(() => {
  heard = []
  paypal.reset()
  paypal.addWebhook({ url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}/` })
})

async function send(receiver: string): Promise<string> {
  const login = await fetch(`${paypal.url}/v1/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${paypal.clientId}:${paypal.clientSecret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  const { access_token: token } = (await login.json()) as { access_token: string }
  const call = async (path: string, body?: object) =>
    (
      await fetch(`${paypal.url}${path}`, {
        method: body ? 'POST' : 'GET',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      })
    ).json() as Promise<{ batch_header: { payout_batch_id: string }; items: [{ payout_item_id: string }] }>
  const { batch_header } = await call('/v1/payments/payouts', {
    sender_batch_header: { sender_batch_id: `batch ${receiver}`, email_subject: 'You are paid' },
    items: [{ recipient_type: 'EMAIL', receiver, amount: { value: '120.50', currency: 'USD' } }],
  })
  return (await call(`/v1/payments/payouts/${batch_header.payout_batch_id}`)).items[0].payout_item_id
}

const page = async (path = '/dashboard') => (await fetch(`${paypal.url}${path}`)).text()
const press = async (path: string) => (await fetch(`${paypal.url}${path}`, { method: 'POST' })).text()

test('a payout that was paid can be sent back: the money returns and the webhook says so', async () => {
  const item = await send('ada@partner.example')
  await expect.poll(() => heard).toContain('PAYMENT.PAYOUTS-ITEM.SUCCEEDED')
  expect(await page()).toContain('$879.50')
  await press(`/dashboard/items/${item}/REFUNDED`)
  await expect.poll(() => heard).toContain('PAYMENT.PAYOUTS-ITEM.REFUNDED')
  expect(await page()).toContain('$1,000.00')
})

test('what PayPal’s life cycle does not know is refused with a sentence, and changes nothing', async () => {
  const item = await send('ada+failed@partner.example')
  await expect.poll(() => heard).toContain('PAYMENT.PAYOUTS-ITEM.FAILED')
  expect(await press(`/dashboard/items/${item}/SUCCESS`)).toContain('An item that is FAILED cannot become SUCCESS.')
  expect(await press('/dashboard/items/gone/SUCCESS')).toContain('There is no such payout any more.')
})

test('by hand, a batch waits until somebody processes it', async () => {
  await press('/dashboard/by-hand')
  await send('ada@partner.example')
  const waiting = await page()
  const batch = /\/dashboard\/batches\/(\w+)\/process/.exec(waiting)![1]!
  expect(heard).not.toContain('PAYMENT.PAYOUTS-ITEM.SUCCEEDED')
  await press(`/dashboard/batches/${batch}/process`)
  await expect.poll(() => heard).toContain('PAYMENT.PAYOUTS-ITEM.SUCCEEDED')
  await expect.poll(() => heard).toContain('PAYMENT.PAYOUTSBATCH.SUCCESS')
})

test('webhooks can be held, released twice and backwards, and sent again', async () => {
  await press('/dashboard/webhooks/hold')
  await send('ada@partner.example')
  await expect.poll(() => page()).toContain('Release 3 held')
  expect(heard).toEqual([])
  await press('/dashboard/webhooks/shuffle')
  await expect.poll(() => heard.length).toBe(6)
  const event = /\/dashboard\/resend\/([\w-]+)/.exec(await page())![1]!
  await press(`/dashboard/resend/${event}`)
  await expect.poll(() => heard.length).toBe(7)
})

test('what people wrote is shown as text', async () => {
  await send('"<b>ada</b>"@partner.example')
  const html = await page()
  expect(html).not.toContain('<b>ada</b>')
  expect(html).toContain('&#60;b&#62;ada')
})
