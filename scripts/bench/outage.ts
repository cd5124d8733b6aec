// Stops the database under load and starts it again: whether every visitor is sent on meanwhile, and whether every click arrives later, once.
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { type AddressInfo, connect as connectTo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Connection, connect } from '../../db/connect.ts'
import { removeEmbedded, startEmbedded } from '../../db/embedded.ts'
import { migrate } from '../../db/migrate.ts'
import { journalOf, missingOf, serve, storedClicks } from './kill.ts'
import { environmentOf, seed, visit } from './redirect.ts'

export interface OutageBench {
  /** For how long the database was stopped. */
  seconds: number
  answers: number
  /** Answers by status: nothing but redirects when all is well. */
  statuses: Record<string, number>
  p50: number
  p99: number
  slowest: number
  /** Redirects with a click id. */
  clicks: number
  stored: number
  /** Answered, and not stored. */
  missing: number
  /** Whether clicks were kept on this machine while the database was away. */
  spooled: boolean
  /** How long after the last visitor the last of them was stored. */
  broughtHomeMs: number
}

/** A database that can be away: migrated and empty. */
export interface Stoppable {
  /** Where the program finds it, before and after. */
  readonly url: string
  stop(): Promise<void>
  start(): Promise<void>
  /** For looking into it while it is there. */
  open(): Promise<Connection>
}

/** @throws Error when a visitor was not sent on, or a click is missing */
export async function run(flags: { seconds?: string | number } = {}): Promise<OutageBench> {
  const directory = await mkdtemp(path.join(tmpdir(), 'siso-bench-'))
  const cluster = { directory: path.join(directory, 'postgres') }
  let server: Awaited<ReturnType<typeof startEmbedded>> | undefined = await startEmbedded(cluster)
  // The server comes back at another port; the program knows one that stays.
  const door = await openDoor(() => (server ? Number(new URL(server.url).port) : undefined))
  const open = () => connect(server!.url, { max: 1 })
  try {
    const connection = await open()
    await migrate(connection)
    await connection.close()
    const database: Stoppable = {
      url: door.inPlaceOf(server.url),
      open,
      stop: async () => {
        const stopping = server!
        server = undefined
        await stopping.stop()
      },
      start: async () => {
        server = await startEmbedded(cluster)
      },
    }
    const ms = [5000, Number(flags.seconds ?? 30) * 1000, 10_000] as const
    const result = await stopUnderLoad(database, directory, { ms, connections: 64 })
    const isWhole = result.missing === 0 && result.statuses['302'] === result.answers && result.stored === result.clicks
    if (!isWhole) throw new Error(`visitors or clicks were lost: ${JSON.stringify(result)}`)
    return result
  } finally {
    door.close()
    await server?.stop()
    await removeEmbedded(cluster.directory)
    await rm(directory, { recursive: true, force: true })
  }
}

/** `ms`: how long there is load before, during and after the outage. */
export async function stopUnderLoad(
  database: Stoppable,
  directory: string,
  { ms: [before, during, after], connections }: { ms: readonly [number, number, number]; connections: number },
): Promise<OutageBench> {
  await mkdir(directory, { recursive: true })
  const seeding = await database.open()
  const paths = await seed(seeding, 200)
  await seeding.close()
  const environment: Record<string, string> = { ...environmentOf(database.url, directory), LOG_LEVEL: 'silent' }
  const spool = path.join(environment.DATA_DIR!, 'links', 'spool')
  const { child, port } = await serve(environment)
  const journal = path.join(directory, 'answered.log')
  const warm = await visit({ port, paths, connections, ms: 0, once: true, journal })

  const load = visit({ port, paths, connections, ms: before + during + after, journal })
  await sleep(before)
  await database.stop()
  await sleep(during)
  const spooled = (await readdir(spool).catch(() => [])).length > 0
  await database.start()
  const { answers, statuses, clicks, p50, p99, slowest } = await load

  const ended = performance.now()
  const answered = await journalOf(journal)
  const reading = await database.open()
  let stored = await storedClicks(reading)
  for (let tries = 0; tries < 300 && (missingOf(answered, stored) > 0 || (await readdir(spool)).length > 0); tries++) {
    await sleep(200)
    stored = await storedClicks(reading)
  }
  const broughtHomeMs = Math.round(performance.now() - ended)
  await reading.close()
  const exit = once(child, 'exit')
  child.disconnect()
  await exit
  return {
    seconds: during / 1000,
    answers: answers + warm.answers,
    statuses: { ...statuses, 302: (statuses['302'] ?? 0) + (warm.statuses['302'] ?? 0) },
    p50,
    p99,
    slowest,
    clicks: clicks + warm.clicks,
    stored: stored.length,
    missing: missingOf(answered, stored),
    spooled,
    broughtHomeMs,
  }
}

export interface Door {
  /** The address with the door's port. */
  inPlaceOf(url: string): string
  /** Cuts every connection. */
  slam(): void
  close(): void
}

/** A port that leads to another one, or nowhere while there is none. */
export async function openDoor(inside: () => number | undefined): Promise<Door> {
  const sockets = new Set<Socket>()
  const door = createServer((socket) => {
    socket.on('error', () => {})
    const port = inside()
    if (port === undefined) return socket.destroy()
    const server = connectTo({ port, host: '127.0.0.1', noDelay: true })
    sockets.add(socket)
    for (const [from, to] of [
      [socket, server],
      [server, socket],
    ] as const)
      from
        .on('error', () => to.destroy())
        .on('close', () => {
          to.destroy()
          sockets.delete(socket)
        })
    socket.setNoDelay().pipe(server).pipe(socket)
  })
  door.listen(0, '127.0.0.1')
  await once(door, 'listening')
  return {
    inPlaceOf: (url) => {
      const there = new URL(url)
      there.port = String((door.address() as AddressInfo).port)
      return there.href
    },
    slam: () => {
      for (const socket of sockets) socket.destroy()
    },
    close: () => door.close(),
  }
}
