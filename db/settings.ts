// Settings per program and plugin, stored as what an admin changed; defaults come from the plugin's schema and so follow a new version.
import { and, desc, eq, gt, sql } from 'drizzle-orm'
import { z } from 'zod'
import { UserError } from '../plugins/kit/errors.ts'
import type { Reader, Tx } from './connect.ts'
import { audit, settings } from './tables.ts'

/** The plugin's settings, defaults filled in. A stored value that no longer fits falls back to its default. */
export async function readSettings<C>(reader: Reader, programId: string, plugin: string, schema: z.ZodType<C>): Promise<C> {
  return fitting(schema, await stored(reader, programId, plugin))
}

/** A change of one setting by a person. */
export interface SettingChange<C> {
  readonly key: string
  readonly actor: string
  readonly at: Date
  /** All settings of the plugin as they were before it. */
  readonly before: C
}

/** The settings of one plugin, for it to read: how they are, and what people changed of them after a moment, the latest first. */
export function settingsOf({ id, config = z.object({}) }: { id: string; config?: z.ZodType | undefined }) {
  return {
    of: (reader: Reader, programId: string) => readSettings(reader, programId, id, config),
    changes: (reader: Reader, programId: string, since: Date) => settingChanges(reader, programId, id, config, since),
  }
}

/** As `writeSetting` by a person, with who did it and what it was before in the audit. Returns what the setting was and is. */
export async function changeSetting(
  tx: Tx,
  { programId, plugin, schema, key, text }: { programId: string; plugin: string; schema: z.ZodType; key: string; text: string },
  by: { actor: string; at: Date },
): Promise<{ field: z.ZodType; was: unknown; is: unknown }> {
  // Locked, so that of two changes at once the later knows what the one before made of it.
  await tx.select({ plugin: settings.plugin }).from(settings).where(isOf(programId, plugin)).for('update')
  const before = (await readSettings(tx, programId, plugin, schema)) as Record<string, unknown>
  const field = await writeSetting(tx, programId, plugin, schema, key, text)
  const detail = { plugin, key, value: text, was: z.encode(field, before[key]) }
  await tx.insert(audit).values({ programId, actor: by.actor, action: changed, detail, at: by.at })
  const after = (await readSettings(tx, programId, plugin, schema)) as Record<string, unknown>
  return { field, was: before[key], is: after[key] }
}

/** Changes one setting and returns what its values must be like. @throws UserError that names the setting and what it accepts */
export async function writeSetting(
  tx: Tx,
  programId: string,
  plugin: string,
  schema: z.ZodType,
  key: string,
  text: string,
): Promise<z.ZodType> {
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
  return field
}

/** What an admin may have meant by the text: JSON where it is JSON, else the text itself. */
function readable(text: string): unknown[] {
  try {
    return [JSON.parse(text) as unknown, text]
  } catch {
    return [text]
  }
}

async function settingChanges<C>(
  reader: Reader,
  programId: string,
  plugin: string,
  schema: z.ZodType<C>,
  since: Date,
): Promise<SettingChange<C>[]> {
  const rows = await reader
    .select()
    .from(audit)
    .where(
      and(
        eq(audit.programId, programId),
        eq(audit.action, changed),
        sql`${audit.detail} ->> 'plugin' = ${plugin}`,
        gt(audit.at, since),
      ),
    )
    .orderBy(desc(audit.id))
  let values = await stored(reader, programId, plugin)
  return rows.map(({ actor, at, detail }) => {
    const key = String(detail.key)
    // Changes of before this was kept say nothing of it.
    if ('was' in detail) values = { ...values, [key]: detail.was }
    return { key, actor, at, before: fitting(schema, values) }
  })
}

/** The action of the audit under which `changeSetting` keeps what it did. */
const changed = 'settings.set'

async function stored(reader: Reader, programId: string, plugin: string): Promise<Record<string, unknown>> {
  const [row] = await reader.select({ values: settings.values }).from(settings).where(isOf(programId, plugin))
  return row?.values ?? {}
}

const isOf = (programId: string, plugin: string) => and(eq(settings.programId, programId), eq(settings.plugin, plugin))

function fitting<C>(schema: z.ZodType<C>, values: Record<string, unknown>): C {
  const whole = schema.safeParse(values)
  if (whole.success) return whole.data
  const bad = new Set(whole.error.issues.map((issue) => String(issue.path[0])))
  return schema.parse(Object.fromEntries(Object.entries(values).filter(([key]) => !bad.has(key))))
}
