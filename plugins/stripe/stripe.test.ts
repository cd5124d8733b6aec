// Stripe's SDK against a local Stripe over HTTP, with signed webhooks, up to the sales and payouts that come of them.
import { fc, test as property } from '@fast-check/vitest'
import Stripe from 'stripe'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import { createStripeSandbox, type StripeSandbox } from '../../sandbox/stripe/index.ts'
import { agreements } from '../agreements/plugin.ts'
import { saleAttributed, saleDisputed, saleRecorded, saleRefunded } from '../attribution/events.ts'
import { attribution } from '../attribution/plugin.ts'
import { touchSource } from '../attribution/public.ts'
import { commissions } from '../commissions/plugin.ts'
import { definePlugin, extend, newId, on } from '../kit/index.ts'
import { ledger } from '../ledger/plugin.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { payouts } from '../payouts/plugin.ts'
import { PayoutPostponed, PayoutRefused } from '../payouts/public.ts'
import { apiVersion, createClient } from './client.ts'
import { stripe as stripePlugin } from './plugin.ts'
import { createPayoutProvider } from './provider.ts'

const secrets = { platform: 'whsec_platform', connect: 'whsec_connect' }
const heard: { event: string; payload: Record<string, unknown> }[] = []
const note = (event: string) => async (_tx: unknown, payload: Record<string, unknown>) => void heard.push({ event, payload })
/** Click ids are UUIDs; these speak for a partner. */
const clicks = new Map<string, string>()
const listener = definePlugin({
  id: 'listener',
  title: 'Listener',
  summary: 'Hears sales and knows clicks.',
  setup: ({ clock }) => ({
    listeners: [
      on(saleRecorded, 'listener.recorded', note('recorded')),
      on(saleAttributed, 'listener.attributed', note('attributed')),
      on(saleRefunded, 'listener.refunded', note('refunded')),
      on(saleDisputed, 'listener.disputed', note('disputed')),
    ],
    extends: [
      extend(touchSource, {
        kind: 'click',
        find: async (_reader, _program, { clickId }) =>
          clickId && clicks.has(clickId)
            ? [{ kind: 'click', partnerId: clicks.get(clickId)!, at: clock.now(), reference: clickId }]
            : [],
      }),
    ],
  }),
})

const needed = [stripePlugin, attribution, payouts, commissions, ledger, agreements, partners, notifications]
let sandbox: StripeSandbox
let house: TestHouse
let stripe: Stripe
let ada: string
let count = 0

beforeAll(async () => {
  sandbox = await createStripeSandbox({
    clock: { now: () => house?.clock.now() ?? new Date('2026-11-02T09:00:00Z') },
    payoutDelayMs: null,
    funds: { usd: 1_000_000 },
  })
  house = await testHouse([...needed, listener], {
    environment: {
      STRIPE_SECRET_KEY: 'sk_test_sandbox',
      STRIPE_WEBHOOK_SECRET: `${secrets.platform}, ${secrets.connect}`,
      STRIPE_API_URL: sandbox.url,
    },
  })
  const address = await house.app.listen({ host: '127.0.0.1', port: 0 })
  sandbox.addWebhook({ url: `${address}/webhooks/stripe`, secret: secrets.platform })
  sandbox.addWebhook({ url: `${address}/webhooks/stripe`, secret: secrets.connect, connect: true })
  stripe = createClient({ secretKey: 'sk_test_sandbox', apiUrl: sandbox.url })
  ada = newId()
  await house.connection
    .sql`insert into partners_partners (id, program_id, user_id, name, email, industry, status, verified_at, activated_at)
    values (${ada}, ${house.program.id}, '100000000000000099', 'Ada', 'ada@example.com', 'saas', 'active', now(), now())`
})
afterAll(async () => {
  sandbox.close()
  await house.close()
})
beforeEach(async () => {
  // What earlier tests left half told is not asked for: the local Stripe knows nothing of stories under new ids.
  await house.connection
    .sql`update core_outbox set done_at = now() where name in ('stripe.find_origin', 'stripe.check_invoice') and done_at is null`
  await settled()
  heard.length = 0
})

const control = async (path: string, body: object = {}) => {
  const response = await fetch(`${sandbox.url}/sandbox/stripe/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`)
  return (await response.json()) as Record<string, never>
}
const settled = async () => {
  await sandbox.webhooks.idle()
  await house.drain()
}
/** Lets the time pass after which Stripe is asked for what no event told. */
const askStripe = async () => {
  house.clock.advance(6_000)
  await house.drain()
}

function aClick(): string {
  const clickId = newId()
  clicks.set(clickId, ada)
  return clickId
}

const aCheckout = (given: Stripe.Checkout.SessionCreateParams = {}): Stripe.Checkout.SessionCreateParams => ({
  mode: 'payment',
  success_url: 'https://shop.example/thanks',
  line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: 10_000, product_data: { name: 'Course' } } }],
  ...given,
})
const aPlan: Stripe.Checkout.SessionCreateParams = {
  mode: 'subscription',
  line_items: [
    {
      quantity: 1,
      price_data: { currency: 'usd', unit_amount: 2_500, recurring: { interval: 'month' }, product_data: { name: 'Plan' } },
    },
  ],
}

async function aPurchase(given: Stripe.Checkout.SessionCreateParams = {}) {
  const open = await stripe.checkout.sessions.create(aCheckout({ client_reference_id: aClick(), ...given }))
  await control(`checkout/${open.id}/pay`, { email: `customer${++count}@example.com` })
  return stripe.checkout.sessions.retrieve(open.id)
}

const salesOf = async (paymentKey: unknown) =>
  house.connection.sql<
    {
      id: string
      partner_id: string | null
      gross: string
      tax: string
      refunded: string
      dispute: string
      subscription: string | null
      sequence: number | null
    }[]
  >`
    select id, partner_id, gross, tax, refunded, dispute, subscription, sequence from attribution_sales where payment_key = ${String(paymentKey)}`
const parkedReasons = async () =>
  (
    await house.connection
      .sql`select park_reason from core_webhooks where parked_at is not null and handled_at is null order by received_at`
  ).map((row) => row.park_reason as string)
const dismissParked = () => house.connection.sql`update core_webhooks set handled_at = now() where parked_at is not null`

/** The partner's account at Stripe, as payouts keeps it. */
const aMethod = (account: string) => house.connection.sql`
  insert into payouts_methods (id, program_id, partner_id, provider, account, chosen, ready, missing, changed_at, created_at)
  values (${newId()}, ${house.program.id}, ${ada}, 'stripe', ${account}, false, false, 'everything', now(), now())
  on conflict (program_id, partner_id, provider) do update set account = excluded.account, ready = false, missing = 'everything'`
const methodOf = async (account: string) =>
  (await house.connection.sql`select ready, missing from payouts_methods where account = ${account}`)[0]
/** What payouts was told about transfers that it did not make. */
const newsOf = async (transfer: string) =>
  (
    await house.connection
      .sql`select outcome from payouts_early_news where provider = 'stripe' and provider_id = ${transfer} order by id`
  ).map(({ outcome }) => outcome as string)

const send = (
  event: object | string,
  { secret = secrets.platform, at = house.clock.now(), signature = undefined as string | undefined } = {},
) => {
  const payload = typeof event === 'string' ? event : JSON.stringify(event)
  const header =
    signature ?? Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: Math.floor(at.getTime() / 1000) })
  return house.app.inject({
    method: 'POST',
    url: '/webhooks/stripe',
    payload,
    headers: { 'content-type': 'application/json', 'stripe-signature': header },
  })
}

/** Events as Stripe sent them, under new ids, so that the same story can be told again. */
function retold(events: readonly object[]): { events: { id: string; type: string }[]; payment: string } {
  const suffix = `x${++count}`
  const text = JSON.stringify(events)
    .replace(/\b(pi|ch|cs_test|cs|evt|re|dp|du|cus|in|inpay|sub|py|tr)_([A-Za-z0-9]+)/g, `$1_$2${suffix}`)
    .replace(/customer(\d+)@/g, `customer$1${suffix}@`)
  return { events: JSON.parse(text), payment: /"(pi_[A-Za-z0-9]+)"/.exec(text)![1]! }
}

/** What Stripe would tell of it; held until `release`. */
async function heldStoryOf(act: () => Promise<unknown>): Promise<object[]> {
  sandbox.webhooks.hold()
  const before = new Set((await stripe.events.list({ limit: 100 })).data.map(({ id }) => id))
  await act()
  const after = await stripe.events.list({ limit: 100 })
  return after.data.filter(({ id }) => !before.has(id)).map((event) => JSON.parse(JSON.stringify(event)))
}

async function release(): Promise<void> {
  sandbox.webhooks.release('given')
  await settled()
}

async function storyOf(act: () => Promise<unknown>): Promise<object[]> {
  const story = await heldStoryOf(act)
  await release()
  return story
}

describe('the door', () => {
  const event = () => ({
    id: `evt_door${++count}`,
    object: 'event',
    type: 'charge.updated',
    created: 1,
    data: {
      object: {
        object: 'charge',
        id: `ch_door${count}`,
        status: 'failed',
        amount_captured: 0,
        amount_refunded: 0,
        currency: 'usd',
        created: 1,
      },
    },
  })
  const refusals = async () =>
    Object.fromEntries(
      (await house.connection.sql`select reason, count::int from core_webhook_refusals where source = 'stripe'`).map((row) => [
        row.reason,
        row.count,
      ]),
    )
  const storedEvents = async () => (await house.connection.sql`select count(*)::int as n from core_webhooks`)[0]!.n as number

  test.each<[string, string, () => ReturnType<typeof send>]>([
    ['forged', 'bad_signature', () => send(event(), { secret: 'whsec_someone_else' })],
    ['without a signature', 'bad_signature', () => send(event(), { signature: '' })],
    ['with a signature of nonsense', 'bad_signature', () => send(event(), { signature: 't=,v1=' })],
    ['older than five minutes', 'too_old', () => send(event(), { at: new Date(house.clock.now().getTime() - 301_000) })],
    ['signed but no JSON', 'malformed', () => send('{"id": "evt_1", ')],
    ['signed but no event', 'malformed', () => send({ hello: 'there' })],
  ])('a delivery that is %s is refused with 400, and leaves only a count', async (_, reason, deliver) => {
    const [before, kept] = [(await refusals())[reason] ?? 0, await storedEvents()]
    expect((await deliver()).statusCode).toBe(400)
    expect((await refusals())[reason]).toBe(before + 1)
    expect(await storedEvents()).toBe(kept)
  })

  test('the body that was changed on the way is refused', async () => {
    const payload = JSON.stringify(event())
    const signature = Stripe.webhooks.generateTestHeaderString({
      payload,
      secret: secrets.platform,
      timestamp: Math.floor(house.clock.now().getTime() / 1000),
    })
    expect((await send(payload.replace('usd', 'eur'), { signature })).statusCode).toBe(400)
  })

  test('any of the configured secrets opens it', async () => {
    for (const secret of Object.values(secrets)) expect((await send(event(), { secret })).statusCode).toBe(200)
  })

  test('a duplicate is answered with 200 and stored once', async () => {
    const twice = event()
    expect([(await send(twice)).statusCode, (await send(twice)).statusCode]).toEqual([200, 200])
    const [row] = await house.connection.sql`select deliveries from core_webhooks where event_id = ${twice.id}`
    expect(row!.deliveries).toBe(2)
  })

  test('kinds of events that nobody needs are answered and not kept', async () => {
    const other = {
      ...event(),
      type: 'customer.created',
      data: { object: { object: 'customer', id: 'cus_1', email: 'x@example.com' } },
    }
    expect((await send(other)).statusCode).toBe(200)
    expect((await house.connection.sql`select 1 from core_webhooks where event_id = ${other.id}`).length).toBe(0)
  })
})

describe('a purchase through Checkout', () => {
  test('its session, intent and charge events make one sale of the partner whose click the session carries', async () => {
    const session = await aPurchase({ metadata: { product: 'Course' } })
    await settled()
    expect(await salesOf(session.payment_intent)).toMatchObject([
      { partner_id: ada, gross: '10000', refunded: '0', dispute: 'none', subscription: null },
    ])
    expect(heard.map(({ event }) => event)).toEqual(['recorded'])
    expect(heard[0]!.payload).toMatchObject({ product: 'Course', basis: 10_000n })
  })

  test('the promotion code that the customer typed in is its coupon, and siso_deal names its deal', async () => {
    const { id: coupon } = await stripe.coupons.create({ percent_off: 10, duration: 'once' })
    const { id: promotion_code } = await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon }, code: 'ADA-10' })
    const deal = newId()
    const session = await aPurchase({ discounts: [{ promotion_code }], metadata: { siso_deal: deal } })
    await settled()
    const [row] = await house.connection
      .sql`select hints from attribution_sales where payment_key = ${String(session.payment_intent)}`
    expect(row!.hints).toMatchObject({ coupon: 'ADA-10', deal })
    const plan = await aPurchase({ ...aPlan, discounts: [{ promotion_code }] })
    await settled()
    await askStripe()
    const [first] = await house.connection
      .sql`select hints from attribution_sales where subscription = ${String(plan.subscription)}`
    expect(first!.hints).toMatchObject({ coupon: 'ADA-10' })
  })

  test('delivered twice and backwards it is still one sale', async () => {
    sandbox.webhooks.hold()
    const session = await aPurchase()
    sandbox.webhooks.release('reversed', { times: 2 })
    await settled()
    expect(await salesOf(session.payment_intent)).toMatchObject([{ partner_id: ada }])
    expect(heard.map(({ event }) => event)).toEqual(['recorded'])
  })

  test('the customer’s e-mail address is stored nowhere', async () => {
    await aPurchase()
    await settled()
    const [row] = await house.connection
      .sql`select (select string_agg(body::text, '') from core_webhooks) || (select string_agg(fields::text, '') from stripe_facts) as everything`
    expect(row!.everything).not.toContain(`customer${count}@`)
    expect(row!.everything).not.toContain('@example.com')
  })

  test('64 deliveries at the same time, of all its events, make one sale', async () => {
    const { events, payment } = retold(await storyOf(() => aPurchase()))
    const deliveries = Array.from({ length: 64 }, (_, i) => events[i % events.length]!)
    heard.length = 0
    expect(new Set((await Promise.all(deliveries.map((event) => send(event)))).map(({ statusCode }) => statusCode))).toEqual(
      new Set([200]),
    )
    const handler = house.loaded.jobs.get('stripe.handle_event')!
    await Promise.all(deliveries.map(({ id }) => house.db.transaction((tx) => handler.within!(tx, [{ eventId: id }] as never))))
    await house.drain()
    expect((await salesOf(payment)).length).toBe(1)
    expect(heard.filter(({ event }) => event === 'recorded').length).toBe(1)
  })
})

test('a renewal that is told before the first payment is numbered by what Stripe has, and goes to the same partner', async () => {
  let subscription = ''
  const first = await heldStoryOf(async () => {
    subscription = String((await aPurchase(aPlan)).subscription)
  })
  house.clock.advance(60_000)
  const renewal = await heldStoryOf(() => control(`subscriptions/${subscription}/renew`))
  const ofSubscription = () => house.connection.sql`
    select sequence, partner_id, first_of_customer from attribution_sales where subscription = ${subscription} order by paid_at`
  for (const event of renewal) await send(event)
  await house.drain()
  expect(await ofSubscription()).toEqual([])
  await askStripe()
  expect(await ofSubscription()).toEqual([{ sequence: 2, partner_id: null, first_of_customer: false }])
  for (const event of first) await send(event)
  await house.drain()
  expect(await ofSubscription()).toEqual([
    { sequence: 1, partner_id: ada, first_of_customer: true },
    { sequence: 2, partner_id: ada, first_of_customer: false },
  ])
  await release()
})

test('a renewal that is told before the one before it keeps its number', async () => {
  const subscription = String((await aPurchase(aPlan)).subscription)
  await settled()
  const renew = async () => {
    house.clock.advance(60_000)
    return heldStoryOf(() => control(`subscriptions/${subscription}/renew`))
  }
  const [second, third] = [await renew(), await renew()]
  const numbers = async () =>
    (await house.connection.sql`select sequence from attribution_sales where subscription = ${subscription} order by sequence`).map(
      ({ sequence }) => sequence as number,
    )
  for (const event of third) await send(event)
  await house.drain()
  expect(await numbers()).toEqual([1])
  await askStripe()
  expect(await numbers()).toEqual([1, 3])
  for (const event of second) await send(event)
  await house.drain()
  expect(await numbers()).toEqual([1, 2, 3])
  await release()
})

test('of two refunds of which one fails, the other stays refunded', async () => {
  const { payment_intent } = await aPurchase()
  await settled()
  const refunds = []
  for (const amount of [5_000, 4_000]) {
    house.clock.advance(60_000)
    refunds.push(await stripe.refunds.create({ payment_intent: String(payment_intent), amount }))
    await settled()
  }
  expect(await salesOf(payment_intent)).toMatchObject([{ refunded: '9000' }])
  house.clock.advance(60_000)
  await control(`refunds/${refunds[1]!.id}/fail`)
  await settled()
  expect(await salesOf(payment_intent)).toMatchObject([{ refunded: '5000' }])
})

test('what comes of a recorded renewal is heard, though of the invoice before it less is known than is asked now', async () => {
  const subscription = String((await aPurchase(aPlan)).subscription)
  await settled()
  house.clock.advance(60_000)
  const renewal = (await heldStoryOf(() => control(`subscriptions/${subscription}/renew`))) as {
    id: string
    type: string
    created: number
  }[]
  for (const event of renewal) await send(event)
  await house.drain()
  const sale = async () =>
    (
      await house.connection
        .sql`select sequence, refunded, payment_key from attribution_sales where subscription = ${subscription} and sequence = 2`
    )[0]
  expect(await sale()).toMatchObject({ refunded: '0' })
  // As facts were kept before periods were.
  await house.connection
    .sql`update stripe_facts set fields = fields - 'from' - 'to' where subscription_id = ${subscription} and type = 'invoice'`
  const paid = renewal.find(({ type }) => type === 'invoice.paid')!
  await send({ ...paid, id: `evt_again${++count}`, created: paid.created + 1 })
  await house.drain()
  await askStripe()
  const { payment_key } = (await sale())!
  await release()
  await stripe.refunds.create({ payment_intent: payment_key as string, amount: 1_000 })
  await settled()
  await askStripe()
  expect(await sale()).toMatchObject({ refunded: '1000' })
})

test('a charge and its session that are handled at the same moment see each other', async () => {
  const story = await storyOf(() => aPurchase())
  const stories = Array.from({ length: 25 }, () => retold(story))
  const pairs = stories.map(({ events }) =>
    events.filter(({ type }) => ['charge.succeeded', 'checkout.session.completed'].includes(type)),
  )
  for (const event of pairs.flat()) await send(event)
  const handler = house.loaded.jobs.get('stripe.handle_event')!
  for (const pair of pairs)
    await Promise.all(pair.map(({ id }) => house.db.transaction((tx) => handler.within!(tx, [{ eventId: id }] as never))))
  for (const { payment } of stories) expect((await salesOf(payment)).length).toBe(1)
})

describe('in whatever order it is told', () => {
  let story: object[]
  beforeAll(async () => {
    story = await storyOf(async () => {
      const session = await aPurchase()
      await control(`charges/${session.payment_intent}/refund`, { amount: 4_000 })
      const second = await control(`charges/${session.payment_intent}/refund`, { amount: 1_000 })
      await control(`refunds/${second.id}/fail`)
      const dispute = await control(`charges/${session.payment_intent}/dispute`)
      await control(`disputes/${dispute.id}/lost`)
    })
  })

  property.prop([fc.infiniteStream(fc.nat()), fc.infiniteStream(fc.integer({ min: 1, max: 2 }))], { numRuns: 8 })(
    'a purchase with refunds, a failed refund and a lost dispute ends as one sale with the same figures',
    async (noise, times) => {
      const { events, payment } = retold(story)
      const deliveries = events.flatMap((event) =>
        Array.from({ length: times.next().value }, () => ({ event, key: noise.next().value })),
      )
      heard.length = 0
      for (const { event } of deliveries.sort((a, b) => a.key - b.key)) {
        expect((await send(event)).statusCode).toBe(200)
        if (noise.next().value % 2) await house.drain()
      }
      await house.drain()
      expect(await salesOf(payment)).toMatchObject([{ partner_id: ada, gross: '10000', refunded: '4000', dispute: 'lost' }])
      expect(heard.filter(({ event }) => event === 'recorded').length).toBe(1)
      expect(await parkedReasons()).toEqual([])
    },
  )

  test('every subset of events that holds the charge and the session gives the sale, and none without', async () => {
    const purchase = await storyOf(() => aPurchase())
    const types = purchase.map((event) => (event as { type: string }).type)
    expect(types).toEqual(expect.arrayContaining(['checkout.session.completed', 'charge.succeeded', 'payment_intent.succeeded']))
    for (const wanted of [
      ['checkout.session.completed', 'charge.succeeded'],
      ['charge.succeeded'],
      ['checkout.session.completed'],
      ['payment_intent.succeeded'],
    ]) {
      const { events, payment } = retold(purchase)
      for (const event of events) if (wanted.includes(event.type)) await send(event)
      await house.drain()
      expect((await salesOf(payment)).length, wanted.join()).toBe(wanted.length === 2 ? 1 : 0)
    }
  })
})

describe('refunds and disputes', () => {
  test('each refund tells the total; a refund that fails gives it back', async () => {
    const session = await aPurchase()
    await settled()
    await control(`charges/${session.payment_intent}/refund`, { amount: 2_500 })
    await settled()
    const second = await control(`charges/${session.payment_intent}/refund`, { amount: 500 })
    await settled()
    await control(`refunds/${second.id}/fail`)
    await settled()
    expect(heard.filter(({ event }) => event === 'refunded').map(({ payload }) => payload.refundedTotal)).toEqual([
      2_500n,
      3_000n,
      2_500n,
    ])
    expect(await salesOf(session.payment_intent)).toMatchObject([{ refunded: '2500' }])
  })

  test.each(['won', 'lost'] as const)('a dispute opens and is %s', async (outcome) => {
    const session = await aPurchase()
    const dispute = await control(`charges/${session.payment_intent}/dispute`)
    await settled()
    await control(`disputes/${dispute.id}/${outcome}`)
    await settled()
    expect(heard.filter(({ event }) => event === 'disputed').map(({ payload }) => payload.dispute)).toEqual(['open', outcome])
  })

  test('a dispute about a part that is lost leaves the commission on the rest', async () => {
    const session = await aPurchase()
    const dispute = await control(`charges/${session.payment_intent}/dispute`, { amount: 2_000 })
    await settled()
    const [sale] = await salesOf(session.payment_intent)
    const commission = async () =>
      (await house.connection.sql`select state, amount::integer from commissions_commissions where sale_id = ${sale!.id}`)[0]
    expect(await commission()).toEqual({ state: 'held', amount: 2_000 })
    await control(`disputes/${dispute.id}/lost`)
    await settled()
    expect(await commission()).toMatchObject({ amount: 1_600 })
  })

  test('a refund that comes before its sale waits for it', async () => {
    const story = await storyOf(async () => {
      const session = await aPurchase()
      await control(`charges/${session.payment_intent}/refund`, { amount: 700 })
    })
    const { events, payment } = retold(story)
    const isRefund = (event: { type: string }) => event.type.startsWith('refund.')
    for (const event of events.filter(isRefund)) await send(event)
    await house.drain()
    expect(await salesOf(payment)).toEqual([])
    for (const event of events.filter((event) => !isRefund(event) && event.type !== 'charge.refunded')) await send(event)
    await house.drain()
    expect(await salesOf(payment)).toMatchObject([{ refunded: '700' }])
  })
})

describe('payments that no session tells of', () => {
  test('a payment intent without a session becomes a sale once Stripe was asked', async () => {
    const clickId = aClick()
    const intent = await stripe.paymentIntents.create({
      amount: 4_200,
      currency: 'usd',
      confirm: true,
      payment_method: 'pm_card_visa',
      automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
      metadata: { siso_cid: clickId },
    })
    await settled()
    expect(await salesOf(intent.id)).toEqual([])
    await askStripe()
    expect(await salesOf(intent.id)).toMatchObject([{ partner_id: ada, gross: '4200' }])
  })

  test('a session whose event never comes is found by asking', async () => {
    sandbox.webhooks.hold()
    const session = await aPurchase()
    const held = sandbox.webhooks.deliveries().filter(({ state }) => state === 'held')
    const wanted = (await stripe.events.list({ limit: 100 })).data.filter(
      ({ id, type }) => type === 'payment_intent.succeeded' && held.some(({ event }) => event === id),
    )
    for (const event of wanted) await send(JSON.parse(JSON.stringify(event)))
    await house.drain()
    await askStripe()
    expect(await salesOf(session.payment_intent)).toMatchObject([{ partner_id: ada, gross: '10000' }])
    sandbox.webhooks.release('given')
    await settled()
    expect((await salesOf(session.payment_intent)).length).toBe(1)
    expect(heard.map(({ event }) => event)).toEqual(['recorded'])
  })

  test('a charge of which only its beginning was told is found by asking', async () => {
    let payment = ''
    const story = (await heldStoryOf(async () => {
      payment = String((await aPurchase()).payment_intent)
    })) as { type: string; created: number; data: { object: object } }[]
    const charged = story.find(({ type }) => type === 'charge.succeeded')!
    const pending = { ...charged.data.object, status: 'pending', amount_captured: 0, captured: false, paid: false }
    await send({ ...charged, id: `evt_pending${++count}`, type: 'charge.pending', data: { object: pending } })
    await send(story.find(({ type }) => type === 'payment_intent.succeeded')!)
    await house.drain()
    await askStripe()
    expect(await salesOf(payment)).toMatchObject([{ partner_id: ada, gross: '10000' }])
    await release()
    expect((await salesOf(payment)).length).toBe(1)
  })

  test.each([
    ['its session', 'checkout.session.completed'],
    ['its intent', 'payment_intent.succeeded'],
  ])('a payment of which %s alone was told is found by asking', async (_, only) => {
    let payment = ''
    const story = (await heldStoryOf(async () => {
      payment = String((await aPurchase()).payment_intent)
    })) as { type: string }[]
    await send(story.find(({ type }) => type === only)!)
    await house.drain()
    expect(await salesOf(payment)).toEqual([])
    await askStripe()
    expect(await salesOf(payment)).toMatchObject([{ partner_id: ada, gross: '10000' }])
    await release()
    expect(heard.map(({ event }) => event)).toEqual(['recorded'])
  })

  test('a session that is told only after the sale was recorded still attributes it', async () => {
    const { events, payment } = retold(await storyOf(() => aPurchase()))
    heard.length = 0
    await send(events.find(({ type }) => type === 'charge.succeeded')!)
    await house.drain()
    await house.connection
      .sql`insert into stripe_payments (program_id, payment_key, asked_at) values (${house.program.id}, ${payment}, now())`
    await send(events.find(({ type }) => type === 'payment_intent.succeeded')!)
    await house.drain()
    expect(await salesOf(payment)).toMatchObject([{ partner_id: null }])
    await send(events.find(({ type }) => type === 'checkout.session.completed')!)
    await house.drain()
    expect(await salesOf(payment)).toMatchObject([{ partner_id: ada }])
    expect(heard.map(({ event }) => event)).toEqual(['recorded', 'attributed'])
  })
})

describe('subscriptions', () => {
  test('each invoice is a sale with its number, and renewals stay with the partner', async () => {
    const session = await aPurchase(aPlan)
    await settled()
    house.clock.advance(60_000)
    await control(`subscriptions/${session.subscription}/renew`)
    await settled()
    await askStripe()
    const sales = await house.connection
      .sql`select partner_id, sequence, gross from attribution_sales where subscription = ${String(session.subscription)} order by sequence`
    expect(sales.map(({ partner_id, sequence, gross }) => [partner_id, sequence, gross])).toEqual([
      [ada, 1, '2500'],
      [ada, 2, '2500'],
    ])
  })

  test('events in an older version of the API are read anew: a renewal keeps its subscription, number and partner', async () => {
    const session = await aPurchase(aPlan)
    await settled()
    house.clock.advance(60_000)
    sandbox.webhooks.hold()
    const before = new Set((await stripe.events.list({ limit: 100 })).data.map(({ id }) => id))
    await control(`subscriptions/${session.subscription}/renew`)
    const told = (await stripe.events.list({ limit: 100 })).data.filter(({ id }) => !before.has(id))
    for (const { data, ...event } of told) {
      // Neither these events nor these fields of an invoice existed then.
      if (event.type.startsWith('invoice_payment')) continue
      const { parent: _, total_taxes: __, ...object } = data.object as unknown as Record<string, unknown>
      const old = object.object === 'invoice' ? { ...object, tax: 500, subscription: session.subscription } : data.object
      expect((await send({ ...event, api_version: '2024-06-20', data: { object: old } })).statusCode).toBe(200)
    }
    await house.drain()
    await askStripe()
    expect(
      await house.connection
        .sql`select partner_id, sequence, tax from attribution_sales where subscription = ${String(session.subscription)} order by sequence`,
    ).toMatchObject([
      { partner_id: ada, sequence: 1 },
      { partner_id: ada, sequence: 2, tax: '0' },
    ])
    expect(await parkedReasons()).toEqual([])
    sandbox.webhooks.release('given')
    await settled()
  })

  test('of an event in another version nothing but the id of its object is believed', async () => {
    sandbox.webhooks.hold()
    const before = new Set((await stripe.events.list({ limit: 100 })).data.map(({ id }) => id))
    const session = await aPurchase()
    await control(`charges/${session.payment_intent}/refund`, { amount: 1_000 })
    const dispute = await control(`charges/${session.payment_intent}/dispute`, { amount: 2_000 })
    await control(`disputes/${dispute.id}/lost`)
    const told = (await stripe.events.list({ limit: 100 })).data.filter(({ id }) => !before.has(id))
    for (const { data, ...event } of told) {
      const { object, id } = data.object as { object: string; id?: string }
      await send({ ...event, api_version: '2027-01-27.later', data: { object: { object, id } } })
    }
    await house.drain()
    await askStripe()
    expect(await salesOf(session.payment_intent)).toMatchObject([
      { partner_id: ada, gross: '10000', refunded: '1000', dispute: 'lost' },
    ])
    expect(await parkedReasons()).toEqual([])
    sandbox.webhooks.release('given')
    await settled()
  })

  test('one whose object Stripe does not have is parked with the version that the endpoint needs', async () => {
    const object = { object: 'invoice', id: 'in_gone', status: 'paid', currency: 'usd', total: 12_000, tax: 2_000 }
    await send({ id: 'evt_gone', object: 'event', api_version: '2024-06-20', type: 'invoice.paid', created: 1, data: { object } })
    await house.drain()
    expect(await parkedReasons()).toEqual([
      expect.stringMatching(/version 2024-06-20 .* invoice in_gone .* Set the webhook endpoint to version 2026-10-28/),
    ])
    expect((await house.connection.sql`select 1 from stripe_facts where object_id = 'in_gone'`).length).toBe(0)
    await dismissParked()
  })

  test('the first payment after a free trial is of the partner whose click the session of the trial carries', async () => {
    const session = await aPurchase({ ...aPlan, subscription_data: { trial_period_days: 7 } })
    await settled()
    const sales = () =>
      house.connection
        .sql`select partner_id, sequence, gross from attribution_sales where subscription = ${String(session.subscription)} order by sequence`
    expect(await sales()).toEqual([])
    for (let payments = 1; payments <= 2; payments++) {
      house.clock.advance(60_000)
      await control(`subscriptions/${session.subscription}/renew`)
      await settled()
      await askStripe()
    }
    expect(await sales()).toMatchObject([
      { partner_id: ada, sequence: 1, gross: '2500' },
      { partner_id: ada, sequence: 2, gross: '2500' },
    ])
  })

  test('a customer who pauses brings no sale meanwhile, and one who changes the plan brings what the new one costs', async () => {
    const session = await aPurchase(aPlan)
    await settled()
    const subscription = String(session.subscription)
    const salesNow = async () =>
      (
        await house.connection
          .sql`select sequence, gross, product, partner_id from attribution_sales where subscription = ${subscription} order by sequence`
      ).map(({ sequence, gross, partner_id }) => [sequence, gross, partner_id])
    const renew = async () => {
      house.clock.advance(60_000)
      await control(`subscriptions/${subscription}/renew`)
      await settled()
      await askStripe()
    }
    await stripe.subscriptions.update(subscription, { pause_collection: { behavior: 'void' } })
    await renew()
    expect(await salesNow()).toEqual([[1, '2500', ada]])
    await stripe.subscriptions.update(subscription, { pause_collection: '' })
    const product = await stripe.products.create({ name: 'Large plan' })
    const price = await stripe.prices.create({
      product: product.id,
      currency: 'usd',
      unit_amount: 9_900,
      recurring: { interval: 'month' },
    })
    const { items } = await stripe.subscriptions.retrieve(subscription)
    await stripe.subscriptions.update(subscription, { items: [{ id: items.data[0]!.id, price: price.id }] })
    await renew()
    expect(await salesNow()).toEqual([
      [1, '2500', ada],
      [2, '9900', ada],
    ])
    expect(await parkedReasons()).toEqual([])
  })

  test('told backwards and twice, it is still one sale', async () => {
    sandbox.webhooks.hold()
    const session = await aPurchase(aPlan)
    sandbox.webhooks.release('reversed', { times: 2 })
    await settled()
    const sales = await house.connection
      .sql`select partner_id, sequence from attribution_sales where subscription = ${String(session.subscription)}`
    expect(sales).toMatchObject([{ partner_id: ada, sequence: 1 }])
    expect(heard.map(({ event }) => event)).toEqual(['recorded'])
  })

  test.each(['checkout.session.completed', 'invoice.paid', 'invoice_payment.paid'])(
    'of a first payment of which only %s was told, Stripe is asked for the rest',
    async (only) => {
      const session: { subscription?: unknown } = {}
      const story = (await heldStoryOf(async () => Object.assign(session, await aPurchase(aPlan)))) as { type: string }[]
      await send(story.find(({ type }) => type === only)!)
      await house.drain()
      await askStripe()
      const sales = () =>
        house.connection
          .sql`select partner_id, sequence, gross from attribution_sales where subscription = ${String(session.subscription)}`
      expect(await sales()).toMatchObject([{ partner_id: ada, sequence: 1, gross: '2500' }])
      await release()
      expect(await sales()).toMatchObject([{ partner_id: ada, sequence: 1 }])
      expect(await parkedReasons()).toEqual([])
    },
  )

  test('without invoice payment events, Stripe is asked which payment an invoice was', async () => {
    sandbox.webhooks.hold()
    const session = await aPurchase(aPlan)
    const held = new Set(sandbox.webhooks.deliveries().flatMap(({ state, event }) => (state === 'held' ? [event] : [])))
    for (const event of (await stripe.events.list({ limit: 100 })).data)
      if (held.has(event.id) && !event.type.startsWith('invoice_payment')) await send(JSON.parse(JSON.stringify(event)))
    await house.drain()
    await askStripe()
    const sales = await house.connection
      .sql`select partner_id, sequence from attribution_sales where subscription = ${String(session.subscription)}`
    expect(sales).toMatchObject([{ partner_id: ada, sequence: 1 }])
    sandbox.webhooks.release('given')
    await settled()
    expect(
      (await house.connection.sql`select 1 from attribution_sales where subscription = ${String(session.subscription)}`).length,
    ).toBe(1)
  })
})

describe('what cannot be handled', () => {
  const aCharge = (given: object = {}) => {
    const id = `${++count}`
    return {
      id: `evt_charge${id}`,
      object: 'event',
      type: 'charge.succeeded',
      created: Math.floor(house.clock.now().getTime() / 1000),
      data: {
        object: {
          object: 'charge',
          id: `ch_made${id}`,
          payment_intent: `pi_made${id}`,
          status: 'succeeded',
          amount_captured: 5_000,
          amount_refunded: 0,
          currency: 'usd',
          metadata: {},
          created: Math.floor(house.clock.now().getTime() / 1000),
          ...given,
        },
      },
    }
  }
  beforeEach(async () => void (await dismissParked()))

  test.each<[string, object, RegExp]>([
    ['an unknown currency', { currency: 'xqz' }, /not a currency code/],
    ['a refund larger than the sale', { amount_refunded: 5_001 }, /5001 of the payment .* only 5000 were paid/],
    ['an amount beyond exact numbers', { amount_captured: 2 ** 60 }, /amount_captured/],
    ['an amount that is no number', { amount_captured: '12' }, /amount_captured/],
  ])('%s is parked with a reason, told to the admin, and leaves no sale', async (_, given, reason) => {
    const event = aCharge(given)
    expect((await send(event)).statusCode).toBe(200)
    await house.drain().catch(() => {})
    expect(await parkedReasons()).toEqual([expect.stringMatching(reason)])
    expect(await salesOf(`pi_made${count}`)).toEqual([])
    expect(wordsOf(await house.run('admin stripe parked', {}, { isAdmin: true }))).toContain(event.id)
  })

  test('a payment on a connected account is parked', async () => {
    await send({ ...aCharge(), account: 'acct_someone' }, { secret: secrets.connect })
    await house.drain()
    expect(await parkedReasons()).toEqual([expect.stringContaining('acct_someone')])
  })

  test('a session that is said to be paid by an invoice that Stripe does not have is parked', async () => {
    const session = {
      id: `cs_made${++count}`,
      object: 'checkout.session',
      payment_intent: null,
      invoice: `in_made${count}`,
      subscription: `sub_made${count}`,
      payment_status: 'paid',
      currency: 'usd',
      amount_total: 5_000,
    }
    await send({ ...aCharge(), type: 'checkout.session.completed', data: { object: session } })
    await house.drain()
    await askStripe()
    expect(await parkedReasons()).toEqual([`Stripe has no invoice ${session.invoice}, which is said to be paid.`])
  })

  const aboutAccount = (id: string) =>
    send(
      {
        id: `evt_early${++count}`,
        object: 'event',
        type: 'account.updated',
        created: 1,
        account: id,
        data: { object: { object: 'account', id, capabilities: { transfers: 'active' }, payouts_enabled: true } },
      },
      { secret: secrets.connect },
    )

  test('an account of which Stripe tells before it has answered us is known a moment later', async () => {
    await aboutAccount('acct_new')
    await house.drain()
    await aMethod('acct_new')
    house.clock.advance(30_000)
    await house.drain()
    expect(await methodOf('acct_new')).toEqual({ ready: true, missing: '' })
    expect(await parkedReasons()).toEqual([])
  })

  test('a parked event is handled when it is handed in again after its cause is gone', async () => {
    await aboutAccount('acct_early')
    await house.drain()
    expect(await parkedReasons()).toEqual([])
    house.clock.advance(30_000)
    await house.drain()
    expect(await parkedReasons()).toEqual([expect.stringContaining('belongs to no partner')])
    const again = `stripe.parked_again:parked:0:evt_early${count}`
    expect(wordsOf(await house.press(again, {}, { isAdmin: true }))).toContain('belongs to no partner')
    await aMethod('acct_early')
    expect(wordsOf(await house.press(again, {}, { isAdmin: true }))).toContain('The event was handled')
    expect(await parkedReasons()).toEqual([])
    expect(await methodOf('acct_early')).toEqual({ ready: true, missing: '' })
  })
})

describe('payouts through Stripe Connect', () => {
  const provider = () => createPayoutProvider(stripe)
  const onboard = (account?: string) =>
    provider().onboard({
      programId: house.program.id,
      partnerId: ada,
      email: 'ada@example.com',
      account,
      returnUrl: 'https://p.example/ok',
      refreshUrl: 'https://p.example/again',
    })
  const aPayableAccount = async () => {
    const { account } = await onboard()
    await aMethod(account)
    await control(`accounts/${account}/onboard`)
    await settled()
    return account
  }
  const request = (destination: string, given: { amount?: bigint; currency?: string; round?: number } = {}) => ({
    programId: house.program.id,
    payoutId: newId(),
    amount: 7_500n,
    currency: 'USD',
    destination,
    round: 0,
    ...given,
  })

  test('another bank at Stripe restarts the waiting time of the account', async () => {
    await aMethod('acct_moving')
    const bankIs = async (fingerprint: string) => {
      house.clock.advance(3_600_000)
      const account = { object: 'account', id: 'acct_moving', capabilities: { transfers: 'active' }, payouts_enabled: true }
      await send(
        {
          id: `evt_bank${++count}`,
          object: 'event',
          type: 'account.updated',
          created: Math.floor(house.clock.now().getTime() / 1000),
          account: account.id,
          data: { object: { ...account, external_accounts: { data: [{ id: 'ba_1', fingerprint, default_for_currency: true }] } } },
        },
        { secret: secrets.connect },
      )
      await house.drain()
      const [method] = await house.connection.sql`select changed_at from payouts_methods where account = ${account.id}`
      return new Date(method!.changed_at)
    }
    const ready = await bankIs('hers')
    expect(await bankIs('hers')).toEqual(ready)
    expect(await bankIs('a thief’s')).toEqual(house.clock.now())
  })

  test('onboarding makes one account per partner, whose state follows what they do', async () => {
    const first = await onboard()
    expect(first.url).toMatch(/^http/)
    expect((await onboard()).account).toBe(first.account)
    expect((await onboard(first.account)).account).toBe(first.account)
    expect(await provider().accountState(first.account)).toMatchObject({ ready: false, missing: expect.stringMatching(/./) })
    await aMethod(first.account)
    await control(`accounts/${first.account}/onboard`)
    await settled()
    expect(await provider().accountState(first.account)).toEqual({
      ready: true,
      missing: '',
      places: [{ name: expect.any(String), isDefault: true }],
      taxForm: null,
    })
    expect(await methodOf(first.account)).toEqual({ ready: true, missing: '' })
  })

  test('one more bank or another default at Stripe restarts the waiting time; a bank that is taken away does not', async () => {
    const account = await aPayableAccount()
    const changedAfter = async (act: () => Promise<unknown>) => {
      house.clock.advance(3_600_000)
      await act()
      await settled()
      const [method] = await house.connection.sql`select changed_at from payouts_methods where account = ${account}`
      return new Date(method!.changed_at).getTime() === house.clock.now().getTime()
    }
    const at = (verb: string, body: object) => () => control(`accounts/${account}/${verb}`, body)
    const banks = async () => (await stripe.accounts.retrieve(account)).external_accounts!.data.map(({ id }) => id)
    expect(await changedAfter(at('add_bank', { fingerprint: 'another' }))).toBe(true)
    const [added, first] = await banks()
    expect(await changedAfter(at('default_bank', { bank: added }))).toBe(true)
    expect(await changedAfter(at('remove_bank', { bank: first }))).toBe(false)
    expect(await banks()).toEqual([added])
  })

  test('of a bank account that was added, the connected account itself is read, for the event says nothing of the others', async () => {
    const account = await aPayableAccount()
    sandbox.webhooks.hold()
    house.clock.advance(3_600_000)
    await control(`accounts/${account}/add_bank`)
    const { data } = await stripe.events.list({ type: 'account.external_account.created', limit: 1 }, { stripeAccount: account })
    await send(data[0]!, { secret: secrets.connect })
    await house.drain()
    const [method] = await house.connection.sql`select changed_at, places from payouts_methods where account = ${account}`
    expect(new Date(method!.changed_at)).toEqual(house.clock.now())
    expect(method!.places).toHaveLength(2)
    sandbox.webhooks.release()
    await settled()
    const gone = { ...data[0]!, id: `evt_gone${++count}`, account: 'acct_gone' }
    await send(gone, { secret: secrets.connect })
    await house.drain()
    expect(await parkedReasons()).toEqual([expect.stringMatching(/account acct_gone cannot be read anew: Stripe does not have it/)])
  })

  test('an account that was read anew is known as of then: what was told before that and comes later changes nothing', async () => {
    const account = await aPayableAccount()
    house.clock.advance(3_600_000)
    const at = (minutesAgo: number) => Math.floor(house.clock.now().getTime() / 1000) - minutesAgo * 60
    const event = { object: 'event', account, api_version: '2023-10-16' }
    const named = { object: 'account', id: account }
    await send(
      { ...event, id: `evt_old${++count}`, type: 'account.updated', created: at(30), data: { object: named } },
      { secret: secrets.connect },
    )
    await house.drain()
    const restricted = { ...named, capabilities: { transfers: 'inactive' }, payouts_enabled: false }
    const snapshot = { ...event, api_version: apiVersion, type: 'account.updated', data: { object: restricted } }
    await send({ ...snapshot, id: `evt_late${++count}`, created: at(20) }, { secret: secrets.connect })
    await house.drain()
    expect(await methodOf(account)).toEqual({ ready: true, missing: '' })
    house.clock.advance(60_000)
    await send({ ...snapshot, id: `evt_new${++count}`, created: at(0) }, { secret: secrets.connect })
    await house.drain()
    expect(await methodOf(account)).toMatchObject({ ready: false })
  })

  test('a payout is one transfer however often it is sent, found again by its id, and confirmed by webhook', async () => {
    const wish = request(await aPayableAccount())
    expect(await provider().find(wish)).toBeUndefined()
    const sent = await Promise.all([
      provider().send(wish),
      provider()
        .send(wish)
        .catch(() => undefined),
    ])
    expect(new Set(sent.flatMap((transfer) => transfer?.providerId ?? [])).size).toBe(1)
    expect(await provider().find(wish)).toEqual(sent[0])
    expect((await stripe.transfers.list({ transfer_group: wish.payoutId })).data).toMatchObject([
      { amount: 7_500, currency: 'usd' },
    ])
    await settled()
    expect(await newsOf(sent[0]!.providerId)).toEqual(['paid'])
  })

  test('a reversed transfer comes back, even when the news of its making arrives last', async () => {
    const wish = request(await aPayableAccount())
    sandbox.webhooks.hold()
    const { providerId } = await provider().send(wish)
    await control(`transfers/${providerId}/reverse`)
    sandbox.webhooks.release('reversed')
    await settled()
    // Both are handled at the same time: the news of its making may have been in time, or be passed over.
    expect((await newsOf(providerId)).at(-1)).toBe('returned')
    expect(await provider().find(wish)).toMatchObject({ state: 'returned' })
  })

  test('a transfer that somebody made by hand in Stripe is none of ours', async () => {
    const account = await aPayableAccount()
    const { id } = await stripe.transfers.create({ amount: 100, currency: 'usd', destination: account })
    await settled()
    expect(await newsOf(id)).toEqual([])
  })

  test.each<[string, () => Promise<ReturnType<typeof request>>]>([
    ['an account that does not exist', async () => request('acct_nobody')],
    [
      'an account that is not ready',
      async () =>
        request(
          (
            await stripe.accounts.create({
              controller: {
                stripe_dashboard: { type: 'express' },
                fees: { payer: 'application' },
                losses: { payments: 'application' },
              },
              capabilities: { transfers: { requested: true } },
            })
          ).id,
        ),
    ],
    ['an amount that Stripe has no step for', async () => request(await aPayableAccount(), { amount: 1_231n, currency: 'KWD' })],
  ])('a payout to %s is refused for good', async (_, wish) => {
    await expect(provider().send(await wish())).rejects.toBeInstanceOf(PayoutRefused)
  })

  test('two payouts that only fit alone: the second is put off, and goes under another key when there are funds', async () => {
    const account = await aPayableAccount()
    const half = (await provider().available('USD'))! / 2n + 1n
    const wishes = [request(account, { amount: half }), request(account, { amount: half })]
    const answers = await Promise.allSettled(wishes.map((wish) => provider().send(wish)))
    const late = wishes[answers.findIndex(({ status }) => status === 'rejected')]!
    const [sent] = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
    expect(answers.find(({ status }) => status === 'rejected')).toMatchObject({ reason: expect.any(PayoutPostponed) })
    await control(`transfers/${sent!.providerId}/reverse`)
    await expect(provider().send(late)).rejects.toBeInstanceOf(PayoutPostponed)
    expect(await provider().find(late)).toBeUndefined()
    const again = await provider().send({ ...late, round: 1 })
    expect(await provider().send({ ...late, round: 1 })).toEqual(again)
    expect(await provider().find(late)).toEqual(again)
    await control(`transfers/${again.providerId}/reverse`)
    await settled()
  })

  test('a partner does not read what Stripe says to the platform', async () => {
    const refusal = await provider()
      .send(request('acct_nobody'))
      .catch((error: unknown) => error)
    expect(refusal).toMatchObject({
      message: expect.stringContaining('acct_nobody'),
      forPartner: expect.not.stringContaining('acct_'),
    })
  })

  test('an answer that never comes is no refusal, and the transfer is found afterwards', async () => {
    const wish = request(await aPayableAccount())
    const impatient = createPayoutProvider(
      new Stripe('sk_test_sandbox', {
        host: sandbox.host,
        port: sandbox.port,
        protocol: 'http',
        maxNetworkRetries: 0,
        timeout: 300,
      }),
    )
    await fetch(`${sandbox.url}/sandbox/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ match: 'POST /v1/transfers', kind: 'timeout_after_apply', count: 2 }),
    })
    const failure = await impatient.send(wish).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(Error)
    expect(failure).not.toBeInstanceOf(PayoutRefused)
    expect(await provider().find(wish)).toMatchObject({ state: 'sent' })
  })

  test('what can be sent is the platform’s available balance', async () => {
    expect(await provider().available('USD')).toBeGreaterThan(0n)
    expect(await provider().available('EUR')).toBe(0n)
  })
})

describe('connecting the account', () => {
  test('an admin connects it, and sees where Stripe should send what', async () => {
    const words = wordsOf(await house.run('admin stripe connect', {}, { isAdmin: true }))
    expect(words).toContain(sandbox.account)
    expect(words).toContain('http://program.test/webhooks/stripe')
    expect(words).toContain('invoice_payment.paid')
    expect(words).toContain(Stripe.API_VERSION)
  })

  test('an account belongs to one program', async () => {
    const other = newId()
    await house.connection.sql`insert into core_programs (id, name, guild_id) values (${other}, 'Other', '900000000000000002')`
    const command = house.loaded.commands.find(({ path }) => path === 'admin stripe connect')!
    await expect(command.run({ program: { id: other } } as never, {} as never)).rejects.toMatchObject({
      code: 'account_taken',
      message: expect.stringContaining('needs a deployment of its own'),
    })
    await house.connection.sql`delete from core_programs where id = ${other}`
  })
})

test('without a key Stripe is off: commands and the door say so, and no provider is offered', async () => {
  const off = await testHouse(needed)
  try {
    await expect(off.run('admin stripe connect', {}, { isAdmin: true })).rejects.toMatchObject({ code: 'stripe_off' })
    const answer = await off.app.inject({ method: 'POST', url: '/webhooks/stripe', payload: {} })
    expect(answer.statusCode).toBe(503)
    expect(answer.json()).toMatchObject({ code: 'stripe_off' })
  } finally {
    await off.close()
  }
})
