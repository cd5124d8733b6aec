// How clicks are counted, by the statements that are really sent, with a month of clicks that the planner knows of: what is not summed up yet is found by its time.
import type { SQL } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestHouse, testHouse } from '../../app/testing.ts'
import type { Reader } from '../kit/index.ts'
import { clickFigures } from './figures.ts'
import { countByLink, countInRanges, countOfLink } from './hours.ts'
import { clicksOf } from './manage/figures.ts'
import { linkPlugins, linksIn, type TestLink } from './testing.ts'

let house: TestHouse
let link: TestLink & { programId: string }
let idle: TestLink & { programId: string }

beforeAll(async () => {
  house = await testHouse(linkPlugins, { now: '2026-11-25T18:15:00Z' })
  const { aLink } = linksIn(house)
  link = { ...(await aLink()), programId: house.program.id }
  idle = { ...(await aLink()), programId: house.program.id }
  const { sql } = house.connection
  await sql`
    insert into links_clicks (at, id, program_id, link_id, partner_id, counted, ip_hash, agent_hash, device, country)
    select timestamptz '2026-11-01T00:06:00Z' + n * interval '7.1 seconds', gen_random_uuid(), ${link.programId}, ${link.id},
      case when n % 100 = 0 then ${link.partnerId}::uuid else ('018f0000-0000-7000-8000-0000000000' || lpad((n % 100)::text, 2, '0'))::uuid end,
      true, decode(substr(md5((n % 9000)::text), 1, 16), 'hex'), decode('0011223344556677', 'hex'), 'desktop', 'DE'
    from generate_series(1, 300000) n`
  await house.tick('links.sum_up')
  await house.tick('links.sum_days')
  await sql.unsafe('vacuum analyze')
}, 120_000)
afterAll(() => house.close())

const from = new Date('2026-11-25T09:30:00Z')
const month = { days: { from: '2026-10-26', to: '2026-11-26' }, from: new Date('2026-10-26T00:00:00Z') }

test.each<[string, (reader: Reader) => Promise<unknown>]>([
  ['the clicks of each link of a partner', (reader) => countByLink(reader, link.programId, link.partnerId)],
  ['the clicks of each link of a program', (reader) => countByLink(reader, link.programId, undefined)],
  ['the clicks of a link with a limit', (reader) => countOfLink(reader, idle)],
  ['the clicks on the card of a link', (reader) => clicksOf(reader, link, house.clock.now())],
  [
    'the clicks of a partner in a range',
    (reader) => countInRanges(reader, link.programId, [{ ...link, from, to: house.clock.now() }]),
  ],
  [
    'the clicks of many partners in ranges',
    (reader) =>
      countInRanges(
        reader,
        link.programId,
        Array.from({ length: 50 }, (_, i) => ({ ...link, from: new Date(from.getTime() + i * 60_000), to: house.clock.now() })),
      ),
  ],
  [
    'a partner’s statistics',
    (reader) => clickFigures.read(reader, { ...link, ...month, timeZone: 'UTC', to: house.clock.now(), daily: true }),
  ],
  [
    'a program’s statistics',
    (reader) => clickFigures.read(reader, { programId: link.programId, ...month, timeZone: 'UTC', to: house.clock.now() }),
  ],
])('%s are found without reading the month', async (_, count) => {
  const plans: string[] = []
  const explaining = {
    execute: async (query: SQL) => {
      const { sql, params } = new PgDialect().sqlToQuery(query)
      const rows = await house.connection.sql.unsafe(`explain (analyze, timing off) ${sql}`, params as string[])
      plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'))
      return house.db.execute(query)
    },
  }
  await count(explaining as unknown as Reader)
  expect(plans).toHaveLength(1)
  expect(plans[0]).toMatch(/Index.* Scan (using|on) links_clicks_2026_11_pkey/)
  expect(plans[0]).not.toContain('Seq Scan on links_clicks_2026_11')
})
