// Makes one canonical payment of all facts that are known of it. Pure: the same facts give the same payment, in whatever order they came.
import { type CanonicalPayment, largestSale } from '../attribution/public.ts'
import { atLeastZero, split, sum, UserError } from '../kit/index.ts'
import { type Fact, type FactType, tookMoney } from './facts.ts'
import { fromStripe } from './units.ts'

export interface KnownOfPayment {
  readonly programId: string
  readonly paymentKey: string
  /** Facts of the payment itself, of its invoices, and the sessions of those. */
  readonly facts: readonly Fact[]
  /** All invoices of the subscription that the payment belongs to, if it does. */
  readonly siblings: readonly Fact<'invoice'>[]
  /** The Checkout sessions that began that subscription. */
  readonly beginnings: readonly Fact<'session'>[]
  /** Stripe was asked what belongs to the payment, so whatever is not known does not exist. */
  readonly asked: boolean
}

export type Assembled =
  /** Nothing was paid so far. */
  | { readonly state: 'unpaid' }
  /** Paid, but where it comes from may still be on its way. */
  | { readonly state: 'incomplete' }
  | { readonly state: 'complete'; readonly payment: CanonicalPayment }

/** Invoices that Stripe makes by itself: no Checkout session stands behind them. */
const automatic = new Set(['subscription_cycle', 'subscription_update', 'subscription_threshold', 'subscription'])

/**
 * A payment is complete when its charge has succeeded, its origin is known (its Checkout session, that of the subscription of which it is the first, or an
 * invoice that Stripe made by itself) and so is the invoice that it pays, if it does, and what came before it in the subscription that it renews; or, after
 * Stripe was asked, with whatever there is. Without the charge it is incomplete as soon as anything else says that money came.
 * @throws UserError when the facts contradict each other or cannot be counted
 */
export function canonicalPayment(known: KnownOfPayment): Assembled {
  const { programId, paymentKey, facts, asked } = known
  const charge = newest(of(facts, 'charge').filter(({ fields }) => fields.status === 'succeeded' && fields.captured > 0))
  const intent = newest(of(facts, 'payment_intent'))
  if (!charge) return { state: isToldPaid(known, intent) ? 'incomplete' : 'unpaid' }
  const { currency } = charge.fields
  const gross = fromStripe(charge.fields.captured, currency)
  if (gross > largestSale)
    throw new UserError(
      'bad_gross',
      `The payment ${paymentKey} is of ${gross} minor units of ${currency}, which is more than any sale can be.`,
    )
  const foreign = of(facts, 'refund').find((refund) => refund.fields.currency !== currency)
  if (foreign)
    throw new UserError(
      'mixed_currencies',
      `The payment is in ${currency}, and its refund ${foreign.objectId} in ${foreign.fields.currency}.`,
    )
  const released = fromStripe(charge.fields.released ?? 0, currency)
  const refunded = atLeastZero(refundedOf(charge, of(facts, 'refund')) - released)
  if (refunded > gross)
    throw new UserError(
      'bad_refund',
      `${refunded} of the payment ${paymentKey} were refunded, and only ${gross} were paid (minor units of ${currency}).`,
    )
  const session = newest(of(facts, 'session'))
  const invoice = newest(of(facts, 'invoice'))
  const numbered = recurring(invoice, known.siblings)
  // After a free trial Stripe makes the first invoice that costs anything by itself; the customer came by the session before the trial.
  const isFirst = numbered.recurring?.sequence === 1
  const beginning = session ?? (isFirst ? newest(known.beginnings) : undefined)
  const isAutomatic = invoice !== undefined && automatic.has(invoice.fields.billingReason ?? '')
  const originKnown = beginning !== undefined || (isAutomatic && !isFirst)
  // The session of a subscription may come before its invoice, which says which payment it is.
  const invoiceAwaited = invoice === undefined && facts.some(({ invoiceId }) => invoiceId !== null)
  if ((!originKnown || invoiceAwaited || isPastUnknown(invoice, known.siblings)) && !asked) return { state: 'incomplete' }

  const origins = [session, charge, invoice]
  const first = <T>(pick: (fields: NonNullable<(typeof origins)[number]>['fields']) => T | null, among = origins) => {
    for (const fact of among) {
      const value = fact ? pick(fact.fields) : null
      if (value !== null) return value
    }
    return undefined
  }
  const hinting = [beginning, charge, invoice]
  const emailHash = first((fields) => fields.emailHash)
  const clickId = first((fields) => fields.clickId, hinting) ?? intent?.fields.clickId ?? undefined
  const deal = first((fields) => fields.deal ?? null, hinting) ?? intent?.fields.deal ?? undefined
  const coupon = beginning?.fields.coupon ?? invoice?.fields.coupon ?? undefined
  return {
    state: 'complete',
    payment: {
      programId,
      provider: 'stripe',
      paymentKey,
      gross,
      ...extras(gross, currency, { session, invoice, intent }),
      currency,
      refunded,
      dispute: disputeOf(of(facts, 'dispute')),
      lost: lostOf(of(facts, 'dispute'), gross - refunded, currency),
      customer: {
        key: first((fields) => fields.customer) ?? (emailHash ? `guest:${emailHash}` : `payment:${paymentKey}`),
        emailHash,
        country: first((fields) => fields.country),
      },
      hints: {
        ...(clickId !== undefined && { clickId }),
        ...(coupon !== undefined && { coupon }),
        ...(deal !== undefined && { deal }),
      },
      product: first((fields) => fields.product) ?? intent?.fields.product ?? undefined,
      ...numbered,
      paidAt: new Date(charge.fields.paidAt * 1000),
    },
  }
}

/**
 * Whether something other than the charge says that this very payment was made. A charge that succeeded and of which nothing was captured yet is believed more
 * than session and invoice; those of an invoice may be about another payment of it.
 */
function isToldPaid({ paymentKey, facts }: KnownOfPayment, intent: Fact<'payment_intent'> | undefined): boolean {
  if (intent?.fields.status === 'succeeded') return true
  if (of(facts, 'charge').some(({ fields }) => fields.status === 'succeeded')) return false
  const own = facts.filter((fact) => fact.paymentKey === paymentKey)
  return (
    of(own, 'session').some(({ fields }) => fields.paid === true) ||
    of(own, 'invoice_payment').some(({ fields }) => fields.status === 'paid')
  )
}

/**
 * Tax and shipping within `gross`: a payment that covers a part of an invoice bears its share. When a plan is changed, what is given back of the old one may
 * have another tax than the new one: then the bill's tax can be below zero, or larger than the bill.
 */
function extras(
  gross: bigint,
  currency: string,
  {
    session,
    invoice,
    intent,
  }: { session: Fact<'session'> | undefined; invoice: Fact<'invoice'> | undefined; intent: Fact<'payment_intent'> | undefined },
): { tax: bigint; shipping: bigint } {
  const bill = session ?? invoice
  if (!bill)
    return { tax: fromStripe(intent?.fields.tax ?? 0, currency), shipping: fromStripe(intent?.fields.shipping ?? 0, currency) }
  if (bill.fields.currency !== null && bill.fields.currency !== currency)
    throw new UserError(
      'mixed_currencies',
      `The payment is in ${currency}, and its ${bill.type} ${bill.objectId} in ${bill.fields.currency}.`,
    )
  const total = fromStripe(bill.fields.total, currency)
  const told = [fromStripe(bill.fields.tax, currency), fromStripe(bill.fields.shipping, currency)] as const
  const rest = (total > 0n ? total : gross) - sum(told)
  // A session gives nothing back: what does not fit into it is refused when it is recorded.
  if (bill.type === 'session' && (rest < 0n || told.some((amount) => amount < 0n))) return { tax: told[0], shipping: told[1] }
  const [tax, shipping] = split(gross, [...told, rest].map(atLeastZero))
  return { tax: tax!, shipping: shipping! }
}

/**
 * What is refunded now, of what was authorized: what was never captured of it is refunded as well. Two things tell it: the charge's total, as of some moment,
 * and the refunds themselves; either may be missing. What was made since comes on top of the total, what failed since is still in it. Whether a refund that was
 * made in that very second is in it, or one that does not say when it was made, nobody knows; whether one that failed in that second is, the refunds that stand
 * tell.
 */
function refundedOf(charge: Fact<'charge'>, refunds: readonly Fact<'refund'>[]): bigint {
  const asOf = charge.fields.asOf ?? charge.eventCreated
  const madeAt = ({ fields }: Fact<'refund'>) => fields.createdAt ?? asOf
  const hasFailed = ({ fields }: Fact<'refund'>) => fields.status === 'failed' || fields.status === 'canceled'
  const amountOf = (wanted: (refund: Fact<'refund'>) => boolean) =>
    sum(refunds.filter(wanted).map(({ fields }) => fromStripe(fields.amount, fields.currency)))
  const before = (refund: Fact<'refund'>) => madeAt(refund) <= asOf
  const failedSince = amountOf((refund) => hasFailed(refund) && before(refund) && refund.eventCreated > asOf)
  const failedThen = amountOf((refund) => hasFailed(refund) && before(refund) && refund.eventCreated === asOf)
  const standing = amountOf((refund) => !hasFailed(refund) && before(refund))
  const most = fromStripe(charge.fields.refunded, charge.fields.currency) - failedSince
  const total = smaller(most, larger(most - failedThen, standing))
  const perhaps = amountOf((refund) => !hasFailed(refund) && madeAt(refund) === asOf)
  const since = amountOf((refund) => !hasFailed(refund) && madeAt(refund) > asOf)
  return larger(total, perhaps) + since
}

// Math.max and Math.min take no bigint.
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b)
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b)

/** Open as long as any dispute is; an inquiry counts as one until it is closed. */
function disputeOf(disputes: readonly Fact<'dispute'>[]): CanonicalPayment['dispute'] {
  const closed: Record<string, 'won' | 'lost'> = { won: 'won', warning_closed: 'won', prevented: 'won', lost: 'lost' }
  const outcomes = disputes.map(({ fields }) => closed[fields.status] ?? 'open')
  return (['open', 'lost', 'won'] as const).find((outcome) => outcomes.includes(outcome)) ?? 'none'
}

/** What the lost disputes took of what was not refunded: all of it when one of them does not say how much in the currency of the charge. */
function lostOf(disputes: readonly Fact<'dispute'>[], left: bigint, currency: string): bigint {
  const amounts = disputes
    .filter(({ fields }) => fields.status === 'lost')
    .map(({ fields }) => (fields.currency === currency && fields.amount != null ? fromStripe(fields.amount, currency) : left))
  const lost = sum(amounts)
  return smaller(lost, left)
}

/**
 * Whether it is not known how many payments came before the invoice, which renews a subscription: nothing was told of the first invoice, or of the one whose
 * period ends where its own begins.
 */
function isPastUnknown(invoice: Fact<'invoice'> | undefined, siblings: readonly Fact<'invoice'>[]): boolean {
  const isFirst = ({ fields }: Fact<'invoice'>) => fields.billingReason === 'subscription_create'
  if (!invoice?.subscriptionId || isFirst(invoice)) return false
  const { from } = invoice.fields
  const others = siblings.filter(({ objectId }) => objectId !== invoice.objectId)
  return !others.some(isFirst) || (from != null && !others.some(({ fields }) => fields.to === from))
}

/** Which payment of its subscription an invoice is: the invoices before it that took money, and one. */
function recurring(
  invoice: Fact<'invoice'> | undefined,
  siblings: readonly Fact<'invoice'>[],
): Pick<CanonicalPayment, 'recurring'> {
  if (!invoice?.subscriptionId) return {}
  const { objectId, fields } = invoice
  const isEarlier = (other: Fact<'invoice'>) =>
    other.fields.createdAt < fields.createdAt || (other.fields.createdAt === fields.createdAt && other.objectId < objectId)
  const earlier = siblings.filter((sibling) => tookMoney(sibling) && isEarlier(sibling))
  return { recurring: { subscription: invoice.subscriptionId, sequence: earlier.length + 1 } }
}

function of<T extends FactType>(facts: readonly Fact[], type: T): Fact<T>[] {
  return facts.filter((fact): fact is Fact & Fact<T> => fact.type === type)
}

/** The newest by Stripe's time; ids settle a tie, so that the order of arrival does not. */
function newest<T extends Fact>(facts: readonly T[]): T | undefined {
  return [...facts].sort((a, b) => b.eventCreated - a.eventCreated || (a.objectId < b.objectId ? -1 : 1))[0]
}
