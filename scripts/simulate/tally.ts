// Counts what has happened in a simulation so far, so that a reader can judge how much it was. Pure.
import type { Day } from './plan.ts'

export interface Seen {
  /** Everything that happened, duplicates counted as often as they came. */
  events: number
  clicks: number
  sales: number
  /** Sales that are payments of a subscription. */
  renewals: number
  subscriptions: number
  /** News of a refund, or of a refund that was taken back. */
  refunds: number
  disputes: number
  /** News that came more than once, or several times at one moment. */
  duplicates: number
  impossible: number
  joined: number
  left: number
  signed: number
  coupons: number
  deals: number
  rules: number
  /** Adjustments, voids, holds, releases and decisions about fraud. */
  interventions: number
  /** Steps of changes of whose a sale is. */
  changes: number
  /** Steps of claims. */
  claims: number
}

export interface Tally {
  add(day: Day): void
  readonly seen: Seen
}

export function createTally(): Tally {
  const told = new Set<string>()
  const subscriptions = new Set<string>()
  const seen: Seen = {
    events: 0,
    clicks: 0,
    sales: 0,
    renewals: 0,
    subscriptions: 0,
    refunds: 0,
    disputes: 0,
    duplicates: 0,
    impossible: 0,
    joined: 0,
    left: 0,
    signed: 0,
    coupons: 0,
    deals: 0,
    rules: 0,
    interventions: 0,
    changes: 0,
    claims: 0,
  }

  function hear({ news, times }: Day['news'][number]): void {
    const name = `${news.payment} ${news.kind} ${news.at}`
    seen.events += times
    seen.duplicates += told.has(name) ? times : times - 1
    if (told.has(name)) return
    told.add(name)
    if (news.kind === 'refunded') seen.refunds++
    if (news.kind === 'dispute' && news.state === 'open') seen.disputes++
    if (news.kind !== 'paid') return
    seen.sales++
    const { subscription } = news.made
    if (!subscription) return
    if (subscription.sequence > 1) seen.renewals++
    subscriptions.add(subscription.id)
    seen.subscriptions = subscriptions.size
  }

  return {
    seen,
    add: (day) => {
      for (const one of day.news) hear(one)
      const ofKind = (kind: string) => day.partners.filter((change) => change.kind === kind).length
      seen.clicks += day.clicks.length
      seen.impossible += day.impossible.length
      seen.joined += ofKind('joined')
      seen.left += ofKind('left')
      seen.signed += ofKind('signed')
      seen.coupons += day.coupons.length
      seen.deals += day.deals.length
      seen.rules += day.rules.length + day.settings.length
      seen.interventions += day.hands.length
      const claims = day.changes.filter((step) => 'claim' in step).length
      seen.claims += claims
      seen.changes += day.changes.length - claims
      const others = [
        day.partners,
        day.clicks,
        day.impossible,
        day.coupons,
        day.deals,
        day.rules,
        day.settings,
        day.hands,
        day.changes,
      ]
      seen.events += others.reduce((sum, { length }) => sum + length, 0)
    },
  }
}
