// A local PayPal for payouts: OAuth token, payout batches and items, item webhooks and their verification. In memory; nobody is paid.

import { randomBytes, randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import formbody from '@fastify/formbody'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { createFaults, dropConnection, faultRoutes, sleep } from '../vendor/faults.ts'
import { dashboardRoutes } from './dashboard.ts'
import { createPayouts, decimal, ITEM_STATES, type ItemState, type PayoutBatch, type PayoutItem, PayPalRefusal } from './payouts.ts'
import { createPayPalCourier } from './webhooks.ts'

export interface PayPalSandboxOptions {
  /** 0 (the default) takes a free port. */
  port?: number
  host?: string
  clock?: { now(): Date }
  clientId?: string
  clientSecret?: string
  /** The sender's balance, minor units by currency (`{USD: 1_000_000}`). */
  funds?: Record<string, number>
  /** Webhooks known from the start, with ids of your choice. */
  webhooks?: ReadonlyArray<{ url: string; id?: string; event_types?: string[] }>
  /** Milliseconds until a batch is processed; `null` leaves it pending for a control endpoint. */
  processDelayMs?: number | null
  /** First pause before a webhook is tried again; it doubles up to `attempts`. */
  retries?: { firstMs?: number; attempts?: number }
}

/** How the state of an item is called in its webhook. */
const EVENT_OF: Record<Exclude<ItemState, 'PENDING'>, string> = {
  SUCCESS: 'PAYMENT.PAYOUTS-ITEM.SUCCEEDED',
  FAILED: 'PAYMENT.PAYOUTS-ITEM.FAILED',
  UNCLAIMED: 'PAYMENT.PAYOUTS-ITEM.UNCLAIMED',
  RETURNED: 'PAYMENT.PAYOUTS-ITEM.RETURNED',
  ONHOLD: 'PAYMENT.PAYOUTS-ITEM.HELD',
  BLOCKED: 'PAYMENT.PAYOUTS-ITEM.BLOCKED',
  REFUNDED: 'PAYMENT.PAYOUTS-ITEM.REFUNDED',
  REVERSED: 'PAYMENT.PAYOUTS-ITEM.REFUNDED',
  CANCELED: 'PAYMENT.PAYOUTS-ITEM.CANCELED',
  DENIED: 'PAYMENT.PAYOUTS-ITEM.DENIED',
}

const TOKEN_SECONDS = 32_400

/** Starts a local PayPal. */
export async function createPayPalSandbox(options: PayPalSandboxOptions = {}) {
  const {
    port = 0,
    host = '127.0.0.1',
    clock = { now: () => new Date() },
    clientId = 'sandbox-client',
    clientSecret = 'sandbox-secret',
    processDelayMs = 200,
  } = options
  const app = Fastify({ logger: false, forceCloseConnections: true })
  const faults = createFaults()
  const tokens = new Map<string, number>()
  const requests = new Map<string, PayoutBatch>()
  const timers = new Set<NodeJS.Timeout>()
  let url = ''
  /** Whether new batches wait for somebody who processes them. */
  let byHand = false
  let payouts = createPayouts(() => clock.now(), options.funds ?? { USD: 10_000_000 })
  const courier = createPayPalCourier({
    certUrl: () => `${url}/v1/notifications/certs/CERT-sandbox`,
    now: () => clock.now(),
    firstMs: options.retries?.firstMs ?? 500,
    attempts: options.retries?.attempts ?? 10,
  })

  /** Processes a batch: every pending item takes the state its receiver asks for (`ada+unclaimed@…`), or SUCCESS. */
  function process(batch: PayoutBatch): void {
    for (const item of batch.items) if (item.transaction_status === 'PENDING') move(item, stateFor(item))
    batch.batch_status = 'SUCCESS'
    batch.time_completed = clock.now().toISOString()
    courier.publish('PAYMENT.PAYOUTSBATCH.SUCCESS', 'payouts', 'Payouts batch completed successfully.', {
      batch_header: headerOf(batch),
    })
  }
  function move(item: PayoutItem, state: ItemState): PayoutItem {
    payouts.move(item, state)
    if (state !== 'PENDING') courier.publish(EVENT_OF[state], 'payouts_item', `A payout item is now ${state}.`, itemView(item))
    return item
  }
  const links = (path: string) => [{ href: `${url}${path}`, rel: 'self', method: 'GET', encType: 'application/json' }]
  const itemView = (item: PayoutItem) => ({ ...item, links: links(`/v1/payments/payouts-item/${item.payout_item_id}`) })
  const batchView = (batch: PayoutBatch, page: number, size: number) => ({
    batch_header: headerOf(batch),
    items: batch.items.slice((page - 1) * size, page * size).map(itemView),
    total_items: batch.items.length,
    total_pages: Math.max(1, Math.ceil(batch.items.length / size)),
    links: links(`/v1/payments/payouts/${batch.payout_batch_id}`),
  })
  function found<T>(value: T | undefined): T {
    if (value === undefined) throw new PayPalRefusal(404, 'INVALID_RESOURCE_ID', 'Requested resource ID was not found')
    return value
  }

  await app.register(formbody)
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    if (error instanceof PayPalRefusal) return refuse(reply, error)
    if ((error.statusCode ?? 500) < 500)
      return refuse(
        reply,
        new PayPalRefusal(400, 'MALFORMED_REQUEST', 'Request is not well-formed, syntactically incorrect, or violates schema.'),
      )
    console.error(error)
    return refuse(reply, new PayPalRefusal(500, 'INTERNAL_SERVER_ERROR', 'An internal server error has occurred'))
  })
  app.setNotFoundHandler((_request, reply) =>
    refuse(reply, new PayPalRefusal(404, 'RESOURCE_NOT_FOUND', 'The specified resource does not exist.')),
  )

  app.post('/v1/oauth2/token', async (request, reply) => {
    const given = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /i, ''), 'base64').toString()
    if (given !== `${clientId}:${clientSecret}`)
      return reply.code(401).send({ error: 'invalid_client', error_description: 'Client Authentication failed' })
    if ((request.body as { grant_type?: string } | undefined)?.grant_type !== 'client_credentials')
      return reply.code(400).send({ error: 'unsupported_grant_type', error_description: 'unsupported grant_type' })
    const token = `A21AA${randomBytes(48).toString('base64url')}`
    tokens.set(token, clock.now().getTime() + TOKEN_SECONDS * 1000)
    return {
      scope: 'https://uri.paypal.com/payments/payouts',
      access_token: token,
      token_type: 'Bearer',
      app_id: 'APP-80W284485P519543T',
      expires_in: TOKEN_SECONDS,
      nonce: `${clock.now().toISOString()}${randomBytes(12).toString('base64url')}`,
    }
  })

  await app.register(async (api) => {
    api.addHook('preHandler', async (request, reply) => {
      const path = request.url.split('?')[0]!
      const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
      if ((tokens.get(token) ?? 0) <= clock.now().getTime())
        return reply
          .code(401)
          .send({ error: 'invalid_token', error_description: 'The token passed in was not found in the system' })
      const fault = faults.take(request.method, path)
      if (!fault) return
      if (fault.kind === 'timeout_after_apply') {
        pendingDrops.add(request)
        return
      }
      await sleep(fault.ms)
      if (fault.kind === 'timeout_before_apply') {
        dropConnection(request, reply)
        return reply
      }
      if (fault.kind === 'status')
        return refuse(
          reply,
          fault.status === 429
            ? new PayPalRefusal(429, 'RATE_LIMIT_REACHED', 'Too many requests. Blocked due to rate limiting.')
            : new PayPalRefusal(
                fault.status,
                fault.status >= 500 ? 'INTERNAL_SERVER_ERROR' : 'USER_BUSINESS_ERROR',
                'A fault of the sandbox.',
              ),
        )
    })
    const pendingDrops = new WeakSet<FastifyRequest>()
    api.addHook('onSend', async (request, reply, payload) => {
      if (pendingDrops.has(request)) dropConnection(request, reply)
      return payload
    })

    api.post('/v1/payments/payouts', async (request, reply) => {
      const requestId = request.headers['paypal-request-id']
      const key = typeof requestId === 'string' ? requestId : undefined
      const before = key === undefined ? undefined : requests.get(key)
      const batch = before ?? payouts.create((request.body ?? {}) as Parameters<typeof payouts.create>[0])
      if (key !== undefined) requests.set(key, batch)
      if (!before) {
        courier.publish('PAYMENT.PAYOUTSBATCH.PROCESSING', 'payouts', 'Payouts batch is getting processed.', {
          batch_header: headerOf(batch),
        })
        if (processDelayMs !== null && !byHand) {
          const timer = setTimeout(() => {
            timers.delete(timer)
            process(batch)
          }, processDelayMs)
          timer.unref()
          timers.add(timer)
        }
      }
      return reply.code(201).send({
        batch_header: {
          payout_batch_id: batch.payout_batch_id,
          batch_status: batch.batch_status,
          sender_batch_header: batch.sender_batch_header,
        },
        links: links(`/v1/payments/payouts/${batch.payout_batch_id}`),
      })
    })
    api.get<{ Params: { id: string }; Querystring: { page?: string; page_size?: string } }>(
      '/v1/payments/payouts/:id',
      async (request) =>
        batchView(
          found(payouts.batches.get(request.params.id)),
          Math.max(1, Number(request.query.page ?? 1)),
          Math.min(1000, Math.max(1, Number(request.query.page_size ?? 1000))),
        ),
    )
    api.get<{ Params: { id: string } }>('/v1/payments/payouts-item/:id', async (request) =>
      itemView(found(payouts.item(request.params.id))),
    )
    api.post<{ Params: { id: string } }>('/v1/payments/payouts-item/:id/cancel', async (request) => {
      const item = found(payouts.item(request.params.id))
      if (item.transaction_status !== 'UNCLAIMED')
        throw new PayPalRefusal(400, 'ITEM_ALREADY_PROCESSED', 'Only items with an unclaimed status can be cancelled')
      return itemView(move(item, 'RETURNED'))
    })
    api.get<{ Querystring: { currency_code?: string } }>('/v1/reporting/balances', async (request) => ({
      balances: [...payouts.balance]
        .filter(([currency]) => (request.query.currency_code ?? currency) === currency)
        .map(([currency, amount]) => {
          const value = { currency_code: currency, value: decimal(amount, currency) }
          const nothing = { currency_code: currency, value: decimal(0n, currency) }
          return {
            currency,
            primary: currency === 'USD',
            total_balance: value,
            available_balance: value,
            withheld_balance: nothing,
          }
        }),
      account_id: 'SANDBOXSENDER',
      as_of_time: clock.now().toISOString(),
      last_refresh_time: clock.now().toISOString(),
    }))
    api.post('/v1/notifications/verify-webhook-signature', async (request) => ({
      verification_status: courier.verify((request.body ?? {}) as Record<string, unknown>),
    }))
    api.get('/v1/notifications/webhooks', async () => ({ webhooks: [...courier.webhooks.values()] }))
    api.post('/v1/notifications/webhooks', async (request, reply) => {
      const { url: target, event_types } = (request.body ?? {}) as { url?: string; event_types?: Array<{ name: string }> }
      if (!target || !/^https?:\/\//.test(target))
        throw new PayPalRefusal(400, 'VALIDATION_ERROR', 'Invalid data provided', [
          { field: 'url', location: 'body', issue: 'Not a valid webhook URL' },
        ])
      return reply.code(201).send(
        courier.register(
          target,
          (event_types ?? [{ name: '*' }]).map(({ name }) => name),
        ),
      )
    })
  })

  app.get('/v1/notifications/certs/:id', async (_request, reply) =>
    reply.header('content-type', 'application/x-pem-file').send(courier.publicKey),
  )
  faultRoutes(app, faults)
  dashboardRoutes(app, {
    payouts: () => payouts,
    courier,
    process,
    move,
    byHand: (wanted) => {
      byHand = wanted ?? byHand
      return byHand
    },
    now: () => clock.now(),
  })
  app.get('/sandbox/paypal', async () => ({
    balance: Object.fromEntries([...payouts.balance].map(([currency, amount]) => [currency, amount.toString()])),
    batches: [...payouts.batches.values()],
  }))
  app.get('/sandbox/paypal/deliveries', async () => ({ deliveries: [...courier.deliveries].reverse() }))
  app.post<{ Params: { id: string } }>('/sandbox/paypal/payouts/:id/process', async (request) => {
    const batch = found(payouts.batches.get(request.params.id))
    process(batch)
    return batchView(batch, 1, 1000)
  })
  app.post<{ Params: { id: string }; Body: { status?: string } | undefined }>(
    '/sandbox/paypal/payouts-item/:id',
    async (request) => {
      const status = ITEM_STATES.find((state) => state === request.body?.status)
      if (!status) throw new PayPalRefusal(400, 'VALIDATION_ERROR', `\`status\` must be one of ${ITEM_STATES.join(', ')}.`)
      return itemView(move(found(payouts.item(request.params.id)), status))
    },
  )

  await app.listen({ port, host })
  const address = app.server.address() as AddressInfo
  url = `http://${host}:${address.port}`
  const register = () => {
    for (const webhook of options.webhooks ?? []) courier.register(webhook.url, webhook.event_types ?? ['*'], webhook.id)
  }
  register()

  return {
    url,
    host,
    port: address.port,
    clientId,
    clientSecret,
    faults,
    /** Registers a webhook; its id is needed for verification. */
    addWebhook: (webhook: { url: string; id?: string; event_types?: string[] }) =>
      courier.register(webhook.url, webhook.event_types ?? ['*'], webhook.id),
    deliveries: courier.deliveries,
    reset(): void {
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
      faults.clear()
      requests.clear()
      courier.reset()
      byHand = false
      payouts = createPayouts(() => clock.now(), options.funds ?? { USD: 10_000_000 })
      register()
    },
    async close(): Promise<void> {
      for (const timer of timers) clearTimeout(timer)
      courier.close()
      await app.close()
    },
  }
}

export type PayPalSandbox = Awaited<ReturnType<typeof createPayPalSandbox>>

function headerOf(batch: PayoutBatch) {
  const { items: _, ...header } = batch
  return { ...header, funding_source: 'BALANCE' }
}

/** `ada+unclaimed@example.com` asks for UNCLAIMED, and so on for every state. */
function stateFor(item: PayoutItem): ItemState {
  const wish = /\+(\w+)@/.exec(item.payout_item.receiver)?.[1]?.toUpperCase()
  return ITEM_STATES.find((state) => state === wish && state !== 'PENDING') ?? 'SUCCESS'
}

function refuse(reply: FastifyReply, refusal: PayPalRefusal) {
  return reply.code(refusal.status).send({
    name: refusal.code,
    message: refusal.message,
    debug_id: randomUUID().replaceAll('-', '').slice(0, 13),
    information_link: 'https://developer.paypal.com/docs/api/payments.payouts-batch/v1/#errors',
    ...(refusal.details.length > 0 ? { details: refusal.details } : {}),
    links: [],
  })
}
