// What the commands of links stand on, and what several of them ask first: whose link it is, and what may be wished for.
import type { Ctx, Option } from '../../../commands/define.ts'
import { type Db, dayOf, days, type ReadAttachment, type Reader, type Settings, UserError } from '../../kit/index.ts'
import type { Notifications } from '../../notifications/public.ts'
import type { Partner, Partners } from '../../partners/public.ts'
import type { Config } from '../config.ts'
import type { LandingPages } from '../landing/pages.ts'
import type { LinkCardPart } from '../public.ts'
import type { links } from '../tables.ts'
import type { Whereabouts } from '../whereabouts.ts'
import { campaignsIn, linkByCode, linkById, suggestedLinks } from './read.ts'
import type { Circumstances } from './wish.ts'

export interface LinkParts {
  readonly db: Db
  readonly settings: Settings<Config>
  readonly pages: LandingPages
  readonly partners: Partners
  /** What other plugins say of a link on its card. */
  readonly cardParts: () => readonly LinkCardPart[]
  readonly notifications: Notifications
  readonly urlOf: (code: string) => string
  readonly standing: Whereabouts['standing']
  readonly readAttachment: ReadAttachment
}

export type LinkRow = typeof links.$inferSelect

/** What a wish is checked against. */
export async function circumstances(
  { settings, pages }: LinkParts,
  reader: Reader,
  ctx: Ctx,
  { isAdmin }: { isAdmin: boolean },
): Promise<Circumstances & { maxLinks: number }> {
  const [rule, known] = await Promise.all([settings.of(reader, ctx.program.id), pages.list(reader, ctx.program.id)])
  return { rule, pages: known, isAdmin, timeZone: ctx.program.timeZone, now: ctx.now, maxLinks: rule.maxLinks }
}

/** The partner's own link with this code. @throws UserError when there is none */
export async function ownLink({ db, partners }: LinkParts, ctx: Ctx, typed: string): Promise<{ partner: Partner; link: LinkRow }> {
  const partner = await partners.require(db, ctx)
  const link = await linkByCode(db, ctx.program.id, typed)
  if (link?.partnerId !== partner.id) throw unknownLink(typed)
  return { partner, link }
}

/** The same by id, for controls. */
export async function ownLinkById({ db, partners }: LinkParts, ctx: Ctx, id: string): Promise<{ partner: Partner; link: LinkRow }> {
  const partner = await partners.require(db, ctx)
  const link = await linkById(db, partner, id)
  if (!link) throw unknownLink('')
  return { partner, link }
}

/** A link of the program and its partner, for admins. @throws UserError when there is none */
export async function anyLink({ db, partners }: LinkParts, ctx: Ctx, typed: string): Promise<{ partner: Partner; link: LinkRow }> {
  const link = await linkByCode(db, ctx.program.id, typed)
  const partner = link && (await partners.byId(db, ctx.program.id, link.partnerId))
  if (!link || !partner) throw unknownLink(typed)
  return { partner, link }
}

function unknownLink(typed: string): UserError {
  const name = typed.trim() ? ` “${typed.trim()}”` : ''
  return new UserError('unknown_link', `There is no link${name} here. Choose one from the list that appears while you type.`)
}

const nameOf = ({ code, campaign }: LinkRow) => (campaign ? `${code} · ${campaign}` : code)

/** Suggests the partner's own links. */
export const ownLinkOption = ({ db, partners }: LinkParts) =>
  ({
    type: 'string',
    description: 'Which link',
    required: true,
    suggest: async (ctx: Ctx, typed: string) => {
      const partner = await partners.byUser(db, ctx.program.id, ctx.user.id)
      if (!partner) return []
      const found = await suggestedLinks(db, ctx.program.id, partner.id, typed)
      return found.map((link) => ({ name: nameOf(link), value: link.code }))
    },
  }) as const satisfies Option

/** Suggests links of the whole program. */
export const anyLinkOption = ({ db }: LinkParts) =>
  ({
    type: 'string',
    description: 'Which link',
    required: true,
    suggest: async (ctx: Ctx, typed: string) =>
      (await suggestedLinks(db, ctx.program.id, undefined, typed)).map((link) => ({ name: nameOf(link), value: link.code })),
  }) as const satisfies Option

/** What may be wished for a link, by the names of the options that say it. */
export const wishOptions = ({ db, partners, pages }: LinkParts) =>
  ({
    campaign: {
      type: 'string',
      description: 'A name for your own overview, e.g. newsletter',
      max: 50,
      suggest: async (ctx: Ctx, typed: string) => {
        const partner = await partners.byUser(db, ctx.program.id, ctx.user.id)
        const known = partner ? await campaignsIn(db, ctx.program.id, partner.id, typed) : []
        return known.map((name) => ({ name, value: name }))
      },
    },
    page: { type: 'string', description: 'The address of a page to lead to', max: 2000 },
    landing: {
      type: 'string',
      description: 'A landing page to lead to; left out, the one meant for you',
      max: 50,
      suggest: async (ctx: Ctx, typed: string) =>
        (await pages.list(db, ctx.program.id))
          .filter((page) => page.offered && matches(page.name, typed))
          .map(({ name }) => ({ name, value: name })),
    },
    tags: { type: 'string', description: 'Words to find it by, separated by commas', max: 200 },
    expires: {
      type: 'string',
      description: 'The last day on which it works, e.g. 2026-12-31',
      max: 10,
      suggest: async ({ now, program }: Ctx, typed: string) =>
        [7, 30, 90, 365]
          .map((count) => ({ count, value: dayOf(new Date(now.getTime() + days(count)), program.timeZone) }))
          .filter(({ value }) => value.startsWith(typed.trim()))
          .map(({ count, value }) => ({ name: `${value} (in ${count} days)`, value })),
    },
    max_clicks: { type: 'integer', description: 'After so many clicks it ends', min: 0, max: 1_000_000_000 },
    sub1: { type: 'string', description: 'A value of your own, passed on with every click', max: 100 },
    sub2: { type: 'string', description: 'Another one', max: 100 },
    sub3: { type: 'string', description: 'Another one', max: 100 },
    sub4: { type: 'string', description: 'Another one', max: 100 },
    sub5: { type: 'string', description: 'Another one', max: 100 },
  }) as const satisfies Record<string, Option>

const matches = (name: string, typed: string) => name.toLowerCase().includes(typed.trim().toLowerCase())

/** The wish that these options make. */
export function wishOf(options: {
  campaign?: string | undefined
  page?: string | undefined
  landing?: string | undefined
  tags?: string | undefined
  expires?: string | undefined
  max_clicks?: number | undefined
  sub1?: string | undefined
  sub2?: string | undefined
  sub3?: string | undefined
  sub4?: string | undefined
  sub5?: string | undefined
}) {
  const { campaign, page, landing, tags, expires, max_clicks: maxClicks, sub1, sub2, sub3, sub4, sub5 } = options
  return { campaign, page, landing, tags, expires, maxClicks, subs: { sub1, sub2, sub3, sub4, sub5 } }
}
