// The scripts about the books, as an operator runs them: against a database with books in it.
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestHouse, testHouse } from '../app/testing.ts'
import { earningPlugins, tradeIn } from '../plugins/commissions/testing.ts'

let house: TestHouse
let directory: string
beforeAll(async () => {
  house = await testHouse(earningPlugins)
  directory = await mkdtemp(path.join(tmpdir(), 'siso-books-'))
  const trade = tradeIn(house)
  await trade.record(trade.aPayment(await trade.aPartner()))
  await house.drain()
})
afterAll(async () => {
  await house.close()
  await rm(directory, { recursive: true, force: true })
})

test('the proof of sound books exits 0', async () => {
  const { code, stdout, stderr } = await run('proof.ts')
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^✓ SISO: 1 transfers/)
  expect(code).toBe(0)
})

test('the export is written to a file, or to the standard output', async () => {
  const file = path.join(directory, 'books.csv')
  const toFile = await run('ledger-export.ts', '--format', 'csv', '--out', file)
  expect(toFile.stderr).toBe(`1 transfers in ${file}\n`)
  expect((await readFile(file, 'utf8')).trim().split('\r\n')).toHaveLength(3)
  const { stdout, code } = await run('ledger-export.ts')
  expect(stdout).toContain('20.00 USD')
  expect(code).toBe(0)
})

test.each([
  [['--format', 'pdf'], '--format is csv or journal'],
  [['--month', 'May'], '--month is a month'],
  [['--guild', '404'], 'No program belongs to the server 404'],
])('the export refuses %s in one sentence', async (args, sentence) => {
  const { code, stderr, stdout } = await run('ledger-export.ts', ...args)
  expect(stderr).toContain(sentence)
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect([code, stdout]).toEqual([1, ''])
})

test('the proof of books that were tampered with exits 1 and names the finding', async () => {
  await house.connection.sql`update ledger_balances set amount = amount + 7 where limited`
  const { code, stdout } = await run('proof.ts')
  expect(stdout).toMatch(/✗ SISO: .*\n\s+balances are the sums of their entries: account pending/)
  expect(code).toBe(1)
  const json = JSON.parse((await run('proof.ts', '--json')).stdout)
  expect(json).toMatchObject({ ok: false, programs: [{ name: 'SISO', ok: false }] })
})

function run(script: string, ...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(script, import.meta.url)), ...args], {
    cwd: directory,
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: house.connection.url,
      DISCORD_TOKEN: 'MTAwMDAwMDAwMDAwMDAwMDAw.abcdef.ghijklmnopqrstuvwxyz',
      SECRET_KEY: 'a secret of more than thirty-two characters',
      PUBLIC_URL: 'https://partners.example.com',
      DATA_DIR: directory,
      LOG_LEVEL: 'silent',
    },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })))
}
