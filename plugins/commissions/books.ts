// The unit of change in commissions: what one partner has in one currency.
import { lockNames, type Tx } from '../kit/index.ts'

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
 * Everything that changes commissions of one partner and currency takes this lock first, so that no two transactions wait for each other's rows.
 */
export async function lockBooks(tx: Tx, books: readonly Books[]): Promise<void> {
  await lockNames(
    tx,
    books.map(({ programId, partnerId, currency }) => `commissions:${programId}:${partnerId}:${currency}`),
  )
}
