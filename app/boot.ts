// Puts the five hosts and the plugins together into one running program. Knows no plugin by name; imported modules do no work until `boot` is called.
import { hkdfSync } from 'node:crypto'
import { REST, type RESTOptions } from '@discordjs/rest'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { buildApp, buildOperatorApp } from '../api/app.ts'
import { createMetrics } from '../api/metrics.ts'
import { listen } from '../api/server.ts'
import { createDiscordEffects } from '../bot/effects.ts'
import { type Change, reconcileGuild } from '../bot/guild.ts'
import { type BotHost, startBot } from '../bot/host.ts'
import { guildPlugin } from '../bot/plugin.ts'
import { housePlugin, type Reconcile } from '../commands/plugin.ts'
import { type Connection, connect } from '../db/connect.ts'
import { type EmbeddedPostgres, startEmbedded } from '../db/embedded.ts'
import { assertMigrated, migrate } from '../db/migrate.ts'
import { createOutbox } from '../db/outbox.ts'
import { programStore } from '../db/programs.ts'
import { settingsOf } from '../db/settings.ts'
import { createTokens } from '../db/tokens.ts'
import { createWebhookInbox } from '../db/webhooks.ts'
import { createWire } from '../db/wire.ts'
import { type JobsHost, startJobs } from '../jobs/host.ts'
import { type Clock, systemClock } from '../plugins/kit/clock.ts'
import { readEnvironment } from '../plugins/kit/environment.ts'
import { UserError } from '../plugins/kit/errors.ts'
import { type Loaded, load } from '../plugins/kit/load.ts'
import type { Plugin } from '../plugins/kit/plugin.ts'
import { houseEnvironment } from './environment.ts'
import { houseGauges } from './gauges.ts'

export interface Program {
  /** Where the web server listens; undefined when this process serves no HTTP. */
  readonly address: string | undefined
  readonly connection: Connection
  readonly loaded: Loaded
  readonly app: FastifyInstance | undefined
  reconcile: Reconcile
  /** Stops taking work, finishes what runs, and closes everything. Safe to call twice. */
  stop(): Promise<void>
}

export interface BootOptions {
  plugins: readonly Plugin[]
  environment: Readonly<Record<string, string | undefined>>
  log: Logger
  clock?: Clock
  onProgress?: (what: string) => void
  /** How Discord's REST API is called, where it is not as usual. */
  rest?: Partial<RESTOptions>
}

/** The house without running hosts: an open, migrated database and plugins that are set up. What scripts and `boot` start from. */
export interface House {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly connection: Connection
  readonly rest: REST
  readonly loaded: Loaded
  readonly clock: Clock
  reconcile: Reconcile
  /** Has `close` called at `stop`, in reverse order of the calls. */
  onStop(close: () => Promise<void>): void
  stop(): Promise<void>
}

/** Opens the house. On failure everything that was opened is closed again before the error is thrown. */
export async function openHouse(options: BootOptions): Promise<House> {
  const { log, clock = systemClock, onProgress = () => {} } = options
  const env = readEnvironment(
    [...houseEnvironment, ...options.plugins.flatMap((plugin) => plugin.environment ?? [])],
    options.environment,
  )
  const closers: (() => Promise<void>)[] = []
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= (async () => {
      for (const close of closers.toReversed())
        await close().catch((error: unknown) => log.error({ err: error }, 'something did not close cleanly'))
    })()
    return stopped
  }
  try {
    const connection = await openDatabase(env, closers, onProgress)
    onProgress('bringing the database up to date')
    if (env.AUTO_MIGRATE === 'true') {
      const applied = await migrate(connection)
      if (applied.length > 0) log.info({ applied }, 'the database was migrated')
    } else await assertMigrated(connection)
    const rest = new REST({
      version: '10',
      ...options.rest,
      ...(env.DISCORD_API_URL && { api: env.DISCORD_API_URL }),
    }).setToken(env.DISCORD_TOKEN!)
    const { loaded, reconcile } = await assemble({ ...options, clock }, env, connection, rest)
    closers.push(() => loaded.stop())
    return { env, connection, rest, loaded, clock, reconcile, onStop: (close) => void closers.push(close), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Starts what ROLE asks for. On failure everything that was opened is closed again before the error is thrown. */
export async function boot(options: BootOptions): Promise<Program> {
  const { log, onProgress = () => {} } = options
  const house = await openHouse(options)
  const { env, connection, rest, loaded, clock, onStop, stop } = house
  const role = env.ROLE as 'all' | 'bot' | 'api' | 'worker'
  const { emit } = createOutbox(clock)
  let bot: BotHost | undefined
  let jobs: JobsHost | undefined
  let app: FastifyInstance | undefined
  let address: string | undefined
  const token = env.METRICS_TOKEN
  const metrics = token ? createMetrics({ gauges: [...houseGauges(connection, () => jobs), ...loaded.gauges], log }) : undefined
  const shown = metrics && token ? { metrics, token } : undefined
  try {
    if (role === 'all' || role === 'worker') {
      onProgress('starting the workers')
      jobs = await startJobs({ connection, redisUrl: env.REDIS_URL, clock, log, loaded })
      onStop(jobs.stop)
    }
    if (role === 'all' || role === 'api') {
      onProgress('starting the web server')
      const built = await buildApp({
        loaded,
        log,
        trustProxy: env.TRUST_PROXY === 'true',
        metrics: shown,
        readiness: async () => ({
          database: await answers(connection),
          ...(role === 'all' && { discord: bot?.state() ?? 'logging in' }),
        }),
      })
      app = built
      onStop(() => built.close())
      address = await listen(built, { host: env.HOST!, port: Number(env.PORT) })
    }
    if (role === 'all' || role === 'bot') {
      onProgress('logging in to Discord')
      bot = await startBot({
        connection,
        rest,
        token: env.DISCORD_TOKEN!,
        apiUrl: env.DISCORD_API_URL,
        clock,
        log,
        loaded,
        emit,
        measure: metrics?.interaction,
      })
      onStop(bot.stop)
    }
    if (shown && (role === 'bot' || role === 'worker')) {
      const built = await buildOperatorApp({
        log,
        metrics: shown,
        readiness: async () => ({ database: await answers(connection), ...(bot && { discord: bot.state() }) }),
      })
      onStop(() => built.close())
      address = await listen(built, { host: env.HOST!, port: Number(env.PORT) })
    }
    log.info({ role, address, queue: jobs?.store }, 'ready')
    return { address, connection, loaded, app, reconcile: house.reconcile, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function openDatabase(
  env: Readonly<Record<string, string | undefined>>,
  closers: (() => Promise<void>)[],
  onProgress: (what: string) => void,
): Promise<Connection> {
  let url = env.DATABASE_URL
  if (!url) {
    onProgress('starting the embedded database')
    const embedded: EmbeddedPostgres = await startEmbedded({ directory: `${env.DATA_DIR}/postgres`, onProgress })
    closers.push(embedded.stop)
    url = embedded.url
  }
  const connection = await connect(url, { max: 12 })
  closers.push(connection.close)
  return connection
}

/** Sets the plugins up with the house's own and returns them with the guild's reconciliation. Nothing runs yet. */
async function assemble(
  options: BootOptions & { clock: Clock },
  env: Readonly<Record<string, string | undefined>>,
  connection: Connection,
  rest: REST,
): Promise<{ loaded: Loaded; reconcile: Reconcile }> {
  const { clock, log } = options
  const { db } = connection
  const { emit, enqueue } = createOutbox(clock)
  const discord = createDiscordEffects(clock, enqueue)
  const tokens = createTokens(clock)
  const webhooks = createWebhookInbox(clock)
  const wire = createWire(connection)
  let loaded: Loaded | undefined

  const reconcile: Reconcile = async (guildId, { dryRun, onChange }): Promise<Change[]> => {
    const program = await programStore.byGuild(db, guildId)
    if (!program) throw new UserError('no_program', 'The bot is not in that server. Invite it first.')
    return reconcileGuild({ db, rest, clock, discord, enqueue, plugins: loaded!.plugins, program, dryRun, onChange })
  }
  const own = [guildPlugin(rest), housePlugin({ commands: () => loaded!.commands, plugins: () => loaded!.plugins, reconcile })]
  loaded = await load([...own, ...options.plugins], (plugin) => ({
    db,
    clock,
    log: log.child({ plugin: plugin.id }),
    settings: settingsOf(plugin),
    env: Object.fromEntries((plugin.environment ?? []).map(({ name }) => [name, env[name]])),
    emit,
    enqueue,
    discord,
    programs: programStore,
    tokens,
    webhooks,
    url: (path) => new URL(path, env.PUBLIC_URL).href,
    secret: (purpose) => Buffer.from(hkdfSync('sha256', env.SECRET_KEY!, 'siso', purpose, 32)),
    wire,
    dataDirectory: `${env.DATA_DIR}/${plugin.id}`,
  }))
  return { loaded, reconcile }
}

async function answers({ sql }: Connection): Promise<string> {
  return sql`select 1`.then(
    () => 'ok',
    () => 'the database does not answer',
  )
}
