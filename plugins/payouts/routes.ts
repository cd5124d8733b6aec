// Where a provider's onboarding page sends the partner back to. The links are signed and say nothing about the person.
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type Html, html, page } from '../kit/index.ts'
import type { Manual } from './manual.ts'
import { manualRoutes } from './manualRoutes.ts'
import type { CameBack, Methods } from './methods.ts'

const params = z.object({ token: z.string().max(100) })

export function payoutRoutes(methods: Methods, manual: Manual): (app: FastifyInstance) => void {
  return (instance) => {
    manualRoutes(manual)(instance)
    const app = instance.withTypeProvider<ZodTypeProvider>()
    app.get('/payouts/return/:token', { config: { access: 'link' }, schema: { params } }, async (request, reply) => {
      const came = await methods.cameBack(request.params.token, {
        ip: request.ip,
        userAgent: String(request.headers['user-agent'] ?? ''),
      })
      return show(reply, came.state === 'unknown' ? 404 : 200, titles[came.state], returnBody(came, request.params.token))
    })
    app.get(
      '/payouts/refresh/:token',
      { config: { access: 'link' }, schema: { params }, exposeHeadRoute: false },
      async (request, reply) => {
        const { token } = request.params
        try {
          const fresh = await methods.freshPage(token)
          if (fresh) return reply.header('cache-control', 'no-store').redirect(fresh.url, 303)
        } catch (error) {
          request.log.warn({ err: error }, 'a payout provider gave no new onboarding page')
          return show(reply, 502, 'That did not work just now', again(token))
        }
        return show(reply, 404, titles.unknown, returnBody({ state: 'unknown' }, token))
      },
    )
  }
}

const titles: Readonly<Record<CameBack['state'], string>> = {
  ready: 'Your payout method is ready',
  missing: 'Almost there',
  unanswered: 'Thank you',
  unknown: 'This link has run out',
}

function returnBody(came: CameBack, token: string): Html {
  switch (came.state) {
    case 'ready':
      return html`<p class="notice good">Your payout method is complete. You can close this page and go back to Discord.</p>
<p>See it with <code>/payout status</code>.</p>`
    case 'missing':
      return html`<p>Something is still missing${came.missing && html`: <strong>${came.missing}</strong>`}.</p>
<p><a class="button" href="/payouts/refresh/${token}">Continue</a></p>
<p class="soft">If you have just sent everything, it may be checked still; see <code>/payout status</code> in Discord.</p>`
    case 'unanswered':
      return html`<p>Your steps are saved. The state of your payout method could not be read just now; see it with <code>/payout status</code> in Discord.</p>`
    case 'unknown':
      return html`<p>For your safety these links work for a day. What you entered is kept.</p>
<p>Go back to Discord and run <code>/payout setup</code> for a new one.</p>`
  }
}

const again = (token: string): Html => html`<p>The payment provider did not answer. Nothing is lost.</p>
<p><a class="button" href="/payouts/refresh/${token}">Try again</a></p>`

function show(reply: FastifyReply, status: number, title: string, body: Html) {
  return reply.status(status).header('cache-control', 'no-store').type('text/html; charset=utf-8').send(page({ title, body }))
}
