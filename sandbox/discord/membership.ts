// Coming and going: what happens to a guild and its watchers when a person or a bot joins, changes or leaves.

import type { Context } from './access.ts'
import { maximumReached } from './errors.ts'
import { Intent } from './intents.ts'
import { systemMessage } from './messages.ts'
import { presentChannel, presentMember, presentRole } from './present.ts'
import { type Application, type Guild, type Member, newMember, newRole, type Role, threadsOf, type Wire } from './store.ts'

/** Makes the user a member (or returns the member that already is) and tells all who should know. */
export function joinGuild(context: Context, guild: Guild, userId: string, roles: readonly string[] = []): Member {
  const { world, gateway } = context
  const known = guild.members.get(userId)
  if (known) {
    const fresh = roles.filter((role) => !known.roles.includes(role))
    if (fresh.length > 0) setRoles(context, guild, known, [...known.roles, ...fresh])
    return known
  }
  const member = newMember(world, userId, [...roles])
  guild.members.set(userId, member)
  gateway.joined(guild, userId)
  gateway.toGuild(
    guild,
    'GUILD_MEMBER_ADD',
    (viewer) => (viewer.userId === userId && viewer.bot ? null : { ...presentMember(world, member), guild_id: guild.id }),
    { intent: Intent.MEMBERS },
  )
  const channel = guild.system_channel_id === null ? undefined : world.channels.get(guild.system_channel_id)
  if (channel && !(guild.system_channel_flags & 1)) systemMessage(context, channel, userId, 7)
  return member
}

/** Takes the member out of the guild and its threads. */
export function leaveGuild(context: Context, guild: Guild, userId: string): void {
  const { world, gateway } = context
  guild.members.delete(userId)
  for (const thread of threadsOf(world, guild.id)) thread.threadMembers.delete(userId)
  const application = [...world.applications.values()].find((one) => one.bot_id === userId)
  if (application) {
    guild.applications.delete(application.id)
    for (const role of [...guild.roles.values()]) {
      if (role.tags?.bot_id === userId) removeRole(context, guild, role)
    }
  }
  gateway.left(guild, userId)
  gateway.toGuild(
    guild,
    'GUILD_MEMBER_REMOVE',
    { guild_id: guild.id, user: presentMember(world, newMember(world, userId)).user },
    { intent: Intent.MEMBERS },
  )
}

/** Puts the application's bot into the guild, with its managed role holding `permissions`. */
export function installApplication(context: Context, guild: Guild, application: Application, permissions: bigint): Member {
  const { world, gateway } = context
  guild.applications.add(application.id)
  const existing = [...guild.roles.values()].find((role) => role.tags?.bot_id === application.bot_id)
  if (existing) {
    existing.permissions = permissions
    gateway.toGuild(guild, 'GUILD_ROLE_UPDATE', { guild_id: guild.id, role: presentRole(existing) }, { intent: Intent.GUILDS })
    gateway.syncVisibility(guild)
    return guild.members.get(application.bot_id) ?? joinGuild(context, guild, application.bot_id, [existing.id])
  }
  const integrationId = world.id()
  guild.integrations.set(integrationId, application.id)
  const role = newRole(world, {
    name: application.name,
    permissions,
    position: 1,
    managed: true,
    tags: { bot_id: application.bot_id, integration_id: integrationId },
  })
  for (const other of guild.roles.values()) if (other.position >= 1) other.position += 1
  guild.roles.set(role.id, role)
  gateway.toGuild(guild, 'GUILD_ROLE_CREATE', { guild_id: guild.id, role: presentRole(role) }, { intent: Intent.GUILDS })
  return joinGuild(context, guild, application.bot_id, [role.id])
}

/** Replaces the member's roles and tells everybody; channels that appear or vanish follow. */
export function setRoles(context: Context, guild: Guild, member: Member, roles: readonly string[]): void {
  member.roles = [...new Set(roles)]
  announceMember(context, guild, member)
}

/** Sends GUILD_MEMBER_UPDATE; a bot hears of itself whatever its intents are. */
export function announceMember(context: Context, guild: Guild, member: Member): void {
  const { world, gateway } = context
  const payload: Wire = { ...presentMember(world, member), guild_id: guild.id }
  gateway.toGuild(guild, 'GUILD_MEMBER_UPDATE', payload, { intent: Intent.MEMBERS })
  gateway.syncVisibility(guild)
}

/** Adds a role at the bottom of the hierarchy. 30005 at 250 roles. */
export function addRole(context: Context, guild: Guild, fields: Partial<Role> & { name: string }): Role {
  if (guild.roles.size >= 250) throw maximumReached(30005, 'guild roles', 250)
  const role = newRole(context.world, { ...fields, position: 1 })
  guild.roles.set(role.id, role)
  context.gateway.toGuild(guild, 'GUILD_ROLE_CREATE', { guild_id: guild.id, role: presentRole(role) }, { intent: Intent.GUILDS })
  return role
}

/** Takes the role from the guild, its members and its channels. */
export function removeRole(context: Context, guild: Guild, role: Role): void {
  const { world, gateway } = context
  guild.roles.delete(role.id)
  for (const member of guild.members.values()) {
    if (!member.roles.includes(role.id)) continue
    member.roles = member.roles.filter((id) => id !== role.id)
    gateway.toGuild(
      guild,
      'GUILD_MEMBER_UPDATE',
      { ...presentMember(world, member), guild_id: guild.id },
      { intent: Intent.MEMBERS },
    )
  }
  gateway.toGuild(guild, 'GUILD_ROLE_DELETE', { guild_id: guild.id, role_id: role.id }, { intent: Intent.GUILDS })
  for (const channel of world.channels.values()) {
    if (channel.guild_id !== guild.id || !channel.overwrites.delete(role.id)) continue
    gateway.toGuild(guild, 'CHANNEL_UPDATE', presentChannel(world, channel), { intent: Intent.GUILDS, channel })
  }
  gateway.syncVisibility(guild)
}
