// What the tests of the local Stripe share: a sandbox with a client, a shop's checkout, and a receiver of webhooks.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Stripe from 'stripe'
import { createStripeSandbox, type StripeSandboxOptions } from './index.ts'

/** A sandbox and an SDK client that talks to it; the client retries nothing, so that a test sees every answer. */
export async function connected(options: StripeSandboxOptions = {}) {
  const sandbox = await createStripeSandbox({ payoutDelayMs: null, ...options })
  const stripe = new Stripe('sk_test_sandbox', { host: sandbox.host, port: sandbox.port, protocol: 'http', maxNetworkRetries: 0 })
  /** A control endpoint; throws what it refuses. */
  const control = async (path: string, body: object = {}): Promise<Record<string, never>> => {
    const response = await fetch(`${sandbox.url}/sandbox/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const answer = (await response.json()) as Record<string, never>
    if (!response.ok)
      throw Object.assign(new Error((answer as { error?: { message?: string } }).error?.message ?? JSON.stringify(answer)), {
        status: response.status,
      })
    return answer
  }
  return { sandbox, stripe, control }
}

export type Connected = Awaited<ReturnType<typeof connected>>

/** Parameters of a Checkout session for one service. */
export function aCheckout(changes: Stripe.Checkout.SessionCreateParams = {}): Stripe.Checkout.SessionCreateParams {
  return {
    mode: 'payment',
    success_url: 'https://shop.example/thanks?session_id={CHECKOUT_SESSION_ID}',
    line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: 250_000, product_data: { name: 'Website build' } } }],
    ...changes,
  }
}

/** Parameters of a Checkout session for a monthly plan. */
export function aSubscription(changes: Stripe.Checkout.SessionCreateParams = {}): Stripe.Checkout.SessionCreateParams {
  return aCheckout({
    mode: 'subscription',
    line_items: [
      {
        quantity: 1,
        price_data: { currency: 'usd', unit_amount: 15_000, recurring: { interval: 'month' }, product_data: { name: 'Care plan' } },
      },
    ],
    ...changes,
  })
}

/** A connected account that can be paid. */
export async function aPayableAccount({ stripe, control }: Connected, changes: Stripe.AccountCreateParams = {}): Promise<string> {
  const account = await stripe.accounts.create({
    type: 'express',
    country: 'US',
    email: 'ada@partner.example',
    capabilities: { transfers: { requested: true } },
    ...changes,
  })
  await control(`stripe/accounts/${account.id}/onboard`)
  return account.id
}

export interface Received {
  event: Stripe.Event
  signature: string
  body: string
}

/** A server that verifies and keeps what it is sent. `answer` decides the status of each delivery. */
export async function aReceiver(secret: string, answer: (event: Stripe.Event, times: number) => number = () => 200) {
  const received: Received[] = []
  const seen = new Map<string, number>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const signature = String(request.headers['stripe-signature'])
      const event = Stripe.webhooks.constructEvent(body, signature, secret)
      const times = (seen.get(event.id) ?? 0) + 1
      seen.set(event.id, times)
      received.push({ event, signature, body })
      response.writeHead(answer(event, times)).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    types: () => received.map(({ event }) => event.type),
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}
