// Roles: making, ordering, changing and deleting them, within the hierarchy.

import {
  audit,
  type Context,
  changesBetween,
  type InGuild,
  requireGuild,
  requireId,
  requireInGuild,
  requireRole,
} from '../access.ts'
import { ApiError, missingPermissions } from '../errors.ts'
import type { Route } from '../http.ts'
import { Intent } from '../intents.ts'
import { addRole, removeRole } from '../membership.ts'
import { compareRoles, guildPermissions, P, standsAboveRole } from '../permissions.ts'
import { presentRole } from '../present.ts'
import type { Role } from '../store.ts'
import { bitfield, boolean, list, nullable, object, required, snowflake, text, validate, whole } from '../validate.ts'

interface RoleBody {
  name?: string | null
  permissions?: string | number | null
  color?: number | null
  colors?: { primary_color: number; secondary_color?: number | null; tertiary_color?: number | null } | null
  hoist?: boolean | null
  mentionable?: boolean | null
  icon?: string | null
  unicode_emoji?: string | null
}

const color = whole(0, 0xffffff)
const shape = object({
  name: nullable(text({ max: 100 })),
  permissions: nullable(bitfield),
  color: nullable(color),
  colors: nullable(object({ primary_color: required(color), secondary_color: nullable(color), tertiary_color: nullable(color) })),
  hoist: nullable(boolean),
  mentionable: nullable(boolean),
  icon: nullable(text()),
  unicode_emoji: nullable(text({ max: 32 })),
})

export function roleRoutes(context: Context): Route[] {
  const { world, gateway } = context

  /** Refuses permissions that the caller does not hold. */
  const requireHeld = (scope: InGuild, wanted: bigint): void => {
    const held = guildPermissions(scope.guild, scope.member, world.now())
    if (!(held & P.ADMINISTRATOR) && (wanted & ~held) !== 0n) throw missingPermissions()
  }

  const fieldsOf = (body: RoleBody): Partial<Role> => ({
    ...(body.name === undefined || body.name === null ? {} : { name: body.name.trim() || 'new role' }),
    ...(body.permissions === undefined || body.permissions === null ? {} : { permissions: BigInt(body.permissions) }),
    ...(body.color === undefined || body.color === null ? {} : { color: body.color }),
    ...(body.colors
      ? {
          color: body.colors.primary_color,
          secondary_color: body.colors.secondary_color ?? null,
          tertiary_color: body.colors.tertiary_color ?? null,
        }
      : {}),
    ...(typeof body.hoist === 'boolean' ? { hoist: body.hoist } : {}),
    ...(typeof body.mentionable === 'boolean' ? { mentionable: body.mentionable } : {}),
    ...(body.unicode_emoji === undefined ? {} : { unicode_emoji: body.unicode_emoji }),
  })

  const announce = (scope: InGuild, role: Role): void => {
    gateway.toGuild(
      scope.guild,
      'GUILD_ROLE_UPDATE',
      { guild_id: scope.guild.id, role: presentRole(role) },
      { intent: Intent.GUILDS },
    )
  }

  const sorted = (scope: InGuild) => [...scope.guild.roles.values()].map(presentRole)

  return [
    { method: 'GET', pattern: '/guilds/:guild/roles', handler: (call) => sorted(requireGuild(context, call)) },
    {
      method: 'GET',
      pattern: '/guilds/:guild/roles/member-counts',
      handler: (call) => {
        const { guild } = requireGuild(context, call)
        const members = [...guild.members.values()]
        return Object.fromEntries(
          [...guild.roles.keys()]
            .filter((id) => id !== guild.id)
            .map((id) => [id, members.filter((member) => member.roles.includes(id)).length]),
        )
      },
    },
    {
      method: 'GET',
      pattern: '/guilds/:guild/roles/:role',
      handler: (call) => presentRole(requireRole(requireGuild(context, call).guild, call.params.role)),
    },
    {
      method: 'POST',
      pattern: '/guilds/:guild/roles',
      handler: (call) => {
        const scope = requireGuild(context, call)
        requireInGuild(context, scope, P.MANAGE_ROLES)
        const fields = fieldsOf(validate<RoleBody>(shape, call.body))
        const everyone = scope.guild.roles.get(scope.guild.id) as Role
        if (fields.permissions !== undefined) requireHeld(scope, fields.permissions)
        const role = addRole(context, scope.guild, { name: 'new role', permissions: everyone.permissions, ...fields })
        audit(context, scope.guild, call, 30, role.id, {
          changes: changesBetween({}, { name: role.name, permissions: role.permissions.toString() }),
        })
        return presentRole(role)
      },
    },
    {
      method: 'PATCH',
      pattern: '/guilds/:guild/roles',
      handler: (call) => {
        const scope = requireGuild(context, call)
        requireInGuild(context, scope, P.MANAGE_ROLES)
        const moves = validate<{ id: string; position?: number | null }[]>(
          list(object({ id: required(snowflake), position: nullable(whole(0, 250)) }), { min: 1 }),
          call.body,
        )
        for (const move of moves) requireRole(scope.guild, String(move.id))
        const order = orderAfter(scope, moves)
        if (!keepsHigherRoles(scope, order)) throw missingPermissions()
        for (const [index, role] of order.entries()) role.position = index + 1
        for (const role of scope.guild.roles.values()) if (role.id !== scope.guild.id) announce(scope, role)
        return sorted(scope)
      },
    },
    {
      method: 'PATCH',
      pattern: '/guilds/:guild/roles/:role',
      handler: (call) => {
        const scope = requireGuild(context, call)
        requireInGuild(context, scope, P.MANAGE_ROLES)
        const role = requireRole(scope.guild, call.params.role)
        if (role.id !== scope.guild.id && !standsAboveRole(scope.guild, scope.member, role)) throw missingPermissions()
        const fields = fieldsOf(validate<RoleBody>(shape, call.body))
        if (fields.permissions !== undefined) requireHeld(scope, fields.permissions & ~role.permissions)
        const before = presentRole(role)
        Object.assign(role, role.id === scope.guild.id ? { ...fields, name: '@everyone' } : fields)
        audit(context, scope.guild, call, 31, role.id, { changes: changesBetween(before, presentRole(role)) })
        announce(scope, role)
        gateway.syncVisibility(scope.guild)
        return presentRole(role)
      },
    },
    {
      method: 'DELETE',
      pattern: '/guilds/:guild/roles/:role',
      handler: (call) => {
        const scope = requireGuild(context, call)
        requireInGuild(context, scope, P.MANAGE_ROLES)
        const role = requireRole(scope.guild, requireId('role_id', call.params.role))
        if (role.id === scope.guild.id || role.managed) throw new ApiError(400, 50028, 'Invalid Role')
        if (!standsAboveRole(scope.guild, scope.member, role)) throw missingPermissions()
        removeRole(context, scope.guild, role)
        audit(context, scope.guild, call, 32, role.id, { changes: [{ key: 'name', old_value: role.name }] })
      },
    },
  ]
}

/** The roles but @everyone from the bottom up, as they stand once the named ones have their positions. */
function orderAfter({ guild }: InGuild, moves: readonly { id: string; position?: number | null }[]): Role[] {
  const wanted = new Map(moves.map((move) => [String(move.id), move.position]))
  const isMoved = (role: Role): boolean => typeof wanted.get(role.id) === 'number'
  const roles = [...guild.roles.values()].filter((role) => role.id !== guild.id).sort((a, b) => compareRoles(b, a))
  const order = roles.filter((role) => !isMoved(role))
  const moved = roles.filter(isMoved).sort((a, b) => (wanted.get(a.id) as number) - (wanted.get(b.id) as number))
  for (const role of moved) order.splice(Math.max(0, (wanted.get(role.id) as number) - 1), 0, role)
  return order
}

/** Whether the caller's highest role and all above it stay where they are. */
function keepsHigherRoles({ guild, member }: InGuild, order: readonly Role[]): boolean {
  const higher = [...guild.roles.values()]
    .filter((role) => role.id !== guild.id && !standsAboveRole(guild, member, role))
    .sort((a, b) => compareRoles(b, a))
  const top = order.slice(order.length - higher.length)
  return higher.every((role, index) => top[index]?.id === role.id)
}
