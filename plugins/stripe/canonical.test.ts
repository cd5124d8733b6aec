import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { newId, UserError } from '../kit/index.ts'
import { canonicalPayment } from './canonical.ts'
import { type Fact, readEvent } from './facts.ts'

const hash = (email: string) => `hashed ${email}`
const version = '2026-10-28.endive'
const clickId = newId()
const paidAt = 1_793_000_000
let count = 0

/** The fact in an event about the object. */
function told(object: Record<string, unknown>, { type = `${String(object.object)}.updated`, created = paidAt } = {}): Fact {
  const { kept } = readEvent({ id: `evt_${++count}`, object: 'event', type, created, data: { object } }, hash, version)
  if (!kept?.fact) throw new Error(kept?.problem ?? 'no fact')
  return kept.fact
}
const charge = (given: object = {}, at = {}) =>
  told(
    {
      object: 'charge',
      id: 'ch_1',
      payment_intent: 'pi_1',
      status: 'succeeded',
      amount_captured: 12_000,
      amount_refunded: 0,
      currency: 'usd',
      customer: 'cus_1',
      billing_details: { email: 'c@example.com', address: { country: 'DE' } },
      metadata: {},
      created: paidAt,
      ...given,
    },
    at,
  )
const intent = (given: object = {}) => told({ object: 'payment_intent', id: 'pi_1', status: 'succeeded', metadata: {}, ...given })
const session = (given: object = {}) =>
  told({
    object: 'checkout.session',
    id: 'cs_1',
    payment_intent: 'pi_1',
    client_reference_id: clickId,
    metadata: {},
    status: 'complete',
    payment_status: 'paid',
    currency: 'usd',
    amount_total: 12_000,
    total_details: { amount_tax: 2_000, amount_shipping: 500 },
    customer: 'cus_1',
    customer_details: { email: 'c@example.com' },
    ...given,
  })
const refund = (given: object = {}, at = {}) =>
  told(
    {
      object: 'refund',
      id: `re_${++count}`,
      charge: 'ch_1',
      payment_intent: 'pi_1',
      status: 'succeeded',
      amount: 1_000,
      currency: 'usd',
      ...given,
    },
    at,
  )
const dispute = (status: string, given: object = {}) =>
  told(
    { object: 'dispute', id: `dp_${++count}`, charge: 'ch_1', payment_intent: 'pi_1', status, ...given },
    { type: 'charge.dispute.updated' },
  )
const invoice = (given: object = {}) =>
  told({
    object: 'invoice',
    id: 'in_1',
    status: 'paid',
    billing_reason: 'subscription_cycle',
    currency: 'usd',
    total: 12_000,
    total_taxes: [{ amount: 1_200 }, { amount: 800 }],
    customer: 'cus_1',
    metadata: {},
    created: paidAt,
    parent: { subscription_details: { subscription: 'sub_1', metadata: {} } },
    ...given,
  })

const invoicePayment = (given: object = {}) =>
  told({
    object: 'invoice_payment',
    id: 'inpay_1',
    invoice: 'in_1',
    status: 'paid',
    payment: { type: 'payment_intent', payment_intent: 'pi_1' },
    ...given,
  })

const assemble = (facts: Fact[], { asked = false, siblings = [] as Fact[], beginnings = [] as Fact[] } = {}) =>
  canonicalPayment({
    programId: newId(),
    paymentKey: 'pi_1',
    facts,
    siblings: siblings as Fact<'invoice'>[],
    beginnings: beginnings as Fact<'session'>[],
    asked,
  })
function paymentOf(facts: Fact[], options?: Parameters<typeof assemble>[1]) {
  const assembled = assemble(facts, options)
  if (assembled.state !== 'complete') throw new Error(`the payment is ${assembled.state}`)
  return assembled.payment
}

test('a session of an invoice waits for the invoice, which says which payment of the subscription it is', () => {
  const known = { programId: newId(), paymentKey: 'pi_1', siblings: [], beginnings: [], asked: false }
  const facts = [charge(), session({ payment_intent: null, invoice: 'in_1', subscription: 'sub_1' })]
  expect(canonicalPayment({ ...known, facts }).state).toBe('incomplete')
  expect(canonicalPayment({ ...known, facts, asked: true }).state).toBe('complete')
})

describe('when a payment is complete', () => {
  test.each<[string, () => Fact[], boolean, string]>([
    ['nothing but an open session', () => [session({ status: 'open', payment_status: 'unpaid' })], false, 'unpaid'],
    [
      'a charge that failed',
      () => [charge({ status: 'failed', amount_captured: 0 }), session({ payment_status: 'unpaid' })],
      true,
      'unpaid',
    ],
    ['an authorization that was not captured', () => [charge({ amount_captured: 0 }), session()], true, 'unpaid'],
    ['an intent that succeeded, without its charge', () => [intent(), session()], false, 'incomplete'],
    ['a session that is paid, without its charge', () => [session()], false, 'incomplete'],
    ['a session whose payment takes days', () => [session({ payment_status: 'unpaid' })], false, 'unpaid'],
    [
      'a session that is paid, and a charge that was declined before',
      () => [session(), charge({ status: 'failed' })],
      false,
      'incomplete',
    ],
    ['a paid invoice and its payment, without its charge', () => [invoice(), invoicePayment()], false, 'incomplete'],
    [
      'a declined payment of an invoice that was paid otherwise',
      () => [
        charge({ status: 'failed' }),
        session({ payment_intent: null, invoice: 'in_1' }),
        invoice(),
        invoicePayment({ status: 'canceled' }),
      ],
      false,
      'unpaid',
    ],
    ['an invoice whose payment is open', () => [invoice({ status: 'open' }), invoicePayment({ status: 'open' })], false, 'unpaid'],
    ['a charge of unknown origin', () => [charge(), intent()], false, 'incomplete'],
    ['a charge of unknown origin, after Stripe was asked', () => [charge()], true, 'complete'],
    ['a charge and its session', () => [charge(), session()], false, 'complete'],
    ['a renewal of which nobody knows how many came before', () => [charge(), invoice()], false, 'incomplete'],
    ['such a renewal, after Stripe was asked', () => [charge(), invoice()], true, 'complete'],
    [
      'a first invoice, whose session is still to come',
      () => [charge(), invoice({ billing_reason: 'subscription_create' })],
      false,
      'incomplete',
    ],
    [
      'an invoice by hand, which a session may have made',
      () => [charge(), invoice({ billing_reason: 'manual' })],
      false,
      'incomplete',
    ],
  ])('%s', (_, facts, asked, state) => expect(assemble(facts(), { asked }).state).toBe(state))

  test.each([
    ['ends where it begins', paidAt, 'complete'],
    ['ends before: there is another one between them', paidAt - 500, 'incomplete'],
  ])('a renewal, when the period of the invoice before it that is known %s', (_, end, state) => {
    const covering = (start: number, end: number) => ({ lines: { data: [{ amount: 12_000, period: { start, end } }] } })
    const first = invoice({
      id: 'in_01',
      billing_reason: 'subscription_create',
      created: paidAt - 1000,
      ...covering(paidAt - 1000, end),
    })
    const facts = [charge(), invoice(covering(paidAt, paidAt + 1000))]
    expect(assemble(facts, { siblings: [first, facts[1]!] }).state).toBe(state)
    expect(assemble(facts, { siblings: [first, facts[1]!], asked: true }).state).toBe('complete')
  })

  test('a renewal and its invoice, once the first invoice of the subscription is known', () => {
    const siblings = [invoice({ id: 'in_01', billing_reason: 'subscription_create', created: paidAt - 1000 })]
    expect(assemble([charge(), invoice()], { siblings }).state).toBe('complete')
  })
})

describe('what a payment says', () => {
  test('amounts, customer, hints and product come from charge, session and intent', () => {
    expect(paymentOf([charge(), session({ metadata: { product: 'Course' } }), intent()])).toMatchObject({
      provider: 'stripe',
      paymentKey: 'pi_1',
      gross: 12_000n,
      tax: 2_000n,
      shipping: 500n,
      currency: 'USD',
      refunded: 0n,
      dispute: 'none',
      customer: { key: 'cus_1', emailHash: 'hashed c@example.com', country: 'DE' },
      hints: { clickId },
      product: 'Course',
      paidAt: new Date(paidAt * 1000),
    })
  })

  test.each<[string, () => Fact[], string | undefined]>([
    [
      'the session’s metadata, when its reference is the shop’s own',
      () => [charge(), session({ client_reference_id: 'cart-17', metadata: { siso_cid: clickId } })],
      clickId,
    ],
    [
      'the intent’s metadata',
      () => [charge(), session({ client_reference_id: null }), intent({ metadata: { siso_cid: clickId } })],
      clickId,
    ],
    [
      'the subscription’s metadata',
      () => [charge(), invoice({ parent: { subscription_details: { subscription: 'sub_1', metadata: { siso_cid: clickId } } } })],
      clickId,
    ],
    ['nowhere, when nothing is a click id', () => [charge(), session({ client_reference_id: 'cart-17' })], undefined],
  ])('the click id comes from %s', (_, facts, expected) => expect(paymentOf(facts(), { asked: true }).hints.clickId).toBe(expected))

  test('the first invoice that costs anything after a trial waits for the session of the trial, and has its hints; a renewal has not', () => {
    const trial = invoice({ id: 'in_01', billing_reason: 'subscription_create', total: 0, created: paidAt - 9000 })
    const beginning = session({
      payment_intent: null,
      invoice: 'in_01',
      subscription: 'sub_1',
      amount_total: 0,
      total_details: null,
    })
    const siblings = [trial, invoice()]
    expect(assemble([charge(), invoice()], { siblings }).state).toBe('incomplete')
    expect(paymentOf([charge(), invoice()], { siblings, beginnings: [beginning] })).toMatchObject({
      hints: { clickId },
      gross: 12_000n,
      tax: 2_000n,
      recurring: { sequence: 1 },
    })
    const paid = invoice({ id: 'in_02', created: paidAt - 5000 })
    const renewal = paymentOf([charge(), invoice()], { siblings: [...siblings, paid], beginnings: [beginning] })
    expect(renewal).toMatchObject({ hints: {}, recurring: { sequence: 2 } })
    expect(renewal.hints).toEqual({})
  })

  test('a guest is known by the hash of the e-mail, or else by the payment', () => {
    const guest = { customer: null }
    expect(paymentOf([charge(guest), session(guest)]).customer.key).toBe('guest:hashed c@example.com')
    const nobody = { customer: null, billing_details: null, customer_details: null }
    expect(paymentOf([charge(nobody), session(nobody)]).customer.key).toBe('payment:pi_1')
  })

  test('a payment for half of an invoice bears half of its tax', () => {
    expect(paymentOf([charge({ amount_captured: 6_000 }), invoice()], { asked: true })).toMatchObject({
      gross: 6_000n,
      tax: 1_000n,
    })
  })

  test.each([
    [
      'half of tax and shipping that are all of the bill',
      50,
      { total: 100, total_taxes: [{ amount: 21 }], shipping_cost: { amount_subtotal: 79 } },
      11n,
      39n,
    ],
    ['a bill whose tax is given back with the plan before', 4_000, { total: 4_000, total_taxes: [{ amount: -1_000 }] }, 0n, 0n],
    [
      'a bill that is smaller than its tax, for the plan before had none',
      1_000,
      { total: 1_000, total_taxes: [{ amount: 2_000 }] },
      1_000n,
      0n,
    ],
  ])('tax and shipping fit into the payment of %s', (_, paid, bill, tax, shipping) => {
    const facts = [charge({ amount_captured: paid }), invoice({ billing_reason: 'subscription_update', ...bill })]
    expect(paymentOf(facts, { asked: true })).toMatchObject({ gross: BigInt(paid), tax, shipping })
  })

  test.each([
    ['nothing else', 3_000, 7_000, [], 0n],
    ['more than was captured', 7_000, 3_000, [], 0n],
    ['a refund of what was captured, too', 4_000, 7_000, [], 1_000n],
    ['a refund since then, too', 3_000, 7_000, [{ amount: 500, created: paidAt + 60 }], 500n],
  ])(
    'what was authorized and never captured is no refund to the customer: %s',
    (_, amount_refunded, amount_captured, refunds, refunded) => {
      const captured = charge({ amount: 10_000, amount_captured, amount_refunded })
      expect(paymentOf([captured, session(), ...refunds.map((one) => refund(one))])).toMatchObject({
        gross: BigInt(amount_captured),
        refunded,
      })
    },
  )

  test('a session in another currency than its payment is refused', () => {
    expect(() => assemble([charge(), session({ currency: 'eur' })])).toThrow(UserError)
  })

  test('what credit alone paid is no payment of a subscription, and a change of plan that cost money is one', () => {
    const credited = invoice({ id: 'in_01', billing_reason: 'subscription_create', amount_due: 0, created: paidAt - 9000 })
    const upgrade = invoice({ id: 'in_02', billing_reason: 'subscription_update', amount_due: 700, created: paidAt - 500 })
    expect(paymentOf([charge(), invoice()], { siblings: [credited, upgrade, invoice()] }).recurring).toMatchObject({ sequence: 2 })
  })

  test('a payment of a subscription carries its number among the paid invoices', () => {
    const earlier = [1, 2].map((n) => invoice({ id: `in_0${n}`, created: paidAt - n * 1000 }))
    const unpaid = invoice({ id: 'in_00', status: 'open', created: paidAt - 500 })
    const trial = invoice({ id: 'in_03', billing_reason: 'subscription_create', total: 0, created: paidAt - 9000 })
    expect(paymentOf([charge(), invoice()], { siblings: [...earlier, unpaid, trial, invoice()] }).recurring).toEqual({
      subscription: 'sub_1',
      sequence: 3,
    })
  })
})

describe('refunds', () => {
  test.each<[string, () => Fact[], bigint]>([
    ['the charge’s total alone', () => [charge({ amount_refunded: 700 })], 700n],
    ['the refunds alone', () => [charge(), refund({ amount: 300 }), refund({ amount: 400, status: 'pending' })], 700n],
    ['both', () => [charge({ amount_refunded: 700 }), refund({ amount: 300 }), refund({ amount: 400 })], 700n],
    [
      'a total that is newer than the refunds that are known',
      () => [charge({ amount_refunded: 900 }), refund({ amount: 300 })],
      900n,
    ],
    [
      'a refund that failed after the total was told',
      () => [
        charge({ amount_refunded: 700 }),
        refund({ amount: 300 }),
        refund({ amount: 400, status: 'failed' }, { created: paidAt + 1 }),
      ],
      300n,
    ],
    [
      'a refund that failed before the total was told',
      () => [
        charge({ amount_refunded: 300 }, { created: paidAt + 2 }),
        refund({ amount: 400, status: 'failed' }, { created: paidAt + 1 }),
      ],
      300n,
    ],
    [
      'a refund that failed in the same second',
      () => [charge({ amount_refunded: 700 }), refund({ amount: 300 }), refund({ amount: 400, status: 'failed' })],
      300n,
    ],
    ['everything', () => [charge({ amount_refunded: 12_000 })], 12_000n],
    [
      'a total that was told without a refund that failed in the same second, beside one that was made before',
      () => [
        charge({ amount_refunded: 500 }, { created: paidAt + 9 }),
        refund({ amount: 500, created: paidAt + 1 }, { created: paidAt + 1 }),
        refund({ amount: 400, status: 'failed', created: paidAt + 5 }, { created: paidAt + 9 }),
      ],
      500n,
    ],
    [
      'a total that was told with a refund that failed in the same second, beside one that was made before',
      () => [
        charge({ amount_refunded: 900 }, { created: paidAt + 9 }),
        refund({ amount: 500, created: paidAt + 1 }, { created: paidAt + 1 }),
        refund({ amount: 400, status: 'failed', created: paidAt + 5 }, { created: paidAt + 9 }),
      ],
      500n,
    ],
    [
      'a refund whose failure was not told, and the next one in the total',
      () => [
        charge({ amount_refunded: 12_000 }, { created: paidAt + 9 }),
        refund({ amount: 12_000, created: paidAt + 1 }, { created: paidAt + 1 }),
        refund({ amount: 12_000, created: paidAt + 9 }, { created: paidAt + 9 }),
      ],
      12_000n,
    ],
    [
      'a refund that was made after the total was told, and one before',
      () => [
        charge({ amount_refunded: 700 }, { created: paidAt + 2 }),
        refund({ amount: 300, created: paidAt + 3 }, { created: paidAt + 3 }),
        refund({ amount: 700, created: paidAt + 1 }, { created: paidAt + 5 }),
      ],
      1_000n,
    ],
    [
      'a refund that was made and failed after the total was told',
      () => [
        charge({ amount_refunded: 700 }, { created: paidAt + 2 }),
        refund({ amount: 300, status: 'failed', created: paidAt + 3 }, { created: paidAt + 4 }),
      ],
      700n,
    ],
    [
      'a total that was asked for, and a refund that was made before that',
      () => [
        { ...charge({ amount_refunded: 700 }), fields: { ...charge({ amount_refunded: 700 }).fields, asOf: paidAt + 5 } } as Fact,
        refund({ amount: 700, created: paidAt + 3 }, { created: paidAt + 3 }),
      ],
      700n,
    ],
  ])('%s', (_, facts, refunded) => expect(paymentOf([...facts(), session()]).refunded).toBe(refunded))

  test('more than was paid is refused, even while the origin is unknown', () => {
    expect(() => assemble([charge({ amount_refunded: 12_001 })])).toThrow(UserError)
  })
})

test.each([
  [[], 'none'],
  [['needs_response'], 'open'],
  [['warning_needs_response'], 'open'],
  [['won'], 'won'],
  [['warning_closed'], 'won'],
  [['prevented'], 'won'],
  [['lost'], 'lost'],
  [['won', 'lost'], 'lost'],
  [['lost', 'under_review'], 'open'],
  [['something_new'], 'open'],
])('disputes %j make %s', (statuses, outcome) => {
  expect(paymentOf([charge(), session(), ...statuses.map((status) => dispute(status))]).dispute).toBe(outcome)
})

test.each<[string, Fact[], bigint]>([
  ['a lost dispute takes what was disputed', [dispute('lost', { amount: 2_000, currency: 'usd' })], 2_000n],
  [
    'several add up, and those that are open or won take nothing',
    [...['lost', 'lost', 'won', 'under_review'].map((status) => dispute(status, { amount: 2_000, currency: 'usd' }))],
    4_000n,
  ],
  [
    'refunds and lost disputes never take more than was paid',
    [refund({ amount: 11_000 }), dispute('lost', { amount: 2_000, currency: 'usd' })],
    1_000n,
  ],
  ['a lost dispute in another currency takes all of it', [dispute('lost', { amount: 10, currency: 'eur' })], 12_000n],
  ['so does one without an amount', [dispute('lost')], 12_000n],
])('%s', (_, facts, lost) => {
  expect(paymentOf([charge(), session(), ...facts]).lost).toBe(lost)
})

property.prop([fc.shuffledSubarray([...Array(9).keys()], { minLength: 9 })])('the order of facts makes no difference', (order) => {
  const facts = [
    charge({ amount_refunded: 1_400 }),
    intent(),
    session(),
    invoice(),
    refund(),
    refund({ amount: 400, status: 'failed' }),
    refund({ amount: 400 }),
    dispute('won'),
    dispute('lost', { amount: 200, currency: 'usd' }),
  ]
  const programId = newId()
  const of = (given: Fact[]) =>
    canonicalPayment({ programId, paymentKey: 'pi_1', facts: given, siblings: [], beginnings: [], asked: false })
  expect(of(order.map((i) => facts[i]!))).toEqual(of(facts))
})

describe('reading events', () => {
  const read = (event: object) => readEvent({ id: 'evt_1', created: 1, ...event }, hash, version)
  test('no e-mail address is in what is kept', () => {
    for (const fact of [charge(), session(), invoice({ customer_email: 'c@example.com' })])
      expect(JSON.stringify(fact).replaceAll('hashed c@example.com', '')).not.toContain('@')
  })

  test.each(['customer.created', 'payment.created', 'payout.paid', 'capability.updated', 'price.created'])(
    '%s is not handled',
    (type) => {
      expect(read({ type, data: { object: { object: 'charge', id: 'py_1' } } }).kept).toBeUndefined()
    },
  )

  test.each([
    ['2024-06-20', false],
    ['2026-10-28.preview', true],
    [null, true],
  ])('of an event in version %s the object is believed: %s', (api_version, believed) => {
    const object = { object: 'dispute', id: 'dp_1', charge: 'ch_1', status: 'lost' }
    const { kept } = read({ type: 'charge.dispute.closed', api_version, data: { object } })
    expect(kept).toMatchObject(
      believed
        ? { fact: { objectId: 'dp_1' } }
        : { fact: null, problem: null, unread: { object: 'dispute', id: 'dp_1', created: 1, version: '2024-06-20' } },
    )
  })

  test('an object that is not as expected is kept as a problem that names the field', () => {
    expect(
      read({ type: 'refund.created', data: { object: { object: 'refund', id: 're_1', amount: 'much', currency: 'usd' } } }).kept,
    ).toMatchObject({
      fact: null,
      problem: expect.stringContaining('amount'),
    })
  })

  test.each([[null], ['text'], [{}], [{ id: '../x', type: 'a', created: 1, data: { object: {} } }]])('%j is no event', (event) => {
    expect(() => readEvent(event, hash, version)).toThrow()
  })
})
