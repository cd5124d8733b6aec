// Where partners are paid through PayPal: receivers with an address that is given once, and the signed links to the page where it is given.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { and, eq, isNull } from 'drizzle-orm'
import { z } from 'zod'
import { type Clock, type Db, days, newId, type Reader, type Tx, UserError } from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import { receivers } from './tables.ts'

export type Receiver = typeof receivers.$inferSelect

/** What a link to the page stands for. The two addresses are where the partner goes on: when done, and for another receiver. */
export interface PageLink {
  readonly programId: string
  readonly receiverId: string
  readonly returnUrl: string
  readonly refreshUrl: string
}

export interface Receivers {
  /** The partner's receiver with this id unless they want another one; else a new one without an address. */
  openFor(who: { programId: string; partnerId: string }, known: string | undefined): Promise<Receiver>
  find(reader: Reader, programId: string, receiverId: string): Promise<Receiver | undefined>
  /** The receiver with this id, whatever its program. */
  byId(reader: Reader, receiverId: string): Promise<Receiver | undefined>
  /** The programs of which partners are paid through PayPal, or chose to be. */
  programs(reader: Reader): Promise<string[]>
  /** Keeps the address; an address that was given before stays. @throws UserError for what is no address, or not the same twice */
  give(receiver: Receiver, email: string, again: string): Promise<void>
  /** The partner wants another address: the next onboarding makes a new receiver. */
  close(tx: Tx, receiver: Receiver): Promise<void>
}

const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i

export function createReceivers({ db, clock, partners }: { db: Db; clock: Clock; partners: Partners }): Receivers {
  const byId: Receivers['byId'] = async (reader, receiverId) =>
    uuid.test(receiverId) ? (await reader.select().from(receivers).where(eq(receivers.id, receiverId)))[0] : undefined
  const find: Receivers['find'] = async (reader, programId, receiverId) => {
    const receiver = await byId(reader, receiverId)
    return receiver?.programId === programId ? receiver : undefined
  }
  return {
    byId,
    find,
    programs: async (reader) =>
      (await reader.selectDistinct({ programId: receivers.programId }).from(receivers)).map(({ programId }) => programId),
    openFor: async ({ programId, partnerId }, known) => {
      const present = known === undefined ? undefined : await find(db, programId, known)
      if (present?.partnerId === partnerId && !present.closedAt) return present
      const partner = await partners.byId(db, programId, partnerId)
      if (!partner) throw new Error(`There is no partner ${partnerId}`)
      const [made] = await db
        .insert(receivers)
        .values({ id: newId(clock.now()), programId, partnerId, userId: partner.userId, createdAt: clock.now() })
        .returning()
      return made!
    },
    give: async ({ id, programId }, typed, again) => {
      const email = readAddress(typed)
      if (email.toLowerCase() !== readAddress(again).toLowerCase())
        throw new UserError('not_the_same', 'The two addresses are not the same. Please check them for typing errors.')
      await db
        .update(receivers)
        .set({ email, givenAt: clock.now() })
        .where(and(eq(receivers.programId, programId), eq(receivers.id, id), isNull(receivers.givenAt)))
    },
    close: async (tx, { id, programId }) => {
      await tx
        .update(receivers)
        .set({ closedAt: clock.now() })
        .where(and(eq(receivers.programId, programId), eq(receivers.id, id), isNull(receivers.closedAt)))
    },
  }
}

/** Whether money can be sent there. */
export const isReady = (receiver: Receiver | undefined): receiver is Receiver & { email: string } =>
  receiver?.email != null && receiver.closedAt === null

/** What payouts is told of a receiver to whom nothing can be sent. */
export const notReady = { ready: false, missing: 'your PayPal address' } as const

/** RFC 5321 §4.5.3.1: at most 64 octets before @ and 254 in all. */
function readAddress(typed: string): string {
  const email = typed.trim()
  if (email.length > 254 || email.lastIndexOf('@') > 64 || !z.email().safeParse(email).success)
    throw new UserError('bad_address', 'That does not look like an e-mail address. It should look like you@example.com.')
  return email
}

export interface PageLinks {
  seal(link: PageLink): string
  /** Undefined for a link that was changed, or has run out. */
  open(text: string): PageLink | undefined
}

const linkLifetimeMs = days(1)
const sealed = z.object({
  programId: z.uuid(),
  receiverId: z.uuid(),
  returnUrl: z.url(),
  refreshUrl: z.url(),
  until: z.number(),
})

/**
 * Links carry everything in themselves, signed, because they contain links of others that are secrets: kept in the database, those would be there for
 * whoever can read it.
 */
export function createPageLinks({ clock, key }: { clock: Clock; key: Buffer }): PageLinks {
  const sign = (text: string) => createHmac('sha256', key).update(text).digest()
  return {
    seal: (link) => {
      const text = Buffer.from(JSON.stringify({ ...link, until: clock.now().getTime() + linkLifetimeMs })).toString('base64url')
      return `${text}.${sign(text).toString('base64url')}`
    },
    open: (link) => {
      const [text = '', signature = ''] = link.split('.')
      const given = Buffer.from(signature, 'base64url')
      const right = sign(text)
      if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
      const { until, ...rest } = sealed.parse(JSON.parse(Buffer.from(text, 'base64url').toString()))
      return until > clock.now().getTime() ? rest : undefined
    },
  }
}
