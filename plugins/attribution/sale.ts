// A sale as it is stored, as others see it, and as events tell it.
import { sql } from 'drizzle-orm'
import { atLeastZero } from '../kit/index.ts'
import type { CanonicalPayment, Sale } from './public.ts'
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
export const netOfSale = sql`greatest(gross - refunded - lost, 0)`

/** What disputes took, beside what was refunded: kept as told, however much was refunded meanwhile. Who knows of no dispute says nothing about it. */
export function lostOf({ gross, dispute, lost }: CanonicalPayment, before: bigint): bigint {
  if (dispute === 'none') return before
  const told = lost ?? (dispute === 'lost' ? gross : 0n)
  return told < gross ? told : gross
}

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
    lost,
    paidAt,
    product,
    subscription,
    sequence,
    firstOfCustomer,
    origin,
  } = row
  const net = atLeastZero(gross - refunded - lost)
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
    lost: gross - refunded - net,
    net,
    paidAt,
    product,
    subscription,
    sequence,
    firstOfCustomer,
    origin,
  }
}
