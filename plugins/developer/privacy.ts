// What the public API stores about one partner: events that name them. For the export, and erased.
import { and, eq, sql } from 'drizzle-orm'
import type { Reader, Tx } from '../kit/index.ts'
import { events } from './tables.ts'

const namesThem = (programId: string, userId: string) =>
  and(eq(events.programId, programId), sql`${events.data} ->> 'discord_user_id' = ${userId}`)

export async function exportFor(reader: Reader, programId: string, userId: string): Promise<unknown> {
  const rows = await reader.select().from(events).where(namesThem(programId, userId))
  return { events: rows.map(({ type, data, occurredAt }) => ({ type, data, occurredAt })) }
}

/** With the messages that tell of them. Events by ids of partners, sales and payouts stay: without what is erased elsewhere they name nobody. */
export async function eraseFor(tx: Tx, programId: string, userId: string): Promise<void> {
  await tx.delete(events).where(namesThem(programId, userId))
}
