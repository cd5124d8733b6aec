// The redirect apart from HTTP: the links in memory, the clicks made safe, and the background that both need.
import type { Logger } from 'pino'
import { type Clock, type Db, type Gauge, type Wire, within } from '../kit/index.ts'
import { createAllowance } from './allowance.ts'
import { createCountries } from './countries.ts'
import { createDatacentres } from './datacentres.ts'
import { createDirectory, type Directory } from './directory.ts'
import { createFollow, type Follow } from './follow.ts'
import { linkGauges } from './gauges.ts'
import { createRecorder } from './recorder.ts'
import { createSeals, type Seals } from './seal.ts'
import { createSpool, spoolIn } from './spool.ts'
import { createWatch } from './watch.ts'
import type { Whereabouts } from './whereabouts.ts'

export interface Redirect {
  readonly follow: Follow
  readonly programsAt: Directory['programsAt']
  /** Begins to hear what changes, and brings home what an earlier process left in the spool. */
  start(): void
  stop(): Promise<void>
  readonly gauges: readonly Gauge[]
  /** What clicks are hashed with. */
  readonly seals: Seals
}

/** How long the database may take to say that it is there. */
const patienceMs = 2000

export function createRedirect(parts: {
  db: Db
  clock: Clock
  log: Logger
  wire: Wire
  whereabouts: Whereabouts
  env: Readonly<Record<string, string | undefined>>
  /** Where clicks are kept while the database is away. */
  dataDirectory: string
  /** Keys the hashes of addresses. */
  key: Buffer
}): Redirect {
  const { db, clock, log, wire, whereabouts, env } = parts
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
  const spool = createSpool(spoolIn(parts.dataDirectory))
  const recorder = createRecorder({ sql: () => sql, spool, watch, log })
  const directory = createDirectory({ db, whereabouts, watch, log })
  const countries = createCountries({ file: env.COUNTRY_DATABASE, log })
  const isDatacentre = createDatacentres({ file: env.DATACENTRE_RANGES, log })
  let hangUp: (() => Promise<void>) | undefined

  return {
    follow: createFollow({ clock, directory, allowance: createAllowance({ db, watch }), countries, recorder, seals, isDatacentre }),
    seals,
    gauges: linkGauges(parts.dataDirectory),
    programsAt: directory.programsAt,
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
