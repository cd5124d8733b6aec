// Files that clients upload ahead of a message, and the addresses from which stored files are fetched.

import { type Context, requireChannel } from '../access.ts'
import { tooLarge, unknownThing } from '../errors.ts'
import { MAX_FILE, Reply, type Route } from '../http.ts'
import { list, object, required, text, validate, whole } from '../validate.ts'

/** Uploads that wait to be named in a message. */
const UPLOADS_KEPT = 50

export function uploadRoutes(context: Context): Route[] {
  const { world } = context
  return [
    {
      method: 'POST',
      pattern: '/channels/:channel/attachments',
      handler: (call) => {
        const { channel } = requireChannel(context, call)
        const { files } = validate<{ files: { id?: string | number; filename: string; file_size: number }[] }>(
          object({
            files: required(
              list(object({ filename: required(text({ min: 1, max: 1024 })), file_size: required(whole(0, MAX_FILE)) }), {
                min: 1,
                max: 10,
              }),
            ),
          }),
          call.body,
        )
        return {
          attachments: files.map((file) => {
            const name = `${channel.id}-${world.id()}/${file.filename}`
            world.uploads.set(name, { name: file.filename, bytes: Buffer.alloc(0) })
            const [oldest] = world.uploads.keys()
            if (world.uploads.size > UPLOADS_KEPT && oldest !== undefined) world.uploads.delete(oldest)
            return {
              id: Number(file.id ?? 0),
              upload_url: `${world.origin}/uploads/${encodeURIComponent(name)}`,
              upload_filename: name,
            }
          }),
        }
      },
    },
  ]
}

/** Files and uploads, outside /api: GET /attachments/…, PUT /uploads/…. */
export function fileRoutes(context: Context): Route[] {
  return [
    {
      method: 'GET',
      pattern: '/attachments/:channel/:attachment/:name',
      open: true,
      handler: (call) => {
        const file = context.world.files.get(call.path)
        if (!file) throw unknownThing('message')
        const shown = /^(image\/(png|jpeg|gif|webp)|text\/plain|application\/pdf|audio\/|video\/)/.test(file.content_type)
        return new Reply(200, file.bytes, {
          'Content-Type': shown ? file.content_type : 'application/octet-stream',
          'Content-Disposition': `${shown ? 'inline' : 'attachment'}; filename="${file.filename}"`,
          'X-Content-Type-Options': 'nosniff',
          'Content-Security-Policy': "default-src 'none'; sandbox",
        })
      },
    },
    {
      method: 'PUT',
      pattern: '/uploads/:name',
      open: true,
      handler: (call) => {
        const upload = context.world.uploads.get(call.params.name ?? '')
        if (!upload) throw unknownThing('message')
        if (call.raw.length > MAX_FILE) throw tooLarge()
        upload.bytes = call.raw
        return new Reply(200, undefined)
      },
    },
  ]
}
