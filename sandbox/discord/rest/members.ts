// Members: listing, finding, editing, giving and taking roles, kicking, banning.

import {
  audit,
  type Context,
  type InGuild,
  requireGuild,
  requireId,
  requireInGuild,
  requireMember,
  requireRole,
} from '../access.ts'
import { ApiError, invalidField, missingPermissions, unknownThing } from '../errors.ts'
import type { Call, Route } from '../http.ts'
import { Intent } from '../intents.ts'
import { announceMember, leaveGuild, setRoles } from '../membership.ts'
import { P, standsAboveMember, standsAboveRole } from '../permissions.ts'
import { presentMember, userOf } from '../present.ts'
import { compareIds } from '../snowflakes.ts'
import { type Guild, type Member, timestampOf, type Wire } from '../store.ts'
import { boolean, list, nullable, object, required, snowflake, text, timestamp, validate, whole } from '../validate.ts'

const DAYS_28 = 28 * 24 * 3_600_000

/** Reads a whole number from the query, within bounds; 50035 otherwise. */
export function queryNumber(call: Call, name: string, fallback: number, min: number, max: number): number {
  const given = call.query.get(name)
  if (given === null) return fallback
  validate(object({ [name]: whole(min, max) }), { [name]: given })
  return Number(given)
}

/** Reads an id from the query; 0 is one, too: it stands before all. */
export function queryId(call: Call, name: string): string | null {
  const given = call.query.get(name)
  return given === null || given === '0' ? given : requireId(name, given)
}

/** The page of ids that `limit`, `before` and `after` ask for, in the order of ids, as Discord pages through people. */
export function pageOfIds(call: Call, ids: Iterable<string>, usual: number, most = 100): string[] {
  const limit = queryNumber(call, 'limit', usual, 1, most)
  const before = queryId(call, 'before')
  const after = queryId(call, 'after') ?? '0'
  const sorted = [...ids].sort(compareIds)
  if (before) return sorted.filter((id) => compareIds(id, before) < 0).slice(-limit)
  return sorted.filter((id) => compareIds(id, after) > 0).slice(0, limit)
}

/** Such a page as users. */
export const pageOfUsers = ({ world }: Context, call: Call, ids: Iterable<string>, usual: number): Wire[] =>
  pageOfIds(call, ids, usual).map((id) => userOf(world, id))

export function memberRoutes(context: Context): Route[] {
  const { world, gateway } = context

  const requireAbove = (scope: InGuild, other: Member): void => {
    if (!standsAboveMember(scope.guild, scope.member, other)) throw missingPermissions()
  }

  /** Refuses roles that nobody may hand out by hand, or that stand above the caller. */
  const requireGrantable = (scope: InGuild, roleId: string): void => {
    const role = requireRole(scope.guild, roleId)
    if (role.managed || role.id === scope.guild.id) throw new ApiError(400, 50028, 'Invalid Role')
    if (!standsAboveRole(scope.guild, scope.member, role)) throw missingPermissions()
  }

  const changeRole = (call: Call, add: boolean): void => {
    const scope = requireGuild(context, call)
    requireInGuild(context, scope, P.MANAGE_ROLES)
    const member = requireMember(context, scope.guild, call.params.user)
    const roleId = requireId('role_id', call.params.role)
    requireGrantable(scope, roleId)
    if (member.roles.includes(roleId) === add) return
    setRoles(context, scope.guild, member, add ? [...member.roles, roleId] : member.roles.filter((id) => id !== roleId))
    const changed = [{ id: roleId, name: scope.guild.roles.get(roleId)?.name }]
    audit(context, scope.guild, call, 25, member.user_id, { changes: [{ key: add ? '$add' : '$remove', new_value: changed }] })
  }

  const edit = (call: Call): Wire => {
    const scope = requireGuild(context, call)
    const member = requireMember(context, scope.guild, call.params.user)
    const body = validate<{
      nick?: string | null
      roles?: string[] | null
      mute?: boolean | null
      deaf?: boolean | null
      communication_disabled_until?: string | null
      flags?: number | null
    }>(
      object({
        nick: nullable(text({ max: 32 })),
        roles: nullable(list(snowflake)),
        mute: nullable(boolean),
        deaf: nullable(boolean),
        communication_disabled_until: nullable(timestamp),
        flags: nullable(whole(0)),
      }),
      call.body,
    )
    const self = member.user_id === call.user.id
    if (body.nick !== undefined) {
      requireInGuild(context, scope, self ? P.CHANGE_NICKNAME : P.MANAGE_NICKNAMES)
      if (!self) requireAbove(scope, member)
      member.nick = body.nick?.trim() || null
    }
    if (body.communication_disabled_until !== undefined) {
      requireInGuild(context, scope, P.MODERATE_MEMBERS)
      requireAbove(scope, member)
      const until = body.communication_disabled_until
      if (until !== null && Date.parse(until) > world.now() + DAYS_28) {
        throw invalidField(['communication_disabled_until'], 'TIMEOUT_TOO_LONG', 'Must be within the next 28 days.')
      }
      member.communication_disabled_until = until === null ? null : timestampOf(Date.parse(until))
    }
    if (typeof body.mute === 'boolean') {
      requireInGuild(context, scope, P.MUTE_MEMBERS)
      member.mute = body.mute
    }
    if (typeof body.deaf === 'boolean') {
      requireInGuild(context, scope, P.DEAFEN_MEMBERS)
      member.deaf = body.deaf
    }
    if (typeof body.flags === 'number') {
      requireInGuild(context, scope, P.MODERATE_MEMBERS)
      member.flags = (member.flags & ~4) | (body.flags & 4)
    }
    if (Array.isArray(body.roles)) {
      requireInGuild(context, scope, P.MANAGE_ROLES)
      const wanted = [...new Set(body.roles.map(String))]
      for (const id of wanted) requireRole(scope.guild, id)
      for (const id of [
        ...wanted.filter((id) => !member.roles.includes(id)),
        ...member.roles.filter((id) => !wanted.includes(id)),
      ]) {
        requireGrantable(scope, id)
      }
      member.roles = wanted
      audit(context, scope.guild, call, 25, member.user_id, {})
    }
    announceMember(context, scope.guild, member)
    audit(context, scope.guild, call, 24, member.user_id, {})
    return presentMember(world, member)
  }

  const ban = (call: Call, guild: Guild, scope: InGuild, userId: string): void => {
    if (!world.users.has(userId)) throw unknownThing('user')
    const member = guild.members.get(userId)
    if (member) requireAbove(scope, member)
    guild.bans.set(userId, call.reason)
    if (member) leaveGuild(context, guild, userId)
    gateway.toGuild(guild, 'GUILD_BAN_ADD', { guild_id: guild.id, user: userOf(world, userId) }, { intent: Intent.MODERATION })
    audit(context, guild, call, 22, userId)
  }

  return [
    {
      method: 'GET',
      pattern: '/guilds/:guild/members',
      handler: (call) => {
        const { guild } = requireGuild(context, call)
        const limit = queryNumber(call, 'limit', 1, 1, 1000)
        const after = call.query.get('after') ?? '0'
        return [...guild.members.values()]
          .sort((a, b) => compareIds(a.user_id, b.user_id))
          .filter((member) => compareIds(member.user_id, after) > 0)
          .slice(0, limit)
          .map((member) => presentMember(world, member))
      },
    },
    {
      method: 'GET',
      pattern: '/guilds/:guild/members/search',
      handler: (call) => {
        const { guild } = requireGuild(context, call)
        const query = call.query.get('query')?.toLowerCase()
        if (!query) throw invalidField(['query'], 'BASE_TYPE_REQUIRED', 'This field is required')
        const limit = queryNumber(call, 'limit', 1, 1, 1000)
        return [...guild.members.values()]
          .filter((member) => {
            const name = world.users.get(member.user_id)?.username.toLowerCase() ?? ''
            return name.startsWith(query) || (member.nick ?? '').toLowerCase().startsWith(query)
          })
          .slice(0, limit)
          .map((member) => presentMember(world, member))
      },
    },
    {
      method: 'GET',
      pattern: '/guilds/:guild/members/:user',
      handler: (call) => {
        if (call.params.user === '@me') call.params.user = call.user.id
        return presentMember(world, requireMember(context, requireGuild(context, call).guild, call.params.user))
      },
    },
    {
      method: 'PATCH',
      pattern: '/guilds/:guild/members/@me',
      handler: (call) => edit({ ...call, params: { ...call.params, user: call.user.id } }),
    },
    { method: 'PATCH', pattern: '/guilds/:guild/members/:user', handler: edit },
    { method: 'PUT', pattern: '/guilds/:guild/members/:user/roles/:role', handler: (call) => changeRole(call, true) },
    { method: 'DELETE', pattern: '/guilds/:guild/members/:user/roles/:role', handler: (call) => changeRole(call, false) },
    {
      method: 'DELETE',
      pattern: '/guilds/:guild/members/:user',
      handler: (call) => {
        const scope = requireGuild(context, call)
        requireInGuild(context, scope, P.KICK_MEMBERS)
        const member = requireMember(context, scope.guild, call.params.user)
        requireAbove(scope, member)
        leaveGuild(context, scope.guild, member.user_id)
        audit(context, scope.guild, call, 20, member.user_id)
      },
    },
    {
      method: 'GET',
      pattern: '/guilds/:guild/bans',
      handler: (call) => {
        const scope = requireGuild(context, call)
        requireInGuild(context, scope, P.BAN_MEMBERS)
        return pageOfIds(call, scope.guild.bans.keys(), 1000, 1000).map((id) => ({
          user: userOf(world, id),
          reason: scope.guild.bans.get(id) ?? null,
        }))
      },
    },
    {
      method: 'GET',
      pattern: '/guilds/:guild/bans/:user',
      handler: (call) => {
        const scope = requireGuild(context, call)
        requireInGuild(context, scope, P.BAN_MEMBERS)
        const id = requireId('user_id', call.params.user)
        if (!scope.guild.bans.has(id)) throw unknownThing('ban')
        return { user: userOf(world, id), reason: scope.guild.bans.get(id) ?? null }
      },
    },
    {
      method: 'PUT',
      pattern: '/guilds/:guild/bans/:user',
      handler: (call) => {
        const scope = requireGuild(context, call)
        requireInGuild(context, scope, P.BAN_MEMBERS)
        ban(call, scope.guild, scope, requireId('user_id', call.params.user))
      },
    },
    {
      method: 'POST',
      pattern: '/guilds/:guild/bulk-ban',
      handler: (call) => {
        const scope = requireGuild(context, call)
        requireInGuild(context, scope, P.BAN_MEMBERS | P.MANAGE_GUILD)
        const { user_ids } = validate<{ user_ids: string[] }>(
          object({ user_ids: required(list(snowflake, { min: 1, max: 200 })) }),
          call.body,
        )
        for (const id of user_ids) ban(call, scope.guild, scope, id)
        return { banned_users: user_ids, failed_users: [] }
      },
    },
    {
      method: 'DELETE',
      pattern: '/guilds/:guild/bans/:user',
      handler: (call) => {
        const scope = requireGuild(context, call)
        requireInGuild(context, scope, P.BAN_MEMBERS)
        const id = requireId('user_id', call.params.user)
        if (!scope.guild.bans.delete(id)) throw unknownThing('ban')
        gateway.toGuild(
          scope.guild,
          'GUILD_BAN_REMOVE',
          { guild_id: scope.guild.id, user: userOf(world, id) },
          { intent: Intent.MODERATION },
        )
        audit(context, scope.guild, call, 23, id)
      },
    },
  ]
}
