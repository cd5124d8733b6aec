// Millions of clicks stay small: the index that grows in many places at once is packed.
import { expect, test } from 'vitest'
import { testDatabase } from '../../db/testing.ts'
import { seed } from '../../scripts/bench/redirect.ts'
import { packMonths } from './pack.ts'

test('the index by partner is packed while clicks stay what they were, and then left alone', async () => {
  const database = await testDatabase()
  const { sql } = database
  await seed(database, 200)
  // As clicks come: one after the other, each of another partner.
  await sql`
    insert into links_clicks (at, id, program_id, link_id, partner_id, counted, ip_hash, agent_hash)
    select now() + n * interval '1 millisecond', gen_random_uuid(), l.program_id, l.id, l.partner_id, true, '\\x0011223344556677', '\\x0011223344556677'
    from (select generate_series(1, 60000) n) n
    join (select *, row_number() over (order by random()) - 1 as place from links_links) l on l.place = n * 7919 % 200
    order by n`
  await sql.unsafe('vacuum analyze links_clicks')
  const indexes = () =>
    sql<{ bytes: number; filenode: number }[]>`
      select pg_relation_size(oid) / reltuples as bytes, relfilenode::int as filenode from pg_class
      where relname like 'links\\_clicks\\_2%partner%' and reltuples > 1000 order by relname`
  const loose = await indexes()
  expect(loose.length).toBeGreaterThan(0)
  expect(Math.max(...loose.map(({ bytes }) => bytes))).toBeGreaterThan(48)
  const [before] = await sql`select md5(string_agg(c::text, '|' order by id)) as hash from links_clicks c`

  await packMonths(database.db)
  const packed = await indexes()
  expect(Math.max(...packed.map(({ bytes }) => bytes))).toBeLessThan(45)
  expect((await sql`select md5(string_agg(c::text, '|' order by id)) as hash from links_clicks c`)[0]).toEqual(before)
  await packMonths(database.db)
  expect(await indexes()).toEqual(packed)
  await database.close()
})
