// Where a link leads: what the database says of links, programs and partners, and what follows from it. Remembers nothing.
import { and, desc, eq } from 'drizzle-orm'
import { type Clock, days, type Programs, type Reader, type Settings } from '../kit/index.ts'
import type { Partner, Partners } from '../partners/public.ts'
import type { Config } from './config.ts'
import { type Destination, destinationOf, type HostRule, isAllowed } from './destination.ts'
import { choose, type Landing } from './landing/choose.ts'
import { type Closure, codes, links } from './tables.ts'
import { type Device, fits, type Target } from './targets.ts'

/** A link as its codes find it. */
export interface LinkRecord {
  readonly id: string
  readonly programId: string
  readonly partnerId: string
  /** The present one. */
  readonly code: string
  /** An address of its own. */
  readonly destination: string | null
  /** A landing page of its own. */
  readonly landingPageId: string | null
  readonly campaign: string | null
  /** What the link itself says of sub1 … sub5. */
  readonly subs: Readonly<Record<string, string>> | null
  readonly pausedAt: Date | null
  /** By an admin. */
  readonly suspendedAt: Date | null
  readonly expiresAt: Date | null
  /** Counted clicks. */
  readonly clickLimit: number | null
  readonly targets: readonly Target[]
}

/** What holds for every link of a program. */
export interface Rule extends HostRule {
  readonly program: string
  /** The program's pages and who gets which. */
  readonly landing: Landing
  readonly cookies: Config['cookies']
  /** How long the browser keeps the click's id. */
  readonly cookieSeconds: number
}

/** The industry of a partner whose links lead somewhere: one who is active and has signed. Null for any other. */
export type Standing = string | null

/** What stands behind an address: a link that leads somewhere, one that does not for now, or nothing. */
export type Resolved =
  | Open
  | Closed
  | { readonly state: 'unknown' }
  /** The database is away, and the link was never seen. */
  | { readonly state: 'unavailable' }

/** Open by what the database says; whether its time is over or its clicks are used up is for the moment of the click to say. */
export interface Open {
  readonly state: 'open'
  readonly link: LinkRecord
  readonly rule: Rule
  readonly aim: Aim
  /** Where some visitors are led instead: the first that fits. */
  readonly special: readonly (Aim & Omit<Target, 'page'>)[]
}

/** Where visitors are led. */
export interface Aim {
  readonly destination: Destination
  /** Null when it is no named landing page. */
  readonly landingPageId: string | null
}

export interface Closed {
  readonly state: 'closed'
  readonly link: LinkRecord
  readonly rule: Rule
  readonly closure: Closure
}

export interface Whereabouts {
  /** The link with this folded code, present or former. */
  record(reader: Reader, folded: string): Promise<LinkRecord | undefined>
  /** The newest links by their folded codes, at most `limit` codes; of one link when it is given. */
  records(reader: Reader, limit: number, only?: { programId: string; linkId: string }): Promise<Map<string, LinkRecord>>
  rule(reader: Reader, programId: string): Promise<Rule>
  standing(reader: Reader, programId: string, partnerId: string): Promise<Standing>
  /** The same of all partners of a program whose links lead somewhere, by their ids. */
  standings(reader: Reader, programId: string): Promise<Map<string, string>>
  programs(reader: Reader): Promise<string[]>
  /** The domains that are programs' own, each with those that call it theirs. */
  domains(reader: Reader): Promise<Map<string, readonly string[]>>
}

export function createWhereabouts(parts: {
  clock: Clock
  settings: Settings<Config>
  programs: Programs
  partners: Partners
  hasSigned: (reader: Reader, partner: Partner) => Promise<boolean>
  windowDays: (reader: Reader, programId: string) => Promise<number>
  landing: (reader: Reader, programId: string) => Promise<Landing>
}): Whereabouts {
  const { settings, programs, partners, hasSigned, windowDays, landing } = parts
  const record = {
    id: links.id,
    programId: links.programId,
    partnerId: links.partnerId,
    code: links.code,
    destination: links.destination,
    landingPageId: links.landingPageId,
    campaign: links.campaign,
    subs: links.subs,
    pausedAt: links.pausedAt,
    suspendedAt: links.suspendedAt,
    expiresAt: links.expiresAt,
    clickLimit: links.clickLimit,
    targets: links.targets,
  }
  const ofCode = and(eq(links.programId, codes.programId), eq(links.id, codes.linkId))
  return {
    record: async (reader, folded) =>
      (await reader.select(record).from(codes).innerJoin(links, ofCode).where(eq(codes.folded, folded)))[0],
    records: async (reader, limit, only) => {
      const rows = await reader
        .select({ folded: codes.folded, record })
        .from(codes)
        .innerJoin(links, ofCode)
        .where(only && and(eq(codes.programId, only.programId), eq(codes.linkId, only.linkId)))
        .orderBy(desc(codes.createdAt))
        .limit(limit)
      return new Map(rows.map((row) => [row.folded, row.record]))
    },
    rule: async (reader, programId) => {
      const [{ landingPage, allowedHosts, privateAddresses, cookies }, { name }, window, pages] = await Promise.all([
        settings.of(reader, programId),
        programs.byId(reader, programId),
        windowDays(reader, programId),
        landing(reader, programId),
      ])
      return {
        program: name,
        landingPage,
        allowedHosts,
        privateAddresses,
        cookies,
        cookieSeconds: days(window) / 1000,
        landing: pages,
      }
    },
    standing: async (reader, programId, partnerId) => {
      const partner = await partners.byId(reader, programId, partnerId)
      return partner?.status === 'active' && (await hasSigned(reader, partner)) ? partner.industry : null
    },
    standings: async (reader, programId) => {
      const active = await partners.list(reader, programId, { status: 'active' })
      const signed = new Map<string, string>()
      for (const partner of active) if (await hasSigned(reader, partner)) signed.set(partner.id, partner.industry)
      return signed
    },
    programs: async (reader) => (await programs.all(reader)).map(({ id }) => id),
    domains: async (reader) => {
      const found = new Map<string, string[]>()
      for (const { id } of await programs.all(reader))
        for (const domain of (await settings.of(reader, id)).domains) found.set(domain, [...(found.get(domain) ?? []), id])
      return found
    },
  }
}

/** What was allowed when the link was made may not be any more: then it leads where it would without. */
export function decide(link: LinkRecord, rule: Rule, standing: Standing): Open | Closed {
  if (standing === null) return { state: 'closed', link, rule, closure: 'inactive' }
  if (link.pausedAt || link.suspendedAt) return { state: 'closed', link, rule, closure: 'paused' }
  const { address, pageId } = choose(link, standing, rule)
  const aim = { destination: destinationOf(address), landingPageId: pageId }
  const special = link.targets
    .filter(({ page }) => isAllowed(page, rule))
    .map(({ page, ...whom }) => ({ ...whom, destination: destinationOf(page), landingPageId: null }))
  return { state: 'open', link, rule, aim, special }
}

/** Where this visitor is led. */
export function aimOf({ aim, special }: Open, visitor: { country: string | null; device: Device }): Aim {
  return special.find((candidate) => fits(candidate, visitor)) ?? aim
}
