// The commands of coupons: partners make and see theirs; admins assign, pause and resume.
import { type Command, type Ctx, defineCommand } from '../../commands/define.ts'
import type { Message } from '../../commands/messages.ts'
import { audit } from '../../db/tables.ts'
import { staffChannel } from '../channels/public.ts'
import { type Db, type DiscordEffects, refuseOwn, type Tx, UserError } from '../kit/index.ts'
import type { Notifications } from '../notifications/public.ts'
import type { Partners } from '../partners/public.ts'
import {
  assignedMessage,
  couponAssigned,
  couponCreated,
  couponList,
  newCodeForStaff,
  pauseChanged,
  pausedMessage,
} from './messages.ts'
import type { CouponService } from './service.ts'

interface Parts {
  readonly db: Db
  readonly service: CouponService
  readonly partners: Partners
  readonly notifications: Notifications
  readonly discord: DiscordEffects
}

export const couponCommands = (parts: Parts): Command[] => [...partnerCommands(parts), ...adminCommands(parts)]

function partnerCommands({ db, service, partners, discord }: Parts): Command[] {
  return [
    defineCommand({
      path: 'coupon create',
      description: 'Make a coupon code that counts for you',
      options: {
        code: { type: 'string', description: 'The code you would like, e.g. ADA-15; left out, you get one', max: 40 },
      },
      access: partners.active,
      reply: 'ephemeral',
      run: async (ctx, { code }) => {
        const partner = await partners.require(db, ctx)
        const coupon = await db.transaction(async (tx) => {
          const made = await service.create(tx, partner, code)
          const { id, programId } = made
          await discord.post(tx, { programId, key: `coupons.new:${id}`, channel: staffChannel, message: newCodeForStaff(made) })
          return made
        })
        return couponCreated(coupon)
      },
    }),
    defineCommand({
      path: 'coupon list',
      description: 'Your coupon codes',
      access: partners.registered,
      reply: 'ephemeral',
      run: async (ctx) => {
        const partner = await partners.require(db, ctx)
        return couponList(await service.ofPartner(db, ctx.program.id, partner.id))
      },
    }),
  ]
}

function adminCommands({ db, service, partners, notifications }: Parts): Command[] {
  const note = (tx: Tx, ctx: Ctx, action: string, detail: Record<string, unknown>) =>
    tx.insert(audit).values({ programId: ctx.program.id, actor: ctx.user.id, action, detail, at: ctx.now })
  const code = {
    type: 'string',
    description: 'The code',
    required: true,
    suggest: async (ctx: Ctx, typed: string) =>
      (await service.beginningWith(db, ctx.program.id, typed)).map((coupon) => ({
        name: `${coupon.code}${coupon.pausedAt ? ' (paused)' : ''}`,
        value: coupon.code,
      })),
  } as const

  const setPaused = (ctx: Ctx, typed: string, paused: boolean): Promise<Message> =>
    db.transaction(async (tx) => {
      const { coupon, changed } = await service.setPaused(tx, ctx.program.id, typed, paused)
      if (!paused) refuseOwn('coupon', coupon.userId, ctx.user.id)
      if (changed) {
        const { id, programId, userId } = coupon
        await note(tx, ctx, `coupons.${paused ? 'pause' : 'resume'}`, { code: coupon.code })
        const key = `coupons.${paused ? 'paused' : 'resumed'}:${id}:${ctx.now.toISOString()}`
        await notifications.tell(tx, { programId, key, userId, message: pausedMessage(coupon) })
      }
      return pauseChanged(coupon, changed)
    })

  return [
    defineCommand({
      path: 'admin coupons assign',
      description: 'Give a partner a coupon code',
      options: {
        user: { type: 'user', description: 'The partner', required: true },
        code: { type: 'string', description: 'The code, the same as in your shop', required: true, max: 40 },
      },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { user, code: wanted }) => {
        const programId = ctx.program.id
        const partner = await partners.byUser(db, programId, user.id)
        if (!partner) throw new UserError('no_partner', `<@${user.id}> has not registered. They can do so with /start.`)
        refuseOwn('coupon', partner.userId, ctx.user.id)
        return db.transaction(async (tx) => {
          const { coupon, made } = await service.assign(tx, partner, wanted, ctx.user.id)
          if (made) {
            await note(tx, ctx, 'coupons.assign', { code: coupon.code, partnerId: partner.id })
            const key = `coupons.assigned:${coupon.id}`
            const message = assignedMessage(ctx.program.name, coupon)
            await notifications.tell(tx, { programId, key, userId: partner.userId, message })
          }
          return couponAssigned(coupon, made)
        })
      },
    }),
    defineCommand({
      path: 'admin coupons pause',
      description: 'Stop a code from counting; what it brought stays',
      options: { code },
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, options) => setPaused(ctx, options.code, true),
    }),
    defineCommand({
      path: 'admin coupons resume',
      description: 'Let a paused code count again',
      options: { code },
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, options) => setPaused(ctx, options.code, false),
    }),
  ]
}
