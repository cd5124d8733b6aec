// What partners and admins may ask of badges.
import { type Command, type Ctx, defineCommand } from '../../commands/define.ts'
import { audit } from '../../db/tables.ts'
import { type Db, refuseOwn, type Tx } from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import { collection, givenMessage, takenMessage } from './messages.ts'
import type { BadgeService } from './service.ts'

export function badgeCommands({ db, service, partners }: { db: Db; service: BadgeService; partners: Partners }): Command[] {
  const options = {
    partner: { type: 'user', description: 'Whose badge', required: true },
    badge: {
      type: 'string',
      description: 'Which badge',
      required: true,
      max: 100,
      suggest: async (_: Ctx, typed: string) =>
        service
          .rules()
          .filter((rule) => `${rule.title} ${rule.id}`.toLowerCase().includes(typed.toLowerCase()))
          .map((rule) => ({ name: `${rule.emoji} ${rule.title}`, value: rule.id })),
    },
    reason: { type: 'string', description: 'Why; kept for other admins', required: true, min: 3, max: 300 },
  } as const
  const note = (tx: Tx, ctx: Ctx, action: string, detail: Record<string, unknown>) =>
    tx.insert(audit).values({ programId: ctx.program.id, actor: ctx.user.id, action, detail, at: ctx.now })

  return [
    defineCommand({
      path: 'badges show',
      description: 'Your badges, and what is still to be earned',
      access: partners.registered,
      reply: 'ephemeral',
      run: async (ctx) => collection(service.rules(), await service.ofUser(db, ctx.program.id, ctx.user.id)),
    }),
    defineCommand({
      path: 'admin badges award',
      description: 'Give a partner a badge',
      options,
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, { partner, badge, reason }) => {
        refuseOwn('badge', partner.id, ctx.user.id)
        return db.transaction(async (tx) => {
          const rule = await service.give(tx, ctx.program.id, partner.id, badge, { id: ctx.user.id, reason })
          await note(tx, ctx, 'badges.award', { userId: partner.id, badge, reason })
          return givenMessage(partner.id, rule)
        })
      },
    }),
    defineCommand({
      path: 'admin badges revoke',
      description: 'Take a badge back',
      options,
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, { partner, badge, reason }) =>
        db.transaction(async (tx) => {
          const rule = await service.takeBack(tx, ctx.program.id, partner.id, badge, { id: ctx.user.id, reason })
          await note(tx, ctx, 'badges.revoke', { userId: partner.id, badge, reason })
          return takenMessage(partner.id, rule)
        }),
    }),
  ]
}
