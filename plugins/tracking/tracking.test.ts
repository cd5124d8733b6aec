// Leads, sales and refunds over the public API: each counted once, credited by the rule of attribution, in whatever order and however often it is reported.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import { programStore } from '../../db/programs.ts'
import { attribution } from '../attribution/plugin.ts'
import { earningPlugins, type Trade, tradeIn } from '../commissions/testing.ts'
import { developer } from '../developer/plugin.ts'
import { type ApiCaller, admin, callerIn } from '../developer/testing.ts'
import { days, newId } from '../kit/index.ts'
import { links } from '../links/plugin.ts'
import { tracking } from './plugin.ts'

let house: TestHouse
let trade: Trade
let shop: ApiCaller
const apiPlugins = [...earningPlugins, developer, links, tracking]
const everything = 'leads:write leads:read sales:write sales:read refunds:write refunds:read'

beforeAll(async () => {
  house = await testHouse(apiPlugins)
  trade = tradeIn(house)
  shop = await callerIn(house, everything)
})
afterAll(() => house.close())

let count = 0
const unique = (what: string) => `${what}_${++count}`
const aSale = (change: object = {}) => ({
  payment_id: unique('order'),
  amount: 10_000,
  currency: 'USD',
  customer: { id: unique('customer') },
  ...change,
})
const salesNamed = async (paymentId: string) =>
  (
    await house.connection.sql<{ n: number }[]>`select count(*)::int as n from attribution_sales where payment_key = ${paymentId}`
  )[0]!.n

describe('a sale', () => {
  test('earns its partner a commission, once', async () => {
    const partner = await trade.aPartner()
    const sale = aSale({ click_id: partner.id, tax: 1000, customer: { email: 'Grace@Example.com', country: 'de' } })
    const answer = await shop.post('/v1/sales', sale)
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).toMatchObject({ payment_id: sale.payment_id, partner_id: partner.id, refunded: 0, parked_refunds: 0 })
    await house.drain()
    const { pending } = await trade.balances(partner)
    expect(pending).toBeGreaterThan(0n)
    const again = await shop.post('/v1/sales', sale)
    expect(again.statusCode).toBe(200)
    expect(again.json()).toEqual(answer.json())
    await house.drain()
    expect(await trade.balances(partner)).toEqual({ pending })
    const stored = await house.connection.sql`select to_jsonb(p)::text as row from tracking_payments p`
    expect(JSON.stringify(stored).toLowerCase()).not.toContain('grace')
  })

  test('without a partner gets one when it is reported again with the click', async () => {
    const partner = await trade.aPartner()
    const sale = aSale()
    expect((await shop.post('/v1/sales', sale)).json()).toMatchObject({ partner_id: null })
    expect((await shop.post('/v1/sales', { ...sale, click_id: partner.id })).json()).toMatchObject({ partner_id: partner.id })
    expect(await salesNamed(sale.payment_id)).toBe(1)
  })

  test('is never changed: another amount or currency is refused', async () => {
    const sale = aSale()
    await shop.post('/v1/sales', sale)
    for (const change of [{ amount: 9000 }, { currency: 'EUR' }]) {
      const refused = await shop.post('/v1/sales', { ...sale, ...change })
      expect(refused.json()).toMatchObject({ status: 409, code: 'sale_changed' })
    }
  })

  test('of a subscription keeps which payment it is', async () => {
    await shop.post('/v1/sales', aSale({ payment_id: 'sub_pay_2', subscription: { id: 'sub_9', sequence: 2 } }))
    const { data } = (await shop.get('/v1/sales?limit=100')).json<{ data: object[] }>()
    expect(data).toContainEqual(
      expect.objectContaining({ payment_id: 'sub_pay_2', source: 'api', subscription: { id: 'sub_9', sequence: 2 } }),
    )
  })
})

test('nothing is reported from the future', async () => {
  const soon = new Date(house.clock.now().getTime() + days(2)).toISOString()
  const refused = { status: 422, code: 'in_the_future' }
  expect((await shop.post('/v1/sales', aSale({ paid_at: soon }))).json()).toMatchObject(refused)
  expect((await shop.post('/v1/leads', { external_id: 'x', occurred_at: soon })).json()).toMatchObject(refused)
  const refund = { payment_id: 'x', total_refunded: 1, refunded_at: soon }
  expect((await shop.post('/v1/refunds', refund)).json()).toMatchObject(refused)
})

describe('an Idempotency-Key', () => {
  test('answers the same request again with what it answered first', async () => {
    const sale = aSale()
    const headers = { 'idempotency-key': unique('key') }
    const first = await shop.post('/v1/sales', sale, headers)
    const again = await shop.post('/v1/sales', Object.fromEntries(Object.entries(sale).reverse()), headers)
    expect(again.statusCode).toBe(201)
    expect(again.body).toBe(first.body)
    expect(first.headers['idempotent-replayed']).toBeUndefined()
    expect(again.headers['idempotent-replayed']).toBe('true')
  })

  test('is refused for another request', async () => {
    const headers = { 'idempotency-key': unique('key') }
    await shop.post('/v1/sales', aSale(), headers)
    const refused = await shop.post('/v1/sales', aSale(), headers)
    expect(refused.json()).toMatchObject({ status: 409, code: 'idempotency_key_reused' })
    const elsewhere = await shop.post('/v1/leads', { external_id: unique('lead') }, headers)
    expect(elsewhere.json()).toMatchObject({ status: 409, code: 'idempotency_key_reused' })
  })

  test('is free again after a request that was refused', async () => {
    const headers = { 'idempotency-key': unique('key') }
    const sale = aSale({ tax: 20_000 })
    expect((await shop.post('/v1/sales', sale, headers)).statusCode).toBe(422)
    expect((await shop.post('/v1/sales', { ...sale, tax: 0 }, headers)).statusCode).toBe(201)
  })

  test.each([
    ['the same key', () => ({ 'idempotency-key': 'one-key-for-all' })],
    ['a key each', () => ({ 'idempotency-key': unique('each') })],
  ])('32 reports of one sale at the same moment under %s make one sale', async (_, headers) => {
    const partner = await trade.aPartner()
    const sale = aSale({ click_id: partner.id })
    const answers = await Promise.all(Array.from({ length: 32 }, () => shop.post('/v1/sales', sale, headers())))
    expect(new Set(answers.map((answer) => Math.floor(answer.statusCode / 100)))).toEqual(new Set([2]))
    expect(new Set(answers.map((answer) => answer.json<{ id: string }>().id)).size).toBe(1)
    expect(await salesNamed(sale.payment_id)).toBe(1)
    await house.drain()
    const events = await house.connection.sql`
      select from core_outbox where name = 'attribution.sale_recorded' and payload ->> 'saleId' = ${answers[0]!.json<{ id: string }>().id}`
    expect(events.length).toBe(1)
  })

  test('belongs to the API key: another key may use the same', async () => {
    const headers = { 'idempotency-key': unique('key') }
    const other = await callerIn(house, everything)
    expect((await shop.post('/v1/sales', aSale(), headers)).statusCode).toBe(201)
    expect((await other.post('/v1/sales', aSale(), headers)).statusCode).toBe(201)
  })

  test('is forgotten after 30 days', async () => {
    const headers = { 'idempotency-key': unique('key') }
    const late = await testHouse(apiPlugins)
    const caller = await callerIn(late, everything)
    await caller.post('/v1/sales', aSale(), headers)
    late.clock.advance(days(29))
    await late.tick('developer.prune')
    expect((await caller.post('/v1/sales', aSale(), headers)).statusCode).toBe(409)
    late.clock.advance(days(2))
    await late.tick('developer.prune')
    expect((await caller.post('/v1/sales', aSale(), headers)).statusCode).toBe(201)
    await late.close()
  })
})

describe('a refund', () => {
  const refund = (payment_id: string, change: object) => shop.post('/v1/refunds', { payment_id, ...change })
  const refundedOf = async (paymentId: string) => {
    const [row] = await house.connection.sql<
      { refunded: string }[]
    >`select refunded::text from attribution_sales where payment_key = ${paymentId}`
    return Number(row!.refunded)
  }

  test('one by one counts each refund once, and not one that was taken back', async () => {
    const sale = aSale()
    await shop.post('/v1/sales', sale)
    expect((await refund(sale.payment_id, { refund_id: 'r1', amount: 1000 })).statusCode).toBe(201)
    expect((await refund(sale.payment_id, { refund_id: 'r1', amount: 1000 })).statusCode).toBe(200)
    await refund(sale.payment_id, { refund_id: 'r2', amount: 500 })
    expect(await refundedOf(sale.payment_id)).toBe(1500)
    await refund(sale.payment_id, { refund_id: 'r1', amount: 1000, status: 'reversed' })
    expect(await refundedOf(sale.payment_id)).toBe(500)
    // The report that it was made comes late.
    await refund(sale.payment_id, { refund_id: 'r1', amount: 1000 })
    expect(await refundedOf(sale.payment_id)).toBe(500)
  })

  test('as a total so far counts the newest total, in whatever order they come', async () => {
    const sale = aSale()
    await shop.post('/v1/sales', sale)
    await refund(sale.payment_id, { total_refunded: 1000 })
    await refund(sale.payment_id, { total_refunded: 3000 })
    expect(await refundedOf(sale.payment_id)).toBe(3000)
    await refund(sale.payment_id, { total_refunded: 2000, refunded_at: '2026-11-01T00:00:00Z' })
    expect(await refundedOf(sale.payment_id)).toBe(3000)
    await refund(sale.payment_id, { total_refunded: 0 })
    expect(await refundedOf(sale.payment_id)).toBe(0)
  })

  test('before its sale is parked, shown to an admin, and applied when the sale comes', async () => {
    const partner = await trade.aPartner()
    const sale = aSale({ click_id: partner.id })
    const parked = await refund(sale.payment_id, { refund_id: 'early', amount: 10_000, currency: 'USD' })
    expect(parked.statusCode).toBe(202)
    expect(parked.json()).toMatchObject({ state: 'parked', problem: null })
    expect(wordsOf(await house.run('admin-api refunds parked', {}, admin))).toContain(sale.payment_id.replaceAll('_', '\\_'))
    expect((await shop.get('/v1/refunds?state=parked')).json()).toMatchObject({ data: [{ payment_id: sale.payment_id }] })
    expect((await shop.post('/v1/sales', sale)).json()).toMatchObject({ refunded: 10_000 })
    await house.drain()
    expect(await trade.balances(partner)).toEqual({})
    expect((await shop.get('/v1/refunds?state=parked')).json()).toMatchObject({ data: [] })
  })

  test('larger than its sale is refused; parked before it, it stays parked and does not keep the sale out', async () => {
    const sale = aSale()
    await refund(sale.payment_id, { total_refunded: 10_001 })
    const answer = await shop.post('/v1/sales', sale)
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).toMatchObject({ refunded: 0, parked_refunds: 1 })
    expect(wordsOf(await house.run('admin-api refunds parked', {}, admin))).toContain('are more than the payment')
    const second = aSale()
    await shop.post('/v1/sales', second)
    const refused = await refund(second.payment_id, { total_refunded: 10_001 })
    expect(refused.json()).toMatchObject({ status: 422, code: 'refund_does_not_fit' })
    expect(await refundedOf(second.payment_id)).toBe(0)
  })

  test.each([
    ['too large, two of them', [{ amount: 10_001 }, { amount: 10_002 }]],
    ['in another currency', [{ amount: 100, currency: 'EUR' }]],
  ])('parked before its sale %s, is taken back, and what is refunded then counts', async (_, wrong) => {
    const sale = aSale()
    const bad = wrong.map((change, i) => ({ refund_id: `bad${i}`, ...change }))
    for (const one of bad) await refund(sale.payment_id, one)
    expect((await shop.post('/v1/sales', sale)).json()).toMatchObject({ refunded: 0, parked_refunds: bad.length })
    const answers = []
    for (const one of bad) answers.push((await refund(sale.payment_id, { ...one, status: 'reversed' })).json())
    expect(answers.map(({ state }) => state)).toEqual([...bad.slice(1).map(() => 'parked'), 'applied'])
    expect((await refund(sale.payment_id, { refund_id: 'good', amount: 4_000 })).statusCode).toBe(201)
    expect(await refundedOf(sale.payment_id)).toBe(4_000)
  })

  test('as a total in another currency, parked before its sale, makes room for the right one', async () => {
    const sale = aSale()
    await refund(sale.payment_id, { total_refunded: 100, currency: 'EUR' })
    await shop.post('/v1/sales', sale)
    expect((await refund(sale.payment_id, { total_refunded: 4_000, currency: 'USD' })).statusCode).toBe(201)
    expect(await refundedOf(sale.payment_id)).toBe(4_000)
  })

  test('in another currency than its sale is refused', async () => {
    const sale = aSale()
    await shop.post('/v1/sales', sale)
    const refused = await refund(sale.payment_id, { total_refunded: 1, currency: 'EUR' })
    expect(refused.json()).toMatchObject({ status: 422, code: 'refund_does_not_fit' })
  })

  test.each([
    ['told in both ways', [{ refund_id: 'r1', amount: 100 }, { total_refunded: 100 }], 'mixed_refunds'],
    [
      'changed in its amount',
      [
        { refund_id: 'r1', amount: 100 },
        { refund_id: 'r1', amount: 200 },
      ],
      'refund_changed',
    ],
  ])('%s is refused', async (_, [first, second], code) => {
    const sale = aSale()
    await shop.post('/v1/sales', sale)
    await refund(sale.payment_id, first!)
    expect((await refund(sale.payment_id, second!)).json()).toMatchObject({ status: 409, code })
  })
})

describe('a lead', () => {
  test('is credited by its click, told once, and binds nobody', async () => {
    const [ada, bob] = [await trade.aPartner(), await trade.aPartner()]
    const lead = { external_id: unique('lead'), email: 'lin@example.com', click_id: ada.id, metadata: { plan: 'team' } }
    const answer = await shop.post('/v1/leads', lead)
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).toMatchObject({
      partner_id: ada.id,
      attributed_by: { kind: 'click', reference: ada.id },
      metadata: { plan: 'team' },
    })
    expect((await shop.post('/v1/leads', { ...lead, click_id: bob.id })).json()).toEqual(answer.json())
    const events = await house.connection.sql`
      select from core_outbox where name = 'tracking.lead_recorded' and payload ->> 'externalId' = ${lead.external_id}`
    expect(events.length).toBe(1)
    expect((await house.connection.sql`select from attribution_bindings where partner_id = ${ada.id}`).length).toBe(0)
    const found = await house.use(tracking).leads(house.db, house.program.id, {
      from: new Date(0),
      to: new Date(house.clock.now().getTime() + 1),
      partnerId: ada.id,
    })
    expect(found).toHaveLength(1)
    // Whoever buys through a later click of another partner is the other partner's.
    const sale = await shop.post('/v1/sales', aSale({ click_id: bob.id, customer: { email: 'someone.else@example.com' } }))
    expect(sale.json()).toMatchObject({ partner_id: bob.id })
  })

  test('carries its click to the purchase of the same e-mail address, which comes without one', async () => {
    const ada = await trade.aPartner()
    const email = `${unique('buyer')}@example.com`
    await shop.post('/v1/leads', { email, click_id: ada.id })
    const answer = await shop.post('/v1/sales', aSale({ customer: { email: email.toUpperCase() } }))
    expect(answer.json()).toMatchObject({ partner_id: ada.id })
  })

  test('does not stretch the window: it counts from the click', async () => {
    const ada = await trade.aPartner()
    const email = `${unique('late')}@example.com`
    await shop.post('/v1/leads', { email, click_id: ada.id })
    const windowDays = await house.use(attribution).windowDays(house.db, house.program.id)
    house.clock.advance(days(windowDays) + 1)
    expect((await shop.post('/v1/sales', aSale({ customer: { email } }))).json()).toMatchObject({ partner_id: null })
  })

  test('without a partner gets one when it is reported again with the click', async () => {
    const ada = await trade.aPartner()
    const external_id = unique('lead')
    expect((await shop.post('/v1/leads', { external_id })).json()).toMatchObject({ partner_id: null, attributed_by: null })
    expect((await shop.post('/v1/leads', { external_id, click_id: ada.id })).json()).toMatchObject({ partner_id: ada.id })
  })

  test('of a partner themselves is not credited', async () => {
    const ada = await trade.aPartner()
    expect((await shop.post('/v1/leads', { email: ada.email, click_id: ada.id })).json()).toMatchObject({ partner_id: null })
  })

  test('32 reports of one lead at the same moment make one', async () => {
    const email = `${unique('crowd')}@example.com`
    const answers = await Promise.all(Array.from({ length: 32 }, () => shop.post('/v1/leads', { email })))
    expect(new Set(answers.map((answer) => answer.json<{ id: string }>().id)).size).toBe(1)
    expect(answers.filter((answer) => answer.statusCode === 201)).toHaveLength(1)
  })

  test('is read by its id; no address is stored', async () => {
    const made = await shop.post('/v1/leads', { email: 'secret.person@example.com' })
    const { id } = made.json<{ id: string }>()
    expect((await shop.get(`/v1/leads/${id}`)).json()).toEqual(made.json())
    expect((await shop.get(`/v1/leads/${newId()}`)).json()).toMatchObject({ status: 404, code: 'unknown_lead' })
    const stored = await house.connection.sql`select to_jsonb(l)::text as row from tracking_leads l`
    expect(JSON.stringify(stored)).not.toContain('secret.person')
  })
})

test('lists are walked page by page without missing or repeating anything, while more is added', async () => {
  const caller = await callerIn(house, everything)
  const all = (await caller.get('/v1/leads?limit=100')).json<{ data: { id: string }[]; next: string | null }>()
  expect(all.data.length).toBeGreaterThan(3)
  const seen: string[] = []
  let after = ''
  do {
    const page = (await caller.get(`/v1/leads?limit=2${after}`)).json<{ data: { id: string }[]; next: string | null }>()
    seen.push(...page.data.map((lead) => lead.id))
    house.clock.advance(1)
    await caller.post('/v1/leads', { external_id: unique('lead') })
    after = page.next ? `&after=${page.next}` : ''
  } while (after)
  expect(seen).toEqual(all.data.map((lead) => lead.id))
})

describe('a bad request', () => {
  const pointers = (answer: { json(): unknown }) =>
    (answer.json() as { errors: { pointer: string }[] }).errors.map((error) => error.pointer)

  test('tells each field that is wrong by its pointer', async () => {
    const answer = await shop.post('/v1/sales', {
      payment_id: '',
      amount: 1.5,
      currency: 'XXQ',
      customer: {},
      click_id: 'x',
      extra: 1,
    })
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(answer.json()).toMatchObject({ status: 422, code: 'invalid_request' })
    expect(pointers(answer)).toEqual(
      expect.arrayContaining(['#/payment_id', '#/amount', '#/currency', '#/customer', '#/click_id', '#']),
    )
  })

  test.each([
    ['a name of metadata with spaces', { metadata: { 'a b': 'x' } }],
    ['more than 20 entries of metadata', { metadata: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`k${i}`, 'x'])) }],
    ['metadata that is too long', { metadata: { a: 'x'.repeat(501) } }],
    ['a line break in an id', { external_id: 'a\nb' }],
    ['a null byte', { external_id: 'a\u0000b' }],
    ['a null byte in metadata', { metadata: { a: 'x\u0000y' } }],
    ['half of a character', { external_id: 'a\ud83d' }],
    ['half of a character in metadata', { metadata: { a: '\ude00' } }],
    ['a time that no calendar has', { occurred_at: '0000-01-01T00:00:00+14:00' }],
    ['neither id nor address', { external_id: undefined }],
    ['an address that is none', { email: 'nobody' }],
  ])('%s is refused with 422', async (_, change) => {
    const answer = await shop.post('/v1/leads', { external_id: 'x', ...change })
    expect(answer.json()).toMatchObject({ status: 422, code: 'invalid_request' })
  })

  test('whole characters of any script are kept as they came', async () => {
    const sale = aSale({ payment_id: unique('注文 😀'), product: 'naïve ½' })
    const answer = await shop.post('/v1/sales', sale)
    expect(answer.json()).toMatchObject({ payment_id: sale.payment_id })
    expect(await salesNamed(sale.payment_id)).toBe(1)
  })

  test.each([
    ['a sale', '/v1/sales', () => aSale({ product: 'a\ud83d' })],
    ['a sale of the year 0', '/v1/sales', () => aSale({ paid_at: '0000-06-01T00:00:00Z' })],
    ['a refund', '/v1/refunds', () => ({ payment_id: 'a\ud83d', refund_id: 'r', amount: 1 })],
  ])('%s that cannot be kept as it came is refused with 422', async (_, url, body) => {
    expect((await shop.post(url, body())).json()).toMatchObject({ status: 422, code: 'invalid_request' })
  })

  test('without an Idempotency-Key is refused with what to do', async () => {
    const answer = await house.app.inject({
      method: 'POST',
      url: '/v1/leads',
      payload: { external_id: 'x' },
      headers: { authorization: `Bearer ${shop.key}` },
    })
    expect(answer.json()).toMatchObject({
      status: 400,
      errors: [{ header: 'idempotency-key', detail: expect.stringContaining('Every write') }],
    })
  })

  test.each([
    ['malformed JSON', '{"a":', 'application/json', 400, 'malformed_json'],
    ['a form', 'a=b', 'application/x-www-form-urlencoded', 415, 'unsupported_media_type'],
    ['plain text', 'a', 'text/plain', 415, 'unsupported_media_type'],
    ['more than a megabyte', JSON.stringify({ external_id: 'x'.repeat(1_100_000) }), 'application/json', 413, 'body_too_large'],
  ])('%s is refused', async (_, payload, contentType, status, code) => {
    const answer = await house.app.inject({
      method: 'POST',
      url: '/v1/leads',
      payload,
      headers: { authorization: `Bearer ${shop.key}`, 'idempotency-key': 'k', 'content-type': contentType },
    })
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(answer.json()).toMatchObject({ status, code })
  })

  test.each(['/v1/leads?limit=0', '/v1/leads?limit=101', '/v1/leads?limit=many', '/v1/leads?after=nothing', '/v1/leads/nothing'])(
    '%s is refused with 400',
    async (url) => expect((await shop.get(url)).statusCode).toBe(400),
  )
})

test('a key of another program reads and changes nothing of this one', async () => {
  const other = await house.db.transaction((tx) => programStore.ensure(tx, { guildId: '900000000000000002', name: 'Other' }))
  const stranger = await callerIn(house, everything, { ...admin, program: other })
  const sale = aSale()
  const lead = (await shop.post('/v1/leads', { external_id: unique('lead') })).json<{ id: string }>()
  await shop.post('/v1/sales', sale)
  for (const url of ['/v1/leads', '/v1/sales', '/v1/refunds'])
    expect((await stranger.get(url)).json()).toEqual({ data: [], next: null })
  expect((await stranger.get(`/v1/leads/${lead.id}`)).statusCode).toBe(404)
  expect((await stranger.post('/v1/refunds', { payment_id: sale.payment_id, total_refunded: 1 })).statusCode).toBe(202)
  expect((await stranger.post('/v1/sales', { ...sale, amount: 5 })).statusCode).toBe(201)
})
