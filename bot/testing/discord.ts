// For tests of the bot: a local Discord with one server, the bot in it, and a connection as the bot.
import { REST } from '@discordjs/rest'
import type { APIGuildChannel, APIGuildMember, APIMessage, APIRole } from 'discord-api-types/v10'
import { createDiscordSandbox } from '../../sandbox/discord/index.ts'
import { call, connectPerson, type Person } from '../../sandbox/discord/person.ts'

export interface LocalDiscord {
  readonly url: string
  readonly api: string
  readonly token: string
  readonly botId: string
  readonly guildId: string
  readonly owner: Person
  /** REST as the bot. */
  readonly rest: REST
  /** A new member of the server, connected. */
  member(username: string): Promise<Person>
  control(method: string, path: string, body?: unknown): Promise<unknown>
  roles(): Promise<APIRole[]>
  channels(): Promise<(APIGuildChannel & { topic?: string | null; parent_id?: string | null })[]>
  messages(channelId: string): Promise<APIMessage[]>
  rolesOf(userId: string): Promise<string[]>
  close(): Promise<void>
}

/** `channels`: names of text channels that the server starts with. */
export async function localDiscord(options: { channels?: readonly string[]; permissions?: string } = {}): Promise<LocalDiscord> {
  const discord = await createDiscordSandbox({ port: 0, host: '127.0.0.1', clock: Date.now })
  const people: Person[] = []
  const control = async (method: string, path: string, body?: unknown) => {
    const answer = await call(discord.url, method, `/sandbox${path}`, undefined, body)
    if (answer.status >= 300) throw new Error(`${method} /sandbox${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body as unknown
  }
  const join = async (username: string) => {
    const person = await connectPerson(discord.url, username)
    people.push(person)
    return person
  }
  const owner = await join('olivia')
  const { id: guildId } = (await control('POST', '/guilds', {
    name: 'SISO',
    owner_id: owner.id,
    channels: (options.channels ?? ['general']).map((name) => ({ name })),
  })) as { id: string }
  const application = (await control('POST', '/applications', { name: 'SISO' })) as {
    id: string
    token: string
    bot: { id: string }
  }
  await control('PUT', `/guilds/${guildId}/applications/${application.id}`, { permissions: options.permissions ?? '8' })
  const rest = new REST({ version: '10', api: discord.api }).setToken(application.token)
  return {
    url: discord.url,
    api: discord.api,
    token: application.token,
    botId: application.bot.id,
    guildId,
    owner,
    rest,
    control,
    member: async (username) => {
      const person = await join(username)
      await control('PUT', `/guilds/${guildId}/members/${person.id}`, {})
      await person.next('GUILD_CREATE')
      return person
    },
    roles: async () => (await rest.get(`/guilds/${guildId}/roles`)) as APIRole[],
    channels: async () => (await rest.get(`/guilds/${guildId}/channels`)) as APIGuildChannel[],
    messages: async (channelId) => (await rest.get(`/channels/${channelId}/messages`)) as APIMessage[],
    rolesOf: async (userId) => ((await rest.get(`/guilds/${guildId}/members/${userId}`)) as APIGuildMember).roles,
    close: async () => {
      for (const person of people) person.close()
      await discord.close()
    },
  }
}
