// Arithmetic of money: integers in minor units, rates in parts per million, one rounding rule, no floats, no mixing of currencies.
import { z } from 'zod'
import { UserError } from './errors.ts'

const million = 1_000_000n

/** An ISO 4217 code that Intl knows, in upper case. */
export const currencyCode = z
  .string()
  .transform((code) => code.toUpperCase())
  .refine((code) => knownCurrencies.has(code), { error: 'not an ISO 4217 currency code' })

const knownCurrencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))

/** Currencies whose minor unit is not a hundredth, by ISO 4217. Intl knows only what cash rounds to (HUF 0, IQD 0) and would misread amounts. */
const unusualExponents: Readonly<Record<string, number>> = {
  ...Object.fromEntries('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' ').map((code) => [code, 0])),
  ...Object.fromEntries('BHD IQD JOD KWD LYD OMR TND'.split(' ').map((code) => [code, 3])),
}

/** How many decimals the currency has by ISO 4217: JPY 0, USD 2, KWD 3. @throws UserError for an unknown code */
export function exponentOf(currency: string): number {
  if (!knownCurrencies.has(currency))
    throw new UserError('unknown_currency', `“${currency}” is not a currency code. Use an ISO 4217 code such as USD.`)
  return unusualExponents[currency] ?? 2
}

/** `amount` (minor units) × `rate` (parts per million), rounded half away from zero, so that f(−a) = −f(a) and a reversal cancels exactly. */
export function applyRate(amount: bigint, ratePpm: bigint): bigint {
  return divideRounded(amount * ratePpm, million)
}

/** Division rounded half away from zero. @throws RangeError for a divisor that is not positive */
export function divideRounded(dividend: bigint, divisor: bigint): bigint {
  if (divisor <= 0n) throw new RangeError('the divisor must be positive')
  const magnitude = dividend < 0n ? -dividend : dividend
  const rounded = (2n * magnitude + divisor) / (2n * divisor)
  return dividend < 0n ? -rounded : rounded
}

/** Splits `amount` (minor units, ≥ 0) by `weights` so that the parts add up exactly: the largest remainders get the odd units, the earlier part first. */
export function split(amount: bigint, weights: readonly bigint[]): bigint[] {
  const total = sum(weights)
  if (amount < 0n || total <= 0n || weights.some((weight) => weight < 0n))
    throw new RangeError('split needs an amount and weights that are not negative, and a weight above zero')
  const parts = weights.map((weight) => (amount * weight) / total)
  const byRemainder = weights
    .map((weight, index) => ({ index, remainder: (amount * weight) % total }))
    .sort((a, b) => compare(b.remainder, a.remainder) || a.index - b.index)
  for (const { index } of byRemainder.slice(0, Number(amount - sum(parts)))) parts[index]! += 1n
  return parts
}

export const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n)
export const atLeastZero = (amount: bigint): bigint => (amount < 0n ? 0n : amount)

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The amount as a decimal string with the currency's exponent, e.g. 125000n USD → "1250.00": the form that PayPal and CSV want. */
export function toDecimal(amount: bigint, currency: string): string {
  const exponent = exponentOf(currency)
  const digits = (amount < 0n ? -amount : amount).toString().padStart(exponent + 1, '0')
  const whole = digits.slice(0, digits.length - exponent)
  return `${amount < 0n ? '-' : ''}${whole}${exponent > 0 ? `.${digits.slice(-exponent)}` : ''}`
}

/** Reads "1250", "1,250.00" or "-3.5" in the currency's exponent. @throws UserError when it is no amount, has too many decimals, or more than 15 digits before them */
export function parseAmount(text: string, currency: string): bigint {
  const exponent = exponentOf(currency)
  const match = /^(-?)(\d{1,15})(?:\.(\d+))?$/.exec(text.trim().replace(/(?<=\d),(?=\d{3}(\D|$))/g, ''))
  if (!match || (match[3]?.length ?? 0) > exponent)
    throw new UserError(
      'bad_amount',
      `“${text}” is not an amount in ${currency}. Write it with at most ${exponent} decimals, for example ${toDecimal(125000n, currency)}.`,
    )
  const magnitude = BigInt(match[2]! + (match[3] ?? '').padEnd(exponent, '0'))
  return match[1] ? -magnitude : magnitude
}

/** The amount as a person reads it, e.g. "$1,250.00". */
export function formatMoney(amount: bigint, currency: string, locale = 'en-US'): string {
  return formatOf(currency, locale).format(toDecimal(amount, currency) as `${number}`)
}

/** Making a formatter is dear, so they are kept. */
const formats = new Map<string, Intl.NumberFormat>()
function formatOf(currency: string, locale: string): Intl.NumberFormat {
  const digits = exponentOf(currency)
  const key = `${locale} ${currency}`
  let format = formats.get(key)
  if (!format) {
    format = new Intl.NumberFormat(locale, {
      style: 'currency',
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    })
    formats.set(key, format)
  }
  return format
}

/** Parts per million as a percentage, e.g. 125000 → "12.5%". */
export function formatRate(ratePpm: bigint): string {
  const text = toTrimmedDecimal(ratePpm, 4)
  return `${text}%`
}

function toTrimmedDecimal(value: bigint, decimals: number): string {
  const digits = value.toString().padStart(decimals + 1, '0')
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`.replace(/\.?0+$/, '')
}
