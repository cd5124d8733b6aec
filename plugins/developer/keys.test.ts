// API keys: shown once, good for their scopes and their program only, counted, revoked at once.
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import { programStore } from '../../db/programs.ts'
import { callerOf, days, definePlugin, extend } from '../kit/index.ts'
import { developer } from './plugin.ts'
import { apiScope } from './public.ts'

const things = definePlugin({
  id: 'things',
  title: 'Things',
  summary: 'Has a route of the public API.',
  setup: () => ({
    extends: ['read', 'write'].map((verb) => extend(apiScope, { name: `things:${verb}`, describes: `${verb} things` })),
    routes: (app) => {
      const route = app.withTypeProvider<ZodTypeProvider>()
      route.get('/v1/things', { config: { access: 'key', scope: 'things:read' } }, (request) => callerOf(request))
      route.post(
        '/v1/things',
        { config: { access: 'key', scope: 'things:write' }, schema: { body: z.object({ size: z.int() }) } },
        (request) => request.body,
      )
    },
  }),
})
const admin = { isAdmin: true, userId: '300000000000000001' }

let house: TestHouse
beforeAll(async () => {
  house = await testHouse([developer, things])
})
afterAll(() => house.close())

async function aKey(scopes = 'things:read', options: Record<string, unknown> = {}): Promise<string> {
  const answer = await house.run('admin-api keys create', { name: 'Shop', scopes, ...options }, admin)
  return /siso_key_[\w-]{43}/.exec(wordsOf(answer))![0]
}
const call = (key: string | undefined, method: 'GET' | 'POST' = 'GET', payload?: object) =>
  house.app.inject({
    method,
    url: '/v1/things',
    ...(payload && { payload }),
    headers: key ? { authorization: `Bearer ${key}` } : {},
  })

test('a key opens the routes of its scopes, for the program that it belongs to', async () => {
  const key = await aKey('things:read')
  const answer = await call(key)
  expect(answer.statusCode).toBe(200)
  expect(answer.json()).toMatchObject({ programId: house.program.id, scopes: ['things:read'] })
  const refused = await call(key, 'POST', { size: 1 })
  expect(refused.json()).toMatchObject({ status: 403, code: 'missing_scope', detail: expect.stringContaining('things:write') })
})

test('the key is stored nowhere, and shown only when it is made', async () => {
  const key = await aKey()
  const rows = await house.connection.sql`select to_jsonb(k)::text as row from developer_keys k`
  expect(rows.length).toBeGreaterThan(0)
  for (const { row } of rows) expect(row).not.toContain(key.slice(14))
  const list = wordsOf(await house.run('admin-api keys list', {}, admin))
  expect(list).toContain(key.slice(0, 14))
  expect(list).not.toContain(key.slice(14))
})

describe('a request is refused with 401 and a way to mend it', () => {
  test.each([
    ['without a key', undefined, 'missing_key'],
    ['with a key that was never made', `siso_key_${'a'.repeat(43)}`, 'unknown_key'],
    ['with something else', 'x'.repeat(5000), 'unknown_key'],
  ])('%s', async (_, key, code) => {
    const answer = await call(key)
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(answer.headers['www-authenticate']).toBe('Bearer')
    expect(answer.json()).toMatchObject({ status: 401, code })
  })

  test('with a revoked key, from the moment of the command', async () => {
    const key = await aKey()
    expect((await call(key)).statusCode).toBe(200)
    const { id } = (
      await house.connection.sql<{ id: string }[]>`select id from developer_keys where beginning = ${key.slice(0, 14)}`
    )[0]!
    expect(wordsOf(await house.run('admin-api keys revoke', { key: id }, admin))).toContain('is refused from now on')
    expect((await call(key)).json()).toMatchObject({ status: 401, code: 'revoked_key' })
    expect(wordsOf(await house.run('admin-api keys revoke', { key: id }, admin))).toContain('Nothing changed')
  })

  test('with an expired key', async () => {
    const key = await aKey('things:read', { expires_days: 1 })
    expect((await call(key)).statusCode).toBe(200)
    house.clock.advance(days(1))
    expect((await call(key)).json()).toMatchObject({ status: 401, code: 'expired_key' })
  })
})

test('a request is refused before its body is read', async () => {
  const answer = await house.app.inject({
    method: 'POST',
    url: '/v1/things',
    payload: '{"size": ',
    headers: { 'content-type': 'application/json' },
  })
  expect(answer.json()).toMatchObject({ status: 401 })
})

test('each key has a count of its own, told in headers', async () => {
  const key = await aKey('things:read', { per_minute: 2 })
  const first = await call(key)
  expect(first.headers).toMatchObject({ 'x-ratelimit-limit': '2', 'x-ratelimit-remaining': '1' })
  expect((await call(key)).statusCode).toBe(200)
  const third = await call(key)
  expect(third.json()).toMatchObject({ status: 429, code: 'too_many_requests' })
  expect(Number(third.headers['retry-after'])).toBeGreaterThan(0)
  expect((await call(await aKey())).statusCode).toBe(200)
})

test('a HEAD request counts once', async () => {
  const key = await aKey('things:read', { per_minute: 5 })
  const answer = await house.app.inject({ method: 'HEAD', url: '/v1/things', headers: { authorization: `Bearer ${key}` } })
  expect(answer.headers['x-ratelimit-remaining']).toBe('4')
})

test('whoever tries keys is told to wait', async () => {
  const address = '203.0.113.9'
  const attempt = (i: number) =>
    house.app.inject({
      url: '/v1/things',
      remoteAddress: address,
      headers: { authorization: `Bearer siso_key_${String(i).padStart(43, 'x')}` },
    })
  for (let i = 0; i < 60; i++) expect((await attempt(i)).statusCode).toBe(401)
  expect((await attempt(61)).statusCode).toBe(429)
})

test('the list says when a key was last used', async () => {
  const key = await aKey()
  const line = async () => {
    const list = wordsOf(await house.run('admin-api keys list', {}, admin))
    return list.split('\n').find((text) => text.includes(key.slice(0, 14)))
  }
  expect(await line()).toContain('never used')
  await call(key)
  expect(await line()).toContain(`used <t:${house.clock.now().getTime() / 1000}:R>`)
})

test('a scope that does not exist is refused with those that do', async () => {
  const attempt = house.run('admin-api keys create', { name: 'Shop', scopes: 'things:eat' }, admin)
  await expect(attempt).rejects.toThrow('There is no scope “things:eat”. The scopes are: events:read, things:read, things:write.')
})

test('an admin of another program neither sees nor revokes the keys', async () => {
  const key = await aKey()
  const other = await house.db.transaction((tx) => programStore.ensure(tx, { guildId: '900000000000000002', name: 'Other' }))
  expect(wordsOf(await house.run('admin-api keys list', {}, { ...admin, program: other }))).toContain('There are no API keys yet')
  const { id } = (
    await house.connection.sql<{ id: string }[]>`select id from developer_keys where beginning = ${key.slice(0, 14)}`
  )[0]!
  await expect(house.run('admin-api keys revoke', { key: id }, { ...admin, program: other })).rejects.toThrow('no such API key')
  expect((await call(key)).statusCode).toBe(200)
})

test.each([
  ['no scope', [developer], {}, 'without saying for what'],
  ['a scope that nobody contributes', [developer], { scope: 'secrets:read' }, 'which no plugin contributes'],
  ['no plugin that knows keys', [], { scope: 'secrets:read' }, 'no plugin knows API keys'],
])('a route for keys with %s keeps the house from starting', async (_, others, scope, words) => {
  const wrong = definePlugin({
    id: 'wrong',
    title: 'Wrong',
    summary: 'Asks for a key in the wrong way.',
    setup: () => ({ routes: (app) => void app.get('/v1/wrong', { config: { access: 'key', ...scope } }, () => 'x') }),
  })
  await expect(testHouse([...others, wrong])).rejects.toThrow(words)
})
