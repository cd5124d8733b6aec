// Links as a list that a spreadsheet opens, with the columns that import reads.
import type { Ctx } from '../../../commands/define.ts'
import { csvFile, dayOf } from '../../kit/index.ts'
import type { Partner } from '../../partners/public.ts'
import { columns, passedOver } from './import.ts'
import type { LinkParts } from './parts.ts'
import { type LinkView, viewAll } from './views.ts'

export interface Exported {
  readonly links: number
  /** How many were left out because the file would be too large. */
  readonly left: number
  readonly file: Buffer
}

/** Some 300 bytes each: a file that Discord takes. */
const mostLines = 20_000

/** The links of these partners, newest first. `withPartner`: each line begins with the partner's Discord id. */
export async function exportOf(
  parts: LinkParts,
  ctx: Ctx,
  partners: readonly Partner[],
  { withPartner }: { withPartner: boolean },
): Promise<Exported> {
  const pages = new Map((await parts.pages.list(parts.db, ctx.program.id)).map(({ id, name }) => [id, name]))
  const { views, total } = await viewAll(parts, ctx, partners, mostLines)
  const userIds = new Map(partners.map(({ id, userId }) => [id, userId]))
  const lines = views.map((view) => [...(withPartner ? [userIds.get(view.link.partnerId)!] : []), ...lineOf(view, pages, ctx)])
  const header = [...(withPartner ? ['partner'] : []), ...columns, ...passedOver]
  return { links: lines.length, left: total - lines.length, file: csvFile(header, lines) }
}

function lineOf({ link, url, leadsTo, formerCodes }: LinkView, pages: ReadonlyMap<string, string>, { program }: Ctx): string[] {
  const cells: Record<(typeof columns)[number], string> = {
    code: link.code,
    campaign: link.campaign ?? '',
    page: link.destination ?? '',
    landing: (link.landingPageId && pages.get(link.landingPageId)) ?? '',
    tags: link.tags.join(', '),
    expires: link.expiresAt ? dayOf(new Date(link.expiresAt.getTime() - 1), program.timeZone) : '',
    max_clicks: link.clickLimit === null ? '' : String(link.clickLimit),
    sub1: link.subs?.sub1 ?? '',
    sub2: link.subs?.sub2 ?? '',
    sub3: link.subs?.sub3 ?? '',
    sub4: link.subs?.sub4 ?? '',
    sub5: link.subs?.sub5 ?? '',
  }
  return [
    ...columns.map((name) => cells[name]),
    url,
    link.state,
    String(link.clicks),
    leadsTo.address,
    formerCodes.join(' '),
    link.createdAt.toISOString(),
  ]
}
