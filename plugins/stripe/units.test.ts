import { fc, test as property } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { UserError } from '../kit/index.ts'
import { fromStripe, stepAtStripe, toStripe } from './units.ts'

test.each([
  ['USD', 1250, 1250n],
  ['JPY', 500, 500n],
  ['KRW', 9_900, 9_900n],
  ['KWD', 1_230, 1_230n],
  ['ISK', 50_000, 500n],
  ['UGX', 12_300, 123n],
])('%s: Stripe’s %d is %s minor units, and back', (currency, atStripe, minor) => {
  expect(fromStripe(atStripe, currency)).toBe(minor)
  expect(toStripe(minor, currency)).toBe(atStripe)
})

test.each<[string, () => unknown]>([
  ['an unknown currency', () => fromStripe(100, 'XQZ')],
  ['a fraction of a krona', () => fromStripe(50_001, 'ISK')],
  ['an amount beyond exact numbers', () => fromStripe(2 ** 53, 'USD')],
  ['an amount with a fraction', () => fromStripe(1.5, 'USD')],
  ['dinars in odd steps to pay out', () => toStripe(1_231n, 'KWD')],
  ['a payout beyond exact numbers', () => toStripe(10n ** 16n, 'USD')],
])('%s is refused', (_, convert) => expect(convert).toThrow(UserError))

test.each<[string, bigint]>([
  ['USD', 1n],
  ['JPY', 1n],
  ['HUF', 1n],
  ['ISK', 1n],
  ['IQD', 10n],
  ['MGA', 100n],
  ...['BHD', 'JOD', 'KWD', 'OMR', 'TND'].map((currency): [string, bigint] => [currency, 10n]),
])('%s is paid in multiples of %s minor units', (currency, step) => expect(stepAtStripe(currency)).toBe(step))

const currencies = fc.constantFrom('USD', 'EUR', 'JPY', 'ISK', 'KWD', 'UGX', 'GBP', 'KRW', 'IQD', 'MGA')
const amounts = fc.bigInt({ min: 0n, max: 10n ** 10n })
property.prop([currencies, amounts])('what Stripe takes, Stripe tells again', (currency, amount) => {
  const payable = amount * stepAtStripe(currency)
  expect(fromStripe(toStripe(payable, currency), currency)).toBe(payable)
})
property.prop([fc.constantFrom('KWD', 'IQD', 'MGA'), amounts, fc.bigInt({ min: 1n, max: 9n })])(
  'Stripe takes nothing between the steps',
  (currency, amount, over) => {
    expect(() => toStripe(amount * stepAtStripe(currency) + over, currency)).toThrow(UserError)
  },
)
