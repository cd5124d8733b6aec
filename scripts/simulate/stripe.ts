// Stripe as the simulation needs it: what it tells by webhooks, and a small server that answers when it is asked, unless it has a bad moment.
import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Size } from './plan/calendar.ts'
import type { Customer } from './plan/shop.ts'
import { chance } from './random.ts'
import { type Account, seconds } from './stripe/account.ts'
import { type Connect, createConnect, type Reply } from './stripe/connect.ts'
import {
  type ClickIdOf,
  chargeOf,
  disputeOf,
  intentOf,
  invoiceOf,
  invoicePaymentOf,
  refundOf,
  type StripeObject,
  sessionOf,
  typedIn,
} from './stripe/objects.ts'
import { createPostOffice, type PostOffice, type StripeEvent, statusOf } from './stripe/post.ts'

export interface StripeWorld extends Pick<PostOffice, 'strayOn' | 'tell'> {
  readonly environment: Readonly<Record<string, string>>
  /** Whether the payment goes through Stripe, and was made. */
  knows(payment: string): boolean
  customerOf(payment: string): Customer
  /** The plan's key of a payment, by what Stripe calls it. */
  keyOf(paymentKey: string): string | undefined
  paymentKeyOf(payment: string): string
  /** How often Stripe was asked about payments. */
  asked(): number
  /** How partners are paid. */
  readonly connect: Connect
  close(): Promise<void>
}

const secret = 'whsec_of_the_simulation'

/** The header with which Stripe signs what it sends. https://docs.stripe.com/webhooks#verify-manually */
export function signatureOf(body: string, at: Date, key = secret): string {
  const time = seconds(at.getTime())
  return `t=${time},v1=${createHmac('sha256', key).update(`${time}.${body}`).digest('hex')}`
}

const ok = (value: object): Reply => ({ status: 200, value })
const list = (found: readonly (StripeObject | undefined)[], url: string): Reply =>
  ok({ object: 'list', data: found.filter((one) => one !== undefined), has_more: false, url })
const missing: Reply = {
  status: 404,
  value: { error: { type: 'invalid_request_error', code: 'resource_missing', message: 'No such object' } },
}

/** @param world.tellEarly brings an event at once, before the answer to what was asked */
export async function startStripe(
  size: Size,
  world: { clickIdOf: ClickIdOf; now: () => number; tellEarly: (event: StripeEvent) => Promise<void> },
): Promise<StripeWorld> {
  const { clickIdOf } = world
  const post = createPostOffice(size.seed, clickIdOf)
  const connect = createConnect(size, world)
  let asked = 0
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = (await ofConnect(request)) ?? ofShop(request)
    if (reply === 'broken') {
      request.socket.destroy()
      return
    }
    const { status, value } = reply
    response.writeHead(status, { 'content-type': 'application/json', 'stripe-should-retry': 'false' }).end(JSON.stringify(value))
  }

  /** What becomes of payouts is in the plan; so are the bad moments. */
  async function ofConnect(request: IncomingMessage): Promise<Reply | 'broken' | undefined> {
    const { pathname, searchParams: query } = new URL(request.url!, url)
    const [, , ...path] = pathname.split('/')
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const key = request.headers['idempotency-key']
    return connect.answer({
      method: request.method!,
      path,
      query,
      body: new URLSearchParams(Buffer.concat(parts).toString()),
      key: typeof key === 'string' ? key : undefined,
    })
  }

  function ofShop(request: IncomingMessage): Reply | 'broken' {
    const trouble = chance(size.seed, 'trouble of Stripe', ++asked)
    if (trouble < 0.003) return 'broken'
    return trouble < 0.04 ? busy : replyTo(new URL(request.url!, url))
  }

  function replyTo({ pathname, searchParams }: URL): Reply {
    const [, , ...path] = pathname.split('/')
    const kind = path[0] === 'checkout' ? path.splice(0, 2)[1]! : path.shift()!
    const id = path[0]
    if (kind === 'account') return ok({ id: 'acct_of_the_simulation', object: 'account', business_profile: { name: 'SISO' } })
    if (kind === 'promotion_codes') return ok({ id, object: 'promotion_code', code: typedIn(id!) })
    if (id !== undefined) return found(show(kind, id, searchParams))
    return list(lists[kind]?.(searchParams) ?? [], pathname)
  }

  const accountOf = (id: string | null): Account | undefined =>
    id === null ? undefined : post.account(id.slice(id.indexOf('_') + 1))

  function show(kind: string, id: string, query: URLSearchParams): StripeObject | undefined {
    const [, refund, nth] = /^(re_.+)_(\d+)$/.exec(id) ?? []
    const account = accountOf(refund ?? id)
    if (!account) return undefined
    switch (kind) {
      case 'payment_intents': {
        const intent = intentOf(account, clickIdOf, account.paid ? 'succeeded' : 'processing')
        return query.get('expand[0]') === 'latest_charge' ? { ...intent, latest_charge: charge(account) } : intent
      }
      case 'charges':
        return charge(account)
      case 'sessions':
        return session(account)
      case 'invoices':
        return invoiceOf(account, { expanded: query.get('expand[0]') === 'discounts' })
      case 'invoice_payments':
        return invoicePaymentOf(account)
      case 'refunds': {
        const { failedAt } = account.charged.refunds[Number(nth)]!
        return refundOf(account, Number(nth), failedAt !== undefined && failedAt <= account.refundsUntil ? 'failed' : 'succeeded')
      }
      case 'disputes':
        return disputeOf(account, statusOf(account.dispute?.state ?? 'open', account.way.isInquiry))
      default:
        return undefined
    }
  }

  const charge = (account: Account): StripeObject =>
    chargeOf(account, clickIdOf, {
      status: account.paid ? 'succeeded' : 'pending',
      hinted: account.hinted,
      until: account.refundsUntil,
    })
  const session = (account: Account): StripeObject | undefined => sessionOf(account, clickIdOf, account.paid || !account.way.isSlow)

  const lists: Readonly<Record<string, (query: URLSearchParams) => (StripeObject | undefined)[]>> = {
    sessions: (query) => {
      const subscription = query.get('subscription')
      if (subscription !== null) return post.ofSubscription(subscription).map(session)
      const account = accountOf(query.get('payment_intent'))
      return account && account.way.kind === 'checkout' ? [session(account)] : []
    },
    invoices: (query) =>
      post
        .ofSubscription(query.get('subscription')!)
        .map((account) => invoiceOf(account)!)
        .filter(({ created }) => Number(created) <= Number(query.get('created[lte]')))
        .toReversed(),
    invoice_payments: (query) => {
      const account = accountOf(query.get('payment[payment_intent]') ?? query.get('invoice'))
      return account ? [invoicePaymentOf(account)] : []
    },
  }

  return {
    strayOn: post.strayOn,
    tell: post.tell,
    environment: { STRIPE_SECRET_KEY: 'sk_test_simulation', STRIPE_WEBHOOK_SECRET: `whsec_another,${secret}`, STRIPE_API_URL: url },
    knows: (payment) => post.account(payment) !== undefined,
    customerOf: (payment) => post.account(payment)!.charged.made.customer,
    keyOf: (paymentKey) => (paymentKey.startsWith('pi_') ? paymentKey.slice(3) : undefined),
    paymentKeyOf: (payment) => `pi_${payment}`,
    asked: () => asked,
    connect,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const found = (object: StripeObject | undefined): Reply => (object ? ok(object) : missing)
const busy: Reply = { status: 503, value: { error: { type: 'api_error', message: 'Stripe has a bad moment' } } }
