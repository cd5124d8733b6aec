// The house without its hosts: real plugins on a given database, a clock that stands still, commands through a recording context, and background work
// that runs when the caller says so. For tests and simulations; nothing here listens or waits.
import { createHash, randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { buildApp } from '../api/app.ts'
import { createDiscordEffects } from '../bot/effects.ts'
import type { Connection, Db } from '../db/connect.ts'
import { createOutbox } from '../db/outbox.ts'
import { type Program, programStore } from '../db/programs.ts'
import { settingsOf, writeSetting } from '../db/settings.ts'
import { createTokens } from '../db/tokens.ts'
import { createWebhookInbox } from '../db/webhooks.ts'
import { createWire } from '../db/wire.ts'
import { manualClock } from '../plugins/kit/clock.ts'
import type { Emit } from '../plugins/kit/events.ts'
import type { Enqueue } from '../plugins/kit/jobs.ts'
import { type Loaded, load } from '../plugins/kit/load.ts'
import type { Plugin } from '../plugins/kit/plugin.ts'
import { type Acting, createActing } from './acting.ts'

export type { Visitor } from './acting.ts'

export interface OfflineHouse extends Acting {
  readonly db: Db
  readonly connection: Connection
  readonly clock: ReturnType<typeof manualClock>
  readonly loaded: Loaded
  readonly program: Program
  readonly emit: Emit
  readonly enqueue: Enqueue
  /** The HTTP application, for `app.inject`. */
  readonly app: FastifyInstance
  /** What the plugin gives to others. */
  use<P>(plugin: Plugin<P>): P
  set(plugin: string, key: string, value: unknown): Promise<void>
  close(): Promise<void>
}

export const publicUrl = 'http://program.test'

export interface OfflineOptions {
  now?: string
  /** Goes to the plugins unchecked. */
  environment?: Record<string, string>
  /** What the plugins get as their database: the connection's own, unless the caller puts something in between. */
  db?: Db
  /** Whether plugins hear what other processes tell. Without it nothing happens in the background, so plugins that remember what they heard remember nothing. */
  listening?: boolean
}

/** Sets the plugins up (list those required, too) on a migrated database. `close` closes the connection, too. */
export async function offlineHouse(
  connection: Connection,
  plugins: readonly Plugin[],
  options: OfflineOptions = {},
): Promise<OfflineHouse> {
  const { db = connection.db } = options
  const clock = manualClock(options.now ?? '2026-11-02T09:00:00Z')
  const log = pino({ level: process.env.TEST_LOG ?? 'silent' })
  const { emit, enqueue } = createOutbox(clock)
  const wire = createWire(connection)
  const dataDirectory = path.join(tmpdir(), `siso-house-${randomUUID()}`)
  const publics = new Map<string, unknown>()
  const watched = plugins.map((plugin) => ({
    ...plugin,
    setup: async (context: never) => {
      const parts = await plugin.setup(context)
      publics.set(plugin.id, parts.public)
      return parts
    },
  }))
  // `requires` compares by id, so the wrapped manifests stand for the originals.
  const loaded = await load(watched as readonly Plugin[], (plugin) => ({
    db,
    clock,
    log,
    settings: settingsOf(plugin),
    env: options.environment ?? {},
    emit,
    enqueue,
    discord: createDiscordEffects(clock, enqueue),
    programs: programStore,
    tokens: createTokens(clock),
    webhooks: createWebhookInbox(clock),
    url: (path) => new URL(path, publicUrl).href,
    secret: (purpose) => createHash('sha256').update(`test ${purpose}`).digest(),
    wire: options.listening ? wire : { ...wire, listen: () => async () => {} },
    dataDirectory: path.join(dataDirectory, plugin.id),
  }))
  const app = await buildApp({ loaded, log, readiness: async () => ({}) })
  const program = await db.transaction((tx) => programStore.ensure(tx, { guildId: '900000000000000001', name: 'SISO' }))

  return {
    db,
    connection,
    clock,
    loaded,
    program,
    emit,
    enqueue,
    app,
    use: (plugin) => publics.get(plugin.id) as never,
    ...createActing({ db, clock, log, loaded, program }),
    set: async (plugin, key, value) => {
      const schema = loaded.plugins.find((candidate) => candidate.id === plugin)?.config
      if (!schema) throw new Error(`plugin ${plugin} has no settings`)
      await db.transaction((tx) => writeSetting(tx, program.id, plugin, schema, key, JSON.stringify(value)))
    },
    close: async () => {
      await app.close()
      await loaded.stop()
      await connection.close()
      await rm(dataDirectory, { recursive: true, force: true })
    },
  }
}
