// The unit of change in commissions: what one partner has in one currency.
import { sql } from 'drizzle-orm'
import type { Tx } from '../kit/index.ts'

/** Changed by one transaction at a time. */
export interface Books {
  readonly programId: string
  readonly partnerId: string
  readonly currency: string
}

/** Which sale; `partnerId` is who is believed to have it, which saves a look when it is right. */
export interface SaleRef {
  readonly programId: string
  readonly saleId: string
  readonly partnerId: string | null
  readonly currency: string
}

/**
 * Everything that changes commissions of one partner and currency takes this lock first, so that no two transactions wait for each other's rows. Several are
 * taken in sorted order.
 */
export async function lockBooks(tx: Tx, books: readonly Books[]): Promise<void> {
  const names = new Set(books.map(({ programId, partnerId, currency }) => `commissions:${programId}:${partnerId}:${currency}`))
  if (names.size === 0) return
  await tx.execute(
    sql`select pg_advisory_xact_lock(hashtextextended(name, 0)) from (select name from json_array_elements_text(${JSON.stringify([...names])}::json) as name order by name) as sorted`,
  )
}
