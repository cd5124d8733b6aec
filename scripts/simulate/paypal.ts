// PayPal as the simulation needs it: a small server that speaks its API, breaks off before and after it took the money, and tells later what became of it.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { paydayBefore, type Size } from './plan/calendar.ts'
import { fateOf, isPoor } from './plan/fates.ts'
import { diceOf, shuffled } from './random.ts'

/** An event, as PayPal posts it; a forged one is not signed by PayPal. */
export interface PayPalEvent {
  readonly body: string
  readonly signature: string
}

export interface PayPal {
  readonly environment: Readonly<Record<string, string>>
  /** What PayPal tells on this day, in the order in which it tells it, and what somebody else says in its name. */
  eventsOn(day: number): PayPalEvent[]
  /** What it paid out and did not get back, by `partner currency`; amounts in minor units are those of the requests, as `read` gives them. */
  transferred(): Map<string, bigint>
  close(): Promise<void>
}

interface Batch {
  readonly id: string
  readonly senderBatchId: string
  readonly partner: string
  readonly currency: string
  readonly payday: number
  readonly amount: bigint
  readonly news: { readonly on: number; readonly status: ItemStatus; readonly copies: number }[]
}

type ItemStatus = 'UNCLAIMED' | 'ONHOLD' | 'SUCCESS' | 'FAILED' | 'RETURNED' | 'BLOCKED' | 'DENIED' | 'REFUNDED' | 'REVERSED'
const back: readonly ItemStatus[] = ['FAILED', 'RETURNED', 'BLOCKED', 'DENIED', 'REFUNDED', 'REVERSED']
const eventNames: Record<ItemStatus, string> = {
  UNCLAIMED: 'UNCLAIMED',
  ONHOLD: 'HELD',
  SUCCESS: 'SUCCEEDED',
  FAILED: 'FAILED',
  RETURNED: 'RETURNED',
  BLOCKED: 'BLOCKED',
  DENIED: 'DENIED',
  REFUNDED: 'REFUNDED',
  REVERSED: 'REFUNDED',
}
const webhookId = 'WEBHOOK-OF-THE-SIMULATION'
const good = 'signed-by-paypal'

interface Order {
  readonly sender_batch_header: { readonly sender_batch_id: string }
  readonly items: readonly { readonly receiver: string; readonly amount: { readonly value: string; readonly currency: string } }[]
}

interface Reply {
  readonly status: number
  readonly value: object
}

const ok = (value: object): Reply => ({ status: 200, value })
const invalid = {
  name: 'VALIDATION_ERROR',
  message: 'Invalid request',
  details: [{ field: 'items[0]', issue: 'This cannot be paid' }],
}

export async function startPayPal(
  size: Size,
  world: { today: () => number; read: (value: string, currency: string) => bigint },
): Promise<PayPal> {
  const { today } = world
  const batches: Batch[] = []
  const tries = new Map<string, number>()
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const reply = replyTo(request.method!, new URL(request.url!, url), Buffer.concat(parts).toString())
    if (reply) response.writeHead(reply.status, { 'content-type': 'application/json' }).end(JSON.stringify(reply.value))
    else request.socket.destroy()
  }

  /** Undefined: the connection breaks. */
  function replyTo(method: string, { pathname, searchParams }: URL, body: string): Reply | undefined {
    if (pathname === '/v1/oauth2/token') return ok({ access_token: 'token', expires_in: 1_000_000_000 })
    if (pathname === '/v1/reporting/balances') return ok(balanceOf(searchParams.get('currency_code')!))
    if (pathname === '/v1/notifications/verify-webhook-signature')
      return ok({ verification_status: JSON.parse(body).transmission_sig === good ? 'SUCCESS' : 'FAILURE' })
    return method === 'POST' ? pay(JSON.parse(body)) : show(pathname.split('/').at(-1)!)
  }

  function balanceOf(currency: string) {
    const value = isPoor(size, currency, today()) ? '0' : '1000000000'
    return { balances: [{ currency, available_balance: { currency_code: currency, value } }] }
  }

  function pay(order: Order): Reply | undefined {
    const senderBatchId = order.sender_batch_header.sender_batch_id
    const [{ receiver, amount }] = order.items as [Order['items'][number]]
    const partner = receiver.split('@')[0]!
    const fate = fateOf(size, partner, amount.currency, paydayBefore(today()))
    if (fate.stuck === 'silent' && today() === paydayBefore(today())) return undefined
    const earlier = batches.find((batch) => batch.senderBatchId === senderBatchId)
    if (earlier) return { status: 400, value: alreadyThere(earlier.id) }
    const nth = tries.get(senderBatchId) ?? 0
    tries.set(senderBatchId, nth + 1)
    const trouble = fate.troubles[nth]
    if (trouble === 'before') return undefined
    if (fate.refused || !isPaid(amount.currency)) return { status: 400, value: invalid }
    const batch = take(senderBatchId, partner, amount.currency, world.read(amount.value, amount.currency))
    return trouble === 'after' ? undefined : { status: 201, value: { batch_header: { payout_batch_id: batch.id } } }
  }

  function alreadyThere(batchId: string) {
    const details = [
      {
        field: 'SENDER_BATCH_ID',
        issue: 'Batch with given sender_batch_id already exists',
        link: [{ href: `${url}/v1/payments/payouts/${batchId}` }],
      },
    ]
    return { name: 'USER_BUSINESS_ERROR', message: 'User business error.', details }
  }

  function take(senderBatchId: string, partner: string, currency: string, amount: bigint): Batch {
    const payday = paydayBefore(today())
    const fate = fateOf(size, partner, currency, payday)
    const dice = diceOf(size.seed, 'paypal', partner, currency, payday)
    const wordOn = today() + fate.daysToWord
    const copies = fate.toldTwice ? 2 : 1
    const news: Batch['news'] = [
      {
        on: wordOn,
        status: fate.word === 'paid' ? 'SUCCESS' : dice.pick(['FAILED', 'RETURNED', 'BLOCKED', 'DENIED'] as const),
        copies,
      },
    ]
    // On its way for a while; what is told of that may come after the end of it.
    if (dice.maybe(0.4))
      news.push({ on: today() + dice.between(0, 9), status: dice.pick(['UNCLAIMED', 'ONHOLD'] as const), copies: 1 })
    if (fate.word === 'paid' && fate.comesBack !== undefined)
      news.push({ on: wordOn + fate.comesBack, status: dice.pick(['REFUNDED', 'REVERSED'] as const), copies })
    const batch = { id: `BATCH${batches.length + 1}`, senderBatchId, partner, currency, payday, amount, news }
    batches.push(batch)
    return batch
  }

  function show(id: string): Reply {
    const batch = batches.find((one) => one.id === id)
    if (!batch) return { status: 404, value: { name: 'RESOURCE_NOT_FOUND' } }
    const sender_batch_header = { sender_batch_id: batch.senderBatchId }
    return ok({
      batch_header: { payout_batch_id: id, batch_status: 'SUCCESS', sender_batch_header },
      items: [{ transaction_status: 'PENDING' }],
    })
  }

  const eventOf = ({ id, senderBatchId }: Batch, status: ItemStatus, on: number, signature = good): PayPalEvent => ({
    signature,
    body: JSON.stringify({
      id: `WH-${id}-${status}-${on}-${signature === good ? '' : 'forged'}`,
      event_type: `PAYMENT.PAYOUTS-ITEM.${eventNames[status]}`,
      resource: { payout_batch_id: id, sender_batch_id: senderBatchId, transaction_status: status },
    }),
  })

  return {
    environment: {
      PAYPAL_CLIENT_ID: 'simulation',
      PAYPAL_CLIENT_SECRET: 'simulation',
      PAYPAL_WEBHOOK_ID: webhookId,
      PAYPAL_API_URL: url,
    },
    eventsOn: (day) => {
      const nameOf = ({ partner, currency, payday }: Batch) => `${partner} ${currency} ${payday}`
      const due = batches.filter(({ news }) => news.some(({ on }) => on === day))
      const told = shuffled(due, nameOf, size.seed, 'paypal', day).flatMap((batch) =>
        batch.news
          .filter(({ on }) => on === day)
          .flatMap(({ status, on, copies }) => Array.from({ length: copies }, () => eventOf(batch, status, on))),
      )
      const other = batches.at(-1)
      return other && due.length > 0 ? [eventOf(other, 'RETURNED', day, 'signed-by-nobody'), ...told] : told
    },
    transferred: () => {
      const found = new Map<string, bigint>()
      for (const { partner, currency, amount, news } of batches)
        if (!news.some(({ on, status }) => back.includes(status) && on <= today()))
          found.set(`${partner} ${currency}`, (found.get(`${partner} ${currency}`) ?? 0n) + amount)
      return found
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** PayPal does not know every currency. */
const isPaid = (currency: string): boolean => currency !== 'KWD'
