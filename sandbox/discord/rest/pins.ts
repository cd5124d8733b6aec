// Pinned messages of a channel.

import { type Context, requireChannel, requireMessage } from '../access.ts'
import { maximumReached, missingPermissions } from '../errors.ts'
import type { Call, Route } from '../http.ts'
import { Intent } from '../intents.ts'
import { announceAbout, announceMessage, systemMessage } from '../messages.ts'
import { P } from '../permissions.ts'
import { presentMessage } from '../present-message.ts'
import { compareIds } from '../snowflakes.ts'
import type { Channel, Message } from '../store.ts'
import { queryNumber } from './members.ts'

const PINS_PER_CHANNEL = 250

export function pinRoutes(context: Context): Route[] {
  const { world } = context

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
    announceAbout(context, message, 'CHANNEL_PINS_UPDATE', data, { intent: Intent.GUILDS, direct: Intent.DIRECT_MESSAGES })
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

  return [
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
  ]
}
