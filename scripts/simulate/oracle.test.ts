// That the oracle knows right from wrong: small stories, each with the balances that a bookkeeper would write.
import { describe, expect, test } from 'vitest'
import { leftBack } from './oracle/payouts.ts'
import { createOracle } from './oracle.ts'
import { dayMs, startOf } from './plan/calendar.ts'
import type { ChangeStep, Heir, Judge } from './plan/changes.ts'
import type { ClaimStep } from './plan/claims.ts'
import type { DealStep } from './plan/offers.ts'
import type { News, Payment } from './plan/shop.ts'
import type { RuleTerms } from './plan/terms.ts'
import type { Day } from './plan.ts'

describe('the oracle', () => {
  test('earns by the last click, holds for 30 days, takes a refund back, and lets the next sale repay what was paid out', () => {
    const { live, balances } = story()
    live(0, { news: [paid('a', 0, 10_000n)] })
    expect(balances()).toEqual({ pending: 2_000n })
    live(1, { news: [{ kind: 'refunded', payment: 'a', at: startOf(1), total: 2_500n }] })
    expect(balances()).toEqual({ pending: 1_500n })
    live(30)
    expect(balances()).toEqual({ payable: 1_500n })
    live(31, { news: [{ kind: 'refunded', payment: 'a', at: startOf(31), total: 0n }] })
    expect(balances()).toEqual({ payable: 2_000n })
  })

  test('holds during a dispute and takes everything when it is lost', () => {
    const { live, balances } = story()
    live(0, { news: [paid('a', 0, 10_000n)] })
    live(2, { news: [{ kind: 'dispute', payment: 'a', at: startOf(2), state: 'open' }] })
    expect(balances()).toEqual({ held: 2_000n })
    live(40)
    expect(balances()).toEqual({ held: 2_000n })
    live(41, { news: [{ kind: 'dispute', payment: 'a', at: startOf(41), state: 'lost' }] })
    expect(balances()).toEqual({})
  })

  test('takes what a lost dispute took', () => {
    const { live, balances } = story()
    live(0, { news: [paid('a', 0, 10_000n)] })
    live(2, { news: [{ kind: 'dispute', payment: 'a', at: startOf(2), state: 'lost', lost: 2_000n }] })
    expect(balances()).toEqual({ pending: 1_600n })
  })

  test.each([
    ['tax and shipping earn nothing', { tax: 1_900n, shipping: 100n }, { pending: 1_600n }],
    ['a half is rounded up', { gross: 250n }, { pending: 50n }],
    ['a click older than 90 days is too old', { paidAt: startOf(0) + 91 * dayMs }, {}],
    ['nobody earns from what they buy themselves', { customer: { key: 'c', email: 'P0@Example.com', country: 'DE' } }, {}],
  ] satisfies [string, Partial<Payment>, object][])('%s', (_, change, expected) => {
    const { live, balances } = story()
    live(0, { news: [paid('a', 0, 10_000n, change)] })
    expect(balances()).toEqual(expected)
  })

  test('news that are older than what is known change nothing', () => {
    const { live, balances } = story()
    live(0, { news: [paid('a', 0, 10_000n)] })
    live(3, { news: [{ kind: 'refunded', payment: 'a', at: startOf(3), total: 10_000n }] })
    live(4, { news: [{ kind: 'refunded', payment: 'a', at: startOf(2), total: 5_000n }] })
    expect(balances()).toEqual({})
  })

  test('a deal goes before a coupon, and a coupon before a click', () => {
    const { live, balances } = story()
    live(0, {
      coupons: [{ kind: 'made', code: 'SAVE', partner: 'p1' }],
      deals: [submitted('first', 'p0', 'buyer@firm.example'), { deal: 'first', kind: 'accepted' }],
      news: [
        paid('a', 0, 10_000n, { coupon: 'save' }),
        paid('b', 0, 5_000n, { coupon: 'SAVE', customer: { key: 'b', email: 'Buyer@firm.example', country: 'DE' } }),
        paid('c', 0, 2_500n, { coupon: 'NOBODYS' }),
      ],
    })
    expect(balances()).toEqual({ 'p1 USD pending': 2_000n, pending: 1_500n })
  })

  test('a paused coupon counts for what was paid before, and again when it is resumed', () => {
    const { live, balances } = story()
    const coupon = (kind: 'made' | 'paused' | 'resumed') => ({ kind, code: 'SAVE', partner: 'p1' })
    live(0, { coupons: [coupon('made')] })
    live(2, {
      coupons: [coupon('paused')],
      news: [paid('a', 1, 10_000n, { coupon: 'SAVE' }), paid('b', 2, 10_000n, { coupon: 'SAVE', click: undefined })],
    })
    expect(balances()).toEqual({ 'p1 USD pending': 2_000n })
    live(3, { coupons: [coupon('resumed')], news: [paid('c', 3, 10_000n, { coupon: 'SAVE' })] })
    expect(balances()).toEqual({ 'p1 USD pending': 4_000n })
  })

  test('a prospect is protected for who was first, and free when that is over; a won deal is a sale', () => {
    const { live, balances, states } = story()
    live(0, { deals: [submitted('a', 'p0', 'buyer@firm.example'), submitted('b', 'p1', 'colleague@firm.example')] })
    expect(states()).toMatchObject({ 'deal a': 'submitted' })
    expect(states()).not.toHaveProperty('deal b')
    live(1, { deals: [{ deal: 'a', kind: 'rejected' }] })
    live(2, { deals: [submitted('c', 'p1', 'buyer@firm.example'), { deal: 'c', kind: 'accepted' }] })
    live(3, { deals: [{ deal: 'c', kind: 'won', amount: 50_000n, currency: 'USD', same: false }] })
    expect(states()).toMatchObject({ 'deal a': 'rejected', 'deal c': 'won' })
    expect(balances()).toEqual({ 'p1 USD pending': 10_000n })
    live(5, { deals: [submitted('d', 'p1', 'x@other.example')] })
    live(95)
    expect(states()).toMatchObject({ 'deal d': 'expired' })
  })

  test('what the contact of a deal paid through the shop may be the money of the deal', () => {
    const { live, balances } = story()
    const customer = { key: 'b', email: 'buyer@firm.example', country: 'DE' }
    live(0, { deals: [submitted('a', 'p1', 'buyer@firm.example'), { deal: 'a', kind: 'accepted' }] })
    live(1, { news: [paid('b', 1, 10_000n, { customer, click: undefined })] })
    live(2, { deals: [{ deal: 'a', kind: 'won', amount: 10_000n, currency: 'USD', same: true }] })
    expect(balances()).toEqual({ 'p1 USD pending': 2_000n })
  })

  const subscription = (sequence: number) => ({ id: 's', sequence })
  test.each<[string, Omit<RuleTerms, 'name' | 'startsIn'>, Partial<Payment>[], bigint[]]>([
    ['for a product', { product: 'Workshop', rate: '50' }, [{}, { product: 'Workshop' }], [2_000n, 5_000n]],
    ['for a partner', { partner: 'p0', rate: '33.3333' }, [{}, { coupon: 'P1' }], [3_333n, 2_000n]],
    ['for new customers', { customer: 'new', rate: '1' }, [{}, {}], [100n, 2_000n]],
    [
      'for countries',
      { countries: ['AT'], rate: '5' },
      [{}, { customer: { key: 'at', email: undefined, country: 'AT' } }],
      [2_000n, 500n],
    ],
    [
      'an amount from a minimum on',
      { flat: 700n, minimum: 9_000n, currency: 'USD' },
      [{}, { gross: 8_000n }, { currency: 'EUR' }],
      [700n, 1_600n, 2_000n],
    ],
    ['a cap for each sale', { rate: '10', saleCap: 600n, currency: 'USD' }, [{}, { gross: 5_000n }], [600n, 500n]],
    ['a cap for a month', { rate: '10', periodCap: 1_700n, period: 'month', currency: 'USD' }, [{}, {}, {}], [1_000n, 700n, 0n]],
    [
      'the first payment only',
      { payments: 'first', rate: '40' },
      [{ subscription: subscription(1) }, { subscription: subscription(2) }],
      [4_000n, 0n],
    ],
    [
      'two payments',
      { maxPayments: 2, rate: '40' },
      [1, 2, 3].map((n) => ({ subscription: subscription(n) })),
      [4_000n, 4_000n, 0n],
    ],
  ])('a rule %s pays what it says', (_, terms, changes, amounts) => {
    const { live, balances } = story()
    live(0, {
      coupons: [{ kind: 'made', code: 'P1', partner: 'p1' }],
      rules: [{ kind: 'publish', terms: { name: 'rule', startsIn: 0, ...terms } }],
    })
    let before = 0n
    for (const [i, change] of changes.entries()) {
      const customer = { key: 'one', email: undefined, country: 'DE' }
      live(i + 1, {
        news: [paid(`pay${i}`, i + 1, 10_000n, { customer: { ...customer, key: terms.partner ? `c${i}` : 'one' }, ...change })],
      })
      const now = Object.values(balances()).reduce((sum, amount) => sum + amount, 0n)
      expect(now - before).toBe(amounts[i])
      before = now
    }
  })

  test('the closest rule counts, then the one that asks more; it ends when it is told to, and what was paid before stays under it', () => {
    const { live, balances } = story()
    const rule = (name: string, more: object) => ({ kind: 'publish' as const, terms: { name, startsIn: 0, ...more } })
    live(0, {
      rules: [
        rule('all', { rate: '1' }),
        rule('course', { product: 'Course', rate: '2' }),
        rule('course, newcomers', { product: 'Course', customer: 'new', rate: '3' }),
        rule('p0', { partner: 'p0', rate: '4' }),
      ],
      news: [paid('a', 0, 10_000n)],
    })
    expect(balances()).toEqual({ pending: 400n })
    live(1, { rules: [{ kind: 'end', name: 'p0' }], news: [paid('b', 1, 10_000n), paid('late', 0, 10_000n)] })
    expect(balances()).toEqual({ pending: 1_100n })
  })

  test('without a signature of what is current nothing is clicked, and what was earned is held from the end of the grace until it is signed', () => {
    const { live, balances, states } = story()
    live(0, { news: [paid('a', 0, 10_000n)] })
    live(10, { newVersion: true })
    live(23, { news: [paid('b', 23, 10_000n)] })
    expect(balances()).toEqual({ pending: 4_000n })
    live(30, { clicks: [{ key: 'later', partner: 'p0', at: startOf(30), previous: undefined }], news: [paid('c', 30, 10_000n)] })
    expect(states()).toMatchObject({ clicks: '1' })
    expect(balances()).toEqual({ held: 4_000n, pending: 2_000n })
    live(31, { partners: [{ partner: 'p0', kind: 'signed' }] })
    expect(balances()).toEqual({ payable: 2_000n, pending: 4_000n })
  })

  test('what people add, take, stop and void stands beside what the sale is worth', () => {
    const { live, balances } = story()
    const adjust = (amount: bigint) => ({ kind: 'adjust' as const, payment: 'a', amount, currency: 'USD' })
    live(0, { news: [paid('a', 0, 10_000n)], hands: [adjust(500n), adjust(-9_999n)] })
    expect(balances()).toEqual({ pending: 2_500n })
    live(1, { hands: [{ kind: 'hold', payment: 'a' }], news: [{ kind: 'refunded', payment: 'a', at: startOf(1), total: 10_000n }] })
    expect(balances()).toEqual({ held: 500n })
    live(40, { hands: [{ kind: 'release', payment: 'a' }] })
    expect(balances()).toEqual({ payable: 500n })
    live(41, { hands: [{ kind: 'void', payment: 'a' }, adjust(700n)] })
    expect(balances()).toEqual({})
  })

  test.each([
    ['clear', { pending: 2_000n }, 'cleared'],
    ['reject', {}, 'rejected'],
  ] as const)('a purchase right after its click is held until somebody decides: %s', (kind, after, state) => {
    const { live, balances, states } = story()
    live(0, { news: [paid('a', 0, 10_000n, { paidAt: startOf(0) + 9_000 })] })
    expect(balances()).toEqual({ held: 2_000n })
    live(1, { hands: [{ kind, payment: 'a' }] })
    expect(balances()).toEqual(after)
    expect(states()).toMatchObject({ 'case a': state })
  })

  const change = (nth: number, heir: Heir, by: Judge = 'other'): ChangeStep[] => [
    { change: `a${nth}`, payment: 'a', kind: 'proposed', heir },
    { change: `a${nth}`, payment: 'a', kind: 'approved', by },
  ]
  const p1 = { partner: 'p1' }

  test('a sale changes hands when another admin approves it: then its customer is bound anew, and what was decided about the one does not concern the other', () => {
    const { live, balances, states } = story()
    const customer = { key: 'c', email: undefined, country: 'DE' }
    live(0, { news: [paid('a', 0, 10_000n, { customer })], hands: [{ kind: 'hold', payment: 'a' }] })
    for (const [day, by] of (['proposer', 'receiver'] as const).entries()) live(day + 1, { changes: change(day, p1, by) })
    expect(balances()).toEqual({ held: 2_000n })
    live(3, { changes: [{ change: 'a0', payment: 'a', kind: 'approved', by: 'other' }] })
    expect(states()).toMatchObject({ 'change a0': 'approved' })
    live(4, { news: [paid('b', 4, 5_000n, { customer, click: undefined })] })
    expect(balances()).toEqual({ 'p1 USD pending': 3_000n })
    live(5, { changes: change(2, 'before') })
    expect(balances()).toEqual({ pending: 2_000n, 'p1 USD pending': 1_000n })
  })

  test('what was paid for a sale that goes to nobody is owed, and its customer is free', () => {
    const { live, balances } = story()
    live(0, { news: [paid('a', 0, 1_000_000n)], partners: [joined('p0'), joined('p1'), { partner: 'p0', kind: 'method_ready' }] })
    live(31, { payday: true })
    for (let day = 32; day < 40; day++) live(day)
    expect(balances()).toEqual({ paid: 200_000n })
    live(40, { changes: change(0, 'nobody') })
    expect(balances()).toEqual({ paid: 200_000n, clawback_debt: 200_000n })
    live(41, { news: [paid('b', 41, 10_000n, { customer: { key: 'cus_a', email: undefined, country: 'DE' } })] })
    expect(balances()).toEqual({ paid: 200_000n, clawback_debt: 198_000n })
    live(42, { changes: change(1, 'before') })
    expect(balances()).toEqual({ paid: 200_000n, payable: 2_000n })
  })

  test('nobody gets a sale by people who is not there, or who bought it themselves; one that changed hands meanwhile is outdated', () => {
    const { live, balances, states } = story()
    live(0, { news: [paid('a', 0, 10_000n, { customer: { key: 'c', email: 'P1@example.com', country: 'DE' } })] })
    live(1, { changes: [...change(0, p1), { change: 'a0', payment: 'a', kind: 'declined', by: 'keeper' }] })
    expect(states()).toMatchObject({ 'change a0': 'open' })
    live(2, { changes: [{ change: 'a0', payment: 'a', kind: 'declined', by: 'proposer' }, ...change(1, { partner: 'p9' })] })
    expect(states()).toMatchObject({ 'change a0': 'declined' })
    expect(states()).not.toHaveProperty('change a1')
    expect(balances()).toEqual({ pending: 2_000n })
  })

  test('a sale frees what it used up of a cap when it goes, and gets what room is left when it comes back', () => {
    const { live, balances } = story()
    const terms = { name: 'cap', startsIn: 0, rate: '10', periodCap: 1_500n, period: 'month' as const, currency: 'USD' as const }
    live(0, { rules: [{ kind: 'publish', terms }] })
    live(1, { news: [paid('a', 1, 10_000n)] })
    live(2, { changes: change(0, p1) })
    live(3, { news: [paid('b', 3, 8_000n)] })
    expect(balances()).toEqual({ pending: 800n, 'p1 USD pending': 1_000n })
    live(4, { changes: change(1, 'before') })
    expect(balances()).toEqual({ pending: 1_500n })
  })

  const filed = (claim: string, partner: string, knows = true): ClaimStep => ({
    claim,
    payment: 'a',
    kind: 'filed',
    partner,
    bought: 0,
    knows,
  })
  const credited = (claim: string): ClaimStep => ({ claim, payment: 'a', kind: 'credited' })

  test('of two claims for a sale of nobody’s the first is credited at once, and the other waits for a second admin', () => {
    const { live, balances, states } = story()
    live(0, { news: [paid('a', 0, 10_000n, { click: undefined })] })
    live(1, { changes: [filed('one', 'p0'), filed('two', 'p1'), credited('one'), credited('two')] })
    expect(states()).toMatchObject({
      'claim one': 'approved',
      'change one': 'approved',
      'claim two': 'waiting',
      'change two': 'open',
    })
    expect(balances()).toEqual({ pending: 2_000n })
    live(2, { changes: [{ change: 'two', payment: 'a', kind: 'approved', by: 'proposer' }] })
    expect(balances()).toEqual({ pending: 2_000n })
    live(3, { changes: [{ change: 'two', payment: 'a', kind: 'approved', by: 'other' }] })
    expect(states()).toMatchObject({ 'claim two': 'approved' })
    expect(balances()).toEqual({ 'p1 USD pending': 2_000n })
  })

  test.each([
    ['other', 'declined'],
    ['proposer', 'open'],
    ['keeper', 'waiting'],
  ] as const)('a claim of somebody else’s sale whose change the %s declines is %s', (by, state) => {
    const { live, balances, states } = story()
    live(0, { news: [paid('a', 0, 10_000n)] })
    live(1, { changes: [filed('one', 'p1'), credited('one'), { change: 'one', payment: 'a', kind: 'declined', by }] })
    expect(states()).toMatchObject({ 'claim one': state })
    expect(balances()).toEqual({ pending: 2_000n })
  })

  test.each([
    ['of what is theirs already is declined', 1, filed('one', 'p0'), 'declined'],
    ['of an order that does not exist is declined', 1, filed('one', 'p1', false), 'declined'],
    ['on the last day is taken', 30, filed('one', 'p1'), 'waiting'],
    ['after the deadline is not taken', 31, filed('one', 'p1'), undefined],
  ] as const)('a claim %s', (_, day, step, state) => {
    const { live, states } = story()
    live(0, { news: [paid('a', 0, 10_000n)] })
    live(day, { changes: [step, credited('one')] })
    expect(states()['claim one']).toBe(state)
  })

  test('another tax is another basis', () => {
    const { live, balances } = story()
    live(0, { news: [paid('a', 0, 10_000n)] })
    live(2, { news: [{ kind: 'retaxed', payment: 'a', at: startOf(2), tax: 1_900n }] })
    expect(balances()).toEqual({ pending: 1_620n })
  })

  test.each([
    ['takes what room its cap for a month has left', 3_000n, 3_000n],
    ['takes no more than it is worth', 5_000n, 4_000n],
  ])('another tax of a sale that is worth more by it %s', (_, periodCap, expected) => {
    const { live, balances } = story()
    const terms = { name: 'capped', rate: '20', periodCap, period: 'month', currency: 'USD', startsIn: 0 } as const
    live(0, { rules: [{ kind: 'publish', terms }] })
    live(1, { news: [paid('a', 1, 10_000n, { tax: 5_000n }), paid('b', 1, 7_500n)] })
    expect(balances()).toEqual({ pending: 2_500n })
    live(2, { news: [{ kind: 'retaxed', payment: 'a', at: startOf(2), tax: 0n }] })
    expect(balances()).toEqual({ pending: expected === 4_000n ? 3_500n : expected })
    live(3, { news: [paid('c', 3, 2_500n)] })
    expect(balances()).toEqual({ pending: expected })
  })
})

/** The step that registers a prospect, known by the domain of their address. */
function submitted(deal: string, partner: string, email: string): DealStep {
  const domain = email.split('@')[1]!
  return { deal, kind: 'submitted', partner, prospect: { firm: `firm of ${email}`, domain, email } }
}

const joined = (partner: string) => ({ partner, kind: 'joined' as const })

/** p0 and p1, with a click on the link of p0 on day 0; no work is put off. */
function story() {
  const oracle = createOracle({ partners: 2, days: 200, seed: 1 }, () => false)
  const live = (day: number, what: Partial<Omit<Day, 'news'>> & { news?: News[] } = {}) =>
    oracle.live({
      day,
      start: startOf(day),
      settings: [],
      rules: [],
      newVersion: false,
      coupons: [],
      deals: [],
      charged: [],
      hands: [],
      changes: [],
      partners: day === 0 ? ['p0', 'p1'].map(joined) : [],
      clicks: day === 0 ? [{ key: 'click', partner: 'p0', at: startOf(0), previous: undefined }] : [],
      impossible: [],
      payday: false,
      ...what,
      news: (what.news ?? []).map((news) => ({ news, times: 1 })),
    })
  const balances = () => Object.fromEntries([...oracle.balances()].map(([key, amount]) => [key.replace('p0 USD ', ''), amount]))
  const states = () => Object.fromEntries(oracle.states())
  return { live, balances, states }
}

function paid(key: string, day: number, gross: bigint, change: Partial<Payment> = {}): News {
  const made: Payment = {
    key,
    customer: { key: `cus_${key}`, email: undefined, country: 'DE' },
    currency: 'USD',
    gross,
    tax: 0n,
    shipping: 0n,
    paidAt: startOf(day) + 3_600_000,
    product: 'Course',
    click: 'click',
    coupon: undefined,
    subscription: undefined,
    ...change,
  }
  return { kind: 'paid', payment: key, at: made.paidAt, made }
}

test.each([
  ['nothing when the sum is a multiple', [12n, 8n], []],
  ['the least money', [25n, 15n, 5n], [2]],
  ['all when nothing adds up', [3n, 4n], [0, 1]],
  ['the fewest of the same money', [1n, 2n, 3n, 7n], [2]],
  ['the youngest of the same money', [5n, 10n, 5n, 5n], [3]],
  ['the youngest pair of the same money', [2n, 3n, 2n, 3n, 15n], [2, 3]],
  ['the pair whose older one is younger than that of any other', [1n, 2n, 3n, 4n, 15n], [1, 2]],
])('where only multiples are paid, there waits %s', (_, amounts, expected) => expect(leftBack(amounts, 10n)).toEqual(expected))
