// Interactions from both ends: people send them (commands, components, autocomplete, modals), bots answer them.
// Three seconds for the first answer, fifteen minutes for the token, exactly one acknowledgement.

import { randomBytes } from 'node:crypto'
import { type Context, permissionsIn, requireChannel } from '../access.ts'
import { Component, checkModal, storeComponents, withoutNulls } from '../components.ts'
import {
  ApiError,
  alreadyAcknowledged,
  invalidField,
  invalidForm,
  invalidWebhookToken,
  missingAccess,
  missingPermissions,
  unknownThing,
} from '../errors.ts'
import { type Call, Reply, type Route } from '../http.ts'
import {
  announceMessage,
  buildMessage,
  checkDraft,
  type Draft,
  editMessage,
  Flag,
  findComponent,
  flagsAfterEdit,
  keepMessage,
  removeMessage,
} from '../messages.ts'
import { createResolver, presentPartialChannel, readModal, readOptions, readSelection } from '../options.ts'
import { DM_PERMISSIONS } from '../permissions.ts'
import { presentBasicApplication, presentMember, presentMessage, presentUser, userOf } from '../present.ts'
import type { Application, Channel, Command, Guild, Interaction, Member, Message, Wire } from '../store.ts'
import { list, number, object, oneOf, type Problem, required, snowflake, text, validate } from '../validate.ts'
import { mayUse } from './commands.ts'
import { watchPoll } from './polls.ts'
import { joinByWriting } from './threads.ts'

const FIRST_ANSWER_MS = 3000
const TOKEN_MS = 15 * 60_000
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
    if (body.type !== 4) tell(interaction, 'INTERACTION_CREATE', { id, nonce: interaction.nonce })
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
      authorizing_integration_owners: owners(interaction),
      context: guild ? 0 : 1,
      attachment_size_limit: 10_485_760,
      ...(interaction.message ? { message: presentMessage(world, interaction.message, application.bot_id) } : {}),
    }
  }

  const owners = (interaction: Interaction): Record<string, string> => ({ '0': interaction.guild_id ?? '0' })

  const tell = (interaction: Interaction, event: string, data: Wire): void =>
    gateway.toSession(interaction.user_id, interaction.session_id, event, data)

  const fail = (interaction: Interaction): void => {
    if (interaction.acknowledged !== 0) return
    interaction.failed = true
    tell(interaction, 'INTERACTION_FAILURE', { id: interaction.id, nonce: interaction.nonce, reason_code: 2 })
  }

  // --- the bot's side ---

  const callback = (call: Call): unknown => {
    const interaction = world.interactions.get(call.params.interaction ?? '')
    if (!interaction || interaction.token !== call.params.token) throw unknownThing('interaction')
    if (interaction.failed || (interaction.acknowledged === 0 && world.now() - interaction.created > FIRST_ANSWER_MS))
      throw unknownThing('interaction')
    if (interaction.acknowledged !== 0) throw alreadyAcknowledged()
    const body = validate<{ type: number; data?: Wire | null }>(
      object({ type: required(oneOf([1, 4, 5, 6, 7, 8, 9, 10, 12])) }),
      call.body,
    )
    const message = respond(interaction, body.type, body.data ?? {}, call)
    interaction.acknowledged = body.type
    if (interaction.timer) clearTimeout(interaction.timer)
    if (body.type !== 8) tell(interaction, 'INTERACTION_SUCCESS', { id: interaction.id, nonce: interaction.nonce })
    if (call.query.get('with_response') !== 'true') return undefined
    return {
      interaction: {
        id: interaction.id,
        type: interaction.type,
        channel_id: interaction.channel_id,
        ...(interaction.guild_id ? { guild_id: interaction.guild_id } : {}),
        ...(message
          ? {
              response_message_id: message.id,
              response_message_loading: (message.flags & Flag.LOADING) !== 0,
              response_message_ephemeral: message.ephemeralFor !== null,
            }
          : {}),
      },
      // The published schema knows messages under the types 4 and 7 alone.
      ...(message
        ? { resource: { type: body.type === 7 ? 7 : 4, message: presentMessage(world, message, botOf(interaction)) } }
        : {}),
    }
  }

  const botOf = (interaction: Interaction): string => world.applications.get(interaction.application_id)?.bot_id ?? ''

  const typeRefused = () =>
    invalidField(['type'], 'INTERACTION_CALLBACK_TYPE_INVALID', 'Invalid callback type for this interaction.')

  const respond = (interaction: Interaction, type: number, data: Wire, call: Call): Message | null => {
    if ((interaction.type === 4) !== (type === 8)) throw typeRefused()
    switch (type) {
      case 4: {
        const draft = checkDraft(data, Number(data.flags ?? 0), ['data'])
        return remember(interaction, post(interaction, draft, call, Number(draft.flags ?? 0) & Flag.EPHEMERAL))
      }
      case 5: {
        const flags = (Number(data.flags ?? 0) & Flag.EPHEMERAL) | Flag.LOADING
        return remember(interaction, post(interaction, {}, call, flags))
      }
      case 6:
        if (!interaction.message) throw typeRefused()
        remember(interaction, interaction.message)
        return null
      case 7: {
        if (!interaction.message) throw typeRefused()
        const draft = checkDraft(data, flagsAfterEdit(interaction.message, data), ['data'])
        edit(interaction.message, draft, call)
        return remember(interaction, interaction.message)
      }
      case 8:
        tell(interaction, 'APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE', { nonce: interaction.nonce, choices: checkChoices(data) })
        return null
      case 9:
        openModal(interaction, data)
        return null
      default:
        throw typeRefused()
    }
  }

  const remember = (interaction: Interaction, message: Message): Message => {
    interaction.originalId = message.id
    interaction.messageIds.add(message.id)
    return message
  }

  const openModal = (interaction: Interaction, data: Wire): void => {
    if (interaction.type === 5) throw typeRefused()
    const checked = checkModal(data)
    const application = world.applications.get(interaction.application_id) as Application
    interaction.modal = {
      custom_id: checked.custom_id,
      title: checked.title,
      components: storeComponents((checked.components as Wire[]).map(withoutNulls), (address) => ({ url: address })),
    }
    tell(interaction, 'INTERACTION_MODAL_CREATE', {
      id: interaction.id,
      nonce: interaction.nonce,
      channel_id: interaction.channel_id,
      title: interaction.modal.title,
      custom_id: interaction.modal.custom_id,
      components: interaction.modal.components,
      application: presentBasicApplication(world, application),
    })
  }

  const metadata = (interaction: Interaction, originalId: string | null): Wire => ({
    id: interaction.id,
    type: interaction.type,
    user: userOf(world, interaction.user_id),
    authorizing_integration_owners: owners(interaction),
    ...(originalId ? { original_response_message_id: originalId } : {}),
    ...(interaction.type === 2 ? { name: interaction.name, command_type: interaction.command?.type ?? 1 } : {}),
    ...(interaction.type === 2 && interaction.command?.type === 2 && interaction.targetId
      ? { target_user: userOf(world, interaction.targetId) }
      : {}),
    ...(interaction.type === 2 && interaction.command?.type === 3 && interaction.targetId
      ? { target_message_id: interaction.targetId }
      : {}),
    ...(interaction.type === 3 && interaction.message ? { interacted_message_id: interaction.message.id } : {}),
    ...(interaction.type === 5 && interaction.origin
      ? { triggering_interaction_metadata: metadata(interaction.origin, null) }
      : {}),
  })

  /** Sends the bot's message as an answer. A follow-up refers to the first answer, an answer to a component to its message. */
  const post = (interaction: Interaction, draft: Draft, call: Call, flags: number, followUp = false): Message => {
    const channel = world.channels.get(interaction.channel_id)
    if (!channel) throw unknownThing('channel')
    const guild = interaction.guild_id === null ? null : (world.guilds.get(interaction.guild_id) ?? null)
    const botId = botOf(interaction)
    const referenced = followUp ? interaction.originalId : interaction.type === 3 ? (interaction.message?.id ?? null) : null
    const fromMenu = interaction.command !== null && interaction.command.type !== 1
    const bot = guild?.members.get(botId)
    const message = buildMessage(context, {
      channel,
      guild,
      authorId: botId,
      draft,
      files: call.files,
      flags,
      type: referenced ? 19 : interaction.command ? (fromMenu ? 23 : 20) : 0,
      mayMentionAll: guild === null || bot === undefined || (permissionsIn(context, guild, bot, channel) & (1n << 17n)) !== 0n,
      extra: {
        webhook_id: interaction.application_id,
        application_id: interaction.application_id,
        interaction_metadata: metadata(interaction, followUp ? interaction.originalId : null),
        interaction:
          interaction.type === 2
            ? { id: interaction.id, type: 2, name: interaction.name, user: userOf(world, interaction.user_id) }
            : null,
        ephemeralFor: flags & Flag.EPHEMERAL ? interaction.user_id : null,
        reference: referenced
          ? { type: 0, channel_id: channel.id, message_id: referenced, ...(guild ? { guild_id: guild.id } : {}) }
          : null,
        nonce: null,
      },
    })
    keepMessage(context, channel, message)
    if (guild && channel.thread && message.ephemeralFor === null) joinByWriting(context, guild, channel, message)
    announceMessage(context, message, 'MESSAGE_CREATE', { userId: interaction.user_id, nonce: followUp ? null : interaction.nonce })
    watchPoll(context, message)
    return message
  }

  const edit = (message: Message, draft: Draft, call: Call): void => {
    const guild = message.guild_id === null ? null : (world.guilds.get(message.guild_id) ?? null)
    editMessage(context, message, guild, draft, call.files)
    announceMessage(context, message, 'MESSAGE_UPDATE')
    if (draft.poll) watchPoll(context, message)
  }

  // --- the token's webhook, for fifteen minutes ---

  /** The interaction of a webhook call. 50027 for a token that is unknown or too old, 10015 before the first answer. */
  const requireToken = (call: Call): Interaction => {
    const interaction = world.interactionTokens.get(call.params.token ?? '')
    if (!interaction || interaction.application_id !== call.params.webhook) throw invalidWebhookToken()
    if (world.now() - interaction.created > TOKEN_MS) throw invalidWebhookToken()
    if (interaction.acknowledged === 0) throw unknownThing('webhook')
    return interaction
  }

  const requireOwn = (interaction: Interaction, id: string | undefined): Message => {
    const wanted = id === '@original' ? interaction.originalId : id
    const message = wanted
      ? (world.ephemerals.get(wanted) ?? world.channels.get(interaction.channel_id)?.messages.get(wanted))
      : undefined
    if (!message || !interaction.messageIds.has(message.id)) throw unknownThing('message')
    return message
  }

  const followUp = (call: Call): unknown => {
    const interaction = requireToken(call)
    const original =
      interaction.originalId === null
        ? undefined
        : (world.ephemerals.get(interaction.originalId) ??
          world.channels.get(interaction.channel_id)?.messages.get(interaction.originalId))
    const flags = Number((call.body as Draft | null)?.flags ?? 0)
    const draft = checkDraft(call.body, flags)
    if (original && original.flags & Flag.LOADING) {
      edit(original, draft, call)
      return presentMessage(world, original, botOf(interaction))
    }
    const message = post(interaction, draft, call, flags & Flag.EPHEMERAL, true)
    interaction.messageIds.add(message.id)
    return presentMessage(world, message, botOf(interaction))
  }

  return [
    { method: 'POST', pattern: '/interactions', handler: (call) => send(call) },
    { method: 'POST', pattern: '/interactions/:interaction/:token/callback', open: true, handler: callback },
    {
      method: 'POST',
      pattern: '/webhooks/:webhook/:token',
      open: true,
      handler: (call) => (isInteractionToken(call) ? followUp(call) : context.webhooks.execute(call)),
    },
    {
      method: 'GET',
      pattern: '/webhooks/:webhook/:token/messages/:message',
      open: true,
      handler: (call) => {
        if (!isInteractionToken(call)) return context.webhooks.read(call)
        const interaction = requireToken(call)
        return presentMessage(world, requireOwn(interaction, call.params.message), botOf(interaction))
      },
    },
    {
      method: 'PATCH',
      pattern: '/webhooks/:webhook/:token/messages/:message',
      open: true,
      handler: (call) => {
        if (!isInteractionToken(call)) return context.webhooks.edit(call)
        const interaction = requireToken(call)
        const message = requireOwn(interaction, call.params.message)
        edit(message, checkDraft(call.body, flagsAfterEdit(message, call.body)), call)
        return presentMessage(world, message, botOf(interaction))
      },
    },
    {
      method: 'DELETE',
      pattern: '/webhooks/:webhook/:token/messages/:message',
      open: true,
      handler: (call) => {
        if (!isInteractionToken(call)) return context.webhooks.remove(call)
        removeMessage(context, requireOwn(requireToken(call), call.params.message))
        return new Reply(204, undefined)
      },
    },
  ]

  /** Webhooks of applications have no channel of their own: their ids are application ids. */
  function isInteractionToken(call: Call): boolean {
    return world.applications.has(call.params.webhook ?? '')
  }
}

function checkChoices(data: Wire): Wire[] {
  const problems: Problem[] = []
  const choice = object({
    name: required(text({ min: 1, max: 100 })),
    value: required((value, at, found) => (typeof value === 'string' ? text({ max: 100 }) : number())(value, at, found)),
  })
  const choices = data.choices ?? []
  list(choice, { max: 25 })(choices, ['data', 'choices'], problems)
  if (problems.length > 0) throw invalidForm(problems)
  return choices as Wire[]
}
