// The documentation of the public API: the document at /docs/openapi.json and a page that shows it, from this server alone.
import Fastify, { type FastifyInstance } from 'fastify'
import { z } from 'zod'
import { eventSchema } from './eventRoutes.ts'
import type { PublicEvent } from './public.ts'

const config = { access: 'public' } as const
/** The page needs its own scripts, styles that they add, and the document; nothing from elsewhere. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export function docsRoutes(parts: { publicEvents: () => readonly PublicEvent[]; url: (path: string) => string }) {
  return (app: FastifyInstance): void => {
    let viewer: Promise<string> | undefined
    app.get('/docs', { config }, (_request, reply) =>
      reply.header('content-security-policy', policy).type('text/html; charset=utf-8').send(page),
    )
    app.get('/docs/openapi.json', { config }, (_request, reply) =>
      reply.header('access-control-allow-origin', '*').send(documentOf(app, parts)),
    )
    app.get('/docs/start.js', { config }, (_request, reply) => reply.type('text/javascript; charset=utf-8').send(start))
    app.get('/docs/viewer.js', { config }, async (_request, reply) => {
      viewer ??= viewerScript()
      return reply
        .header('cache-control', 'public, max-age=3600')
        .type('text/javascript; charset=utf-8')
        .send(await viewer)
    })
  }
}

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Partner program API</title>
</head>
<body>
<noscript><p>This page needs JavaScript. The document itself is at <a href="/docs/openapi.json">/docs/openapi.json</a>.</p></noscript>
<div id="app"></div>
<script src="/docs/viewer.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>`

const start = `Scalar.createApiReference('#app', {
  url: '/docs/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: 'never',
  agent: { disabled: true },
  mcp: { disabled: true },
  authentication: { preferredSecurityScheme: 'apiKey' },
  defaultHttpClient: { targetKey: 'shell', clientKey: 'curl' },
})
`

/** The viewer is large and rarely asked for, so it is loaded when it is. Its package gives its script only as a route: it is asked for within this process. */
async function viewerScript(): Promise<string> {
  const { default: reference } = await import('@scalar/fastify-api-reference')
  const inner = Fastify()
  await inner.register(reference, { routePrefix: '/reference', configuration: { url: '/docs/openapi.json' } })
  const answer = await inner.inject('/reference/js/scalar.js')
  await inner.close()
  if (answer.statusCode !== 200) throw new Error(`the viewer of the documentation answered ${answer.statusCode}`)
  return answer.body
}

function documentOf(app: FastifyInstance, { publicEvents, url }: Parameters<typeof docsRoutes>[0]): object {
  const document = app.swagger() as unknown as { info: object }
  return {
    ...document,
    info: { ...document.info, description: introduction },
    servers: [{ url: url('/').replace(/\/$/, '') }],
    webhooks: Object.fromEntries(publicEvents().map((event) => [`${event.type} v${event.version}`, { post: webhookOf(event) }])),
  }
}

function webhookOf({ type, version, describes, schema, example }: PublicEvent): object {
  const whole = eventSchema.extend({ type: z.literal(type), version: z.literal(version), data: schema })
  const { $schema: _, ...json } = z.toJSONSchema(whole) as Record<string, unknown>
  const message = {
    id: '01a19b7c-a680-7fc6-aeee-3809e8a9e02f',
    type,
    version,
    timestamp: '2026-11-02T09:00:00.000Z',
    data: example,
  }
  return {
    tags: ['Events'],
    summary: type,
    description: describes,
    security: [],
    parameters: ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => ({
      name,
      in: 'header',
      required: true,
      schema: { type: 'string' },
    })),
    requestBody: { content: { 'application/json': { schema: json, example: message } } },
    responses: { '2XX': { description: 'Any 2xx within ten seconds says that it arrived.' } },
  }
}

const introduction = `Report leads, sales and refunds, read figures, and follow what happens.

**Keys.** An admin makes one with \`/admin-api keys create\`. Send it as \`Authorization: Bearer siso_key_…\`, from a server only.

**Writes** need an \`Idempotency-Key\`: a random text of your own, the same when you repeat the request. The same request again gets the first answer, with the header \`Idempotent-Replayed: true\`;
another request under the same key is refused with 409. Answers are kept for 30 days.

**Amounts** are whole numbers in the currency’s minor unit. **Times** are ISO 8601. **Lists** take \`limit\` and \`after\` and give \`next\`.

**Errors** are \`application/problem+json\` (RFC 9457) with a stable \`code\`. **Limits** are told in \`x-ratelimit-limit\`, \`x-ratelimit-remaining\` and \`x-ratelimit-reset\` (seconds).

**Webhooks** are signed by [Standard Webhooks](https://www.standardwebhooks.com) and have the shape of what \`GET /v1/events\` gives.`
