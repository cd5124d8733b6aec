// How another plugin adds a signal of fraud: one small rule that looks at the facts of a sale and returns evidence, or nothing.
import { type Sale, type SalesFigures, saleHelp, type Touch } from '../attribution/public.ts'
import { defineExtensionPoint, type Reader } from '../kit/index.ts'
import type { Partner } from '../partners/public.ts'

/** What a signal saw, kept with the case: counts, ids and times, never a name or an address. */
export interface Evidence {
  /** Ids of the other partners that the signal connects this one with. A connection that an admin has allowed does not count. */
  readonly others?: readonly string[]
  readonly [fact: string]: string | number | boolean | readonly string[] | undefined
}

/** From where on something is unusual; in the plugin's settings. */
export interface Limits {
  /** A purchase sooner than this after its click was made by no person. */
  readonly soonSeconds: number
  /** A click this short before the payment, when another partner had brought the customer, was put there to take the sale. */
  readonly injectionSeconds: number
  /** More counted clicks than this within ten minutes are no audience. */
  readonly velocityClicks: number
  readonly conversionPercent: number
  readonly refundPercent: number
  /** Hosts of pages that may not send customers. */
  readonly bannedReferrers: readonly string[]
}

export type WeighedTouch = Touch & { readonly won: boolean }

/** All that is known when a commission is judged; the same facts always give the same findings. */
export interface FraudFacts {
  readonly partner: Partner
  readonly sale: Sale
  /** What the decision in force weighed; `won` marks what decided. None won when the customer was bound by an earlier sale. */
  readonly touches: readonly WeighedTouch[]
  /** The customer's addresses, as keyed hashes. */
  readonly customerEmails: readonly string[]
  /** Every address that the partner has used in the program, as keyed hashes: as written, and without tag and dots. */
  readonly partnerEmails: readonly string[]
  /** Other partners whose mail reaches the same mailbox. */
  readonly sharedMailbox: readonly string[]
  /** Other partners whose money goes to the same place. */
  readonly sharedPayout: readonly string[]
  /** The click that won, as it was made; undefined when no click won, or it was forgotten. */
  readonly click:
    | {
        readonly paidBy: string | null
        readonly referrer: string | null
        readonly datacentre: boolean
        /** The partner was seen within a day of the click from the same address, or from the same address with the same browser. */
        readonly seen: 'address' | 'device' | null
      }
    | undefined
  readonly clicks: {
    /** Counted clicks of the partner within the ten minutes before the click that won; 0 when no click won. */
    readonly burst: number
    /** Counted clicks of the partner within the 30 days before the sale, in whole hours: those in which they begin and end count as a whole. */
    readonly month: number
  }
  /** The partner's sales within the 30 days before this one, and this one. */
  readonly month: SalesFigures
  /** The partner's sales within the 90 days before this one, and this one. */
  readonly quarter: SalesFigures
  readonly limits: Limits
}

export interface FraudSignal {
  /** Stable for ever, lower case with underscores: the commission is held with the reason `fraud_<id>`. */
  readonly id: string
  /** What it adds to the score; admins may set another weight, and 0 switches it off. */
  readonly weight: number
  /** What was seen, in one sentence for the partner. It must not tell anything of another partner or of the customer. */
  describe(evidence: Evidence): string
  /** What was seen, or undefined when there is nothing. It writes nothing; what is not in the facts it reads through `reader`. */
  evaluate(reader: Reader, facts: FraudFacts): Evidence | undefined | Promise<Evidence | undefined>
}

/** Contribute signals here. */
export const fraudSignal = defineExtensionPoint<FraudSignal>('fraud.signal')

export const fraudHelp = {
  partners: saleHelp.partners,
  admins: { id: 'fraud', title: 'Fraud', emoji: '🔎', about: 'Commissions that need your decision, and who is allowed what' },
}
