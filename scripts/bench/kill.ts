// Kills the web process under load at random moments, as a power cut would, and looks for clicks that were answered and are not in the table afterwards.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Connection, connect } from '../../db/connect.ts'
import { startEmbedded } from '../../db/embedded.ts'
import { migrate } from '../../db/migrate.ts'
import { environmentOf, readiness, seed, visit } from './redirect.ts'

export interface KillBench {
  kills: number
  /** Redirects with a click id that reached a visitor. */
  answered: number
  stored: number
  /** Answered, and not stored. */
  missing: number
}

/** How long the first answer may take on a busy machine. */
const longestMs = 60_000

/** @throws Error when an answered click is missing */
export async function run(flags: { kills?: string | number } = {}): Promise<KillBench> {
  const directory = await mkdtemp(path.join(tmpdir(), 'siso-bench-'))
  const server = await startEmbedded({ directory: path.join(directory, 'postgres') })
  try {
    const connection = await connect(server.url, { max: 2 })
    await migrate(connection)
    const result = await killUnderLoad(connection, directory, { kills: Number(flags.kills ?? 20), connections: 64 })
    await connection.close()
    if (result.missing > 0) throw new Error(`answered clicks are missing: ${JSON.stringify(result)}`)
    return result
  } finally {
    await server.stop()
    for (const used of [directory, server.directory]) await rm(used, { recursive: true, force: true })
  }
}

/** The same on a given database that is migrated and empty. */
export async function killUnderLoad(
  database: Connection,
  directory: string,
  { kills, connections }: { kills: number; connections: number },
): Promise<KillBench> {
  await mkdir(directory, { recursive: true })
  const paths = await seed(database, 500)
  const environment = { ...environmentOf(database.url, directory), LOG_LEVEL: 'silent' }
  const journal = path.join(directory, 'answered.log')
  for (let i = 0; i < kills; i++) {
    const { child, port } = await serve(environment)
    const before = (await journalOf(journal)).length
    const load = visit({ port, paths, connections, ms: longestMs, journal, untilGone: true })
    for (let waited = 0; waited < longestMs && (await journalOf(journal)).length === before; waited += 50) await sleep(50)
    await sleep(Math.random() * 1500)
    child.kill('SIGKILL')
    await load
  }
  // Whoever starts next brings home what the dead left in the spool.
  const { child } = await serve(environment)
  const answered = await journalOf(journal)
  let stored = await storedClicks(database)
  for (let tries = 0; tries < 50 && missingOf(answered, stored) > 0; tries++) {
    await sleep(200)
    stored = await storedClicks(database)
  }
  const exit = once(child, 'exit')
  child.disconnect()
  await exit
  return { kills, answered: answered.length, stored: stored.length, missing: missingOf(answered, stored) }
}

/** The program as an operator runs it, serving the web alone. */
export async function serve(environment: Record<string, string>) {
  const child = fork(fileURLToPath(new URL('../start.ts', import.meta.url)), {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  return { child, port: await readiness(child) }
}

/** The ids of clicks that visitors were given. */
export async function journalOf(file: string): Promise<string[]> {
  return (await readFile(file, 'utf8').catch(() => '')).split('\n').filter(Boolean)
}

/** The id of every row. */
export async function storedClicks({ sql }: Pick<Connection, 'sql'>): Promise<string[]> {
  return (await sql<{ id: string }[]>`select id from links_clicks`).map(({ id }) => id)
}

export function missingOf(answered: readonly string[], stored: readonly string[]): number {
  const ids = new Set(stored)
  return answered.filter((id) => !ids.has(id)).length
}
