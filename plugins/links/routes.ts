// The redirect: GET or HEAD /r/CODE, and /CODE on a program's own domain. Where it leads comes from the link's record alone; what a visitor sends can only add sub1 … sub5, utm_… and the click id.
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Cookie, clickParameter, type Followed, type Visitor } from './follow.ts'
import { closedLinkPage, unavailablePage, unknownLinkPage } from './messages.ts'
import type { Redirect } from './redirect.ts'

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
    app.get('/r/*', open, (request, reply) => follow(parts, request, reply, (request.params as { '*': string })['*']))
    app.get('/r', open, (request, reply) => follow(parts, request, reply, carriedCode(request.query as Visitor['query'])))
    // The same without /r/ on a program's own domain; elsewhere these addresses are nobody's.
    app.get('/:code', open, (request, reply) => atOwnDomain(parts, request, reply, (request.params as { code: string }).code))
    app.get('/', open, (request, reply) => atOwnDomain(parts, request, reply, carriedCode(request.query as Visitor['query'])))
  }
}

/** How other platforms name the code in an address; links that were made there go on working. */
const codeNames = ['ref', 'via', 'fpr', 'fp_ref', 'a', 'aff']

function carriedCode(query: Visitor['query']): string {
  for (const name of codeNames) if (typeof query[name] === 'string') return query[name]
  return ''
}

async function atOwnDomain(parts: Parts, request: FastifyRequest, reply: FastifyReply, code: string): Promise<FastifyReply> {
  const programs = await parts.redirect.programsAt(request.host)
  if (programs.length > 0) return follow(parts, request, reply, code, programs)
  reply.callNotFound()
  return reply
}

async function follow(
  parts: Parts,
  request: FastifyRequest,
  reply: FastifyReply,
  code: string,
  among?: readonly string[],
): Promise<FastifyReply> {
  const { method, headers, ip } = request
  const followed = await parts.redirect.follow(code, { method, headers, ip, query: request.query as Visitor['query'] }, among)
  if (followed.state !== 'sent') return sendOther(reply, followed)
  const fields = [...redirectHeaders, 'location', followed.location]
  if (followed.cookie) fields.push('set-cookie', setCookie(followed.cookie, parts.secure))
  // Nothing is left for the framework to do with this answer.
  reply.hijack()
  reply.raw.writeHead(302, fields)
  reply.raw.end()
  return reply
}

function setCookie({ value, seconds }: Cookie, secure: boolean): string {
  return `${clickParameter}=${value}; Max-Age=${seconds}; Path=/; HttpOnly;${secure ? ' Secure;' : ''} SameSite=Lax`
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

function sendOther(reply: FastifyReply, followed: Exclude<Followed, { state: 'sent' }>): FastifyReply {
  if (followed.state === 'closed') {
    const isOver = followed.closure === 'expired' || followed.closure === 'limit'
    return sendPage(reply, closedLinkPage(followed.rule, isOver), isOver ? 410 : 404)
  }
  if (followed.state === 'unknown') return sendPage(reply, unknownLinkPage())
  return sendPage(reply.header('retry-after', '30'), unavailablePage(), 503)
}

function sendPage(reply: FastifyReply, text: string, status = 404): FastifyReply {
  reply.helmet()
  return reply.status(status).headers(unlisted).type('text/html; charset=utf-8').send(text)
}
