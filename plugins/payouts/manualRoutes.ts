// The page where a partner who is paid by hand leaves their reference. Opening it changes nothing; its form saves.
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type Html, html, page, UserError } from '../kit/index.ts'
import type { Manual } from './manual.ts'

const params = z.object({ token: z.string().max(100) })
const body = z.object({ reference: z.string().max(1000).catch('') }).catch({ reference: '' })
const config = { access: 'link', rateLimit: { max: 60, timeWindow: '1 minute' } } as const

export function manualRoutes(manual: Manual): (app: FastifyInstance) => void {
  return (instance) => {
    const app = instance.withTypeProvider<ZodTypeProvider>()
    app.get('/payouts/manual/:token', { config, schema: { params } }, async ({ params: { token } }, reply) => {
      const kept = await manual.open(token)
      return kept ? show(reply, 200, title, form(token, kept.reference ?? '')) : show(reply, 404, gone, goneBody)
    })
    app.post('/payouts/manual/:token', { config, schema: { params, body } }, async (request, reply) => {
      const { token } = request.params
      try {
        const saved = await manual.save(token, request.body.reference)
        return saved ? show(reply, 200, 'Your reference is saved', savedBody(saved.reference)) : show(reply, 404, gone, goneBody)
      } catch (error) {
        if (!(error instanceof UserError)) throw error
        return show(reply, 422, title, form(token, request.body.reference, error.message))
      }
    })
  }
}

const title = 'How should the program know you?'
const gone = 'This link has run out'

const form = (
  token: string,
  value: string,
  refused?: string,
): Html => html`${refused && html`<div class="notice bad" role="alert">${refused}</div>`}
<p>The program pays you by bank transfer, outside of this page. Leave the short reference under which it knows you, such as a supplier number.</p>
<form method="post" action="/payouts/manual/${token}">
<label for="reference">Reference</label>
<input id="reference" name="reference" type="text" required maxlength="80" autocomplete="off" value="${value}">
<p><button>Save</button></p>
</form>
<p class="soft">Please no bank details and no tax numbers: they are not kept here. For your safety, another reference is paid to only after a few days.</p>`

const savedBody = (
  reference: string,
): Html => html`<p class="notice good">You are paid under <strong>${reference}</strong>. You can close this page and go back to Discord.</p>
<p>See how it goes on with <code>/payout status</code>.</p>`

const goneBody = html`<p>For your safety these links work for a day. What you entered is kept.</p>
<p>Go back to Discord and run <code>/payout setup</code> for a new one.</p>`

function show(reply: FastifyReply, status: number, heading: string, content: Html) {
  return reply
    .status(status)
    .header('cache-control', 'no-store')
    .type('text/html; charset=utf-8')
    .send(page({ title: heading, body: content }))
}
