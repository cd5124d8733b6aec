// Webhook endpoints and delivery: signed like Stripe, in the background, retried until answered with 2xx. It carries events and makes none.

import { createHmac } from 'node:crypto'
import type Stripe from 'stripe'
import { invalid } from './errors.ts'
import { newId } from './ids.ts'
import { listRoute, mergeMetadata, type Route, required, retrieveRoute, route } from './routes.ts'
import { API_VERSION, type Published, put, type World } from './world.ts'

/** How often and how fast a delivery is tried again. Stripe takes days; the sandbox compresses them to about two minutes. */
export interface RetryPlan {
  firstMs: number
  factor: number
  maxMs: number
  attempts: number
}

export const DEFAULT_RETRIES: RetryPlan = { firstMs: 500, factor: 2, maxMs: 30_000, attempts: 10 }

interface Attempt {
  at: string
  ms: number
  status: number | null
  error: string | null
}

/** One event on its way to one endpoint. */
export interface Delivery {
  id: string
  event: string
  type: string
  account: string | null
  endpoint: string
  url: string
  /** `held` waits for a release, `pending` is on its way or will be tried again, `abandoned` was tried as often as the plan says. */
  state: 'held' | 'pending' | 'delivered' | 'abandoned'
  attempts: Attempt[]
}

export type ReleaseOrder = 'given' | 'reversed' | 'shuffled' | readonly string[]

interface Shipment {
  delivery: Delivery
  published: Published
  timer: NodeJS.Timeout | undefined
}

/** The `Stripe-Signature` header for a body: `t` in seconds, HMAC-SHA256 over `t.body` with the endpoint's secret. */
export function signature(secret: string, body: string, timestamp = Math.floor(Date.now() / 1000)): string {
  const digest = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
  return `t=${timestamp},v1=${digest}`
}

/** The courier. `world` is asked for at delivery, since it is made after the courier. */
export function createCourier(getWorld: () => World, retries: RetryPlan) {
  const shipments: Shipment[] = []
  const controller = new AbortController()
  let holding = false
  let times = 1
  let delayMs = 0
  let closed = false

  function publish(published: Published): void {
    if (closed) return
    const { event, scope } = published
    const world = getWorld()
    const connected = scope !== world.platform
    for (const endpoint of world.platform.tables.webhook_endpoint.values()) {
      const details = world.webhookSecrets.get(endpoint.id)
      if (!details || endpoint.status !== 'enabled' || details.connect !== connected) continue
      if (!endpoint.enabled_events.includes('*') && !endpoint.enabled_events.includes(event.type)) continue
      event.pending_webhooks += 1
      for (let copy = 0; copy < times; copy += 1) ship(published, endpoint)
    }
  }

  function ship(published: Published, endpoint: Stripe.WebhookEndpoint, hold = holding): Shipment {
    const { event, scope } = published
    const delivery: Delivery = {
      id: newId('wd'),
      event: event.id,
      type: event.type,
      account: scope === getWorld().platform ? null : scope.id,
      endpoint: endpoint.id,
      url: endpoint.url,
      state: hold ? 'held' : 'pending',
      attempts: [],
    }
    const shipment: Shipment = { delivery, published, timer: undefined }
    shipments.push(shipment)
    if (!hold) schedule(shipment, delayMs)
    return shipment
  }

  function schedule(shipment: Shipment, ms: number): void {
    shipment.delivery.state = 'pending'
    clearTimeout(shipment.timer)
    shipment.timer = setTimeout(() => void attempt(shipment), ms)
    shipment.timer.unref()
  }

  async function attempt(shipment: Shipment): Promise<void> {
    const { delivery } = shipment
    const result = await send(shipment)
    if (closed) return
    delivery.attempts.push(result)
    if (result.status !== null && result.status >= 200 && result.status < 300) {
      delivery.state = 'delivered'
      const { event } = shipment.published
      event.pending_webhooks = Math.max(0, event.pending_webhooks - 1)
      return
    }
    if (delivery.attempts.length >= retries.attempts) {
      delivery.state = 'abandoned'
      return
    }
    schedule(shipment, Math.min(retries.firstMs * retries.factor ** (delivery.attempts.length - 1), retries.maxMs))
  }

  async function send(shipment: Shipment): Promise<Attempt> {
    const started = performance.now()
    const at = new Date().toISOString()
    const finish = (status: number | null, error: string | null): Attempt => ({
      at,
      ms: Math.round(performance.now() - started),
      status,
      error,
    })
    const world = getWorld()
    const secret = world.webhookSecrets.get(shipment.delivery.endpoint)?.secret
    if (secret === undefined) return finish(null, 'the endpoint was deleted')
    const body = JSON.stringify(shipment.published.event, null, 2)
    try {
      const response = await fetch(shipment.delivery.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
          accept: '*/*; q=0.5, application/xml',
          'stripe-signature': signature(secret, body),
        },
        body,
        redirect: 'manual',
        signal: AbortSignal.any([controller.signal, AbortSignal.timeout(10_000)]),
      })
      await response.arrayBuffer()
      return finish(response.status, null)
    } catch (error) {
      const cause = (error as Error).cause
      return finish(null, cause instanceof Error ? cause.message || cause.name : (error as Error).message)
    }
  }

  function release(order: ReleaseOrder = 'given', options: { times?: number; seed?: number } = {}): Delivery[] {
    holding = false
    const held = shipments.filter(({ delivery }) => delivery.state === 'held')
    const arranged = arrange(held, order, options.seed ?? 1)
    const repeated = Array.from({ length: options.times ?? 1 }, () => arranged).flat()
    const outgoing = repeated.map((shipment, index) => (index < arranged.length ? shipment : copyOf(shipment)))
    // One after the other, so that the order asked for is the order in which they arrive.
    void outgoing.reduce<Promise<void>>(
      (before, shipment) => before.then(() => (closed ? undefined : attempt(shipment))),
      Promise.resolve(),
    )
    for (const { delivery } of outgoing) delivery.state = 'pending'
    return outgoing.map(({ delivery }) => delivery)
  }

  function copyOf(shipment: Shipment): Shipment {
    const copy: Shipment = { ...shipment, timer: undefined, delivery: { ...shipment.delivery, id: newId('wd'), attempts: [] } }
    shipments.push(copy)
    return copy
  }

  return {
    publish,
    /** Keeps every further delivery back. */
    hold(): void {
      holding = true
    },
    /** Sends what is held, in the order asked for (`string[]`: event ids or types first, the rest after), each `times` times, one after the other. */
    release,
    /** Delivers every further event `times` times, `delayMs` milliseconds late. */
    configure(options: { times?: number; delayMs?: number }): { times: number; delayMs: number; holding: boolean } {
      times = Math.max(1, options.times ?? times)
      delayMs = Math.max(0, options.delayMs ?? delayMs)
      return { times, delayMs, holding }
    },
    status: () => ({ times, delayMs, holding, held: shipments.filter(({ delivery }) => delivery.state === 'held').length }),
    /** Delivers an event again to every endpoint that wants it, or to one. */
    resend(eventId: string, endpointId?: string): Delivery[] {
      const world = getWorld()
      for (const scope of world.scopes.values()) {
        const event = scope.tables.event.get(eventId)
        if (!event) continue
        const connected = scope !== world.platform
        return [...world.platform.tables.webhook_endpoint.values()]
          .filter((endpoint) =>
            endpointId ? endpoint.id === endpointId : world.webhookSecrets.get(endpoint.id)?.connect === connected,
          )
          .map((endpoint) => ship({ event, scope }, endpoint, false).delivery)
      }
      throw invalid(`No such event: '${eventId}'`, 'id', 'resource_missing')
    },
    /** The log, newest first. */
    deliveries: (): Delivery[] => shipments.map(({ delivery }) => delivery).reverse(),
    /** Resolves when nothing is on its way any more (held deliveries do not count); rejects after `timeoutMs`. */
    async idle(timeoutMs = 10_000): Promise<void> {
      const until = Date.now() + timeoutMs
      while (shipments.some(({ delivery }) => delivery.state === 'pending')) {
        if (Date.now() > until) throw new Error('webhook deliveries are still under way')
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
    close(): void {
      closed = true
      controller.abort()
      for (const { timer } of shipments) clearTimeout(timer)
    },
    /** Forgets the log and every setting. */
    reset(): void {
      for (const { timer } of shipments) clearTimeout(timer)
      shipments.length = 0
      holding = false
      times = 1
      delayMs = 0
    },
  }
}

export type Courier = ReturnType<typeof createCourier>

function arrange(held: readonly Shipment[], order: ReleaseOrder, seed: number): Shipment[] {
  if (order === 'given') return [...held]
  if (order === 'reversed') return [...held].reverse()
  if (order === 'shuffled') return shuffled(held, seed)
  const rank = ({ delivery }: Shipment): number => {
    const at = order.findIndex((wanted) => wanted === delivery.event || wanted === delivery.type)
    return at < 0 ? order.length : at
  }
  return [...held].sort((a, b) => rank(a) - rank(b))
}

/** Fisher–Yates with a small seeded generator, so that a failing order can be repeated. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  const result = [...items]
  let state = seed >>> 0
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  for (let index = result.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1))
    const kept = result[index]!
    result[index] = result[other]!
    result[other] = kept
  }
  return result
}

export interface EndpointGiven {
  url: string
  secret?: string
  connect?: boolean
  enabled_events?: string[]
  description?: string
  metadata?: Stripe.Metadata
}

/** Registers an endpoint; the secret is in the result of this call only. */
export function createEndpoint(world: World, given: EndpointGiven): Stripe.WebhookEndpoint {
  if (!/^https?:\/\/[^\s]+$/.test(given.url))
    throw invalid('Invalid URL: An explicit scheme (such as https) must be provided.', 'url', 'url_invalid')
  const secret = given.secret ?? newId('whsec')
  const endpoint = put(world.platform, 'webhook_endpoint', {
    id: newId('we'),
    object: 'webhook_endpoint',
    api_version: API_VERSION,
    application: null,
    created: world.now(),
    description: given.description ?? null,
    enabled_events: given.enabled_events ?? ['*'],
    livemode: false,
    metadata: given.metadata ?? {},
    status: 'enabled',
    url: given.url,
  })
  world.webhookSecrets.set(endpoint.id, { secret, connect: given.connect ?? false })
  return { ...endpoint, secret }
}

export function webhookRoutes(): Route[] {
  return [
    route<Stripe.WebhookEndpointCreateParams>(
      'POST',
      '/v1/webhook_endpoints',
      ['WebhookEndpoints', 'WebhookEndpointCreateParams'],
      ({ world }, params) => {
        if (params.api_version !== undefined && params.api_version !== API_VERSION)
          throw invalid(`Invalid api_version: the sandbox renders ${API_VERSION} only`, 'api_version')
        return createEndpoint(world, {
          url: params.url,
          connect: params.connect ?? false,
          enabled_events: params.enabled_events as string[],
          ...(params.description ? { description: params.description } : {}),
          metadata: mergeMetadata(null, params.metadata),
        })
      },
    ),
    listRoute('/v1/webhook_endpoints', ['WebhookEndpoints', 'WebhookEndpointListParams'], 'webhook_endpoint'),
    retrieveRoute(
      '/v1/webhook_endpoints',
      ['WebhookEndpoints', 'WebhookEndpointRetrieveParams'],
      'webhook_endpoint',
      'webhook endpoint',
      'id',
    ),
    route<Stripe.WebhookEndpointUpdateParams>(
      'POST',
      '/v1/webhook_endpoints/:id',
      ['WebhookEndpoints', 'WebhookEndpointUpdateParams'],
      ({ scope, path }, params) => {
        const endpoint = required(scope, 'webhook_endpoint', 'webhook endpoint', path.id!)
        if (params.url !== undefined) endpoint.url = params.url
        if (params.enabled_events !== undefined) endpoint.enabled_events = params.enabled_events as string[]
        if (params.description !== undefined) endpoint.description = params.description || null
        if (params.disabled !== undefined) endpoint.status = params.disabled ? 'disabled' : 'enabled'
        endpoint.metadata = mergeMetadata(endpoint.metadata, params.metadata)
        return endpoint
      },
    ),
    route('DELETE', '/v1/webhook_endpoints/:id', null, ({ world, scope, path }) => {
      const endpoint = required(scope, 'webhook_endpoint', 'webhook endpoint', path.id!)
      scope.tables.webhook_endpoint.delete(endpoint.id)
      world.webhookSecrets.delete(endpoint.id)
      return { id: endpoint.id, object: 'webhook_endpoint', deleted: true }
    }),
    listRoute<'event', Stripe.EventListParams>(
      '/v1/events',
      ['Events', 'EventListParams'],
      'event',
      (row, { type, types }) =>
        (!type || matchesType(row.type, type)) && (!types || types.some((wanted) => matchesType(row.type, wanted))),
    ),
    retrieveRoute('/v1/events', ['Events', 'EventRetrieveParams'], 'event', 'event'),
  ]
}

/** `charge.*` stands for every event of a charge. */
function matchesType(type: string, wanted: string): boolean {
  return wanted.endsWith('*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted
}
