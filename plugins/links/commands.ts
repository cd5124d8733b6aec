// The commands of links.
import { type Command, type Component, type Ctx, defineCommand, onComponent } from '../../commands/define.ts'
import type { Message } from '../../commands/messages.ts'
import type { Db } from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import { linkCreated, linkList } from './messages.ts'
import { linksPage } from './refs.ts'
import type { LinksService } from './service.ts'

interface Parts {
  db: Db
  service: LinksService
  partners: Partners
}

export function linkCommands(parts: Parts): Command[] {
  const { db, service, partners } = parts
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
        campaign: { type: 'string', description: 'A name for your own overview, e.g. newsletter', max: 50 },
        page: { type: 'string', description: 'A page of the shop to lead to; left out, the landing page', max: 2000 },
      },
      access: partners.active,
      reply: 'ephemeral',
      run: async (ctx, { code, campaign, page }) => {
        const partner = await partners.require(db, ctx)
        const link = await db.transaction((tx) =>
          service.create(tx, {
            programId: ctx.program.id,
            partnerId: partner.id,
            ...(code !== undefined && { code }),
            ...(campaign !== undefined && { campaign }),
            ...(page !== undefined && { page }),
          }),
        )
        return linkCreated(link)
      },
    }),
    defineCommand({
      path: 'link list',
      description: 'Your links and their clicks',
      access: partners.registered,
      reply: 'ephemeral',
      run: (ctx) => showPage(parts, ctx, 0),
    }),
  ]
}

export function linkComponents(parts: Parts): Component[] {
  return [
    onComponent(linksPage, {
      access: parts.partners.registered,
      reply: 'update',
      run: (ctx, { page }) => showPage(parts, ctx, /^\d{1,6}$/.test(page) ? Number(page) : 0),
    }),
  ]
}

async function showPage({ db, service, partners }: Parts, ctx: Ctx, page: number): Promise<Message> {
  const partner = await partners.require(db, ctx)
  return linkList(await service.ofPartner(db, ctx.program.id, partner.id), page)
}
