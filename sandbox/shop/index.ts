// The company's own website: sells services through Stripe Checkout and remembers which click brought the visitor. It knows the partner
// program by the `siso_cid` that arrives in the address and that it passes on to Stripe, and by the webhooks that it is told of and only keeps.

import type { AddressInfo } from 'node:net'
import cookie from '@fastify/cookie'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import Stripe from 'stripe'
import { landingPage, problemPage, type Told, thanksPage, toldPage } from './pages.ts'
import { productBySlug, type ShopProduct } from './products.ts'

export interface ShopOptions {
  /** 0 (the default) takes a free port. */
  port?: number
  host?: string
  /** Where Stripe's API is. */
  stripeApi: { host: string; port: number; protocol: 'http' | 'https' }
  secretKey: string
  /** Address at which a browser reaches the shop, when it is not the server's own. */
  publicUrl?: string
}

const MOST_TOLD = 200
const COOKIE = 'siso_cid'
const COOKIE_DAYS = 90
/** What Stripe takes as a client reference: letters, digits, dashes and underscores. */
const CLICK_ID = /^[A-Za-z0-9_-]{1,200}$/

/** Starts the shop. */
export async function createShop(options: ShopOptions) {
  const { port = 0, host = '127.0.0.1', stripeApi, secretKey } = options
  const app = Fastify({ logger: false, forceCloseConnections: true })
  const stripe = new Stripe(secretKey, { host: stripeApi.host, port: stripeApi.port, protocol: stripeApi.protocol })
  let publicUrl = ''

  await app.register(cookie)
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  app.setNotFoundHandler((_request, reply) =>
    send(
      reply,
      404,
      problemPage('This page does not exist', 'The address may be mistyped. Everything we sell is on the front page.'),
    ),
  )
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    if (error.statusCode !== undefined && error.statusCode < 500)
      return send(reply, error.statusCode, problemPage('That could not be read', 'Please go back and try again.'))
    console.error(error)
    return send(reply, 502, problemPage('The checkout did not answer', 'Nothing was charged. Please try again in a minute.'))
  })

  app.get<{ Querystring: { siso_cid?: string; cancelled?: string } }>('/', async (request, reply) => {
    const arrived = request.query.siso_cid
    if (typeof arrived === 'string' && CLICK_ID.test(arrived))
      reply.setCookie(COOKIE, arrived, {
        path: '/',
        maxAge: COOKIE_DAYS * 86_400,
        httpOnly: true,
        sameSite: 'lax',
        secure: publicUrl.startsWith('https:'),
      })
    const referred = clickOf(request) !== undefined || (typeof arrived === 'string' && CLICK_ID.test(arrived))
    return send(reply, 200, landingPage({ referred, cancelled: request.query.cancelled !== undefined }))
  })

  app.post<{ Params: { slug: string } }>('/buy/:slug', async (request, reply) => {
    const product = productBySlug(request.params.slug)
    if (!product) return send(reply, 404, problemPage('We do not sell that', 'Everything we sell is on the front page.'))
    const session = await stripe.checkout.sessions.create(checkoutFor(product, publicUrl, clickOf(request)))
    return reply.redirect(session.url!, 303)
  })

  const told = new Map<string, Told>()
  app.post<{ Body: { type?: unknown; timestamp?: unknown } | null }>('/hooks/partners', async (request, reply) => {
    const id = String(request.headers['webhook-id'] ?? '').slice(0, 100)
    const { type, timestamp } = request.body ?? {}
    if (!id || typeof type !== 'string') return reply.code(400).send()
    told.set(id, { id, type: type.slice(0, 100), at: new Date(Date.parse(String(timestamp)) || Date.now()) })
    const oldest = told.keys().next().value
    if (told.size > MOST_TOLD && oldest !== undefined) told.delete(oldest)
    return reply.code(204).send()
  })
  app.get('/hooks/partners', async (_request, reply) => send(reply, 200, toldPage([...told.values()].reverse())))

  app.get<{ Querystring: { session_id?: string } }>('/thanks', async (request, reply) => {
    const id = request.query.session_id ?? ''
    const session = /^cs_/.test(id)
      ? await stripe.checkout.sessions.retrieve(id, { expand: ['line_items', 'invoice'] }).catch(() => undefined)
      : undefined
    if (session?.status !== 'complete')
      return send(
        reply,
        404,
        problemPage('We cannot find that order', 'If you have paid, the receipt is in your mail. Otherwise nothing was charged.'),
      )
    const invoice = typeof session.invoice === 'object' ? session.invoice : null
    return send(
      reply,
      200,
      thanksPage({
        name: session.line_items?.data.map((line) => line.description).join(', ') ?? '',
        amount: session.amount_total ?? 0,
        currency: session.currency ?? 'usd',
        email: session.customer_details?.email ?? null,
        invoiceUrl: invoice?.hosted_invoice_url ?? null,
        subscription: session.mode === 'subscription',
        referred: session.client_reference_id !== null,
      }),
    )
  })

  await app.listen({ port, host })
  const address = app.server.address() as AddressInfo
  const url = `http://${host}:${address.port}`
  publicUrl = (options.publicUrl ?? url).replace(/\/$/, '')
  return { url, host, port: address.port, reset: (): void => told.clear(), close: (): Promise<void> => app.close() }
}

export type Shop = Awaited<ReturnType<typeof createShop>>

function clickOf(request: FastifyRequest): string | undefined {
  const click = request.cookies[COOKIE]
  return click !== undefined && CLICK_ID.test(click) ? click : undefined
}

/** The Checkout session for a product: the click travels as client reference and as metadata of the session and of what it makes. */
function checkoutFor(product: ShopProduct, publicUrl: string, click: string | undefined): Stripe.Checkout.SessionCreateParams {
  const metadata = { product: product.slug, ...(click ? { siso_cid: click } : {}) }
  return {
    mode: product.interval ? 'subscription' : 'payment',
    success_url: `${publicUrl}/thanks?session_id={CHECKOUT_SESSION_ID}`,
    cancel_url: `${publicUrl}/?cancelled`,
    allow_promotion_codes: true,
    metadata,
    ...(click ? { client_reference_id: click } : {}),
    line_items: [
      {
        quantity: 1,
        price_data: {
          currency: 'usd',
          unit_amount: product.amount,
          product_data: { name: product.name, description: product.description, metadata: { slug: product.slug } },
          ...(product.interval ? { recurring: { interval: product.interval } } : {}),
        },
      },
    ],
    ...(product.interval
      ? { subscription_data: { metadata } }
      : {
          customer_creation: 'always' as const,
          payment_intent_data: { metadata, description: product.name },
          invoice_creation: { enabled: true, invoice_data: { metadata } },
        }),
  }
}

function send(reply: FastifyReply, status: number, body: string) {
  return reply.code(status).header('content-type', 'text/html; charset=utf-8').header('cache-control', 'no-store').send(body)
}
