// What a request on a link is: a person, or something that redirects without counting. Pure; the headers are all it looks at.
import { isbot } from 'isbot'
import type { Rejection } from './tables.ts'

type Headers = Readonly<Record<string, string | string[] | undefined>>

/** Browsers announce that they fetch ahead of a person, or only for a preview, in one of these. */
const purposeHeaders = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'] as const

/** Why the request does not count, or null for a person. Every browser sends a user agent, so a request without one is a bot. */
export function rejectionOf(request: { method: string; headers: Headers }): Rejection | null {
  const agent = String(request.headers['user-agent'] ?? '')
  if (!agent || isbot(agent)) return 'bot'
  if (request.method === 'HEAD') return 'head'
  const ahead = purposeHeaders.some((name) => /prefetch|prerender|preview/i.test(String(request.headers[name] ?? '')))
  return ahead ? 'prefetch' : null
}

/**
 * Whether the answer carries a click id. A browser may use what it fetched ahead when the person follows, so that answer needs one; what a bot or a link
 * checker fetched may be shown to many people, and a shared id would credit them all to one click.
 */
export function carriesClickId(rejection: Rejection | null): boolean {
  return rejection === null || rejection === 'prefetch'
}
