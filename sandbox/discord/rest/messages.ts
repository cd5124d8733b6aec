// Messages in channels and DMs: writing, reading, editing, deleting, crossposts.

import {
  type Context,
  type InChannel,
  isTextual,
  requireChannel,
  requireGuildChannel,
  requireId,
  requireMessage,
} from '../access.ts'
import { checkDraft, type Draft, Flag, flagsAfterEdit } from '../drafts.ts'
import {
  ApiError,
  cannotMessageUser,
  invalidField,
  missingPermissions,
  notTheAuthor,
  systemMessage as systemMessageError,
  wrongChannelType,
} from '../errors.ts'
import type { Call, Route } from '../http.ts'
import { Intent } from '../intents.ts'
import { announceMessage, buildMessage, editMessage, keepMessage, removeMessage } from '../messages.ts'
import { isThread, P } from '../permissions.ts'
import { presentMessage } from '../present-message.ts'
import { compareIds, timeOf } from '../snowflakes.ts'
import { type Channel, findMessage, type Message, type Wire } from '../store.ts'
import { joinByWriting, requireOpenThread } from '../threads.ts'
import { list, object, required, snowflake, validate } from '../validate.ts'
import { queryNumber } from './members.ts'
import { watchPoll } from './polls.ts'

const _PINS_PER_CHANNEL = 250
const _REACTIONS_PER_MESSAGE = 20
const BULK_DELETE_AGE = 14 * 24 * 3_600_000
/** Message types that people wrote or answered with; others are the system's. */
const ORDINARY = [0, 19, 20, 23]

export function messageRoutes(context: Context): Route[] {
  const { world, gateway } = context

  const create = (call: Call): unknown => {
    const scope = requireChannel(context, call)
    const { channel, guild } = scope
    const flags = Number((call.body as Draft | null)?.flags ?? 0)
    const draft = checkDraft(call.body, flags)
    requireWriting(context, call, scope, draft)
    const repeated = draft.enforce_nonce ? repeatedNonce(channel, call.user.id, draft.nonce) : undefined
    if (repeated) return presentMessage(world, repeated, call.user.id)
    const { reference, repliedTo, snapshots } = readReference(call, scope, draft)
    const message = buildMessage(context, {
      channel,
      guild,
      authorId: call.user.id,
      draft,
      files: call.files,
      type: repliedTo ? 19 : 0,
      mayMentionAll: guild === null || (scope.permissions & P.MENTION_EVERYONE) !== 0n,
      repliedTo,
      extra: { ...(reference ? { reference } : {}), ...(snapshots ? { snapshots } : {}) },
    })
    keepMessage(context, channel, message)
    channel.lastWrote.set(call.user.id, world.now())
    if (guild && channel.thread) joinByWriting(context, guild, channel, message)
    announceMessage(context, message, 'MESSAGE_CREATE')
    watchPoll(context, message)
    return { ...presentMessage(world, message, call.user.id), ...(message.nonce === null ? {} : { nonce: message.nonce }) }
  }

  const readReference = (
    call: Call,
    { channel, guild, permissions }: InChannel,
    draft: Draft,
  ): { reference: Message['reference']; repliedTo: Message | null; snapshots: Wire[] | null } => {
    const given = draft.message_reference
    if (!given) return { reference: null, repliedTo: null, snapshots: null }
    const sourceId = String(given.channel_id ?? channel.id)
    const source = findMessage(world, sourceId, String(given.message_id))
    const reference = {
      type: given.type ?? 0,
      channel_id: sourceId,
      message_id: String(given.message_id),
      ...(guild ? { guild_id: guild.id } : {}),
    }
    if (given.type === 1) {
      requireChannel(context, call, P.READ_MESSAGE_HISTORY, sourceId)
      if (!source) throw invalidField(['message_reference'], 'MESSAGE_FORWARD_UNKNOWN', 'Unknown message')
      const { content, embeds, attachments, timestamp, edited_timestamp, flags, mentions, mention_roles, components, type } =
        presentMessage(world, source)
      const copy = { content, embeds, attachments, timestamp, edited_timestamp, flags, mentions, mention_roles, components, type }
      return { reference, repliedTo: null, snapshots: [{ message: copy }] }
    }
    if (guild && !(permissions & P.READ_MESSAGE_HISTORY))
      throw new ApiError(403, 160002, 'Cannot reply without permission to read message history')
    if (sourceId !== channel.id)
      throw invalidField(
        ['message_reference'],
        'REPLIES_CANNOT_REFERENCE_OTHER_CHANNEL',
        'Cannot reply to a message in a different channel',
      )
    if (!source) {
      if (given.fail_if_not_exists === false) return { reference: null, repliedTo: null, snapshots: null }
      throw invalidField(['message_reference'], 'REPLIES_UNKNOWN_MESSAGE', 'Unknown message')
    }
    if (!ORDINARY.includes(source.type))
      throw invalidField(['message_reference'], 'REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE', 'Cannot reply to a system message')
    return { reference, repliedTo: source, snapshots: null }
  }

  const editOne = (call: Call): unknown => {
    const scope = requireChannel(context, call)
    const message = requireMessage(scope.channel, call.params.message)
    const draft = checkDraft(call.body, flagsAfterEdit(message, call.body))
    if (message.author_id !== call.user.id || message.webhookAuthor) {
      const onlyFlags = Object.keys(call.body as Wire).every((key) => key === 'flags')
      if (!onlyFlags || !(scope.permissions & P.MANAGE_MESSAGES)) throw notTheAuthor()
    }
    if (!ORDINARY.includes(message.type)) throw systemMessageError()
    requireOpenThread(context, scope)
    editMessage(context, message, scope.guild, draft, call.files, (scope.permissions & P.MENTION_EVERYONE) !== 0n)
    announceMessage(context, message, 'MESSAGE_UPDATE')
    return presentMessage(world, message, call.user.id)
  }

  const listMessages = (call: Call): unknown => {
    const { channel, guild, permissions } = requireChannel(context, call)
    if (!isTextual(channel)) throw wrongChannelType()
    const limit = queryNumber(call, 'limit', 50, 1, 100)
    if (guild && !(permissions & P.READ_MESSAGE_HISTORY)) return []
    const all = [...channel.messages.values()].sort((a, b) => compareIds(b.id, a.id))
    const [before, after, around] = ['before', 'after', 'around'].map((key) => call.query.get(key))
    for (const [key, value] of Object.entries({ before, after, around })) if (value) requireId(key, value)
    const older = (id: string) => all.filter((message) => compareIds(message.id, id) < 0)
    const newer = (id: string) => all.filter((message) => compareIds(message.id, id) > 0)
    let chosen = all.slice(0, limit)
    if (before) chosen = older(before).slice(0, limit)
    else if (after) chosen = newer(after).slice(-limit)
    else if (around) {
      const half = Math.floor(limit / 2)
      const itself = all.filter((message) => message.id === around)
      chosen = [...newer(around).slice(-half), ...itself, ...older(around).slice(0, half)].slice(0, limit)
    }
    return chosen.map((message) => presentMessage(world, message, call.user.id))
  }

  const deleteOne = (call: Call): void => {
    const scope = requireChannel(context, call)
    const ephemeral = world.ephemerals.get(call.params.message ?? '')
    if (ephemeral && ephemeral.ephemeralFor === call.user.id) {
      removeMessage(context, ephemeral)
      return
    }
    const message = requireMessage(scope.channel, call.params.message)
    if (message.author_id !== call.user.id && !(scope.guild && scope.permissions & P.MANAGE_MESSAGES)) throw missingPermissions()
    if ([3, 4, 5, 21].includes(message.type)) throw systemMessageError()
    removeMessage(context, message)
  }

  const crosspost = (call: Call): unknown => {
    const scope = requireGuildChannel(context, call, P.SEND_MESSAGES)
    const message = requireMessage(scope.channel, call.params.message)
    if (scope.channel.type !== 5) throw wrongChannelType()
    if (message.author_id !== call.user.id && !(scope.permissions & P.MANAGE_MESSAGES)) throw missingPermissions()
    if (message.flags & Flag.CROSSPOSTED) throw new ApiError(400, 40033, 'This message has already been crossposted.')
    message.flags |= Flag.CROSSPOSTED
    announceMessage(context, message, 'MESSAGE_UPDATE')
    for (const id of scope.channel.followers) deliverCrosspost(id, scope.channel, message)
    return presentMessage(world, message, call.user.id)
  }

  const deliverCrosspost = (webhookId: string, source: Channel, message: Message): void => {
    const webhook = world.webhooks.get(webhookId)
    const channel = world.channels.get(webhook?.channel_id ?? '')
    const guild = world.guilds.get(webhook?.guild_id ?? '')
    if (!webhook || !channel || !guild) return
    const copy: Message = {
      ...message,
      id: world.id(),
      channel_id: channel.id,
      guild_id: guild.id,
      author_id: webhook.id,
      webhookAuthor: { username: webhook.name, avatar: null },
      webhook_id: webhook.id,
      flags: (message.flags & ~Flag.CROSSPOSTED) | Flag.IS_CROSSPOST,
      reactions: [],
      pinned_at: null,
      thread_id: null,
      reference: { type: 0, channel_id: source.id, message_id: message.id, guild_id: message.guild_id ?? '' },
    }
    keepMessage(context, channel, copy)
    announceMessage(context, copy, 'MESSAGE_CREATE')
  }

  return [
    { method: 'GET', pattern: '/channels/:channel/messages', handler: listMessages },
    { method: 'POST', pattern: '/channels/:channel/messages', handler: create },
    {
      method: 'GET',
      pattern: '/channels/:channel/messages/:message',
      handler: (call) => {
        const { channel } = requireChannel(context, call, P.READ_MESSAGE_HISTORY)
        return presentMessage(world, requireMessage(channel, call.params.message), call.user.id)
      },
    },
    { method: 'PATCH', pattern: '/channels/:channel/messages/:message', handler: editOne },
    { method: 'DELETE', pattern: '/channels/:channel/messages/:message', handler: deleteOne },
    {
      method: 'POST',
      pattern: '/channels/:channel/messages/bulk-delete',
      handler: (call) => {
        const scope = requireGuildChannel(context, call, P.MANAGE_MESSAGES)
        const { messages } = validate<{ messages: string[] }>(
          object({ messages: required(list(snowflake, { min: 2, max: 100 })) }),
          call.body,
        )
        for (const id of messages) {
          if (timeOf(id) < world.now() - BULK_DELETE_AGE)
            throw new ApiError(400, 50034, 'You can only bulk delete messages that are under 14 days old.')
        }
        const known = messages.filter((id) => scope.channel.messages.delete(String(id)))
        const notice = { ids: known, channel_id: scope.channel.id, guild_id: scope.guild.id }
        gateway.toGuild(scope.guild, 'MESSAGE_DELETE_BULK', notice, {
          intent: Intent.MESSAGES,
          channel: scope.channel,
          botsNeedView: true,
        })
      },
    },
    { method: 'POST', pattern: '/channels/:channel/messages/:message/crosspost', handler: crosspost },
    { method: 'POST', pattern: '/channels/:channel/messages/:message/ack', handler: () => ({ token: null }) },
  ]
}

/** Refuses a message that the caller may not write here: permissions, locks, closed DMs, slow mode. */
function requireWriting(context: Context, call: Call, scope: InChannel, draft: Draft): void {
  const { world } = context
  const { channel, guild, permissions } = scope
  if (!guild) {
    const other = world.users.get(channel.recipients.find((id) => id !== call.user.id) ?? '')
    if (!other || other.dmClosed) throw cannotMessageUser()
    const shared = [...world.guilds.values()].some((one) => one.members.has(call.user.id) && one.members.has(other.id))
    if (!shared) throw new ApiError(403, 50278, 'Cannot send messages to this user due to having no mutual guilds')
    return
  }
  if (!isTextual(channel)) throw new ApiError(400, 50008, 'Cannot send messages in a non-text channel')
  const needed = isThread(channel) ? P.SEND_MESSAGES_IN_THREADS : P.SEND_MESSAGES
  if (!(permissions & needed)) throw missingPermissions()
  if (call.files.length + (draft.attachments?.length ?? 0) > 0 && !(permissions & P.ATTACH_FILES)) throw missingPermissions()
  if ((draft.embeds?.length ?? 0) > 0 && !(permissions & P.EMBED_LINKS)) throw missingPermissions()
  if (draft.poll && !(permissions & P.SEND_POLLS)) throw missingPermissions()
  if (draft.tts && !(permissions & P.SEND_TTS_MESSAGES)) throw missingPermissions()
  requireOpenThread(context, scope)
  const exempt = (permissions & (P.BYPASS_SLOWMODE | P.MANAGE_MESSAGES | P.MANAGE_CHANNELS)) !== 0n
  const since = world.now() - (channel.lastWrote.get(call.user.id) ?? 0)
  if (!call.user.bot && !exempt && channel.rate_limit_per_user * 1000 > since) {
    throw new SlowMode((channel.rate_limit_per_user * 1000 - since) / 1000)
  }
}

/** 20016 with the time to wait. */
class SlowMode extends ApiError {
  readonly retryAfter: number

  constructor(retryAfter: number) {
    super(429, 20016, 'This action cannot be performed due to slowmode rate limit.')
    this.retryAfter = retryAfter
  }

  override body(): Record<string, unknown> {
    return { ...super.body(), retry_after: this.retryAfter, global: false }
  }
}

/** The message that the author sent here a moment ago with the same nonce. */
function repeatedNonce(channel: Channel, authorId: string, nonce: Draft['nonce']): Message | undefined {
  if (nonce === undefined || nonce === null) return undefined
  return [...channel.messages.values()]
    .slice(-200)
    .find((message) => message.author_id === authorId && String(message.nonce) === String(nonce))
}
