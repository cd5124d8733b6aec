import { and, eq, like } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { controlsOf, type TestHouse, testHouse, type Visitor, wordsOf } from '../../app/testing.ts'
import { programStore } from '../../db/programs.ts'
import { audit, messages } from '../../db/tables.ts'
import { attribution } from '../attribution/plugin.ts'
import { type CanonicalPayment, touchSource } from '../attribution/public.ts'
import { channels } from '../channels/plugin.ts'
import { days, definePlugin, extend, hours, newId, on } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { dealAccepted, dealLost, dealSubmitted, dealWon } from './events.ts'
import { deals } from './plugin.ts'

/** Stands for links: the click id names the partner who made the link. */
const heard: { event: string; payload: Record<string, unknown> }[] = []
const note = (event: string) => async (_tx: unknown, payload: Record<string, unknown>) => void heard.push({ event, payload })
const neighbour = definePlugin({
  id: 'neighbour',
  title: 'Neighbour',
  summary: 'Clicks, and ears for deals.',
  setup: ({ clock }) => ({
    listeners: [
      on(dealSubmitted, 'neighbour.submitted', note('submitted')),
      on(dealAccepted, 'neighbour.accepted', note('accepted')),
      on(dealWon, 'neighbour.won', note('won')),
      on(dealLost, 'neighbour.lost', note('lost')),
    ],
    extends: [
      extend(touchSource, {
        kind: 'click',
        find: async (_reader, _program, { clickId }) =>
          clickId ? [{ kind: 'click', partnerId: clickId, at: clock.now(), reference: 'click' }] : [],
      }),
    ],
  }),
})

let house: TestHouse
let count = 0
beforeAll(async () => {
  house = await testHouse([notifications, partners, channels, attribution, deals, neighbour])
})
afterAll(() => house.close())
beforeEach(async () => {
  await house.drain()
  heard.length = 0
})

async function aPartner({ status = 'active', email = `partner${++count}@partners.example` } = {}) {
  const id = newId(house.clock.now())
  const userId = `1${String(++count).padStart(17, '0')}`
  await house.connection
    .sql`insert into partners_partners (id, program_id, user_id, name, email, industry, status, verified_at, activated_at)
    values (${id}, ${house.program.id}, ${userId}, 'A Partner', ${email}, 'saas', ${status}, now(), now())`
  return { id, userId, email }
}
type APartner = Awaited<ReturnType<typeof aPartner>>

const admin: Visitor = { userId: '100000000000000009', isAdmin: true }
const aForm = () => {
  const n = ++count
  return {
    company: `Prospect ${n} Ltd`,
    email: `buyer@prospect${n}.example`,
    value: '5,000',
    currency: 'USD',
    notes: 'They need it by spring.',
  }
}
const submit = (partner: APartner, fields = aForm()) => house.press('deals.submit:submit', { fields }, { userId: partner.userId })
const dealOf = async (partner: APartner) => {
  const [row] = await house.connection.sql<
    { id: string; status: string; contact_email: string | null; notes: string; sale_id: string | null }[]
  >`
    select * from deals_deals where partner_id = ${partner.id} order by submitted_at desc, id desc limit 1`
  return row!
}
/** A deal that waits for review. */
async function aDeal(partner?: APartner, fields = aForm()) {
  const whose = partner ?? (await aPartner())
  expect(wordsOf(await submit(whose, fields))).toContain('registered')
  return { partner: whose, fields, id: (await dealOf(whose)).id }
}
async function anAcceptedDeal(partner?: APartner, fields = aForm()) {
  const deal = await aDeal(partner, fields)
  await house.run('admin deals accept', { deal: deal.id }, admin)
  return deal
}
const told = async (userId: string) =>
  (await house.db.select().from(messages).where(eq(messages.target, userId)))
    .map(({ payload }) => JSON.stringify(payload))
    .join('\n')
const staffCard = async (dealId: string) => {
  const [row] = await house.db
    .select()
    .from(messages)
    .where(and(eq(messages.target, 'channels:staff'), eq(messages.key, `deals.review:${dealId}`)))
  return row!.payload as never
}
const hashOf = (email: string) => house.use(attribution).hashEmail(email)
async function pay(given: Partial<CanonicalPayment>) {
  const n = ++count
  const { saleId } = await house.db.transaction((tx) =>
    house.use(attribution).recordPayment(tx, {
      programId: house.program.id,
      provider: 'stripe',
      paymentKey: `pi_${n}`,
      gross: 10_000n,
      tax: 0n,
      shipping: 0n,
      currency: 'USD',
      refunded: 0n,
      dispute: 'none',
      customer: { key: `cus_${n}`, emailHash: undefined, country: undefined },
      hints: {},
      product: undefined,
      paidAt: house.clock.now(),
      ...given,
    }),
  )
  return (await house.use(attribution).sale(house.db, given.programId ?? house.program.id, saleId))!
}
const payBy = (email: string, given: Partial<CanonicalPayment> = {}) =>
  pay({ customer: { key: `cus_${++count}`, emailHash: hashOf(email), country: undefined }, ...given })

describe('registering a deal', () => {
  test('opens a form in the program’s currency', async () => {
    const { userId } = await aPartner()
    expect(JSON.stringify(await house.run('deal submit', {}, { userId }))).toContain('"value":"USD"')
  })

  test('protects the prospect for 90 days, tells the house, and asks the staff', async () => {
    const { partner, id, fields } = await aDeal()
    await house.drain()
    expect(heard).toMatchObject([
      { event: 'submitted', payload: { dealId: id, partnerId: partner.id, expected: 500_000n, currency: 'USD' } },
    ])
    const [row] = await house.connection.sql`select protected_until - submitted_at as span from deals_deals where id = ${id}`
    expect(row!.span).toBe('90 days')
    const card = await staffCard(id)
    expect(controlsOf(card)).toEqual([`deals.accept:${id}`, `deals.reject:${id}`])
    expect(wordsOf(card)).toContain(`<@${partner.userId}>`)
    expect(JSON.stringify(card)).not.toContain(fields.email)
  })

  test('lasts as long as the program says', async () => {
    await house.set('deals', 'protectionDays', 30)
    const { id } = await aDeal()
    await house.set('deals', 'protectionDays', 90)
    const [row] = await house.connection.sql`select protected_until - submitted_at as span from deals_deals where id = ${id}`
    expect(row!.span).toBe('30 days')
  })

  test('that is refused keeps what was typed, and it is gone once it succeeds', async () => {
    const partner = await aPartner()
    const fields = { ...aForm(), value: '-5', notes: 'Long talk.\nSecond line.' }
    const answer = await submit(partner, fields)
    expect(wordsOf(answer)).toContain('more than zero')
    expect(controlsOf(answer)).toEqual(['deals.open:submit'])
    const visitor = { userId: partner.userId }
    const reopened = JSON.stringify(await house.press('deals.open:submit', {}, visitor))
    for (const value of [fields.company, fields.email, fields.value, 'Long talk.\\nSecond line.']) expect(reopened).toContain(value)
    expect(JSON.stringify(await house.run('deal submit', {}, visitor))).toContain(fields.email)
    await submit(partner, { ...fields, value: '5' })
    expect(JSON.stringify(await house.run('deal submit', {}, visitor))).not.toContain(fields.email)
  })

  test.each([
    ['zero', { value: '0' }, 'more than zero'],
    ['a quadrillion', { value: '1000000000000000' }, 'larger than any sale'],
    ['an unknown currency', { currency: 'ABC' }, 'not a currency code'],
    ['a broken address', { email: 'ada at acme' }, 'does not look right'],
  ])('with %s is refused with a sentence', async (_, change, sentence) => {
    expect(wordsOf(await submit(await aPartner(), { ...aForm(), ...change }))).toContain(sentence)
  })

  test('is for active partners', async () => {
    const { userId } = await aPartner({ status: 'verified' })
    await expect(house.press('deals.submit:submit', { fields: aForm() }, { userId })).rejects.toThrow()
  })

  test('with the partner’s own address is refused', async () => {
    const partner = await aPartner({ email: 'Me@Own.example' })
    expect(wordsOf(await submit(partner, { ...aForm(), email: 'me@own.EXAMPLE' }))).toContain('your own address')
  })

  test('has a limit for open deals', async () => {
    await house.set('deals', 'maxOpenDeals', 1)
    const { partner } = await aDeal()
    expect(wordsOf(await submit(partner))).toContain('1 is the most')
    await house.set('deals', 'maxOpenDeals', 25)
  })

  test('shows what people type literally', async () => {
    const { id } = await aDeal(undefined, { ...aForm(), company: `**Bold** <@1> ${++count}`, notes: '# @everyone' })
    expect(wordsOf(await staffCard(id))).toContain('\\*\\*Bold\\*\\* \\<\\@1\\>')
  })
})

describe('a prospect that somebody registered', () => {
  const same = (fields: ReturnType<typeof aForm>): [string, Partial<typeof fields>][] => [
    ['the same address in capitals', { company: 'Quite Other', email: fields.email.toUpperCase() }],
    ['another address at the same domain', { company: 'Quite Other', email: fields.email.replace('buyer', 'boss') }],
    [
      'the same company under another address',
      { company: fields.company.toUpperCase().replace(' LTD', ', Inc.'), email: 'x@elsewhere.example' },
    ],
  ]
  test.each([0, 1, 2])('is taken for another partner, who is not told by whom (%i)', async (i) => {
    const { fields, partner: holder } = await aDeal()
    const [what, change] = same(fields)[i]!
    const words = wordsOf(await submit(await aPartner(), { ...aForm(), ...change }))
    expect(words, what).toContain('registered and protected')
    expect(words).not.toContain(holder.userId)
    expect(words).not.toContain(holder.id)
  })

  test('is told to be their own when the same partner comes again', async () => {
    const { partner, fields } = await aDeal()
    expect(wordsOf(await submit(partner, fields))).toContain('already, as “Prospect')
  })

  test('does not keep others out of the mail service that its address is from', async () => {
    await aDeal(undefined, { ...aForm(), email: `one${++count}@gmail.com` })
    await aDeal(undefined, { ...aForm(), email: `two${++count}@gmail.com` })
  })

  test('leaves nothing claimed when a later part of the same registration was taken', async () => {
    const { fields } = await aDeal()
    const company = `Fresh ${++count}`
    await submit(await aPartner(), { ...aForm(), company, email: fields.email })
    await aDeal(undefined, { ...aForm(), company })
  })

  test('is registered once by eight partners at the same moment', async () => {
    const everyone = await Promise.all(Array.from({ length: 8 }, () => aPartner()))
    const fields = aForm()
    const answers = await Promise.all(everyone.map((partner) => submit(partner, fields)))
    const won = answers.filter((answer) => wordsOf(answer).includes('is registered'))
    expect(won.filter((answer) => wordsOf(answer).includes('You were first'))).toHaveLength(1)
    const [row] = await house.connection.sql`select count(*)::int as deals from deals_deals where company = ${fields.company}`
    expect(row!.deals).toBe(1)
  })

  test('is free in another program', async () => {
    const { fields } = await aDeal()
    const other = await house.db.transaction((tx) => programStore.ensure(tx, { guildId: '900000000000000002', name: 'Other' }))
    const [claim] = await house.connection
      .sql`select value from deals_claims where kind = 'email' and value = ${hashOf(fields.email)}`
    const id = newId(house.clock.now())
    const insert = house.connection.sql`
      with deal as (insert into deals_deals (id, program_id, partner_id, user_id, company, email_hash, expected, currency, status, protected_until)
        values (${id}, ${other.id}, ${id}, '1', 'X', ${claim!.value}, 1, 'USD', 'submitted', now() + interval '1 day') returning id)
      select id from deal`
    await expect(insert).resolves.toHaveLength(1)
    await expect(
      house.connection
        .sql`insert into deals_claims (program_id, kind, value, deal_id, until) values (${other.id}, 'email', ${claim!.value}, ${id}, now())`,
    ).resolves.toBeDefined()
    await expect(house.run('admin deals accept', { deal: id }, admin)).rejects.toThrow('no such deal')
    await expect(house.run('admin deals show', { deal: id }, admin)).rejects.toThrow('no such deal')
  })

  test.each([
    [
      'rejected',
      async (id: string) => house.press(`deals.reject_reason:${id}`, { fields: { reason: 'Ours since spring' } }, admin),
    ],
    ['lost', async (id: string) => house.run('admin deals lost', { deal: id }, admin)],
  ])('is free again once the deal was %s', async (_, end) => {
    const { fields, id } = await aDeal()
    await end(id)
    await aDeal(undefined, fields)
  })

  test('is free after the protection, even before the schedule has run', async () => {
    const { fields, id } = await aDeal()
    house.clock.advance(days(90) - 1000)
    expect(wordsOf(await submit(await aPartner(), fields))).toContain('registered and protected')
    house.clock.advance(1000)
    const later = await aDeal(undefined, fields)
    await house.tick('deals.expire')
    const [row] = await house.connection.sql`select status from deals_deals where id = ${id}`
    expect(row!.status).toBe('expired')
    // Expiry of the old deal does not free what the new one holds.
    expect(wordsOf(await submit(await aPartner(), fields))).toContain('registered and protected')
    expect((await dealOf(later.partner)).status).toBe('submitted')
  })
})

describe('the staff', () => {
  test('who registered a deal themselves neither accept nor reject nor win it', async () => {
    const { partner, fields, id } = await aDeal()
    const themselves = { ...admin, userId: partner.userId }
    const own = { code: 'own_deal', message: expect.stringContaining('Another admin decides') }
    await expect(house.run('admin deals accept', { deal: id }, themselves)).rejects.toMatchObject(own)
    await expect(house.press(`deals.accept:${id}`, {}, themselves)).rejects.toMatchObject(own)
    const reject = house.press(`deals.reject_reason:${id}`, { fields: { reason: 'No.' } }, themselves)
    await expect(reject).rejects.toMatchObject(own)
    expect((await dealOf(partner)).status).toBe('submitted')
    await house.run('admin deals accept', { deal: id }, admin)
    await expect(house.run('admin deals won', { deal: id, amount: '50,000' }, themselves)).rejects.toMatchObject(own)
    await expect(house.press(`deals.win:${id}:5000000:USD:0`, {}, themselves)).rejects.toMatchObject(own)
    const { id: saleId } = await payBy(fields.email)
    await house.drain()
    await expect(house.press(`deals.same:${id}:${saleId}`, {}, themselves)).rejects.toMatchObject(own)
    await expect(house.press(`deals.other:${id}:${saleId}`, {}, themselves)).rejects.toMatchObject(own)
    expect((await dealOf(partner)).status).toBe('accepted')
  })

  test('accepts with a button: the card shows it, the partner and the house are told', async () => {
    const { partner, id } = await aDeal()
    const answer = await house.press(`deals.accept:${id}`, {}, admin)
    expect(controlsOf(answer)).toEqual([])
    expect(wordsOf(answer)).toContain('accepted and protected')
    expect(wordsOf(await staffCard(id))).toBe(wordsOf(answer))
    expect(await told(partner.userId)).toContain('Your deal is accepted')
    await house.drain()
    expect(heard.map(({ event }) => event)).toEqual(['submitted', 'accepted'])
    const noted = await house.db.select().from(audit).where(eq(audit.action, 'deals.accept'))
    expect(noted.at(-1)).toMatchObject({ actor: admin.userId, detail: { dealId: id } })
  })

  test('rejects with a reason that the partner reads', async () => {
    const { partner, id } = await aDeal()
    for (const form of [
      await house.press(`deals.reject:${id}`, {}, admin),
      await house.run('admin deals reject', { deal: id }, admin),
    ])
      expect(form).toMatchObject({ custom_id: `deals.reject_reason:${id}` })
    await expect(house.press(`deals.reject_reason:${id}`, { fields: { reason: '   ' } }, admin)).rejects.toThrow(
      'Say in a sentence why',
    )
    await house.press(`deals.reject_reason:${id}`, { fields: { reason: 'We know them.' } }, admin)
    expect(await told(partner.userId)).toContain('We know them.')
    expect(wordsOf(await house.run('deal show', { deal: id }, { userId: partner.userId }))).toContain('We know them.')
    expect(wordsOf(await staffCard(id))).toContain('We know them.')
  })

  test('decides once: of two who press at the same moment one is told that it is done', async () => {
    const { id } = await aDeal()
    const results = await Promise.allSettled([
      house.press(`deals.accept:${id}`, {}, admin),
      house.press(`deals.reject_reason:${id}`, { fields: { reason: 'No, thanks' } }, admin),
    ])
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  test('sees deals by status, page by page, and one with its contact', async () => {
    const { id, fields } = await aDeal()
    const words = wordsOf(await house.run('admin deals list', { status: 'submitted' }, admin))
    expect(words).toContain(fields.company)
    expect(wordsOf(await house.press('deals.review_page:submitted:999', {}, admin))).toContain('nothing on this page')
    expect(wordsOf(await house.run('admin deals show', { deal: id }, admin)).replaceAll('\\', '')).toContain(fields.email)
    await expect(house.run('admin deals show', { deal: 'nonsense' }, admin)).rejects.toThrow('no such deal')
  })

  test('finds deals by company while typing', async () => {
    const { id, fields } = await aDeal()
    const option = house.loaded.commands.find(({ path }) => path === 'admin deals accept')!.options.deal!
    const suggest = option.type === 'string' ? option.suggest! : undefined
    expect(await suggest!({ program: house.program } as never, fields.company.toLowerCase())).toEqual([
      { name: `${fields.company} · submitted · $5,000.00`, value: id },
    ])
  })
})

describe('the partner', () => {
  test('sees the own deals only', async () => {
    const { partner, id, fields } = await aDeal()
    expect(wordsOf(await house.run('deal list', {}, { userId: partner.userId }))).toContain(fields.company)
    const stranger = await aPartner()
    expect(wordsOf(await house.run('deal list', {}, { userId: stranger.userId }))).toContain('no deals yet')
    for (const path of ['deal show', 'deal update'])
      await expect(house.run(path, { deal: id }, { userId: stranger.userId })).rejects.toThrow('no such deal')
    const change = { value: '1', currency: 'USD', notes: '', state: 'lost' }
    await expect(house.press(`deals.submit:${id}`, { fields: change }, { userId: stranger.userId })).rejects.toThrow('no such deal')
  })

  test('updates value and notes; what is refused is kept', async () => {
    const { partner, id } = await aDeal()
    const visitor = { userId: partner.userId }
    expect(JSON.stringify(await house.run('deal update', { deal: id }, visitor))).toContain('"value":"5000.00"')
    const refused = await house.press(
      `deals.submit:${id}`,
      { fields: { value: 'many', currency: 'EUR', notes: 'New', state: 'open' } },
      visitor,
    )
    expect(controlsOf(refused)).toEqual([`deals.open:${id}`])
    expect(JSON.stringify(await house.press(`deals.open:${id}`, {}, visitor))).toContain('"value":"many"')
    await house.press(
      `deals.submit:${id}`,
      { fields: { value: '7,500.50', currency: 'eur', notes: 'New', state: 'open' } },
      visitor,
    )
    expect(wordsOf(await house.run('deal show', { deal: id }, visitor))).toContain('€7,500.50')
    expect(wordsOf(await staffCard(id))).toContain('€7,500.50')
  })

  test('gives a deal up, and the prospect is free', async () => {
    const { partner, id, fields } = await aDeal()
    const change = { value: '5000', currency: 'USD', notes: 'No budget', state: 'lost' }
    expect(wordsOf(await house.press(`deals.submit:${id}`, { fields: change }, { userId: partner.userId }))).toContain('closed')
    await house.drain()
    expect(heard.at(-1)).toMatchObject({ event: 'lost', payload: { dealId: id } })
    const again = await house.press(`deals.submit:${id}`, { fields: change }, { userId: partner.userId })
    expect(wordsOf(again)).toContain('was lost')
    await aDeal(undefined, fields)
  })
})

describe('the money of a deal that a payment provider reports', () => {
  const paid = async (change: Partial<CanonicalPayment>) => {
    const n = ++count
    const { saleId } = await house.db.transaction((tx) =>
      house.use(attribution).recordPayment(tx, {
        programId: house.program.id,
        provider: 'stripe',
        paymentKey: `pi_deal${n}`,
        gross: 1_250_000n,
        tax: 0n,
        shipping: 0n,
        currency: 'USD',
        refunded: 0n,
        dispute: 'none',
        customer: { key: `cus_deal${n}`, emailHash: undefined, country: undefined },
        hints: {},
        product: undefined,
        paidAt: house.clock.now(),
        ...change,
      }),
    )
    await house.drain()
    return saleId
  }
  const won = (deal: string, amount = '12,500') => house.run('admin deals won', { deal, amount }, admin)
  const accepted = async () => {
    const partner = await aPartner()
    const form = aForm()
    await submit(partner, form)
    const { id } = await dealOf(partner)
    await house.run('admin deals accept', { deal: id }, admin)
    const emailHash = house.use(attribution).hashEmail(form.email)
    return { partner, id, byContact: { customer: { key: `cus_${id}`, emailHash, country: undefined } } }
  }
  const salesOf = ({ id: partnerId }: APartner) =>
    house.use(attribution).sales(house.db, house.program.id, { from: new Date(0), to: new Date('2100-01-01'), partnerId })
  const netOf = async (partner: APartner) => (await salesOf(partner)).map(({ net }) => net).filter((net) => net > 0n)
  /** What commissions are computed of. */
  const earningOf = async (partner: APartner) =>
    (await salesOf(partner)).map(({ basis, refunded }) => basis - refunded).filter((left) => left > 0n)

  test('a payment that names the deal wins it, and is its sale', async () => {
    const { partner, id } = await accepted()
    const saleId = await paid({ hints: { deal: id } })
    expect(await dealOf(partner)).toMatchObject({ status: 'won', sale_id: saleId })
    expect(await netOf(partner)).toEqual([1_250_000n])
    await expect(won(id)).rejects.toThrow('is won')
    expect(await told(partner.userId)).toContain('You won')
  })

  test('a payment that names a deal counts for its partner until the deal is lost or its protection has run out', async () => {
    const ends = [
      ({ id }: { id: string }) => house.run('admin deals lost', { deal: id, reason: 'No budget' }, admin),
      async () => {
        house.clock.advance(days(91))
        await house.tick('deals.expire')
      },
    ]
    for (const end of ends) {
      const deal = await accepted()
      const before = house.clock.now()
      house.clock.advance(hours(1))
      await end(deal)
      house.clock.advance(1)
      const partnerOf = async (saleId: string) => (await house.use(attribution).sale(house.db, house.program.id, saleId))!.partnerId
      expect(await partnerOf(await paid({ gross: 4_321n, hints: { deal: deal.id } }))).toBeNull()
      expect(await partnerOf(await paid({ gross: 4_321n, hints: { deal: deal.id }, paidAt: before }))).toBe(deal.partner.id)
      const other = await aPartner()
      expect(await partnerOf(await paid({ gross: 4_321n, hints: { deal: deal.id, clickId: other.id } }))).toBe(other.id)
    }
  })

  test('a payment that names a deal recorded by hand takes its place, and nothing counts twice', async () => {
    const { partner, id } = await accepted()
    await won(id)
    await house.drain()
    const saleId = await paid({ hints: { deal: id } })
    expect(await dealOf(partner)).toMatchObject({ status: 'won', sale_id: saleId })
    expect(await netOf(partner)).toEqual([1_250_000n])
    expect(await told(partner.userId)).toContain('nothing counts twice')
  })

  test('paid in parts, the parts and what is left of the hand-written sale are the deal’s amount', async () => {
    const { partner, id } = await accepted()
    await won(id)
    await house.drain()
    await paid({ hints: { deal: id }, gross: 500_000n })
    expect((await netOf(partner)).sort()).toEqual([500_000n, 750_000n])
    await paid({ hints: { deal: id }, gross: 750_000n })
    expect((await netOf(partner)).sort()).toEqual([500_000n, 750_000n])
  })

  test.each([
    ['without tax', '12,500', 750_000n],
    ['with tax', '14,875', 987_500n],
  ])('paid in parts with tax, one recorded %s earns on its amount until the last part', async (_, amount, left) => {
    const { partner, id } = await accepted()
    await won(id, amount)
    await house.drain()
    await paid({ hints: { deal: id }, gross: 595_000n, tax: 95_000n })
    expect((await earningOf(partner)).sort()).toEqual([500_000n, left])
    await paid({ hints: { deal: id }, gross: 892_500n, tax: 142_500n })
    expect((await earningOf(partner)).sort()).toEqual([500_000n, 750_000n])
  })

  test.each(['names the deal', 'is of its contact and said to be the same'])(
    'in another currency than what was recorded by hand, one that %s takes the place of all of it',
    async (which) => {
      const { partner, id, byContact } = await accepted()
      await won(id)
      await house.drain()
      const isNamed = which === 'names the deal'
      const saleId = await paid({ ...(isNamed ? { hints: { deal: id } } : byContact), gross: 1_100_000n, currency: 'EUR' })
      const [asked] = await house.db
        .select()
        .from(messages)
        .where(eq(messages.key, `deals.payment:${saleId}`))
      if (!isNamed) await house.press(controlsOf(asked!.payload as never)[0]!, {}, admin)
      await house.drain()
      expect(await netOf(partner)).toEqual([1_100_000n])
      expect(await dealOf(partner)).toMatchObject({ status: 'won', sale_id: saleId })
      await paid({ hints: { deal: id }, gross: 50_000n, currency: 'EUR' })
      expect((await netOf(partner)).sort()).toEqual([1_100_000n, 50_000n])
    },
  )

  test('before an admin records a deal, they are asked about what its contact has paid; the same money is one sale', async () => {
    const { partner, id, byContact } = await accepted()
    const saleId = await paid(byContact)
    const card = await won(id)
    expect(wordsOf(card)).toMatch(/is it the same money[\s\S]*\$12,500\.00/)
    expect((await dealOf(partner)).status).toBe('accepted')
    await house.press(controlsOf(card)[0]!, {}, admin)
    expect(await dealOf(partner)).toMatchObject({ status: 'won', sale_id: saleId })
    expect(await netOf(partner)).toEqual([1_250_000n])
    await expect(house.press(controlsOf(card)[0]!, {}, admin)).rejects.toMatchObject({ code: 'already_decided' })
  })

  const byColleague = (clickId: string, n = ++count) => ({
    customer: { key: `cus_colleague${n}`, emailHash: hashOf(`finance${n}@elsewhere.example`), country: undefined },
    hints: { clickId },
  })

  test.each([
    ['of that amount', { gross: 1_250_000n }],
    ['of that amount with tax', { gross: 1_487_500n, tax: 237_500n }],
  ])('a payment %s by somebody else at the company is asked about, too; the same money is one sale', async (_, change) => {
    const { partner, id } = await accepted()
    const other = await aPartner()
    const saleId = await paid({ ...byColleague(other.id), ...change })
    const card = await won(id)
    expect(wordsOf(card)).toMatch(/is it the same money[\s\S]*not by the contact/)
    expect((await dealOf(partner)).status).toBe('accepted')
    const answer = wordsOf(await house.press(controlsOf(card)[0]!, {}, admin))
    expect(answer).toMatch(/credited to another[\s\S]*admin-sales override/)
    await house.drain()
    expect(await dealOf(partner)).toMatchObject({ status: 'won', sale_id: saleId })
    expect([await netOf(partner), await netOf(other)]).toEqual([[], [change.gross]])
    await expect(house.press(controlsOf(card)[0]!, {}, admin)).rejects.toMatchObject({ code: 'already_decided' })
  })

  test('a payment of that amount after the deal was recorded by hand: the staff are asked once, and the same money counts once', async () => {
    const { partner, id } = await accepted()
    const other = await aPartner()
    const gross = 9_100_000n
    await won(id, '91,000')
    await house.drain()
    await paid({ ...byColleague(other.id), gross: gross + 1n })
    await paid({ ...byColleague(other.id), gross, currency: 'EUR' })
    const saleId = await paid({ ...byColleague(other.id), gross })
    const second = await paid({ ...byColleague(other.id), gross })
    const cards = await house.db.select().from(messages).where(like(messages.key, 'deals.payment:%'))
    const own = cards.filter(({ payload }) => JSON.stringify(payload).includes(id))
    expect(own.map(({ key }) => key)).toEqual([`deals.payment:${saleId}`])
    const card = own[0]!.payload as never
    expect(wordsOf(card)).toMatch(/is it the same money[\s\S]*not by the contact[\s\S]*recorded by hand with \*\*\$91,000/)
    expect(await netOf(partner)).toEqual([gross])
    await house.press(controlsOf(card)[0]!, {}, admin)
    await house.drain()
    expect(await netOf(partner)).toEqual([])
    expect(await dealOf(partner)).toMatchObject({ status: 'won', sale_id: saleId })
    expect(await netOf(other)).toContain(gross)
    expect(second).not.toBe(saleId)
  })

  test('payments of another amount, from before the deal, given back, or of another deal are not asked about', async () => {
    const other = await aPartner()
    const gross = 7_700_000n
    await paid({ ...byColleague(other.id), gross })
    house.clock.advance(1_000)
    const { partner, id } = await accepted()
    await paid({ ...byColleague(other.id), gross: gross + 1n })
    await paid({ ...byColleague(other.id), gross, currency: 'EUR' })
    await paid({ ...byColleague(other.id), gross, refunded: gross })
    const second = await accepted()
    await paid({ ...second.byContact, gross })
    expect(wordsOf(await won(id, '77,000'))).toContain('Won')
    expect(await netOf(partner)).toEqual([gross])
  })

  test('what is other money for one deal may be the money of another', async () => {
    const gross = 3_300_000n
    const [one, two] = [await accepted(), await accepted()]
    await paid({ ...one.byContact, gross })
    const first = await won(one.id, '33,000')
    await house.press(controlsOf(first).at(-1)!, {}, admin)
    const second = await won(two.id, '33,000')
    await house.press(controlsOf(second)[0]!, {}, admin)
    expect((await dealOf(two.partner)).status).toBe('won')
    expect(await netOf(two.partner)).toEqual([])
    expect(await netOf(one.partner)).toEqual([gross, gross])
  })

  test('other money is recorded beside it', async () => {
    const { partner, id, byContact } = await accepted()
    await paid({ ...byContact, gross: 4_900n })
    const card = await won(id)
    await house.press(controlsOf(card).at(-1)!, {}, admin)
    expect((await dealOf(partner)).status).toBe('won')
    expect((await netOf(partner)).sort()).toEqual([1_250_000n, 4_900n])
  })

  test('what was paid since an admin was asked is shown to them before other money is recorded', async () => {
    const { partner, id, byContact } = await accepted()
    await paid({ ...byContact, gross: 4_900n })
    const card = await won(id, '66,000')
    const saleId = await paid({ ...byContact, gross: 6_600_000n })
    const again = await house.press(controlsOf(card).at(-1)!, {}, admin)
    expect(wordsOf(again)).toMatch(/is it the same money[\s\S]*\$66,000\.00/)
    expect((await dealOf(partner)).status).toBe('accepted')
    await house.press(controlsOf(again).find((control) => control.includes(saleId))!, {}, admin)
    await house.drain()
    expect(await dealOf(partner)).toMatchObject({ status: 'won', sale_id: saleId })
    expect((await netOf(partner)).sort()).toEqual([4_900n, 6_600_000n])
  })

  test('whoever records other money for a deal that was won meanwhile decides nothing about its payments', async () => {
    const { id, byContact } = await accepted()
    const [saleId, other] = [await paid({ ...byContact, gross: 6_600_000n }), await paid({ ...byContact, gross: 4_900n })]
    const card = await won(id, '66,000')
    await house.press(controlsOf(card).find((control) => control.includes(saleId))!, {}, admin)
    await expect(house.press(controlsOf(card).at(-1)!, {}, admin)).rejects.toMatchObject({ code: 'wrong_status' })
    const answer = await house.press(`deals.other:${id}:${other}`, {}, admin)
    expect(wordsOf(answer)).toContain('Done')
  })

  test('a payment of the contact after the deal was recorded by hand: the staff are asked, and the same money counts once', async () => {
    const { partner, id, byContact } = await accepted()
    await won(id)
    await house.drain()
    const saleId = await paid(byContact)
    expect(await netOf(partner)).toEqual([1_250_000n, 1_250_000n])
    const posted = async () =>
      (
        await house.db
          .select()
          .from(messages)
          .where(eq(messages.key, `deals.payment:${saleId}`))
      )[0]!.payload as never
    expect(wordsOf(await posted())).toContain('is it the same money')
    const [same, other] = controlsOf(await posted())
    await house.press(same!, {}, admin)
    await house.drain()
    expect(await netOf(partner)).toEqual([1_250_000n])
    expect(await dealOf(partner)).toMatchObject({ sale_id: saleId })
    expect(wordsOf(await posted())).toContain('counted once')
    await expect(house.press(other!, {}, admin)).rejects.toMatchObject({ code: 'already_decided' })
  })
})

describe('a deal that is won', () => {
  const won = (deal: string, amount = '12,500', currency?: string) =>
    house.run('admin deals won', { deal, amount, ...(currency && { currency }) }, admin)

  test('is a sale of its partner, once', async () => {
    const { id, partner } = await anAcceptedDeal()
    expect(wordsOf(await won(id, '12,500.50', 'eur'))).toContain('€12,500.50')
    const { sale_id } = await dealOf(partner)
    expect(await house.use(attribution).sale(house.db, house.program.id, sale_id!)).toMatchObject({
      partnerId: partner.id,
      gross: 1_250_050n,
      basis: 1_250_050n,
      currency: 'EUR',
    })
    expect(await told(partner.userId)).toContain('You won')
    await expect(won(id, '99')).rejects.toThrow('is won')
    await house.drain()
    expect(heard.filter(({ event }) => event === 'won')).toMatchObject([
      { payload: { dealId: id, partnerId: partner.id, saleId: sale_id, amount: 1_250_050n, currency: 'EUR' } },
    ])
  })

  test('is one sale when eight admins record it at the same moment', async () => {
    const { id } = await anAcceptedDeal()
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => won(id)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const [row] = await house.connection
      .sql`select count(*)::int as sales from attribution_sales where provider = 'deal' and payment_key = ${id}`
    expect(row!.sales).toBe(1)
  })

  test.each(['0', '-1', 'a lot', '1000000000000000'])('with an amount of %s is refused, and stays accepted', async (amount) => {
    const { id, partner } = await anAcceptedDeal()
    await expect(won(id, amount)).rejects.toThrow(expect.objectContaining({ name: 'UserError' }))
    await expect(won(id, '100', 'QQQ')).rejects.toThrow('not a currency code')
    expect((await dealOf(partner)).status).toBe('accepted')
  })

  test('must have been accepted, and cannot be lost any more', async () => {
    const { id } = await aDeal()
    await expect(won(id)).rejects.toThrow('Accept it first')
    await house.run('admin deals accept', { deal: id }, admin)
    await won(id)
    await expect(house.run('admin deals lost', { deal: id }, admin)).rejects.toThrow('that stands')
  })

  test('says so when the customer was bound to somebody else before', async () => {
    const first = await aPartner()
    const fields = aForm()
    await payBy(fields.email, { hints: { clickId: first.id } })
    const { id, partner } = await anAcceptedDeal(undefined, fields)
    expect(wordsOf(await won(id))).toContain('credited to another')
    expect(await told(partner.userId)).not.toContain('You won')
  })

  test('binds the customer: what they pay later is the partner’s', async () => {
    const { id, partner, fields } = await anAcceptedDeal()
    await won(id)
    house.clock.advance(days(200))
    expect((await payBy(fields.email)).partnerId).toBe(partner.id)
  })
})

describe('a payment by the contact of a deal', () => {
  test('is the partner’s, before a click of somebody else', async () => {
    const { partner, fields } = await anAcceptedDeal()
    const clicker = await aPartner()
    expect((await payBy(fields.email.toUpperCase(), { hints: { clickId: clicker.id } })).partnerId).toBe(partner.id)
  })

  test('counts to the last day of the protection, though clicks last shorter, and not after', async () => {
    await house.set('attribution', 'windowDays', 30)
    const { partner, fields } = await anAcceptedDeal()
    const end = house.clock.now().getTime() + days(90)
    house.clock.advance(days(90) + hours(1))
    await house.tick('deals.expire')
    expect((await payBy(fields.email, { paidAt: new Date(end + 1) })).partnerId).toBeNull()
    expect((await payBy(fields.email, { paidAt: new Date(end) })).partnerId).toBe(partner.id)
    await house.set('attribution', 'windowDays', 90)
  })

  test('does not count before the deal was registered, nor while it is not accepted', async () => {
    const { fields } = await anAcceptedDeal()
    expect((await payBy(fields.email, { paidAt: new Date(house.clock.now().getTime() - hours(1)) })).partnerId).toBeNull()
    const waiting = await aDeal()
    expect((await payBy(waiting.fields.email)).partnerId).toBeNull()
  })

  test('that was made before the deal was lost still counts when it is told late', async () => {
    const { id, partner, fields } = await anAcceptedDeal()
    const paidAt = house.clock.now()
    house.clock.advance(hours(1))
    await house.run('admin deals lost', { deal: id }, admin)
    expect((await payBy(fields.email, { paidAt })).partnerId).toBe(partner.id)
    house.clock.advance(hours(1))
    const other = await anAcceptedDeal()
    await house.run('admin deals lost', { deal: other.id, reason: 'No budget' }, admin)
    house.clock.advance(1000)
    expect((await payBy(other.fields.email)).partnerId).toBeNull()
  })

  test('is nothing in another program', async () => {
    const { fields, id } = await anAcceptedDeal()
    const other = (await programStore.byGuild(house.db, '900000000000000002'))!
    expect((await payBy(fields.email, { programId: other.id })).partnerId).toBeNull()
    expect((await payBy(`x${++count}@y.example`, { programId: other.id, hints: { deal: id } })).partnerId).toBeNull()
  })
})

describe('time', () => {
  test('ends a protection: the partner is told once, and the card shows it', async () => {
    const { id, partner } = await anAcceptedDeal()
    house.clock.advance(days(90))
    await house.tick('deals.expire')
    await house.tick('deals.expire')
    expect((await dealOf(partner)).status).toBe('expired')
    expect((await told(partner.userId)).match(/A protection has run out/g)).toHaveLength(1)
    expect(wordsOf(await staffCard(id))).toContain('run out')
    await expect(house.run('admin deals won', { deal: id, amount: '5' }, admin)).rejects.toThrow('run out')
  })

  test('deletes contact and notes 30 days after the end, not before, and old drafts after a week', async () => {
    const { id, partner, fields } = await aDeal()
    const open = await aDeal()
    await submit(partner, { ...aForm(), value: 'x' })
    await house.run('admin deals lost', { deal: id }, admin)
    house.clock.advance(days(29))
    await house.tick('deals.forget')
    expect((await dealOf(partner)).contact_email).toBe(fields.email)
    expect(await house.connection.sql`select 1 from deals_drafts where user_id = ${partner.userId}`).toHaveLength(0)
    house.clock.advance(days(1))
    await house.tick('deals.forget')
    expect(await dealOf(partner)).toMatchObject({ contact_email: null, notes: '' })
    expect((await dealOf(open.partner)).contact_email).toBe(open.fields.email)
    expect(wordsOf(await house.run('deal show', { deal: id }, { userId: partner.userId }))).toContain('deleted')
  })
})

test('a partner’s deals are exported and erased; a sale keeps its deal without the people in it', async () => {
  const partner = await aPartner()
  const { id, fields } = await anAcceptedDeal(partner)
  await house.run('admin deals won', { deal: id, amount: '10' }, admin)
  const waiting = await aDeal(partner)
  const asked = await anAcceptedDeal(partner)
  await payBy(asked.fields.email)
  await house.drain()
  const exported = JSON.stringify(await deals.data!.exportPartner!(house.db, house.program.id, partner.userId))
  expect(exported).toContain(fields.email)
  await house.db.transaction((tx) => deals.data!.deletePartner!(tx, house.program.id, partner.userId))
  const left = await house.connection.sql`select id, user_id, contact_email from deals_deals where partner_id = ${partner.id}`
  expect(left).toMatchObject([{ id, user_id: 'erased', contact_email: null }])
  await aDeal(undefined, waiting.fields)
})
