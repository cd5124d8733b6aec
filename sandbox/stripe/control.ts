// Control endpoints under /sandbox/stripe: what people, banks and time do, for which Stripe's API has no call. JSON in, JSON out.

import type { FastifyInstance } from 'fastify'
import type Stripe from 'stripe'
import { completeOnboarding, restrictAccount } from './accounts.ts'
import { balanceOf, fund } from './balance.ts'
import { addBank, makeDefault, removeBank } from './banks.ts'
import { endSubscription, renewDue, renewSubscription } from './billing.ts'
import { currencyOf } from './catalog.ts'
import { expireIfDue, expireSession, type PayForm, paySession } from './checkout.ts'
import { closeDispute, openDispute } from './disputes.ts'
import { errorBody, invalid, missing, StripeRefusal } from './errors.ts'
import type { Idempotency } from './idempotency.ts'
import { failRefund, refundCharge } from './refunds.ts'
import { required } from './routes.ts'
import { setTaxNumber } from './taxNumbers.ts'
import { failPayout, reverseTransfer, settlePayout } from './transfers.ts'
import { type Courier, createEndpoint, type EndpointGiven, type ReleaseOrder } from './webhooks.ts'
import { idOf, type Scope, type World } from './world.ts'

interface ControlParts {
  getWorld: () => World
  courier: Courier
  idempotency: Idempotency
  reset: () => void
}

type Act = (world: World, id: string, body: Record<string, unknown>) => unknown

/** What can be done to one object: `POST /sandbox/stripe/<kind>/:id/<verb>`. */
export const ACTIONS: Record<string, Act> = {
  'checkout/pay': (world, id, body) => {
    const session = required(world.platform, 'checkout.session', 'checkout.session', id)
    const result = paySession(world, world.platform, session, body as PayForm)
    if (!result.ok) throw result.refusal
    return { session: result.session, redirect: result.redirect }
  },
  'checkout/expire': (world, id) =>
    expireSession(world, world.platform, required(world.platform, 'checkout.session', 'checkout.session', id)),
  'charges/refund': (world, id, body) =>
    refundCharge(world, world.platform, chargeBehind(world, id), {
      ...(body.amount === undefined ? {} : { amount: wholeAmount(body.amount) }),
      reason: (body.reason as Stripe.Refund.Reason | undefined) ?? 'requested_by_customer',
    }),
  'refunds/fail': (world, id) => failRefund(world, world.platform, required(world.platform, 'refund', 'refund', id)),
  'charges/dispute': (world, id, body) =>
    openDispute(world, world.platform, chargeBehind(world, id), {
      ...(typeof body.reason === 'string' ? { reason: body.reason } : {}),
      ...(body.amount === undefined ? {} : { amount: wholeAmount(body.amount) }),
    }),
  'disputes/won': (world, id) => closeDispute(world, world.platform, required(world.platform, 'dispute', 'dispute', id), 'won'),
  'disputes/lost': (world, id) => closeDispute(world, world.platform, required(world.platform, 'dispute', 'dispute', id), 'lost'),
  'subscriptions/renew': (world, id) => {
    const subscription = required(world.platform, 'subscription', 'subscription', id)
    const invoice = renewSubscription(world, world.platform, subscription)
    return { subscription, invoice: invoice ?? null }
  },
  'subscriptions/cancel': (world, id) =>
    endSubscription(world, world.platform, required(world.platform, 'subscription', 'subscription', id), 'cancellation_requested'),
  'transfers/reverse': reverse,
  'transfers/fail': reverse,
  'transfers/settle': (world, id) => {
    const transfer = required(world.platform, 'transfer', 'transfer', id)
    const scope = world.scopes.get(idOf(transfer.destination)!)!
    const payout = [...scope.tables.payout.values()].find(
      (row) => row.status === 'in_transit' && row.created >= transfer.created && row.currency === transfer.currency,
    )
    if (!payout) throw invalid(`No payout in transit carries transfer ${id}.`)
    return settlePayout(world, scope, payout)
  },
  'payouts/settle': (world, id) => settlePayout(world, ...payoutBehind(world, id)),
  'payouts/fail': (world, id, body) =>
    failPayout(world, ...payoutBehind(world, id), typeof body.failure_code === 'string' ? body.failure_code : undefined),
  'accounts/onboard': (world, id) => completeOnboarding(world, connected(world, id).id),
  'accounts/add_bank': (world, id, body) =>
    addBank(world, connected(world, id), typeof body.fingerprint === 'string' ? { fingerprint: body.fingerprint } : {}),
  'accounts/default_bank': (world, id, body) => makeDefault(world, connected(world, id), String(body.bank)),
  'accounts/remove_bank': (world, id, body) => removeBank(world, connected(world, id), String(body.bank)),
  'accounts/tax_number': (world, id, body) => setTaxNumber(world, connected(world, id), body.state),
  'accounts/restrict': (world, id, body) =>
    restrictAccount(world, id, typeof body.disabled_reason === 'string' ? body.disabled_reason : undefined),
}

function connected(world: World, id: string): Stripe.Account {
  return required(world.platform, 'account', 'account', id)
}

function reverse(world: World, id: string, body: Record<string, unknown>) {
  const transfer = required(world.platform, 'transfer', 'transfer', id)
  reverseTransfer(world, transfer, body.amount === undefined ? {} : { amount: wholeAmount(body.amount) })
  return transfer
}

function wholeAmount(value: unknown): number {
  const amount = Number(value)
  if (!Number.isSafeInteger(amount)) throw invalid(`Invalid integer: ${String(value)}`, 'amount', 'parameter_invalid_integer')
  return amount
}

/** The charge named by its own id, its payment intent's, its Checkout session's or its invoice's. */
function chargeBehind(world: World, id: string): Stripe.Charge {
  const scope = world.platform
  const session = scope.tables['checkout.session'].get(id)
  const invoiceId = idOf(session?.invoice) ?? id
  const paid = [...scope.tables.invoice_payment.values()].find((payment) => payment.invoice === invoiceId)
  const intentId = idOf(session?.payment_intent) ?? idOf(paid?.payment.payment_intent) ?? id
  const intent = scope.tables.payment_intent.get(intentId)
  return required(scope, 'charge', 'charge', idOf(intent?.latest_charge) ?? id)
}

function payoutBehind(world: World, id: string): [Scope, Stripe.Payout] {
  for (const scope of world.scopes.values()) {
    const payout = scope.tables.payout.get(id)
    if (payout) return [scope, payout]
  }
  throw missing('payout', id)
}

/** Moves the clock and does what is due by then: sessions expire, subscriptions renew, money settles. */
export function advance(world: World, seconds: number): { now: number; renewed: number } {
  if (!Number.isFinite(seconds) || seconds < 0) throw invalid('`seconds` must be a number of at least 0.', 'seconds')
  world.advance(Math.floor(seconds))
  for (const session of world.platform.tables['checkout.session'].values()) expireIfDue(world, world.platform, session)
  return { now: world.now(), renewed: renewDue(world, world.platform) }
}

/** Registers the control endpoints. */
export function controlRoutes(app: FastifyInstance, { getWorld, courier, idempotency, reset }: ControlParts): void {
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? {} : JSON.parse(String(body)))
    } catch {
      done(Object.assign(new Error('The body is not JSON.'), { statusCode: 400 }))
    }
  })
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    if (error instanceof StripeRefusal)
      return reply.code(error.status).send(errorBody(error, 'req_sandbox', getWorld().platform.id))
    if ((error.statusCode ?? 500) >= 500) console.error(error)
    return reply.code(error.statusCode ?? 500).send({ error: { message: error.message, type: 'sandbox_error' } })
  })
  const bodyOf = (body: unknown) => (body ?? {}) as Record<string, unknown>

  for (const [name, act] of Object.entries(ACTIONS)) {
    const [kind, verb] = name.split('/')
    app.post<{ Params: { id: string } }>(`/sandbox/stripe/${kind}/:id/${verb}`, async (request) =>
      act(getWorld(), request.params.id, bodyOf(request.body)),
    )
  }
  app.post('/sandbox/stripe/balance/fund', async (request) => {
    const { amount, currency = 'usd' } = bodyOf(request.body)
    fund(getWorld(), wholeAmount(amount), currencyOf(String(currency), 'currency'))
    return balanceOf(getWorld(), getWorld().platform)
  })
  app.post('/sandbox/stripe/clock/advance', async (request) => advance(getWorld(), Number(bodyOf(request.body).seconds)))
  app.post('/sandbox/stripe/idempotency/prune', async () => ({ forgotten: idempotency.prune() }))
  app.post('/sandbox/stripe/reset', async () => {
    reset()
    return { ok: true, account: getWorld().platform.id }
  })

  app.post('/sandbox/stripe/webhook_endpoints', async (request) =>
    createEndpoint(getWorld(), bodyOf(request.body) as unknown as EndpointGiven),
  )
  app.get('/sandbox/stripe/webhooks', async () => courier.status())
  app.post('/sandbox/stripe/webhooks', async (request) => courier.configure(bodyOf(request.body)))
  app.post('/sandbox/stripe/webhooks/hold', async () => {
    courier.hold()
    return courier.status()
  })
  app.post('/sandbox/stripe/webhooks/release', async (request) => {
    const { order, times, seed } = bodyOf(request.body) as { order?: ReleaseOrder; times?: number; seed?: number }
    const released = courier.release(order, { ...(times === undefined ? {} : { times }), ...(seed === undefined ? {} : { seed }) })
    return { released: released.map(({ event, type }) => ({ event, type })) }
  })
  app.post<{ Params: { id: string } }>('/sandbox/stripe/events/:id/resend', async (request) => {
    const { endpoint } = bodyOf(request.body)
    return { deliveries: courier.resend(request.params.id, typeof endpoint === 'string' ? endpoint : undefined) }
  })
  app.get<{ Querystring: { event?: string; type?: string; state?: string } }>('/sandbox/stripe/deliveries', async (request) => {
    const { event, type, state } = request.query
    return {
      deliveries: courier
        .deliveries()
        .filter((row) => (!event || row.event === event) && (!type || row.type === type) && (!state || row.state === state)),
    }
  })
}
