// Discord's permission rules: overwrites, role hierarchy, threads (Topics › Permissions).
// Pure functions over the store's entities; refuses nothing by itself.

import { ALL_PERMISSIONS, P } from './permission-bits.ts'
import { compareIds } from './snowflakes.ts'
import type { Channel, Guild, Member, Role } from './store.ts'

export { DM_PERMISSIONS, P } from './permission-bits.ts'

const TIMED_OUT = P.VIEW_CHANNEL | P.READ_MESSAGE_HISTORY
const NEEDS_SENDING = P.MENTION_EVERYONE | P.SEND_TTS_MESSAGES | P.ATTACH_FILES | P.EMBED_LINKS | P.SEND_POLLS

export const isThread = (channel: Channel): boolean => channel.type === 10 || channel.type === 11 || channel.type === 12

/** Permissions in the guild at large: owner and administrator have all, others the union of their roles. */
export function guildPermissions(guild: Guild, member: Member, now: number): bigint {
  if (guild.owner_id === member.user_id) return ALL_PERMISSIONS
  let bits = guild.roles.get(guild.id)?.permissions ?? 0n
  for (const id of member.roles) bits |= guild.roles.get(id)?.permissions ?? 0n
  if (bits & P.ADMINISTRATOR) return ALL_PERMISSIONS
  return isTimedOut(member, now) ? bits & TIMED_OUT : bits
}

/** Permissions in one channel; a thread takes its parent's (pass the parent) and private threads hide from non-members. */
export function channelPermissions(
  guild: Guild,
  member: Member,
  channel: Channel,
  parent: Channel | undefined,
  now: number,
): bigint {
  const base = guildPermissions(guild, member, now)
  if (base === ALL_PERMISSIONS) return base
  const source = isThread(channel) ? parent : channel
  if (!source) return 0n
  let bits = applyOverwrites(base, guild, member, source)
  if (isTimedOut(member, now)) bits &= TIMED_OUT
  if (!(bits & P.VIEW_CHANNEL)) return 0n
  if (channel.type === 12 && !channel.threadMembers.has(member.user_id) && !(bits & P.MANAGE_THREADS)) return 0n
  const sending = isThread(channel) ? P.SEND_MESSAGES_IN_THREADS : P.SEND_MESSAGES
  return bits & sending ? bits : bits & ~NEEDS_SENDING
}

function applyOverwrites(base: bigint, guild: Guild, member: Member, channel: Channel): bigint {
  const everyone = channel.overwrites.get(guild.id)
  let bits = everyone ? (base & ~everyone.deny) | everyone.allow : base
  let allow = 0n
  let deny = 0n
  for (const id of member.roles) {
    const overwrite = channel.overwrites.get(id)
    if (!overwrite) continue
    allow |= overwrite.allow
    deny |= overwrite.deny
  }
  bits = (bits & ~deny) | allow
  const own = channel.overwrites.get(member.user_id)
  return own ? (bits & ~own.deny) | own.allow : bits
}

function isTimedOut(member: Member, now: number): boolean {
  return member.communication_disabled_until !== null && Date.parse(member.communication_disabled_until) > now
}

/** Orders roles as the hierarchy does: the higher one first; of equal positions the older one is higher. */
export function compareRoles(a: Role, b: Role): number {
  return b.position - a.position || compareIds(a.id, b.id)
}

/** The member's highest role (at least @everyone). */
function highestRole(guild: Guild, member: Member): Role {
  const everyone = guild.roles.get(guild.id) as Role
  return member.roles
    .map((id) => guild.roles.get(id))
    .filter((role): role is Role => role !== undefined)
    .reduce((best, role) => (compareRoles(role, best) < 0 ? role : best), everyone)
}

/** Whether the actor stands above the role. The owner stands above all. */
export function standsAboveRole(guild: Guild, actor: Member, role: Role): boolean {
  return guild.owner_id === actor.user_id || compareRoles(highestRole(guild, actor), role) < 0
}

/** Whether the actor stands above the other member. Nobody stands above the owner. */
export function standsAboveMember(guild: Guild, actor: Member, other: Member): boolean {
  if (guild.owner_id === other.user_id) return false
  return guild.owner_id === actor.user_id || compareRoles(highestRole(guild, actor), highestRole(guild, other)) < 0
}
