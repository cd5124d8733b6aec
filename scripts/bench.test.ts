import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'
import { yardstickOn } from './bench/yardstick.ts'

const bench = (...args: string[]) =>
  promisify(execFile)(process.execPath, [fileURLToPath(new URL('./bench.ts', import.meta.url)), ...args])

test.each([[[]], [['nothing']], [['shop']]])('without the name of a measurement, the measurements are named (%j)', async (args) => {
  const refusal = await bench(...args).catch((error: { code: number; stderr: string }) => error)
  expect(refusal).toMatchObject({ code: 1 })
  expect(refusal.stderr).toMatch(/^Usage: npm run bench -- .*\bevents\|interactions\|.*\bredirect\|sales\b/)
})

test('the yardstick is TPC-B with 16 clients, and says what ran it', { timeout: 60_000 }, async () => {
  const yardstick = await yardstickOn(inject('postgresUrl'))
  expect(yardstick.name).toMatch(/TPC-B.*16 clients, scale 16/)
  expect(await yardstick.measure(1)).toBeGreaterThan(1)
})
