// The outbox alone: what a transaction asks for is kept or dropped with it. How it is delivered is tested with the queue host.
import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { hours, manualClock, minutes } from '../plugins/kit/clock.ts'
import { defineEvent } from '../plugins/kit/events.ts'
import { amountField, instantField } from '../plugins/kit/fields.ts'
import { defineJob } from '../plugins/kit/jobs.ts'
import type { Connection, Tx } from './connect.ts'
import {
  claimDelivery,
  closeIfHandled,
  createOutbox,
  gather,
  giveBack,
  handOverFresh,
  listFailed,
  markDone,
  markHandedOver,
  retryFailed,
  setAside,
  takeFresh,
  takeStale,
} from './outbox.ts'
import { type Program, programStore } from './programs.ts'
import { outbox } from './tables.ts'
import { testDatabase } from './testing.ts'

const paid = defineEvent('shop.paid', { amount: amountField, at: instantField })
const refresh = defineJob({ name: 'shop.refresh', payload: z.object({ month: z.string() }) })
const clock = manualClock('2026-11-02T09:00:00Z')
const { emit, enqueue } = createOutbox(clock)

let connection: Connection
let program: Program
beforeAll(async () => {
  connection = await testDatabase()
  program = await connection.db.transaction((tx) => programStore.ensure(tx, { guildId: '900000000000000001', name: 'SISO' }))
})
afterAll(() => connection.close())
beforeEach(() => connection.db.delete(outbox))

const write = <T>(work: (tx: Tx) => Promise<T>) => connection.db.transaction(work)
/** Takes what is fresh and says so, as a relay does. */
const take = (limit = 10) =>
  connection.db.transaction(async (tx) => {
    const rows = await takeFresh(tx, { now: clock.now(), limit, jobs: [refresh.name] })
    await markHandedOver(
      tx,
      rows.map(({ id }) => id),
      clock.now(),
    )
    return rows
  })
const takeWhatIsStale = (handedOverBefore: Date) => takeStale(connection.db, { now: clock.now(), handedOverBefore, limit: 10 })
/** Holds back what waits for it until it is opened, or until the test has failed. */
const gate = () => {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>()
  onTestFinished(() => open())
  return { opened, open }
}
/** A transaction waits for a lock that another one has. */
const untilSomebodyWaits = () =>
  expect
    .poll(
      async () =>
        (await connection.sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`).length,
    )
    .toBe(1)
const all = () => connection.db.select().from(outbox).orderBy(outbox.id)

test('amounts and times travel as text and come back as they were', async () => {
  const payload = { programId: program.id, amount: 9_007_199_254_740_993n, at: new Date('2026-11-02T08:59:59.123Z') }
  await write((tx) => emit(tx, paid, payload))
  const [row] = await all()
  expect(row!.payload).toEqual({ programId: program.id, amount: '9007199254740993', at: '2026-11-02T08:59:59.123Z' })
  expect(paid.schema.parse(row!.payload)).toEqual(payload)
})

test('a transaction that fails asks for nothing', async () => {
  await write(async (tx) => {
    await enqueue(tx, refresh, { month: '2026-11' })
    throw new Error('the rest failed')
  }).catch(() => {})
  expect(await all()).toEqual([])
})

test('a payload of the wrong shape is refused before it is written', async () => {
  await expect(write((tx) => enqueue(tx, refresh, { month: 11 } as never))).rejects.toThrow(z.ZodError)
  await expect(write((tx) => emit(tx, paid, { programId: 'none', amount: 1n, at: clock.now() }))).rejects.toThrow(z.ZodError)
})

test('while a job waits, asking for it again under the same key changes nothing; under another key, or when done, it does', async () => {
  const ask = (dedupeKey: string) => write((tx) => enqueue(tx, refresh, { month: '2026-11' }, { dedupeKey }))
  await ask('november')
  await ask('november')
  await ask('december')
  const rows = await all()
  expect(rows.map((row) => row.dedupeKey)).toEqual(['november', 'december'])
  await closeIfHandled(connection.db, rows[0]!.id, [], clock.now())
  await ask('november')
  expect(await all()).toHaveLength(3)
})

test('what one program waits for keeps no other from asking for the same', async () => {
  const other = await write((tx) => programStore.ensure(tx, { guildId: '900000000000000002', name: 'Other' }))
  for (const { id: programId } of [program, other, program])
    await write((tx) => enqueue(tx, refresh, { month: '2026-11' }, { programId, dedupeKey: 'member:role' }))
  expect((await all()).map(({ programId }) => programId)).toEqual([program.id, other.id])
})

test('a job is not taken while a transaction that asked for it is open, so it sees what that one wrote', async () => {
  const [asked, finish] = [gate(), gate()]
  const ask = (tx: Tx) => enqueue(tx, refresh, { month: '2026-11' }, { dedupeKey: 'november' })
  await write(ask)
  const [one, two] = [0, 1].map(() =>
    write(async (tx) => {
      await ask(tx)
      asked.open()
      await finish.opened
    }),
  )
  await asked.opened
  expect(await take()).toEqual([])
  finish.open()
  await Promise.all([one, two])
  expect(await take()).toHaveLength(1)
})

test('a job that is taken and done while somebody asks for it is asked for anew', async () => {
  const [taken, finish] = [gate(), gate()]
  const ask = (tx: Tx) => enqueue(tx, refresh, { month: '2026-11' }, { dedupeKey: 'november' })
  await write(ask)
  const relay = write(async (tx) => {
    const rows = await takeFresh(tx, { now: clock.now(), limit: 10, jobs: [refresh.name] })
    taken.open()
    await finish.opened
    const ids = rows.map(({ id }) => id)
    await markDone(tx, ids, clock.now())
  })
  await taken.opened
  const asking = write(ask)
  await untilSomebodyWaits()
  finish.open()
  await Promise.all([relay, asking])
  expect((await take()).map(({ dedupeKey }) => dedupeKey)).toEqual(['november'])
})

test('what a gathered transaction asks for can be handled within it: events are then written as done, and such jobs not at all', async () => {
  const later = defineJob({ name: 'shop.later', payload: z.object({}) })
  const payload = { programId: program.id, amount: 1n, at: clock.now() }
  const taken = await connection.db.transaction(async (tx) => {
    const gathering = gather(tx)
    await emit(tx, paid, payload, { ...payload, amount: 2n })
    await enqueue(tx, refresh, { month: '2026-11' }, { dedupeKey: 'november' })
    await enqueue(tx, refresh, { month: '2026-11' }, { dedupeKey: 'november' })
    await enqueue(tx, refresh, { month: '2026-12' }, { at: new Date(clock.now().getTime() + hours(1)) })
    await enqueue(tx, later, {})
    const rows = await gathering.take(clock.now(), new Set([refresh.name]))
    await emit(tx, paid, { ...payload, amount: 3n })
    expect(await tx.select().from(outbox)).toEqual([])
    await gathering.write(clock.now())
    return rows
  })
  expect(taken.map(({ name }) => name)).toEqual(['shop.paid', 'shop.paid', 'shop.refresh'])
  const rows = await all()
  const written = ({ name, payload, doneAt }: (typeof rows)[number]) => ({ name, payload, done: doneAt !== null })
  expect(rows.map(written)).toEqual([
    { name: 'shop.paid', payload: expect.objectContaining({ amount: '1' }), done: true },
    { name: 'shop.paid', payload: expect.objectContaining({ amount: '2' }), done: true },
    { name: 'shop.refresh', payload: { month: '2026-12' }, done: false },
    { name: 'shop.later', payload: {}, done: false },
    { name: 'shop.paid', payload: expect.objectContaining({ amount: '3' }), done: false },
  ])
  expect(taken.slice(0, 2).map(({ id }) => id)).toEqual(rows.slice(0, 2).map(({ id }) => id))
})

test('when a gathered transaction fails, nothing was asked for, not even what it handled', async () => {
  const failing = connection.db.transaction(async (tx) => {
    const gathering = gather(tx)
    await emit(tx, paid, { programId: program.id, amount: 1n, at: clock.now() })
    await gathering.take(clock.now(), new Set())
    await gathering.write(clock.now())
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  expect(await all()).toEqual([])
})

test('rows are taken once, in order, when they are due, and again only when the hand-over is old', async () => {
  await write(async (tx) => {
    await enqueue(tx, refresh, { month: 'first' })
    await enqueue(tx, refresh, { month: 'later' }, { at: new Date(clock.now().getTime() + hours(1)) })
    await enqueue(tx, refresh, { month: 'second' })
  })
  const months = (rows: Awaited<ReturnType<typeof take>>) => rows.map((row) => (row.payload as { month: string }).month)
  expect(months(await take(1))).toEqual(['first'])
  expect(months(await take())).toEqual(['second'])
  expect(await take()).toEqual([])
  clock.advance(hours(1))
  expect(months(await take())).toEqual(['later'])
  const aMinuteAgo = new Date(clock.now().getTime() - minutes(1))
  expect(months(await takeWhatIsStale(aMinuteAgo))).toEqual(['first', 'second'])
  expect(await takeWhatIsStale(aMinuteAgo)).toEqual([])
})

test('two relays at the same time never take the same row', async () => {
  await write(async (tx) => {
    for (let i = 0; i < 6; i++) await enqueue(tx, refresh, { month: String(i) })
  })
  const [one, two] = await Promise.all([take(3), take(3)])
  const ids = [...one, ...two].map((row) => row.id)
  expect(new Set(ids).size).toBe(ids.length)
})

test('a row closes when the last of its targets has handled it, and each target counts once', async () => {
  await write((tx) => emit(tx, paid, { programId: program.id, amount: 1n, at: clock.now() }))
  const { id } = (await all())[0]!
  const claim = (target: string) => connection.db.transaction((tx) => claimDelivery(tx, id, target, clock.now()))
  expect([await claim('a'), await claim('a')]).toEqual([true, false])
  await closeIfHandled(connection.db, id, ['a', 'b'], clock.now())
  expect((await all())[0]!.doneAt).toBeNull()
  await claim('b')
  await closeIfHandled(connection.db, id, ['a', 'b'], clock.now())
  expect((await all())[0]!.doneAt).toEqual(clock.now())
})

test('work that was set aside is listed for its program, not taken, and taken again after a retry', async () => {
  await write((tx) => enqueue(tx, refresh, { month: '2026-11' }, { programId: program.id, dedupeKey: 'november' }))
  await take()
  await setAside(connection.db, (await all())[0]!.id, 'the shop is closed', clock.now())
  expect(await listFailed(connection.db, program.id)).toMatchObject([{ name: 'shop.refresh', lastError: 'the shop is closed' }])
  expect(await listFailed(connection.db, '00000000-0000-7000-8000-000000000000')).toEqual([])
  clock.advance(minutes(1))
  expect(await takeWhatIsStale(clock.now())).toEqual([])
  expect(await retryFailed(connection.db, program.id)).toBe(1)
  // Some of its targets may have handled it, so it is not fresh.
  expect(await take()).toEqual([])
  expect(await takeWhatIsStale(clock.now())).toHaveLength(1)
})

test('work of no program that was set aside is listed and tried again by any program', async () => {
  await write((tx) => enqueue(tx, refresh, { month: '2026-11' }))
  await setAside(connection.db, (await all())[0]!.id, 'the shop is closed', clock.now())
  expect(await listFailed(connection.db, program.id)).toMatchObject([{ programId: null, lastError: 'the shop is closed' }])
  expect(await retryFailed(connection.db, program.id)).toBe(1)
  expect(await listFailed(connection.db, program.id)).toEqual([])
})

test('work that was set aside does not keep new work under the same key from being asked for', async () => {
  const ask = () => write((tx) => enqueue(tx, refresh, { month: '2026-11' }, { programId: program.id, dedupeKey: 'november' }))
  await ask()
  await setAside(connection.db, (await all())[0]!.id, 'the shop is closed', clock.now())
  await ask()
  expect(await take()).toHaveLength(1)
  await retryFailed(connection.db, program.id)
  expect(await takeWhatIsStale(clock.now())).toHaveLength(1)
})

test('what was given back is fresh again, and what is done is not', async () => {
  await write((tx) =>
    enqueue.many(
      tx,
      refresh,
      ['first', 'second'].map((month) => ({ payload: { month } })),
    ),
  )
  const [first, second] = await take()
  await markDone(connection.db, [first!.id], clock.now())
  await giveBack(connection.db, [first!.id, second!.id])
  expect((await take()).map(({ id }) => id)).toEqual([second!.id])
})

test('jobs of other names are handed over in order, and asked for anew by whoever asks for them afterwards', async () => {
  const ask = (month: string, dedupeKey: string) => write((tx) => enqueue(tx, refresh, { month }, { dedupeKey }))
  await write((tx) => emit(tx, paid, { programId: program.id, amount: 1n, at: clock.now() }))
  await ask('first', 'one')
  await ask('second', 'two')
  const handOver = (except: string[], limit = 10) => handOverFresh(connection.db, { now: clock.now(), limit, except })
  const months = (rows: Awaited<ReturnType<typeof handOver>>) => rows.map((row) => (row.payload as { month: string }).month)
  expect(await handOver(['shop.refresh'])).toEqual([])
  expect(months(await handOver([], 1))).toEqual(['first'])
  await ask('third', 'one')
  await ask('fourth', 'two')
  expect(months(await handOver([]))).toEqual(['second', 'third'])
  expect(months(await takeWhatIsStale(new Date(clock.now().getTime() + 1)))).toEqual(['first', 'second', 'third'])
})

test('of the jobs only those that were asked for are taken, and every event', async () => {
  await write((tx) => enqueue(tx, refresh, { month: '2026-11' }))
  await write((tx) => emit(tx, paid, { programId: program.id, amount: 1n, at: clock.now() }))
  const taken = (jobs: string[]) => connection.db.transaction((tx) => takeFresh(tx, { now: clock.now(), limit: 10, jobs }))
  expect((await taken([])).map(({ name }) => name)).toEqual(['shop.paid'])
  expect((await taken(['shop.refresh'])).map(({ name }) => name)).toEqual(['shop.refresh', 'shop.paid'])
})

test('the relay finds open rows by index however many are done', async () => {
  await connection.sql`
    insert into core_outbox (kind, name, payload, done_at, relayed_at) select 'job', 'shop.refresh', '{}', now(), now() from generate_series(1, 5000)`
  await connection.sql`analyze core_outbox`
  const planOf = async (query: ReturnType<typeof sql>) =>
    (await connection.db.execute<{ 'QUERY PLAN': string }>(sql`explain ${query}`)).map((row) => row['QUERY PLAN']).join('\n')
  const open = sql`select id from core_outbox where done_at is null and failed_at is null`
  expect(await planOf(sql`${open} and relayed_at is null and available_at <= now() order by id limit 10`)).toContain(
    'core_outbox_fresh',
  )
  expect(await planOf(sql`${open} and relayed_at is not null and relayed_at < now() order by relayed_at limit 10`)).toContain(
    'core_outbox_handed_over',
  )
  await connection.db.delete(outbox).where(eq(outbox.name, 'shop.refresh'))
})
