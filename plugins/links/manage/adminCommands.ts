// The commands with which admins look after the links of partners.
import { type Command, type Component, type Ctx, defineCommand, onComponent } from '../../../commands/define.ts'
import type { Message } from '../../../commands/messages.ts'
import { audit } from '../../../db/tables.ts'
import { refuseOwn, type Tx, UserError } from '../../kit/index.ts'
import type { Partner } from '../../partners/public.ts'
import { partnerLinksPage } from '../refs.ts'
import { partnerLinks, renamedForPartner, renamedLink, stopChanged, stopForPartner } from './adminMessages.ts'
import { held, rename, setSuspended } from './edit.ts'
import { anyLink, anyLinkOption, type LinkParts, type LinkRow } from './parts.ts'
import { viewList } from './views.ts'

export function adminCommands(parts: LinkParts): Command[] {
  const { db, partners, urlOf } = parts
  const link = anyLinkOption(parts)

  /** Changes the link, keeps who did it, and tells the partner; all or nothing. */
  const act = async (
    ctx: Ctx,
    typed: string,
    name: 'suspend' | 'resume' | 'rename',
    change: (tx: Tx, link: LinkRow) => Promise<{ link: LinkRow; changed: boolean }>,
    words: { forPartner: (link: LinkRow) => Message; answer: (link: LinkRow, partner: Partner, changed: boolean) => Message },
  ): Promise<Message> => {
    const { partner, link: found } = await anyLink(parts, ctx, typed)
    if (name === 'resume') refuseOwn('link', partner.userId, ctx.user.id)
    return db.transaction(async (tx) => {
      const { link: after, changed } = await change(tx, await held(tx, found))
      if (changed) {
        const programId = ctx.program.id
        const detail = { link: found.id, code: found.code, to: after.code, because: after.suspendedBecause }
        await tx.insert(audit).values({ programId, actor: ctx.user.id, action: `links.${name}`, detail, at: ctx.now })
        const key = `links.${name}:${found.id}:${ctx.now.toISOString()}`
        await parts.notifications.tell(tx, { programId, key, userId: partner.userId, message: words.forPartner(after) })
      }
      return words.answer(after, partner, changed)
    })
  }

  return [
    defineCommand({
      path: 'admin-links show',
      description: 'The links of a partner',
      options: { user: { type: 'user', description: 'The partner', required: true } },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { user }) => showLinks(parts, ctx, await partners.byUser(db, ctx.program.id, user.id), 0),
    }),
    defineCommand({
      path: 'admin-links suspend',
      description: 'Stop a link; its partner is told why and cannot start it again',
      options: { link, reason: { type: 'string', description: 'Why; the partner reads it', required: true, max: 300 } },
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, { link: typed, reason }) =>
        act(ctx, typed, 'suspend', (tx, found) => setSuspended(tx, found, reason.trim() || 'no reason given', ctx.now), {
          forPartner: stopForPartner,
          answer: stopChanged,
        }),
    }),
    defineCommand({
      path: 'admin-links resume',
      description: 'Let a stopped link lead on again',
      options: { link },
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, { link: typed }) =>
        act(ctx, typed, 'resume', (tx, found) => setSuspended(tx, found, null, ctx.now), {
          forPartner: stopForPartner,
          answer: stopChanged,
        }),
    }),
    defineCommand({
      path: 'admin-links rename',
      description: 'Give a link another code; the old one goes on working',
      options: { link, code: { type: 'string', description: 'The new code', required: true, max: 32 } },
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, { link: typed, code }) =>
        act(
          ctx,
          typed,
          'rename',
          async (tx, found) => {
            const link = await rename(tx, found, code, ctx.now)
            return { link, changed: link.code !== found.code }
          },
          {
            forPartner: (after) => renamedForPartner(urlOf(after.code)),
            answer: (after, partner, changed) => renamedLink(urlOf(after.code), partner, changed),
          },
        ),
    }),
  ]
}

export function adminComponents(parts: LinkParts): Component[] {
  return [
    onComponent(partnerLinksPage, {
      access: 'admin',
      reply: 'update',
      run: async (ctx, { partner, page }) => {
        const found = /^[0-9a-f-]{36}$/i.test(partner) ? await parts.partners.byId(parts.db, ctx.program.id, partner) : undefined
        return showLinks(parts, ctx, found, /^\d{1,6}$/.test(page) ? Number(page) : 0)
      },
    }),
  ]
}

async function showLinks(parts: LinkParts, ctx: Ctx, partner: Partner | undefined, page: number): Promise<Message> {
  if (!partner) throw new UserError('unknown_partner', 'That is no partner of this program. They can register with `/start`.')
  return partnerLinks(partner, await viewList(parts, ctx, partner, { search: '', page }))
}
