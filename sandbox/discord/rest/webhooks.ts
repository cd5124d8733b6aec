// Incoming webhooks: making them, and speaking through them with their own name and picture.

import { audit, type Context, changesBetween, requireGuild, requireGuildChannel, requireId, requireInGuild } from '../access.ts'
import { checkDraft, type Draft, flagsAfterEdit } from '../drafts.ts'
import { ApiError, invalidField, invalidWebhookToken, maximumReached, unknownThing, wrongChannelType } from '../errors.ts'
import { type Call, Reply, type Route } from '../http.ts'
import { Intent } from '../intents.ts'
import { announceMessage, buildMessage, editMessage, keepMessage, removeMessage } from '../messages.ts'
import { P } from '../permissions.ts'
import { presentWebhook } from '../present.ts'
import { presentMessage } from '../present-message.ts'
import { type Channel, type Guild, type Message, makeToken, type Webhook, type Wire } from '../store.ts'
import { makePost, requireOpenThread } from '../threads.ts'
import { nullable, object, required, snowflake, text, validate } from '../validate.ts'
import { watchPoll } from './polls.ts'

const WEBHOOKS_PER_CHANNEL = 15

/** The handlers behind a webhook's token; interactions share their paths. */
export function webhookCalls(context: () => Context): Context['webhooks'] {
  const find = (call: Call): Webhook => {
    const webhook = context().world.webhooks.get(requireId('webhook_id', call.params.webhook))
    if (!webhook) throw unknownThing('webhook')
    if (webhook.token !== call.params.token) throw invalidWebhookToken()
    return webhook
  }

  const place = (call: Call, webhook: Webhook): { channel: Channel; guild: Guild } => {
    const { world } = context()
    const threadId = call.query.get('thread_id')
    const channel = world.channels.get(threadId ?? webhook.channel_id)
    const guild = world.guilds.get(webhook.guild_id)
    if (!channel || !guild || (threadId && channel.parent_id !== webhook.channel_id)) throw unknownThing('channel')
    return { channel, guild }
  }

  const own = (call: Call, webhook: Webhook): Message => {
    const message = place(call, webhook).channel.messages.get(requireId('message_id', call.params.message))
    if (!message || message.webhook_id !== webhook.id) throw unknownThing('message')
    return message
  }

  return {
    execute: (call) => {
      const webhook = find(call)
      const { world } = context()
      const draft = checkDraft(call.body, Number((call.body as Draft | null)?.flags ?? 0))
      validate(object({ username: nullable(text({ min: 1, max: 80 })), avatar_url: nullable(text()) }), call.body)
      const { channel, guild } = place(call, webhook)
      const author = { username: draft.username ?? webhook.name, avatar: webhook.avatar }
      const extra = { webhookAuthor: author, webhook_id: webhook.id, application_id: webhook.application_id }
      if ([15, 16].includes(channel.type)) {
        if (!draft.thread_name)
          throw new ApiError(400, 220001, 'Webhooks posted to forum channels must have a thread_name or thread_id')
        const post = { name: draft.thread_name, applied_tags: draft.applied_tags ?? [] }
        const { message } = makePost(context(), guild, channel, webhook.id, post, draft, call.files, true, extra)
        watchPoll(context(), message)
        return call.query.get('wait') === 'true' ? presentMessage(world, message) : undefined
      }
      requireOpenThread(context(), { channel, permissions: 0n })
      const message = buildMessage(context(), { channel, guild, authorId: webhook.id, draft, files: call.files, extra })
      keepMessage(context(), channel, message)
      announceMessage(context(), message, 'MESSAGE_CREATE')
      watchPoll(context(), message)
      return call.query.get('wait') === 'true' ? presentMessage(world, message) : undefined
    },
    read: (call) => presentMessage(context().world, own(call, find(call))),
    edit: (call) => {
      const webhook = find(call)
      const message = own(call, webhook)
      const draft = checkDraft(call.body, flagsAfterEdit(message, call.body))
      editMessage(context(), message, place(call, webhook).guild, draft, call.files)
      announceMessage(context(), message, 'MESSAGE_UPDATE')
      return presentMessage(context().world, message)
    },
    remove: (call) => {
      removeMessage(context(), own(call, find(call)))
      return new Reply(204, undefined)
    },
  }
}

export function webhookRoutes(context: Context): Route[] {
  const { world, gateway } = context

  const requireWebhook = (call: Call) => {
    const webhook = world.webhooks.get(requireId('webhook_id', call.params.webhook))
    if (!webhook) throw unknownThing('webhook')
    const scope = requireGuildChannel(context, call, P.MANAGE_WEBHOOKS, webhook.channel_id)
    return { webhook, ...scope }
  }

  const byToken = (call: Call): Webhook => {
    const webhook = world.webhooks.get(requireId('webhook_id', call.params.webhook))
    if (!webhook) throw unknownThing('webhook')
    if (webhook.token !== call.params.token) throw invalidWebhookToken()
    return webhook
  }

  const announce = (guild: Guild, channelId: string): void => {
    gateway.toGuild(guild, 'WEBHOOKS_UPDATE', { guild_id: guild.id, channel_id: channelId }, { intent: Intent.WEBHOOKS })
  }

  const withoutUser = (webhook: Webhook): Wire => {
    const { user, ...rest } = presentWebhook(world, webhook, true)
    return rest
  }

  return [
    {
      method: 'POST',
      pattern: '/channels/:channel/webhooks',
      handler: (call) => {
        const scope = requireGuildChannel(context, call, P.MANAGE_WEBHOOKS)
        if (![0, 2, 5, 13, 15, 16].includes(scope.channel.type)) throw wrongChannelType()
        const body = validate<{ name: string }>(
          object({ name: required(text({ min: 1, max: 80 })), avatar: nullable(text()) }),
          call.body,
        )
        if (/discord|clyde/i.test(body.name))
          throw invalidField(['name'], 'USERNAME_INVALID_CONTAINS', 'Username cannot contain "discord" or "clyde"')
        const here = [...world.webhooks.values()].filter((one) => one.channel_id === scope.channel.id)
        if (here.length >= WEBHOOKS_PER_CHANNEL) throw maximumReached(30007, 'webhooks', WEBHOOKS_PER_CHANNEL)
        const id = world.id()
        const webhook: Webhook = {
          id,
          type: 1,
          guild_id: scope.guild.id,
          channel_id: scope.channel.id,
          user_id: call.user.id,
          name: body.name.trim(),
          avatar: null,
          token: makeToken(id).replaceAll('.', '-'),
          application_id: call.application?.id ?? null,
          source: null,
        }
        world.webhooks.set(id, webhook)
        announce(scope.guild, scope.channel.id)
        audit(context, scope.guild, call, 50, id)
        return presentWebhook(world, webhook, true)
      },
    },
    {
      method: 'GET',
      pattern: '/channels/:channel/webhooks',
      handler: (call) => {
        const scope = requireGuildChannel(context, call, P.MANAGE_WEBHOOKS)
        return [...world.webhooks.values()]
          .filter((one) => one.channel_id === scope.channel.id)
          .map((one) => presentWebhook(world, one, true))
      },
    },
    {
      method: 'GET',
      pattern: '/guilds/:guild/webhooks',
      handler: (call) => {
        const scope = requireGuild(context, call)
        requireInGuild(context, scope, P.MANAGE_WEBHOOKS)
        return [...world.webhooks.values()]
          .filter((one) => one.guild_id === scope.guild.id)
          .map((one) => presentWebhook(world, one, true))
      },
    },
    { method: 'GET', pattern: '/webhooks/:webhook', handler: (call) => presentWebhook(world, requireWebhook(call).webhook, true) },
    {
      method: 'PATCH',
      pattern: '/webhooks/:webhook',
      handler: (call) => {
        const { webhook, guild } = requireWebhook(call)
        const body = validate<{ name?: string; channel_id?: string }>(
          object({ name: text({ min: 1, max: 80 }), channel_id: nullable(snowflake) }),
          call.body,
        )
        const before = presentWebhook(world, webhook, false)
        if (body.name !== undefined) webhook.name = body.name.trim()
        if (body.channel_id)
          webhook.channel_id = requireGuildChannel(context, call, P.MANAGE_WEBHOOKS, String(body.channel_id)).channel.id
        announce(guild, webhook.channel_id)
        audit(context, guild, call, 51, webhook.id, { changes: changesBetween(before, presentWebhook(world, webhook, false)) })
        return presentWebhook(world, webhook, true)
      },
    },
    {
      method: 'DELETE',
      pattern: '/webhooks/:webhook',
      handler: (call) => {
        const { webhook, guild } = requireWebhook(call)
        world.webhooks.delete(webhook.id)
        announce(guild, webhook.channel_id)
        audit(context, guild, call, 52, webhook.id)
      },
    },
    { method: 'GET', pattern: '/webhooks/:webhook/:token', open: true, handler: (call) => withoutUser(byToken(call)) },
    {
      method: 'PATCH',
      pattern: '/webhooks/:webhook/:token',
      open: true,
      handler: (call) => {
        const webhook = byToken(call)
        const body = validate<{ name?: string }>(object({ name: text({ min: 1, max: 80 }) }), call.body)
        if (body.name !== undefined) webhook.name = body.name.trim()
        return withoutUser(webhook)
      },
    },
    {
      method: 'DELETE',
      pattern: '/webhooks/:webhook/:token',
      open: true,
      handler: (call) => {
        world.webhooks.delete(byToken(call).id)
      },
    },
  ]
}
