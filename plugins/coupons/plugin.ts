// Coupons: codes that partners name where nobody can click, counted for them at the checkout.
import { attribution } from '../attribution/plugin.ts'
import { touchSource } from '../attribution/public.ts'
import { channels } from '../channels/plugin.ts'
import { definePlugin, extend } from '../kit/index.ts'
import { linkHelp } from '../links/public.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { couponCommands } from './commands.ts'
import { type Config, config } from './config.ts'
import { eraseFor, exportFor } from './privacy.ts'
import { createCouponService } from './service.ts'
import * as tables from './tables.ts'

export const coupons = definePlugin<Config>({
  id: 'coupons',
  title: 'Coupons',
  summary: 'Codes that partners name where nobody can click, counted for them at the checkout.',
  help: linkHelp,
  requires: [partners, attribution, channels, notifications],
  config,
  tables,
  data: {
    statement: 'Partners’ coupon codes with the Discord id of their partner and when they were made and paused, until erased.',
    exportPartner: exportFor,
    deletePartner: eraseFor,
  },
  setup: ({ db, clock, settings, discord, use }) => {
    const service = createCouponService({ clock, settings })
    return {
      commandGroups: { coupon: 'Your coupon codes', 'admin coupons': 'Coupon codes and whom they speak for' },
      commands: couponCommands({ db, service, discord, partners: use(partners), notifications: use(notifications) }),
      extends: [
        extend(touchSource, {
          kind: 'coupon',
          find: async (reader, programId, { coupon: code }, _customer, paidAt) => {
            const coupon = code === undefined ? undefined : await service.usedAt(reader, programId, code, paidAt)
            if (!coupon) return []
            // Used at the checkout, so at the time of the payment; a code that was only made after it did not bring it.
            const at = new Date(Math.max(coupon.createdAt.getTime(), paidAt.getTime()))
            return [{ kind: 'coupon', partnerId: coupon.partnerId, at, reference: coupon.code }]
          },
        }),
      ],
    }
  },
})
