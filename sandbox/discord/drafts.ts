// What a message may hold: the shape of its body, its limits, and the flags. Decides nothing about who may write.

import { messageComponentProblems } from './components.ts'
import { invalidForm } from './errors.ts'
import type { Message, Wire } from './store.ts'
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

export const SETTABLE = Flag.SUPPRESS_EMBEDS | Flag.SUPPRESS_NOTIFICATIONS | Flag.COMPONENTS_V2

export interface AllowedMentions {
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

/** The flags a message will have after an edit: Components V2 cannot be taken off. */
export function flagsAfterEdit(message: Message, body: unknown): number {
  const wanted = (body as { flags?: unknown } | null)?.flags
  return message.flags | (typeof wanted === 'number' ? wanted & Flag.COMPONENTS_V2 : 0)
}
