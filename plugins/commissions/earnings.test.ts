// What /earnings show says: by state, by the day on which it becomes payable, and by the reason for which it is held.
import { describe, expect, test } from 'vitest'
import { wordsOf } from '../../app/testing.ts'
import { days } from '../kit/index.ts'
import { earningsCard } from './messages.ts'
import type { Commission } from './public.ts'

const now = new Date('2026-11-02T09:00:00Z')
let count = 0
const aCommission = (change: Partial<Commission>): Commission => ({
  id: `c${++count}`,
  programId: 'p',
  partnerId: 'ada',
  saleId: `s${count}`,
  currency: 'USD',
  basis: 10_000n,
  ratePpm: 200_000n,
  flat: null,
  amount: 2_000n,
  due: 2_000n,
  state: 'pending',
  reason: null,
  holdUntil: now,
  earnedAt: now,
  createdAt: now,
  ...change,
})
const inDays = (n: number) => ({ holdUntil: new Date(now.getTime() + days(n)) })
const stamp = (n: number) => Math.floor((now.getTime() + days(n)) / 1000)
const wordsFor = (commissions: Commission[], debts = new Map<string, bigint>()) =>
  wordsOf(earningsCard({ commissions, debts }, now))

describe('the earnings of a partner', () => {
  test('say what becomes payable on which day, the next first', () => {
    const words = wordsFor([aCommission(inDays(9)), aCommission(inDays(2)), aCommission(inDays(9))])
    expect(words).toContain('Pending: **$60.00** (3)')
    expect(words).toMatch(new RegExp(`<t:${stamp(2)}:D>: \\$20\\.00 \\(1\\)\\n-# <t:${stamp(9)}:D>: \\$40\\.00 \\(2\\)`))
  })

  test('sum up what is further away than the next five days with a release', () => {
    const words = wordsFor([1, 2, 3, 4, 5, 6, 7].map((n) => aCommission(inDays(n))))
    expect(words).toContain(`<t:${stamp(5)}:D>`)
    expect(words).not.toContain(`<t:${stamp(6)}:D>`)
    expect(words).toContain('later: $40.00 (2)')
  })

  test('say how much is held for which reason', () => {
    const words = wordsFor([
      aCommission({ state: 'held', reason: 'dispute_open' }),
      aCommission({ state: 'held', reason: 'dispute_open', due: 500n }),
      aCommission({ state: 'held', reason: 'agreement_unsigned', due: 100n }),
    ])
    expect(words).toMatch(/On hold: \*\*\$26\.00\*\* \(3\)\n-# \$25\.00 \(2\): .*\n-# \$1\.00 \(1\): /)
  })

  test('keep currencies apart, and tell of debts', () => {
    const words = wordsFor([aCommission({}), aCommission({ currency: 'JPY', due: 700n, state: 'paid' })], new Map([['USD', 300n]]))
    expect(words).toMatch(/JPY[\s\S]*¥700[\s\S]*USD[\s\S]*\$20\.00[\s\S]*Owed back: \*\*\$3\.00\*\*/)
  })

  test('count what went to a debt as a whole by itself, not as pending or paid out', () => {
    const words = wordsFor([
      aCommission({ state: 'paid', reason: 'debt_repaid', due: 0n, currency: 'JPY' }),
      aCommission({ due: 0n, currency: 'JPY' }),
      aCommission({ state: 'payable', due: 500n, currency: 'JPY' }),
    ])
    expect(words).toContain('Payable: **¥500** (1)')
    expect(words).toContain('2 repaid what you owed back')
    expect(words).not.toMatch(/Pending|Paid out|¥0/)
  })
})
