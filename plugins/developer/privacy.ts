// What the public API stores about one partner: events that name them. For the export, and erased.
import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Reader, Tx } from '../kit/index.ts'
import { events, sends } from './tables.ts'

const namesThem = (programId: string, userId: string) =>
  and(eq(events.programId, programId), sql`${events.data} ->> 'discord_user_id' = ${userId}`)

export async function exportFor(reader: Reader, programId: string, userId: string): Promise<unknown> {
  const rows = await reader.select().from(events).where(namesThem(programId, userId))
  return { events: rows.map(({ type, data, occurredAt }) => ({ type, data, occurredAt })) }
}

/** Events by ids of partners, sales and payouts stay: without what is erased elsewhere they name nobody. */
export async function eraseFor(tx: Tx, programId: string, userId: string): Promise<void> {
  const rows = await tx.delete(events).where(namesThem(programId, userId)).returning({ position: events.position })
  if (rows.length > 0)
    await tx.delete(sends).where(
      and(
        eq(sends.programId, programId),
        inArray(
          sends.position,
          rows.map(({ position }) => position),
        ),
      ),
    )
}
