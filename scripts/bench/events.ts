// Measures events from the outbox to their listener: how many each second when a crowd of them waits, and how long one takes when they come one by one.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Connection, connect } from '../../db/connect.ts'
import { startEmbedded } from '../../db/embedded.ts'
import { migrate } from '../../db/migrate.ts'
import { createOutbox } from '../../db/outbox.ts'
import { programStore } from '../../db/programs.ts'
import { systemClock } from '../../plugins/kit/clock.ts'
import { happened, notes } from './happening.ts'
import { environmentOf } from './redirect.ts'

const perTransaction = 50
const perSecondWhenCalm = 20
const patienceMs = 120_000

interface EventsBench {
  /** Events delivered each second while a crowd of them waited. */
  perSecond: number
  events: number
  /** Milliseconds from the emit to the listener, when events come 20 a second. */
  p50: number
  p99: number
  calm: number
  /** Where the queue is kept. */
  store: string
  /** Deliveries that never came, and second ones. */
  lost: number
  doubled: number
}

/** @throws Error when an event was lost or delivered twice */
export async function run(flags: { events?: string | boolean; seconds?: string | boolean } = {}): Promise<EventsBench> {
  const count = Number(flags.events ?? 5_000)
  const seconds = Number(flags.seconds ?? 10)
  const directory = await mkdtemp(path.join(tmpdir(), 'siso-bench-'))
  const server = await startEmbedded({ directory: path.join(directory, 'postgres') })
  let worker: ChildProcess | undefined
  try {
    const connection = await connect(server.url, { max: 4 })
    await migrate(connection)
    await connection.sql.unsafe(notes)
    const program = await connection.db.transaction((tx) =>
      programStore.ensure(tx, { guildId: '900000000000000001', name: 'Bench' }),
    )
    worker = fork(fileURLToPath(new URL('./worker.ts', import.meta.url)), {
      env: {
        ...environmentOf(server.url, directory),
        PATH: process.env.PATH,
        ...(process.env.REDIS_URL && { REDIS_URL: process.env.REDIS_URL }),
      },
    })
    const store = await readiness(worker)
    const emit = emitter(connection, program.id)
    await emit(1, perTransaction)
    await delivered(connection, perTransaction)

    const began = performance.now()
    for (let sent = 0; sent < count; sent += perTransaction) await emit(perTransaction + 1 + sent, perTransaction)
    await delivered(connection, perTransaction + count)
    const ms = performance.now() - began

    const calm = perSecondWhenCalm * seconds
    const first = perTransaction + count + 1
    for (let i = 0; i < calm; i++) {
      await emit(first + i, 1)
      await sleep(1000 / perSecondWhenCalm)
    }
    await delivered(connection, first + calm - 1)
    const result = {
      perSecond: Math.round(count / (ms / 1000)),
      events: count,
      ...(await latencies(connection, first)),
      calm,
      store,
    }
    const counted = await delivered(connection, first + calm - 1)
    await connection.close()
    const whole = { ...result, lost: first + calm - 1 - counted.different, doubled: counted.all - counted.different }
    if (whole.lost > 0 || whole.doubled > 0) throw new Error(`events were lost or delivered twice: ${JSON.stringify(whole)}`)
    return whole
  } finally {
    if (worker) await ended(worker)
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

/** Emits events with the numbers from `from` on, in one transaction. */
function emitter({ db }: Connection, programId: string) {
  const { emit } = createOutbox(systemClock)
  return (from: number, count: number) =>
    db.transaction(async (tx) => {
      for (let i = 0; i < count; i++) await emit(tx, happened, { programId, number: from + i })
    })
}

/** Waits until so many different events were delivered, and gives what was; after two minutes whatever there is. */
async function delivered({ sql }: Connection, wanted: number): Promise<{ all: number; different: number }> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const [row] = await sql`select count(*)::int as all, count(distinct number)::int as different from bench_notes`
    if (row!.different >= wanted || performance.now() > deadline) return row as unknown as { all: number; different: number }
    await sleep(20)
  }
}

async function latencies({ sql }: Connection, from: number): Promise<{ p50: number; p99: number }> {
  const [row] = await sql`
    select percentile_disc(0.5) within group (order by took) as p50, percentile_disc(0.99) within group (order by took) as p99
    from (select extract(epoch from handled_at - emitted_at) * 1000 as took from bench_notes where number >= ${from}) as calm`
  return { p50: Math.round(Number(row!.p50) * 10) / 10, p99: Math.round(Number(row!.p99) * 10) / 10 }
}

/** What the worker keeps its queue in, once it says that it is ready. */
async function readiness(worker: ChildProcess): Promise<string> {
  const [message] = (await Promise.race([
    once(worker, 'message'),
    once(worker, 'exit').then(([code]) => Promise.reject(new Error(`the worker ended at once with ${code}`))),
  ])) as [{ ready: string }]
  return message.ready
}

async function ended(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null) return
  const exit = once(worker, 'exit')
  worker.disconnect()
  await Promise.race([exit, sleep(5_000)])
  worker.kill('SIGKILL')
}
