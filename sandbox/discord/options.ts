// What people hand over with an interaction: command options, select values, modal fields.
// Checks them against what the command, component or modal allows, and collects the resolved objects.

import type { Context } from './access.ts'
import { permissionsIn } from './access.ts'
import { flatten } from './component-store.ts'
import { Component } from './components.ts'
import { invalidField } from './errors.ts'
import { storeFile } from './files.ts'
import type { UploadedFile } from './http.ts'
import { isThread } from './permissions.ts'
import { presentBareMember, presentRole, userOf } from './present.ts'
import { presentAttachment, presentMessage } from './present-message.ts'
import type { Attachment, Channel, Command, Guild, Message, Wire } from './store.ts'
import { lengthOf, type Path } from './validate.ts'

/** Objects that ids in an interaction stand for, as Discord sends them along. */
export interface Resolver {
  user: (id: string, at: Path) => void
  role: (id: string, at: Path) => void
  channel: (id: string, at: Path, types?: readonly number[]) => void
  mentionable: (id: string, at: Path) => void
  message: (message: Message) => void
  /** Resolves a file that was sent along under the given id; returns the attachment's own id. */
  attachment: (id: string, at: Path) => string
  /** Undefined when nothing was resolved. */
  resolved: () => Wire | undefined
}

/** `attachments` and `files` are what the client sent along. */
export function createResolver(
  context: Context,
  guild: Guild | null,
  channel: Channel,
  attachments: readonly Wire[],
  files: readonly UploadedFile[],
): Resolver {
  const { world } = context
  const found: Record<string, Record<string, Wire>> = {}
  const put = (kind: string, id: string, value: Wire): void => {
    found[kind] = { ...found[kind], [id]: value }
  }
  const unknown = (at: Path, what: string): never => {
    throw invalidField(at, 'INTERACTION_VALUE_UNKNOWN', `Unknown ${what}.`)
  }

  const user = (id: string, at: Path): void => {
    if (!world.users.has(id)) unknown(at, 'user')
    put('users', id, userOf(world, id))
    const member = guild?.members.get(id)
    if (!guild || !member) return
    const { deaf, mute, ...rest } = presentBareMember(member)
    put('members', id, { ...rest, permissions: permissionsIn(context, guild, member, channel).toString() })
  }
  const role = (id: string, at: Path): void => {
    const known = guild?.roles.get(id)
    put('roles', id, presentRole(known ?? unknown(at, 'role')))
  }

  return {
    user,
    role,
    channel: (id, at, types) => {
      const known = world.channels.get(id)
      if (!known || known.guild_id !== guild?.id) return unknown(at, 'channel')
      if (types && types.length > 0 && !types.includes(known.type))
        throw invalidField(at, 'CHANNEL_TYPE_INVALID', 'Invalid channel type.')
      put('channels', id, presentPartialChannel(known))
    },
    mentionable: (id, at) => (guild?.roles.has(id) ? role(id, at) : user(id, at)),
    message: (message) => put('messages', message.id, presentMessage(world, message)),
    attachment: (id, at) => {
      const stored = receive(context, channel.id, id, attachments, files)
      if (!stored) return unknown(at, 'attachment')
      put('attachments', stored.id, presentAttachment(world, stored))
      return stored.id
    },
    resolved: () => (Object.keys(found).length > 0 ? found : undefined),
  }
}

function receive(
  context: Context,
  channelId: string,
  id: string,
  attachments: readonly Wire[],
  files: readonly UploadedFile[],
): Attachment | null {
  const named = attachments.find((one) => String(one.id) === id)
  const file = files.find((one) => /\[(\d+)\]/.exec(one.field)?.[1] === id)
  const upload = context.world.uploads.get(String(named?.uploaded_filename ?? ''))
  const bytes = file?.bytes ?? upload?.bytes
  if (!bytes) return null
  return storeFile(context, channelId, {
    filename: String(named?.filename ?? file?.filename ?? upload?.name ?? 'file'),
    bytes,
    contentType: file?.contentType ?? null,
    description: null,
    spoiler: false,
    ephemeral: true,
  })
}

/** The little of a channel that interactions carry. */
export function presentPartialChannel(channel: Channel, permissions = '0'): Wire {
  return {
    id: channel.id,
    type: channel.type,
    guild_id: channel.guild_id,
    name: channel.name,
    position: channel.position,
    flags: channel.flags,
    permissions,
    last_message_id: channel.last_message_id,
    ...(isThread(channel) || channel.type !== 4 ? { parent_id: channel.parent_id } : {}),
    ...(channel.thread
      ? {
          thread_metadata: {
            archived: channel.thread.archived,
            archive_timestamp: channel.thread.archive_timestamp,
            auto_archive_duration: channel.thread.auto_archive_duration,
            locked: channel.thread.locked,
            create_timestamp: channel.thread.create_timestamp,
          },
        }
      : { nsfw: channel.nsfw, topic: channel.topic, rate_limit_per_user: channel.rate_limit_per_user }),
  }
}

/** The options as the bot receives them. Autocomplete lets required options be absent and values be unfinished. */
export function readOptions(
  command: Command,
  given: unknown,
  resolver: Resolver,
  autocomplete: boolean,
): { options: Wire[]; path: string[]; focused: boolean } {
  const path: string[] = []
  let focused = false

  const read = (definitions: readonly Wire[], values: unknown, at: Path): Wire[] => {
    const list = values === undefined || values === null ? [] : values
    if (!Array.isArray(list)) throw invalidField(at, 'LIST_TYPE_CONVERT', 'Only iterables may be used in a ListType')
    const nested = definitions.some((one) => one.type === 1 || one.type === 2)
    if (nested && list.length !== 1) throw invalidField(at, 'BASE_TYPE_BAD_LENGTH', 'Must be between 1 and 1 in length.')
    const seen = new Set<string>()
    const result = (list as Wire[]).map((value, index) => {
      const here = [...at, index]
      const definition = definitions.find((one) => one.name === value?.name)
      if (!definition || (value.type !== undefined && Number(value.type) !== definition.type)) {
        throw invalidField([...here, 'name'], 'APPLICATION_COMMAND_OPTION_UNKNOWN', 'This command has no such option.')
      }
      if (seen.has(String(value.name)))
        throw invalidField([...here, 'name'], 'APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS', 'Option given twice.')
      seen.add(String(value.name))
      if (definition.type === 1 || definition.type === 2) {
        path.push(String(definition.name))
        return {
          type: definition.type,
          name: definition.name,
          options: read((definition.options as Wire[]) ?? [], value.options, [...here, 'options']),
        }
      }
      const isFocused = autocomplete && value.focused === true
      if (isFocused) {
        if (definition.autocomplete !== true)
          throw invalidField(here, 'APPLICATION_COMMAND_OPTION_NO_AUTOCOMPLETE', 'This option has no autocomplete.')
        focused = true
      }
      const checked = autocomplete ? value.value : readValue(definition, value.value, [...here, 'value'], resolver)
      return { type: definition.type, name: definition.name, value: checked, ...(isFocused ? { focused: true } : {}) }
    })
    if (autocomplete) return result
    for (const definition of definitions) {
      if (definition.required !== true || result.some((one) => one.name === definition.name)) continue
      throw invalidField([...at, String(definition.name)], 'BASE_TYPE_REQUIRED', 'This field is required')
    }
    return result
  }

  const options = read(command.options, given, ['data', 'options'])
  return { options, path, focused }
}

function readValue(definition: Wire, value: unknown, at: Path, resolver: Resolver): unknown {
  const fail = (code: string, message: string): never => {
    throw invalidField(at, code, message)
  }
  const choices = definition.choices as { value: unknown }[] | undefined
  const checkChoice = (chosen: unknown): void => {
    if (choices && choices.length > 0 && !choices.some((choice) => choice.value === chosen)) {
      fail('BASE_TYPE_CHOICES', `Value must be one of {${choices.map((choice) => choice.value).join(', ')}}.`)
    }
  }
  switch (definition.type) {
    case 3: {
      if (typeof value !== 'string') return fail('STRING_TYPE_CONVERT', `Could not interpret "${String(value)}" as string.`)
      const min = Number(definition.min_length ?? 1)
      const max = Number(definition.max_length ?? 6000)
      if (lengthOf(value) < min || lengthOf(value) > max)
        fail('BASE_TYPE_BAD_LENGTH', `Must be between ${min} and ${max} in length.`)
      checkChoice(value)
      return value
    }
    case 4:
    case 10: {
      if (typeof value !== 'number' || !Number.isFinite(value) || (definition.type === 4 && !Number.isSafeInteger(value))) {
        return fail('NUMBER_TYPE_COERCE', `Value "${String(value)}" is not ${definition.type === 4 ? 'int' : 'float'}.`)
      }
      if (typeof definition.min_value === 'number' && value < definition.min_value) {
        fail('NUMBER_TYPE_MIN', `Value should be greater than or equal to ${definition.min_value}.`)
      }
      if (typeof definition.max_value === 'number' && value > definition.max_value) {
        fail('NUMBER_TYPE_MAX', `Value should be less than or equal to ${definition.max_value}.`)
      }
      checkChoice(value)
      return value
    }
    case 5:
      return typeof value === 'boolean' ? value : fail('BOOLEAN_TYPE_CONVERT', 'Must be either true or false.')
    case 6:
      resolver.user(String(value), at)
      return String(value)
    case 7:
      resolver.channel(String(value), at, definition.channel_types as number[] | undefined)
      return String(value)
    case 8:
      resolver.role(String(value), at)
      return String(value)
    case 9:
      resolver.mentionable(String(value), at)
      return String(value)
    default:
      return resolver.attachment(String(value), at)
  }
}

/** The values chosen in a select, checked against it. */
export function readSelection(select: Wire, values: unknown, at: Path, resolver: Resolver, optional = false): string[] {
  const given = values === undefined || values === null ? [] : values
  if (!Array.isArray(given)) throw invalidField(at, 'LIST_TYPE_CONVERT', 'Only iterables may be used in a ListType')
  const chosen = given.map(String)
  const min = Number(select.min_values ?? 1)
  const max = Number(select.max_values ?? 1)
  const skipped = optional && chosen.length === 0
  if (!skipped && (chosen.length < min || chosen.length > max || new Set(chosen).size !== chosen.length)) {
    throw invalidField(at, 'BASE_TYPE_BAD_LENGTH', `Must be between ${min} and ${max} in length.`)
  }
  const options = (select.options as { value: string }[] | undefined) ?? []
  for (const value of chosen) {
    if (select.type === Component.USER_SELECT) resolver.user(value, at)
    else if (select.type === Component.ROLE_SELECT) resolver.role(value, at)
    else if (select.type === Component.MENTIONABLE_SELECT) resolver.mentionable(value, at)
    else if (select.type === Component.CHANNEL_SELECT) resolver.channel(value, at, select.channel_types as number[] | undefined)
    else if (!options.some((option) => option.value === value)) {
      throw invalidField(at, 'BASE_TYPE_CHOICES', `Value must be one of {${options.map((option) => option.value).join(', ')}}.`)
    }
  }
  return chosen
}

/** The fields of a submitted modal in the order of the modal, as the bot receives them. */
export function readModal(modal: Wire, given: unknown, resolver: Resolver): Wire[] {
  const submitted = new Map(
    flatten((Array.isArray(given) ? given : []) as Wire[])
      .filter((component) => typeof component?.custom_id === 'string')
      .map((component) => [component.custom_id as string, component]),
  )
  return (modal.components as Wire[]).map((component, index) => {
    const at: Path = ['data', 'components', index]
    if (component.type === Component.LABEL) {
      const inner = component.component as Wire
      return {
        type: component.type,
        id: component.id,
        component: readField(inner, submitted.get(String(inner.custom_id)), [...at, 'component'], resolver),
      }
    }
    if (component.type === Component.ROW) {
      const inputs = (component.components as Wire[]).map((inner, position) =>
        readField(inner, submitted.get(String(inner.custom_id)), [...at, 'components', position], resolver),
      )
      return { type: component.type, id: component.id, components: inputs }
    }
    return { type: component.type, id: component.id }
  })
}

function readField(field: Wire, given: Wire | undefined, at: Path, resolver: Resolver): Wire {
  const common = { type: field.type, id: field.id, custom_id: field.custom_id }
  const required = field.required !== false
  const missing = (key: string): never => {
    throw invalidField([...at, key], 'BASE_TYPE_REQUIRED', 'This field is required')
  }
  switch (field.type) {
    case Component.TEXT_INPUT: {
      const value = String(given?.value ?? '')
      const length = lengthOf(value)
      if (length === 0 && required) missing('value')
      const min = Number(field.min_length ?? 0)
      const max = Number(field.max_length ?? 4000)
      if (length > 0 && (length < min || length > max)) {
        throw invalidField([...at, 'value'], 'BASE_TYPE_BAD_LENGTH', `Must be between ${min} and ${max} in length.`)
      }
      return { ...common, value }
    }
    case Component.RADIO_GROUP: {
      const value = given?.value ?? null
      if (value === null && required) missing('value')
      const options = (field.options as { value: string }[]).map((option) => option.value)
      if (value !== null && !options.includes(String(value))) {
        throw invalidField([...at, 'value'], 'BASE_TYPE_CHOICES', `Value must be one of {${options.join(', ')}}.`)
      }
      return { ...common, value }
    }
    case Component.CHECKBOX:
      return { ...common, value: given?.value === true }
    case Component.CHECKBOX_GROUP: {
      const bounds = {
        min_values: field.min_values ?? (required ? 1 : 0),
        max_values: field.max_values ?? (field.options as unknown[]).length,
      }
      return { ...common, values: readSelection({ ...field, ...bounds }, given?.values, [...at, 'values'], resolver, !required) }
    }
    case Component.FILE_UPLOAD: {
      const values = ((given?.values as unknown[] | undefined) ?? []).map(String)
      const min = Number(field.min_values ?? 1)
      const max = Number(field.max_values ?? 1)
      if ((values.length > 0 || required) && (values.length < min || values.length > max)) {
        throw invalidField([...at, 'values'], 'BASE_TYPE_BAD_LENGTH', `Must be between ${min} and ${max} in length.`)
      }
      return { ...common, values: values.map((id) => resolver.attachment(id, [...at, 'values'])) }
    }
    default:
      return { ...common, values: readSelection(field, given?.values, [...at, 'values'], resolver, !required) }
  }
}
