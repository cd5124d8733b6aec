// Emojis of guilds and of applications. The pictures themselves are not kept.

import { type Context, requireBot, requireGuild, requireId, requireInGuild } from '../access.ts'
import { maximumReached, missingAccess, unknownThing } from '../errors.ts'
import { type Call, created, type Route } from '../http.ts'
import { Intent } from '../intents.ts'
import { P } from '../permissions.ts'
import { userOf } from '../present.ts'
import type { Application, Guild, Wire } from '../store.ts'
import { list, object, required, snowflake, text, validate } from '../validate.ts'

const PER_GUILD = 50
const PER_APPLICATION = 2000
const name = text({ min: 2, max: 32, pattern: /^\w+$/ })

export function emojiRoutes(context: Context): Route[] {
  const { world, gateway } = context

  const announce = (guild: Guild): void => {
    gateway.toGuild(
      guild,
      'GUILD_EMOJIS_UPDATE',
      { guild_id: guild.id, emojis: [...guild.emojis.values()] },
      { intent: Intent.EXPRESSIONS },
    )
  }

  const requireEmoji = (emojis: ReadonlyMap<string, Wire>, call: Call): Wire => {
    const emoji = emojis.get(requireId('emoji_id', call.params.emoji))
    if (!emoji) throw unknownThing('emoji')
    return emoji
  }

  const make = (call: Call, emojis: Map<string, Wire>): Wire => {
    const body = validate<{ name: string; roles?: string[] }>(
      object({ name: required(name), image: required(text({ min: 1 })), roles: list(snowflake) }),
      call.body,
    )
    const emoji: Wire = {
      id: world.id(),
      name: body.name,
      roles: body.roles ?? [],
      user: userOf(world, call.user.id),
      require_colons: true,
      managed: false,
      animated: false,
      available: true,
    }
    emojis.set(String(emoji.id), emoji)
    return emoji
  }

  const rename = (call: Call, emoji: Wire): Wire => {
    const body = validate<{ name?: string }>(object({ name }), call.body)
    if (body.name !== undefined) emoji.name = body.name
    return emoji
  }

  const inGuild = (call: Call, permission: bigint): Guild => {
    const scope = requireGuild(context, call)
    requireInGuild(context, scope, permission)
    return scope.guild
  }

  const own = (call: Call): Application => {
    const application = requireBot(call)
    if (requireId('application_id', call.params.application) !== application.id) throw missingAccess()
    return application
  }

  const guilds = '/guilds/:guild/emojis'
  const applications = '/applications/:application/emojis'
  return [
    { method: 'GET', pattern: guilds, handler: (call) => [...requireGuild(context, call).guild.emojis.values()] },
    {
      method: 'POST',
      pattern: guilds,
      handler: (call) => {
        const guild = inGuild(call, P.CREATE_GUILD_EXPRESSIONS)
        if (guild.emojis.size >= PER_GUILD) throw maximumReached(30008, 'emojis', PER_GUILD)
        const emoji = make(call, guild.emojis)
        announce(guild)
        return created(emoji)
      },
    },
    { method: 'GET', pattern: `${guilds}/:emoji`, handler: (call) => requireEmoji(requireGuild(context, call).guild.emojis, call) },
    {
      method: 'PATCH',
      pattern: `${guilds}/:emoji`,
      handler: (call) => {
        const guild = inGuild(call, P.MANAGE_GUILD_EXPRESSIONS)
        const emoji = rename(call, requireEmoji(guild.emojis, call))
        announce(guild)
        return emoji
      },
    },
    {
      method: 'DELETE',
      pattern: `${guilds}/:emoji`,
      handler: (call) => {
        const guild = inGuild(call, P.MANAGE_GUILD_EXPRESSIONS)
        guild.emojis.delete(String(requireEmoji(guild.emojis, call).id))
        announce(guild)
      },
    },
    { method: 'GET', pattern: applications, handler: (call) => ({ items: [...own(call).emojis.values()] }) },
    {
      method: 'POST',
      pattern: applications,
      handler: (call) => {
        const { emojis } = own(call)
        if (emojis.size >= PER_APPLICATION) throw maximumReached(30008, 'emojis', PER_APPLICATION)
        return created(make(call, emojis))
      },
    },
    { method: 'GET', pattern: `${applications}/:emoji`, handler: (call) => requireEmoji(own(call).emojis, call) },
    { method: 'PATCH', pattern: `${applications}/:emoji`, handler: (call) => rename(call, requireEmoji(own(call).emojis, call)) },
    {
      method: 'DELETE',
      pattern: `${applications}/:emoji`,
      handler: (call) => {
        const { emojis } = own(call)
        emojis.delete(String(requireEmoji(emojis, call).id))
      },
    },
  ]
}
