// Sales and refunds as the company's own programs report them: one payment, its refunds in any order, handed to attribution as one canonical payment.
import { and, desc, eq, lt, sql } from 'drizzle-orm'
import type { Attribution, CanonicalPayment } from '../attribution/public.ts'
import { type Clock, formatMoney, newId, type Reader, type Tx, UserError } from '../kit/index.ts'
import { hintsOf } from './leads.ts'
import { counting, refundedTotal } from './refunded.ts'
import { payments, refunds } from './tables.ts'
import { whenReported } from './times.ts'

type PaymentRow = typeof payments.$inferSelect
export type RefundRow = typeof refunds.$inferSelect

export interface NewSale {
  readonly programId: string
  /** One key per payment; the same key again is the same sale. */
  readonly paymentId: string
  readonly gross: bigint
  readonly tax: bigint
  readonly shipping: bigint
  readonly currency: string
  readonly customer: { readonly id: string | undefined; readonly email: string | undefined; readonly country: string | undefined }
  readonly clickId: string | undefined
  readonly coupon: string | undefined
  readonly product: string | undefined
  readonly recurring: { readonly subscription: string; readonly sequence: number } | undefined
  readonly paidAt: Date | undefined
}

export interface NewRefund {
  readonly programId: string
  readonly paymentId: string
  /** Set for one refund of its own; unset when `amount` is everything refunded so far. */
  readonly refundId: string | undefined
  readonly amount: bigint
  readonly currency: string | undefined
  readonly reversed: boolean
  readonly refundedAt: Date | undefined
}

export interface PaymentService {
  /** Records the sale, with the refunds that were reported before it. @throws UserError when the payment is known with another amount, or cannot be */
  recordSale(tx: Tx, sale: NewSale): Promise<{ saleId: string; created: boolean; parked: number }>
  /**
   * Records the refund, or parks it until its sale comes. @throws UserError when it does not fit the sale, or contradicts what was reported before; one that is
   * taken back is recorded in any case
   */
  recordRefund(tx: Tx, refund: NewRefund): Promise<{ refund: RefundRow; created: boolean }>
  /** Newest first; `before` is the id of the last one seen. */
  refundPage(
    reader: Reader,
    programId: string,
    page: { before?: string; limit: number; state?: RefundRow['state'] },
  ): Promise<RefundRow[]>
}

interface Parts {
  clock: Clock
  attribution: Pick<Attribution, 'recordPayment' | 'hashEmail'>
}

/** The provider under which attribution knows these payments. */
export const provider = 'api'

export function createPaymentService({ clock, attribution }: Parts): PaymentService {
  /** Reports about one payment at the same moment follow each other. */
  async function lock(tx: Tx, programId: string, paymentId: string): Promise<void> {
    const name = `tracking ${programId} payment ${paymentId}`
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`)
  }
  const paymentOf = async (reader: Reader, programId: string, paymentId: string): Promise<PaymentRow | undefined> =>
    (
      await reader
        .select()
        .from(payments)
        .where(and(eq(payments.programId, programId), eq(payments.paymentId, paymentId)))
    )[0]
  const refundsOf = (reader: Reader, programId: string, paymentId: string): Promise<RefundRow[]> =>
    reader
      .select()
      .from(refunds)
      .where(and(eq(refunds.programId, programId), eq(refunds.paymentId, paymentId)))

  /** What was refunded so far; refunds that do not fit the payment are parked with the problem. */
  async function settleRefunds(
    tx: Tx,
    payment: Omit<PaymentRow, 'saleId'>,
  ): Promise<{ refunded: bigint; parked: number; problem: string | null }> {
    const { programId, paymentId } = payment
    const known = await refundsOf(tx, programId, paymentId)
    if (known.length === 0) return { refunded: 0n, parked: 0, problem: null }
    const total = refundedTotal(known)
    const problem = problemOf(known, total, payment)
    await tx
      .update(refunds)
      .set(problem ? { state: 'parked', problem } : { state: 'applied', problem: null })
      .where(and(eq(refunds.programId, programId), eq(refunds.paymentId, paymentId)))
    return problem ? { refunded: 0n, parked: known.length, problem } : { refunded: total, parked: 0, problem: null }
  }

  async function keep(tx: Tx, given: NewRefund): Promise<{ refund: RefundRow; created: boolean }> {
    const now = clock.now()
    const { programId, paymentId } = given
    const known = await refundsOf(tx, programId, paymentId)
    if (known.some((row) => (row.refundId === null) !== (given.refundId === undefined)))
      throw new UserError(
        'mixed_refunds',
        `Refunds of the payment ${paymentId} were reported ${given.refundId === undefined ? 'one by one, each with its refund_id' : 'as a total so far'}. Report the others in the same way: mixed, some would count twice.`,
        { status: 409 },
      )
    const same = given.refundId === undefined ? undefined : known.find((row) => row.refundId === given.refundId)
    if (!same) {
      const row: RefundRow = {
        id: newId(now),
        programId,
        paymentId,
        refundId: given.refundId ?? null,
        amount: given.amount,
        currency: given.currency ?? null,
        reversed: given.reversed,
        state: 'parked',
        problem: null,
        refundedAt: given.refundedAt ? whenReported(given.refundedAt, now) : justAfter(known, now),
        recordedAt: now,
      }
      await tx.insert(refunds).values(row)
      return { refund: row, created: true }
    }
    if (same.amount !== given.amount)
      throw new UserError(
        'refund_changed',
        `The refund ${given.refundId} was reported with another amount before. A refund that was taken back is reported with status “reversed”; a further refund has a refund_id of its own.`,
        { status: 409 },
      )
    // What was taken back stays so: the report that it was made may come late.
    const reversed = same.reversed || given.reversed
    if (reversed !== same.reversed)
      await tx
        .update(refunds)
        .set({ reversed })
        .where(and(eq(refunds.programId, programId), eq(refunds.id, same.id)))
    return { refund: { ...same, reversed }, created: false }
  }

  return {
    recordSale: async (tx, given) => {
      const { programId, paymentId } = given
      await lock(tx, programId, paymentId)
      const before = await paymentOf(tx, programId, paymentId)
      if (before) refuseChange(before, given)
      const row = merged(before, given, attribution.hashEmail, clock.now())
      const { refunded, parked } = await settleRefunds(tx, row)
      const { saleId } = await attribution.recordPayment(tx, canonical(row, refunded))
      if (!before) await tx.insert(payments).values({ ...row, saleId })
      else
        await tx
          .update(payments)
          .set({ clickId: row.clickId, coupon: row.coupon })
          .where(and(eq(payments.programId, programId), eq(payments.paymentId, paymentId)))
      return { saleId, created: !before, parked }
    },
    recordRefund: async (tx, given) => {
      const { programId, paymentId } = given
      await lock(tx, programId, paymentId)
      const payment = await paymentOf(tx, programId, paymentId)
      const { refund, created } = await keep(tx, given)
      if (!payment) return { refund, created }
      const { refunded, problem } = await settleRefunds(tx, payment)
      // One that is taken back is on the way to what fits, however much is left that does not.
      if (problem && !given.reversed) throw new UserError('refund_does_not_fit', problem)
      await attribution.recordPayment(tx, canonical(payment, refunded))
      return { refund: { ...refund, state: problem ? 'parked' : 'applied', problem }, created }
    },
    refundPage: (reader, programId, { before, limit, state }) =>
      reader
        .select()
        .from(refunds)
        .where(
          and(
            eq(refunds.programId, programId),
            before === undefined ? undefined : lt(refunds.id, before),
            state === undefined ? undefined : eq(refunds.state, state),
          ),
        )
        .orderBy(desc(refunds.id))
        .limit(limit),
  }
}

/** Now, or when that is not later than all that is known, a moment later: of reports that name no time the last one is the newest. */
function justAfter(known: readonly RefundRow[], now: Date): Date {
  return new Date(Math.max(now.getTime(), ...known.map(({ refundedAt }) => refundedAt.getTime() + 1)))
}

/** Why the refunds that count cannot be those of the payment. */
function problemOf(
  known: readonly RefundRow[],
  total: bigint,
  { gross, currency, paymentId }: Pick<PaymentRow, 'gross' | 'currency' | 'paymentId'>,
): string | null {
  const foreign = counting(known).find((refund) => refund.currency !== null && refund.currency !== currency)
  if (foreign) return `The payment ${paymentId} was made in ${currency}; a refund in ${foreign.currency} cannot be its.`
  if (total > gross)
    return `Refunds of ${formatMoney(total, currency)} are more than the payment ${paymentId} of ${formatMoney(gross, currency)}.`
  return null
}

/** @throws UserError when the payment is known otherwise */
function refuseChange(before: PaymentRow, given: NewSale): void {
  if (before.gross === given.gross && before.currency === given.currency.toUpperCase()) return
  throw new UserError(
    'sale_changed',
    `The payment ${given.paymentId} was reported as ${formatMoney(before.gross, before.currency)} before. A sale is never changed: report a refund, or a further sale with a payment_id of its own.`,
    { status: 409 },
  )
}

/** The payment as it is known now: amounts as they were first, and what points to a partner from any report. */
function merged(
  before: PaymentRow | undefined,
  given: NewSale,
  hashEmail: (email: string) => string,
  now: Date,
): Omit<PaymentRow, 'saleId'> {
  if (before) return { ...before, clickId: before.clickId ?? given.clickId ?? null, coupon: before.coupon ?? given.coupon ?? null }
  const emailHash = given.customer.email === undefined ? null : hashEmail(given.customer.email)
  return {
    programId: given.programId,
    paymentId: given.paymentId,
    gross: given.gross,
    tax: given.tax,
    shipping: given.shipping,
    currency: given.currency.toUpperCase(),
    customerKey: given.customer.id ?? `email:${emailHash}`,
    emailHash,
    country: given.customer.country ?? null,
    clickId: given.clickId ?? null,
    coupon: given.coupon ?? null,
    product: given.product ?? null,
    subscription: given.recurring?.subscription ?? null,
    sequence: given.recurring?.sequence ?? null,
    paidAt: whenReported(given.paidAt, now),
    recordedAt: now,
  }
}

function canonical(row: Omit<PaymentRow, 'saleId'>, refunded: bigint): CanonicalPayment {
  return {
    programId: row.programId,
    provider,
    paymentKey: row.paymentId,
    gross: row.gross,
    tax: row.tax,
    shipping: row.shipping,
    currency: row.currency,
    refunded,
    dispute: 'none',
    customer: { key: row.customerKey, emailHash: row.emailHash ?? undefined, country: row.country ?? undefined },
    hints: hintsOf(row),
    product: row.product ?? undefined,
    ...(row.subscription !== null && { recurring: { subscription: row.subscription, sequence: row.sequence! } }),
    paidAt: row.paidAt,
  }
}
