// Invites: making them (with roles and named people), reading, accepting and revoking them.

import { randomInt } from 'node:crypto'
import { audit, type Context, requireGuild, requireGuildChannel, requireId, requireInGuild, requireRole } from '../access.ts'
import { ApiError, maximumReached, missingPermissions, unknownThing } from '../errors.ts'
import { type Call, Reply, type Route } from '../http.ts'
import { Intent } from '../intents.ts'
import { joinGuild } from '../membership.ts'
import { P, standsAboveRole } from '../permissions.ts'
import { presentInvite, userOf } from '../present.ts'
import type { Guild, Invite, Wire } from '../store.ts'
import { boolean, nullable, object, validate, whole } from '../validate.ts'

const INVITES_PER_GUILD = 1000
const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789'

export function inviteRoutes(context: Context): Route[] {
  const { world, gateway } = context

  /** The invite, unless it ran out or never was (10006). */
  const requireInvite = (call: Call): Invite => {
    const invite = world.invites.get(call.params.code ?? '')
    const expired = invite && invite.max_age > 0 && Date.parse(invite.created_at) + invite.max_age * 1000 < world.now()
    if (!invite || expired || !world.guilds.has(invite.guild_id)) throw unknownThing('invite')
    return invite
  }

  const create = (call: Call): unknown => {
    const scope = requireGuildChannel(context, call, P.CREATE_INSTANT_INVITE)
    const body = validate<{
      max_age?: number | null
      max_uses?: number | null
      temporary?: boolean | null
      unique?: boolean | null
      role_ids?: string | string[] | null
      target_user_ids?: string | string[] | null
    }>(
      object({
        max_age: nullable(whole(0, 604_800)),
        max_uses: nullable(whole(0, 100)),
        temporary: nullable(boolean),
        unique: nullable(boolean),
      }),
      call.body,
    )
    const open = [...world.invites.values()].filter((invite) => invite.guild_id === scope.guild.id).length
    if (open >= INVITES_PER_GUILD) throw maximumReached(30016, 'invites', INVITES_PER_GUILD)
    const roles = idsOf(body.role_ids)
    if (roles.length > 0) requireInGuild(context, scope, P.MANAGE_ROLES)
    for (const id of roles) {
      const role = requireRole(scope.guild, id)
      if (role.managed || role.id === scope.guild.id) throw new ApiError(400, 50028, 'Invalid Role')
      if (!standsAboveRole(scope.guild, scope.member, role)) throw missingPermissions()
    }
    const invite: Invite = {
      code: Array.from({ length: 8 }, () => LETTERS[randomInt(LETTERS.length)]).join(''),
      guild_id: scope.guild.id,
      channel_id: scope.channel.id,
      inviter_id: call.user.id,
      created_at: world.iso(),
      max_age: body.max_age ?? 86_400,
      max_uses: body.max_uses ?? 0,
      uses: 0,
      temporary: body.temporary ?? false,
      role_ids: roles,
      target_user_ids: [...new Set([...idsOf(body.target_user_ids), ...idsInFile(call)])],
    }
    world.invites.set(invite.code, invite)
    const notice = {
      guild_id: scope.guild.id,
      channel_id: scope.channel.id,
      code: invite.code,
      created_at: invite.created_at,
      expires_at: presentInvite(world, invite, true).expires_at,
      inviter: userOf(world, call.user.id),
      max_age: invite.max_age,
      max_uses: invite.max_uses,
      temporary: invite.temporary,
      uses: 0,
      type: 0,
      ...(roles.length > 0 ? { role_ids: roles } : {}),
    }
    gateway.toGuild(scope.guild, 'INVITE_CREATE', notice, { intent: Intent.INVITES, channel: scope.channel, botsNeedView: true })
    audit(context, scope.guild, call, 40, null, { changes: changesOf(invite) })
    return presentInvite(world, invite, true)
  }

  const accept = (call: Call): unknown => {
    const invite = requireInvite(call)
    const guild = world.guilds.get(invite.guild_id) as Guild
    if (call.user.bot) throw new ApiError(403, 20001, 'Bots cannot use this endpoint')
    if (guild.bans.has(call.user.id)) throw new ApiError(403, 40007, 'The user is banned from this guild')
    if (invite.target_user_ids.length > 0 && !invite.target_user_ids.includes(call.user.id)) throw unknownThing('invite')
    const isNew = !guild.members.has(call.user.id)
    joinGuild(
      context,
      guild,
      call.user.id,
      invite.role_ids.filter((id) => guild.roles.has(id)),
    )
    if (isNew) invite.uses += 1
    const answer = { ...presentInvite(world, invite, false), new_member: isNew }
    if (invite.max_uses > 0 && invite.uses >= invite.max_uses) revoke(guild, invite)
    return answer
  }

  const requireManaged = (call: Call): Invite => {
    const invite = requireInvite(call)
    const scope = requireGuildChannel(context, call, 0n, invite.channel_id)
    if (invite.inviter_id !== call.user.id) requireInGuild(context, scope, P.MANAGE_GUILD)
    return invite
  }

  const target = (call: Call, userId: string, add: boolean): void => {
    const invite = requireManaged(call)
    const others = invite.target_user_ids.filter((id) => id !== userId)
    invite.target_user_ids = add ? [...others, userId] : others
  }

  const revoke = (guild: Guild, invite: Invite): void => {
    world.invites.delete(invite.code)
    const notice = { guild_id: guild.id, channel_id: invite.channel_id, code: invite.code }
    gateway.toGuild(guild, 'INVITE_DELETE', notice, { intent: Intent.INVITES })
  }

  const invitesWhere = (fits: (invite: Invite) => boolean) =>
    [...world.invites.values()].filter(fits).map((invite) => presentInvite(world, invite, true))

  return [
    { method: 'POST', pattern: '/channels/:channel/invites', handler: create },
    {
      method: 'GET',
      pattern: '/channels/:channel/invites',
      handler: (call) => {
        const { channel } = requireGuildChannel(context, call, P.MANAGE_CHANNELS)
        return invitesWhere((invite) => invite.channel_id === channel.id)
      },
    },
    {
      method: 'GET',
      pattern: '/guilds/:guild/invites',
      handler: (call) => {
        const scope = requireGuild(context, call)
        requireInGuild(context, scope, P.MANAGE_GUILD)
        return invitesWhere((invite) => invite.guild_id === scope.guild.id)
      },
    },
    { method: 'GET', pattern: '/invites/:code', open: true, handler: (call) => presentInvite(world, requireInvite(call), false) },
    { method: 'POST', pattern: '/invites/:code', handler: accept },
    {
      method: 'GET',
      pattern: '/invites/:code/target-users',
      handler: (call) =>
        new Reply(200, Buffer.from(['user_id', ...requireManaged(call).target_user_ids].join('\n')), {
          'Content-Type': 'text/csv',
        }),
    },
    {
      method: 'PUT',
      pattern: '/invites/:code/target-users',
      handler: (call) => {
        requireManaged(call).target_user_ids = idsInFile(call)
      },
    },
    {
      method: 'GET',
      pattern: '/invites/:code/target-users/job-status',
      handler: (call) => {
        const invite = requireManaged(call)
        const count = invite.target_user_ids.length
        return {
          status: 2,
          total_users: count,
          processed_users: count,
          created_at: invite.created_at,
          completed_at: invite.created_at,
          error_message: null,
        }
      },
    },
    {
      method: 'PUT',
      pattern: '/invites/:code/target-users/:user',
      handler: (call) => target(call, requireId('user_id', call.params.user), true),
    },
    {
      method: 'DELETE',
      pattern: '/invites/:code/target-users/:user',
      handler: (call) => target(call, requireId('user_id', call.params.user), false),
    },
    {
      method: 'DELETE',
      pattern: '/invites/:code',
      handler: (call) => {
        const invite = requireInvite(call)
        requireGuildChannel(context, call, P.MANAGE_CHANNELS, invite.channel_id)
        const wire = presentInvite(world, invite, false)
        const guild = world.guilds.get(invite.guild_id) as Guild
        revoke(guild, invite)
        audit(context, guild, call, 42, null, { changes: changesOf(invite) })
        return wire
      },
    },
  ]
}

/** An invite as the audit log lists it. */
function changesOf(invite: Invite): Wire[] {
  const { code, channel_id, inviter_id, max_uses, uses, max_age, temporary } = invite
  return Object.entries({ code, channel_id, inviter_id, max_uses, uses, max_age, temporary }).map(([key, value]) => ({
    key,
    new_value: value,
  }))
}

/** Ids in an uploaded `target_users_file`: one a line, a heading is skipped. */
const idsInFile = (call: Call): string[] =>
  call.files.filter((file) => file.field === 'target_users_file').flatMap((file) => idsOf(file.bytes.toString('utf8')))

/** Ids given as a list, or as text with commas or lines (multipart). */
function idsOf(given: string | string[] | null | undefined): string[] {
  const list = typeof given === 'string' ? given.split(/[\s,]+/) : (given ?? [])
  return list.map(String).filter((id) => /^\d+$/.test(id))
}
