// The shapes of payouts that the files of this plugin share.
import type { Reader, Tx } from '../kit/index.ts'
import type { Partner } from '../partners/public.ts'
import type { Approver, Gate } from './decide.ts'
import type { Payouts, ProviderTransfer } from './public.ts'
import type { methods, payouts } from './tables.ts'

export type PayoutRow = typeof payouts.$inferSelect
export type MethodRow = typeof methods.$inferSelect

/** Commissions, counted and added up. */
export interface Sum {
  readonly amount: bigint
  readonly commissions: number
}

/** What a run would do with the payable commissions of one partner in one currency: which amount it would pay, for how many of them. */
export interface PlanLine extends Sum {
  readonly partner: Partner
  readonly currency: string
  /** All of them; that is more where the method pays only multiples of `step`. What is over stays payable. */
  readonly payable: Sum
  readonly step: bigint
  readonly method: MethodRow | undefined
  /** Why not, or null. */
  readonly gate: Gate | null
}

export interface RunResult {
  readonly prepared: readonly PayoutRow[]
  readonly skipped: readonly PlanLine[]
  /** Until when a lower threshold of before counts, if something waits because of it. */
  readonly lowerUntil: Date | undefined
}

/** A run of which payouts wait for approval. */
export interface WaitingRun {
  readonly runId: string
  /** Who started it: an admin's Discord id, or `scheduleActor`. */
  readonly actor: string
  readonly startedAt: Date
  readonly payouts: readonly { readonly partnerId: string; readonly currency: string; readonly amount: bigint }[]
}

/** What an approval did; those taken back say why in their note. */
export interface Approval {
  readonly approved: readonly PayoutRow[]
  readonly takenBack: readonly PayoutRow[]
}

/** The provider of payouts that people make themselves, from an exported list. */
export const byHand = 'manual'

/** What events tell of a payout. */
export const payloadOf = ({ programId, id, partnerId, currency, amount }: PayoutRow) => ({
  programId,
  payoutId: id,
  partnerId,
  currency,
  amount,
})

export interface PayoutService extends Payouts {
  plan(reader: Reader, programId: string, partnerId?: string): Promise<PlanLine[]>
  /** Prepares a payout for everyone the gates let through; one transaction per partner, so it may be repeated or run at once without paying twice. */
  run(programId: string, actor: string): Promise<RunResult>
  /** Who an admin is to the runs that wait. */
  approver(reader: Reader, programId: string, userId: string): Promise<Approver>
  /** Runs that wait for approval, oldest first. */
  waiting(reader: Reader, programId: string): Promise<WaitingRun[]>
  /**
   * Lets go what someone else's run left waiting, after another look at the gates: where one is closed now, the payout is taken back. May be repeated
   * when it broke off. @throws UserError when this admin started the run, is paid by it or set its day lately, or when more waits than the `seen` payouts that the admin was shown
   */
  approve(programId: string, runId: string, actor: string, seen: number): Promise<Approval>
  /** Calls back whatever waits of a run: its commissions are payable again. */
  reject(programId: string, runId: string): Promise<PayoutRow[]>
  /** Calls back a payout that nobody has tried to send: its commissions are payable again. @throws UserError when it is too late, or not of the program */
  cancel(programId: string, payoutId: string, reason: string): Promise<PayoutRow>
  /** Payouts that can be called back, oldest first. */
  cancellable(reader: Reader, programId: string, limit: number): Promise<PayoutRow[]>
  newest(reader: Reader, programId: string, limit: number, partnerId?: string): Promise<PayoutRow[]>
  /** Asks again for payouts that are still to be sent and whose time has come; returns how many. */
  retryDue(): Promise<number>
  /** Counts a try before it is made; the payout as it was before, or undefined when there is nothing to send any more. */
  countTry(tx: Tx, payoutId: string): Promise<PayoutRow | undefined>
  /** A last look at the gates before the first try, or before it is listed: false when the payout was taken back, which the staff is told. */
  mayGo(tx: Tx, payoutId: string): Promise<boolean>
  /** Takes back what waits for the partner and was never tried, where a gate is closed now; the staff is told. */
  lookAgain(tx: Tx, programId: string, partnerId: string): Promise<void>
  /**
   * Leaves the payout waiting, with the reason for the admin. `untried`: nothing came of the try just counted. `postponed`: because the provider said so;
   * the next try goes under a key of its own, unless other tries without an answer may still come to something under this one.
   */
  wait(tx: Tx, payoutId: string, note: string, options?: { untried?: boolean; postponed?: boolean }): Promise<void>
  recordSent(tx: Tx, payoutId: string, transfer: ProviderTransfer): Promise<void>
  recordRefused(tx: Tx, payoutId: string, message: string, forPartner: string): Promise<void>
  /**
   * Has these providers asked about accounts to which something did not get through, and of which nothing was heard since: the question was lost, or not
   * answered.
   */
  checkAgain(providers: readonly string[]): Promise<void>
  forgetEarlyNews(): Promise<void>
}
