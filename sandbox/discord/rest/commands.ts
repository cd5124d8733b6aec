// Application commands: registering them globally or to a guild, how many, who may use them, and the index that clients show.

import { type Context, requireGuild, requireId, requireInGuild } from '../access.ts'
import { type CommandBody, commandProblems, kindOf, storeOption } from '../command-shape.ts'
import { ApiError, invalidForm, maximumReached, missingAccess, unknownThing } from '../errors.ts'
import { type Call, created, type Route } from '../http.ts'
import { guildPermissions, P } from '../permissions.ts'
import { presentBasicApplication, presentCommand } from '../present.ts'
import type { Application, Channel, Command, Guild, Member, Wire } from '../store.ts'
import { boolean, list, object, oneOf, type Problem, required, snowflake } from '../validate.ts'

const PER_TYPE: Record<number, number> = { 1: 100, 2: 15, 3: 15 }
const CREATES_PER_DAY = 200

export function commandRoutes(context: Context): Route[] {
  const { world, gateway } = context
  const creations = new Map<string, number[]>()

  interface Scope {
    application: Application
    guild: Guild | null
  }

  const requireScope = (call: Call): Scope => {
    const application = world.applications.get(requireId('application_id', call.params.application))
    if (!application) throw unknownThing('application')
    if (call.user.bot && call.application?.id !== application.id) throw missingAccess()
    if (!call.user.bot && application.owner_id !== call.user.id) throw missingAccess()
    if (call.params.guild === undefined) return { application, guild: null }
    const guild = world.guilds.get(requireId('guild_id', call.params.guild))
    if (!guild?.applications.has(application.id)) throw missingAccess()
    return { application, guild }
  }

  const commandsIn = ({ application, guild }: Scope): Command[] =>
    [...application.commands.values()].filter((command) => command.guild_id === (guild?.id ?? null))

  const requireCommand = (call: Call, scope: Scope): Command => {
    const command = scope.application.commands.get(requireId('command_id', call.params.command))
    if (!command || command.guild_id !== (scope.guild?.id ?? null)) throw unknownThing('command')
    return command
  }

  const countCreation = (scope: Scope): void => {
    const key = `${scope.application.id}:${scope.guild?.id ?? ''}`
    const recent = (creations.get(key) ?? []).filter((at) => world.now() - at < 86_400_000)
    if (recent.length >= CREATES_PER_DAY)
      throw new ApiError(429, 30034, `Max number of daily application command creates has been reached (${CREATES_PER_DAY})`)
    creations.set(key, [...recent, world.now()])
  }

  /** Writes the body onto a command, new or known. */
  const write = (scope: Scope, body: CommandBody, known: Command | undefined): Command => {
    if (!known) countCreation(scope)
    const id = known?.id ?? world.id()
    const contexts = body.contexts !== undefined ? body.contexts : body.dm_permission === false ? [0] : (known?.contexts ?? null)
    const command: Command = {
      id,
      application_id: scope.application.id,
      guild_id: scope.guild?.id ?? null,
      version: world.id(),
      type: body.type ?? known?.type ?? 1,
      name: body.name ?? known?.name ?? '',
      name_localizations: body.name_localizations ?? null,
      description: body.description ?? (known && body.description === undefined ? known.description : ''),
      description_localizations: body.description_localizations ?? null,
      options: body.options === undefined ? (known?.options ?? []) : (body.options ?? []).map(storeOption),
      default_member_permissions:
        body.default_member_permissions === undefined
          ? (known?.default_member_permissions ?? null)
          : body.default_member_permissions === null
            ? null
            : String(body.default_member_permissions),
      contexts: scope.guild ? null : contexts,
      integration_types: body.integration_types ?? known?.integration_types ?? [0],
      nsfw: body.nsfw ?? known?.nsfw ?? false,
      permissions: known?.permissions ?? new Map(),
    }
    scope.application.commands.set(id, command)
    return command
  }

  const requireRoom = (scope: Scope, type: number, ownId?: string): void => {
    const limit = PER_TYPE[type] ?? 100
    const taken = commandsIn(scope).filter((command) => command.type === type && command.id !== ownId).length
    if (taken >= limit) throw maximumReached(30032, 'application commands', limit)
  }

  const announce = (scope: Scope): void => {
    for (const guild of world.guilds.values()) {
      if (scope.guild ? guild.id !== scope.guild.id : !guild.applications.has(scope.application.id)) continue
      gateway.toGuild(
        guild,
        'GUILD_APPLICATION_COMMAND_INDEX_UPDATE',
        { guild_id: guild.id, application_command_counts: {} },
        { peopleOnly: true },
      )
    }
  }

  const localized = (call: Call) => call.query.get('with_localizations') === 'true'

  const create = (call: Call): unknown => {
    const scope = requireScope(call)
    const kind = kindOf(call.body)
    const problems = commandProblems(call.body, [], false, kind)
    if (problems.length > 0) throw invalidForm(problems)
    const body = call.body as CommandBody
    const known = commandsIn(scope).find((command) => command.name === body.name && command.type === kind)
    if (!known) requireRoom(scope, kind)
    const fresh: CommandBody = { default_member_permissions: null, options: [], ...body }
    const command = write(scope, fresh, known)
    announce(scope)
    return known ? presentCommand(command) : created(presentCommand(command))
  }

  const replaceAll = (call: Call): unknown => {
    const scope = requireScope(call)
    const bodies = call.body
    const problems: Problem[] = []
    list(() => {})(bodies, [], problems)
    const seen = new Set<string>()
    for (const [index, body] of (Array.isArray(bodies) ? bodies : []).entries()) {
      problems.push(...commandProblems(body, [index], false, kindOf(body)))
      const key = `${kindOf(body)}:${(body as CommandBody | null)?.name}`
      if (seen.has(key))
        problems.push({
          path: [index],
          code: 'APPLICATION_COMMANDS_DUPLICATE_NAME',
          message: 'Application command names must be unique',
        })
      seen.add(key)
    }
    if (problems.length > 0) throw invalidForm(problems)
    const wanted = bodies as CommandBody[]
    for (const [type, limit] of Object.entries(PER_TYPE)) {
      if (wanted.filter((body) => kindOf(body) === Number(type)).length > limit)
        throw maximumReached(30032, 'application commands', limit)
    }
    const before = commandsIn(scope)
    const kept = wanted.map((body) => {
      const known = before.find((command) => command.name === body.name && command.type === kindOf(body))
      return write(scope, { default_member_permissions: null, options: [], ...body }, known)
    })
    for (const command of before) if (!kept.some((one) => one.id === command.id)) scope.application.commands.delete(command.id)
    announce(scope)
    return kept.map((command) => presentCommand(command))
  }

  const edit = (call: Call): unknown => {
    const scope = requireScope(call)
    const command = requireCommand(call, scope)
    const problems = commandProblems(call.body, [], true, command.type)
    if (problems.length > 0) throw invalidForm(problems)
    const body = { ...(call.body as CommandBody), type: command.type }
    const changed = write(
      scope,
      { name_localizations: command.name_localizations, description_localizations: command.description_localizations, ...body },
      command,
    )
    announce(scope)
    return presentCommand(changed)
  }

  const permissionsOf = (command: Command, guild: Guild): Wire => ({
    id: command.id,
    application_id: command.application_id,
    guild_id: guild.id,
    permissions: command.permissions.get(guild.id) ?? [],
  })

  const guildScope = (call: Call): { application: Application; guild: Guild } => {
    const application = world.applications.get(requireId('application_id', call.params.application))
    if (!application) throw unknownThing('application')
    return { application, guild: requireGuild(context, call).guild }
  }

  const index = (application: Iterable<Application>, fits: (command: Command) => boolean): Wire => {
    const applications = [...application]
    const commands = applications.flatMap((one) => [...one.commands.values()]).filter(fits)
    return {
      applications: applications
        .filter((one) => commands.some((command) => command.application_id === one.id))
        .map((one) => presentBasicApplication(world, one)),
      application_commands: commands.map((command) => presentCommand(command, false)),
      version: world.id(),
    }
  }

  const routes: Route[] = []
  for (const prefix of ['/applications/:application/commands', '/applications/:application/guilds/:guild/commands']) {
    routes.push(
      {
        method: 'GET',
        pattern: prefix,
        handler: (call) => commandsIn(requireScope(call)).map((command) => presentCommand(command, localized(call))),
      },
      { method: 'POST', pattern: prefix, handler: create },
      { method: 'PUT', pattern: prefix, handler: replaceAll },
      { method: 'GET', pattern: `${prefix}/:command`, handler: (call) => presentCommand(requireCommand(call, requireScope(call))) },
      { method: 'PATCH', pattern: `${prefix}/:command`, handler: edit },
      {
        method: 'DELETE',
        pattern: `${prefix}/:command`,
        handler: (call) => {
          const scope = requireScope(call)
          scope.application.commands.delete(requireCommand(call, scope).id)
          announce(scope)
        },
      },
    )
  }
  return [
    ...routes,
    {
      method: 'GET',
      pattern: '/applications/:application/guilds/:guild/commands/permissions',
      handler: (call) => {
        const { application, guild } = guildScope(call)
        return [...application.commands.values()]
          .filter((command) => command.permissions.has(guild.id))
          .map((command) => permissionsOf(command, guild))
      },
    },
    {
      method: 'GET',
      pattern: '/applications/:application/guilds/:guild/commands/:command/permissions',
      handler: (call) => {
        const { application, guild } = guildScope(call)
        const command = application.commands.get(requireId('command_id', call.params.command))
        if (!command?.permissions.has(guild.id)) throw unknownThing('commandPermissions')
        return permissionsOf(command, guild)
      },
    },
    {
      method: 'PUT',
      pattern: '/applications/:application/guilds/:guild/commands/:command/permissions',
      handler: (call) => {
        const { application, guild } = guildScope(call)
        if (call.user.bot) throw new ApiError(403, 20001, 'Bots cannot use this endpoint')
        requireInGuild(context, requireGuild(context, call), P.MANAGE_GUILD | P.MANAGE_ROLES)
        const command = application.commands.get(requireId('command_id', call.params.command))
        if (!command) throw unknownThing('command')
        const problems: Problem[] = []
        object({
          permissions: required(
            list(object({ id: required(snowflake), type: required(oneOf([1, 2, 3])), permission: required(boolean) }), {
              max: 100,
            }),
          ),
        })(call.body, [], problems)
        if (problems.length > 0) throw invalidForm(problems)
        command.permissions.set(
          guild.id,
          (call.body as { permissions: { id: string; type: number; permission: boolean }[] }).permissions,
        )
        gateway.toGuild(guild, 'APPLICATION_COMMAND_PERMISSIONS_UPDATE', permissionsOf(command, guild))
        return permissionsOf(command, guild)
      },
    },
    {
      method: 'GET',
      pattern: '/guilds/:guild/application-command-index',
      handler: (call) => {
        const { guild } = requireGuild(context, call)
        const here = [...guild.applications].map((id) => world.applications.get(id)).filter((one) => one !== undefined)
        return index(
          here,
          (command) =>
            command.guild_id === guild.id ||
            (command.guild_id === null && (command.contexts === null || command.contexts.includes(0))),
        )
      },
    },
    {
      method: 'GET',
      pattern: '/channels/:channel/application-command-index',
      handler: (call) => {
        const channel = world.channels.get(requireId('channel_id', call.params.channel))
        if (!channel?.recipients.includes(call.user.id)) throw unknownThing('channel')
        const bots = [...world.applications.values()].filter((one) => channel.recipients.includes(one.bot_id))
        return index(bots, (command) => command.guild_id === null && (command.contexts === null || command.contexts.includes(1)))
      },
    },
  ]
}

/** Whether the member may run the command in the channel: overrides first, then default_member_permissions. */
export function mayUse(command: Command, guild: Guild, member: Member, channel: Channel, inChannel: bigint, now: number): boolean {
  const all = guildPermissions(guild, member, now)
  if (all & P.ADMINISTRATOR) return true
  if (!(inChannel & P.USE_APPLICATION_COMMANDS)) return false
  const overrides = command.permissions.get(guild.id) ?? []
  const allChannels = (BigInt(guild.id) - 1n).toString()
  const place =
    overrides.find((one) => one.type === 3 && one.id === channel.id) ??
    overrides.find((one) => one.type === 3 && one.id === allChannels)
  if (place && !place.permission) return false
  const own = overrides.find((one) => one.type === 2 && one.id === member.user_id)
  if (own) return own.permission
  const byRole = overrides.filter((one) => one.type === 1 && member.roles.includes(one.id))
  if (byRole.length > 0) return byRole.some((one) => one.permission)
  const everyone = overrides.find((one) => one.type === 1 && one.id === guild.id)
  if (everyone) return everyone.permission
  if (command.default_member_permissions === null) return true
  const needed = BigInt(command.default_member_permissions)
  return needed !== 0n && (inChannel & needed) === needed
}
