// The links that a partner has from the first day on, as the program's settings say. Made once, however often they are asked for.
import { and, eq, isNotNull } from 'drizzle-orm'
import type { Clock, Settings, Tx } from '../../kit/index.ts'
import type { Config } from '../config.ts'
import type { LandingPages } from '../landing/pages.ts'
import { links } from '../tables.ts'
import { createLinks, type MadeLink } from './create.ts'
import { emptyFields } from './wish.ts'

/**
 * Makes the default links that the partner does not have yet: one for each name in `defaultLinks`, which is that of a landing page or `default`, the page
 * meant for the partner. A page that is not there (any more) is left out, and so is what would be more than the partner may have.
 */
export async function makeDefaultLinks(
  { clock, settings, pages }: { clock: Clock; settings: Settings<Config>; pages: LandingPages },
  tx: Tx,
  { programId, partnerId }: { programId: string; partnerId: string },
): Promise<MadeLink[]> {
  const { defaultLinks, maxLinks } = await settings.of(tx, programId)
  const own = and(eq(links.programId, programId), eq(links.partnerId, partnerId))
  const existing = await tx.select({ id: links.id }).from(links).where(own)
  const made = await tx
    .select({ name: links.defaultFor })
    .from(links)
    .where(and(own, isNotNull(links.defaultFor)))
  const has = new Set(made.map(({ name }) => name))
  const known = new Map((await pages.list(tx, programId)).map((page) => [page.name.toLowerCase(), page]))
  const wanted = [...new Set(defaultLinks)].flatMap((name) => {
    const page = known.get(name.toLowerCase())
    if (has.has(name) || !(page || name === 'default')) return []
    return [{ partnerId, defaultFor: name, fields: { ...emptyFields, landingPageId: page?.id ?? null } }]
  })
  return createLinks(tx, programId, wanted.slice(0, Math.max(0, maxLinks - existing.length)), { maxLinks, now: clock.now() })
}
