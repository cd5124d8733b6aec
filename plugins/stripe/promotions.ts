// Promotion codes: events name them by id only, so Stripe is asked for what the customer typed. Knows Stripe's API only as a port.
import type { Fact } from './facts.ts'

export interface PromotionApi {
  /** The code as customers type it; undefined when Stripe has none with this id. */
  promotionCode(id: string): Promise<string | undefined>
  /** The id of the promotion code among an invoice's discounts. */
  promotionOfInvoice(invoiceId: string): Promise<string | undefined>
}

/** Invoices of a running subscription: the customer was won long before, and Stripe repeats the discount each month. */
const renewals = new Set(['subscription_cycle', 'subscription_update', 'subscription_threshold'])

/** Whether Stripe has to be asked for the code behind the fact. */
export function hasPromotion(fact: Fact): boolean {
  if (fact.type === 'session') return Boolean(fact.fields.promotion)
  if (fact.type !== 'invoice' || renewals.has(fact.fields.billingReason ?? '')) return false
  return Boolean(fact.fields.promotion || fact.fields.discounted)
}

/** Adds the code that was typed in to a session or first invoice. Codes never change, so each is asked for once. Never within a transaction. */
export function createCouponReader(api: PromotionApi): (fact: Fact) => Promise<Fact> {
  const known = new Map<string, string | undefined>()
  const codeOf = async (id: string) => {
    if (!known.has(id)) known.set(id, await api.promotionCode(id))
    return known.get(id)
  }
  return async (fact) => {
    if ((fact.type !== 'session' && fact.type !== 'invoice') || !hasPromotion(fact)) return fact
    const promotion = fact.fields.promotion ?? (await api.promotionOfInvoice(fact.objectId))
    if (!promotion) return fact
    return { ...fact, fields: { ...fact.fields, promotion, coupon: (await codeOf(promotion)) ?? null } } as Fact
  }
}
