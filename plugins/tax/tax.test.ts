import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import type { Message } from '../../commands/messages.ts'
import { earningPlugins, type TestPartner, type Trade, tradeIn } from '../commissions/testing.ts'
import { hours, newId } from '../kit/index.ts'
import { partners } from '../partners/plugin.ts'
import { payouts } from '../payouts/plugin.ts'
import type { ProviderTaxForm } from '../payouts/public.ts'
import { payByHand } from '../payouts/testing.ts'
import { blockedBy, reportable, statusAt } from './decide.ts'
import { tax } from './plugin.ts'
import type { FormStatus } from './public.ts'
import { rangeOfYear, thresholdOf } from './thresholds.ts'

const boss = { isAdmin: true, userId: '1', username: 'boss' }

let house: TestHouse
let trade: Trade
beforeAll(async () => {
  house = await testHouse([...earningPlugins, payouts, tax], { now: '2025-12-01T12:00:00Z' })
  trade = tradeIn(house)
  await house.set('commissions', 'holdDays', 0)
  await house.set('payouts', 'methodCoolingHours', 0)
  await house.set('payouts', 'manual', true)
  await house.set('payouts', 'approvalAbove', '99999999.00')
})
afterAll(() => house.close())
beforeEach(async () => {
  await house.set('tax', 'gate', true)
  await house.set('tax', 'assumeJurisdiction', '')
  await house.connection.sql`update payouts_methods set chosen = false`
})

/** A partner who is paid by hand. */
async function aPartner(): Promise<TestPartner> {
  const partner = await trade.aPartner()
  await payByHand(house, partner, 'Supplier')
  await house.drain()
  return partner
}
async function earns(partner: TestPartner, amount: bigint, currency = 'USD'): Promise<void> {
  await trade.record(trade.aPayment(partner, { gross: amount * 5n, currency }))
  await house.drain()
  await house.tick('commissions.release')
  await house.drain()
}
/** Runs payouts and confirms whatever was made. */
async function payAll(): Promise<void> {
  await house.run('admin payouts run', {}, boss)
  await house.run('admin payouts export', {}, boss)
  const sent = await house.connection.sql`select provider_id from payouts_payouts where state = 'sent'`
  for (const { provider_id: id } of sent)
    await house.db.transaction((tx) => house.use(payouts).confirm(tx, 'manual', id, 'paid', ''))
  await house.drain()
}
const paidTo = async (partner: TestPartner) =>
  (
    await house.connection
      .sql`select amount from payouts_payouts where partner_id = ${partner.id} and state = 'paid' order by amount`
  ).map(({ amount }) => BigInt(amount))
const record = (partner: TestPartner, change: Record<string, unknown> = {}) =>
  house
    .run('admin tax record', { partner: { id: partner.userId }, country: 'us', form: 'w-9', status: 'valid', ...change }, boss)
    .then(wordsOf)
/** A bank that pays the partner tells how far their form is; undefined when it never tells. */
async function told(partner: TestPartner, status: FormStatus | null | undefined, at = house.clock.now()): Promise<void> {
  const account = `bank_${partner.id}`
  await house.connection.sql`
    insert into payouts_methods (id, program_id, partner_id, provider, account, chosen, ready, missing, changed_at, created_at)
    values (${newId()}, ${house.program.id}, ${partner.id}, 'bank', ${account}, false, true, '', now(), now()) on conflict do nothing`
  const taxForm = status && ({ jurisdiction: 'US', form: 'W-9', status } as ProviderTaxForm)
  const state = { ready: true, missing: '', at, ...(taxForm !== undefined && { taxForm }) }
  await house.db.transaction((tx) => house.use(payouts).accountChanged(tx, 'bank', account, state))
  await house.drain()
}
const report = async (year?: number) => {
  const answer = (await house.run('admin tax report', year === undefined ? {} : { year }, boss)) as Message
  return { words: wordsOf(answer), lines: (answer.files?.[0]?.data.toString('utf8') ?? '').trim().split('\r\n') }
}

describe('the threshold', () => {
  test.each([
    ['US', 2025, 60_000n],
    ['US', 2026, 200_000n],
    ['US', 2027, 200_000n],
    ['DE', 2026, undefined],
    ['', 2026, undefined],
  ])('of %s in %i is %s', (jurisdiction, year, amount) => expect(thresholdOf(jurisdiction, year)?.amount).toBe(amount))

  test.each([
    ['below it', 'USD', 59_999n, 'no'],
    ['at it', 'USD', 60_000n, 'yes'],
    ['in another currency', 'EUR', 1n, 'check'],
  ])('%s', (_, currency, amount, expected) => expect(reportable({ currency, amount }, thresholdOf('US', 2025))).toBe(expected))

  test('counts a year as the program sees it, half-open', () => {
    const { from, to } = rangeOfYear(2026, 'America/New_York')
    expect([from.toISOString(), to.toISOString()]).toEqual(['2026-01-01T05:00:00.000Z', '2027-01-01T05:00:00.000Z'])
    expect(rangeOfYear(2025, 'America/New_York').to).toEqual(from)
  })
})

describe('the gate', () => {
  const now = new Date('2026-05-01T00:00:00Z')
  const base = { form: undefined, threshold: thresholdOf('US', 2026), currency: 'USD', amount: 100_000n, paidThisYear: 0n, now }
  const form = (status: 'valid' | 'submitted', validUntil: Date | null = null) => ({ status, validUntil })
  test.each([
    ['lets through what stays below the threshold', base, null],
    ['wants a form once this payout reaches it', { ...base, paidThisYear: 100_000n }, 'missing'],
    ['one unit below needs none', { ...base, paidThisYear: 99_999n }, null],
    ['lets through with a valid form', { ...base, amount: 900_000n, form: form('valid') }, null],
    ['says how far the form is', { ...base, amount: 900_000n, form: form('submitted') }, 'submitted'],
    ['does not take a form that ran out this instant', { ...base, amount: 900_000n, form: form('valid', now) }, 'expired'],
    ['cannot compare another currency, so wants a form', { ...base, amount: 1n, currency: 'EUR' }, 'missing'],
    ['knows countries without a threshold', { ...base, threshold: undefined, amount: 900_000n }, null],
  ])('%s', (_, facts, expected) => expect(blockedBy(facts)).toBe(expected))

  test('a form is valid until its last instant', () => {
    expect(statusAt({ status: 'valid', validUntil: new Date(now.getTime() + 1) }, now)).toBe('valid')
  })

  test('holds the payout that reaches the year’s threshold until the form is valid; the new year has its own', async () => {
    const ada = await aPartner()
    await record(ada, { status: 'requested' })
    await earns(ada, 59_999n)
    await payAll()
    expect(await paidTo(ada)).toEqual([59_999n])
    await house.set('payouts', 'minimum', '0')
    await earns(ada, 1n)
    const dry = wordsOf(await house.run('admin payouts dry-run', {}, boss))
    expect(dry).toContain('reaches $600.00 this year (US), and the tax form W-9 was asked for')
    expect(wordsOf(await house.run('payout status', {}, ada))).toContain('The tax form W-9 was asked for')
    await payAll()
    expect(await paidTo(ada)).toEqual([59_999n])
    house.clock.set('2026-01-01T00:00:00Z')
    await payAll()
    expect(await paidTo(ada)).toEqual([1n, 59_999n])
    await earns(ada, 199_999n)
    await payAll()
    expect(await paidTo(ada)).toHaveLength(2)
    expect(await record(ada, { until: '2026-12-31' })).toContain('W\\-9 for US is valid')
    await payAll()
    expect(await paidTo(ada)).toEqual([1n, 59_999n, 199_999n])
    await house.set('payouts', 'minimum', '50.00')
    expect(await trade.findings()).toEqual([])
  })

  test('takes a form until the end of its last day in the time zone of the program', async () => {
    const zoneIs = (timeZone: string) => {
      Object.assign(house.program, { timeZone })
      return house.connection.sql`update core_programs set time_zone = ${timeZone}`
    }
    await zoneIs('America/New_York')
    const ada = await aPartner()
    const recorded = await record(ada, { until: '2026-07-31' })
    const end = Date.parse('2026-08-01T04:00:00Z')
    expect(recorded).toContain(`until <t:${end / 1000 - 1}:D>`)
    house.clock.set(new Date(end - 1))
    await earns(ada, 300_000n)
    const status = async () => wordsOf(await house.run('payout status', {}, ada))
    expect(await status()).not.toContain('tax form')
    house.clock.set(new Date(end))
    expect(await status()).toContain('tax form W-9 has expired')
    await zoneIs('UTC')
  })

  test('counts what is on its way as paid', async () => {
    const ada = await aPartner()
    await record(ada, { status: 'requested' })
    const pay = async () => {
      await house.run('admin payouts run', {}, boss)
      await house.run('admin payouts export', {}, boss)
    }
    await earns(ada, 150_000n)
    await pay()
    await earns(ada, 50_000n)
    await pay()
    const made = await house.connection.sql`select amount, state from payouts_payouts where partner_id = ${ada.id}`
    expect(made.map(({ amount, state }) => `${amount} ${state}`)).toEqual(['150000 sent'])
    expect(wordsOf(await house.run('payout status', {}, ada))).toMatch(/tax form W-9 was asked for[\s\S]*Then tell the team/)
    await record(ada)
    await payAll()
    expect(await paidTo(ada)).toEqual([50_000n, 150_000n])
  })

  test.each([
    ['is listed with it', 'listed'],
    ['waits for the list', 'waiting'],
  ])('counts a payout that was prepared before and %s', async (_, when) => {
    const ada = await aPartner()
    await record(ada, { status: 'requested' })
    await earns(ada, 150_000n)
    await house.run('admin payouts run', {}, boss)
    if (when === 'listed') await house.set('tax', 'gate', false)
    await earns(ada, 50_000n)
    await house.run('admin payouts run', {}, boss)
    await house.set('tax', 'gate', true)
    house.clock.advance(hours(1))
    await house.run('admin payouts export', {}, boss)
    const made = await house.connection.sql`select amount, state from payouts_payouts where partner_id = ${ada.id} order by id`
    expect(made.map(({ amount, state }) => `${amount} ${state}`)).toEqual([
      '150000 sent',
      ...(when === 'listed' ? ['50000 cancelled'] : []),
    ])
    await record(ada)
    await payAll()
    expect(await paidTo(ada)).toEqual([50_000n, 150_000n])
    expect(await trade.findings()).toEqual([])
  })

  test('asks nothing of partners elsewhere, nor when it is off; an assumed country counts for those without one', async () => {
    const [berlin, unknown] = [await aPartner(), await aPartner()]
    await record(berlin, { country: 'DE', form: 'W-8BEN', status: 'requested' })
    await earns(berlin, 500_000n)
    await earns(unknown, 500_000n)
    await house.set('tax', 'assumeJurisdiction', 'US')
    await payAll()
    expect([await paidTo(berlin), await paidTo(unknown)]).toEqual([[500_000n], []])
    await house.set('tax', 'gate', false)
    await payAll()
    expect(await paidTo(unknown)).toEqual([500_000n])
  })
})

describe('recording', () => {
  test('nobody records their own form', async () => {
    const partner = await trade.aPartner()
    const form = { partner: { id: partner.userId }, country: 'US', form: 'W-9', status: 'valid' }
    await expect(house.run('admin tax record', form, { ...boss, userId: partner.userId })).rejects.toMatchObject({
      code: 'own_tax_form',
      message: expect.stringContaining('Another admin decides'),
    })
    expect(wordsOf(await house.run('admin tax status', { partner: form.partner }, boss))).toContain('Nobody has said anything')
  })

  test.each([
    [{ country: 'XQ' }, 'bad_tax_form'],
    [{ form: '123-45-6789' }, 'bad_tax_form'],
    [{ form: '12-3456789' }, 'bad_tax_form'],
    [{ until: '2026-02-30' }, 'bad_date'],
    [{ until: 'soon' }, 'bad_date'],
    [{ partner: { id: '999' } }, 'unknown_partner'],
  ])('%j is refused', async (change, code) => {
    await expect(record(await trade.aPartner(), change)).rejects.toMatchObject({ code })
  })

  test('the last word counts, is shown, exported and erased with the person', async () => {
    const ada = await trade.aPartner()
    const status = () => house.run('admin tax status', { partner: { id: ada.userId } }, boss).then(wordsOf)
    expect(await status()).toContain('Nobody has said anything')
    await record(ada, { status: 'submitted' })
    await record(ada, { status: 'rejected' })
    expect(await status()).toContain('was rejected')
    const says = () => tax.data!.exportPartner!(house.db, house.program.id, ada.userId)
    expect(await says()).toMatchObject({ forms: [{ form: 'W-9', status: 'rejected' }] })
    await house.db.transaction((tx) => tax.data!.deletePartner!(tx, house.program.id, ada.userId))
    expect(await says()).toEqual({ forms: [] })
  })

  test('a provider may say it, too, and no more', async () => {
    const ada = await trade.aPartner()
    await told(ada, 'valid')
    const form = { jurisdiction: 'US', form: 'W-9', status: 'valid', validUntil: null }
    const since = house.clock.now()
    expect(await house.use(tax).formOf(house.db, house.program.id, ada.id)).toEqual({ ...form, source: 'bank', since })
    await told(ada, undefined)
    expect(await house.use(tax).formOf(house.db, house.program.id, ada.id)).toMatchObject({ status: 'valid' })
    await told(ada, null)
    expect(await house.use(tax).formOf(house.db, house.program.id, ada.id)).toBeUndefined()
  })
})

describe('of what is said by hand and by a provider', () => {
  test.each<[string, ['bank' | 'hand', FormStatus | null, number][], string]>([
    [
      'the provider’s later word',
      [
        ['hand', 'valid', 0],
        ['bank', 'rejected', 1],
      ],
      'bank rejected',
    ],
    [
      'the admin’s later word',
      [
        ['bank', 'rejected', 0],
        ['hand', 'valid', 1],
      ],
      'hand valid',
    ],
    [
      'the admin’s word, though the provider repeats its own',
      [
        ['bank', 'rejected', 0],
        ['hand', 'valid', 1],
        ['bank', 'rejected', 2],
      ],
      'hand valid',
    ],
    [
      'what the provider says anew',
      [
        ['bank', 'rejected', 0],
        ['hand', 'valid', 1],
        ['bank', 'submitted', 2],
      ],
      'bank submitted',
    ],
    [
      'what the admin records again',
      [
        ['hand', 'valid', 0],
        ['bank', 'rejected', 1],
        ['hand', 'valid', 2],
      ],
      'hand valid',
    ],
    [
      'the provider’s newest word, in whatever order it comes',
      [
        ['bank', 'valid', 2],
        ['bank', 'requested', 1],
      ],
      'bank valid',
    ],
    [
      'of one second, what comes last',
      [
        ['bank', 'requested', 1],
        ['bank', 'valid', 1],
      ],
      'bank valid',
    ],
    [
      'nothing older than the provider’s silence',
      [
        ['bank', null, 2],
        ['bank', 'requested', 1],
      ],
      'nothing',
    ],
    [
      'the admin’s word, once the provider says nothing more',
      [
        ['hand', 'valid', 0],
        ['bank', 'rejected', 1],
        ['bank', null, 2],
      ],
      'hand valid',
    ],
    [
      'the admin’s word of before the provider’s last change',
      [
        ['bank', 'valid', 3],
        ['hand', 'rejected', 2],
      ],
      'bank valid',
    ],
  ])('%s counts', async (_, said, expected) => {
    const base = house.clock.now()
    const ada = await trade.aPartner()
    for (const [who, status, hour] of said) {
      const at = new Date(base.getTime() + hours(hour))
      if (who === 'bank') await told(ada, status, at)
      else {
        house.clock.set(at)
        await record(ada, { status })
      }
    }
    const form = await house.use(tax).formOf(house.db, house.program.id, ada.id)
    expect(form ? `${form.source} ${form.status}` : 'nothing').toBe(expected)
  })

  test('the status names both, that which counts first, with who said it and since when', async () => {
    const ada = await trade.aPartner()
    const seconds = () => Math.floor(house.clock.now().getTime() / 1000)
    await told(ada, 'rejected')
    const toldAt = seconds()
    house.clock.advance(hours(1))
    await record(ada, { status: 'valid' })
    const words = wordsOf(await house.run('admin tax status', { partner: { id: ada.userId } }, boss))
    expect(words).toMatch(
      new RegExp(
        `is valid[\\s\\S]*Recorded by an admin <t:${seconds()}:f>[\\s\\S]*counts no more[\\s\\S]*was rejected[\\s\\S]*\\(bank\\)[\\s\\S]*<t:${toldAt}:f>`,
      ),
    )
  })

  test('the gate opens and closes by the provider’s word, and the partner reads that it goes on by itself', async () => {
    house.clock.set('2026-05-01T12:00:00Z')
    const ada = await aPartner()
    await told(ada, 'requested')
    await earns(ada, 200_000n)
    expect(wordsOf(await house.run('payout status', {}, ada))).toMatch(/tax form W-9 was asked for[\s\S]*goes on by itself/)
    await payAll()
    expect(await paidTo(ada)).toEqual([])
    house.clock.advance(hours(1))
    await told(ada, 'valid')
    await payAll()
    expect(await paidTo(ada)).toEqual([200_000n])
    house.clock.advance(hours(1))
    await told(ada, 'rejected')
    await earns(ada, 10_000n)
    await payAll()
    expect(await paidTo(ada)).toEqual([200_000n])
    expect(wordsOf(await house.run('admin payouts dry-run', {}, boss))).toContain('the tax form W-9 was rejected')
  })

  test('both are exported and erased with the person, and what is told later is kept without them', async () => {
    const ada = await trade.aPartner()
    await record(ada)
    await told(ada, 'submitted')
    const says = () => tax.data!.exportPartner!(house.db, house.program.id, ada.userId)
    expect(await says()).toMatchObject({ forms: [{ source: 'bank', status: 'submitted' }, { source: 'hand' }] })
    for (const plugin of [tax, partners])
      await house.db.transaction((tx) => plugin.data!.deletePartner!(tx, house.program.id, ada.userId))
    house.clock.advance(hours(1))
    await told(ada, 'valid')
    expect(await says()).toEqual({ forms: [] })
    expect(await house.use(tax).formOf(house.db, house.program.id, ada.id)).toMatchObject({ status: 'valid' })
  })
})

describe('the report of a year', () => {
  test('sums what arrived by partner, country and currency, says what is reportable, and holds no tax number', async () => {
    house.clock.set('2027-06-01T00:00:00Z')
    await house.set('tax', 'gate', false)
    const [ada, bob, eva] = [await aPartner(), await aPartner(), await aPartner()]
    await record(ada)
    await record(bob, { status: 'submitted' })
    for (const [partner, amount, currency] of [
      [ada, 150_000n, 'USD'],
      [bob, 250_000n, 'USD'],
      [bob, 9_000n, 'EUR'],
      [eva, 300_000n, 'USD'],
    ] as const)
      await earns(partner, amount, currency)
    await payAll()
    await earns(ada, 50_000n)
    await payAll()
    house.clock.set('2028-01-01T00:00:00Z')
    await earns(ada, 70_000n)
    await payAll()
    const { words, lines } = await report()
    expect(lines[0]).toBe(
      'year,jurisdiction,partner_id,name,email,currency,paid,payouts,came_back,report,threshold,reportable,form,form_status',
    )
    const cells = (partner: TestPartner) =>
      lines.filter((line) => line.includes(partner.id)).map((line) => line.split(',').slice(5).join(','))
    expect(cells(ada)).toEqual(['USD,2000.00,2,0.00,1099-NEC,2000.00 USD,yes,W-9,valid'])
    expect(cells(bob)).toEqual([
      'EUR,90.00,1,0.00,1099-NEC,2000.00 USD,check,W-9,submitted',
      'USD,2500.00,1,0.00,1099-NEC,2000.00 USD,yes,W-9,submitted',
    ])
    expect(cells(eva)).toEqual(['USD,3000.00,1,0.00,,,no,,'])
    expect(lines).toHaveLength(5)
    expect(words).toContain('To be reported without a valid form')
    expect(words).toContain('No country recorded')
    expect((await report(2028)).lines.filter((line) => line.includes(ada.id))).toEqual([expect.stringContaining('700.00,1')])
  })

  test('counts what came back later in no year, and names it in the year in which it came back', async () => {
    house.clock.set('2032-06-01T00:00:00Z')
    await house.set('tax', 'gate', false)
    const [ada, bob] = [await aPartner(), await aPartner()]
    await record(ada)
    await earns(ada, 250_000n)
    await payAll()
    await earns(ada, 60_000n)
    await earns(bob, 5_000n)
    await payAll()
    const [large] = await house.connection
      .sql`select provider_id from payouts_payouts where partner_id = ${ada.id} order by amount desc`
    const [bobs] = await house.connection.sql`select provider_id from payouts_payouts where partner_id = ${bob.id}`
    const comesBack = (payout: Record<string, unknown> | undefined) =>
      house.db.transaction((tx) => house.use(payouts).confirm(tx, 'manual', String(payout!.provider_id), 'returned', 'Closed.'))
    const cells = async (partner: TestPartner, year: number) =>
      (await report(year)).lines.filter((line) => line.includes(partner.id)).map((line) => line.split(',').slice(5, 12).join(','))
    await comesBack(bobs)
    expect(await cells(ada, 2032)).toEqual(['USD,3100.00,2,0.00,1099-NEC,2000.00 USD,yes'])
    expect(await cells(bob, 2032)).toEqual([])
    house.clock.set('2033-03-01T00:00:00Z')
    await comesBack(large)
    await house.connection.sql`update payouts_methods set chosen = false`
    expect(await cells(ada, 2032)).toEqual(['USD,600.00,1,0.00,1099-NEC,2000.00 USD,no'])
    expect(await cells(ada, 2033)).toEqual(['USD,0.00,0,2500.00,1099-NEC,2000.00 USD,no'])
    expect(await cells(bob, 2033)).toEqual([])
    expect(await cells(ada, 2034)).toEqual([])
    const { words } = await report(2033)
    expect(words).toContain('Paid in an earlier year and came back in this one')
    expect(words).toContain('$2,500.00')
    expect(words).not.toContain('Nobody was paid')
    const movements = async (month: string) => {
      const { files } = (await house.run('earnings statement', { month }, ada)) as Message
      return files!.find(({ name }) => name.endsWith('.csv'))!.data.toString()
    }
    expect(await movements('2032-06')).toMatch(/Paid out,[^,]*,2500\.00/)
    expect(await movements('2032-06')).not.toContain('Payout came back')
    expect(await movements('2033-03')).toMatch(/2033-03-01T00:00:00.000Z,Payout came back,[^,]*,2500\.00,2500\.00/)
  })

  test('of a year without payments says so', async () => expect((await report(2001)).words).toContain('Nobody was paid in 2001'))
})
