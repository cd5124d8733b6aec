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
/** A round is so many short turns of each: how fast a machine is changes from one second to the next, and so it changes for both. */
const turns = 3
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

/** Redirects per second; the ratio is the median of the rounds: ours / bare. */
interface Summary extends Omit<Line, 'perSecond'> {
  ours: number
  bare: number
  ratio: number
  rounds: Round[]
}

export interface RedirectBench extends Summary {
  /** The same with visitors on plain sockets, who cost a third: they leave the bare redirect a processor of its own, while ours shares it with the database. */
  sockets: Summary
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
  const connection = await connect(server.url, { max: 2 })
  const track = createTrack(connection, directory)
  try {
    await migrate(connection)
    const paths = await seed(connection)
    const both = await track.startBoth(paths, ms / 3)
    const lines = await both.rounds('http', rounds, ms)
    const sockets = await both.rounds('sockets', rounds, ms)
    const hot = await track.measured({ port: both.port, paths: paths.slice(0, 1), ms, client: 'http' })
    await both.stop()
    const asking = await track.start('./asking.ts', { DATABASE_URL: server.url })
    const cold = await track.measured({ port: asking.port, paths, ms: ms / 2, client: 'http' })
    const result: RedirectBench = {
      ...summaryOf(lines),
      sockets: summaryOf(sockets),
      cold,
      hot,
      bytesPerClick: await bytesPerClick(connection),
      equal: [...lines.map(({ ours }) => ours), ...sockets.map(({ ours }) => ours), hot, cold].every(isEqual),
    }
    if (!result.equal) throw new Error(`clicks answered and stored are not equal: ${JSON.stringify(result)}`)
    return result
  } finally {
    track.clear()
    await connection.close()
    await server.stop()
    for (const used of [directory, server.directory]) await rm(used, { recursive: true, force: true })
  }
}

/** Both redirects on one machine, asked in turn. */
export interface Both {
  /** Of ours. */
  readonly port: number
  rounds(client: Client, count: number, ms: number): Promise<Compared[]>
  stop(): Promise<void>
}

type Client = NonNullable<LoadOrder['client']>

interface Compared {
  readonly bare: number
  readonly ours: Line
}

/** A turn's line, with all waits. */
type Turn = Line & Pick<LoadResult, 'waits'>

/** Processes that are measured against the database of `connection`. `clear` ends those that are left. */
export function createTrack(connection: Connection, directory: string) {
  const children: ChildProcess[] = []
  const start = async (script: string, environment: Record<string, string>) => {
    const child = fork(fileURLToPath(new URL(script, import.meta.url)), { env: { PATH: process.env.PATH, ...environment } })
    children.push(child)
    return { child, port: await readiness(child) }
  }
  // A bound that stays: clicks of the past must not leave the count between two looks.
  const since = new Date(Date.now() - 60_000).toISOString()
  const stored = async () =>
    Number((await connection.sql`select count(*) from links_clicks where at > ${since}::timestamptz`)[0]!.count)
  const turn = async (order: Omit<LoadOrder, 'connections'>): Promise<Turn> => {
    const before = await stored()
    const { clicks, answers, statuses: _, ...speed } = await visit({ connections, ...order })
    if (clicks !== answers) throw new Error(`${answers - clicks} of ${answers} visitors were not sent on with a click`)
    return { ...speed, clicksAnswered: clicks, clicksStored: (await stored()) - before }
  }
  const measured = async (order: Omit<LoadOrder, 'connections'>): Promise<Line> => {
    const { waits: _, ...line } = await turn(order)
    return line
  }
  const startBoth = async (paths: string[], warmMs: number): Promise<Both> => {
    const bare = await start('./bare.ts', {})
    const ours = await start('../start.ts', environmentOf(connection.url, directory))
    for (const { port } of [bare, ours]) await visit({ port, paths, connections, ms: warmMs })
    return {
      port: ours.port,
      rounds: async (client, count, ms) => {
        const found: Compared[] = []
        for (let round = 0; round < count; round++) {
          const bares: number[] = []
          const taken: Turn[] = []
          for (let i = 0; i < turns; i++) {
            bares.push((await visit({ port: bare.port, paths, connections, ms: ms / turns, client })).perSecond)
            taken.push(await turn({ port: ours.port, paths, ms: ms / turns, client }))
          }
          found.push({ bare: mean(bares), ours: together(taken) })
        }
        return found
      },
      stop: async () => {
        for (const { child } of [ours, bare]) await ended(child)
      },
    }
  }
  const clear = () => {
    for (const child of children) child.kill('SIGKILL')
  }
  return { start, measured, startBoth, clear }
}

/** Turns of one length as one. */
function together(taken: readonly Turn[]): Line {
  const sum = (of: (turn: Turn) => number) => taken.reduce((total, turn) => total + of(turn), 0)
  const waits = taken.flatMap((turn) => turn.waits).toSorted(([a], [b]) => a - b)
  const share = (wanted: number) => {
    let left = wanted * waits.reduce((total, [, count]) => total + count, 0)
    for (const [hundredths, count] of waits) {
      left -= count
      if (left < 0) return hundredths / 100
    }
    return 0
  }
  return {
    perSecond: mean(taken.map(({ perSecond }) => perSecond)),
    p50: share(0.5),
    p99: share(0.99),
    slowest: Math.max(...taken.map(({ slowest }) => slowest)),
    clicksAnswered: sum((turn) => turn.clicksAnswered),
    clicksStored: sum((turn) => turn.clicksStored),
  }
}

export function summaryOf(lines: readonly Compared[]): Summary {
  const sum = (of: (line: Line) => number) => lines.reduce((total, { ours }) => total + of(ours), 0)
  const worst = (of: (line: Line) => number) => Math.max(...lines.map(({ ours }) => of(ours)))
  return {
    ours: median(lines.map(({ ours }) => ours.perSecond)),
    bare: median(lines.map(({ bare }) => bare)),
    ratio: hundredths(median(lines.map(({ ours, bare }) => ours.perSecond / bare))),
    p50: median(lines.map(({ ours }) => ours.p50)),
    p99: worst((line) => line.p99),
    slowest: worst((line) => line.slowest),
    clicksAnswered: sum((line) => line.clicksAnswered),
    clicksStored: sum((line) => line.clicksStored),
    rounds: lines.map(({ ours, bare }) => ({
      ours: ours.perSecond,
      bare,
      p99: ours.p99,
      ratio: hundredths(ours.perSecond / bare),
    })),
  }
}

const isEqual = (line: Line) => line.clicksAnswered === line.clicksStored

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

export async function bytesPerClick({ sql }: Connection): Promise<number> {
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

function mean(values: number[]): number {
  return Math.round(values.reduce((total, value) => total + value, 0) / values.length)
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}

const hundredths = (value: number) => Math.round(value * 100) / 100
