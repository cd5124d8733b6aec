// What the oracle remembers of a sale: the facts, and for each partner the terms it was stamped with and where the money is.
import type { Payment } from '../plan/shop.ts'

/** What a share keeps of the terms under which it was booked. */
export interface Stamp {
  readonly rule: string
  readonly rate: bigint
  readonly flat: bigint | undefined
  readonly basis: bigint
  readonly limit: bigint | undefined
  /** What the sale takes up of its rule's cap for a month or year, when there is one. */
  taken: bigint | undefined
  /** Until when it is pending. */
  readonly until: number
}

/** A part of what a sale earned, which moves as a whole. */
export interface Lot {
  at: 'pending' | 'held' | 'payable' | 'in_flight' | 'paid' | 'nowhere'
  /** It is held because the partner may not earn, not because of the sale. */
  barred: boolean
  /** What it is worth as part of the sale. */
  worth: bigint
  /** What of it lies in its account. */
  there: bigint
  /** What of it was taken back after it had been paid. */
  missed: bigint
}

export interface Sale {
  readonly key: string
  readonly order: number
  readonly made: Payment
  readonly customer: number
  readonly country: string | undefined
  firstOfCustomer: boolean
  partner: string | undefined
  /** How long before the payment the click was made that won it; undefined when something else decided. */
  clickLead: number | undefined
  /** As the provider last worked it out. */
  tax: bigint
  /** The deal that spoke for it when it was last decided, whether or not it won. */
  deal: string | undefined
  refunded: bigint
  dispute: 'none' | 'open' | 'won' | 'lost'
  /** What the dispute took. */
  lost: bigint
  click: string | undefined
  /** What was booked of it, by partner: for whoever has it, and for those who had it. */
  readonly shares: Map<string, Share>
  /** Whether people decided whose it is, and who had it before they last did. */
  change: { readonly from: string | undefined } | undefined
}

/** What a sale is, or was, to a partner. */
export interface Share {
  readonly sale: Sale
  readonly partner: string
  stamp: Stamp
  /** What people stopped it for. */
  readonly stops: Set<'manual' | 'fraud'>
  /** What people added, or took, oldest first. */
  readonly adjusted: bigint[]
  voided: boolean
  /** The partner could earn by it at some time since it was booked. */
  accepted: boolean
  readonly lots: Lot[]
}

/** What is told of a sale: that it is there (`unclaimed`: and nobody has it), whose it is, and what changed about it. */
export type SaleNews = 'unclaimed' | 'recorded' | 'attributed' | 'rebased' | 'refunded' | 'disputed'

export const bookOf = (partner: string, currency: string): string => `${partner} ${currency}`
/** What is booked for whoever has the sale. */
export const shareOf = (sale: Sale): Share | undefined => (sale.partner === undefined ? undefined : sale.shares.get(sale.partner))
export const isOpen = (lot: Lot): boolean => lot.at === 'pending' || lot.at === 'held' || lot.at === 'payable'
export const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b)
