// The commands of partners: making links, finding them, and looking at one.
import { type Command, type Component, type Ctx, defineCommand, onComponent } from '../../../commands/define.ts'
import type { Message } from '../../../commands/messages.ts'
import type { Partner } from '../../partners/public.ts'
import { linksPage, openLink } from '../refs.ts'
import { createLinks } from './create.ts'
import { clicksOf } from './figures.ts'
import { linkCard, linkCreated, linkList } from './messages.ts'
import { circumstances, type LinkParts, type LinkRow, ownLink, ownLinkById, ownLinkOption, wishOf, wishOptions } from './parts.ts'
import { linkById } from './read.ts'
import { isResting, viewLink, viewList } from './views.ts'
import { emptyFields, fulfil } from './wish.ts'

export function partnerCommands(parts: LinkParts): Command[] {
  const { db, partners } = parts
  return [
    defineCommand({
      path: 'link create',
      description: 'Make a link that counts for you',
      options: {
        code: {
          type: 'string',
          description: 'Your own words for the address, e.g. ada-coffee; left out, you get a short one',
          max: 32,
        },
        ...wishOptions(parts),
      },
      access: partners.active,
      reply: 'ephemeral',
      run: async (ctx, { code, ...options }) => {
        const partner = await partners.require(db, ctx)
        const link = await db.transaction(async (tx) => {
          const known = await circumstances(parts, tx, ctx, { isAdmin: false })
          const fields = fulfil(emptyFields, wishOf(options), known)
          const wanted = [{ partnerId: partner.id, code, fields }]
          const [made] = await createLinks(tx, ctx.program.id, wanted, known)
          return (await linkById(tx, partner, made!.id))!
        })
        return linkCreated(await viewLink(parts, ctx, partner, link))
      },
    }),
    defineCommand({
      path: 'link list',
      description: 'Your links and their clicks',
      options: { search: { type: 'string', description: 'Part of a code, campaign or tag', max: 25 } },
      access: partners.registered,
      reply: 'ephemeral',
      run: (ctx, { search = '' }) => showList(parts, ctx, search, 0),
    }),
    defineCommand({
      path: 'link stats',
      description: 'All about one link: its clicks and sales, where it leads, its former codes',
      options: { link: ownLinkOption(parts) },
      access: partners.registered,
      reply: 'ephemeral',
      run: async (ctx, options) => {
        const { partner, link } = await ownLink(parts, ctx, options.link)
        return showLinkCard(parts, ctx, partner, link)
      },
    }),
  ]
}

export function partnerComponents(parts: LinkParts): Component[] {
  const access = parts.partners.registered
  return [
    onComponent(linksPage, {
      access,
      reply: 'update',
      run: (ctx, { page, search }) => showList(parts, ctx, search, /^\d{1,6}$/.test(page) ? Number(page) : 0),
    }),
    onComponent(openLink, {
      access,
      reply: 'update',
      run: async (ctx, _, { values: [id = ''] }) => {
        const { partner, link } = await ownLinkById(parts, ctx, id)
        return showLinkCard(parts, ctx, partner, link)
      },
    }),
  ]
}

async function showList(parts: LinkParts, ctx: Ctx, search: string, page: number): Promise<Message> {
  const partner = await parts.partners.require(parts.db, ctx)
  return linkList(await viewList(parts, ctx, partner, { search: search.trim().slice(0, 25), page }))
}

/** The card of one link; `note` says what was just done with it. */
export async function showLinkCard(parts: LinkParts, ctx: Ctx, partner: Partner, link: LinkRow, note?: string): Promise<Message> {
  const [view, clicks, more, rests] = await Promise.all([
    viewLink(parts, ctx, partner, link),
    clicksOf(parts.db, link, ctx.now),
    Promise.all(parts.cardParts().map((part) => part(parts.db, ctx.program, link, ctx.now))),
    isResting(parts, partner),
  ])
  return linkCard(view, { clicks, more, rests }, note)
}
