// How a message comes to be, for channels, interactions and webhooks alike: building, editing, storing and announcing it.
// What it may hold is checked in drafts.ts; who may write is decided by the callers.

import type { Context } from './access.ts'
import { displayedText, flatten, storeComponents } from './component-store.ts'
import { type AllowedMentions, type Draft, Flag, SETTABLE } from './drafts.ts'
import { emptyMessage, maximumReached } from './errors.ts'
import { isShownInEmbed, resolveMedia, storeEmbed, storeFiles } from './files.ts'
import type { Viewer } from './gateway.ts'
import type { UploadedFile } from './http.ts'
import { Intent } from './intents.ts'
import { presentBareMember, userOf } from './present.ts'
import { presentMessage } from './present-message.ts'
import { type Channel, type Guild, type Message, type Poll, timestampOf, type Wire } from './store.ts'

export interface NewMessage {
  channel: Channel
  guild: Guild | null
  authorId: string
  draft: Draft
  files: readonly UploadedFile[]
  /** Flags beside those that the draft may set. */
  flags?: number
  type?: number
  /** Whether @everyone and any role may be mentioned. */
  mayMentionAll?: boolean
  /** Whom a reply mentions. */
  repliedTo?: Message | null
  extra?: Partial<Message>
}

/** Builds a message without storing it. Throws 50006 when nothing is in it. */
export function buildMessage(context: Context, input: NewMessage): Message {
  const { world } = context
  const { channel, guild, draft } = input
  const id = world.id()
  const flags = ((draft.flags ?? 0) & SETTABLE) | (input.flags ?? 0)
  const ephemeral = (flags & Flag.EPHEMERAL) !== 0
  const attachments = storeFiles(context, channel.id, draft, input.files, ephemeral)
  const content = (draft.content ?? '').trim()
  const embeds = (draft.embeds ?? []).map((embed) => storeEmbed(context, embed, attachments))
  const components = storeComponents(draft.components ?? [], (address) => resolveMedia(context, address, attachments))
  const loading = (flags & Flag.LOADING) !== 0
  const isEmpty =
    content === '' &&
    embeds.length === 0 &&
    components.length === 0 &&
    attachments.length === 0 &&
    !draft.poll &&
    !input.extra?.snapshots
  if (isEmpty && !loading) throw emptyMessage()
  const shown = [content, displayedText(components)].join('\n')
  const mentions = computeMentions(context, guild, shown, draft.allowed_mentions ?? undefined, input.mayMentionAll ?? true)
  const repliedTo = input.repliedTo
  const pings = repliedTo && (draft.allowed_mentions ? draft.allowed_mentions.replied_user === true : true)
  if (pings && !mentions.users.includes(repliedTo.author_id)) mentions.users.push(repliedTo.author_id)
  return {
    id,
    channel_id: channel.id,
    guild_id: guild?.id ?? null,
    author_id: input.authorId,
    webhookAuthor: null,
    type: input.type ?? 0,
    content,
    timestamp: world.iso(),
    edited_timestamp: null,
    tts: draft.tts ?? false,
    mention_everyone: mentions.everyone,
    mentions: mentions.users,
    mention_roles: mentions.roles,
    attachments: attachments.filter((attachment) => !isShownInEmbed(attachment, embeds)),
    embeds,
    components,
    flags,
    pinned_at: null,
    reactions: [],
    reference: null,
    snapshots: null,
    nonce: draft.nonce ?? null,
    webhook_id: null,
    application_id: null,
    interaction_metadata: null,
    interaction: null,
    poll: draft.poll ? storePoll(context, draft.poll) : null,
    thread_id: null,
    position: channel.thread ? channel.thread.total_message_sent + (channel.messages.has(channel.id) ? 1 : 0) : null,
    ephemeralFor: null,
    ...input.extra,
  }
}

/** Applies an edit. Absent fields stay; attachments not named are dropped only when the list is given. */
export function editMessage(
  context: Context,
  message: Message,
  guild: Guild | null,
  draft: Draft,
  files: readonly UploadedFile[],
  mayMentionAll = true,
): void {
  const wasLoading = (message.flags & Flag.LOADING) !== 0
  const channel = context.world.channels.get(message.channel_id) as Channel
  const kept = draft.attachments
    ? message.attachments.filter((attachment) => draft.attachments?.some((named) => String(named.id) === attachment.id))
    : message.attachments
  const named =
    draft.attachments?.filter((one) => !message.attachments.some((attachment) => attachment.id === String(one.id))) ?? null
  const added = storeFiles(context, channel.id, { ...draft, attachments: named }, files, message.ephemeralFor !== null)
  const attachments = [...kept, ...added]
  if (attachments.length > 10) throw maximumReached(30015, 'attachments in a message', 10)
  if (typeof draft.flags === 'number') {
    // Components V2 stays on once it is set.
    message.flags = (message.flags & ~Flag.SUPPRESS_EMBEDS) | (draft.flags & (Flag.SUPPRESS_EMBEDS | Flag.COMPONENTS_V2))
  }
  if (draft.content !== undefined) message.content = (draft.content ?? '').trim()
  if (draft.embeds !== undefined) message.embeds = (draft.embeds ?? []).map((embed) => storeEmbed(context, embed, attachments))
  if (draft.components !== undefined) {
    message.components = storeComponents(draft.components ?? [], (address) => resolveMedia(context, address, attachments))
  }
  if (draft.poll && wasLoading) message.poll = storePoll(context, draft.poll)
  message.attachments = attachments.filter((attachment) => !isShownInEmbed(attachment, message.embeds))
  if (draft.content !== undefined || draft.components !== undefined) {
    const shown = [message.content, displayedText(message.components)].join('\n')
    const mentions = computeMentions(context, guild, shown, draft.allowed_mentions ?? undefined, mayMentionAll)
    message.mentions = mentions.users
    message.mention_roles = mentions.roles
    message.mention_everyone = mentions.everyone
  }
  const isEmpty =
    message.content === '' &&
    message.embeds.length === 0 &&
    message.components.length === 0 &&
    message.attachments.length === 0 &&
    !message.poll
  if (isEmpty && !message.snapshots) throw emptyMessage()
  message.flags &= ~Flag.LOADING
  message.edited_timestamp = wasLoading ? message.edited_timestamp : context.world.iso()
}

function storePoll(context: Context, poll: NonNullable<Draft['poll']>): Poll {
  return {
    question: { text: poll.question.text },
    answers: poll.answers.map((answer, index) => ({
      answer_id: index + 1,
      poll_media: {
        ...(answer.poll_media.text ? { text: answer.poll_media.text } : {}),
        ...(answer.poll_media.emoji ? { emoji: { id: null, name: '', ...answer.poll_media.emoji } } : {}),
      },
      voters: [],
    })),
    expiry: timestampOf(context.world.now() + (poll.duration ?? 24) * 3_600_000),
    allow_multiselect: poll.allow_multiselect ?? false,
    layout_type: poll.layout_type ?? 1,
    finalized: false,
  }
}

/** Which users, roles and whether everyone is mentioned: what stands in the text and is allowed to ping. */
function computeMentions(
  context: Context,
  guild: Guild | null,
  shown: string,
  allowed: AllowedMentions | undefined,
  mayMentionAll: boolean,
): { users: string[]; roles: string[]; everyone: boolean } {
  const parse = allowed ? (allowed.parse ?? []) : ['users', 'roles', 'everyone']
  const found = (pattern: RegExp): string[] => [...new Set([...shown.matchAll(pattern)].map((match) => match[1] as string))]
  const users = found(/<@!?(\d{1,20})>/g).filter(
    (id) => context.world.users.has(id) && (parse.includes('users') || (allowed?.users ?? []).map(String).includes(id)),
  )
  const roles = found(/<@&(\d{1,20})>/g).filter((id) => {
    const role = guild?.roles.get(id)
    if (!role || !(role.mentionable || mayMentionAll)) return false
    return parse.includes('roles') || (allowed?.roles ?? []).map(String).includes(id)
  })
  const everyone = guild !== null && mayMentionAll && parse.includes('everyone') && /@(everyone|here)/.test(shown)
  return { users, roles, everyone }
}

/** Stores the message in its channel and counts it; opens an archived thread. */
export function keepMessage(context: Context, channel: Channel, message: Message): void {
  if (message.ephemeralFor !== null) {
    context.world.ephemerals.set(message.id, message)
    return
  }
  channel.messages.set(message.id, message)
  channel.last_message_id = message.id
  if (channel.thread && !isStarter(channel, message)) {
    channel.thread.total_message_sent += 1
    channel.thread.message_count += 1
  }
}

/** The first message of a post, and the line that stands for the message a thread began on: neither counts. */
const isStarter = (channel: Channel, message: Message): boolean => message.id === channel.id || message.type === 21

/** Sends MESSAGE_CREATE or MESSAGE_UPDATE to all who may read it; an ephemeral to its one reader. */
export function announceMessage(
  context: Context,
  message: Message,
  event: 'MESSAGE_CREATE' | 'MESSAGE_UPDATE',
  nonceFor?: { userId: string; nonce: string | null },
): void {
  const { world, gateway } = context
  const channel = world.channels.get(message.channel_id)
  const guild = message.guild_id === null ? null : (world.guilds.get(message.guild_id) ?? null)
  if (!channel) return
  const differs = message.reactions.length > 0 || message.poll !== null || message.thread_id !== null || nonceFor !== undefined
  const made = new Map<boolean, Wire>()
  /** Readers who see the same get the same object, so that it is built and written once. */
  const payload = (viewer: Viewer): Wire => {
    const hidden = hidesContent(viewer, message, guild)
    const known = differs ? undefined : made.get(hidden)
    const wire = known ?? build(viewer, hidden)
    made.set(hidden, wire)
    return wire
  }
  const build = (viewer: Viewer, hidden: boolean): Wire => {
    const wire: Wire = { ...presentMessage(world, message, viewer.userId), channel_type: channel.type }
    if (guild) {
      wire.guild_id = guild.id
      const author = guild.members.get(message.author_id)
      if (author && !message.webhookAuthor) wire.member = presentBareMember(author)
      wire.mentions = message.mentions.map((id) => {
        const mentioned = guild.members.get(id)
        return { ...userOf(world, id), ...(mentioned ? { member: presentBareMember(mentioned) } : {}) }
      })
    }
    const nonce = nonceFor && nonceFor.userId === viewer.userId ? nonceFor.nonce : event === 'MESSAGE_CREATE' ? message.nonce : null
    if (nonce !== null) wire.nonce = nonce
    return hidden ? { ...wire, content: '', embeds: [], attachments: [], components: [] } : wire
  }
  if (message.ephemeralFor !== null) {
    gateway.toUser(message.ephemeralFor, event, payload)
    return
  }
  if (!guild) {
    for (const id of channel.recipients) gateway.toUser(id, event, payload, Intent.DIRECT_MESSAGES)
    return
  }
  gateway.toGuild(guild, event, payload, { intent: Intent.MESSAGES, channel, botsNeedView: true })
}

/** Tells those who may read the message of something that happened to it. `intent` is the bots' in a guild, `direct` in a DM. */
export function announceAbout(
  { world, gateway }: Context,
  message: Message,
  event: string,
  data: Wire,
  { intent, direct }: { intent: number; direct: number },
): void {
  const channel = world.channels.get(message.channel_id)
  const guild = message.guild_id === null ? null : world.guilds.get(message.guild_id)
  if (!channel) return
  if (guild) gateway.toGuild(guild, event, { ...data, guild_id: guild.id }, { intent, channel, botsNeedView: true })
  else for (const id of channel.recipients) gateway.toUser(id, event, data, direct)
}

/** Bots without the message content intent read only what they wrote, DMs and what mentions them. */
function hidesContent(viewer: Viewer, message: Message, guild: Guild | null): boolean {
  if (!viewer.bot || guild === null || viewer.intents & Intent.CONTENT) return false
  return message.author_id !== viewer.userId && !message.mentions.includes(viewer.userId)
}

/** Takes a message away and says so. */
export function removeMessage(context: Context, message: Message): void {
  const { world, gateway } = context
  const channel = world.channels.get(message.channel_id)
  const guild = message.guild_id === null ? null : (world.guilds.get(message.guild_id) ?? null)
  for (const attachment of message.attachments) world.files.delete(attachment.path)
  const notice = { id: message.id, channel_id: message.channel_id, ...(guild ? { guild_id: guild.id } : {}) }
  if (message.ephemeralFor !== null) {
    world.ephemerals.delete(message.id)
    gateway.toUser(message.ephemeralFor, 'MESSAGE_DELETE', notice)
    return
  }
  if (!channel) return
  channel.messages.delete(message.id)
  if (channel.thread && !isStarter(channel, message)) channel.thread.message_count = Math.max(0, channel.thread.message_count - 1)
  if (guild) gateway.toGuild(guild, 'MESSAGE_DELETE', notice, { intent: Intent.MESSAGES, channel, botsNeedView: true })
  else for (const id of channel.recipients) gateway.toUser(id, 'MESSAGE_DELETE', notice, Intent.DIRECT_MESSAGES)
}

/** A system message such as a join, a pin or a thread's first line. */
export function systemMessage(
  context: Context,
  channel: Channel,
  authorId: string,
  type: number,
  extra: Partial<Message> = {},
): Message {
  const guild = channel.guild_id === null ? null : (context.world.guilds.get(channel.guild_id) ?? null)
  const message = buildMessage(context, {
    channel,
    guild,
    authorId,
    draft: { content: '​' },
    files: [],
    type,
    extra: { content: '', ...extra },
  })
  keepMessage(context, channel, message)
  announceMessage(context, message, 'MESSAGE_CREATE')
  return message
}

/** The component of a message that a person uses, by custom id. */
export function findComponent(message: Message, customId: string): Wire | undefined {
  return flatten(message.components).find((component) => component.custom_id === customId)
}
