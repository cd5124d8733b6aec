// What is kept of an e-mail address: enough to recognise it, nothing to read it from.
import { createHmac } from 'node:crypto'

/** Every sale asks for the hashes of its customer and its partner, and a keyed hash costs more than all else that is done with them. */
const mostRemembered = 10_000

/** Makes the function that hashes an address under the key; upper and lower case, and blanks around it, make no difference. */
export function createEmailHash(key: Buffer): (email: string) => string {
  const known = new Map<string, string>()
  return (email) => {
    const text = email.normalize('NFC').trim().toLowerCase()
    const found = known.get(text)
    if (found !== undefined) return found
    const made = createHmac('sha256', key).update(text).digest('base64url')
    if (known.size >= mostRemembered) known.clear()
    known.set(text, made)
    return made
  }
}
