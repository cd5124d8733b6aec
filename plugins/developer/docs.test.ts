// The documentation of the public API: valid OpenAPI 3.1, complete, and a page that works from this server alone.
import { createRequire } from 'node:module'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestHouse, testHouse } from '../../app/testing.ts'
import { plugins } from '../index.ts'

interface Operation {
  summary?: string
  description?: string
  tags?: string[]
  security?: object[]
  parameters?: { name: string; in: string; required?: boolean }[]
  requestBody?: { content: Record<string, { schema: object }> }
  responses: Record<string, { content?: Record<string, { schema: object }> }>
}
interface Document {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  webhooks: Record<string, { post: Operation }>
}

let house: TestHouse
let document: Document
const registered: { method: string; url: string }[] = []

beforeAll(async () => {
  house = await testHouse(plugins)
  const path: string[] = []
  for (const line of house.app.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent, part, methods] = /^((?:[│ ] {3})*)[├└]── (\S+)(?: \(([^)]*)\))?/.exec(line) ?? []
    if (indent === undefined) continue
    path.splice(indent.length / 4, Infinity, part!)
    const url = path.join('')
    if (url.startsWith('/v1/'))
      for (const method of methods?.split(', ') ?? []) if (method !== 'HEAD') registered.push({ method, url })
  }
  document = (await house.app.inject('/docs/openapi.json')).json<Document>()
})
afterAll(() => house.close())

test('is OpenAPI 3.1 that an independent parser finds valid', async () => {
  expect(document.openapi).toBe('3.1.0')
  // The parser that the page itself uses.
  const parser = createRequire(import.meta.resolve('@scalar/fastify-api-reference')).resolve('@scalar/openapi-parser')
  const { validate } = (await import(parser)) as { validate: (document: object) => Promise<{ valid: boolean; errors?: object[] }> }
  const { valid, errors } = await validate(document)
  expect(errors ?? []).toEqual([])
  expect(valid).toBe(true)
})

test('tells of every route under /v1, and of no other', () => {
  expect(registered.length).toBeGreaterThan(7)
  const told = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const there = registered.map(({ method, url }) => `${method} ${url.replace(/:(\w+)/g, '{$1}')}`)
  expect(told.toSorted()).toEqual([...new Set(there)].toSorted())
})

test('every operation says what it is, what key it needs, what it gives, and how it refuses', () => {
  for (const [path, operations] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(operations)) {
      const name = `${method} ${path}`
      expect(operation.summary, name).toMatch(/.{5,}/)
      expect(operation.tags?.length, name).toBe(1)
      expect(
        Object.keys(operation.responses).some((status) => status.startsWith('2')),
        name,
      ).toBe(true)
      expect(operation.responses.default!.content, name).toHaveProperty(['application/problem+json'])
      if (operation.security) expect(operation.description, name).toMatch(/Needs the scope `[a-z]+:[a-z]+`/)
      if (method === 'post' && operation.security)
        expect(operation.parameters, name).toContainEqual(
          expect.objectContaining({ name: 'idempotency-key', in: 'header', required: true }),
        )
    }
})

test('every public event is told of as a webhook, with an example of its shape', () => {
  const names = Object.keys(document.webhooks)
  expect(names).toEqual(expect.arrayContaining(['sale.recorded v1', 'lead.recorded v1', 'payout.paid v1']))
})

test('the page loads nothing from elsewhere', async () => {
  const page = await house.app.inject('/docs')
  expect(page.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self';")
  expect(page.body).not.toMatch(/(src|href)="https?:/)
  const viewer = await house.app.inject('/docs/viewer.js')
  expect(viewer.headers['content-type']).toContain('text/javascript')
  expect(viewer.body.length).toBeGreaterThan(500_000)
})
