// Stripe's objects, in the shape of its API, made of a payment of the plan. https://docs.stripe.com/api (2026-10-28). Pure.
import { dayMs } from '../plan/calendar.ts'
import type { Payment, Refund } from '../plan/shop.ts'
import { type Account, refundedAt, seconds, units } from './account.ts'

/** The id that Stripe gives to the click of the plan with this key, if a link took it. */
export type ClickIdOf = (click: string) => string | undefined
export type StripeObject = { readonly id: string; readonly object: string } & Readonly<Record<string, unknown>>

export const apiVersion = '2026-10-28.endive'
const month = 30 * dayMs

const idOf = (prefix: string, { charged: { made } }: Account): string => `${prefix}_${made.key}`
const lower = ({ currency }: Payment): string => currency.toLowerCase()
const customerOf = ({ charged: { made }, way }: Account): string | null => (way.isGuest ? null : made.customer.key)
const addressOf = ({ customer: { country } }: Payment) => ({ city: null, country: country ?? null, line1: null, postal_code: null })

/** What the shop writes on the payment itself; a click may be added later. */
function metadataOf({ charged: { made, lateClick }, way }: Account, clickIdOf: ClickIdOf, hinted: boolean): Record<string, string> {
  const isAtPayment = way.kind === 'intent' || (way.hintAt === 'payment' && way.kind === 'checkout')
  const click = lateClick ?? (isAtPayment ? made.click : undefined)
  const clickId = click !== undefined && (lateClick === undefined || hinted) ? clickIdOf(click) : undefined
  return { ...(way.kind === 'intent' && { product: made.product! }), ...(clickId !== undefined && { siso_cid: clickId }) }
}

/** @param until what of its refunds it shows */
export function chargeOf(
  account: Account,
  clickIdOf: ClickIdOf,
  state: { status: 'pending' | 'succeeded'; hinted: boolean; until: number },
): StripeObject {
  const { made } = account.charged
  const amount = units(made.gross, made.currency)
  const refunded = refundedAt(account, state.until)
  return {
    id: idOf('ch', account),
    object: 'charge',
    amount,
    amount_captured: state.status === 'succeeded' ? amount : 0,
    amount_refunded: units(refunded, made.currency),
    billing_details: { address: addressOf(made), email: made.customer.email ?? null, name: null, phone: null, tax_id: null },
    captured: state.status === 'succeeded',
    created: seconds(made.paidAt),
    currency: lower(made),
    customer: customerOf(account),
    livemode: false,
    metadata: metadataOf(account, clickIdOf, state.hinted),
    paid: state.status === 'succeeded',
    payment_intent: idOf('pi', account),
    receipt_email: null,
    refunded: refunded === made.gross,
    status: state.status,
  }
}

/** The charge of a card that was declined before the one that paid. */
export function declinedChargeOf(account: Account, clickIdOf: ClickIdOf): StripeObject {
  const charge = chargeOf(account, clickIdOf, { status: 'pending', hinted: false, until: 0 })
  return {
    ...charge,
    id: `${charge.id}_declined`,
    status: 'failed',
    failure_code: 'card_declined',
    created: seconds(account.charged.made.paidAt) - 60,
  }
}

export function intentOf(account: Account, clickIdOf: ClickIdOf, status: 'processing' | 'succeeded'): StripeObject {
  const { made } = account.charged
  const amount = units(made.gross, made.currency)
  const details = {
    shipping: { amount: units(made.shipping, made.currency), from_postal_code: null, to_postal_code: null },
    tax: { total_tax_amount: units(made.tax, made.currency) },
  }
  return {
    id: idOf('pi', account),
    object: 'payment_intent',
    amount,
    amount_received: status === 'succeeded' ? amount : 0,
    ...(account.way.kind === 'intent' && { amount_details: details }),
    created: seconds(made.paidAt),
    currency: lower(made),
    customer: customerOf(account),
    latest_charge: idOf('ch', account),
    livemode: false,
    metadata: metadataOf(account, clickIdOf, account.hinted),
    status,
  }
}

/** The Checkout session; undefined where there was none. */
export function sessionOf(account: Account, clickIdOf: ClickIdOf, isPaid: boolean): StripeObject | undefined {
  const { charged, way } = account
  const { made, lateClick } = charged
  if (way.kind !== 'checkout' && way.kind !== 'first') return undefined
  const clickId = made.click === undefined || lateClick !== undefined ? undefined : clickIdOf(made.click)
  const isReference = way.hintAt === 'reference'
  const isHere = way.hintAt === 'session' || (way.hintAt === 'payment' && way.kind === 'first')
  const isFirst = way.kind === 'first'
  return {
    id: idOf('cs', account),
    object: 'checkout.session',
    amount_subtotal: units(made.gross - made.tax - made.shipping, made.currency),
    amount_total: units(made.gross, made.currency),
    client_reference_id: isReference ? (clickId ?? null) : 'cart-17',
    created: seconds(made.paidAt) - 300,
    currency: lower(made),
    customer: customerOf(account),
    customer_details: { address: addressOf(made), email: made.customer.email ?? null, name: null, phone: null, tax_ids: [] },
    discounts: made.coupon === undefined ? [] : [{ coupon: null, promotion_code: promotionOf(made.coupon) }],
    invoice: isFirst ? idOf('in', account) : null,
    livemode: false,
    metadata: { product: made.product!, ...(isHere && clickId !== undefined && { siso_cid: clickId }) },
    mode: isFirst ? 'subscription' : 'payment',
    payment_intent: isFirst ? null : idOf('pi', account),
    payment_status: isPaid ? 'paid' : 'unpaid',
    status: 'complete',
    subscription: isFirst ? made.subscription!.id : null,
    total_details: {
      amount_discount: 0,
      amount_shipping: units(made.shipping, made.currency),
      amount_tax: units(made.tax, made.currency),
    },
  }
}

/** The promotion code's id, which says what was typed. */
export const promotionOf = (typed: string): string => `promo_${Buffer.from(typed).toString('hex')}`
export const typedIn = (promotion: string): string => Buffer.from(promotion.slice('promo_'.length), 'hex').toString()

export function invoiceOf(account: Account, { expanded = false } = {}): StripeObject | undefined {
  const { charged, way, before } = account
  const { made } = charged
  if (!made.subscription) return undefined
  const last = before?.charged.made
  const start = periodStartOf(account)
  const isOtherPlan = last !== undefined && last.gross !== made.gross
  const discount = {
    id: `di_${made.key}`,
    object: 'discount',
    promotion_code: made.coupon === undefined ? null : promotionOf(made.coupon),
  }
  const line = (product: string, amount: bigint) => ({
    id: `il_${made.key}_${product}`,
    object: 'line_item',
    amount: units(amount, made.currency),
    currency: lower(made),
    period: { start: seconds(start), end: seconds(start + month) },
    pricing: { price_details: { price: 'price_1', product }, type: 'price_details', unit_amount_decimal: null },
    quantity: 1,
  })
  const total = made.gross - made.tax - made.shipping
  const unused = total / 3n
  return {
    id: idOf('in', account),
    object: 'invoice',
    amount_due: units(made.gross, made.currency),
    amount_paid: units(made.gross, made.currency),
    billing_reason: way.kind === 'first' ? 'subscription_create' : isOtherPlan ? 'subscription_update' : 'subscription_cycle',
    created: seconds(made.paidAt),
    currency: lower(made),
    customer: made.customer.key,
    customer_address: addressOf(made),
    customer_email: made.customer.email ?? null,
    discounts: made.coupon === undefined ? [] : [expanded ? discount : discount.id],
    lines: {
      object: 'list',
      has_more: false,
      data: isOtherPlan ? [line('Former', -unused), line(made.product!, total + unused)] : [line(made.product!, total)],
    },
    livemode: false,
    metadata: {},
    parent: {
      quote_details: null,
      subscription_details: { metadata: {}, subscription: made.subscription.id },
      type: 'subscription_details',
    },
    // It looks back on the period before.
    period_end: seconds(start),
    period_start: seconds(last ? start - month : start),
    shipping_cost:
      made.shipping === 0n ? null : { amount_subtotal: units(made.shipping, made.currency), amount_tax: 0, shipping_rate: null },
    status: 'paid',
    total: units(made.gross, made.currency),
    total_taxes:
      made.tax === 0n ? [] : [{ amount: units(made.tax, made.currency), tax_behavior: 'inclusive', type: 'tax_rate_details' }],
  }
}

export function invoicePaymentOf(account: Account): StripeObject | undefined {
  const { made } = account.charged
  if (!made.subscription) return undefined
  return {
    id: idOf('inpay', account),
    object: 'invoice_payment',
    amount_paid: units(made.gross, made.currency),
    amount_requested: units(made.gross, made.currency),
    created: seconds(made.paidAt),
    currency: lower(made),
    invoice: idOf('in', account),
    is_default: true,
    livemode: false,
    payment: { payment_intent: idOf('pi', account), type: 'payment_intent' },
    status: 'paid',
  }
}

export function subscriptionOf({ charged: { made } }: Account): StripeObject | undefined {
  const { subscription, customer } = made
  return (
    subscription && {
      id: subscription.id,
      object: 'subscription',
      customer: customer.key,
      livemode: false,
      metadata: {},
      status: 'active',
    }
  )
}

export function refundOf(account: Account, nth: number, status: 'pending' | 'succeeded' | 'failed'): StripeObject {
  const { made, refunds } = account.charged
  const refund: Refund = refunds[nth]!
  return {
    id: `${idOf('re', account)}_${nth}`,
    object: 'refund',
    amount: units(refund.amount, made.currency),
    charge: idOf('ch', account),
    created: seconds(refund.at),
    currency: lower(made),
    metadata: {},
    payment_intent: idOf('pi', account),
    reason: 'requested_by_customer',
    status,
    ...(status === 'failed' && { failure_reason: 'expired_or_canceled_card' }),
  }
}

export function disputeOf(account: Account, status: string): StripeObject {
  const { made, disputed } = account.charged
  return {
    id: idOf('du', account),
    object: 'dispute',
    amount: units(disputed!.amount, made.currency),
    charge: idOf('ch', account),
    created: seconds(disputed!.at),
    currency: lower(made),
    livemode: false,
    metadata: {},
    payment_intent: idOf('pi', account),
    reason: 'fraudulent',
    status,
  }
}

/** Periods follow each other without a gap, also where a payment came a little later. */
function periodStartOf(account: Account): number {
  let first = account
  while (first.before) first = first.before
  const anchor = first.charged.made.paidAt
  return anchor + Math.round((account.charged.made.paidAt - anchor) / month) * month
}
