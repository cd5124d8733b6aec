// PayPal's REST API over fetch: a token that is kept while it is good, refusals as values of one class, and the few calls that payouts need.
import { z } from 'zod'
import { type Clock, parseAmount } from '../kit/index.ts'
import type { News } from './states.ts'

export interface BatchOrder {
  readonly senderBatchId: string
  readonly receiver: string
  /** As PayPal writes it. */
  readonly value: string
  readonly currency: string
  /** What stands in the receiver's mail. */
  readonly note: string
}

export interface BatchState extends News {
  readonly batchId: string
  readonly senderBatchId: string | null
}

/** Each call may throw a `PayPalRefusal`, or any other error when PayPal did not answer. */
export interface PayPalApi {
  /** Sends a batch of one payout and returns PayPal's id of it. A `senderBatchId` of the last 30 days is refused: see `earlierBatch`. */
  createBatch(order: BatchOrder): Promise<string>
  batch(batchId: string): Promise<BatchState>
  /** Minor units; undefined when the app may not read the balance. */
  balance(currency: string): Promise<bigint | undefined>
  /** Whether PayPal itself sent these bytes to this webhook. */
  verify(webhookId: string, headers: TransmissionHeaders, rawBody: string): Promise<boolean>
  webhooks(): Promise<readonly { id: string; url: string }[]>
}

export interface TransmissionHeaders {
  readonly authAlgo: string
  readonly certUrl: string
  readonly transmissionId: string
  readonly transmissionSig: string
  readonly transmissionTime: string
}

/** PayPal answered, and the answer is no. */
export class PayPalRefusal extends Error {
  override name = 'PayPalRefusal'
  readonly status: number
  readonly code: string
  readonly details: readonly z.output<typeof detail>[]

  constructor(status: number, body: unknown) {
    const { name, message, details } = refusalBody.parse(body)
    const issues = details.flatMap(({ issue, field }) => (issue ? [field ? `${issue} (${field})` : issue] : []))
    super(`PayPal: ${[message || `status ${status}`, ...issues].join('; ')}`)
    this.status = status
    this.code = name
    this.details = details
  }
}

const detail = z.object({
  field: z.string().catch(''),
  issue: z.string().catch(''),
  link: z.array(z.object({ href: z.string() })).catch([]),
})
const refusalBody = z
  .object({ name: z.string().catch(''), message: z.string().catch(''), details: z.array(detail).catch([]) })
  .catch({ name: '', message: '', details: [] })

const timeoutMs = 20_000
/** A token is renewed this long before it runs out. */
const tokenMarginMs = 60_000

export function createPayPalApi(options: { clientId: string; clientSecret: string; apiUrl: string; clock: Clock }): PayPalApi {
  const { clientId, clientSecret, apiUrl, clock } = options
  let token: Promise<{ value: string; until: number }> | undefined

  async function fetchToken(): Promise<{ value: string; until: number }> {
    const response = await fetch(new URL('/v1/oauth2/token', apiUrl), {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    const body = await jsonOf(response)
    if (!response.ok)
      throw new PayPalRefusal(response.status, { message: 'PAYPAL_CLIENT_ID and PAYPAL_CLIENT_SECRET were not accepted' })
    const { access_token: value, expires_in } = tokenBody.parse(body)
    return { value, until: clock.now().getTime() + Math.max(expires_in * 1000 - tokenMarginMs, 1000) }
  }

  /** One request for a token serves all who wait for it; one that failed, or ran out, is forgotten. */
  async function currentToken(): Promise<string> {
    for (;;) {
      token ??= fetchToken()
      const mine = token
      const forget = () => {
        if (token === mine) token = undefined
      }
      const { value, until } = await mine.catch((error: unknown) => {
        forget()
        throw error
      })
      if (until > clock.now().getTime()) return value
      forget()
    }
  }

  async function call(method: 'GET' | 'POST', path: string, body?: string, secondTry = false): Promise<unknown> {
    const bearer = await currentToken()
    const response = await fetch(new URL(path, apiUrl), {
      method,
      headers: { authorization: `Bearer ${bearer}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    const answer = await jsonOf(response)
    if (response.ok) return answer
    if (response.status === 401 && !secondTry) {
      token = undefined
      return call(method, path, body, true)
    }
    throw new PayPalRefusal(response.status, answer)
  }

  return {
    createBatch: async ({ senderBatchId, receiver, value, currency, note }) => {
      const order = {
        sender_batch_header: { sender_batch_id: senderBatchId, recipient_type: 'EMAIL', email_subject: note },
        items: [{ recipient_type: 'EMAIL', receiver, amount: { value, currency }, note, sender_item_id: senderBatchId }],
      }
      return createdBody.parse(await call('POST', '/v1/payments/payouts', JSON.stringify(order))).batch_header.payout_batch_id
    },
    batch: async (batchId) => {
      const { batch_header: header, items } = batchBody.parse(
        await call('GET', `/v1/payments/payouts/${encodeURIComponent(batchId)}`),
      )
      return {
        batchId: header.payout_batch_id,
        senderBatchId: header.sender_batch_header?.sender_batch_id ?? null,
        batchStatus: header.batch_status,
        itemStatus: items[0]?.transaction_status ?? null,
        error: items[0]?.errors?.message ?? null,
      }
    },
    balance: async (currency) => {
      try {
        const { balances } = balancesBody.parse(await call('GET', `/v1/reporting/balances?currency_code=${currency}`))
        const own = balances.find((balance) => balance.currency === currency)
        return own ? parseAmount(own.available_balance.value, currency) : 0n
      } catch (error) {
        // The app lacks the permission “Transaction search”: PayPal itself refuses what the balance does not cover.
        if (error instanceof PayPalRefusal && (error.status === 403 || error.status === 404)) return undefined
        throw error
      }
    },
    verify: async (webhookId, headers, rawBody) => {
      const proof = JSON.stringify({
        auth_algo: headers.authAlgo,
        cert_url: headers.certUrl,
        transmission_id: headers.transmissionId,
        transmission_sig: headers.transmissionSig,
        transmission_time: headers.transmissionTime,
        webhook_id: webhookId,
      })
      // The signature is over the bytes that came, so they go into the question as they are; a body that was read and written again may differ.
      const answer = await call(
        'POST',
        '/v1/notifications/verify-webhook-signature',
        `${proof.slice(0, -1)},"webhook_event":${rawBody}}`,
      )
      return verificationBody.parse(answer).verification_status === 'SUCCESS'
    },
    webhooks: async () => webhooksBody.parse(await call('GET', '/v1/notifications/webhooks')).webhooks,
  }
}

/**
 * Whether another batch has our sender_batch_id already, and PayPal's id of that one: undefined when it is not named. Its host is not trusted. Undefined for a
 * refusal of another kind.
 */
export function earlierBatch(refusal: PayPalRefusal): { batchId: string | undefined } | undefined {
  const complaint = refusal.details.find(({ field, issue }) => /sender_batch_id/i.test(`${field} ${issue}`))
  const ids = complaint?.link.flatMap(({ href }) => /\/v1\/payments\/payouts\/([A-Za-z0-9-]+)/.exec(href)?.[1] ?? [])
  return complaint && { batchId: ids?.[0] }
}

async function jsonOf(response: Response): Promise<unknown> {
  const text = await response.text()
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const tokenBody = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() })
const createdBody = z.object({ batch_header: z.object({ payout_batch_id: z.string().min(1) }) })
const batchBody = z.object({
  batch_header: z.object({
    payout_batch_id: z.string(),
    batch_status: z.string(),
    sender_batch_header: z.object({ sender_batch_id: z.string() }).partial().optional(),
  }),
  items: z
    .array(z.object({ transaction_status: z.string(), errors: z.object({ message: z.string() }).partial().optional() }))
    .default([]),
})
const balancesBody = z.object({
  balances: z.array(z.object({ currency: z.string(), available_balance: z.object({ value: z.string() }) })),
})
const verificationBody = z.object({ verification_status: z.string() })
const webhooksBody = z.object({ webhooks: z.array(z.object({ id: z.string(), url: z.string() })) })
