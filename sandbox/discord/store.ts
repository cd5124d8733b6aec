// The memory itself, and how entities come to be. Knows no HTTP, no gateway and no rule but identity.

import { randomBytes } from 'node:crypto'
import type { Channel, Guild, Member, Message, Role, User, World } from './entities.ts'
import { DEFAULT_EVERYONE } from './permission-bits.ts'
import { createSnowflakes } from './snowflakes.ts'

export type * from './entities.ts'

/** An empty world. `now` returns Unix milliseconds and drives ids, timestamps and deadlines. */
export function createWorld(now: () => number): World {
  return {
    now,
    iso: () => timestampOf(now()),
    id: createSnowflakes(now),
    users: new Map(),
    applications: new Map(),
    guilds: new Map(),
    channels: new Map(),
    interactions: new Map(),
    interactionTokens: new Map(),
    ephemerals: new Map(),
    webhooks: new Map(),
    invites: new Map(),
    files: new Map(),
    uploads: new Map(),
    roleConnections: new Map(),
    origin: '',
  }
}

/** A moment as ISO 8601 in UTC. */
export function timestampOf(ms: number): string {
  return new Date(ms).toISOString()
}

export function clearWorld(world: World): void {
  for (const interaction of world.interactions.values()) if (interaction.timer) clearTimeout(interaction.timer)
  for (const value of Object.values(world)) if (value instanceof Map) value.clear()
}

/** A secret that looks like Discord's tokens: the id in base64, a time and random bytes. */
export function makeToken(id: string): string {
  return `${Buffer.from(id).toString('base64url')}.${randomBytes(4).toString('base64url')}.${randomBytes(28).toString('base64url')}`
}

export function addUser(world: World, username: string, bot = false, globalName: string | null = null): User {
  const id = world.id()
  const user: User = {
    id,
    username,
    global_name: globalName,
    avatar: null,
    bot,
    token: makeToken(id),
    locale: 'en-US',
    dmClosed: false,
  }
  world.users.set(id, user)
  return user
}

export function newRole(world: World, fields: Partial<Role> & { name: string }): Role {
  return {
    id: world.id(),
    permissions: 0n,
    position: 1,
    color: 0,
    secondary_color: null,
    tertiary_color: null,
    hoist: false,
    managed: false,
    mentionable: false,
    icon: null,
    unicode_emoji: null,
    tags: null,
    ...fields,
  }
}

export function newChannel(world: World, fields: Partial<Channel> & { type: number; name: string }): Channel {
  return {
    id: world.id(),
    guild_id: null,
    topic: null,
    position: 0,
    parent_id: null,
    nsfw: false,
    rate_limit_per_user: 0,
    bitrate: 64000,
    user_limit: 0,
    rtc_region: null,
    default_auto_archive_duration: null,
    default_thread_rate_limit_per_user: 0,
    available_tags: [],
    default_reaction_emoji: null,
    default_sort_order: null,
    default_forum_layout: 0,
    flags: 0,
    overwrites: new Map(),
    last_message_id: null,
    last_pin_timestamp: null,
    recipients: [],
    thread: null,
    threadMembers: new Map(),
    messages: new Map(),
    followers: [],
    lastWrote: new Map(),
    ...fields,
  }
}

export function newMember(world: World, userId: string, roles: string[] = []): Member {
  return {
    user_id: userId,
    nick: null,
    avatar: null,
    roles,
    joined_at: world.iso(),
    premium_since: null,
    pending: false,
    flags: 0,
    mute: false,
    deaf: false,
    communication_disabled_until: null,
  }
}

/** A guild with its @everyone role and its owner as a member; channels are added by the caller. */
export function addGuild(world: World, name: string, ownerId: string): Guild {
  const id = world.id()
  const guild: Guild = {
    id,
    name,
    owner_id: ownerId,
    icon: null,
    description: null,
    features: ['COMMUNITY', 'NEWS'],
    afk_channel_id: null,
    afk_timeout: 300,
    system_channel_id: null,
    system_channel_flags: 0,
    rules_channel_id: null,
    public_updates_channel_id: null,
    safety_alerts_channel_id: null,
    verification_level: 1,
    default_message_notifications: 1,
    explicit_content_filter: 2,
    mfa_level: 0,
    preferred_locale: 'en-US',
    premium_progress_bar_enabled: false,
    roles: new Map(),
    members: new Map(),
    bans: new Map(),
    events: new Map(),
    emojis: new Map(),
    applications: new Set(),
    onboarding: null,
    auditLog: [],
    integrations: new Map(),
  }
  guild.roles.set(id, newRole(world, { id, name: '@everyone', position: 0, permissions: DEFAULT_EVERYONE }))
  guild.members.set(ownerId, newMember(world, ownerId))
  world.guilds.set(id, guild)
  return guild
}

export function channelsOf(world: World, guildId: string): Channel[] {
  return [...world.channels.values()].filter((channel) => channel.guild_id === guildId && channel.thread === null)
}

export function threadsOf(world: World, guildId: string): Channel[] {
  return [...world.channels.values()].filter((channel) => channel.guild_id === guildId && channel.thread !== null)
}

export function findMessage(world: World, channelId: string, messageId: string): Message | undefined {
  return world.channels.get(channelId)?.messages.get(messageId)
}
