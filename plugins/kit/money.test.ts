import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { UserError } from './errors.ts'
import {
  applyRate,
  atLeastZero,
  currencyCode,
  divideRounded,
  exponentOf,
  formatMoney,
  formatRate,
  parseAmount,
  split,
  sum,
  toDecimal,
} from './money.ts'

const amounts = fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n })
const positive = fc.bigInt({ min: 0n, max: 10n ** 17n })
const rates = fc.bigInt({ min: 0n, max: 2_000_000n })
const currencies = fc.constantFrom('USD', 'EUR', 'JPY', 'KWD', 'IQD', 'HUF')

describe('rates', () => {
  test.each([
    ['a fifth', 10_000n, 200_000n, 2_000n],
    ['161.5 rounds up, where a float says 161', 250n, 646_000n, 162n],
    ['34.5 rounds up, where a float says 34', 375n, 92_000n, 35n],
    ['28.5 rounds up, where a float says 28', 625n, 45_600n, 29n],
    ['half a unit rounds away from zero', 1n, 500_000n, 1n],
    ['half a unit of a reversal, too', -1n, 500_000n, -1n],
    ['just below half rounds to zero', 1n, 499_999n, 0n],
    ['nothing of nothing', 0n, 1_000_000n, 0n],
    ['an amount beyond what a float can count', 9_007_199_254_740_993n, 1_000_000n, 9_007_199_254_740_993n],
  ])('%s', (_, amount, rate, expected) => void expect(applyRate(amount, rate)).toBe(expected))

  test.prop([amounts, rates])('a reversal cancels exactly', (amount, rate) => {
    expect(applyRate(-amount, rate)).toBe(-applyRate(amount, rate))
  })
  test.prop([amounts, rates])('the error is at most half a unit', (amount, rate) => {
    const error = applyRate(amount, rate) * 1_000_000n - amount * rate
    expect(2n * (error < 0n ? -error : error)).toBeLessThanOrEqual(1_000_000n)
  })
  test.prop([positive, positive, rates])('more never earns less', (a, b, rate) => {
    expect(applyRate(a + b, rate)).toBeGreaterThanOrEqual(applyRate(a, rate))
  })
  test.each([0n, -1n])('dividing by %s is refused', (divisor) => void expect(() => divideRounded(1n, divisor)).toThrow(RangeError))
})

describe('splits', () => {
  test.each([
    ['an even split', 100n, [1n, 1n], [50n, 50n]],
    ['the odd unit goes to the largest remainder', 100n, [1n, 1n, 1n], [34n, 33n, 33n]],
    ['a larger remainder goes before an earlier part', 10n, [1n, 2n, 4n], [1n, 3n, 6n]],
    ['a weight of zero gets nothing', 7n, [0n, 1n], [0n, 7n]],
    ['nothing to split', 0n, [3n, 5n], [0n, 0n]],
  ])('%s', (_, amount, weights, parts) => void expect(split(amount, weights)).toEqual(parts))

  const weights = fc
    .array(fc.bigInt({ min: 0n, max: 10n ** 9n }), { minLength: 1, maxLength: 12 })
    .filter((list) => list.some((weight) => weight > 0n))
  test.prop([positive, weights])('no split gains or loses a unit, and each part is within one of its share', (amount, list) => {
    const parts = split(amount, list)
    expect(sum(parts)).toBe(amount)
    for (const [i, part] of parts.entries()) {
      const share = (amount * list[i]!) / sum(list)
      expect(part - share === 0n || part - share === 1n).toBe(true)
    }
  })
  test.each([
    ['a negative amount', -1n, [1n]],
    ['a negative weight', 1n, [2n, -1n]],
    ['no weight at all', 1n, [0n, 0n]],
    ['no part', 1n, []],
  ])('%s is refused', (_, amount, list) => void expect(() => split(amount, list)).toThrow(RangeError))
})

describe('currencies', () => {
  test.each([
    ['USD', 2],
    ['JPY', 0],
    ['KWD', 3],
    ['HUF', 2],
    ['IDR', 2],
    ['COP', 2],
    ['IQD', 3],
    ['ISK', 0],
    ['XOF', 0],
  ])('%s has %i decimals by ISO 4217', (code, exponent) => void expect(exponentOf(code)).toBe(exponent))
  test.each(['BTC', 'usd', 'CLF'])(
    '%s is no currency of payments',
    (code) => void expect(() => exponentOf(code)).toThrow(UserError),
  )
  test.each([
    ['usd', 'USD'],
    ['Eur', 'EUR'],
  ])('%s is read as %s', (given, read) => void expect(currencyCode.parse(given)).toBe(read))
  test.each(['', 'US', 'BTC', 'US$'])(
    '“%s” is no currency',
    (given) => void expect(currencyCode.safeParse(given).success).toBe(false),
  )
})

describe('amounts in words and back', () => {
  test.each([
    [125_000n, 'USD', '1250.00', '$1,250.00'],
    [-5n, 'USD', '-0.05', '-$0.05'],
    [0n, 'USD', '0.00', '$0.00'],
    [1250n, 'JPY', '1250', '¥1,250'],
    [1250n, 'KWD', '1.250', 'KWD 1.250'],
    [1234n, 'HUF', '12.34', 'HUF 12.34'],
    [100_000_000_000_000_001n, 'USD', '1000000000000000.01', '$1,000,000,000,000,000.01'],
  ])('%s %s is %s and %s', (amount, currency, decimal, words) => {
    expect(toDecimal(amount, currency)).toBe(decimal)
    expect(formatMoney(amount, currency).replace(/\s/g, ' ')).toBe(words)
  })
  const readable = fc.bigInt({ min: -(10n ** 15n) + 1n, max: 10n ** 15n - 1n })
  test.prop([readable, currencies])('what was written is read back', (amount, currency) => {
    expect(parseAmount(toDecimal(amount, currency), currency)).toBe(amount)
  })
  test.each([
    ['1,250.5', 'USD', 125_050n],
    [' 7 ', 'USD', 700n],
    ['-3.5', 'USD', -350n],
    ['1,250', 'JPY', 1250n],
  ])('“%s” in %s is %s', (text, currency, amount) => void expect(parseAmount(text, currency)).toBe(amount))
  test.each([
    ['1.005', 'USD'],
    ['1.5', 'JPY'],
    ['', 'USD'],
    ['.', 'USD'],
    ['1e5', 'USD'],
    ['$5', 'USD'],
    ['1,25', 'USD'],
    ['--1', 'USD'],
    ['NaN', 'USD'],
    ['1234567890123456', 'USD'],
  ])('“%s” is no amount in %s', (text, currency) => void expect(() => parseAmount(text, currency)).toThrow(UserError))
  test.each([
    [200_000n, '20%'],
    [125_000n, '12.5%'],
    [1n, '0.0001%'],
    [0n, '0%'],
    [1_000_000n, '100%'],
  ])('%s ppm is %s', (rate, words) => void expect(formatRate(rate)).toBe(words))
  test.prop([amounts])('nothing below zero is left', (amount) => void expect(atLeastZero(amount)).toBe(amount < 0n ? 0n : amount))
})
