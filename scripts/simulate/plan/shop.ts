// What happens at the shop: clicks, payments, and the news of them. Only shapes; amounts in minor units, instants in ms.
/** The money of one payment, as it was made. */
export interface Payment {
  readonly key: string
  readonly customer: Customer
  readonly currency: string
  readonly gross: bigint
  readonly tax: bigint
  readonly shipping: bigint
  readonly paidAt: number
  readonly product: string | undefined
  /** The click whose id the payment carried. */
  readonly click: string | undefined
  /** The code that was typed at the checkout. */
  readonly coupon: string | undefined
  readonly subscription: { readonly id: string; readonly sequence: number } | undefined
}

export interface Customer {
  /** The key at the payment provider. */
  readonly key: string
  readonly email: string | undefined
  readonly country: string | undefined
  /** Pays through Stripe, which tells of it by its webhooks alone; else payments are handed over in canonical form. */
  readonly stripe?: true
}

/** A refund of a part of a payment, and when it turned out not to have worked. */
export interface Refund {
  readonly at: number
  readonly amount: bigint
  failedAt?: number
}

/** A payment through Stripe with everything that Stripe will know of it, whenever it is told. */
export interface Charged {
  readonly made: Payment
  readonly refunds: readonly Refund[]
  readonly disputed: { readonly at: number; readonly amount: bigint } | undefined
  /** The click whose id the shop adds to the payment when it is made already. */
  readonly lateClick: string | undefined
}

/** News about a payment as the payment provider tells them; `at` is the provider's own time and orders them, whenever they arrive. */
export type News = { readonly payment: string; readonly at: number } & (
  | { readonly kind: 'paid'; readonly made: Payment }
  | { readonly kind: 'refunded'; readonly total: bigint }
  | {
      readonly kind: 'dispute'
      readonly state: 'open' | 'won' | 'lost' /** Of a lost one: unset when it is all of the payment. */
      readonly lost?: bigint
    }
  | { readonly kind: 'click'; readonly click: string }
  | { readonly kind: 'retaxed'; readonly tax: bigint }
)

export interface Click {
  readonly key: string
  readonly partner: string
  readonly at: number
  /** The click that the same browser made before. */
  readonly previous: string | undefined
}
