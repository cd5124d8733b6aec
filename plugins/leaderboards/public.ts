// How another plugin adds something to compete in: a metric that is computed from facts whenever a board is drawn.
import { defineExtensionPoint, type MonthRange, type Reader } from '../kit/index.ts'

export interface Score {
  readonly partnerId: string
  /** In the metric's unit: minor units of the program's currency, or a count. Only scores above zero stand on a board. */
  readonly score: bigint
  /** When the partner got there: of those with the same score, the earlier one stands first. */
  readonly reachedAt: Date
}

export interface Metric {
  /** Stable, `plugin.name`. */
  readonly id: string
  readonly title: string
  /** What the scores are: money in the program's currency, or things with a name. */
  readonly unit: 'money' | { readonly one: string; readonly many: string }
  /** Says on the board what counts, in one sentence. */
  readonly counts: (currency: string) => string
  /** Every partner's score in [from, to), computed from the facts as they are now; what was taken back no longer counts. */
  scores(reader: Reader, program: { id: string; currency: string }, range: MonthRange): Promise<readonly Score[]>
}

/** Contribute a metric here; an admin chooses which one the program competes in. */
export const leaderboardMetric = defineExtensionPoint<Metric>('leaderboards.metric')
