// Locks by name, held until the transaction ends: for what has no row to lock yet.
import { sql } from 'drizzle-orm'
import type { Tx } from './connect.ts'

/** Waits until the names are free and holds them. Taken in sorted order: no two transactions that lock once can wait for each other. */
export async function lockNames(tx: Tx, names: Iterable<string>): Promise<void> {
  const all = [...new Set(names)]
  if (all.length === 0) return
  await tx.execute(
    sql`select pg_advisory_xact_lock(hashtextextended(name, 0)) from (select name from json_array_elements_text(${JSON.stringify(all)}::json) as name order by name) as sorted`,
  )
}
