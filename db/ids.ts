// Identifiers: UUID version 7 (RFC 9562), so that rows sort by the time they were made and indexes stay dense.
import { randomFillSync } from 'node:crypto'

/** Random bytes are cheap by the page and dear by the piece. */
const random = Buffer.alloc(4096)
let used = random.length

/**
 * A new UUIDv7 for the instant `at` (default: now). Those that one process makes for one millisecond, one after the other, sort in that order (up to some
 * thousands); the 62 random bits behind the count keep them from being guessed. https://www.rfc-editor.org/rfc/rfc9562#section-6.2 (method 1)
 */
export function newId(at: Date = new Date()): string {
  if (used === random.length) {
    randomFillSync(random)
    used = 0
  }
  const bytes = random.subarray(used, used + 8)
  used += 8
  bytes[0] = (bytes[0]! & 0x3f) | 0x80
  const tail = bytes.toString('hex')
  const time = timeOf(at.getTime())
  return `${time}-7${count.toString(16).padStart(3, '0')}-${tail.slice(0, 4)}-${tail.slice(4)}`
}

const mostInAMillisecond = 0xfff
let lastMs = -1
let lastTime = ''
let count = 0
/** The first 48 bits: milliseconds since 1970. Counts the ids of each. */
function timeOf(ms: number): string {
  if (ms !== lastMs) {
    const hex = ms.toString(16).padStart(12, '0')
    lastTime = `${hex.slice(0, 8)}-${hex.slice(8)}`
    lastMs = ms
    count = 0
  } else if (count < mostInAMillisecond) count++
  return lastTime
}
