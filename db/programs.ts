// Programs: one company's partner program in one Discord guild. Every other row belongs to one.
import { eq } from 'drizzle-orm'
import type { Reader, Tx } from './connect.ts'
import { newId } from './ids.ts'
import { guildObjects, programs } from './tables.ts'

export type Program = typeof programs.$inferSelect

export interface Programs {
  byGuild(reader: Reader, guildId: string): Promise<Program | undefined>
  /** @throws Error for an id that is no program's */
  byId(reader: Reader, id: string): Promise<Program>
  all(reader: Reader): Promise<Program[]>
  /** The program of the guild, made when it is new. */
  ensure(tx: Tx, guild: { guildId: string; name: string }): Promise<Program>
  /** Which program owns the guild object with this Discord id and kind, by its blueprint key. */
  keyOf(reader: Reader, discordId: string): Promise<{ programId: string; kind: string; key: string } | undefined>
}

export const programStore: Programs = {
  byGuild: async (reader, guildId) => (await reader.select().from(programs).where(eq(programs.guildId, guildId)))[0],
  byId: async (reader, id) => {
    const [program] = await reader.select().from(programs).where(eq(programs.id, id))
    if (!program) throw new Error(`No program has the id ${id}`)
    return program
  },
  all: (reader) => reader.select().from(programs),
  ensure: async (tx, { guildId, name }) => {
    await tx
      .insert(programs)
      .values({ id: newId(), guildId, name: name.slice(0, 100) || 'Partner program' })
      .onConflictDoNothing()
    return (await programStore.byGuild(tx, guildId))!
  },
  keyOf: async (reader, discordId) => (await reader.select().from(guildObjects).where(eq(guildObjects.discordId, discordId)))[0],
}
