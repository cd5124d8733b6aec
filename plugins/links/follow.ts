// A visitor follows a link: whether it leads on, where to, and the click that is made safe before the answer. Knows no HTTP beyond headers and parameters.
import { type Clock, hours, newId } from '../kit/index.ts'
import type { Allowance } from './allowance.ts'
import type { Click } from './clicks.ts'
import type { Countries } from './countries.ts'
import { clickParameter, subsOf, utmOf } from './destination.ts'
import type { Directory } from './directory.ts'
import type { Recorder } from './recorder.ts'
import type { Seals } from './seal.ts'
import { isClickId } from './service.ts'
import type { Closure } from './tables.ts'
import { agentOf, carriesClickId, paidBy, referrerOf, rejectionOf } from './visit.ts'
import { aimOf, type LinkRecord, type Resolved, type Rule } from './whereabouts.ts'

/** `1`: the visitor agreed to a cookie; `0`: the visitor did not. */
const consentParameter = 'siso_consent'

export interface Visitor {
  readonly method: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly query: Readonly<Record<string, unknown>>
  readonly ip: string
}

export type Followed =
  | { readonly state: 'sent'; readonly location: string; readonly cookie: Cookie | undefined }
  | { readonly state: 'closed'; readonly closure: Closure; readonly rule: Rule }
  | Extract<Resolved, { state: 'unknown' | 'unavailable' }>

export interface Cookie {
  readonly value: string
  /** 0: the browser is to forget it. */
  readonly seconds: number
}

/** Leads on from a code; when it returns, the click is safe or, which is logged, could be put nowhere. `among`: only links of these programs are known. Never rejects. */
export type Follow = (code: string, visitor: Visitor, among?: readonly string[]) => Promise<Followed>

export function createFollow(parts: {
  clock: Clock
  directory: Pick<Directory, 'resolve'>
  allowance: Allowance
  countries: Countries
  recorder: Pick<Recorder, 'record'>
  seals: Seals
  isDatacentre: (ip: string) => boolean
}): Follow {
  const { clock, directory, allowance, countries, recorder, seals, isDatacentre } = parts

  return async (code, visitor, among) => {
    const found = directory.resolve(code)
    const resolved = found instanceof Promise ? await found : found
    if (resolved.state === 'unknown' || resolved.state === 'unavailable') return resolved
    const { link, rule } = resolved
    if (among && !among.includes(link.programId)) return { state: 'unknown' }

    const { headers, query, ip } = visitor
    const at = clock.now()
    const userAgent = String(headers['user-agent'] ?? '')
    const { isBot, device } = agentOf(userAgent)
    const located = countries.of(ip)
    const country = located instanceof Promise ? await located : located
    const aim = resolved.state === 'open' ? aimOf(resolved, { country, device }) : undefined
    const closing = resolved.state === 'closed' ? resolved.closure : closureOf(link, at, allowance)
    const closure = closing instanceof Promise ? await closing : closing
    const rejected = rejectionOf(visitor, isBot) ?? closure
    const carried = clickIdIn(headers.cookie)
    const mayKeep = consents(rule.cookies, query)
    const given = subsOf(query)
    const subs = link.subs ? { ...link.subs, ...given } : given
    const id = newId(at)
    const isSafe = await recorder.record({
      id,
      at: at.toISOString(),
      programId: link.programId,
      linkId: link.id,
      partnerId: link.partnerId,
      previous: (mayKeep && carried) || null,
      ipHash: seals.ofAddress(at, ip),
      agentHash: seals.ofAgent(at, userAgent),
      rejected,
      subs: subs ?? null,
      ...(rejected ? uncounted : visitsOf(seals, at, link.id, ip, userAgent)),
      device,
      country,
      landingPageId: aim?.landingPageId ?? null,
      referrer: referrerOf(headers),
      campaign: link.campaign,
      paidBy: paidBy(query),
      datacentre: isDatacentre(ip),
    })
    if (!aim || closure) return { state: 'closed', closure: closure ?? 'inactive', rule }

    const passed = { ...subs, ...utmOf(query) }
    // An id that is not safe must not go out: nobody would know it.
    if (!isSafe || !carriesClickId(rejected)) return { state: 'sent', location: aim.destination.with(passed), cookie: undefined }
    const cookie = mayKeep ? { value: id, seconds: rule.cookieSeconds } : carried ? { value: '', seconds: 0 } : undefined
    return { state: 'sent', location: aim.destination.with({ [clickParameter]: id, ...passed }), cookie }
  }
}

const uncounted = { visit: null, visitBefore: null }

/** What a visitor is recognised by for an hour, which may reach into the day before, when the salt was another. */
function visitsOf(seals: Seals, at: Date, linkId: string, ip: string, userAgent: string): Pick<Click, 'visit' | 'visitBefore'> {
  const anHourAgo = new Date(at.getTime() - hours(1))
  const isNewDay = anHourAgo.getUTCDate() !== at.getUTCDate()
  return {
    visit: seals.ofVisit(at, linkId, ip, userAgent),
    visitBefore: isNewDay ? seals.ofVisit(anHourAgo, linkId, ip, userAgent) : null,
  }
}

/** Why an open link does not lead on at this moment. */
function closureOf(link: LinkRecord, at: Date, allowance: Allowance): Closure | null | Promise<Closure | null> {
  if (link.expiresAt && link.expiresAt <= at) return 'expired'
  if (link.clickLimit === null) return null
  const has = allowance.has(link, at)
  return has instanceof Promise ? has.then(limited) : limited(has)
}

const limited = (has: boolean) => (has ? null : 'limit')

/** Whether the browser may keep the click's id: what the visitor said in the address, else what the program says. */
function consents(cookies: Rule['cookies'], query: Visitor['query']): boolean {
  if (cookies === 'never') return false
  const said = query[consentParameter]
  return said === '1' || (said !== '0' && cookies === 'always')
}

const cookiePattern = new RegExp(`(?:^|;)\\s*${clickParameter}="?([0-9a-f-]{36})"?\\s*(?:;|$)`, 'i')

function clickIdIn(cookies: string | string[] | undefined): string | undefined {
  const id = cookies && cookiePattern.exec(String(cookies))?.[1]
  return id && isClickId(id) ? id : undefined
}
