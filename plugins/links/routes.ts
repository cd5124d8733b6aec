// The redirect: GET or HEAD /r/CODE. Where it leads comes from the link's record alone; what a visitor sends can only add sub1 … sub5 and the click id.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { type Db, days, type Programs } from '../kit/index.ts'
import { subsOf, withParameters } from './destination.ts'
import { restingLinkPage, unknownLinkPage } from './messages.ts'
import { isClickId, type LinksService, type Visit } from './service.ts'
import { carriesClickId, rejectionOf } from './visit.ts'

/** The click id's name, as a parameter and as a cookie. */
export const clickParameter = 'siso_cid'

interface Parts {
  db: Db
  log: Logger
  service: LinksService
  programs: Programs
  windowDays: (programId: string) => Promise<number>
  /** Whether the program is reached over https, so that the cookie is sent there only. */
  secure: boolean
}

// A link in a large audience sends thousands of visitors through one company's or carrier's address, so the redirect knows no limit per address.
const open = { config: { access: 'public' as const, rateLimit: false as const } }

export function linkRoutes(parts: Parts): (app: FastifyInstance) => void {
  return (app) => {
    // A wildcard, so that whatever stands behind /r/ gets the friendly page.
    app.get('/r/*', open, (request, reply) => follow(parts, request, reply))
    app.get('/r', open, (_request, reply) => sendPage(reply, unknownLinkPage()))
  }
}

async function follow(parts: Parts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { db, service, programs } = parts
  const resolved = await service.resolve(db, (request.params as { '*': string })['*'])
  if (resolved.state === 'unknown') return sendPage(reply, unknownLinkPage())
  if (resolved.state === 'resting') {
    const program = await programs.byId(db, resolved.programId)
    return sendPage(reply, restingLinkPage(program.name, resolved.landingPage))
  }
  const rejected = rejectionOf({ method: request.method, headers: request.headers })
  const subs = subsOf(request.query as Record<string, unknown>)
  const cookie = request.cookies[clickParameter]
  const clickId = await record(parts, {
    link: resolved.link,
    ip: request.ip,
    userAgent: String(request.headers['user-agent'] ?? ''),
    rejected,
    previous: cookie !== undefined && isClickId(cookie) ? cookie : undefined,
    subs,
  })
  const tracked = clickId !== undefined && carriesClickId(rejected)
  if (tracked)
    reply.setCookie(clickParameter, clickId, {
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
      secure: parts.secure,
      maxAge: days(await parts.windowDays(resolved.link.programId)) / 1000,
    })
  return unlisted(reply).redirect(
    withParameters(resolved.destination, { ...(tracked && { [clickParameter]: clickId }), ...subs }),
    302,
  )
}

/** The click's id once it is stored. A visitor is sent on even when it cannot be: then without an id, so that no id is out there which nobody knows. */
async function record({ db, service, log }: Parts, visit: Visit): Promise<string | undefined> {
  try {
    return await service.recordClick(db, visit)
  } catch (error) {
    log.error({ err: error, link: visit.link.id }, 'a click could not be stored')
    return undefined
  }
}

function sendPage(reply: FastifyReply, text: string): FastifyReply {
  return unlisted(reply).status(404).type('text/html; charset=utf-8').send(text)
}

/** Nothing on the way may keep the answer, list the address, or tell the next site where the visitor came from. */
function unlisted(reply: FastifyReply): FastifyReply {
  return reply.headers({
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-robots-tag': 'noindex, nofollow',
  })
}
