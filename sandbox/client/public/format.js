// Times, colours and names as Discord writes them. Pure functions; nothing here touches the page.

/** @import { Channel, Guild, User } from './types.d.ts' */

const EPOCH = 1_420_070_400_000n

/** @param {string} id a snowflake; the answer is its creation time in ms */
export const timeOf = (id) => Number((BigInt(id) >> 22n) + EPOCH)

/** A fresh id in snowflake form, for nonces and local messages: it sorts after everything that exists. */
let sequence = 0n
export function freshId() {
  sequence = (sequence + 1n) & 0xfffn
  return String(((BigInt(Date.now()) - EPOCH) << 22n) | sequence)
}

/**
 * Order of ids by age: negative when `a` is older.
 * @param {string} a
 * @param {string} b
 */
export const compareIds = (a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)

/** @param {Intl.DateTimeFormatOptions} options */
const formatter = (options) => new Intl.DateTimeFormat('en-US', options)
const shortTime = formatter({ hour: 'numeric', minute: '2-digit' })
const longTime = formatter({ hour: 'numeric', minute: '2-digit', second: '2-digit' })
const shortDate = formatter({ day: '2-digit', month: '2-digit', year: 'numeric' })
const longDate = formatter({ day: 'numeric', month: 'long', year: 'numeric' })
const weekday = formatter({ weekday: 'long' })
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
]

/**
 * `in 3 days`, `2 hours ago`; the unit is the largest that fits once.
 * @param {number} ms
 * @param {number} [now]
 */
export function relativeTime(ms, now = Date.now()) {
  const seconds = Math.round((ms - now) / 1000)
  const [unit, size] = UNITS.find(([, unitSize]) => Math.abs(seconds) >= unitSize) ?? /** @type {const} */ (['second', 1])
  return relative.format(Math.trunc(seconds / size), unit)
}

/**
 * The text of `<t:seconds:style>`.
 * @param {number} ms
 * @param {string} style one of t T d D f F s S R
 * @param {number} [now]
 */
export function timestamp(ms, style, now = Date.now()) {
  const date = new Date(ms)
  switch (style) {
    case 't':
      return shortTime.format(date)
    case 'T':
      return longTime.format(date)
    case 'd':
      return shortDate.format(date)
    case 'D':
      return longDate.format(date)
    case 's':
      return `${shortDate.format(date)}, ${shortTime.format(date)}`
    case 'S':
      return `${shortDate.format(date)}, ${longTime.format(date)}`
    case 'F':
      return `${weekday.format(date)}, ${longDate.format(date)} at ${shortTime.format(date)}`
    case 'R':
      return relativeTime(ms, now)
    default:
      return `${longDate.format(date)} at ${shortTime.format(date)}`
  }
}

/**
 * The time beside a message's author: today and yesterday show the hour, older ones the date.
 * @param {number} ms
 * @param {number} [now]
 */
export function messageTime(ms, now = Date.now()) {
  const time = shortTime.format(ms)
  if (sameDay(ms, now)) return time
  if (sameDay(ms, now - 86_400_000)) return `Yesterday at ${time}`
  return `${formatter({ day: 'numeric', month: 'numeric', year: '2-digit' }).format(ms)}, ${time}`
}

/** @param {number} ms */
export const clock = (ms) => shortTime.format(ms)
/** @param {number} ms */
export const dayName = (ms) => longDate.format(ms)
/** @param {number} ms */
export const fullTime = (ms) => timestamp(ms, 'F')
/**
 * @param {number} a
 * @param {number} b
 */
export const sameDay = (a, b) => new Date(a).toDateString() === new Date(b).toDateString()

/** @param {number} bytes */
export function fileSize(bytes) {
  if (bytes < 1024) return `${bytes} bytes`
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(2)} KB`
  return `${(bytes / 1024 / 1024).toFixed(2)} MB`
}

/** @param {number | null | undefined} colour 0xRRGGBB; 0 means none */
export const cssColour = (colour) => (colour ? `#${colour.toString(16).padStart(6, '0')}` : undefined)

const FACES = ['#5865f2', '#3ba55d', '#eb459e', '#faa61a', '#ed4245', '#1abc9c', '#9b59b6', '#e67e22']

/** A picture of someone without one: colour and initial follow from the id alone. @param {string} id */
export const faceColour = (id) => FACES[Number(BigInt(id) >> 22n) % FACES.length] ?? '#5865f2'

/** @param {User} user */
export const displayName = (user) => user.global_name || user.username

/**
 * The name someone bears in a guild: nickname, else display name.
 * @param {User} user
 * @param {Guild | null | undefined} guild
 */
export const nameIn = (user, guild) => guild?.members.get(user.id)?.nick || displayName(user)

/**
 * The colour of the highest coloured role, as CSS.
 * @param {string} userId
 * @param {Guild | null | undefined} guild
 */
export function colourIn(userId, guild) {
  return cssColour(highestRole(userId, guild, (role) => role.color !== 0)?.color)
}

/**
 * The highest role of a member for which `wanted` holds.
 * @param {string} userId
 * @param {Guild | null | undefined} guild
 * @param {(role: import('./types.d.ts').Role) => boolean} wanted
 */
export function highestRole(userId, guild, wanted) {
  const roles = (guild?.members.get(userId)?.roles ?? []).flatMap((id) => guild?.roles.get(id) ?? [])
  return roles.filter(wanted).sort((a, b) => b.position - a.position || compareIds(a.id, b.id))[0]
}

/** Up to two initials of a server's name. @param {string} name */
export const initials = (name) =>
  name
    .split(/\s+/)
    .map((word) => [...word][0] ?? '')
    .join('')
    .slice(0, 3)

/**
 * What a channel is called on the page.
 * @param {Channel} channel
 */
export function channelName(channel) {
  if (channel.name) return channel.name
  return (channel.recipients ?? []).map(displayName).join(', ') || 'Direct message'
}
