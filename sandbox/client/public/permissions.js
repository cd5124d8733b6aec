// Discord's permission arithmetic for the signed-in person, so that the page shows and offers what the server would allow.
// Pure: reads roles and overwrites, decides nothing on behalf of the server.

/** @import { Channel, Guild } from './types.d.ts' */

export const Permission = {
  CreateInvite: 1n << 0n,
  KickMembers: 1n << 1n,
  Administrator: 1n << 3n,
  ManageChannels: 1n << 4n,
  AddReactions: 1n << 6n,
  ViewChannel: 1n << 10n,
  SendMessages: 1n << 11n,
  ManageMessages: 1n << 13n,
  AttachFiles: 1n << 15n,
  ReadMessageHistory: 1n << 16n,
  UseApplicationCommands: 1n << 31n,
  ManageRoles: 1n << 28n,
  ManageThreads: 1n << 34n,
  CreatePublicThreads: 1n << 35n,
  CreatePrivateThreads: 1n << 36n,
  SendMessagesInThreads: 1n << 38n,
  ModerateMembers: 1n << 40n,
  SendPolls: 1n << 49n,
  PinMessages: 1n << 51n,
}

const ALL = (1n << 64n) - 1n

/**
 * What `userId` may do in `channel` (in the guild as a whole when no channel is given), as a bit field. A thread takes its parent's permissions.
 * Order of the rules: owner, @everyone, roles, administrator, then the overwrites of @everyone, of roles together, of the member.
 * @param {Guild} guild
 * @param {string} userId
 * @param {Channel} [channel]
 * @param {Channel} [parent] the parent of a thread
 */
export function permissionsOf(guild, userId, channel, parent) {
  if (guild.owner_id === userId) return ALL
  const memberRoles = guild.members.get(userId)?.roles ?? []
  let allowed = BigInt(guild.roles.get(guild.id)?.permissions ?? 0)
  for (const id of memberRoles) allowed |= BigInt(guild.roles.get(id)?.permissions ?? 0)
  if (allowed & Permission.Administrator) return ALL

  const overwrites = (parent ?? channel)?.permission_overwrites ?? []
  /** @param {typeof overwrites} applied */
  const apply = (applied) => {
    const deny = applied.reduce((bits, overwrite) => bits | BigInt(overwrite.deny), 0n)
    const allow = applied.reduce((bits, overwrite) => bits | BigInt(overwrite.allow), 0n)
    allowed = (allowed & ~deny) | allow
  }
  apply(overwrites.filter((overwrite) => overwrite.id === guild.id))
  apply(overwrites.filter((overwrite) => overwrite.id !== guild.id && memberRoles.includes(overwrite.id)))
  apply(overwrites.filter((overwrite) => overwrite.id === userId))
  return allowed
}

/**
 * Whether a channel is closed to @everyone: Discord draws a lock on it.
 * @param {Guild} guild
 * @param {Channel} channel
 */
export function isPrivate(guild, channel) {
  const everyone = BigInt(guild.roles.get(guild.id)?.permissions ?? 0)
  const overwrite = channel.permission_overwrites?.find((candidate) => candidate.id === guild.id)
  const bits = overwrite ? (everyone & ~BigInt(overwrite.deny)) | BigInt(overwrite.allow) : everyone
  return (bits & Permission.ViewChannel) === 0n
}
