// What other plugins may ask of links.
import type { Reader } from '../kit/index.ts'

export interface LinkCounts {
  readonly clicks: number
}
export interface Links {
  /** Counted clicks of the partner in [from, to). */
  clickCount(reader: Reader, programId: string, partnerId: string, range: { from: Date; to: Date }): Promise<number>
}
