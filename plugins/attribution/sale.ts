// A sale as it is stored, as others see it, and as events tell it.
import { sql } from 'drizzle-orm'
import type { Sale } from './public.ts'
import type { sales } from './tables.ts'

export type SaleRow = typeof sales.$inferSelect

export function parties(row: SaleRow) {
  return {
    programId: row.programId,
    saleId: row.id,
    partnerId: row.partnerId,
    customerId: row.customerId,
    currency: row.currency,
  }
}

export function whole(row: SaleRow) {
  const { gross, product, sequence, firstOfCustomer, paidAt } = row
  return { ...parties(row), gross, basis: basisOf(row), product, sequence, firstOfCustomer, paidAt }
}

export function basisOf(row: SaleRow): bigint {
  return row.gross - row.tax - row.shipping
}

/** `Sale.net` of a row, for the database. */
export const netOfSale = sql`case when dispute = 'lost' then 0 else gross - refunded end`

export function toSale(row: SaleRow): Sale {
  const {
    id,
    programId,
    partnerId,
    customerId,
    currency,
    gross,
    refunded,
    dispute,
    paidAt,
    product,
    subscription,
    sequence,
    firstOfCustomer,
    origin,
  } = row
  return {
    id,
    programId,
    partnerId,
    customerId,
    currency,
    gross,
    basis: basisOf(row),
    refunded,
    dispute,
    net: dispute === 'lost' ? 0n : gross - refunded,
    paidAt,
    product,
    subscription,
    sequence,
    firstOfCustomer,
    origin,
  }
}
