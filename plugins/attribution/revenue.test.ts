// Revenue is summed by the database: it must be what the sales say one by one, and must not read what lies outside the period.
import { fc, test as property } from '@fast-check/vitest'
import { PgDialect } from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestHouse, testHouse } from '../../app/testing.ts'
import { days, newId } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { attribution } from './plugin.ts'
import type { Revenue, Sale } from './public.ts'
import { revenueQuery } from './revenue.ts'

const begin = new Date('2026-08-01T00:00:00Z')
const sold = 90
const hands = ['018f0000-0000-7000-8000-000000000001', '018f0000-0000-7000-8000-000000000002', null] as const

let house: TestHouse
let customer: string
beforeAll(async () => {
  house = await testHouse([attribution, partners, notifications])
  customer = newId()
  await house.connection.sql`insert into attribution_customers (id, program_id) values (${customer}, ${house.program.id})`
})
afterAll(() => house.close())

interface Sold {
  partnerId: string | null
  currency: string
  gross: bigint
  /** Parts per hundred of the gross. */
  refunded: number
  dispute: Sale['dispute']
  /** Parts per hundred of the gross. */
  lost: number
  /** Hours after `begin`. */
  at: number
}
const sale: fc.Arbitrary<Sold> = fc.record({
  partnerId: fc.constantFrom(...hands),
  currency: fc.constantFrom('USD', 'EUR', 'JPY'),
  gross: fc.bigInt({ min: 1n, max: 10n ** 13n }),
  refunded: fc.constantFrom(0, 0, 35, 100),
  dispute: fc.constantFrom('none', 'none', 'open', 'won', 'lost'),
  lost: fc.constantFrom(0, 0, 35, 100),
  at: fc.integer({ min: 0, max: 24 * sold }),
})
const hour = (n: number) => new Date(begin.getTime() + n * 3_600_000)

async function write(sales: readonly Sold[]): Promise<void> {
  const { sql } = house.connection
  await sql`delete from attribution_sales`
  await sql`
    insert into attribution_sales
      (id, program_id, provider, payment_key, customer_id, partner_id, currency, gross, tax, shipping, refunded, dispute, lost, first_of_customer, paid_at)
    select gen_random_uuid(), ${house.program.id}, 'test', gen_random_uuid(), ${customer}, partner_id, currency, gross, 0, 0, refunded, dispute, lost, false, paid_at
    from jsonb_to_recordset(${JSON.stringify(
      sales.map(({ partnerId, currency, gross, refunded, dispute, lost, at }) => ({
        partner_id: partnerId,
        currency,
        gross: String(gross),
        refunded: String((gross * BigInt(refunded)) / 100n),
        dispute,
        lost: String((gross * BigInt(lost)) / 100n),
        paid_at: hour(at),
      })),
    )}::text::jsonb) as s (partner_id uuid, currency text, gross bigint, refunded bigint, dispute text, lost bigint, paid_at timestamptz)`
}

/** What the sales that still count add up to, one by one. */
function folded(sales: readonly Sale[]): Revenue[] {
  const counting = sales.filter(({ net }) => net > 0n)
  return [...Map.groupBy(counting, ({ partnerId, currency }) => `${partnerId} ${currency}`).values()].map((own) => ({
    partnerId: own[0]!.partnerId!,
    currency: own[0]!.currency,
    net: own.reduce((sum, { net }) => sum + net, 0n),
    lastPaidAt: own.at(-1)!.paidAt,
  }))
}
const inOrder = (revenue: readonly Revenue[]) =>
  revenue.toSorted((a, b) => (`${a.partnerId} ${a.currency}` < `${b.partnerId} ${b.currency}` ? -1 : 1))

property.prop([fc.array(sale, { maxLength: 60 }), fc.integer({ min: 0, max: 24 * sold }), fc.integer({ min: 0, max: 24 * sold })], {
  numRuns: 60,
})('revenue is what the sales of the period that still count add up to, by partner and currency', async (sales, from, until) => {
  await write(sales)
  const range = { from: hour(Math.min(from, until)), to: hour(Math.max(from, until)) }
  const { revenue, sales: read } = house.use(attribution)
  expect(inOrder(await revenue(house.db, house.program.id, range))).toEqual(
    inOrder(folded(await read(house.db, house.program.id, range))),
  )
})

test('the first instant of the period counts and the last does not; another program has none of it', async () => {
  const [ada] = hands
  const one = { partnerId: ada, currency: 'USD', refunded: 0, dispute: 'none', lost: 0 } as const
  await write([1n, 20n, 300n].map((gross, i) => ({ ...one, gross, at: i })))
  const { revenue } = house.use(attribution)
  const range = { from: hour(0), to: hour(2) }
  expect(await revenue(house.db, house.program.id, range)).toEqual([
    { partnerId: ada, currency: 'USD', net: 21n, lastPaidAt: hour(1) },
  ])
  expect(await revenue(house.db, newId(), range)).toEqual([])
})

test('revenue of a month is read by index, however many sales there were before', async () => {
  const { sql } = house.connection
  await write([])
  await sql`
    insert into attribution_sales
      (id, program_id, provider, payment_key, customer_id, partner_id, currency, gross, tax, shipping, first_of_customer, paid_at)
    select gen_random_uuid(), ${house.program.id}, 'test', n::text, ${customer}, ${hands[0]}, 'USD', 100, 0, 0, false, ${begin.toISOString()}::timestamptz - n * interval '1 hour'
    from generate_series(1, 20000) n`
  await sql.unsafe('analyze attribution_sales')
  const month = { from: new Date(begin.getTime() - days(30)), to: begin }
  const { sql: text, params } = new PgDialect().sqlToQuery(revenueQuery(house.program.id, month))
  const plan = (await sql.unsafe(`explain ${text}`, params as string[])).map((row) => row['QUERY PLAN']).join('\n')
  expect(plan).toContain('attribution_sales_attributed')
  expect(plan).not.toContain('Seq Scan')
})
