// A local Stripe: a small server that the real `stripe` SDK talks to. In memory; it imports nothing of the product.
// This file puts the parts together and listens; what each request does is written in the files beside it.

import type { AddressInfo } from 'node:net'
import formbody from '@fastify/formbody'
import Fastify from 'fastify'
import { createFaults, faultRoutes } from '../vendor/faults.ts'
import { accountRoutes, createPlatformAccount, type LinkBook } from './accounts.ts'
import { registerApi } from './api.ts'
import { available, fund } from './balance.ts'
import { billingRoutes } from './billing.ts'
import { catalogRoutes } from './catalog.ts'
import { checkoutRoutes } from './checkout.ts'
import { controlRoutes } from './control.ts'
import { dashboardRoutes } from './dashboard.ts'
import { disputeRoutes } from './disputes.ts'
import { createIdempotency } from './idempotency.ts'
import { hostedPages } from './pages.ts'
import { paymentRoutes } from './payments.ts'
import { refundRoutes } from './refunds.ts'
import type { Route } from './routes.ts'
import { createPayout, type PayoutPlan, settlePayout, transferRoutes } from './transfers.ts'
import { createCourier, createEndpoint, DEFAULT_RETRIES, type EndpointGiven, type RetryPlan, webhookRoutes } from './webhooks.ts'
import { createWorld, type Scope, type World } from './world.ts'

export interface StripeSandboxOptions {
  /** 0 (the default) takes a free port. */
  port?: number
  host?: string
  /** What the sandbox takes for now; webhooks are signed with the real time all the same. */
  clock?: { now(): Date }
  /** Address at which a browser reaches the hosted pages, when it is not the server's own. */
  publicUrl?: string
  /** The platform's country, name and e-mail. */
  platform?: { country?: string; name?: string; email?: string }
  /** Keys that are accepted. Without it every `sk_test_…` and `rk_test_…` is. */
  secretKeys?: readonly string[]
  /** Webhook endpoints known from the start, with secrets of your choice. */
  webhooks?: readonly EndpointGiven[]
  retries?: Partial<RetryPlan>
  /** Money in the platform's balance from the start, minor units by currency. */
  funds?: Record<string, number>
  /** Milliseconds until the automatic payout of a connected account arrives; `null` leaves it in transit for a control endpoint. */
  payoutDelayMs?: number | null
  /** Writes one line per API request. */
  log?: (line: string) => void
}

/** Starts a local Stripe. */
export async function createStripeSandbox(options: StripeSandboxOptions = {}) {
  const { port = 0, host = '127.0.0.1', clock = { now: () => new Date() }, payoutDelayMs = 1000 } = options
  const app = Fastify({ logger: false, bodyLimit: 1_048_576, routerOptions: { maxParamLength: 500 }, forceCloseConnections: true })
  const faults = createFaults()
  const links: LinkBook = { onboarding: new Map(), login: new Map() }
  const timers = new Set<NodeJS.Timeout>()
  const platform = { country: 'US', name: 'SISO', email: 'owner@siso.example', ...options.platform }

  let world: World
  const courier = createCourier(() => world, { ...DEFAULT_RETRIES, ...options.retries })

  function freshWorld(pagesUrl: string): World {
    const fresh = createWorld({ now: () => clock.now(), publish: (published) => courier.publish(published) })
    fresh.pagesUrl = pagesUrl
    createPlatformAccount(fresh, platform)
    return fresh
  }
  function furnish(): void {
    for (const endpoint of options.webhooks ?? []) createEndpoint(world, endpoint)
    for (const [currency, amount] of Object.entries(options.funds ?? {})) fund(world, amount, currency)
  }
  world = freshWorld('')

  const payouts: PayoutPlan = {
    received(scope: Scope, currency) {
      // What an earlier reversal took is made good first, as at Stripe: only what is there is paid out.
      const amount = available(world, scope, currency)
      if (amount <= 0 || !world.platform.tables.account.get(scope.id)?.payouts_enabled) return
      const payout = createPayout(world, scope, { amount, currency, automatic: true })
      if (payoutDelayMs === null) return
      const timer = setTimeout(() => {
        timers.delete(timer)
        if (payout.status === 'in_transit') settlePayout(world, scope, payout)
      }, payoutDelayMs)
      timer.unref()
      timers.add(timer)
    },
  }
  const idempotency = createIdempotency(() => world.now())
  const routes: Route[] = [
    ...accountRoutes(links),
    ...catalogRoutes(),
    ...checkoutRoutes(),
    ...paymentRoutes(),
    ...refundRoutes(),
    ...disputeRoutes(),
    ...billingRoutes(),
    ...transferRoutes(payouts),
    ...webhookRoutes(),
  ]

  const getWorld = (): World => world
  /** Forgets everything: accounts, payments, events, faults and keys. The options given at the start apply again. */
  function reset(): void {
    for (const timer of timers) clearTimeout(timer)
    timers.clear()
    courier.reset()
    faults.clear()
    idempotency.prune()
    links.onboarding.clear()
    links.login.clear()
    world = freshWorld(world.pagesUrl)
    furnish()
  }

  await registerApi(app, { getWorld, routes, faults, idempotency, secretKeys: options.secretKeys, log: options.log })
  await app.register(async (pages) => {
    await pages.register(formbody)
    faultRoutes(pages, faults)
    controlRoutes(pages, { getWorld, courier, idempotency, reset })
    hostedPages(pages, { getWorld, links })
    dashboardRoutes(pages, { getWorld, courier })
  })
  await app.listen({ port, host })
  const address = app.server.address() as AddressInfo
  const url = `http://${host}:${address.port}`
  world.pagesUrl = (options.publicUrl ?? url).replace(/\/$/, '')
  furnish()

  return {
    /** `http://127.0.0.1:PORT`, for the SDK as `{host, port, protocol: 'http'}`. */
    url,
    host,
    port: address.port,
    /** The platform's own account id. */
    get account(): string {
      return world.platform.id
    },
    faults,
    webhooks: courier,
    /** Registers a webhook endpoint and returns it with its secret. */
    addWebhook: (endpoint: EndpointGiven) => createEndpoint(world, endpoint),
    reset,
    /** Stops listening and every delivery under way. */
    async close(): Promise<void> {
      for (const timer of timers) clearTimeout(timer)
      courier.close()
      await app.close()
    },
  }
}

export type StripeSandbox = Awaited<ReturnType<typeof createStripeSandbox>>
