// The redirect: GET or HEAD /r/CODE. Where it leads comes from the link's record alone; what a visitor sends can only add sub1 … sub5 and the click id.
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { subsOf } from './destination.ts'
import { restingLinkPage, unavailablePage, unknownLinkPage } from './messages.ts'
import type { Redirect } from './redirect.ts'
import { isClickId } from './service.ts'
import { carriesClickId, rejectionOf } from './visit.ts'
import type { Resolved } from './whereabouts.ts'

/** The click id's name, as a parameter and as a cookie. */
export const clickParameter = 'siso_cid'

interface Parts {
  redirect: Redirect
  /** Whether the program is reached over https, so that the cookie is sent there only. */
  secure: boolean
}

const open = {
  // A link in a large audience sends thousands of visitors through one company's or carrier's address, so the redirect knows no limit per address.
  config: { access: 'public' as const, rateLimit: false as const },
  // Most of the security headers speak about pages. A redirect carries those that matter for it (below); the pages here ask for all of them.
  helmet: false as const,
  errorHandler: (error: Error, _request: FastifyRequest, reply: FastifyReply) => {
    reply.helmet()
    throw error
  },
  // A logger of its own for each request costs more than the rest of the redirect, which logs nothing.
  childLoggerFactory: (logger: FastifyBaseLogger) => logger,
}

export function linkRoutes(parts: Parts): (app: FastifyInstance) => void {
  return (app) => {
    app.addHook('onReady', async () => parts.redirect.start())
    // A wildcard, so that whatever stands behind /r/ gets the friendly page.
    app.get('/r/*', open, (request, reply) => follow(parts, request, reply))
    app.get('/r', open, (_request, reply) => sendPage(reply, unknownLinkPage()))
  }
}

async function follow(parts: Parts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const found = parts.redirect.directory.resolve((request.params as { '*': string })['*'])
  const resolved = found instanceof Promise ? await found : found
  if (resolved.state !== 'open') return sendOther(reply, resolved)
  const { headers } = request
  const rejected = rejectionOf({ method: request.method, headers })
  const subs = subsOf(request.query as Record<string, unknown>)
  const clickId = await parts.redirect.recordClick({
    link: resolved.link,
    ip: request.ip,
    userAgent: String(headers['user-agent'] ?? ''),
    rejected,
    previous: clickIdIn(headers.cookie),
    subs,
  })
  const tracked = clickId !== undefined && carriesClickId(rejected)
  const location = resolved.destination.with(tracked ? { [clickParameter]: clickId, ...subs } : { ...subs })
  const cookie = `${clickParameter}=${clickId}; Max-Age=${resolved.cookieSeconds}; Path=/; HttpOnly;${parts.secure ? ' Secure;' : ''} SameSite=Lax`
  // Nothing is left for the framework to do with this answer.
  reply.hijack()
  reply.raw.writeHead(
    302,
    tracked ? [...redirectHeaders, 'location', location, 'set-cookie', cookie] : [...redirectHeaders, 'location', location],
  )
  reply.raw.end()
  return reply
}

/** Nothing on the way may keep the answer, list the address, or tell the next site where the visitor came from. */
const unlisted = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex, nofollow',
}
const redirectHeaders = Object.entries({
  ...unlisted,
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'content-length': '0',
}).flat()

const cookiePattern = new RegExp(`(?:^|;)\\s*${clickParameter}="?([0-9a-f-]{36})"?\\s*(?:;|$)`, 'i')

function clickIdIn(cookies: string | undefined): string | undefined {
  const id = cookies && cookiePattern.exec(cookies)?.[1]
  return id && isClickId(id) ? id : undefined
}

function sendOther(reply: FastifyReply, resolved: Exclude<Resolved, { state: 'open' }>): FastifyReply {
  if (resolved.state === 'resting') return sendPage(reply, restingLinkPage(resolved.program, resolved.landingPage))
  if (resolved.state === 'unknown') return sendPage(reply, unknownLinkPage())
  return sendPage(reply.header('retry-after', '30'), unavailablePage(), 503)
}

function sendPage(reply: FastifyReply, text: string, status = 404): FastifyReply {
  reply.helmet()
  return reply.status(status).headers(unlisted).type('text/html; charset=utf-8').send(text)
}
