// From command definitions to Discord's registration payload, and the comparison that decides whether anything has to be sent.
import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  PermissionFlagsBits,
  type RESTPostAPIChatInputApplicationCommandsJSONBody,
} from 'discord-api-types/v10'
import type { Command, Option } from './define.ts'

type Registration = RESTPostAPIChatInputApplicationCommandsJSONBody
type RegistrationOption = NonNullable<Registration['options']>[number]

const optionTypes = {
  string: ApplicationCommandOptionType.String,
  integer: ApplicationCommandOptionType.Integer,
  number: ApplicationCommandOptionType.Number,
  boolean: ApplicationCommandOptionType.Boolean,
  user: ApplicationCommandOptionType.User,
  channel: ApplicationCommandOptionType.Channel,
  role: ApplicationCommandOptionType.Role,
  attachment: ApplicationCommandOptionType.Attachment,
} as const

/**
 * Groups commands by their first word and returns what Discord wants, sorted by name. `groups` describes first words (and `first second` pairs) that hold
 * subcommands. A command whose every leaf is for admins is hidden from members without Manage Server.
 * @throws Error for a group without a description, or a name that is both a command and a group
 */
export function toRegistrations(commands: readonly Command[], groups: Readonly<Record<string, string>>): Registration[] {
  const roots = Map.groupBy(commands, (command) => command.path.split(' ')[0]!)
  return [...roots].map(([name, leaves]) => registration(name, leaves, groups)).sort((a, b) => (a.name < b.name ? -1 : 1))
}

function registration(name: string, leaves: readonly Command[], groups: Readonly<Record<string, string>>): Registration {
  const own = leaves.find((leaf) => leaf.path === name)
  if (own && leaves.length > 1) throw new Error(`/${name} is a command and has subcommands too; Discord allows only one of the two`)
  return {
    type: ApplicationCommandType.ChatInput,
    name,
    description: own?.description ?? describe(name, groups),
    default_member_permissions: leaves.every((leaf) => leaf.access === 'admin') ? PermissionFlagsBits.ManageGuild.toString() : null,
    options: own ? optionList(own) : subcommands(name, leaves, groups),
  }
}

function subcommands(root: string, leaves: readonly Command[], groups: Readonly<Record<string, string>>): RegistrationOption[] {
  const bySecond = Map.groupBy(leaves, (leaf) => leaf.path.split(' ')[1]!)
  return [...bySecond].map(([second, members]) => {
    const direct = members.find((leaf) => leaf.path.split(' ').length === 2)
    if (direct && members.length > 1)
      throw new Error(`/${direct.path} is a command and has subcommands too; Discord allows only one of the two`)
    if (direct) return subcommand(second, direct)
    return {
      type: ApplicationCommandOptionType.SubcommandGroup,
      name: second,
      description: describe(`${root} ${second}`, groups),
      options: members.map((leaf) => subcommand(leaf.path.split(' ')[2]!, leaf)),
    }
  }) as RegistrationOption[]
}

function subcommand(name: string, leaf: Command) {
  return {
    type: ApplicationCommandOptionType.Subcommand as const,
    name,
    description: leaf.description,
    options: optionList(leaf) as never[],
  }
}

function describe(group: string, groups: Readonly<Record<string, string>>): string {
  const description = groups[group]
  if (!description) throw new Error(`The command group /${group} has no description`)
  return description
}

function optionList(command: Command): RegistrationOption[] {
  const entries = Object.entries(command.options)
  const ordered = [...entries.filter(([, option]) => option.required), ...entries.filter(([, option]) => !option.required)]
  return ordered.map(([name, option]) => toOption(name, option))
}

function toOption(name: string, option: Option): RegistrationOption {
  const base = { type: optionTypes[option.type], name, description: option.description, required: option.required ?? false }
  if (option.type === 'string')
    return {
      ...base,
      ...(option.min !== undefined && { min_length: option.min }),
      ...(option.max !== undefined && { max_length: option.max }),
      ...(option.choices && { choices: [...option.choices] }),
      ...(option.suggest && { autocomplete: true }),
    } as RegistrationOption
  if (option.type === 'integer' || option.type === 'number')
    return {
      ...base,
      ...(option.min !== undefined && { min_value: option.min }),
      ...(option.max !== undefined && { max_value: option.max }),
      ...(option.choices && { choices: [...option.choices] }),
    } as RegistrationOption
  return base as RegistrationOption
}

/** Whether the commands that Discord has differ from the wanted ones in anything that was asked for. */
export function needsSync(wanted: readonly Registration[], existing: readonly object[]): boolean {
  return canonical(wanted) !== canonical(existing)
}

const relevant = [
  'type',
  'name',
  'description',
  'default_member_permissions',
  'options',
  'required',
  'choices',
  'value',
  'min_length',
  'max_length',
  'min_value',
  'max_value',
  'autocomplete',
]

function canonical(commands: readonly object[]): string {
  return JSON.stringify(commands.map(strip).sort((a, b) => (String(a.name) < String(b.name) ? -1 : 1)))
}

/** Keeps the fields that a registration sets; drops what Discord adds, and fields at their defaults. */
function strip(value: object): Record<string, unknown> {
  const source = value as Record<string, unknown>
  const kept: Record<string, unknown> = {}
  for (const key of relevant) {
    const field = source[key]
    if (field === undefined || field === null || field === false || (Array.isArray(field) && field.length === 0)) continue
    kept[key] = key === 'options' || key === 'choices' ? (field as object[]).map(strip) : field
  }
  return kept
}
