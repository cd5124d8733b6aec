// Coupon codes: making, assigning, pausing, and finding whom a code speaks for. Knows no Discord and no shop.
import { and, asc, count, desc, eq, ilike } from 'drizzle-orm'
import { type Clock, newId, type Reader, type Settings, type Tx, UserError } from '../kit/index.ts'
import type { Partner } from '../partners/public.ts'
import { chosenCode, fold, isCode, newCode } from './codes.ts'
import type { Config } from './config.ts'
import { coupons } from './tables.ts'

export type Coupon = typeof coupons.$inferSelect

export interface CouponService {
  /** A code that the partner makes for themselves. @throws UserError when the code is taken, reserved or malformed, or the partner has enough */
  create(tx: Tx, partner: Partner, code: string | undefined): Promise<Coupon>
  /** Gives the partner the code; `made` is false when it was theirs already. @throws UserError when it is another partner's, reserved or malformed */
  assign(tx: Tx, partner: Partner, code: string, actor: string): Promise<{ coupon: Coupon; made: boolean }>
  /** Pauses or resumes the code; `changed` is false when it was so already. @throws UserError for a code that does not exist */
  setPaused(tx: Tx, programId: string, code: string, paused: boolean): Promise<{ coupon: Coupon; changed: boolean }>
  /** The partner's codes, newest first. */
  ofPartner(reader: Reader, programId: string, partnerId: string): Promise<Coupon[]>
  /** Codes that begin with the text, for suggestions. */
  beginningWith(reader: Reader, programId: string, text: string): Promise<Coupon[]>
  /** The coupon that was typed into a payment made at `paidAt`, in any case; undefined when it does not exist or was paused at that time. */
  usedAt(reader: Reader, programId: string, code: string, paidAt: Date): Promise<Coupon | undefined>
}

export function createCouponService({ clock, settings }: { clock: Clock; settings: Settings<Config> }): CouponService {
  const named = (programId: string, code: string) => and(eq(coupons.programId, programId), eq(coupons.folded, fold(code.trim())))
  const find = async (reader: Reader, programId: string, code: string): Promise<Coupon | undefined> =>
    (await reader.select().from(coupons).where(named(programId, code)))[0]
  const ofPartner: CouponService['ofPartner'] = (reader, programId, partnerId) =>
    reader
      .select()
      .from(coupons)
      .where(and(eq(coupons.programId, programId), eq(coupons.partnerId, partnerId)))
      .orderBy(desc(coupons.createdAt), desc(coupons.id))

  /** Undefined when the code, or one that looks like it, exists: decided by the unique key, so two at the same moment cannot both win. */
  async function insert(tx: Tx, partner: Partner, code: string, createdBy: string): Promise<Coupon | undefined> {
    const now = clock.now()
    const [row] = await tx
      .insert(coupons)
      .values({
        id: newId(now),
        programId: partner.programId,
        partnerId: partner.id,
        userId: partner.userId,
        code,
        folded: fold(code),
        createdBy,
        createdAt: now,
      })
      .onConflictDoNothing()
      .returning()
    return row
  }

  async function insertFresh(tx: Tx, partner: Partner): Promise<Coupon> {
    for (let tries = 0; tries < 10; tries++) {
      const made = await insert(tx, partner, newCode(), partner.userId)
      if (made) return made
    }
    throw new Error('ten random codes in a row were taken')
  }

  return {
    ofPartner,
    create: async (tx, partner, wanted) => {
      const { maxCoupons } = await settings.of(tx, partner.programId)
      const [own] = await tx
        .select({ coupons: count() })
        .from(coupons)
        .where(and(eq(coupons.programId, partner.programId), eq(coupons.partnerId, partner.id)))
      if (own!.coupons >= maxCoupons) throw enough(maxCoupons)
      if (wanted === undefined) return insertFresh(tx, partner)
      const code = chosenCode(wanted)
      const made = await insert(tx, partner, code, partner.userId)
      if (!made) throw taken(code)
      return made
    },
    assign: async (tx, partner, wanted, actor) => {
      const code = chosenCode(wanted)
      const made = await insert(tx, partner, code, actor)
      if (made) return { coupon: made, made: true }
      const existing = (await find(tx, partner.programId, code))!
      if (existing.partnerId === partner.id) return { coupon: existing, made: false }
      throw new UserError(
        'code_taken',
        `The code \`${existing.code}\` speaks for <@${existing.userId}>. Sales it brought stay theirs, so it cannot move: pause it with \`/admin coupons pause\`, and choose another code.`,
      )
    },
    setPaused: async (tx, programId, code, paused) => {
      const [coupon] = await tx.select().from(coupons).where(named(programId, code)).for('update')
      if (!coupon)
        throw new UserError(
          'unknown_code',
          `There is no coupon “${code.trim()}” here. Choose one from the list that appears while you type.`,
        )
      const { pausedAt, earlierPauses } = coupon
      if ((pausedAt !== null) === paused) return { coupon, changed: false }
      const now = clock.now()
      const over = pausedAt ? [{ from: pausedAt.toISOString(), to: now.toISOString() }] : []
      const [changed] = await tx
        .update(coupons)
        .set({ pausedAt: paused ? now : null, earlierPauses: [...earlierPauses, ...over] })
        .where(and(eq(coupons.programId, programId), eq(coupons.id, coupon.id)))
        .returning()
      return { coupon: changed!, changed: true }
    },
    beginningWith: (reader, programId, text) =>
      reader
        .select()
        .from(coupons)
        .where(and(eq(coupons.programId, programId), ilike(coupons.code, `${text.trim().replace(/[\\%_]/g, '\\$&')}%`)))
        .orderBy(asc(coupons.code))
        .limit(25),
    usedAt: async (reader, programId, typed, paidAt) => {
      const code = typed.trim()
      const coupon = isCode(code) ? await find(reader, programId, code) : undefined
      // Look-alikes are kept from existing, yet a checkout knows codes to the letter: another one is another coupon.
      if (!coupon || coupon.code.toLowerCase() !== code.toLowerCase()) return undefined
      return wasPaused(coupon, paidAt) ? undefined : coupon
    },
  }
}

function wasPaused({ pausedAt, earlierPauses }: Coupon, at: Date): boolean {
  if (pausedAt && pausedAt <= at) return true
  return earlierPauses.some(({ from, to }) => new Date(from) <= at && at < new Date(to))
}

function enough(max: number): UserError {
  return new UserError(
    'too_many_coupons',
    max === 0
      ? 'In this program the team hands out the codes. Ask them for one.'
      : `You have ${max === 1 ? 'a code' : `${max} codes`} already, and that is the most. \`/coupon list\` shows what you have; ask the team if you need another.`,
  )
}

function taken(code: string): UserError {
  return new UserError(
    'code_taken',
    `The code “${code}” (or one that looks like it) is taken. How about \`${code.slice(0, 15)}-${newCode().slice(0, 4)}\`? Without a code you get a free one.`,
  )
}
