// Brings a guild's slash commands up to what the plugins declare: one bulk request, and only when something differs.
import type { REST } from '@discordjs/rest'
import { Routes } from 'discord-api-types/v10'
import { needsSync, toRegistrations } from '../commands/register.ts'
import type { Loaded } from '../plugins/kit/load.ts'

/** Discord's ids of a guild's commands, by their first word. */
export type CommandIds = ReadonlyMap<string, string>

/** Says whether anything was sent, and the ids. Discord allows 200 command creations a day, so an unchanged set must cost none. */
export async function syncCommands(
  rest: REST,
  applicationId: string,
  guildId: string,
  loaded: Pick<Loaded, 'commands' | 'commandGroups'>,
): Promise<{ sent: boolean; ids: CommandIds }> {
  const wanted = toRegistrations(loaded.commands, loaded.commandGroups)
  const route = Routes.applicationGuildCommands(applicationId, guildId)
  const present = (await rest.get(route)) as Registered[]
  const sent = needsSync(wanted, present)
  const registered = sent ? ((await rest.put(route, { body: wanted })) as Registered[]) : present
  return { sent, ids: new Map(registered.map(({ name, id }) => [name, id])) }
}

interface Registered {
  readonly id: string
  readonly name: string
}
