// Settings per program and plugin, stored as what an admin changed; defaults come from the plugin's schema and so follow a new version.
import { and, eq, sql } from 'drizzle-orm'
import { z } from 'zod'
import { UserError } from '../plugins/kit/errors.ts'
import type { Reader, Tx } from './connect.ts'
import { settings } from './tables.ts'

/** The plugin's settings, defaults filled in. A stored value that no longer fits falls back to its default. */
export async function readSettings<C>(reader: Reader, programId: string, plugin: string, schema: z.ZodType<C>): Promise<C> {
  const [row] = await reader
    .select({ values: settings.values })
    .from(settings)
    .where(and(eq(settings.programId, programId), eq(settings.plugin, plugin)))
  const stored = row?.values ?? {}
  const whole = schema.safeParse(stored)
  if (whole.success) return whole.data
  const bad = new Set(whole.error.issues.map((issue) => String(issue.path[0])))
  return schema.parse(Object.fromEntries(Object.entries(stored).filter(([key]) => !bad.has(key))))
}

/** Changes one setting. @throws UserError that names the setting and what it accepts */
export async function writeSetting(
  tx: Tx,
  programId: string,
  plugin: string,
  schema: z.ZodType,
  key: string,
  text: string,
): Promise<void> {
  const shape = schema instanceof z.ZodObject ? (schema.shape as Record<string, z.ZodType>) : {}
  const field = Object.hasOwn(shape, key) ? shape[key] : undefined
  if (!field)
    throw new UserError('unknown_setting', `${plugin} has no setting “${key}”. It has: ${Object.keys(shape).join(', ') || 'none'}.`)
  const value = readable(text)
    .map((candidate) => field.safeParse(candidate))
    .find((result) => result.success)
  if (!value) {
    const problem = field.safeParse(readable(text)[0]).error!.issues[0]!
    throw new UserError(
      'bad_setting',
      `${plugin} ${key} cannot be “${text}”: ${problem.message}. ${field.description ?? ''}`.trim(),
    )
  }
  await tx
    .insert(settings)
    .values({ programId, plugin, values: { [key]: z.encode(field, value.data) } })
    .onConflictDoUpdate({
      target: [settings.programId, settings.plugin],
      // Merged by the database: two admins who change two settings at the same time both keep theirs.
      set: { values: sql`${settings.values} || excluded.values`, updatedAt: sql`now()` },
    })
}

/** What an admin may have meant by the text: JSON where it is JSON, else the text itself. */
function readable(text: string): unknown[] {
  try {
    return [JSON.parse(text) as unknown, text]
  } catch {
    return [text]
  }
}
