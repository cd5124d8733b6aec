import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import type { CanonicalPayment } from '../attribution/public.ts'
import { days } from '../kit/index.ts'
import { ledger } from '../ledger/plugin.ts'
import { commissions } from './plugin.ts'
import { earningPlugins, payFor, type TestPartner, type Trade, tradeIn } from './testing.ts'

const boss = { isAdmin: true, userId: '1' }
let house: TestHouse
let trade: Trade
let ada: TestPartner
beforeAll(async () => {
  house = await testHouse(earningPlugins)
  trade = tradeIn(house)
})
beforeEach(async () => {
  ada = await trade.aPartner()
  await house.drain()
})
afterAll(() => house.close())

const public_ = () => house.use(commissions)
const ofPartner = (partner = ada) => public_().ofPartner(house.db, house.program.id, partner.id)
async function sold(change: Partial<CanonicalPayment> = {}) {
  const payment = trade.aPayment(ada, change)
  const saleId = await trade.record(payment)
  await house.drain()
  const commission = (await ofPartner()).find((one) => one.saleId === saleId)!
  return { payment, saleId, id: commission.id }
}
async function changed(payment: CanonicalPayment, change: Partial<CanonicalPayment>) {
  await trade.record({ ...payment, ...change })
  await house.drain()
}
async function released() {
  house.clock.advance(days(31))
  await house.tick('commissions.release')
  await house.drain()
}
const adminDoes = async (command: string, commission: string, options: Record<string, unknown> = {}) => {
  const answer = wordsOf(
    await house.run(`admin commissions ${command}`, { commission, reason: 'We looked into it', ...options }, boss),
  )
  await house.drain()
  return answer
}
const hold = (id: string, reason: string) => house.db.transaction((tx) => public_().hold(tx, house.program.id, id, reason))
const release = (id: string, reason: string) => house.db.transaction((tx) => public_().release(tx, house.program.id, id, reason))
const tells = async () =>
  (await house.connection.sql`select message from notifications_tells where user_id = ${ada.userId} order by created_at`)
    .map(({ message }) => wordsOf(message))
    .join('\n')
const stateOf = async () => (await ofPartner()).map(({ state, reason }) => `${state} ${reason}`)

describe('a hold of another plugin', () => {
  test('stops what is pending, outlasts the hold time, and its release lets it go on', async () => {
    const { id } = await sold()
    expect(await hold(id, 'fraud_velocity')).toBe(true)
    expect(await stateOf()).toEqual(['held fraud_velocity'])
    await released()
    expect(await trade.balances(ada)).toEqual({ held: 2_000n })
    expect(await release(id, 'fraud_velocity')).toBe(true)
    expect(await stateOf()).toEqual(['pending null'])
    await released()
    expect(await trade.balances(ada)).toEqual({ payable: 2_000n })
    expect(await trade.findings()).toEqual([])
  })

  test('stops what is payable', async () => {
    const { id } = await sold()
    await released()
    expect(await hold(id, 'fraud_same_email')).toBe(true)
    expect(await trade.balances(ada)).toEqual({ held: 2_000n })
    expect(await public_().payable(house.db, house.program.id, ada.id)).toEqual([])
  })

  test('is free only when no reason is left, in whatever order they are lifted', async () => {
    const { id } = await sold()
    await hold(id, 'fraud_velocity')
    await hold(id, 'fraud_device')
    await hold(id, 'fraud_device')
    expect(await release(id, 'fraud_velocity')).toBe(true)
    expect(await stateOf()).toEqual(['held fraud_device'])
    expect(await release(id, 'fraud_velocity')).toBe(false)
    expect(await release(id, 'fraud_device')).toBe(true)
    expect(await stateOf()).toEqual(['pending null'])
  })

  test('is not lifted by a dispute that is won, and a dispute is not lifted by its release', async () => {
    const { id, payment } = await sold()
    await changed(payment, { dispute: 'open' })
    await hold(id, 'fraud_velocity')
    await changed(payment, { dispute: 'won' })
    expect(await stateOf()).toEqual(['held fraud_velocity'])
    await changed(payment, { dispute: 'open' })
    await release(id, 'fraud_velocity')
    expect(await stateOf()).toEqual(['held dispute_open'])
  })

  test('follows a refund, and holds again what a taken back refund restores', async () => {
    const { id, payment } = await sold()
    await hold(id, 'fraud_velocity')
    await changed(payment, { refunded: 10_000n })
    expect(await stateOf()).toEqual(['voided refund_full'])
    await changed(payment, { refunded: 0n })
    expect(await trade.balances(ada)).toEqual({ held: 2_000n })
    expect(await trade.findings()).toEqual([])
  })

  test.each([
    ['what is in a payout', async (_id: string) => released().then(() => payFor(house, ada, 'in_payout'))],
    ['what is paid', async (_id: string) => released().then(() => payFor(house, ada))],
    ['what was voided', async (id: string) => void (await adminDoes('void', id))],
  ])('cannot hold %s now, and is kept for what comes back', async (_, meanwhile) => {
    const { id } = await sold()
    await meanwhile(id)
    const [before, balances] = [await stateOf(), await trade.balances(ada)]
    expect(await hold(id, 'fraud_velocity')).toBe(false)
    expect(await stateOf()).toEqual(before)
    expect(await trade.balances(ada)).toEqual(balances)
    expect(await release(id, 'fraud_velocity')).toBe(true)
  })

  test('of a commission that does not exist, or of another program, is refused', async () => {
    const { id } = await sold()
    expect(await hold(house.program.id, 'fraud_velocity')).toBe(false)
    const elsewhere = (tx: Parameters<ReturnType<typeof public_>['hold']>[0]) => public_().hold(tx, ada.id, id, 'fraud_velocity')
    expect(await house.db.transaction(elsewhere)).toBe(false)
  })
})

describe('an admin', () => {
  test('sees on the partner’s card what there is in each state and currency, and the latest commissions with their ids', async () => {
    const show = async (partner: TestPartner) =>
      wordsOf(await house.run('admin partners show', { user: { id: partner.userId } }, boss))
    expect(await show(ada)).toContain('Nothing earned yet')
    const paid = await sold()
    await released()
    await payFor(house, ada)
    await adminDoes('adjust', paid.id, { amount: '-20' })
    await hold((await sold({ currency: 'EUR' })).id, 'fraud_same_ip')
    const latest = await sold({ currency: 'JPY', gross: 1_000n })
    await house.drain()
    const words = await show(ada)
    expect(words).toMatch(
      /EUR: ✋ on hold \*\*€20\.00\*\*\nJPY: ⏳ pending \*\*¥200\*\*\nUSD: 💸 paid out \*\*\$20\.00\*\* · ↩️ owed back \*\*\$20\.00\*\*/,
    )
    expect(words).toMatch(
      /\*\*¥200\*\* · pending until[\s\S]*· held: a check saw “same ip”\n[\s\S]*· paid: it was adjusted by hand/,
    )
    expect(words).toContain(`\`${latest.id}\` of sale \`${latest.saleId}\``)
    const bob = await trade.aPartner()
    expect(await show(bob)).not.toContain('¥200')
  })

  test('who is a partner decides about no commission of their own, and nothing changes', async () => {
    const { id } = await sold()
    const themselves = { ...boss, userId: ada.userId }
    await adminDoes('hold-one', id)
    for (const [command, options] of [
      ['adjust', { amount: '4000' }],
      ['adjust', { amount: '-1' }],
      ['void', {}],
      ['release-one', {}],
    ] as const)
      await expect(
        house.run(`admin commissions ${command}`, { commission: id, reason: 'Because', ...options }, themselves),
      ).rejects.toMatchObject({ code: 'own_commission', message: expect.stringContaining('Another admin decides') })
    expect((await ofPartner()).map(({ amount, state }) => `${amount} ${state}`)).toEqual(['2000 held'])
    expect(await trade.findings()).toEqual([])
  })

  test('holds one commission, and releases it whoever held it; the partner hears of both with the reason', async () => {
    const { id } = await sold()
    expect(await adminDoes('hold-one', id)).toContain('is on hold')
    expect(await stateOf()).toEqual(['held manual'])
    await hold(id, 'fraud_velocity')
    expect(await adminDoes('release-one', id)).toContain('is released')
    expect(await stateOf()).toEqual(['pending null'])
    expect(await tells()).toContain('A commission of $20.00 is on hold\nThe team says: We looked into it')
    expect(await tells()).toContain('no longer stopped')
    await expect(adminDoes('release-one', id)).rejects.toMatchObject({ code: 'not_held' })
    const notes = await house.connection
      .sql`select actor, state, note from commissions_changes where commission_id = ${id} and actor is not null order by id`
    expect(notes).toEqual([
      { actor: '1', state: 'held', note: 'We looked into it' },
      { actor: '1', state: 'pending', note: 'We looked into it' },
    ])
  })

  test.each([
    ['adds to what is pending', async () => {}, '5.00', { pending: 2_500n }],
    ['takes from what is pending', async () => {}, '-5.00', { pending: 1_500n }],
    ['adds to what is payable', released, '+5', { payable: 2_500n }],
    ['takes from what is payable', released, '-5', { payable: 1_500n }],
    ['takes all that it is worth', released, '-20', {}],
    [
      'takes from what is paid: it becomes debt',
      () => released().then(() => payFor(house, ada)),
      '-5',
      { paid: 2_000n, clawback_debt: 500n },
    ],
    [
      'adds to what is paid: it is earned anew',
      () => released().then(() => payFor(house, ada)),
      '5',
      { paid: 2_000n, pending: 500n },
    ],
  ])('%s', async (_, meanwhile, amount, balances) => {
    const { id } = await sold()
    await meanwhile()
    expect(await adminDoes('adjust', id, { amount })).toContain('The commission is adjusted')
    expect(await trade.balances(ada)).toEqual(balances)
    expect(await tells()).toContain('The team says: We looked into it')
    const [entry] = await house.connection
      .sql`select actor, detail from core_audit where action = 'commissions.adjust' order by id desc limit 1`
    expect(entry).toMatchObject({ actor: '1', detail: { commissionId: id, note: 'We looked into it', from: '2000' } })
    expect(await trade.findings()).toEqual([])
  })

  test('adjusts by a transfer of its own that points at the accrual', async () => {
    const { id } = await sold()
    await adminDoes('adjust', id, { amount: '-5' })
    const transfers = await house.use(ledger).transfers(house.db, house.program.id, { subject: { type: 'commission', id } })
    expect(transfers.map(({ reason }) => reason)).toEqual(['accrue', 'adjust'])
    expect(transfers[1]).toMatchObject({ corrects: transfers[0]!.id })
  })

  test('adjusts twice, and both stand beside what refunds do, in whatever order', async () => {
    const { id, payment } = await sold()
    await adminDoes('adjust', id, { amount: '3' })
    await changed(payment, { refunded: 5_000n })
    await adminDoes('adjust', id, { amount: '-1' })
    expect(await trade.balances(ada)).toEqual({ pending: 1_200n })
    await changed(payment, { refunded: 10_000n })
    expect(await trade.balances(ada)).toEqual({ pending: 200n })
    expect(await trade.findings()).toEqual([])
  })

  test('adds what they say also when a refund took more than was left beside what they had taken', async () => {
    const { id, payment } = await sold()
    await adminDoes('adjust', id, { amount: '-6' })
    await changed(payment, { refunded: 10_000n })
    expect(await trade.balances(ada)).toEqual({})
    await adminDoes('adjust', id, { amount: '4' })
    expect(await trade.balances(ada)).toEqual({ pending: 400n })
    expect(await tells()).toContain('$4.00')
    await changed(payment, { refunded: 0n })
    expect(await trade.balances(ada)).toEqual({ pending: 1_800n })
    expect(await trade.findings()).toEqual([])
  })

  test.each([
    ['0', 'bad_amount'],
    ['-20.01', 'more_than_worth'],
    ['1.001', 'bad_amount'],
    ['lots', 'bad_amount'],
    ['900000000000000', 'bad_amount'],
  ])('cannot adjust by %s', async (amount, code) => {
    const { id } = await sold()
    await expect(adminDoes('adjust', id, { amount })).rejects.toMatchObject({ code })
    expect(await trade.balances(ada)).toEqual({ pending: 2_000n })
  })

  test.each([
    ['pending', async () => {}, {}],
    ['payable', released, {}],
    ['paid', () => released().then(() => payFor(house, ada)), { paid: 2_000n, clawback_debt: 2_000n }],
  ])('voids what is %s for good', async (_, meanwhile, balances) => {
    const { id, payment } = await sold()
    await meanwhile()
    expect(await adminDoes('void', id, { kind: 'duplicate' })).toContain('counted twice')
    expect(await trade.balances(ada)).toEqual(balances)
    await changed(payment, { refunded: 5_000n })
    await changed(payment, { refunded: 0n })
    expect(await trade.balances(ada)).toEqual(balances)
    await expect(adminDoes('void', id)).rejects.toMatchObject({ code: 'voided' })
    await expect(adminDoes('adjust', id, { amount: '5' })).rejects.toMatchObject({ code: 'voided' })
    expect(await tells()).toContain('it was counted twice')
    expect(await trade.findings()).toEqual([])
  })

  test('who presses twice at once voids once', async () => {
    const { id } = await sold()
    const answers = await Promise.allSettled([adminDoes('void', id), adminDoes('void', id), adminDoes('void', id)])
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await trade.balances(ada)).toEqual({})
  })

  test('of another program finds no commission', async () => {
    const { id } = await sold()
    const other = { ...house.program, id: ada.id }
    const visit = house.run('admin commissions void', { commission: id, reason: 'mine now' }, { ...boss, program: other })
    await expect(visit).rejects.toMatchObject({ code: 'unknown_commission' })
  })

  test.each(['adjust', 'void', 'hold-one', 'release-one'])(
    'who types a name to %s and chooses nothing of what is suggested is told to',
    async (command) => {
      const options = command === 'adjust' ? { amount: '5' } : {}
      for (const typed of ['Ada', '-'.repeat(36)])
        await expect(adminDoes(command, typed, options)).rejects.toMatchObject({ code: 'unknown_commission' })
    },
  )

  test('finds commissions by the partner’s name while typing', async () => {
    const { id } = await sold()
    const command = house.loaded.commands.find(({ path }) => path === 'admin commissions void')!
    const option = command.options.commission as unknown as {
      suggest: (ctx: unknown, typed: string) => Promise<{ name: string; value: string }[]>
    }
    const found = await option.suggest({ program: house.program }, ada.username.replace('partner', 'partner '))
    expect(found).toContainEqual({ name: expect.stringContaining('$20.00 pending'), value: id })
    expect(await option.suggest({ program: house.program }, 'nobody of that name')).toEqual([])
  })
})
