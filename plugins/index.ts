// The explicit, ordered list of the plugins that come with the house. A company adds its own in siso.config.ts, see docs/own-plugins.md.
import { agreements } from './agreements/plugin.ts'
import { analytics } from './analytics/plugin.ts'
import { attribution } from './attribution/plugin.ts'
import { badges } from './badges/plugin.ts'
import { channels } from './channels/plugin.ts'
import { claims } from './claims/plugin.ts'
import { commissions } from './commissions/plugin.ts'
import { coupons } from './coupons/plugin.ts'
import { deals } from './deals/plugin.ts'
import { developer } from './developer/plugin.ts'
import { fraud } from './fraud/plugin.ts'
import type { Plugin } from './kit/plugin.ts'
import { leaderboards } from './leaderboards/plugin.ts'
import { ledger } from './ledger/plugin.ts'
import { links } from './links/plugin.ts'
import { notifications } from './notifications/plugin.ts'
import { partners } from './partners/plugin.ts'
import { payouts } from './payouts/plugin.ts'
import { paypal } from './paypal/plugin.ts'
import { stripe } from './stripe/plugin.ts'
import { tax } from './tax/plugin.ts'
import { tracking } from './tracking/plugin.ts'

export const plugins: readonly Plugin[] = [
  notifications,
  partners,
  agreements,
  channels,
  ledger,
  attribution,
  links,
  coupons,
  deals,
  claims,
  commissions,
  fraud,
  payouts,
  tax,
  analytics,
  leaderboards,
  badges,
  stripe,
  paypal,
  developer,
  tracking,
]

/** What siso.config.ts exports: the plugins that run, most often `[...plugins, yours]`. */
export function defineConfig(config: { plugins: readonly Plugin[] }): { plugins: readonly Plugin[] } {
  return config
}
