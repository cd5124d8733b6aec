import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { controlsOf, type TestHouse, testHouse, type Visitor, wordsOf } from '../../app/testing.ts'
import type { Message } from '../../commands/messages.ts'
import { earningPlugins, type TestPartner, type Trade, tradeIn } from '../commissions/testing.ts'
import { hours, largestAttachment, readAttachment, readCsv } from '../kit/index.ts'
import { partners } from '../partners/plugin.ts'
import { judge, refusalOf } from './manual.ts'
import { payouts } from './plugin.ts'

const boss = { isAdmin: true, userId: '1', username: 'boss' }

let house: TestHouse
let trade: Trade
let files: Server
/** What the next download of an attachment gives. */
let served: { status: number; body: Buffer }
beforeAll(async () => {
  house = await testHouse([...earningPlugins, payouts])
  trade = tradeIn(house)
  await house.set('commissions', 'holdDays', 0)
  await house.set('payouts', 'methodCoolingHours', 0)
  await house.set('payouts', 'manual', true)
  files = createServer((_, answer) => answer.writeHead(served.status).end(served.body))
  await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await house.close()
  await new Promise((resolve) => files.close(resolve))
})
beforeEach(() => house.connection.sql`update payouts_methods set chosen = false`)

const pageOf = async (partner: TestPartner) => {
  const answer = await house.run('payout setup', { provider: 'manual' }, partner)
  expect(wordsOf(answer)).toContain('Do not enter bank details')
  return new URL(controlsOf(answer)[0]!).pathname
}
const submit = async (path: string, reference: string) => {
  const answer = await house.app.inject({
    method: 'POST',
    url: path,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({ reference }).toString(),
  })
  await house.drain()
  return answer
}
async function aPayablePartner(amount = 10_000n, reference = 'Supplier 4711'): Promise<TestPartner> {
  const partner = await trade.aPartner()
  expect((await submit(await pageOf(partner), reference)).statusCode).toBe(200)
  await trade.record(trade.aPayment(partner, { gross: amount * 5n }))
  await house.drain()
  await house.tick('commissions.release')
  await house.drain()
  return partner
}
const run = async () => {
  await house.run('admin payouts run', {}, boss)
  await house.drain()
}
const exported = async (again = false) => {
  const answer = (await house.run('admin payouts export', { again }, boss)) as Message
  await house.drain()
  return { words: wordsOf(answer), csv: answer.files?.[0]?.data.toString('utf8') ?? '' }
}
const upload = (body: string | Buffer, status = 200) => {
  served = { status, body: Buffer.from(body) }
  const { port } = files.address() as AddressInfo
  return {
    id: '1',
    filename: 'payouts.csv',
    size: served.body.length,
    url: `http://127.0.0.1:${port}/payouts.csv`,
    contentType: 'text/csv',
  }
}
const imported = async (text: string, visitor: Visitor = boss) => {
  const answer = (await house.run('admin payouts import', { file: upload(text) }, visitor)) as Message
  await house.drain()
  return { words: wordsOf(answer), report: answer.files?.[0]?.data.toString('utf8') }
}
const stateOf = async (partner: TestPartner) =>
  (await house.connection.sql`select state, note from payouts_payouts where partner_id = ${partner.id} order by state`).map(
    ({ state }) => state as string,
  )
/** The exported list with this in the columns that are left to whoever pays. */
const filled = (csv: string, status: string, reason = '', paidOn = '') =>
  csv.replaceAll(/,,,\r\n/g, `,${status},${paidOn},${reason}\r\n`)

describe('a partner who is paid by hand', () => {
  test('leaves a reference, is listed once, and is paid when the list comes back', async () => {
    const ada = await aPayablePartner(12_345n)
    expect(wordsOf(await house.run('payout status', {}, ada))).toContain('By hand')
    expect(wordsOf(await house.run('admin payouts dry-run', {}, boss))).toContain('by hand')
    await run()
    expect(await stateOf(ada)).toEqual(['queued'])
    const { words, csv } = await exported()
    expect(words).toContain('Payouts to make by hand')
    expect(readCsv(csv)?.rows.map(({ cells }) => cells)).toEqual([
      expect.objectContaining({ reference: 'Supplier 4711', amount: '123.45', currency: 'USD', status: '', reason: '' }),
    ])
    expect(await stateOf(ada)).toEqual(['sent'])
    expect((await exported()).words).toContain('No new payout')
    expect((await exported(true)).csv).toBe(csv)

    expect((await imported(csv)).words).toContain('Still open: 1')
    const done = filled(csv, 'paid')
    expect((await imported(done)).words).toContain('1 payout confirmed')
    expect(await stateOf(ada)).toEqual(['paid'])
    expect(await trade.balances(ada)).toEqual({ paid: 12_345n })
    const books = await house.connection.sql`select count(*)::int as transfers from ledger_transfers`
    const again = await imported(done)
    expect(again.words).toContain('Nothing was changed')
    expect(again.words).toContain('Known before, unchanged: 1')
    expect(await house.connection.sql`select count(*)::int as transfers from ledger_transfers`).toEqual(books)
    expect((await exported(true)).words).toContain('No listed payout waits')
    expect(await trade.findings()).toEqual([])
  })

  test('can be called back until listed, and not afterwards', async () => {
    const ada = await aPayablePartner()
    await run()
    const [first] = await house.connection.sql`select id from payouts_payouts where partner_id = ${ada.id}`
    await house.run('admin payouts cancel', { payout: first!.id, reason: 'not yet' }, boss)
    await run()
    await exported()
    const [second] = await house.connection.sql`select id from payouts_payouts where partner_id = ${ada.id} and state = 'sent'`
    await expect(house.run('admin payouts cancel', { payout: second!.id, reason: 'too late' }, boss)).rejects.toMatchObject({
      code: 'payout_not_waiting',
    })
    expect(await stateOf(ada)).toEqual(['cancelled', 'sent'])
  })

  test('whose payout came back has it payable again, with the reason', async () => {
    const ada = await aPayablePartner()
    await run()
    const { csv } = await exported()
    expect((await imported(filled(csv, 'returned'))).words).toContain('write why in the reason column')
    expect(await stateOf(ada)).toEqual(['sent'])
    expect((await imported(filled(csv, 'Returned', 'Account closed'))).words).toContain('Account closed')
    expect(await trade.balances(ada)).toEqual({ payable: 10_000n })
    const [told] = await house.connection.sql`select message from notifications_tells
      where user_id = ${ada.userId} and key like 'payouts.returned:%'`
    expect(wordsOf(told!.message)).toContain('Account closed')
    expect((await imported(filled(csv, 'paid'))).words).toContain('came back before')
    expect(await trade.findings()).toEqual([])
  })

  test('whose reference changes waits anew', async () => {
    await house.set('payouts', 'methodCoolingHours', 72)
    const ada = await aPayablePartner()
    house.clock.advance(hours(73))
    expect(wordsOf(await house.run('payout status', {}, ada))).toContain('paid with the next payout run')
    const path = await pageOf(ada)
    expect((await house.app.inject(path)).body).toContain('value="Supplier 4711"')
    await submit(path, 'Supplier 4712')
    expect(wordsOf(await house.run('payout status', {}, ada))).toContain('for your safety')
    await house.set('payouts', 'methodCoolingHours', 0)
  })

  test('whose reference changes, or who is suspended, between the run and the list is not listed; the staff is told', async () => {
    await house.set('payouts', 'methodCoolingHours', 72)
    const [ada, eva, fine] = [await aPayablePartner(), await aPayablePartner(), await aPayablePartner(7_777n)]
    house.clock.advance(hours(73))
    await run()
    house.clock.advance(hours(1))
    await submit(await pageOf(ada), 'The account of a thief')
    await house.connection.sql`update partners_partners set status = 'suspended' where id = ${eva.id}`
    const { csv } = await exported()
    expect(readCsv(csv)?.rows.map(({ cells }) => cells.amount)).toEqual(['77.77'])
    expect([await stateOf(ada), await stateOf(eva), await stateOf(fine)]).toEqual([['cancelled'], ['cancelled'], ['sent']])
    expect(await trade.balances(ada)).toEqual({ payable: 10_000n })
    const posted = await house.connection.sql`select payload from core_messages where key like 'payouts.taken_back:%'`
    expect(JSON.stringify(posted)).toContain('changed the payout method')
    expect(JSON.stringify(posted)).toContain('is not an active partner')
    expect(await trade.findings()).toEqual([])
    await house.set('payouts', 'methodCoolingHours', 0)
  })

  test('whose reference changes after the list was made is listed again without it: whoever pays looks into the first list', async () => {
    const [ada, fine] = [await aPayablePartner(6_001n), await aPayablePartner(7_001n)]
    await run()
    const first = await exported()
    house.clock.advance(hours(1))
    await submit(await pageOf(ada), 'The account of a thief')
    const { csv } = await exported(true)
    expect(csv).not.toContain('thief')
    const referenceOf = new Map(readCsv(csv)!.rows.map(({ cells }) => [cells.amount, cells.reference]))
    expect(referenceOf.get('60.01')).toContain('see the first list')
    expect(referenceOf.get('70.01')).toBe('Supplier 4711')
    await imported(filled(first.csv, 'paid'))
    expect([await stateOf(ada), await stateOf(fine)]).toEqual([['paid'], ['paid']])
  })

  test('is offered that only when the program wants it', async () => {
    await house.set('payouts', 'manual', false)
    const ada = await trade.aPartner()
    await expect(house.run('payout setup', { provider: 'manual' }, ada)).rejects.toMatchObject({ code: 'no_payout_provider' })
    await house.set('payouts', 'manual', true)
  })
})

describe('a reference', () => {
  test.each([
    ['DE89 3704 0044 0532 0130 00', 'account'],
    ['4111 1111 1111 1111', 'account'],
    ['123-45-6789', 'account'],
    ['GB29NWBK601', 'account'],
    ['', '1 to 80'],
    ['x'.repeat(81), '1 to 80'],
  ])('%j is refused', (text, why) => expect(refusalOf(text)).toContain(why))
  test.each(['Supplier 4711', 'ada@finance', 'Müller GmbH, 2026'])('%j is fine', (text) => expect(refusalOf(text)).toBeUndefined())

  test('that is refused comes back in the form, and nothing is kept', async () => {
    const ada = await trade.aPartner()
    const path = await pageOf(ada)
    const answer = await submit(path, 'DE89370400440532013000')
    expect(answer.statusCode).toBe(422)
    expect(answer.body).toContain('value="DE89370400440532013000"')
    expect(await house.connection.sql`select reference from payouts_references where partner_id = ${ada.id}`).toEqual([
      { reference: null },
    ])
  })

  test('is erased with the partner’s data and exported before', async () => {
    const ada = await aPayablePartner()
    const data = payouts.data!
    expect(JSON.stringify(await data.exportPartner!(house.db, house.program.id, ada.userId))).toContain('Supplier 4711')
    await house.db.transaction((tx) => data.deletePartner!(tx, house.program.id, ada.userId))
    expect(await house.connection.sql`select reference from payouts_references where partner_id = ${ada.id}`).toEqual([
      { reference: null },
    ])
  })

  test('that was erased is paid to no more, neither by what waits for the list nor by the next run', async () => {
    const ada = await aPayablePartner(8_888n)
    await run()
    for (const { data } of [payouts, partners])
      await house.db.transaction((tx) => data!.deletePartner!(tx, house.program.id, ada.userId))
    house.clock.advance(hours(1))
    expect((await exported()).csv).not.toContain('88.88')
    expect(await stateOf(ada)).toEqual(['cancelled'])
    await run()
    expect(await stateOf(ada)).toEqual(['cancelled'])
    expect(wordsOf(await house.run('admin payouts dry-run', {}, boss))).toContain('payout method is not complete: your reference')
  })

  test.each(['GET', 'POST'] as const)('cannot be reached with an invented link (%s)', async (method) => {
    const answer = await house.app.inject({ method, url: '/payouts/manual/invented' })
    expect(answer.statusCode).toBe(404)
    expect(answer.body).toContain('/payout setup')
  })
})

describe('an imported list', () => {
  test('is checked line by line: what is doubtful is told and not done, the rest is', async () => {
    const [ada, bob, eva] = [await aPayablePartner(6_000n), await aPayablePartner(7_000n), await aPayablePartner(8_000n)]
    await run()
    const rows = readCsv((await exported()).csv)!.rows.map(({ cells }) => cells)
    const idOf = (amount: string) => rows.find((row) => row.amount === amount)!.payout_id!
    const { words } = await imported(
      [
        'payout_id;amount;currency;status;reason',
        `${idOf('60.00')};60,00;usd;PAID;`,
        `${idOf('70.00')};71,00;USD;paid;`,
        `${idOf('80.00')};80.00;EUR;paid;`,
        `${idOf('80.00')};80.00;USD;paid;`,
        'b5b6c1e2-0000-4000-8000-000000000000;80.00;USD;paid;',
        'nonsense;;;;',
        `${idOf('60.00')};60.00;USD;returned;because`,
      ].join('\r\n'),
    )
    expect(words).toContain('1 payout confirmed')
    expect(words).toMatch(/Line 3 says 71,00 USD, the payout is 70.00 USD/)
    expect(words).toMatch(/Line 4 says 80.00 EUR/)
    expect(words).toMatch(/Line 5 stands in this file twice/)
    expect(words).toMatch(/Line 6 is no payout by hand/)
    expect(words).toMatch(/Line 7 is no payout by hand/)
    expect(words).toMatch(/Line 8 stands in this file twice/)
    expect([await stateOf(ada), await stateOf(bob), await stateOf(eva)]).toEqual([['paid'], ['sent'], ['sent']])
    expect((await imported(filled((await exported(true)).csv, 'done'))).words).toContain('write paid or returned')
    await imported(filled((await exported(true)).csv, 'paid'))
    expect([await stateOf(bob), await stateOf(eva)]).toEqual([['paid'], ['paid']])
    expect(await trade.findings()).toEqual([])
  })

  test.each([
    ['12.34', 123_400n, 'USD', false],
    ['1.2.34', 123_400n, 'USD', false],
    ['1234', 123_400n, 'USD', true],
    ['1234,00', 123_400n, 'USD', true],
    ['1,234.00', 123_400n, 'USD', true],
    ['1.234,00', 123_400n, 'USD', true],
    ['1.234', 123_400n, 'USD', true],
    ['1.234.567,8', 123_456_780n, 'USD', true],
    ['1.234,5678', 123_456_780n, 'USD', false],
    ['100.5', 1005n, 'JPY', false],
    ['1.005', 1005n, 'JPY', true],
    ['1.234', 1234n, 'KWD', true],
    ['1.234', 1_234_000n, 'KWD', false],
    ['1,234', 1234n, 'KWD', true],
    ['1.23', 123_000n, 'KWD', false],
  ])('that says %s is believed about a payout of %s in minor units of %s: %s', (amount, paid, currency, believed) => {
    const line = { line: 2, payoutId: 'x', amount, currency, status: 'paid', paidOn: '', reason: '' }
    const importing = { timeZone: 'UTC', now: new Date(), ownId: undefined }
    const payout = { partnerId: 'p', state: 'sent', amount: paid, currency, sentAt: new Date(), settledAt: null } as const
    const { outcome } = judge(line, payout, importing)
    expect(outcome).toBe(believed ? 'paid' : 'refused')
  })

  test('may say on which day it was paid, from its listing until today: that day counts, also for the year', async () => {
    house.clock.set(new Date('2030-12-30T18:00:00Z'))
    const ada = await aPayablePartner()
    await run()
    const { csv } = await exported()
    house.clock.set(new Date('2031-01-12T09:00:00Z'))
    const paidOn = async (day: string) => (await imported(filled(csv, 'paid', '', day))).words.replaceAll('\\', '')
    expect(await paidOn('31.12.2030')).toContain('write the day as 2031-01-12')
    expect(await paidOn('2031-01-13')).toContain('which is still to come')
    expect(await paidOn('2030-12-29')).toContain('before it was listed on 2030-12-30')
    expect(await stateOf(ada)).toEqual(['sent'])
    expect(await paidOn('2030-12-31')).toContain('1 payout confirmed')
    const paidIn = (year: number) =>
      house
        .use(payouts)
        .paidBetween(house.db, house.program.id, { from: new Date(`${year}-01-01`), to: new Date(`${year + 1}-01-01`) }, [ada.id])
    expect(await paidIn(2030)).toMatchObject([{ amount: 10_000n }])
    expect(await paidIn(2031)).toEqual([])

    expect(await paidOn('2030-12-31')).not.toContain('Not taken')
    expect(await paidOn('')).not.toContain('Not taken')
    for (const another of ['2031-01-02', '31.12.2030']) {
      const again = await paidOn(another)
      expect(again).toContain('Nothing was changed')
      expect(again).toContain(
        `was confirmed before as paid on 2030-12-31, and not on ${another}: a list cannot change that day any more`,
      )
    }
    expect(await paidIn(2030)).toMatchObject([{ amount: 10_000n }])
  })

  test('says nothing about a payout to whoever imports it: another admin has to', async () => {
    const [ada, bob] = [await aPayablePartner(), await aPayablePartner()]
    await run()
    const paid = filled((await exported()).csv, 'paid')
    const asAdmin = { ...ada, isAdmin: true }
    const { words } = await imported(paid, asAdmin)
    expect(words).toContain('1 payout confirmed')
    expect(words).toMatch(/Line \d is your own payout; another admin imports it/)
    expect([await stateOf(ada), await stateOf(bob)]).toEqual([['sent'], ['paid']])
    await imported(paid)
    expect(await stateOf(ada)).toEqual(['paid'])
    expect((await imported(filled(paid.replaceAll(',paid,', ',,'), 'returned', 'never came'), asAdmin)).words).toContain(
      'your own payout',
    )
    expect([await stateOf(ada), await stateOf(bob)]).toEqual([['paid'], ['returned']])
  })

  test('cannot pay what was never listed, nor what belongs to another provider', async () => {
    const ada = await aPayablePartner()
    await run()
    const [row] = await house.connection.sql`select id from payouts_payouts where partner_id = ${ada.id}`
    const list = `payout_id,amount,currency,status\n${row!.id},100.00,USD,paid\n`
    expect((await imported(list)).words).toContain('export it first')
    await house.connection
      .sql`update payouts_payouts set provider = 'stripe', provider_id = 'tr_1', state = 'sent' where id = ${row!.id}`
    expect((await imported(list)).words).toContain('no payout by hand')
    await house.connection
      .sql`update payouts_payouts set provider = 'manual', provider_id = null, state = 'queued' where id = ${row!.id}`
    await exported()
  })

  test('with many lines is answered with a report of all of them', async () => {
    const lines = Array.from({ length: 20 }, (_, i) => `x${i},1.00,USD,paid`)
    const { report } = await imported(`payout_id,amount,currency,status\n${lines.join('\n')}\n`)
    expect(readCsv(report!)?.rows).toHaveLength(20)
  })

  test.each([
    ['another file', 'name,age\nAda,36\n', 'not_a_payout_list'],
    ['an open quote', 'payout_id,amount,currency,status\n"x', 'not_a_payout_list'],
    ['nothing', '', 'not_a_payout_list'],
    ['what is no UTF-8', Buffer.from([0xff, 0xfe, 0x00]), 'attachment_not_text'],
    ['too much', Buffer.alloc(largestAttachment + 1, 'x'), 'attachment_too_large'],
  ])('of %s is refused with what to do', async (_, body, code) => {
    await expect(house.run('admin payouts import', { file: upload(body) }, boss)).rejects.toMatchObject({ code })
  })

  test('that is larger than it says is not read to its end, and one that is gone is told', async () => {
    await expect(readAttachment({ ...upload(Buffer.alloc(largestAttachment + 1, 'x')), size: 10 })).rejects.toMatchObject({
      code: 'attachment_too_large',
    })
    await expect(readAttachment(upload('gone', 404))).rejects.toMatchObject({ code: 'attachment_unreadable' })
  })

  test('of formulas stays text in the exported list', async () => {
    const ada = await aPayablePartner(5_000n, '=cmd|calc')
    await run()
    expect((await exported()).csv).toContain(`"'=cmd|calc"`)
    expect(await stateOf(ada)).toEqual(['sent'])
  })
})
