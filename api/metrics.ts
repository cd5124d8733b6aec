// What operators watch, in the format of Prometheus: the figures of house and plugins, and how long requests and interactions take.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { collectDefaultMetrics, Gauge as GaugeMetric, Histogram, Registry } from 'prom-client'
import { UserError } from '../plugins/kit/errors.ts'
import type { Gauge } from '../plugins/kit/gauges.ts'

/** How far the answer to an interaction is: Discord was told that it is coming (within 3 s), or it is there. */
export type InteractionStage = 'acknowledged' | 'answered'

export interface Metrics {
  /** Everything, in the text format. */
  text(): Promise<string>
  readonly contentType: string
  interaction(name: string, stage: InteractionStage, ms: number): void
  /** Measures every request of the application by its route, never by its address. */
  watch(app: FastifyInstance): void
}

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
/** A figure that takes longer is left out, so that one slow query does not blind the rest. */
const patienceMs = 5_000

/** Metrics of this process. `gauges` are read whenever somebody asks. */
export function createMetrics({ gauges, log }: { gauges: readonly Gauge[]; log: Logger }): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const failures = new GaugeMetric({
    name: 'siso_metrics_unreadable',
    help: 'Figures that could not be read just now; the log says why.',
    registers: [registry],
  })
  const requests = new Histogram({
    name: 'siso_http_request_duration_seconds',
    help: 'How long requests take, by route.',
    labelNames: ['method', 'route', 'status'],
    buckets: seconds,
    registers: [registry],
  })
  const interactions = new Histogram({
    name: 'siso_interaction_duration_seconds',
    help: 'From an interaction on Discord to its acknowledgement (Discord allows 3 s) and to its answer.',
    labelNames: ['action', 'stage'],
    buckets: seconds,
    registers: [registry],
  })
  const figures = gauges.map((gauge) => ({
    gauge,
    metric: new GaugeMetric({ name: gauge.name, help: gauge.help, labelNames: [...(gauge.labels ?? [])], registers: [registry] }),
  }))

  async function readAll(): Promise<void> {
    let unreadable = 0
    await Promise.all(
      figures.map(async ({ gauge, metric }) => {
        metric.reset()
        try {
          for (const { labels = {}, value } of await within(gauge.read())) metric.set(labels, value)
        } catch (error) {
          unreadable++
          log.warn({ err: error, gauge: gauge.name }, 'a figure could not be read')
        }
      }),
    )
    failures.set(unreadable)
  }

  return {
    contentType: registry.contentType,
    text: async () => {
      await readAll()
      return registry.metrics()
    },
    interaction: (action, stage, ms) => interactions.observe({ action, stage }, ms / 1000),
    watch: (app) => {
      app.addHook('onResponse', async (request, reply) => {
        const route = request.routeOptions.url ?? 'unknown'
        requests.observe({ method: request.method, route, status: String(reply.raw.statusCode) }, reply.elapsedTime / 1000)
      })
    },
  }
}

async function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took longer than ${patienceMs} ms`)), patienceMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** GET /metrics for whoever has the token. */
export function metricsRoute(app: FastifyInstance, { metrics, token }: { metrics: Metrics; token: string }): void {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const wanted = digest(`Bearer ${token}`)
  app.get('/metrics', { config: { access: 'operator' } }, async (request, reply) => {
    if (!timingSafeEqual(digest(request.headers.authorization ?? ''), wanted))
      throw new UserError('bad_token', 'Send the token of METRICS_TOKEN as “Authorization: Bearer …”.', { status: 401 })
    return reply
      .type(metrics.contentType)
      .header('cache-control', 'no-store')
      .send(await metrics.text())
  })
}
