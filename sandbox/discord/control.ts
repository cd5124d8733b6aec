// The /sandbox endpoints: only what Discord has no wire for. People, guilds, applications, membership, faults, reset.

import type { Context } from './access.ts'
import { invalidField, unknownThing } from './errors.ts'
import type { HttpFault } from './faults.ts'
import { type Call, created, type Route } from './http.ts'
import { installApplication, joinGuild, leaveGuild } from './membership.ts'
import { presentGuild, presentMember } from './present.ts'
import { type Application, addGuild, addUser, clearWorld, type Guild, newChannel } from './store.ts'
import { bitfield, boolean, list, nullable, object, oneOf, required, snowflake, text, validate, whole } from './validate.ts'

const username = required(text({ min: 2, max: 32 }))

/** The channels of a guild that was made without naming any: those of Discord's own empty template. */
const TEMPLATE = [
  { name: 'Text Channels', type: 4 },
  { name: 'general', type: 0, parent: 'Text Channels' },
  { name: 'Voice Channels', type: 4 },
  { name: 'General', type: 2, parent: 'Voice Channels' },
]

interface Seed {
  name: string
  type?: number
  parent?: string
  topic?: string
}

export function controlRoutes(context: Context, onReset: () => void = () => {}): Route[] {
  const { world, gateway, faults, limits, alarms } = context

  const requireGuild = (call: Call): Guild => {
    const guild = world.guilds.get(call.params.guild ?? '')
    if (!guild) throw unknownThing('guild')
    return guild
  }

  const addPerson = (call: Call): unknown => {
    const body = validate<{ username: string; global_name?: string | null; locale?: string }>(
      object({ username, global_name: nullable(text({ max: 32 })), locale: text({ max: 5 }) }),
      call.body,
    )
    const user = addUser(world, body.username.trim(), false, body.global_name ?? null)
    if (body.locale) user.locale = body.locale
    return created({ id: user.id, username: user.username, token: user.token })
  }

  const makeGuild = (call: Call): unknown => {
    const body = validate<{ name: string; owner_id: string; channels?: Seed[] }>(
      object({
        name: required(text({ min: 2, max: 100 })),
        owner_id: required(snowflake),
        channels: list(object({ name: required(text({ min: 1, max: 100 })), type: oneOf([0, 2, 4, 5, 13, 15]), parent: text() })),
      }),
      call.body,
    )
    if (!world.users.has(String(body.owner_id))) throw unknownThing('user')
    const guild = addGuild(world, body.name.trim(), String(body.owner_id))
    const byName = new Map<string, string>()
    for (const [position, seed] of (body.channels ?? TEMPLATE).entries()) {
      const channel = newChannel(world, {
        name: seed.name,
        type: seed.type ?? 0,
        guild_id: guild.id,
        position,
        parent_id: byName.get(seed.parent ?? '') ?? null,
        topic: 'topic' in seed ? (seed.topic ?? null) : null,
      })
      world.channels.set(channel.id, channel)
      byName.set(seed.name, channel.id)
      if (channel.type === 0) guild.system_channel_id ??= channel.id
    }
    gateway.joined(guild, guild.owner_id)
    return created(presentGuild(guild))
  }

  const addApplication = (call: Call): unknown => {
    const body = validate<{ name: string; owner_id?: string }>(object({ name: username, owner_id: snowflake }), call.body)
    const bot = addUser(world, body.name.trim(), true)
    const owner = world.users.get(String(body.owner_id ?? '')) ?? [...world.users.values()].find((user) => !user.bot) ?? bot
    const application: Application = {
      id: bot.id,
      name: body.name.trim(),
      description: '',
      owner_id: owner.id,
      bot_id: bot.id,
      verify_key: '0'.repeat(64),
      tags: [],
      commands: new Map(),
      roleConnectionMetadata: [],
      emojis: new Map(),
    }
    world.applications.set(application.id, application)
    return created({ id: application.id, name: application.name, bot: { id: bot.id, username: bot.username }, token: bot.token })
  }

  const addFault = (call: Call): unknown => {
    const body = validate<HttpFault & { kind: string; user_id?: string; guild_id?: string; event?: string }>(
      object({
        kind: required(oneOf(['status', 'delay', 'rate', 'gateway_drop', 'invalid_session', 'replay', 'dm_closed'])),
        route: text(),
        method: text(),
        status: whole(400, 599),
        ms: whole(0, 600_000),
        count: whole(1),
        user_id: snowflake,
        event: text(),
      }),
      call.body,
    )
    switch (body.kind as string) {
      case 'gateway_drop':
        gateway.drop(body.user_id)
        break
      case 'invalid_session':
        gateway.invalidate(body.user_id)
        break
      case 'replay':
        gateway.replay(body.count ?? 1, body.event)
        break
      case 'dm_closed': {
        const user = world.users.get(String(body.user_id ?? ''))
        if (!user) throw invalidField(['user_id'], 'BASE_TYPE_REQUIRED', 'dm_closed needs the user_id of a person')
        user.dmClosed = true
        break
      }
      default:
        faults.add(body)
    }
    return { ok: true, faults: faults.list() }
  }

  return (
    [
      { method: 'POST', pattern: '/sandbox/people', handler: addPerson },
      {
        method: 'PATCH',
        pattern: '/sandbox/people/:user',
        handler: (call) => {
          const user = world.users.get(call.params.user ?? '')
          if (!user) throw unknownThing('user')
          const body = validate<{ dm_closed?: boolean; locale?: string }>(
            object({ dm_closed: boolean, locale: text({ max: 5 }) }),
            call.body,
          )
          if (body.dm_closed !== undefined) user.dmClosed = body.dm_closed
          if (body.locale !== undefined) user.locale = body.locale
          return { id: user.id, username: user.username, dm_closed: user.dmClosed, locale: user.locale }
        },
      },
      {
        method: 'GET',
        pattern: '/sandbox/people',
        handler: () =>
          [...world.users.values()]
            .filter((user) => !user.bot)
            .map((user) => ({ id: user.id, username: user.username, global_name: user.global_name, token: user.token })),
      },
      { method: 'POST', pattern: '/sandbox/guilds', handler: makeGuild },
      { method: 'GET', pattern: '/sandbox/guilds', handler: () => [...world.guilds.values()].map(presentGuild) },
      { method: 'POST', pattern: '/sandbox/applications', handler: addApplication },
      {
        method: 'GET',
        pattern: '/sandbox/applications',
        handler: () =>
          [...world.applications.values()].map((application) => ({
            id: application.id,
            name: application.name,
            bot: { id: application.bot_id, username: world.users.get(application.bot_id)?.username },
            online: gateway.isConnected(application.bot_id),
            guild_ids: [...world.guilds.values()]
              .filter((guild) => guild.applications.has(application.id))
              .map((guild) => guild.id),
          })),
      },
      {
        method: 'PUT',
        pattern: '/sandbox/guilds/:guild/members/:user',
        handler: (call) => {
          const guild = requireGuild(call)
          const userId = call.params.user ?? ''
          if (!world.users.has(userId)) throw unknownThing('user')
          const { roles } = validate<{ roles?: string[] }>(object({ roles: nullable(list(snowflake)) }), call.body)
          for (const id of roles ?? []) if (!guild.roles.has(String(id))) throw unknownThing('role')
          return presentMember(world, joinGuild(context, guild, userId, (roles ?? []).map(String)))
        },
      },
      {
        method: 'DELETE',
        pattern: '/sandbox/guilds/:guild/members/:user',
        handler: (call) => {
          const guild = requireGuild(call)
          if (!guild.members.has(call.params.user ?? '')) throw unknownThing('member')
          leaveGuild(context, guild, call.params.user ?? '')
        },
      },
      {
        method: 'PUT',
        pattern: '/sandbox/guilds/:guild/applications/:application',
        handler: (call) => {
          const guild = requireGuild(call)
          const application = world.applications.get(call.params.application ?? '')
          if (!application) throw unknownThing('application')
          const { permissions } = validate<{ permissions?: string | number }>(
            object({ permissions: nullable(bitfield) }),
            call.body,
          )
          return presentMember(world, installApplication(context, guild, application, BigInt(permissions ?? 0)))
        },
      },
      { method: 'POST', pattern: '/sandbox/faults', handler: addFault },
      { method: 'GET', pattern: '/sandbox/faults', handler: () => faults.list() },
      {
        method: 'DELETE',
        pattern: '/sandbox/faults',
        handler: () => {
          faults.clear()
          for (const user of world.users.values()) user.dmClosed = false
        },
      },
      {
        method: 'POST',
        pattern: '/sandbox/reset',
        handler: () => {
          gateway.reset()
          clearWorld(world)
          faults.clear()
          limits.reset()
          alarms.clear()
          onReset()
        },
      },
    ] satisfies Route[]
  ).map((route) => ({ ...route, open: true }))
}
