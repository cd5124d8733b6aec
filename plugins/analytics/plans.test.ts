// How statistics of clicks are read: from the sums by day, the last minutes from the clicks, both by index, whatever is asked and however many clicks there are.
import { PgDialect } from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestHouse, testHouse } from '../../app/testing.ts'
import { clickFigures, clicksQuery } from '../links/figures.ts'
import { linkPlugins } from '../links/testing.ts'
import type { FigureQuestion } from './public.ts'

const partner = '018f0000-0000-7000-8000-000000000007'
let house: TestHouse

beforeAll(async () => {
  house = await testHouse(linkPlugins, { now: '2026-11-20T10:00:00Z' })
  const { sql } = house.connection
  await sql`select links_ensure_month(at) from generate_series(timestamptz '2026-08-01Z', timestamptz '2026-11-30Z', interval '20 days') at`
  await sql`
    insert into links_clicks (at, id, program_id, link_id, partner_id, counted, ip_hash, agent_hash, country)
    select at, uuidv7(at - now()), ${house.program.id}, ('018f0000-0000-7000-8000-0000000001' || lpad(to_hex(n % 200), 2, '0'))::uuid,
      ('018f0000-0000-7000-8000-0000000000' || lpad(to_hex(n % 40), 2, '0'))::uuid, true,
      decode(substr(md5((n % 900)::text), 1, 16), 'hex'), decode('0011223344556677', 'hex'), (array['DE', 'US', 'FR', null])[1 + n % 4]
    from (select n, timestamptz '2026-08-10Z' + n * interval '4 minutes' as at from generate_series(0, 36000) n) c`
  await house.tick('links.sum_days')
  await sql.unsafe('vacuum analyze')
})
afterAll(() => house.close())

const question = (more: Partial<FigureQuestion> = {}): FigureQuestion => ({
  programId: house.program.id,
  timeZone: 'UTC',
  days: { from: '2026-10-22', to: '2026-11-21' },
  from: new Date('2026-10-22T00:00:00Z'),
  to: new Date('2026-11-21T00:00:00Z'),
  ...more,
})

async function planOf(asked: FigureQuestion): Promise<string> {
  const { sql, params } = new PgDialect().sqlToQuery(clicksQuery(asked))
  const rows = await house.connection.sql.unsafe(`explain (analyze, timing off) ${sql}`, params as string[])
  return rows.map((row) => row['QUERY PLAN']).join('\n')
}

const read = (plan: string) =>
  plan
    .split('\n')
    .filter((line) => /Scan/.test(line) && !/CTE|never executed|loops=0|Function|Result/.test(line))
    .join('\n')

test.each([
  ['a partner’s card', { partnerId: partner, daily: true }],
  ['a partner by country', { partnerId: partner, by: 'country' }],
  [
    'some links of a partner by day',
    { partnerId: partner, by: 'link', keys: ['018f0000-0000-7000-8000-000000000107'], daily: true },
  ],
] as const)('%s is read by index, from the sums and from the clicks of the last minutes alone', async (_, more) => {
  const plan = read(await planOf(question(more)))
  expect(plan).toContain('links_days_program_id_partner_id_dimension_day_value_key')
  expect(plan).toMatch(/Index Scan using links_clicks_2026_11_pkey.*rows=[123]\b/)
  expect(plan).not.toMatch(/Seq Scan on links_(days\b|clicks)/)
  expect(plan).not.toContain('hashed SubPlan')
  expect(plan).not.toMatch(/links_clicks_2026_(08|09|10)/)
})

test.each([
  ['the program by day', { daily: true }],
  ['the program by partner', { by: 'partner' }],
] as const)('%s reads sums from the index alone, and no clicks but those of the last minutes', async (_, more) => {
  const plan = read(await planOf(question(more)))
  expect(plan).toMatch(/Index Only Scan using links_days_program_id_partner_id_dimension_day_value_key/)
  expect(plan).not.toMatch(/Seq Scan on links_days\b/)
  expect(plan).not.toMatch(/links_clicks_2026_(08|09|10)/)
})

test('a program without any sums yet is answered from the clicks', async () => {
  const before = await clickFigures.read(house.db, question({ partnerId: partner }))
  await house.connection.sql`delete from links_days`
  await house.connection.sql`delete from links_days_summed`
  expect(await clickFigures.read(house.db, question({ partnerId: partner }))).toEqual(before)
  expect(before[0]!.counts!.clicks).toBeGreaterThan(100)
})
