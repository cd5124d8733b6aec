// The HTTP application as a value: plugins' routes with validation, security headers, rate limits and one way to tell an error. It does not listen.
import { randomUUID } from 'node:crypto'
import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Logger } from 'pino'
import type { Loaded } from '../plugins/kit/load.ts'
import { createKeyGate } from './keys.ts'
import { type Metrics, metricsRoute } from './metrics.ts'
import { describeApi } from './openapi.ts'
import { sendProblem, sendUnknownRoute } from './problem.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The body's bytes as received, on routes whose access is `webhook`. */
    rawBody?: Buffer
  }
}

/** Each part by name, with what is wrong, or `ok`. */
export type Readiness = () => Promise<Record<string, string>>

/** Builds the application. @throws Error when a route does not declare who may use it */
export async function buildApp(options: {
  loaded: Loaded
  log: Logger
  readiness: Readiness
  trustProxy?: boolean
  /** Shown to whoever has the token; without it nothing is measured. */
  metrics?: { metrics: Metrics; token: string } | undefined
}): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: options.log as FastifyBaseLogger,
    trustProxy: options.trustProxy ?? false,
    genReqId: () => randomUUID(),
    bodyLimit: 1_048_576,
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
    exposeHeadRoutes: true,
    // What the router itself cannot read, such as an address with a broken escape.
    frameworkErrors: (error, request, reply) => sendProblem(error, request, reply as FastifyReply),
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler(sendProblem)
  app.setNotFoundHandler(sendUnknownRoute)
  const guardWithKey = createKeyGate(app, options.loaded.keyGuard)
  app.addHook('onRoute', (route) => {
    if (!route.config?.access)
      throw new Error(`The route ${String(route.method)} ${route.url} does not declare who may use it (config.access)`)
    if (route.config.access === 'key') guardWithKey(route)
  })
  app.addHook('onRequest', answerEarly)
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
    },
    referrerPolicy: { policy: 'no-referrer' },
  })
  await app.register(cookie)
  await app.register(formbody, { bodyLimit: 100_000 })
  await app.register(rateLimit, {
    global: true,
    max: 300,
    timeWindow: '1 minute',
    allowList: (request) => request.routeOptions.config.access === 'webhook' || request.routeOptions.config.access === 'operator',
  })
  keepRawBodies(app)
  await describeApi(app)
  options.metrics?.metrics.watch(app)
  operatorRoutes(app, options)
  for (const { register } of options.loaded.routes) await app.register(async (scope) => register(scope))
  await app.ready()
  return app
}

/** For routes with `config.early`. */
function answerEarly(request: FastifyRequest, reply: FastifyReply, next: (error?: Error) => void): void {
  const { early } = request.routeOptions.config
  if (early) early(request, reply).then((isAnswered) => (isAnswered ? reply.hijack() : next()), next)
  else next()
}

/** An application of nothing but health and metrics, for processes that serve no one else. */
export async function buildOperatorApp(options: {
  log: Logger
  readiness: Readiness
  metrics: { metrics: Metrics; token: string }
}): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: options.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
  })
  app.setErrorHandler(sendProblem)
  app.setNotFoundHandler(sendUnknownRoute)
  operatorRoutes(app, options)
  await app.ready()
  return app as unknown as FastifyInstance
}

function operatorRoutes(
  app: FastifyInstance,
  { readiness, metrics }: { readiness: Readiness; metrics?: { metrics: Metrics; token: string } | undefined },
): void {
  app.get('/health/live', { config: { access: 'operator' } }, async () => ({ ok: true }))
  app.get('/health/ready', { config: { access: 'operator' } }, async (_request, reply) => {
    const parts = await readiness()
    const ok = Object.values(parts).every((state) => state === 'ok')
    return reply.status(ok ? 200 : 503).send({ ok, parts })
  })
  if (metrics) metricsRoute(app, metrics)
}

/** Webhooks are verified over the bytes as they came, so JSON bodies are kept beside their parsed form. */
function keepRawBodies(app: FastifyInstance): void {
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request: FastifyRequest, body: Buffer, done) => {
    if (request.routeOptions.config.access === 'webhook') {
      request.rawBody = body
      return done(null, undefined)
    }
    if (body.length === 0) return done(null, undefined)
    try {
      done(null, JSON.parse(body.toString('utf8')))
    } catch {
      done(Object.assign(new Error('The body is not valid JSON.'), { statusCode: 400, code: 'malformed_json' }), undefined)
    }
  })
}
