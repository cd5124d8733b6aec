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
  hints: { clickId?: string; coupon?: string }
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
  readonly refunded: bigint
  readonly paidAt: Date
  readonly product: string | null
}

export interface Attribution {
  /** Records the payment as a sale, binds the customer, and emits what changed. Idempotent and safe in any order. */
  recordPayment(tx: Tx, payment: CanonicalPayment): Promise<{ saleId: string; created: boolean }>
  sale(reader: Reader, programId: string, saleId: string): Promise<Sale | undefined>
  /** Attributed sales with paidAt in [from, to), net of refunds, for scores. */
  sales(reader: Reader, programId: string, range: { from: Date; to: Date; partnerId?: string }): Promise<Sale[]>
}

/** Something that speaks for a partner: a click, a coupon, a registered deal. */
export interface Touch {
  readonly kind: 'click' | 'coupon' | 'deal'
  readonly partnerId: string
  readonly at: Date
  /** The click id, coupon code or deal id. */
  readonly reference: string
}

/** Finds touches for a payment. Contributed by whoever records them. */
export interface TouchSource {
  readonly kind: Touch['kind']
  find(reader: Reader, programId: string, hints: CanonicalPayment['hints'], customer: CanonicalPayment['customer']): Promise<readonly Touch[]>
}
export const touchSource = defineExtensionPoint<TouchSource>('attribution.touch_source')
