// The redirect: GET or HEAD /r/CODE, and /CODE on a program's own domain. Where it leads comes from the link's record alone; what a visitor sends can only add sub1 … sub5, utm_… and the click id.
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { clickParameter } from './destination.ts'
import type { Cookie, Followed, Visitor } from './follow.ts'
import { closedLinkPage, unavailablePage, unknownLinkPage } from './messages.ts'
import type { Redirect } from './redirect.ts'

interface Parts {
  redirect: Redirect
  /** Whether the program is reached over https, so that the cookie is sent there only. */
  secure: boolean
}

/** Where the redirect of a request did not lead: what its page is to say. */
type Unsent = Exclude<Followed, { state: 'sent' }> | { readonly state: 'elsewhere' }

export function linkRoutes(parts: Parts): (app: FastifyInstance) => void {
  const unsent = new WeakMap<FastifyRequest, Unsent>()
  /** A visitor is sent on before the rest of the house looks at the request; only who is not gets a page, with everything that pages have. */
  const leading = (codeIn: (request: FastifyRequest) => string, { atOwnDomain = false } = {}) => ({
    // A link in a large audience sends thousands of visitors through one company's or carrier's address, so the redirect knows no limit per address.
    config: {
      access: 'public' as const,
      rateLimit: false as const,
      early: async (request: FastifyRequest, reply: FastifyReply) => {
        const followed = await follow(parts.redirect, request, codeIn(request), atOwnDomain)
        if (followed.state === 'sent') sendOn(reply, followed, parts.secure)
        else unsent.set(request, followed)
        return followed.state === 'sent'
      },
    },
    // A logger of its own for each request costs more than the redirect itself, which logs nothing.
    childLoggerFactory: (logger: FastifyBaseLogger) => logger,
  })
  const page = (request: FastifyRequest, reply: FastifyReply) => sendPageOf(reply, unsent.get(request)!)
  return (app) => {
    app.addHook('onReady', async () => parts.redirect.start())
    // A wildcard, so that whatever stands behind /r/ gets the friendly page.
    app.get('/r/*', leading(wildcard), page)
    app.get('/r', leading(carriedCode), page)
    // The same without /r/ on a program's own domain; elsewhere these addresses are nobody's.
    app.get('/:code', leading(parameter, { atOwnDomain: true }), page)
    app.get('/', leading(carriedCode, { atOwnDomain: true }), page)
  }
}

const wildcard = (request: FastifyRequest) => (request.params as { '*': string })['*']
const parameter = (request: FastifyRequest) => (request.params as { code: string }).code

/** How other platforms name the code in an address; links that were made there go on working. */
const codeNames = ['ref', 'via', 'fpr', 'fp_ref', 'a', 'aff']

function carriedCode(request: FastifyRequest): string {
  const query = request.query as Visitor['query']
  for (const name of codeNames) if (typeof query[name] === 'string') return query[name]
  return ''
}

async function follow(redirect: Redirect, request: FastifyRequest, code: string, atOwnDomain: boolean): Promise<Followed | Unsent> {
  const among = atOwnDomain ? await redirect.programsAt(request.host) : undefined
  if (among?.length === 0) return { state: 'elsewhere' }
  const { method, headers, ip } = request
  return redirect.follow(code, { method, headers, ip, query: request.query as Visitor['query'] }, among)
}

function sendOn(reply: FastifyReply, { location, cookie }: Extract<Followed, { state: 'sent' }>, secure: boolean): void {
  const fields = [...redirectHeaders, 'location', location]
  if (cookie) fields.push('set-cookie', setCookie(cookie, secure))
  reply.raw.writeHead(302, fields)
  reply.raw.end()
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
  'content-length': '0',
}).flat()

function sendPageOf(reply: FastifyReply, unsent: Unsent): FastifyReply {
  switch (unsent.state) {
    case 'closed': {
      const isOver = unsent.closure === 'expired' || unsent.closure === 'limit'
      return sendPage(reply, closedLinkPage(unsent.rule, isOver), isOver ? 410 : 404)
    }
    case 'unknown':
      return sendPage(reply, unknownLinkPage(), 404)
    case 'unavailable':
      return sendPage(reply.header('retry-after', '30'), unavailablePage(), 503)
    case 'elsewhere':
      reply.callNotFound()
      return reply
  }
}

function sendPage(reply: FastifyReply, text: string, status: number): FastifyReply {
  return reply.status(status).headers(unlisted).type('text/html; charset=utf-8').send(text)
}
