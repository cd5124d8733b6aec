// The main job end to end, as a newcomer runs it, and then with the power cut at the worst moments. Every process here is real.
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Connection } from '../../db/connect.ts'
import { testDatabase } from '../../db/testing.ts'
import { hasRedis, startRedis } from '../../jobs/testing.ts'
import type { StepResult } from './steps.ts'
import { until } from './steps.ts'
import { type Tour, tourSteps } from './tour.ts'
import { startWorld, type World } from './world.ts'

let directory: string
let world: World | undefined
let database: Connection | undefined
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'siso-tour-'))
})
afterEach(async () => {
  await world?.close()
  await database?.close()
  world = undefined
  database = undefined
  await rm(directory, { recursive: true, force: true })
})

const names = tourSteps.map((step) => step.name)

test('the tour passes from the command line, says what it saw, and leaves no process behind', { timeout: 180_000 }, async () => {
  const { code, stdout } = await demo(['--tour', '--json', '--data-dir', directory])
  const report = JSON.parse(stdout) as { ok: boolean; bootMs: number; totalMs: number; steps: StepResult[] }
  expect(report.steps.filter((step) => !step.ok)).toEqual([])
  expect(report.steps.map((step) => step.name)).toEqual(names)
  expect(report.steps.every((step) => step.saw.length > 0)).toBe(true)
  expect({ ok: report.ok, code }).toEqual({ ok: true, code: 0 })
  expect(await processesMentioning(directory)).toEqual([])
})

test.skipIf(!hasRedis)(
  'with DATABASE_URL and REDIS_URL set, the same program does the same job on that database and that Redis (needs redis-server)',
  { timeout: 180_000 },
  async () => {
    database = await testDatabase()
    const redis = await startRedis()
    try {
      world = await startWorld({ dataDirectory: directory, environment: { DATABASE_URL: database.url, REDIS_URL: redis.url } })
      await runFrom({ world }, 'boot')
      const log = await readFile(world.logFile, 'utf8')
      expect(log).toContain('"queue":"redis"')
      const [row] = await database.sql`select count(*)::int as paid from payouts_payouts where state = 'paid'`
      expect(row!.paid).toBe(1)
      await world.close()
    } finally {
      await redis.stop()
    }
  },
)

test('killed after every single step and started again, the job goes on to the same end', { timeout: 480_000 }, async () => {
  world = await startWorld({ dataDirectory: directory })
  const tour: Tour = { world }
  for (const step of tourSteps) {
    await step.run(tour)
    await world.program.kill()
    await world.program.start()
  }
})

test('killed after the signature was stored and before a role was granted, the roles are granted after the restart', {
  timeout: 120_000,
}, async () => {
  world = await startWorld({ dataDirectory: directory })
  const tour: Tour = { world }
  await runUntil(tour, 'roles and channels granted', async (step) => {
    if (step !== 'agreement signed') return
    await world!.control('POST', '/sandbox/faults', {
      kind: 'status',
      method: 'PUT',
      route: '/guilds/:g/members/:m/roles/:r',
      status: 500,
    })
  })
  expect(await tour.ada!.roles()).toEqual([])
  await world.program.kill()
  await world.control('DELETE', '/sandbox/faults')
  await world.program.start()
  await runFrom(tour, 'roles and channels granted')
})

test('killed after the webhooks were stored and before they were handled, one sale and one commission are made after the restart', {
  timeout: 120_000,
}, async () => {
  database = await testDatabase()
  world = await startWorld({ dataDirectory: directory, environment: { DATABASE_URL: database.url } })
  const tour: Tour = { world }
  await runUntil(tour, 'one sale from shuffled, doubled webhooks')
  let buying: Promise<string> | undefined
  await database.sql.begin(async (sql) => {
    // Whoever handles work must read this table first; storing a webhook must not.
    await sql`lock table stripe_facts in access exclusive mode`
    buying = stepNamed('one sale from shuffled, doubled webhooks').run(tour)
    buying.catch(() => {})
    await until('stored webhooks', async () => {
      const [row] = await database!
        .sql`select count(*)::int as count from core_webhooks where type = 'checkout.session.completed' and handled_at is null`
      return row!.count === 1
    })
    await world!.program.kill()
  })
  await world.program.start()
  await buying
  await runFrom(tour, 'partial refund')
})

test('killed after Stripe made the transfer and before it was recorded, the partner is paid once', {
  timeout: 120_000,
}, async () => {
  world = await startWorld({ dataDirectory: directory })
  const tour: Tour = { world }
  await runUntil(tour, 'payout: dry run, run, run again')
  await world.control('POST', `${world.sandbox.urls.stripe}/sandbox/faults`, {
    match: 'POST /v1/transfers',
    kind: 'delay',
    ms: 20_000,
  })
  const paying = stepNamed('payout: dry run, run, run again').run(tour)
  paying.catch(() => {})
  await until('the transfer at Stripe', async () => (await world!.stripe.transfers.list()).data.length === 1)
  await world.program.kill()
  await world.program.start()
  await paying.catch(() => {})
  await until('the payout confirmed', async () => stepNamed('payout confirmed').run(tour))
  expect((await world.stripe.transfers.list()).data).toHaveLength(1)
  await runFrom(tour, 'leaderboard posted')
})

test('a port or a data directory in use is told in one sentence, and the run that uses it keeps its log', {
  timeout: 60_000,
}, async () => {
  world = await startWorld({ dataDirectory: directory })
  const port = new URL(world.sandbox.urls.discord.client).port
  const onPort = await demo(['--tour', '--port', port, '--data-dir', path.join(directory, 'other')])
  expect(onPort.code).toBe(1)
  expect(onPort.stderr).toBe(`Port ${port} is in use by another program. Stop that program, or choose another port with --port.\n`)
  const onDirectory = await demo(['--tour', '--data-dir', directory])
  expect(onDirectory.code).toBe(1)
  expect(onDirectory.stderr).toMatch(/is in use by process \d+\. Stop that process, or choose another directory .*--data-dir/)
  expect(await readFile(world.logFile, 'utf8')).toContain('the bot is on Discord')
})

test('a data directory that cannot be one is told in one sentence', { timeout: 60_000 }, async () => {
  const { code, stderr } = await demo(['--tour', '--data-dir', fileURLToPath(import.meta.url)])
  expect(code).toBe(1)
  expect(stderr).toMatch(/^\S+tour\.test\.ts\S+ cannot be used: a part of the path is a file\. .*choose another .*--data-dir/)
  expect(stderr).not.toMatch(/^\s+at /m)
})

function stepNamed(name: string) {
  const step = tourSteps.find((candidate) => candidate.name === name)
  if (!step) throw new Error(`the tour has no step “${name}”`)
  return step
}

/** Runs the steps before `name`; `before` is called ahead of each. */
async function runUntil(tour: Tour, name: string, before: (step: string) => Promise<void> = async () => {}): Promise<void> {
  for (const step of tourSteps.slice(0, tourSteps.indexOf(stepNamed(name)))) {
    await before(step.name)
    await step.run(tour)
  }
}

async function runFrom(tour: Tour, name: string): Promise<void> {
  for (const step of tourSteps.slice(tourSteps.indexOf(stepNamed(name)))) await step.run(tour)
}

function demo(flags: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const script = fileURLToPath(new URL('../demo.ts', import.meta.url))
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...flags], { timeout: 170_000 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    )
  })
}

/** Command lines of living processes that mention the text, other than this one. */
async function processesMentioning(text: string): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')))
  return lines.filter((line) => line.includes(text))
}
