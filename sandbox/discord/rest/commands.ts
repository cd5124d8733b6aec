// Application commands: registering them globally or to a guild, their limits, who may use them, and the index that clients show.

import { type Context, requireGuild, requireId, requireInGuild } from '../access.ts'
import { ApiError, invalidForm, maximumReached, missingAccess, unknownThing } from '../errors.ts'
import { type Call, created, type Route } from '../http.ts'
import { guildPermissions, P } from '../permissions.ts'
import { presentBasicApplication, presentCommand } from '../present.ts'
import type { Application, Channel, Command, Guild, Member, Wire } from '../store.ts'
import {
  bitfield,
  boolean,
  type Check,
  lengthOf,
  list,
  nullable,
  number,
  object,
  oneOf,
  type Path,
  type Problem,
  required,
  snowflake,
  text,
  whole,
} from '../validate.ts'

const PER_TYPE: Record<number, number> = { 1: 100, 2: 15, 3: 15 }
const MAX_CHARACTERS = 8000
const CREATES_PER_DAY = 200
const NAME = /^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u

interface CommandBody {
  name: string
  name_localizations?: Record<string, string> | null
  description?: string | null
  description_localizations?: Record<string, string> | null
  type?: number | null
  options?: Wire[] | null
  default_member_permissions?: string | number | null
  dm_permission?: boolean | null
  contexts?: number[] | null
  integration_types?: number[] | null
  nsfw?: boolean | null
}

const slashName: Check = (value, at, problems) => {
  text({ min: 1, max: 32 })(value, at, problems)
  if (typeof value === 'string' && (!NAME.test(value) || value !== value.toLowerCase())) {
    problems.push({ path: at, code: 'APPLICATION_COMMAND_INVALID_NAME', message: 'Command name is invalid' })
  }
}

const description = text({ min: 1, max: 100 })
const localizations: Check = (value, at, problems) => {
  object({})(value, at, problems)
  for (const [locale, name] of Object.entries((value ?? {}) as Wire)) text({ min: 1, max: 100 })(name, [...at, locale], problems)
}

const common = {
  name_localizations: nullable(localizations),
  description_localizations: nullable(localizations),
}

const outer = object({
  ...common,
  type: nullable(oneOf([1, 2, 3])),
  default_member_permissions: nullable(bitfield),
  dm_permission: nullable(boolean),
  contexts: nullable(list(oneOf([0, 1, 2]), { max: 3 })),
  integration_types: nullable(list(oneOf([0, 1]), { max: 2 })),
  nsfw: nullable(boolean),
})

/** All problems of one command body, with paths below `at`. */
function commandProblems(body: unknown, at: Path, partial: boolean, kind: number): Problem[] {
  const problems: Problem[] = []
  outer(body, at, problems)
  if (typeof body !== 'object' || body === null) return problems
  const command = body as CommandBody
  if (command.name === undefined) {
    if (!partial) problems.push({ path: [...at, 'name'], code: 'BASE_TYPE_REQUIRED', message: 'This field is required' })
  } else (kind === 1 ? slashName : text({ min: 1, max: 32 }))(command.name, [...at, 'name'], problems)
  if (kind === 1) {
    if (command.description === undefined || command.description === null || command.description === '') {
      if (!partial) problems.push({ path: [...at, 'description'], code: 'BASE_TYPE_REQUIRED', message: 'This field is required' })
    } else description(command.description, [...at, 'description'], problems)
  } else if (command.description) {
    problems.push({
      path: [...at, 'description'],
      code: 'APPLICATION_COMMAND_INVALID_DESCRIPTION',
      message: 'Context menu commands cannot have a description',
    })
  }
  if (command.options) {
    if (kind !== 1 && command.options.length > 0) {
      problems.push({
        path: [...at, 'options'],
        code: 'APPLICATION_COMMAND_CONTEXT_MENU_OPTIONS',
        message: 'Context menu commands cannot have options',
      })
    } else optionProblems(command.options, [...at, 'options'], 0, problems)
  }
  if (characters(command as unknown as Wire) > MAX_CHARACTERS) {
    problems.push({ path: at, code: 'APPLICATION_COMMAND_TOO_LARGE', message: `Command exceeds maximum size (${MAX_CHARACTERS})` })
  }
  return problems
}

const option = object({
  ...common,
  type: required(whole(1, 11)),
  name: required(slashName),
  description: required(description),
  required: nullable(boolean),
  autocomplete: nullable(boolean),
  min_value: nullable(number()),
  max_value: nullable(number()),
  min_length: nullable(whole(0, 6000)),
  max_length: nullable(whole(1, 6000)),
  channel_types: nullable(list(whole(0, 16))),
})

function optionProblems(options: unknown, at: Path, depth: number, problems: Problem[]): void {
  list(option, { max: 25 })(options, at, problems)
  if (!Array.isArray(options)) return
  const names = new Set<unknown>()
  let sawOptional = false
  const nests = (options as Wire[]).filter((one) => one?.type === 1 || one?.type === 2).length
  for (const [index, one] of (options as Wire[]).entries()) {
    if (typeof one !== 'object' || one === null) continue
    const here = [...at, index]
    if (names.has(one.name)) {
      problems.push({
        path: [...here, 'name'],
        code: 'APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS',
        message: 'Command option name already exists',
      })
    }
    names.add(one.name)
    const isNest = one.type === 1 || one.type === 2
    if ((isNest && (depth > 1 || (depth === 1 && one.type === 2))) || (nests > 0 && !isNest)) {
      problems.push({
        path: [...here, 'type'],
        code: 'APPLICATION_COMMAND_OPTIONS_TYPE_INVALID',
        message: 'Sub-commands and sub-command groups cannot stand beside other options',
      })
    }
    if (one.required === true && sawOptional) {
      problems.push({
        path: here,
        code: 'APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID',
        message: 'Required options must be placed before non-required options',
      })
    }
    if (!isNest && one.required !== true) sawOptional = true
    if (isNest && one.options !== undefined && one.options !== null)
      optionProblems(one.options, [...here, 'options'], one.type === 2 ? 1 : 2, problems)
    if (one.choices !== undefined && one.choices !== null) choiceProblems(one, here, problems)
  }
}

function choiceProblems(one: Wire, at: Path, problems: Problem[]): void {
  const value = one.type === 3 ? text({ min: 1, max: 100 }) : number({ whole: one.type === 4 })
  list(object({ name: required(text({ min: 1, max: 100 })), value: required(value) }), { max: 25 })(
    one.choices,
    [...at, 'choices'],
    problems,
  )
  if (one.autocomplete === true && Array.isArray(one.choices) && one.choices.length > 0) {
    problems.push({
      path: [...at, 'autocomplete'],
      code: 'APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE',
      message: 'Choices and autocomplete are mutually exclusive',
    })
  }
}

/** Characters that count toward the 8,000: names, descriptions and choice values, the longest localization of each. */
function characters(node: Wire): number {
  const longest = (field: string): number => {
    const texts = [node[field], ...Object.values((node[`${field}_localizations`] ?? {}) as Wire)]
    return Math.max(0, ...texts.map((value) => (typeof value === 'string' ? lengthOf(value) : 0)))
  }
  const choices = (Array.isArray(node.choices) ? node.choices : []) as Wire[]
  const options = (Array.isArray(node.options) ? node.options : []) as Wire[]
  return (
    longest('name') +
    longest('description') +
    choices.reduce((sum, choice) => sum + lengthOf(String(choice?.name ?? '')) + lengthOf(String(choice?.value ?? '')), 0) +
    options.reduce((sum, child) => sum + (child ? characters(child) : 0), 0)
  )
}

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

const kindOf = (body: unknown): number => Number((body as CommandBody | null)?.type ?? 1)

/** Drops what Discord does not store: nulls, and false for required and autocomplete. */
function storeOption(source: Wire): Wire {
  const kept = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== null && value !== undefined))
  if (kept.required === false) delete kept.required
  if (kept.autocomplete === false) delete kept.autocomplete
  if (Array.isArray(kept.options)) kept.options = (kept.options as Wire[]).map(storeOption)
  return kept
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
