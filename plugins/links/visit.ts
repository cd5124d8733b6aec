// What a request on a link is: a person, or something that redirects without counting. Pure; the headers are all it looks at.
import { isbot } from 'isbot'
import type { Rejection } from './tables.ts'

type Headers = Readonly<Record<string, string | string[] | undefined>>

/** Browsers announce that they fetch ahead of a person, or only for a preview, in one of these. */
const purposeHeaders = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'] as const

/** Why the request does not count, or null for a person. Every browser sends a user agent, so a request without one is a bot. */
export function rejectionOf(request: { method: string; headers: Headers }): Rejection | null {
  const { headers } = request
  if (isBot(headers['user-agent'])) return 'bot'
  if (request.method === 'HEAD') return 'head'
  for (const name of purposeHeaders)
    if (headers[name] && /prefetch|prerender|preview/i.test(String(headers[name]))) return 'prefetch'
  return null
}

/** The verdict on each user agent is remembered: there are few of them, and the list of bots is long. */
const verdicts = new Map<string, boolean>()
const mostVerdicts = 5000

function isBot(agent: string | string[] | undefined): boolean {
  if (!agent) return true
  const text = String(agent)
  const known = verdicts.get(text)
  if (known !== undefined) return known
  const verdict = isbot(text)
  if (verdicts.size >= mostVerdicts) verdicts.clear()
  if (text.length <= 512) verdicts.set(text, verdict)
  return verdict
}

/**
 * Whether the answer carries a click id. A browser may use what it fetched ahead when the person follows, so that answer needs one; what a bot or a link
 * checker fetched may be shown to many people, and a shared id would credit them all to one click.
 */
export function carriesClickId(rejection: Rejection | null): boolean {
  return rejection === null || rejection === 'prefetch'
}
