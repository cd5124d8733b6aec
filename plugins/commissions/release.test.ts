// What is due is released many books at a time: with few statements, and as if each were alone.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { statementsOf, type TestHouse, testHouse } from '../../app/testing.ts'
import { days, definePlugin, minutes, on } from '../kit/index.ts'
import { commissionPayable } from './events.ts'
import { earningPlugins, payFor, type TestPartner, type Trade, tradeIn } from './testing.ts'

const heard: { partnerId: string; currency: string; amount: bigint }[] = []
const ear = definePlugin({
  id: 'ear',
  title: 'Ear',
  summary: 'Hears what happens, for a test.',
  setup: () => ({ listeners: [on(commissionPayable, 'ear.payable', async (_, payload) => void heard.push(payload))] }),
})

let house: TestHouse
let trade: Trade
beforeAll(async () => {
  house = await testHouse([...earningPlugins, ear])
  trade = tradeIn(house)
})
afterAll(() => house.close())

const tick = () => house.tick('commissions.release')
const sell = async (partner: TestPartner, currency: string, ...amounts: readonly bigint[]) => {
  house.clock.advance(minutes(1))
  for (const gross of amounts) await trade.record(trade.aPayment(partner, { currency, gross }))
  await house.drain()
}
const sellers = async (count: number) => {
  const partners = await Promise.all(Array.from({ length: count }, () => trade.aPartner()))
  for (const partner of partners) await sell(partner, 'USD', 10_000n)
  return partners
}
const setStatus = (partner: TestPartner, status: string) =>
  house.connection
    .sql`update partners_partners set status = ${status}, status_before_left = ${status === 'left' ? 'active' : null} where id = ${partner.id}`

/** Someone whose payout was refunded, so that what comes next goes to the debt. */
async function aDebtor(): Promise<TestPartner> {
  const debtor = await trade.aPartner()
  const payment = trade.aPayment(debtor)
  await trade.record(payment)
  await house.drain()
  house.clock.advance(days(31))
  await tick()
  await house.drain()
  await payFor(house, debtor)
  await trade.record({ ...payment, refunded: 10_000n })
  await house.drain()
  return debtor
}

/** Sales of all kinds of partners, each books' due a minute after those before; then what came of `release`, in the order in which it came. */
async function whatComesOf(release: () => Promise<void>) {
  const debtor = await aDebtor()
  const [busy, gone, stopped] = [await trade.aPartner(), await trade.aPartner(), await trade.aPartner()]
  const ids = [debtor, busy, gone, stopped].map(({ id }) => id)
  await sell(debtor, 'USD', 7_500n, 5_000n, 2_000n)
  await sell(busy, 'EUR', 3_333n)
  await sell(busy, 'JPY', 1_003n, 501n)
  await sell(busy, 'USD', 10_000n, 12_345n)
  await sell(gone, 'USD', 9_999n)
  await sell(stopped, 'USD', 4_000n, 6_000n)
  await setStatus(gone, 'left')
  await setStatus(stopped, 'suspended')
  heard.length = 0
  await release()
  await house.drain()
  const { sql } = house.connection
  return {
    rows: await sql`
      select array_position(${ids}::uuid[], partner_id) as partner, currency, amount, due, clawed, repaid, state, reason, revision
      from commissions_commissions where partner_id = any(${ids}) order by partner_id, currency, earned_at, id`,
    history: await sql`
      select array_position(${ids}::uuid[], c.partner_id) as partner, c.currency, c.basis, h.state, h.reason, h.change, h.hold_until = c.hold_until as stamped, h.actor, h.note
      from commissions_changes h join commissions_commissions c on c.id = h.commission_id where c.partner_id = any(${ids}) order by h.id`,
    transfers: await sql`
      select array_position(${ids}::uuid[], c.partner_id) as partner, c.currency, c.basis, replace(t.key, c.id::text, '') as key, t.reason, t.corrects,
        (select array_agg(a.kind || ' ' || e.amount order by e.position) from ledger_entries e join ledger_accounts a on a.id = e.account_id
          where e.transfer_id = t.id) as entries
      from ledger_transfers t join commissions_commissions c on c.id::text = t.subject_id where c.partner_id = any(${ids}) order by t.number`,
    balances: await Promise.all(
      [debtor, busy, gone, stopped].flatMap((partner) =>
        ['EUR', 'JPY', 'USD'].map((currency) => trade.balances(partner, currency)),
      ),
    ),
    events: heard.map(({ partnerId, currency, amount }) => `${ids.indexOf(partnerId) + 1} ${currency} ${amount}`),
  }
}

test('many partners and currencies released together get exactly what each gets alone', async () => {
  const together = await whatComesOf(async () => {
    house.clock.advance(days(31))
    await tick()
  })
  const alone = await whatComesOf(async () => {
    house.clock.advance(days(30) - minutes(6))
    for (let i = 0; i < 6; i++) {
      house.clock.advance(minutes(1))
      await tick()
    }
  })
  expect(alone.events.join(', ')).toBe(
    '1 USD 1500, 1 USD 1000, 1 USD 400, 2 EUR 667, 2 JPY 201, 2 JPY 100, 2 USD 2000, 2 USD 2469, 3 USD 2000',
  )
  expect(alone.rows.map(({ partner, state, reason, due }) => `${partner} ${state} ${reason} ${due}`)).toContain(
    '1 paid debt_repaid 0',
  )
  expect(alone.balances.at(-1)).toEqual({ held: 2_000n })
  expect(together).toEqual(alone)
  expect(await trade.findings()).toEqual([])
})

test('books that cannot be released keep no others waiting, and are told of', async () => {
  const partners = await sellers(4)
  const broken = partners[1]!
  const say = (change: number) =>
    house.connection
      .sql`update commissions_commissions set amount = amount + ${change}, due = due + ${change} where partner_id = ${broken.id}`
  await say(1)
  house.clock.advance(days(31))
  await expect(tick()).rejects.toMatchObject({
    message: 'due commissions could not be released (books: 1)',
    errors: [{ cause: { constraint_name: 'ledger_balances_not_below_zero' } }],
  })
  const balances = () => Promise.all(partners.map((partner) => trade.balances(partner)))
  const payable = { payable: 2_000n }
  expect(await balances()).toEqual([payable, { pending: 2_000n }, payable, payable])
  await say(-1)
  await tick()
  expect(await balances()).toEqual([payable, payable, payable, payable])
  expect(await trade.findings()).toEqual([])
})

test('a dozen partners are released with as many statements as one', async () => {
  const statements = async (count: number) => {
    await sellers(count)
    house.clock.advance(days(31))
    const counted = await statementsOf(house, tick)
    await house.drain()
    return counted
  }
  expect(await statements(12)).toBe(await statements(1))
})
