// What other plugins may tell and ask of tax. Never a tax number: the provider that collects the form keeps it.
import type { Reader, Tx } from '../kit/index.ts'

export const formStatuses = ['requested', 'submitted', 'valid', 'rejected', 'expired'] as const
export type FormStatus = (typeof formStatuses)[number]

export interface FormReport {
  readonly programId: string
  readonly partnerId: string
  /** Where the partner is liable: ISO 3166-1 alpha-2, such as US. */
  readonly jurisdiction: string
  /** Which form, such as W-9 or W-8BEN. */
  readonly form: string
  readonly status: FormStatus
  /** The first instant at which a valid form is so no more; null when it does not end. */
  readonly validUntil: Date | null
  /** Who says so: a provider's id, or an admin's Discord id. */
  readonly source: string
}

export interface Tax {
  /** Keeps what a provider or an admin says of the partner's form, in place of what was said before. @throws UserError for a jurisdiction or form that is none */
  report(tx: Tx, report: FormReport): Promise<void>
  /** What was said last. */
  formOf(reader: Reader, programId: string, partnerId: string): Promise<FormReport | undefined>
}
