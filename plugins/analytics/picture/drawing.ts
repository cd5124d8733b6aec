// What a picture shows, as plain data that can be sent to the thread that draws it.

export type Theme = 'dark' | 'light'

/** What the numbers are; amounts are whole units of the currency, shares are parts of 1. */
export type Unit = { readonly kind: 'count' } | { readonly kind: 'share' } | { readonly kind: 'money'; readonly currency: string }

/** Values over time. */
export interface Lines {
  readonly kind: 'lines'
  readonly theme: Theme
  readonly title: string
  readonly subtitle: string
  readonly unit: Unit
  /** Names of the steps, the earliest first. */
  readonly steps: readonly string[]
  /** At most six. Null where there is no value. */
  readonly series: readonly {
    readonly name: string
    readonly values: readonly (number | null)[]
    readonly style: 'line' | 'before'
  }[]
}

/** Values side by side, the largest first. */
export interface Bars {
  readonly kind: 'bars'
  readonly theme: Theme
  readonly title: string
  readonly subtitle: string
  readonly unit: Unit
  /** At most twelve. */
  readonly bars: readonly { readonly name: string; readonly value: number | null; readonly before?: number | null }[]
}

export type Drawing = Lines | Bars

/** The number as it stands on an axis or at the end of a bar: short, at most three digits. */
export function shortNumber(value: number, unit: Unit): string {
  const isSmall = Math.abs(value) < 1000
  const options: Intl.NumberFormatOptions =
    unit.kind === 'share'
      ? { style: 'percent', maximumFractionDigits: Math.abs(value) < 0.1 ? 1 : 0 }
      : {
          notation: 'compact',
          ...(unit.kind === 'money' && { style: 'currency', currency: unit.currency, currencyDisplay: 'narrowSymbol' }),
          ...(isSmall && unit.kind === 'money' && !Number.isInteger(value)
            ? { minimumFractionDigits: 2, maximumFractionDigits: 2 }
            : { minimumFractionDigits: 0, maximumSignificantDigits: 3 }),
        }
  return new Intl.NumberFormat('en-US', options).format(value).replace('K', 'k')
}
