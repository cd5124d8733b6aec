// The chapters of the recorded past, one for each plugin. A plugin without a chapter is simply not in it.
import type { Chapter } from '../chapter.ts'
import { analytics, developer, tracking } from './company.ts'
import { commissions, ledger, payouts, paypal, tax } from './money.ts'
import { agreements, channels, partners } from './people.ts'
import { badges, leaderboards, notifications } from './recognition.ts'
import { claims, fraud } from './review.ts'
import { attribution, coupons, deals, links, stripe } from './selling.ts'

export const chapters: readonly Chapter[] = [
  channels,
  partners,
  agreements,
  notifications,
  links,
  coupons,
  deals,
  stripe,
  attribution,
  developer,
  tracking,
  claims,
  fraud,
  commissions,
  tax,
  payouts,
  paypal,
  leaderboards,
  badges,
  ledger,
  analytics,
]
