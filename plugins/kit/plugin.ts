// The contract of a plugin. The manifest is static and can be read without running code; `setup` is the one place where a slice is wired.
import type { PermissionFlagsBits } from 'discord-api-types/v10'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { z } from 'zod'
import type { Command, Component } from '../../commands/define.ts'
import type { Db, Reader, Tx } from '../../db/connect.ts'
import type { Programs } from '../../db/programs.ts'
import type { SettingChange } from '../../db/settings.ts'
import type { Tokens } from '../../db/tokens.ts'
import type { WebhookInbox } from '../../db/webhooks.ts'
import type { Wire } from '../../db/wire.ts'
import type { KeyGuard } from './access.ts'
import type { Blueprint } from './blueprint.ts'
import type { Clock } from './clock.ts'
import type { DiscordEffects } from './effects.ts'
import type { EnvironmentVariable } from './environment.ts'
import type { Emit, Listener } from './events.ts'
import type { Extension, ExtensionPoint } from './extensions.ts'
import type { Gauge } from './gauges.ts'
import type { Enqueue, JobHandler, Schedule } from './jobs.ts'

/** What `setup` returns. Every part is optional; an absent part means that the plugin has none. */
export interface Parts<Public = unknown> {
  /** What other plugins get from `use(thisPlugin)`. */
  public?: Public
  commands?: readonly Command[]
  /** Descriptions of command groups this plugin introduces, e.g. `{ link: 'Your referral links' }`. */
  commandGroups?: Readonly<Record<string, string>>
  components?: readonly Component[]
  listeners?: readonly Listener[]
  /** Registers HTTP routes; every route states `config.access`, else the boot fails. */
  routes?: (app: FastifyInstance) => void | Promise<void>
  /** Checks the API keys of routes with the access `key`; one plugin at most. */
  keyGuard?: KeyGuard
  jobs?: readonly JobHandler[]
  schedules?: readonly Schedule[]
  extends?: readonly Extension[]
  /** What `npm run doctor` looks at for this plugin. */
  checks?: readonly Check[]
  /** Figures for /metrics. */
  gauges?: readonly Gauge[]
  /** Called once at shutdown, after the hosts have stopped handing out work. */
  stop?: () => Promise<void>
}

/** One thing that must be right outside the program (a key, an account, a webhook endpoint). It changes nothing. */
export interface Check {
  readonly title: string
  /** Undefined when all is well; else what is wrong and how to mend it, in a sentence or two. */
  run(): Promise<string | undefined>
}

export interface Settings<Config> {
  /** The plugin's settings in this program, defaults filled in. */
  of(reader: Reader, programId: string): Promise<Config>
  /** What admins changed of them after `since`, the latest first. Read after `of`, so that no change falls between the two. */
  changes(reader: Reader, programId: string, since: Date): Promise<readonly SettingChange<Config>[]>
}

export interface SetupContext<Config> {
  readonly db: Db
  readonly clock: Clock
  readonly log: Logger
  readonly settings: Settings<Config>
  /** The plugin's own environment variables, checked. Empty text never arrives: an unset variable is undefined. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The public side of a plugin named in `requires`. @throws Error when it is not named there */
  use<P>(plugin: Plugin<P>): P
  readonly emit: Emit
  readonly enqueue: Enqueue
  readonly discord: DiscordEffects
  readonly programs: Programs
  readonly tokens: Tokens
  readonly webhooks: WebhookInbox
  /** What other plugins contribute to a point that this plugin owns. Complete once all plugins are set up: read it when handling, not in `setup`. */
  contributions<T>(point: ExtensionPoint<T>): readonly T[]
  /** An absolute URL on the program's public web address. */
  url(path: string): string
  /** Derives a secret key for one purpose from SECRET_KEY. */
  secret(purpose: string): Buffer
  /** Connections to the database beside the pool of `db`. */
  readonly wire: Wire
  /** A directory on this machine that outlives the process, for what may not wait for the database. It may not exist yet. */
  readonly dataDirectory: string
}

/** Exports and erases what the plugin stores about one partner. */
export interface PersonalData {
  /** For the privacy statement: what is stored and for how long. */
  readonly statement: string
  exportPartner?(reader: Reader, programId: string, userId: string): Promise<unknown>
  /** Why the person cannot be erased yet, in sentences for the admin who was asked to; undefined when nothing stands in the way. */
  whyNotYet?(reader: Reader, programId: string, userId: string): Promise<string | undefined>
  deletePartner?(tx: Tx, programId: string, userId: string): Promise<void>
}

/** What a person may want to do, as /help offers it. Plugins that give a subject with the same id share it. */
export interface Subject {
  /** Small letters, digits and hyphens; it travels in custom ids. */
  readonly id: string
  readonly title: string
  readonly emoji: string
  /** What can be done there, in at most 100 characters. */
  readonly about: string
}

export interface Manifest<Config = unknown, Public = unknown> {
  /** Lower case; prefix of its tables, custom ids, listeners and jobs. */
  readonly id: string
  readonly title: string
  readonly summary: string
  /** Where /help shows the plugin's commands: those for admins, and all others. A side that is left out is a subject by the plugin's title. */
  readonly help?: { readonly partners?: Subject; readonly admins?: Subject }
  /** Roadmap numbers that this plugin serves. */
  readonly features?: readonly number[]
  /** Set up before this one; the order is topological and a cycle is a boot error that names it. */
  readonly requires?: readonly Plugin[]
  /** Settings an admin may change with /admin settings; every field needs a default and a description. */
  readonly config?: z.ZodType<Config>
  /** Drizzle tables, for the contract test. */
  readonly tables?: Readonly<Record<string, unknown>>
  /** Pure function of the settings: what should exist in the guild. `settingsOf` reads those of any required plugin, too. */
  readonly blueprint?: (settingsOf: <C>(plugin: Plugin<unknown, C>) => C, own: Config) => Blueprint
  /** Permissions the bot needs for this plugin; the union is the invite link. */
  readonly permissions?: readonly (keyof typeof PermissionFlagsBits)[]
  readonly environment?: readonly EnvironmentVariable[]
  readonly data?: PersonalData
  readonly setup: (context: SetupContext<Config>) => Parts<Public> | Promise<Parts<Public>>
}

declare const types: unique symbol
/** A manifest whose setup may give other plugins a `Public`. */
export type Plugin<Public = unknown, Config = unknown> = Omit<Manifest<never, never>, 'setup' | 'config' | 'blueprint'> & {
  readonly config?: z.ZodType
  readonly blueprint?: (settingsOf: <C>(plugin: Plugin<unknown, C>) => C, own: never) => Blueprint
  readonly setup: (context: never) => Parts | Promise<Parts>
  readonly [types]?: { public: Public; config: Config }
}

/** Declares a plugin. */
export function definePlugin<Config = Record<never, never>, Public = undefined>(
  manifest: Manifest<Config, Public>,
): Plugin<Public, Config> {
  return manifest as unknown as Plugin<Public, Config>
}
