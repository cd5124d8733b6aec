// Badges from real sales: earned once, celebrated once, given and taken back by admins.
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import type { Message } from '../../commands/messages.ts'
import { audit, memberRoles, messages } from '../../db/tables.ts'
import { attribution } from '../attribution/plugin.ts'
import { type CanonicalPayment, touchSource } from '../attribution/public.ts'
import { days, definePlugin, extend, newId, on } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { badgeAwarded, badgeRevoked } from './events.ts'
import { badges } from './plugin.ts'
import { badgeRule } from './public.ts'

const heard: string[] = []
/** Facts that no sale announces: who has helped someone. */
const helpers = new Set<string>()
/** A click id is the id of the partner it belongs to; two more badges. */
const stand = definePlugin({
  id: 'stand',
  title: 'Stand-in',
  summary: 'Knows whose click it was.',
  requires: [badges],
  setup: ({ clock }) => {
    return {
      listeners: [
        on(badgeAwarded, 'stand.awarded', async (_tx, { badge, period }) => void heard.push(`awarded ${badge} ${period}`)),
        on(badgeRevoked, 'stand.revoked', async (_tx, { badge, period }) => void heard.push(`revoked ${badge} ${period}`)),
      ],
      extends: [
        extend(touchSource, {
          kind: 'click' as const,
          find: async (_reader, _program, { clickId }) =>
            clickId
              ? [{ kind: 'click' as const, partnerId: clickId, at: new Date(clock.now().getTime() - days(20)), reference: clickId }]
              : [],
        }),
        extend(badgeRule, {
          id: 'stand:helper',
          title: 'Helper',
          description: 'Helped someone.',
          emoji: '🤝',
          period: 'once',
          earned: async (_reader, _program, partnerId) => (helpers.has(partnerId) ? { helped: true } : undefined),
        }),
        extend(badgeRule, {
          id: 'stand:seller',
          title: 'Seller of the month',
          description: 'A sale this month.',
          emoji: '📆',
          period: 'month',
          earned: async (_reader, _program, partnerId, range) =>
            monthlySales.some((sale) => sale.partnerId === partnerId && sale.at >= range.from && sale.at < range.to)
              ? {}
              : undefined,
        }),
      ],
    }
  },
})
const monthlySales: { partnerId: string; at: Date }[] = []

let house: TestHouse
let count = 0
beforeAll(async () => {
  house = await testHouse([stand, badges, attribution, partners, notifications], { now: '2026-11-10T09:00:00Z' })
})
afterAll(() => house.close())
beforeEach(async () => {
  await house.drain()
  heard.length = 0
  monthlySales.length = 0
})

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
async function record(given: CanonicalPayment): Promise<CanonicalPayment> {
  await house.db.transaction((tx) => house.use(attribution).recordPayment(tx, given))
  await house.drain()
  return given
}
const sell = (partner: APartner, given: Partial<CanonicalPayment> = {}) =>
  record({
    programId: house.program.id,
    provider: 'stripe',
    paymentKey: `pi_${++count}`,
    gross: 10_000n,
    tax: 0n,
    shipping: 0n,
    currency: 'USD',
    refunded: 0n,
    dispute: 'none',
    customer: { key: `cus_${count}`, emailHash: undefined, country: undefined },
    hints: { clickId: partner.id },
    product: undefined,
    paidAt: house.clock.now(),
    ...given,
  })

const admin = { userId: '100000000000088888', username: 'root', isAdmin: true }
const command = (path: string, partner: APartner, badge = 'badges:first_sale', reason = 'for the record') =>
  house.run(`admin badges ${path}`, { partner: { id: partner.userId, username: 'x', bot: false }, badge, reason }, admin)
const show = async (partner: APartner) => wordsOf(await house.run('badges show', {}, partner))
const roleOf = async ({ userId }: APartner) => (await house.db.select().from(memberRoles).where(eq(memberRoles.userId, userId)))[0]
const wins = async ({ userId }: APartner) =>
  (await house.db.select().from(messages).where(eq(messages.target, 'channels:wins')))
    .map((row) => wordsOf(row.payload as unknown as Message))
    .filter((words) => words.includes(`<@${userId}>`))
const told = async ({ userId }: APartner) =>
  (await house.db.select().from(messages).where(eq(messages.target, userId))).map((row) =>
    wordsOf(row.payload as unknown as Message),
  )

describe('the first sale', () => {
  test('earns the badge with its role, a celebration without an amount, and a word to the partner; the second earns nothing', async () => {
    const ada = await aPartner()
    await sell(ada)
    expect(await roleOf(ada)).toMatchObject({ roleKey: 'badges:first_sale', wanted: true })
    expect(await wins(ada)).toEqual([`## 🎯 First sale\n<@${ada.userId}> has earned it. Congratulations! 🎉`])
    expect(await told(ada)).toEqual([expect.stringContaining('You have earned a badge: 🎯 First sale')])
    expect(heard).toEqual(['awarded badges:first_sale once'])
    await sell(ada)
    expect(await wins(ada)).toHaveLength(1)
    expect(await told(ada)).toHaveLength(1)
    expect(heard).toHaveLength(1)
  })

  test('of two sales at the same moment one earns it', async () => {
    const ada = await aPartner()
    await Promise.all([sell(ada), sell(ada), sell(ada)])
    expect(heard).toEqual(['awarded badges:first_sale once'])
    expect(await wins(ada)).toHaveLength(1)
  })

  test('that was fully refunded when it was recorded earns nothing; when the refund is taken back, it does', async () => {
    const ada = await aPartner()
    const sale = await sell(ada, { refunded: 10_000n })
    expect(await roleOf(ada)).toBeUndefined()
    await record({ ...sale, refunded: 5_000n })
    expect(await roleOf(ada)).toMatchObject({ wanted: true })
  })

  test('keeps its badge when it is refunded later', async () => {
    const ada = await aPartner()
    const sale = await sell(ada)
    await record({ ...sale, refunded: 10_000n })
    expect(await show(ada)).toContain('🎯 First sale')
    expect(await roleOf(ada)).toMatchObject({ wanted: true })
  })

  test('that finds its partner later earns it then', async () => {
    const ada = await aPartner()
    const sale = await sell(ada, { hints: {} })
    expect(heard).toEqual([])
    await record({ ...sale, hints: { clickId: ada.id } })
    expect(heard).toEqual(['awarded badges:first_sale once'])
  })

  test('is celebrated in silence when the settings say so', async () => {
    await house.set('badges', 'celebrate', false)
    const ada = await aPartner()
    await sell(ada)
    await house.set('badges', 'celebrate', true)
    expect(await wins(ada)).toEqual([])
    expect(await told(ada)).toHaveLength(1)
  })
})

describe('badges of other plugins', () => {
  test('are found by the daily review when no sale announces them', async () => {
    const ada = await aPartner()
    const suspended = await aPartner('suspended')
    helpers.add(ada.id).add(suspended.id)
    await house.tick('badges.review_all')
    await house.drain()
    await house.tick('badges.review_all')
    await house.drain()
    expect(heard).toEqual(['awarded stand:helper once'])
    expect(await roleOf(ada)).toBeUndefined()
  })

  test('that are monthly are earned once each month, in the month of the sale', async () => {
    const ada = await aPartner()
    const sellOn = async (at: string) => {
      house.clock.set(at)
      monthlySales.push({ partnerId: ada.id, at: new Date(at) })
      await sell(ada)
    }
    await sellOn('2026-11-12T00:00:00Z')
    await sellOn('2026-11-30T23:59:59Z')
    await sellOn('2026-12-01T00:00:00Z')
    expect(heard.filter((entry) => entry.includes('seller'))).toEqual([
      'awarded stand:seller 2026-11',
      'awarded stand:seller 2026-12',
    ])
    monthlySales.push({ partnerId: ada.id, at: new Date('2026-10-31T12:00:00Z') })
    await sell(ada, { paidAt: new Date('2026-11-20T12:00:00Z') })
    expect(heard.filter((entry) => entry.includes('seller'))).toHaveLength(2)
    expect(await show(ada)).toContain('📆 Seller of the month** · December 2026')
    house.clock.set('2026-11-10T09:00:00Z')
  })
})

describe('an admin', () => {
  test('gives a badge with a reason, once', async () => {
    const ada = await aPartner()
    expect(wordsOf(await command('award', ada, 'badges:first_sale', 'sold on paper'))).toContain(
      `<@${ada.userId}> now has **🎯 First sale**`,
    )
    await expect(command('award', ada)).rejects.toThrow('has “First sale” already')
    await sell(ada)
    expect(await wins(ada)).toHaveLength(1)
    const rows = await house.db.select().from(audit).where(eq(audit.action, 'badges.award'))
    expect(rows.at(-1)).toMatchObject({
      actor: admin.userId,
      detail: { userId: ada.userId, badge: 'badges:first_sale', reason: 'sold on paper' },
    })
  })

  test('is not given by an admin to themselves', async () => {
    const ada = await aPartner()
    const themselves = { ...admin, userId: ada.userId }
    const award = { partner: { id: ada.userId }, badge: 'badges:first_sale', reason: 'for the record' }
    await expect(house.run('admin badges award', award, themselves)).rejects.toMatchObject({ code: 'own_badge' })
    expect(await roleOf(ada)).toBeUndefined()
  })

  test('takes a badge back with its role and its celebration, and the same facts do not earn it again', async () => {
    const ada = await aPartner()
    await sell(ada)
    await command('revoke', ada, 'badges:first_sale', 'bought it himself')
    await sell(ada)
    await house.tick('badges.review_all')
    await house.drain()
    expect(heard).toEqual(['awarded badges:first_sale once', 'revoked badges:first_sale once'])
    expect(await roleOf(ada)).toMatchObject({ wanted: false })
    expect(await wins(ada)).toEqual([])
    expect(await show(ada)).toContain('None yet')
    await expect(command('revoke', ada)).rejects.toThrow('does not have “First sale”')
    const rows = await house.db.select().from(audit).where(eq(audit.action, 'badges.revoke'))
    expect(rows.at(-1)).toMatchObject({ detail: { reason: 'bought it himself' } })
  })

  test('can give back what was taken, with everything that goes with it', async () => {
    const ada = await aPartner()
    await sell(ada)
    await command('revoke', ada)
    house.clock.advance(1000)
    await command('award', ada)
    expect(await roleOf(ada)).toMatchObject({ wanted: true })
    expect(await wins(ada)).toHaveLength(1)
    expect(await told(ada)).toHaveLength(2)
  })

  test.each<[string, string, string]>([
    ['an unknown badge', 'badges:nobel', 'There is no badge “badges:nobel”. There are: `badges:first_sale`'],
    ['someone who is not an active partner', 'badges:first_sale', 'is not an active partner'],
  ])('is told about %s', async (_, badge, sentence) => {
    await expect(command('award', await aPartner('suspended'), badge)).rejects.toThrow(sentence)
  })
})

test('/badges show tells what is there and what is still to be earned', async () => {
  const ada = await aPartner()
  const before = await show(ada)
  expect(before).toContain('None yet')
  expect(before).toContain('🎯 First sale · Your first sale that was not refunded.')
  await sell(ada)
  expect(await show(ada)).not.toContain('Your first sale that was not refunded.')
})

test('what is stored about a person is exported and erased', async () => {
  const ada = await aPartner()
  await sell(ada)
  const stored = () => badges.data!.exportPartner!(house.db, house.program.id, ada.userId)
  expect(await stored()).toMatchObject([{ badge: 'badges:first_sale', facts: { saleId: expect.any(String) } }])
  await house.db.transaction((tx) => badges.data!.deletePartner!(tx, house.program.id, ada.userId))
  expect(await stored()).toEqual([])
})
