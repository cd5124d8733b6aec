import { fc, test } from '@fast-check/vitest'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import { saleRecorded, saleRefunded } from '../attribution/events.ts'
import { attribution } from '../attribution/plugin.ts'
import type { CanonicalPayment } from '../attribution/public.ts'
import { days, definePlugin, memberJoined, memberLeft, on } from '../kit/index.ts'
import { ledger } from '../ledger/plugin.ts'
import { commissionAccrued, commissionAdjusted, commissionPayable } from './events.ts'
import { commissions } from './plugin.ts'
import type { Commission } from './public.ts'
import { earningPlugins, payFor, type TestPartner, type Trade, tradeIn } from './testing.ts'

const heard: string[] = []
const ear = definePlugin({
  id: 'ear',
  title: 'Ear',
  summary: 'Hears what happens, for a test.',
  setup: () => ({
    listeners: [
      on(commissionAccrued, 'ear.accrued', async (_, { amount }) => void heard.push(`accrued ${amount}`)),
      on(commissionAdjusted, 'ear.adjusted', async (_, { change, reason }) => void heard.push(`${reason} ${change}`)),
      on(commissionPayable, 'ear.payable', async (_, { amount }) => void heard.push(`payable ${amount}`)),
    ],
  }),
})

let house: TestHouse
let trade: Trade
let ada: TestPartner
beforeAll(async () => {
  house = await testHouse([...earningPlugins, ear])
  trade = tradeIn(house)
})
beforeEach(async () => {
  await house.set('commissions', 'holdDays', 30)
  ada = await trade.aPartner()
  await house.drain()
  heard.length = 0
})
afterAll(() => house.close())

const ofPartner = (partner = ada): Promise<Commission[]> => house.use(commissions).ofPartner(house.db, house.program.id, partner.id)
async function sold(change: Partial<CanonicalPayment> = {}, partner: TestPartner | undefined = ada): Promise<CanonicalPayment> {
  const payment = trade.aPayment(partner, change)
  await trade.record(payment)
  await house.drain()
  return payment
}
async function changed(payment: CanonicalPayment, change: Partial<CanonicalPayment>): Promise<CanonicalPayment> {
  const now = { ...payment, ...change }
  await trade.record(now)
  await house.drain()
  return now
}
async function released(): Promise<void> {
  house.clock.advance(days(31))
  await house.tick('commissions.release')
  await house.drain()
}
const booksOf = (partner: { id: string }) => ({ programId: house.program.id, partnerId: partner.id, currency: 'USD' })
const pay = (partner = ada, until: 'in_payout' | 'paid' | 'returned' = 'paid') => payFor(house, partner, until)
const tells = async (partner = ada) =>
  (await house.connection.sql`select message from notifications_tells where user_id = ${partner.userId} order by created_at`)
    .map(({ message }) => wordsOf(message))
    .join('\n')

describe('a sale through a partner', () => {
  test('earns a fifth of it, pending for 30 days from the payment, and the partner is told', async () => {
    const { paidAt } = await sold({ gross: 12_000n, tax: 2_000n })
    expect(await ofPartner()).toMatchObject([
      {
        amount: 2_000n,
        due: 2_000n,
        state: 'pending',
        reason: null,
        basis: 10_000n,
        ratePpm: 200_000n,
        holdUntil: new Date(paidAt.getTime() + days(30)),
      },
    ])
    expect(await trade.balances(ada)).toEqual({ pending: 2_000n })
    expect(heard).toEqual(['accrued 2000'])
    expect(await tells()).toContain('You earned $20.00')
    expect(await trade.findings()).toEqual([])
  })

  test('told again and again, in any number of deliveries, it is one commission', async () => {
    const payment = trade.aPayment(ada)
    const saleId = await trade.record(payment)
    for (let i = 0; i < 5; i++) await trade.record(payment)
    const told = { programId: house.program.id, saleId, partnerId: ada.id, customerId: saleId, currency: 'USD' }
    await house.db.transaction(async (tx) => {
      for (let i = 0; i < 3; i++) {
        await house.emit(tx, saleRecorded, {
          ...told,
          gross: 1n,
          basis: 1n,
          product: null,
          sequence: null,
          firstOfCustomer: true,
          paidAt: house.clock.now(),
        })
        await house.emit(tx, saleRefunded, { ...told, refundedTotal: 9_999n })
      }
    })
    await house.drain()
    expect(await ofPartner()).toMatchObject([{ amount: 2_000n, state: 'pending' }])
    expect(heard).toEqual(['accrued 2000'])
    expect(await trade.findings()).toEqual([])
  })

  test('without a partner earns nothing, and earns when it gets one', async () => {
    const payment = await sold({}, await trade.aPartner())
    expect(await ofPartner()).toEqual([])
    const orphan = trade.aPayment(undefined)
    await trade.record(orphan)
    await house.drain()
    await changed(orphan, { hints: { clickId: ada.id } })
    expect(await ofPartner()).toMatchObject([{ amount: 2_000n, state: 'pending' }])
    expect(payment.hints).not.toEqual({})
  })

  test('that came in before the partner left is theirs, however late it is booked', async () => {
    const late = await trade.aPartner()
    await trade.record(trade.aPayment(late))
    await house.connection.sql`update partners_partners set status = 'left', status_before_left = 'active' where id = ${late.id}`
    await house.drain()
    expect(await trade.balances(late)).toEqual({ pending: 2_000n })
  })

  test('that was refunded before anybody heard of it earns what is left', async () => {
    const payment = trade.aPayment(ada)
    await trade.record(payment)
    await trade.record({ ...payment, refunded: 2_500n })
    await house.drain()
    expect(await ofPartner()).toMatchObject([{ amount: 1_500n, state: 'pending', reason: 'refund_partial' }])
    expect(heard).toEqual(['accrued 1500'])
  })

  test('that was refunded in full before is voided, and nobody is congratulated', async () => {
    await sold({ refunded: 10_000n })
    expect(await ofPartner()).toMatchObject([{ amount: 0n, state: 'voided', reason: 'refund_full' }])
    expect(await trade.balances(ada)).toEqual({})
    expect(heard).toEqual([])
    expect(await tells()).not.toContain('earned')
  })

  test('in another currency has books of its own', async () => {
    await sold({ currency: 'JPY', gross: 1_003n })
    await sold()
    expect(await trade.balances(ada, 'JPY')).toEqual({ pending: 201n })
    expect(await trade.balances(ada)).toEqual({ pending: 2_000n })
    expect(wordsOf(await house.run('earnings show', {}, ada))).toContain('¥201')
  })

  test('of someone who has not signed is held, and released by signing', async () => {
    const late = await trade.aPartner({ signed: false })
    await sold({}, late)
    expect(await ofPartner(late)).toMatchObject([{ amount: 2_000n, state: 'held', reason: 'agreement_unsigned' }])
    expect(await trade.balances(late)).toEqual({ held: 2_000n })
    expect(await tells(late)).toContain('agreement is not signed')
    await released()
    expect(await trade.balances(late)).toEqual({ held: 2_000n })
    await trade.sign(late)
    expect(await ofPartner(late)).toMatchObject([{ state: 'pending', reason: null }])
    await released()
    expect(await trade.balances(late)).toEqual({ payable: 2_000n })
    expect(await trade.findings()).toEqual([])
  })
})

describe('the stamp', () => {
  test('a later rate counts for later sales only, as a new version of the rule', async () => {
    const first = await sold()
    await house.set('commissions', 'ratePercent', '12.5')
    house.clock.advance(1)
    await sold()
    await house.set('commissions', 'ratePercent', '20')
    await changed(first, { refunded: 5_000n })
    const [before, after] = await ofPartner()
    expect(before).toMatchObject({ amount: 1_000n, ratePpm: 200_000n })
    expect(after).toMatchObject({ amount: 1_250n, ratePpm: 125_000n })
    const versions = await house.connection
      .sql`select distinct rule_version from commissions_commissions where partner_id = ${ada.id}`
    expect(versions).toHaveLength(2)
  })

  test('a later hold does not touch what is pending, unless an admin says so and why', async () => {
    await sold()
    const boss = { isAdmin: true, userId: '1' }
    expect(wordsOf(await house.run('admin commissions hold', { days: 0 }, boss))).toContain('payable right away')
    await house.tick('commissions.release')
    expect(await ofPartner()).toMatchObject([{ state: 'pending' }])
    const answer = await house.run('admin commissions hold', { days: 0, apply_to_pending: true, reason: 'Launch week' }, boss)
    expect(wordsOf(answer)).toMatch(/\d+ pending commissions? ha(s|ve) a new date/)
    await house.drain()
    expect(await ofPartner()).toMatchObject([{ state: 'payable' }])
    expect(await trade.balances(ada)).toEqual({ payable: 2_000n })
    const [last] = await house.connection
      .sql`select detail from core_audit where action = 'commissions.hold' order by id desc limit 1`
    expect(last!.detail).toMatchObject({ days: 0, applyToPending: true, note: 'Launch week' })
    const [note] = await house.connection
      .sql`select actor, note from commissions_changes where note is not null order by id desc limit 1`
    expect(note).toEqual({ actor: '1', note: 'Launch week' })
  })

  test('a hold that is set anew leaves alone what is being released at that moment', async () => {
    await sold()
    const [{ holdUntil }] = (await ofPartner()) as [Commission]
    house.clock.advance(days(31))
    const { sql: query } = house.connection
    const areWaiting = (count: number) =>
      expect
        .poll(() => query`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)
        .toHaveLength(count)
    let both: Promise<unknown> | undefined
    await query.begin(async (tx) => {
      await tx`lock table agreements_signatures in access exclusive mode`
      // What is due has been read, and whether its partner has signed is not known yet.
      const release = house.tick('commissions.release')
      await areWaiting(1)
      const change = house.run('admin commissions hold', { days: 90, apply_to_pending: true }, { isAdmin: true, userId: '1' })
      await Promise.race([change, areWaiting(2)])
      both = Promise.all([release, change])
    })
    await both
    expect(await ofPartner()).toMatchObject([{ state: 'payable', holdUntil }])
  })

  test.each(['101', '-1', 'a lot', '12.34567'])('a rate of “%s” is refused', async (rate) => {
    await expect(house.set('commissions', 'ratePercent', rate)).rejects.toMatchObject({ code: 'bad_setting' })
  })
})

describe('the hold', () => {
  test('is over on the day, not before, and is told once', async () => {
    await sold()
    house.clock.advance(days(30) - 1)
    await house.tick('commissions.release')
    expect(await ofPartner()).toMatchObject([{ state: 'pending' }])
    house.clock.advance(1)
    await Promise.all([house.tick('commissions.release'), house.tick('commissions.release'), house.tick('commissions.release')])
    await house.drain()
    expect(await ofPartner()).toMatchObject([{ state: 'payable' }])
    expect(heard).toEqual(['accrued 2000', 'payable 2000'])
    expect(await trade.balances(ada)).toEqual({ payable: 2_000n })
  })

  test('goes on for someone who was suspended meanwhile', async () => {
    await sold()
    await house.connection.sql`update partners_partners set status = 'suspended' where id = ${ada.id}`
    await released()
    expect(await ofPartner()).toMatchObject([{ state: 'held', reason: 'ineligible_status' }])
    expect(await trade.findings()).toEqual([])
  })
})

describe('what is held of a suspended partner', () => {
  const happen = async (event: typeof memberLeft | typeof memberJoined) => {
    const who = { programId: house.program.id, userId: ada.userId, username: ada.username }
    await house.db.transaction((tx) => house.emit(tx, event as typeof memberJoined, who))
    await house.drain()
  }
  const heldSince = async () => {
    await sold()
    await house.connection.sql`update partners_partners set status = 'suspended' where id = ${ada.id}`
    await released()
  }
  const held = { state: 'held', reason: 'ineligible_status' }

  test('stays so when they leave, and when they come back', async () => {
    await heldSince()
    for (const event of [memberLeft, memberJoined]) {
      await happen(event)
      await released()
      expect(await ofPartner()).toMatchObject([held])
    }
  })

  test('becomes payable when they come back and are active again', async () => {
    await heldSince()
    await happen(memberLeft)
    await house.connection.sql`update partners_partners set status_before_left = 'active' where id = ${ada.id}`
    await released()
    expect(await ofPartner()).toMatchObject([held])
    await happen(memberJoined)
    await released()
    expect(await ofPartner()).toMatchObject([{ state: 'payable' }])
    expect(await trade.balances(ada)).toEqual({ payable: 2_000n })
    expect(await trade.findings()).toEqual([])
  })
})

describe('what is held of a partner who did not sign what is newer', () => {
  const leaves = async (partner = ada) => {
    const who = { programId: house.program.id, userId: partner.userId, username: partner.username }
    await house.db.transaction((tx) => house.emit(tx, memberLeft, who))
    await house.drain()
  }
  const unsign = async () => {
    await house.connection.sql`alter table agreements_signatures disable trigger user`
    await house.connection.sql`delete from agreements_signatures where partner_id = ${ada.id}`
    await house.connection.sql`alter table agreements_signatures enable trigger user`
  }

  test('is theirs when they leave, as far as they earned it while they had signed', async () => {
    await sold()
    await unsign()
    await sold({ gross: 5_000n })
    await released()
    expect(await trade.balances(ada)).toEqual({ held: 3_000n })
    await leaves()
    await released()
    expect(await trade.balances(ada)).toEqual({ held: 1_000n, payable: 2_000n })
    expect(await trade.findings()).toEqual([])
  })

  test('of someone who had never signed stays held when they leave', async () => {
    const late = await trade.aPartner({ signed: false })
    await sold({}, late)
    await leaves(late)
    await released()
    expect(await trade.balances(late)).toEqual({ held: 2_000n })
  })
})

describe('refunds and disputes', () => {
  test.each([
    ['while pending', async () => {}, { pending: 1_500n }],
    ['while payable', released, { payable: 1_500n }],
    [
      'while the payout is on its way',
      () => released().then(() => pay(ada, 'in_payout')),
      { in_flight: 2_000n, clawback_debt: 500n },
    ],
    ['after it was paid', () => released().then(() => pay()), { paid: 2_000n, clawback_debt: 500n }],
  ])('a partial refund %s lowers it by the exact amount', async (_, before, balances) => {
    const payment = await sold()
    await before()
    await changed(payment, { refunded: 2_500n })
    expect((await ofPartner())[0]).toMatchObject({ amount: 1_500n, reason: 'refund_partial' })
    expect(await trade.balances(ada)).toEqual(balances)
    expect(heard).toContain('refund_partial -500')
    expect(await tells()).toContain('$5.00 lower')
    expect(await trade.findings()).toEqual([])
  })

  test('what was paid and refunded is repaid by the next earnings, and nothing is ever below zero', async () => {
    const first = await sold()
    await released()
    await pay()
    await changed(first, { refunded: 10_000n })
    expect(await trade.balances(ada)).toEqual({ paid: 2_000n, clawback_debt: 2_000n })
    expect(wordsOf(await house.run('earnings show', {}, ada))).toContain('Owed back: **$20.00**')
    await sold({ gross: 7_500n })
    expect(await trade.balances(ada)).toEqual({ paid: 2_000n, clawback_debt: 500n })
    await sold({ gross: 5_000n })
    expect(await trade.balances(ada)).toEqual({ paid: 2_000n, pending: 500n })
    await released()
    expect(await trade.balances(ada)).toEqual({ paid: 2_000n, payable: 500n })
    expect((await ofPartner()).map(({ state, amount, due }) => `${state} ${amount} due ${due}`).sort()).toEqual([
      'paid 0 due 2000',
      'paid 1500 due 0',
      'payable 1000 due 500',
    ])
    expect(await trade.findings()).toEqual([])
  })

  test('a payout that comes back pays what was owed meanwhile', async () => {
    const payment = await sold()
    await released()
    await pay(ada, 'in_payout')
    await changed(payment, { refunded: 2_500n })
    const [{ id } = { id: '' }] = await ofPartner()
    await house.db.transaction(async (tx) => {
      await house.use(ledger).post(tx, {
        programId: house.program.id,
        key: `test:back:${id}`,
        reason: 'payout_returned',
        subject: { type: 'payout', id: 'x' },
        entries: [
          { account: { kind: 'in_flight', partnerId: ada.id, currency: 'USD' }, amount: 2_000n },
          { account: { kind: 'payable', partnerId: ada.id, currency: 'USD' }, amount: -2_000n },
        ],
      })
      await house.use(commissions).setState(tx, booksOf(ada), [id], 'payable', 'payout_returned')
    })
    expect(await trade.balances(ada)).toEqual({ payable: 1_500n })
    expect(await ofPartner()).toMatchObject([{ state: 'payable', amount: 1_500n, due: 1_500n }])
    expect(await trade.findings()).toEqual([])
  })

  test('a payout takes along ten thousand commissions, each with its history', async () => {
    const count = 10_000
    await sold()
    const { setState } = house.use(commissions)
    let history: readonly object[] = []
    // Undone, because nothing of it is in the ledger.
    const work = house.db.transaction(async (tx) => {
      const ids = (
        await tx.execute<{ id: string }>(sql`
          insert into commissions_commissions select (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(), 'sale_id', gen_random_uuid(),
            'state', 'payable'))).* from commissions_commissions c, generate_series(1, ${count}) where c.partner_id = ${ada.id} returning id`)
      ).map(({ id }) => id)
      await setState(tx, booksOf(ada), ids, 'in_payout', null)
      await setState(tx, booksOf(ada), ids, 'paid', null)
      history = await tx.execute(sql`
        select h.state, h.change::text, count(*)::integer from commissions_changes h join commissions_commissions c on c.id = h.commission_id
        where c.partner_id = ${ada.id} group by 1, 2 order by 1`)
      tx.rollback()
    })
    await expect(work).rejects.toThrow('Rollback')
    expect(history).toEqual([
      { state: 'in_payout', change: '0', count },
      { state: 'paid', change: '0', count },
      { state: 'pending', change: '2000', count: 1 },
    ])
  })

  test('a payout takes along nothing of another partner', async () => {
    await sold()
    await released()
    const [{ id } = { id: '' }] = await ofPartner()
    const other = await trade.aPartner()
    const taken = house.db.transaction((tx) => house.use(commissions).setState(tx, booksOf(other), [id], 'in_payout', null))
    await expect(taken).rejects.toThrow('not in these books')
    expect(await ofPartner()).toMatchObject([{ state: 'payable' }])
  })

  test('of a payout that comes back, what is disputed repays nothing, although it was earned first', async () => {
    const refunded = await sold()
    house.clock.advance(1_000)
    // Told late: the last in the table, and the first to repay a debt if nothing held it.
    const disputed = await sold({ paidAt: new Date(refunded.paidAt.getTime() - 5_000) })
    await released()
    await pay(ada, 'in_payout')
    await changed(disputed, { dispute: 'open' })
    await changed(refunded, { refunded: 5_000n })
    const ids = (await ofPartner()).map(({ id }) => id)
    await house.db.transaction(async (tx) => {
      await house.use(ledger).post(tx, {
        programId: house.program.id,
        key: `test:back:${ids[0]}`,
        reason: 'payout_returned',
        subject: { type: 'payout', id: 'x' },
        entries: [
          { account: { kind: 'in_flight', partnerId: ada.id, currency: 'USD' }, amount: 4_000n },
          { account: { kind: 'payable', partnerId: ada.id, currency: 'USD' }, amount: -4_000n },
        ],
      })
      await house.use(commissions).setState(tx, booksOf(ada), ids, 'payable', 'payout_returned')
    })
    expect(await trade.balances(ada)).toEqual({ held: 2_000n, payable: 1_000n })
    expect(await trade.findings()).toEqual([])
  })

  test('a refund that was taken back after the debt was repaid earns anew', async () => {
    const first = await sold()
    await released()
    await pay()
    await changed(first, { refunded: 10_000n })
    await sold()
    await changed(first, { refunded: 0n })
    expect(await trade.balances(ada)).toEqual({ paid: 2_000n, pending: 2_000n })
    await released()
    await pay()
    expect(await trade.balances(ada)).toEqual({ paid: 4_000n })
    expect(await trade.findings()).toEqual([])
  })

  test.each([
    ['won', { pending: 2_000n }, 'pending'],
    ['lost', {}, 'voided'],
  ] as const)('an open dispute holds the commission until it is %s', async (outcome, balances, state) => {
    const payment = await changed(await sold(), { dispute: 'open' })
    expect(await ofPartner()).toMatchObject([{ state: 'held', reason: 'dispute_open' }])
    expect(wordsOf(await house.run('earnings show', {}, ada))).toContain('customer disputes the payment')
    await released()
    expect(await trade.balances(ada)).toEqual({ held: 2_000n })
    await changed(payment, { dispute: outcome })
    expect(await ofPartner()).toMatchObject([{ state, reason: `dispute_${outcome}` }])
    expect(await trade.balances(ada)).toEqual(balances)
    expect(await trade.findings()).toEqual([])
  })

  test('a dispute that is lost after the payout becomes debt', async () => {
    const payment = await sold()
    await released()
    await pay()
    const open = await changed(payment, { dispute: 'open' })
    expect(await trade.balances(ada)).toEqual({ paid: 2_000n })
    await changed(open, { dispute: 'lost' })
    expect(await trade.balances(ada)).toEqual({ paid: 2_000n, clawback_debt: 2_000n })
    expect(await trade.findings()).toEqual([])
  })

  const story = fc.array(
    fc.record({
      sale: fc.nat({ max: 2 }),
      refunded: fc.constantFrom(0n, 1n, 2_500n, 3_333n, 9_999n, 10_000n),
      dispute: fc.constantFrom<CanonicalPayment['dispute']>('none', 'open', 'won', 'lost'),
      heardAtOnce: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  )
  const payouts = fc.constantFrom<'none' | 'in_payout' | 'paid' | 'returned'>('none', 'in_payout', 'paid', 'returned')
  test.prop([story, payouts], { numRuns: 8 })(
    'told in any order and number, they give the books that the last facts alone give, and the proof holds after each',
    async (told, payout) => {
      const begin = async () => {
        const partner = await trade.aPartner()
        const payments = [0, 1, 2].map(() => trade.aPayment(partner))
        const saleIds = []
        for (const payment of payments) saleIds.push(await trade.record(payment))
        await house.drain()
        await house.run('admin commissions hold', { days: 0, apply_to_pending: true }, { isAdmin: true })
        await house.drain()
        if (payout !== 'none') await pay(partner, payout)
        return { partner, payments, saleIds }
      }
      const end = async (partner: TestPartner) => {
        await house.drain()
        await house.tick('commissions.release')
        expect(await trade.findings()).toEqual([])
        return trade.balances(partner)
      }

      const one = await begin()
      for (const { sale, refunded, dispute, heardAtOnce } of told) {
        await trade.record({ ...one.payments[sale]!, refunded, dispute })
        if (!heardAtOnce) continue
        await house.drain()
        expect(await trade.findings()).toEqual([])
      }
      const books = await end(one.partner)

      const other = await begin()
      for (const [i, payment] of other.payments.entries()) {
        const { refunded, dispute } = (await house.use(attribution).sale(house.db, house.program.id, one.saleIds[i]!))!
        await trade.record({ ...payment, refunded, dispute })
      }
      expect(books).toEqual(await end(other.partner))
    },
    60_000,
  )
})

describe('many at once', () => {
  test('sixty-four tellings of refunds and disputes of one sale end as the sale ended', async () => {
    const payment = trade.aPayment(ada)
    await trade.record(payment)
    await Promise.all(
      Array.from({ length: 64 }, (_, i) =>
        trade.record({ ...payment, refunded: BigInt(i) * 100n }).then(() => (i % 8 === 0 ? house.drain() : undefined)),
      ),
    )
    await house.drain()
    const [sale] = await house.connection.sql`select refunded from attribution_sales where partner_id = ${ada.id}`
    const [commission] = await ofPartner()
    expect(commission!.amount).toBe(((10_000n - BigInt(sale!.refunded)) * 2n) / 10n)
    expect(await trade.findings()).toEqual([])
  })
})

test('the proof names a commission that says something else than the ledger', async () => {
  await sold()
  const undo = new Error('undo')
  const attempt = house.db.transaction(async (tx) => {
    await tx.execute(sql`update commissions_commissions set amount = amount + 1, due = due + 1 where partner_id = ${ada.id}::uuid`)
    const { findings } = await house.use(ledger).prove(tx, house.program.id)
    expect(findings.map(({ check, detail }) => `${check}: ${detail}`)).toEqual([
      expect.stringMatching(/commissions agrees: pending of .* commissions say 2001, the ledger says 2000/),
      expect.stringMatching(/commissions agrees: commission .* is worth 2001, the ledger booked 2000/),
    ])
    throw undo
  })
  await expect(attempt).rejects.toBe(undo)
})

test('someone who has earned nothing is told how to begin', async () => {
  expect(wordsOf(await house.run('earnings show', {}, ada))).toContain('Nothing earned yet')
})
