// How entities look on the wire: the shapes of Discord's API v10. An absent key is absent, null only where Discord sends null.

import { guildPermissions, isThread } from './permissions.ts'
import type {
  Application,
  Channel,
  Command,
  Guild,
  Invite,
  Member,
  Role,
  ScheduledEvent,
  User,
  Webhook,
  Wire,
  World,
} from './store.ts'
import { channelsOf, threadsOf, timestampOf } from './store.ts'

export function presentUser(user: User): Wire {
  return {
    id: user.id,
    username: user.username,
    discriminator: user.bot ? String(Number(BigInt(user.id) % 10000n)).padStart(4, '0') : '0',
    global_name: user.global_name,
    avatar: user.avatar,
    ...(user.bot ? { bot: true } : {}),
    public_flags: user.bot ? 1 << 19 : 0,
    flags: user.bot ? 1 << 19 : 0,
    banner: null,
    accent_color: null,
    avatar_decoration_data: null,
    collectibles: null,
    display_name_styles: null,
    primary_guild: null,
  }
}

/** The user as that user sees it. */
export function presentSelf(user: User): Wire {
  return {
    ...presentUser(user),
    mfa_enabled: user.bot,
    locale: user.locale,
    premium_type: 0,
    email: user.bot ? null : `${user.username.replace(/[^\w.-]/g, '_')}@people.example`,
    verified: true,
    bio: '',
  }
}

export function userOf(world: World, id: string): Wire {
  const user = world.users.get(id)
  if (user) return presentUser(user)
  return presentUser({
    id,
    username: 'Deleted User',
    global_name: null,
    avatar: null,
    bot: false,
    token: '',
    locale: 'en-US',
    dmClosed: true,
  })
}

/** The public part of an application. */
export function presentBasicApplication(world: World, application: Application): Wire {
  return {
    id: application.id,
    name: application.name,
    icon: null,
    description: application.description,
    type: null,
    flags: APPLICATION_FLAGS,
    flags_new: String(APPLICATION_FLAGS),
    verify_key: application.verify_key,
    bot: userOf(world, application.bot_id),
    bot_public: true,
    bot_require_code_grant: false,
    tags: application.tags,
  }
}

/** Gateway presence, members and message content in their limited form, and application commands. */
const APPLICATION_FLAGS = (1 << 13) | (1 << 15) | (1 << 19) | (1 << 23)

export function presentApplication(world: World, application: Application): Wire {
  const guilds = [...world.guilds.values()].filter((guild) => guild.applications.has(application.id)).length
  return {
    ...presentBasicApplication(world, application),
    redirect_uris: [],
    interactions_endpoint_url: null,
    role_connections_verification_url: null,
    owner: userOf(world, application.owner_id),
    approximate_guild_count: guilds,
    approximate_user_install_count: 0,
    approximate_user_authorization_count: 0,
    explicit_content_filter: 0,
    team: null,
    eligible_oauth2_scopes: ['applications.commands', 'bot', 'identify'],
    integration_types_config: { '0': { oauth2_install_params: { scopes: ['applications.commands', 'bot'], permissions: '0' } } },
    event_webhooks_url: null,
    event_webhooks_status: 1,
    event_webhooks_types: [],
  }
}

export function presentRole(role: Role): Wire {
  return {
    id: role.id,
    name: role.name,
    description: null,
    permissions: role.permissions.toString(),
    position: role.position,
    color: role.color,
    colors: { primary_color: role.color, secondary_color: role.secondary_color, tertiary_color: role.tertiary_color },
    hoist: role.hoist,
    managed: role.managed,
    mentionable: role.mentionable,
    icon: role.icon,
    unicode_emoji: role.unicode_emoji,
    flags: 0,
    ...(role.tags ? { tags: role.tags } : {}),
  }
}

/** The member without its user, as messages and resolved data carry it. */
export function presentBareMember(member: Member): Wire {
  return {
    avatar: member.avatar,
    avatar_decoration_data: null,
    banner: null,
    collectibles: null,
    communication_disabled_until: member.communication_disabled_until,
    deaf: member.deaf,
    flags: member.flags,
    joined_at: member.joined_at,
    mute: member.mute,
    nick: member.nick,
    pending: member.pending,
    premium_since: member.premium_since,
    roles: member.roles,
  }
}

export function presentMember(world: World, member: Member): Wire {
  return { ...presentBareMember(member), user: userOf(world, member.user_id) }
}

export function presentGuild(guild: Guild): Wire {
  return {
    id: guild.id,
    name: guild.name,
    icon: guild.icon,
    description: guild.description,
    home_header: null,
    splash: null,
    discovery_splash: null,
    features: guild.features,
    banner: null,
    owner_id: guild.owner_id,
    application_id: null,
    region: 'deprecated',
    afk_channel_id: guild.afk_channel_id,
    afk_timeout: guild.afk_timeout,
    system_channel_id: guild.system_channel_id,
    system_channel_flags: guild.system_channel_flags,
    widget_enabled: false,
    widget_channel_id: null,
    verification_level: guild.verification_level,
    roles: [...guild.roles.values()].map(presentRole),
    default_message_notifications: guild.default_message_notifications,
    mfa_level: guild.mfa_level,
    explicit_content_filter: guild.explicit_content_filter,
    max_presences: null,
    max_members: 500000,
    max_stage_video_channel_users: 50,
    max_video_channel_users: 25,
    vanity_url_code: null,
    premium_tier: 0,
    premium_subscription_count: 0,
    preferred_locale: guild.preferred_locale,
    rules_channel_id: guild.rules_channel_id,
    safety_alerts_channel_id: guild.safety_alerts_channel_id,
    public_updates_channel_id: guild.public_updates_channel_id,
    premium_progress_bar_enabled: guild.premium_progress_bar_enabled,
    nsfw: false,
    nsfw_level: 0,
    emojis: [...guild.emojis.values()],
    stickers: [],
    incidents_data: null,
  }
}

/** One entry of GET /users/@me/guilds. */
export function presentMyGuild(world: World, guild: Guild, member: Member): Wire {
  return {
    id: guild.id,
    name: guild.name,
    icon: guild.icon,
    banner: null,
    owner: guild.owner_id === member.user_id,
    permissions: guildPermissions(guild, member, world.now()).toString(),
    features: guild.features,
    approximate_member_count: guild.members.size,
    approximate_presence_count: guild.members.size,
  }
}

/** The guild as GUILD_CREATE carries it. `members` and `channels` are what the receiver may know of. */
export function presentGatewayGuild(
  world: World,
  guild: Guild,
  receiver: Member,
  members: readonly Member[],
  sees: (channel: Channel) => boolean,
): Wire {
  return {
    ...presentGuild(guild),
    joined_at: receiver.joined_at,
    large: guild.members.size > 250,
    unavailable: false,
    member_count: guild.members.size,
    voice_states: [],
    members: members.map((member) => presentMember(world, member)),
    channels: channelsOf(world, guild.id)
      .filter(sees)
      .map((channel) => presentChannel(world, channel)),
    threads: threadsOf(world, guild.id)
      .filter((thread) => !thread.thread?.archived && sees(thread))
      .map((thread) => presentChannel(world, thread, receiver.user_id)),
    presences: [],
    stage_instances: [],
    guild_scheduled_events: [...guild.events.values()].map((event) => presentEvent(world, event)),
    soundboard_sounds: [],
  }
}

function presentOverwrites(channel: Channel): Wire[] {
  return [...channel.overwrites.values()].map((overwrite) => ({
    id: overwrite.id,
    type: overwrite.type,
    allow: overwrite.allow.toString(),
    deny: overwrite.deny.toString(),
  }))
}

/** A channel, thread or DM. For a thread, `viewer` is whose membership is included. */
export function presentChannel(world: World, channel: Channel, viewer?: string): Wire {
  if (channel.type === 1) return presentDm(world, channel, viewer)
  if (isThread(channel)) return presentThread(channel, viewer)
  const common = {
    id: channel.id,
    type: channel.type,
    guild_id: channel.guild_id,
    name: channel.name,
    position: channel.position,
    flags: channel.flags,
    permission_overwrites: presentOverwrites(channel),
    ...(channel.type === 4 ? {} : { parent_id: channel.parent_id }),
  }
  const spoken = { topic: channel.topic, nsfw: channel.nsfw, rate_limit_per_user: channel.rate_limit_per_user }
  const read = { last_message_id: channel.last_message_id }
  const archive =
    channel.default_auto_archive_duration === null ? {} : { default_auto_archive_duration: channel.default_auto_archive_duration }
  const pins = channel.last_pin_timestamp === null ? {} : { last_pin_timestamp: channel.last_pin_timestamp }
  switch (channel.type) {
    case 0:
    case 5:
      return {
        ...common,
        ...spoken,
        ...read,
        ...archive,
        ...pins,
        ...(channel.default_thread_rate_limit_per_user
          ? { default_thread_rate_limit_per_user: channel.default_thread_rate_limit_per_user }
          : {}),
      }
    case 2:
    case 13:
      return {
        ...common,
        ...read,
        nsfw: channel.nsfw,
        rate_limit_per_user: channel.rate_limit_per_user,
        bitrate: channel.bitrate,
        user_limit: channel.user_limit,
        rtc_region: channel.rtc_region,
      }
    case 15:
    case 16:
      return {
        ...common,
        ...spoken,
        ...read,
        ...archive,
        default_thread_rate_limit_per_user: channel.default_thread_rate_limit_per_user,
        available_tags: channel.available_tags,
        default_reaction_emoji: channel.default_reaction_emoji,
        default_sort_order: channel.default_sort_order,
        default_forum_layout: channel.default_forum_layout,
        template: '',
      }
    default:
      return common
  }
}

function presentDm(world: World, channel: Channel, viewer?: string): Wire {
  return {
    id: channel.id,
    type: 1,
    flags: channel.flags,
    last_message_id: channel.last_message_id,
    ...(channel.last_pin_timestamp === null ? {} : { last_pin_timestamp: channel.last_pin_timestamp }),
    recipients: channel.recipients.filter((id) => id !== viewer).map((id) => userOf(world, id)),
  }
}

function presentThread(channel: Channel, viewer?: string): Wire {
  const meta = channel.thread as NonNullable<Channel['thread']>
  const own = viewer === undefined ? undefined : channel.threadMembers.get(viewer)
  return {
    id: channel.id,
    type: channel.type,
    guild_id: channel.guild_id,
    parent_id: channel.parent_id,
    owner_id: meta.owner_id,
    name: channel.name,
    flags: channel.flags,
    last_message_id: channel.last_message_id,
    ...(channel.last_pin_timestamp === null ? {} : { last_pin_timestamp: channel.last_pin_timestamp }),
    rate_limit_per_user: channel.rate_limit_per_user,
    message_count: meta.message_count,
    total_message_sent: meta.total_message_sent,
    member_count: Math.min(channel.threadMembers.size, 50),
    thread_metadata: {
      archived: meta.archived,
      archive_timestamp: meta.archive_timestamp,
      auto_archive_duration: meta.auto_archive_duration,
      locked: meta.locked,
      create_timestamp: meta.create_timestamp,
      ...(meta.invitable === null ? {} : { invitable: meta.invitable }),
    },
    ...(meta.applied_tags.length > 0 ? { applied_tags: meta.applied_tags } : {}),
    ...(own ? { member: { id: channel.id, user_id: viewer, ...own } } : {}),
  }
}

export function presentThreadMember(channel: Channel, userId: string): Wire {
  const own = channel.threadMembers.get(userId)
  return { id: channel.id, user_id: userId, join_timestamp: own?.join_timestamp, flags: own?.flags ?? 0 }
}

export function presentCommand(command: Command, full = true): Wire {
  return {
    id: command.id,
    application_id: command.application_id,
    version: command.version,
    type: command.type,
    name: command.name,
    ...(full ? { name_localizations: command.name_localizations } : {}),
    description: command.description,
    ...(full ? { description_localizations: command.description_localizations } : {}),
    default_member_permissions: command.default_member_permissions,
    nsfw: command.nsfw,
    integration_types: command.integration_types,
    contexts: command.contexts,
    ...(command.guild_id === null ? { dm_permission: command.contexts === null || command.contexts.includes(1) } : {}),
    ...(command.guild_id === null ? {} : { guild_id: command.guild_id }),
    ...(command.options.length > 0 ? { options: command.options } : {}),
  }
}

export function presentWebhook(world: World, webhook: Webhook, withToken: boolean): Wire {
  return {
    id: webhook.id,
    type: webhook.type,
    name: webhook.name,
    avatar: webhook.avatar,
    channel_id: webhook.channel_id,
    guild_id: webhook.guild_id,
    application_id: webhook.application_id,
    user: userOf(world, webhook.user_id),
    ...(webhook.source
      ? {
          source_guild: { id: webhook.source.guild_id, name: world.guilds.get(webhook.source.guild_id)?.name ?? '', icon: null },
          source_channel: { id: webhook.source.channel_id, name: world.channels.get(webhook.source.channel_id)?.name ?? '' },
        }
      : {}),
    ...(withToken && webhook.type === 1
      ? { token: webhook.token, url: `${world.origin}/api/webhooks/${webhook.id}/${webhook.token}` }
      : {}),
  }
}

export function presentInvite(world: World, invite: Invite, withMetadata: boolean): Wire {
  const guild = world.guilds.get(invite.guild_id) as Guild
  const channel = world.channels.get(invite.channel_id)
  const roles = invite.role_ids.map((id) => guild.roles.get(id)).filter((role): role is Role => role !== undefined)
  return {
    type: 0,
    code: invite.code,
    inviter: userOf(world, invite.inviter_id),
    expires_at: invite.max_age === 0 ? null : timestampOf(Date.parse(invite.created_at) + invite.max_age * 1000),
    flags: 0,
    guild: {
      id: guild.id,
      name: guild.name,
      splash: null,
      banner: null,
      description: guild.description,
      icon: guild.icon,
      features: guild.features,
      verification_level: guild.verification_level,
      vanity_url_code: null,
      nsfw_level: 0,
      nsfw: false,
      premium_subscription_count: 0,
    },
    guild_id: guild.id,
    channel: { id: invite.channel_id, type: channel?.type ?? 0, name: channel?.name ?? null },
    approximate_member_count: guild.members.size,
    approximate_presence_count: guild.members.size,
    ...(roles.length > 0
      ? {
          roles: roles.map((role) => ({
            id: role.id,
            name: role.name,
            position: role.position,
            color: role.color,
            colors: { primary_color: role.color, secondary_color: role.secondary_color, tertiary_color: role.tertiary_color },
            icon: role.icon,
            unicode_emoji: role.unicode_emoji,
            permissions: role.permissions.toString(),
          })),
        }
      : {}),
    ...(withMetadata
      ? {
          uses: invite.uses,
          max_uses: invite.max_uses,
          max_age: invite.max_age,
          temporary: invite.temporary,
          created_at: invite.created_at,
        }
      : {}),
  }
}

export function presentEvent(world: World, event: ScheduledEvent, withCount = false): Wire {
  return {
    id: event.id,
    guild_id: event.guild_id,
    channel_id: event.channel_id,
    creator_id: event.creator_id,
    creator: userOf(world, event.creator_id),
    name: event.name,
    description: event.description,
    image: event.image,
    scheduled_start_time: event.scheduled_start_time,
    scheduled_end_time: event.scheduled_end_time,
    privacy_level: event.privacy_level,
    status: event.status,
    entity_type: event.entity_type,
    entity_id: null,
    entity_metadata: event.entity_metadata,
    recurrence_rule: event.recurrence_rule,
    guild_scheduled_event_exceptions: [],
    ...(withCount ? { user_count: event.users.length } : {}),
  }
}
