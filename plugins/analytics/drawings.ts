// What the pictures of a report show, and the words that say it to those who cannot see them. Pure.
import { definitions, type Figure, type Figures, figureOf } from './definitions.ts'
import { dimensionWords, formatFigure, readFigure, toMajor, unitOf } from './format.ts'
import { intervalStart, type Period, periodName } from './periods.ts'
import type { Bars, Lines, Theme } from './picture/drawing.ts'
import type { Dimension } from './public.ts'
import { type Report, type ReportRow, type Step, sumSteps } from './report.ts'

export interface View {
  readonly report: Report
  readonly figure: Figure
  readonly currency: string
  readonly theme: Theme
  readonly by?: Dimension
  readonly nameOf: (key: string | null) => string
}

/** Lines that a person can still tell apart. */
export const mostLines = 5
/** Bars that fit into a picture. */
export const mostBars = 10

/** The figure over time: this period and the one before, or the first few values of the dimension. */
export function linesOf({ report, figure, currency, theme, by, nameOf }: View): Lines {
  const valuesOf = (steps: readonly Step[]) => steps.map(({ figures }) => plain(figure, figures, currency))
  const own = legible(report.steps ?? [], report.period)
  const named = (report.rows ?? []).filter(({ steps }) => steps)
  const before = report.previous?.steps && legible(report.previous.steps, report.previous.period)
  const series =
    by && named.length > 1
      ? named.map((row, i) => ({
          name: distinct(nameOf(row.key), i, named, nameOf),
          values: valuesOf(row.steps!),
          style: 'line' as const,
        }))
      : [
          { name: periodName(report.period), values: valuesOf(own), style: 'line' as const },
          ...(before && report.previous
            ? [
                {
                  name: periodName(report.previous.period),
                  values: fittedTo(own.length, valuesOf(before)),
                  style: 'before' as const,
                },
              ]
            : []),
        ]
  return {
    kind: 'lines',
    theme,
    title: `${definitions[figure].title} over time${by && named.length > 1 ? ` by ${dimensionWords[by]}` : ''}`,
    subtitle: subtitleOf(report, series.length > 1 && !by),
    unit: unitOf(figure, currency),
    steps: own.map(({ from }) => shortDay(from)),
    series,
  }
}

/** Days, or weeks where there would be too many days to see anything. */
function legible(steps: readonly Step[], period: Period): readonly Step[] {
  return steps.length <= 120 ? steps : sumSteps(steps, (from) => intervalStart(from, 'week', period))
}

/** The figure by dimension, the most first. */
export function barsOf({ report, figure, currency, theme, by, nameOf }: View): Bars {
  const rows = (report.rows ?? []).slice(0, mostBars)
  return {
    kind: 'bars',
    theme,
    title: `${definitions[figure].title} by ${dimensionWords[by!]}`,
    subtitle: `${subtitleOf(report, false)}${(report.rows?.length ?? 0) > mostBars ? ` · the first ${mostBars} of ${report.rows!.length}` : ''}`,
    unit: unitOf(figure, currency),
    bars: rows.map(({ key, figures, before }, i) => ({
      name: printable(nameOf(key), i),
      value: plain(figure, figures, currency),
      ...(before && { before: plain(figure, before, currency) }),
    })),
  }
}

/** Describes the lines: from where to where, how much in all, the highest and the lowest step. */
export function altOfLines({ report, figure, currency }: View): string {
  const steps = report.steps ?? []
  const values = steps
    .map(({ from, figures }) => ({ from, value: figureOf(figure, figures, currency) }))
    .filter(({ value }) => value !== null)
  const sorted = values.toSorted((a, b) => Number(b.value) - Number(a.value))
  const told = (found: (typeof values)[number] | undefined) =>
    found ? `${formatFigure(figure, found.value, currency)} on ${shortDay(found.from)}` : 'nothing'
  return [
    `Line chart of ${definitions[figure].title.toLowerCase()}, ${periodName(report.period)}: ${readFigure(figure, report.total, currency)} in all.`,
    ...(sorted.length > 1 ? [`Highest: ${told(sorted[0])}. Lowest: ${told(sorted.at(-1))}.`] : []),
    ...(report.previous ? [`${periodName(report.previous.period)}: ${readFigure(figure, report.previous.total, currency)}.`] : []),
  ].join(' ')
}

export function altOfBars({ report, figure, currency, by, nameOf }: View): string {
  const told = (row: ReportRow) => `${nameOf(row.key)} ${readFigure(figure, row.figures, currency)}`
  const rows = (report.rows ?? []).slice(0, mostBars)
  return `Bar chart of ${definitions[figure].title.toLowerCase()} by ${dimensionWords[by!]}, ${periodName(report.period)}: ${rows.length > 0 ? rows.map(told).join('; ') : 'nothing yet'}.`
}

function plain(figure: Figure, figures: Figures, currency: string): number | null {
  const value = figureOf(figure, figures, currency)
  return value === null ? null : toMajor(figure, value, currency)
}

/** The period before laid under this one, step by step; a month may be longer or shorter than the one before. */
function fittedTo(length: number, values: readonly (number | null)[]): (number | null)[] {
  return Array.from({ length }, (_, i) => values[i] ?? null)
}

function subtitleOf({ period, previous }: Report, compared: boolean): string {
  return `${periodName(period)}${compared && previous ? ` · dashed: ${periodName(previous.period)}` : ''}`
}

/** Names of lines are told apart by name. */
function distinct(name: string, place: number, rows: readonly ReportRow[], nameOf: View['nameOf']): string {
  const isTaken = rows.slice(0, place).some((row) => nameOf(row.key) === name)
  return printable(isTaken ? `${name} (${place + 1})` : name, place)
}

/**
 * What the fonts of the pictures can write: Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew and Arabic. A name that is mostly of other letters is told by
 * its place, which the table beside the picture has, too.
 */
export function printable(name: string, place: number): string {
  const kept = name
    .replace(/\p{Extended_Pictographic}|\p{Emoji_Modifier}|\u200d|\ufe0f/gu, '')
    .replace(/\s+/g, ' ')
    .trim()
  const foreign = kept.match(
    /[^\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Armenian}\p{Script=Georgian}\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Common}\p{Script=Inherited}]/gu,
  )
  if (kept === '' || (foreign && foreign.length * 3 > kept.length)) return `no. ${place + 1} of the table`
  return kept
}

/** “Nov 3”. */
export function shortDay(day: string): string {
  return new Intl.DateTimeFormat('en-US', { timeZone: 'UTC', month: 'short', day: 'numeric' }).format(new Date(`${day}T00:00:00Z`))
}
