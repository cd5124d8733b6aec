// The one function behind every card, picture, file and API answer: asks all sources the same question and adds up what they say. It only reads.
import type { Day, Reader } from '../kit/index.ts'
import { definitions, type Figure, type Figures, figureOf } from './definitions.ts'
import { addFigures, nothing, sumsBy, totalOf } from './fold.ts'
import { type Interval, instantsOf, intervalStart, intervalsOf, type Period, periodBefore } from './periods.ts'
import type { Dimension, FigureQuestion, FigureRow, FigureSource } from './public.ts'

export interface ReportQuestion {
  readonly program: { readonly id: string; readonly timeZone: string; readonly currency: string }
  /** One partner’s figures; without it the whole program’s. */
  readonly partnerId?: string
  readonly period: Period
  readonly by?: Dimension
  /** What the rows of `by` are sorted by, the most first. Clicks when left out. */
  readonly sort?: Figure
  /** Figures over time, in steps of this. */
  readonly interval?: Interval
  /** For so many of the first rows of `by`, beginning with `skip`, also over time. */
  readonly seriesOf?: { readonly skip: number; readonly count: number }
  /** With the period right before, as long as this one. */
  readonly compare?: boolean
}

export interface Step {
  /** The first day of the step. */
  readonly from: Day
  readonly figures: Figures
}

export interface ReportRow {
  /** The value of the dimension; null for what came through no click, empty when the value is not known. */
  readonly key: string | null
  readonly figures: Figures
  /** Set when compared. */
  readonly before?: Figures
  /** Set for the rows that `seriesOf` names. */
  readonly steps?: readonly Step[]
}

export interface Report {
  readonly period: Period
  readonly total: Figures
  readonly previous?: { readonly period: Period; readonly total: Figures; readonly steps?: readonly Step[] }
  /** Set with an interval: every step of the period, also those in which nothing happened. */
  readonly steps?: readonly Step[]
  /** Set with a dimension: every value with anything in this period, or in the one before. */
  readonly rows?: readonly ReportRow[]
}

export type Reports = ReturnType<typeof createReports>

export function createReports(sources: () => readonly FigureSource[]) {
  const ask = async (reader: Reader, question: FigureQuestion): Promise<FigureRow[]> =>
    (await Promise.all(sources().map((source) => source.read(reader, question)))).flat()

  async function report(reader: Reader, question: ReportQuestion): Promise<Report> {
    const { period, by, interval, compare, seriesOf } = question
    const before = compare ? periodBefore(period) : undefined
    const [now, then, rowsNow, rowsThen] = await Promise.all([
      overTime(reader, question, period),
      before && overTime(reader, question, before),
      by && ask(reader, questionFor(question, period, { by })),
      by && before && ask(reader, questionFor(question, before, { by })),
    ])
    const rows = by && sortedRows(rowsNow!, rowsThen, question)
    const keys = rows && seriesOf && rows.slice(seriesOf.skip, seriesOf.skip + seriesOf.count).map(({ key }) => key)
    const series = by && interval && keys && keys.length > 0 ? await stepsByKey(reader, question, by, interval, keys) : undefined
    return {
      period,
      ...now,
      ...(before && { previous: { period: before, ...then! } }),
      ...(rows && { rows: rows.map((row) => ({ ...row, ...(series?.has(row.key) && { steps: series.get(row.key)! }) })) }),
    }
  }

  async function overTime(reader: Reader, question: ReportQuestion, period: Period): Promise<{ total: Figures; steps?: Step[] }> {
    const { interval } = question
    const rows = await ask(reader, questionFor(question, period, { daily: interval !== undefined }))
    return { total: totalOf(rows), ...(interval && { steps: stepsOf(rows, period, interval) }) }
  }

  async function stepsByKey(
    reader: Reader,
    question: ReportQuestion,
    by: Dimension,
    interval: Interval,
    keys: readonly (string | null)[],
  ): Promise<Map<string | null, Step[]>> {
    const rows = await ask(reader, questionFor(question, question.period, { by, keys, daily: true }))
    const byKey = Map.groupBy(rows, ({ key = null }) => key)
    return new Map(keys.map((key) => [key, stepsOf(byKey.get(key) ?? [], question.period, interval)]))
  }

  return {
    report,
    /** The figures of one value of a dimension, such as a link. */
    ofValue: async (
      reader: Reader,
      question: Pick<ReportQuestion, 'program' | 'partnerId' | 'period'> & { by: Dimension; key: string },
    ): Promise<Figures> =>
      totalOf(await ask(reader, questionFor(question, question.period, { by: question.by, keys: [question.key] }))),
    /** How people call the values of a dimension. Values without a name of their own are left out. */
    names: async (
      reader: Reader,
      programId: string,
      dimension: Dimension,
      keys: readonly (string | null)[],
    ): Promise<ReadonlyMap<string, string>> => {
      const known = keys.filter((key) => key !== null && key !== '') as string[]
      if (known.length === 0) return new Map()
      const named = await Promise.all(sources().map((source) => source.names?.(reader, programId, dimension, known) ?? new Map()))
      return new Map(named.flatMap((names) => [...names]))
    },
  }
}

function questionFor(
  { program, partnerId }: Pick<ReportQuestion, 'program' | 'partnerId'>,
  period: Period,
  apart: Pick<FigureQuestion, 'by' | 'keys' | 'daily'>,
): FigureQuestion {
  return {
    programId: program.id,
    timeZone: program.timeZone,
    ...(partnerId !== undefined && { partnerId }),
    days: period,
    ...instantsOf(period, program.timeZone),
    ...apart,
  }
}

function stepsOf(rows: readonly FigureRow[], period: Period, interval: Interval): Step[] {
  const sums = sumsBy(rows, ({ day }) => intervalStart(day!, interval, period))
  return intervalsOf(period, interval).map((from) => ({ from, figures: sums.get(from) ?? nothing }))
}

/** Steps put together into longer ones, named by their first day. */
export function sumSteps(steps: readonly Step[], startOf: (from: Day) => Day): Step[] {
  const sums = Map.groupBy(steps, ({ from }) => startOf(from))
  return [...sums].map(([from, own]) => ({ from, figures: addFigures(own.map(({ figures }) => figures)) }))
}

/** By the figure that is asked for, then by clicks and revenue, then by key, so that equal rows keep their places from page to page. */
function sortedRows(
  rowsNow: readonly FigureRow[],
  rowsThen: readonly FigureRow[] | undefined,
  { sort = 'clicks', program }: ReportQuestion,
): ReportRow[] {
  const now = sumsBy(rowsNow, ({ key = null }) => key)
  const then = rowsThen && sumsBy(rowsThen, ({ key = null }) => key)
  const weight = (figure: Figure) => (row: ReportRow) => Number(figureOf(figure, row.figures, program.currency) ?? -1)
  const weights = [weight(sort), weight('clicks'), weight('revenue'), weight('leads')]
  return [...new Set([...now.keys(), ...(then?.keys() ?? [])])]
    .map((key) => ({ key, figures: now.get(key) ?? nothing, ...(then && { before: then.get(key) ?? nothing }) }))
    .sort((a, b) => {
      for (const by of weights) if (by(a) !== by(b)) return by(b) - by(a)
      return a.key === null || b.key === null ? Number(a.key === null) - Number(b.key === null) : a.key < b.key ? -1 : 1
    })
}

/** How a figure changed: by how much, and by which share of what it was (in parts per million); null where there was nothing to compare with. */
export function changeOf(
  figure: Figure,
  now: Figures,
  before: Figures,
  currency: string,
): { difference: number | bigint; share: number | null } | null {
  const [current, earlier] = [figureOf(figure, now, currency), figureOf(figure, before, currency)]
  if (current === null || earlier === null) return null
  const difference = typeof current === 'bigint' ? current - (earlier as bigint) : current - (earlier as number)
  const isShare = definitions[figure].unit === 'share'
  return {
    difference,
    share: isShare || Number(earlier) === 0 ? null : Math.round((Number(difference) * 1_000_000) / Number(earlier)),
  }
}
