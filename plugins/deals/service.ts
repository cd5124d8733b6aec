// The rules of deals: who registers a prospect first is protected for a time, staff decide, and a won deal is a sale. Amounts in minor units.
import { and, asc, count, desc, eq, gte, inArray, isNotNull, lt, lte, or } from 'drizzle-orm'
import type { Attribution, CanonicalPayment, Sale, Touch, TouchSource } from '../attribution/public.ts'
import { staffChannel } from '../channels/public.ts'
import {
  amongTexts,
  type Clock,
  type Db,
  type DiscordEffects,
  days,
  type Emit,
  newId,
  type Reader,
  refuseOwn,
  type Settings,
  type Tx,
  UserError,
} from '../kit/index.ts'
import type { Notifications } from '../notifications/public.ts'
import type { Partner } from '../partners/public.ts'
import type { Config } from './config.ts'
import { after, type Step } from './decide.ts'
import { dealAccepted, dealLost, dealSubmitted, dealWon } from './events.ts'
import { outcomeMessage, reviewCard } from './messages.ts'
import { type Money, type Prospect, readMoney, readNotes, readProspect, type Typed } from './prospect.ts'
import { claims, type Deal, type DealPage, type DealStatus, deals, drafts } from './tables.ts'

/** `refused` comes with the reason; what was typed is kept for the next try. */
export type Outcome = { readonly kind: 'saved'; readonly deal: Deal } | { readonly kind: 'refused'; readonly refusal: UserError }

/** Of whom and how far; each part narrows. */
export interface DealFilter {
  readonly partnerId?: string
  readonly status?: DealStatus
}

export interface DealService {
  /** Registers a prospect for the partner. Of two partners at the same moment, one is refused. */
  submit(partner: Partner, typed: Typed): Promise<Outcome>
  /** Changes what the partner expects of an open deal of theirs, or gives it up. @throws UserError when there is no such deal, or it is over */
  update(partner: Partner, dealId: string, typed: Pick<Typed, 'value' | 'currency' | 'notes'> & { lost: boolean }): Promise<Outcome>
  /** What was typed into the form that was refused last; `form` is `submit` or a deal's id. */
  draft(reader: Reader, programId: string, userId: string, form: string): Promise<Partial<Typed> | undefined>
  /** @throws UserError unless the program (and partner) has this deal */
  get(reader: Reader, programId: string, dealId: string, partnerId?: string): Promise<Deal>
  /** Newest first. */
  list(reader: Reader, programId: string, filter: DealFilter, page: { limit: number; offset: number }): Promise<DealPage>
  /** @throws UserError unless it waits for review, and when it is the actor’s own */
  accept(tx: Tx, programId: string, dealId: string, actor: string): Promise<Deal>
  /** @throws UserError unless it waits for review, when it is the actor’s own, and without a reason */
  reject(tx: Tx, programId: string, dealId: string, reason: string, actor: string): Promise<Deal>
  /** Records the sale, once: a deal that is won stays won. `credited` is the partner whose sale it became. @throws UserError unless it is accepted, and when it is the actor’s own */
  win(tx: Tx, programId: string, dealId: string, money: Money, actor: string): Promise<{ deal: Deal; credited: string | null }>
  /** The locked deal is won with a sale that a provider reported. @throws UserError unless it is accepted */
  winWith(tx: Tx, deal: Deal, sale: Sale): Promise<Deal>
  /** @throws UserError unless it is open */
  lose(tx: Tx, programId: string, dealId: string, reason: string | null): Promise<Deal>
  /**
   * The deal that a payment names, unless it was over by then, and accepted deals whose contact pays while they are protected. Such a touch is dated at the
   * payment: what limits it is the protection, not the time since the deal was registered. A payment before that is dated at the registration, and so comes
   * too early.
   */
  readonly touches: TouchSource
  /** Ends the protection of what is due, and returns how many deals that were. */
  expireDue(programId: string): Promise<number>
  /** Deletes contacts and notes of deals that have been over for a while, and old drafts. */
  forget(programId: string): Promise<void>
}

const draftsKeptMs = days(7)
const open = ['submitted', 'accepted'] as const
const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i

export function createDealService(ports: {
  db: Db
  clock: Clock
  emit: Emit
  settings: Settings<Config>
  discord: DiscordEffects
  attribution: Attribution
  notifications: Notifications
}): DealService {
  const { db, clock, emit, settings, discord, attribution, notifications } = ports

  const find = async (reader: Reader, programId: string, dealId: string): Promise<Deal | undefined> => {
    if (!uuid.test(dealId)) return undefined
    const [deal] = await reader
      .select()
      .from(deals)
      .where(and(eq(deals.programId, programId), eq(deals.id, dealId)))
    return deal
  }

  const get: DealService['get'] = async (reader, programId, dealId, partnerId) => {
    const deal = await find(reader, programId, dealId.trim())
    if (!deal || (partnerId !== undefined && deal.partnerId !== partnerId))
      throw new UserError('unknown_deal', 'There is no such deal. Choose one from the list that appears while you type.')
    return deal
  }

  async function locked(tx: Tx, programId: string, dealId: string, partnerId?: string): Promise<Deal> {
    const { id } = await get(tx, programId, dealId, partnerId)
    const [deal] = await tx
      .select()
      .from(deals)
      .where(and(eq(deals.programId, programId), eq(deals.id, id)))
      .for('update')
    return deal!
  }

  /** The locked deal, for somebody who decides about it. @throws UserError when it is their own */
  async function lockedOfOther(tx: Tx, programId: string, dealId: string, actor: string): Promise<Deal> {
    const deal = await locked(tx, programId, dealId)
    refuseOwn('deal', deal.userId, actor)
    return deal
  }

  /** Runs the work; a refusal rolls it back and keeps what was typed. */
  async function keepingInput(
    partner: Partner,
    form: string,
    typed: Partial<Typed>,
    work: (tx: Tx) => Promise<Deal>,
  ): Promise<Outcome> {
    const { programId, userId } = partner
    const own = and(eq(drafts.programId, programId), eq(drafts.userId, userId), eq(drafts.form, form))
    try {
      const deal = await db.transaction(async (tx) => {
        const done = await work(tx)
        await tx.delete(drafts).where(own)
        return done
      })
      return { kind: 'saved', deal }
    } catch (refusal) {
      if (!(refusal instanceof UserError)) throw refusal
      const kept = { typed, updatedAt: clock.now() }
      await db
        .insert(drafts)
        .values({ programId, userId, form, ...kept })
        .onConflictDoUpdate({ target: [drafts.programId, drafts.userId, drafts.form], set: kept })
      return { kind: 'refused', refusal }
    }
  }

  async function register(tx: Tx, partner: Partner, prospect: Prospect): Promise<Deal> {
    const { programId, id: partnerId, userId } = partner
    const { protectionDays, maxOpenDeals } = await settings.of(tx, programId)
    const emailHash = attribution.hashEmail(prospect.email)
    if (emailHash === attribution.hashEmail(partner.email))
      throw new UserError(
        'own_email',
        'That is your own address. Register the person who would buy, at the company that would buy.',
      )
    const [own] = await tx
      .select({ deals: count() })
      .from(deals)
      .where(and(eq(deals.programId, programId), eq(deals.partnerId, partnerId), inArray(deals.status, open)))
    if (own!.deals >= maxOpenDeals)
      throw new UserError(
        'too_many_deals',
        `You have ${own!.deals} open deals, and ${maxOpenDeals} is the most. Close what will not happen with \`/deal update\`, then register this one.`,
      )
    const now = clock.now()
    const [deal] = await tx
      .insert(deals)
      .values({
        id: newId(now),
        programId,
        partnerId,
        userId,
        company: prospect.company,
        contactEmail: prospect.email,
        emailHash,
        domain: prospect.domain,
        expected: prospect.amount,
        currency: prospect.currency,
        notes: prospect.notes,
        status: 'submitted',
        submittedAt: now,
        protectedUntil: new Date(now.getTime() + days(protectionDays)),
      })
      .returning()
    await protect(tx, deal!, prospect)
    await emit(tx, dealSubmitted, { ...partiesOf(deal!), expected: deal!.expected, currency: deal!.currency })
    await showStaff(tx, deal!)
    return deal!
  }

  /**
   * Claims everything that tells who the prospect is. The primary key decides between two partners at the same moment; all claim in the same order, so
   * neither can wait for the other. @throws UserError when any of it is protected for a deal
   */
  async function protect(tx: Tx, deal: Deal, { companyKey, domain }: Prospect): Promise<void> {
    const { programId, id: dealId, emailHash, protectedUntil: until } = deal
    const wanted = [
      { kind: 'company' as const, value: companyKey },
      ...(domain === null ? [] : [{ kind: 'domain' as const, value: domain }]),
      { kind: 'email' as const, value: emailHash },
    ]
    for (const key of wanted) {
      const claimed = await tx
        .insert(claims)
        .values({ programId, ...key, dealId, until })
        .onConflictDoUpdate({
          target: [claims.programId, claims.kind, claims.value],
          set: { dealId, until },
          setWhere: lte(claims.until, clock.now()),
        })
        .returning({ kind: claims.kind })
      if (claimed.length === 0) throw await takenBy(tx, deal, key)
    }
  }

  async function takenBy(tx: Tx, { programId, partnerId }: Deal, key: { kind: string; value: string }): Promise<UserError> {
    const [holder] = await tx
      .select({ partnerId: deals.partnerId, company: deals.company })
      .from(claims)
      .innerJoin(deals, and(eq(deals.programId, claims.programId), eq(deals.id, claims.dealId)))
      .where(and(eq(claims.programId, programId), eq(claims.kind, key.kind as 'company'), eq(claims.value, key.value)))
    if (holder?.partnerId === partnerId)
      return new UserError(
        'already_yours',
        `You have registered this prospect already, as “${holder.company}”, and it is protected for you. \`/deal list\` shows it; \`/deal update\` changes it.`,
      )
    return new UserError(
      'prospect_taken',
      'Another partner was faster: this prospect is registered and protected for them at present, so it cannot be registered a second time. If you think that it is another company, or were in touch long before, tell the team; they can look into it.',
    )
  }

  /** One card per deal in the staff channel, which always shows how far it is. */
  const showStaff = (tx: Tx, deal: Deal): Promise<void> =>
    discord.post(tx, {
      programId: deal.programId,
      key: `deals.review:${deal.id}`,
      channel: staffChannel,
      message: reviewCard(deal),
    })

  const tell = (tx: Tx, deal: Deal): Promise<void> =>
    notifications.tell(tx, {
      programId: deal.programId,
      key: `deals.${deal.status}:${deal.id}`,
      userId: deal.userId,
      message: outcomeMessage(deal),
    })

  /** Moves the deal on, frees the prospect when nothing came of it, and shows the staff. */
  async function move(tx: Tx, deal: Deal, step: Exclude<Step, 'update'>, change: Partial<Deal> = {}): Promise<Deal> {
    const status = after(step, deal.status)
    const now = clock.now()
    const times = status === 'accepted' ? { acceptedAt: now } : { closedAt: now }
    const [moved] = await tx
      .update(deals)
      .set({ status, ...times, ...change })
      .where(and(eq(deals.programId, deal.programId), eq(deals.id, deal.id)))
      .returning()
    if (status !== 'accepted' && status !== 'won')
      await tx.delete(claims).where(and(eq(claims.programId, deal.programId), eq(claims.dealId, deal.id)))
    await showStaff(tx, moved!)
    return moved!
  }

  async function giveUp(tx: Tx, deal: Deal, change: Partial<Deal>): Promise<Deal> {
    const lost = await move(tx, deal, 'lose', change)
    await emit(tx, dealLost, { ...partiesOf(lost), reason: lost.reason })
    return lost
  }

  const win: DealService['win'] = async (tx, programId, dealId, { amount, currency }, actor) => {
    const deal = await lockedOfOther(tx, programId, dealId, actor)
    after('win', deal.status)
    const { saleId } = await attribution.recordPayment(tx, { ...handPayment(deal, { amount, currency }), paidAt: clock.now() })
    const sale = (await attribution.sale(tx, programId, saleId))!
    return { deal: await winWith(tx, deal, sale), credited: sale.partnerId }
  }

  const winWith: DealService['winWith'] = async (tx, deal, { id: saleId, gross: amount, currency, partnerId: credited }) => {
    const won = await move(tx, deal, 'win', { wonAmount: amount, wonCurrency: currency, saleId })
    await emit(tx, dealWon, { ...partiesOf(won), saleId, amount, currency })
    if (credited === won.partnerId) await tell(tx, won)
    return won
  }

  /** Accepted deals with this contact that were protected at the time, whatever became of them since. */
  async function protectedFor(reader: Reader, programId: string, emailHash: string | undefined, at: Date): Promise<Deal[]> {
    if (emailHash === undefined) return []
    return reader
      .select()
      .from(deals)
      .where(
        and(
          eq(deals.programId, programId),
          eq(deals.emailHash, emailHash),
          isNotNull(deals.acceptedAt),
          gte(deals.protectedUntil, at),
          or(inArray(deals.status, ['accepted', 'won']), gte(deals.closedAt, at)),
        ),
      )
      .orderBy(desc(deals.submittedAt))
      .limit(10)
  }

  /** Which of the hashed addresses are contacts of a deal that was accepted. */
  async function hashesWithDeals(reader: Reader, programId: string, hashes: readonly string[]): Promise<ReadonlySet<string>> {
    if (hashes.length === 0) return new Set()
    const rows = await reader
      .selectDistinct({ hash: deals.emailHash })
      .from(deals)
      .where(and(eq(deals.programId, programId), isNotNull(deals.acceptedAt), amongTexts(deals.emailHash, hashes)))
    return new Set(rows.flatMap(({ hash }) => hash ?? []))
  }

  const findTouches = async (
    ...[reader, programId, hints, customer, paidAt]: Parameters<TouchSource['find']>
  ): Promise<Touch[]> => {
    const named = hints.deal === undefined ? undefined : await find(reader, programId, hints.deal)
    const speaking =
      named && speaksWhenNamed(named, paidAt) ? [named] : await protectedFor(reader, programId, customer.emailHash, paidAt)
    return speaking.map(({ id, partnerId, submittedAt }) => {
      const at = new Date(Math.max(submittedAt.getTime(), paidAt.getTime()))
      return { kind: 'deal', partnerId, at, reference: id }
    })
  }

  return {
    get,
    submit: (partner, typed) => keepingInput(partner, 'submit', typed, (tx) => register(tx, partner, readProspect(typed))),
    update: async (partner, dealId, { lost, ...typed }) => {
      const { id } = await get(db, partner.programId, dealId, partner.id)
      return keepingInput(partner, id, typed, async (tx) => {
        const deal = await locked(tx, partner.programId, id, partner.id)
        after('update', deal.status)
        const money = readMoney(typed.value, typed.currency)
        const change = { expected: money.amount, currency: money.currency, notes: readNotes(typed.notes) }
        if (lost) return giveUp(tx, deal, change)
        const [changed] = await tx
          .update(deals)
          .set(change)
          .where(and(eq(deals.programId, deal.programId), eq(deals.id, id)))
          .returning()
        await showStaff(tx, changed!)
        return changed!
      })
    },
    draft: async (reader, programId, userId, form) =>
      (
        await reader
          .select({ typed: drafts.typed })
          .from(drafts)
          .where(and(eq(drafts.programId, programId), eq(drafts.userId, userId), eq(drafts.form, form)))
      )[0]?.typed,
    list: async (reader, programId, { partnerId, status }, { limit, offset }) => {
      const wanted = and(
        eq(deals.programId, programId),
        partnerId === undefined ? undefined : eq(deals.partnerId, partnerId),
        status === undefined ? undefined : eq(deals.status, status),
      )
      const [all] = await reader.select({ total: count() }).from(deals).where(wanted)
      const rows = await reader
        .select()
        .from(deals)
        .where(wanted)
        .orderBy(desc(deals.submittedAt), desc(deals.id))
        .limit(limit)
        .offset(offset)
      return { total: all!.total, deals: rows }
    },
    accept: async (tx, programId, dealId, actor) => {
      const accepted = await move(tx, await lockedOfOther(tx, programId, dealId, actor), 'accept')
      await emit(tx, dealAccepted, partiesOf(accepted))
      await tell(tx, accepted)
      return accepted
    },
    reject: async (tx, programId, dealId, typed, actor) => {
      const reason = typed.trim().slice(0, 500)
      if (reason === '') throw new UserError('no_reason', 'Say in a sentence why, so that the partner can learn from it.')
      const rejected = await move(tx, await lockedOfOther(tx, programId, dealId, actor), 'reject', { reason })
      await tell(tx, rejected)
      return rejected
    },
    win,
    winWith,
    lose: async (tx, programId, dealId, typed) => {
      const reason = typed?.trim().slice(0, 500) || null
      const lost = await giveUp(tx, await locked(tx, programId, dealId), { reason })
      await tell(tx, lost)
      return lost
    },
    touches: {
      kind: 'deal',
      find: findTouches,
      findAll: async (reader, programId, asked) => {
        const known = await hashesWithDeals(
          reader,
          programId,
          asked.flatMap(({ customer }) => customer.emailHash ?? []),
        )
        const found: Touch[][] = []
        for (const { hints, customer, paidAt } of asked)
          found.push(
            hints.deal !== undefined || known.has(customer.emailHash ?? '')
              ? await findTouches(reader, programId, hints, customer, paidAt)
              : [],
          )
        return found
      },
    },
    expireDue: (programId) =>
      db.transaction(async (tx) => {
        const due = await tx
          .select()
          .from(deals)
          .where(and(eq(deals.programId, programId), inArray(deals.status, open), lte(deals.protectedUntil, clock.now())))
          .orderBy(asc(deals.protectedUntil))
          .limit(200)
          .for('update', { skipLocked: true })
        for (const deal of due) await tell(tx, await move(tx, deal, 'expire'))
        return due.length
      }),
    forget: async (programId) => {
      const { contactDays } = await settings.of(db, programId)
      const ago = (ms: number) => new Date(clock.now().getTime() - ms)
      await db
        .update(deals)
        .set({ contactEmail: null, notes: '' })
        .where(and(eq(deals.programId, programId), isNotNull(deals.contactEmail), lte(deals.closedAt, ago(days(contactDays)))))
      await db.delete(drafts).where(and(eq(drafts.programId, programId), lt(drafts.updatedAt, ago(draftsKeptMs))))
    },
  }
}

/** It was accepted, and was not lost or expired yet when the payment was made; a deal that is won may be paid in parts at any time. */
const speaksWhenNamed = ({ acceptedAt, status, closedAt }: Deal, paidAt: Date): boolean =>
  acceptedAt !== null && (status === 'accepted' || status === 'won' || (closedAt !== null && closedAt >= paidAt))

const partiesOf = ({ programId, id: dealId, partnerId }: Deal) => ({ programId, dealId, partnerId })

/** Stands in for a payment provider where an admin records a deal's money. */
export const byHand = 'deal'

/** The money of a won deal as an admin recorded it; `paidAt` counts when it is recorded first. */
export function handPayment(deal: Deal, { amount, currency }: Money): CanonicalPayment {
  return {
    programId: deal.programId,
    provider: byHand,
    paymentKey: deal.id,
    gross: amount,
    tax: 0n,
    shipping: 0n,
    currency,
    refunded: 0n,
    dispute: 'none',
    customer: { key: deal.id, emailHash: deal.emailHash, country: undefined },
    hints: { deal: deal.id },
    product: undefined,
    paidAt: deal.closedAt ?? deal.submittedAt,
  }
}
