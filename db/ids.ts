// Identifiers: UUID version 7 (RFC 9562), so that rows sort by the time they were made and indexes stay dense.
import { randomFillSync } from 'node:crypto'

/** Random bytes are cheap by the page and dear by the piece. */
const random = Buffer.alloc(4000)
let used = random.length

/** A new UUIDv7 for the instant `at` (default: now); ids of one millisecond are unordered among themselves. */
export function newId(at: Date = new Date()): string {
  if (used === random.length) {
    randomFillSync(random)
    used = 0
  }
  const bytes = random.subarray(used, used + 10)
  used += 10
  bytes[0] = (bytes[0]! & 0x0f) | 0x70
  bytes[2] = (bytes[2]! & 0x3f) | 0x80
  const tail = bytes.toString('hex')
  return `${timeOf(at.getTime())}-${tail.slice(0, 4)}-${tail.slice(4, 8)}-${tail.slice(8)}`
}

let lastMs = -1
let lastTime = ''
/** The first 48 bits: milliseconds since 1970. */
function timeOf(ms: number): string {
  if (ms !== lastMs) {
    const hex = ms.toString(16).padStart(12, '0')
    lastTime = `${hex.slice(0, 8)}-${hex.slice(8)}`
    lastMs = ms
  }
  return lastTime
}
