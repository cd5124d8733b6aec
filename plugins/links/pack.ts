// Keeps the index of clicks by partner small. Clicks come for many partners at once, each at the end of its own part of the index, which leaves pages half empty.
import { sql } from 'drizzle-orm'
import type { Db } from '../kit/index.ts'

/** An entry takes 40 bytes when it is packed; without packing, 60 to 70. */
const looseBytes = 48
/** Smaller ones are not worth it. */
const worthPages = 256

/** Writes the indexes that have become loose anew, one month after the other, while clicks are stored and read. */
export async function packMonths(db: Db): Promise<void> {
  // What an earlier attempt that was cut off has left.
  const left = await db.execute<{ name: string }>(sql`
    select c.oid::regclass::text as name from pg_class c join pg_index i on i.indexrelid = c.oid
    where c.relname like 'links\\_clicks\\_2%\\_ccnew%' and not i.indisvalid`)
  for (const { name } of left) await db.execute(sql`drop index concurrently if exists ${sql.identifier(name)}`)
  const loose = await db.execute<{ name: string }>(sql`
    select c.oid::regclass::text as name
    from pg_inherits p join pg_class c on c.oid = p.inhrelid
    where p.inhparent = 'links_clicks_partner'::regclass and pg_relation_size(c.oid) > ${worthPages * 8192}
      and c.reltuples > 0 and pg_relation_size(c.oid) / c.reltuples > ${looseBytes}
    order by 1`)
  for (const { name } of loose) await db.execute(sql`reindex index concurrently ${sql.identifier(name)}`)
}
