// The endpoints of threads: starting, changing, listing and deleting them, and who is in them.

import {
  audit,
  type Context,
  changesBetween,
  permissionsIn,
  requireGuild,
  requireGuildChannel,
  requireId,
  requireMessage,
} from '../access.ts'
import { checkDraft, Flag } from '../drafts.ts'
import { ApiError, missingAccess, missingPermissions, unknownThing, wrongChannelType } from '../errors.ts'
import { type Call, created, type Route } from '../http.ts'
import { Intent } from '../intents.ts'
import { announceMessage, systemMessage } from '../messages.ts'
import { isThread, P } from '../permissions.ts'
import { presentChannel, presentMember, presentThreadMember } from '../present.ts'
import { presentMessage } from '../present-message.ts'
import { compareIds } from '../snowflakes.ts'
import { type Channel, type Guild, threadsOf, type Wire } from '../store.ts'
import {
  addThreadMember,
  announceThread,
  checkTags,
  makePost,
  makeThread,
  removeThreadMember,
  type ThreadBody,
  watchIdleness,
} from '../threads.ts'
import { boolean, type Field, list, nullable, object, oneOf, required, snowflake, text, validate, whole } from '../validate.ts'
import { queryNumber } from './members.ts'

const durations = oneOf([60, 1440, 4320, 10080])
const base: Record<string, Field> = {
  name: required(text({ min: 1, max: 100 })),
  auto_archive_duration: nullable(durations),
  rate_limit_per_user: nullable(whole(0, 21600)),
}

/** PATCH /channels/:thread */
export function editThread(context: Context, call: Call): Wire {
  const { world } = context
  const scope = requireGuildChannel(context, call)
  const thread = scope.channel
  const meta = thread.thread as NonNullable<Channel['thread']>
  const body = validate<{
    name?: string
    archived?: boolean | null
    locked?: boolean | null
    auto_archive_duration?: number | null
    rate_limit_per_user?: number | null
    invitable?: boolean | null
    applied_tags?: string[] | null
    flags?: number | null
  }>(
    object({
      ...base,
      name: text({ min: 1, max: 100 }),
      archived: nullable(boolean),
      locked: nullable(boolean),
      invitable: nullable(boolean),
      applied_tags: nullable(list(snowflake, { max: 5 })),
      flags: nullable(whole(0)),
    }),
    call.body,
  )
  const manages = (scope.permissions & P.MANAGE_THREADS) !== 0n
  const owns = meta.owner_id === call.user.id
  const onlyUnarchives = Object.keys(body).every((key) => key === 'archived') && body.archived === false
  if (!manages && !owns && !(onlyUnarchives && !meta.locked)) throw missingPermissions()
  if (!manages && (body.locked !== undefined || (meta.locked && owns) || typeof body.rate_limit_per_user === 'number'))
    throw missingPermissions()
  if (meta.archived && body.archived !== false && Object.keys(body).some((key) => key !== 'archived' && key !== 'locked')) {
    throw new ApiError(400, 50083, 'Thread is archived')
  }
  const before = presentChannel(world, thread)
  if (body.name !== undefined) thread.name = body.name.trim()
  if (typeof body.locked === 'boolean') meta.locked = body.locked
  if (typeof body.archived === 'boolean' && body.archived !== meta.archived) {
    meta.archived = body.archived
    meta.archive_timestamp = world.iso()
  }
  if (typeof body.auto_archive_duration === 'number') meta.auto_archive_duration = body.auto_archive_duration
  watchIdleness(context, thread)
  if (typeof body.rate_limit_per_user === 'number') thread.rate_limit_per_user = body.rate_limit_per_user
  if (typeof body.invitable === 'boolean' && thread.type === 12) meta.invitable = body.invitable
  if (typeof body.flags === 'number') thread.flags = body.flags
  if (body.applied_tags)
    meta.applied_tags = checkTags(world.channels.get(thread.parent_id ?? '') as Channel, body.applied_tags, manages)
  announceThread(context, thread, 'THREAD_UPDATE')
  audit(context, scope.guild, call, 111, thread.id, { changes: changesBetween(before, presentChannel(world, thread)) })
  return presentChannel(world, thread, call.user.id)
}

/** DELETE /channels/:thread */
export function deleteThread(context: Context, call: Call): Wire {
  const scope = requireGuildChannel(context, call, P.MANAGE_THREADS)
  const thread = scope.channel
  const notice = { id: thread.id, guild_id: scope.guild.id, parent_id: thread.parent_id, type: thread.type }
  const wire = presentChannel(context.world, thread, call.user.id)
  context.gateway.toGuild(scope.guild, 'THREAD_DELETE', notice, { intent: Intent.GUILDS, channel: thread, botsNeedView: true })
  context.world.channels.delete(thread.id)
  audit(context, scope.guild, call, 112, thread.id)
  return wire
}

export function threadRoutes(context: Context): Route[] {
  const { world } = context

  const fromMessage = (call: Call): unknown => {
    const scope = requireGuildChannel(context, call, P.CREATE_PUBLIC_THREADS | P.READ_MESSAGE_HISTORY)
    if (![0, 5].includes(scope.channel.type)) throw wrongChannelType()
    const message = requireMessage(scope.channel, call.params.message)
    const body = validate<ThreadBody>(object(base), call.body)
    if (message.thread_id !== null) throw new ApiError(400, 160004, 'A thread has already been created for this message')
    const thread = makeThread(context, scope.guild, scope.channel, call.user.id, scope.channel.type === 5 ? 10 : 11, body, {
      id: message.id,
    })
    message.thread_id = thread.id
    message.flags |= Flag.HAS_THREAD
    announceMessage(context, message, 'MESSAGE_UPDATE')
    systemMessage(context, thread, call.user.id, 21, {
      reference: { type: 0, channel_id: scope.channel.id, message_id: message.id, guild_id: scope.guild.id },
    })
    return created(presentChannel(world, thread, call.user.id))
  }

  const create = (call: Call): unknown => {
    const scope = requireGuildChannel(context, call)
    if ([15, 16].includes(scope.channel.type)) return createPost(call)
    if (![0, 5].includes(scope.channel.type)) throw wrongChannelType()
    const body = validate<ThreadBody>(
      object({ ...base, type: nullable(oneOf([10, 11, 12])), invitable: nullable(boolean) }),
      call.body,
    )
    const type = body.type ?? 12
    const needed = type === 12 ? P.CREATE_PRIVATE_THREADS : P.CREATE_PUBLIC_THREADS
    if (!(scope.permissions & needed)) throw missingPermissions()
    const thread = makeThread(context, scope.guild, scope.channel, call.user.id, type, body)
    if (type !== 12) {
      systemMessage(context, scope.channel, call.user.id, 18, {
        content: thread.name,
        thread_id: thread.id,
        reference: { type: 0, channel_id: thread.id, guild_id: scope.guild.id },
      })
    }
    return created(presentChannel(world, thread, call.user.id))
  }

  const createPost = (call: Call): unknown => {
    const scope = requireGuildChannel(context, call, P.SEND_MESSAGES)
    const body = validate<ThreadBody>(
      object({ ...base, applied_tags: nullable(list(snowflake, { max: 5 })), message: required(object({})) }),
      call.body,
    )
    const draft = checkDraft(body.message, body.message?.flags ?? 0, ['message'])
    const { thread, message } = makePost(
      context,
      scope.guild,
      scope.channel,
      call.user.id,
      body,
      draft,
      call.files,
      (scope.permissions & P.MANAGE_THREADS) !== 0n,
    )
    return created({ ...presentChannel(world, thread, call.user.id), message: presentMessage(world, message, call.user.id) })
  }

  const requireThread = (call: Call) => {
    const scope = requireGuildChannel(context, call)
    if (!isThread(scope.channel)) throw wrongChannelType()
    return scope
  }

  const archived = (call: Call, type: 'public' | 'private', joinedOnly: boolean): Wire => {
    const scope = requireGuildChannel(context, call, P.READ_MESSAGE_HISTORY)
    if (type === 'private' && !joinedOnly && !(scope.permissions & P.MANAGE_THREADS)) throw missingPermissions()
    const limit = queryNumber(call, 'limit', 50, 1, 100)
    const before = call.query.get('before')
    const found = threadsOf(world, scope.guild.id)
      .filter((thread) => thread.parent_id === scope.channel.id && thread.thread?.archived)
      .filter((thread) => (type === 'private') === (thread.type === 12))
      .filter((thread) => !joinedOnly || thread.threadMembers.has(call.user.id))
      .filter((thread) => !before || Date.parse(thread.thread?.archive_timestamp ?? '') < Date.parse(before))
      .sort((a, b) => Date.parse(b.thread?.archive_timestamp ?? '') - Date.parse(a.thread?.archive_timestamp ?? ''))
    return listing(found.slice(0, limit), call, { has_more: found.length > limit })
  }

  const listing = (threads: readonly Channel[], call: Call, extra: Wire): Wire => ({
    threads: threads.map((thread) => presentChannel(world, thread, call.user.id)),
    members: threads
      .filter((thread) => thread.threadMembers.has(call.user.id))
      .map((thread) => presentThreadMember(thread, call.user.id)),
    ...extra,
  })

  const memberWire = (guild: Guild, thread: Channel, userId: string, withMember: boolean): Wire => {
    const member = guild.members.get(userId)
    return { ...presentThreadMember(thread, userId), ...(withMember && member ? { member: presentMember(world, member) } : {}) }
  }

  return [
    { method: 'POST', pattern: '/channels/:channel/messages/:message/threads', handler: fromMessage },
    { method: 'POST', pattern: '/channels/:channel/threads', handler: create },
    {
      method: 'GET',
      pattern: '/guilds/:guild/threads/active',
      handler: (call) => {
        const { guild, member } = requireGuild(context, call)
        const threads = threadsOf(world, guild.id)
          .filter((thread) => !thread.thread?.archived && permissionsIn(context, guild, member, thread) & P.VIEW_CHANNEL)
          .sort((a, b) => compareIds(b.id, a.id))
        return listing(threads, call, { has_more: false })
      },
    },
    { method: 'GET', pattern: '/channels/:channel/threads/archived/public', handler: (call) => archived(call, 'public', false) },
    { method: 'GET', pattern: '/channels/:channel/threads/archived/private', handler: (call) => archived(call, 'private', false) },
    {
      method: 'GET',
      pattern: '/channels/:channel/users/@me/threads/archived/private',
      handler: (call) => archived(call, 'private', true),
    },
    {
      method: 'GET',
      pattern: '/channels/:channel/threads/search',
      handler: (call) => {
        const scope = requireGuildChannel(context, call, P.READ_MESSAGE_HISTORY)
        const wantArchived = call.query.get('archived')
        const threads = threadsOf(world, scope.guild.id)
          .filter(
            (thread) =>
              thread.parent_id === scope.channel.id && permissionsIn(context, scope.guild, scope.member, thread) & P.VIEW_CHANNEL,
          )
          .filter((thread) => wantArchived === null || String(thread.thread?.archived) === wantArchived)
          .sort((a, b) => compareIds(b.last_message_id ?? b.id, a.last_message_id ?? a.id))
          .slice(0, queryNumber(call, 'limit', 25, 1, 25))
        const first = threads.map((thread) => thread.messages.get(thread.id)).filter((message) => message !== undefined)
        return listing(threads, call, {
          has_more: false,
          total_results: threads.length,
          first_messages: first.map((message) => presentMessage(world, message, call.user.id)),
        })
      },
    },
    {
      method: 'GET',
      pattern: '/channels/:channel/thread-members',
      handler: (call) => {
        const { guild, channel } = requireThread(call)
        return [...channel.threadMembers.keys()].map((id) =>
          memberWire(guild, channel, id, call.query.get('with_member') === 'true'),
        )
      },
    },
    {
      method: 'GET',
      pattern: '/channels/:channel/thread-members/:user',
      handler: (call) => {
        const { guild, channel } = requireThread(call)
        const id = call.params.user === '@me' ? call.user.id : requireId('user_id', call.params.user)
        if (!channel.threadMembers.has(id)) throw unknownThing('member')
        return memberWire(guild, channel, id, call.query.get('with_member') === 'true')
      },
    },
    {
      method: 'PUT',
      pattern: '/channels/:channel/thread-members/:user',
      handler: (call) => {
        const scope = requireThread(call)
        const id = call.params.user === '@me' ? call.user.id : requireId('user_id', call.params.user)
        if (scope.channel.thread?.archived) throw new ApiError(400, 50083, 'Thread is archived')
        if (!world.users.has(id)) throw unknownThing('user')
        const member = scope.guild.members.get(id)
        if (!member) throw unknownThing('member')
        const invites = scope.channel.thread?.invitable !== false || scope.channel.thread.owner_id === call.user.id
        if (id !== call.user.id && !(scope.permissions & P.MANAGE_THREADS)) {
          if (!(scope.permissions & P.SEND_MESSAGES_IN_THREADS) || !invites) throw missingPermissions()
        }
        const parent = world.channels.get(scope.channel.parent_id ?? '')
        if (!parent || !(permissionsIn(context, scope.guild, member, parent) & P.VIEW_CHANNEL)) throw missingAccess()
        addThreadMember(context, scope.guild, scope.channel, id)
      },
    },
    {
      method: 'DELETE',
      pattern: '/channels/:channel/thread-members/:user',
      handler: (call) => {
        const scope = requireThread(call)
        const id = call.params.user === '@me' ? call.user.id : requireId('user_id', call.params.user)
        const owns = scope.channel.type === 12 && scope.channel.thread?.owner_id === call.user.id
        if (id !== call.user.id && !owns && !(scope.permissions & P.MANAGE_THREADS)) throw missingPermissions()
        removeThreadMember(context, scope.guild, scope.channel, id)
      },
    },
  ]
}
