// Users: oneself, others, one's guilds and direct messages.

import { type Context, requireId } from '../access.ts'
import { invalidField, unknownThing } from '../errors.ts'
import type { Route } from '../http.ts'
import { leaveGuild } from '../membership.ts'
import { presentChannel, presentMember, presentMyGuild, presentSelf, presentUser } from '../present.ts'
import { type Channel, newChannel, type User } from '../store.ts'
import { list, object, required, snowflake, text, validate } from '../validate.ts'

export function userRoutes(context: Context): Route[] {
  const { world, gateway } = context
  return [
    { method: 'GET', pattern: '/users/@me', handler: (call) => presentSelf(call.user) },
    {
      method: 'PATCH',
      pattern: '/users/@me',
      handler: (call) => {
        const body = validate<{ username?: string; global_name?: string | null }>(
          object({
            username: text({ min: 2, max: 32 }),
            global_name: (value, at, problems) => value === null || text({ max: 32 })(value, at, problems),
          }),
          call.body,
        )
        if (body.username !== undefined) call.user.username = body.username
        if (body.global_name !== undefined) call.user.global_name = body.global_name
        gateway.toUser(call.user.id, 'USER_UPDATE', presentSelf(call.user))
        return presentSelf(call.user)
      },
    },
    {
      method: 'GET',
      pattern: '/users/@me/guilds',
      handler: (call) =>
        [...world.guilds.values()].flatMap((guild) => {
          const member = guild.members.get(call.user.id)
          return member ? [presentMyGuild(world, guild, member)] : []
        }),
    },
    {
      method: 'GET',
      pattern: '/users/@me/guilds/:guild/member',
      handler: (call) => {
        const member = world.guilds.get(requireId('guild_id', call.params.guild))?.members.get(call.user.id)
        if (!member) throw unknownThing('guild')
        return presentMember(world, member)
      },
    },
    {
      method: 'DELETE',
      pattern: '/users/@me/guilds/:guild',
      handler: (call) => {
        const guild = world.guilds.get(requireId('guild_id', call.params.guild))
        if (!guild?.members.has(call.user.id)) throw unknownThing('guild')
        if (guild.owner_id === call.user.id) throw invalidField(['guild_id'], 'GUILD_OWNER', 'The owner cannot leave the guild.')
        leaveGuild(context, guild, call.user.id)
      },
    },
    {
      method: 'GET',
      pattern: '/users/@me/channels',
      handler: (call) =>
        [...world.channels.values()]
          .filter((channel) => channel.type === 1 && channel.recipients.includes(call.user.id))
          .map((channel) => presentChannel(world, channel, call.user.id)),
    },
    {
      method: 'POST',
      pattern: '/users/@me/channels',
      handler: (call) => {
        const body = validate<{ recipient_id?: string; recipients?: string[] }>(
          object({ recipient_id: snowflake, recipients: list(required(snowflake), { min: 1, max: 1 }) }),
          call.body,
        )
        const id = body.recipient_id ?? body.recipients?.[0]
        if (id === undefined) throw invalidField(['recipient_id'], 'BASE_TYPE_REQUIRED', 'This field is required')
        const other = world.users.get(String(id))
        if (!other) throw invalidField(['recipient_id'], 'USER_INVALID', 'Invalid Recipient(s)')
        return presentChannel(world, openDm(context, call.user, other), call.user.id)
      },
    },
    { method: 'GET', pattern: '/users/@me/connections', handler: () => [] },
    {
      method: 'GET',
      pattern: '/users/:user',
      handler: (call) => {
        const user = world.users.get(requireId('user_id', call.params.user))
        if (!user) throw unknownThing('user')
        return presentUser(user)
      },
    },
  ]
}

/** The DM channel of the two, made when there is none. People who open one see it in their client at once. */
function openDm(context: Context, user: User, other: User): Channel {
  const { world, gateway } = context
  for (const channel of world.channels.values()) {
    if (channel.type === 1 && channel.recipients.includes(user.id) && channel.recipients.includes(other.id)) return channel
  }
  const channel = newChannel(world, { type: 1, name: '', recipients: [user.id, other.id] })
  world.channels.set(channel.id, channel)
  for (const one of [user, other]) {
    if (!one.bot) gateway.toUser(one.id, 'CHANNEL_CREATE', presentChannel(world, channel, one.id))
  }
  return channel
}
