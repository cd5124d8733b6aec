// What other plugins may ask of commissions. Amounts in minor units.
import type { Reader, Tx } from '../kit/index.ts'

export type CommissionState = 'pending' | 'held' | 'payable' | 'in_payout' | 'paid' | 'rejected' | 'voided'

export interface Commission {
  readonly id: string
  readonly programId: string
  readonly partnerId: string
  readonly saleId: string
  readonly currency: string
  /** What the sale was worth to the commission: gross − tax − shipping, as stamped. */
  readonly basis: bigint
  readonly ratePpm: bigint
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
  /** Payable commissions with something due, locked for the caller's transaction (which holds one partner and currency at most). */
  takePayable(tx: Tx, programId: string, partnerId: string, currency: string): Promise<Commission[]>
  /** Partners and currencies with something payable, all of the program or of one partner; `amount` is the sum of what is due. */
  payable(
    reader: Reader,
    programId: string,
    partnerId?: string,
  ): Promise<readonly { partnerId: string; currency: string; amount: bigint; count: number }[]>
  /**
   * Moves commissions of one partner and currency along with their payout. The ledger transfer of `due` is the payout's, and must be posted before this
   * call: what comes back as payable may at once repay a debt or be held.
   */
  setState(
    tx: Tx,
    programId: string,
    ids: readonly string[],
    state: 'in_payout' | 'paid' | 'payable',
    reason: string | null,
  ): Promise<void>
}
