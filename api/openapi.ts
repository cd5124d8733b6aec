// Describes the routes under /v1 as OpenAPI 3.1, from the same zod schemas that check requests. Other routes are not told of.
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'

const problem = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'instance'],
  properties: {
    type: { type: 'string', examples: ['about:blank'] },
    title: { type: 'string', examples: ['Conflict'] },
    status: { type: 'integer', examples: [409] },
    detail: { type: 'string', description: 'What happened and what to do, in a sentence.' },
    code: { type: 'string', description: 'Stable; made for programs.', examples: ['idempotency_key_reused'] },
    instance: { type: 'string', description: 'Names this answer in our log.' },
    errors: {
      type: 'array',
      description: 'What is wrong with each part of the request.',
      items: {
        type: 'object',
        required: ['detail'],
        properties: {
          detail: { type: 'string' },
          pointer: { type: 'string', description: 'Where in the body, as a JSON pointer.', examples: ['#/customer/email'] },
          parameter: { type: 'string' },
          header: { type: 'string' },
        },
      },
    },
  },
}

/** Call it before any route is registered; `app.swagger()` then gives the document once the application is ready. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Partner program API', version: '1' },
      components: {
        securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key: `siso_key_…`' } },
        schemas: { Problem: problem as never },
      },
    },
    hideUntagged: false,
    transform: (input) => {
      const { url, route } = input
      if (!url.startsWith('/v1/') || route.method === 'HEAD') return { schema: { ...input.schema, hide: true }, url }
      const transformed = jsonSchemaTransform(input as Parameters<typeof jsonSchemaTransform>[0])
      const schema = transformed.schema as Record<string, unknown>
      const { access, scope } = route.config ?? {}
      return {
        url: transformed.url,
        schema: {
          ...schema,
          ...(access === 'key' && {
            security: [{ apiKey: [] }],
            description: [schema.description, `Needs the scope \`${scope}\`.`].filter(Boolean).join('\n\n'),
          }),
          response: {
            ...(schema.response as object),
            default: {
              description: 'Refused.',
              content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
            },
          },
        },
      }
    },
  })
}
