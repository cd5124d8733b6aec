// What other plugins may ask of the ledger: post transfers, read balances, prove the books. Amounts in minor units.
import type { Reader, Tx } from '../kit/index.ts'

export type PartnerAccount = 'pending' | 'held' | 'payable' | 'in_flight' | 'paid' | 'clawback_debt'
export type ProgramAccount = 'commission_expense' | 'cash'

export interface AccountRef {
  readonly kind: PartnerAccount | ProgramAccount
  /** Null for the program's own accounts. */
  readonly partnerId: string | null
  readonly currency: string
}

export interface Transfer {
  programId: string
  /** Idempotency key, unique per program: posting the same key and content again returns the first transfer; other content is refused. */
  key: string
  /** A short code: accrue, release, refund, hold, payout_sent, payout_confirmed, payout_returned, … */
  reason: string
  /** What this transfer is about, e.g. ('commission', id). */
  subject: { type: string; id: string }
  /** Signed amounts, positive = debit, negative = credit; they sum to zero per currency. */
  entries: readonly { account: AccountRef; amount: bigint }[]
  /** The transfer that this one corrects. */
  corrects?: string
}

export interface Balance extends AccountRef {
  /** Sum of the account's entries, in its natural sign: what a partner has in `payable` is positive. */
  readonly amount: bigint
}

export interface ProofFinding {
  readonly check: string
  readonly detail: string
}
export interface Proof {
  readonly ok: boolean
  readonly transfers: number
  readonly accounts: number
  readonly findings: readonly ProofFinding[]
}

/** A plugin whose status columns are projections of the ledger lets the proof compare them. Contributed to `ledger.projection`. */
export interface Projection {
  readonly id: string
  /** Sentences about rows that disagree with the ledger; empty when all agree. */
  disagreements(reader: Reader, programId: string): Promise<readonly string[]>
}

export interface Ledger {
  /** Posts the transfer within `tx`, locking its accounts in sorted order. @throws UserError when the key was used with other content, Error when it does not balance */
  post(tx: Tx, transfer: Transfer): Promise<{ transferId: string; replayed: boolean }>
  /** Natural-sign balances, partner accounts of one partner or all of the program. */
  balances(reader: Reader, programId: string, partnerId?: string): Promise<Balance[]>
  prove(reader: Reader, programId: string): Promise<Proof>
}
