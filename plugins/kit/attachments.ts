// Fetches files that somebody attached to a command.
import type { Upload } from '../../commands/define.ts'
import { UserError } from './errors.ts'

/** The text of an attached file. @throws UserError when it is too large, is not UTF-8, or cannot be fetched */
export type ReadAttachment = (upload: Pick<Upload, 'url' | 'size'>) => Promise<string>

/** In bytes. A list of ten thousand lines is smaller. */
export const largestAttachment = 1_000_000
const patienceMs = 10_000

/**
 * Believes neither the size that is told nor the one that the server announces: stops reading at the limit. The address comes from Discord with the
 * command, not from the person.
 */
export const readAttachment: ReadAttachment = async ({ url, size }) => {
  const bytes = await readUpload({ url, size })
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new UserError(
      'attachment_not_text',
      'This file is not UTF-8 text. In your spreadsheet, save it as “CSV UTF-8” and attach it again.',
    )
  }
}

/** The bytes of an attached file. @throws UserError when it is larger than a megabyte, or cannot be fetched */
export async function readUpload({ url, size }: Pick<Upload, 'url' | 'size'>): Promise<Buffer> {
  if (size > largestAttachment) throw tooLarge()
  return fetchAtMost(url)
}

async function fetchAtMost(url: string): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let length = 0
  try {
    const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(patienceMs) })
    if (!answer.ok || !answer.body) throw new Error(`the file's server answered ${answer.status}`)
    for await (const part of answer.body) {
      length += part.byteLength
      if (length > largestAttachment) throw tooLarge()
      parts.push(part)
    }
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(
      'attachment_unreadable',
      'The attached file could not be read just now. Run the command once more with the file.',
    )
  }
  return Buffer.concat(parts)
}

const tooLarge = () =>
  new UserError('attachment_too_large', 'This file is larger than 1 MB. Attach a smaller one; split a list into parts.')
