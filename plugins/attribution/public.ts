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
  /** What lost disputes took so far, also while another one is open. Unset when the provider does not say: then a lost dispute took all of it. */
  lost?: bigint
  /** `key` identifies the customer at the provider; `emailHash` is a keyed hash. No clear e-mail is stored for customers. */
  customer: { key: string; emailHash: string | undefined; country: string | undefined }
  /** What points to a partner. */
  hints: { clickId?: string; coupon?: string; deal?: string }
  product: string | undefined
  /** Set for a subscription's payments: the subscription's id and which payment this is, from 1. */
  recurring?: { subscription: string; sequence: number }
  paidAt: Date
}

/** More than this, in minor units, is not a sale but a mistake: a hundred billion dollars in cents. */
export const largestSale = 10n ** 13n

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
  /** What lost disputes took; with what was refunded at most gross. */
  readonly lost: bigint
  /** What the sale is still worth: gross − refunded − lost. */
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

/** What people do about sales that the rule decided, or could not. */
export interface Corrections {
  /**
   * Takes the sale from the partner who has it and gives it to another, or to nobody, by a decision of two people: a new decision in its trace, the customer
   * bound anew, and everything that hangs on it moved along, all within `tx`. @throws UserError when there is no such sale, it is theirs already, the new
   * partner is not active or bought it themselves
   */
  reassign(tx: Tx, programId: string, saleId: string, to: string | null, override: Override): Promise<{ from: string | null }>
  /** Sales that fit what somebody knows of one, best first; at most `limit`. */
  matching(reader: Reader, programId: string, clues: SaleClues, limit: number): Promise<readonly SaleMatch[]>
  /** Who paid how: the provider of the sale's payment, its key there, and what pointed to a partner. */
  origins(
    reader: Reader,
    programId: string,
    saleId: string,
  ): Promise<{ provider: string; paymentKey: string; hints: CanonicalPayment['hints'] } | undefined>
}

export interface Attribution extends Corrections {
  /**
   * Records the payment as a sale, decides whose it is, binds the customer, and emits what changed. Idempotent and safe in any order and concurrency.
   * A payment that first came without a hint is decided again when it comes with one, as long as the sale has no partner.
   * @throws UserError for a payment that cannot be: an unknown currency, an amount that is not positive, a refund larger than the sale,
   * a new sale dated in the future, another gross or currency than recorded before
   */
  recordPayment(tx: Tx, payment: CanonicalPayment): Promise<{ saleId: string; created: boolean }>
  /** As `recordPayment` for each in turn, with few statements; the results are in the order of the payments. @throws UserError for the first that cannot be */
  recordPayments(tx: Tx, payments: readonly CanonicalPayment[]): Promise<{ saleId: string; created: boolean }[]>
  /** Several of the program's sales; those that do not exist are left out. */
  salesById(reader: Reader, programId: string, saleIds: readonly string[]): Promise<Sale[]>
  sale(reader: Reader, programId: string, saleId: string): Promise<Sale | undefined>
  /** What each partner's sales with paidAt in [from, to) are still worth, by currency and in no order; without any such sale a partner has no row. */
  revenue(reader: Reader, programId: string, range: { from: Date; to: Date }): Promise<Revenue[]>
  /** Attributed sales with paidAt in [from, to), oldest first: their `net` is what still counts. Of a whole program that may be very many. */
  sales(reader: Reader, programId: string, range: { from: Date; to: Date; partnerId?: string }): Promise<Sale[]>
  /** The keyed hash under which an e-mail address is known; upper and lower case make no difference. */
  hashEmail(email: string): string
  /** The customer's e-mail addresses as `hashEmail` names them. */
  emailHashes(reader: Reader, programId: string, customerId: string): Promise<readonly string[]>
  /** As `emailHashes` for several customers; those without any are absent. */
  emailHashesOf(reader: Reader, programId: string, customerIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>
  /** Those of the sales whose payment names a deal. */
  withDealHint(reader: Reader, programId: string, saleIds: readonly string[]): Promise<ReadonlySet<string>>
  /** The decision in force of each of the sales. */
  latestDecisions(reader: Reader, programId: string, saleIds: readonly string[]): Promise<ReadonlyMap<string, AttributionDecision>>
  /** For each, in their order: counts over the partner's sales with paidAt in [from, to). */
  figures(
    reader: Reader,
    programId: string,
    asked: readonly { readonly partnerId: string; readonly from: Date; readonly to: Date }[],
  ): Promise<SalesFigures[]>
  /** For how many days a click counts, by the program's settings now. */
  windowDays(reader: Reader, programId: string): Promise<number>
  /** What rules of other plugins may ask of sales beside what a `Sale` says. Sales that do not exist are left out. */
  circumstances(reader: Reader, programId: string, saleIds: readonly string[]): Promise<ReadonlyMap<string, SaleCircumstances>>
  /** How the sale was decided, oldest first; the last decision is in force. Empty when there is no such sale. */
  decisions(reader: Reader, programId: string, saleId: string): Promise<readonly AttributionDecision[]>
  /** The latest sales of the program, newest first. */
  recent(reader: Reader, programId: string, limit: number): Promise<Sale[]>
  /**
   * Whom something points to that is no sale, such as a lead: decided by the same rule as a sale at that time, but it binds nobody and is not stored.
   * Undefined when it points to nobody who can be credited.
   */
  pointsTo(
    reader: Reader,
    what: { programId: string; hints: CanonicalPayment['hints']; emailHash: string | undefined; at: Date },
  ): Promise<Pointer | undefined>
  /** All sales of the program in the order in which they were recorded, newest first; `before` is the id of the last one seen. */
  recorded(
    reader: Reader,
    programId: string,
    page: { before?: string; limit: number },
  ): Promise<{ sale: Sale; provider: string; paymentKey: string; recordedAt: Date }[]>
  /** Sales since then that the partner was a candidate for, without having any of them now, newest first. */
  missed(reader: Reader, programId: string, partnerId: string, range: { since: Date; limit: number }): Promise<Sale[]>
}

/** Whom something points to, and what decided it. */
export interface Pointer {
  readonly partnerId: string
  readonly kind: Touch['kind'] | 'binding'
  readonly reference: string
  readonly at: Date
  /** Where the winning click came from; null when it was no click. */
  readonly origin: Origin | null
}

/** Sales of a partner in one currency whose `net` is above zero. */
export interface Revenue {
  readonly partnerId: string
  readonly currency: string
  /** Their sum in minor units; never zero. */
  readonly net: bigint
  /** When the last of them was paid. */
  readonly lastPaidAt: Date
}

export interface SaleCircumstances {
  /** The customer's country, ISO 3166. */
  readonly country: string | null
  /** When the first payment of its subscription was made, as far as it is known; null for a one-time sale. */
  readonly subscriptionSince: Date | null
}

/** Who changed whose sale it is, and why. `proposedBy` and `approvedBy` are Discord ids, and two people. */
export interface Override {
  readonly id: string
  readonly proposedBy: string
  readonly approvedBy: string
  readonly reason: string
}

/** A sale that goes from one partner to another. */
export interface SaleMove {
  readonly programId: string
  readonly saleId: string
  readonly currency: string
  readonly from: string | null
  readonly to: string | null
  readonly by: { readonly actor: string; readonly note: string }
}

/** Moves with a sale what hangs on it, in the transaction that moves the sale: nothing of it may be left with the partner who had it. */
export type SaleFollower = (tx: Tx, move: SaleMove) => Promise<void>
export const saleFollower = defineExtensionPoint<SaleFollower>('attribution.sale_follower')

/** What somebody knows of a sale; each part narrows nothing, it only makes a match better. */
export interface SaleClues {
  /** The sale's id, or the provider's key of the payment. */
  readonly reference?: string
  readonly emailHash?: string
  readonly gross?: bigint
  /** With `gross`: a sale that is worth that much without tax and shipping fits, too. */
  readonly orWithoutTax?: boolean
  readonly currency?: string
  /** When it was paid, at the latest a day off. */
  readonly from: Date
  readonly to: Date
}
export interface SaleMatch {
  readonly sale: Sale
  readonly reference: boolean
  readonly email: boolean
  /** Amount and time both fit. */
  readonly amount: boolean
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
  | 'overridden'

export interface AttributionDecision {
  readonly decidedAt: Date
  readonly rule: { readonly windowDays: number; readonly model: 'last' | 'first' }
  /** Set when people decided, not the rule. */
  readonly override?: Override
  /** Best first. */
  readonly candidates: readonly {
    readonly kind: Touch['kind'] | 'binding' | 'override'
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
  /** Sales of which something was refunded, or of which something was lost in a dispute. */
  readonly refunded: number
  /** First purchases that came with a click and neither coupon nor deal. */
  readonly firstByClick: number
  /** First purchases that came with a coupon. */
  readonly firstByCoupon: number
}

/** What a touch source may know of a payment. */
export type Asked = Pick<CanonicalPayment, 'hints' | 'customer' | 'paidAt'>

/** Finds touches for a payment, and only reads: all sources are asked at the same time. Contributed by whoever records them. */
export interface TouchSource {
  readonly kind: Touch['kind']
  find(
    reader: Reader,
    programId: string,
    hints: CanonicalPayment['hints'],
    customer: CanonicalPayment['customer'],
    paidAt: Date,
  ): Promise<readonly Touch[]>
  /** As `find` for each, in their order, with few statements: for sources that are asked at every sale. */
  findAll?(reader: Reader, programId: string, asked: readonly Asked[]): Promise<readonly (readonly Touch[])[]>
}
export const touchSource = defineExtensionPoint<TouchSource>('attribution.touch_source')

/** Subjects of /help, for plugins whose commands belong there as well. */
export const saleHelp = {
  partners: { id: 'earnings', title: 'Sales and earnings', emoji: '💰', about: 'What came through you, what it earns, and why' },
  admins: { id: 'sales', title: 'Sales', emoji: '🧾', about: 'Whose a sale is and why; claims and changes' },
}
