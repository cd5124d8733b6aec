// Where a link leads: which addresses may be destinations, and the address that a visitor is sent to. Pure.
import { isIP } from 'node:net'
import { isPublicAddress } from '../kit/index.ts'

/** The click id's name, as a parameter and as a cookie. */
export const clickParameter = 'siso_cid'

const longestDestination = 2000
const longestPassed = 100
const subNames = ['sub1', 'sub2', 'sub3', 'sub4', 'sub5']
const utmNames = ['utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content', 'utm_id']

/** An https address without credentials; http only on this machine, where there is no certificate to be had. */
export function isDestination(text: string): boolean {
  const url = URL.parse(text)
  if (!url || url.href.length > longestDestination || url.username || url.password) return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname))
}

/** Which hosts a program lets links lead to. */
export interface HostRule {
  readonly landingPage: string
  readonly allowedHosts: readonly string[]
  readonly privateAddresses: boolean
}

/** Whether the program lets links lead there: to the landing page's host, or to one of `allowedHosts` that is public if it has to be. */
export function isAllowed(destination: string, rule: HostRule): boolean {
  if (!isDestination(destination)) return false
  const { host, hostname } = new URL(destination)
  if (host === new URL(rule.landingPage).host) return true
  return rule.allowedHosts.includes(host) && (rule.privateAddresses || !isPrivate(hostname))
}

/** Names that only a private network knows. */
const privateNames = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|private|home\.arpa)\.?$/

/** `hostname` as a URL spells it: addresses in their usual form, those of the new kind in brackets. */
export function isPrivate(hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, '')
  if (isIP(address) !== 0) return !isPublicAddress(address)
  return privateNames.test(address) || !address.includes('.')
}

/** The parameters sub1 … sub5 of a request, at most 100 characters each, without control characters; undefined when there are none. */
export function subsOf(query: Query): Record<string, string> | undefined {
  return passed(query, subNames)
}

/** The campaign parameters utm_… of a request, cut and cleaned likewise. */
export function utmOf(query: Query): Record<string, string> | undefined {
  return passed(query, utmNames)
}

type Query = Readonly<Record<string, unknown>>

function passed(query: Query, names: readonly string[]): Record<string, string> | undefined {
  let found: Record<string, string> | undefined
  for (const name of names) {
    const value = query[name]
    if (typeof value !== 'string') continue
    const text = value
      .toWellFormed()
      .replace(/\p{Cc}/gu, '')
      .trim()
      .slice(0, longestPassed)
      .toWellFormed()
    if (text) found = { ...found, [name]: text }
  }
  return found
}

/** The address without a click id of its own, such as one that was copied after a click; the rest stays as it was written. */
export function withoutClickId(address: string): string {
  const [, before, search, hash] = /^([^?#]*)(\?[^#]*)?(.*)$/s.exec(address)!
  const kept = search
    ?.slice(1)
    .split('&')
    .filter((part) => !new URLSearchParams(part).has(clickParameter))
  return before + (kept && kept.length > 0 ? `?${kept.join('&')}` : '') + hash
}

/** A destination that is read once and then sent to many. */
export interface Destination {
  /** The address with parameters added; its own query and fragment stay as they were written, and its own parameters win, save the click id. */
  with(parameters: Readonly<Record<string, string>>): string
}

/** `address` must be a destination by `isDestination`. What `with` gives is plain ASCII, fit for a header. */
export function destinationOf(address: string): Destination {
  const url = new URL(withoutClickId(address))
  const own = new Set(url.searchParams.keys())
  const { search, hash } = url
  url.search = ''
  url.hash = ''
  const start = `${url.href}${search || '?'}`
  const plain = `${url.href}${search}${hash}`
  return {
    with: (parameters) => {
      let added = ''
      for (const name in parameters)
        if (!own.has(name)) added += `${added || search ? '&' : ''}${name}=${encoded(parameters[name]!)}`
      return added ? start + added + hash : plain
    },
  }
}

/** Most values are ids and single words. */
function encoded(value: string): string {
  return /^[\w-]*$/.test(value) ? value : encodeURIComponent(value).replaceAll("'", '%27')
}
