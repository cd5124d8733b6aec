// From which computers partners were seen, in marks that compare with the clicks of one day only; and whether a click came from one of them.
import { and, eq, lt } from 'drizzle-orm'
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

/** Whether the partner was seen from the computer of the click, or from its address. */
export async function seenAt(
  reader: Reader,
  programId: string,
  partnerId: string,
  { mark }: Pick<ClickFacts, 'mark'>,
): Promise<'address' | 'device' | null> {
  const rows = await reader
    .select({ agent: sightings.agent })
    .from(sightings)
    .where(
      and(
        eq(sightings.programId, programId),
        eq(sightings.partnerId, partnerId),
        eq(sightings.day, mark.day),
        eq(sightings.address, mark.address),
      ),
    )
  if (rows.some(({ agent }) => agent === mark.agent)) return 'device'
  return rows.length > 0 ? 'address' : null
}

export async function forgetSightings(tx: Tx, now: Date): Promise<void> {
  const before = new Date(now.getTime() - days(keptDays)).toISOString().slice(0, 10)
  await tx.delete(sightings).where(lt(sightings.day, before))
}
