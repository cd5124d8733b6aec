// Fraud with the real plugins around it: from a click and a payment to a held commission, an appeal and a decision.
import { and, eq, like } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { controlsOf, publicUrl, type TestHouse, testHouse, type Visitor, wordsOf } from '../../app/testing.ts'
import type { Message } from '../../commands/messages.ts'
import { programStore } from '../../db/programs.ts'
import { audit, messages } from '../../db/tables.ts'
import { agreements } from '../agreements/plugin.ts'
import { attribution } from '../attribution/plugin.ts'
import { channels } from '../channels/plugin.ts'
import { commissions } from '../commissions/plugin.ts'
import type { Commission } from '../commissions/public.ts'
import { type TestPartner, type Trade, tradeIn } from '../commissions/testing.ts'
import { days, definePlugin, extend, hours, minutes, newId, type Tx } from '../kit/index.ts'
import { ledger } from '../ledger/plugin.ts'
import type { PartnerAccount } from '../ledger/public.ts'
import { links } from '../links/plugin.ts'
import { notifications } from '../notifications/plugin.ts'
import { emailVerified } from '../partners/events.ts'
import { partners } from '../partners/plugin.ts'
import { payouts } from '../payouts/plugin.ts'
import { evaluateCommission } from './listeners.ts'
import { fraud } from './plugin.ts'
import { fraudSignal } from './public.ts'
import { addresses, allowances, type Case, cases } from './tables.ts'

/** Partners whom a signal of another plugin has something against, each with the other partner that it connects them with. */
const grudges = new Map<string, string>()
const neighbour = definePlugin({
  id: 'neighbour',
  title: 'Neighbour',
  summary: 'Contributes a signal of its own.',
  requires: [fraud],
  setup: () => ({
    extends: [
      extend(fraudSignal, {
        id: 'same_window',
        weight: 70,
        describe: () => 'Someone waved from the same window.',
        evaluate: async (_reader, { partner }) =>
          grudges.has(partner.id) ? { others: [grudges.get(partner.id)!], window: 3 } : undefined,
      }),
    ],
  }),
})

const seconds = (n: number) => n * 1000

const browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0'
const admin: Visitor = { userId: '100000000000000009', username: 'grace', isAdmin: true }
let house: TestHouse
let trade: Trade
let visitors = 0
beforeAll(async () => {
  house = await testHouse([
    notifications,
    partners,
    agreements,
    channels,
    attribution,
    ledger,
    commissions,
    links,
    payouts,
    fraud,
    neighbour,
  ])
  trade = tradeIn(house)
  await house.set('links', 'landingPage', 'https://shop.example.com/')
})
afterAll(() => house.close())
beforeEach(async () => {
  grudges.clear()
  // Heavy enough to hold a commission alone: one signal is easier to follow than two.
  await house.set('fraud', 'weights', { sale_too_soon: 50 })
  await house.set('fraud', 'threshold', 50)
})

/** Follows a new link of the partner as a new visitor, or as one who carries an earlier click; returns the click's id. */
async function aClick(partner: TestPartner, earlier?: string): Promise<string> {
  const made = await house.run('link create', {}, partner)
  const answer = await house.app.inject({
    url: controlsOf(made)[0]!.replace(publicUrl, ''),
    remoteAddress: `198.51.100.${++visitors}`,
    headers: { 'user-agent': browser, ...(earlier && { cookie: `siso_cid=${earlier}` }) },
  })
  return new URL(answer.headers.location as string).searchParams.get('siso_cid')!
}

/** A payment so long after the click; everything that follows from it is done. Returns the commission. */
async function aSale(partner: TestPartner, { after = hours(1), customer = {} as { emailHash?: string }, clickId = '' } = {}) {
  const click = clickId || (await aClick(partner))
  house.clock.advance(after)
  const payment = trade.aPayment(partner, { hints: { clickId: click } })
  const saleId = await trade.record({ ...payment, customer: { ...payment.customer, ...customer } })
  await house.drain()
  return commissionOf(partner, saleId)
}
async function commissionOf(partner: TestPartner, saleId: string) {
  const all = await house.use(commissions).ofPartner(house.db, house.program.id, partner.id)
  return all.find((commission) => commission.saleId === saleId)!
}
const caseOf = async (commissionId: string): Promise<Case | undefined> =>
  (await house.db.select().from(cases).where(eq(cases.commissionId, commissionId)))[0]
async function messageOf(key: string): Promise<Message> {
  const [row] = await house.db.select().from(messages).where(eq(messages.key, key))
  return row?.payload as unknown as Message
}
const staffWords = async (found: Case) => wordsOf(await messageOf(`fraud:case:${found.id}`))
const partnerWords = async (userId: string) =>
  (
    await house.db
      .select()
      .from(messages)
      .where(and(eq(messages.target, userId), like(messages.key, '%fraud%')))
  ).map(({ payload }) => wordsOf(payload as unknown as Message))
async function aHeldSale() {
  const partner = await trade.aPartner()
  const commission = await aSale(partner, { after: seconds(4) })
  return { partner, commission, found: (await caseOf(commission.id))! }
}
const anEmail = (partner: TestPartner, email: string) =>
  house.connection.sql`update partners_partners set email = ${email} where id = ${partner.id}`
const hashOf = (email: string) => house.use(attribution).hashEmail(email)

describe('judging a commission', () => {
  test('an ordinary sale is left alone, and nothing is kept about it', async () => {
    const commission = await aSale(await trade.aPartner())
    expect(commission.state).toBe('pending')
    expect(await caseOf(commission.id)).toBeUndefined()
  })

  test('a purchase four seconds after the click is held, with evidence for staff and words for the partner', async () => {
    const { partner, commission, found } = await aHeldSale()
    expect(commission).toMatchObject({ state: 'held', reason: 'fraud_sale_too_soon' })
    expect(found).toMatchObject({ state: 'open', held: true, score: 50, threshold: 50, strongest: 'sale_too_soon' })
    expect(found.findings).toEqual([{ signal: 'sale_too_soon', weight: 50, evidence: { seconds: 4 } }])
    expect(await staffWords(found)).toMatch(/\$20\.00[\s\S]*score \*\*50\*\*[\s\S]*sale_too_soon[\s\S]*4 seconds after the click/)
    const card = await messageOf(`fraud:case:${found.id}`)
    expect(controlsOf(card)).toEqual([`fraud.clear:${found.id}`, `fraud.reject:${found.id}`])
    const [told] = await partnerWords(partner.userId)
    expect(told).toMatch(/being checked[\s\S]*4 seconds after the click[\s\S]*\/appeal/)
    expect(wordsOf(await house.run('earnings show', {}, partner))).toMatch(/On hold[\s\S]*sale too soon[\s\S]*\/appeal/)
    expect(await trade.findings()).toEqual([])
  })

  test('however often and however concurrently it is judged, there is one case and one message', async () => {
    const { partner, commission, found } = await aHeldSale()
    const { programId, id: commissionId, saleId, partnerId, amount, currency } = commission
    const within = house.loaded.jobs.get(evaluateCommission.name)!.within!
    const run = (suspect: object) => house.db.transaction((tx) => within(tx, [suspect as never]))
    const suspect = { programId, commissionId, saleId, partnerId, amount, currency }
    await house.db.delete(cases).where(eq(cases.id, found.id))
    await Promise.all([run(suspect), run(suspect), run(suspect)])
    await run(suspect)
    const kept = await house.db.select().from(cases).where(eq(cases.commissionId, commissionId))
    expect(kept).toHaveLength(1)
    expect(await partnerWords(partner.userId)).toHaveLength(2)
  })

  test('a customer with a variant of the partner’s address is the partner', async () => {
    const partner = await trade.aPartner()
    await anEmail(partner, 'lola+deals@gmail.com')
    const commission = await aSale(partner, { customer: { emailHash: hashOf('Lola@gmail.com') } })
    expect(commission).toMatchObject({ state: 'held', reason: 'fraud_same_email' })
  })

  test('so is a customer with an address that the partner had before', async () => {
    const partner = await trade.aPartner()
    await house.db.transaction((tx) =>
      house.emit(tx, emailVerified, {
        programId: house.program.id,
        partnerId: partner.id,
        userId: partner.userId,
        email: 'former@example.org',
      }),
    )
    await house.drain()
    const commission = await aSale(partner, { customer: { emailHash: hashOf('former@example.org') } })
    expect(commission.reason).toBe('fraud_same_email')
  })

  test('a click that takes over a customer at the checkout counts, and adds up with other signals', async () => {
    const [brought, took] = [await trade.aPartner(), await trade.aPartner()]
    const earlier = await aClick(brought)
    house.clock.advance(days(1))
    const alone = await aSale(took, { after: seconds(40), clickId: await aClick(took, earlier) })
    expect(await caseOf(alone.id)).toMatchObject({ state: 'noted', held: false, score: 40, strongest: 'click_injection' })
    expect(alone.state).toBe('pending')
    const another = await aClick(brought)
    house.clock.advance(days(1))
    const both = await aSale(took, { after: seconds(3), clickId: await aClick(took, another) })
    expect(await caseOf(both.id)).toMatchObject({ state: 'open', held: true, score: 90, strongest: 'sale_too_soon' })
  })

  /** A click from this address with this browser; then a sale. */
  const aSaleFrom = async (
    partner: TestPartner,
    {
      ip,
      agent = browser,
      query = '',
      referer = '',
      wait = 0,
    }: { ip: string; agent?: string; query?: string; referer?: string; wait?: number },
  ) => {
    const made = await house.run('link create', {}, partner)
    house.clock.advance(wait)
    const answer = await house.app.inject({
      url: `${controlsOf(made)[0]!.replace(publicUrl, '')}${query}`,
      remoteAddress: ip,
      headers: { 'user-agent': agent, ...(referer && { referer }) },
    })
    return aSale(partner, { clickId: new URL(answer.headers.location as string).searchParams.get('siso_cid')! })
  }
  const signalsOf = async (commissionId: string) => (await caseOf(commissionId))?.findings.map(({ signal }) => signal)

  test('a click from the computer that the partner used within a day counts, and no longer after that', async () => {
    const partner = await trade.aPartner()
    const seen = { programId: house.program.id, partnerId: partner.id, userId: partner.userId, at: house.clock.now() }
    await house.db.transaction((tx) => house.use(partners).seen(tx, { ...seen, ip: '203.0.113.9', userAgent: browser }))
    const own = await aSaleFrom(partner, { ip: '203.0.113.9', wait: hours(20) })
    expect(own).toMatchObject({ state: 'held', reason: 'fraud_same_device' })
    expect(
      await signalsOf((await aSaleFrom(partner, { ip: '203.0.113.9', agent: 'Mozilla/5.0 (X11; Linux) Other/1.0' })).id),
    ).toEqual(['same_ip'])
    expect(await signalsOf((await aSaleFrom(partner, { ip: '203.0.113.10' })).id)).toBeUndefined()
    expect(await signalsOf((await aSaleFrom(partner, { ip: '203.0.113.9', wait: hours(48) })).id)).toBeUndefined()
    const [row] = await house.connection
      .sql`select string_agg(t::text, '') as all from fraud_sightings t where partner_id = ${partner.id}`
    expect(row!.all).not.toContain('203.0.113')
  })

  test('signing is such a use: the address of the signature is recognised in a click of that day', async () => {
    const partner = await trade.aPartner()
    const number = Number(partner.username.slice('partner'.length))
    const ip = `10.0.${Math.floor(number / 250)}.${(number % 250) + 1}`
    expect(await signalsOf((await aSaleFrom(partner, { ip })).id)).toEqual(['same_ip'])
  })

  test('a bought click and a banned page are seen in what the click recorded', async () => {
    await house.set('fraud', 'bannedReferrers', ['coupons.example'])
    const commission = await aSaleFrom(await trade.aPartner(), {
      ip: '203.0.113.77',
      query: '?gclid=abc',
      referer: 'https://www.coupons.example/x',
    })
    expect(await signalsOf(commission.id)).toEqual(['banned_referrer', 'paid_click'])
    await house.set('fraud', 'bannedReferrers', [])
  })

  test('two partners whose money can go to one place, be it the default of neither, are connected, unless an admin allows it', async () => {
    const [ada, bob] = [await trade.aPartner(), await trade.aPartner()]
    for (const { id } of [ada, bob])
      await house.connection.sql`
        insert into payouts_methods (id, program_id, partner_id, provider, account, chosen, ready, missing, changed_at, created_at)
        values (${newId()}, ${house.program.id}, ${id}, 'bank', ${`acct_${id}`}, true, false, 'all', now(), now())`
    const told = (id: string, ...names: string[]) => {
      const places = names.map((name, i) => ({ name, isDefault: i === 0 }))
      return house.db.transaction((tx) =>
        house.use(payouts).accountChanged(tx, 'bank', `acct_${id}`, { ready: true, missing: '', places }),
      )
    }
    await told(ada.id, 'fingerprint-1', 'fingerprint-3')
    await told(bob.id, 'fingerprint-2', 'fingerprint-4')
    expect(await signalsOf((await aSale(ada)).id)).toBeUndefined()
    await told(bob.id, 'fingerprint-2', 'Fingerprint-3 ')
    const held = await aSale(ada)
    expect(held).toMatchObject({ state: 'held', reason: 'fraud_same_payout_method' })
    const user = ({ userId, username }: TestPartner) => ({ id: userId, username, bot: false })
    await house.run('admin fraud allow', { partner: user(ada), with: user(bob), reason: 'Married' }, admin)
    expect((await aSale(ada)).state).toBe('pending')
  })

  test('as weighed by itself, a quick purchase alone is noted, and nobody is bothered', async () => {
    await house.set('fraud', 'weights', {})
    const { partner, commission, found } = await aHeldSale()
    expect(commission.state).toBe('pending')
    expect(found).toMatchObject({ state: 'noted', held: false, score: 40 })
    expect(await messageOf(`fraud:case:${found.id}`)).toBeUndefined()
    expect(await partnerWords(partner.userId)).toEqual([])
  })

  test('admins set the threshold and the weights, and 0 switches a signal off', async () => {
    await house.set('fraud', 'threshold', 60)
    const below = await aHeldSale()
    expect(below.found).toMatchObject({ state: 'noted', threshold: 60 })
    await house.set('fraud', 'weights', { sale_too_soon: 60 })
    expect((await aHeldSale()).found).toMatchObject({ state: 'open', score: 60 })
    await house.set('fraud', 'weights', { sale_too_soon: 0 })
    expect((await aHeldSale()).found).toBeUndefined()
  })

  test('refunds and conversions are counted over the partner’s own sales, by what brought them', async () => {
    const partner = await trade.aPartner()
    const clickId = await aClick(partner)
    house.clock.advance(hours(1))
    for (let i = 0; i < 6; i++) await trade.record(trade.aPayment(partner, { hints: { clickId }, refunded: i < 5 ? 1n : 0n }))
    await trade.record(trade.aPayment(partner, { hints: { clickId, coupon: 'NOBODYS' } }))
    await house.drain()
    const range = { from: new Date(house.clock.now().getTime() - hours(2)), to: new Date(house.clock.now().getTime() + 1) }
    const [figures] = await house.use(attribution).figures(house.db, house.program.id, [{ partnerId: partner.id, ...range }])
    expect(figures).toEqual({ sales: 7, refunded: 5, firstByClick: 6, firstByCoupon: 1 })
    const commission = await aSale(partner, { clickId })
    expect(await caseOf(commission.id)).toMatchObject({
      state: 'open',
      score: 65,
      findings: [
        { signal: 'refund_outlier', evidence: { refunded: 5, sales: 8 } },
        { signal: 'conversion_outlier', evidence: { purchases: 7, clicks: 1 } },
      ],
    })
  })

  test('clicks of the hours in which the 30 days begin and end count as a whole, and are read from sums', async () => {
    const partner = await trade.aPartner()
    const hour = Math.ceil(house.clock.now().getTime() / hours(1)) * hours(1)
    house.clock.set(new Date(hour - minutes(1)))
    await aClick(partner)
    house.clock.set(new Date(hour + minutes(10)))
    await aClick(partner)
    house.clock.set(new Date(hour + days(30) + minutes(20)))
    const clickId = await aClick(partner)
    await house.tick('links.sum_up')
    for (let i = 0; i < 7; i++) await trade.record(trade.aPayment(partner, { hints: { clickId } }))
    await house.drain()
    const commission = await aSale(partner, { clickId, after: minutes(20) })
    expect((await caseOf(commission.id))!.findings).toEqual([
      { signal: 'conversion_outlier', weight: 30, evidence: { purchases: 8, clicks: 2 } },
    ])
  })

  test('another plugin contributes a signal, which may read and gives its own reason', async () => {
    const partner = await trade.aPartner()
    grudges.set(partner.id, newId())
    const commission = await aSale(partner)
    expect(commission.reason).toBe('fraud_same_window')
    const [told] = await partnerWords(partner.userId)
    expect(told).toContain('Someone waved from the same window.')
    expect(told).not.toContain(grudges.get(partner.id))
  })
})

describe('deciding', () => {
  test('nobody decides about their own case, nor allows themselves or a connection of theirs', async () => {
    const { partner, found } = await aHeldSale()
    const other = await trade.aPartner()
    const themselves = { ...admin, userId: partner.userId }
    for (const what of ['clear', 'reject'])
      await expect(house.run(`admin fraud ${what}`, { case: found.id, reason: 'It is fine.' }, themselves)).rejects.toMatchObject({
        code: 'own_fraud_case',
        message: expect.stringContaining('Another admin decides'),
      })
    for (const pair of [{ partner: { id: partner.userId } }, { partner: { id: other.userId }, with: { id: partner.userId } }])
      await expect(house.run('admin fraud allow', { ...pair, reason: 'It is fine.' }, themselves)).rejects.toMatchObject({
        code: 'own_allowance',
      })
    expect((await caseOf(found.commissionId))!.state).toBe('open')
  })

  test('a cleared commission goes on, and who cleared it and why is kept', async () => {
    const { partner, commission, found } = await aHeldSale()
    const form = await house.press(`fraud.clear:${found.id}`, {}, admin)
    expect(wordsOf(form)).toContain('Clear: $20.00')
    const answer = await house.press(`fraud.clear_reason:${found.id}`, { fields: { reason: 'Called them: real.' } }, admin)
    await house.drain()
    expect(wordsOf(answer)).toContain('goes on')
    expect((await commissionOf(partner, commission.saleId)).state).toBe('pending')
    expect(await caseOf(commission.id)).toMatchObject({
      state: 'cleared',
      decidedBy: admin.userId,
      decidedAt: house.clock.now(),
      decisionReason: 'Called them: real.',
    })
    expect(await staffWords(found)).toMatch(/cleared[\s\S]*100000000000000009[\s\S]*Called them/)
    expect(controlsOf(await messageOf(`fraud:case:${found.id}`))).toEqual([])
    expect(await partnerWords(partner.userId)).toContainEqual(expect.stringContaining('Checked and fine'))
    const [noted] = await house.db.select().from(audit).where(eq(audit.action, 'fraud.cleared'))
    expect(noted).toMatchObject({ actor: admin.userId, detail: { caseId: found.id, reason: 'Called them: real.' } })
    expect(await trade.findings()).toEqual([])
  })

  test('a rejected commission is worth nothing, and the partner reads the reason', async () => {
    const { partner, commission, found } = await aHeldSale()
    await house.press(`fraud.reject:${found.id}`, {}, admin)
    await house.press(`fraud.reject_reason:${found.id}`, { fields: { reason: 'A script bought it.' } }, admin)
    await house.drain()
    expect(await commissionOf(partner, commission.saleId)).toMatchObject({ state: 'voided', amount: 0n })
    expect(await trade.balances(partner)).toEqual({})
    expect(await caseOf(commission.id)).toMatchObject({ state: 'rejected', decisionReason: 'A script bought it.' })
    const told = (await house.db.select().from(messages).where(eq(messages.target, partner.userId))).map(({ payload }) =>
      wordsOf(payload as unknown as Message),
    )
    const rejections = told.filter((words) => words.includes('A script bought it'))
    expect(rejections).toHaveLength(1)
    expect(rejections[0]).toContain('a check saw “sale too soon”, and the team decided that it is not paid')
    const why = wordsOf(await house.run('earnings why', { sale: commission.saleId }, partner))
    for (const words of [rejections[0], why]) expect(words).not.toContain('/appeal')
    expect(await trade.findings()).toEqual([])
  })

  test('an admin who releases the commission by hand has decided the case, in their name and for their reason', async () => {
    const { commission, found } = await aHeldSale()
    const reason = 'I know the customer'
    await house.run('admin commissions release-one', { commission: commission.id, reason }, { userId: '7', isAdmin: true })
    await house.drain()
    expect(await caseOf(commission.id)).toMatchObject({ state: 'cleared', decidedBy: '7', decisionReason: reason })
    expect(await staffWords(found)).toContain(reason)
    expect(wordsOf(await house.run('admin fraud queue', {}, { isAdmin: true }))).not.toContain(found.id)
  })

  /** Stands for payouts: takes the commission into one, and returns what brings it back. */
  const inPayout = async (partner: TestPartner, { programId, id, amount, currency }: Commission) => {
    const move = (reason: string, from: PartnerAccount, to: PartnerAccount, state: 'in_payout' | 'payable') =>
      house.db.transaction(async (tx) => {
        const account = (kind: PartnerAccount) => ({ kind, partnerId: partner.id, currency })
        const entries = [
          { account: account(from), amount },
          { account: account(to), amount: -amount },
        ]
        await house.use(ledger).post(tx, { programId, key: newId(), reason, subject: { type: 'payout', id: partner.id }, entries })
        await house.use(commissions).setState(tx, { programId, partnerId: partner.id, currency }, [id], state, null)
      })
    await move('payout_prepared', 'payable', 'in_flight', 'in_payout')
    return () => move('payout_returned', 'in_flight', 'payable', 'payable')
  }

  /** By a decision of two people. */
  const give = async (saleId: string, to: TestPartner) => {
    const decision = { id: newId(), proposedBy: '7', approvedBy: '8', reason: 'They brought the customer.' }
    await house.db.transaction((tx) => house.use(attribution).reassign(tx, house.program.id, saleId, to.id, decision))
    await house.drain()
  }

  test('of a sale that changed hands, releasing the commission of one partner decides no case of the other', async () => {
    const { commission, found } = await aHeldSale()
    const next = await trade.aPartner()
    await give(commission.saleId, next)
    const theirs = await commissionOf(next, commission.saleId)
    await house.run('admin commissions hold-one', { commission: theirs.id, reason: 'Let us look' }, admin)
    await house.run('admin commissions release-one', { commission: theirs.id, reason: 'It is fine' }, admin)
    await house.drain()
    expect(await caseOf(found.commissionId)).toMatchObject({ state: 'open' })
  })

  test('a sale that comes back to the partner while their case is open is held again', async () => {
    const { partner, commission } = await aHeldSale()
    const next = await trade.aPartner()
    await give(commission.saleId, next)
    await give(commission.saleId, partner)
    expect(await commissionOf(partner, commission.saleId)).toMatchObject({ state: 'held', reason: 'fraud_sale_too_soon' })
    expect(await trade.findings()).toEqual([])
  })

  test.each(['before', 'after'])('a sale that comes back earns nothing when the case was rejected %s it left', async (when) => {
    const { partner, commission, found } = await aHeldSale()
    const reject = () => house.run('admin fraud reject', { case: found.id, reason: 'A script bought it.' }, admin)
    const next = await trade.aPartner()
    if (when === 'before') await reject()
    await give(commission.saleId, next)
    if (when === 'after') await reject()
    await house.drain()
    expect(await commissionOf(next, commission.saleId)).toMatchObject({ state: 'pending', amount: commission.amount })
    await give(commission.saleId, partner)
    expect(await commissionOf(partner, commission.saleId)).toMatchObject({
      state: 'voided',
      reason: 'fraud_sale_too_soon',
      amount: 0n,
    })
    expect(await trade.balances(partner)).toEqual({})
    expect(await trade.findings()).toEqual([])
  })

  test('clearing a case whose sale went to another partner promises nobody a commission', async () => {
    const { partner, commission, found } = await aHeldSale()
    await give(commission.saleId, await trade.aPartner())
    const answer = wordsOf(await house.run('admin fraud clear', { case: found.id, reason: 'It is fine.' }, admin))
    await house.drain()
    expect(answer).not.toContain('goes on')
    expect((await partnerWords(partner.userId)).join()).not.toContain('Checked and fine')
  })

  test('a reason is as long as its signs, however many units they take', async () => {
    const { found } = await aHeldSale()
    const answer = await house.press(`fraud.clear_reason:${found.id}`, { fields: { reason: '👍👍' } }, admin)
    expect(wordsOf(answer)).toContain('Say why')
  })

  test('a sale that is worth something only later is judged then', async () => {
    const partner = await trade.aPartner()
    const clickId = await aClick(partner)
    house.clock.advance(seconds(4))
    const payment = trade.aPayment(partner, { hints: { clickId }, refunded: 10_000n })
    const saleId = await trade.record(payment)
    await house.drain()
    expect((await commissionOf(partner, saleId)).state).toBe('voided')
    await trade.record({ ...payment, refunded: 0n })
    await house.drain()
    expect(await commissionOf(partner, saleId)).toMatchObject({ state: 'held', reason: 'fraud_sale_too_soon' })
  })

  test('a commission that was in a payout when it was judged is held when the payout comes back', async () => {
    const { partner, commission } = await aHeldSale()
    const { programId, id: commissionId, saleId, partnerId, amount, currency } = commission
    await house.db.delete(cases).where(eq(cases.commissionId, commissionId))
    const release = (tx: Tx) => house.use(commissions).release(tx, programId, commissionId, 'fraud_sale_too_soon')
    await house.db.transaction(release)
    house.clock.advance(days(31))
    await house.tick('commissions.release')
    const comeBack = await inPayout(partner, commission)
    const suspect = { programId, commissionId, saleId, partnerId, amount, currency }
    await house.db.transaction((tx) => house.enqueue(tx, evaluateCommission, suspect, { programId }))
    await house.drain()
    expect(await caseOf(commissionId)).toMatchObject({ state: 'open', held: false })
    expect((await commissionOf(partner, saleId)).state).toBe('in_payout')
    await comeBack()
    expect(await commissionOf(partner, saleId)).toMatchObject({ state: 'held', reason: 'fraud_sale_too_soon' })
    await house.run('admin fraud clear', { case: (await caseOf(commissionId))!.id, reason: 'It is fine.' }, admin)
    expect((await commissionOf(partner, saleId)).state).toBe('pending')
  })

  test('rejecting what an admin voided by hand meanwhile closes the case', async () => {
    const { commission, found } = await aHeldSale()
    await house.db.transaction((tx) =>
      house.use(commissions).void(tx, house.program.id, commission.id, 'manual', { actor: 'grace', note: 'by hand' }),
    )
    await house.run('admin fraud reject', { case: found.id, reason: 'Both of us.' }, admin)
    expect(await caseOf(commission.id)).toMatchObject({ state: 'rejected' })
  })

  test('the first decision stands; of a second one the words are given back', async () => {
    const { found } = await aHeldSale()
    await house.run('admin fraud clear', { case: found.id, reason: 'It is fine.' }, admin)
    const late = await house.press(`fraud.reject_reason:${found.id}`, { fields: { reason: 'No, it is not!' } }, admin)
    expect(wordsOf(late)).toMatch(/cleared already[\s\S]*No, it is not/)
    await expect(house.run('admin fraud reject', { case: found.id, reason: 'No!' }, admin)).rejects.toThrow('cleared already')
    expect(await house.db.select().from(cases).where(eq(cases.id, found.id))).toMatchObject([{ decisionReason: 'It is fine.' }])
  })

  test('nothing is decided without a reason, neither here nor in the database', async () => {
    const { commission, found } = await aHeldSale()
    const answer = await house.press(`fraud.clear_reason:${found.id}`, { fields: { reason: '  ' } }, admin)
    expect(wordsOf(answer)).toContain('Say why')
    expect(await caseOf(commission.id)).toMatchObject({ state: 'open' })
    const { sql } = house.connection
    await expect(sql`update fraud_cases set state = 'cleared' where id = ${found.id}`).rejects.toThrow('check')
    await expect(
      sql`update fraud_cases set state = 'cleared', decided_by = 'x', decided_at = now() where id = ${found.id}`,
    ).rejects.toThrow('check')
  })

  test('what a person cleared is not held again for the same sale', async () => {
    const { commission, found } = await aHeldSale()
    await house.run('admin fraud clear', { case: found.id, reason: 'It is fine.' }, admin)
    const { programId, saleId, partnerId, amount, currency } = commission
    const again = { programId, commissionId: newId(), saleId, partnerId, amount, currency }
    await house.db.transaction((tx) => house.enqueue(tx, evaluateCommission, again, { programId }))
    await house.drain()
    expect(await caseOf(again.commissionId)).toMatchObject({ state: 'noted', score: 50 })
  })

  test('a decision in another program finds nothing', async () => {
    const { found } = await aHeldSale()
    const program = await house.db.transaction((tx) => programStore.ensure(tx, { guildId: '900000000000000007', name: 'Other' }))
    for (const path of ['admin fraud clear', 'admin fraud reject'])
      await expect(house.run(path, { case: found.id, reason: 'Mine!' }, { ...admin, program })).rejects.toThrow('no such case')
    expect(wordsOf(await house.run('admin fraud queue', {}, { ...admin, program }))).toContain('Nothing to review')
  })
})

describe('appealing', () => {
  test('the partner tells their side once, and the staff card shows it', async () => {
    const { partner, found } = await aHeldSale()
    const form = await house.run('appeal', {}, partner)
    expect(form).toMatchObject({ custom_id: `fraud.appeal:${found.id}` })
    const text = 'She sat next to me and had typed everything before.'
    await house.press(`fraud.appeal:${found.id}`, { fields: { text } }, partner)
    expect(await staffWords(found)).toMatch(/appealed[\s\S]*She sat next to me/)
    const again = await house.press(`fraud.appeal:${found.id}`, { fields: { text: 'And another thing.' } }, partner)
    expect(wordsOf(again)).toMatch(/appealed in this case already[\s\S]*And another thing/)
    expect(await caseOf(found.commissionId)).toMatchObject({ appeal: text, appealedAt: house.clock.now(), state: 'open' })
    expect(wordsOf(await house.run('appeal', {}, partner))).toContain('You have appealed already')
  })

  test('nobody appeals for somebody else', async () => {
    const { found } = await aHeldSale()
    const other = await trade.aPartner()
    const answer = await house.press(`fraud.appeal:${found.id}`, { fields: { text: 'I know them, they are fine.' } }, other)
    expect(wordsOf(answer)).toContain('no such case')
    expect(wordsOf(await house.run('appeal', {}, other))).toContain('Nothing to appeal')
    await expect(house.run('appeal', { commission: found.id }, other)).rejects.toThrow('no such case')
  })

  test('an appeal after the decision changes nothing, and is given back', async () => {
    const { partner, found } = await aHeldSale()
    await house.run('admin fraud clear', { case: found.id, reason: 'It is fine.' }, admin)
    const answer = await house.press(`fraud.appeal:${found.id}`, { fields: { text: 'But it was a real person.' } }, partner)
    expect(wordsOf(answer)).toMatch(/cleared already[\s\S]*a real person/)
  })
})

describe('the queue', () => {
  test('shows appeals first, then the oldest, and opens a case with its evidence', async () => {
    await house.connection.sql`delete from fraud_cases`
    const first = await aHeldSale()
    house.clock.advance(1000)
    const second = await aHeldSale()
    await house.press(`fraud.appeal:${second.found.id}`, { fields: { text: 'It was a real person.' } }, second.partner)
    const queue = wordsOf(await house.run('admin fraud queue', {}, admin))
    expect(queue.indexOf(second.partner.userId)).toBeLessThan(queue.indexOf(first.partner.userId))
    const opened = wordsOf(await house.press('fraud.open', { values: [first.found.id] }, admin))
    expect(opened).toMatch(/sale\\?_too\\?_soon[\s\S]*seconds: 4/)
    const byCommission = await house.run('admin fraud show', { case: second.commission.id }, admin)
    expect(wordsOf(byCommission)).toContain('It was a real person')
  })
})

describe('a page of the queue that is gone meanwhile', () => {
  test('gives way to the last one', async () => {
    await house.connection.sql`delete from fraud_cases`
    const { found } = await aHeldSale()
    expect(controlsOf(await house.press('fraud.queue:1', {}, admin))).toEqual(['fraud.open'])
    await house.run('admin fraud clear', { case: found.id, reason: 'It is fine.' }, admin)
    expect(wordsOf(await house.press('fraud.queue:1', {}, admin))).toContain('Nothing to review')
  })
})

describe('the allow-list', () => {
  test('an allowed agency is not held, but what was seen is noted', async () => {
    const { partner, commission } = await aHeldSale()
    const answer = await house.run('admin fraud allow', { partner: { id: partner.userId }, reason: 'Agency with a kiosk.' }, admin)
    expect(wordsOf(answer)).toContain('1 of their commissions is still on hold')
    expect((await commissionOf(partner, commission.saleId)).state).toBe('held')
    const next = await aSale(partner, { after: seconds(2) })
    expect(next.state).toBe('pending')
    expect(await caseOf(next.id)).toMatchObject({ state: 'noted', held: false, score: 50 })
    expect(wordsOf(await house.run('admin fraud allowed', {}, admin))).toMatch(/grace|100000000000000009[\s\S]*Agency with a kiosk/)
    const twice = house.run('admin fraud allow', { partner: { id: partner.userId }, reason: 'Again.' }, admin)
    await expect(twice).rejects.toThrow('allowed already')
    await house.run('admin fraud disallow', { partner: { id: partner.userId }, reason: 'The kiosk is gone.' }, admin)
    expect((await aSale(partner, { after: seconds(2) })).state).toBe('held')
    const noted = await house.db.select().from(audit).where(like(audit.action, 'fraud.%allow'))
    const actions = noted
      .filter(({ detail }) => (detail as { partnerId?: string }).partnerId === partner.id)
      .map(({ action }) => action)
    expect(actions).toEqual(['fraud.allow', 'fraud.disallow'])
  })

  test('an allowed pair of one mailbox is not held for it, in either direction; others are', async () => {
    const pair = [await trade.aPartner(), await trade.aPartner()] as const
    for (const [i, partner] of pair.entries()) {
      await anEmail(partner, `agency+${i}@example.com`)
      const { id: partnerId, userId } = partner
      const programId = house.program.id
      await house.db.transaction((tx) =>
        house.emit(tx, emailVerified, { programId, partnerId, userId, email: `agency+${i}@example.com` }),
      )
    }
    await house.drain()
    const held = await aSale(pair[0])
    expect(held.reason).toBe('fraud_duplicate_partner')
    expect((await caseOf(held.id))!.findings[0]!.evidence).toEqual({ others: [pair[1].id] })
    expect((await partnerWords(pair[0].userId)).join()).not.toContain(pair[1].userId)
    const allow = { partner: { id: pair[1].userId }, with: { id: pair[0].userId }, reason: 'Two desks of one agency.' }
    await house.run('admin fraud allow', allow, admin)
    expect((await aSale(pair[0])).state).toBe('pending')
    expect((await aSale(pair[1])).state).toBe('pending')
    grudges.set(pair[0].id, newId())
    expect((await aSale(pair[0])).reason).toBe('fraud_same_window')
  })

  test('only partners can be allowed, and a pair is two', async () => {
    const partner = await trade.aPartner()
    await expect(house.run('admin fraud allow', { partner: { id: '5' }, reason: 'Who?' }, admin)).rejects.toThrow('not a partner')
    const self = { partner: { id: partner.userId }, with: { id: partner.userId }, reason: 'Me and I.' }
    await expect(house.run('admin fraud allow', self, admin)).rejects.toThrow('two different partners')
  })
})

describe('personal data', () => {
  test('an export has the partner’s cases without naming others; erasing leaves only what waits for a decision', async () => {
    const partner = await trade.aPartner()
    const decided = await aSale(partner, { after: seconds(4) })
    await house.run('admin fraud clear', { case: decided.id, reason: 'It is fine.' }, admin)
    grudges.set(partner.id, newId())
    const open = await aSale(partner)
    await house.run('admin fraud allow', { partner: { id: partner.userId }, reason: 'Agency.' }, admin)
    await house.press(`fraud.appeal:${(await caseOf(open.id))!.id}`, { fields: { text: 'Please look again.' } }, partner)
    const { exportPartner, deletePartner } = fraud.data!
    const exported = JSON.stringify(await exportPartner!(house.db, house.program.id, partner.userId))
    expect(exported).toContain('Please look again')
    expect(exported).not.toContain(grudges.get(partner.id))
    await house.db.transaction((tx) => deletePartner!(tx, house.program.id, partner.userId))
    expect(await caseOf(decided.id)).toBeUndefined()
    expect(await caseOf(open.id)).toMatchObject({ state: 'open', appeal: null })
    expect(await house.db.$count(addresses, eq(addresses.partnerId, partner.id))).toBe(0)
    expect(await house.db.$count(allowances, eq(allowances.partnerId, partner.id))).toBe(0)
  })

  test.each(['admin fraud clear', 'admin fraud reject', 'admin commissions release-one'])(
    'what waited for a decision goes with it once the person is erased (%s), and nobody is told',
    async (command) => {
      const { partner, commission, found } = await aHeldSale()
      await house.db.transaction(async (tx) => {
        await fraud.data!.deletePartner!(tx, house.program.id, partner.userId)
        await partners.data!.deletePartner!(tx, house.program.id, partner.userId)
      })
      const before = (await partnerWords(partner.userId)).length
      await house.run(command, { case: found.id, commission: commission.id, reason: 'It is decided.' }, admin)
      await house.drain()
      expect(await caseOf(commission.id)).toBeUndefined()
      expect(await partnerWords(partner.userId)).toHaveLength(before)
      expect(await trade.findings()).toEqual([])
    },
  )
})
