import { fc, test } from '@fast-check/vitest'
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest'
import { controlsOf, type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import type { Message } from '../../commands/messages.ts'
import { attribution } from '../attribution/plugin.ts'
import type { CanonicalPayment } from '../attribution/public.ts'
import { days, definePlugin, extend, newId } from '../kit/index.ts'
import { commissions } from './plugin.ts'
import { tierSource } from './public.ts'
import { earningPlugins, payFor, type TestPartner, type Trade, tradeIn } from './testing.ts'

const goldPartners = new Set<string>()
const ranks = definePlugin({
  id: 'ranks',
  title: 'Ranks',
  summary: 'Names tiers, for a test.',
  setup: () => ({
    extends: [
      extend(tierSource, { id: 'ranks', tierOf: async (_reader, _programId, id) => (goldPartners.has(id) ? 'gold' : null) }),
    ],
  }),
})

const boss = { isAdmin: true, userId: '1' }
let house: TestHouse
let trade: Trade
let ada: TestPartner
let count = 0
beforeAll(async () => {
  house = await testHouse([...earningPlugins, ranks])
  trade = tradeIn(house)
})
beforeEach(async () => {
  const old = await house.connection.sql`select distinct name from commissions_rules where name <> 'default' and ends_at is null`
  for (const { name } of old) await house.run('admin rules end', { name }, boss)
  await house.set('commissions', 'holdDays', 30)
  ada = await trade.aPartner()
  await house.drain()
  house.clock.advance(1_000)
})
afterAll(() => house.close())

const ofPartner = (partner = ada) => house.use(commissions).ofPartner(house.db, house.program.id, partner.id)
async function sold(change: Partial<CanonicalPayment> = {}, partner: TestPartner = ada) {
  house.clock.advance(1_000)
  const payment = trade.aPayment(partner, change)
  await trade.record(payment)
  await house.drain()
  return payment
}
async function given(saleId: string, partner: TestPartner) {
  const override = { id: newId(), proposedBy: '1', approvedBy: '2', reason: 'So decided' }
  await house.db.transaction((tx) => house.use(attribution).reassign(tx, house.program.id, saleId, partner.id, override))
  await house.drain()
}
async function drafted(options: Record<string, unknown>): Promise<{ card: Message; publish: string; simulate: string }> {
  const card = (await house.run('admin rules add', { name: `rule ${++count}`, ...options }, boss)) as Message
  const [simulate = '', publish = ''] = controlsOf(card)
  return { card, publish, simulate }
}
async function published(options: Record<string, unknown>): Promise<string> {
  const { publish } = await drafted(options)
  const answer = await house.press(publish, {}, boss)
  await house.drain()
  return wordsOf(answer)
}
const amounts = async (partner = ada) =>
  (await ofPartner(partner)).map(({ amount, reason }) => `${amount}${reason === null ? '' : ` ${reason}`}`)

describe('a rule', () => {
  test('is a draft first and changes nothing before it is published', async () => {
    const { card, publish } = await drafted({ rate: '30' })
    expect(wordsOf(card)).toContain('**30%** · for every partner')
    await sold()
    expect(wordsOf(await house.press(publish, {}, boss))).toContain('is published')
    await sold()
    expect(await amounts()).toEqual(['2000', '3000'])
    expect(await trade.findings()).toEqual([])
  })

  test('for one partner is neither published nor ended by that partner', async () => {
    const themselves = { ...boss, userId: ada.userId }
    const partner = { id: ada.userId, username: ada.username, bot: false }
    const { publish } = await drafted({ name: 'For Ada', rate: '90', partner })
    await expect(house.press(publish, {}, themselves)).rejects.toMatchObject({ code: 'own_rule' })
    await house.press(publish, {}, boss)
    await expect(house.run('admin rules end', { name: 'For Ada' }, themselves)).rejects.toMatchObject({ code: 'own_rule' })
    await sold()
    expect(await amounts()).toEqual(['9000'])
  })

  test('for one partner is not ended by that partner with another of its name', async () => {
    const partner = { id: ada.userId, username: ada.username, bot: false }
    await published({ name: 'Probation', rate: '5', partner })
    const { publish } = await drafted({ name: 'Probation', rate: '5', product: 'Nothing that is sold' })
    await expect(house.press(publish, {}, { ...boss, userId: ada.userId })).rejects.toMatchObject({ code: 'own_rule' })
    await sold()
    expect(await amounts()).toEqual(['500'])
    await house.press(publish, {}, boss)
    await published({ name: 'Probation', rate: '5', partner })
    const later = await drafted({ name: 'Probation', rate: '5', product: 'Nothing', starts: '2060-01-01' })
    await house.press(later.publish, {}, boss)
    const themselves = { ...boss, userId: ada.userId }
    await expect(house.run('admin rules end', { name: 'Probation' }, themselves)).rejects.toMatchObject({ code: 'own_rule' })
  })

  test('is published once, however often the button is pressed', async () => {
    const { publish } = await drafted({ rate: '30' })
    const answers = await Promise.all(Array.from({ length: 8 }, () => house.press(publish, {}, boss)))
    expect(answers.filter((answer) => wordsOf(answer).includes('is published'))).toHaveLength(1)
    expect(answers.filter((answer) => wordsOf(answer).includes('was published before'))).toHaveLength(7)
  })

  test('for the partner goes before the tier, the product and the program', async () => {
    goldPartners.add(ada.id)
    const bob = await trade.aPartner()
    await published({ rate: '21' })
    await sold({}, bob)
    await published({ rate: '22', product: 'course' })
    await sold({}, bob)
    await published({ rate: '23', tier: 'gold' })
    await sold()
    await published({ rate: '24', partner: { id: ada.userId, username: 'ada', bot: false } })
    await sold()
    await sold({}, bob)
    expect(await amounts()).toEqual(['2300', '2400'])
    expect(await amounts(bob)).toEqual(['2100', '2200', '2200'])
  })

  test('pays an amount for each sale, by the share that is not refunded', async () => {
    await published({ amount: '25.00' })
    const payment = await sold()
    expect(await amounts()).toEqual(['2500'])
    await trade.record({ ...payment, refunded: 5_000n })
    await house.drain()
    expect(await amounts()).toEqual(['1250 refund_partial'])
    await sold({ currency: 'EUR' })
    expect((await ofPartner()).map(({ currency, flat, ratePpm }) => [currency, flat, ratePpm])).toEqual([
      ['USD', 2_500n, 0n],
      ['EUR', null, 200_000n],
    ])
    expect(await trade.findings()).toEqual([])
  })

  test('asks for country, customer and amount', async () => {
    await published({ rate: '40', countries: 'at, CH', customer: 'new', minimum: '50' })
    const customer = { key: 'cus_swiss', emailHash: undefined, country: 'CH' }
    await sold({ customer, gross: 4_999n })
    await sold({ customer: { ...customer, key: 'cus_other' } })
    await sold({ customer: { ...customer, key: 'cus_other' } })
    await sold()
    expect(await amounts()).toEqual(['1000', '4000', '2000', '2000'])
  })

  test('for a subscription ends with its months and its number of payments, and nothing else takes over', async () => {
    await published({ rate: '50', months: 3, max_payments: 2 })
    const customer = { key: `cus_sub${count}`, emailHash: undefined, country: undefined }
    const pay = (sequence: number) => sold({ customer, recurring: { subscription: `sub_${count}`, sequence } })
    await pay(1)
    house.clock.advance(days(30))
    await pay(2)
    house.clock.advance(days(30))
    await pay(3)
    house.clock.advance(days(60))
    await pay(4)
    expect((await amounts()).slice(0, 2)).toEqual(['5000', '5000'])
    expect((await ofPartner()).slice(2)).toMatchObject([
      { amount: 0n, state: 'voided', reason: 'window_expired' },
      { amount: 0n, state: 'voided', reason: 'window_expired' },
    ])
  })

  test('counts months from the first payment, whatever the number of the payment says', async () => {
    await published({ rate: '50', months: 2 })
    const customer = { key: `cus_sub${count}`, emailHash: undefined, country: undefined }
    const recurring = { subscription: `sub_m${count}`, sequence: 1 }
    await sold({ customer, recurring })
    house.clock.advance(days(70))
    await sold({ customer, recurring: { ...recurring, sequence: 2 } })
    expect(await amounts()).toEqual(['5000', '0 window_expired'])
  })

  test('caps what a sale earns, and a refund first takes what lies above', async () => {
    await published({ rate: '50', cap_per_sale: '30' })
    const payment = await sold()
    expect(await amounts()).toEqual(['3000 cap_reached'])
    await trade.record({ ...payment, refunded: 6_000n })
    await house.drain()
    expect(await amounts()).toEqual(['2000 refund_partial'])
    expect(await trade.findings()).toEqual([])
  })

  test('caps what a sale earns, also when its tax is corrected afterwards', async () => {
    await published({ rate: '50', cap_per_sale: '45' })
    const payment = await sold({ tax: 2_000n })
    expect(await amounts()).toEqual(['4000'])
    await trade.record({ ...payment, tax: 0n })
    await house.drain()
    expect(await amounts()).toEqual(['4500 cap_reached'])
  })

  test('caps what a partner earns in a month of the program, whatever is refunded, and begins anew with the next', async () => {
    house.clock.set('2027-03-10T12:00:00Z')
    await published({ rate: '20', cap_per_period: '50' })
    const payment = await sold()
    await sold()
    await trade.record({ ...payment, refunded: 10_000n })
    await house.drain()
    await sold()
    await sold()
    house.clock.set('2027-04-01T00:00:01Z')
    await sold()
    expect(await amounts()).toEqual(['0 refund_full', '2000', '1000 cap_reached', '0 cap_reached', '2000'])
  })

  describe('caps what a partner earns in a month, also when the tax of a sale is corrected', () => {
    const retaxed = async (payment: CanonicalPayment, tax: bigint) => {
      await trade.record({ ...payment, tax })
      await house.drain()
    }

    test('downward, once the cap is used up: the sale gets no more', async () => {
      await published({ rate: '20', cap_per_period: '50' })
      const payment = await sold({ tax: 2_000n })
      await sold()
      await sold()
      await sold()
      expect(await amounts()).toEqual(['1600', '2000', '1400 cap_reached', '0 cap_reached'])
      await retaxed(payment, 0n)
      expect(await amounts()).toEqual(['1600 cap_reached', '2000', '1400 cap_reached', '0 cap_reached'])
      const { saleId } = (await ofPartner())[0]!
      expect(wordsOf(await house.run('earnings why', { sale: saleId }, ada))).toContain('At most $16.00')
      expect(await trade.findings()).toEqual([])
    })

    test('downward, while there is room: the sale takes it, and the next one finds what is left', async () => {
      await published({ rate: '20', cap_per_period: '50' })
      const payment = await sold({ tax: 2_000n })
      await sold()
      await retaxed(payment, 0n)
      await sold()
      expect(await amounts()).toEqual(['2000 basis_changed', '2000', '1000 cap_reached'])
      expect(await trade.findings()).toEqual([])
    })

    test('downward, while there is a little room: the sale takes that', async () => {
      await published({ rate: '20', cap_per_period: '38' })
      const payment = await sold({ tax: 2_000n })
      await sold()
      await retaxed(payment, 0n)
      await sold()
      expect(await amounts()).toEqual(['1800 cap_reached', '2000', '0 cap_reached'])
    })

    test('upward: like a refund it leaves no more to others, and may be taken back', async () => {
      await published({ rate: '20', cap_per_period: '50' })
      const payment = await sold()
      await sold()
      await retaxed(payment, 2_000n)
      await sold()
      expect(await amounts()).toEqual(['1600 basis_changed', '2000', '1000 cap_reached'])
      await retaxed(payment, 0n)
      expect(await amounts()).toEqual(['2000', '2000', '1000 cap_reached'])
    })

    test('of a sale that was refunded in part: the refund is taken from what the cap left it', async () => {
      await published({ rate: '20', cap_per_period: '36' })
      const payment = await sold({ tax: 2_000n })
      await sold()
      await trade.record({ ...payment, tax: 0n, refunded: 5_000n })
      await house.drain()
      expect(await amounts()).toEqual(['1000 refund_partial', '2000'])
      await trade.record({ ...payment, tax: 0n, refunded: 0n })
      await house.drain()
      expect(await amounts()).toEqual(['1600 cap_reached', '2000'])
      expect(await trade.findings()).toEqual([])
    })

    test('of a sale that was paid: what more it takes of the cap counts, too', async () => {
      await house.set('commissions', 'holdDays', 0)
      await published({ rate: '20', cap_per_period: '30' })
      const payment = await sold({ tax: 5_000n })
      await house.tick('commissions.release')
      await payFor(house, ada)
      await retaxed(payment, 0n)
      await sold()
      expect((await ofPartner()).map(({ amount }) => amount).reduce((a, b) => a + b, 0n)).toBe(3_000n)
      expect(await trade.findings()).toEqual([])
    })

    test('begins with what room there is for a sale that was taken away and given back', async () => {
      const bob = await trade.aPartner()
      await published({ rate: '20', cap_per_period: '30' })
      const payment = await sold({ tax: 5_000n })
      const { saleId } = (await ofPartner())[0]!
      await retaxed(payment, 0n)
      await given(saleId, bob)
      await sold()
      await given(saleId, ada)
      await sold()
      expect((await ofPartner()).map(({ amount }) => amount).reduce((a, b) => a + b, 0n)).toBe(3_000n)
      expect(await trade.findings()).toEqual([])
    })
  })

  test('does not let sales at the same time use one cap twice', async () => {
    await published({ rate: '20', cap_per_period: '50' })
    for (let i = 0; i < 16; i++) await trade.record(trade.aPayment(ada))
    await Promise.all(Array.from({ length: 4 }, () => house.drain()))
    const earned = (await ofPartner()).map(({ amount }) => Number(amount))
    expect(earned.reduce((total, amount) => total + amount, 0)).toBe(5_000)
    expect(await trade.findings()).toEqual([])
  })

  test.each(['20', '30'])(
    'leaves a sale that comes back what room of %s is left, and no more to any sale after it',
    async (cap) => {
      const bob = await trade.aPartner()
      await published({ rate: '20', cap_per_period: cap })
      await sold()
      const { saleId } = (await ofPartner())[0]!
      await given(saleId, bob)
      await sold()
      await given(saleId, ada)
      await sold()
      const earned = () => ofPartner().then((all) => all.map(({ amount }) => Number(amount)).reduce((a, b) => a + b, 0))
      expect(await earned()).toBe(Number(cap) * 100)
      expect((await ofPartner(bob)).map(({ amount }) => amount)).toEqual([0n])
      await given(saleId, bob)
      await sold()
      expect(await earned()).toBe(Number(cap) * 100)
      expect(await trade.findings()).toEqual([])
    },
  )

  test('goes on under its own terms when a sale comes back under a cap, though a closer rule would fit by now', async () => {
    const bob = await trade.aPartner()
    await published({ rate: '25', tier: 'gold' })
    await published({ rate: '10', cap_per_period: '30' })
    await sold()
    const { saleId } = (await ofPartner())[0]!
    goldPartners.add(ada.id)
    await given(saleId, bob)
    await given(saleId, ada)
    expect((await ofPartner()).map(({ amount }) => amount).filter((amount) => amount > 0n)).toEqual([1_000n])
    expect(await trade.findings()).toEqual([])
  })

  test('leaves what room there is to a sale that was paid, taken away and given back', async () => {
    const bob = await trade.aPartner()
    await house.set('commissions', 'holdDays', 0)
    await published({ rate: '20', cap_per_period: '30' })
    const payment = await sold()
    const { saleId } = (await ofPartner())[0]!
    await house.tick('commissions.release')
    await payFor(house, ada)
    await given(saleId, bob)
    await sold()
    expect(await trade.balances(ada)).toEqual({ paid: 2_000n })
    await given(saleId, ada)
    expect(await trade.balances(ada)).toEqual({ paid: 2_000n, pending: 1_000n })
    await trade.record({ ...payment, refunded: 7_500n })
    await house.drain()
    expect(await trade.balances(ada)).toEqual({ paid: 2_000n, pending: 500n })
    expect(wordsOf(await house.run('earnings why', { sale: saleId }, ada))).toContain('At most $10.00')
    expect(await trade.findings()).toEqual([])
  })

  test('forgets a sale that was taken away while it was in a payout, also when that comes back', async () => {
    const bob = await trade.aPartner()
    await house.set('commissions', 'holdDays', 0)
    await published({ rate: '20', cap_per_period: '20' })
    await sold()
    const { saleId } = (await ofPartner())[0]!
    await house.tick('commissions.release')
    await payFor(house, ada, 'returned', () => given(saleId, bob))
    await sold()
    expect((await ofPartner()).map(({ amount }) => amount)).toEqual([0n, 2_000n])
    expect(await trade.findings()).toEqual([])
  })

  test('of the same name follows as the next version, and the one before ends there', async () => {
    await published({ name: 'Spring', rate: '25' })
    await sold()
    house.clock.advance(days(1))
    expect(await published({ name: 'Spring', rate: '28' })).toContain('Version 2')
    await sold()
    expect(await amounts()).toEqual(['2500', '2800'])
    const versions = await house.connection
      .sql`select version, ends_at is null as open from commissions_rules where name = 'Spring' order by version`
    expect(versions).toEqual([
      { version: 1, open: false },
      { version: 2, open: true },
    ])
  })

  test('begins and ends with the days it was given, in the program’s time zone', async () => {
    house.clock.set('2027-06-01T12:00:00Z')
    await published({ rate: '33', starts: '2027-06-10', ends: '2027-06-11' })
    for (const at of ['2027-06-09T23:59:59Z', '2027-06-10T00:00:00Z', '2027-06-11T23:59:59Z', '2027-06-12T00:00:00Z']) {
      house.clock.set(new Date(at))
      const payment = trade.aPayment(ada)
      await trade.record(payment)
      await house.drain()
    }
    expect(await amounts()).toEqual(['2000', '3300', '3300', '2000'])
    expect(wordsOf(await house.run('admin rules list', {}, boss))).not.toContain('33%')
  })

  test('never reaches back: a payment made before it was published keeps the old rate', async () => {
    const before = trade.aPayment(ada)
    house.clock.advance(1_000)
    await published({ rate: '30' })
    await trade.record(before)
    await house.drain()
    expect(await amounts()).toEqual(['2000'])
  })

  test('is shown with what it pays, and not any more when it has ended', async () => {
    await published({ name: 'Autumn', rate: '26', product: 'Course', cap_per_sale: '40', months: 12 })
    const list = async () => wordsOf(await house.run('admin rules list', {}, boss))
    expect(await list()).toContain(
      '**26%** · for every partner, product Course, sales in USD · payments within 12 months of the first, at most $40.00 for a sale',
    )
    expect(await list()).toContain('20% of each sale')
    expect(wordsOf(await house.run('admin rules end', { name: 'Autumn' }, boss))).toContain('has ended')
    expect(await list()).not.toContain('Autumn')
    await sold()
    expect(await amounts()).toEqual(['2000'])
    await expect(house.run('admin rules end', { name: 'Autumn' }, boss)).rejects.toMatchObject({ code: 'unknown_rule' })
  })

  const refused: [string, Record<string, unknown>, string][] = [
    ['neither rate nor amount', {}, 'no_rate'],
    ['both rate and amount', { rate: '10', amount: '5' }, 'rate_and_amount'],
    ['a rate above 100', { rate: '101' }, 'bad_rate'],
    ['a rate that is no number', { rate: 'much' }, 'bad_rate'],
    ['an amount of nothing', { amount: '0' }, 'bad_amount'],
    ['an amount below nothing', { amount: '-5' }, 'bad_amount'],
    ['an amount with too many decimals', { amount: '5.001' }, 'bad_amount'],
    ['a huge amount', { amount: '999999999999999' }, 'bad_amount'],
    ['an unknown currency', { amount: '5', currency: 'XQQ' }, 'unknown_currency'],
    ['an unknown country', { rate: '10', countries: 'Germany' }, 'unknown_country'],
    ['a day that does not exist', { rate: '10', starts: '2027-02-30' }, 'bad_date'],
    ['an end before the start', { rate: '10', starts: '2029-02-02', ends: '2029-02-01' }, 'ends_before_start'],
    ['months for the first payment only', { rate: '10', payments: 'first', months: 3 }, 'first_and_more'],
    ['the reserved name', { name: 'Default', rate: '10' }, 'reserved_name'],
    ['someone who is no partner', { rate: '10', partner: { id: '404', username: 'x', bot: false } }, 'unknown_partner'],
  ]
  test.each(refused)('with %s is refused', async (_, options, code) => {
    await expect(drafted(options)).rejects.toMatchObject({ code })
  })

  test.each([
    'update commissions_rules set rate_ppm = 1',
    'delete from commissions_rules',
    'update commissions_rules set ends_at = null',
  ])('is protected by the database: %s', async (statement) => {
    await published({ rate: '30' })
    await sold()
    await expect(house.connection.sql.unsafe(statement)).rejects.toThrow('never changed, only ended')
  })

  test.each([
    'rate_ppm = 1',
    'basis = 1',
    'rule_version = 99',
    "limit_amount = 1, limit_reason = 'cap_reached'",
    'partner_id = program_id',
  ])('stays stamped: the database refuses to set %s', async (change) => {
    await sold()
    await expect(
      house.connection.sql.unsafe(`update commissions_commissions set ${change} where partner_id = '${ada.id}'`),
    ).rejects.toThrow('is never changed')
  })

  const someRules = fc.array(
    fc.record({ rate: fc.constantFrom('1', '15', '99.9'), forAda: fc.boolean(), cap_per_sale: fc.constantFrom(undefined, '1.00') }),
    { minLength: 1, maxLength: 3 },
  )
  test.prop([someRules, fc.bigInt({ min: 0n, max: 10_000n })], { numRuns: 6 })(
    'published later never alters what a sale was stamped with, also when the sale is refunded afterwards',
    async (later, refunded) => {
      const partner = await trade.aPartner()
      const payment = await sold({}, partner)
      const stampOf = async () => {
        const [{ id, ratePpm, basis, flat } = {} as never] = await ofPartner(partner)
        const [row] = await house.connection
          .sql`select rule_id, rule_version, limit_amount from commissions_commissions where id = ${id}`
        return { ratePpm, basis, flat, ...row }
      }
      const before = await stampOf()
      for (const { forAda, ...options } of later)
        await published({ ...options, ...(forAda && { partner: { id: partner.userId, username: 'x', bot: false } }) })
      await trade.record({ ...payment, refunded })
      await house.drain()
      expect(await stampOf()).toEqual(before)
      expect((await ofPartner(partner))[0]!.amount).toBe(((10_000n - refunded) * 2n + 5n) / 10n)
    },
  )
})

describe('a simulation', () => {
  test('shows the difference for each partner, and changes nothing', async () => {
    house.clock.advance(days(400))
    const bob = await trade.aPartner()
    const refunded = await sold()
    await trade.record({ ...refunded, refunded: 5_000n })
    await sold({ product: 'Book' })
    await sold({ gross: 30_000n }, bob)
    await sold({ currency: 'EUR' }, bob)
    await house.drain()
    const before = await house.connection.sql`select count(*) from ledger_transfers`
    const { simulate, card } = await drafted({ rate: '30', product: 'Course', cap_per_sale: '80' })
    expect(card.components).toHaveLength(1)
    const answer = (await house.press(simulate, {}, boss)) as Message
    const words = wordsOf(answer)
    expect(words).toContain('4 sales replayed')
    expect(words).toContain('**+$25.00** in all in USD, for 2 partners')
    expect(words).toContain(`• <@${ada.userId}>: $30.00 → $35.00 (**+$5.00**, 1 sale)`)
    expect(words).toContain(`• <@${bob.userId}>: $60.00 → $80.00 (**+$20.00**, 1 sale)`)
    expect(answer.files?.[0]?.data.toString()).toContain(`${bob.id},USD,1,60.00,80.00,20.00`)
    expect(await house.connection.sql`select count(*) from ledger_transfers`).toEqual(before)
    expect(await amounts()).toEqual(['1000 refund_partial', '2000'])
  })

  test('of the next version shows what it takes from those whom it leaves out', async () => {
    house.clock.advance(days(400))
    await published({ name: 'Push', rate: '50' })
    await sold()
    await sold({ product: 'Book' })
    const { simulate } = await drafted({ name: 'Push', rate: '50', product: 'Course' })
    const words = wordsOf(await house.press(simulate, {}, boss))
    expect(words).toContain(`• <@${ada.userId}>: $100.00 → $70.00 (**-$30.00**, 1 sale)`)
  })

  test('counts a cap through the replayed period', async () => {
    house.clock.set('2031-05-10T12:00:00Z')
    await sold()
    await sold()
    house.clock.set('2031-06-02T12:00:00Z')
    await sold()
    const { simulate } = await drafted({ rate: '20', cap_per_period: '30' })
    expect(wordsOf(await house.press(simulate, {}, boss))).toContain('$60.00 → $50.00')
  })

  test('shows what the draft takes over from a rule for the same sales, as the one that starts later', async () => {
    house.clock.advance(days(400))
    await published({ name: 'Base', rate: '10' })
    await sold()
    const { simulate, publish } = await drafted({ name: 'Better', rate: '30' })
    expect(wordsOf(await house.press(simulate, {}, boss))).toContain('$10.00 → $30.00')
    await house.press(publish, {}, boss)
    await sold()
    expect(await amounts()).toEqual(['1000', '3000'])
  })

  test('counts towards a cap what was sold in its period before the days asked for', async () => {
    house.clock.set('2033-05-02T12:00:00Z')
    await sold()
    house.clock.set('2033-05-20T12:00:00Z')
    await sold()
    const { simulate } = await drafted({ rate: '20', cap_per_period: '30' })
    const [draft] = await house.connection.sql`select id from commissions_rule_drafts order by created_at desc limit 1`
    expect(simulate).toContain(draft!.id)
    const words = wordsOf(await house.run('admin rules simulate', { draft: draft!.id, days: 5 }, boss))
    expect(words).toContain('1 sale replayed')
    expect(words).toContain('$20.00 → $10.00')
  })

  test('without any difference says so, and leaves out what is older than the days asked for', async () => {
    house.clock.advance(days(400))
    await sold()
    house.clock.advance(days(10))
    await drafted({ name: 'Late idea', rate: '30' })
    const [draft] = await house.connection.sql`select id from commissions_rule_drafts order by created_at desc limit 1`
    const answer = await house.run('admin rules simulate', { draft: draft!.id, days: 5 }, boss)
    expect(wordsOf(answer)).toContain('0 sales replayed')
    expect(wordsOf(answer)).toContain('Not one of them would have earned anything else')
    await expect(house.run('admin rules simulate', { draft: 'nonsense' }, boss)).rejects.toMatchObject({ code: 'unknown_draft' })
  })
})
