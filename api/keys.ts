// Guards the routes that ask for an API key: who calls, how often, and whether the key allows it. Knows no key itself; a plugin's guard does.
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { KeyGuard } from '../plugins/kit/access.ts'
import { UserError } from '../plugins/kit/errors.ts'

/** Requests a minute from one address that brings no good key. */
const strangersPerMinute = 60

/** Puts the guard before routes with the access `key`. The function throws an Error when a route has no scope or an unknown one, or there is no guard. */
export function createKeyGate(app: FastifyInstance, guard: KeyGuard | undefined): (route: RouteOptions) => void {
  let limiter: ReturnType<FastifyInstance['createRateLimit']> | undefined
  const checks = new WeakSet<object>()

  /** One count for a key over all routes of this process, told in headers. @throws UserError when it is used up */
  async function countRequest(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    limiter ??= app.createRateLimit({
      timeWindow: '1 minute',
      keyGenerator: ({ caller, ip }) => (caller ? `key ${caller.keyId}` : `address ${ip}`),
      max: ({ caller }) => caller?.requestsPerMinute ?? strangersPerMinute,
    })
    const count = await limiter(request)
    if (count.isAllowed) return
    const { max, remaining, ttlInSeconds } = count
    reply.headers({ 'x-ratelimit-limit': max, 'x-ratelimit-remaining': remaining, 'x-ratelimit-reset': ttlInSeconds })
    if (!count.isExceeded) return
    reply.header('retry-after', ttlInSeconds)
    throw new UserError('too_many_requests', `Too many requests. Wait ${ttlInSeconds} seconds, then try again.`, { status: 429 })
  }

  return (route) => {
    const name = `${String(route.method)} ${route.url}`
    const scope = route.config?.scope
    if (!guard) throw new Error(`The route ${name} asks for an API key, but no plugin knows API keys`)
    if (!scope) throw new Error(`The route ${name} asks for an API key without saying for what (config.scope)`)
    if (!guard.scopes().includes(scope))
      throw new Error(`The route ${name} asks for the scope “${scope}”, which no plugin contributes`)
    const check = async (request: FastifyRequest, reply: FastifyReply) => {
      const answer = await guard.identify(request.headers.authorization)
      if (!(answer instanceof UserError)) request.caller = answer
      await countRequest(request, reply)
      if (answer instanceof UserError) {
        reply.header('www-authenticate', 'Bearer')
        throw answer
      }
      if (!answer.scopes.includes(scope))
        throw new UserError('missing_scope', `This API key may not do that: it lacks the scope ${scope}.`, { status: 403 })
    }
    checks.add(check)
    route.config = { ...route.config, rateLimit: false }
    // The HEAD route that comes with each GET brings the check of the GET along.
    route.onRequest = [check, ...[route.onRequest ?? []].flat().filter((hook) => !checks.has(hook))]
  }
}
