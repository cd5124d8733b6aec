// What other plugins may ask of the ledger: post transfers, read balances, prove the books. Amounts in minor units.
import type { SQL } from 'drizzle-orm'
import { defineExtensionPoint, type Reader, type Tx } from '../kit/index.ts'

export type PartnerAccount = 'pending' | 'held' | 'payable' | 'in_flight' | 'paid' | 'clawback_debt'
/** `settled` stands against the partners' `paid` accounts, which are a memory of what each was paid and not a debt of the program. */
export type ProgramAccount = 'commission_expense' | 'cash' | 'settled'

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

export interface PostedTransfer extends Omit<Transfer, 'corrects'> {
  id: string
  corrects: string | null
  postedAt: Date
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
  /** How many of them have their place in the hash chain; the rest is sealed within seconds. */
  readonly sealed: number
  readonly accounts: number
  readonly findings: readonly ProofFinding[]
  /** Where this proof ended: a later one may go on from here, when this one is ok. */
  readonly checkpoint: Checkpoint
}

/** How far the books were proven, and what they were like up to there. Worth as much as the place where it is kept. */
export interface Checkpoint {
  /** The last link of the chain, and its hash. */
  readonly sequence: number
  readonly hash: string
  /** A fingerprint of every row up to that link. */
  readonly print: string
}

/** A plugin whose status columns are projections of the ledger lets the proof compare them. Contributed to `ledger.projection`. */
export interface Projection {
  readonly id: string
  /** Sentences about rows that disagree with the ledger; empty when all agree. */
  disagreements(reader: Reader, programId: string): Promise<readonly string[]>
}
export const projection = defineExtensionPoint<Projection>('ledger.projection')

export interface Ledger {
  /** Posts the transfer within `tx`, locking its accounts in sorted order. @throws UserError when the key was used with other content, Error when it does not balance */
  post(tx: Tx, transfer: Transfer): Promise<{ transferId: string; replayed: boolean }>
  /** Posts transfers of one program in the order given, in one round trip; results in that order. @throws as `post` */
  postAll(tx: Tx, transfers: readonly Transfer[]): Promise<{ transferId: string; replayed: boolean }[]>
  /** What these partners owe; currencies in which nothing is owed are left out. */
  debtsOf(reader: Reader, programId: string, partnerIds: readonly string[]): Promise<Balance[]>
  /** Natural-sign balances, partner accounts of one partner or all of the program. */
  balances(reader: Reader, programId: string, partnerId?: string): Promise<Balance[]>
  /**
   * Compares what another plugin says of each subject of a type with the natural-sign sums of one kind of account, within the database, and returns what
   * is not the same. `said` is a query of (subject_id text, currency text, amount bigint), each subject and currency once.
   */
  differing(
    reader: Reader,
    programId: string,
    booked: { readonly kind: AccountRef['kind']; readonly subjectType: string },
    said: SQL,
  ): Promise<readonly { subjectId: string; currency: string; said: bigint; booked: bigint }[]>
  /** Transfers as posted, oldest first: those about one subject, or those that touch a partner's accounts within [from, to). */
  transfers(
    reader: Reader,
    programId: string,
    filter: { subject: { type: string; id: string } } | { partnerId: string; from: Date; to: Date },
  ): Promise<PostedTransfer[]>
  /** What the partner's accounts stood at just before this time, in natural sign; those at zero are left out. */
  balancesBefore(reader: Reader, programId: string, partnerId: string, before: Date): Promise<Balance[]>
  /** Partners of whom anything was booked within [from, to). */
  partnersWithTransfers(reader: Reader, programId: string, range: { from: Date; to: Date }): Promise<string[]>
  /**
   * Compares everything with everything, in one snapshot: transfers balance, balances are the sums of their entries, bodies match their keys, the chain
   * holds, and the projections of other plugins agree. Reads only.
   *
   * With `since`, it goes on from an earlier proof that was ok, for a fraction of the price. Still everything is read: balances against all their entries,
   * projections against all of the books, and every earlier row against its fingerprint of then. Only bodies and chain are computed anew for what came
   * since. A row of before that was changed together with its balance and its fingerprint is found by a proof of everything alone.
   */
  prove(reader: Reader, programId: string, since?: Checkpoint): Promise<Proof>
}
