// What an operator reads when something is not as it must be: one clear message, exit code 1, no stack trace.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Connection } from '../db/connect.ts'
import { startEmbedded } from '../db/embedded.ts'
import { testDatabase } from '../db/testing.ts'

const complete = {
  DISCORD_TOKEN: 'MTAwMDAwMDAwMDAwMDAwMDAw.abcdef.ghijklmnopqrstuvwxyz',
  SECRET_KEY: 'a secret of more than thirty-two characters',
  PUBLIC_URL: 'https://partners.example.com',
  PORT: '0',
  LOG_LEVEL: 'silent',
}

let database: Connection
let directory: string
beforeAll(async () => {
  database = await testDatabase()
  directory = await mkdtemp(path.join(tmpdir(), 'siso-start-'))
})
afterAll(async () => {
  await database.close()
  await rm(directory, { recursive: true, force: true })
})

test.each([
  [
    'a missing token',
    { DISCORD_TOKEN: undefined },
    [/^DISCORD_TOKEN is missing/, /What it is for: logs the bot in/, /Example: DISCORD_TOKEN=/],
  ],
  ['an empty secret', { SECRET_KEY: '  ' }, [/^SECRET_KEY is missing/, /Where to get it: .*openssl/]],
  ['a short secret', { SECRET_KEY: 'short' }, [/^SECRET_KEY is malformed: it needs at least 32 characters/]],
  ['a malformed port', { PORT: 'eighty' }, [/^PORT is malformed: it must be a number from 0 to 65535/]],
  ['a public address without a scheme', { PUBLIC_URL: 'partners.example.com' }, [/^PUBLIC_URL is malformed: it must be a http/]],
  ['an unknown log level', { LOG_LEVEL: 'loud' }, [/^LOG_LEVEL is malformed: it must be debug, info/]],
  ['a missing token beside an empty log level', { LOG_LEVEL: '', DISCORD_TOKEN: undefined }, [/^DISCORD_TOKEN is missing/]],
  ['an unknown role', { ROLE: 'boss' }, [/^ROLE is malformed: it must be all, bot, api or worker/]],
  [
    'a database that is not there',
    { DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/none' },
    [/database at postgres:\/\/u:\*\*\*@127\.0\.0\.1:1\/none does not answer/, /Check DATABASE_URL/],
  ],
])('%s is told in one clear message', async (_, change, expected) => {
  const { code, stderr } = await start({ ...complete, DATA_DIR: directory, ...change })
  expect(code).toBe(1)
  for (const pattern of expected) expect(stderr).toMatch(pattern)
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(stderr).not.toContain('hunter2')
})

test('every problem of the configuration is told at once', async () => {
  const { stderr } = await start({ PORT: 'eighty' })
  for (const name of ['DISCORD_TOKEN', 'SECRET_KEY', 'PUBLIC_URL', 'PORT']) expect(stderr).toMatch(new RegExp(`^${name} is m`, 'm'))
})

test('a port in use is told with the port and what to do', async () => {
  const occupied = await occupyPort()
  const { code, stderr } = await start({ ...complete, DATABASE_URL: database.url, PORT: String(occupied.port) })
  occupied.server.close()
  expect(code).toBe(1)
  expect(stderr).toMatch(new RegExp(`^Port ${occupied.port} on 127\\.0\\.0\\.1 is in use by another program`))
  expect(stderr).not.toMatch(/^\s+at /m)
})

test('a data directory that a living process holds is told with the process', async () => {
  const held = await startEmbedded({ directory: path.join(directory, 'held/postgres'), unsafeFast: true })
  const { code, stderr } = await start({ ...complete, DATA_DIR: path.join(directory, 'held') })
  await held.stop()
  expect(code).toBe(1)
  expect(stderr).toMatch(new RegExp(`is in use by process ${process.pid}`))
})

test('a database that is not migrated is told with the command to run', async () => {
  const fresh = await testDatabase()
  await fresh.sql.unsafe('drop schema public cascade; create schema public')
  const { code, stderr } = await start({ ...complete, DATABASE_URL: fresh.url, AUTO_MIGRATE: 'false' })
  await fresh.close()
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /The database is not migrated: \d+ migration\(s\) are missing, the first is 0001_core\.sql\. Run `npm run migrate` first\./,
  )
})

test('a Discord that cannot be reached is told with the variable to check', async () => {
  const { code, stderr } = await start({ ...complete, DATABASE_URL: database.url, DISCORD_API_URL: 'http://127.0.0.1:1/api' })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^Discord cannot be reached: .*DISCORD_API_URL/)
})

function start(environment: Record<string, string | undefined>): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./start.ts', import.meta.url))], {
    cwd: directory,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk
  })
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stderr })))
}

function occupyPort(): Promise<{ port: number; server: Server }> {
  const server = createServer()
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (address && typeof address === 'object') resolve({ port: address.port, server })
    }),
  )
}
