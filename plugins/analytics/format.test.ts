// Figures computed from sums and written for people: rounding, signs, currencies, and names in any script.
import { describe, expect, test } from 'vitest'
import { conversionRate, earningsPerClick, returnOnCommission } from './definitions.ts'
import { altOfBars, printable } from './drawings.ts'
import { addFigures, totalOf } from './fold.ts'
import { currencyOf, formatChange, formatFigure, nameOfKey } from './format.ts'
import { fitted, widthInLetters } from './letters.ts'
import { shortNumber } from './picture/drawing.ts'

const figuresOf = (clicks: number, conversions: number, commission = 0n, revenue = 0n, currency = 'USD') =>
  totalOf([{ counts: { clicks, conversions } }, { currency, money: { revenue, commission, clickCommission: commission } }])

describe('figures that are computed', () => {
  test.each([
    ['a share in parts per million', conversionRate(figuresOf(3, 1)), 333_333],
    ['no share without clicks', conversionRate(figuresOf(0, 0)), null],
    ['ten-thousandths of a cent per click, half away from zero', earningsPerClick(figuresOf(80_000, 0, 1n), 'USD'), 0n],
    ['and up from the half', earningsPerClick(figuresOf(20_000, 0, 1n), 'USD'), 1n],
    ['no earnings without clicks', earningsPerClick(figuresOf(0, 0, 5n), 'USD'), null],
    ['nothing in a currency that there is not', earningsPerClick(figuresOf(10, 0, 5n), 'EUR'), 0n],
    ['what comes back for a commission', returnOnCommission(figuresOf(1, 1, 100n, 1000n), 'USD'), 9_000_000],
    ['nothing without a commission', returnOnCommission(figuresOf(1, 1, 0n, 1000n), 'USD'), null],
  ])('%s', (_, value, expected) => expect(value).toBe(expected))

  test('currencies are never added, and one that cancels out is gone', () => {
    const sum = addFigures([figuresOf(1, 0, 5n, 50n), figuresOf(1, 0, 7n, 70n, 'EUR'), figuresOf(1, 0, -5n, -50n)])
    expect([...sum.money]).toEqual([['EUR', { revenue: 70n, commission: 7n, clickCommission: 7n }]])
    expect(currencyOf(sum, { currency: 'USD' })).toBe('EUR')
    expect(currencyOf(sum, { currency: 'USD' }, 'JPY')).toBe('JPY')
  })
})

test.each([
  ['clicks', 12_345, 'USD', '12,345'],
  ['conversionRate', 12_345, 'USD', '1.23%'],
  ['conversionRate', 123_456, 'USD', '12.3%'],
  ['revenue', 123_456n, 'JPY', '¥123,456'],
  ['epc', 371_234n, 'USD', '$0.3712'],
  ['epc', 371_234n, 'JPY', '¥37.12'],
  ['epc', 117_083_333n, 'USD', '$117.08'],
  ['epc', 3_712_345n, 'JPY', '¥371'],
  ['commission', null, 'USD', '–'],
] as const)('%s of %s is written as %s', (figure, value, currency, text) =>
  expect(formatFigure(figure, value, currency)).toBe(text),
)

test.each([
  ['more', figuresOf(12, 0), figuresOf(10, 0), '▲ 2 (+20%)'],
  ['less', figuresOf(5, 0), figuresOf(10, 0), '▼ 5 (−50%)'],
  ['as much', figuresOf(5, 0), figuresOf(5, 0), 'no change'],
  ['more than nothing', figuresOf(5, 0), figuresOf(0, 0), '▲ 5'],
])('%s than before', (_, now, before, text) => expect(formatChange('clicks', now, before, 'USD')).toBe(text))

test('a share changes by points, and not at all where there was none', () => {
  expect(formatChange('conversionRate', figuresOf(100, 3), figuresOf(100, 1), 'USD')).toBe('▲ 2 points')
  expect(formatChange('conversionRate', figuresOf(100, 3), figuresOf(0, 0), 'USD')).toBe('')
})

test.each([
  [1234, { kind: 'count' }, '1.23k'],
  [2_500_000, { kind: 'count' }, '2.5M'],
  [1200, { kind: 'money', currency: 'USD' }, '$1.2k'],
  [998.5, { kind: 'money', currency: 'USD' }, '$998.50'],
  [0.031, { kind: 'share' }, '3.1%'],
] as const)('%s stands on an axis as %s %s', (value, unit, text) => expect(shortNumber(value, unit)).toBe(text))

test.each([
  ['country', 'DE', 'Germany'],
  ['country', '', 'Not known'],
  ['device', 'mobile', 'Mobile'],
  ['referrer', '', 'Direct or not known'],
  ['campaign', null, 'Not through a link'],
  ['link', '018f0000-0000-7000-8000-000000000001', 'spring'],
  ['link', 'gone-0000', 'gone-000…'],
] as const)('by %s, %j is called %s', (by, key, name) => {
  expect(nameOfKey(by, key, new Map([['018f0000-0000-7000-8000-000000000001', 'spring']]))).toBe(name)
})

test.each([
  ['Zażółć gęślą', 'Zażółć gęślą'],
  ['حملة الربيع', 'حملة الربيع'],
  ['🎉 party', 'party'],
  ['春のキャンペーン', 'no. 3 of the table'],
  ['🎉🎉', 'no. 3 of the table'],
])('%s stands in a picture as %s', (name, written) => expect(printable(name, 2)).toBe(written))

test('text is cut by how wide it is, never in the middle of a sign', () => {
  expect(fitted('春のキャンペーン', 6)).toBe('春の…')
  expect(fitted('abcdef', 6)).toBe('abcdef')
  expect(fitted('👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧', 5)).toBe('👩‍👩‍👧👩‍👩‍👧…')
  expect(widthInLetters(fitted('春'.repeat(50), 21))).toBeLessThanOrEqual(21)
})

test('the text of a picture names every bar', () => {
  const rows = ['DE', null].map((key) => ({ key, figures: figuresOf(key ? 7 : 0, 0) }))
  const report = { period: { from: '2026-11-01', to: '2026-12-01' }, total: figuresOf(7, 0), rows }
  const nameOf = (key: string | null) => nameOfKey('country', key, new Map())
  expect(altOfBars({ report, figure: 'clicks', currency: 'USD', theme: 'dark', by: 'country', nameOf })).toBe(
    'Bar chart of clicks by country, November 2026: Germany 7; Not through a link 0.',
  )
})
