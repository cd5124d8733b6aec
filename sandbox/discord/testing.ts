// What the sandbox's own tests share: a Discord with a guild, a discord.js bot and people, and the check of the wire.

import { Client, type ClientOptions, GatewayIntentBits, type Guild, type Interaction, Partials, type TextChannel } from 'discord.js'
import { createDiscordSandbox, type DiscordSandbox, type DiscordSandboxOptions } from './index.ts'
import { call, connectPerson, type Payload, type Person } from './person.ts'
import { createWireCheck } from './wire.ts'

export interface Bench {
  sandbox: DiscordSandbox
  problems: string[]
  /** The endpoints that answered with success so far, as `sandbox.endpoints` names them. */
  answered: Set<string>
  owner: Person
  guildId: string
  application: { id: string; token: string; bot: { id: string } }
  client: Client<true>
  guild: Guild
  general: TextChannel
  person: (username: string, join?: boolean) => Promise<Person>
  control: (method: string, path: string, body?: unknown) => ReturnType<typeof call>
  bot: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => ReturnType<typeof call>
  close: () => Promise<void>
}

export const ALL_INTENTS = [
  GatewayIntentBits.Guilds,
  GatewayIntentBits.GuildMembers,
  GatewayIntentBits.GuildModeration,
  GatewayIntentBits.GuildMessages,
  GatewayIntentBits.GuildMessageReactions,
  GatewayIntentBits.GuildMessageTyping,
  GatewayIntentBits.GuildInvites,
  GatewayIntentBits.GuildWebhooks,
  GatewayIntentBits.GuildScheduledEvents,
  GatewayIntentBits.GuildMessagePolls,
  GatewayIntentBits.DirectMessages,
  GatewayIntentBits.MessageContent,
]

/** Starts a sandbox with one guild whose application is installed with the given permissions (administrator by default). */
export async function aBench(
  options: { permissions?: string; sandbox?: DiscordSandboxOptions; client?: Partial<ClientOptions> } = {},
): Promise<Bench> {
  const wire = createWireCheck()
  const answered = new Set<string>()
  const sandbox = await createDiscordSandbox({
    observe: (exchange) => {
      wire.observe(exchange)
      if (exchange.status < 400) answered.add(`${exchange.method} ${exchange.route}`)
    },
    ...options.sandbox,
  })
  const control: Bench['control'] = (method, path, body) => call(sandbox.url, method, `/sandbox${path}`, undefined, body)
  const people: Person[] = []
  const owner = await connectPerson(sandbox.url, 'owner')
  people.push(owner)
  const { body: made } = await control('POST', '/guilds', { name: 'Partner House', owner_id: owner.id })
  const { body: application } = await control('POST', '/applications', { name: 'House bot', owner_id: owner.id })
  await control('PUT', `/guilds/${made.id}/applications/${application.id}`, { permissions: options.permissions ?? '8' })
  const client = await aClient(sandbox, application.token, options.client)
  const guild = client.guilds.cache.get(made.id) as Guild
  return {
    sandbox,
    problems: wire.problems,
    answered,
    owner,
    guildId: made.id,
    application,
    client,
    guild,
    general: guild.channels.cache.find((channel) => channel.name === 'general') as TextChannel,
    control,
    person: async (username, join = true) => {
      const person = await connectPerson(sandbox.url, username)
      people.push(person)
      if (join) {
        await control('PUT', `/guilds/${made.id}/members/${person.id}`, {})
        await person.next('GUILD_CREATE')
      }
      return person
    },
    bot: (method, path, body, headers) => call(sandbox.url, method, `/api/v10${path}`, `Bot ${application.token}`, body, headers),
    close: async () => {
      await client.destroy()
      for (const person of people) person.close()
      await sandbox.close()
    },
  }
}

/** A discord.js client that is logged in and ready. */
export async function aClient(sandbox: DiscordSandbox, token: string, options: Partial<ClientOptions> = {}): Promise<Client<true>> {
  const client = new Client({
    intents: ALL_INTENTS,
    partials: [Partials.Channel, Partials.Message],
    ...options,
    rest: { api: sandbox.api, ...options.rest },
  })
  const ready = new Promise((resolve) => client.once('clientReady', resolve))
  await client.login(token)
  await ready
  return client as Client<true>
}

/** Lets the bot answer the next interactions with the given handler; what it throws fails the test that awaits `settled`. */
export function answering(
  client: Client<true>,
  handler: (interaction: Interaction) => Promise<unknown>,
): { settled: Promise<unknown> } {
  const settled = new Promise((resolve, reject) => {
    client.on('interactionCreate', (interaction) => handler(interaction).then(resolve, reject))
  })
  settled.catch(() => {})
  return { settled }
}

/** How discord.js tells that Discord refused. Rejects when it did not. */
export async function refusal(promise: Promise<unknown>): Promise<{ code: unknown; status: unknown; rawError: Payload }> {
  try {
    await promise
  } catch (error) {
    return error as { code: unknown; status: unknown; rawError: Payload }
  }
  throw new Error('was not refused')
}
