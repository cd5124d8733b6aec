// The board of a month, from real sales: what counts, who is listed, when it is posted, and when it is final.
import { and, eq, isNull } from 'drizzle-orm'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import type { Message } from '../../commands/messages.ts'
import { messages, outbox } from '../../db/tables.ts'
import { attribution } from '../attribution/plugin.ts'
import { type CanonicalPayment, touchSource } from '../attribution/public.ts'
import { definePlugin, extend, hours, memberJoined, memberLeft, minutes, newId } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { drawBoard, pauseAfterSale } from './listeners.ts'
import { leaderboards } from './plugin.ts'
import { leaderboardMetric } from './public.ts'

/** A click id names the partner and the time of the click; and there is a second metric. */
const stand = definePlugin({
  id: 'stand',
  title: 'Stand-in',
  summary: 'Knows whose click it was.',
  requires: [leaderboards],
  setup: () => ({
    extends: [
      extend(touchSource, {
        kind: 'click' as const,
        find: async (_reader, _program, { clickId = '' }) => {
          const [partnerId, at] = clickId.split(' ')
          return partnerId && at ? [{ kind: 'click' as const, partnerId, at: new Date(at), reference: clickId }] : []
        },
      }),
      extend(leaderboardMetric, {
        id: 'stand.waves',
        title: 'Waves',
        unit: { one: 'wave', many: 'waves' },
        counts: () => 'Every wave counts.',
        scores: async () => waving.map((partnerId) => ({ partnerId, score: 2n, reachedAt: new Date(0) })),
      }),
    ],
  }),
})
let waving: string[] = []

let house: TestHouse
let count = 0
beforeEach(async () => {
  house = await testHouse([stand, leaderboards, attribution, partners, notifications], { now: '2026-11-10T09:00:00Z' })
})
afterEach(() => house.close())

interface APartner {
  id: string
  userId: string
}
async function aPartner(status = 'active'): Promise<APartner> {
  const number = ++count
  const id = newId(house.clock.now())
  const userId = `1${String(number).padStart(17, '0')}`
  await house.connection.sql`
    insert into partners_partners (id, program_id, user_id, name, email, industry, status, verified_at, activated_at)
    values (${id}, ${house.program.id}, ${userId}, 'A Partner', ${`p${number}@example.com`}, 'saas', ${status}, now(), now())`
  return { id, userId }
}

const clickOf = ({ id }: APartner, paidAt: Date) => `${id} ${new Date(paidAt.getTime() - minutes(5)).toISOString()}`
const payment = (partner: APartner, gross: bigint, given: Partial<CanonicalPayment> = {}): CanonicalPayment => ({
  programId: house.program.id,
  provider: 'stripe',
  paymentKey: `pi_${++count}`,
  gross,
  tax: 0n,
  shipping: 0n,
  currency: 'USD',
  refunded: 0n,
  dispute: 'none',
  customer: { key: `cus_${count}`, emailHash: undefined, country: undefined },
  hints: { clickId: clickOf(partner, given.paidAt ?? house.clock.now()) },
  product: undefined,
  paidAt: house.clock.now(),
  ...given,
})
/** Delivers what is due now and draws the boards that the sales in it asked for. */
async function settle(): Promise<void> {
  await house.drain()
  house.clock.advance(pauseAfterSale)
  await house.drain()
}
const book = (given: CanonicalPayment) => house.db.transaction((tx) => house.use(attribution).recordPayment(tx, given))
async function record(given: CanonicalPayment): Promise<CanonicalPayment> {
  await book(given)
  await settle()
  return given
}
const sell = (partner: APartner, gross: bigint, given: Partial<CanonicalPayment> = {}) => record(payment(partner, gross, given))

const postedRow = async (month = '2026-11') =>
  (
    await house.db
      .select()
      .from(messages)
      .where(and(eq(messages.programId, house.program.id), eq(messages.key, `leaderboards:${month}`)))
  )[0]
const posted = async (month?: string) => {
  const row = await postedRow(month)
  return row ? wordsOf(row.payload as unknown as Message) : ''
}
const waitingDraws = () =>
  house.db
    .select()
    .from(outbox)
    .where(and(eq(outbox.name, drawBoard.name), isNull(outbox.doneAt)))
const hourly = async () => {
  await house.tick('leaderboards.draw_open_boards')
  await house.drain()
}
const show = async (visitor: APartner, period?: 'this-month' | 'last-month') =>
  wordsOf(await house.run('leaderboard show', { period }, visitor))

describe('the posted board', () => {
  test('appears with the first sale and follows every later one, as one message', async () => {
    const [ada, grace] = [await aPartner(), await aPartner()]
    await sell(ada, 10_000n)
    expect(await posted()).toContain(`🥇 <@${ada.userId}> · **$100.00**`)
    await sell(grace, 15_050n)
    await sell(ada, 2_000n)
    expect(await posted()).toContain(`🥇 <@${grace.userId}> · **$150.50**\n🥈 <@${ada.userId}> · **$120.00**`)
    const rows = await house.db.select().from(messages)
    expect(rows.map((row) => [row.key, row.target])).toEqual([['leaderboards:2026-11', 'channels:leaderboard']])
  })

  test.each<[string, Partial<CanonicalPayment>, string]>([
    ['a partial refund lowers the figure', { refunded: 2_500n }, '**$75.00**'],
    ['a full refund takes the partner off', { refunded: 10_000n }, 'Nobody is on the board yet'],
    ['a lost dispute takes the partner off', { dispute: 'lost' }, 'Nobody is on the board yet'],
    ['an open dispute changes nothing yet', { dispute: 'open' }, '**$100.00**'],
  ])('%s', async (_, change, expected) => {
    const sale = await sell(await aPartner(), 10_000n)
    await record({ ...sale, ...change })
    expect(await posted()).toContain(expected)
  })

  test('a refund that is taken back raises the figure again', async () => {
    const sale = await sell(await aPartner(), 10_000n)
    await record({ ...sale, refunded: 10_000n })
    await record({ ...sale, refunded: 1_000n })
    expect(await posted()).toContain('**$90.00**')
  })

  test('a sale that finds its partner later counts then', async () => {
    const ada = await aPartner()
    const sale = await sell(ada, 10_000n, { hints: {} })
    expect(await posted()).toBe('')
    await record({ ...sale, hints: { clickId: clickOf(ada, sale.paidAt) } })
    expect(await posted()).toContain(`<@${ada.userId}>`)
  })

  test('is drawn once for all sales of a moment, and the last of them is on it', async () => {
    const ada = await aPartner()
    await sell(ada, 1_000n)
    const { revision } = (await postedRow())!
    for (let i = 0; i < 5; i++) {
      await book(payment(ada, 1_000n))
      await house.drain()
    }
    await book(payment(ada, 50n))
    house.clock.advance(pauseAfterSale - 1)
    await house.drain()
    expect(await posted()).toContain('**$10.00**')
    expect(await waitingDraws()).toHaveLength(1)
    house.clock.advance(1)
    await house.drain()
    expect(await posted()).toContain('**$60.50**')
    expect((await postedRow())!.revision).toBe(revision + 1)
    expect(await waitingDraws()).toEqual([])
  })

  test('loses what a sale gave it when the sale is taken from its partner', async () => {
    const ada = await aPartner()
    const { saleId } = await book(payment(ada, 1_000n))
    await settle()
    const override = { id: newId(), proposedBy: '1', approvedBy: '2', reason: 'bought by the company itself' }
    await house.db.transaction((tx) => house.use(attribution).reassign(tx, house.program.id, saleId, null, override))
    await settle()
    expect(await posted()).toContain('Nobody is on the board yet')
  })

  test('another currency is neither added nor converted, and the board says so', async () => {
    const ada = await aPartner()
    await sell(ada, 10_000n)
    await sell(ada, 99_000n, { currency: 'EUR' })
    expect(await posted()).toContain('**$100.00**')
    expect(await posted()).toContain('Sales in USD after refunds; other currencies are not counted.')
  })

  test('nothing that changes nothing edits the message', async () => {
    await sell(await aPartner(), 10_000n)
    const before = await postedRow()
    house.clock.advance(hours(3))
    await hourly()
    expect((await postedRow())?.revision).toBe(before?.revision)
  })

  test('an empty month says so kindly and lists nobody', async () => {
    await aPartner()
    await hourly()
    expect(await posted()).toContain('Nobody is on the board yet. The first sale of the month takes the lead.')
    expect(await posted()).not.toContain('<@')
  })

  test('shows as many places as the settings say, and how many more there are', async () => {
    await house.set('leaderboards', 'places', 3)
    for (const gross of [500n, 400n, 300n, 200n, 100n]) await sell(await aPartner(), gross)
    expect((await posted()).match(/<@/g)).toHaveLength(3)
    expect(await posted()).toContain('and 2 more')
  })

  test('leaves figures out when the settings say so', async () => {
    await house.set('leaderboards', 'showScores', false)
    await sell(await aPartner(), 10_000n)
    expect(await posted()).not.toContain('$')
  })

  test('can be drawn by an admin at any time', async () => {
    const answer = await house.run('admin leaderboards post', {}, { isAdmin: true })
    expect(wordsOf(answer)).toContain('Run `/admin setup` to create it')
    expect(await posted()).toContain('November 2026')
  })

  test('competes in another metric when an admin chooses one, from the next month on', async () => {
    const ada = await aPartner()
    waving = [ada.id]
    await sell(ada, 10_000n)
    await house.set('leaderboards', 'metric', 'stand.waves')
    await hourly()
    expect(await posted()).toContain('**$100.00**')
    house.clock.set('2026-12-05T00:00:00Z')
    await hourly()
    expect(await posted('2026-12')).toContain('🏆 Waves · December 2026')
    expect(await posted('2026-12')).toContain('**2 waves**')
  })
})

describe('who is listed', () => {
  test('who opts out disappears at once and returns when they opt in', async () => {
    const ada = await aPartner()
    await sell(ada, 10_000n)
    await house.run('leaderboard opt-out', {}, ada)
    await house.drain()
    expect(await posted()).not.toContain('<@')
    expect(await show(ada)).toContain('You have asked not to be listed')
    await expect(house.run('leaderboard opt-out', {}, ada)).rejects.toThrow('not on the leaderboard already')
    await house.run('leaderboard opt-in', {}, ada)
    await house.drain()
    expect(await posted()).toContain(`<@${ada.userId}>`)
    await expect(house.run('leaderboard opt-in', {}, ada)).rejects.toThrow('on the leaderboard already')
  })

  test('staff do not compete, and take no rank from others', async () => {
    const [staff, ada] = [await aPartner(), await aPartner()]
    await sell(staff, 90_000n)
    await sell(ada, 10_000n)
    await house.set('leaderboards', 'staff', [staff.userId])
    await hourly()
    expect(await posted()).toContain(`🥇 <@${ada.userId}>`)
    expect(await posted()).not.toContain(staff.userId)
  })

  test('a partner who leaves the server drops out, and is back when they return', async () => {
    const ada = await aPartner()
    await sell(ada, 10_000n)
    await house.db.transaction((tx) => house.emit(tx, memberLeft, { programId: house.program.id, userId: ada.userId }))
    await house.drain()
    expect(await posted()).not.toContain('<@')
    await house.db.transaction((tx) =>
      house.emit(tx, memberJoined, { programId: house.program.id, userId: ada.userId, username: 'ada' }),
    )
    await house.drain()
    expect(await posted()).toContain('**$100.00**')
  })

  test('a partner who is suspended drops out', async () => {
    const ada = await aPartner()
    await sell(ada, 10_000n)
    await house.connection.sql`update partners_partners set status = 'suspended' where id = ${ada.id}`
    await hourly()
    expect(await posted()).not.toContain('<@')
  })

  test('another program’s sales are not on the board', async () => {
    const ada = await aPartner()
    await sell(ada, 10_000n)
    await house.connection.sql`insert into core_programs (id, name, guild_id) values (${newId()}, 'Other', '900000000000000002')`
    await hourly()
    const rows = await house.db.select().from(messages)
    expect(rows).toHaveLength(2)
    const other = rows.find((row) => row.programId !== house.program.id)!
    expect(wordsOf(other.payload as unknown as Message)).toContain('Nobody is on the board yet')
  })
})

describe('a month', () => {
  test('begins and ends at midnight where the program is', async () => {
    await house.connection.sql`update core_programs set time_zone = 'America/Los_Angeles'`
    house.clock.set('2026-11-30T12:00:00Z')
    const ada = await aPartner()
    await sell(ada, 100n, { paidAt: new Date('2026-11-01T06:59:59.999Z') })
    await sell(ada, 1_000n, { paidAt: new Date('2026-11-01T07:00:00.000Z') })
    await sell(ada, 10_000n, { paidAt: new Date('2026-12-01T07:59:59.999Z') })
    await sell(ada, 100_000n, { paidAt: new Date('2026-12-01T08:00:00.000Z') })
    expect(await posted()).toContain('**$110.00**')
  })

  test('still counts late sales and refunds in its grace, then is final', async () => {
    const [ada, grace] = [await aPartner(), await aPartner()]
    const sale = await sell(ada, 10_000n)
    house.clock.set('2026-12-01T10:00:00Z')
    await sell(grace, 5_000n, { paidAt: new Date('2026-11-30T23:59:59Z') })
    await hourly()
    expect(await posted()).toContain('The month is over. What is still on its way counts until')
    await record({ ...sale, refunded: 8_000n })
    expect(await posted()).toContain(`🥇 <@${grace.userId}> · **$50.00**`)
    house.clock.set('2026-12-02T00:00:00Z')
    await hourly()
    const final = await posted()
    expect(final).toContain('November 2026 · final')
    await record({ ...sale, refunded: 0n })
    await sell(ada, 70_000n, { paidAt: new Date('2026-11-15T00:00:00Z') })
    await house.connection.sql`update partners_partners set status = 'suspended' where id = ${grace.id}`
    await hourly()
    expect(await posted()).toBe(final)
    expect(await show(ada, 'last-month')).toContain(`You are number **2** with **$20.00**`)
  })

  test('that ended while the house was away is frozen when it is back', async () => {
    const ada = await aPartner()
    await sell(ada, 10_000n)
    house.clock.set('2027-02-14T00:00:00Z')
    await hourly()
    expect(await posted('2026-11')).toContain('final')
    expect(await posted('2027-02')).toContain('February 2027')
  })

  test('of ten thousand partners is frozen with all of them', async () => {
    await house.set('leaderboards', 'metric', 'stand.waves')
    const made = await house.connection.sql`
      insert into partners_partners (id, program_id, user_id, name, email, industry, status, verified_at, activated_at)
      select gen_random_uuid(), ${house.program.id}, (300000000000000000 + n)::text, 'A Partner', n || '@many.example', 'saas', 'active', now(), now()
      from generate_series(1, 10000) n returning id`
    waving = made.map(({ id }) => id)
    await hourly()
    house.clock.set('2026-12-05T00:00:00Z')
    await hourly()
    expect(await posted('2026-11')).toContain('final')
    const [kept] = await house.connection.sql`select count(*)::integer, max(position) from leaderboards_results`
    expect(kept).toEqual({ count: 10_000, max: 10_000 })
  })

  test('without any sale is frozen, too, and says so', async () => {
    await hourly()
    house.clock.set('2026-12-03T00:00:00Z')
    await hourly()
    expect(await posted()).toContain('Nobody made it onto the board this month')
  })

  test('of long ago gets no board when its sales are imported', async () => {
    await sell(await aPartner(), 10_000n, { paidAt: new Date('2025-03-01T00:00:00Z') })
    expect(await posted('2025-03')).toBe('')
  })

  test('that is final cannot be written over in the database', async () => {
    await sell(await aPartner(), 10_000n)
    house.clock.set('2026-12-03T00:00:00Z')
    await hourly()
    await expect(house.connection.sql`update leaderboards_results set score = 1`).rejects.toThrow('is final')
    await expect(house.connection.sql`update leaderboards_months set frozen_at = null`).rejects.toThrow('is final')
  })

  test('that is final keeps the place of someone who opts out later, without the name', async () => {
    const ada = await aPartner()
    await sell(ada, 10_000n)
    house.clock.set('2026-12-03T00:00:00Z')
    await hourly()
    await house.run('leaderboard opt-out', {}, ada)
    const grace = await aPartner()
    expect(await show(grace, 'last-month')).toContain('🥇 a partner who would rather not be named')
  })

  test('two draws at the same time freeze it once', async () => {
    await sell(await aPartner(), 10_000n)
    house.clock.set('2026-12-03T00:00:00Z')
    await Promise.all([1, 2, 3].map(() => house.run('admin leaderboards post', {}, { isAdmin: true })))
    await hourly()
    await hourly()
    const [row] = await house.connection.sql<{ count: number }[]>`select count(*)::int from leaderboards_results`
    expect(row!.count).toBe(1)
  })
})

describe('/leaderboard show', () => {
  test('tells the reader their own place, even below what is shown', async () => {
    await house.set('leaderboards', 'places', 3)
    for (const gross of [500n, 400n, 300n]) await sell(await aPartner(), gross)
    const ada = await aPartner()
    await sell(ada, 100n)
    expect(await show(ada)).toContain('You are number **4** with **$1.00**.')
    expect(await show(await aPartner())).toContain('You are not on the board yet')
    expect(await show(ada, 'last-month')).toContain('October 2026')
  })

  test('is for active partners', async () => {
    await expect(house.run('leaderboard show', {}, { userId: '100000000000099999' })).rejects.toThrow()
  })
})

test('what is stored about a person is exported and erased', async () => {
  const ada = await aPartner()
  await sell(ada, 10_000n)
  house.clock.set('2026-12-03T00:00:00Z')
  await hourly()
  await house.run('leaderboard opt-out', {}, ada)
  const stored = () => leaderboards.data!.exportPartner!(house.db, house.program.id, ada.userId)
  expect(await stored()).toMatchObject({ hidden: [{ userId: ada.userId }], results: [{ rank: 1, score: 10_000n }] })
  await house.db.transaction((tx) => leaderboards.data!.deletePartner!(tx, house.program.id, ada.userId))
  expect(await stored()).toEqual({ hidden: [], results: [] })
})
