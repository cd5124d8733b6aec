// What other plugins may ask of attribution, and how they feed it.
import { defineExtensionPoint, type Reader, type Tx } from '../kit/index.ts'

/** One payment of a customer, whatever the provider calls its parts. Amounts in minor units. */
export interface CanonicalPayment {
  programId: string
  provider: string
  /** One key per payment at the provider, e.g. Stripe's payment intent. Recording the same key again changes only what has changed. */
  paymentKey: string
  gross: bigint
  tax: bigint
  shipping: bigint
  currency: string
  /** Everything refunded so far; may go down when a refund is itself reversed. */
  refunded: bigint
  dispute: 'none' | 'open' | 'won' | 'lost'
  /** `key` identifies the customer at the provider; `emailHash` is a keyed hash. No clear e-mail is stored for customers. */
  customer: { key: string; emailHash: string | undefined; country: string | undefined }
  /** What points to a partner. */
  hints: { clickId?: string; coupon?: string; deal?: string }
  product: string | undefined
  /** Set for a subscription's payments: the subscription's id and which payment this is, from 1. */
  recurring?: { subscription: string; sequence: number }
  paidAt: Date
}

export interface Sale {
  readonly id: string
  readonly programId: string
  readonly partnerId: string | null
  readonly customerId: string
  readonly currency: string
  readonly gross: bigint
  /** gross − tax − shipping */
  readonly basis: bigint
  /** Everything refunded so far. */
  readonly refunded: bigint
  readonly dispute: CanonicalPayment['dispute']
  /** What the sale is still worth: gross − refunded, and nothing after a lost dispute. */
  readonly net: bigint
  readonly paidAt: Date
  readonly product: string | null
  /** Set for a subscription's payments. */
  readonly subscription: string | null
  /** Which payment of the subscription, from 1; null for a one-time sale. */
  readonly sequence: number | null
  readonly firstOfCustomer: boolean
  /** What brought the customer; null when it was no click. */
  readonly origin: Origin | null
}

/** The click that won a sale, as it was made: kept with the sale, because clicks are forgotten. A bound customer’s later sales keep that of the first. */
export interface Origin {
  /** The link’s id. */
  readonly link: string
  readonly campaign?: string
  readonly page?: string
  readonly country?: string
  readonly device?: string
  readonly referrer?: string
}

export interface Attribution {
  /**
   * Records the payment as a sale, decides whose it is, binds the customer, and emits what changed. Idempotent and safe in any order and concurrency.
   * A payment that first came without a hint is decided again when it comes with one, as long as the sale has no partner.
   * @throws UserError for a payment that cannot be: an unknown currency, an amount that is not positive, a refund larger than the sale,
   * another gross or currency than recorded before
   */
  recordPayment(tx: Tx, payment: CanonicalPayment): Promise<{ saleId: string; created: boolean }>
  sale(reader: Reader, programId: string, saleId: string): Promise<Sale | undefined>
  /** Attributed sales with paidAt in [from, to), oldest first, for scores: their `net` is what still counts. */
  sales(reader: Reader, programId: string, range: { from: Date; to: Date; partnerId?: string }): Promise<Sale[]>
  /** The keyed hash under which an e-mail address is known; upper and lower case make no difference. */
  hashEmail(email: string): string
  /** The customer's e-mail addresses as `hashEmail` names them. */
  emailHashes(reader: Reader, programId: string, customerId: string): Promise<readonly string[]>
  /** Counts over the partner's sales with paidAt in [from, to). */
  figures(reader: Reader, programId: string, partnerId: string, range: { from: Date; to: Date }): Promise<SalesFigures>
  /** For how many days a click counts, by the program's settings now. */
  windowDays(reader: Reader, programId: string): Promise<number>
  /** What rules of other plugins may ask of sales beside what a `Sale` says. Sales that do not exist are left out. */
  circumstances(reader: Reader, programId: string, saleIds: readonly string[]): Promise<ReadonlyMap<string, SaleCircumstances>>
  /** How the sale was decided, oldest first; the last decision is in force. Empty when there is no such sale. */
  decisions(reader: Reader, programId: string, saleId: string): Promise<readonly AttributionDecision[]>
  /** Sales since then that the partner was a candidate for, without having any of them now, newest first. */
  missed(reader: Reader, programId: string, partnerId: string, range: { since: Date; limit: number }): Promise<Sale[]>
}

export interface SaleCircumstances {
  /** The customer's country, ISO 3166. */
  readonly country: string | null
  /** When the first payment of its subscription was made, as far as it is known; null for a one-time sale. */
  readonly subscriptionSince: Date | null
}

/** Why a candidate was not credited. */
export type LossReason =
  | 'bound_to_another'
  | 'lower_precedence'
  | 'later_touch_won'
  | 'earlier_touch_won'
  | 'window_expired'
  | 'after_the_sale'
  | 'self_referral'
  | 'ineligible_status'
  | 'unknown_partner'

export interface AttributionDecision {
  readonly decidedAt: Date
  readonly rule: { readonly windowDays: number; readonly model: 'last' | 'first' }
  /** Best first. */
  readonly candidates: readonly {
    readonly kind: Touch['kind'] | 'binding'
    readonly reference: string
    readonly partnerId: string
    readonly at: Date
    /** Null for the winner. */
    readonly lost: LossReason | null
  }[]
}

/** Something that speaks for a partner: a click, a coupon, a registered deal. */
export interface Touch {
  readonly kind: 'click' | 'coupon' | 'deal'
  readonly partnerId: string
  readonly at: Date
  /** The click id, coupon code or deal id. */
  readonly reference: string
  /** Of a click: where it came from. */
  readonly origin?: Origin
}

export interface SalesFigures {
  readonly sales: number
  /** Sales of which something was refunded, or that were lost in a dispute. */
  readonly refunded: number
  /** First purchases that came with a click and neither coupon nor deal. */
  readonly firstByClick: number
  /** First purchases that came with a coupon. */
  readonly firstByCoupon: number
}

/** Finds touches for a payment. Contributed by whoever records them. */
export interface TouchSource {
  readonly kind: Touch['kind']
  find(
    reader: Reader,
    programId: string,
    hints: CanonicalPayment['hints'],
    customer: CanonicalPayment['customer'],
    paidAt: Date,
  ): Promise<readonly Touch[]>
}
export const touchSource = defineExtensionPoint<TouchSource>('attribution.touch_source')
