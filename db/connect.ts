// The connection to Postgres over the `postgres` driver, and the one way to open a transaction.
import { createConnection, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'

/** Anything that runs queries outside a transaction. */
export type Db = PostgresJsDatabase
/** A running transaction. Functions that take a `Tx` write; they never call a vendor while it is open. */
export type Tx = Parameters<Parameters<Db['transaction']>[0]>[0]
/** Either of the two: for functions that only read. */
export type Reader = Db | Tx

export interface Connection {
  readonly db: Db
  /** The driver itself: LISTEN/NOTIFY, advisory locks, COPY. */
  readonly sql: postgres.Sql
  readonly url: string
  close(): Promise<void>
}

/** A statement was asked for when its transaction had ended already. */
class TransactionOver extends Error {
  override name = 'TransactionOver'
  override message =
    'The transaction of this statement has ended; nothing was sent. Wait for every statement within the function of its transaction.'
}

/** The oldest server that is supported; `connect` refuses older ones. */
const minimumPostgres = 15

/** In seconds. */
const longestWaitBeforeConnecting = 0.5

export class DatabaseUnusable extends Error {
  override name = 'DatabaseUnusable'
}

/**
 * Opens a pool and checks that the server answers and is new enough.
 * @throws DatabaseUnusable with a sentence for the operator
 */
export async function connect(url: string, options: { max?: number; name?: string } = {}): Promise<Connection> {
  const sql = postgres(url, {
    max: options.max ?? 10,
    onnotice: () => {},
    connection: { application_name: options.name ?? 'siso' },
    connect_timeout: 10,
    // The driver counts cuts for all its connections together, and forgets them only when a connection comes up without an old error: by its own measure the
    // wait would grow to 20 seconds.
    backoff: (cuts) => Math.min(2 ** cuts / 100, longestWaitBeforeConnecting),
    ...promptly(),
  })
  try {
    const [row] = await sql<{ version: string }[]>`select current_setting('server_version_num') as version`
    assertNewEnough(Number(row?.version ?? 0))
  } catch (error) {
    await sql.end({ timeout: 1 })
    if (error instanceof DatabaseUnusable) throw error
    throw new DatabaseUnusable(
      `The database at ${withoutPassword(url)} does not answer: ${reasonOf(error)}. Check DATABASE_URL and that the server is running.`,
    )
  }
  return { db: drizzle(preparing(sql)), sql, url, close: () => sql.end({ timeout: 5 }) }
}

/**
 * Options for a driver that sends at once. It writes a statement of more than a kilobyte in two pieces; by default the system keeps the second back until the
 * server has acknowledged the first, which the server delays by 40 ms.
 */
export function promptly(): { socket: () => Socket } {
  let next = 0
  const socket = ({ host, port, path }: { host: string[]; port: number[]; path: string | false }) => {
    if (path) return endingLater(createConnection({ path }))
    const i = next++ % host.length
    return endingLater(createConnection({ host: host[i]!, port: port[i]!, noDelay: true }))
  }
  return { socket: socket as unknown as () => Socket }
}

/**
 * Tells of its end, with the error if there is one, two turns of the event loop later. When the driver hears of it with a write put off to the end of the turn, it
 * forgets to make that up, and connects again without ever sending anything: https://github.com/porsager/postgres/issues/1154
 *
 * What the server says as it hangs up on a connection that was up is kept back: the driver would answer the first statement of the next connection with it.
 */
function endingLater(socket: Socket): Socket {
  const emit = socket.emit.bind(socket) as (name: string, ...given: unknown[]) => boolean
  const ending: [string, ...unknown[]][] = []
  const tell = async () => {
    await nextTurn()
    await nextTurn()
    for (const event of ending.splice(0)) emit(...event)
  }
  let isUp = false
  socket.emit = (name: string, ...given: unknown[]) => {
    if (name === 'data') {
      const [data] = given as [Buffer]
      const end = isUp ? farewellIn(data) : -1
      if (end >= 0) return end > 0 && emit(name, data.subarray(0, end))
      isUp ||= isReady(data)
    }
    if (name !== 'error' && name !== 'close') return emit(name, ...given)
    if (ending.push([name, ...given]) === 1) void tell()
    return true
  }
  return socket
}

/** Where in `data` the server begins to say why it ends the connection, or -1: an ErrorResponse of the severity FATAL, which is the last that it sends. */
function farewellIn(data: Buffer): number {
  const severity = data.indexOf('\0VFATAL\0', 0, 'latin1')
  if (severity < 0) return -1
  // Before it is only the severity in the server's language.
  for (let at = severity - 6; at >= Math.max(0, severity - 100); at--)
    if (data[at] === 0x45 && data[at + 5] === 0x53 && at + 1 + data.readUInt32BE(at + 1) === data.length) return at
  return -1
}

/** Whether what the server sent ends with ReadyForQuery. */
const isReady = (data: Buffer): boolean =>
  data.length >= 6 && data.toString('latin1', data.length - 6, data.length - 1) === 'Z\0\0\0\x05'

/** Each connection keeps what it has prepared, so there is an end to it. */
const mostPrepared = 400

/**
 * The driver for Drizzle, which has every statement parsed and planned anew: here a statement that comes again is prepared, by its text. That saves the server its
 * planning and the program a round trip. A text that is seen once (lists of many lengths) is not worth it.
 * A transaction or savepoint takes no statement after its function has returned or thrown: when one of several things done together fails, the others must not
 * go on to write without it. Nor does one whose connection was lost: the driver would send it over the next connection, into another's transaction.
 */
export function preparing<S extends postgres.Sql>(sql: S): S {
  const seen = new Set<string>()
  const prepared = new Set<string>()
  const isWorthIt = (text: string): boolean => {
    if (prepared.has(text)) return true
    if (prepared.size >= mostPrepared) return false
    if (seen.has(text)) {
      seen.delete(text)
      prepared.add(text)
      return true
    }
    if (seen.size > 10 * mostPrepared) seen.clear()
    seen.add(text)
    return false
  }
  type Work = (client: object) => unknown
  const within = (client: object, isOver = () => false): object =>
    new Proxy(client, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        if (name === 'unsafe')
          return (text: string, parameters: unknown[], options?: object) => {
            if (isOver()) throw new TransactionOver()
            return value.call(target, text, parameters, { ...options, prepare: isWorthIt(text) })
          }
        if (name === 'begin' || name === 'savepoint')
          return (...given: unknown[]) => {
            let failed = false
            const isGone = () => failed || isOver()
            const running: Promise<unknown> = value.call(
              target,
              ...given.map((part) =>
                typeof part === 'function' ? (inner: object) => upToItsEnd(part as Work, inner, isGone) : part,
              ),
            )
            running.catch(() => {
              failed = true
            })
            return running
          }
        return value
      },
    })
  const upToItsEnd = async (work: Work, inner: object, isGone: () => boolean): Promise<unknown> => {
    let over = false
    try {
      return await work(within(inner, () => over || isGone()))
    } catch (error) {
      over = true
      // Of a lost connection the driver tells the statement first, and the transaction right after.
      await nextTurn()
      throw error
    } finally {
      over = true
      // Whoever asked has heard of it already. Were this to return, the driver would send the end of what is gone to whoever has the connection now.
      if (isGone()) await new Promise(() => {})
    }
  }
  return within(sql) as S
}

/** @throws DatabaseUnusable for a server older than `minimumPostgres`; `version` as in server_version_num, e.g. 150018 */
export function assertNewEnough(version: number): void {
  const major = Math.floor(version / 10_000)
  if (major < minimumPostgres)
    throw new DatabaseUnusable(
      `PostgreSQL ${major} is too old: version ${minimumPostgres} or newer is needed. Upgrade the server, or unset DATABASE_URL to use the embedded one.`,
    )
}

/** The url with its password replaced, fit for logs and messages. */
export function withoutPassword(url: string): string {
  try {
    const parsed = new URL(url)
    if (parsed.password) parsed.password = '***'
    return parsed.href
  } catch {
    return '(an address that is not a URL)'
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ')
  const message = error instanceof Error ? error.message : String(error)
  return message || (error as { code?: string }).code || 'no reason given'
}
