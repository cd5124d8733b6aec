import { fc, test as property } from '@fast-check/vitest'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { controlsOf, type TestHouse, testHouse, wordsOf as wordsAsShown } from '../../app/testing.ts'
import type { CanonicalPayment } from '../attribution/public.ts'
import { earningPlugins, type TestPartner, type Trade, tradeIn } from '../commissions/testing.ts'
import { days, definePlugin, extend, sum } from '../kit/index.ts'
import { config } from './config.ts'
import { closedGate } from './decide.ts'
import { payouts } from './plugin.ts'
import { type PayoutProvider, PayoutRefused, payoutProvider, type SendRequest } from './public.ts'
import { inSteps } from './steps.ts'

describe('the commissions that a provider with a step can be sent', () => {
  const pieces = (dues: readonly bigint[]) => dues.map((due, age) => ({ due, age }))
  const taken = (dues: readonly bigint[], step: bigint) => inSteps(pieces(dues), step).map(({ due }) => due)

  test.each<[string, readonly bigint[], bigint, readonly bigint[]]>([
    ['all of them when their sum is a multiple', [12_345n, 7_655n], 10n, [12_345n, 7_655n]],
    ['all of them when every amount is', [3n, 4n], 1n, [3n, 4n]],
    ['none when none can be', [12_345n], 10n, []],
    ['none when there are none', [], 10n, []],
    ['those that need not stay', [20_000n, 12_345n], 10n, [20_000n]],
    ['the larger sum, even when more of them stay', [1n, 1n, 3n, 20n], 10n, [20n]],
    ['the larger sum when a small one or a large one may stay', [15n, 5n, 30n], 10n, [15n, 5n, 30n]],
    ['of equal sums the one that leaves fewer', [1n, 2n, 3n, 7n], 10n, [1n, 2n, 7n]],
  ])('are %s', (_, dues, step, expected) => expect(taken(dues, step)).toEqual(expected))

  test('leave the youngest back of equal amounts', () => {
    expect(inSteps(pieces([5n, 5n, 5n]), 10n).map(({ age }) => age)).toEqual([0, 1])
  })

  /** By trying every subset. */
  function bestOf(dues: readonly bigint[], step: bigint): number[] {
    const ages = dues.map((_, age) => age)
    const subsets = Array.from({ length: 2 ** dues.length }, (_, mask) => ages.filter((age) => (mask >> age) & 1))
    const worth = (subset: readonly number[]) => sum(subset.map((age) => dues[age]!))
    const youngestStay = (a: readonly number[], b: readonly number[]): number => {
      const first = ages.find((age) => a.includes(age) !== b.includes(age))
      return first === undefined ? 0 : a.includes(first) ? -1 : 1
    }
    return subsets
      .filter((subset) => worth(subset) % step === 0n)
      .sort((a, b) => Number(worth(b) - worth(a)) || b.length - a.length || youngestStay(a, b))[0]!
  }
  const amounts = fc.array(fc.oneof(fc.bigInt({ min: 1n, max: 12n }), fc.bigInt({ min: 1n, max: 100_000n })), { maxLength: 9 })
  property.prop([amounts, fc.bigInt({ min: 1n, max: 20n })])('are the best of all subsets', (dues, step) => {
    expect(inSteps(pieces(dues), step).map(({ age }) => age)).toEqual(bestOf(dues, step))
  })
})

const bank = { step: 10n, sent: [] as SendRequest[] }
const provider: PayoutProvider = {
  id: 'stepbank',
  title: 'Step Bank',
  onboard: async ({ partnerId, returnUrl }) => ({
    account: `acct_${partnerId}`,
    url: `https://bank.test/?back=${encodeURIComponent(returnUrl)}`,
  }),
  accountState: async () => ({ ready: true, missing: '' }),
  find: async () => undefined,
  send: async (request) => {
    if (request.amount % bank.step !== 0n) throw new PayoutRefused('That is no multiple.')
    bank.sent.push(request)
    return { providerId: `tr_${request.payoutId}`, state: 'sent' }
  },
  available: async () => undefined,
  step: () => bank.step,
}
const stepBank = definePlugin({
  id: 'stepbank',
  title: 'Step Bank',
  summary: 'A payout provider that pays only multiples of an amount.',
  requires: [payouts],
  setup: () => ({ extends: [extend(payoutProvider, provider)] }),
})

test.each([
  ['is paid what adds up to a multiple, however small, after they left', 'left', 40n, null],
  ['is not paid when nothing does, also after they left', 'left', 0n, { gate: 'uneven', step: 10n, most: 0n, minimum: 0n }],
  ['is paid what adds up to the minimum', 'active', 50n, null],
  ['is not paid what adds up to less', 'active', 40n, { gate: 'uneven', step: 10n, most: 40n, minimum: 50n }],
] as const)('a partner %s', (_, partnerStatus, most, expected) => {
  const at = new Date('2026-11-01T00:00:00Z')
  const method = { ready: true, missing: '', changedAt: at }
  const facts = { amount: 55n, most, step: 10n, currency: 'JPY', partnerStatus, agreementSigned: true, debt: 0n, method, now: at }
  expect(closedGate(facts, config.parse({ minimum: '50.00', methodCoolingHours: 0 }))).toEqual(expected)
})

/** Without what makes it bold, and with plain spaces between currency and amount. */
const wordsOf = (answer: Parameters<typeof wordsAsShown>[0]): string =>
  wordsAsShown(answer).replaceAll('\u00a0', ' ').replaceAll('**', '')

const boss = { isAdmin: true, userId: '1', username: 'boss' }
const second = { isAdmin: true, userId: '2', username: 'second' }
let house: TestHouse
let trade: Trade
beforeAll(async () => {
  house = await testHouse([...earningPlugins, payouts, stepBank])
  trade = tradeIn(house)
  await house.set('commissions', 'holdDays', 0)
  await house.set('payouts', 'methodCoolingHours', 0)
})
afterAll(() => house.close())
beforeEach(async () => {
  await house.set('payouts', 'minimum', '0.01')
  await house.set('payouts', 'approvalAbove', '5000.00')
  Object.assign(bank, { step: 10n, sent: [] })
  house.clock.advance(days(1))
  // What an earlier test left payable is nobody's business here.
  await house.connection.sql`update payouts_methods set chosen = false`
})

/** A partner to whom this much is payable, each amount by a sale of its own, in thousandths of a dinar. */
async function aPartnerWith(...dues: readonly bigint[]): Promise<TestPartner> {
  const partner = await trade.aPartner()
  const [link] = controlsOf(await house.run('payout setup', {}, partner))
  await house.app.inject(new URL(new URL(link!).searchParams.get('back')!).pathname)
  await earn(partner, ...dues)
  return partner
}
async function earn(partner: TestPartner, ...dues: readonly bigint[]): Promise<CanonicalPayment[]> {
  const payments: CanonicalPayment[] = []
  for (const due of dues) {
    house.clock.advance(1_000)
    payments.push(trade.aPayment(partner, { gross: due * 5n, currency: 'KWD' }))
    await trade.record(payments.at(-1)!)
  }
  await house.drain()
  await house.tick('commissions.release')
  await house.drain()
  return payments
}
const asAdmin = async (path: string, visitor = boss) => wordsOf(await house.run(path, {}, visitor))
const status = async (partner: TestPartner) => wordsOf(await house.run('payout status', {}, partner))
async function run(): Promise<string> {
  const words = await asAdmin('admin payouts run')
  await house.drain()
  return words
}
const sent = () => bank.sent.map(({ amount }) => amount)
const confirm = (outcome: 'paid' | 'returned' = 'paid') =>
  house.db.transaction((tx) =>
    house.use(payouts).confirm(tx, 'stepbank', `tr_${bank.sent.at(-1)!.payoutId}`, outcome, 'It was closed.'),
  )
const balances = (partner: TestPartner) => trade.balances(partner, 'KWD')
const payoutsOf = (partner: TestPartner) =>
  house.connection.sql`select state, amount, note from payouts_payouts where partner_id = ${partner.id} order by prepared_at, id`
const told = async (partner: TestPartner) =>
  (await house.connection.sql`select message from notifications_tells where user_id = ${partner.userId} order by created_at`).map(
    ({ message }) => wordsOf(message),
  )

describe('a payout through a provider that pays only multiples of an amount', () => {
  test('holds the commissions that add up to one; the others stay payable until they do', async () => {
    const ada = await aPartnerWith(20_000n, 12_345n)
    const dry = await asAdmin('admin payouts dry-run')
    expect(dry).toContain('KWD 20.000 to 1 partner')
    expect(dry).toContain('KWD 20.000 for 1 commission; KWD 12.345 stays payable')
    expect(dry).toContain('multiples of KWD 0.010')
    expect(await status(ada)).toContain('KWD 20.000 It is paid with the next payout run. KWD 12.345 stays payable')

    await Promise.all(Array.from({ length: 8 }, () => asAdmin('admin payouts run')))
    await house.drain()
    expect(sent()).toEqual([20_000n])
    expect(await balances(ada)).toEqual({ in_flight: 20_000n, payable: 12_345n })
    await confirm()
    await house.drain()
    expect((await told(ada)).join('\n')).toContain('That is for 1 commission')

    await earn(ada, 7_655n)
    expect(await run()).toContain('KWD 20.000 to 1 partner')
    expect(sent()).toEqual([20_000n, 20_000n])
    await confirm()
    expect(await balances(ada)).toEqual({ paid: 40_000n })
    expect(await trade.findings()).toEqual([])
  })

  test('is not made when nothing adds up to one: admins and the partner can read why, and nobody is told again and again', async () => {
    const ada = await aPartnerWith(12_345n)
    const before = await told(ada)
    const why = 'pays KWD only in multiples of KWD 0.010'
    expect(await asAdmin('admin payouts dry-run')).toContain(why)
    for (let i = 0; i < 3; i++) expect(await run()).toContain(why)
    expect(await payoutsOf(ada)).toEqual([])
    expect(await told(ada)).toEqual(before)
    expect(await status(ada)).toContain(`KWD 12.345 Your payout method ${why}`)
    expect(await balances(ada)).toEqual({ payable: 12_345n })
    expect(await trade.findings()).toEqual([])
  })

  test('is not made when what adds up to one is below the minimum', async () => {
    await house.set('payouts', 'minimum', '25.00')
    const ada = await aPartnerWith(20_000n, 12_345n)
    const why = 'KWD 20.000 of it could be paid, below the minimum of KWD 25.000'
    expect(await asAdmin('admin payouts dry-run')).toContain(why)
    expect(await run()).toContain(why)
    expect(await payoutsOf(ada)).toEqual([])
    expect(await status(ada)).toContain('below the minimum of KWD 25.000')
  })

  test('comes back whole and goes out again the same way', async () => {
    const ada = await aPartnerWith(20_000n, 12_345n)
    await run()
    await confirm('returned')
    await house.drain()
    expect(await balances(ada)).toEqual({ payable: 32_345n })
    await run()
    expect(sent()).toEqual([20_000n, 20_000n])
    expect(await trade.findings()).toEqual([])
  })

  test('counts what is left of a commission that repaid a debt', async () => {
    const ada = await aPartnerWith()
    const [refunded] = await earn(ada, 10_000n)
    await run()
    await confirm()
    await trade.record({ ...refunded!, refunded: refunded!.gross })
    await house.drain()
    expect(await balances(ada)).toMatchObject({ clawback_debt: 10_000n })
    await earn(ada, 4_005n, 21_000n)
    expect(await run()).toContain('multiples of KWD 0.010')
    await earn(ada, 4_995n)
    await run()
    expect(sent()).toEqual([10_000n, 20_000n])
    expect(await balances(ada)).toMatchObject({ in_flight: 20_000n })
    expect(await trade.findings()).toEqual([])
  })

  test('that waits for an approval is taken back when the provider does not pay such an amount any more', async () => {
    await house.set('payouts', 'approvalAbove', '1.00')
    bank.step = 1n
    const ada = await aPartnerWith(20_000n, 12_345n)
    await run()
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'awaiting_approval', amount: '32345' }])
    bank.step = 10n
    const [button] = controlsOf(await house.run('admin payouts approve', {}, second))
    expect(wordsOf(await house.press(button!, {}, second))).toContain('multiples of KWD 0.010')
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'cancelled' }])
    await run()
    await house.press(controlsOf(await house.run('admin payouts approve', {}, second))[0]!, {}, second)
    await house.drain()
    expect(sent()).toEqual([20_000n])
    expect(await trade.findings()).toEqual([])
  })
})
