import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { type Circumstances, chooseRule, monthsAfter, type Stamp, stampOf, type Terms, worthOf } from './terms.ts'

const aRule = (change: Partial<Terms> = {}): Terms => ({
  name: 'rule',
  partnerId: null,
  tier: null,
  product: null,
  ratePpm: 200_000n,
  flat: null,
  currency: null,
  minimum: null,
  countries: null,
  customer: 'any',
  payments: 'every',
  months: null,
  maxPayments: null,
  saleCap: null,
  periodCap: null,
  capPeriod: null,
  startsAt: new Date('2026-01-01T00:00:00Z'),
  endsAt: null,
  ...change,
})
const aSale = (change: Partial<Circumstances> = {}): Circumstances => ({
  partnerId: 'ada',
  tier: 'gold',
  product: 'Course',
  currency: 'USD',
  basis: 10_000n,
  country: 'DE',
  firstOfCustomer: true,
  sequence: null,
  subscriptionSince: null,
  paidAt: new Date('2026-06-15T12:00:00Z'),
  ...change,
})

describe('which rule a sale falls under', () => {
  const forAll = aRule({ name: 'all' })
  const forCourse = aRule({ name: 'course', product: 'course' })
  const forGold = aRule({ name: 'gold', tier: 'gold' })
  const forAda = aRule({ name: 'ada', partnerId: 'ada' })
  const cases: [string, Terms[], Partial<Circumstances>, string | undefined][] = [
    ['none fits when there is none', [], {}, undefined],
    ['partner before tier before product before program', [forAll, forCourse, forGold, forAda], {}, 'ada'],
    ['tier before product', [forAll, forCourse, forGold], {}, 'gold'],
    ['product before program', [forAll, forCourse], {}, 'course'],
    ['another partner falls to the next', [forAll, forAda], { partnerId: 'bob' }, 'all'],
    ['another tier falls to the next', [forAll, forGold], { tier: 'silver' }, 'all'],
    ['no tier falls to the next', [forAll, forGold], { tier: null }, 'all'],
    ['another product falls to the next', [forAll, forCourse], { product: 'Book' }, 'all'],
    ['a sale without a product falls to the next', [forAll, forCourse], { product: null }, 'all'],
    ['a partner’s rule for one product only', [forAll, aRule({ name: 'both', partnerId: 'ada', product: 'Book' })], {}, 'all'],
    ['a minimum that is met exactly', [aRule({ minimum: 10_000n, currency: 'USD' })], {}, 'rule'],
    ['a minimum that is missed by one', [aRule({ minimum: 10_001n, currency: 'USD' })], {}, undefined],
    ['amounts of another currency', [aRule({ saleCap: 1n, currency: 'EUR' })], {}, undefined],
    ['a country that is listed', [aRule({ countries: ['AT', 'DE'] })], { country: 'de' }, 'rule'],
    ['a country that is not listed', [aRule({ countries: ['AT'] })], {}, undefined],
    ['a country that is not known', [aRule({ countries: ['DE'] })], { country: null }, undefined],
    ['a new customer', [aRule({ customer: 'new' })], {}, 'rule'],
    ['a returning customer for a rule for new ones', [aRule({ customer: 'new' })], { firstOfCustomer: false }, undefined],
    ['a returning customer', [aRule({ customer: 'returning' })], { firstOfCustomer: false }, 'rule'],
    ['the first instant of a rule', [aRule()], { paidAt: new Date('2026-01-01T00:00:00Z') }, 'rule'],
    ['the instant before', [aRule()], { paidAt: new Date('2025-12-31T23:59:59.999Z') }, undefined],
    ['the end is not in force any more', [aRule({ endsAt: new Date('2026-06-15T12:00:00Z') })], {}, undefined],
    ['the instant before the end', [aRule({ endsAt: new Date('2026-06-15T12:00:00.001Z') })], {}, 'rule'],
    ['more conditions go first', [forAll, aRule({ name: 'new', customer: 'new' })], {}, 'new'],
    ['the later start goes first', [forAll, aRule({ name: 'later', startsAt: new Date('2026-02-01T00:00:00Z') })], {}, 'later'],
    ['the name settles the rest', [aRule({ name: 'b' }), aRule({ name: 'a' })], {}, 'a'],
  ]
  test.each(cases)('%s', (_, rules, change, name) => {
    expect(chooseRule(rules, aSale(change))?.name).toBe(name)
    expect(chooseRule(rules.toReversed(), aSale(change))?.name).toBe(name)
  })
})

describe('what a sale is stamped with', () => {
  const subscription = (sequence: number, paidAt: string): Partial<Circumstances> => ({
    sequence,
    subscriptionSince: new Date('2026-01-31T10:00:00Z'),
    paidAt: new Date(paidAt),
  })
  const cases: [string, Partial<Terms>, Partial<Circumstances>, bigint, Partial<Stamp>, bigint][] = [
    ['a rate', {}, {}, 0n, { ratePpm: 200_000n, limitAmount: null, limitReason: null }, 2_000n],
    ['an amount', { ratePpm: 0n, flat: 2_500n }, {}, 0n, { flat: 2_500n, limitReason: null }, 2_500n],
    ['a cap for a sale', { saleCap: 1_500n }, {}, 0n, { limitAmount: 1_500n, limitReason: 'cap_reached' }, 1_500n],
    ['a cap that is just enough', { saleCap: 2_000n }, {}, 0n, { limitAmount: 2_000n }, 2_000n],
    ['an amount under a cap', { ratePpm: 0n, flat: 2_500n, saleCap: 1_000n }, {}, 0n, { limitReason: 'cap_reached' }, 1_000n],
    ['a cap for the period, unused', { periodCap: 5_000n, capPeriod: 'month' }, {}, 0n, { limitAmount: 5_000n }, 2_000n],
    ['partly used', { periodCap: 5_000n, capPeriod: 'month' }, {}, 3_500n, { limitAmount: 1_500n }, 1_500n],
    ['used up', { periodCap: 5_000n, capPeriod: 'month' }, {}, 5_000n, { limitAmount: 0n, limitReason: 'cap_reached' }, 0n],
    ['the smaller of two caps', { saleCap: 1_000n, periodCap: 5_000n, capPeriod: 'year' }, {}, 4_100n, { limitAmount: 900n }, 900n],
    ['a one-time sale under “first payment”', { payments: 'first' }, {}, 0n, { limitReason: null }, 2_000n],
    ['the first payment', { payments: 'first' }, subscription(1, '2026-01-31T10:00:00Z'), 0n, { limitReason: null }, 2_000n],
    ['the second', { payments: 'first' }, subscription(2, '2026-02-28T10:00:00Z'), 0n, { limitReason: 'window_expired' }, 0n],
    ['the last of three payments', { maxPayments: 3 }, subscription(3, '2026-03-31T10:00:00Z'), 0n, { limitReason: null }, 2_000n],
    ['the fourth of three', { maxPayments: 3 }, subscription(4, '2026-04-30T10:00:00Z'), 0n, { limitReason: 'window_expired' }, 0n],
    ['within a month of the 31st', { months: 1 }, subscription(2, '2026-02-28T09:59:59Z'), 0n, { limitReason: null }, 2_000n],
    ['a month after it', { months: 1 }, subscription(2, '2026-02-28T10:00:00Z'), 0n, { limitReason: 'window_expired' }, 0n],
    ['a year: the twelfth payment', { months: 12 }, subscription(12, '2026-12-31T11:00:00Z'), 0n, { limitReason: null }, 2_000n],
    ['a year: the thirteenth', { months: 12 }, subscription(13, '2027-01-31T11:00:00Z'), 0n, { limitReason: 'window_expired' }, 0n],
  ]
  test.each(cases)('%s', (_, terms, sale, used, expected, worth) => {
    const stamp = stampOf(aRule(terms), aSale(sale), used)
    expect(stamp).toMatchObject(expected)
    expect(worthOf(stamp, stamp.basis)).toBe(worth)
  })

  test.each([
    ['2024-01-31T08:00:00Z', 1, '2024-02-29T08:00:00.000Z'],
    ['2026-01-31T08:00:00Z', 1, '2026-02-28T08:00:00.000Z'],
    ['2026-12-15T08:00:00Z', 2, '2027-02-15T08:00:00.000Z'],
    ['2024-02-29T08:00:00Z', 12, '2025-02-28T08:00:00.000Z'],
  ])('%s and %i months is %s', (from, months, to) => expect(monthsAfter(new Date(from), months).toISOString()).toBe(to))

  const amounts = fc.bigInt({ min: 0n, max: 10n ** 13n })
  test.prop([amounts, fc.bigInt({ min: 1n, max: 10n ** 13n }), amounts, fc.bigInt({ min: 0n, max: 1_000_000n }), fc.boolean()])(
    'whatever is left of the basis: never below zero, never above the limit, never more for less',
    (left, basis, limit, ratePpm, isFlat) => {
      const stamp: Stamp = { basis, ratePpm, flat: isFlat ? ratePpm + 1n : null, limitAmount: limit, limitReason: 'cap_reached' }
      const worth = worthOf(stamp, left % (basis + 1n))
      expect(worth).toBeGreaterThanOrEqual(0n)
      expect(worth).toBeLessThanOrEqual(limit)
      expect(worth).toBeLessThanOrEqual(worthOf(stamp, basis))
    },
  )
})
