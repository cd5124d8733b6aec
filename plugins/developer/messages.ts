// Every word that the public API says to people.
import { card, literal, type Message, time } from '../../commands/messages.ts'
import type { ApiKey } from './keys.ts'
import type { ApiScope } from './public.ts'

export const commandGroups = {
  'admin-api': 'The public API',
  'admin-api keys': 'Keys for the public API',
  'admin-api webhooks': 'Events to your server',
}

export function keyCreated(key: ApiKey, secret: string): Message {
  return card({
    title: `The key “${literal(key.name)}” is made`,
    body: [
      `Copy it now: it is shown this once and cannot be had again.\n\`\`\`\n${secret}\n\`\`\``,
      `It may: ${scopesOf(key)} · ${key.requestsPerMinute} requests a minute${key.expiresAt ? ` · expires ${time(key.expiresAt, 'D')}` : ''}.`,
      'Keep it on your server, never in a page or an app: whoever has it can do the same.',
    ],
    tone: 'good',
    footer: 'Lost or seen by others? /admin-api keys revoke, then make a new one.',
  })
}

export function keyList(keys: readonly ApiKey[], scopes: readonly ApiScope[], now: Date): Message {
  if (keys.length === 0)
    return card({
      title: 'There are no API keys yet',
      body: ['Make one with `/admin-api keys create`. A key may have these scopes:', scopeLines(scopes)],
    })
  return card({
    title: keys.length === 1 ? 'One API key' : `${keys.length} API keys`,
    body: keys
      .slice(0, shownKeys)
      .map((key) => keyLine(key, now))
      .join('\n'),
    footer:
      keys.length > shownKeys
        ? `The newest ${shownKeys} are shown.`
        : 'Of a key only its beginning is known here; the rest was shown once.',
  })
}

const shownKeys = 20

function keyLine(key: ApiKey, now: Date): string {
  const used = key.lastUsedAt ? `used ${time(key.lastUsedAt)}` : 'never used'
  return `• **${literal(key.name)}** \`${key.beginning}…\` · ${keyState(key, now)} · ${used} · by <@${key.createdBy}>\n-# ${scopesOf(key)}`
}

/** In words: what the key is good for now. */
export function keyState(key: ApiKey, now: Date): string {
  if (key.revokedAt) return 'revoked'
  if (!key.expiresAt) return 'works'
  const until = key.expiresAt.toISOString().slice(0, 10)
  return key.expiresAt <= now ? `expired ${until}` : `works until ${until}`
}

export function keyRevoked(key: ApiKey, changed: boolean): Message {
  return card({
    title: changed ? 'The key is revoked' : 'Nothing changed',
    body: changed
      ? `“${literal(key.name)}” (\`${key.beginning}…\`) is refused from now on.`
      : `“${literal(key.name)}” was revoked ${time(key.revokedAt!)} already.`,
    ...(changed && { tone: 'good' as const }),
  })
}

const scopesOf = (key: ApiKey): string => key.scopes.map((scope) => `\`${scope}\``).join(' ')
const scopeLines = (scopes: readonly ApiScope[]): string =>
  scopes.map(({ name, describes }) => `• \`${name}\` · ${describes}`).join('\n')
