// The queue host on a real store: what was committed is delivered, once in effect, whatever breaks in between. One suite over both stores.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import pino from 'pino'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Connection, Tx } from '../db/connect.ts'
import { createOutbox, listFailed, retryFailed } from '../db/outbox.ts'
import { type Program, programStore } from '../db/programs.ts'
import { testDatabase } from '../db/testing.ts'
import { systemClock } from '../plugins/kit/clock.ts'
import { defineEvent, on, onAll } from '../plugins/kit/events.ts'
import { defineJob, handle, handleWithin, schedule } from '../plugins/kit/jobs.ts'
import { load } from '../plugins/kit/load.ts'
import { definePlugin, type Parts } from '../plugins/kit/plugin.ts'
import { createDeliverer } from './deliver.ts'
import { type JobsHost, startJobs } from './host.ts'
import { hasRedis, startRedis, type TestRedis } from './testing.ts'

const rang = defineEvent('bell.rang', { times: z.int() })
const unheard = defineEvent('bell.unheard', { times: z.int() })
const tune = defineJob({ name: 'bell.tune', payload: z.object({ bell: z.string() }) })
const polish = defineJob({ name: 'bell.polish', payload: z.object({ bell: z.string() }), attempts: 3, backoffMs: 20 })
const { emit, enqueue } = createOutbox(systemClock)

interface Store {
  /** Undefined for Postgres. */
  redisUrl(): string | undefined
  /** Loses everything that the queue knew. */
  lose(connection: Connection): Promise<void>
}

function suite(store: Store): void {
  let connection: Connection
  let program: Program
  const running: JobsHost[] = []
  const closers: (() => Promise<unknown>)[] = []

  beforeAll(async () => {
    connection = await testDatabase({ max: 10 })
    await connection.sql`create table tally (what text not null)`
    program = await connection.db.transaction((tx) => programStore.ensure(tx, { guildId: '900000000000000001', name: 'SISO' }))
  })
  afterAll(() => connection.close())
  afterEach(async () => {
    for (const host of running.splice(0)) await host.stop()
    for (const close of closers.splice(0)) await close()
    await store.lose(connection)
    await connection.sql`truncate tally, core_outbox cascade`
  })

  async function start(parts: Parts): Promise<JobsHost> {
    const plugin = definePlugin({ id: 'bell', title: 'Bell', summary: 'Rings.', setup: () => parts })
    const loaded = await load([plugin], () => ({}) as never)
    const host = await startJobs({
      connection,
      redisUrl: store.redisUrl(),
      clock: systemClock,
      log: pino({ level: 'silent' }),
      loaded,
      concurrency: 4,
    })
    running.push(host)
    return host
  }
  const stop = async (host: JobsHost) => {
    running.splice(running.indexOf(host), 1)
    await host.stop()
  }
  const note = (tx: Pick<Tx, 'execute'>, what: string) => tx.execute(sql`insert into tally values (${what})`)
  const tally = async () => (await connection.sql<{ what: string }[]>`select what from tally order by what`).map((row) => row.what)
  const ring = (times = 1) => connection.db.transaction((tx) => emit(tx, rang, { programId: program.id, times }))
  const askToPolish = (bell: string, dedupeKey?: string) =>
    connection.db.transaction((tx) =>
      enqueue(tx, polish, { bell }, { programId: program.id, ...(dedupeKey !== undefined && { dedupeKey }) }),
    )
  const settled = () =>
    until('every row of the outbox is done', async () => {
      const [row] = await connection.sql<{ open: number }[]>`select count(*)::int as open from core_outbox where done_at is null`
      return row!.open === 0
    })

  test('an event reaches each of its listeners once, and an event without listeners is closed', async () => {
    await start({
      listeners: [on(rang, 'bell.one', (tx) => note(tx, 'one').then()), on(rang, 'bell.two', (tx) => note(tx, 'two').then())],
    })
    await ring()
    await connection.db.transaction((tx) => emit(tx, unheard, { programId: program.id, times: 1 }))
    await settled()
    expect(await tally()).toEqual(['one', 'two'])
  })

  test('a listener that fails leaves nothing behind, is tried again, and then changes things once', async () => {
    let tries = 0
    await start({
      listeners: [
        on(rang, 'bell.shaky', async (tx) => {
          await note(tx, 'shaky')
          if (++tries < 3) throw new Error('not yet')
        }),
        on(rang, 'bell.steady', (tx) => note(tx, 'steady').then()),
      ],
    })
    await ring()
    await settled()
    expect(tries).toBe(3)
    expect(await tally()).toEqual(['shaky', 'steady'])
  })

  test.each([[['bell.count']], [['bell.count', 'bell.other']]])(
    'an event that is delivered again to %j changes nothing',
    async (ids) => {
      const plugin = definePlugin({
        id: 'bell',
        title: 'Bell',
        summary: 'Rings.',
        setup: () => ({ listeners: ids.map((id) => on(rang, id, (tx) => note(tx, id).then())) }),
      })
      const loaded = await load([plugin], () => ({}) as never)
      const { deliver } = createDeliverer({ db: connection.db, clock: systemClock, log: pino({ level: 'silent' }), loaded })
      await ring()
      const [row] = await connection.sql<{ id: string }[]>`select id from core_outbox`
      const again = (id: string) => deliver(Number(row!.id), id, 1, new AbortController().signal)
      const open = async () => (await connection.sql`select from core_outbox where done_at is null`).length
      for (const [i, id] of ids.entries()) {
        await Promise.all([again(id), again(id)])
        await again(id)
        expect(await open()).toBe(i + 1 < ids.length ? 1 : 0)
      }
      expect(await tally()).toEqual(ids)
    },
  )

  test('an event of two listeners, of which one handled it before the other was taken out of the house, is not handled again and is closed', async () => {
    const houseOf = async (ids: readonly string[]) => {
      const listeners = ids.map((id) => on(rang, id, (tx) => note(tx, id).then()))
      const loaded = await load(
        [definePlugin({ id: 'bell', title: 'Bell', summary: 'Rings.', setup: () => ({ listeners }) })],
        () => ({}) as never,
      )
      return createDeliverer({ db: connection.db, clock: systemClock, log: pino({ level: 'silent' }), loaded })
    }
    await ring()
    const [row] = await connection.sql<{ id: string }[]>`select id from core_outbox`
    for (const ids of [['bell.stays', 'bell.goes'], ['bell.stays']])
      await (await houseOf(ids)).deliver(Number(row!.id), 'bell.stays', 1, new AbortController().signal)
    expect(await tally()).toEqual(['bell.stays'])
    expect(await connection.sql`select from core_outbox where done_at is null`).toEqual([])
  })

  test('work that shares a transaction is all or nothing, and what fails alone takes nobody with it', async () => {
    await connection.db.transaction(async (tx) => {
      for (let times = 1; times <= 5; times++) await emit(tx, rang, { programId: program.id, times })
      await enqueue.many(
        tx,
        tune,
        [1, 2].map((bell) => ({ payload: { bell: `bell ${bell}` } })),
      )
    })
    let seen = 0
    await start({
      listeners: [
        onAll(rang, 'bell.together', async (tx, told) => {
          seen = Math.max(seen, told.length)
          for (const { payload } of told) await note(tx, `rang ${payload.times}`)
          if (told.some(({ payload }) => payload.times === 3)) throw new Error('the third is cracked')
        }),
      ],
      jobs: [
        handleWithin(tune, async (tx, asked) => {
          for (const { bell } of asked) await note(tx, bell)
        }),
      ],
    })
    await until('all but one are through', async () => (await tally()).length === 6)
    expect(seen).toBe(5)
    expect(await tally()).toEqual(['bell 1', 'bell 2', 'rang 1', 'rang 2', 'rang 4', 'rang 5'])
  })

  test('what work within a transaction asks for is done with it', async () => {
    await start({
      listeners: [
        on(rang, 'bell.echo', async (tx, { programId, times }) => {
          await note(tx, `rang ${times}`)
          if (times < 20) await emit(tx, rang, { programId, times: times + 1 })
        }),
      ],
    })
    await ring()
    await settled()
    expect(await tally()).toHaveLength(20)
  })

  test('when the queue loses everything, a restart delivers what was still open and repeats nothing', async () => {
    let broken = true
    const parts: Parts = {
      listeners: [
        on(rang, 'bell.early', (tx) => note(tx, 'early').then()),
        on(rang, 'bell.late', async (tx) => {
          if (broken) throw new Error('the tower is closed')
          await note(tx, 'late')
        }),
      ],
    }
    const first = await start(parts)
    for (let i = 0; i < 3; i++) await ring()
    await until('the first listener is through', async () => (await tally()).length === 3)
    await stop(first)
    await store.lose(connection)
    broken = false
    await start(parts)
    await settled()
    expect(await tally()).toEqual(['early', 'early', 'early', 'late', 'late', 'late'])
  })

  test('more open work than one batch holds does not keep later work waiting', async () => {
    await connection.sql`
      insert into core_outbox (program_id, kind, name, payload, relayed_at)
      select ${program.id}, 'job', 'bell.scrape', '{}', now() - interval '1 second' from generate_series(1, 250)`
    await askToPolish('fresh')
    const scrape = defineJob({ name: 'bell.scrape', payload: z.object({}), backoffMs: 60_000 })
    await start({
      jobs: [
        handle(scrape, () => Promise.reject(new Error('rust'))),
        handle(polish, ({ bell }) => note(connection.db, bell).then()),
      ],
    })
    await until('the later job ran', async () => (await tally()).includes('fresh'))
  })

  test('a job runs after its transaction, sees the number of its try, and is recorded when it succeeds', async () => {
    const tries: number[] = []
    await start({
      jobs: [
        handle(polish, async (_, run) => {
          tries.push(run.attempt)
          if (run.attempt === 1) throw new Error('the cloth is gone')
        }),
      ],
    })
    await askToPolish('great')
    await settled()
    expect(tries).toEqual([1, 2])
  })

  test('a job waits for its time', async () => {
    await start({ jobs: [handle(polish, ({ bell }) => note(connection.db, bell).then())] })
    await connection.db.transaction(async (tx) => {
      await enqueue(tx, polish, { bell: 'tomorrow' }, { at: new Date(Date.now() + 86_400_000) })
      await enqueue(tx, polish, { bell: 'soon' }, { at: new Date(Date.now() + 300) })
    })
    await until('the one that is due ran', async () => (await tally()).includes('soon'))
    expect(await tally()).toEqual(['soon'])
  })

  test('an event that an earlier process had in its hands is closed when nobody listens any more', async () => {
    await ring()
    await connection.sql`update core_outbox set relayed_at = now() - interval '1 hour'`
    await start({})
    await settled()
    expect(await connection.sql`select from core_outbox where done_at is not null`).toHaveLength(1)
  })

  test('work asked for while a job of the same key runs is done after it', async () => {
    const entered = gate()
    const finish = gate()
    await start({
      jobs: [
        handle(polish, async ({ bell }) => {
          entered.open()
          await finish.passed
          await note(connection.db, bell)
        }),
      ],
    })
    await askToPolish('first', 'key')
    await entered.passed
    await askToPolish('second', 'key')
    finish.open()
    await settled()
    expect(await tally()).toEqual(['first', 'second'])
  })

  test('who asks for a job that reaches out does not wait while other work is handled', async () => {
    const [entered, finish] = [gate(), gate()]
    await connection.db.transaction(async (tx) => {
      await enqueue(tx, polish, { bell: 'first' }, { dedupeKey: 'key' })
      await enqueue(tx, tune, { bell: 'slow' })
    })
    await start({
      jobs: [
        handle(polish, async ({ bell }) => {
          await note(connection.db, bell)
        }),
        handleWithin(tune, async (tx) => {
          entered.open()
          await finish.passed
          await note(tx, 'slow')
        }),
      ],
    })
    await entered.passed
    const asked = askToPolish('second', 'key')
    const answer = await Promise.race([asked.then(() => 'asked'), sleep(2_000, 'still waiting')])
    finish.open()
    await asked
    expect(answer).toBe('asked')
    await settled()
    expect(await tally()).toEqual(['first', 'second', 'slow'])
  })

  test('work that fails together is tried again by itself in the way that is meant for that', async () => {
    await connection.db.transaction((tx) => enqueue.many(tx, tune, [{ payload: { bell: 'one' } }, { payload: { bell: 'two' } }]))
    await start({
      jobs: [
        handleWithin(
          tune,
          async (tx, asked) => {
            for (const { bell } of asked) await note(tx, bell)
            throw new Error('together they do not fit')
          },
          (tx, { bell }) => note(tx, `${bell} alone`).then(() => {}),
        ),
      ],
    })
    await settled()
    expect(await tally()).toEqual(['one alone', 'two alone'])
  })

  test('work that fails at every try is set aside with its reason, and done after a retry', async () => {
    let broken = true
    await start({
      jobs: [
        handle(polish, async ({ bell }) => {
          if (broken) throw new Error('the ladder is too short')
          await note(connection.db, bell)
        }),
      ],
    })
    await askToPolish('high')
    await until('the work is set aside', async () => (await listFailed(connection.db, program.id)).length === 1)
    expect(await listFailed(connection.db, program.id)).toMatchObject([
      { name: 'bell.polish', lastError: 'the ladder is too short', doneAt: null },
    ])
    broken = false
    expect(await retryFailed(connection.db, program.id)).toBe(1)
    await settled()
    expect(await tally()).toEqual(['high'])
    expect(await listFailed(connection.db, program.id)).toEqual([])
  })

  test('the reason of what is set aside begins with what it comes from', async () => {
    await start({
      jobs: [
        handle(polish, async () => {
          const failures = [new Error('the statement failed', { cause: new Error('the ladder is too short') })]
          throw new AggregateError(failures, '1 bell was not polished')
        }),
      ],
    })
    await askToPolish('high')
    await until('the work is set aside', async () => (await listFailed(connection.db, program.id)).length === 1)
    expect(await listFailed(connection.db, program.id)).toMatchObject([
      { lastError: 'the ladder is too short; the statement failed; 1 bell was not polished' },
    ])
  })

  test('a job whose process was killed is done by the next process', { timeout: 60_000 }, async () => {
    await askToPolish('abandoned')
    const child = await aWorkerThatHangs(connection.url, store.redisUrl())
    closers.push(async () => child.kill('SIGKILL'))
    child.kill('SIGKILL')
    await once(child, 'exit')
    await start({ jobs: [handle(polish, ({ bell }) => note(connection.db, bell).then())] })
    await settled()
    expect(await tally()).toEqual(['abandoned'])
  })

  test('a process that starts leaves to others what they are at', async () => {
    const done = gate()
    let runs = 0
    const polishing = handle(polish, () => {
      runs++
      return done.passed
    })
    await start({ jobs: [polishing] })
    await askToPolish('long')
    await until('it runs', async () => runs === 1)
    const second = await start({ jobs: [polishing] })
    await sleep(500)
    const { work } = await second.counts()
    done.open()
    await settled()
    expect([runs, work!.active]).toEqual([1, 0])
  })

  test('schedules run again and again, survive their own failure, and end when no plugin declares them', async () => {
    let runs = 0
    const first = await start({
      schedules: [
        schedule('bell.toll', { ms: 100 }, async () => {
          if (++runs === 1) throw new Error('the rope slipped')
        }),
      ],
    })
    await until('it ran three times', async () => runs >= 3)
    await stop(first)
    const before = runs
    await start({})
    await sleep(400)
    expect(runs).toBe(before)
  })
}

describe('on Postgres', () =>
  suite({
    redisUrl: () => undefined,
    lose: async ({ sql }) => {
      await sql`drop schema if exists bullmq cascade`
    },
  }))

describe.skipIf(!hasRedis)('on Redis (needs REDIS_TEST_URL, or redis-server on the PATH)', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())
  suite({ redisUrl: () => redis.url, lose: () => redis.lose() })
})

/** A process of its own whose job has begun and never ends. */
async function aWorkerThatHangs(databaseUrl: string, redisUrl: string | undefined): Promise<ChildProcess> {
  const from = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  const script = `
    const { connect } = await import(${from('../db/connect.ts')})
    const { startJobs } = await import(${from('./host.ts')})
    const { systemClock } = await import(${from('../plugins/kit/clock.ts')})
    const { load } = await import(${from('../plugins/kit/load.ts')})
    const { defineJob, handle } = await import(${from('../plugins/kit/jobs.ts')})
    const { z } = await import('zod')
    const { default: pino } = await import('pino')
    const polish = defineJob({ name: 'bell.polish', payload: z.object({ bell: z.string() }) })
    const hang = handle(polish, () => { console.log('hanging'); return new Promise(() => {}) })
    await startJobs({
      connection: await connect(${JSON.stringify(databaseUrl)}),
      redisUrl: ${JSON.stringify(redisUrl) ?? 'undefined'},
      clock: systemClock,
      log: pino({ level: 'silent' }),
      loaded: await load([{ id: 'bell', setup: () => ({ jobs: [hang] }) }], () => ({})),
    })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: new URL('..', import.meta.url),
  })
  await once(child.stdout!, 'data')
  return child
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 25_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited 25 s in vain until ${what}`)
    await sleep(25)
  }
}

function gate(): { passed: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { passed: promise, open: resolve }
}
