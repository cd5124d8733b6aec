import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { controlsOf, publicUrl, type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import { programStore } from '../../db/programs.ts'
import { messages } from '../../db/tables.ts'
import { createPayPalSandbox, type PayPalSandbox } from '../../sandbox/paypal/index.ts'
import { attribution } from '../attribution/plugin.ts'
import { channels } from '../channels/plugin.ts'
import { commissions } from '../commissions/plugin.ts'
import { coupons } from '../coupons/plugin.ts'
import { days, definePlugin, hours, minutes, newId } from '../kit/index.ts'
import { ledger } from '../ledger/plugin.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { payouts } from '../payouts/plugin.ts'
import { toPayPal } from './amounts.ts'
import { paypal } from './plugin.ts'

/** Signing is another plugin's story: here everybody has signed. */
const agreements = definePlugin({
  id: 'agreements',
  title: 'Agreements',
  summary: 'Stands for the real one.',
  setup: () => ({
    public: {
      hasSignedCurrent: async () => true,
      signersOfCurrent: async (_reader: unknown, _program: string, partnerIds: readonly string[]) => new Set(partnerIds),
    },
  }),
})

const everything = [notifications, partners, agreements, channels, ledger, attribution, coupons, commissions, payouts, paypal]
const webhookId = 'WEBHOOK-OF-THE-TEST'
const admin = { userId: '900000000000000009', isAdmin: true }
let house: TestHouse
let sandbox: PayPalSandbox
let address: string
let count = 0

beforeAll(async () => {
  sandbox = await createPayPalSandbox({
    clock: { now: () => house.clock.now() },
    funds: { USD: 100_000_000, JPY: 10_000_000, HUF: 100_000_000 },
    processDelayMs: null,
    retries: { firstMs: 20, attempts: 3 },
  })
  house = await testHouse(everything, {
    environment: {
      PAYPAL_CLIENT_ID: sandbox.clientId,
      PAYPAL_CLIENT_SECRET: sandbox.clientSecret,
      PAYPAL_WEBHOOK_ID: webhookId,
      PAYPAL_API_URL: sandbox.url,
    },
  })
  await house.set('commissions', 'holdDays', 0)
  await house.set('payouts', 'methodCoolingHours', 0)
  await house.set('payouts', 'minimum', '0.01')
  await house.set('payouts', 'approvalAbove', '999999999999')
  address = await house.app.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await house.close()
  await sandbox.close()
})
beforeEach(async () => {
  // Nobody of an earlier test is paid in a later one.
  const { sql } = house.connection
  await dropJobs()
  await sql`update payouts_payouts set next_try_at = '2100-01-01' where state = 'queued'`
  await sql`update partners_partners set status = 'suspended'`
  sandbox.reset()
  sandbox.addWebhook({ url: `${address}/webhooks/paypal`, id: webhookId })
})

const dropJobs = () => house.connection.sql`update core_outbox set done_at = now() where done_at is null`

async function aPartner() {
  const id = newId(house.clock.now())
  const userId = `1${String(++count).padStart(17, '0')}`
  await house.connection
    .sql`insert into partners_partners (id, program_id, user_id, name, email, industry, status, verified_at, activated_at)
    values (${id}, ${house.program.id}, ${userId}, ${`Partner ${count}`}, ${`p${count}@example.com`}, 'saas', 'active', now(), now())`
  return { id, userId }
}
type APartner = Awaited<ReturnType<typeof aPartner>>

const path = (url: string) => url.replace(publicUrl, '')
const get = (url: string) => house.app.inject({ url: path(url) })
const post = (url: string, form: Record<string, string> = {}) =>
  house.app.inject({
    method: 'POST',
    url: path(url),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams(form).toString(),
  })

/** The page that /payout setup leads to. */
const setUp = async ({ userId }: APartner) =>
  controlsOf(await house.run('payout setup', { provider: 'paypal' }, { userId })).find((url) => url.startsWith('http'))!
async function giveAddress(partner: APartner, email: string) {
  const answer = await post(await setUp(partner), { email, again: email })
  expect(answer.statusCode).toBe(303)
  return get(String(answer.headers.location))
}
const methodOf = async (partner: APartner) => {
  const [row] = await house.connection.sql<{ account: string; ready: boolean; changed_at: string }[]>`
    select account, ready, changed_at from payouts_methods where partner_id = ${partner.id} and provider = 'paypal'`
  return row!
}

/** Earns the partner an amount (minor units) that can be paid out now. */
async function earn(partner: APartner, amount = 12_550n, currency = 'USD') {
  const code = `CODE-${++count}`
  await house.run('admin coupons assign', { user: { id: partner.userId }, code }, admin)
  const number = ++count
  await house.db.transaction((tx) =>
    house.use(attribution).recordPayment(tx, {
      programId: house.program.id,
      provider: 'stripe',
      paymentKey: `pi_${number}`,
      gross: amount * 5n,
      tax: 0n,
      shipping: 0n,
      currency,
      refunded: 0n,
      dispute: 'none',
      customer: { key: `cus_${number}`, emailHash: undefined, country: undefined },
      hints: { coupon: code },
      product: undefined,
      paidAt: house.clock.now(),
    }),
  )
  await house.drain()
  await house.tick('commissions.release')
  await house.drain()
}
interface PayoutRow {
  id: string
  state: string
  attempts: number
  provider_id: string | null
  note: string | null
  amount: string
}
const payoutsOf = (partner: APartner) =>
  house.connection.sql<
    PayoutRow[]
  >`select id, attempts, state, provider_id, note, amount from payouts_payouts where partner_id = ${partner.id} order by id`
const payoutOf = async (partner: APartner) => (await payoutsOf(partner)).at(-1)!
const run = () => {
  house.clock.advance(minutes(1))
  return house.run('admin payouts run', {}, admin)
}
/** Sends what is due; a try that fails is made again by the schedule, as in the running house. */
const send = () => house.drain().catch(() => {})
const retry = async () => {
  house.clock.advance(minutes(30))
  await house.tick('payouts.retry')
  await house.drain()
}

async function aPayoutTo(email: string, amount?: bigint, currency?: string) {
  const partner = await aPartner()
  await giveAddress(partner, email)
  await earn(partner, amount, currency)
  await run()
  return partner
}
interface SandboxBatch {
  payout_batch_id: string
  sender_batch_header: { sender_batch_id: string }
  items: { payout_item_id: string; transaction_status: string; payout_item: { receiver: string; amount: object } }[]
}
const atPayPal = async () =>
  (await (await fetch(`${sandbox.url}/sandbox/paypal`)).json()) as { balance: Record<string, string>; batches: SandboxBatch[] }
const control = async (what: string, body: object = {}) => {
  const answer = await fetch(`${sandbox.url}/sandbox/paypal/${what}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  expect(answer.status).toBe(200)
}
/** Waits until every webhook was answered, then lets the house handle them. */
async function heard() {
  await expect.poll(() => sandbox.deliveries.every(({ state }) => state !== 'pending')).toBe(true)
  await house.drain()
}
const process = async (batch: string | null) => {
  await control(`payouts/${batch}/process`)
  await heard()
}
const told = async (userId: string) =>
  (await house.db.select().from(messages).where(eq(messages.target, userId)))
    .map(({ payload }) => JSON.stringify(payload))
    .join('\n')

describe('the PayPal address', () => {
  test('is typed twice on a page of ours, and then payouts can go there', async () => {
    const partner = await aPartner()
    const page = await get(await setUp(partner))
    expect(page.body).toContain('Where should PayPal send your money?')
    expect(page.headers['cache-control']).toBe('no-store')
    expect((await methodOf(partner)).ready).toBe(false)
    expect((await giveAddress(partner, ' Ada@PayPal.example ')).body).toContain('payout method is ready')
    expect((await methodOf(partner)).ready).toBe(true)
    expect((await get(await setUp(partner))).body).toContain('Ada@PayPal.example')
  })

  test.each([
    ['ada', 'ada', 'does not look like an e-mail address'],
    ['', '', 'does not look like an e-mail address'],
    ['ada@paypal.example', 'eda@paypal.example', 'are not the same'],
    ['"><script>@x.example', 'x', 'does not look like'],
  ])('“%s” and “%s” are refused, and what was typed is still there', async (email, again, reason) => {
    const url = await setUp(await aPartner())
    const answer = await post(url, { email, again })
    expect(answer.statusCode).toBe(422)
    expect(answer.body).toContain(reason)
    expect(answer.body).not.toContain('<script>')
    if (email.startsWith('ada')) expect(answer.body).toContain(`value="${email}"`)
    expect((await get(url)).body).toContain('Where should PayPal')
  })

  test('never changes: another one is a new method, which must wait anew', async () => {
    const partner = await aPartner()
    const url = await setUp(partner)
    await giveAddress(partner, 'old@paypal.example')
    const before = await methodOf(partner)
    expect((await post(url, { email: 'evil@paypal.example', again: 'evil@paypal.example' })).body).toContain('old@paypal.example')
    const [receiver] = await house.connection.sql`select email from paypal_receivers where id = ${before.account}`
    expect(receiver!.email).toBe('old@paypal.example')
    await expect(
      house.connection.sql`update paypal_receivers set email = 'evil@paypal.example' where id = ${before.account}`,
    ).rejects.toThrow('given once')

    house.clock.advance(hours(100))
    const other = await post((await setUp(partner)).replace('/paypal/address', '/paypal/address/other'))
    const page = await get(String(other.headers.location))
    expect(page.statusCode).toBe(303)
    expect((await methodOf(partner)).ready).toBe(false)
    const next = String(page.headers.location)
    const done = await post(next, { email: 'new@paypal.example', again: 'new@paypal.example' })
    await get(String(done.headers.location))
    const after = await methodOf(partner)
    expect(after.ready).toBe(true)
    expect(new Date(after.changed_at)).toEqual(house.clock.now())
    expect(after.account).not.toBe(before.account)
  })

  test('that the partner does not want any more gets nothing, also before they have given another', async () => {
    const partner = await aPayoutTo('old@paypal.example')
    house.clock.advance(minutes(1))
    await post((await setUp(partner)).replace('/paypal/address', '/paypal/address/other'))
    expect(await methodOf(partner)).toMatchObject({ ready: false })
    await house.drain()
    expect(await payoutsOf(partner)).toMatchObject([{ state: 'cancelled', note: expect.stringContaining('not complete') }])
    await run()
    await house.drain()
    expect([await payoutsOf(partner), (await atPayPal()).batches]).toMatchObject([[{ state: 'cancelled' }], []])
  })

  test('is kept when the partner runs /payout setup again and only looks', async () => {
    const partner = await aPartner()
    await giveAddress(partner, 'same@paypal.example')
    const before = await methodOf(partner)
    house.clock.advance(hours(1))
    await get(await setUp(partner))
    expect(await methodOf(partner)).toEqual(before)
  })

  test('cannot be given through a link that is a day old, changed, or of a receiver that is closed', async () => {
    const partner = await aPartner()
    const url = await setUp(partner)
    const typed = { email: 'x@paypal.example', again: 'x@paypal.example' }
    for (const bad of [
      `${url}x`,
      url.replace('link=', 'link=A'),
      path(url).split('?')[0]!,
      `${url.split('.').slice(0, -1).join('.')}.`,
    ]) {
      expect((await get(bad)).statusCode, bad).toBe(410)
      expect((await post(bad, typed)).statusCode, bad).toBe(410)
    }
    house.clock.advance(days(1))
    expect((await post(url, typed)).statusCode).toBe(410)
    await giveAddress(partner, 'first@paypal.example')
    const present = await setUp(partner)
    await post(present.replace('/paypal/address', '/paypal/address/other'))
    expect((await post(present, typed)).statusCode).toBe(410)
  })
})

describe('a payout', () => {
  test('goes to the address as a decimal, under an id that is the payout’s, and counts as paid when PayPal says so', async () => {
    const partner = await aPayoutTo('ada@paypal.example', 12_550n)
    await house.drain()
    const sent = await payoutOf(partner)
    expect(sent.state).toBe('sent')
    const { batches } = await atPayPal()
    expect(batches).toMatchObject([
      {
        payout_batch_id: sent.provider_id,
        sender_batch_header: { sender_batch_id: `siso-${sent.id}` },
        items: [{ payout_item: { receiver: 'ada@paypal.example', amount: { value: '125.50', currency: 'USD' } } }],
      },
    ])
    await process(sent.provider_id)
    expect((await payoutOf(partner)).state).toBe('paid')
    expect(sandbox.deliveries.every(({ state }) => state === 'delivered')).toBe(true)
    expect((await house.use(ledger).prove(house.db, house.program.id)).ok).toBe(true)
  })

  test('counts as paid when PayPal’s event of it is dated, however late that is handled', async () => {
    const partner = await aPayoutTo('ada@paypal.example')
    await house.drain()
    await control(`payouts/${(await payoutOf(partner)).provider_id}/process`)
    await expect.poll(() => sandbox.deliveries.every(({ state }) => state !== 'pending')).toBe(true)
    const paidAt = house.clock.now()
    house.clock.advance(days(3))
    await heard()
    expect((await payoutOf(partner)).state).toBe('paid')
    const then = { from: paidAt, to: new Date(paidAt.getTime() + 1) }
    const paid = await house.use(payouts).paidBetween(house.db, house.program.id, then, [partner.id])
    expect(paid).toMatchObject([{ payouts: 1 }])
  })

  test.each([
    [7500n, 'JPY', '7500'],
    [750_000n, 'HUF', '7500'],
    [1n, 'USD', '0.01'],
  ])('of %s minor units of %s is sent as %s', async (amount, currency, value) => {
    await aPayoutTo('ada@paypal.example', amount, currency)
    await house.drain()
    expect((await atPayPal()).batches[0]!.items[0]!.payout_item.amount).toEqual({ currency, value })
  })

  test('of a part of a forint waits until it is whole', async () => {
    const partner = await aPayoutTo('ada@paypal.example', 750_050n, 'HUF')
    await house.drain()
    expect([await payoutsOf(partner), (await atPayPal()).batches]).toEqual([[], []])
    await earn(partner, 50n, 'HUF')
    await run()
    await house.drain()
    expect((await atPayPal()).batches[0]!.items[0]!.payout_item.amount).toEqual({ currency: 'HUF', value: '7501' })
  })

  test('of a part of a forint is nothing that PayPal could be asked for', () => {
    expect(() => toPayPal(750_050n, 'HUF')).toThrow('whole units only')
  })

  test.each(['timeout_after_apply', 'timeout_before_apply'] as const)(
    'is paid once when PayPal does not answer (%s)',
    async (kind) => {
      const partner = await aPayoutTo('ada@paypal.example')
      sandbox.faults.add({ match: 'POST /v1/payments/payouts', kind, ms: 10 })
      await send()
      expect((await payoutOf(partner)).state).toBe('queued')
      await retry()
      expect((await payoutOf(partner)).state).toBe('sent')
      const { batches, balance } = await atPayPal()
      expect(batches).toHaveLength(1)
      expect(balance.USD).toBe(String(100_000_000 - 12_550))
      await process((await payoutOf(partner)).provider_id)
      expect((await payoutOf(partner)).state).toBe('paid')
    },
  )

  test('that PayPal says it has already, without naming the batch, is not given up: it may be paid', async () => {
    const partner = await aPayoutTo('ada@paypal.example')
    sandbox.faults.add({ match: 'POST /v1/payments/payouts', kind: 'timeout_after_apply' })
    await send()
    const issue = 'Batch with given sender_batch_id already exists'
    const refusal = { name: 'VALIDATION_ERROR', message: 'Invalid request', details: [{ field: 'SENDER_BATCH_ID', issue }] }
    const original = globalThis.fetch
    const spy = vi
      .spyOn(globalThis, 'fetch')
      .mockImplementation(async (input, init) =>
        String(input).endsWith('/v1/payments/payouts') ? Response.json(refusal, { status: 400 }) : original(input, init),
      )
    await retry()
      .catch(() => {})
      .finally(() => spy.mockRestore())
    expect(await payoutOf(partner)).toMatchObject({ state: 'queued', note: expect.stringContaining('already exists') })
    await retry()
    expect((await payoutOf(partner)).state).toBe('sent')
    expect((await atPayPal()).batches).toHaveLength(1)
  })

  test('is adopted by the next try even when PayPal had paid it before', async () => {
    const partner = await aPayoutTo('ada@paypal.example')
    sandbox.faults.add({ match: 'POST /v1/payments/payouts', kind: 'timeout_after_apply' })
    await send()
    await dropJobs()
    await process((await atPayPal()).batches[0]!.payout_batch_id)
    expect((await payoutOf(partner)).state).toBe('queued')
    await retry()
    expect((await payoutOf(partner)).state).toBe('paid')
    expect((await atPayPal()).batches).toHaveLength(1)
  })

  test.each([429, 500, 503, 401])('waits when PayPal answers with %i, and goes later', async (status) => {
    const partner = await aPayoutTo('ada@paypal.example')
    sandbox.faults.add({ match: 'POST /v1/payments/payouts', kind: 'status', status, count: status === 401 ? 2 : 1 })
    await send()
    expect((await payoutOf(partner)).state).toBe('queued')
    await retry()
    expect((await payoutOf(partner)).state).toBe('sent')
  })

  test('waits for funds, and goes when they are there', async () => {
    const partner = await aPayoutTo('ada@paypal.example', 100_000_001n)
    await house.drain()
    expect(await payoutOf(partner)).toMatchObject({ state: 'queued', note: expect.stringContaining('Add funds') })
    expect(wordsOf(await house.run('admin payouts dry-run', {}, admin))).not.toContain('could not be asked')
  })

  test('goes though the balance may not be read; PayPal itself refuses what it cannot pay', async () => {
    const fault = { match: 'GET /v1/reporting/balances', kind: 'status', status: 403 } as const
    const rich = await aPayoutTo('ada@paypal.example')
    sandbox.faults.add(fault)
    await house.drain()
    expect((await payoutOf(rich)).state).toBe('sent')
    const poor = await aPayoutTo('ada@paypal.example', 200_000_000n)
    sandbox.faults.add(fault)
    await send()
    expect(await payoutOf(poor)).toMatchObject({ state: 'queued', note: expect.stringContaining('sufficient funds') })
  })

  test('that PayPal will not let the program make waits, can be called back, and is not told to the partner', async () => {
    const partner = await aPayoutTo('ada@paypal.example')
    sandbox.faults.add({ match: 'POST /v1/payments/payouts', kind: 'status', status: 403 })
    await house.drain()
    expect(await payoutOf(partner)).toMatchObject({
      state: 'queued',
      attempts: 0,
      note: expect.stringContaining('did not take it'),
    })
    expect(wordsOf(await house.run('payout status', {}, { userId: partner.userId }))).not.toContain('did not take it')
    expect(JSON.stringify(await told(partner.userId))).not.toContain('did not arrive')
    const { id } = await payoutOf(partner)
    await house.run('admin payouts cancel', { payout: id, reason: 'PayPal does not let us' }, admin)
    expect(await payoutOf(partner)).toMatchObject({ state: 'cancelled' })
    expect((await atPayPal()).batches).toEqual([])
    expect(await house.connection.sql`select 1 from paypal_batches where payout_id = ${id}`).toHaveLength(0)
  })

  test('to an address that PayPal does not take is refused with PayPal’s reason and payable again', async () => {
    const partner = await aPayoutTo('ada@paypal.example')
    sandbox.faults.clear()
    const original = globalThis.fetch
    const spy = vi
      .spyOn(globalThis, 'fetch')
      .mockImplementation((input, init) =>
        String(input).endsWith('/v1/payments/payouts')
          ? original(input, { ...init, body: String(init!.body).replace('ada@paypal.example', 'not an address') })
          : original(input, init),
      )
    await house.drain().finally(() => spy.mockRestore())
    expect(await payoutOf(partner)).toMatchObject({ state: 'refused', note: expect.stringContaining('Receiver is invalid') })
    await run()
    await house.drain()
    expect((await payoutOf(partner)).state).toBe('sent')
    expect((await atPayPal()).batches).toHaveLength(1)
  })

  const erase = (partner: APartner) =>
    house.db.transaction((tx) => paypal.data!.deletePartner!(tx, house.program.id, partner.userId))

  test('is refused when its address was erased before PayPal was asked', async () => {
    const partner = await aPayoutTo('ada@paypal.example')
    await erase(partner)
    await house.drain()
    expect(await payoutOf(partner)).toMatchObject({ state: 'refused', note: expect.stringContaining('not there any more') })
  })

  test('is kept when its address was erased after PayPal was asked: PayPal may have it', async () => {
    const partner = await aPayoutTo('ada@paypal.example')
    sandbox.faults.add({ match: 'POST /v1/payments/payouts', kind: 'timeout_after_apply' })
    await send()
    await erase(partner)
    await retry().catch(() => {})
    expect(await payoutOf(partner)).toMatchObject({ state: 'queued', note: expect.stringContaining('/admin paypal found') })
  })
})

describe('what becomes of a payout', () => {
  test.each([
    ['failed', 'could not pay it: Receiver is unregistered'],
    ['denied', 'denied it'],
    ['blocked', 'blocked it'],
    ['canceled', 'cancelled'],
  ])('%s: it is payable again, with the reason, and can be paid anew', async (state, reason) => {
    const partner = await aPayoutTo(`ada+${state}@paypal.example`)
    await house.drain()
    await process((await payoutOf(partner)).provider_id)
    expect(await payoutOf(partner)).toMatchObject({ state: 'returned', note: expect.stringContaining(reason) })
    await run()
    await house.drain()
    expect((await payoutsOf(partner)).map((payout) => payout.state)).toEqual(['returned', 'sent'])
    expect(new Set((await atPayPal()).batches.map(({ sender_batch_header: header }) => header.sender_batch_id)).size).toBe(2)
  })

  test('unclaimed: it stays in flight, the partner learns why, and 30 days later it is payable again', async () => {
    const partner = await aPayoutTo('ada+unclaimed@paypal.example')
    await house.drain()
    await process((await payoutOf(partner)).provider_id)
    expect((await payoutOf(partner)).state).toBe('sent')
    expect(await told(partner.userId)).toContain('waits for you at PayPal')
    const [batch] = (await atPayPal()).batches
    house.clock.advance(days(30))
    await control(`payouts-item/${batch!.items[0]!.payout_item_id}`, { status: 'RETURNED' })
    await heard()
    expect(await payoutOf(partner)).toMatchObject({ state: 'returned', note: expect.stringContaining('within 30 days') })
  })

  test('on hold: it stays in flight, and is paid in the end', async () => {
    const partner = await aPayoutTo('ada+onhold@paypal.example')
    await house.drain()
    await process((await payoutOf(partner)).provider_id)
    expect((await payoutOf(partner)).state).toBe('sent')
    await control(`payouts-item/${(await atPayPal()).batches[0]!.items[0]!.payout_item_id}`, { status: 'SUCCESS' })
    await heard()
    expect((await payoutOf(partner)).state).toBe('paid')
  })

  test.each(['REFUNDED', 'REVERSED'])('%s after it was paid: the books take it back', async (status) => {
    const partner = await aPayoutTo('ada@paypal.example')
    await house.drain()
    await process((await payoutOf(partner)).provider_id)
    await control(`payouts-item/${(await atPayPal()).batches[0]!.items[0]!.payout_item_id}`, { status })
    await heard()
    expect((await payoutOf(partner)).state).toBe('returned')
    expect((await house.use(ledger).prove(house.db, house.program.id)).ok).toBe(true)
  })

  test('no webhook came: PayPal is asked after a quarter of an hour, and the answer counts', async () => {
    const partner = await aPayoutTo('ada@paypal.example')
    await house.drain()
    await heard()
    const { provider_id } = await payoutOf(partner)
    const { headers } = await silently(() => control(`payouts/${provider_id}/process`))
    expect(headers).toBeDefined()
    await house.tick('paypal.reconcile')
    expect((await payoutOf(partner)).state).toBe('sent')
    house.clock.advance(minutes(15))
    await house.tick('paypal.reconcile')
    expect((await payoutOf(partner)).state).toBe('paid')
  })

  test('a batch that PayPal does not show does not keep others from being asked about', async () => {
    const lost = await aPayoutTo('ada@paypal.example')
    await house.drain()
    const partner = await aPayoutTo('ada@paypal.example')
    await house.drain()
    await heard()
    await silently(async () => control(`payouts/${(await payoutOf(partner)).provider_id}/process`))
    await house.connection.sql`update paypal_batches set batch_id = 'GONE' where payout_id = ${(await payoutOf(lost)).id}`
    house.clock.advance(minutes(15))
    await house.tick('paypal.reconcile')
    expect((await payoutOf(partner)).state).toBe('paid')
    expect((await payoutOf(lost)).state).toBe('sent')
  })
})

test.each([
  ['fails', () => Response.json({}, { status: 500 })],
  ['is not understood', () => Response.json({ batch_header: {} })],
])('a batch about which PayPal’s answer %s does not keep others from being asked about for long', async (_, answer) => {
  const [bad, good] = [await aPayoutTo('ada@paypal.example'), await aPayoutTo('eva@paypal.example')]
  await house.drain()
  await heard()
  await silently(async () => control(`payouts/${(await payoutOf(good)).provider_id}/process`))
  const url = `/payouts/${(await payoutOf(bad)).provider_id}`
  const original = globalThis.fetch
  const spy = vi
    .spyOn(globalThis, 'fetch')
    .mockImplementation(async (input, init) => (String(input).endsWith(url) ? answer() : original(input, init)))
  house.clock.advance(minutes(15))
  await expect(house.tick('paypal.reconcile')).rejects.toThrow()
  house.clock.advance(minutes(5))
  await house.tick('paypal.reconcile').finally(() => spy.mockRestore())
  expect([await payoutOf(bad), await payoutOf(good)]).toMatchObject([{ state: 'sent' }, { state: 'paid' }])
})

/** Lets PayPal do something without telling us; returns a delivery that it would have made. */
async function silently(act: () => Promise<void>): Promise<{ headers: Record<string, string>; body: string }> {
  const deliveries: { headers: Record<string, string>; body: string }[] = []
  const original = globalThis.fetch
  const spy = vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    if (!String(input).endsWith('/webhooks/paypal')) return original(input, init)
    deliveries.push({ headers: init!.headers as Record<string, string>, body: String(init!.body) })
    return new Response()
  })
  await act()
  await expect.poll(() => deliveries.find(({ body }) => body.includes('PAYOUTS-ITEM'))).toBeDefined()
  spy.mockRestore()
  return deliveries.find(({ body }) => body.includes('PAYOUTS-ITEM'))!
}
const deliver = ({ headers, body }: { headers: Record<string, string>; body: string }) =>
  house.app.inject({ method: 'POST', url: '/webhooks/paypal', headers, payload: body })
const refusals = async (reason: string) => {
  const [row] = await house.connection
    .sql`select coalesce(sum(count), 0)::int as count from core_webhook_refusals where source = 'paypal' and reason = ${reason}`
  return row!.count as number
}

describe('webhooks', () => {
  async function aDelivery() {
    const partner = await aPayoutTo('ada@paypal.example')
    await house.drain()
    await heard()
    const delivery = await silently(async () => control(`payouts/${(await payoutOf(partner)).provider_id}/process`))
    return { partner, delivery }
  }

  test('are kept once and handled once, however often they come', async () => {
    const { partner, delivery } = await aDelivery()
    const answers = await Promise.all(Array.from({ length: 8 }, () => deliver(delivery)))
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(8).fill(200))
    await house.drain()
    await deliver(delivery)
    await house.drain()
    expect((await payoutOf(partner)).state).toBe('paid')
    const { id } = JSON.parse(delivery.body)
    const rows = await house.connection
      .sql`select deliveries, handled_at, body from core_webhooks where source = 'paypal' and event_id = ${id}`
    expect(rows).toMatchObject([{ deliveries: 9, handled_at: expect.any(String) }])
    expect(JSON.stringify(rows)).not.toContain('ada@paypal.example')
  })

  test('are refused and counted when the signature does not fit, something is missing, or they are old', async () => {
    const { partner, delivery } = await aDelivery()
    const before = {
      signature: await refusals('bad_signature'),
      old: await refusals('too_old'),
      malformed: await refusals('malformed'),
    }
    const { 'paypal-transmission-sig': _, ...unsigned } = delivery.headers
    for (const bad of [
      { ...delivery, body: delivery.body.replace('SUCCESS', 'SUCCES5') },
      { ...delivery, headers: { ...delivery.headers, 'paypal-transmission-sig': 'AAAA' } },
      { ...delivery, headers: unsigned },
    ])
      expect((await deliver(bad)).statusCode).toBe(400)
    for (const body of ['', '{', 'null', '"text"']) expect((await deliver({ ...delivery, body })).statusCode).toBe(400)
    house.clock.advance(days(4) + 1000)
    expect((await deliver(delivery)).statusCode).toBe(400)
    expect(await refusals('bad_signature')).toBe(before.signature + 3)
    expect(await refusals('malformed')).toBe(before.malformed + 4)
    expect(await refusals('too_old')).toBe(before.old + 1)
    await house.drain()
    expect((await payoutOf(partner)).state).toBe('sent')
  })

  test('are answered with an error that makes PayPal try again while PayPal cannot be asked', async () => {
    const { delivery } = await aDelivery()
    sandbox.faults.add({ match: 'POST /v1/notifications/verify-webhook-signature', kind: 'status', status: 503 })
    expect((await deliver(delivery)).statusCode).toBe(500)
    expect((await deliver(delivery)).statusCode).toBe(200)
  })

  test('about payouts that somebody sent by other means are answered and not kept, and shown to no other program', async () => {
    const token = (await (
      await fetch(`${sandbox.url}/v1/oauth2/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${sandbox.clientId}:${sandbox.clientSecret}`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      })
    ).json()) as { access_token: string }
    const batch = (senderBatchId: string) =>
      fetch(`${sandbox.url}/v1/payments/payouts`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token.access_token}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          sender_batch_header: { sender_batch_id: senderBatchId },
          items: [{ recipient_type: 'EMAIL', receiver: 'x@y.example', amount: { value: '1.00', currency: 'USD' } }],
        }),
      })
    await batch('by-hand-1')
    await heard()
    expect(sandbox.deliveries).toMatchObject([{ state: 'delivered' }])
    expect(await house.connection.sql`select 1 from core_webhooks where body->>'senderBatchId' = 'by-hand-1'`).toHaveLength(0)

    // One that looks like ours but is not is parked, for an admin to see and to hand in again.
    const unknown = `siso-${newId(house.clock.now())}`
    await batch(unknown)
    await heard()
    expect(wordsOf(await house.run('admin paypal status', {}, admin))).toContain('Parked events: 1')
    const other = await house.db.transaction((tx) => programStore.ensure(tx, { guildId: '900000000000000002', name: 'Other' }))
    const stranger = { ...admin, program: other }
    expect(wordsOf(await house.run('admin paypal status', {}, stranger))).not.toContain('Parked events')
    expect(wordsOf(await house.run('admin paypal parked', {}, stranger)).replaceAll('\\', '')).not.toContain(unknown)
    // With a second program that pays through PayPal, nobody knows whose it is: both can see and settle it.
    await house.connection.sql`
      insert into paypal_receivers (id, program_id, partner_id, user_id) values (${newId()}, ${other.id}, ${newId()}, '900000000000000003')`
    expect(wordsOf(await house.run('admin paypal parked', {}, stranger)).replaceAll('\\', '')).toContain(unknown)
    const list = await house.run('admin paypal parked', {}, admin)
    expect(wordsOf(list).replaceAll('\\', '')).toContain(unknown)
    expect(wordsOf(await house.run('admin paypal replay', {}, admin))).toContain('1 event is handed in again')
    await house.drain()
    expect(wordsOf(await house.run('admin paypal parked', {}, admin))).toContain('1 event is parked')
    const [event] = await house.connection
      .sql`select event_id from core_webhooks where parked_at is not null and handled_at is null`
    const again = await house.press(`paypal.parked_again:parked:0:${event!.event_id}`, {}, admin)
    expect(wordsOf(again).replaceAll('\\', '')).toContain(`No payout of this program was sent in PayPal’s batch`)
    const aside = { fields: { reason: 'sent by hand at PayPal' } }
    await house.press(`paypal.parked_reason:parked:0:${event!.event_id}`, aside, admin)
    expect(wordsOf(await house.run('admin paypal status', {}, admin))).not.toContain('Parked events')
  })
})

describe('a payout that was tried a month ago without an answer', () => {
  async function unclear() {
    const partner = await aPayoutTo('ada@paypal.example')
    sandbox.faults.add({ match: 'POST /v1/payments/payouts', kind: 'timeout_after_apply' })
    // Nor does a webhook come.
    sandbox.addWebhook({ url: 'http://127.0.0.1:9/', id: webhookId })
    await send()
    house.clock.advance(days(31))
    await retry().catch(() => {})
    expect(await payoutOf(partner)).toMatchObject({ state: 'queued', note: expect.stringContaining('/admin paypal found') })
    expect((await atPayPal()).batches).toHaveLength(1)
    await dropJobs()
    return partner
  }

  test('is not sent again, and is adopted when an admin finds it', async () => {
    const partner = await unclear()
    const { id } = await payoutOf(partner)
    expect(wordsOf(await house.run('admin paypal status', {}, admin))).toContain(`siso-${id}`)
    const [batch] = (await atPayPal()).batches
    const other = await aPayoutTo('eve@paypal.example')
    await house.drain()
    const stranger = (await payoutOf(other)).provider_id
    const found = (given: object) => house.run('admin paypal found', { payout: id, ...given }, admin)
    await expect(found({ batch: stranger })).rejects.toThrow('not the one of this payout')
    await expect(found({ batch: 'NONSENSE' })).rejects.toThrow('check the batch id')
    await found({ batch: batch!.payout_batch_id })
    await retry()
    expect(await payoutOf(partner)).toMatchObject({ state: 'sent', provider_id: batch!.payout_batch_id })
    await expect(found({})).rejects.toThrow('Nothing is unclear')
  })

  test('is sent again once an admin has looked and it is not there', async () => {
    const partner = await unclear()
    const { id: payout } = await payoutOf(partner)
    await expect(house.run('admin paypal found', { payout }, { ...partner, isAdmin: true })).rejects.toMatchObject({
      code: 'own_payout',
    })
    await house.run('admin paypal found', { payout }, admin)
    await retry()
    expect((await payoutOf(partner)).state).toBe('sent')
    expect((await atPayPal()).batches).toHaveLength(2)
  })
})

describe('without credentials', () => {
  test('PayPal is off: no choice for partners, a clear refusal for admins, and no webhooks', async () => {
    const off = await testHouse(everything)
    try {
      const id = newId(off.clock.now())
      await off.connection
        .sql`insert into partners_partners (id, program_id, user_id, name, email, industry, status, verified_at, activated_at)
        values (${id}, ${off.program.id}, '100000000000000002', 'Ada', 'a@example.com', 'saas', 'active', now(), now())`
      await expect(off.run('payout setup', { provider: 'paypal' }, { userId: '100000000000000002' })).rejects.toThrow('not set up')
      await expect(off.run('admin paypal status', {}, admin)).rejects.toThrow('PAYPAL_CLIENT_ID')
      const answer = await off.app.inject({
        method: 'POST',
        url: '/webhooks/paypal',
        headers: { 'content-type': 'application/json' },
        payload: '{}',
      })
      expect(answer.statusCode).toBe(503)
      expect(off.loaded.checks).toEqual([])
    } finally {
      await off.close()
    }
  })

  const checkOf = async (environment: Record<string, string>) => {
    const other = await testHouse(everything, { environment: { PAYPAL_API_URL: sandbox.url, ...environment } })
    try {
      return await other.loaded.checks[0]!.run()
    } finally {
      await other.close()
    }
  }
  const credentials = () => ({ PAYPAL_CLIENT_ID: sandbox.clientId, PAYPAL_CLIENT_SECRET: sandbox.clientSecret })

  test('the doctor says what is wrong', async () => {
    expect(await checkOf({ PAYPAL_CLIENT_ID: 'x' })).toContain('set both')
    expect(await checkOf({ ...credentials(), PAYPAL_CLIENT_SECRET: 'wrong' })).toContain('were not accepted')
    expect(await checkOf({ ...credentials(), PAYPAL_WEBHOOK_ID: 'other' })).toContain('has no webhook other')
    expect(await checkOf({ ...credentials(), PAYPAL_WEBHOOK_ID: webhookId })).toContain('points to')
    expect(await checkOf(credentials())).toBeUndefined()
    sandbox.addWebhook({ url: `${publicUrl}/webhooks/paypal`, id: webhookId })
    expect(await checkOf({ ...credentials(), PAYPAL_WEBHOOK_ID: webhookId })).toBeUndefined()
  })
})

test('a partner’s address is exported and erased', async () => {
  const partner = await aPartner()
  await giveAddress(partner, 'mine@paypal.example')
  expect(JSON.stringify(await paypal.data!.exportPartner!(house.db, house.program.id, partner.userId))).toContain(
    'mine@paypal.example',
  )
  const url = await setUp(partner)
  await house.db.transaction((tx) => paypal.data!.deletePartner!(tx, house.program.id, partner.userId))
  expect(await house.connection.sql`select 1 from paypal_receivers where email = 'mine@paypal.example'`).toHaveLength(0)
  expect((await get(url)).statusCode).toBe(410)
})
