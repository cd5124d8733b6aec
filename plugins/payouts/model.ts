// The shapes of payouts that the files of this plugin share.
import type { Reader, Tx } from '../kit/index.ts'
import type { Partner } from '../partners/public.ts'
import type { Gate } from './decide.ts'
import type { Payouts, ProviderTransfer } from './public.ts'
import type { methods, payouts } from './tables.ts'

export type PayoutRow = typeof payouts.$inferSelect
export type MethodRow = typeof methods.$inferSelect

/** What a run would do with the payable commissions of one partner in one currency. */
export interface PlanLine {
  readonly partner: Partner
  readonly currency: string
  readonly amount: bigint
  readonly commissions: number
  readonly method: MethodRow | undefined
  /** Why not, or null. */
  readonly gate: Gate | null
}

export interface RunResult {
  readonly prepared: readonly PayoutRow[]
  readonly skipped: readonly PlanLine[]
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
  /** Lets go what someone else's run left waiting. @throws UserError when there is only what this admin started */
  approve(programId: string, actor: string): Promise<PayoutRow[]>
  /** Calls back a payout that nobody has tried to send: its commissions are payable again. @throws UserError when it is too late, or not of the program */
  cancel(programId: string, payoutId: string, reason: string): Promise<PayoutRow>
  /** Payouts that can be called back, oldest first. */
  cancellable(reader: Reader, programId: string, limit: number): Promise<PayoutRow[]>
  newest(reader: Reader, programId: string, limit: number, partnerId?: string): Promise<PayoutRow[]>
  byId(reader: Reader, payoutId: string): Promise<PayoutRow | undefined>
  /** Asks again for payouts that are still to be sent and whose time has come; returns how many. */
  retryDue(): Promise<number>
  /** Counts a try before it is made; the earlier tries, or undefined when there is nothing to send any more. */
  countTry(tx: Tx, payoutId: string): Promise<number | undefined>
  /** Leaves the payout waiting, with the reason for the admin. `untried`: the try just counted ended before anything was handed to the provider. */
  wait(tx: Tx, payoutId: string, note: string, options?: { untried: boolean }): Promise<void>
  recordSent(tx: Tx, payoutId: string, transfer: ProviderTransfer): Promise<void>
  recordRefused(tx: Tx, payoutId: string, message: string): Promise<void>
  forgetEarlyNews(): Promise<void>
}
