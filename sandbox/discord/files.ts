// Files and pictures of messages: storing them within a budget, their types and sizes, and the media that components and embeds name.

import type { Context } from './access.ts'
import { withoutNulls } from './component-store.ts'
import type { Draft } from './drafts.ts'
import { invalidField, maximumReached } from './errors.ts'
import type { UploadedFile } from './http.ts'
import { presentAttachment } from './present-message.ts'
import { type Attachment, timestampOf, type Wire } from './store.ts'

/** What all stored files may take together. */
const STORED_BYTES = 256 * 1024 * 1024

/** The files of a draft, sent with it or uploaded before, as attachments. 30015 beyond ten. */
export function storeFiles(
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

/** The media item behind an address; `attachment://` names a file of the same message. */
export function resolveMedia(context: Context, address: string, attachments: readonly Attachment[]): Wire {
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

/** An embed as it is kept: trimmed, with the addresses of its files. */
export function storeEmbed(context: Context, source: Wire, attachments: readonly Attachment[]): Wire {
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

/** A picture that an embed shows is not listed among the attachments. */
export function isShownInEmbed(attachment: Attachment, embeds: readonly Wire[]): boolean {
  return embeds.some((embed) => JSON.stringify(embed).includes(attachment.path))
}
