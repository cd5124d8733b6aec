// The HTTP side: routes, bodies (JSON and multipart), who calls, rate limits and faults, answers. Knows no endpoint by itself.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiError, invalidField, invalidJson, methodNotAllowed, notFound, tooLarge, unauthorized } from './errors.ts'
import type { Faults } from './faults.ts'
import { principal } from './gateway.ts'
import type { RateLimits } from './ratelimits.ts'
import type { Application, User, World } from './store.ts'

const MAX_BODY = 26 * 1024 * 1024
/** The size up to which Discord takes a file, in bytes. */
export const MAX_FILE = 10 * 1024 * 1024

export interface UploadedFile {
  /** `files[0]` and the like. */
  field: string
  filename: string
  contentType: string
  bytes: Buffer
}

export interface Call {
  method: string
  /** The path below /api/vN. */
  path: string
  params: Record<string, string>
  query: URLSearchParams
  contentType: string | undefined
  body: unknown
  files: UploadedFile[]
  /** Bytes of the body, for uploads. */
  raw: Buffer
  /** Who calls; routes with auth have it. */
  user: User
  application: Application | null
  reason: string | null
}

/** What a handler answers: undefined is 204, a Reply has its own status, anything else is 200 with that body. */
export type Handler = (call: Call) => unknown

export class Reply {
  readonly status: number
  readonly body: unknown
  readonly headers: Record<string, string>

  constructor(status: number, body: unknown, headers: Record<string, string> = {}) {
    this.status = status
    this.body = body
    this.headers = headers
  }
}

export const created = (body: unknown): Reply => new Reply(201, body)

export interface Route {
  method: string
  /** `/channels/:channel/messages/:message`; a last segment `*` takes all that follows. The method `*` takes every method. */
  pattern: string
  handler: Handler
  /** Needs no token (interaction callbacks, webhooks by token, the gateway address, files). */
  open?: boolean
}

interface Compiled extends Route {
  segments: string[]
}

export interface RouterOptions {
  world: World
  limits: RateLimits
  faults: Faults
  /** Endpoints under /api. */
  api: readonly Route[]
  /** Endpoints outside /api: control and files. */
  outside: readonly Route[]
  /** Runs before each call is answered. */
  before?: (() => void) | undefined
  log?: ((line: string) => void) | undefined
  /** Sees every answered call below /api. */
  observe?: ((exchange: Exchange) => void) | undefined
}

/** One answered call, as an observer sees it. */
export interface Exchange {
  method: string
  /** The path below /api/vN. */
  path: string
  /** The route that answered: `/channels/:channel`. */
  route: string
  request: unknown
  /** Whether the request body was multipart. */
  multipart: boolean
  status: number
  response: unknown
}

/** Makes the request listener. It answers every call, with Discord's own bodies for 401, 404, 405 and 500. */
export function createListener(options: RouterOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const api = compile(options.api)
  const outside = compile(options.outside)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? 'GET'
    const address = new URL(request.url ?? '/', 'http://sandbox')
    options.before?.()
    allowEveryOrigin(response)
    if (method === 'OPTIONS') return send(response, new Reply(204, undefined))
    const version = /^\/api(?:\/v(\d+))?(?=\/|$)/.exec(address.pathname)
    const path = (version ? address.pathname.slice(version[0].length) : address.pathname).replace(/\/+$/, '') || '/'
    if (version?.[1] !== undefined && !['6', '7', '8', '9', '10'].includes(version[1])) {
      throw new ApiError(400, 50041, 'Invalid API version provided')
    }
    const raw = await read(request)
    if (!path.startsWith('/sandbox')) {
      const over = await suffer(options.faults.meet(method, path))
      if (over) return send(response, over)
    }
    const match = find(version ? api : outside, method, path)
    const user = principal(options.world, request.headers.authorization)
    const application = user?.bot ? ([...options.world.applications.values()].find((one) => one.bot_id === user.id) ?? null) : null
    if (!match.route.open && !authorised(request.headers.authorization, user)) throw unauthorized()
    const call: Call = {
      method,
      path,
      params: match.params,
      query: address.searchParams,
      contentType: request.headers['content-type'],
      ...(await parseBody(request, raw)),
      raw,
      user: user as User,
      application,
      reason: readReason(request),
    }
    if (version && !isUnlimited(path)) {
      const caller = user ?? { id: match.params.token ?? 'nobody', bot: true }
      const verdict = options.limits.take(caller, method, path, call.body)
      for (const [name, value] of Object.entries(verdict.headers)) response.setHeader(name, value)
      if (verdict.refused) {
        const { retryAfter, global } = verdict.refused
        return send(response, new Reply(429, { message: 'You are being rate limited.', retry_after: retryAfter, global, code: 0 }))
      }
    }
    const result = await match.route.handler(call)
    const reply = result instanceof Reply ? result : new Reply(result === undefined ? 204 : 200, result)
    if (version) {
      const multipart = call.contentType?.startsWith('multipart/') ?? false
      options.observe?.({
        method,
        path,
        route: match.route.pattern,
        request: call.body,
        multipart,
        status: reply.status,
        response: reply.body,
      })
    }
    send(response, reply)
  }

  return (request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (error instanceof ApiError) return send(response, new Reply(error.status, error.body()))
      options.log?.(`${request.method} ${request.url}: ${error instanceof Error ? error.stack : String(error)}`)
      return send(response, new Reply(500, { message: '500: Internal Server Error', code: 0 }))
    })
  }
}

/** A bot needs the `Bot` prefix, a person must not have it. */
function authorised(header: string | undefined, user: User | undefined): boolean {
  return user !== undefined && header !== undefined && header.startsWith('Bot ') === user.bot
}

const isUnlimited = (path: string): boolean => /^\/interactions\/\d+\/[^/]+\/callback$/.test(path) || path.startsWith('/gateway')

function compile(routes: readonly Route[]): Compiled[] {
  const weight = (segments: string[]) =>
    segments.map((segment) => (segment === '*' ? '2' : segment.startsWith(':') ? '1' : '0')).join('')
  return routes
    .map((route) => ({ ...route, segments: route.pattern.split('/').slice(1) }))
    .sort((a, b) => weight(a.segments).localeCompare(weight(b.segments)))
}

function find(routes: readonly Compiled[], method: string, path: string): { route: Compiled; params: Record<string, string> } {
  const parts = path.split('/').slice(1)
  let otherMethod = false
  for (const route of routes) {
    const rest = route.segments.at(-1) === '*'
    if (rest ? parts.length < route.segments.length : parts.length !== route.segments.length) continue
    if (!route.segments.every((segment, index) => segment.startsWith(':') || segment === '*' || segment === parts[index])) continue
    if (route.method !== '*' && route.method !== method) {
      otherMethod = true
      continue
    }
    const params: Record<string, string> = {}
    for (const [index, segment] of route.segments.entries()) {
      if (segment.startsWith(':')) params[segment.slice(1)] = decode(parts[index] ?? '')
    }
    return { route, params }
  }
  throw otherMethod ? methodNotAllowed() : notFound()
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw notFound()
  }
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size > MAX_BODY) throw tooLarge()
    parts.push(part)
  }
  return Buffer.concat(parts)
}

async function parseBody(request: IncomingMessage, raw: Buffer): Promise<{ body: unknown; files: UploadedFile[] }> {
  const type = request.headers['content-type'] ?? ''
  if (raw.length === 0 || request.url?.startsWith('/uploads/')) return { body: {}, files: [] }
  if (type.startsWith('multipart/form-data')) return parseMultipart(type, raw)
  if (!type.startsWith('application/json') && type !== '') return { body: {}, files: [] }
  return { body: parseJson(raw.toString('utf8')), files: [] }
}

async function parseMultipart(type: string, raw: Buffer): Promise<{ body: unknown; files: UploadedFile[] }> {
  const form = await new Response(new Uint8Array(raw), { headers: { 'content-type': type } }).formData().catch(() => {
    throw invalidField(['_multipart'], 'MULTIPART_INVALID', 'The multipart body could not be read.')
  })
  const fields: Record<string, unknown> = {}
  const files: UploadedFile[] = []
  for (const [name, value] of form.entries()) {
    if (typeof value === 'string') {
      if (name !== 'payload_json') fields[name] = value
      else Object.assign(fields, parseJson(value))
      continue
    }
    const bytes = Buffer.from(await value.arrayBuffer())
    if (bytes.length > MAX_FILE) throw tooLarge()
    files.push({ field: name, filename: value.name, contentType: value.type || 'application/octet-stream', bytes })
  }
  if (files.length > 10) throw new ApiError(400, 30015, 'Maximum number of attachments in a message reached (10)')
  return { body: fields, files }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalidJson()
  }
}

function readReason(request: IncomingMessage): string | null {
  const header = request.headers['x-audit-log-reason']
  if (typeof header !== 'string' || header === '') return null
  const reason = percentDecoded(header)
  if ([...reason].length > 512) throw invalidField(['reason'], 'BASE_TYPE_MAX_LENGTH', 'Must be 512 or fewer in length.')
  return reason
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

async function suffer(faults: ReturnType<Faults['meet']>): Promise<Reply | null> {
  for (const fault of faults) if (fault.kind === 'delay') await sleep(fault.ms ?? 1000)
  const status = faults.find((fault) => fault.kind === 'status')
  if (status) {
    const code = status.status ?? 500
    return new Reply(code, { message: `${code}: a fault that was asked for`, code: 0 })
  }
  const rate = faults.find((fault) => fault.kind === 'rate')
  if (!rate) return null
  const seconds = (rate.ms ?? 1000) / 1000
  return new Reply(
    429,
    { message: 'You are being rate limited.', retry_after: seconds, global: false, code: 0 },
    {
      'Retry-After': String(Math.ceil(seconds)),
      'X-RateLimit-Limit': '1',
      'X-RateLimit-Remaining': '0',
      'X-RateLimit-Reset-After': String(seconds),
      'X-RateLimit-Scope': 'user',
    },
  )
}

function allowEveryOrigin(response: ServerResponse): void {
  response.setHeader('Access-Control-Allow-Origin', '*')
  response.setHeader('Access-Control-Allow-Methods', 'GET, POST, PUT, PATCH, DELETE, OPTIONS')
  response.setHeader('Access-Control-Allow-Headers', '*, Authorization, Content-Type, X-Audit-Log-Reason, X-Super-Properties')
  response.setHeader('Access-Control-Expose-Headers', '*')
}

function send(response: ServerResponse, reply: Reply): void {
  if (response.destroyed || response.headersSent) return
  for (const [name, value] of Object.entries(reply.headers)) response.setHeader(name, value)
  response.statusCode = reply.status
  if (reply.body === undefined) return void response.end()
  if (reply.body instanceof Buffer) return void response.end(reply.body)
  response.setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify(reply.body))
}
