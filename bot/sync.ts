// Brings a guild's slash commands up to what the plugins declare: one bulk request, and only when something differs.
import type { REST } from '@discordjs/rest'
import { Routes } from 'discord-api-types/v10'
import { needsSync, toRegistrations } from '../commands/register.ts'
import type { Loaded } from '../plugins/kit/load.ts'

/** Returns whether anything was sent. Discord allows 200 command creations a day, so an unchanged set must cost none. */
export async function syncCommands(
  rest: REST,
  applicationId: string,
  guildId: string,
  loaded: Pick<Loaded, 'commands' | 'commandGroups'>,
): Promise<boolean> {
  const wanted = toRegistrations(loaded.commands, loaded.commandGroups)
  const route = Routes.applicationGuildCommands(applicationId, guildId)
  if (!needsSync(wanted, (await rest.get(route)) as object[])) return false
  await rest.put(route, { body: wanted })
  return true
}
