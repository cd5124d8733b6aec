// What a message may hold and how it comes to be, for channels, interactions and webhooks alike:
// limits, embeds, files, mentions, polls; storing and announcing. Who may write is decided by the callers.

import type { Context } from './access.ts'
import { displayedText, flatten, messageComponentProblems, storeComponents, withoutNulls } from './components.ts'
import { emptyMessage, invalidField, invalidForm, maximumReached } from './errors.ts'
import { Intent, type Viewer } from './gateway.ts'
import type { UploadedFile } from './http.ts'
import { presentAttachment, presentBareMember, presentMessage, userOf } from './present.ts'
import { type Attachment, type Channel, type Guild, type Message, type Poll, timestampOf, type Wire } from './store.ts'
import {
  boolean,
  type Check,
  lengthOf,
  list,
  nullable,
  object,
  oneOf,
  type Problem,
  required,
  snowflake,
  text,
  timestamp,
  url,
  whole,
} from './validate.ts'

export const Flag = {
  CROSSPOSTED: 1 << 0,
  IS_CROSSPOST: 1 << 1,
  SUPPRESS_EMBEDS: 1 << 2,
  HAS_THREAD: 1 << 5,
  EPHEMERAL: 1 << 6,
  LOADING: 1 << 7,
  SUPPRESS_NOTIFICATIONS: 1 << 12,
  COMPONENTS_V2: 1 << 15,
} as const

/** What all stored files may take together. */
const STORED_BYTES = 256 * 1024 * 1024
const SETTABLE = Flag.SUPPRESS_EMBEDS | Flag.SUPPRESS_NOTIFICATIONS | Flag.COMPONENTS_V2

interface AllowedMentions {
  parse?: string[] | null
  users?: string[] | null
  roles?: string[] | null
  replied_user?: boolean | null
}

/** The body of a message that is created or edited. */
export interface Draft {
  content?: string | null
  embeds?: Wire[] | null
  components?: unknown[] | null
  flags?: number | null
  allowed_mentions?: AllowedMentions | null
  attachments?:
    | { id: string | number; filename?: string; description?: string | null; uploaded_filename?: string; is_spoiler?: boolean }[]
    | null
  poll?: {
    question: { text: string }
    answers: { poll_media: { text?: string; emoji?: Wire } }[]
    duration?: number
    allow_multiselect?: boolean
    layout_type?: number
  } | null
  tts?: boolean | null
  nonce?: string | number | null
  enforce_nonce?: boolean | null
  message_reference?: {
    type?: number
    message_id: string
    channel_id?: string
    guild_id?: string
    fail_if_not_exists?: boolean
  } | null
  username?: string
  avatar_url?: string
  thread_name?: string
  applied_tags?: string[]
}

const embedMedia = object({ url: required(url(['http:', 'https:', 'attachment:'])) })

const embed = object({
  title: nullable(text({ max: 256 })),
  description: nullable(text({ max: 4096 })),
  url: nullable(url()),
  color: nullable(whole(0, 0xffffff)),
  timestamp: nullable(timestamp),
  footer: nullable(object({ text: required(text({ max: 2048 })), icon_url: nullable(url(['http:', 'https:', 'attachment:'])) })),
  image: nullable(embedMedia),
  thumbnail: nullable(embedMedia),
  author: nullable(
    object({
      name: required(text({ max: 256 })),
      url: nullable(url()),
      icon_url: nullable(url(['http:', 'https:', 'attachment:'])),
    }),
  ),
  fields: nullable(
    list(
      object({
        name: required(text({ min: 1, max: 256 })),
        value: required(text({ min: 1, max: 1024 })),
        inline: nullable(boolean),
      }),
      { max: 25 },
    ),
  ),
})

const pollMedia = (max: number): Check => object({ text: nullable(text({ min: 1, max })), emoji: nullable(object({})) })

const draftShape = object({
  content: nullable(text({ max: 2000 })),
  embeds: nullable(list(embed, { max: 10 })),
  flags: nullable(whole(0)),
  tts: nullable(boolean),
  nonce: nullable((value, at, problems) => {
    if (String(value).length > 25)
      problems.push({ path: at, code: 'BASE_TYPE_MAX_LENGTH', message: 'Must be 25 or fewer in length.' })
  }),
  enforce_nonce: nullable(boolean),
  allowed_mentions: nullable(
    object({
      parse: nullable(list(oneOf(['users', 'roles', 'everyone']))),
      users: nullable(list(snowflake, { max: 100 })),
      roles: nullable(list(snowflake, { max: 100 })),
      replied_user: nullable(boolean),
    }),
  ),
  message_reference: nullable(object({ message_id: required(snowflake), type: nullable(oneOf([0, 1])) })),
  attachments: nullable(
    list(object({ id: required(snowflake), filename: nullable(text({ max: 1024 })), description: nullable(text({ max: 1024 })) }), {
      max: 10,
    }),
  ),
  poll: nullable(
    object({
      question: required(pollMedia(300)),
      answers: required(list(object({ poll_media: required(pollMedia(55)) }), { min: 1, max: 10 })),
      duration: nullable(whole(1, 768)),
      allow_multiselect: nullable(boolean),
      layout_type: nullable(oneOf([1])),
    }),
  ),
  sticker_ids: nullable(list(snowflake, { max: 3 })),
})

/** Checks a draft; throws 50035 with paths below `at`. `flags` are those that the message will have. */
export function checkDraft(body: unknown, flags: number, at: readonly string[] = []): Draft {
  const problems: Problem[] = []
  draftShape(body, at, problems)
  const draft = (body ?? {}) as Draft
  const v2 = (flags & Flag.COMPONENTS_V2) !== 0
  if (draft.components !== undefined && draft.components !== null) {
    problems.push(...messageComponentProblems(draft.components, v2, [...at, 'components']))
  }
  if (v2) {
    for (const field of ['content', 'embeds', 'poll', 'sticker_ids'] as const) {
      const value = (draft as Wire)[field]
      if (value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)) continue
      problems.push({
        path: [...at, field],
        code: 'MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2',
        message: `The '${field}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2`,
      })
    }
  }
  problems.push(...embedProblems(draft.embeds, at), ...mentionProblems(draft.allowed_mentions, at))
  if (problems.length > 0) throw invalidForm(problems)
  return draft
}

function embedProblems(embeds: unknown, at: readonly string[]): Problem[] {
  if (!Array.isArray(embeds)) return []
  const problems: Problem[] = []
  let total = 0
  for (const [index, one] of (embeds as Wire[]).entries()) {
    if (typeof one !== 'object' || one === null) continue
    total += embedLength(one)
    const holds = ['title', 'description', 'url', 'image', 'thumbnail', 'author', 'footer', 'timestamp', 'video', 'provider'].some(
      (key) => one[key],
    )
    if (!holds && !(Array.isArray(one.fields) && one.fields.length > 0)) {
      problems.push({
        path: [...at, 'embeds', index, 'description'],
        code: 'BASE_TYPE_REQUIRED',
        message: 'This field is required',
      })
    }
    if (total > 6000) {
      problems.push({
        path: [...at, 'embeds', index],
        code: 'MAX_EMBED_SIZE_EXCEEDED',
        message: 'Embed size exceeds maximum size of 6000',
      })
    }
  }
  return problems
}

function embedLength(embed: Wire): number {
  const texts = [
    embed.title,
    embed.description,
    (embed.footer as Wire | undefined)?.text,
    (embed.author as Wire | undefined)?.name,
    ...((Array.isArray(embed.fields) ? embed.fields : []) as Wire[]).flatMap((field) => [field?.name, field?.value]),
  ]
  return texts.reduce<number>((sum, value) => sum + (typeof value === 'string' ? lengthOf(value) : 0), 0)
}

function mentionProblems(allowed: AllowedMentions | null | undefined, at: readonly string[]): Problem[] {
  const problems: Problem[] = []
  for (const kind of ['users', 'roles'] as const) {
    if (!Array.isArray(allowed?.parse) || !allowed.parse.includes(kind) || !(allowed[kind]?.length ?? 0)) continue
    problems.push({
      path: [...at, 'allowed_mentions', kind],
      code: 'MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE',
      message: `parse:["${kind}"] and ${kind}: [ids...] are mutually exclusive.`,
    })
  }
  return problems
}

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
    position: channel.thread ? channel.thread.total_message_sent : null,
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

/** The flags a message will have after an edit: Components V2 cannot be taken off. */
export function flagsAfterEdit(message: Message, body: unknown): number {
  const wanted = (body as { flags?: unknown } | null)?.flags
  return message.flags | (typeof wanted === 'number' ? wanted & Flag.COMPONENTS_V2 : 0)
}

function storeFiles(
  context: Context,
  channelId: string,
  draft: Draft,
  files: readonly UploadedFile[],
  ephemeral: boolean,
): Attachment[] {
  const stored: Attachment[] = []
  const named = draft.attachments ?? []
  for (const [index, file] of files.entries()) {
    const number = /^files?\[(\d+)\]$/.exec(file.field)?.[1] ?? String(index)
    const about = named.find((one) => String(one.id) === number)
    stored.push(
      storeFile(context, channelId, {
        filename: about?.filename ?? file.filename,
        bytes: file.bytes,
        contentType: file.contentType,
        description: about?.description ?? null,
        spoiler: about?.is_spoiler ?? false,
        ephemeral,
      }),
    )
  }
  for (const [index, one] of named.entries()) {
    if (!one.uploaded_filename) continue
    const upload = context.world.uploads.get(one.uploaded_filename)
    if (!upload)
      throw invalidField(['attachments', index, 'uploaded_filename'], 'ATTACHMENT_NOT_FOUND', 'Unable to find the uploaded file.')
    stored.push(
      storeFile(context, channelId, {
        filename: one.filename ?? upload.name,
        bytes: upload.bytes,
        contentType: null,
        description: one.description ?? null,
        spoiler: one.is_spoiler ?? false,
        ephemeral,
      }),
    )
  }
  if (stored.length > 10) throw maximumReached(30015, 'attachments in a message', 10)
  return stored
}

/** Stores one file and gives it the address from which it is fetched. */
export function storeFile(
  context: Context,
  channelId: string,
  file: {
    filename: string
    bytes: Buffer
    contentType: string | null
    description: string | null
    spoiler: boolean
    ephemeral: boolean
  },
): Attachment {
  const id = context.world.id()
  const filename = file.filename.replace(/[^\w.-]+/g, '_').slice(-100) || 'file'
  const size = pictureSize(file.bytes)
  const attachment: Attachment = {
    id,
    filename,
    size: file.bytes.length,
    content_type: contentTypeOf(filename, file.contentType),
    description: file.description,
    width: size?.width ?? null,
    height: size?.height ?? null,
    ephemeral: file.ephemeral,
    spoiler: file.spoiler || filename.startsWith('SPOILER_'),
    path: `/attachments/${channelId}/${id}/${filename}`,
    bytes: file.bytes,
  }
  context.world.files.set(attachment.path, attachment)
  forgetOldFiles(context)
  return attachment
}

/** All files together stay within a budget: the oldest are gone, as an expired link is. */
function forgetOldFiles({ world }: Context): void {
  let stored = 0
  for (const file of world.files.values()) stored += file.bytes.length
  for (const [path, file] of world.files) {
    if (stored <= STORED_BYTES) return
    world.files.delete(path)
    stored -= file.bytes.length
  }
}

const TYPES: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  pdf: 'application/pdf',
  txt: 'text/plain; charset=utf-8',
  md: 'text/markdown; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  json: 'application/json',
  html: 'text/html; charset=utf-8',
}

function contentTypeOf(filename: string, given: string | null): string {
  if (given && given !== 'application/octet-stream') return given
  return TYPES[filename.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'application/octet-stream'
}

/** Width and height of a PNG, GIF or JPEG. */
function pictureSize(bytes: Buffer): { width: number; height: number } | null {
  if (bytes.length > 24 && bytes.readUInt32BE(0) === 0x89504e47)
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }
  if (bytes.length > 10 && bytes.toString('latin1', 0, 3) === 'GIF')
    return { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) }
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return null
  let at = 2
  while (at + 9 < bytes.length) {
    const marker = bytes.readUInt16BE(at)
    if (marker >= 0xffc0 && marker <= 0xffc3) return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) }
    at += 2 + bytes.readUInt16BE(at + 2)
  }
  return null
}

function resolveMedia(context: Context, address: string, attachments: readonly Attachment[]): Wire {
  if (!address.startsWith('attachment://'))
    return { id: context.world.id(), url: address, proxy_url: address, loading_state: 2, flags: 0 }
  const name = address.slice('attachment://'.length)
  const attachment = attachments.find((one) => one.filename === name || one.filename === name.replace(/[^\w.-]+/g, '_'))
  if (!attachment) {
    throw invalidField(
      ['components'],
      'UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND',
      `Unable to find the attachment "${name}".`,
    )
  }
  const shown = presentAttachment(context.world, attachment)
  return {
    id: context.world.id(),
    url: shown.url,
    proxy_url: shown.proxy_url,
    width: attachment.width,
    height: attachment.height,
    content_type: attachment.content_type,
    attachment_id: attachment.id,
    name: attachment.filename,
    size: attachment.size,
  }
}

function storeEmbed(context: Context, source: Wire, attachments: readonly Attachment[]): Wire {
  const embed = withoutNulls(source)
  const address = (value: unknown): string => {
    const given = String(value)
    if (!given.startsWith('attachment://')) return given
    const attachment = attachments.find((one) => one.filename === given.slice('attachment://'.length))
    return attachment ? String(presentAttachment(context.world, attachment).url) : given
  }
  const media = (value: unknown): Wire => {
    const target = address((value as Wire).url)
    return { url: target, proxy_url: target, width: 0, height: 0, flags: 0 }
  }
  const icon = (value: unknown): Wire => {
    const kept = withoutNulls(value as Wire)
    return kept.icon_url ? { ...kept, icon_url: address(kept.icon_url), proxy_icon_url: address(kept.icon_url) } : kept
  }
  const trimmed = (key: string): Wire => (typeof embed[key] === 'string' ? { [key]: (embed[key] as string).trim() } : {})
  return {
    type: 'rich',
    ...trimmed('title'),
    ...trimmed('description'),
    ...(embed.url ? { url: embed.url } : {}),
    ...(embed.color === undefined ? {} : { color: embed.color }),
    ...(embed.timestamp ? { timestamp: timestampOf(Date.parse(String(embed.timestamp))) } : {}),
    ...(Array.isArray(embed.fields) && embed.fields.length > 0
      ? {
          fields: (embed.fields as Wire[]).map((field) => ({
            name: String(field.name).trim(),
            value: String(field.value).trim(),
            inline: field.inline ?? false,
          })),
        }
      : {}),
    ...(embed.image ? { image: media(embed.image) } : {}),
    ...(embed.thumbnail ? { thumbnail: media(embed.thumbnail) } : {}),
    ...(embed.author ? { author: icon(embed.author) } : {}),
    ...(embed.footer ? { footer: icon(embed.footer) } : {}),
  }
}

function isShownInEmbed(attachment: Attachment, embeds: readonly Wire[]): boolean {
  return embeds.some((embed) => JSON.stringify(embed).includes(attachment.path))
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
  if (channel.thread) {
    channel.thread.total_message_sent += 1
    channel.thread.message_count += 1
  }
}

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
  if (channel.thread) channel.thread.message_count = Math.max(0, channel.thread.message_count - 1)
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
