// GET /v1/events: what has happened, in an order that never changes.
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { callerOf, UserError } from '../kit/index.ts'
import type { Feed, FeedEvent } from './feed.ts'

export const eventSchema = z.object({
  id: z.uuid().describe('The same in the feed, in webhooks, and whenever it is sent again.'),
  type: z.string().meta({ example: 'sale.recorded' }),
  version: z.int().describe('Of the shape of `data`.'),
  timestamp: z.string().describe('When it happened: ISO 8601, UTC.').meta({ example: '2026-11-02T09:00:00.000Z' }),
  data: z.record(z.string(), z.unknown()),
})

export function eventRoutes({ feed }: { feed: Feed }): (app: FastifyInstance) => void {
  return (app) => {
    app.withTypeProvider<ZodTypeProvider>().get(
      '/v1/events',
      {
        config: { access: 'key', scope: 'events:read' },
        schema: {
          tags: ['Events'],
          summary: 'Read what has happened',
          description:
            'The oldest first. Ask again with `after` set to the last `next`: nothing is missed or told twice, however late it was committed. An empty page has the same `next` again. Events are kept for 90 days unless the program says otherwise; a cursor before that is refused with 410.',
          querystring: z.object({
            after: z.string().max(30).optional().describe('The last `next`; left out, from the oldest event on.'),
            limit: z.coerce.number().int().min(1).max(500).default(100),
          }),
          response: { 200: z.object({ data: z.array(eventSchema), next: z.string().describe('Where to read on.') }) },
        },
      },
      async (request) => {
        const after = positionOf(request.query.after)
        const { events, next } = await feed.read(callerOf(request).programId, { after, limit: request.query.limit })
        return { data: events.map(told), next: String(next) }
      },
    )
  }
}

/** An event as it is told, in the feed and in webhooks alike. */
export function told(event: FeedEvent): z.output<typeof eventSchema> {
  const { id, type, version, occurredAt, data } = event
  return { id, type, version, timestamp: occurredAt.toISOString(), data }
}

/** @throws UserError for a cursor that no page gave */
function positionOf(after: string | undefined): number | undefined {
  if (after === undefined) return undefined
  if (!/^\d{1,15}$/.test(after))
    throw new UserError('bad_cursor', '“after” is not the `next` of a page. Leave it out to begin with the oldest event.', {
      status: 400,
    })
  return Number(after)
}
