// What the files of this plugin share. Types only.
import type { Partner } from '../partners/public.ts'
import type { PaidTotal } from '../payouts/public.ts'
import type { FormStatus } from './public.ts'
import type { Threshold } from './thresholds.ts'

/** What a partner was paid in a year and currency, for the accountant. */
export interface ReportLine {
  readonly partner: Partner
  /** Empty when it is not known. */
  readonly jurisdiction: string
  readonly total: PaidTotal
  /** What was paid in an earlier year and came back in this one, in minor units. */
  readonly cameBack: bigint
  readonly threshold: Threshold | undefined
  readonly reportable: 'yes' | 'no' | 'check'
  readonly form: { readonly name: string; readonly status: FormStatus } | undefined
}
