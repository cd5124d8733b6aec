// Who somebody is in a program, for plugins that know partners by their id alone and are asked by a person.
import { sql } from 'drizzle-orm'
import type { Reader } from '../kit/index.ts'

/** The id of the partner that this Discord user is in the program; undefined when they are none, or were erased. */
export async function partnerIdOf(reader: Reader, programId: string, userId: string): Promise<string | undefined> {
  const [partner] = await reader.execute<{ id: string }>(
    sql`select id from partners_partners where program_id = ${programId}::uuid and user_id = ${userId}`,
  )
  return partner?.id
}

/** In the place of an erased partner's Discord id stands something else: there is nobody to write to, or to ask. */
export const isErased = ({ userId }: { readonly userId: string }): boolean => userId.startsWith('erased')
