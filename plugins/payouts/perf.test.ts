// What preparing a payout costs in statements: a run's time is theirs. Counted, not timed, because other work shares the machine.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { statementsOf, type TestHouse, testHouse } from '../../app/testing.ts'
import { earningPlugins, type Trade, tradeIn } from '../commissions/testing.ts'
import { newId } from '../kit/index.ts'
import { ledger } from '../ledger/plugin.ts'
import { payouts } from './plugin.ts'

const count = 100
let house: TestHouse
let trade: Trade
beforeAll(async () => {
  house = await testHouse([...earningPlugins, payouts])
  trade = tradeIn(house)
  await house.set('payouts', 'methodCoolingHours', 0)
  await house.set('payouts', 'approvalAbove', '99999999.00')
  await house.set('commissions', 'holdDays', 0)
  await seed(count)
}, 60_000)
afterAll(() => house.close())

async function seed(n: number) {
  const first = await trade.aPartner()
  await trade.record(trade.aPayment(first, { gross: 50_000n }))
  await house.drain()
  await house.tick('commissions.release')
  await house.drain()
  const { sql } = house.connection
  const programId = house.program.id
  await sql`insert into partners_partners (id, program_id, user_id, name, email, industry, status, verified_at, activated_at)
    select gen_random_uuid(), ${programId}, (300000000000000000 + n)::text, 'Perf ' || n, 'perf' || n || '@example.com', 'saas', 'active', now(), now()
    from generate_series(1, ${n}) n`
  await sql`insert into agreements_signatures (id, program_id, partner_id, user_id, version, document_versions, hash, typed_name, email, ip_hash, user_agent, signed_at, pdf)
    select gen_random_uuid(), s.program_id, p.id, p.user_id, s.version, s.document_versions, s.hash, s.typed_name, p.email, s.ip_hash, s.user_agent, s.signed_at, ''::bytea
    from partners_partners p, agreements_signatures s where p.name like 'Perf %' and s.partner_id = ${first.id}`
  await sql`insert into payouts_methods (id, program_id, partner_id, provider, account, chosen, ready, missing, changed_at, created_at)
    select gen_random_uuid(), program_id, id, 'bank', 'acct_' || id, true, true, '', ${house.clock.now().toISOString()}, ${house.clock.now().toISOString()} from partners_partners where name like 'Perf %'`
  const people = await sql<{ id: string }[]>`select id from partners_partners where name like 'Perf %'`
  const [sample] = await sql`select * from commissions_commissions limit 1`
  for (let i = 0; i < people.length; i += 1000)
    await house.db.transaction(async (tx) => {
      for (const { id } of people.slice(i, i + 1000)) {
        const commissionId = newId(house.clock.now())
        await house.use(ledger).post(tx, {
          programId,
          key: `perf:${commissionId}`,
          reason: 'accrue',
          subject: { type: 'commission', id: commissionId },
          entries: [
            { account: { kind: 'commission_expense', partnerId: null, currency: 'USD' }, amount: 10_000n },
            { account: { kind: 'payable', partnerId: id, currency: 'USD' }, amount: -10_000n },
          ],
        })
        await tx.execute(
          `insert into commissions_commissions select (jsonb_populate_record(c, jsonb_build_object('id', '${commissionId}', 'sale_id', gen_random_uuid(), 'partner_id', '${id}', 'amount', 10000, 'due', 10000, 'state', 'payable'))).* from commissions_commissions c where c.id = '${sample!.id}'`,
        )
      }
    })
  await sql`analyze`
}

test('a dry run reads each table once for everyone', async () => {
  const dryRun = () => house.run('admin payouts dry-run', {}, { isAdmin: true, userId: '1' })
  expect(await statementsOf(house, dryRun)).toBeLessThan(15)
})

test('a payout is gated anew, booked and handed over in few statements, whatever else a run holds', async () => {
  const statements = await statementsOf(house, () => house.run('admin payouts run', {}, { isAdmin: true, userId: '1' }))
  const [made] = await house.connection.sql`select count(*)::integer as payouts from payouts_payouts where state = 'queued'`
  expect(made).toEqual({ payouts: count })
  expect(statements / count).toBeLessThan(15)
  expect(await trade.findings()).toEqual([])
}, 60_000)
