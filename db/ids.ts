// Identifiers: UUID version 7 (RFC 9562), so that rows sort by the time they were made and indexes stay dense.
import { randomFillSync } from 'node:crypto'

/** Random bytes are cheap by the page and dear by the piece. */
const random = Buffer.alloc(4096)
let used = random.length

/** A new UUIDv7 for the instant `at` (default: now); ids of one millisecond are unordered among themselves. */
export function newId(at: Date = new Date()): string {
  if (used === random.length) {
    randomFillSync(random)
    used = 0
  }
  const bytes = random.subarray(used, used + 16)
  used += 16
  bytes.writeUIntBE(at.getTime(), 0, 6)
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
