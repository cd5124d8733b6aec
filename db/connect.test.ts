import { expect, test } from 'vitest'
import { assertNewEnough, connect, withoutPassword } from './connect.ts'

test('a server that is too old is refused with its version and what to do', () => {
  expect(() => assertNewEnough(140_012)).toThrow('PostgreSQL 14 is too old: version 15 or newer is needed. Upgrade the server')
  expect(() => assertNewEnough(150_000)).not.toThrow()
})

test('a server that does not answer is told without the password', async () => {
  await expect(connect('postgres://user:hunter2@127.0.0.1:1/none')).rejects.toThrow(
    /postgres:\/\/user:\*\*\*@127\.0\.0\.1:1\/none does not answer: .*Check DATABASE_URL/,
  )
})

test.each([
  ['postgres://a:b@host/db', 'postgres://a:***@host/db'],
  ['postgres://host/db', 'postgres://host/db'],
  ['not an address', '(an address that is not a URL)'],
])('%s is logged as %s', (url, shown) => expect(withoutPassword(url)).toBe(shown))
