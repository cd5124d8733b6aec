// Which rule applies to a sale, as a version that can be stamped. Today the program's own rule, from the settings.
import { and, desc, eq, isNull } from 'drizzle-orm'
import { newId, type Tx } from '../kit/index.ts'
import { type Config, percentToPpm } from './config.ts'
import { rules } from './tables.ts'

export interface Rule {
  readonly id: string
  readonly version: number
  readonly ratePpm: bigint
}

/** The program's rule as the settings have it now; a rate that was not in force before becomes the next version. */
export async function currentRule(tx: Tx, programId: string, config: Config, now: Date): Promise<Rule> {
  const ratePpm = percentToPpm(config.ratePercent)
  const newest = await newestRule(tx, programId)
  if (newest?.ratePpm === ratePpm) return newest
  await tx
    .insert(rules)
    .values({ id: newId(now), programId, scope: 'program', version: (newest?.version ?? 0) + 1, ratePpm, createdAt: now })
    .onConflictDoNothing()
  return (await newestRule(tx, programId))!
}

async function newestRule(tx: Tx, programId: string): Promise<Rule | undefined> {
  const [row] = await tx
    .select({ id: rules.id, version: rules.version, ratePpm: rules.ratePpm })
    .from(rules)
    .where(and(eq(rules.programId, programId), eq(rules.scope, 'program'), isNull(rules.subject)))
    .orderBy(desc(rules.version))
    .limit(1)
  return row
}
