// Links as they are shown: with their address, where they lead and why, and their former codes.
import type { Ctx } from '../../../commands/define.ts'
import type { Partner } from '../../partners/public.ts'
import { type Choice, choose } from '../landing/choose.ts'
import type { LinkParts, LinkRow } from './parts.ts'
import { allLinks, formerCodes, type ManagedLink, pageOfLinks, withClicks } from './read.ts'

export interface LinkView {
  readonly link: ManagedLink
  readonly url: string
  readonly leadsTo: Choice
  /** The name of the landing page that it leads to, if it is one. */
  readonly pageName: string | null
  readonly formerCodes: readonly string[]
}

export interface ListView {
  readonly links: readonly LinkView[]
  readonly total: number
  readonly page: number
  readonly pages: number
  readonly search: string
  /** None of them leads anywhere: their partner is not active, or has not signed the current agreement. */
  readonly rests: boolean
}

export const pageSize = 8

/** A page of the partner's links; a page that does not exist is the nearest that does. */
export async function viewList(
  parts: LinkParts,
  ctx: Ctx,
  partner: Partner,
  { search, page }: { search: string; page: number },
): Promise<ListView> {
  const wanted = { search, limit: pageSize, now: ctx.now }
  let at = Math.max(0, page)
  let found = await pageOfLinks(parts.db, partner, { ...wanted, offset: at * pageSize })
  const pages = Math.max(1, Math.ceil(found.total / pageSize))
  if (at >= pages) {
    at = pages - 1
    found = await pageOfLinks(parts.db, partner, { ...wanted, offset: at * pageSize })
  }
  const [links, rests] = await Promise.all([viewsOf(parts, ctx, () => partner, found.links), isResting(parts, partner)])
  return { links, total: found.total, page: at, pages, search, rests }
}

export async function viewLink(parts: LinkParts, ctx: Ctx, partner: Partner, link: LinkRow): Promise<LinkView> {
  const [view] = await viewsOf(parts, ctx, () => partner, [await withClicks(parts.db, link, ctx.now)])
  return view!
}

/** Whether all links of the partner lead nowhere, whatever each says of itself. */
export async function isResting({ db, standing }: LinkParts, { programId, id }: Partner): Promise<boolean> {
  return (await standing(db, programId, id)) === null
}

/** All links of these partners of the program, newest first, at most `limit`. */
export async function viewAll(
  parts: LinkParts,
  ctx: Ctx,
  partners: readonly Partner[],
  limit: number,
): Promise<{ views: LinkView[]; total: number }> {
  const [only] = partners.length === 1 ? partners : []
  const found = await allLinks(parts.db, ctx.program.id, only?.id, { limit, now: ctx.now })
  const byId = new Map(partners.map((partner) => [partner.id, partner]))
  return { views: await viewsOf(parts, ctx, (link) => byId.get(link.partnerId), found.links), total: found.total }
}

async function viewsOf(
  { db, settings, pages, urlOf }: LinkParts,
  ctx: Ctx,
  ownerOf: (link: ManagedLink) => Partner | undefined,
  links: readonly ManagedLink[],
): Promise<LinkView[]> {
  const programId = ctx.program.id
  const linkIds = links.map(({ id }) => id)
  const [rule, landing, former] = await Promise.all([
    settings.of(db, programId),
    pages.landing(db, programId),
    formerCodes(db, programId, linkIds),
  ])
  return links.map((link) => {
    const leadsTo = choose(link, ownerOf(link)?.industry ?? '', { ...rule, landing })
    return {
      link,
      url: urlOf(link.code),
      leadsTo,
      pageName: (leadsTo.pageId && landing.pages.get(leadsTo.pageId)?.name) ?? null,
      formerCodes: former.get(link.id) ?? [],
    }
  })
}
