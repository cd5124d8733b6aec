import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import type { CanonicalPayment } from '../attribution/public.ts'
import { days } from '../kit/index.ts'
import { commissions } from './plugin.ts'
import { earningPlugins, payFor, type TestPartner, type Trade, tradeIn } from './testing.ts'

let house: TestHouse
let trade: Trade
let ada: TestPartner
let bob: TestPartner
beforeAll(async () => {
  house = await testHouse(earningPlugins)
  trade = tradeIn(house)
})
beforeEach(async () => {
  ada = await trade.aPartner()
  bob = await trade.aPartner()
  await house.drain()
})
afterAll(() => house.close())

async function sold(change: Partial<CanonicalPayment> = {}, partner: TestPartner = ada) {
  const payment = trade.aPayment(partner, change)
  const saleId = await trade.record(payment)
  await house.drain()
  return { payment, saleId }
}
const why = async (sale: string, partner = ada) => wordsOf(await house.run('earnings why', { sale }, partner))
const suggested = async (typed = '', partner = ada) => {
  const command = house.loaded.commands.find(({ path }) => path === 'earnings why')!
  const option = command.options.sale as unknown as {
    suggest: (ctx: unknown, typed: string) => Promise<{ name: string; value: string }[]>
  }
  return option.suggest({ program: house.program, user: { id: partner.userId }, now: house.clock.now() }, typed)
}

test('a sale is explained from its click to what happens next', async () => {
  const { saleId } = await sold({ gross: 12_000n, tax: 2_000n })
  const words = await why(saleId)
  expect(words).toContain('This sale earns you $20.00')
  expect(words).toContain('$120.00 paid')
  expect(words).toContain('without tax and shipping $100.00')
  expect(words).toContain('A click on your link of')
  expect(words).toContain('the last one within 90 days')
  expect(words).toContain('20% of a sale of $100.00')
  expect(words).toMatch(/\+\$20\.00 · pending/)
  expect(words).toContain('$20.00 becomes payable')
})

test('a returning customer’s sale says that the customer stays with the partner', async () => {
  const customer = { key: 'cus_back', emailHash: undefined, country: undefined }
  await sold({ customer })
  const { saleId } = await sold({ customer })
  expect(await why(saleId)).toContain('The customer bought through you before')
})

test('every change so far is told with its reason', async () => {
  const { saleId, payment } = await sold()
  await trade.record({ ...payment, refunded: 2_500n, dispute: 'open' })
  await house.drain()
  const words = await why(saleId)
  expect(words).toContain('$25.00 of it was refunded')
  expect(words).toMatch(/-\$5\.00 · on hold: the customer disputes the payment/)
  expect(words).toContain('$15.00 is on hold')
  expect(words).toContain('The customer disputes it')
})

test('a dispute about a part takes the commission on that part, and says how much was lost', async () => {
  const { saleId, payment } = await sold()
  await trade.record({ ...payment, dispute: 'open' })
  await house.drain()
  expect(await why(saleId)).toContain('$20.00 is on hold')
  await trade.record({ ...payment, dispute: 'lost', lost: 2_000n })
  await house.drain()
  const words = await why(saleId)
  expect(words).toContain('$20.00 of it was lost in a dispute')
  expect(words).toMatch(/-\$4\.00 · .*the customer’s bank took money back/)
})

test.each([
  ['payable', undefined, 'is paid with the next payout'],
  ['in a payout', 'in_payout', 'is on its way to you'],
  ['paid', 'paid', 'was paid out'],
] as const)('what is %s says what happens next', async (_, until, next) => {
  const { saleId } = await sold()
  house.clock.advance(days(31))
  await house.tick('commissions.release')
  if (until) await payFor(house, ada, until)
  expect(await why(saleId)).toContain(next)
})

const voided = async (saleId: string, kind?: string) => {
  const { id } = (await house.use(commissions).ofPartner(house.db, house.program.id, ada.id)).find((one) => one.saleId === saleId)!
  const options = { commission: id, reason: 'We looked', ...(kind && { kind }) }
  const card = wordsOf(await house.run('admin commissions void', options, { isAdmin: true, userId: '1' }))
  await house.drain()
  return card
}

test.each([
  ['fraud_confirmed', 'the team found that it is fraud'],
  ['duplicate', 'it was counted twice'],
  [undefined, 'the team took it back'],
])('what was voided for good (%s) says so, and speaks of no hold, appeal or refund', async (kind, words) => {
  const { saleId } = await sold()
  expect(await voided(saleId, kind)).toContain(`· voided: ${words}`)
  const told = await house.connection.sql`select message from notifications_tells where user_id = ${ada.userId}`
  const everything = [await why(saleId), ...told.map(({ message }) => wordsOf(message))].join('\n')
  expect(everything).toContain(`Reason: ${words}`)
  expect(everything).toContain('Nothing more happens: it was voided for good')
  expect(everything).not.toMatch(/while it is on hold|\/appeal|unless|looks into it/)
})

test.each([
  ['a refund', { refunded: 10_000n }, 'unless the refund is taken back'],
  ['a lost dispute', { dispute: 'lost' as const }, 'unless the customer’s bank decides otherwise'],
  ['a correction of its tax', { tax: 10_000n }, 'unless tax or shipping of the sale is corrected'],
])('what came to nothing by %s says what could still change it', async (_, change, words) => {
  const { saleId, payment } = await sold()
  await trade.record({ ...payment, ...change })
  await house.drain()
  expect(await why(saleId)).toContain(`Nothing more happens, ${words}`)
})

test('what was paid out and then voided says that it is owed back', async () => {
  const { saleId } = await sold()
  house.clock.advance(days(31))
  await house.tick('commissions.release')
  await payFor(house, ada)
  await voided(saleId)
  expect(await why(saleId)).toContain('$20.00 was paid out; $20.00 of it is taken from your earnings')
})

test('a rule with a cap is named with what it says', async () => {
  const boss = { isAdmin: true, userId: '1' }
  const draft = await house.run('admin rules add', { name: 'Course week', rate: '50', cap_per_sale: '30' }, boss)
  const [button] = JSON.stringify(draft).match(/commissions\.publish_rule:[^"]+/)!
  await house.press(button, {}, boss)
  const { saleId } = await sold()
  const words = await why(saleId)
  expect(words).toContain('By the rule “Course week”, version 1: **50%** · for every partner')
  expect(words).toContain('At most $30.00: the most that the rule pays is reached')
  await house.run('admin rules end', { name: 'Course week' }, boss)
})

test('a sale that went to someone else says why, and nothing about them or what it was worth', async () => {
  const customer = { key: `cus_${bob.id}`, emailHash: undefined, country: undefined }
  await sold({ customer }, bob)
  const { saleId } = await sold({ customer, gross: 77_700n }, ada)
  const words = await why(saleId)
  expect(words).toContain('This sale was not credited to you')
  expect(words).toContain('A click on your link of')
  expect(words).toContain('the customer had bought through another partner before')
  expect(words).not.toMatch(/777|\$/)
  expect(words).not.toContain(bob.userId)
  expect(await why(saleId, bob)).toContain('This sale earns you $155.40')
})

test('a sale that went to nobody says why', async () => {
  await house.connection.sql`update partners_partners set status = 'suspended' where id = ${ada.id}`
  const { saleId } = await sold()
  await house.connection.sql`update partners_partners set status = 'active' where id = ${ada.id}`
  const words = await why(saleId)
  expect(words).toContain('went to nobody')
  expect(words).toContain('your membership was not active then')
})

test('a sale that does not concern the partner looks like one that does not exist', async () => {
  const { saleId } = await sold({}, bob)
  const answers = await Promise.allSettled([why(saleId), why(house.program.id), why('nonsense')])
  const refusals = answers.map((answer) => (answer.status === 'rejected' ? String(answer.reason) : 'answered'))
  expect(new Set(refusals).size).toBe(1)
  expect(refusals[0]).toContain('no sale with that id that concerns you')
})

test('recent sales are suggested, those that went elsewhere included', async () => {
  const customer = { key: `cus_${bob.id}`, emailHash: undefined, country: undefined }
  const own = await sold()
  const theirs = await sold({ customer }, bob)
  const missed = await sold({ customer })
  const options = await suggested()
  expect(options).toContainEqual({ name: expect.stringContaining('sale of $100.00 · earned $20.00'), value: own.saleId })
  expect(options).toContainEqual({ name: expect.stringContaining('not credited to you'), value: missed.saleId })
  expect(options.map(({ value }) => value)).not.toContain(theirs.saleId)
  expect(await suggested('not credited')).toHaveLength(1)
})

test('the fullest explanation keeps within what a message may hold', async () => {
  const { saleId, payment } = await sold({ product: '長'.repeat(200) })
  for (let i = 1; i <= 40; i++) await trade.record({ ...payment, refunded: BigInt(i) * 10n }).then(() => house.drain())
  const answer = await house.run('earnings why', { sale: saleId }, ada)
  expect(wordsOf(answer).length).toBeLessThanOrEqual(4_000)
  expect(wordsOf(answer)).toContain('earlier changes are in your statements')
})
