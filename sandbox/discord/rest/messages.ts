// Messages in channels and DMs: writing, reading, editing, deleting, reactions, pins, crossposts, polls, and client uploads.

import {
  type Context,
  type InChannel,
  isTextual,
  requireChannel,
  requireGuildChannel,
  requireId,
  requireMessage,
} from '../access.ts'
import {
  ApiError,
  cannotMessageUser,
  invalidField,
  maximumReached,
  missingPermissions,
  notTheAuthor,
  systemMessage as systemMessageError,
  unknownThing,
  wrongChannelType,
} from '../errors.ts'
import { Intent } from '../gateway.ts'
import { type Call, Reply, type Route } from '../http.ts'
import {
  announceMessage,
  buildMessage,
  checkDraft,
  type Draft,
  editMessage,
  Flag,
  flagsAfterEdit,
  keepMessage,
  removeMessage,
  systemMessage,
} from '../messages.ts'
import { isThread, P } from '../permissions.ts'
import { presentBareMember, presentMessage, presentReactionEmoji, presentUser, userOf } from '../present.ts'
import { compareIds, timeOf } from '../snowflakes.ts'
import { type Channel, findMessage, type Message, type Wire } from '../store.ts'
import { list, object, required, snowflake, text, validate, whole } from '../validate.ts'
import { queryNumber } from './members.ts'
import { joinByWriting, requireOpenThread } from './threads.ts'

const PINS_PER_CHANNEL = 250
const REACTIONS_PER_MESSAGE = 20
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
    if (message.poll) schedulePollEnd(message)
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

  const announceIn = (channel: Channel, message: Message, event: string, data: Wire, intent: number, direct: number): void => {
    const guild = message.guild_id === null ? null : world.guilds.get(message.guild_id)
    if (guild) gateway.toGuild(guild, event, { ...data, guild_id: guild.id }, { intent, channel, botsNeedView: true })
    else for (const id of channel.recipients) gateway.toUser(id, event, data, direct)
  }

  const addReaction = (call: Call): void => {
    const scope = requireChannel(context, call, P.READ_MESSAGE_HISTORY)
    const message = requireMessage(scope.channel, call.params.message)
    requireOpenThread(context, scope)
    const emoji = readEmoji(context, call.params.emoji ?? '')
    const existing = message.reactions.find((reaction) => sameEmoji(reaction.emoji, emoji))
    if (!existing && scope.guild && !(scope.permissions & P.ADD_REACTIONS)) throw missingPermissions()
    if (!existing && message.reactions.length >= REACTIONS_PER_MESSAGE)
      throw maximumReached(30010, 'reactions', REACTIONS_PER_MESSAGE)
    const reaction = existing ?? { emoji, users: [] }
    if (!existing) message.reactions.push(reaction)
    if (reaction.users.includes(call.user.id)) return
    reaction.users.push(call.user.id)
    const data = {
      user_id: call.user.id,
      type: 0,
      message_id: message.id,
      message_author_id: message.author_id,
      channel_id: scope.channel.id,
      emoji: presentReactionEmoji(emoji),
      burst: false,
      ...(scope.member ? { member: { ...presentBareMember(scope.member), user: presentUser(call.user) } } : {}),
    }
    announceIn(scope.channel, message, 'MESSAGE_REACTION_ADD', data, Intent.REACTIONS, Intent.DIRECT_REACTIONS)
  }

  const removeReaction = (call: Call, userId: string): void => {
    const scope = requireChannel(context, call)
    const message = requireMessage(scope.channel, call.params.message)
    if (userId !== call.user.id && !(scope.guild && scope.permissions & P.MANAGE_MESSAGES)) throw missingPermissions()
    const emoji = readEmoji(context, call.params.emoji ?? '')
    const reaction = message.reactions.find((one) => sameEmoji(one.emoji, emoji))
    if (!reaction?.users.includes(userId)) return
    reaction.users = reaction.users.filter((id) => id !== userId)
    message.reactions = message.reactions.filter((one) => one.users.length > 0)
    const data = {
      user_id: userId,
      type: 0,
      message_id: message.id,
      channel_id: scope.channel.id,
      emoji: presentReactionEmoji(emoji),
      burst: false,
    }
    announceIn(scope.channel, message, 'MESSAGE_REACTION_REMOVE', data, Intent.REACTIONS, Intent.DIRECT_REACTIONS)
  }

  const clearReactions = (call: Call, emojiText?: string): void => {
    const scope = requireGuildChannel(context, call, P.MANAGE_MESSAGES)
    const message = requireMessage(scope.channel, call.params.message)
    const emoji = emojiText === undefined ? null : readEmoji(context, emojiText)
    message.reactions = emoji ? message.reactions.filter((one) => !sameEmoji(one.emoji, emoji)) : []
    const data = { channel_id: scope.channel.id, message_id: message.id, ...(emoji ? { emoji: presentReactionEmoji(emoji) } : {}) }
    const event = emoji ? 'MESSAGE_REACTION_REMOVE_EMOJI' : 'MESSAGE_REACTION_REMOVE_ALL'
    announceIn(scope.channel, message, event, data, Intent.REACTIONS, Intent.DIRECT_REACTIONS)
  }

  const pinned = (channel: Channel): Message[] =>
    [...channel.messages.values()]
      .filter((message) => message.pinned_at !== null)
      .sort((a, b) => Date.parse(b.pinned_at as string) - Date.parse(a.pinned_at as string) || compareIds(b.id, a.id))

  const pin = (call: Call, on: boolean): void => {
    const scope = requireChannel(context, call)
    if (scope.guild && !(scope.permissions & P.PIN_MESSAGES)) throw missingPermissions()
    const message = requireMessage(scope.channel, call.params.message)
    if ((message.pinned_at !== null) === on) return
    if (on && pinned(scope.channel).length >= PINS_PER_CHANNEL)
      throw maximumReached(30003, 'pins for the channel', PINS_PER_CHANNEL)
    message.pinned_at = on ? world.iso() : null
    if (on) scope.channel.last_pin_timestamp = message.pinned_at
    announceMessage(context, message, 'MESSAGE_UPDATE')
    const data = { channel_id: scope.channel.id, last_pin_timestamp: scope.channel.last_pin_timestamp }
    announceIn(scope.channel, message, 'CHANNEL_PINS_UPDATE', data, Intent.GUILDS, Intent.DIRECT_MESSAGES)
    if (on) {
      const reference = {
        type: 0,
        channel_id: scope.channel.id,
        message_id: message.id,
        ...(scope.guild ? { guild_id: scope.guild.id } : {}),
      }
      systemMessage(context, scope.channel, call.user.id, 6, { reference })
    }
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

  const schedulePollEnd = (message: Message): void => {
    const wait = Date.parse(message.poll?.expiry ?? '') - world.now()
    if (wait < 2 ** 31) context.after(wait, () => endPoll(message))
  }

  const endPoll = (message: Message): void => {
    const poll = message.poll
    if (!poll || poll.finalized) return
    const channel = world.channels.get(message.channel_id)
    if (!channel?.messages.has(message.id)) return
    poll.finalized = true
    poll.expiry = world.iso()
    announceMessage(context, message, 'MESSAGE_UPDATE')
    const total = poll.answers.reduce((sum, answer) => sum + answer.voters.length, 0)
    const best = poll.answers.reduce((top, answer) => (answer.voters.length > top.voters.length ? answer : top))
    const fields = [
      { name: 'poll_question_text', value: String(poll.question.text), inline: false },
      { name: 'victor_answer_votes', value: String(best.voters.length), inline: false },
      { name: 'total_votes', value: String(total), inline: false },
      ...(best.voters.length > 0
        ? [
            { name: 'victor_answer_id', value: String(best.answer_id), inline: false },
            { name: 'victor_answer_text', value: String(best.poll_media.text ?? ''), inline: false },
          ]
        : []),
    ]
    systemMessage(context, channel, message.author_id, 46, {
      embeds: [{ type: 'poll_result', fields }],
      reference: {
        type: 0,
        channel_id: channel.id,
        message_id: message.id,
        ...(message.guild_id ? { guild_id: message.guild_id } : {}),
      },
    })
  }

  const requirePoll = (call: Call) => {
    const scope = requireChannel(context, call)
    const message = requireMessage(scope.channel, call.params.message)
    if (!message.poll) throw new ApiError(400, 520001, 'Cannot use this message as a poll')
    return { ...scope, message, poll: message.poll }
  }

  const vote = (call: Call): void => {
    const { channel, message, poll } = requirePoll(call)
    const { answer_ids } = validate<{ answer_ids: (string | number)[] }>(
      object({ answer_ids: required(list(whole(1), { max: 10 })) }),
      call.body,
    )
    if (poll.finalized || Date.parse(poll.expiry) < world.now()) throw new ApiError(403, 520001, 'Poll expired')
    const wanted = [...new Set(answer_ids.map(Number))]
    if (wanted.length > 1 && !poll.allow_multiselect)
      throw invalidField(['answer_ids'], 'BASE_TYPE_MAX_LENGTH', 'Must be 1 or fewer in length.')
    for (const id of wanted)
      if (!poll.answers.some((answer) => answer.answer_id === id))
        throw invalidField(['answer_ids'], 'POLL_ANSWER_UNKNOWN', 'Unknown answer')
    for (const answer of poll.answers) {
      const voted = answer.voters.includes(call.user.id)
      const wants = wanted.includes(answer.answer_id)
      if (voted === wants) continue
      answer.voters = wants ? [...answer.voters, call.user.id] : answer.voters.filter((id) => id !== call.user.id)
      const data = { user_id: call.user.id, channel_id: channel.id, message_id: message.id, answer_id: answer.answer_id }
      announceIn(
        channel,
        message,
        wants ? 'MESSAGE_POLL_VOTE_ADD' : 'MESSAGE_POLL_VOTE_REMOVE',
        data,
        Intent.POLLS,
        Intent.DIRECT_POLLS,
      )
    }
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

    { method: 'PUT', pattern: '/channels/:channel/messages/:message/reactions/:emoji/@me', handler: addReaction },
    {
      method: 'DELETE',
      pattern: '/channels/:channel/messages/:message/reactions/:emoji/@me',
      handler: (call) => removeReaction(call, call.user.id),
    },
    {
      method: 'DELETE',
      pattern: '/channels/:channel/messages/:message/reactions/:emoji/:user',
      handler: (call) => removeReaction(call, requireId('user_id', call.params.user)),
    },
    {
      method: 'GET',
      pattern: '/channels/:channel/messages/:message/reactions/:emoji',
      handler: (call) => {
        const { channel } = requireChannel(context, call, P.READ_MESSAGE_HISTORY)
        const message = requireMessage(channel, call.params.message)
        const emoji = readEmoji(context, call.params.emoji ?? '')
        const limit = queryNumber(call, 'limit', 25, 1, 100)
        const users = message.reactions.find((one) => sameEmoji(one.emoji, emoji))?.users ?? []
        return users.slice(0, limit).map((id) => userOf(world, id))
      },
    },
    { method: 'DELETE', pattern: '/channels/:channel/messages/:message/reactions', handler: (call) => clearReactions(call) },
    {
      method: 'DELETE',
      pattern: '/channels/:channel/messages/:message/reactions/:emoji',
      handler: (call) => clearReactions(call, call.params.emoji),
    },

    {
      method: 'GET',
      pattern: '/channels/:channel/pins',
      handler: (call) => {
        const { channel } = requireChannel(context, call)
        return pinned(channel)
          .slice(0, 50)
          .map((message) => presentMessage(world, message, call.user.id))
      },
    },
    {
      method: 'GET',
      pattern: '/channels/:channel/messages/pins',
      handler: (call) => {
        const { channel } = requireChannel(context, call)
        const limit = queryNumber(call, 'limit', 50, 1, 50)
        const before = call.query.get('before')
        const found = pinned(channel).filter((message) => !before || Date.parse(message.pinned_at as string) < Date.parse(before))
        return {
          items: found
            .slice(0, limit)
            .map((message) => ({ pinned_at: message.pinned_at, message: presentMessage(world, message, call.user.id) })),
          has_more: found.length > limit,
        }
      },
    },
    { method: 'PUT', pattern: '/channels/:channel/pins/:message', handler: (call) => pin(call, true) },
    { method: 'DELETE', pattern: '/channels/:channel/pins/:message', handler: (call) => pin(call, false) },
    { method: 'PUT', pattern: '/channels/:channel/messages/pins/:message', handler: (call) => pin(call, true) },
    { method: 'DELETE', pattern: '/channels/:channel/messages/pins/:message', handler: (call) => pin(call, false) },

    { method: 'PUT', pattern: '/channels/:channel/polls/:message/answers/@me', handler: vote },
    {
      method: 'GET',
      pattern: '/channels/:channel/polls/:message/answers/:answer',
      handler: (call) => {
        const { poll } = requirePoll(call)
        const answer = poll.answers.find((one) => one.answer_id === Number(call.params.answer))
        if (!answer) throw unknownThing('message')
        const limit = queryNumber(call, 'limit', 25, 1, 100)
        return { users: answer.voters.slice(0, limit).map((id) => userOf(world, id)) }
      },
    },
    {
      method: 'POST',
      pattern: '/channels/:channel/polls/:message/expire',
      handler: (call) => {
        const { message, poll } = requirePoll(call)
        if (message.author_id !== call.user.id) throw notTheAuthor()
        if (poll.finalized) throw new ApiError(400, 520006, 'Cannot expire a poll that is already expired')
        endPoll(message)
        return presentMessage(world, message, call.user.id)
      },
    },

    {
      method: 'POST',
      pattern: '/channels/:channel/attachments',
      handler: (call) => {
        const { channel } = requireChannel(context, call)
        const { files } = validate<{ files: { id?: string | number; filename: string; file_size: number }[] }>(
          object({
            files: required(
              list(object({ filename: required(text({ min: 1, max: 1024 })), file_size: required(whole(0)) }), { min: 1, max: 10 }),
            ),
          }),
          call.body,
        )
        return {
          attachments: files.map((file) => {
            const name = `${channel.id}-${world.id()}/${file.filename}`
            world.uploads.set(name, { name: file.filename, bytes: Buffer.alloc(0) })
            return {
              id: Number(file.id ?? 0),
              upload_url: `${world.origin}/uploads/${encodeURIComponent(name)}`,
              upload_filename: name,
            }
          }),
        }
      },
    },
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

function readEmoji(context: Context, given: string): { id: string | null; name: string; animated: boolean } {
  const custom = /^(?:a:)?(\w{2,32}):(\d+)$/.exec(given)
  if (custom) {
    const id = custom[2] as string
    for (const guild of context.world.guilds.values()) {
      const emoji = guild.emojis.get(id)
      if (emoji) return { id, name: String(emoji.name), animated: emoji.animated === true }
    }
    throw unknownThing('emoji')
  }
  if (!/^(?:\p{Emoji}|\u200d|\ufe0f|\u20e3)+$/u.test(given) || /^[0-9#*]+$/.test(given)) throw unknownThing('emoji')
  return { id: null, name: given, animated: false }
}

function sameEmoji(a: { id: string | null; name: string }, b: { id: string | null; name: string }): boolean {
  return a.id === null ? b.id === null && a.name === b.name : a.id === b.id
}

/** Files and uploads, outside /api: GET /attachments/…, PUT /uploads/…. */
export function fileRoutes(context: Context): Route[] {
  return [
    {
      method: 'GET',
      pattern: '/attachments/:channel/:attachment/:name',
      open: true,
      handler: (call) => {
        const file = context.world.files.get(call.path)
        if (!file) throw unknownThing('message')
        const shown = /^(image\/(png|jpeg|gif|webp)|text\/plain|application\/pdf|audio\/|video\/)/.test(file.content_type)
        return new Reply(200, file.bytes, {
          'Content-Type': shown ? file.content_type : 'application/octet-stream',
          'Content-Disposition': `${shown ? 'inline' : 'attachment'}; filename="${file.filename}"`,
          'X-Content-Type-Options': 'nosniff',
          'Content-Security-Policy': "default-src 'none'; sandbox",
        })
      },
    },
    {
      method: 'PUT',
      pattern: '/uploads/:name',
      open: true,
      handler: (call) => {
        const upload = context.world.uploads.get(call.params.name ?? '')
        if (!upload) throw unknownThing('message')
        upload.bytes = call.raw
        return new Reply(200, undefined)
      },
    },
  ]
}
