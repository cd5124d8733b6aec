import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import type { Message } from '../../commands/messages.ts'
import { days, newId, toDecimal } from '../kit/index.ts'
import { accountName, exportLedger } from './export.ts'
import { ledger } from './plugin.ts'
import type { AccountRef, Ledger } from './public.ts'

const hasHledger = spawnSync('hledger', ['--version']).status === 0
const boss = { isAdmin: true }

let house: TestHouse
let books: Ledger
let partner: string
beforeAll(async () => {
  house = await testHouse([ledger])
  books = house.use(ledger)
})
beforeEach(() => {
  partner = newId()
})
afterAll(() => house.close())

const of = (kind: AccountRef['kind'], currency = 'USD', partnerId: string | null = partner): AccountRef => ({
  kind,
  currency,
  partnerId,
})
const post = (reason: string, debit: AccountRef, credit: AccountRef, amount: bigint, key = `test:${newId()}`) =>
  house.db.transaction((tx) =>
    books.post(tx, {
      programId: house.program.id,
      key,
      reason,
      subject: { type: 'commission', id: partner },
      entries: [
        { account: debit, amount },
        { account: credit, amount: -amount },
      ],
    }),
  )
const exported = async (format: 'csv' | 'journal', range?: { from: Date; to: Date }) => {
  let text = ''
  const count = await exportLedger(house.db, { programId: house.program.id, format, ...(range && { range }) }, (piece) => {
    text += piece
  })
  return { text, count }
}
async function aLife(currency: string) {
  await post('accrue', of('commission_expense', currency, null), of('pending', currency), 2_001n)
  await post('refund', of('pending', currency), of('commission_expense', currency, null), 501n)
  await post('release', of('pending', currency), of('payable', currency), 1_500n)
  await post('payout_prepared', of('payable', currency), of('in_flight', currency), 1_500n)
  await post('refund', of('clawback_debt', currency), of('commission_expense', currency, null), 7n)
}

describe.skipIf(!hasHledger)('with hledger on the PATH, it', () => {
  const hledger = (journal: string, ...args: string[]) =>
    spawnSync('hledger', ['-f', '-', ...args], { input: journal, encoding: 'utf8' })

  test('accepts the journal under its strictest checks', async () => {
    for (const currency of ['USD', 'JPY', 'KWD']) await aLife(currency)
    const { text } = await exported('journal')
    const check = hledger(text, 'check', '--strict', 'ordereddates')
    expect(check.stderr).toBe('')
    expect(check.status).toBe(0)
  })

  test('computes the balances that the ledger says, in every currency', async () => {
    for (const currency of ['USD', 'JPY', 'KWD']) await aLife(currency)
    const { text } = await exported('journal')
    const { stdout, stderr } = hledger(text, 'balance', '--flat', '--no-total', '--layout', 'bare', '-O', 'csv')
    expect(stderr).toBe('')
    const computed = stdout
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.slice(1, -1).split('","').join(' '))
      .sort()
    const said = (await books.balances(house.db, house.program.id))
      .filter(({ amount }) => amount !== 0n)
      .map(({ amount, ...account }) => {
        const debitNormal = ['clawback_debt', 'commission_expense', 'cash', 'settled'].includes(account.kind)
        return `${accountName(account)} ${account.currency} ${toDecimal(debitNormal ? amount : -amount, account.currency)}`
      })
      .sort()
    expect(said.length).toBeGreaterThan(9)
    expect(computed).toEqual(said)
  })

  test('is not put off by what keys and subjects may hold', async () => {
    await post(
      'accrue',
      of('commission_expense', 'USD', null),
      of('pending'),
      5n,
      `a; b * (c) | "d", {=1} @ 2 EUR ${'長'.repeat(20)}`,
    )
    expect(hledger((await exported('journal')).text, 'check', '--strict').stderr).toBe('')
  })

  test('finds a journal wrong whose amounts were changed', async () => {
    await aLife('USD')
    const { text } = await exported('journal')
    expect(hledger(text.replace(/20\.01 USD/, '20.02 USD'), 'check').status).not.toBe(0)
  })
})

describe('the export', () => {
  test('has every transfer once, however many chunks it takes', async () => {
    const values = Array.from({ length: 4_100 }, () => newId(house.clock.now()))
    for (let i = 0; i < values.length; i += 500)
      await house.db.transaction(async (tx) => {
        for (const key of values.slice(i, i + 500))
          await books.post(tx, {
            programId: house.program.id,
            key,
            reason: 'accrue',
            subject: { type: 'commission', id: 'many' },
            entries: [
              { account: of('commission_expense', 'SEK', null), amount: 1n },
              { account: of('pending', 'SEK'), amount: -1n },
            ],
          })
      })
    const { text, count } = await exported('csv')
    const { transfers } = await books.prove(house.db, house.program.id)
    expect(count).toBe(transfers)
    const keys = text.split('\r\n').flatMap((line) => line.split(',')[2] ?? [])
    expect(values.every((key) => keys.filter((found) => found === key).length === 2)).toBe(true)
  }, 60_000)

  test('writes debits and credits in columns of their own, in decimals', async () => {
    const key = `=cmd("${partner}")`
    await post('accrue', of('commission_expense', 'KWD', null), of('pending', 'KWD'), 1_234_567n, key)
    const { text } = await exported('csv')
    const lines = text.split('\r\n').filter((line) => line.includes(partner) && line.includes('KWD'))
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatch(/,commission_expense,,KWD,1234\.567,$/)
    expect(lines[1]).toMatch(new RegExp(`,pending,${partner},KWD,,1234\\.567$`))
    expect(lines[0]).toContain(`"'=cmd(""${partner}"")"`)
  })

  test.each([' =1+1', "a;b'c"])('keeps the key “%s” as text in every spreadsheet', async (begin) => {
    const key = `${begin} ${partner}`
    await post('accrue', of('commission_expense', 'USD', null), of('pending'), 1n, key)
    const { text } = await exported('csv')
    expect(text).toContain(`,"${begin.startsWith('a') ? '' : "'"}${key}",accrue,`)
  })

  test('of a month holds what was posted in it', async () => {
    house.clock.advance(days(400))
    const from = house.clock.now()
    await aLife('USD')
    const to = new Date(from.getTime() + 1)
    house.clock.advance(days(1))
    await aLife('USD')
    expect((await exported('csv', { from, to })).count).toBe(5)
    const month = from.toISOString().slice(0, 7)
    const answer = (await house.run('admin ledger export', { month }, boss)) as Message
    expect(wordsOf(answer)).toContain('10 transfers')
    expect(answer.files!.map(({ name }) => name)).toEqual([`ledger-${month}.csv`, `ledger-${month}.journal`])
  })

  test('is attached to the answer of the command', async () => {
    await aLife('USD')
    const answer = (await house.run('admin ledger export', {}, boss)) as Message
    const { text } = await exported('csv')
    expect(answer.files![0]!.data.toString()).toBe(text)
    expect(answer.files![1]!.data.toString()).toContain('decimal-mark .')
    await expect(house.run('admin ledger export', { month: 'May' }, boss)).rejects.toMatchObject({ code: 'bad_month' })
  })

  test('of a program holds nothing of another', async () => {
    const other = newId()
    await house.db.execute(`insert into core_programs (id, name, guild_id) values ('${other}', 'Other', '900000000000000003')`)
    await aLife('USD')
    let text = ''
    expect(
      await exportLedger(house.db, { programId: other, format: 'journal' }, (piece) => {
        text += piece
      }),
    ).toBe(0)
    expect(text).not.toContain(partner)
  })

  test('tells transfers of one moment in the order in which they were posted', async () => {
    await aLife('USD')
    const own = await books.transfers(house.db, house.program.id, { subject: { type: 'commission', id: partner } })
    expect(own.map(({ reason }) => reason)).toEqual(['accrue', 'refund', 'release', 'payout_prepared', 'refund'])
  })
})
