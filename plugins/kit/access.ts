// Who may call a route, and what a route knows of a program that called it with an API key.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { UserError } from './errors.ts'

/**
 * `public`: anyone; `link`: whoever holds a signed link; `webhook`: a vendor, by signature; `operator`: the machine itself;
 * `key`: whoever holds an API key that has the route's `scope`.
 */
export type RouteAccess = 'public' | 'link' | 'webhook' | 'operator' | 'key'

/** Who called with an API key. Everything a route reads or writes belongs to `programId`. */
export interface Caller {
  readonly programId: string
  readonly keyId: string
  readonly scopes: readonly string[]
  readonly requestsPerMinute: number
}

/** Knows API keys. One plugin at most provides it; without one, a route with the access `key` keeps the house from starting. */
export interface KeyGuard {
  /** Whose key stands in the Authorization header, or why it is refused; it does not throw for a bad key. */
  identify(authorization: string | undefined): Promise<Caller | UserError>
  /** Every scope that a key may have. Read when routes are registered: every plugin has contributed by then. */
  scopes(): readonly string[]
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: RouteAccess
    /** With the access `key`: what the key must be allowed to do, such as `sales:write`. */
    scope?: string
    /**
     * Asked before security headers, cookies and limits, which together cost more than a quick answer does. Returns whether it has answered, on `reply.raw`
     * and with every header that matters; what it leaves goes to the handler as usual.
     */
    early?: (request: FastifyRequest, reply: FastifyReply) => Promise<boolean>
  }
  interface FastifyRequest {
    /** On routes with the access `key`. */
    caller?: Caller
  }
}

/** Who called a route with the access `key`. @throws Error on any other route */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new Error(`${request.routeOptions.url} does not ask for an API key (config.access)`)
  return request.caller
}
