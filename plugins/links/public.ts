// What other plugins may ask of links.
import type { Reader } from '../kit/index.ts'

export interface LinkCounts {
  readonly clicks: number
}

export interface PartnerLink {
  readonly id: string
  readonly code: string
  /** The whole address to share. */
  readonly url: string
  readonly campaign: string | null
  readonly createdAt: Date
  /** Counted clicks so far. */
  readonly clicks: number
}

export interface Links {
  /** Counted clicks of the partner in [from, to). */
  clickCount(reader: Reader, programId: string, partnerId: string, range: { from: Date; to: Date }): Promise<number>
  /** The partner's links, newest first. */
  ofPartner(reader: Reader, programId: string, partnerId: string): Promise<PartnerLink[]>
  /** The address of the link with this code. */
  urlOf(code: string): string
}
