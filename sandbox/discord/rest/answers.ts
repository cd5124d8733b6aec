// Interactions as bots answer them: the callback within three seconds, exactly once, then the token's webhook for fifteen minutes.

import { type Context, permissionsIn } from '../access.ts'
import { storeComponents, withoutNulls } from '../component-store.ts'
import { checkModal } from '../components.ts'
import { checkDraft, type Draft, Flag, flagsAfterEdit } from '../drafts.ts'
import { alreadyAcknowledged, invalidField, invalidForm, invalidWebhookToken, unknownThing } from '../errors.ts'
import { type Call, Reply, type Route } from '../http.ts'
import { announceMessage, buildMessage, editMessage, keepMessage, removeMessage } from '../messages.ts'
import { presentBasicApplication, userOf } from '../present.ts'
import { presentMessage } from '../present-message.ts'
import type { Application, Interaction, Message, Wire } from '../store.ts'
import { joinByWriting } from '../threads.ts'
import { list, number, object, oneOf, type Problem, required, text, validate } from '../validate.ts'
import { watchPoll } from './polls.ts'

export const FIRST_ANSWER_MS = 3000
const TOKEN_MS = 15 * 60_000

/** Whose installation let the interaction happen: the guild's, in a DM nobody's. */
export const ownersOf = (interaction: Interaction): Record<string, string> => ({ '0': interaction.guild_id ?? '0' })

/** Tells the client that sent the interaction. */
export function tellSender({ gateway }: Context, interaction: Interaction, event: string, data: Wire): void {
  gateway.toSession(interaction.user_id, interaction.session_id, event, data)
}

export function answerRoutes(context: Context): Route[] {
  const { world } = context

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
    if (body.type !== 8) tellSender(context, interaction, 'INTERACTION_SUCCESS', { id: interaction.id, nonce: interaction.nonce })
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
        tellSender(context, interaction, 'APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE', {
          nonce: interaction.nonce,
          choices: checkChoices(data),
        })
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
    tellSender(context, interaction, 'INTERACTION_MODAL_CREATE', {
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
    authorizing_integration_owners: ownersOf(interaction),
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
