// What other plugins may ask of commissions. Amounts in minor units.
import { saleHelp } from '../attribution/public.ts'
import { defineExtensionPoint, type Reader, type Tx } from '../kit/index.ts'
import type { Books } from './books.ts'

export type CommissionState = 'pending' | 'held' | 'payable' | 'in_payout' | 'paid' | 'rejected' | 'voided'

export interface Commission {
  readonly id: string
  readonly programId: string
  readonly partnerId: string
  readonly saleId: string
  readonly currency: string
  /** What the sale was worth to the commission: gross − tax − shipping, as stamped. */
  readonly basis: bigint
  /** 0 when the rule pays an amount instead. */
  readonly ratePpm: bigint
  /** Set when the rule pays this amount for a sale, instead of a rate. */
  readonly flat: bigint | null
  /** What the commission is worth now, after refunds. */
  readonly amount: bigint
  /** What of it stands in the account of its state: less than `amount` when part of it repaid a debt. This is what a payout pays. */
  readonly due: bigint
  readonly state: CommissionState
  readonly reason: string | null
  readonly holdUntil: Date
  /** When the customer paid. */
  readonly earnedAt: Date
  readonly createdAt: Date
}

export interface Commissions {
  ofPartner(reader: Reader, programId: string, partnerId: string): Promise<Commission[]>
  /**
   * Keeps others from the commissions of one partner and currency until the transaction ends. Whoever moves money along with commissions calls this before
   * anything is posted in the ledger: everybody takes the books first and the accounts behind them second, so no two wait for each other.
   */
  lock(tx: Tx, books: Books): Promise<void>
  /** Payable commissions with something due, locked for the caller's transaction (which holds one partner and currency at most). */
  takePayable(tx: Tx, programId: string, partnerId: string, currency: string): Promise<Commission[]>
  /** Payable commissions with something due in these books, the oldest first. Locks nothing. */
  payableIn(reader: Reader, programId: string, books: readonly Omit<Books, 'programId'>[]): Promise<readonly Commission[]>
  /** Partners and currencies with something payable, all of the program or of one partner; `amount` is the sum of what is due. */
  payable(
    reader: Reader,
    programId: string,
    partnerId?: string,
  ): Promise<readonly { partnerId: string; currency: string; amount: bigint; count: number }[]>
  /**
   * Moves commissions of one partner and currency along with their payout. The ledger transfer of `due` is the payout's. For what becomes payable it must be
   * posted before this call, because that may at once repay a debt or be held. @throws Error when not every one of them is there and in a state before
   */
  setState(
    tx: Tx,
    books: Books,
    ids: readonly string[],
    state: 'in_payout' | 'paid' | 'payable',
    reason: string | null,
  ): Promise<void>
  /** Whether any of these commissions would be held if it were not in a payout: its sale is disputed, or somebody stopped it. */
  isAnyStopped(reader: Reader, programId: string, commissionIds: readonly string[]): Promise<boolean>
  /**
   * Holds what is not yet in a payout of the commission's sale, for a reason of the caller's (`fraud_…`), until `release` lifts that reason. Beside the
   * automatic holds, and beside other reasons: it is free again when none is left. Idempotent. False when nothing of it can be held now (paid, in a payout,
   * voided); then it holds what comes back later, and nothing of a commission that is unknown or whose sale went to another partner. Tells the partner
   * nothing: that is the caller's.
   */
  hold(tx: Tx, programId: string, commissionId: string, reason: string): Promise<boolean>
  /** Lifts the hold that `hold` placed for this reason. False when there is none. What is free again follows the facts of now: pending, or held by another reason. */
  release(tx: Tx, programId: string, commissionId: string, reason: string): Promise<boolean>
  /**
   * Makes the commission of the sale worth nothing, for good, by a decision of an admin; told to the partner with the note. What was paid becomes debt.
   * @throws UserError `voided` when it was voided before
   */
  void(tx: Tx, programId: string, commissionId: string, reason: string, by: By): Promise<Commission>
}

/** The person who does something, and why. Partners read the note. */
export interface By {
  readonly actor: string
  readonly note: string
}

/** Names a partner's tier, for rules that are for a tier. Contributed by whoever keeps tiers; the first that names one counts. */
export interface TierSource {
  readonly id: string
  tierOf(reader: Reader, programId: string, partnerId: string): Promise<string | null>
}
export const tierSource = defineExtensionPoint<TierSource>('commissions.tier_source')

export const commissionHelp = {
  partners: saleHelp.partners,
  admins: {
    id: 'commissions',
    title: 'Commissions and rules',
    emoji: '⚖️',
    about: 'What partners earn by which rule; hold, adjust and void',
  },
}
