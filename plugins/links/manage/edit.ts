// Changes of a link that exists: its fields, its code, and whether it leads on. A code that a link ever had stays its own.
import { and, count, eq } from 'drizzle-orm'
import { type Tx, UserError } from '../../kit/index.ts'
import { chosenCode, fold } from '../codes.ts'
import { codes, links } from '../tables.ts'
import type { Target } from '../targets.ts'
import { taken } from './create.ts'
import type { LinkFields } from './wish.ts'

type Row = typeof links.$inferSelect

/** Whoever renames a link again and again would take codes from everybody else. */
const mostCodes = 20
export const mostTargets = 10

const isLink = ({ programId, id }: Pick<Row, 'programId' | 'id'>) => and(eq(links.programId, programId), eq(links.id, id))

/** The link as it is now, held until `tx` ends: of two changes at the same moment the second then builds on the first. */
export async function held(tx: Tx, link: Row): Promise<Row> {
  const [row] = await tx.select().from(links).where(isLink(link)).for('no key update')
  return row!
}

async function update(tx: Tx, link: Row, change: Partial<Row>): Promise<Row> {
  const [row] = await tx.update(links).set(change).where(isLink(link)).returning()
  return row!
}

/** The link with these fields. */
export function changeFields(tx: Tx, link: Row, fields: LinkFields): Promise<Row> {
  const { campaign, tags, destination, landingPageId, expiresAt, clickLimit, subs } = fields
  return update(tx, link, { campaign, tags, destination, landingPageId, expiresAt, clickLimit, subs })
}

/**
 * The link with this code; all earlier ones still lead to it, and may become its code again.
 * @throws UserError for a code that is another link's, reserved or malformed, or one too many
 */
export async function rename(tx: Tx, link: Row, typed: string, now: Date): Promise<Row> {
  const code = chosenCode(typed)
  const { programId, id: linkId } = link
  const own = and(eq(codes.programId, programId), eq(codes.linkId, linkId))
  const added = await tx
    .insert(codes)
    .values({ folded: fold(code), code, programId, linkId, createdAt: now })
    .onConflictDoNothing()
    .returning({ folded: codes.folded })
  if (added.length === 0) {
    const again = await tx
      .update(codes)
      .set({ code })
      .where(and(own, eq(codes.folded, fold(code))))
      .returning({ folded: codes.folded })
    if (again.length === 0) throw taken(code)
  } else {
    const [owned] = await tx.select({ codes: count() }).from(codes).where(own)
    if (owned!.codes > mostCodes)
      throw new UserError(
        'too_many_codes',
        `This link has had ${mostCodes} codes, and all of them still work. Use one of those again, or make another link.`,
      )
  }
  return update(tx, link, { code })
}

/** `changed` is false when it was so already. */
export async function setPaused(tx: Tx, link: Row, paused: boolean, now: Date): Promise<{ link: Row; changed: boolean }> {
  if ((link.pausedAt !== null) === paused) return { link, changed: false }
  return { link: await update(tx, link, { pausedAt: paused ? now : null }), changed: true }
}

/** Stops the link by an admin, or lets it lead on again (`because` null); `changed` is false when it was so already. */
export async function setSuspended(tx: Tx, link: Row, because: string | null, now: Date): Promise<{ link: Row; changed: boolean }> {
  if ((link.suspendedAt !== null) === (because !== null)) return { link, changed: false }
  const change = { suspendedAt: because === null ? null : now, suspendedBecause: because?.slice(0, 300) ?? null }
  return { link: await update(tx, link, change), changed: true }
}

/** The link with these other pages for some visitors. @throws UserError for too many */
export function setTargets(tx: Tx, link: Row, targets: readonly Target[]): Promise<Row> {
  if (targets.length > mostTargets)
    throw new UserError('too_many_targets', `A link may have ${mostTargets} other pages. Take one away first, with \`remove\`.`)
  return update(tx, link, { targets })
}
