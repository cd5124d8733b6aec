// The places that partners' money can go to: whether they changed, and who shares one. Kept are keyed hashes of what providers call them, nothing that tells where they are.
import { createHmac } from 'node:crypto'
import { and, arrayOverlaps, eq, ne } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import { amongIds } from '../kit/index.ts'
import type { Payouts, Place } from './public.ts'
import { methods } from './tables.ts'

/** Hashes a provider's name of the place (a bank account's fingerprint, an address), in its own namespace. */
export type Identify = (provider: string, place: string) => string

export const identifyWith =
  (key: Buffer): Identify =>
  (provider, place) =>
    createHmac('sha256', key).update(`${provider}\n${place.trim().toLowerCase()}`).digest('base64url')

/** What is known of a method's places, as hashes; null until the provider has told. */
export interface KnownPlaces {
  readonly places: string[] | null
  readonly defaultPlaces: string[] | null
}

/**
 * What is known after the provider told, and whether the money can go, or by default goes, somewhere that it did not before. The first telling is no move, and
 * nor is a place that goes away. A telling of nothing changes nothing, so that whatever is given next is still compared with what was there.
 */
export function afterTold(
  known: KnownPlaces,
  told: readonly Place[],
  hash: (name: string) => string,
): KnownPlaces & { moved: boolean } {
  const hashes = (of: readonly Place[]) => [...new Set(of.map(({ name }) => hash(name)))].sort()
  const isNew = (now: string[], before: string[] | null) => before !== null && now.some((place) => !before.includes(place))
  const [places, defaultPlaces] = [hashes(told), hashes(told.filter(({ isDefault }) => isDefault))]
  return {
    places: places.length > 0 ? places : known.places,
    defaultPlaces: defaultPlaces.length > 0 ? defaultPlaces : known.defaultPlaces,
    moved: isNew(places, known.places) || isNew(defaultPlaces, known.defaultPlaces),
  }
}

export const sharing: Payouts['sharing'] = async (reader, programId, partnerIds) => {
  const others = alias(methods, 'others')
  const rows = await reader
    .selectDistinct({ partnerId: methods.partnerId, other: others.partnerId })
    .from(methods)
    .innerJoin(
      others,
      and(
        eq(others.programId, methods.programId),
        arrayOverlaps(others.places, methods.places),
        ne(others.partnerId, methods.partnerId),
      ),
    )
    .where(and(eq(methods.programId, programId), amongIds(methods.partnerId, partnerIds)))
    .orderBy(others.partnerId)
  return new Map([...Map.groupBy(rows, ({ partnerId }) => partnerId)].map(([id, own]) => [id, own.map(({ other }) => other)]))
}
