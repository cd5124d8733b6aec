// Adding up the rows of sources: by nothing, by key, by day. Pure.
import type { Amounts, Figures } from './definitions.ts'
import { countFigures, type FigureRow, type MoneyFigure, moneyFigures } from './public.ts'

/** The sum of the rows. Currencies in which nothing is left are absent, whatever was added and taken back. */
export function totalOf(rows: readonly FigureRow[]): Figures {
  const sums = zeros(countFigures, 0)
  const money = new Map<string, Record<MoneyFigure, bigint>>()
  for (const { counts = {}, currency, money: more = {} } of rows) {
    for (const figure of countFigures) sums[figure] += counts[figure] ?? 0
    if (currency === undefined) continue
    const amounts = money.get(currency) ?? zeros(moneyFigures, 0n)
    for (const figure of moneyFigures) amounts[figure] += more[figure] ?? 0n
    money.set(currency, amounts)
  }
  const left = [...money].filter(([, amounts]) => moneyFigures.some((figure) => amounts[figure] !== 0n))
  return { counts: sums, money: new Map<string, Amounts>(left.toSorted(([a], [b]) => (a < b ? -1 : 1))) }
}

function zeros<F extends string, N>(figures: readonly F[], zero: N): Record<F, N> {
  return Object.fromEntries(figures.map((figure) => [figure, zero])) as Record<F, N>
}

/** Figures of parts that do not overlap, put together. */
export function addFigures(parts: readonly Figures[]): Figures {
  return totalOf(
    parts.flatMap(({ counts, money }) => [{ counts }, ...[...money].map(([currency, amounts]) => ({ currency, money: amounts }))]),
  )
}

/** The sums of the rows that `groupOf` puts together. */
export function sumsBy<K>(rows: readonly FigureRow[], groupOf: (row: FigureRow) => K): Map<K, Figures> {
  return new Map([...Map.groupBy(rows, groupOf)].map(([group, own]) => [group, totalOf(own)]))
}

export const nothing: Figures = totalOf([])
