import { fc, test as property } from '@fast-check/vitest'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { controlsOf, type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import { days, definePlugin, extend, newId, on, UserError } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { saleAttributed, saleDisputed, saleRecorded, saleRefunded } from './events.ts'
import { attribution } from './plugin.ts'
import { type CanonicalPayment, type Touch, touchSource } from './public.ts'

/** Touches by click id: stands for whoever records clicks. */
const touches = new Map<string, Touch[]>()
const heard: { event: string; payload: Record<string, unknown> }[] = []
const note = (event: string) => async (_tx: unknown, payload: Record<string, unknown>) => void heard.push({ event, payload })
const listener = definePlugin({
  id: 'listener',
  title: 'Listener',
  summary: 'Hears sales and knows touches.',
  setup: () => ({
    listeners: [
      on(saleRecorded, 'listener.recorded', note('recorded')),
      on(saleAttributed, 'listener.attributed', note('attributed')),
      on(saleRefunded, 'listener.refunded', note('refunded')),
      on(saleDisputed, 'listener.disputed', note('disputed')),
    ],
    extends: [
      extend(touchSource, { kind: 'click', find: async (_reader, _program, { clickId }) => touches.get(clickId ?? '') ?? [] }),
    ],
  }),
})

let house: TestHouse
let count = 0
beforeAll(async () => {
  house = await testHouse([listener, attribution, partners, notifications])
})
afterAll(() => house.close())
beforeEach(async () => {
  await house.drain()
  heard.length = 0
})

async function aPartner({
  email = `partner${++count}@example.com`,
  status = 'active',
  userId = `1${String(++count).padStart(17, '0')}`,
} = {}) {
  const id = newId(house.clock.now())
  await house.connection
    .sql`insert into partners_partners (id, program_id, user_id, name, email, industry, status, verified_at, activated_at)
    values (${id}, ${house.program.id}, ${userId}, 'A Partner', ${email}, 'saas', ${status}, now(), now())`
  return { id, userId, email }
}

function aPayment(given: Partial<CanonicalPayment> = {}): CanonicalPayment {
  const number = ++count
  return {
    programId: house.program.id,
    provider: 'stripe',
    paymentKey: `pi_${number}`,
    gross: 12_000n,
    tax: 2_000n,
    shipping: 500n,
    currency: 'usd',
    refunded: 0n,
    dispute: 'none',
    customer: { key: `cus_${number}`, emailHash: undefined, country: 'DE' },
    hints: {},
    product: 'Course',
    paidAt: house.clock.now(),
    ...given,
  }
}

/** A click of the partner, shortly before now. */
function aClick(partnerId: string): { clickId: string } {
  const clickId = `click-${++count}`
  touches.set(clickId, [{ kind: 'click', partnerId, at: new Date(house.clock.now().getTime() - 60_000), reference: clickId }])
  return { clickId }
}

const record = (payment: CanonicalPayment) => house.db.transaction((tx) => house.use(attribution).recordPayment(tx, payment))
const saleOf = (saleId: string) => house.use(attribution).sale(house.db, house.program.id, saleId)
const eventsHeard = async () => {
  await house.drain()
  return heard.map(({ event }) => event).sort()
}

describe('recording a payment', () => {
  test('a payment after a click becomes a sale of that partner, with the basis after tax and shipping', async () => {
    const ada = await aPartner()
    const { saleId, created } = await record(aPayment({ hints: aClick(ada.id) }))
    expect(created).toBe(true)
    expect(await saleOf(saleId)).toMatchObject({
      partnerId: ada.id,
      gross: 12_000n,
      basis: 9_500n,
      net: 12_000n,
      currency: 'USD',
      dispute: 'none',
    })
    expect(await eventsHeard()).toEqual(['recorded'])
    expect(heard[0]!.payload).toMatchObject({
      partnerId: ada.id,
      basis: 9_500n,
      firstOfCustomer: true,
      product: 'Course',
      sequence: null,
    })
  })

  test('the same payment again changes nothing and tells nothing', async () => {
    const payment = aPayment({ hints: aClick((await aPartner()).id), refunded: 100n })
    const first = await record(payment)
    await house.drain()
    heard.length = 0
    expect(await record(payment)).toEqual({ saleId: first.saleId, created: false })
    expect(await eventsHeard()).toEqual([])
  })

  test('a payment without any hint is a sale of nobody, and says so in its trace', async () => {
    const { saleId } = await record(aPayment())
    expect((await saleOf(saleId))!.partnerId).toBeNull()
    expect(wordsOf(await house.run('admin sales why', { sale: saleId }, { isAdmin: true }))).toContain(
      'No click, coupon, deal or earlier purchase',
    )
  })

  test('a hint that comes later attributes the sale, and tells it once', async () => {
    const ada = await aPartner()
    const payment = aPayment()
    const { saleId } = await record(payment)
    const hints = aClick(ada.id)
    await record({ ...payment, hints })
    await record({ ...payment, hints })
    expect((await saleOf(saleId))!.partnerId).toBe(ada.id)
    expect(await eventsHeard()).toEqual(['attributed', 'recorded'])
    expect(heard.find(({ event }) => event === 'attributed')!.payload).toMatchObject({ partnerId: ada.id, gross: 12_000n })
  })

  test('a sale keeps its partner when another hint comes later', async () => {
    const [ada, bob] = [await aPartner(), await aPartner()]
    const payment = aPayment({ hints: aClick(ada.id) })
    const { saleId } = await record(payment)
    await record({ ...payment, hints: aClick(bob.id) })
    expect((await saleOf(saleId))!.partnerId).toBe(ada.id)
  })

  test('a partner who became active since does not get a sale that was nobody’s, unless a new hint comes', async () => {
    const late = await aPartner({ status: 'verified' })
    const payment = aPayment({ hints: aClick(late.id) })
    const { saleId } = await record(payment)
    await house.connection.sql`update partners_partners set status = 'active' where id = ${late.id}`
    await record({ ...payment, refunded: 1n })
    expect((await saleOf(saleId))!.partnerId).toBeNull()
  })

  test('64 deliveries of one payment at the same time make one sale, one decision and one event', async () => {
    const payment = aPayment({ hints: aClick((await aPartner()).id) })
    const results = await Promise.all(Array.from({ length: 64 }, () => record(payment)))
    expect(new Set(results.map(({ saleId }) => saleId)).size).toBe(1)
    expect(results.filter(({ created }) => created).length).toBe(1)
    expect(await eventsHeard()).toEqual(['recorded'])
    const [row] = await house.connection
      .sql`select count(*)::int as decisions from attribution_decisions where sale_id = ${results[0]!.saleId}`
    expect(row!.decisions).toBe(1)
  })
})

describe('customers', () => {
  test('a customer is bound once: a later purchase goes to the same partner without any hint', async () => {
    const [ada, bob] = [await aPartner(), await aPartner()]
    const customer = { key: 'cus_returning', emailHash: undefined, country: undefined }
    await record(aPayment({ customer, hints: aClick(ada.id) }))
    const plain = await record(aPayment({ customer }))
    const viaBob = await record(aPayment({ customer, hints: aClick(bob.id) }))
    expect((await saleOf(plain.saleId))!).toMatchObject({ partnerId: ada.id, firstOfCustomer: false })
    expect((await saleOf(viaBob.saleId))!.partnerId).toBe(ada.id)
    expect(wordsOf(await house.run('admin sales why', { sale: viaBob.saleId }, { isAdmin: true }))).toContain(
      'bound to a partner already',
    )
  })

  test('a guest with another key and the same e-mail is the same customer', async () => {
    const ada = await aPartner()
    const emailHash = house.use(attribution).hashEmail('Carl@Example.com ')
    expect(emailHash).toBe(house.use(attribution).hashEmail('carl@example.com'))
    const first = await record(aPayment({ customer: { key: 'guest-1', emailHash, country: undefined }, hints: aClick(ada.id) }))
    const second = await record(aPayment({ customer: { key: 'guest-2', emailHash, country: undefined } }))
    expect((await saleOf(second.saleId))!).toMatchObject({
      partnerId: ada.id,
      customerId: (await saleOf(first.saleId))!.customerId,
    })
  })

  test('two first payments of a customer at the same moment bind them to one partner', async () => {
    const [ada, bob] = [await aPartner(), await aPartner()]
    const customer = { key: 'cus_hurried', emailHash: 'hash-hurried', country: undefined }
    const made = await Promise.all(
      [ada, bob, ada, bob].map(({ id }) =>
        record(aPayment({ customer: { ...customer, key: `hurried-${++count}` }, hints: aClick(id) })),
      ),
    )
    const sales = await Promise.all(made.map(({ saleId }) => saleOf(saleId)))
    expect(new Set(sales.map((sale) => sale!.customerId)).size).toBe(1)
    expect(new Set(sales.map((sale) => sale!.partnerId)).size).toBe(1)
    expect(sales.filter((sale) => sale!.firstOfCustomer).length).toBe(1)
  })

  test('a partner who bought with the own address is not credited when the next payment does not say it', async () => {
    const ada = await aPartner({ email: 'ada.again@example.com' })
    const customer = {
      key: 'cus_self_again',
      emailHash: house.use(attribution).hashEmail('ada.again@example.com'),
      country: undefined,
    }
    await record(aPayment({ customer, hints: aClick(ada.id) }))
    const { saleId } = await record(aPayment({ customer: { ...customer, emailHash: undefined }, hints: aClick(ada.id) }))
    expect((await saleOf(saleId))!.partnerId).toBeNull()
  })

  test('two who turn out to be one customer stay with the partner of the first', async () => {
    const ada = await aPartner()
    const emailHash = house.use(attribution).hashEmail('two.in.one@example.com')
    await record(aPayment({ customer: { key: 'two-guest', emailHash, country: undefined }, hints: aClick(ada.id) }))
    const unnamed = await record(aPayment({ customer: { key: 'two-account', emailHash: undefined, country: undefined } }))
    expect((await saleOf(unnamed.saleId))!.partnerId).toBeNull()
    const both = await record(aPayment({ customer: { key: 'two-account', emailHash, country: undefined } }))
    const bob = await aPartner()
    const later = await record(
      aPayment({ customer: { key: 'two-account', emailHash: undefined, country: undefined }, hints: aClick(bob.id) }),
    )
    for (const { saleId } of [both, later]) expect((await saleOf(saleId))!.partnerId).toBe(ada.id)
  })

  test('a partner who buys through the own link is not credited', async () => {
    const ada = await aPartner({ email: 'Ada.Self@example.com' })
    const emailHash = house.use(attribution).hashEmail('ada.self@example.com')
    const { saleId } = await record(
      aPayment({ customer: { key: 'cus_self', emailHash, country: undefined }, hints: aClick(ada.id) }),
    )
    expect((await saleOf(saleId))!.partnerId).toBeNull()
    expect(wordsOf(await house.run('admin sales why', { sale: saleId }, { isAdmin: true }))).toContain(
      'not credited for their own purchases',
    )
  })
})

describe('refunds and disputes', () => {
  test('a refund is told with its total, once, and also when it goes down again', async () => {
    const payment = aPayment({ hints: aClick((await aPartner()).id) })
    const { saleId } = await record(payment)
    for (const refunded of [3_000n, 3_000n, 12_000n, 3_000n]) await record({ ...payment, refunded })
    await house.drain()
    expect(heard.filter(({ event }) => event === 'refunded').map(({ payload }) => payload.refundedTotal)).toEqual([
      3_000n,
      12_000n,
      3_000n,
    ])
    expect(await saleOf(saleId)).toMatchObject({ refunded: 3_000n, net: 9_000n })
  })

  test('a payment that is already refunded when it is first seen tells the sale and the refund', async () => {
    await record(aPayment({ refunded: 12_000n }))
    expect(await eventsHeard()).toEqual(['recorded', 'refunded'])
  })

  test('a dispute is told when it changes; a lost one takes the sale’s worth', async () => {
    const payment = aPayment()
    const { saleId } = await record(payment)
    for (const dispute of ['open', 'open', 'none', 'lost', 'lost'] as const) await record({ ...payment, dispute })
    await house.drain()
    expect(heard.filter(({ event }) => event === 'disputed').map(({ payload }) => payload.dispute)).toEqual(['open', 'lost'])
    expect((await saleOf(saleId))!.net).toBe(0n)
  })

  test('a dispute about a part takes that part, whatever else is refunded or disputed', async () => {
    const payment = aPayment()
    const { saleId } = await record(payment)
    const told: Partial<CanonicalPayment>[] = [
      { dispute: 'lost', lost: 2_000n },
      { dispute: 'lost', lost: 2_000n, refunded: 11_000n },
      { dispute: 'open', lost: 2_000n, refunded: 3_000n },
      { dispute: 'lost', lost: 4_000n, refunded: 3_000n },
    ]
    const worth = []
    for (const news of told) {
      await record({ ...payment, ...news })
      worth.push(await saleOf(saleId))
    }
    expect(worth).toMatchObject([
      { lost: 2_000n, net: 10_000n },
      { lost: 1_000n, net: 0n },
      { lost: 2_000n, net: 7_000n },
      { lost: 4_000n, net: 5_000n },
    ])
    await house.drain()
    expect(heard.filter(({ event }) => event === 'disputed').map(({ payload }) => [payload.dispute, payload.lostTotal])).toEqual([
      ['lost', 2_000n],
      ['open', 2_000n],
      ['lost', 4_000n],
    ])
    expect(wordsOf(await house.run('admin sales why', { sale: saleId }, { isAdmin: true }))).toContain(
      '$30.00 refunded, $40.00 lost in a dispute',
    )
  })
})

test.each<[string, Partial<CanonicalPayment>, string]>([
  ['an unknown currency', { currency: 'XQZ' }, 'unknown_currency'],
  ['nothing', { gross: 0n }, 'bad_gross'],
  ['a negative amount', { gross: -500n }, 'bad_gross'],
  ['more than any sale can be', { gross: 10n ** 15n }, 'bad_gross'],
  ['a refund larger than the sale', { refunded: 12_001n }, 'bad_refund'],
  ['a negative refund', { refunded: -1n }, 'bad_refund'],
  ['less than nothing lost to disputes', { dispute: 'lost', lost: -1n }, 'bad_dispute'],
  ['more tax than the amount', { tax: 12_000n }, 'bad_basis'],
  ['a date in the future', { paidAt: new Date('5000-01-01T00:00:00Z') }, 'in_the_future'],
])('a payment with %s is refused and leaves nothing behind', async (_, given, code) => {
  const payment = aPayment(given)
  const refusal = await record(payment).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(UserError)
  expect((refusal as UserError).code).toBe(code)
  const rows = await house.connection.sql`select id from attribution_sales where payment_key = ${payment.paymentKey}`
  expect(rows.length).toBe(0)
})

test('a payment dated a day ahead is a sale, and is still refunded when the clock was set back', async () => {
  const now = house.clock.now()
  const payment = aPayment({ paidAt: new Date(now.getTime() + days(1)) })
  const { saleId } = await record(payment)
  house.clock.advance(-days(1))
  await record({ ...payment, refunded: 5_000n }).finally(() => house.clock.set(now))
  expect((await saleOf(saleId))!.refunded).toBe(5_000n)
})

test('a payment that comes back with another amount is refused, and the sale stands', async () => {
  const payment = aPayment()
  const { saleId } = await record(payment)
  await expect(record({ ...payment, gross: 13_000n })).rejects.toMatchObject({ code: 'sale_changed' })
  expect((await saleOf(saleId))!.gross).toBe(12_000n)
})

property.prop([fc.shuffledSubarray([0n, 500n, 4_000n, 12_000n], { minLength: 2 }), fc.boolean()], { numRuns: 15 })(
  'whatever a payment went through, the sale ends as the payment ends',
  async (totals, hinted) => {
    const payment = aPayment(hinted ? { hints: aClick((await aPartner()).id) } : {})
    for (const refunded of totals) await record({ ...payment, refunded })
    const { saleId } = await record({ ...payment, refunded: totals.at(-1)! })
    expect((await saleOf(saleId))!.refunded).toBe(totals.at(-1))
  },
)

describe('what people see', () => {
  test('a partner sees their own sales, newest first, page by page, and nobody else’s', async () => {
    const [ada, bob] = [await aPartner(), await aPartner()]
    for (let i = 1; i <= 11; i++) {
      house.clock.advance(1000)
      await record(aPayment({ hints: aClick(ada.id), gross: BigInt(i) * 10_000n, product: undefined }))
    }
    const first = await house.run('sales list', {}, { userId: ada.userId })
    expect(wordsOf(first)).toContain('Your 11 sales')
    expect(wordsOf(first)).toContain('$1,100.00')
    expect(wordsOf(first)).not.toContain('**$100.00**')
    const next = controlsOf(first).at(-1)!
    expect(wordsOf(await house.press(next, {}, { userId: ada.userId }))).toContain('**$100.00**')
    expect(wordsOf(await house.run('sales list', {}, { userId: bob.userId }))).toContain('No sales yet')
  })

  test('an unknown sale is answered with what to do', async () => {
    for (const sale of ['nonsense', newId()])
      await expect(house.run('admin sales why', { sale }, { isAdmin: true })).rejects.toMatchObject({ code: 'unknown_sale' })
  })

  test('the trace names the winner and why the other lost', async () => {
    const [ada, bob] = [await aPartner(), await aPartner()]
    const clickId = 'two-clicks'
    const at = (minutes: number) => new Date(house.clock.now().getTime() - minutes * 60_000)
    touches.set(clickId, [
      { kind: 'click', partnerId: ada.id, at: at(50), reference: 'a' },
      { kind: 'click', partnerId: bob.id, at: at(5), reference: 'b' },
    ])
    const { saleId } = await record(aPayment({ hints: { clickId } }))
    const words = wordsOf(await house.run('admin sales why', { sale: saleId }, { isAdmin: true }))
    expect(words).toContain(`This sale belongs to <@${bob.userId}>`)
    expect(words).toMatch(new RegExp(`<@${ada.userId}>.*a later touch won`))
  })
})

test('sales in a range are those that belong to a partner, the start included and the end not', async () => {
  const ada = await aPartner()
  const paidAt = (text: string) => new Date(`2026-09-${text}Z`)
  for (const [day, hints] of [
    ['01T00:00:00', aClick(ada.id)],
    ['15T12:00:00', aClick(ada.id)],
    ['30T00:00:00', aClick(ada.id)],
    ['16T00:00:00', {}],
  ] as const) {
    if ('clickId' in hints)
      touches.set(hints.clickId, [{ kind: 'click', partnerId: ada.id, at: new Date(paidAt(day).getTime() - 1000), reference: 'c' }])
    await record(aPayment({ paidAt: paidAt(day), hints }))
  }
  const range = { from: paidAt('01T00:00:00'), to: paidAt('30T00:00:00') }
  const found = await house.use(attribution).sales(house.db, house.program.id, { ...range, partnerId: ada.id })
  expect(found.map((sale) => sale.paidAt.getUTCDate())).toEqual([1, 15])
  expect((await house.use(attribution).sales(house.db, house.program.id, range)).length).toBe(2)
  expect(await house.use(attribution).sales(house.db, newId(), range)).toEqual([])
})

describe('where a sale came from', () => {
  const reference = 'won'
  const origin = { link: newId(), campaign: 'spring' }
  const clickOf = (partnerId: string) => {
    const hints = aClick(partnerId)
    touches.set(hints.clickId, [
      { kind: 'click', partnerId, at: new Date(house.clock.now().getTime() - 60_000), reference, origin },
      {
        kind: 'click',
        partnerId,
        at: new Date(house.clock.now().getTime() - 90_000),
        reference: 'lost',
        origin: { link: newId() },
      },
    ])
    return hints
  }

  test('is the click that won, and for later sales of the bound customer the click of the first', async () => {
    const ada = await aPartner()
    const customer = { key: 'cus_bound_by_click', emailHash: undefined, country: undefined }
    const first = await record(aPayment({ hints: clickOf(ada.id), customer }))
    const later = await record(aPayment({ customer }))
    expect((await saleOf(first.saleId))?.origin).toEqual(origin)
    expect((await saleOf(later.saleId))?.origin).toEqual(origin)
  })

  test('is told when a hint that comes later attributes the sale', async () => {
    const ada = await aPartner()
    const payment = aPayment()
    const { saleId } = await record(payment)
    expect((await saleOf(saleId))?.origin).toBeNull()
    await record({ ...payment, hints: clickOf(ada.id) })
    expect((await saleOf(saleId))?.origin).toEqual(origin)
  })
})

test('nothing of one program is seen from another', async () => {
  const { saleId } = await record(aPayment())
  expect(await house.use(attribution).sale(house.db, newId(), saleId)).toBeUndefined()
})

describe('payments of one customer that are told in another order than they were made', () => {
  const minute = 60_000
  const told = async (given: Partial<CanonicalPayment>) => (await record(aPayment(given))).saleId
  const at = (minutes: number) => new Date(house.clock.now().getTime() + minutes * minute)
  const aBuyer = () => ({ key: `cus_${++count}`, emailHash: undefined, country: 'DE' })
  const renewal = (sequence: number) => ({ recurring: { subscription: `sub_${count}`, sequence } })

  test('the later payment was nobody’s, and goes to whoever the earlier one binds the customer to', async () => {
    const ada = await aPartner()
    const customer = aBuyer()
    const later = await told({ customer, paidAt: at(5), ...renewal(2) })
    const elsewhere = await told({ customer: aBuyer(), paidAt: at(5) })
    expect(await saleOf(later)).toMatchObject({ partnerId: null })
    expect(await eventsHeard()).toEqual(['recorded', 'recorded'])
    heard.length = 0
    const first = await told({ customer, paidAt: at(0), hints: aClick(ada.id), ...renewal(1) })
    expect(await saleOf(first)).toMatchObject({ partnerId: ada.id, firstOfCustomer: true })
    expect(await saleOf(later)).toMatchObject({ partnerId: ada.id, firstOfCustomer: false })
    expect(await saleOf(elsewhere)).toMatchObject({ partnerId: null })
    expect(await eventsHeard()).toEqual(['attributed', 'recorded'])
    expect(heard.find(({ event }) => event === 'attributed')!.payload).toMatchObject({ saleId: later, partnerId: ada.id })
  })

  test('what was bought before the binding stays nobody’s', async () => {
    const ada = await aPartner()
    const customer = aBuyer()
    const before = await told({ customer, paidAt: at(-5) })
    await told({ customer, paidAt: at(0), hints: aClick(ada.id) })
    expect(await saleOf(before)).toMatchObject({ partnerId: null })
  })

  test('a hint that comes late binds the later payments, too', async () => {
    const ada = await aPartner()
    const customer = aBuyer()
    const payment = aPayment({ customer })
    const { saleId: first } = await record(payment)
    const later = await told({ customer, paidAt: at(5) })
    await record({ ...payment, hints: aClick(ada.id) })
    expect(await saleOf(first)).toMatchObject({ partnerId: ada.id, firstOfCustomer: true })
    expect(await saleOf(later)).toMatchObject({ partnerId: ada.id, firstOfCustomer: false })
  })

  test('whoever may not earn from the customer does not get the later payment either', async () => {
    const emailHash = house.use(attribution).hashEmail('self@example.com')
    const ada = await aPartner({ email: 'self@example.com' })
    const customer = aBuyer()
    const later = await told({ customer: { ...customer, emailHash }, paidAt: at(5) })
    await told({ customer, paidAt: at(0), hints: aClick(ada.id) })
    expect(await saleOf(later)).toMatchObject({ partnerId: null })
  })

  test('one sale is the customer’s first: a renewal never, and none once the first has earned', async () => {
    const ada = await aPartner()
    const customer = aBuyer()
    const bought = async (paidAt: Date, more: Partial<CanonicalPayment> = {}) =>
      saleOf(await told({ customer, paidAt, hints: aClick(ada.id), ...more }))
    expect(await bought(at(-1), renewal(4))).toMatchObject({ firstOfCustomer: false })
    expect(await bought(at(-2))).toMatchObject({ firstOfCustomer: true })
    expect(await bought(at(-3))).toMatchObject({ firstOfCustomer: false })
    expect(await bought(at(0))).toMatchObject({ firstOfCustomer: false })
  })
})
