// The way of every API request: key, version, account, fault, parameters, idempotency, the route itself, expansion, answer.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { dropConnection, type Fault, type Faults, sleep } from '../vendor/faults.ts'
import { checkoutIncludable } from './checkout.ts'
import { errorBody, invalid, StripeRefusal } from './errors.ts'
import { parseForm } from './form.ts'
import type { Idempotency } from './idempotency.ts'
import { newId } from './ids.ts'
import { readParams } from './parameters.ts'
import { type Call, expand, type Route } from './routes.ts'
import { API_VERSION, type Scope, type World } from './world.ts'

interface ApiParts {
  getWorld: () => World
  routes: readonly Route[]
  faults: Faults
  idempotency: Idempotency
  secretKeys: readonly string[] | undefined
  log: ((line: string) => void) | undefined
}

interface Answer {
  status: number
  body: string
  headers: Record<string, string>
}

/** Registers every API route, and Stripe's answer to paths below `/v1` that do not exist. */
export async function registerApi(app: FastifyInstance, parts: ApiParts): Promise<void> {
  await app.register(async (api) => {
    api.removeAllContentTypeParsers()
    api.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
    for (const route of parts.routes)
      api.route({ method: route.method, url: route.path, handler: (request, reply) => handle(parts, route, request, reply) })
    api.all('/v1/*', (request, reply) => handle(parts, undefined, request, reply))
  })
}

async function handle(parts: ApiParts, route: Route | undefined, request: FastifyRequest, reply: FastifyReply) {
  const requestId = newId('req')
  const path = request.url.split('?')[0]!
  const fault = parts.faults.take(request.method, path)
  if (fault && fault.kind !== 'timeout_after_apply' && fault.ms > 0 && fault.kind !== 'delay') await sleep(fault.ms)
  if (fault?.kind === 'timeout_before_apply') return dropConnection(request, reply)
  const started = performance.now()
  const answer = await respond(parts, route, request, requestId, path, fault)
  parts.log?.(`${request.method} ${path} ${answer.status} ${Math.round(performance.now() - started)}ms ${requestId}`)
  if (fault?.kind === 'timeout_after_apply') {
    await sleep(fault.ms)
    return dropConnection(request, reply)
  }
  const version = request.headers['stripe-version']
  return reply
    .code(answer.status)
    .headers({
      'content-type': 'application/json',
      'cache-control': 'no-cache, no-store',
      'request-id': requestId,
      'stripe-version': typeof version === 'string' ? version : API_VERSION,
      ...answer.headers,
    })
    .send(answer.body)
}

/** The answer to a request: a result, a replay, or a refusal in Stripe's shape. */
async function respond(
  parts: ApiParts,
  route: Route | undefined,
  request: FastifyRequest,
  requestId: string,
  path: string,
  fault: Fault | undefined,
): Promise<Answer> {
  const world = parts.getWorld()
  const refuse = (refusal: StripeRefusal, headers: Record<string, string> = {}): Answer => ({
    status: refusal.status,
    body: JSON.stringify(errorBody(refusal, requestId, world.platform.id), null, 2),
    headers: { ...headers, ...(refusal.status === 409 ? { 'stripe-should-retry': 'true' } : {}) },
  })
  try {
    authenticate(request, parts.secretKeys)
    checkVersion(request)
    if (fault?.kind === 'status') return refuse(faultRefusal(fault.status))
    if (!route) throw unknownUrl(request, path)
    const scope = scopeFor(world, request)
    const form = readForm(request)
    const params = readParams(form, route.params)
    const call: Call = { world, scope, path: request.params as Record<string, string> }
    const key = headerOf(request, 'idempotency-key')
    if (request.method !== 'POST' || key === undefined) {
      const result = run(world, route, call, params, { id: requestId, idempotency_key: null })
      if (fault?.kind === 'delay') await sleep(fault.ms)
      return { status: 200, body: result, headers: {} }
    }
    return await idempotently(parts, { route, call, params, key, path, body: canonical(form), requestId, refuse, fault })
  } catch (error) {
    if (error instanceof StripeRefusal) return refuse(error)
    console.error(error)
    return refuse(new StripeRefusal(500, `The sandbox failed: ${(error as Error).message}`, { type: 'api_error' }))
  }
}

/** Runs a POST under its key: the first answer, refusals by the resource included, is the answer to every repetition. */
async function idempotently(
  parts: ApiParts,
  given: {
    route: Route
    call: Call
    params: Record<string, unknown>
    key: string
    path: string
    body: string
    requestId: string
    refuse: (refusal: StripeRefusal) => Answer
    fault: Fault | undefined
  },
): Promise<Answer> {
  const { route, call, params, key, path, body, requestId, refuse, fault } = given
  if (key.length > 255) throw invalid('The Idempotency-Key header must be at most 255 characters.')
  const saved = parts.idempotency.claim(call.scope.id, key, path, body)
  if (saved)
    return {
      status: saved.status,
      body: saved.body,
      headers: { 'idempotency-key': key, 'idempotent-replayed': 'true', 'original-request': saved.requestId },
    }
  let answer: Answer
  try {
    const result = run(call.world, route, call, params, { id: requestId, idempotency_key: key })
    answer = { status: 200, body: result, headers: {} }
  } catch (error) {
    if (!(error instanceof StripeRefusal)) {
      parts.idempotency.free(call.scope.id, key)
      throw error
    }
    answer = refuse(error)
  }
  if (fault?.kind === 'delay') await sleep(fault.ms)
  parts.idempotency.save(call.scope.id, key, { status: answer.status, body: answer.body, requestId })
  return { ...answer, headers: { ...answer.headers, 'idempotency-key': key, 'original-request': requestId } }
}

/** Runs the route with its cause known to the events it makes. Routes are synchronous, so no other request comes between. */
function run(
  world: World,
  route: Route,
  call: Call,
  params: Record<string, unknown>,
  cause: NonNullable<World['request']>,
): string {
  world.request = cause
  try {
    const result = route.run(call, params as never)
    const paths = Array.isArray(params.expand) ? (params.expand as string[]) : []
    return JSON.stringify(expand(call, result, paths, checkoutIncludable), null, 2)
  } finally {
    world.request = null
  }
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

function authenticate(request: FastifyRequest, secretKeys: readonly string[] | undefined): void {
  const authorization = headerOf(request, 'authorization') ?? ''
  const [scheme = '', credentials = ''] = authorization.split(' ')
  const key = /^basic$/i.test(scheme)
    ? Buffer.from(credentials, 'base64').toString().split(':')[0]!
    : /^bearer$/i.test(scheme)
      ? credentials
      : ''
  if (key === '')
    throw new StripeRefusal(
      401,
      "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.",
    )
  const accepted = secretKeys ? secretKeys.includes(key) : /^(sk|rk)_test_\w+$/.test(key)
  if (!accepted) throw new StripeRefusal(401, `Invalid API Key provided: ${masked(key)}`)
}

function masked(key: string): string {
  return key.length <= 12 ? '*'.repeat(key.length) : `${key.slice(0, 8)}${'*'.repeat(key.length - 12)}${key.slice(-4)}`
}

function checkVersion(request: FastifyRequest): void {
  const version = headerOf(request, 'stripe-version')
  if (version === undefined || version === API_VERSION) return
  const wellFormed = /^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$/.test(version)
  throw invalid(
    wellFormed
      ? `Invalid Stripe API version: ${version}. The sandbox speaks ${API_VERSION} only.`
      : `Invalid Stripe API version: ${version}`,
  )
}

/** The account a call acts on: `Stripe-Account` names a connected one. */
function scopeFor(world: World, request: FastifyRequest): Scope {
  const id = headerOf(request, 'stripe-account')
  if (id === undefined || id === world.platform.id) return world.platform
  const scope = world.scopes.get(id)
  if (!scope || !world.platform.tables.account.has(id))
    throw new StripeRefusal(
      403,
      `The provided key does not have access to account '${id}' (or that account does not exist). Application access may have been revoked.`,
      { code: 'account_invalid' },
    )
  return scope
}

function readForm(request: FastifyRequest): ReturnType<typeof parseForm> {
  const query = request.url.split('?')[1] ?? ''
  const body = typeof request.body === 'string' ? request.body : ''
  if (request.method === 'POST' && body !== '' && /json/.test(headerOf(request, 'content-type') ?? ''))
    throw invalid(
      'Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any questions, we can help at https://support.stripe.com/.',
    )
  try {
    return parseForm([query, body].filter(Boolean).join('&'))
  } catch (error) {
    throw invalid((error as Error).message)
  }
}

/** The form as text that does not depend on the order of its keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, child]) => `${JSON.stringify(key)}:${canonical(child)}`).join(',')}}`
}

function unknownUrl(request: FastifyRequest, path: string): StripeRefusal {
  return new StripeRefusal(
    404,
    `Unrecognized request URL (${request.method}: ${path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`,
  )
}

function faultRefusal(status: number): StripeRefusal {
  if (status === 429)
    return new StripeRefusal(
      429,
      'Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits.',
      { code: 'rate_limit' },
    )
  if (status >= 500) return new StripeRefusal(status, 'An unknown error occurred', { type: 'api_error' })
  return new StripeRefusal(status, `A fault of the sandbox: status ${status}.`)
}
