// Rate limits: per route and resource with Discord's X-RateLimit headers, and the global one of 50 requests a second for a bot.
// Numbers are Discord's where they are known, wider elsewhere. Interaction callbacks and follow-ups are outside the global limit.

interface Verdict {
  headers: Record<string, string>
  /** Set when the call is refused. */
  refused?: { retryAfter: number; global: boolean }
}

interface Window {
  resetAt: number
  left: number
}

interface Rule {
  name: string
  method: string
  pattern: RegExp
  limit: number
  seconds: number
  /** People click by hand; their limit is wider so that scripted people need no queue. */
  peopleLimit?: number
}

const rules: readonly Rule[] = [
  { name: 'message-create', method: 'POST', pattern: /^\/channels\/\d+\/messages$/, limit: 50, seconds: 5, peopleLimit: 100 },
  { name: 'crosspost', method: 'POST', pattern: /^\/channels\/\d+\/messages\/\d+\/crosspost$/, limit: 10, seconds: 3600 },
  {
    name: 'reaction',
    method: 'PUT',
    pattern: /^\/channels\/\d+\/messages\/\d+\/reactions\//,
    limit: 10,
    seconds: 2,
    peopleLimit: 100,
  },
  { name: 'members', method: 'GET', pattern: /^\/guilds\/\d+\/members$/, limit: 10, seconds: 10, peopleLimit: 100 },
  { name: 'webhook', method: 'POST', pattern: /^\/webhooks\/\d+\/[^/]+$/, limit: 10, seconds: 2 },
]

const OTHER = { name: 'other', limit: 100, seconds: 1 }
const GLOBAL_LIMIT = 50
const RENAMES = { name: 'channel-rename', limit: 2, seconds: 600 }

export interface RateLimits {
  /** Counts one call and says whether it may pass. */
  take: (caller: { id: string; bot: boolean }, method: string, path: string, body: unknown) => Verdict
  reset: () => void
}

export function createRateLimits(now: () => number): RateLimits {
  const windows = new Map<string, Window>()
  const global = new Map<string, Window>()

  function take(key: string, limit: number, seconds: number): Window {
    const at = now()
    const current = windows.get(key)
    if (current && current.resetAt > at) {
      current.left -= 1
      return current
    }
    const opened = { resetAt: at + seconds * 1000, left: limit - 1 }
    windows.set(key, opened)
    return opened
  }

  return {
    take: (caller, method, path, body): Verdict => {
      const at = now()
      const interaction = path.startsWith('/interactions/') || path.startsWith('/webhooks/')
      if (caller.bot && !interaction) {
        const window = global.get(caller.id)
        if (!window || window.resetAt <= at) global.set(caller.id, { resetAt: at + 1000, left: GLOBAL_LIMIT - 1 })
        else if (window.left-- <= 0) {
          const retryAfter = (window.resetAt - at) / 1000
          return {
            headers: { 'Retry-After': String(Math.ceil(retryAfter)), 'X-RateLimit-Global': 'true', 'X-RateLimit-Scope': 'global' },
            refused: { retryAfter, global: true },
          }
        }
      }
      const rule = rules.find((one) => one.method === method && one.pattern.test(path))
      const limit = rule ? (caller.bot ? rule.limit : (rule.peopleLimit ?? rule.limit)) : OTHER.limit
      const seconds = rule?.seconds ?? OTHER.seconds
      const resource = /^\/(?:channels|guilds|webhooks)\/\d+(?:\/[^/]{30,})?/.exec(path)?.[0] ?? ''
      const bucket = rule?.name ?? `${OTHER.name}:${method}:${path.replace(/\d{5,}/g, ':id')}`
      const renames = method === 'PATCH' && /^\/channels\/\d+$/.test(path) && isRename(body)
      const renamed = renames ? take(`${caller.id}:${RENAMES.name}:${path}`, RENAMES.limit, RENAMES.seconds) : null
      const window = take(`${caller.id}:${bucket}:${resource}`, limit, seconds)
      const spent = renamed && renamed.left < 0 ? renamed : window.left < 0 ? window : null
      const shown = spent ?? window
      const headers: Record<string, string> = {
        'X-RateLimit-Limit': String(spent && spent === renamed ? RENAMES.limit : limit),
        'X-RateLimit-Remaining': String(Math.max(0, shown.left)),
        'X-RateLimit-Reset': (shown.resetAt / 1000).toFixed(3),
        'X-RateLimit-Reset-After': Math.max(0.001, (shown.resetAt - at) / 1000).toFixed(3),
        'X-RateLimit-Bucket': hash(bucket),
      }
      if (!spent) return { headers }
      const retryAfter = (spent.resetAt - at) / 1000
      return {
        headers: { ...headers, 'Retry-After': String(Math.ceil(retryAfter)), 'X-RateLimit-Scope': 'user' },
        refused: { retryAfter, global: false },
      }
    },
    reset: () => {
      windows.clear()
      global.clear()
    },
  }
}

const isRename = (body: unknown): boolean => typeof body === 'object' && body !== null && ('name' in body || 'topic' in body)

function hash(text: string): string {
  let value = 0x811c9dc5
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0
  return value.toString(16).padStart(8, '0').repeat(4)
}
