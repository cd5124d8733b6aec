// Outgoing webhooks: signed so that the published library believes them, tried for three days, never into a private network, switched off with a notice.
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { controlsOf, type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import { programStore } from '../../db/programs.ts'
import { days, defineEvent, definePlugin, hours, manualClock, minutes, seconds } from '../kit/index.ts'
import { pauses } from './deliver.ts'
import { createEndpointService } from './endpoints.ts'
import { developer } from './plugin.ts'
import { publish } from './public.ts'
import { createSender } from './sender.ts'
import { admin } from './testing.ts'

const made = defineEvent('things.made', { name: z.string() })
const broke = defineEvent('things.broke', { name: z.string() })
const things = definePlugin({
  id: 'things',
  title: 'Things',
  summary: 'Publishes two events.',
  setup: () => ({
    extends: [
      publish(made, {
        type: 'thing.made',
        version: 1,
        describes: 'Made.',
        schema: z.object({ name: z.string() }),
        example: { name: 'x' },
        map: ({ name }) => ({ name }),
      }),
      publish(broke, {
        type: 'thing.broke',
        version: 1,
        describes: 'Broke.',
        schema: z.object({ name: z.string() }),
        example: { name: 'x' },
        map: ({ name }) => ({ name }),
      }),
    ],
  }),
})

interface Received {
  headers: IncomingHttpHeaders
  body: string
}

/** A server that takes webhooks and answers as it is told. */
async function aReceiver() {
  const received: Received[] = []
  const answer = { status: 200, headers: {} as Record<string, string>, body: 'ok' }
  const server: Server = createServer((request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => (body += part.toString()))
    request.on('end', () => {
      received.push({ headers: request.headers, body })
      response.writeHead(answer.status, answer.headers).end(answer.body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  return { url, received, answer, close: () => new Promise((resolve) => server.close(resolve)) }
}

let house: TestHouse
let receiver: Awaited<ReturnType<typeof aReceiver>>
beforeAll(async () => {
  house = await testHouse([developer, things], { environment: { WEBHOOK_ALLOW_PRIVATE: 'true' } })
})
afterAll(() => house.close())
beforeEach(async () => {
  receiver = await aReceiver()
})
afterEach(async () => {
  for (const { id } of await house.connection.sql`select id from developer_endpoints`)
    await house.run('admin-api webhooks remove', { webhook: id }, admin)
  await receiver.close()
})

async function anEndpoint(events?: string): Promise<{ id: string; secret: string }> {
  const words = wordsOf(await house.run('admin-api webhooks add', { url: receiver.url, ...(events && { events }) }, admin))
  const [row] = await house.connection.sql<{ id: string }[]>`select id from developer_endpoints where url = ${receiver.url}`
  return { id: row!.id, secret: /whsec_[\w+/=]+/.exec(words)![0] }
}
/** The same as the house has, to be used within a transaction of ours. */
const endpoints = createEndpointService({
  clock: manualClock('2026-11-02T09:00:00Z'),
  key: Buffer.alloc(32),
  allowPrivate: true,
  publicEvents: () => [],
})
const untilSomebodyWaits = () =>
  expect
    .poll(() => house.connection.sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)
    .toHaveLength(1)
const happen = (name: string, event = made) =>
  house.db.transaction((tx) => house.emit(tx, event, { programId: house.program.id, name }))
const work = async () => {
  await house.tick('developer.send')
  await house.drain()
}
const names = () => receiver.received.map(({ body }) => (JSON.parse(body) as { data: { name: string } }).data.name)
const list = async () => wordsOf(await house.run('admin-api webhooks list', {}, admin))
const notices = async () =>
  (
    await house.connection.sql<
      { text: string }[]
    >`select payload::text as text from core_messages where key like 'developer.disabled:%'`
  ).map(({ text }) => text)

test('an event arrives, signed as the published library for Standard Webhooks wants it', async () => {
  const { secret } = await anEndpoint()
  house.clock.set(new Date(Date.now()))
  await happen('chair')
  await work()
  expect(receiver.received).toHaveLength(1)
  const { headers, body } = receiver.received[0]!
  const verified = new Webhook(secret).verify(body, headers as Record<string, string>)
  expect(verified).toMatchObject({ type: 'thing.made', version: 1, data: { name: 'chair' }, id: headers['webhook-id'] })
  expect(() => new Webhook(secret).verify(`${body} `, headers as Record<string, string>)).toThrow()
  expect(await list()).toContain('works')
})

test('only the chosen events are sent, and each once', async () => {
  await anEndpoint('thing.broke')
  await happen('made')
  await happen('broken', broke)
  await work()
  await work()
  expect(names()).toEqual(['broken'])
})

test('what fails is tried again with the same id after growing pauses, for more than three days', async () => {
  await anEndpoint()
  receiver.answer.status = 500
  await happen('again')
  await work()
  for (const [i, pause] of pauses.slice(0, 5).entries()) {
    expect(receiver.received).toHaveLength(i + 1)
    house.clock.advance(pause - 1)
    await work()
    expect(receiver.received).toHaveLength(i + 1)
    house.clock.advance(seconds(10))
    await work()
  }
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  expect(pauses.reduce((sum, pause) => sum + pause)).toBeGreaterThanOrEqual(hours(72))
  receiver.answer.status = 204
  house.clock.advance(hours(11))
  await work()
  expect(await list()).toContain('works')
})

test('an endpoint at which nothing arrives for three days is switched off, and the admins are told; a replay sends what it missed', async () => {
  const { id } = await anEndpoint()
  const day = house.clock.now().toISOString().slice(0, 10)
  receiver.answer.status = 503
  await happen('first')
  await work()
  for (let hour = 0; hour < 80; hour++) {
    house.clock.advance(hours(1))
    if (hour === 40) await happen('second')
    await work()
  }
  expect(await list()).toContain('switched off')
  expect(await notices()).toEqual([expect.stringContaining('nothing arrived for three days')])
  const before = receiver.received.length
  receiver.answer.status = 200
  await happen('while off')
  await work()
  expect(receiver.received).toHaveLength(before)
  const words = wordsOf(await house.run('admin-api webhooks replay', { webhook: id, since: day }, admin))
  expect(words).toMatch(/events are sent again/)
  await work()
  expect(names().slice(before)).toEqual(expect.arrayContaining(['first', 'second', 'while off']))
  expect(await list()).toContain('works')
})

test('an endpoint that says it is gone is switched off at once', async () => {
  await anEndpoint()
  receiver.answer.status = 410
  await happen('x')
  await work()
  expect(await list()).toContain('410 Gone')
})

test('an endpoint that fails is left alone for a while instead of being asked for every event', async () => {
  await anEndpoint()
  receiver.answer.status = 500
  for (let i = 0; i < 30; i++) await happen(`event ${i}`)
  await work()
  await work()
  expect(receiver.received.length).toBeLessThanOrEqual(5)
  receiver.answer.status = 200
  house.clock.advance(minutes(10))
  await work()
  expect(new Set(names()).size).toBe(30)
})

test('two workers at once send each message once', async () => {
  await anEndpoint()
  for (let i = 0; i < 20; i++) await happen(`event ${i}`)
  await house.tick('developer.send')
  await Promise.all([house.drain(), house.drain()])
  expect(names().toSorted()).toEqual([...new Set(names())].toSorted())
  expect(names()).toHaveLength(20)
})

test('an event that is forgotten while a replay asks for it holds up no others', async () => {
  await happen('old')
  await house.tick('developer.send')
  house.clock.advance(days(91))
  const { id } = await anEndpoint()
  let pruning: Promise<unknown> | undefined
  await house.db.transaction(async (tx) => {
    await endpoints.replay(tx, house.program.id, id, new Date(0))
    pruning = house.tick('developer.prune')
    await Promise.race([pruning, untilSomebodyWaits()])
  })
  await pruning
  await happen('new')
  await work()
  expect(names()).toEqual(['new'])
})

test('after a rotation the old secret is good for another day beside the new one', async () => {
  const { id, secret: old } = await anEndpoint()
  const fresh = /whsec_[\w+/=]+/.exec(wordsOf(await house.run('admin-api webhooks rotate', { webhook: id }, admin)))![0]
  house.clock.set(new Date(Date.now()))
  await house.connection
    .sql`update developer_endpoints set old_secret_until = ${new Date(house.clock.now().getTime() + 1).toISOString()}`
  await happen('both')
  await work()
  const both = receiver.received.at(-1)!
  for (const secret of [old, fresh]) expect(new Webhook(secret).verify(both.body, both.headers as never)).toBeTruthy()
  await house.connection.sql`update developer_endpoints set old_secret_until = ${house.clock.now().toISOString()}`
  await happen('one')
  await work()
  const one = receiver.received.at(-1)!
  expect(new Webhook(fresh).verify(one.body, one.headers as never)).toBeTruthy()
  expect(() => new Webhook(old).verify(one.body, one.headers as never)).toThrow()
})

test('the secret is not to be read in the database', async () => {
  const { secret } = await anEndpoint()
  const [row] = await house.connection.sql<{ text: string }[]>`select to_jsonb(e)::text as text from developer_endpoints e`
  const raw = secret.replace('whsec_', '')
  expect(row!.text).not.toContain(Buffer.from(raw, 'base64').toString('hex'))
  expect(row!.text).not.toContain(Buffer.from(secret).toString('hex'))
  expect(await list()).not.toContain(raw)
})

test('a secret that was kept under another SECRET_KEY is told, nothing goes out unsigned, and a rotation mends it', async () => {
  const { id } = await anEndpoint()
  await house.connection.sql`update developer_endpoints set secret = ${Buffer.alloc(80)}`
  await happen('unsigned')
  await work()
  await expect(house.run('admin-api webhooks test', { webhook: id }, admin)).rejects.toThrow('SECRET_KEY')
  expect(receiver.received).toHaveLength(0)
  await house.run('admin-api webhooks rotate', { webhook: id }, admin)
  house.clock.advance(minutes(10))
  await work()
  expect(names()).toEqual(['unsigned'])
})

test('a test message says at once whether it arrived', async () => {
  const { id } = await anEndpoint()
  expect(wordsOf(await house.run('admin-api webhooks test', { webhook: id }, admin))).toContain('The test arrived')
  receiver.answer.status = 302
  receiver.answer.headers = { location: 'http://127.0.0.1:1/elsewhere' }
  expect(wordsOf(await house.run('admin-api webhooks test', { webhook: id }, admin))).toContain('redirects are not followed')
  expect(receiver.received).toHaveLength(2)
})

test('an endless answer does no harm', async () => {
  const { id } = await anEndpoint()
  receiver.answer.body = 'x'.repeat(50_000_000)
  expect(wordsOf(await house.run('admin-api webhooks test', { webhook: id }, admin))).toContain('The test arrived')
})

test('an answer that would switch to another protocol is a failure like any other, and keeps nobody waiting', async () => {
  const server = createTcpServer((socket) =>
    socket.once('data', () =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
    ),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  const sent = await createSender({ allowPrivate: true })(url, {}, '{}')
  expect(sent).toEqual({ ok: false, status: undefined, result: 'the connection was closed without an answer' })
  await new Promise((resolve) => server.close(resolve))
})

test('an admin of another program neither sees nor touches the webhooks', async () => {
  const { id } = await anEndpoint()
  const other = await house.db.transaction((tx) => programStore.ensure(tx, { guildId: '900000000000000002', name: 'Other' }))
  const stranger = { ...admin, program: other }
  expect(wordsOf(await house.run('admin-api webhooks list', {}, stranger))).toContain('There are no webhooks yet')
  for (const command of ['test', 'rotate', 'remove', 'replay'])
    await expect(house.run(`admin-api webhooks ${command}`, { webhook: id, since: '2026-01-01' }, stranger)).rejects.toThrow(
      'no such webhook',
    )
  expect(controlsOf(await house.run('admin-api webhooks list', {}, admin))).toEqual([])
})

describe('an address', () => {
  test.each([
    'ftp://example.com',
    'https://user:pass@example.com',
    'example.com',
    'javascript:alert(1)',
    `https://example.com/${'x'.repeat(500)}`,
  ])('%s is refused', async (url) => {
    await expect(house.run('admin-api webhooks add', { url }, admin)).rejects.toThrow('not fit for a webhook')
  })

  test('without TLS is refused where private networks are', async () => {
    const strict = await testHouse([developer])
    await expect(strict.run('admin-api webhooks add', { url: 'http://example.com/' }, admin)).rejects.toThrow(
      'beginning with https://',
    )
    await strict.close()
  })

  test.each(['127.0.0.1', 'localhost', '[::1]', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]'])(
    'that leads to this machine is not connected to: %s',
    async (host) => {
      const send = createSender({ allowPrivate: false })
      const url = new URL(receiver.url)
      const sent = await send(`http://${host}:${url.port}/hook`, {}, '{}')
      expect(sent).toMatchObject({ ok: false, result: 'the address leads into a private network' })
      expect(receiver.received).toHaveLength(0)
    },
  )

  test('that does not answer is told in words', async () => {
    const send = createSender({ allowPrivate: true })
    expect((await send('http://127.0.0.1:1/', {}, '{}')).result).toBe('the connection was refused')
    expect((await send('http://nowhere.invalid/', {}, '{}')).result).toMatch(/the host is not known|EAI_AGAIN/)
  })
})
