// Figures as people read them. Pure.

import { exponentOf, formatMoney } from '../kit/index.ts'
import { definitions, type Figure, type Figures, figureOf } from './definitions.ts'
import type { Unit } from './picture/drawing.ts'
import type { Dimension } from './public.ts'
import { dimensions as allDimensions } from './public.ts'
import { changeOf } from './report.ts'

export const dimensionWords: Readonly<Record<Dimension, string>> = {
  link: 'link',
  campaign: 'campaign',
  page: 'landing page',
  country: 'country',
  device: 'device',
  referrer: 'referrer',
  partner: 'partner',
}
export const dimensionsOfPartner = allDimensions.filter((dimension) => dimension !== 'partner')

/** The figure as a person reads it, such as “1,234”, “2.5%” or “$0.3712”; a dash where it cannot be told. */
export function formatFigure(figure: Figure, value: number | bigint | null, currency: string): string {
  if (value === null) return '–'
  switch (definitions[figure].unit) {
    case 'count':
      return value.toLocaleString('en-US')
    case 'share':
      return formatShare(Number(value))
    case 'money':
      return formatMoney(BigInt(value), currency)
    case 'fineMoney': {
      const digits = exponentOf(currency)
      const amount = toMajor(figure, value, currency)
      // Parts of the smallest unit say something of small amounts only.
      const isSmall = Math.abs(amount) < (digits === 0 ? 100 : 1)
      return new Intl.NumberFormat('en-US', {
        style: 'currency',
        currency,
        minimumFractionDigits: digits,
        maximumFractionDigits: isSmall ? digits + 2 : digits,
      }).format(amount)
    }
  }
}

/** The value as a plain number for a picture: shares as parts of 1, amounts in whole units of the currency. */
export function toMajor(figure: Figure, value: number | bigint, currency: string): number {
  switch (definitions[figure].unit) {
    case 'count':
      return Number(value)
    case 'share':
      return Number(value) / 1_000_000
    case 'money':
      return Number(value) / 10 ** exponentOf(currency)
    case 'fineMoney':
      return Number(value) / 10 ** (exponentOf(currency) + 4)
  }
}

export function unitOf(figure: Figure, currency: string): Unit {
  const { unit } = definitions[figure]
  if (unit === 'count' || unit === 'share') return { kind: unit }
  return { kind: 'money', currency }
}

/** “▲ 12 (+10.8%)”: the change since before, absolute and as a share of what was; empty where there is nothing to compare. */
export function formatChange(figure: Figure, now: Figures, before: Figures, currency: string): string {
  const change = changeOf(figure, now, before, currency)
  if (!change) return ''
  if (Number(change.difference) === 0) return 'no change'
  const isMore = change.difference > 0
  const size = change.difference < 0 ? -change.difference : change.difference
  const absolute =
    definitions[figure].unit === 'share'
      ? `${formatShare(Number(size)).replace('%', '')} points`
      : formatFigure(figure, size, currency)
  const relative = change.share === null ? '' : ` (${isMore ? '+' : '−'}${formatShare(Math.abs(change.share))})`
  return `${isMore ? '▲' : '▼'} ${absolute}${relative}`
}

/** Parts per million as a percentage with at most two decimals, at most one from 10 % on. */
function formatShare(ppm: number): string {
  return new Intl.NumberFormat('en-US', { style: 'percent', maximumFractionDigits: Math.abs(ppm) < 100_000 ? 2 : 1 }).format(
    ppm / 1_000_000,
  )
}

const countryNames = new Intl.DisplayNames('en', { type: 'region', fallback: 'code' })
const unknown: Partial<Record<Dimension, string>> = {
  campaign: 'No campaign',
  page: 'The usual page',
  referrer: 'Direct or not known',
}

/** What a value of a dimension is called; `names` are those that sources give. */
export function nameOfKey(by: Dimension, key: string | null, names: ReadonlyMap<string, string>): string {
  if (key === null) return 'Not through a link'
  if (key === '') return unknown[by] ?? 'Not known'
  if (by === 'country') return /^[A-Z]{2}$/.test(key) ? (countryNames.of(key) ?? key) : key
  if (by === 'device') return `${key.charAt(0).toUpperCase()}${key.slice(1)}`
  return names.get(key) ?? (by === 'partner' || by === 'link' || by === 'page' ? `${key.slice(0, 8)}…` : key)
}

/** The currency to show amounts in: the wanted one, else the program’s when it has any or there is none, else the first there is. */
export function currencyOf(total: Figures, program: { currency: string }, wanted?: string): string {
  if (wanted !== undefined) return wanted
  return total.money.has(program.currency) ? program.currency : (total.money.keys().next().value ?? program.currency)
}

/** The figure of a step or row, formatted. */
export function readFigure(figure: Figure, figures: Figures, currency: string): string {
  return formatFigure(figure, figureOf(figure, figures, currency), currency)
}
