// What is kept of an object when Stripe tells of it twice within a second: `created` has no finer resolution, and events come in any order.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../kit/index.ts'
import { type Fact, readEvent } from './facts.ts'
import { keep, keepOne } from './known.ts'
import { type PayingHouse, payingHouse } from './testing.ts'

let paying: PayingHouse
beforeAll(async () => {
  paying = await payingHouse()
})
afterAll(() => paying.close())

const charge = { payment_intent: 'pi_1', amount: 12_000, amount_captured: 0, amount_refunded: 0, currency: 'usd', created: 1 }
const captured = { status: 'succeeded', amount_captured: 12_000 }
const capturedInPart = { status: 'succeeded', amount_captured: 8_000 }
const refund = { charge: 'ch_1', amount: 500, currency: 'usd' }
const dispute = { charge: 'ch_1' }
const session = { payment_intent: 'pi_1' }
const invoice = { currency: 'usd', total: 12_000, created: 1 }
const invoicePayment = { invoice: 'in_1', payment: { type: 'payment_intent', payment_intent: 'pi_1' } }

/** What an object goes through, from its beginning to its end. */
const lives: readonly (readonly [name: string, object: string, always: object, life: readonly object[]])[] = [
  ...['succeeded', 'canceled'].map(
    (end) =>
      [
        `a payment intent that is ${end}`,
        'payment_intent',
        {},
        ['requires_payment_method', 'processing', 'requires_capture', end].map((status) => ({ status })),
      ] as const,
  ),
  ['a charge that fails', 'charge', charge, [{ status: 'pending' }, { status: 'failed' }]],
  [
    'a charge that is authorized, captured and refunded',
    'charge',
    charge,
    [
      { status: 'pending' },
      { status: 'succeeded' },
      captured,
      { ...captured, amount_refunded: 1_000 },
      { ...captured, amount_refunded: 12_000 },
    ],
  ],
  [
    'a charge that is captured in part',
    'charge',
    charge,
    [{ status: 'succeeded' }, { ...capturedInPart, amount_refunded: 4_000 }, { ...capturedInPart, amount_refunded: 5_000 }],
  ],
  ...[['succeeded', 'failed'], ['canceled']].map(
    (end) =>
      [
        `a refund that is ${end.join(', then ')}`,
        'refund',
        refund,
        ['requires_action', 'pending', ...end].map((status) => ({ status })),
      ] as const,
  ),
  ...['won', 'lost'].map(
    (end) =>
      [
        `a dispute that is ${end}`,
        'dispute',
        dispute,
        ['warning_needs_response', 'warning_under_review', 'needs_response', 'under_review', end].map((status) => ({ status })),
      ] as const,
  ),
  [
    'an inquiry that is closed',
    'dispute',
    dispute,
    ['warning_needs_response', 'warning_under_review', 'warning_closed'].map((status) => ({ status })),
  ],
  ['a dispute that is prevented', 'dispute', dispute, [{ status: 'needs_response' }, { status: 'prevented' }]],
  [
    'a session whose payment takes days',
    'checkout.session',
    session,
    [
      { status: 'open', payment_status: 'unpaid' },
      { status: 'complete', payment_status: 'unpaid' },
      { status: 'complete', payment_status: 'paid' },
    ],
  ],
  [
    'a session in which nothing was to be paid',
    'checkout.session',
    session,
    [
      { status: 'open', payment_status: 'unpaid' },
      { status: 'complete', payment_status: 'no_payment_required' },
    ],
  ],
  [
    'a session that expires',
    'checkout.session',
    session,
    [
      { status: 'open', payment_status: 'unpaid' },
      { status: 'expired', payment_status: 'unpaid' },
    ],
  ],
  ['an invoice that is paid late', 'invoice', invoice, ['draft', 'open', 'uncollectible', 'paid'].map((status) => ({ status }))],
  ['an invoice that is void', 'invoice', invoice, ['draft', 'open', 'void'].map((status) => ({ status }))],
  ...['paid', 'canceled'].map(
    (end) =>
      [
        `a payment of an invoice that is ${end}`,
        'invoice_payment',
        invoicePayment,
        ['open', end].map((status) => ({ status })),
      ] as const,
  ),
  [
    'a transfer that is reversed bit by bit',
    'transfer',
    { amount: 1_000 },
    [0, 400, 1_000].map((amount_reversed) => ({ amount_reversed })),
  ],
]

function told(id: string, object: object, eventId: string): Fact {
  const event = { id: eventId, type: 'charge.updated', created: 1_793_000_000, data: { object: { ...object, id } } }
  const { kept } = readEvent(event, (email) => email, '2026-10-28.endive')
  if (!kept?.fact) throw new Error(kept?.problem ?? 'no fact')
  return kept.fact
}

test.each(lives)(
  'of any two events about %s within a second, the later in its life counts, in whatever order',
  async (_, object, always, life) => {
    const { db, program } = paying.house
    const states = life.map((state) => ({ object, ...always, ...state }))
    const pairs = states.flatMap((earlier, i) => states.slice(i + 1).map((later) => [earlier, later] as const))
    for (const [earlier, later] of pairs)
      for (const [idOfEarlier, idOfLater] of [
        ['evt_a', 'evt_b'],
        ['evt_b', 'evt_a'],
      ] as const)
        await db.transaction(async (tx) => {
          const of = (id: string) => [told(id, earlier, idOfEarlier), told(id, later, idOfLater)] as const
          const what = `${JSON.stringify(earlier)} and ${JSON.stringify(later)}`
          const [one, other, together] = [of(`x_${newId()}`), of(`x_${newId()}`), of(`x_${newId()}`)]
          await keep(tx, program.id, [one[0]])
          expect((await keepOne(tx, program.id, one[1])).fields, what).toEqual(one[1].fields)
          await keep(tx, program.id, [other[1]])
          expect((await keepOne(tx, program.id, other[0])).fields, what).toEqual(other[1].fields)
          await keep(tx, program.id, together)
          expect((await keepOne(tx, program.id, together[0])).fields, what).toEqual(together[1].fields)
        })
  },
)

test.each(['given', 'reversed'] as const)(
  'of two events about an account within a second neither is believed: Stripe is asked how it is (their order: %s)',
  async (order) => {
    const { account } = await paying.aPartner()
    await paying.settled()
    paying.sandbox.webhooks.hold()
    await paying.act(`accounts/${account}/add_bank`)
    await paying.act(`accounts/${account}/restrict`, {}, 0)
    paying.sandbox.webhooks.release(order)
    await paying.settled()
    const [method] = await paying.house.connection.sql`select ready, places from payouts_methods where account = ${account}`
    expect(method).toMatchObject({ ready: false, places: { length: 2 } })
  },
)
