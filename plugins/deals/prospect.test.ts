import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { formatMoney, toDecimal } from '../kit/index.ts'
import { companyKeyOf, readMoney, readProspect } from './prospect.ts'

const typed = { company: 'Acme', email: 'ada@acme.com', value: '5,000', currency: 'USD', notes: '' }

describe('two names are the same company', () => {
  test.each([
    ['Acme', 'ACME'],
    ['Acme, Inc.', 'acme'],
    ['Müller & Söhne GmbH', 'muller  sohne'],
    ['A.C.M.E. Co. Ltd', 'Acme'],
    ['Société Générale S.A.', 'societe generale'],
    ['楽天 KK', '楽天'],
  ])('%s is %s', (one, other) => expect(companyKeyOf(one)).toBe(companyKeyOf(other)))

  test.each([
    ['Acme', 'Acme Labs'],
    ['Inc', 'Co'],
    ['Nord', 'Nörd 2'],
  ])('%s is not %s', (one, other) => expect(companyKeyOf(one)).not.toBe(companyKeyOf(other)))
})

describe('a prospect', () => {
  test('is made canonical', () => {
    expect(readProspect({ ...typed, company: '  Acme   Inc. ', email: ' Ada@ACME.com ', notes: ' hi ' })).toEqual({
      company: 'Acme Inc.',
      companyKey: 'acme',
      email: 'Ada@acme.com',
      domain: 'acme.com',
      notes: 'hi',
      amount: 500_000n,
      currency: 'USD',
    })
  })

  test('with an address that many share has no domain of its own', () => {
    expect(readProspect({ ...typed, email: 'ada@gmail.com' }).domain).toBeNull()
  })

  test.each([
    ['no name', { company: ' ' }, 'bad_company'],
    ['a name of signs only', { company: '🤝 !!' }, 'bad_company'],
    ['a name that is too long', { company: 'a'.repeat(101) }, 'bad_company'],
    ['no address', { email: 'ada' }, 'bad_email'],
    ['two @', { email: 'ada@@acme.com' }, 'bad_email'],
    ['an address that is too long', { email: `${'a'.repeat(65)}@acme.com` }, 'bad_email'],
    ['notes that are too long', { notes: 'a'.repeat(1001) }, 'notes_too_long'],
    ['a value that is no number', { value: 'lots' }, 'bad_amount'],
    ['an unknown currency', { currency: 'ABC' }, 'unknown_currency'],
  ])('with %s is refused', (_, change, code) => {
    expect(() => readProspect({ ...typed, ...change })).toThrow(expect.objectContaining({ name: 'UserError', code }))
  })
})

describe('an amount', () => {
  test.each([
    ['1,250.50', 'usd', 125_050n],
    [' 0.01 ', 'EUR', 1n],
    ['5000', 'JPY', 5000n],
    ['1.234', 'KWD', 1234n],
    ['100,000,000,000.00', 'USD', 10n ** 13n],
  ])('%s %s is read', (text, currency, amount) => expect(readMoney(text, currency).amount).toBe(amount))

  test.each([
    ['0', 'USD', 'amount_not_positive'],
    ['0.00', 'USD', 'amount_not_positive'],
    ['-5', 'USD', 'amount_not_positive'],
    ['0.001', 'USD', 'bad_amount'],
    ['10.5', 'JPY', 'bad_amount'],
    ['1e3', 'USD', 'bad_amount'],
    ['', 'USD', 'bad_amount'],
    ['100000000000.01', 'USD', 'amount_too_large'],
    ['1000000000000000', 'USD', 'amount_too_large'],
    ['9'.repeat(30), 'USD', 'amount_too_large'],
    ['100', 'XXQ', 'unknown_currency'],
    ['100', '', 'unknown_currency'],
  ])('“%s” %s is refused with a sentence (%s)', (text, currency, code) => {
    expect(() => readMoney(text, currency)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(/^\P{Ll}.{20,}\.$/u) }),
    )
  })

  property.prop([fc.bigInt({ min: 1n, max: 10n ** 13n }), fc.constantFrom('USD', 'JPY', 'KWD')])(
    'that was written as a decimal is read to the unit',
    (amount, currency) => {
      expect(readMoney(toDecimal(amount, currency), currency)).toEqual({ amount, currency })
      expect(formatMoney(amount, currency)).not.toBe('')
    },
  )
})
