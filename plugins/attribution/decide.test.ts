import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import type { PartnerStatus } from '../partners/public.ts'
import { decide, type Facts, type Rule, type Standing } from './decide.ts'
import type { Touch } from './public.ts'

const ada = 'partner-ada'
const bob = 'partner-bob'
const boundAt = new Date('2026-11-02T12:00:00Z')
const rule: Rule = { windowDays: 90, model: 'last' }
const dayMs = 86_400_000

const daysBefore = (days: number) => new Date(boundAt.getTime() - days * dayMs)
const aTouch = (given: Partial<Touch> = {}): Touch => ({
  kind: 'click',
  partnerId: ada,
  at: daysBefore(1),
  reference: 'c1',
  ...given,
})
const standing = (status: PartnerStatus = 'active', emailHash = 'someone'): Standing => ({ status, emailHash })
const facts = (given: Partial<Facts> = {}): Facts => ({
  boundAt,
  customerEmails: ['customer'],
  existing: undefined,
  touches: [],
  partners: new Map([
    [ada, standing()],
    [bob, standing('active', 'bob')],
  ]),
  ...given,
})
const lossOf = (trace: ReturnType<typeof decide>, reference: string) =>
  trace.candidates.find((candidate) => candidate.reference === reference)?.lost

describe('who wins', () => {
  const click = aTouch({ reference: 'click' })
  const earlierClick = aTouch({ partnerId: bob, reference: 'earlier', at: daysBefore(2) })
  const coupon = aTouch({ kind: 'coupon', partnerId: bob, reference: 'coupon', at: daysBefore(30) })
  const deal = aTouch({ kind: 'deal', partnerId: bob, reference: 'deal', at: daysBefore(60) })
  test.each<[string, Partial<Facts>, Rule, string | null]>([
    ['a single click', { touches: [click] }, rule, ada],
    ['the last of two clicks', { touches: [earlierClick, click] }, rule, ada],
    ['the first of two clicks, when the rule says first', { touches: [click, earlierClick] }, { ...rule, model: 'first' }, bob],
    ['a coupon over a later click', { touches: [click, coupon] }, rule, bob],
    ['a deal over a later coupon of another', { touches: [{ ...coupon, partnerId: ada }, deal] }, rule, bob],
    [
      'the partner whom the customer is bound to, over a new click',
      { touches: [click], existing: { partnerId: bob, boundAt: daysBefore(300) } },
      rule,
      bob,
    ],
    ['nobody without a touch', {}, rule, null],
    ['a click exactly at the end of the window', { touches: [aTouch({ at: daysBefore(90) })] }, rule, ada],
    ['nobody a millisecond after the window', { touches: [aTouch({ at: new Date(daysBefore(90).getTime() - 1) })] }, rule, null],
    [
      'the earlier click, when the later one is outside the window of nobody but another’s',
      { touches: [earlierClick, aTouch({ at: daysBefore(91) })] },
      rule,
      bob,
    ],
    [
      'the first click within the window, not one before it',
      { touches: [aTouch({ at: daysBefore(91) }), earlierClick] },
      { ...rule, model: 'first' },
      bob,
    ],
    [
      'the other partner, when the last click is of one who is suspended',
      {
        touches: [earlierClick, click],
        partners: new Map([
          [ada, standing('suspended')],
          [bob, standing()],
        ]),
      },
      rule,
      bob,
    ],
    [
      'nobody, when the bound partner has left',
      {
        touches: [earlierClick],
        existing: { partnerId: ada, boundAt: daysBefore(300) },
        partners: new Map([
          [ada, standing('left')],
          [bob, standing()],
        ]),
      },
      rule,
      null,
    ],
    [
      'a click some seconds after the payment, since clocks differ',
      { touches: [aTouch({ at: new Date(boundAt.getTime() + 2_000) })] },
      rule,
      ada,
    ],
    ['nobody for a click long after the payment', { touches: [aTouch({ at: new Date(boundAt.getTime() + dayMs) })] }, rule, null],
  ])('%s', (_, given, by, winner) => expect(decide(facts(given), by).winner).toBe(winner))
})

test('each candidate that lost says why', () => {
  const trace = decide(
    facts({
      customerEmails: ['customer', 'ada-herself'],
      partners: new Map([
        [ada, standing('active', 'ada-herself')],
        [bob, standing()],
        ['carl', standing('registered', 'carl')],
      ]),
      touches: [
        aTouch({ reference: 'own', at: daysBefore(0) }),
        aTouch({ reference: 'inactive', partnerId: 'carl' }),
        aTouch({ reference: 'stranger', partnerId: 'nobody-knows' }),
        aTouch({ reference: 'late', partnerId: bob, at: new Date(boundAt.getTime() + dayMs) }),
        aTouch({ reference: 'won', partnerId: bob, at: daysBefore(2) }),
        aTouch({ reference: 'older', partnerId: bob, at: daysBefore(3) }),
        aTouch({ reference: 'stale', partnerId: bob, at: daysBefore(100) }),
        aTouch({ reference: 'coupon', kind: 'coupon', partnerId: 'carl' }),
      ],
    }),
    rule,
  )
  expect(trace.winner).toBe(bob)
  expect(Object.fromEntries(trace.candidates.map(({ reference, lost }) => [reference, lost]))).toEqual({
    own: 'self_referral',
    inactive: 'ineligible_status',
    stranger: 'unknown_partner',
    late: 'after_the_sale',
    won: null,
    older: 'later_touch_won',
    stale: 'window_expired',
    coupon: 'ineligible_status',
  })
})

test('a self-referral is refused with its reason, even for a customer who is bound', () => {
  const self = new Map([[ada, standing('active', 'customer')]])
  expect(lossOf(decide(facts({ touches: [aTouch()], partners: self }), rule), 'c1')).toBe('self_referral')
  const bound = decide(facts({ existing: { partnerId: ada, boundAt }, partners: self }), rule)
  expect([bound.winner, lossOf(bound, 'binding')]).toEqual([null, 'self_referral'])
})

test('a lower kind says that it was outranked, not that it was late', () => {
  const trace = decide(facts({ touches: [aTouch(), aTouch({ kind: 'deal', partnerId: bob, reference: 'd1' })] }), rule)
  expect(lossOf(trace, 'c1')).toBe('lower_precedence')
})

test('the rule’s version changes with its settings', () => {
  const versions = [rule, { ...rule, windowDays: 30 }, { ...rule, model: 'first' as const }].map(
    (by) => decide(facts(), by).ruleVersion,
  )
  expect(new Set(versions).size).toBe(3)
})

const touches = fc.array(
  fc.record({
    kind: fc.constantFrom('click' as const, 'coupon' as const, 'deal' as const),
    partnerId: fc.constantFrom(ada, bob, 'carl'),
    at: fc.integer({ min: 0, max: 120 }).map(daysBefore),
    reference: fc.uuid(),
  }),
  { maxLength: 8 },
)
property.prop([touches, fc.infiniteStream(fc.nat()), fc.constantFrom('last' as const, 'first' as const)])(
  'the order in which touches are found changes nothing, and at most one wins',
  (given, noise, model) => {
    const shuffled = [...given].map((touch) => ({ touch, key: noise.next().value })).sort((a, b) => a.key - b.key)
    const decision = decide(facts({ touches: given }), { ...rule, model })
    expect(decide(facts({ touches: shuffled.map(({ touch }) => touch) }), { ...rule, model })).toEqual(decision)
    expect(decision.candidates.filter(({ lost }) => lost === null).length).toBe(decision.winner === null ? 0 : 1)
  },
)
