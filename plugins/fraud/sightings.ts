// From which computers partners were seen, in marks that compare with the clicks of one day only; and whether a click came from one of them.
import { lt, sql } from 'drizzle-orm'
import { days, type Reader, type Tx } from '../kit/index.ts'
import type { ClickFacts, Links } from '../links/public.ts'
import type { Witness } from '../partners/public.ts'
import { sightings } from './tables.ts'

/** As long as a click may count for a purchase in most programs. */
const keptDays = 120

/** Keeps the marks under which the clicks of the day, the day before and the day after would know the partner: so a comparison reaches over 24 hours. */
export const noteSighting =
  (links: Pick<Links, 'marks'>): Witness =>
  async (tx, { programId, partnerId, userId, at, ip, userAgent }) => {
    const rows = links.marks(at, ip, userAgent).map((mark) => ({ programId, partnerId, userId, ...mark }))
    await tx.insert(sightings).values(rows).onConflictDoNothing()
  }

/** For each, whether the partner was seen from the computer of the click, or from its address. */
export async function seenAt(
  reader: Reader,
  programId: string,
  asked: readonly ({ readonly partnerId: string } & Pick<ClickFacts, 'mark'>)[],
): Promise<('address' | 'device' | null)[]> {
  if (asked.length === 0) return []
  const rows = await reader.execute<{ place: number; device: boolean }>(sql`
    select a.place, bool_or(s.agent = a.agent) as device
    from jsonb_to_recordset(${JSON.stringify(asked.map(({ partnerId, mark }, place) => ({ place, partnerId, ...mark })))}::text::jsonb)
      as a (place integer, "partnerId" uuid, day date, address text, agent text)
    join fraud_sightings s on s.program_id = ${programId}::uuid and s.partner_id = a."partnerId" and s.day = a.day and s.address = a.address
    group by a.place`)
  const seen = new Map(rows.map(({ place, device }) => [place, device]))
  return asked.map((_, place) => (seen.has(place) ? (seen.get(place) ? 'device' : 'address') : null))
}

export async function forgetSightings(tx: Tx, now: Date): Promise<void> {
  const before = new Date(now.getTime() - days(keptDays)).toISOString().slice(0, 10)
  await tx.delete(sightings).where(lt(sightings.day, before))
}
