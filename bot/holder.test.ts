import pino from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Connection } from '../db/connect.ts'
import { testDatabase } from '../db/testing.ts'
import { holdGateway } from './holder.ts'

const log = pino({ level: 'silent' })
let database: Connection
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())

const hold = (applicationId: string, change: { signal?: AbortSignal; onLost?: () => void } = {}) =>
  holdGateway({ url: database.url, applicationId, log, signal: new AbortController().signal, onLost: () => {}, ...change })

test('of two processes one holds the gateway, and the other takes over when it is released', async () => {
  const first = await hold('app-1')
  let taken = false
  const second = hold('app-1').then((holder) => {
    taken = true
    return holder
  })
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  expect(taken).toBe(false)
  await first.release()
  await (await second).release()
  expect(taken).toBe(true)
})

test('two applications do not wait for each other', async () => {
  const first = await hold('app-2')
  const second = await hold('app-3')
  await Promise.all([first.release(), second.release()])
})

test('who waits can give up', async () => {
  const first = await hold('app-4')
  const waiting = new AbortController()
  const second = hold('app-4', { signal: waiting.signal })
  waiting.abort()
  await expect(second).rejects.toThrow()
  await first.release()
})

test('a holder whose connection breaks is told, so that it leaves the gateway', async () => {
  let lost = false
  const holder = await hold('app-5', {
    onLost: () => {
      lost = true
    },
  })
  await database.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'siso-gateway' and datname = current_database()`
  await expect.poll(() => lost).toBe(true)
  await holder.release()
})
