// What other plugins may ask of commissions. Amounts in minor units.
import type { Reader, Tx } from '../kit/index.ts'

export type CommissionState = 'pending' | 'held' | 'payable' | 'in_payout' | 'paid' | 'rejected' | 'voided'

export interface Commission {
  readonly id: string
  readonly programId: string
  readonly partnerId: string
  readonly saleId: string
  readonly currency: string
  /** What the commission is worth now, after refunds. */
  readonly amount: bigint
  readonly state: CommissionState
  readonly reason: string | null
  readonly holdUntil: Date
  readonly createdAt: Date
}

export interface Commissions {
  ofPartner(reader: Reader, programId: string, partnerId: string): Promise<Commission[]>
  /** Payable commissions, locked for the caller's transaction. */
  takePayable(tx: Tx, programId: string, partnerId: string, currency: string): Promise<Commission[]>
  /** Partners and currencies with something payable. */
  payable(reader: Reader, programId: string): Promise<readonly { partnerId: string; currency: string; amount: bigint; count: number }[]>
  /** Moves commissions along with their payout; the ledger transfer is the payout's. */
  setState(tx: Tx, programId: string, ids: readonly string[], state: 'in_payout' | 'paid' | 'payable', reason: string | null): Promise<void>
}
