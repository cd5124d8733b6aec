// What other plugins may tell and ask of tax. Never a tax number: the provider that collects the form keeps it.
import type { Reader, Tx } from '../kit/index.ts'

export const formStatuses = ['requested', 'submitted', 'valid', 'rejected', 'expired'] as const
export type FormStatus = (typeof formStatuses)[number]

/** How far a form is. */
export interface TaxForm {
  /** Where the partner is liable: ISO 3166-1 alpha-2, such as US. */
  readonly jurisdiction: string
  /** Which form, such as W-9 or W-8BEN. */
  readonly form: string
  readonly status: FormStatus
  /** The first instant at which a valid form is so no more; null when it does not end. */
  readonly validUntil: Date | null
}

/** The source of what an admin records. */
export const byHand = 'hand'

export interface FormReport {
  readonly programId: string
  readonly partnerId: string
  /** Null when the source says nothing of a form, or no more. */
  readonly form: TaxForm | null
  /** Who says so: a provider's id, or `byHand`. */
  readonly source: string
  /** The Discord id of the admin who records it; null when a provider says it. */
  readonly recordedBy: string | null
  /** When it was so. */
  readonly at: Date
}

export interface SaidForm extends TaxForm {
  readonly source: string
  /** Since when the source says so. */
  readonly since: Date
}

export interface Tax {
  /**
   * Keeps what a provider or an admin says of the partner's form, in place of what the same source said before; what is older than that changes nothing. Of
   * several sources the one counts that said something new last: a provider that repeats itself does not overrule what an admin recorded since, and nor does
   * that stand against what the provider says anew. @throws UserError for a jurisdiction or form that is none
   */
  report(tx: Tx, report: FormReport): Promise<void>
  /** What counts. */
  formOf(reader: Reader, programId: string, partnerId: string): Promise<SaidForm | undefined>
}
