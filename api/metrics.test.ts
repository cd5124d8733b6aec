// /metrics over the real application: who may read it, and that it says what is so.
import pino from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { houseGauges } from '../app/gauges.ts'
import { type TestHouse, testHouse } from '../app/testing.ts'
import type { Gauge } from '../plugins/kit/gauges.ts'
import { ledger } from '../plugins/ledger/plugin.ts'
import { buildApp, buildOperatorApp } from './app.ts'
import { createMetrics } from './metrics.ts'

const token = 'a-token-of-the-test'
const log = pino({ level: 'silent' })
const broken: Gauge = {
  name: 'siso_test_broken',
  help: 'Never readable.',
  read: () => Promise.reject(new Error('no')),
}
const shop: Gauge = {
  name: 'siso_test_shelves',
  help: 'With a label that needs quoting.',
  labels: ['shelf'],
  read: async () => [
    { labels: { shelf: 'the "upper" one' }, value: 7 },
    { labels: { shelf: 'lower' }, value: 0 },
  ],
}

let house: TestHouse
let app: Awaited<ReturnType<typeof buildApp>>
let metrics: ReturnType<typeof createMetrics>
beforeAll(async () => {
  house = await testHouse([ledger])
  metrics = createMetrics({
    gauges: [...houseGauges(house.connection, () => undefined), ...house.loaded.gauges, shop, broken],
    log,
  })
  app = await buildApp({ loaded: house.loaded, log, readiness: async () => ({}), metrics: { metrics, token } })
})
afterAll(async () => {
  await app.close()
  await house.close()
})
const read = async () => {
  const answer = await app.inject({ url: '/metrics', headers: { authorization: `Bearer ${token}` } })
  expect(answer.statusCode).toBe(200)
  expect(answer.headers['content-type']).toContain('text/plain')
  return answer.body
}

describe('/metrics', () => {
  test.each([undefined, 'Bearer wrong', token, `Basic ${token}`])('refuses “%s”', async (authorization) => {
    const answer = await app.inject({ url: '/metrics', headers: authorization === undefined ? {} : { authorization } })
    expect(answer.statusCode).toBe(401)
    expect(answer.body).not.toContain('siso_outbox')
  })

  test('is not there without a token to open it', async () => {
    expect((await house.app.inject({ url: '/metrics' })).statusCode).toBe(404)
  })

  test('tells of work that waits, and for how long', async () => {
    expect(await read()).toMatch(/^siso_outbox_waiting 0$/m)
    await house.connection
      .sql`insert into core_outbox (kind, name, payload, available_at) values ('job', 'test.nobody', '{}', now() - interval '90 seconds')`
    const text = await read()
    expect(text).toMatch(/^siso_outbox_waiting 1$/m)
    expect(Number(/^siso_outbox_age_seconds (\S+)$/m.exec(text)![1])).toBeGreaterThanOrEqual(90)
  })

  test('tells how the last proof of the books ended and how old it is', async () => {
    await house.tick('ledger.prove')
    house.clock.advance(60_000)
    const text = await read()
    expect(text).toContain(`siso_ledger_proof_ok{program="${house.program.id}"} 1`)
    expect(text).toContain(`siso_ledger_proof_age_seconds{program="${house.program.id}"} 60`)
  })

  test('shows what plugins contribute, and a figure that cannot be read costs only itself', async () => {
    const text = await read()
    expect(text).toContain('siso_test_shelves{shelf="the \\"upper\\" one"} 7')
    expect(text).toMatch(/^siso_metrics_unreadable 1$/m)
    expect(text).toContain('siso_outbox_failed 0')
  })

  test('measures requests by route and interactions by action, without what people typed', async () => {
    await app.inject({ url: '/health/live?secret=of-a-person' })
    await app.inject({ url: '/nowhere/secret-of-a-person' })
    metrics.interaction('/earnings show', 'acknowledged', 40)
    const text = await read()
    expect(text).toContain('siso_http_request_duration_seconds_count{method="GET",route="/health/live",status="200"} 1')
    expect(text).toContain('siso_interaction_duration_seconds_bucket{le="0.05",action="/earnings show",stage="acknowledged"} 1')
    expect(text).not.toContain('of-a-person')
  })
})

test('a process that serves nobody else has health and metrics, and nothing more', async () => {
  const own = createMetrics({ gauges: [shop], log })
  const small = await buildOperatorApp({ log, readiness: async () => ({ database: 'ok' }), metrics: { metrics: own, token } })
  const get = (url: string) => small.inject({ url, headers: { authorization: `Bearer ${token}` } })
  expect((await get('/metrics')).body).toContain('siso_test_shelves')
  expect((await get('/health/ready')).json()).toEqual({ ok: true, parts: { database: 'ok' } })
  expect((await get('/webhooks/stripe')).statusCode).toBe(404)
  await small.close()
})
