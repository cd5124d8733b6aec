// Whether partners share the place that their money goes to: kept is a keyed hash of what the provider calls that place, nothing that tells where it is.
import { createHmac } from 'node:crypto'
import { and, eq, isNotNull, ne } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import { amongIds } from '../kit/index.ts'
import type { Payouts } from './public.ts'
import { methods } from './tables.ts'

/** Hashes a provider's name of the place (a bank account's fingerprint, an address), in its own namespace. */
export type Identify = (provider: string, place: string) => string

export const identifyWith =
  (key: Buffer): Identify =>
  (provider, place) =>
    createHmac('sha256', key).update(`${provider}\n${place.trim().toLowerCase()}`).digest('base64url')

export const sharing: Payouts['sharing'] = async (reader, programId, partnerIds) => {
  const others = alias(methods, 'others')
  const rows = await reader
    .selectDistinct({ partnerId: methods.partnerId, other: others.partnerId })
    .from(methods)
    .innerJoin(
      others,
      and(
        eq(others.programId, methods.programId),
        eq(others.identityHash, methods.identityHash),
        ne(others.partnerId, methods.partnerId),
      ),
    )
    .where(and(eq(methods.programId, programId), amongIds(methods.partnerId, partnerIds), isNotNull(methods.identityHash)))
    .orderBy(others.partnerId)
  return new Map([...Map.groupBy(rows, ({ partnerId }) => partnerId)].map(([id, own]) => [id, own.map(({ other }) => other)]))
}
