// Channels: making, changing, ordering and deleting them; their overwrites; typing; following announcements.

import {
  audit,
  type Context,
  changesBetween,
  type InGuild,
  permissionsIn,
  requireChannel,
  requireGuild,
  requireGuildChannel,
  requireId,
  requireInGuild,
} from '../access.ts'
import { invalidField, maximumReached, missingPermissions, unknownThing, wrongChannelType } from '../errors.ts'
import { type Call, created, type Route } from '../http.ts'
import { Intent } from '../intents.ts'
import { guildPermissions, isThread, P } from '../permissions.ts'
import { presentBareMember, presentChannel, userOf } from '../present.ts'
import { type Channel, channelsOf, type Guild, makeToken, newChannel, type Overwrite, type Webhook, type Wire } from '../store.ts'
import {
  bitfield,
  boolean,
  type Check,
  list,
  nullable,
  object,
  oneOf,
  required,
  snowflake,
  text,
  validate,
  whole,
} from '../validate.ts'
import { deleteThread, editThread } from './threads.ts'

interface OverwriteBody {
  id: string
  type?: number | string
  allow?: string | number | null
  deny?: string | number | null
}

interface ChannelBody {
  name?: string
  type?: number
  topic?: string | null
  position?: number | null
  parent_id?: string | null
  nsfw?: boolean | null
  rate_limit_per_user?: number | null
  bitrate?: number | null
  user_limit?: number | null
  rtc_region?: string | null
  permission_overwrites?: OverwriteBody[] | null
  default_auto_archive_duration?: number | null
  default_thread_rate_limit_per_user?: number | null
  available_tags?: Wire[] | null
  default_reaction_emoji?: Wire | null
  default_sort_order?: number | null
  default_forum_layout?: number | null
  flags?: number | null
}

const overwrite = object({
  id: required(snowflake),
  type: oneOf([0, 1, '0', '1', 'role', 'member']),
  allow: nullable(bitfield),
  deny: nullable(bitfield),
})

const fields = (nameRequired: boolean): Check => {
  const name = text({ min: 1, max: 100 })
  return object({
    name: nameRequired ? required(name) : name,
    type: nullable(oneOf([0, 2, 4, 5, 13, 15, 16])),
    topic: nullable(text({ max: 4096 })),
    position: nullable(whole(0)),
    parent_id: nullable(snowflake),
    nsfw: nullable(boolean),
    rate_limit_per_user: nullable(whole(0, 21600)),
    bitrate: nullable(whole(8000, 384000)),
    user_limit: nullable(whole(0, 99)),
    permission_overwrites: nullable(list(overwrite, { max: 1000 })),
    default_auto_archive_duration: nullable(oneOf([60, 1440, 4320, 10080])),
    default_thread_rate_limit_per_user: nullable(whole(0, 21600)),
    available_tags: nullable(
      list(
        object({
          name: required(text({ min: 1, max: 50 })),
          moderated: nullable(boolean),
          emoji_id: nullable(snowflake),
          emoji_name: nullable(text()),
        }),
        { max: 20 },
      ),
    ),
    default_sort_order: nullable(oneOf([0, 1])),
    default_forum_layout: nullable(oneOf([0, 1, 2])),
    flags: nullable(whole(0)),
  })
}

const CHANNELS_PER_GUILD = 500
const CHANNELS_PER_CATEGORY = 50

export function channelRoutes(context: Context): Route[] {
  const { world, gateway } = context

  /** Refuses overwrites that hand out what the caller does not hold. */
  const requireHeld = (scope: InGuild, channel: Channel | null, bits: bigint): void => {
    const inGuild = guildPermissions(scope.guild, scope.member, world.now())
    if (inGuild & P.ADMINISTRATOR) return
    const held = channel ? inGuild | permissionsIn(context, scope.guild, scope.member, channel) : inGuild
    const ownManageRoles = channel?.overwrites.get(scope.member.user_id)
    if (ownManageRoles && ownManageRoles.allow & P.MANAGE_ROLES) return
    if ((bits & ~held) !== 0n) throw missingPermissions()
  }

  const readOverwrites = (scope: InGuild, channel: Channel | null, given: readonly OverwriteBody[]): Map<string, Overwrite> => {
    const result = new Map<string, Overwrite>()
    for (const one of given) {
      const id = String(one.id)
      const isRole = one.type === undefined ? scope.guild.roles.has(id) : one.type === 0 || one.type === '0' || one.type === 'role'
      const read: Overwrite = { id, type: isRole ? 0 : 1, allow: BigInt(one.allow ?? 0), deny: BigInt(one.deny ?? 0) }
      const before = channel?.overwrites.get(id)
      if (before?.allow !== read.allow || before?.deny !== read.deny) requireHeld(scope, channel, read.allow | read.deny)
      if (isRole && !scope.guild.roles.has(id)) throw unknownThing('role')
      result.set(id, read)
    }
    return result
  }

  const requireParent = (guild: Guild, parentId: string | null | undefined, self?: Channel): Channel | null => {
    if (parentId === null || parentId === undefined) return null
    const parent = world.channels.get(String(parentId))
    if (!parent || parent.guild_id !== guild.id || parent.type !== 4) {
      throw invalidField(['parent_id'], 'CHANNEL_PARENT_INVALID', 'Category does not exist')
    }
    const siblings = channelsOf(world, guild.id).filter((channel) => channel.parent_id === parent.id && channel.id !== self?.id)
    if (siblings.length >= CHANNELS_PER_CATEGORY) {
      throw invalidField(
        ['parent_id'],
        'CHANNEL_PARENT_MAX_CHANNELS',
        `Maximum number of channels in category reached (${CHANNELS_PER_CATEGORY})`,
      )
    }
    return parent
  }

  const create = (call: Call): unknown => {
    const scope = requireGuild(context, call)
    requireInGuild(context, scope, P.MANAGE_CHANNELS)
    const body = validate<ChannelBody & { name: string }>(fields(true), call.body)
    if (channelsOf(world, scope.guild.id).length >= CHANNELS_PER_GUILD)
      throw maximumReached(30013, 'guild channels', CHANNELS_PER_GUILD)
    const type = body.type ?? 0
    if (type === 4 && body.parent_id)
      throw invalidField(['parent_id'], 'CHANNEL_PARENT_INVALID_TYPE', 'Not a valid channel type for a parent')
    checkTopic(type, body.topic)
    const parent = requireParent(scope.guild, body.parent_id)
    const given = body.permission_overwrites
    if (given && given.length > 0) requireInGuild(context, scope, P.MANAGE_ROLES)
    const channel = newChannel(world, {
      type,
      name: storeName(type, body.name),
      guild_id: scope.guild.id,
      parent_id: parent?.id ?? null,
      position: body.position ?? nextPosition(scope.guild, type),
      overwrites: given
        ? readOverwrites(scope, null, given)
        : new Map([...(parent?.overwrites ?? [])].map(([id, one]) => [id, { ...one }])),
    })
    assign(channel, { ...body, name: body.name })
    world.channels.set(channel.id, channel)
    gateway.toGuild(scope.guild, 'CHANNEL_CREATE', presentChannel(world, channel), { intent: Intent.GUILDS, botsOnly: true })
    gateway.syncVisibility(scope.guild)
    audit(context, scope.guild, call, 10, channel.id, { changes: changesBetween({}, { name: channel.name, type: channel.type }) })
    return created(presentChannel(world, channel))
  }

  const nextPosition = (guild: Guild, type: number): number => {
    const group = (other: number) => (other === 4 ? 'category' : other === 2 || other === 13 ? 'voice' : 'text')
    const taken = channelsOf(world, guild.id)
      .filter((channel) => group(channel.type) === group(type))
      .map((channel) => channel.position)
    return taken.length === 0 ? 0 : Math.max(...taken) + 1
  }

  /** Copies the fields that the body gives onto the channel. */
  const assign = (channel: Channel, body: ChannelBody): void => {
    if (body.name !== undefined) channel.name = storeName(channel.type, body.name)
    if (body.topic !== undefined) channel.topic = body.topic?.trim() || null
    if (typeof body.position === 'number') channel.position = body.position
    if (typeof body.nsfw === 'boolean') channel.nsfw = body.nsfw
    if (typeof body.rate_limit_per_user === 'number') channel.rate_limit_per_user = body.rate_limit_per_user
    if (typeof body.bitrate === 'number') channel.bitrate = body.bitrate
    if (typeof body.user_limit === 'number') channel.user_limit = body.user_limit
    if (body.rtc_region !== undefined) channel.rtc_region = body.rtc_region
    if (body.default_auto_archive_duration !== undefined) channel.default_auto_archive_duration = body.default_auto_archive_duration
    if (typeof body.default_thread_rate_limit_per_user === 'number')
      channel.default_thread_rate_limit_per_user = body.default_thread_rate_limit_per_user
    if (body.default_reaction_emoji !== undefined) {
      const emoji = body.default_reaction_emoji
      channel.default_reaction_emoji = emoji ? { emoji_id: emoji.emoji_id ?? null, emoji_name: emoji.emoji_name ?? null } : null
    }
    if (body.default_sort_order !== undefined) channel.default_sort_order = body.default_sort_order
    if (typeof body.default_forum_layout === 'number') channel.default_forum_layout = body.default_forum_layout
    if (typeof body.flags === 'number') channel.flags = body.flags
    if (body.available_tags) {
      channel.available_tags = body.available_tags.map((tag) => ({
        id: tag.id && channel.available_tags.some((known) => known.id === String(tag.id)) ? String(tag.id) : world.id(),
        name: tag.name,
        moderated: tag.moderated ?? false,
        emoji_id: tag.emoji_id ?? null,
        emoji_name: tag.emoji_name ?? null,
      }))
    }
  }

  const edit = (call: Call): unknown => {
    const { channel } = requireChannel(context, call)
    if (isThread(channel)) return editThread(context, call)
    const scope = requireGuildChannel(context, call, P.MANAGE_CHANNELS)
    const body = validate<ChannelBody>(fields(false), call.body)
    if (body.type !== undefined && body.type !== null && body.type !== channel.type) {
      if (![0, 5].includes(channel.type) || ![0, 5].includes(body.type)) {
        throw invalidField(['type'], 'BASE_TYPE_CHOICES', 'Value must be one of {0, 5}.')
      }
      channel.type = body.type
    }
    checkTopic(channel.type, body.topic)
    const before = presentChannel(world, channel)
    if (body.parent_id !== undefined) {
      const parent = requireParent(scope.guild, body.parent_id, channel)
      channel.parent_id = parent?.id ?? null
    }
    if (body.permission_overwrites) {
      if (!(scope.permissions & P.MANAGE_ROLES)) throw missingPermissions()
      channel.overwrites = readOverwrites(scope, channel, body.permission_overwrites)
    }
    assign(channel, body)
    announce(scope.guild, channel)
    audit(context, scope.guild, call, 11, channel.id, { changes: changesBetween(before, presentChannel(world, channel)) })
    return presentChannel(world, channel)
  }

  const announce = (guild: Guild, channel: Channel): void => {
    gateway.toGuild(guild, 'CHANNEL_UPDATE', presentChannel(world, channel), { intent: Intent.GUILDS, channel })
    gateway.syncVisibility(guild)
  }

  const remove = (call: Call): unknown => {
    const { channel, guild } = requireChannel(context, call)
    if (isThread(channel)) return deleteThread(context, call)
    if (!guild) return presentChannel(world, channel, call.user.id)
    requireGuildChannel(context, call, P.MANAGE_CHANNELS)
    if ([guild.rules_channel_id, guild.public_updates_channel_id].includes(channel.id)) {
      throw invalidField(['channel_id'], 'CHANNEL_REQUIRED_FOR_COMMUNITY', 'Cannot delete a channel required for Community guilds')
    }
    const wire = presentChannel(world, channel)
    gateway.toGuild(guild, 'CHANNEL_DELETE', wire, { intent: Intent.GUILDS, botsOnly: true })
    gateway.toGuild(guild, 'CHANNEL_DELETE', wire, { peopleOnly: true, channel })
    for (const thread of [...world.channels.values()])
      if (thread.thread && thread.parent_id === channel.id) world.channels.delete(thread.id)
    for (const child of channelsOf(world, guild.id)) {
      if (child.parent_id !== channel.id) continue
      child.parent_id = null
      announce(guild, child)
    }
    world.channels.delete(channel.id)
    if (guild.system_channel_id === channel.id) guild.system_channel_id = null
    for (const webhook of [...world.webhooks.values()]) if (webhook.channel_id === channel.id) world.webhooks.delete(webhook.id)
    for (const invite of [...world.invites.values()]) if (invite.channel_id === channel.id) world.invites.delete(invite.code)
    gateway.syncVisibility(guild)
    audit(context, guild, call, 12, channel.id, { changes: [{ key: 'name', old_value: channel.name }] })
    return wire
  }

  return [
    {
      method: 'GET',
      pattern: '/guilds/:guild/channels',
      handler: (call) => {
        const { guild, member } = requireGuild(context, call)
        return channelsOf(world, guild.id)
          .filter((channel) => call.user.bot || permissionsIn(context, guild, member, channel) & P.VIEW_CHANNEL)
          .map((channel) => presentChannel(world, channel))
      },
    },
    { method: 'POST', pattern: '/guilds/:guild/channels', handler: create },
    {
      method: 'PATCH',
      pattern: '/guilds/:guild/channels',
      handler: (call) => {
        const scope = requireGuild(context, call)
        requireInGuild(context, scope, P.MANAGE_CHANNELS)
        const moves = validate<
          { id: string; position?: number | null; parent_id?: string | null; lock_permissions?: boolean | null }[]
        >(
          list(
            object({
              id: required(snowflake),
              position: nullable(whole(0)),
              parent_id: nullable(snowflake),
              lock_permissions: nullable(boolean),
            }),
          ),
          call.body,
        )
        for (const move of moves) {
          const channel = world.channels.get(String(move.id))
          if (!channel || channel.guild_id !== scope.guild.id) throw unknownThing('channel')
          if (typeof move.position === 'number') channel.position = move.position
          if (move.parent_id !== undefined) {
            const parent = requireParent(scope.guild, move.parent_id, channel)
            channel.parent_id = parent?.id ?? null
            if (move.lock_permissions && parent)
              channel.overwrites = new Map([...parent.overwrites].map(([id, one]) => [id, { ...one }]))
          }
          announce(scope.guild, channel)
        }
      },
    },
    {
      method: 'GET',
      pattern: '/channels/:channel',
      handler: (call) => presentChannel(world, requireChannel(context, call).channel, call.user.id),
    },
    { method: 'PATCH', pattern: '/channels/:channel', handler: edit },
    { method: 'DELETE', pattern: '/channels/:channel', handler: remove },
    {
      method: 'PUT',
      pattern: '/channels/:channel/permissions/:overwrite',
      handler: (call) => {
        const scope = requireGuildChannel(context, call, P.MANAGE_ROLES)
        if (isThread(scope.channel)) throw wrongChannelType()
        const id = requireId('overwrite_id', call.params.overwrite)
        validate(
          object({
            type: required(oneOf([0, 1, '0', '1', 'role', 'member'])),
            allow: nullable(bitfield),
            deny: nullable(bitfield),
          }),
          call.body,
        )
        const [[, read] = []] = readOverwrites(scope, scope.channel, [{ ...(call.body as OverwriteBody), id }])
        const before = scope.channel.overwrites.has(id)
        if (read) scope.channel.overwrites.set(id, read)
        announce(scope.guild, scope.channel)
        audit(context, scope.guild, call, before ? 14 : 13, scope.channel.id, { options: { id, type: String(read?.type ?? 0) } })
      },
    },
    {
      method: 'DELETE',
      pattern: '/channels/:channel/permissions/:overwrite',
      handler: (call) => {
        const scope = requireGuildChannel(context, call, P.MANAGE_ROLES)
        const id = requireId('overwrite_id', call.params.overwrite)
        if (!scope.channel.overwrites.delete(id)) throw unknownThing('overwrite')
        announce(scope.guild, scope.channel)
        audit(context, scope.guild, call, 15, scope.channel.id, { options: { id } })
      },
    },
    {
      method: 'POST',
      pattern: '/channels/:channel/typing',
      handler: (call) => {
        const { channel, guild, member } = requireChannel(context, call)
        const notice = {
          channel_id: channel.id,
          user_id: call.user.id,
          timestamp: Math.floor(world.now() / 1000),
          ...(guild && member
            ? { guild_id: guild.id, member: { ...presentBareMember(member), user: userOf(world, call.user.id) } }
            : {}),
        }
        if (guild) gateway.toGuild(guild, 'TYPING_START', notice, { intent: Intent.TYPING, channel, botsNeedView: true })
        else for (const id of channel.recipients) gateway.toUser(id, 'TYPING_START', notice, Intent.DIRECT_TYPING)
      },
    },
    {
      method: 'POST',
      pattern: '/channels/:channel/followers',
      handler: (call) => {
        const source = requireGuildChannel(context, call)
        if (source.channel.type !== 5) throw wrongChannelType()
        const { webhook_channel_id } = validate<{ webhook_channel_id: string }>(
          object({ webhook_channel_id: required(snowflake) }),
          call.body,
        )
        const target = requireGuildChannel(context, call, P.MANAGE_WEBHOOKS, String(webhook_channel_id))
        const id = world.id()
        const webhook: Webhook = {
          id,
          type: 2,
          guild_id: target.guild.id,
          channel_id: target.channel.id,
          user_id: call.user.id,
          name: `${source.guild.name} #${source.channel.name}`,
          avatar: null,
          token: makeToken(id),
          application_id: null,
          source: { guild_id: source.guild.id, channel_id: source.channel.id },
        }
        world.webhooks.set(id, webhook)
        source.channel.followers.push(id)
        return { channel_id: source.channel.id, webhook_id: id }
      },
    },
  ]
}

/** Text-like channels have lower-case names with dashes; categories and voice channels keep theirs. */
function storeName(type: number, name: string): string {
  const trimmed = name.trim()
  return type === 0 || type === 5 || type === 15 || type === 16 ? trimmed.toLowerCase().replace(/\s+/g, '-') : trimmed
}

function checkTopic(type: number, topic: string | null | undefined): void {
  if (type === 15 || type === 16 || !topic) return
  validate(object({ topic: text({ max: 1024 }) }), { topic })
}
