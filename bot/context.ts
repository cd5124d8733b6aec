// Makes the handler's context from a discord.js interaction. The only file, with router.ts, that knows both worlds.
import {
  type AutocompleteInteraction,
  type ChatInputCommandInteraction,
  type CommandInteractionOption,
  type GuildMember,
  type MessageComponentInteraction,
  type ModalSubmitInteraction,
  PermissionFlagsBits,
} from 'discord.js'
import type { ComponentInput, Ctx, ProgramInfo } from '../commands/define.ts'
import type { Message } from '../commands/messages.ts'
import type { CommandIds } from './sync.ts'

export type Answerable = ChatInputCommandInteraction | MessageComponentInteraction | ModalSubmitInteraction

/** The parts of `Ctx` that are facts about the person and the place. */
export function factsOf(
  interaction: Answerable | AutocompleteInteraction,
  program: ProgramInfo,
  now: Date,
  ids: CommandIds | undefined,
): Omit<Ctx, 'progress' | 'followUp'> {
  const { member, user } = interaction
  const displayName = member && 'displayName' in member ? (member as GuildMember).displayName : (user.globalName ?? user.username)
  const roles = member?.roles
  return {
    program,
    user: { id: user.id, username: user.username, displayName },
    member: {
      roleIds: roles === undefined ? [] : Array.isArray(roles) ? roles : [...roles.cache.keys()],
      isAdmin: interaction.memberPermissions?.any([PermissionFlagsBits.ManageGuild, PermissionFlagsBits.Administrator]) ?? false,
    },
    channelId: interaction.channelId ?? '',
    locale: interaction.locale,
    interactionId: interaction.id,
    now,
    mention: (path) => {
      const id = ids?.get(path.split(' ')[0]!)
      return id === undefined ? `\`/${path}\`` : `</${path}:${id}>`
    },
  }
}

/** The command's words, `link create`. */
export function pathOf(interaction: ChatInputCommandInteraction | AutocompleteInteraction): string {
  return [interaction.commandName, interaction.options.getSubcommandGroup(false), interaction.options.getSubcommand(false)]
    .filter(Boolean)
    .join(' ')
}

/** Option values by name, as `OptionValues` promises them. Discord has checked them against the registration. */
export function optionsOf(interaction: ChatInputCommandInteraction): Record<string, unknown> {
  return Object.fromEntries(leaves(interaction.options.data).map((option) => [option.name, readOption(option)]))
}

function leaves(options: readonly CommandInteractionOption[]): readonly CommandInteractionOption[] {
  return options.flatMap((option) => (option.options ? leaves(option.options) : option.value === undefined ? [] : [option]))
}

function readOption(option: CommandInteractionOption): unknown {
  if (option.user) return { id: option.user.id, username: option.user.username, bot: option.user.bot }
  if (option.attachment) {
    const { id, name, size, url, contentType } = option.attachment
    return { id, filename: name, size, url, contentType: contentType ?? undefined }
  }
  if (option.role) return { id: option.role.id, name: option.role.name }
  if (option.channel) return { id: option.channel.id }
  return option.value
}

export function inputOf(interaction: MessageComponentInteraction | ModalSubmitInteraction): ComponentInput {
  if (interaction.isModalSubmit()) {
    const entries = [...interaction.fields.fields.values()].map((field) => {
      if ('values' in field) return [field.customId, [...field.values]] as const
      return [field.customId, 'value' in field ? String(field.value ?? '') : ''] as const
    })
    return { values: [], fields: Object.fromEntries(entries) }
  }
  return { values: interaction.isAnySelectMenu() ? interaction.values : [], fields: {} }
}

/** A message as discord.js sends it: Components V2, pinging nobody but whom the message names. */
export function toPayload(message: Message) {
  return {
    components: message.components,
    flags: 1 << 15,
    allowedMentions: { parse: [], users: [...(message.mentions ?? [])] },
    ...(message.files && {
      files: message.files.map((file) => ({
        name: file.name,
        attachment: file.data,
        ...(file.description && { description: file.description }),
      })),
    }),
  } as const
}
