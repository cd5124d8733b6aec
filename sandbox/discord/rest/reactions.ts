// Reactions: adding, taking back, clearing, and who reacted.

import { type Context, requireChannel, requireGuildChannel, requireId, requireMessage } from '../access.ts'
import { maximumReached, missingPermissions, unknownThing } from '../errors.ts'
import type { Call, Route } from '../http.ts'
import { Intent } from '../intents.ts'
import { announceAbout } from '../messages.ts'
import { P } from '../permissions.ts'
import { presentBareMember, presentUser } from '../present.ts'
import { presentReactionEmoji } from '../present-message.ts'
import { requireOpenThread } from '../threads.ts'
import { pageOfUsers } from './members.ts'

const REACTIONS_PER_MESSAGE = 20
const AUDIENCE = { intent: Intent.REACTIONS, direct: Intent.DIRECT_REACTIONS }

export function reactionRoutes(context: Context): Route[] {
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
    announceAbout(context, message, 'MESSAGE_REACTION_ADD', data, AUDIENCE)
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
    announceAbout(context, message, 'MESSAGE_REACTION_REMOVE', data, AUDIENCE)
  }

  const clearReactions = (call: Call, emojiText?: string): void => {
    const scope = requireGuildChannel(context, call, P.MANAGE_MESSAGES)
    const message = requireMessage(scope.channel, call.params.message)
    const emoji = emojiText === undefined ? null : readEmoji(context, emojiText)
    message.reactions = emoji ? message.reactions.filter((one) => !sameEmoji(one.emoji, emoji)) : []
    const data = { channel_id: scope.channel.id, message_id: message.id, ...(emoji ? { emoji: presentReactionEmoji(emoji) } : {}) }
    const event = emoji ? 'MESSAGE_REACTION_REMOVE_EMOJI' : 'MESSAGE_REACTION_REMOVE_ALL'
    announceAbout(context, message, event, data, AUDIENCE)
  }

  return [
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
        return pageOfUsers(context, call, message.reactions.find((one) => sameEmoji(one.emoji, emoji))?.users ?? [], 25)
      },
    },
    { method: 'DELETE', pattern: '/channels/:channel/messages/:message/reactions', handler: (call) => clearReactions(call) },
    {
      method: 'DELETE',
      pattern: '/channels/:channel/messages/:message/reactions/:emoji',
      handler: (call) => clearReactions(call, call.params.emoji),
    },
  ]
}

function readEmoji(context: Context, given: string): { id: string | null; name: string; animated: boolean } {
  const custom = /^(?:a:)?(\w{2,32}):(\d+)$/.exec(given)
  if (custom) {
    const id = custom[2] as string
    for (const { emojis } of [...context.world.guilds.values(), ...context.world.applications.values()]) {
      const emoji = emojis.get(id)
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
