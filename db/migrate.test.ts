// The migration stream's promises: it runs once, and refuses a database that does not belong to this version.
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { type Connection, connect, DatabaseUnusable } from './connect.ts'
import { allMigrations, assertMigrated, inOrder, migrate } from './migrate.ts'

let connection: Connection
let drop: () => Promise<void>

beforeEach(async () => {
  const serverUrl = inject('postgresUrl')
  const name = `test_${randomBytes(6).toString('hex')}`
  const admin = await connect(serverUrl, { max: 1 })
  await admin.sql.unsafe(`create database ${name}`)
  connection = await connect(serverUrl.replace(/\/postgres$/, `/${name}`), { max: 2 })
  drop = async () => {
    await connection.close()
    await admin.sql.unsafe(`drop database ${name} with (force)`)
    await admin.close()
  }
})
afterEach(() => drop())

test('an empty database receives every migration in order, and a second run finds nothing to do', async () => {
  const names = (await allMigrations()).map((migration) => migration.name)
  expect(names).toEqual(names.toSorted())
  expect(await migrate(connection)).toEqual(names)
  expect(await migrate(connection)).toEqual([])
  await expect(assertMigrated(connection)).resolves.toBeUndefined()
})

test('two processes that migrate at the same time apply each migration once', async () => {
  const other = await connect(connection.url, { max: 1 })
  const [one, two] = await Promise.all([migrate(connection), migrate(other)])
  await other.close()
  expect([...one, ...two]).toEqual((await allMigrations()).map((migration) => migration.name))
})

test('a database that was never migrated is refused with the command to run', async () => {
  await expect(assertMigrated(connection)).rejects.toThrow(/is not migrated: \d+ migration\(s\) are missing.*npm run migrate/)
  const [{ count } = { count: '?' }] = await connection.sql<{ count: string }[]>`
    select count(*) from information_schema.tables where table_schema = 'public'`
  expect(count).toBe('0')
})

test('a database that lacks one migration is refused with its name', async () => {
  await migrate(connection)
  const last = (await allMigrations()).at(-1)!.name
  await connection.sql`delete from core_migrations where name = ${last}`
  await expect(assertMigrated(connection)).rejects.toThrow(`1 migration(s) are missing, the first is ${last}`)
})

test.each([
  [
    'a migration that was changed after it was applied',
    `update core_migrations set hash = 'another' where name = '0001_core.sql'`,
    /0001_core\.sql was changed after it was applied/,
  ],
  [
    'a database that is newer than the program',
    `insert into core_migrations (name, hash) values ('9999_later.sql', 'x')`,
    /newer than this program: it has migration 9999_later\.sql/,
  ],
])('%s is refused by both the check and the run', async (_, change, sentence) => {
  await migrate(connection)
  await connection.sql.unsafe(change)
  for (const attempt of [assertMigrated, migrate]) {
    const refusal = await attempt(connection).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(DatabaseUnusable)
    expect(String(refusal)).toMatch(sentence)
  }
})

test('two migrations of one number are refused with both names, and so is a file that would be passed over', () => {
  expect(inOrder(['0020_b.sql', '.DS_Store', '0003_a.sql'])).toEqual(['0003_a.sql', '0020_b.sql'])
  expect(() => inOrder(['0021_c.sql', '0020_b.sql', '0020_a.sql'])).toThrow(
    'The migrations 0020_a.sql and 0020_b.sql have one number. Give the one that came later the next free number, after 0021_c.sql.',
  )
  expect(() => inOrder(['0020_a.sql', '21_b.sql'])).toThrow('21_b.sql in db/migrations has no name of a migration')
})
