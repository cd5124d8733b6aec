import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { assertNewEnough, connect, withoutPassword } from './connect.ts'
import { testDatabase } from './testing.ts'

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

test('a statement that comes again is prepared, also within a transaction; one that comes once is not', async () => {
  const { db, close } = await testDatabase({ max: 1 })
  const prepared = async () =>
    (await db.execute<{ statement: string }>(sql`select statement from pg_prepared_statements`)).map((row) => row.statement)
  await db.execute(sql`select ${1}::int as once`)
  for (const n of [1, 2, 3]) expect(await db.execute(sql`select ${n}::int as again`)).toMatchObject([{ again: n }])
  for (const n of [4, 5])
    await db.transaction(async (tx) => {
      await tx.transaction(async (inner) =>
        expect(await inner.execute(sql`select ${n}::int as inside`)).toMatchObject([{ inside: n }]),
      )
    })
  const known = await prepared()
  expect(known.filter((text) => text.includes('as again'))).toHaveLength(1)
  expect(known.filter((text) => text.includes('as inside'))).toHaveLength(1)
  expect(known.filter((text) => text.includes('as once'))).toHaveLength(0)
  await close()
})

test('of things done together, what is left when one fails writes nothing after the transaction has ended', async () => {
  const { db, close } = await testDatabase({ max: 1 })
  await db.execute(sql`create table kept (n int)`)
  let late: Promise<unknown> | undefined
  await expect(
    db.transaction((tx) => {
      late = sleep(50).then(() => tx.execute(sql`insert into kept values (1)`))
      return Promise.all([late, tx.execute(sql`select 1 / 0`)])
    }),
  ).rejects.toMatchObject({ cause: { message: 'division by zero' } })
  await expect(late).rejects.toThrow()
  expect(await db.execute(sql`select from kept`)).toHaveLength(0)
  await close()
})

test('a statement is refused when the function of its transaction or savepoint has returned', async () => {
  const { db, close } = await testDatabase({ max: 1 })
  const kept = await db.transaction(async (tx) => {
    const inner = await tx.transaction(async (savepoint) => savepoint)
    await expect(Promise.resolve(inner.execute(sql`select 1`))).rejects.toMatchObject({ cause: { name: 'TransactionOver' } })
    return tx
  })
  await expect(Promise.resolve(kept.execute(sql`select 1`))).rejects.toMatchObject({ cause: { name: 'TransactionOver' } })
  await close()
})

test('a transaction whose connection is lost writes nothing any more, on whatever connection comes after it', async () => {
  const { db, close, url } = await testDatabase({ max: 1 })
  const admin = await connect(url, { max: 1 })
  await db.execute(sql`create table kept (n int)`)
  const lost = Promise.withResolvers<void>()
  let late: Promise<unknown> | undefined
  const losing = db.transaction(async (tx) => {
    const [session] = await tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)
    await admin.sql`select pg_terminate_backend(${session!.pid})`
    await lost.promise
    late = Promise.resolve(tx.execute(sql`insert into kept values (1)`))
    await late
  })
  await expect(losing).rejects.toMatchObject({ code: expect.stringMatching(/CONNECTION_CLOSED|ECONNRESET/) })
  // Another transaction, on the connection that takes the place of the lost one.
  await db.transaction(async (tx) => {
    await tx.execute(sql`insert into kept values (2)`)
    lost.resolve()
    await sleep(50)
    await tx.execute(sql`insert into kept values (3)`)
  })
  await expect(late).rejects.toMatchObject({ cause: { name: 'TransactionOver' } })
  expect(await db.execute(sql`select n from kept order by n`)).toEqual([{ n: 2 }, { n: 3 }])
  await admin.close()
  await close()
})

test('a savepoint that is left when its transaction has failed writes nothing into another’s', async () => {
  const { db, close } = await testDatabase({ max: 1 })
  await db.execute(sql`create table kept (n int)`)
  const failed = Promise.withResolvers<void>()
  await expect(
    db.transaction((tx) =>
      Promise.all([
        tx.transaction(async (savepoint) => {
          await failed.promise
          await savepoint.execute(sql`insert into kept values (1)`)
        }),
        sleep(20).then(() => tx.execute(sql`select 1 / 0`)),
      ]),
    ),
  ).rejects.toMatchObject({ cause: { message: 'division by zero' } })
  await db.transaction(async (tx) => {
    await tx.execute(sql`insert into kept values (2)`)
    failed.resolve()
    await sleep(50)
    await tx.execute(sql`insert into kept values (3)`)
  })
  expect(await db.execute(sql`select n from kept order by n`)).toEqual([{ n: 2 }, { n: 3 }])
  await close()
})

test('whenever its connection is cut, the next statement finds another one', { timeout: 60_000 }, async () => {
  const admin = await testDatabase({ max: 1 })
  const { db, close } = await connect(admin.url, { max: 1, name: 'cut' })
  const manyStatements = (from: number) =>
    db.transaction(async (tx) => {
      for (let n = from; n < from + 1_000; n++) await tx.execute(sql`select ${n}::int as n`)
    })
  for (let cut = 0; cut < 15; cut++) {
    const busy = manyStatements(cut * 1_000).catch(() => {})
    await sleep(15)
    await admin.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cut' and datname = current_database()`
    await busy
    const told = await db.execute(sql`select 1`).then(
      () => 'answered',
      ({ cause }) => cause.code,
    )
    expect(told).toBe('answered')
  }
  await close()
  await admin.close()
})
