// The link of a verification mail. Opening it only shows a page, because mail scanners follow links; the button on it confirms.
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { UserError } from '../kit/index.ts'
import { type Answer, mailSentPage, refusedPage, verificationPage } from './pages.ts'
import type { PartnerService } from './service.ts'

const schema = { params: z.object({ token: z.string() }) }
const config = { access: 'link', rateLimit: { max: 60, timeWindow: '1 minute' } } as const

export function createRoutes(service: PartnerService): (app: FastifyInstance) => void {
  return (instance) => {
    const app = instance.withTypeProvider<ZodTypeProvider>()
    const pathOf = (token: string) => `/verify/${encodeURIComponent(token)}`

    app.get('/verify/:token', { config, schema }, async ({ params: { token } }, reply) =>
      send(reply, verificationPage(await service.inspect(token), pathOf(token))),
    )
    app.post('/verify/:token', { config, schema }, async ({ params: { token } }, reply) =>
      send(reply, verificationPage(await service.verify(token), pathOf(token))),
    )
    app.post('/verify/:token/again', { config, schema }, async ({ params: { token } }, reply) => {
      try {
        const found = await service.renew(token)
        return send(reply, found.state === 'expired' ? mailSentPage(found.programName) : verificationPage(found, pathOf(token)))
      } catch (error) {
        if (error instanceof UserError) return send(reply, refusedPage(error.status, error.message))
        throw error
      }
    })
  }
}

function send(reply: FastifyReply, { status, body }: Answer): FastifyReply {
  return reply.status(status).type('text/html; charset=utf-8').header('cache-control', 'no-store').send(body)
}
