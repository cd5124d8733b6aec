// What happens when a link is followed, apart from HTTP: the links in memory, the click made safe, and the background that both need.
import path from 'node:path'
import type { Logger } from 'pino'
import { type Clock, type Db, hours, newId, type Wire, within } from '../kit/index.ts'
import { createDirectory, type Directory } from './directory.ts'
import { createRecorder } from './recorder.ts'
import { createSeals } from './seal.ts'
import { createSpool } from './spool.ts'
import type { Rejection } from './tables.ts'
import { createWatch } from './watch.ts'
import type { LinkRecord, Whereabouts } from './whereabouts.ts'

export interface Visit {
  readonly link: LinkRecord
  readonly ip: string
  readonly userAgent: string
  readonly rejected: Rejection | null
  /** The click id that the browser's cookie carried. */
  readonly previous: string | undefined
  readonly subs: Record<string, string> | undefined
}

export interface Redirect {
  readonly directory: Pick<Directory, 'resolve'>
  /** The click's id once it is safe; undefined when it could not be made safe, which is logged: then no id may go out that nobody knows. */
  recordClick(visit: Visit): Promise<string | undefined>
  /** Begins to hear what changes, and brings home what an earlier process left in the spool. */
  start(): void
  stop(): Promise<void>
}

/** How long the database may take to say that it is there. */
const patienceMs = 2000

export function createRedirect(parts: {
  db: Db
  clock: Clock
  log: Logger
  wire: Wire
  whereabouts: Whereabouts
  /** Where clicks are kept while the database is away. */
  dataDirectory: string
  /** Keys the hashes of addresses. */
  key: Buffer
}): Redirect {
  const { db, clock, log, wire, whereabouts } = parts
  const open = () => wire.open({ name: 'siso clicks', max: 3 })
  let sql = open()
  /** Asks over new connections, which then take the place of the old ones: those may hang on a server that is no more. */
  const ask = async () => {
    const fresh = open()
    try {
      await within(patienceMs, fresh`select 1`)
    } catch (error) {
      void fresh.end({ timeout: 0 })
      throw error
    }
    void sql.end({ timeout: 0 })
    sql = fresh
  }
  const seals = createSeals(parts.key)
  const watch = createWatch({ ask, onReturn: () => void recorder.replay(), log })
  const spool = createSpool(path.join(parts.dataDirectory, 'spool'))
  const recorder = createRecorder({ sql: () => sql, spool, watch, log })
  const directory = createDirectory({ db, whereabouts, watch, log })
  let hangUp: (() => Promise<void>) | undefined

  return {
    directory,
    recordClick: ({ link, ip, userAgent, rejected, previous, subs }) => {
      const at = clock.now()
      const id = newId(at)
      const anHourAgo = new Date(at.getTime() - hours(1))
      const isNewDay = anHourAgo.getUTCDate() !== at.getUTCDate()
      const click = {
        id,
        at: at.toISOString(),
        programId: link.programId,
        linkId: link.id,
        partnerId: link.partnerId,
        previous: previous ?? null,
        ipHash: seals.ofAddress(at, ip),
        agentHash: seals.ofAgent(at, userAgent),
        rejected,
        subs: subs ?? null,
        visit: rejected ? null : seals.ofVisit(at, link.id, ip, userAgent),
        visitBefore: rejected || !isNewDay ? null : seals.ofVisit(anHourAgo, link.id, ip, userAgent),
      }
      return recorder.record(click).then((safe) => (safe ? id : undefined))
    },
    start: () => {
      if (hangUp) return
      hangUp = wire.listen('links', directory)
      void recorder.replay()
    },
    stop: async () => {
      watch.stop()
      directory.stop()
      await hangUp?.()
      await recorder.stop()
      await sql.end({ timeout: 5 })
    },
  }
}
