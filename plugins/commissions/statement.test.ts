import { fc, test } from '@fast-check/vitest'
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest'
import { controlsOf, type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import type { Message } from '../../commands/messages.ts'
import { days, sum, toDecimal } from '../kit/index.ts'
import { textOf } from '../kit/pdfText.ts'
import { ledger } from '../ledger/plugin.ts'
import type { Balance, PartnerAccount, PostedTransfer } from '../ledger/public.ts'
import { sectionsOf } from './statement.ts'
import { statementPdf } from './statementFiles.ts'
import { earningPlugins, payFor, type TestPartner, type Trade, tradeIn } from './testing.ts'

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

async function sold(change = {}) {
  const payment = trade.aPayment(ada, change)
  await trade.record(payment)
  await house.drain()
  return payment
}
const statement = (month?: string) => house.run('earnings statement', month === undefined ? {} : { month }, ada) as Promise<Message>
const csvOf = (answer: Message) =>
  answer
    .files!.find(({ name }) => name.endsWith('.csv'))!
    .data.toString()
    .replace('\uFEFF', '')
    .trim()
    .split('\r\n')
const pdfOf = (answer: Message) => answer.files!.find(({ name }) => name.endsWith('.pdf'))!.data

describe('a statement', () => {
  test('tells a whole life: earned, refunded, released, paid, and what was owed before and after', async () => {
    house.clock.set('2026-12-05T10:00:00Z')
    const payment = await sold()
    house.clock.set('2027-01-10T10:00:00Z')
    await trade.record({ ...payment, refunded: 2_500n })
    await house.drain()
    await house.tick('commissions.release')
    await payFor(house, ada)
    await sold({ currency: 'JPY', gross: 1_000n })
    const answer = await statement('2027-01')
    expect(wordsOf(answer)).toContain('Your statement of January 2027, so far')
    expect(wordsOf(answer)).toContain('Opening balance $20.00 → closing balance **$0.00**')
    const sale = expect.stringMatching(/^sale \w{8}$/)
    expect(csvOf(answer).map((line) => line.split(','))).toEqual([
      ['currency', 'time', 'what', 'reference', 'moved', 'change', 'balance'],
      ['JPY', '', 'Opening balance', '', '', '', '0'],
      ['JPY', '2027-01-10T10:00:00.000Z', 'Commission', sale, '200', '200', '200'],
      ['JPY', '', 'Closing balance', '', '', '', '200'],
      ['USD', '', 'Opening balance', '', '', '', '20.00'],
      ['USD', '2027-01-10T10:00:00.000Z', 'Refund or dispute', sale, '5.00', '-5.00', '15.00'],
      ['USD', '2027-01-10T10:00:00.000Z', 'Became payable', sale, '15.00', '0.00', '15.00'],
      ['USD', '2027-01-10T10:00:00.000Z', 'Payout prepared', expect.any(String), '15.00', '0.00', '15.00'],
      ['USD', '2027-01-10T10:00:00.000Z', 'Paid out', expect.any(String), '15.00', '-15.00', '0.00'],
      ['USD', '', 'Closing balance', '', '', '', '0.00'],
    ])
    expect(pdfOf(answer).subarray(0, 5).toString()).toBe('%PDF-')
    expect(controlsOf(answer)).toEqual(['attachment://statement-2027-01.pdf', 'attachment://statement-2027-01.csv'])
  })

  test.each([
    ['IDR', -987_654_321_098_76n],
    ['JPY', 987_654_321_098n],
    ['KWD', 987_654_321_098n],
    ['USD', -5n],
  ])('prints amounts in %s in full', async (currency, amount) => {
    const line = { at: new Date(), what: 'Refund or dispute', reference: 'commission 12345678', moved: amount, change: amount }
    const section = { currency, opening: amount, lines: [{ ...line, balance: amount }], closing: amount, paid: 0n, accounts: [] }
    const whose = { program: 'Acme', partner: { id: ada.id, name: 'Ada' }, title: 'May 2027', month: '2027-05' }
    const text = textOf(await statementPdf({ ...whose, timeZone: 'UTC', unfinished: false, sections: [section] }))
    expect(text.split(toDecimal(amount, currency))).toHaveLength(6)
    for (const word of [line.what, line.reference]) expect(text).toContain(word)
  })

  test('without a month is of the last finished one, or of the current one for a newcomer', async () => {
    house.clock.set('2027-02-10T10:00:00Z')
    expect(wordsOf(await statement())).toContain('Nothing was earned, changed or paid')
    await sold()
    expect(wordsOf(await statement())).toContain('February 2027, so far')
    house.clock.set('2027-03-10T10:00:00Z')
    expect(wordsOf(await statement())).toContain('Your statement of February 2027')
  })

  test('of each month begins where the one before ended', async () => {
    house.clock.set('2027-04-10T10:00:00Z')
    await sold()
    house.clock.set('2027-05-10T10:00:00Z')
    await sold({ gross: 5_000n })
    const [, april] = csvOf(await statement('2027-04'))
      .at(-1)!
      .split('Closing balance')
    const may = csvOf(await statement('2027-05'))
    expect(may[1]).toContain(april!.trim())
    expect(may.at(-1)).toContain('30.00')
  })

  test('belongs to the month of the program’s own time zone', async () => {
    house.clock.set('2027-05-31T23:30:00Z')
    await house.connection.sql`update core_programs set time_zone = 'Europe/Berlin' where id = ${house.program.id}`
    await sold()
    expect(csvOf(await statement('2027-05'))).toHaveLength(1)
    expect(csvOf(await statement('2027-06'))).toHaveLength(4)
    await house.connection.sql`update core_programs set time_zone = 'UTC' where id = ${house.program.id}`
  })

  test.each([
    ['November', 'bad_month'],
    ['2027-13', 'bad_month'],
    ['2099-01', 'future_month'],
  ])('of “%s” is refused', async (month, code) => expect(statement(month)).rejects.toMatchObject({ code }))

  test('of hundreds of movements has them all, in the PDF on several pages', async () => {
    house.clock.set('2027-07-10T10:00:00Z')
    for (let i = 0; i < 120; i++) await trade.record(trade.aPayment(ada, { gross: BigInt(100 + i) }))
    await house.drain()
    const answer = await statement('2027-07')
    expect(csvOf(answer)).toHaveLength(123)
    expect(
      pdfOf(answer)
        .toString('latin1')
        .match(/\/Type \/Page\b/g)!.length,
    ).toBeGreaterThan(2)
    const held = await trade.balances(ada)
    expect(csvOf(answer).at(-1)).toContain((Number(held.pending) / 100).toFixed(2))
  })
})

describe('the receipt of a month', () => {
  const mails = () =>
    house.connection
      .sql`select subject, content from notifications_mails where recipient = ${ada.email} and subject like '%statement%' order by created_at`

  test('is mailed once, after the month is over, with both files', async () => {
    house.clock.set('2028-01-15T10:00:00Z')
    await sold()
    await house.tick('commissions.statements')
    expect(await mails()).toEqual([])
    house.clock.set('2028-02-01T02:00:00Z')
    await Promise.all([1, 2, 3].map(() => house.tick('commissions.statements')))
    await house.tick('commissions.statements')
    const [mail, ...others] = await mails()
    expect(others).toEqual([])
    expect(mail!.subject).toBe('Your January 2028 statement from SISO')
    expect(JSON.stringify(mail!.content)).toContain('closing balance $20.00')
    expect(mail!.content.attachments.map(({ filename }: { filename: string }) => filename)).toEqual([
      'statement-2028-01.pdf',
      'statement-2028-01.csv',
    ])
  })

  test('that cannot be mailed to one partner keeps no other waiting, is told of, and is mailed once it can be', async () => {
    house.clock.set('2027-11-20T10:00:00Z')
    const [first, second] = [ada, await trade.aPartner()]
    for (const partner of [first, second]) await trade.record(trade.aPayment(partner))
    await house.drain()
    house.clock.set('2027-12-01T02:00:00Z')
    const { sql } = house.connection
    const mailed = async () =>
      (await sql`select recipient from notifications_mails where subject like '%November 2027 statement%'`).map(
        ({ recipient }) => recipient,
      )
    await sql.unsafe(`alter table commissions_statements add constraint broken check (partner_id <> '${first.id}')`)
    await expect(house.tick('commissions.statements')).rejects.toMatchObject({
      message: 'statements could not be mailed (partners: 1)',
      errors: [{ cause: { constraint_name: 'broken' } }],
    })
    expect(await mailed()).toEqual([second.email])
    await sql`alter table commissions_statements drop constraint broken`
    await house.tick('commissions.statements')
    expect(await mailed()).toEqual([second.email, first.email])
  })

  test('is not mailed when nothing was booked, when the address is not verified, or when the program does not want it', async () => {
    house.clock.set('2028-03-15T10:00:00Z')
    await sold()
    house.clock.set('2028-05-01T02:00:00Z')
    await house.tick('commissions.statements')
    expect(await mails()).toEqual([])
    await sold()
    await house.connection
      .sql`update partners_partners set status = 'registered', verified_at = null, activated_at = null where id = ${ada.id}`
    house.clock.set('2028-06-01T02:00:00Z')
    await house.tick('commissions.statements')
    expect(await mails()).toEqual([])
    await house.connection
      .sql`update partners_partners set status = 'active', verified_at = now(), activated_at = now() where id = ${ada.id}`
    await sold()
    await house.set('commissions', 'mailStatements', false)
    house.clock.set('2028-07-01T02:00:00Z')
    await house.tick('commissions.statements')
    expect(await mails()).toEqual([])
    await house.set('commissions', 'mailStatements', true)
    house.clock.advance(days(1))
    await house.tick('commissions.statements')
    expect(await mails()).toHaveLength(1)
  })
})

describe('whatever was booked', () => {
  const kinds = fc.constantFrom<PartnerAccount>('pending', 'held', 'payable', 'in_flight', 'paid', 'clawback_debt')
  const entries = fc.record({ kind: kinds, currency: fc.constantFrom('USD', 'EUR'), amount: fc.bigInt({ min: -500n, max: 500n }) })
  const transfers = fc.array(fc.array(entries, { minLength: 1, maxLength: 3 }), { maxLength: 12 })
  // Few runs: before each, a partner signs, and their copy is printed.
  test.prop([transfers, fc.nat({ max: 12 })], { numRuns: 20 })(
    'a statement cut anywhere closes where the next opens, and both end at the balances',
    (list, cut) => {
      const posted: PostedTransfer[] = list.map((own, i) => ({
        id: `t${i}`,
        programId: 'p',
        key: `k${i}`,
        reason: 'accrue',
        subject: { type: 'commission', id: `c${i}` },
        corrects: null,
        postedAt: new Date(i),
        entries: own.map(({ kind, currency, amount }) => ({ account: { kind, partnerId: 'ada', currency }, amount })),
      }))
      const balancesOf = (some: readonly PostedTransfer[]): Balance[] => {
        const all = some.flatMap((transfer) => transfer.entries)
        const keys = new Set(all.map(({ account }) => `${account.kind} ${account.currency}`))
        return [...keys].map((key) => {
          const [kind, currency] = key.split(' ') as [PartnerAccount, string]
          const debits = sum(all.filter(({ account }) => `${account.kind} ${account.currency}` === key).map(({ amount }) => amount))
          return { kind, currency, partnerId: 'ada', amount: kind === 'clawback_debt' ? debits : -debits }
        })
      }
      const before = posted.slice(0, cut)
      const first = sectionsOf('ada', [], before, () => undefined)
      const second = sectionsOf('ada', balancesOf(before), posted.slice(cut), () => undefined)
      for (const { currency, opening, lines, closing } of second) {
        expect(opening).toBe(first.find((section) => section.currency === currency)?.closing ?? 0n)
        expect(closing).toBe(opening + sum(lines.map(({ change }) => change)))
        const owed = balancesOf(posted).filter((balance) => balance.currency === currency && balance.kind !== 'paid')
        expect(closing).toBe(sum(owed.map(({ kind, amount }) => (kind === 'clawback_debt' ? -amount : amount))))
      }
    },
  )
})

test('the figures are those of the ledger', async () => {
  house.clock.set('2029-01-10T10:00:00Z')
  await sold()
  const before = await house.use(ledger).balancesBefore(house.db, house.program.id, ada.id, new Date('2029-02-01'))
  expect(before).toMatchObject([{ kind: 'pending', currency: 'USD', amount: 2_000n }])
  expect(await house.use(ledger).balancesBefore(house.db, house.program.id, ada.id, new Date('2029-01-10T10:00:00Z'))).toEqual([])
})
