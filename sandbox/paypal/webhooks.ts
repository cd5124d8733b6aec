// PayPal's webhooks: signed with RSA over transmission id, time, webhook id and the body's CRC-32; delivered in the background, retried.

import { createSign, createVerify, generateKeyPairSync, randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { payPalId } from './payouts.ts'

export interface Webhook {
  id: string
  url: string
  event_types: Array<{ name: string }>
}

interface PayPalEvent {
  id: string
  event_version: '1.0'
  create_time: string
  resource_type: string
  event_type: string
  summary: string
  resource: object
}

export interface WebhookDelivery {
  event: string
  /** When the event happened. */
  at: string
  type: string
  webhook: string
  state: 'pending' | 'delivered' | 'abandoned'
  attempts: Array<{ status: number | null; error: string | null }>
}

const ALGORITHM = 'SHA256withRSA'

export function createPayPalCourier(options: { certUrl: () => string; now: () => Date; firstMs: number; attempts: number }) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const webhooks = new Map<string, Webhook>()
  const deliveries: WebhookDelivery[] = []
  const timers = new Set<NodeJS.Timeout>()
  const controller = new AbortController()
  /** What each delivery carries, so that it can be sent again. */
  const carried = new WeakMap<WebhookDelivery, { webhook: Webhook; event: PayPalEvent }>()
  const held: WebhookDelivery[] = []
  let holding = false
  let delayMs = 0
  let times = 1

  const signed = (id: string, time: string, webhookId: string, body: string): string => `${id}|${time}|${webhookId}|${crc32(body)}`

  function publish(type: string, resourceType: string, summary: string, resource: object): void {
    const event: PayPalEvent = {
      id: `WH-${payPalId(17)}-${payPalId(17)}`,
      event_version: '1.0',
      create_time: options.now().toISOString(),
      resource_type: resourceType,
      event_type: type,
      summary,
      resource: structuredClone(resource),
    }
    for (const webhook of webhooks.values())
      if (webhook.event_types.some(({ name }) => name === '*' || name === type))
        for (let copy = 0; copy < times; copy++) {
          const { id, create_time: at } = event
          const delivery: WebhookDelivery = { event: id, at, type, webhook: webhook.id, state: 'pending', attempts: [] }
          deliveries.push(delivery)
          carried.set(delivery, { webhook, event })
          if (holding) held.push(delivery)
          else send(delivery, delayMs)
        }
  }

  function send(delivery: WebhookDelivery, ms = 0): void {
    const { webhook, event } = carried.get(delivery)!
    later(ms, () => attempt(webhook, event, delivery))
  }

  function later(ms: number, act: () => Promise<void>): void {
    const timer = setTimeout(() => {
      timers.delete(timer)
      void act()
    }, ms)
    timer.unref()
    timers.add(timer)
  }

  async function attempt(webhook: Webhook, event: PayPalEvent, delivery: WebhookDelivery): Promise<void> {
    const body = JSON.stringify(event)
    const id = randomUUID()
    const time = options.now().toISOString()
    try {
      const response = await fetch(webhook.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'PayPal/AUHD-214.0-58843698',
          'paypal-transmission-id': id,
          'paypal-transmission-time': time,
          'paypal-transmission-sig': createSign('RSA-SHA256')
            .update(signed(id, time, webhook.id, body))
            .sign(privateKey, 'base64'),
          'paypal-cert-url': options.certUrl(),
          'paypal-auth-algo': ALGORITHM,
        },
        body,
        redirect: 'manual',
        signal: AbortSignal.any([controller.signal, AbortSignal.timeout(10_000)]),
      })
      await response.arrayBuffer()
      delivery.attempts.push({ status: response.status, error: null })
      if (response.status >= 200 && response.status < 300) {
        delivery.state = 'delivered'
        return
      }
    } catch (error) {
      delivery.attempts.push({ status: null, error: (error as Error).message })
    }
    if (controller.signal.aborted) return
    if (delivery.attempts.length >= options.attempts) delivery.state = 'abandoned'
    else later(options.firstMs * 2 ** (delivery.attempts.length - 1), () => attempt(webhook, event, delivery))
  }

  return {
    publish,
    deliveries,
    webhooks,
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    register(url: string, eventTypes: readonly string[], id = payPalId(17)): Webhook {
      const webhook: Webhook = { id, url, event_types: eventTypes.map((name) => ({ name })) }
      webhooks.set(webhook.id, webhook)
      return webhook
    },
    /** What `POST /v1/notifications/verify-webhook-signature` answers. */
    verify(given: Record<string, unknown>): 'SUCCESS' | 'FAILURE' {
      const { auth_algo, cert_url, transmission_id, transmission_sig, transmission_time, webhook_id, webhook_event } = given
      if (auth_algo !== ALGORITHM || cert_url !== options.certUrl() || !webhooks.has(String(webhook_id))) return 'FAILURE'
      const text = signed(String(transmission_id), String(transmission_time), String(webhook_id), JSON.stringify(webhook_event))
      return createVerify('RSA-SHA256').update(text).verify(publicKey, String(transmission_sig), 'base64') ? 'SUCCESS' : 'FAILURE'
    },
    status: () => ({ holding, held: held.length, delayMs, times }),
    /** Every further event is delivered `times` times, `delayMs` late. */
    configure(given: { delayMs?: number; times?: number }): void {
      delayMs = given.delayMs ?? delayMs
      times = given.times ?? times
    },
    /** Further deliveries wait until they are released. */
    hold(): void {
      holding = true
    },
    /** Those that waited leave; `backwards` sends the newest first and each twice. */
    release(backwards = false): void {
      holding = false
      const leaving = held.splice(0)
      for (const delivery of backwards ? leaving.toReversed() : leaving) {
        send(delivery)
        if (backwards) send(delivery)
      }
    },
    /** Delivers the event once more to whoever got it. */
    resend(eventId: string): void {
      for (const delivery of deliveries.filter(({ event }) => event === eventId)) {
        delivery.state = 'pending'
        send(delivery)
      }
    },
    reset(): void {
      webhooks.clear()
      deliveries.length = 0
      held.length = 0
      holding = false
      delayMs = 0
      times = 1
    },
    close(): void {
      controller.abort()
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

export type PayPalCourier = ReturnType<typeof createPayPalCourier>
