// Adding up the rows of sources: by nothing, by key, by day. Pure.
import type { Amounts, Figures } from './definitions.ts'
import { type CountFigure, countFigures, type FigureRow, type MoneyFigure, moneyFigures } from './public.ts'

/** Sums rows that were told apart by day, key and currency. */
export class Tally {
  readonly #counts = Object.fromEntries(countFigures.map((figure) => [figure, 0])) as Record<CountFigure, number>
  readonly #money = new Map<string, Record<MoneyFigure, bigint>>()

  add({ counts = {}, currency, money = {} }: FigureRow): void {
    for (const figure of countFigures) this.#counts[figure] += counts[figure] ?? 0
    if (currency === undefined) return
    let amounts = this.#money.get(currency)
    if (!amounts) {
      amounts = Object.fromEntries(moneyFigures.map((figure) => [figure, 0n])) as Record<MoneyFigure, bigint>
      this.#money.set(currency, amounts)
    }
    for (const figure of moneyFigures) amounts[figure] += money[figure] ?? 0n
  }

  /** Currencies in which nothing is left are absent, whatever was added and taken back. */
  sum(): Figures {
    const money = [...this.#money].filter(([, amounts]) => moneyFigures.some((figure) => amounts[figure] !== 0n))
    return { counts: { ...this.#counts }, money: new Map<string, Amounts>(money.toSorted(([a], [b]) => (a < b ? -1 : 1))) }
  }
}

export function totalOf(rows: readonly FigureRow[]): Figures {
  const tally = new Tally()
  for (const row of rows) tally.add(row)
  return tally.sum()
}

/** Figures of parts that do not overlap, put together. */
export function addFigures(parts: readonly Figures[]): Figures {
  return totalOf(
    parts.flatMap(({ counts, money }) => [{ counts }, ...[...money].map(([currency, amounts]) => ({ currency, money: amounts }))]),
  )
}

/** The sums of the rows that `groupOf` puts together. */
export function sumsBy<K>(rows: readonly FigureRow[], groupOf: (row: FigureRow) => K): Map<K, Figures> {
  const tallies = new Map<K, Tally>()
  for (const row of rows) {
    const group = groupOf(row)
    const tally = tallies.get(group) ?? new Tally()
    tallies.set(group, tally)
    tally.add(row)
  }
  return new Map([...tallies].map(([group, tally]) => [group, tally.sum()]))
}

export const nothing: Figures = totalOf([])
