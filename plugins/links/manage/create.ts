// New links, many at a time: all of them, or none. The one place where links and codes are written for the first time.
import { and, count, eq, inArray, sql } from 'drizzle-orm'
import { newId, type Reader, type Tx, UserError } from '../../kit/index.ts'
import { chosenCode, fold, newCode } from '../codes.ts'
import { codes, links } from '../tables.ts'
import type { LinkFields } from './wish.ts'

export interface NewLink {
  readonly partnerId: string
  /** As it was typed; left out, the link gets a free one. */
  readonly code?: string | undefined
  readonly fields: LinkFields
  /** Which of the program's default links it is. */
  readonly defaultFor?: string
}

export interface MadeLink {
  readonly id: string
  readonly partnerId: string
  readonly code: string
  readonly campaign: string | null
  readonly createdAt: Date
}

/** What keeps a link from being made; `at` is its place in the list. */
export interface Obstacle {
  readonly at: number
  readonly error: UserError
}

/** Everything that keeps these links from being made, as things are now. Changes nothing. */
export async function obstaclesOf(
  reader: Reader,
  programId: string,
  wanted: readonly NewLink[],
  maxLinks: number,
): Promise<Obstacle[]> {
  const obstacles: Obstacle[] = []
  const chosen = new Map<string, number>()
  for (const [at, { code }] of wanted.entries()) {
    if (code === undefined) continue
    try {
      const folded = fold(chosenCode(code))
      const earlier = chosen.get(folded)
      if (earlier !== undefined) throw repeated(code)
      chosen.set(folded, at)
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      obstacles.push({ at, error })
    }
  }
  for (const folded of await takenAmong(reader, [...chosen.keys()])) {
    const at = chosen.get(folded)!
    obstacles.push({ at, error: taken(chosenCode(wanted[at]!.code!)) })
  }
  const room = await roomOf(reader, programId, wanted, maxLinks)
  for (const [at, { partnerId }] of wanted.entries()) {
    const left = room.get(partnerId)!
    if (left <= 0) obstacles.push({ at, error: tooMany(maxLinks) })
    room.set(partnerId, left - 1)
  }
  return obstacles.sort((a, b) => a.at - b.at)
}

/** @throws UserError with the first thing that keeps one of them from being made */
export async function createLinks(
  tx: Tx,
  programId: string,
  wanted: readonly NewLink[],
  { maxLinks, now }: { maxLinks: number; now: Date },
): Promise<MadeLink[]> {
  if (wanted.length === 0) return []
  await holdRoomOf(tx, wanted)
  const [obstacle] = await obstaclesOf(tx, programId, wanted, maxLinks)
  if (obstacle) throw obstacle.error
  const free = await freeCodes(tx, wanted.filter(({ code }) => code === undefined).length)
  const made = wanted.map(({ partnerId, code, fields, defaultFor }) => ({
    ...fields,
    id: newId(now),
    programId,
    partnerId,
    code: code === undefined ? free.pop()! : chosenCode(code),
    defaultFor: defaultFor ?? null,
    createdAt: now,
  }))
  await tx.insert(links).values(made)
  const claimed = await tx
    .insert(codes)
    // In one order, so that two lists that want the same codes do not wait for each other.
    .values(
      made
        .map(({ id, code }) => ({ folded: fold(code), code, programId, linkId: id, createdAt: now }))
        .sort((a, b) => (a.folded < b.folded ? -1 : 1)),
    )
    .onConflictDoNothing()
    .returning({ linkId: codes.linkId })
  const kept = new Set(claimed.map(({ linkId }) => linkId))
  const lost = made.find(({ id }) => !kept.has(id))
  if (lost) throw taken(lost.code)
  return made
}

/** Which of these folded codes belong to a link, of whatever program: the address names none. */
async function takenAmong(reader: Reader, folded: readonly string[]): Promise<string[]> {
  if (folded.length === 0) return []
  const rows = await reader
    .select({ folded: codes.folded })
    .from(codes)
    .where(inArray(codes.folded, [...folded]))
  return rows.map((row) => row.folded)
}

/** Distinct codes that nobody has. Codes are many, so a second round is rare and a tenth is a bug. */
async function freeCodes(reader: Reader, wanted: number): Promise<string[]> {
  const free = new Map<string, string>()
  for (let rounds = 0; free.size < wanted; rounds++) {
    if (rounds >= 10) throw new Error('ten rounds of random codes were taken')
    const fresh = new Map(Array.from({ length: wanted - free.size }, newCode).map((code) => [fold(code), code]))
    for (const folded of await takenAmong(reader, [...fresh.keys()])) fresh.delete(folded)
    for (const [folded, code] of fresh) free.set(folded, code)
  }
  return [...free.values()]
}

/** Keeps others from making links of these partners until `tx` ends: those who count at the same moment would not see each other's. */
async function holdRoomOf(tx: Tx, wanted: readonly NewLink[]): Promise<void> {
  const partnerIds = [...new Set(wanted.map(({ partnerId }) => partnerId))]
  await tx.execute(sql`
    select pg_advisory_xact_lock(key) from (
      select hashtextextended('links.room ' || id, 0) as key from unnest(${`{${partnerIds.join()}}`}::text[]) as id order by 1 offset 0) keys`)
}

/** How many more links each of the partners may have. */
async function roomOf(
  reader: Reader,
  programId: string,
  wanted: readonly NewLink[],
  maxLinks: number,
): Promise<Map<string, number>> {
  const partnerIds = [...new Set(wanted.map(({ partnerId }) => partnerId))]
  const rows = await reader
    .select({ partnerId: links.partnerId, links: count() })
    .from(links)
    .where(and(eq(links.programId, programId), inArray(links.partnerId, partnerIds)))
    .groupBy(links.partnerId)
  const room = new Map(partnerIds.map((id) => [id, maxLinks]))
  for (const row of rows) room.set(row.partnerId, maxLinks - row.links)
  return room
}

function tooMany(maxLinks: number): UserError {
  return new UserError(
    'too_many_links',
    `A partner may have ${maxLinks} links here, and they are all made. Change one of them instead: \`/link list\` shows them.`,
  )
}

function repeated(code: string): UserError {
  return new UserError('code_repeated', `The code “${code.trim()}” (or one that looks like it) stands in the list twice.`)
}

export function taken(code: string): UserError {
  return new UserError(
    'code_taken',
    `The code “${code}” (or one that looks like it) is taken. How about \`${code.slice(0, 27)}-${newCode().slice(0, 4)}\`? Without a code you get a free one.`,
  )
}
