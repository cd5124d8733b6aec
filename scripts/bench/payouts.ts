// Measures a payout run over many partners: planned, gated, and each payout prepared and booked in the ledger. Part of the sales bench.
import { offlineHouse } from '../../app/offline.ts'
import { type Connection, connect } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'
import { agreements } from '../../plugins/agreements/plugin.ts'
import { attribution } from '../../plugins/attribution/plugin.ts'
import { touchSource } from '../../plugins/attribution/public.ts'
import { commissions } from '../../plugins/commissions/plugin.ts'
import { days, definePlugin, extend, newId } from '../../plugins/kit/index.ts'
import { ledger } from '../../plugins/ledger/plugin.ts'
import { notifications } from '../../plugins/notifications/plugin.ts'
import { partners } from '../../plugins/partners/plugin.ts'
import { payouts } from '../../plugins/payouts/plugin.ts'
import { seed } from './redirect.ts'

const gross = 50_000n

/** Stands for the clicks: the click id of a payment is the partner it belongs to. */
const clicks = definePlugin({
  id: 'clicks',
  title: 'Clicks',
  summary: 'Finds the partner of a payment.',
  setup: ({ clock }) => ({
    extends: [
      extend(touchSource, {
        kind: 'click',
        find: async (_reader, _programId, { clickId }) =>
          clickId ? [{ kind: 'click', partnerId: clickId, at: clock.now(), reference: clickId }] : [],
      }),
    ],
  }),
})

/** @throws Error when the books do not hold afterwards */
export async function measurePayouts(serverUrl: string, wanted = 5_000): Promise<object> {
  const admin = await connect(serverUrl, { max: 1 })
  await admin.sql.unsafe('create database payouts')
  await admin.close()
  const connection = await connect(serverUrl.replace(/\/postgres$/, '/payouts'), { max: 12 })
  await migrate(connection)
  await seed(connection, 100)
  const house = await offlineHouse(
    connection,
    [notifications, partners, agreements, ledger, attribution, commissions, payouts, clicks],
    { now: new Date().toISOString() },
  )
  try {
    await house.set('payouts', 'methodCoolingHours', 0)
    await house.set('payouts', 'approvalAbove', '99999999.00')
    const people = await recruit(connection, wanted)
    await connection.db.transaction(async (tx) => {
      await house.use(attribution).recordPayment(tx, {
        programId: house.program.id,
        provider: 'bench',
        paymentKey: 'first',
        gross,
        tax: 0n,
        shipping: 0n,
        currency: 'USD',
        refunded: 0n,
        dispute: 'none',
        customer: { key: 'first', emailHash: undefined, country: undefined },
        hints: { clickId: people[0]! },
        product: 'Course',
        paidAt: house.clock.now(),
      })
    })
    await house.drain()
    house.clock.advance(days(31))
    await house.tick('commissions.release')
    await earnAlike(house, connection, people)
    await connection.sql.unsafe('analyze')

    const started = performance.now()
    await house.run('admin payouts run', {}, { isAdmin: true, userId: '1', username: 'boss' })
    const ms = performance.now() - started

    await house.tick('ledger.seal')
    const proof = await house.use(ledger).prove(connection.db, house.program.id)
    const [booked] = await connection.sql<{ payouts: number; transfers: number }[]>`
      select (select count(*)::int from payouts_payouts where state = 'queued') as payouts,
        (select count(*)::int from ledger_transfers where reason = 'payout_prepared') as transfers`
    if (!proof.ok || booked!.payouts !== wanted || booked!.transfers !== wanted)
      throw new Error(
        `${booked!.payouts} payouts were prepared and ${booked!.transfers} booked; the proof says ${JSON.stringify(proof.findings)}`,
      )
    return {
      payouts: wanted,
      seconds: Math.round(ms) / 1000,
      perSecond: Math.round(wanted / (ms / 1000)),
      withinAMinute: ms < 60_000,
    }
  } finally {
    await house.close()
  }
}

/** Active partners who have signed and can be paid, as copies of the first; their ids. */
async function recruit({ sql }: Connection, count: number): Promise<string[]> {
  const [first] = await sql<
    { id: string; program_id: string }[]
  >`select id, program_id from partners_partners order by user_id limit 1`
  const ids = Array.from({ length: count }, () => newId())
  await sql`
    insert into partners_partners (id, program_id, user_id, name, email, industry, status, verified_at, activated_at)
    select id, ${first!.program_id}, (300000000000000000 + n)::text, 'Payee ' || n, 'payee' || n || '@example.com', 'saas', 'active', now(), now()
    from unnest(${ids}::uuid[]) with ordinality as new (id, n)`
  await sql`
    insert into agreements_signatures (id, program_id, partner_id, user_id, version, document_versions, hash, typed_name, email, ip_hash, user_agent, pdf)
    select p.id, p.program_id, p.id, p.user_id, s.version, s.document_versions, s.hash, s.typed_name, p.email, s.ip_hash, s.user_agent, ''::bytea
    from partners_partners p, agreements_signatures s where p.id = any (${ids}::uuid[]) and s.partner_id = ${first!.id}`
  await sql`
    insert into payouts_methods (id, program_id, partner_id, provider, account, chosen, ready, missing, changed_at, created_at)
    select p.id, p.program_id, p.id, 'bench', 'acct_' || p.user_id, true, true, '', now(), now()
    from partners_partners p where p.id = any (${ids}::uuid[])`
  return ids
}

/** Gives everyone the payable commission that the first earned with a real sale: as row and as transfer, so that the books hold. */
async function earnAlike(
  house: Awaited<ReturnType<typeof offlineHouse>>,
  { db, sql }: Connection,
  people: readonly string[],
): Promise<void> {
  const [sample] = await sql<{ id: string; amount: string }[]>`select id, amount::text from commissions_commissions`
  const amount = BigInt(sample!.amount)
  const others = people.slice(1).map((partnerId) => ({ partnerId, id: newId(house.clock.now()) }))
  await sql`
    insert into commissions_commissions
    select (jsonb_populate_record(c, jsonb_build_object('id', o.id, 'sale_id', gen_random_uuid(), 'partner_id', o.partner_id))).*
    from commissions_commissions c, unnest(${others.map(({ id }) => id)}::uuid[], ${others.map(({ partnerId }) => partnerId)}::uuid[]) as o (id, partner_id)
    where c.id = ${sample!.id}`
  for (let i = 0; i < others.length; i += 500)
    await db.transaction(async (tx) => {
      for (const { id, partnerId } of others.slice(i, i + 500))
        await house.use(ledger).post(tx, {
          programId: house.program.id,
          key: `bench:${id}`,
          reason: 'accrue',
          subject: { type: 'commission', id },
          entries: [
            { account: { kind: 'commission_expense', partnerId: null, currency: 'USD' }, amount },
            { account: { kind: 'payable', partnerId, currency: 'USD' }, amount: -amount },
          ],
        })
    })
}
