// What a request on a link says about who sends it: a person or a program, on which device, from which page, by which advertisement. Pure; nothing but headers
// and parameters is looked at.
import { isbot } from 'isbot'
import type { Rejection } from './tables.ts'
import type { Device } from './targets.ts'

type Headers = Readonly<Record<string, string | string[] | undefined>>
type Query = Readonly<Record<string, unknown>>

/** What a user agent says about itself. */
export interface Agent {
  readonly isBot: boolean
  readonly device: Device
}

/** Reading one costs more than the rest of a redirect, and there are few of them. */
const known = new Map<string, Agent>()
const mostKnown = 5000
const longestKnown = 512

/** Every browser sends a user agent, so whoever sends none is a bot. */
export function agentOf(text: string): Agent {
  const found = known.get(text)
  if (found) return found
  const agent: Agent = { isBot: !text || isbot(text), device: deviceOf(text) }
  if (known.size >= mostKnown) known.clear()
  if (text.length <= longestKnown) known.set(text, agent)
  return agent
}

/** Browsers on tablets with Android leave out the word Mobile; those of an iPad that poses as a computer cannot be told from one. */
function deviceOf(agent: string): Device {
  if (/ipad|tablet|kindle|playbook|silk(?!.*mobile)|android(?!.*mobile)/i.test(agent)) return 'tablet'
  return /mobi|iphone|ipod|android|blackberry|opera mini/i.test(agent) ? 'mobile' : 'desktop'
}

/** Browsers announce that they fetch ahead of a person, or only for a preview, in one of these. */
const purposeHeaders = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'] as const

/** Why the request does not count though it is sent on, or null for a person. */
export function rejectionOf(request: { method: string; headers: Headers }, isBot: boolean): 'bot' | 'head' | 'prefetch' | null {
  const { headers } = request
  if (isBot) return 'bot'
  if (request.method === 'HEAD') return 'head'
  for (const name of purposeHeaders)
    if (headers[name] && /prefetch|prerender|preview/i.test(String(headers[name]))) return 'prefetch'
  return null
}

/**
 * Whether the answer carries a click id. A browser may use what it fetched ahead when the person follows, so that answer needs one; what a bot or a link
 * checker fetched may be shown to many people, and a shared id would credit them all to one click.
 */
export function carriesClickId(rejection: Rejection | null): boolean {
  return rejection === null || rejection === 'prefetch'
}

const page = /^(?:https?|android-app):\/\/(?:[^/?#@]*@)?([a-z0-9.-]{1,100})(?::\d*)?(?:[/?#]|$)/i

/** The host of the page that the link was followed from, without a leading www; null when it is not told. */
export function referrerOf(headers: Headers): string | null {
  const { referer } = headers
  const host = typeof referer === 'string' ? page.exec(referer)?.[1] : undefined
  return host?.toLowerCase().replace(/^www\./, '') || null
}

/** The parameters that advertising networks add when a click was bought. */
const paid = new Set(
  ['gclid', 'gbraid', 'wbraid', 'dclid', 'fbclid', 'msclkid', 'twclid', 'ttclid', 'li_fat_id', 'rdt_cid', 'epik', 'ScCid'].map(
    (name) => name.toLowerCase(),
  ),
)

/** The name, in small letters, of the first parameter that says that this click was bought; null when there is none. Its value is not looked at. */
export function paidBy(query: Query): string | null {
  for (const key in query) {
    const name = key.toLowerCase()
    if (paid.has(name) || /^gad_[a-z]{1,30}$/.test(name)) return name
  }
  return null
}
