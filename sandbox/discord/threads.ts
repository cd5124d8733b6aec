// The life of threads: made, joined, left, woken, put to sleep; posts of forums. Who may ask for it is decided by the callers.

import { type Context, type InChannel, permissionsIn } from './access.ts'
import type { Draft } from './drafts.ts'
import { ApiError, invalidField, missingPermissions, unknownThing } from './errors.ts'
import type { UploadedFile } from './http.ts'
import { Intent } from './intents.ts'
import { announceMessage, buildMessage, keepMessage } from './messages.ts'
import { P } from './permissions.ts'
import { presentChannel, presentMember, presentThreadMember } from './present.ts'
import { timeOf } from './snowflakes.ts'
import { type Channel, type Guild, type Message, newChannel, threadsOf, type Wire } from './store.ts'

/** What a new thread or post is asked to be. */
export interface ThreadBody {
  name: string
  type?: number | null
  auto_archive_duration?: number | null
  rate_limit_per_user?: number | null
  invitable?: boolean | null
  applied_tags?: string[] | null
  message?: Draft
}

const ACTIVE_LIMIT = 1000

/** Refuses writing where the permissions, the lock or the archive forbid it; wakes an archived thread. */
export function requireOpenThread(context: Context, { channel, permissions }: Pick<InChannel, 'channel' | 'permissions'>): void {
  const meta = channel.thread
  if (!meta) return
  if (meta.locked && !(permissions & P.MANAGE_THREADS)) throw new ApiError(403, 160005, 'This thread is locked')
  if (!meta.archived) return
  meta.archived = false
  meta.archive_timestamp = context.world.iso()
  announceThread(context, channel, 'THREAD_UPDATE')
  watchIdleness(context, channel)
}

/** Puts the thread to sleep once nothing happened in it for as long as it says: no message, no waking, no change of that time. */
export function watchIdleness(context: Context, thread: Channel): void {
  const { world } = context
  const meta = thread.thread
  if (!meta || meta.archived) return
  const due = (): number => {
    const wrote = thread.last_message_id === null ? 0 : timeOf(thread.last_message_id)
    return Math.max(Date.parse(meta.archive_timestamp), wrote) + meta.auto_archive_duration * 60_000
  }
  const at = due()
  context.alarms.set(at, () => {
    if (!world.channels.has(thread.id) || meta.archived) return
    if (due() > at) return watchIdleness(context, thread)
    meta.archived = true
    meta.archive_timestamp = world.iso()
    announceThread(context, thread, 'THREAD_UPDATE')
  })
}

/** Tells everybody who may see the thread; each is told of their own membership. */
export function announceThread(
  context: Context,
  thread: Channel,
  event: 'THREAD_CREATE' | 'THREAD_UPDATE',
  extra: Wire = {},
): void {
  const guild = context.world.guilds.get(thread.guild_id ?? '')
  if (!guild) return
  context.gateway.toGuild(guild, event, (viewer) => ({ ...presentChannel(context.world, thread, viewer.userId), ...extra }), {
    intent: Intent.GUILDS,
    channel: thread,
    botsNeedView: true,
  })
}

/** Adds somebody to the thread; people who could not see it before get THREAD_CREATE. */
export function addThreadMember(context: Context, guild: Guild, thread: Channel, userId: string): void {
  if (thread.threadMembers.has(userId)) return
  thread.threadMembers.set(userId, { join_timestamp: context.world.iso(), flags: 1 })
  const member = guild.members.get(userId)
  context.gateway.toUser(userId, 'THREAD_CREATE', presentChannel(context.world, thread, userId), Intent.GUILDS)
  const added = {
    ...presentThreadMember(thread, userId),
    ...(member ? { member: presentMember(context.world, member) } : {}),
    presence: null,
  }
  context.gateway.toGuild(
    guild,
    'THREAD_MEMBERS_UPDATE',
    { id: thread.id, guild_id: guild.id, member_count: thread.threadMembers.size, added_members: [added] },
    { channel: thread, intent: Intent.GUILDS, botsNeedView: true },
  )
}

/** Whoever writes in a thread joins it, and so do those who are mentioned and may see its channel. */
export function joinByWriting(context: Context, guild: Guild, thread: Channel, message: Message): void {
  const parent = context.world.channels.get(thread.parent_id ?? '')
  if (!parent) return
  for (const userId of [message.author_id, ...message.mentions]) {
    const member = guild.members.get(userId)
    if (member && permissionsIn(context, guild, member, parent) & P.VIEW_CHANNEL) addThreadMember(context, guild, thread, userId)
  }
}

export function removeThreadMember(context: Context, guild: Guild, thread: Channel, userId: string): void {
  if (!thread.threadMembers.delete(userId)) throw unknownThing('member')
  const notice = { id: thread.id, guild_id: guild.id, member_count: thread.threadMembers.size, removed_member_ids: [userId] }
  context.gateway.toGuild(guild, 'THREAD_MEMBERS_UPDATE', notice, { channel: thread, intent: Intent.GUILDS, botsNeedView: true })
  if (thread.type === 12) context.gateway.toUser(userId, 'THREAD_MEMBERS_UPDATE', notice, Intent.GUILDS)
}

/** The tags, when the forum has them and the caller may use them. */
export function checkTags(forum: Channel, tags: readonly string[], manages: boolean): string[] {
  for (const [index, id] of tags.entries()) {
    const tag = forum.available_tags.find((one) => one.id === String(id))
    if (!tag) throw invalidField(['applied_tags', index], 'FORUM_TAG_INVALID', 'Invalid forum tag.')
    if (tag.moderated && !manages) throw missingPermissions()
  }
  return tags.map(String)
}

/** A new thread with its owner in it; everybody who may see it is told. */
export function makeThread(
  context: Context,
  guild: Guild,
  parent: Channel,
  ownerId: string,
  type: number,
  body: ThreadBody,
  extra: { id?: string; tags?: string[] } = {},
): Channel {
  const { world } = context
  const active = threadsOf(world, guild.id).filter((thread) => !thread.thread?.archived).length
  if (active >= ACTIVE_LIMIT) throw new ApiError(400, 160006, 'Maximum number of active threads reached')
  const thread = newChannel(world, {
    ...(extra.id === undefined ? {} : { id: extra.id }),
    type,
    guild_id: guild.id,
    name: body.name.trim(),
    parent_id: parent.id,
    rate_limit_per_user: body.rate_limit_per_user ?? parent.default_thread_rate_limit_per_user,
    thread: {
      owner_id: ownerId,
      archived: false,
      archive_timestamp: world.iso(),
      auto_archive_duration: body.auto_archive_duration ?? parent.default_auto_archive_duration ?? 4320,
      locked: false,
      invitable: type === 12 ? (body.invitable ?? true) : null,
      create_timestamp: world.iso(),
      applied_tags: extra.tags ?? [],
      total_message_sent: 0,
      message_count: 0,
    },
  })
  thread.threadMembers.set(ownerId, { join_timestamp: world.iso(), flags: 1 })
  world.channels.set(thread.id, thread)
  announceThread(context, thread, 'THREAD_CREATE', { newly_created: true })
  watchIdleness(context, thread)
  return thread
}

/** A forum post: a thread whose first message has the thread's id. Used by webhooks as well. */
export function makePost(
  context: Context,
  guild: Guild,
  forum: Channel,
  authorId: string,
  body: ThreadBody,
  draft: Draft,
  files: readonly UploadedFile[],
  manages: boolean,
  extra: Partial<Message> = {},
): { thread: Channel; message: ReturnType<typeof buildMessage> } {
  const tags = checkTags(forum, body.applied_tags ?? [], manages)
  if (forum.flags & (1 << 4) && tags.length === 0)
    throw new ApiError(400, 40067, 'A tag is required to create a forum post in this channel')
  const id = context.world.id()
  const thread = newChannel(context.world, { id, type: 11, name: body.name, guild_id: guild.id })
  const message = buildMessage(context, { channel: thread, guild, authorId, draft, files, extra: { id, position: 0, ...extra } })
  const made = makeThread(context, guild, forum, authorId, 11, body, { id, tags })
  forum.last_message_id = id
  keepMessage(context, made, message)
  announceMessage(context, message, 'MESSAGE_CREATE')
  return { thread: made, message }
}
