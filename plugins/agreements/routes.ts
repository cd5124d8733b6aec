// The signing page. Opening it changes nothing; its form signs.
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type Answer, signingPage } from './pages.ts'
import type { AgreementService } from './service.ts'

const params = z.object({ token: z.string() })
/** Whatever is missing or odd counts as not filled in, so that the page comes back and says so. */
const body = z
  .object({ name: z.string().max(1000).catch(''), consent: z.literal('yes').optional().catch(undefined) })
  .catch({ name: '', consent: undefined })
const config = { access: 'link', rateLimit: { max: 60, timeWindow: '1 minute' } } as const

export function createRoutes(service: AgreementService): (app: FastifyInstance) => void {
  return (instance) => {
    const app = instance.withTypeProvider<ZodTypeProvider>()
    const pathOf = (token: string) => `/agreements/${encodeURIComponent(token)}`

    app.get('/agreements/:token', { config, schema: { params } }, async ({ params: { token } }, reply) =>
      send(reply, signingPage(service.agreement, await service.open(token), pathOf(token))),
    )
    app.post('/agreements/:token', { config, schema: { params, body } }, async (request, reply) => {
      const { token } = request.params
      const typed = { name: request.body.name, consent: request.body.consent === 'yes' }
      const evidence = { ip: request.ip, userAgent: request.headers['user-agent'] ?? '' }
      return send(reply, signingPage(service.agreement, await service.sign(token, typed, evidence), pathOf(token)))
    })
  }
}

function send(reply: FastifyReply, { status, body: text }: Answer): FastifyReply {
  return reply.status(status).type('text/html; charset=utf-8').header('cache-control', 'no-store').send(text)
}
