// The one linear stream of migrations: SQL files in db/migrations, applied in order of their number, each in a transaction, recorded with a hash.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import type postgres from 'postgres'
import { type Connection, DatabaseUnusable } from './connect.ts'

const folder = new URL('./migrations/', import.meta.url)
const lockKey = 7_405_501

interface Migration {
  name: string
  text: string
  hash: string
}

/** All migrations of this version of the program, in order. @throws DatabaseUnusable as `inOrder` */
export async function allMigrations(): Promise<Migration[]> {
  return Promise.all(
    inOrder(await readdir(folder)).map(async (name) => {
      const text = await readFile(new URL(name, folder), 'utf8')
      return { name, text, hash: createHash('sha256').update(text).digest('hex') }
    }),
  )
}

/** The names of migrations by their numbers. @throws DatabaseUnusable for a file that is not named as one, or two of one number, and says what to do */
export function inOrder(files: readonly string[]): string[] {
  const names = files.filter((name) => name.endsWith('.sql')).toSorted()
  const stray = names.find((name) => !/^\d{4}_\w+\.sql$/.test(name))
  if (stray)
    throw new DatabaseUnusable(
      `${stray} in db/migrations has no name of a migration: four digits, then what it is about, such as 0042_badges.sql.`,
    )
  const next = names.findIndex((name, i) => name.slice(0, 4) === names[i + 1]?.slice(0, 4))
  if (next >= 0)
    throw new DatabaseUnusable(
      `The migrations ${names[next]} and ${names[next + 1]} have one number. Give the one that came later the next free number, after ${names.at(-1)}.`,
    )
  return names
}

/** Applies what is missing and returns the names applied; safe to run from several processes at once. */
export async function migrate({ sql }: Connection): Promise<string[]> {
  const wanted = await allMigrations()
  return sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${lockKey})`
    await tx`create table if not exists core_migrations (name text primary key, hash text not null, applied_at timestamptz not null default now())`
    const applied: string[] = []
    for (const migration of pending(wanted, await recorded(tx))) {
      await tx.unsafe(migration.text)
      await tx`insert into core_migrations (name, hash) values (${migration.name}, ${migration.hash})`
      applied.push(migration.name)
    }
    return applied
  })
}

/** Checks, without changing anything, that the database is exactly at this version. @throws DatabaseUnusable that says what to do */
export async function assertMigrated({ sql }: Connection): Promise<void> {
  const [table] = await sql`select to_regclass('core_migrations') as name`
  const missing = pending(await allMigrations(), table?.name ? await recorded(sql) : [])
  if (missing.length > 0)
    throw new DatabaseUnusable(
      `The database is not migrated: ${missing.length} migration(s) are missing, the first is ${missing[0]!.name}. Run \`npm run migrate\` first.`,
    )
}

function recorded(sql: postgres.Sql | postgres.TransactionSql) {
  return sql<{ name: string; hash: string }[]>`select name, hash from core_migrations order by name`
}

function pending(wanted: Migration[], done: { name: string; hash: string }[]): Migration[] {
  const byName = new Map(wanted.map((migration) => [migration.name, migration]))
  for (const row of done) {
    const known = byName.get(row.name)
    if (!known)
      throw new DatabaseUnusable(
        `The database is newer than this program: it has migration ${row.name}. Deploy the newer version, or restore a backup.`,
      )
    if (known.hash !== row.hash)
      throw new DatabaseUnusable(
        `Migration ${row.name} was changed after it was applied. Restore the file; a change is a new migration.`,
      )
  }
  const names = new Set(done.map((row) => row.name))
  return wanted.filter((migration) => !names.has(migration.name))
}
