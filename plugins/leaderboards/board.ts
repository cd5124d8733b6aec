// A month's board as data: what the rules compute and the messages show.
import type { Month } from '../kit/index.ts'
import type { Metric } from './public.ts'

export interface Standing {
  readonly rank: number
  readonly partnerId: string
  /** Undefined when the person asked not to be named. */
  readonly userId: string | undefined
  readonly score: bigint
}

export interface Board {
  readonly month: Month
  readonly metric: Metric
  readonly currency: string
  readonly standings: readonly Standing[]
  /** `running`: the month goes on. `provisional`: it is over, late facts still count. `final`: nothing changes any more. */
  readonly state: 'running' | 'provisional' | 'final'
  /** When the result becomes (or became) final. */
  readonly finalAt: Date
}
