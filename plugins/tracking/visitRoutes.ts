// What pages of the company ask for: the script /t.js, and POST /v1/visit, which remembers a visitor who agreed by a cookie that only the server reads.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { UserError } from '../kit/index.ts'
import type { Visits } from './visits.ts'

const cookieName = 'siso_cid'
/** Visits a minute from one address: behind one there may be a whole company. */
const perMinute = 120

const visit = z.object({
  program: z.uuid().describe('The program’s id: what /t.js has in `data-program`.'),
  click_id: z.guid().optional(),
  ref: z.string().min(1).max(64).optional().describe('The code of a link, when it came in the page’s address.'),
  forget: z.literal('1').optional().describe('The visitor takes the consent back: the cookie is deleted.'),
})

export function visitRoutes({ visits, secure }: { visits: Visits; secure: boolean }): (app: FastifyInstance) => void {
  const script = readFileSync(new URL('page/t.js', import.meta.url), 'utf8')
  const etag = `"${createHash('sha256').update(script).digest('base64url').slice(0, 20)}"`

  return (app) => {
    app.get('/t.js', { config: { access: 'public', rateLimit: false } }, (request, reply) => {
      reply.headers({
        'cache-control': 'public, max-age=86400, stale-while-revalidate=604800',
        'cross-origin-resource-policy': 'cross-origin',
        etag,
      })
      if (request.headers['if-none-match'] === etag) return reply.status(304).send()
      return reply.type('text/javascript; charset=utf-8').send(script)
    })
    app.withTypeProvider<ZodTypeProvider>().post(
      '/v1/visit',
      {
        config: { access: 'public', rateLimit: { max: perMinute, timeWindow: '1 minute' } },
        schema: {
          tags: ['Pages'],
          consumes: ['application/x-www-form-urlencoded'],
          summary: 'Remember a visitor',
          description:
            'What /t.js sends once a visitor has agreed, as a form, from a page whose origin the program allows (setting `tracking origins`). Needs no key. Sets a cookie that scripts cannot read.',
          body: visit,
          response: { 200: z.object({ click_id: z.uuid().nullable().describe('The click that is remembered.') }) },
        },
      },
      async (request, reply) => {
        const { program: programId, click_id: clickId, ref, forget } = request.body
        const { origin } = request.headers
        if (!(await visits.allows(programId, origin)))
          throw new UserError(
            'origin_not_allowed',
            'Pages of this site may not remember visitors for this program. An admin allows a site with /admin settings set, setting tracking, value origins.',
            { status: 403 },
          )
        reply.headers({ 'access-control-allow-origin': origin!, 'access-control-allow-credentials': 'true', vary: 'Origin' })
        const remembered = z.guid().safeParse(request.cookies[cookieName]).data
        const known =
          forget === undefined
            ? await visits.clickOf({
                programId,
                clickId: clickId?.toLowerCase(),
                ref,
                remembered: remembered?.toLowerCase(),
                ip: request.ip,
                headers: request.headers,
              })
            : undefined
        if (known !== undefined) keep(reply, known, (await visits.rememberedDays(programId)) * 86_400)
        else if (forget !== undefined) keep(reply, '', 0)
        return { click_id: known ?? null }
      },
    )
  }

  /** Sites on the same domain as the program send it back; others never see it. */
  function keep(reply: FastifyReply, value: string, seconds: number): void {
    reply.setCookie(cookieName, value, { path: '/', maxAge: seconds, httpOnly: true, secure, sameSite: 'lax' })
  }
}
