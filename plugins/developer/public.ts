// How a plugin adds to the public API. It needs no `requires: [developer]`: a house without this plugin has no API, and nobody asks for the contributions.
//
// A route: register it under /v1 with a scope and a zod schema for everything it takes and gives; it then appears in the documentation at /docs by itself.
//
//     const route = app.withTypeProvider<ZodTypeProvider>()
//     route.get(
//       '/v1/analytics',
//       {
//         config: { access: 'key', scope: 'analytics:read' },
//         schema: { summary: 'Clicks, leads and sales', tags: ['Analytics'], querystring: z.object({ … }), response: { 200: z.object({ … }) } },
//       },
//       (request) => figures(callerOf(request).programId, request.query),
//     )
//
// The key's program is `callerOf(request).programId` (from the kit); a route never takes a program from what was sent.
// The scope: `extends: [extend(apiScope, { name: 'analytics:read', describes: 'Read clicks, leads and sales' })]` in the plugin's setup. A route whose scope
// nobody contributes keeps the house from starting.
//
// A write: `requires: [developer]`, the schema takes `headers: idempotencyHeaders`, and the handler is `use(developer).once(request, reply, (tx, caller) => …)`.
// Both begin with `jsonOnly(app)`. A list: the schema takes `querystring: pageQuery` and gives `pageOf(item)`.
// An event: `publish`, below.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type Caller, type DomainEvent, defineExtensionPoint, type Extension, extend, type Tx } from '../kit/index.ts'

/** Something that an API key may be allowed to do. */
export interface ApiScope {
  /** `things:read` or `things:write`. */
  readonly name: string
  /** For the admin who chooses and for the documentation: “Record sales”. */
  readonly describes: string
}
export const apiScope = defineExtensionPoint<ApiScope>('developer.api_scope')

/** A domain event as programs of the company see it: in the feed, and as a webhook. */
export interface PublicEvent {
  /** `thing.what_happened`; stays for ever. */
  readonly type: string
  /** Counts up when the shape of `data` changes in a way that readers must know. Both versions may be published side by side for a while. */
  readonly version: number
  /** For the documentation: “A sale was recorded.” */
  readonly describes: string
  readonly event: DomainEvent
  /** The shape of `data`: plain JSON. */
  readonly schema: z.ZodObject
  readonly example: Readonly<Record<string, unknown>>
  readonly map: (payload: never) => Readonly<Record<string, unknown>>
}
export const publicEvent = defineExtensionPoint<PublicEvent>('developer.public_event')

/**
 * Publishes a domain event: return it in `extends` of the setup. What is not published this way stays inside. `map` makes `data` from the payload: ids, amounts as
 * whole numbers in minor units, times as ISO 8601; nothing that identifies a customer.
 */
export function publish<T extends object, S extends z.ZodRawShape>(
  event: DomainEvent<T>,
  as: {
    type: string
    version: number
    describes: string
    schema: z.ZodObject<S>
    example: z.output<z.ZodObject<S>>
    map: (payload: T & { programId: string }) => z.output<z.ZodObject<S>>
  },
): Extension {
  return extend(publicEvent, { ...as, event } as unknown as PublicEvent)
}

/** What a write is answered with. The body is JSON as it is sent: no dates, no bigint. */
export interface Answer<T extends object> {
  readonly status: 200 | 201 | 202
  readonly body: T
}

export interface Developer {
  /**
   * Runs `write` once per API key and Idempotency-Key, in one transaction with the record of its answer. The same request again gets the same answer, with the
   * header `Idempotent-Replayed: true`; another request under the same key is refused with 409. When `write` throws, nothing is kept, and the key is free again.
   */
  once<T extends object>(
    request: FastifyRequest,
    reply: FastifyReply,
    write: (tx: Tx, caller: Caller) => Promise<Answer<T>>,
  ): Promise<T>
}

/** The headers of a write. */
export const idempotencyHeaders = z.looseObject({
  'idempotency-key': z
    .string({ error: 'Every write needs an Idempotency-Key: a random text of your own, the same when you repeat the request.' })
    .regex(/^[\x21-\x7e]{1,255}$/, { error: 'an Idempotency-Key is 1 to 255 visible ASCII characters' })
    .describe('A random text of your own, such as a UUID; the same when the request is repeated. Kept for 30 days.')
    .meta({ example: '0b9d7a1c-6c0c-4b7e-9a57-1f6a2f0f7c11' }),
})

/** What a list is asked for. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(50).describe('How many at most.'),
  after: z.string().max(100).optional().describe('The `next` of the page before.'),
})

/** A page of a list. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({
    data: z.array(item),
    next: z.string().nullable().describe('Ask for the next page with `after`; null on the last page.'),
  })

/** Makes the routes of this scope read JSON and nothing else, so that a form is refused with 415. */
export function jsonOnly(app: FastifyInstance): void {
  app.removeContentTypeParser(['application/x-www-form-urlencoded', 'text/plain'])
}

/** Subjects of /help, for plugins whose commands belong there as well. */
export const apiHelp = {
  admins: { id: 'api', title: 'Public API', emoji: '🔌', about: 'Keys, webhooks, and what your own programs report' },
}
