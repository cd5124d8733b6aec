// The signals that every program has: each a pure function of the facts. What none of them can see is contributed by the plugin that records it.
import type { Touch } from '../attribution/public.ts'
import { isDisposable } from '../partners/public.ts'
import { domainOf } from './address.ts'
import type { Evidence, FraudFacts, FraudSignal } from './public.ts'
import { isSurelyAbove } from './score.ts'

/** A signal that needs nothing but the facts. */
export interface PureSignal extends Omit<FraudSignal, 'evaluate'> {
  evaluate(facts: FraudFacts): Evidence | undefined
}

export const asSignal = (signal: PureSignal): FraudSignal => ({ ...signal, evaluate: (_, facts) => signal.evaluate(facts) })

const count = (n: unknown, one: string): string => `${Number(n).toLocaleString('en-US')} ${one}${n === 1 ? '' : 's'}`

/** The customer pays with an address of the partner: one they had before, or one that reaches the same mailbox. */
const sameEmail: PureSignal = {
  id: 'same_email',
  weight: 100,
  describe: () => 'The customer’s e-mail address is one of yours. Your own purchases earn nothing.',
  evaluate: ({ customerEmails, partnerEmails }) =>
    customerEmails.some((hash) => partnerEmails.includes(hash)) ? { matches: true } : undefined,
}

const duplicatePartner: PureSignal = {
  id: 'duplicate_partner',
  weight: 60,
  describe: () => 'Your e-mail address reaches the same mailbox as that of another partner account. One person has one account.',
  evaluate: ({ sharedMailbox }) => (sharedMailbox.length > 0 ? { others: sharedMailbox } : undefined),
}

const saleTooSoon: PureSignal = {
  id: 'sale_too_soon',
  weight: 40,
  describe: ({ seconds }) =>
    `The purchase was made ${count(seconds, 'second')} after the click; nobody fills in a checkout that fast.`,
  evaluate: (facts) => {
    const click = winningClick(facts)
    const seconds = click && secondsBeforeSale(click, facts)
    return seconds !== undefined && seconds < facts.limits.soonSeconds ? { seconds } : undefined
  },
}

/** Only where another partner's click is older: with nobody to take the sale from, a quick decision is just that. */
const clickInjection: PureSignal = {
  id: 'click_injection',
  weight: 40,
  describe: ({ seconds }) =>
    `Your click came ${count(seconds, 'second')} before the payment, after another partner had brought the customer.`,
  evaluate: (facts) => {
    const click = winningClick(facts)
    if (!click) return undefined
    const seconds = secondsBeforeSale(click, facts)
    const wasBrought = facts.touches.some((touch) => touch.partnerId !== click.partnerId && touch.at < click.at)
    return wasBrought && seconds < facts.limits.injectionSeconds ? { seconds } : undefined
  },
}

const refundOutlier: PureSignal = {
  id: 'refund_outlier',
  weight: 35,
  describe: ({ refunded, sales }) =>
    `${refunded} of your ${count(sales, 'sale')} within 90 days were refunded or disputed; that is far more than usual.`,
  evaluate: ({ quarter: { sales, refunded }, limits }) =>
    isSurelyAbove(limits.refundPercent, refunded, sales) ? { refunded, sales } : undefined,
}

const clickVelocity: PureSignal = {
  id: 'click_velocity',
  weight: 25,
  describe: ({ clicks }) =>
    `Your links got ${count(clicks, 'click')} within the ten minutes before this purchase’s click; that does not look like people.`,
  evaluate: ({ clicks: { burst }, limits }) => (burst > limits.velocityClicks ? { clicks: burst } : undefined),
}

const conversionOutlier: PureSignal = {
  id: 'conversion_outlier',
  weight: 30,
  describe: ({ purchases, clicks }) =>
    `${count(purchases, 'purchase')} came from ${count(clicks, 'click')} within 30 days; that is far more than usual.`,
  evaluate: (facts) => {
    const { clicks, month, limits } = facts
    if (!winningClick(facts)) return undefined
    return isSurelyAbove(limits.conversionPercent, month.firstByClick, Math.max(clicks.month, month.firstByClick))
      ? { purchases: month.firstByClick, clicks: clicks.month }
      : undefined
  },
}

const disposableEmail: PureSignal = {
  id: 'disposable_email',
  weight: 25,
  describe: () => 'Your e-mail address is from a throw-away mail service. Change it with `/profile edit`.',
  evaluate: ({ partner }) => (isDisposable(domainOf(partner.email)) ? { domain: domainOf(partner.email) } : undefined),
}

/** A few coupon sales without clicks are word of mouth; a row of them is a code that stands on a coupon site. */
const couponWithoutClicks: PureSignal = {
  id: 'coupon_without_clicks',
  weight: 25,
  describe: ({ purchases }) =>
    `Your coupon was used for ${count(purchases, 'first purchase')} within 30 days while nobody clicked your links.`,
  evaluate: ({ touches, clicks, month: { firstByCoupon } }) =>
    touches.some(({ won, kind }) => won && kind === 'coupon') && clicks.month === 0 && firstByCoupon >= 5
      ? { purchases: firstByCoupon }
      : undefined,
}

/** From the partner's own computer, or beside them: whoever sits there is not a customer they had to win. */
const sameDevice: PureSignal = {
  id: 'same_device',
  weight: 50,
  describe: () => 'The click came from a computer and browser that you used yourself within a day.',
  evaluate: ({ click }) => (click?.seen === 'device' ? { matches: true } : undefined),
}

/** Offices, families and carriers share addresses, so alone it says little. */
const sameAddress: PureSignal = {
  id: 'same_ip',
  weight: 14,
  describe: () => 'The click came from an internet connection that you used yourself within a day.',
  evaluate: ({ click }) => (click?.seen === 'address' ? { matches: true } : undefined),
}

const samePayout: PureSignal = {
  id: 'same_payout_method',
  weight: 60,
  describe: () => 'Your payouts go to the same place as those of another partner account. One person has one account.',
  evaluate: ({ sharedPayout }) => (sharedPayout.length > 0 ? { others: sharedPayout } : undefined),
}

/** Not wrong in itself: many programs allow advertisements. It tips the scales where the figures look like advertisements for the company's own name. */
const paidClick: PureSignal = {
  id: 'paid_click',
  weight: 20,
  describe: ({ parameter }) => `The click was bought from an advertising network (it carried ${String(parameter)}).`,
  evaluate: ({ click }) => (click?.paidBy ? { parameter: click.paidBy } : undefined),
}

const bannedReferrer: PureSignal = {
  id: 'banned_referrer',
  weight: 60,
  describe: ({ host }) => `The customer came from ${String(host)}, which this program does not allow as a source.`,
  evaluate: ({ click, limits }) => {
    const host = click?.referrer
    if (!host) return undefined
    return limits.bannedReferrers.some((banned) => host === banned || host.endsWith(`.${banned}`)) ? { host } : undefined
  },
}

/** People use private networks that end in data centres, so alone it says little. */
const datacentre: PureSignal = {
  id: 'datacentre_ip',
  weight: 14,
  describe: () => 'The click came from a data centre, where programs run and few people sit.',
  evaluate: ({ click }) => (click?.datacentre ? { matches: true } : undefined),
}

export const builtInSignals: readonly PureSignal[] = [
  sameEmail,
  duplicatePartner,
  saleTooSoon,
  clickInjection,
  refundOutlier,
  clickVelocity,
  conversionOutlier,
  disposableEmail,
  couponWithoutClicks,
  sameDevice,
  sameAddress,
  samePayout,
  paidClick,
  bannedReferrer,
  datacentre,
]

/** The click that decided whose sale it is, if a click did. */
export function winningClick({ touches }: Pick<FraudFacts, 'touches'>): Touch | undefined {
  return touches.find(({ won, kind }) => won && kind === 'click')
}

/** Providers stamp whole seconds with their own clock, so a payment may seem to come before its click: then it came at once. */
function secondsBeforeSale(touch: Touch, { sale }: FraudFacts): number {
  return Math.max(0, Math.round((sale.paidAt.getTime() - touch.at.getTime()) / 1000))
}
