// The look of the pictures that each person chose last; dark, as Discord is, until they choose.
import { and, eq } from 'drizzle-orm'
import type { Db, Reader, Tx } from '../kit/index.ts'
import type { Theme } from './picture/drawing.ts'
import { looks } from './tables.ts'

const ofPerson = (programId: string, userId: string) => and(eq(looks.programId, programId), eq(looks.userId, userId))

/** The look to draw in; a choice is remembered for the next time. */
export async function lookFor(db: Db, programId: string, userId: string, chosen: Theme | undefined): Promise<Theme> {
  if (chosen === undefined) return (await storedLook(db, programId, userId)) ?? 'dark'
  await db
    .insert(looks)
    .values({ programId, userId, theme: chosen })
    .onConflictDoUpdate({ target: [looks.programId, looks.userId], set: { theme: chosen } })
  return chosen
}

/** What is stored about one person. */
export async function storedLook(reader: Reader, programId: string, userId: string): Promise<Theme | undefined> {
  const [row] = await reader.select({ theme: looks.theme }).from(looks).where(ofPerson(programId, userId))
  return row?.theme
}

export async function forgetLook(tx: Tx, programId: string, userId: string): Promise<void> {
  await tx.delete(looks).where(ofPerson(programId, userId))
}
