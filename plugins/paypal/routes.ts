// PayPal's webhooks, and the page where partners give their address. Webhooks are verified and kept, then answered; handling comes later, in a job.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type Clock, type Db, days, UserError, type WebhookInbox } from '../kit/index.ts'
import type { Payouts } from '../payouts/public.ts'
import type { PayPalApi, TransmissionHeaders } from './client.ts'
import { type ReadEvent, readEvent } from './incoming.ts'
import { type Answer, addressForm, addressGiven, linkRanOut } from './pages.ts'
import { isReady, notReady, type PageLinks, type Receivers } from './receivers.ts'
import { type PayPalService, source } from './service.ts'

/** PayPal tries a delivery again for three days; what is older is somebody's copy. */
const toleranceMs = days(4)

export function webhookRoutes(ports: {
  db: Db
  clock: Clock
  webhooks: WebhookInbox
  /** Undefined while PayPal, or its webhook, is not set up. */
  on: { api: PayPalApi; service: PayPalService; webhookId: string } | undefined
}): (app: FastifyInstance) => void {
  const { db, clock, webhooks, on } = ports
  return (app) => {
    app.post('/webhooks/paypal', { config: { access: 'webhook' } }, async (request, reply) => {
      if (!on)
        throw new UserError(
          'paypal_off',
          'PayPal’s webhooks are not set up here: PAYPAL_CLIENT_ID, PAYPAL_CLIENT_SECRET and PAYPAL_WEBHOOK_ID are needed.',
          { status: 503 },
        )
      const refuse = async (reason: Refusal) => {
        await webhooks.refuse(db, source, reason)
        return new UserError(reason, refusals[reason], { status: 400 })
      }
      const headers = transmissionOf(request)
      const raw = request.rawBody?.toString('utf8') ?? ''
      const json = parsed(raw)
      if (!headers) throw await refuse('bad_signature')
      if (json === undefined) throw await refuse('malformed')
      const sentAt = Date.parse(headers.transmissionTime)
      if (!(sentAt >= clock.now().getTime() - toleranceMs)) throw await refuse('too_old')
      // When PayPal cannot be asked this throws, and PayPal delivers again.
      if (!(await on.api.verify(on.webhookId, headers, raw))) throw await refuse('bad_signature')
      const event = readable(json)
      if (!event) throw await refuse('malformed')
      await on.service.receive(event)
      return reply.send({ received: true })
    })
  }
}

type Refusal = 'bad_signature' | 'too_old' | 'malformed'
const refusals: Record<Refusal, string> = {
  bad_signature: 'PayPal does not confirm that it sent this. Check that PAYPAL_WEBHOOK_ID is the id of this endpoint.',
  too_old: 'The delivery is older than four days. Check the clock of this server.',
  malformed: 'The body is not an event of PayPal.',
}

function transmissionOf({ headers }: FastifyRequest): TransmissionHeaders | undefined {
  const found = ['auth-algo', 'cert-url', 'transmission-id', 'transmission-sig', 'transmission-time'].map(
    (name) => headers[`paypal-${name}`],
  )
  if (!found.every((value) => typeof value === 'string' && value !== '')) return undefined
  const [authAlgo, certUrl, transmissionId, transmissionSig, transmissionTime] = found as [string, string, string, string, string]
  return { authAlgo, certUrl, transmissionId, transmissionSig, transmissionTime }
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function readable(json: object): ReadEvent | undefined {
  try {
    return readEvent(json)
  } catch {
    return undefined
  }
}

const query = z.object({ link: z.string().max(4000).catch('') })
/** Whatever is missing or odd counts as not filled in, so that the page comes back and says so. */
const body = z
  .object({ email: z.string().max(1000).catch(''), again: z.string().max(1000).catch('') })
  .catch({ email: '', again: '' })
const config = { access: 'link', rateLimit: { max: 60, timeWindow: '1 minute' } } as const

export function addressRoutes(ports: {
  db: Db
  receivers: Receivers
  links: PageLinks
  payouts: Payouts
  programName: (programId: string) => Promise<string>
}): (app: FastifyInstance) => void {
  const { db, receivers, links, payouts, programName } = ports
  return (instance) => {
    const app = instance.withTypeProvider<ZodTypeProvider>()

    /** What a link stands for, while its receiver is in use. */
    async function behind(text: string) {
      const link = links.open(text)
      const receiver = link && (await receivers.find(db, link.programId, link.receiverId))
      if (!receiver || receiver.closedAt || (receiver.givenAt && !receiver.email)) return undefined
      return { ...link, receiver, program: await programName(link.programId) }
    }

    app.get('/paypal/address', { config, schema: { querystring: query } }, async (request, reply) => {
      const { link } = request.query
      const found = await behind(link)
      if (!found) return send(reply, linkRanOut())
      const { receiver, program, returnUrl } = found
      return send(reply, isReady(receiver) ? addressGiven(program, link, receiver, returnUrl) : addressForm(program, link))
    })
    app.post('/paypal/address', { config, schema: { querystring: query, body } }, async (request, reply) => {
      const { link } = request.query
      const found = await behind(link)
      if (!found) return send(reply, linkRanOut())
      const { receiver, program, returnUrl } = found
      const { email, again } = request.body
      // Given already, perhaps by a second press of the button: the page shows what is kept.
      if (isReady(receiver)) return send(reply, addressGiven(program, link, receiver, returnUrl))
      try {
        await receivers.give(receiver, email, again)
      } catch (error) {
        if (!(error instanceof UserError)) throw error
        return send(reply, addressForm(program, link, { reason: error.message, email, again }))
      }
      return reply.header('cache-control', 'no-store').redirect(returnUrl, 303)
    })
    app.post('/paypal/address/other', { config, schema: { querystring: query } }, async (request, reply) => {
      const found = await behind(request.query.link)
      if (!found) return send(reply, linkRanOut())
      // At once, and not when the partner has come as far as the next page: nothing more goes to an address that is not right.
      await db.transaction(async (tx) => {
        await receivers.close(tx, found.receiver)
        await payouts.accountChanged(tx, source, found.receiver.id, notReady)
      })
      return reply.header('cache-control', 'no-store').redirect(found.refreshUrl, 303)
    })
  }
}

function send(reply: FastifyReply, { status, body: text }: Answer): FastifyReply {
  return reply.status(status).type('text/html; charset=utf-8').header('cache-control', 'no-store').send(text)
}
