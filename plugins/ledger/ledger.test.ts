import { fc, test } from '@fast-check/vitest'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import { newId, type Tx, type UserError } from '../kit/index.ts'
import { ledger } from './plugin.ts'
import type { AccountRef, Ledger, PartnerAccount, ProgramAccount, Transfer } from './public.ts'

let house: TestHouse
let books: Ledger
beforeAll(async () => {
  house = await testHouse([ledger])
  books = house.use(ledger)
})
afterAll(() => house.close())

const of = (kind: PartnerAccount, partnerId: string, currency = 'USD'): AccountRef => ({ kind, partnerId, currency })
const own = (kind: ProgramAccount, currency = 'USD'): AccountRef => ({ kind, partnerId: null, currency })

function anAccrual(partnerId: string, amount: bigint, change: Partial<Transfer> = {}): Transfer {
  return {
    programId: house.program.id,
    key: `test:${newId()}`,
    reason: 'accrue',
    subject: { type: 'commission', id: newId() },
    entries: [
      { account: own('commission_expense'), amount },
      { account: of('pending', partnerId), amount: -amount },
    ],
    ...change,
  }
}

function aMove(partnerId: string, from: PartnerAccount, to: PartnerAccount, amount: bigint): Transfer {
  return anAccrual(partnerId, amount, {
    reason: 'move',
    entries: [
      { account: of(from, partnerId), amount },
      { account: of(to, partnerId), amount: -amount },
    ],
  })
}

const post = (transfer: Transfer) => house.db.transaction((tx) => books.post(tx, transfer))
const balanceOf = async (account: AccountRef) =>
  (await books.balances(house.db, house.program.id, account.partnerId ?? house.program.id)).find(
    (balance) => balance.kind === account.kind && balance.currency === account.currency,
  )?.amount ?? 0n

/** Runs statements as someone who has switched the database's own guards off, and puts everything back afterwards. */
async function afterTampering(statements: readonly ReturnType<typeof sql>[], look: (tx: Tx) => Promise<void>): Promise<void> {
  const undo = new Error('undo')
  const attempt = house.db.transaction(async (tx) => {
    await tx.execute(sql`set local session_replication_role = replica`)
    for (const statement of statements) await tx.execute(statement)
    await tx.execute(sql`set local session_replication_role = origin`)
    await look(tx)
    throw undo
  })
  await expect(attempt).rejects.toBe(undo)
}

describe('posting', () => {
  test('balances are read in the natural sign of each account', async () => {
    const partner = newId()
    const before = await balanceOf(own('commission_expense'))
    await post(anAccrual(partner, 2_000n))
    await post(aMove(partner, 'pending', 'payable', 500n))
    expect(await balanceOf(of('pending', partner))).toBe(1_500n)
    expect(await balanceOf(of('payable', partner))).toBe(500n)
    expect((await balanceOf(own('commission_expense'))) - before).toBe(2_000n)
  })

  test('the same key and content again returns the first transfer and changes nothing', async () => {
    const partner = newId()
    const transfer = anAccrual(partner, 700n)
    const first = await post(transfer)
    const again = await post({ ...transfer, entries: transfer.entries.toReversed() })
    expect(first.replayed).toBe(false)
    expect(again).toEqual({ transferId: first.transferId, replayed: true })
    expect(await balanceOf(of('pending', partner))).toBe(700n)
  })

  test.each([
    ['another amount', (t: Transfer) => ({ ...t, entries: anAccrual(t.entries[1]!.account.partnerId!, 701n).entries })],
    ['another reason', (t: Transfer) => ({ ...t, reason: 'refund' })],
    ['another subject', (t: Transfer) => ({ ...t, subject: { type: 'commission', id: newId() } })],
    ['another partner', (t: Transfer) => ({ ...t, entries: anAccrual(newId(), 700n).entries })],
  ])('the same key with %s is refused', async (_, changed) => {
    const transfer = anAccrual(newId(), 700n)
    await post(transfer)
    await expect(post(changed(transfer))).rejects.toMatchObject({ code: 'idempotency_conflict' } satisfies Partial<UserError>)
  })

  test('a key belongs to one program only', async () => {
    const other = newId()
    await house.db.execute(
      sql`insert into core_programs (id, name, guild_id) values (${other}::uuid, 'Other', '900000000000000002')`,
    )
    const transfer = anAccrual(newId(), 5n)
    await post(transfer)
    expect((await post({ ...transfer, programId: other })).replayed).toBe(false)
    expect(await books.prove(house.db, other)).toMatchObject({ ok: true, transfers: 1 })
  })

  test('of sixty-four posts of one key at once, one is booked', async () => {
    const partner = newId()
    const transfer = anAccrual(partner, 10n)
    const results = await Promise.all(Array.from({ length: 64 }, () => post(transfer)))
    expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1)
    expect(new Set(results.map(({ transferId }) => transferId)).size).toBe(1)
    expect(await balanceOf(of('pending', partner))).toBe(10n)
  })

  test('transfers back and forth at once neither block for ever nor lose a unit', async () => {
    const partner = newId()
    await post(anAccrual(partner, 1_000n))
    await post(aMove(partner, 'pending', 'payable', 500n))
    await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        post(i % 2 ? aMove(partner, 'pending', 'payable', 3n) : aMove(partner, 'payable', 'pending', 2n)),
      ),
    )
    expect(await balanceOf(of('payable', partner))).toBe(520n)
    expect(await balanceOf(of('pending', partner))).toBe(480n)
  })

  test.each([
    ['one entry', (t: Transfer) => ({ ...t, entries: t.entries.slice(0, 1) })],
    ['no entries', (t: Transfer) => ({ ...t, entries: [] })],
    ['a sum that is not zero', (t: Transfer) => ({ ...t, entries: [t.entries[0]!, { ...t.entries[1]!, amount: -1n }] })],
    [
      'a balance across currencies only',
      (t: Transfer) => ({ ...t, entries: [t.entries[0]!, { account: of('pending', newId(), 'EUR'), amount: -9n }] }),
    ],
    ['an entry of zero', (t: Transfer) => ({ ...t, entries: [...t.entries, { account: own('cash'), amount: 0n }] })],
  ])('a transfer with %s is refused', async (_, broken) => {
    await expect(post(broken(anAccrual(newId(), 9n)))).rejects.toThrow()
  })

  test('a partner cannot be brought below zero', async () => {
    const partner = newId()
    await post(anAccrual(partner, 100n))
    await expect(post(aMove(partner, 'pending', 'payable', 101n))).rejects.toMatchObject({
      cause: { constraint_name: 'ledger_balances_not_below_zero' },
    })
    expect(await balanceOf(of('pending', partner))).toBe(100n)
  })
})

describe('the database itself', () => {
  test.each([
    ['ledger_transfers', 'update', sql`update ledger_transfers set reason = 'other'`],
    ['ledger_transfers', 'delete', sql`delete from ledger_transfers`],
    ['ledger_transfers', 'truncate', sql`truncate ledger_transfers cascade`],
    ['ledger_entries', 'update', sql`update ledger_entries set amount = amount + 1`],
    ['ledger_entries', 'delete', sql`delete from ledger_entries`],
    ['ledger_entries', 'truncate', sql`truncate ledger_entries`],
    ['ledger_seals', 'update', sql`update ledger_seals set hash = ''`],
    ['ledger_seals', 'delete', sql`delete from ledger_seals`],
  ])('%s refuses %s', async (_table, _verb, statement) => {
    await expect(house.db.execute(statement)).rejects.toMatchObject({
      cause: { message: expect.stringContaining('never changed') },
    })
  })

  const insertTransfer = (tx: Tx, id: string) =>
    tx.execute(sql`insert into ledger_transfers (id, program_id, key, body_hash, reason, subject_type, subject_id, posted_at)
      values (${id}::uuid, ${house.program.id}::uuid, ${id}, repeat('a', 64), 'accrue', 'commission', '1', '2026-01-01')`)
  const accountsOf = async (tx: Tx) => {
    await tx.execute(sql`insert into ledger_accounts (program_id, kind, currency)
      values (${house.program.id}::uuid, 'cash', 'SEK'), (${house.program.id}::uuid, 'settled', 'SEK') on conflict do nothing`)
    const rows = await tx.execute<{ id: string }>(sql`select id from ledger_accounts where currency = 'SEK'`)
    return rows.map(({ id }) => id)
  }

  test.each([
    ['no entries', []],
    ['one entry', [5]],
    ['entries that do not sum to zero', [5, 5]],
  ])('a transfer written by hand with %s does not commit', async (_, amounts) => {
    const id = newId()
    const attempt = house.db.transaction(async (tx) => {
      await insertTransfer(tx, id)
      const accounts = await accountsOf(tx)
      if (amounts.length > 0)
        await tx.execute(
          sql`insert into ledger_entries (transfer_id, position, account_id, amount) values ${sql.join(
            amounts.map((amount, i) => sql`(${id}::uuid, ${i}, ${accounts[i]}, ${amount})`),
            sql`, `,
          )}`,
        )
    })
    await expect(attempt).rejects.toMatchObject({ message: expect.stringContaining('ledger transfer') })
  })

  test('nothing can be added to a transfer later, not even what balances', async () => {
    const { transferId } = await post(anAccrual(newId(), 3n))
    const attempt = house.db.transaction(async (tx) => {
      const accounts = await accountsOf(tx)
      await tx.execute(sql`insert into ledger_entries (transfer_id, position, account_id, amount)
        values (${transferId}::uuid, 8, ${accounts[0]}, 1), (${transferId}::uuid, 9, ${accounts[1]}, -1)`)
    })
    await expect(attempt).rejects.toMatchObject({ cause: { message: expect.stringContaining('more than one statement') } })
  })
})

describe('the proof', () => {
  const seal = () => house.tick('ledger.seal')

  test('holds over everything posted here, sealed or not, and is told on a card', async () => {
    await post(anAccrual(newId(), 3n))
    expect(await books.prove(house.db, house.program.id)).toMatchObject({ ok: true, findings: [] })
    await seal()
    const proof = await books.prove(house.db, house.program.id)
    expect(proof).toMatchObject({ ok: true, findings: [] })
    expect(proof.sealed).toBe(proof.transfers)
    expect(wordsOf(await house.run('admin ledger proof', {}, { isAdmin: true }))).toContain('The books hold')
  })

  test('sealing from several processes at once makes one gapless chain', async () => {
    for (let i = 0; i < 20; i++) await post(anAccrual(newId(), BigInt(i + 1)))
    await Promise.all([seal(), seal(), seal(), post(anAccrual(newId(), 5n)), seal()])
    await seal()
    const proof = await books.prove(house.db, house.program.id)
    expect(proof).toMatchObject({ ok: true, sealed: proof.transfers })
  })

  const newest = sql`(select s.transfer_id from ledger_seals s where s.program_id = ${sql.raw('ours()')} order by s.sequence desc limit 1)`
  test.each([
    [
      'an entry was changed',
      [sql`update ledger_entries set amount = amount + 1 where transfer_id = ${newest} and position = 0`],
      ['transfers balance', 'balances are the sums', 'bodies match'],
    ],
    [
      'two entries were changed alike',
      [sql`update ledger_entries set amount = amount * 2 where transfer_id = ${newest}`],
      ['balances are the sums', 'bodies match'],
    ],
    [
      'amount, balance and body hash were all changed',
      [
        sql`update ledger_entries set amount = amount * 2 where transfer_id = ${newest}`,
        sql`update ledger_balances b set amount = (select sum(case when a.debit_normal then e.amount else -e.amount end)
          from ledger_entries e join ledger_accounts a on a.id = e.account_id where a.id = b.account_id) where stripe = 0`,
        sql`update ledger_transfers t set body_hash = ledger_digest((select b.body from ledger_bodies b where b.transfer_id = t.id)) where id = ${newest}`,
      ],
      ['chain holds'],
    ],
    ['a balance was changed', [sql`update ledger_balances set amount = amount + 7 where limited`], ['balances are the sums']],
    ['a reason was changed', [sql`update ledger_transfers set reason = 'gift' where id = ${newest}`], ['bodies match']],
    [
      'the time was changed',
      [sql`update ledger_transfers set posted_at = posted_at - interval '1 day' where id = ${newest}`],
      ['chain holds'],
    ],
    [
      'an entry was deleted',
      [sql`delete from ledger_entries where transfer_id = ${newest} and position = 0`],
      ['transfers balance', 'transfers are whole'],
    ],
    [
      'the newest transfer was deleted with its traces',
      [sql`delete from ledger_entries where transfer_id = ${newest}`, sql`delete from ledger_seals where transfer_id = ${newest}`],
      ['chain is complete'],
    ],
    [
      'a link was cut out of the middle',
      [sql`delete from ledger_seals where program_id = ours() and sequence = 2`],
      ['chain holds', 'chain is complete'],
    ],
    [
      'a link was rewritten',
      [sql`update ledger_seals set hash = repeat('f', 64) where program_id = ours() and sequence = 2`],
      ['chain holds'],
    ],
    ['the end of the chain was forgotten', [sql`delete from ledger_heads where program_id = ours()`], ['chain is complete']],
    [
      'a transfer waits for the seal of another program',
      [sql`update ledger_unsealed set program_id = gen_random_uuid() where program_id = ours()`],
      ['chain is complete'],
    ],
    [
      'a sealed transfer waits for another seal',
      [sql`insert into ledger_unsealed values (${newest}, ours())`],
      ['chain is complete'],
    ],
    [
      'a partner’s balance may go below zero',
      [sql`update ledger_balances set limited = false where limited`],
      ['partners’ balances alone'],
    ],
    [
      'a partner has a second balance, that may',
      [sql`insert into ledger_balances select account_id, 1, 0, false from ledger_balances where limited`],
      ['partners’ balances alone'],
    ],
    [
      'a program’s balance may not',
      [
        sql`insert into ledger_balances select id, 0, 0, true from ledger_accounts where partner_id is null
          on conflict (account_id, stripe) do update set limited = true`,
      ],
      ['partners’ balances alone'],
    ],
  ])('names it when %s', async (_, statements, named) => {
    await seal()
    await post(anAccrual(newId(), 3n))
    const declare = sql.raw(
      `create or replace function ours() returns uuid language sql immutable as $$ select '${house.program.id}'::uuid $$`,
    )
    await afterTampering([declare, ...statements], async (tx) => {
      const proof = await books.prove(tx, house.program.id)
      expect(proof.ok).toBe(false)
      for (const check of named) expect(proof.findings.map((finding) => finding.check).join('; ')).toContain(check)
    })
    expect((await books.prove(house.db, house.program.id)).ok).toBe(true)
  })

  describe('that goes on from an earlier one', () => {
    const ours = sql`select id from ledger_transfers where program_id = ${sql.raw('ours()')}`
    /** One transfer that the checkpoint covers and one that came later, both sealed. */
    async function anOldAndANewTransfer() {
      const { transferId: old } = await post(anAccrual(newId(), 11n))
      await seal()
      const { checkpoint, ok } = await books.prove(house.db, house.program.id)
      const { transferId: fresh } = await post(anAccrual(newId(), 13n))
      await seal()
      return { old, fresh, checkpoint, ok }
    }

    test('holds over what came since, again and again, with transfers that wait for their seal', async () => {
      const { checkpoint, ok } = await anOldAndANewTransfer()
      await post(anAccrual(newId(), 17n))
      const second = await books.prove(house.db, house.program.id, checkpoint)
      await post(anAccrual(newId(), 19n))
      await seal()
      const third = await books.prove(house.db, house.program.id, second.checkpoint)
      expect([ok, second.findings, third.findings]).toEqual([true, [], []])
      expect(third.checkpoint).toEqual((await books.prove(house.db, house.program.id)).checkpoint)
    })

    const unchanged = 'what was proven is unchanged'
    test.each([
      ['amount', (id: string) => sql`update ledger_entries set amount = amount + 1 where transfer_id = ${id} and position = 0`],
      ['pair of amounts', (id: string) => sql`update ledger_entries set amount = amount * 2 where transfer_id = ${id}`],
      ['reason', (id: string) => sql`update ledger_transfers set reason = 'gift' where id = ${id}`],
      ['time', (id: string) => sql`update ledger_transfers set posted_at = posted_at - interval '1 day' where id = ${id}`],
      ['number of entries', (id: string) => sql`delete from ledger_entries where transfer_id = ${id} and position = 0`],
      ['link', (id: string) => sql`update ledger_seals set hash = repeat('f', 64) where transfer_id = ${id}`],
    ])('finds a changed %s, old or new', async (_, change) => {
      const { old, fresh, checkpoint } = await anOldAndANewTransfer()
      const checksAfter = async (id: string) => {
        const named: string[] = []
        await afterTampering([change(id)], async (tx) => {
          const { ok, findings } = await books.prove(tx, house.program.id, checkpoint)
          expect(ok).toBe(false)
          named.push(...findings.map(({ check }) => check))
        })
        return named
      }
      expect(await checksAfter(old)).toContain(unchanged)
      const inNew = await checksAfter(fresh)
      expect(inNew.length).toBeGreaterThan(0)
      expect(inNew).not.toContain(unchanged)
    })

    test.each([
      [
        'a balance that is not the sum of its entries',
        [sql`update ledger_balances set amount = amount + 7 where limited`],
        'balances are the sums',
      ],
      [
        'an old amount that was changed together with its balance',
        [
          sql`update ledger_entries set amount = amount * 2 where transfer_id = (${ours} order by number limit 1)`,
          sql`update ledger_balances b set amount = (select sum(case when a.debit_normal then e.amount else -e.amount end)
            from ledger_entries e join ledger_accounts a on a.id = e.account_id where a.id = b.account_id) where limited`,
        ],
        unchanged,
      ],
      [
        'an old transfer that was taken out with every trace',
        [
          sql`delete from ledger_entries where transfer_id = (${ours} order by number limit 1)`,
          sql`delete from ledger_seals where transfer_id = (${ours} order by number limit 1)`,
          sql`delete from ledger_transfers where id = (${ours} order by number limit 1)`,
        ],
        unchanged,
      ],
      [
        'a transfer that was slipped in, neither sealed nor waiting',
        [
          sql`insert into ledger_transfers (id, program_id, key, body_hash, reason, subject_type, subject_id, posted_at)
            values (gen_random_uuid(), ${sql.raw('ours()')}, 'slipped in', repeat('0', 64), 'gift', 'commission', 'x', now())`,
        ],
        unchanged,
      ],
    ])('finds %s', async (_, statements, named) => {
      const { checkpoint } = await anOldAndANewTransfer()
      const declare = sql.raw(
        `create or replace function ours() returns uuid language sql immutable as $$ select '${house.program.id}'::uuid $$`,
      )
      await afterTampering([declare, ...statements], async (tx) => {
        const { findings } = await books.prove(tx, house.program.id, checkpoint)
        expect(findings.map(({ check }) => check).join('; ')).toContain(named)
      })
    })
  })

  const kinds = fc.constantFrom<PartnerAccount>('pending', 'held', 'payable', 'in_flight', 'paid')
  const moves = fc.array(fc.record({ from: kinds, to: kinds, amount: fc.bigInt({ min: 1n, max: 50n }) }), { maxLength: 12 })
  test.prop([moves, fc.bigInt({ min: 1n, max: 100n })], { numRuns: 25 })(
    'holds after any moves, and what a partner has in all is what was accrued',
    async (list, accrued) => {
      const partner = newId()
      await post(anAccrual(partner, accrued))
      for (const { from, to, amount } of list.filter((move) => move.from !== move.to))
        await post(aMove(partner, from, to, amount)).catch((error: { cause?: { constraint_name?: string } }) => {
          if (error.cause?.constraint_name !== 'ledger_balances_not_below_zero') throw error
        })
      const balances = await books.balances(house.db, house.program.id, partner)
      expect(balances.reduce((total, { amount }) => total + amount, 0n)).toBe(accrued)
      expect(await books.prove(house.db, house.program.id)).toMatchObject({ ok: true })
    },
  )
})
