// Serving the client from a Fastify server: the page, its policy, and exactly the files that it asks for.

import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { registerClient } from './index.ts'

test('the page keeps its query on the way to its folder, allows only its own scripts, and every file that it names is there', async () => {
  const app = Fastify()
  await registerClient(app, { api: 'http://127.0.0.1:1/api/v9', features: ['people'] })
  const moved = await app.inject('/client?token=a')
  expect([moved.statusCode, moved.headers.location]).toEqual([302, '/client/?token=a'])
  const page = await app.inject('/client/?token=a')
  expect(page.headers['content-security-policy']).toMatch(/script-src 'self' 'sha256-[^']+';/)
  expect(page.body).not.toContain('{{')
  const named = [...page.body.matchAll(/"(\/client\/[^"]+)"/g)].map((match) => match[1]!)
  expect(named.length).toBeGreaterThan(8)
  for (const path of named) expect([path, (await app.inject(path)).statusCode]).toEqual([path, 200])
  const config = await app.inject('/client/config.json')
  expect(config.json()).toEqual({ api: 'http://127.0.0.1:1/api/v9', control: '/sandbox', features: { people: true } })
  expect((await app.inject('/client/assets/../index.ts')).statusCode).toBe(404)
  await app.close()
})
