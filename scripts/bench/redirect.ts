// Measures the redirect: clicks answered and stored each second by the program itself, as an operator runs it, beside a bare redirect on the same machine.
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Connection, connect } from '../../db/connect.ts'
import { startEmbedded } from '../../db/embedded.ts'
import { migrate } from '../../db/migrate.ts'
import { programStore } from '../../db/programs.ts'
import type { LoadOrder, LoadResult } from './load.ts'
import { seedPartners } from './partners.ts'

const rounds = 3
const connections = 64
const links = 5000
const partners = 100

interface Line extends Pick<LoadResult, 'perSecond' | 'p50' | 'p99' | 'slowest'> {
  clicksAnswered: number
  clicksStored: number
}

interface Round {
  ours: number
  bare: number
  p99: number
  ratio: number
}

export interface RedirectBench extends Line {
  ours: number
  bare: number
  /** The median of the rounds: ours / bare. */
  ratio: number
  rounds: Round[]
  /** One more round with visitors on plain sockets: they leave the bare redirect a processor of its own, while ours shares it with the database. */
  sockets: Round
  /** Every link is looked up in the database. */
  cold: Line
  /** All visitors follow one link. */
  hot: Line
  /** Of the clicks' table with all its indexes. */
  bytesPerClick: number
  equal: boolean
}

/** @throws Error when a click that was answered is not stored, or the other way round */
export async function run(flags: { seconds?: string | number } = {}): Promise<RedirectBench> {
  const ms = Number(flags.seconds ?? 6) * 1000
  const directory = await mkdtemp(path.join(tmpdir(), 'siso-bench-'))
  const server = await startEmbedded({ directory: path.join(directory, 'postgres') })
  const children: ChildProcess[] = []
  try {
    const connection = await connect(server.url, { max: 2 })
    await migrate(connection)
    const paths = await seed(connection)
    const start = async (script: string, environment: Record<string, string>) => {
      const child = fork(fileURLToPath(new URL(script, import.meta.url)), { env: { PATH: process.env.PATH, ...environment } })
      children.push(child)
      return { child, port: await readiness(child) }
    }
    const stored = async () => Number((await connection.sql`select count(*) from links_clicks`)[0]!.count)
    const measured = async (order: Omit<LoadOrder, 'connections'>): Promise<Line> => {
      const before = await stored()
      const { clicks, perSecond, p50, p99, slowest, answers } = await visit({ connections, ...order })
      if (clicks !== answers) throw new Error(`${answers - clicks} of ${answers} visitors were not sent on with a click`)
      return { perSecond, p50, p99, slowest, clicksAnswered: clicks, clicksStored: (await stored()) - before }
    }

    const bare = await start('./bare.ts', {})
    const ours = await start('../start.ts', environmentOf(server.url, directory))
    for (const { port } of [bare, ours]) await visit({ port, paths, connections, ms: ms / 3 })
    const compared = async (client: NonNullable<LoadOrder['client']>) => ({
      bare: (await visit({ port: bare.port, paths, connections, ms, client })).perSecond,
      ours: await measured({ port: ours.port, paths, ms, client }),
    })
    const lines: Awaited<ReturnType<typeof compared>>[] = []
    for (let i = 0; i < rounds; i++) lines.push(await compared('http'))
    const sockets = await compared('sockets')
    const hot = await measured({ port: ours.port, paths: paths.slice(0, 1), ms, client: 'http' })
    await ended(ours.child)
    await ended(bare.child)
    const asking = await start('./asking.ts', { DATABASE_URL: server.url })
    const cold = await measured({ port: asking.port, paths, ms: ms / 2, client: 'http' })
    await ended(asking.child)

    const bytes = await bytesPerClick(connection)
    await connection.close()
    const all = [...lines.map((line) => line.ours), sockets.ours, hot, cold]
    const sum = (of: (line: Line) => number) => lines.reduce((total, line) => total + of(line.ours), 0)
    const worst = (of: (line: Line) => number) => Math.max(...lines.map((line) => of(line.ours)))
    const result: RedirectBench = {
      ours: median(lines.map((line) => line.ours.perSecond)),
      bare: median(lines.map((line) => line.bare)),
      ratio: hundredths(median(lines.map((line) => line.ours.perSecond / line.bare))),
      perSecond: median(lines.map((line) => line.ours.perSecond)),
      p50: median(lines.map((line) => line.ours.p50)),
      p99: worst((line) => line.p99),
      slowest: worst((line) => line.slowest),
      clicksAnswered: sum((line) => line.clicksAnswered),
      clicksStored: sum((line) => line.clicksStored),
      rounds: lines.map(roundOf),
      sockets: roundOf(sockets),
      cold,
      hot,
      bytesPerClick: bytes,
      equal: all.every((line) => line.clicksAnswered === line.clicksStored),
    }
    if (!result.equal) throw new Error(`clicks answered and stored are not equal: ${JSON.stringify(all)}`)
    return result
  } finally {
    for (const child of children) child.kill('SIGKILL')
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

/** What `scripts/start.ts` needs to serve the web alone. */
export function environmentOf(databaseUrl: string, directory: string): Record<string, string> {
  return {
    ROLE: 'api',
    DATABASE_URL: databaseUrl,
    DATA_DIR: path.join(directory, 'data'),
    PORT: '0',
    PUBLIC_URL: 'https://partners.example.com',
    SECRET_KEY: randomBytes(32).toString('hex'),
    DISCORD_TOKEN: 'MTAwMDAwMDAwMDAwMDAwMDAw.abcdef.ghijklmnopqrstuvwxyz',
    LOG_LEVEL: 'warn',
    // Visitors come from many addresses.
    TRUST_PROXY: 'true',
  }
}

/** The port that a child listens on, once it says so. */
export async function readiness(child: ChildProcess): Promise<number> {
  for (;;) {
    const [message] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code]) => {
        throw new Error(`a measured process ended at once with ${code}`)
      }),
    ])) as [{ ready?: string | number }]
    if (message.ready) return typeof message.ready === 'number' ? message.ready : Number(new URL(message.ready).port)
  }
}

/** Sends visitors, from a process of their own. */
export async function visit(order: LoadOrder): Promise<LoadResult> {
  const child = fork(fileURLToPath(new URL('./load.ts', import.meta.url)), [JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  let text = ''
  child.stdout!.on('data', (chunk) => {
    text += chunk
  })
  await once(child, 'close')
  return JSON.parse(text) as LoadResult
}

/** A program with active partners who have signed, and their links; gives the links' paths. */
export async function seed(connection: Connection, count = links): Promise<string[]> {
  const program = await connection.db.transaction((tx) => programStore.ensure(tx, { guildId: '900000000000000001', name: 'Bench' }))
  const users = Array.from({ length: partners }, (_, i) => `1${String(i).padStart(17, '0')}`)
  const codes = await seedPartners(connection, program.id, users, count / partners)
  return codes.map((code) => `/r/${code}`)
}

async function bytesPerClick({ sql }: Connection): Promise<number> {
  await sql.unsafe('vacuum analyze')
  const [row] = await sql`
    select sum(pg_total_relation_size(part::regclass)) as bytes, (select count(*) from links_clicks) as clicks from links_months`
  return Math.round(Number(row!.bytes) / Number(row!.clicks))
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.disconnect()
  await exit
}

function roundOf(line: { ours: Line; bare: number }): Round {
  return { ours: line.ours.perSecond, bare: line.bare, p99: line.ours.p99, ratio: hundredths(line.ours.perSecond / line.bare) }
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}

const hundredths = (value: number) => Math.round(value * 100) / 100
