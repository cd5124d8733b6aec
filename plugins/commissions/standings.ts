// Who earns, and whether they may: what decides if the commissions of a partner are held.
import type { Reader } from '../kit/index.ts'
import type { Partner } from '../partners/public.ts'
import type { Facts } from './decide.ts'
import type { Needs } from './needs.ts'

export interface Standing extends Pick<Facts, 'partnerStatus' | 'agreementSigned'> {
  readonly partner: Partner
}

/** Makes the function that looks how these partners of a program stand now, all at once. What it gives throws for a partner who does not exist. */
export function createStandings({ clock, partners, agreements }: Pick<Needs, 'clock' | 'partners' | 'agreements'>) {
  return async (reader: Reader, programId: string, partnerIds: Iterable<string>): Promise<(partnerId: string) => Standing> => {
    const ids = [...new Set(partnerIds)]
    const [known, signers] = await Promise.all([
      partners.byIds(reader, programId, ids),
      agreements.signersOfCurrent(reader, programId, ids, clock.now()),
    ])
    const byId = new Map(known.map((partner) => [partner.id, partner]))
    return (partnerId) => {
      const partner = byId.get(partnerId)
      if (!partner) throw new Error(`The partner ${partnerId}, who has a sale, does not exist`)
      return { partner, partnerStatus: partner.status, agreementSigned: signers.has(partnerId) }
    }
  }
}
