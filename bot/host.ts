// The Discord host: holds the gateway, keeps the client, routes interactions, tells the house who joined and left, and leaves in good order.
import { setTimeout as sleep } from 'node:timers/promises'
import { DiscordAPIError, type REST } from '@discordjs/rest'
import { Client, Events, GatewayIntentBits, type Guild, Partials, Routes } from 'discord.js'
import { and, isNotNull, isNull, lt, notInArray, sql } from 'drizzle-orm'
import type { Logger } from 'pino'
import { card } from '../commands/messages.ts'
import type { Connection } from '../db/connect.ts'
import { programStore } from '../db/programs.ts'
import { interactions } from '../db/tables.ts'
import type { Clock } from '../plugins/kit/clock.ts'
import { ConfigurationError } from '../plugins/kit/environment.ts'
import { type Emit, memberJoined, memberLeft } from '../plugins/kit/events.ts'
import type { Loaded } from '../plugins/kit/load.ts'
import { toRestBody } from './effects.ts'
import { type Holder, holdGateway } from './holder.ts'
import { createRouter } from './router.ts'
import { type CommandIds, syncCommands } from './sync.ts'

export interface BotHost {
  readonly applicationId: string
  /** `ok`, or what is wrong. */
  state(): string
  stop(): Promise<void>
}

interface Options {
  connection: Connection
  rest: REST
  token: string
  apiUrl: string | undefined
  clock: Clock
  log: Logger
  loaded: Loaded
  emit: Emit
  /** Told how long interactions take. */
  measure?: ((action: string, stage: 'acknowledged' | 'answered', ms: number) => void) | undefined
}

const retryMs = 1_000
const welcomeAgainMs = 60_000
/** Every interaction's token is a route of its own to the REST client, which forgets idle ones only once an hour unless told otherwise: in a busy server that is memory. */
const forgetRoutesMs = 60_000

/** Waits for the gateway lock, logs in, and resolves when the client is ready and the commands of every guild are in place, save those where that failed. */
export async function startBot(options: Options): Promise<BotHost> {
  const { connection, rest, clock, log, loaded, emit } = options
  const { db } = connection
  const applicationId = await identify(rest)
  const stopping = new AbortController()
  const commandIds = new Map<string, CommandIds>()
  const idsOf = (guildId: string) => commandIds.get(guildId)
  const router = createRouter({ db, clock, log, loaded, idsOf, measure: options.measure })

  let client: Client | undefined
  let holder: Holder | undefined
  let returning: Promise<void> | undefined
  /** Takes the lock and logs in, with a client of its own: one that was destroyed does not let itself be destroyed again. */
  const enter = async () => {
    holder = await holdGateway({
      url: connection.url,
      applicationId,
      log,
      signal: stopping.signal,
      onLost: () => {
        returning ??= leaveAndReturn().finally(() => {
          returning = undefined
        })
      },
    })
    await apologiseForLost()
    const entered = createClient()
    client = entered
    const ready = new Promise<void>((resolve) => entered.once(Events.ClientReady, () => resolve()))
    await entered.login(options.token).catch(explainLogin)
    await ready
    for (const guild of entered.guilds.cache.values()) await welcome(guild)
    log.info({ user: entered.user?.username, guilds: entered.guilds.cache.size }, 'the bot is on Discord')
  }
  const leave = async () => {
    await client?.destroy()
    client = undefined
    await holder?.release()
    holder = undefined
  }
  /** The lock's connection broke, so another process may be on the gateway now: leave it at once and queue up again until it is held. */
  const leaveAndReturn = async () => {
    log.warn('the gateway lock was lost; leaving Discord until it is held again')
    for (let returned = false; !returned && !stopping.signal.aborted; ) {
      await leave()
      returned = await enter().then(
        () => true,
        (error: unknown) => {
          if (!stopping.signal.aborted) log.warn({ err: error }, 'the bot could not return to Discord yet; it is tried again')
          return false
        },
      )
      if (!returned) await sleep(retryMs, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  function createClient(): Client {
    const made = new Client({
      intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMembers],
      // Discord names the members to a bot only as they act; without this the client keeps it to itself when one leaves whom it has not met.
      partials: [Partials.GuildMember],
      allowedMentions: { parse: [] },
      rest: { handlerSweepInterval: forgetRoutesMs, ...(options.apiUrl && { api: options.apiUrl }) },
    })
    made.on(Events.Error, (error) => log.error({ err: error }, 'the Discord client reports an error'))
    made.on(Events.Warn, (message) => log.warn({ message }, 'the Discord client warns'))
    made.on(Events.InteractionCreate, (interaction) => void router.handle(interaction))
    made.on(Events.GuildCreate, (guild) => void welcome(guild))
    made.on(
      Events.GuildMemberAdd,
      (member) =>
        void inBackground('a new member', () =>
          tellMembership(
            member.guild.id,
            (programId) => (tx) => emit(tx, memberJoined, { programId, userId: member.id, username: member.user.username }),
          ),
        ),
    )
    made.on(
      Events.GuildMemberRemove,
      (member) =>
        void inBackground('a member who left', () =>
          tellMembership(member.guild.id, (programId) => (tx) => emit(tx, memberLeft, { programId, userId: member.id })),
        ),
    )
    return made
  }

  /** One server that cannot be welcomed keeps no other from being served; it is tried again for as long as the bot is in it. */
  async function welcome(guild: Guild): Promise<void> {
    await welcomeGuild(guild).catch((error: unknown) => {
      log.error({ err: error, guild: guild.id }, 'a server could not be welcomed; it is tried again')
      void sleep(welcomeAgainMs, undefined, { ref: false, signal: stopping.signal }).then(
        () => (client?.guilds.cache.has(guild.id) ? welcome(guild) : undefined),
        () => {},
      )
    })
  }

  async function welcomeGuild(guild: Guild): Promise<void> {
    await db.transaction((tx) => programStore.ensure(tx, { guildId: guild.id, name: guild.name }))
    const { sent, ids } = await syncCommands(rest, applicationId, guild.id, loaded)
    commandIds.set(guild.id, ids)
    if (sent) log.info({ guild: guild.id }, 'commands were brought up to date')
  }

  async function tellMembership(
    guildId: string,
    tell: (programId: string) => (tx: Parameters<Emit>[0]) => Promise<void>,
  ): Promise<void> {
    const program = await programStore.byGuild(db, guildId)
    if (program) await db.transaction(tell(program.id))
  }

  async function inBackground(what: string, work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => log.error({ err: error }, `${what} could not be handled`))
  }

  /** Interactions that an earlier process had deferred and never answered: their tokens live 15 minutes, so the person still gets a word. */
  async function apologiseForLost(): Promise<void> {
    const lost = await db
      .update(interactions)
      .set({ finishedAt: clock.now() })
      .where(
        and(
          isNull(interactions.finishedAt),
          isNotNull(interactions.token),
          lt(interactions.createdAt, clock.now()),
          // What this process is still working on is not lost: it answers for itself.
          notInArray(interactions.id, router.running()),
        ),
      )
      .returning({
        id: interactions.id,
        token: interactions.token,
        deferred: interactions.deferred,
        young: sql<boolean>`${interactions.createdAt} > ${clock.now().toISOString()}::timestamptz - interval '14 minutes'`,
      })
    const message = card({
      title: 'We were interrupted',
      body: 'The bot restarted while it worked on this. What was finished is kept; please run the command again to see where you are.',
      tone: 'warn',
    })
    for (const { token } of lost.filter((row) => row.deferred && row.young))
      await rest
        .patch(Routes.webhookMessage(applicationId, token!), { ...toRestBody(message), auth: false })
        .catch((error: unknown) => log.warn({ err: error }, 'an interrupted interaction could not be answered'))
    await db
      .update(interactions)
      .set({ token: null })
      .where(and(isNotNull(interactions.finishedAt), isNotNull(interactions.token)))
  }

  try {
    await enter()
  } catch (error) {
    stopping.abort()
    await leave()
    throw error
  }
  return {
    applicationId,
    state: () => (client?.isReady() ? 'ok' : 'not connected to Discord'),
    stop: async () => {
      stopping.abort()
      await router.idle()
      await returning
      await leave()
    },
  }
}

/** The application behind the token. @throws ConfigurationError when Discord refuses the token or cannot be reached */
async function identify(rest: REST): Promise<string> {
  try {
    return ((await rest.get(Routes.currentApplication())) as { id: string }).id
  } catch (error) {
    if (error instanceof DiscordAPIError && error.status === 401)
      throw new ConfigurationError(
        'Discord refuses DISCORD_TOKEN. Make a new one at https://discord.com/developers/applications → your application → Bot → Reset Token.',
      )
    if (error instanceof DiscordAPIError) throw error
    throw new ConfigurationError(
      `Discord cannot be reached: ${causeOf(error)}. Check the connection, and DISCORD_API_URL if it is set.`,
    )
  }
}

/** @throws ConfigurationError when Discord does not allow what the bot asks for at login, else the error itself */
function explainLogin(error: unknown): never {
  if (error instanceof Error && /disallowed intents/i.test(error.message))
    throw new ConfigurationError(
      'Discord does not let the bot see who joins. Switch on “Server Members Intent” at https://discord.com/developers/applications → your application → Bot.',
    )
  throw error
}

function causeOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return inner instanceof Error ? inner.message || ((inner as NodeJS.ErrnoException).code ?? inner.name) : String(inner)
}
