// The landing pages of a program: naming them, and saying which partner, campaign or industry gets which. Knows no Discord.
import { and, asc, count, eq, isNull, sql } from 'drizzle-orm'
import { type Clock, newId, type Reader, type Settings, type Tx, UserError } from '../../kit/index.ts'
import type { Config } from '../config.ts'
import { assignments, landingPages, links } from '../tables.ts'
import { type Assignee, assignmentKey, type Landing } from './choose.ts'
import { checkedAddress, checkedName, type LandingPage } from './page.ts'

export interface Assignment {
  readonly kind: Assignee
  /** A partner's id, a campaign in lower case, or the key of an industry. */
  readonly subject: string
  readonly pageId: string
}

export interface LandingPages {
  /** By name. */
  list(reader: Reader, programId: string): Promise<LandingPage[]>
  /** What the redirect has to know of all of them. */
  landing(reader: Reader, programId: string): Promise<Landing>
  assignments(reader: Reader, programId: string): Promise<Assignment[]>
  /** How many links name each page as their own, by its id; those without any are absent. */
  linkCounts(reader: Reader, programId: string): Promise<ReadonlyMap<string, number>>
  /** @throws UserError when there is no page of this name */
  named(reader: Reader, programId: string, name: string): Promise<LandingPage>
  /** @throws UserError for a name that is taken or an address that links may not lead to */
  add(tx: Tx, programId: string, page: { name: string; address: string; offered: boolean }): Promise<LandingPage>
  /** @throws UserError likewise, and when there is no page of this name */
  edit(
    tx: Tx,
    programId: string,
    name: string,
    change: { name?: string; address?: string; offered?: boolean },
  ): Promise<LandingPage>
  /** Takes the page and its assignments away: links that led there lead to the next page in the order of precedence. */
  remove(tx: Tx, programId: string, name: string): Promise<{ page: LandingPage; links: number; assigned: number }>
  /** Gives the page to whoever had another one, or none. */
  assign(tx: Tx, programId: string, name: string, to: Pick<Assignment, 'kind' | 'subject'>): Promise<LandingPage>
  /** False when nothing was assigned. */
  unassign(tx: Tx, programId: string, from: Pick<Assignment, 'kind' | 'subject'>): Promise<boolean>
}

const shown = { id: landingPages.id, name: landingPages.name, address: landingPages.address, offered: landingPages.offered }

export function createLandingPages({ clock, settings }: { clock: Clock; settings: Settings<Config> }): LandingPages {
  const present = (programId: string) => and(eq(landingPages.programId, programId), isNull(landingPages.removedAt))
  const folded = (subject: Pick<Assignment, 'kind' | 'subject'>) =>
    subject.kind === 'campaign' ? subject.subject.toLowerCase() : subject.subject
  const isSubject = (programId: string, subject: Pick<Assignment, 'kind' | 'subject'>) =>
    and(eq(assignments.programId, programId), eq(assignments.kind, subject.kind), eq(assignments.subject, folded(subject)))

  const list: LandingPages['list'] = (reader, programId) =>
    reader
      .select(shown)
      .from(landingPages)
      .where(present(programId))
      .orderBy(asc(sql`lower(${landingPages.name})`))
  const find = async (reader: Reader, programId: string, name: string): Promise<LandingPage | undefined> =>
    (
      await reader
        .select(shown)
        .from(landingPages)
        .where(and(present(programId), eq(sql`lower(${landingPages.name})`, name.trim().toLowerCase())))
    )[0]
  const named: LandingPages['named'] = async (reader, programId, name) => {
    const page = await find(reader, programId, name)
    if (!page) throw unknownPage(name)
    return page
  }
  const ofProgram: LandingPages['assignments'] = (reader, programId) =>
    reader
      .select({ kind: assignments.kind, subject: assignments.subject, pageId: assignments.pageId })
      .from(assignments)
      .where(eq(assignments.programId, programId))
      .orderBy(asc(assignments.kind), asc(assignments.subject))
  const isPage = (programId: string, id: string) => and(eq(landingPages.programId, programId), eq(landingPages.id, id))

  return {
    list,
    named,
    assignments: ofProgram,
    landing: async (reader, programId) => {
      const [pages, assigned] = await Promise.all([list(reader, programId), ofProgram(reader, programId)])
      return {
        pages: new Map(pages.map((page) => [page.id, page])),
        assigned: new Map(assigned.map(({ kind, subject, pageId }) => [assignmentKey(kind, subject), pageId])),
      }
    },
    linkCounts: async (reader, programId) => {
      const rows = await reader
        .select({ pageId: links.landingPageId, links: count() })
        .from(links)
        .where(and(eq(links.programId, programId), sql`${links.landingPageId} is not null`))
        .groupBy(links.landingPageId)
      return new Map(rows.map((row) => [row.pageId!, row.links]))
    },
    add: async (tx, programId, wish) => {
      const page = {
        id: newId(clock.now()),
        name: checkedName(wish.name),
        address: checkedAddress(wish.address, await settings.of(tx, programId)),
        offered: wish.offered,
      }
      const added = await tx
        .insert(landingPages)
        .values({ ...page, programId, createdAt: clock.now() })
        .onConflictDoNothing()
        .returning({ id: landingPages.id })
      if (added.length === 0) throw takenName(page.name)
      return page
    },
    edit: async (tx, programId, name, change) => {
      const page = await named(tx, programId, name)
      const edited: LandingPage = {
        id: page.id,
        name: change.name === undefined ? page.name : checkedName(change.name),
        address: change.address === undefined ? page.address : checkedAddress(change.address, await settings.of(tx, programId)),
        offered: change.offered ?? page.offered,
      }
      const holder = await find(tx, programId, edited.name)
      if (holder && holder.id !== page.id) throw takenName(edited.name)
      await tx.update(landingPages).set(edited).where(isPage(programId, page.id))
      return edited
    },
    remove: async (tx, programId, name) => {
      const page = await named(tx, programId, name)
      const [own] = await tx
        .select({ links: count() })
        .from(links)
        .where(and(eq(links.programId, programId), eq(links.landingPageId, page.id)))
      const ended = await tx
        .delete(assignments)
        .where(and(eq(assignments.programId, programId), eq(assignments.pageId, page.id)))
        .returning({ subject: assignments.subject })
      await tx.update(landingPages).set({ removedAt: clock.now() }).where(isPage(programId, page.id))
      return { page, links: own!.links, assigned: ended.length }
    },
    assign: async (tx, programId, name, to) => {
      const page = await named(tx, programId, name)
      const assignedAt = clock.now()
      await tx
        .insert(assignments)
        .values({ programId, kind: to.kind, subject: folded(to), pageId: page.id, assignedAt })
        .onConflictDoUpdate({
          target: [assignments.programId, assignments.kind, assignments.subject],
          set: { pageId: page.id, assignedAt },
        })
      return page
    },
    unassign: async (tx, programId, from) =>
      (await tx.delete(assignments).where(isSubject(programId, from)).returning({ subject: assignments.subject })).length > 0,
  }
}

export function unknownPage(name: string): UserError {
  return new UserError(
    'unknown_page',
    `There is no landing page “${name.trim()}”. Choose one from the list that appears while you type.`,
  )
}

function takenName(name: string): UserError {
  return new UserError(
    'name_taken',
    `There is a landing page “${name}” already. Change it with \`/admin-links landing edit\`, or choose another name.`,
  )
}
