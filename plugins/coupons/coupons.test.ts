import { fc, test as property } from '@fast-check/vitest'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import { programStore } from '../../db/programs.ts'
import { audit, messages } from '../../db/tables.ts'
import { attribution } from '../attribution/plugin.ts'
import type { CanonicalPayment } from '../attribution/public.ts'
import { channels } from '../channels/plugin.ts'
import { days, minutes, newId } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { chosenCode, fold, newCode } from './codes.ts'
import { coupons } from './plugin.ts'

let house: TestHouse
let count = 0
beforeAll(async () => {
  house = await testHouse([notifications, partners, channels, attribution, coupons])
})
afterAll(() => house.close())

async function aPartner({ status = 'active', programId = house.program.id } = {}) {
  const id = newId(house.clock.now())
  const userId = `1${String(++count).padStart(17, '0')}`
  await house.connection
    .sql`insert into partners_partners (id, program_id, user_id, name, email, industry, status, verified_at, activated_at)
    values (${id}, ${programId}, ${userId}, 'A Partner', ${`p${count}@example.com`}, 'saas', ${status}, now(), now())`
  return { id, userId }
}
const setStatus = (id: string, status: string) =>
  house.connection.sql`update partners_partners set status = ${status} where id = ${id}`

const admin = { userId: '100000000000000009', isAdmin: true }
const create = async (userId: string, code?: string) =>
  /```\n(.+)\n```/.exec(wordsOf(await house.run('coupon create', code === undefined ? {} : { code }, { userId })))![1]!
const list = async (userId: string) => wordsOf(await house.run('coupon list', {}, { userId }))

/** A payment now; returns the partner that it was credited to. */
async function pay(coupon: string | undefined, given: Partial<CanonicalPayment> = {}) {
  const number = ++count
  const { saleId } = await house.db.transaction((tx) =>
    house.use(attribution).recordPayment(tx, {
      programId: house.program.id,
      provider: 'stripe',
      paymentKey: `pi_${number}`,
      gross: 10_000n,
      tax: 0n,
      shipping: 0n,
      currency: 'USD',
      refunded: 0n,
      dispute: 'none',
      customer: { key: `cus_${number}`, emailHash: undefined, country: undefined },
      hints: coupon === undefined ? {} : { coupon },
      product: undefined,
      paidAt: house.clock.now(),
      ...given,
    }),
  )
  const sale = await house.use(attribution).sale(house.db, given.programId ?? house.program.id, saleId)
  return sale!.partnerId
}

describe('making a code', () => {
  test('a partner gets a code that cannot be misread, and the staff is asked to make it in the shop', async () => {
    const partner = await aPartner()
    const code = await create(partner.userId)
    expect(code).toMatch(/^[2-9A-HJKMNP-Z]{7}$/)
    expect(await list(partner.userId)).toContain(code)
    const posted = await house.db.select().from(messages).where(eq(messages.target, 'channels:staff'))
    expect(JSON.stringify(posted)).toContain(code)
  })

  test('a chosen code is kept as it was written', async () => {
    const partner = await aPartner()
    expect(await create(partner.userId, ' Podcast-15 ')).toBe('Podcast-15')
  })

  test.each(['AB', 'A'.repeat(21), 'two words', 'dash--dash', '-ADA', 'ÄDA', 'ADA_1'])(
    'the code “%s” is refused with the rule',
    async (code) => {
      const { userId } = await aPartner()
      await expect(house.run('coupon create', { code }, { userId })).rejects.toThrow('3 to 20 letters')
    },
  )

  test.each(['FREE', 'c0de', 'We1come'])('the word “%s” is kept for the shop, however it is written', async (code) => {
    const { userId } = await aPartner()
    await expect(house.run('coupon create', { code }, { userId })).rejects.toThrow('kept for the shop')
  })

  test('a code that differs from another only in case or look-alikes is taken, and another one is offered', async () => {
    await create((await aPartner()).userId, 'SOLO-10')
    const { userId } = await aPartner()
    for (const code of ['solo-10', 'SOLO-I0', 'S0L0-1O'])
      await expect(house.run('coupon create', { code }, { userId }), code).rejects.toThrow(/is taken\. How about `/)
  })

  test('two partners who ask for one code at the same moment: one gets it', async () => {
    const both = [await aPartner(), await aPartner()]
    const answers = await Promise.allSettled(
      both.map(({ userId }) => house.run('coupon create', { code: 'RUSH-HOUR' }, { userId })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test('a partner has as many codes as the program allows', async () => {
    const { userId } = await aPartner()
    await house.set('coupons', 'maxCoupons', 2)
    await create(userId)
    await create(userId)
    await expect(create(userId)).rejects.toThrow('that is the most')
    await house.set('coupons', 'maxCoupons', 0)
    await expect(create((await aPartner()).userId)).rejects.toThrow('the team hands out the codes')
    await house.set('coupons', 'maxCoupons', 5)
  })

  test('only active partners make codes', async () => {
    const { userId } = await aPartner({ status: 'verified' })
    await expect(house.run('coupon create', {}, { userId })).rejects.toThrow()
    expect(await list(userId)).toContain('no coupon code yet')
  })

  property.prop([fc.stringMatching(/^[A-Za-z0-9]{3,20}$/)])(
    'folding a code twice is folding it once, and never depends on case',
    (code) => {
      expect(fold(fold(code))).toBe(fold(code))
      expect(fold(code.toUpperCase())).toBe(fold(code))
    },
  )

  test('every code that is made may also be chosen', () => {
    for (const code of Array.from({ length: 200 }, newCode)) expect(chosenCode(code)).toBe(code)
  })
})

describe('a payment with a code', () => {
  test.each(['Radio-9', 'RADIO-9', ' radio-9 '])('is credited to its partner when “%s” was typed', async (typed) => {
    const [partner] = await radioPartner()
    expect(await pay(typed)).toBe(partner!.id)
  })

  let radio: { id: string; userId: string } | undefined
  async function radioPartner() {
    if (!radio) {
      radio = await aPartner()
      await create(radio.userId, 'Radio-9')
    }
    return [radio]
  }

  test.each([undefined, 'UNKNOWN-1', 'RAD1O-9', '', 'x'.repeat(5000), "'; drop table"])(
    'is nobody’s when the code is %o',
    async (typed) => {
      await radioPartner()
      expect(await pay(typed)).toBeNull()
    },
  )

  test('that was made before the code existed is nobody’s', async () => {
    const { userId } = await aPartner()
    const code = await create(userId)
    expect(await pay(code, { paidAt: new Date(house.clock.now().getTime() - days(1)) })).toBeNull()
  })

  test('is credited however old the code is', async () => {
    const partner = await aPartner()
    const code = await create(partner.userId)
    house.clock.advance(days(400))
    expect(await pay(code)).toBe(partner.id)
  })

  test('is not credited while its partner is suspended, and the trace says why', async () => {
    const partner = await aPartner()
    const code = await create(partner.userId)
    await setStatus(partner.id, 'suspended')
    expect(await pay(code)).toBeNull()
    const [row] = await house.connection
      .sql`select trace from attribution_decisions where trace->'candidates'->0->>'reference' = ${code}`
    expect(row!.trace.candidates).toMatchObject([{ kind: 'coupon', reference: code, lost: 'ineligible_status' }])
  })

  test('never counts for a partner of another program', async () => {
    const code = await create((await aPartner()).userId)
    const other = await house.db.transaction((tx) => programStore.ensure(tx, { guildId: '900000000000000002', name: 'Other' }))
    expect(await pay(code, { programId: other.id })).toBeNull()
  })
})

describe('admins', () => {
  const assign = async (userId: string, code: string) =>
    wordsOf(await house.run('admin coupons assign', { user: { id: userId, username: 'x', bot: false }, code }, admin))
  const direct = async (userId: string) =>
    (await house.db.select().from(messages).where(eq(messages.target, userId))).map(({ payload }) => JSON.stringify(payload)).join()

  test('give a partner a code, who is told, and the payment is theirs', async () => {
    const partner = await aPartner()
    expect(await assign(partner.userId, 'SPRING-FAIR')).toContain('counts for')
    expect(await direct(partner.userId)).toContain('SPRING-FAIR')
    expect(await pay('spring-fair')).toBe(partner.id)
    expect(await assign(partner.userId, 'SPRING-FAIR')).toContain('already')
    const noted = await house.db.select().from(audit).where(eq(audit.action, 'coupons.assign'))
    expect(noted).toMatchObject([{ actor: admin.userId, detail: { code: 'SPRING-FAIR', partnerId: partner.id } }])
  })

  test('give no code to themselves, and let none of their own count again', async () => {
    const partner = await aPartner()
    const themselves = { ...admin, userId: partner.userId }
    const assigned = house.run('admin coupons assign', { user: { id: partner.userId }, code: 'FOR-ME' }, themselves)
    await expect(assigned).rejects.toMatchObject({ code: 'own_coupon' })
    const code = await create(partner.userId)
    await house.run('admin coupons pause', { code }, themselves)
    await expect(house.run('admin coupons resume', { code }, themselves)).rejects.toMatchObject({ code: 'own_coupon' })
    expect(await pay(code)).toBeNull()
  })

  test('may exceed what a partner could make', async () => {
    const partner = await aPartner()
    await house.set('coupons', 'maxCoupons', 0)
    expect(await assign(partner.userId, 'EXTRA-ONE')).toContain('counts for')
    await house.set('coupons', 'maxCoupons', 5)
  })

  test('cannot move a code from one partner to another', async () => {
    const first = await aPartner()
    const code = await create(first.userId)
    await expect(assign((await aPartner()).userId, code)).rejects.toThrow(`<@${first.userId}>`)
  })

  test('cannot give a code to someone who is no partner', async () => {
    await expect(assign('199999999999999999', 'NOBODY-1')).rejects.toThrow('/start')
  })

  test('pause and resume a code: payments made meanwhile do not count, those made before do', async () => {
    const partner = await aPartner()
    const code = await create(partner.userId)
    const before = house.clock.now()
    house.clock.advance(minutes(10))
    expect(wordsOf(await house.run('admin coupons pause', { code: code.toLowerCase() }, admin))).toContain('is paused')
    expect(await direct(partner.userId)).toContain('paused')
    expect(await list(partner.userId)).toContain('paused')
    expect(await pay(code)).toBeNull()
    expect(await pay(code, { paidAt: before })).toBe(partner.id)
    expect(wordsOf(await house.run('admin coupons pause', { code }, admin))).toContain('Nothing changed')
    house.clock.advance(minutes(10))
    expect(wordsOf(await house.run('admin coupons resume', { code }, admin))).toContain('again')
    expect(await pay(code)).toBe(partner.id)
  })

  test('who pause and resume a code change nothing for payments that are told late: what was so when they were made counts', async () => {
    const partner = await aPartner()
    const code = await create(partner.userId)
    const switchTo = async (what: 'pause' | 'resume') => {
      house.clock.advance(minutes(10))
      await house.run(`admin coupons ${what}`, { code }, admin)
      return house.clock.now()
    }
    const [paused, resumed, again, atLast] = [
      await switchTo('pause'),
      await switchTo('resume'),
      await switchTo('pause'),
      await switchTo('resume'),
    ]
    const whose = async (at: Date, by: number) => pay(code, { paidAt: new Date(at.getTime() + by) })
    for (const [begin, end] of [
      [paused, resumed],
      [again, atLast],
    ] as const) {
      expect(await whose(begin, -1)).toBe(partner.id)
      expect(await whose(begin, 0)).toBeNull()
      expect(await whose(end, -1)).toBeNull()
      expect(await whose(end, 0)).toBe(partner.id)
    }
  })

  test('are told when there is no such code, and get suggestions while they type', async () => {
    await expect(house.run('admin coupons pause', { code: 'no-such' }, admin)).rejects.toThrow('There is no coupon')
    await create((await aPartner()).userId, 'TYPING-1')
    const option = house.loaded.commands.find(({ path }) => path === 'admin coupons pause')!.options.code!
    const suggest = option.type === 'string' ? option.suggest! : undefined
    const ctx = { program: house.program } as never
    expect(await suggest!(ctx, 'typ')).toEqual([{ name: 'TYPING-1', value: 'TYPING-1' }])
    expect(await suggest!(ctx, '%')).toEqual([])
  })
})

test('a partner’s codes are exported and erased', async () => {
  const { userId } = await aPartner()
  const code = await create(userId)
  expect(JSON.stringify(await coupons.data!.exportPartner!(house.db, house.program.id, userId))).toContain(code)
  await house.db.transaction((tx) => coupons.data!.deletePartner!(tx, house.program.id, userId))
  expect(await list(userId)).toContain('no coupon code yet')
})
