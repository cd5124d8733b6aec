// Interactions as people send them: commands, components, autocomplete, modals. Checked, recorded, handed to the bot, failed after three seconds.

import { randomBytes } from 'node:crypto'
import { type Context, permissionsIn, requireChannel } from '../access.ts'
import { Component } from '../components.ts'
import { ApiError, invalidField, missingAccess, missingPermissions, unknownThing } from '../errors.ts'
import type { Call, Route } from '../http.ts'
import { findComponent } from '../messages.ts'
import { createResolver, presentPartialChannel, readModal, readOptions, readSelection } from '../options.ts'
import { DM_PERMISSIONS } from '../permissions.ts'
import { presentMember, presentUser } from '../present.ts'
import { presentMessage } from '../present-message.ts'
import type { Application, Channel, Command, Guild, Interaction, Member, Wire } from '../store.ts'
import { object, oneOf, required, snowflake, validate } from '../validate.ts'
import { FIRST_ANSWER_MS, ownersOf, tellSender } from './answers.ts'
import { mayUse } from './commands.ts'

const KEPT_MS = 60 * 60_000

interface Sent {
  type: number
  application_id: string
  guild_id?: string | null
  channel_id: string
  session_id?: string | null
  nonce?: string | number | null
  message_id?: string | null
  data: Wire
}

const sentShape = object({
  type: required(oneOf([2, 3, 4, 5])),
  application_id: required(snowflake),
  channel_id: required(snowflake),
  data: required(object({})),
})

/** Where an interaction happens. */
interface Place {
  application: Application
  channel: Channel
  guild: Guild | null
  member: Member | null
  permissions: bigint
}

export function interactionRoutes(context: Context): Route[] {
  const { world, gateway } = context

  const send = (call: Call): void => {
    if (call.user.bot) throw new ApiError(403, 20001, 'Bots cannot use this endpoint')
    const body = validate<Sent>(sentShape, call.body)
    const place = requirePlace(call, body)
    if (body.type === 3) sendComponent(call, body, place)
    else if (body.type === 5) sendModal(call, body, place)
    else sendCommand(call, body, place)
  }

  const requirePlace = (call: Call, body: Sent): Place => {
    const application = world.applications.get(String(body.application_id))
    if (!application) throw unknownThing('application')
    const found = requireChannel(context, call, 0n, String(body.channel_id))
    if (body.guild_id && found.guild?.id !== String(body.guild_id)) throw unknownThing('guild')
    const present = found.guild
      ? found.guild.applications.has(application.id)
      : found.channel.recipients.includes(application.bot_id)
    if (!present) throw missingAccess()
    return { application, channel: found.channel, guild: found.guild, member: found.member, permissions: found.permissions }
  }

  const sendCommand = (call: Call, body: Sent, place: Place): void => {
    const command = requireUsableCommand(body, place)
    const autocomplete = body.type === 4
    const resolver = resolverFor(call, body, place)
    const data: Wire = {
      id: command.id,
      name: command.name,
      type: command.type,
      ...(command.guild_id ? { guild_id: command.guild_id } : {}),
    }
    let target: string | null = null
    let path: string[] = []
    if (command.type === 1) {
      const read = readOptions(command, body.data.options, resolver, autocomplete)
      if (autocomplete && !read.focused)
        throw invalidField(['data', 'options'], 'APPLICATION_COMMAND_OPTION_FOCUSED', 'One option must have the focus.')
      if (read.options.length > 0 || autocomplete) data.options = read.options
      path = read.path
    } else {
      target = String(body.data.target_id ?? '')
      if (command.type === 2) resolver.user(target, ['data', 'target_id'])
      else {
        const message = place.channel.messages.get(target)
        if (!message) throw unknownThing('message')
        resolver.message(message)
      }
      data.target_id = target
    }
    const resolved = resolver.resolved()
    if (resolved) data.resolved = resolved
    begin(call, body, place, data, { command, name: [command.name, ...path].join(' '), targetId: target })
  }

  const requireUsableCommand = (body: Sent, place: Place): Command => {
    const command = place.application.commands.get(String(body.data.id))
    if (!command || (command.guild_id !== null && command.guild_id !== place.guild?.id)) throw unknownThing('command')
    if (body.data.version !== undefined && String(body.data.version) !== command.version) {
      throw invalidField(
        ['data', 'version'],
        'INTERACTION_APPLICATION_COMMAND_INVALID_VERSION',
        'This command is outdated, please try again in a few minutes',
      )
    }
    const contextType = place.guild ? 0 : 1
    if (command.contexts !== null && !command.contexts.includes(contextType)) throw unknownThing('command')
    if (place.guild && place.member && !mayUse(command, place.guild, place.member, place.channel, place.permissions, world.now())) {
      throw missingPermissions()
    }
    return command
  }

  const resolverFor = (call: Call, body: Sent, place: Place) =>
    createResolver(context, place.guild, place.channel, (body.data.attachments as Wire[] | undefined) ?? [], call.files)

  const sendComponent = (call: Call, body: Sent, place: Place): void => {
    const id = String(body.message_id ?? '')
    const ephemeral = world.ephemerals.get(id)
    const message = ephemeral?.ephemeralFor === call.user.id ? ephemeral : place.channel.messages.get(id)
    if (!message || message.channel_id !== place.channel.id) throw unknownThing('message')
    const failed = (field: string) => invalidField(['data', field], 'COMPONENT_VALIDATION_FAILED', 'Component validation failed')
    if (message.author_id !== place.application.bot_id && message.application_id !== place.application.id) throw failed('custom_id')
    const component = findComponent(message, String(body.data.custom_id))
    if (!component || component.disabled === true) throw failed('custom_id')
    if (body.data.component_type !== undefined && Number(body.data.component_type) !== component.type)
      throw failed('component_type')
    const resolver = resolverFor(call, body, place)
    const data: Wire = { custom_id: component.custom_id, component_type: component.type, id: component.id }
    if (component.type !== Component.BUTTON) data.values = readSelection(component, body.data.values, ['data', 'values'], resolver)
    const resolved = resolver.resolved()
    if (resolved) data.resolved = resolved
    begin(call, body, place, data, { message })
  }

  /** The modal that was last shown to the caller under this custom id, for clients that do not name the interaction. */
  const lastModal = (call: Call, body: Sent): Interaction | undefined =>
    [...world.interactions.values()].findLast((one) => one.user_id === call.user.id && one.modal?.custom_id === body.data.custom_id)

  const sendModal = (call: Call, body: Sent, place: Place): void => {
    const origin = body.data.id === undefined ? lastModal(call, body) : world.interactions.get(String(body.data.id))
    if (!origin?.modal || origin.user_id !== call.user.id || origin.application_id !== place.application.id)
      throw unknownThing('interaction')
    if (origin.modal.custom_id !== body.data.custom_id) {
      throw invalidField(['data', 'custom_id'], 'COMPONENT_VALIDATION_FAILED', 'Component validation failed')
    }
    const resolver = resolverFor(call, body, place)
    const components = readModal(origin.modal, body.data.components, resolver)
    const resolved = resolver.resolved()
    const data = { custom_id: origin.modal.custom_id, components, ...(resolved ? { resolved } : {}) }
    begin(call, body, place, data, { origin, message: origin.message, name: origin.name, command: origin.command })
  }

  /** Records the interaction, hands it to the bot and starts the clock. */
  const begin = (call: Call, body: Sent, place: Place, data: Wire, extra: Partial<Interaction>): void => {
    const id = world.id()
    const interaction: Interaction = {
      id,
      token: `${Buffer.from(`interaction:${id}:`).toString('base64url')}${randomBytes(96).toString('base64url')}`,
      application_id: place.application.id,
      type: body.type,
      created: world.now(),
      user_id: call.user.id,
      session_id: body.session_id ?? null,
      nonce: body.nonce === undefined || body.nonce === null ? null : String(body.nonce),
      guild_id: place.guild?.id ?? null,
      channel_id: place.channel.id,
      name: '',
      command: null,
      targetId: null,
      message: null,
      origin: null,
      modal: null,
      acknowledged: 0,
      failed: false,
      originalId: null,
      messageIds: new Set(),
      timer: null,
      ...extra,
    }
    forgetOld()
    world.interactions.set(id, interaction)
    world.interactionTokens.set(interaction.token, interaction)
    interaction.timer = context.after(FIRST_ANSWER_MS, () => fail(interaction))
    if (body.type !== 4) tellSender(context, interaction, 'INTERACTION_CREATE', { id, nonce: interaction.nonce })
    gateway.toUser(place.application.bot_id, 'INTERACTION_CREATE', describe(call, interaction, place, data))
  }

  /** Drops what ended long ago, so that memory stays flat. */
  const forgetOld = (): void => {
    const oldest = world.now() - KEPT_MS
    for (const one of world.interactions.values()) {
      if (one.created > oldest) break
      world.interactions.delete(one.id)
      world.interactionTokens.delete(one.token)
    }
    for (const message of world.ephemerals.values()) {
      if (Date.parse(message.timestamp) > oldest) break
      world.ephemerals.delete(message.id)
    }
  }

  const describe = (call: Call, interaction: Interaction, place: Place, data: Wire): Wire => {
    const { guild, channel, member, application } = place
    const bot = guild?.members.get(application.bot_id)
    const held = guild && bot ? permissionsIn(context, guild, bot, channel) : DM_PERMISSIONS
    return {
      version: 1,
      type: interaction.type,
      id: interaction.id,
      token: interaction.token,
      application_id: application.id,
      data,
      channel_id: channel.id,
      channel: guild
        ? presentPartialChannel(channel, place.permissions.toString())
        : { id: channel.id, type: 1, flags: 0, last_message_id: channel.last_message_id, recipients: [presentUser(call.user)] },
      ...(guild && member
        ? {
            guild_id: guild.id,
            guild: { id: guild.id, locale: guild.preferred_locale, features: guild.features },
            guild_locale: guild.preferred_locale,
            member: { ...presentMember(world, member), permissions: place.permissions.toString() },
          }
        : { user: presentUser(call.user) }),
      locale: call.user.locale,
      app_permissions: held.toString(),
      entitlements: [],
      entitlement_sku_ids: [],
      authorizing_integration_owners: ownersOf(interaction),
      context: guild ? 0 : 1,
      attachment_size_limit: 10_485_760,
      ...(interaction.message ? { message: presentMessage(world, interaction.message, application.bot_id) } : {}),
    }
  }

  const fail = (interaction: Interaction): void => {
    if (interaction.acknowledged !== 0) return
    interaction.failed = true
    tellSender(context, interaction, 'INTERACTION_FAILURE', { id: interaction.id, nonce: interaction.nonce, reason_code: 2 })
  }

  return [{ method: 'POST', pattern: '/interactions', handler: send }]
}
