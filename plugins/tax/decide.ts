// Whether a partner's tax form lets a payout through, and what a year's report says of them. Pure functions.
import type { FormStatus, TaxForm } from './public.ts'
import type { Threshold } from './thresholds.ts'

export interface FormFacts {
  readonly form: Pick<TaxForm, 'status' | 'validUntil'> | undefined
  readonly threshold: Threshold | undefined
  /** Of the payout that is to be made. */
  readonly currency: string
  readonly amount: bigint
  /** Paid in this year already or on its way, in the threshold's currency. */
  readonly paidThisYear: bigint
  readonly now: Date
}

/** What the form is at `now`: valid only until it runs out. */
export function statusAt(form: Pick<TaxForm, 'status' | 'validUntil'>, now: Date): FormStatus {
  return form.status === 'valid' && form.validUntil && form.validUntil <= now ? 'expired' : form.status
}

/**
 * The state of the form that stands in the way of the payout, or null. A form is needed once the year's payments reach the threshold with this payout; a
 * payout in another currency cannot be compared with it, and so always needs one.
 */
export function blockedBy({
  form,
  threshold,
  currency,
  amount,
  paidThisYear,
  now,
}: FormFacts): Exclude<FormStatus, 'valid'> | 'missing' | null {
  if (!threshold) return null
  const needed = currency !== threshold.currency || paidThisYear + amount >= threshold.amount
  const status = form ? statusAt(form, now) : 'missing'
  return needed && status !== 'valid' ? status : null
}

/** How a year's total stands to the threshold; amounts of another currency are not compared. */
export function reportable(total: { currency: string; amount: bigint }, threshold: Threshold | undefined): 'yes' | 'no' | 'check' {
  if (!threshold) return 'no'
  if (total.currency !== threshold.currency) return 'check'
  return total.amount >= threshold.amount ? 'yes' : 'no'
}
