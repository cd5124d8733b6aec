// Who may see and do what: finds what a call names, or refuses with Discord's code for it. Changes nothing.

import type { Alarms } from './alarms.ts'
import { botsOnly, invalidField, missingAccess, missingPermissions, unknownThing, wrongChannelType } from './errors.ts'
import type { Faults } from './faults.ts'
import type { Gateway } from './gateway.ts'
import type { Call, Handler } from './http.ts'
import { channelPermissions, DM_PERMISSIONS, guildPermissions, isThread, P } from './permissions.ts'
import type { RateLimits } from './ratelimits.ts'
import { isSnowflake } from './snowflakes.ts'
import type { Application, Channel, Guild, Member, Message, Role, Wire, World } from './store.ts'

/** What the endpoints share. */
export interface Context {
  world: World
  gateway: Gateway
  faults: Faults
  limits: RateLimits
  /** What is due on the sandbox's clock. */
  alarms: Alarms
  /** Runs later; cancelled when the sandbox closes. Returns the timer. */
  after: (ms: number, run: () => void) => NodeJS.Timeout
  /** Calls by webhook token that are not an interaction's. */
  webhooks: { execute: Handler; read: Handler; edit: Handler; remove: Handler }
}

/** Refuses what is not a snowflake as Discord does: 50035 naming the parameter. */
export function requireId(name: string, value: string | undefined): string {
  if (value !== undefined && isSnowflake(value)) return value
  throw invalidField([name], 'NUMBER_TYPE_COERCE', `Value "${value}" is not snowflake.`)
}

export interface InGuild {
  guild: Guild
  member: Member
}

/** The guild and the caller's membership. 10004 for an unknown guild, 50001 when the caller is not in it. */
export function requireGuild(context: Context, call: Call, id = call.params.guild): InGuild {
  const guild = context.world.guilds.get(requireId('guild_id', id))
  if (!guild) throw unknownThing('guild')
  const member = guild.members.get(call.user.id)
  if (!member) throw missingAccess()
  return { guild, member }
}

/** Refuses with 50013 unless the member has all of the permissions in the guild at large. */
export function requireInGuild(context: Context, { guild, member }: InGuild, permissions: bigint): void {
  if ((guildPermissions(guild, member, context.world.now()) & permissions) !== permissions) throw missingPermissions()
}

export function permissionsIn(context: Context, guild: Guild, member: Member, channel: Channel): bigint {
  const parent = channel.parent_id === null ? undefined : context.world.channels.get(channel.parent_id)
  return channelPermissions(guild, member, channel, parent, context.world.now())
}

export interface InChannel {
  channel: Channel
  /** Null in a DM. */
  guild: Guild | null
  member: Member | null
  permissions: bigint
}

/** The channel, when the caller may see it. 10003 for an unknown one, 50001 when hidden, 50013 when a permission is missing. */
export function requireChannel(context: Context, call: Call, permissions = 0n, id = call.params.channel): InChannel {
  const channel = context.world.channels.get(requireId('channel_id', id))
  if (!channel) throw unknownThing('channel')
  if (channel.guild_id === null) {
    if (!channel.recipients.includes(call.user.id)) throw missingAccess()
    return { channel, guild: null, member: null, permissions: DM_PERMISSIONS }
  }
  const guild = context.world.guilds.get(channel.guild_id) as Guild
  const member = guild.members.get(call.user.id)
  if (!member) throw missingAccess()
  const held = permissionsIn(context, guild, member, channel)
  if (!(held & P.VIEW_CHANNEL)) throw missingAccess()
  if ((held & permissions) !== permissions) throw missingPermissions()
  return { channel, guild, member, permissions: held }
}

/** Like requireChannel, but the channel must be one of a guild. */
export function requireGuildChannel(
  context: Context,
  call: Call,
  permissions = 0n,
  id = call.params.channel,
): InGuild & { channel: Channel; permissions: bigint } {
  const found = requireChannel(context, call, permissions, id)
  if (!found.guild || !found.member) throw wrongChannelType()
  return { channel: found.channel, guild: found.guild, member: found.member, permissions: found.permissions }
}

export const isTextual = (channel: Channel): boolean => [0, 1, 2, 5, 13].includes(channel.type) || isThread(channel)

export function requireMessage(channel: Channel, id: string | undefined): Message {
  const message = channel.messages.get(requireId('message_id', id))
  if (!message) throw unknownThing('message')
  return message
}

export function requireRole(guild: Guild, id: string | undefined): Role {
  const role = guild.roles.get(requireId('role_id', id))
  if (!role) throw unknownThing('role')
  return role
}

/** 10013 for a user that does not exist, 10007 for one that is not in the guild. */
export function requireMember(context: Context, guild: Guild, id: string | undefined): Member {
  const userId = requireId('user_id', id)
  if (!context.world.users.has(userId)) throw unknownThing('user')
  const member = guild.members.get(userId)
  if (!member) throw unknownThing('member')
  return member
}

export function requireBot(call: Call): Application {
  if (!call.application) throw botsOnly()
  return call.application
}

/** Adds an audit log entry and tells the bots that may read it. */
export function audit(
  context: Context,
  guild: Guild,
  call: Call,
  action: number,
  targetId: string | null,
  extra: { changes?: Wire[]; options?: Wire } = {},
): void {
  const entry: Wire = {
    id: context.world.id(),
    action_type: action,
    user_id: call.user.id,
    target_id: targetId,
    ...(extra.changes ? { changes: extra.changes } : {}),
    ...(extra.options ? { options: extra.options } : {}),
    ...(call.reason === null ? {} : { reason: call.reason }),
  }
  guild.auditLog.push(entry)
  context.gateway.toGuild(
    guild,
    'GUILD_AUDIT_LOG_ENTRY_CREATE',
    { guild_id: guild.id, ...entry },
    { intent: 1 << 2, botsOnly: true },
  )
}

/** The differences between two presentations of a thing, as an audit log entry lists them. */
export function changesBetween(before: Wire, after: Wire): Wire[] {
  return Object.keys(after)
    .filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
    .map((key) => ({ key, old_value: before[key], new_value: after[key] }))
}
