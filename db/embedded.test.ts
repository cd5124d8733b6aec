// The embedded server's promises: it outlives the kill of its owner without losing data, and never has two owners.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { connect, DatabaseUnusable } from './connect.ts'
import { type EmbeddedPostgres, startEmbedded } from './embedded.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean()
})

async function aDirectory(mode = 0o755): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'siso-embedded-'))
  chmodSync(directory, mode)
  // The server of an owner that was killed stops by itself, and writes while it does.
  cleanups.push(() => rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 }))
  return directory
}

async function start(directory: string): Promise<EmbeddedPostgres> {
  const server = await startEmbedded({ directory, unsafeFast: true })
  cleanups.push(() => server.stop())
  return server
}

/** Another process that owns the directory, has committed a row, and stays. */
async function anOwner(directory: string): Promise<ChildProcess> {
  const script = `
    const { startEmbedded } = await import(${JSON.stringify(new URL('./embedded.ts', import.meta.url).href)})
    const { connect } = await import(${JSON.stringify(new URL('./connect.ts', import.meta.url).href)})
    const server = await startEmbedded({ directory: ${JSON.stringify(directory)} })
    const { sql } = await connect(server.url)
    await sql\`create table kept (word text)\`
    await sql\`insert into kept values ('remembered')\`
    console.log('ready')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  cleanups.push(async () => child.kill('SIGKILL'))
  const [answer] = (await Promise.race([once(child.stdout!, 'data'), once(child, 'exit')])) as [unknown]
  expect(String(answer)).toContain('ready')
  return child
}

async function keptIn(server: EmbeddedPostgres): Promise<string[]> {
  const connection = await connect(server.url, { max: 1 })
  try {
    return (await connection.sql<{ word: string }[]>`select word from kept`).map((row) => row.word)
  } finally {
    await connection.close()
  }
}

test('a directory whose owner was killed is taken over with everything that was committed', async () => {
  const directory = path.join(await aDirectory(), 'data')
  const owner = await anOwner(directory)
  owner.kill('SIGKILL')
  await once(owner, 'exit')
  expect(await keptIn(await start(directory))).toEqual(['remembered'])
})

test.skipIf(process.platform !== 'linux')('a server left alone without owner and keeper is stopped and taken over', async () => {
  const directory = path.join(await aDirectory(), 'data')
  const owner = await anOwner(directory)
  const keeper = childrenOf(owner.pid!).find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('keeper.ts'))
  process.kill(keeper!, 'SIGKILL')
  owner.kill('SIGKILL')
  await once(owner, 'exit')
  expect(await keptIn(await start(directory))).toEqual(['remembered'])
})

test('a directory held by a living process is refused with a sentence that names the process', async () => {
  const directory = path.join(await aDirectory(), 'data')
  const owner = await anOwner(directory)
  const refusal = await startEmbedded({ directory, unsafeFast: true }).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(DatabaseUnusable)
  expect(String(refusal)).toContain(`in use by process ${owner.pid}. Stop that process, or choose another directory with DATA_DIR`)
})

test('a stopped server can be started again at once by the same process', async () => {
  const directory = path.join(await aDirectory(), 'data')
  const first = await start(directory)
  await first.stop()
  await expect(start(directory)).resolves.toMatchObject({ directory })
})

test.skipIf(process.getuid?.() !== 0).each([
  ['below a private directory', (directory: string) => path.join(directory, 'data')],
  ['that is itself private', (directory: string) => directory],
])('as root, a data directory %s works, and is found again', async (_, dataIn) => {
  const directory = dataIn(await aDirectory(0o700))
  const first = await start(directory)
  cleanups.unshift(() => rm(first.directory, { recursive: true, force: true }))
  const connection = await connect(first.url, { max: 1 })
  await connection.sql`create table kept as select 'remembered' as word`
  await connection.close()
  await first.stop()
  expect(await keptIn(await start(directory))).toEqual(['remembered'])
})

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((entry) => {
      try {
        const stat = readFileSync(`/proc/${entry}/stat`, 'utf8')
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid
      } catch {
        return false
      }
    })
    .map(Number)
}
