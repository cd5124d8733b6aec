// Single-use links: one use, one purpose, one latest token per subject.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { manualClock, minutes } from '../plugins/kit/clock.ts'
import type { Connection } from './connect.ts'
import { type Program, programStore } from './programs.ts'
import { testDatabase } from './testing.ts'
import { createTokens } from './tokens.ts'

const clock = manualClock('2026-11-02T09:00:00Z')
const tokens = createTokens(clock)
let connection: Connection
let program: Program
let subject: string
let count = 0

beforeAll(async () => {
  connection = await testDatabase()
  program = await connection.db.transaction((tx) => programStore.ensure(tx, { guildId: '900000000000000001', name: 'SISO' }))
})
afterAll(() => connection.close())
beforeEach(() => {
  subject = `subject ${++count}`
})

const issue = (purpose = 'verify', lifetimeMs = minutes(10)) =>
  connection.db.transaction((tx) => tokens.issue(tx, { programId: program.id, purpose, subject, lifetimeMs }))
const redeem = (secret: string, purpose = 'verify') => connection.db.transaction((tx) => tokens.redeem(tx, purpose, secret))

test('a token works once; looking at it does not use it', async () => {
  const secret = await issue()
  expect(secret).toMatch(/^[\w-]{43}$/)
  const good = { state: 'good', programId: program.id, subject }
  expect(await tokens.inspect(connection.db, 'verify', secret)).toEqual(good)
  expect(await redeem(secret)).toEqual(good)
  expect(await redeem(secret)).toEqual({ ...good, state: 'used' })
})

test('of many uses at the same time exactly one succeeds', async () => {
  const secret = await issue()
  const states = (await Promise.all(Array.from({ length: 4 }, () => redeem(secret)))).map(({ state }) => state)
  expect(states.toSorted()).toEqual(['good', 'used', 'used', 'used'])
})

test('a use that is rolled back leaves the token good', async () => {
  const secret = await issue()
  await connection.db
    .transaction(async (tx) => {
      await tokens.redeem(tx, 'verify', secret)
      throw new Error('the rest failed')
    })
    .catch(() => {})
  expect((await redeem(secret)).state).toBe('good')
})

test('a token is expired from the end of its lifetime on', async () => {
  const secret = await issue('verify', minutes(10))
  clock.advance(minutes(10) - 1)
  expect((await tokens.inspect(connection.db, 'verify', secret)).state).toBe('good')
  clock.advance(1)
  expect((await redeem(secret)).state).toBe('expired')
})

test('a new token voids the earlier ones of the same purpose and subject, and no others', async () => {
  const first = await issue()
  const otherPurpose = await issue('sign')
  const second = await issue()
  expect((await redeem(first)).state).toBe('expired')
  expect((await redeem(otherPurpose, 'sign')).state).toBe('good')
  expect((await redeem(second)).state).toBe('good')
})

test('a token of another purpose, a tampered one and an invented one are unknown', async () => {
  const secret = await issue()
  const tampered = `${secret[0] === 'A' ? 'B' : 'A'}${secret.slice(1)}`
  for (const [purpose, text] of [
    ['sign', secret],
    ['verify', tampered],
    ['verify', ''],
  ] as const)
    expect(await redeem(text, purpose)).toEqual({ state: 'unknown' })
})

test('the database keeps no token that could be used', async () => {
  const secret = await issue()
  const rows = await connection.sql<{ text: string }[]>`select t::text as text from core_tokens t`
  expect(rows.some(({ text }) => text.includes(secret))).toBe(false)
})
