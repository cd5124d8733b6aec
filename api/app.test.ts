// The HTTP application: one way to tell an error, to programs and to people, and nothing told that should not be.
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import pino from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { UserError } from '../plugins/kit/errors.ts'
import { load } from '../plugins/kit/load.ts'
import { definePlugin } from '../plugins/kit/plugin.ts'
import { buildApp } from './app.ts'

let lines: string[]
let app: FastifyInstance

async function build(
  routes: (app: FastifyInstance) => void,
  readiness: () => Promise<Record<string, string>> = async () => ({ database: 'ok' }),
): Promise<FastifyInstance> {
  lines = []
  const shop = definePlugin({ id: 'shop', title: 'Shop', summary: 'Sells.', setup: () => ({ routes }) })
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
  return buildApp({ loaded: await load([shop], () => ({}) as never), log, readiness })
}

beforeEach(async () => {
  app = await build((scope) => {
    const typed = scope.withTypeProvider<ZodTypeProvider>()
    const config = { access: 'public' } as const
    typed.get('/refused', { config }, () => {
      throw new UserError('sold_out', 'The last one was sold. Look again <tomorrow>.', { status: 409 })
    })
    typed.get('/broken', { config }, () => {
      throw new Error('the password of the safe is hunter2')
    })
    typed.get('/letters/:secret', { config }, () => ({ ok: true }))
    typed.post('/orders', { config, schema: { body: z.object({ count: z.int().min(1), note: z.string() }) } }, (request) => ({
      got: request.body,
    }))
    typed.post('/hook', { config: { access: 'webhook' } }, (request) => ({
      raw: request.rawBody?.toString('utf8'),
      body: request.body ?? null,
    }))
  })
})
afterEach(() => app.close())

const get = (url: string, accept = 'application/json') => app.inject({ url, headers: { accept } })
const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

describe('a refusal', () => {
  test('reaches a program as problem+json with its status, code and sentence', async () => {
    const answer = await get('/refused')
    expect(answer.statusCode).toBe(409)
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(answer.json()).toEqual({
      type: 'about:blank',
      title: 'Conflict',
      status: 409,
      code: 'sold_out',
      detail: 'The last one was sold. Look again <tomorrow>.',
      instance: expect.stringMatching(/^[\da-f-]{36}$/),
    })
  })

  test('reaches a person as a page, with its words escaped', async () => {
    const answer = await get('/refused', browser)
    expect(answer.statusCode).toBe(409)
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(answer.body).toContain('The last one was sold. Look again &#60;tomorrow&#62;.')
  })
})

describe('an unknown address', () => {
  test.each([
    ['/nowhere', 'application/json', 404],
    ['/nowhere', browser, 404],
    ['/refused/deeper', browser, 404],
    ['/%zz', browser, 404],
    ['/%zz', 'application/json', 404],
    [`/letters/${'x'.repeat(400)}`, browser, 404],
    [`/orders/${'x'.repeat(400)}`, browser, 404],
  ])('%s asked for as %s is answered in kind', async (url, accept, status) => {
    const answer = await get(url, accept)
    expect(answer.statusCode).toBe(status)
    expect(answer.headers['content-type']).toContain(accept === browser ? 'text/html' : 'application/problem+json')
    expect(answer.body).toContain('There is nothing at this address.')
  })

  test('below /v1/ a browser gets problem+json as well', async () => {
    expect((await get('/v1/nowhere', browser)).headers['content-type']).toContain('application/problem+json')
  })
})

describe('a bug', () => {
  test.each(['application/json', browser])(
    'asked for as %s shows an id that is in the log, and nothing of its inside',
    async (accept) => {
      const answer = await get('/broken', accept)
      expect(answer.statusCode).toBe(500)
      expect(answer.body).not.toMatch(/hunter2|the safe|app\.test\.ts|\n\s+at /)
      const id = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/.exec(answer.body)![0]
      const logged = lines
        .map((line) => JSON.parse(line) as { id?: string; err?: { message: string } })
        .find((line) => line.id === id)
      expect(logged?.err?.message).toBe('the password of the safe is hunter2')
    },
  )
})

describe('a body', () => {
  const post = (payload: string, contentType = 'application/json', url = '/orders') =>
    app.inject({ method: 'POST', url, payload, headers: { 'content-type': contentType, accept: 'application/json' } })

  test('of the wrong shape is refused with every field that is wrong', async () => {
    const answer = await post('{"count": 0}')
    expect(answer.statusCode).toBe(422)
    expect(answer.json()).toMatchObject({ code: 'invalid_request' })
    const { errors } = answer.json<{ errors: { pointer: string; detail: string }[] }>()
    expect(errors.map((error) => error.pointer).toSorted()).toEqual(['#/count', '#/note'])
    expect(errors.every((error) => error.detail.length > 0)).toBe(true)
  })

  test.each([
    ['that is no JSON', '{"count": ', 'application/json', 400, 'malformed_json'],
    ['of a kind nobody reads', '<order/>', 'application/xml', 415, 'unsupported_media_type'],
    ['that is too long', JSON.stringify({ note: 'x'.repeat(1_100_000) }), 'application/json', 413, 'body_too_large'],
  ])('%s is refused with a sentence', async (_, payload, contentType, status, code) => {
    const answer = await post(payload, contentType)
    expect(answer.statusCode).toBe(status)
    expect(answer.json()).toMatchObject({ status, code, detail: expect.stringMatching(/^[A-Z].+/) })
  })

  test('of a form is read as fields', async () => {
    const answer = await post('count=1&note=hello', 'application/x-www-form-urlencoded')
    expect(answer.json<{ errors: { pointer: string }[] }>().errors.map((error) => error.pointer)).toEqual(['#/count'])
  })

  test('of a webhook is kept byte for byte and not parsed', async () => {
    const odd = '{ "a" : 1,\n"a":2 }'
    expect((await post(odd, 'application/json', '/hook')).json()).toEqual({ raw: odd, body: null })
  })
})

test('a route that does not say who may use it keeps the house from starting', async () => {
  await expect(build((scope) => void scope.get('/open', async () => 'x'))).rejects.toThrow(
    'The route GET /open does not declare who may use it (config.access)',
  )
})

test('whoever asks too often is told to wait a minute', async () => {
  for (let i = 0; i < 300; i++) expect((await get('/refused')).statusCode).toBe(409)
  const refusal = await get('/refused')
  expect(refusal.json()).toMatchObject({ status: 429, detail: 'Too many requests. Wait a minute, then try again.' })
  expect(Number(refusal.headers['retry-after'])).toBeGreaterThan(0)
  expect((await get('/refused', browser)).body).toContain('Too many requests. Wait a minute, then try again.')
  expect((await app.inject({ method: 'POST', url: '/hook' })).statusCode).toBe(200)
})

test('every answer carries the security headers; pages may run no script', async () => {
  const { headers } = await get('/refused', browser)
  expect(headers['content-security-policy']).toContain("default-src 'none'")
  expect(headers['content-security-policy']).not.toContain('script-src')
  expect(headers['referrer-policy']).toBe('no-referrer')
  expect(headers['x-frame-options']).toBeDefined()
})

describe('health', () => {
  test('is told part by part, and a part that fails makes it unready but not dead', async () => {
    await app.close()
    app = await build(
      () => {},
      async () => ({ database: 'ok', discord: 'not connected to Discord' }),
    )
    expect((await get('/health/live')).statusCode).toBe(200)
    const ready = await get('/health/ready')
    expect(ready.statusCode).toBe(503)
    expect(ready.json()).toEqual({ ok: false, parts: { database: 'ok', discord: 'not connected to Discord' } })
  })
})
