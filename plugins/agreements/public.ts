// What other plugins may ask of agreements.
import type { Reader } from '../kit/index.ts'

export interface Agreements {
  /** Whether the partner has signed the version of every document that is current at `at` (grace after a new version counts as signed). */
  hasSignedCurrent(reader: Reader, programId: string, partnerId: string, at: Date): Promise<boolean>
  /** Those of the partners for whom `hasSignedCurrent` holds, read together however many there are. */
  signersOfCurrent(reader: Reader, programId: string, partnerIds: readonly string[], at: Date): Promise<ReadonlySet<string>>
}
