// Which page a link leads to: its own, else that of its partner, campaign or industry, else the program's. Pure.
import { type HostRule, isAllowed } from '../destination.ts'
import { addressFor, type LandingPage } from './page.ts'

/** Who may be given a page of their own. */
export const assignees = ['partner', 'campaign', 'industry'] as const
export type Assignee = (typeof assignees)[number]

/** The pages of a program and who gets which. */
export interface Landing {
  readonly pages: ReadonlyMap<string, LandingPage>
  /** Ids of pages by `assignmentKey`. */
  readonly assigned: ReadonlyMap<string, string>
}

export interface Choice {
  readonly address: string
  /** Null: an address that the link names itself, or the program's landing page. */
  readonly pageId: string | null
  /** Whose page it is, in the order of precedence. */
  readonly because: 'link' | Assignee | 'program'
}

interface LinkFacts {
  readonly code: string
  readonly partnerId: string
  readonly campaign: string | null
  /** An address that the link names itself. */
  readonly destination: string | null
  readonly landingPageId: string | null
}

/** What is assigned to whom: a campaign counts in any case. */
export function assignmentKey(kind: Assignee, subject: string): string {
  return `${kind} ${kind === 'campaign' ? subject.toLowerCase() : subject}`
}

/** The first page in the order of precedence that is there and may be led to: what was allowed once may not be any more. */
export function choose(link: LinkFacts, industry: string, rule: HostRule & { readonly landing: Landing }): Choice {
  for (const { pageId, address, because } of candidates(link, industry, rule.landing))
    if (isAllowed(address, rule)) return { address, pageId, because }
  return { address: rule.landingPage, pageId: null, because: 'program' }
}

function* candidates(link: LinkFacts, industry: string, { pages, assigned }: Landing): Generator<Choice> {
  if (link.destination) yield { address: link.destination, pageId: null, because: 'link' }
  const known = { code: link.code, campaign: link.campaign, industry }
  const ways = [
    ['link', link.landingPageId],
    ['partner', assigned.get(assignmentKey('partner', link.partnerId))],
    ['campaign', link.campaign && assigned.get(assignmentKey('campaign', link.campaign))],
    ['industry', assigned.get(assignmentKey('industry', industry))],
  ] as const
  for (const [because, pageId] of ways) {
    const page = pageId && pages.get(pageId)
    if (page) yield { address: addressFor(page.address, known), pageId: page.id, because }
  }
}
