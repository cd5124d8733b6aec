// How other plugins feed analytics and ask it. Analytics knows none of them: whoever records clicks, leads, sales or commissions contributes a source.
import { type Day, defineExtensionPoint, type Reader } from '../kit/index.ts'

/** What figures can be told apart by. `null` as a value of all but `partner` means: it came through no click. */
export const dimensions = ['link', 'campaign', 'page', 'country', 'device', 'referrer', 'partner'] as const
export type Dimension = (typeof dimensions)[number]

/** Counts that a source may give. Each is defined in definitions.ts. */
export const countFigures = ['clicks', 'visitors', 'leads', 'sales', 'conversions'] as const
/** Amounts in minor units that a source may give. */
export const moneyFigures = ['revenue', 'commission', 'clickCommission'] as const
export type CountFigure = (typeof countFigures)[number]
export type MoneyFigure = (typeof moneyFigures)[number]

/** What a source is asked. */
export interface FigureQuestion {
  readonly programId: string
  /** The program's: its days are the days of the answer. */
  readonly timeZone: string
  /** One partner’s figures; without it the whole program’s. */
  readonly partnerId?: string
  /** [from, to) as days of the program, and the instants at which they begin. */
  readonly days: { readonly from: Day; readonly to: Day }
  readonly from: Date
  readonly to: Date
  /** One row for each value of this dimension. */
  readonly by?: Dimension
  /** Only these values of `by`. */
  readonly keys?: readonly (string | null)[]
  /** One row for each day. */
  readonly daily?: boolean
}

/** Rows that do not exist are zero. Rows of one day and key add up, so a source may give several, such as one for each currency. */
export interface FigureRow {
  /** Set when the question was `daily`. */
  readonly day?: Day
  /** The value of `by`: an id, a name, or empty when it is not known. Null when it came through no click. */
  readonly key?: string | null
  readonly counts?: Partial<Record<CountFigure, number>>
  /** ISO 4217; with `money` only. */
  readonly currency?: string
  readonly money?: Partial<Record<MoneyFigure, bigint>>
}

export interface FigureSource {
  /** Stable, `plugin.name`. */
  readonly id: string
  /** Figures from the facts as they are now; what was taken back no longer counts. Computed by the database, not fact by fact. */
  read(reader: Reader, question: FigureQuestion): Promise<readonly FigureRow[]>
  /** How people call values of a dimension that are ids of this source. Those it does not know are left out. */
  names?(reader: Reader, programId: string, dimension: Dimension, keys: readonly string[]): Promise<ReadonlyMap<string, string>>
}
/** Contribute here what belongs into the statistics. */
export const figureSource = defineExtensionPoint<FigureSource>('analytics.figure_source')

/** Pieces of SQL for sources. */
export { dayKey, isAmongKeys, originKey } from './sourceSql.ts'
