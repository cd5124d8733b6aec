// Payouts: composes planning, preparing and booking, and takes in what providers say. Calls no provider (send.ts and methods.ts do).
import { and, asc, desc, eq, gte, inArray, lt, lte, type SQL, sql } from 'drizzle-orm'
import type { Agreements } from '../agreements/public.ts'
import { staffChannel } from '../channels/public.ts'
import type { Commissions } from '../commissions/public.ts'
import {
  amongIds,
  type Clock,
  type Db,
  type DiscordEffects,
  type Emit,
  type Enqueue,
  lockNames,
  type Programs,
  type Reader,
  type Settings,
  type Tx,
  textArray,
} from '../kit/index.ts'
import type { Ledger } from '../ledger/public.ts'
import type { Notifications } from '../notifications/public.ts'
import { isErased, type Partner, type Partners } from '../partners/public.ts'
import { createBooks } from './books.ts'
import type { Config } from './config.ts'
import { payoutPaid, payoutReturned, payoutSent, taxFormTold } from './events.ts'
import { afterTold, type Identify, sharing } from './identity.ts'
import { checkAccount } from './jobs.ts'
import {
  cameBackErasedMessage,
  methodMovedMessage,
  methodReadyMessage,
  paidMail,
  paidMessage,
  returnedMessage,
} from './messages.ts'
import { type PayoutRow, type PayoutService, payloadOf } from './model.ts'
import { createPlanner } from './plan.ts'
import { createPreparer, retryMs } from './prepare.ts'
import type { PaidTotal, PayoutGate, PayoutProvider, Payouts, ProviderTransfer } from './public.ts'
import { earlyNews, methods, payouts } from './tables.ts'

export interface Needs {
  readonly db: Db
  readonly clock: Clock
  readonly emit: Emit
  readonly enqueue: Enqueue
  readonly settings: Settings<Config>
  readonly programs: Programs
  readonly ledger: Ledger
  readonly partners: Partners
  readonly agreements: Agreements
  readonly commissions: Commissions
  readonly notifications: Notifications
  readonly discord: DiscordEffects
  readonly identify: Identify
  /** Gates and providers of other plugins, read at each run, when every plugin has contributed. */
  readonly gates: () => readonly PayoutGate[]
  readonly providers: () => readonly PayoutProvider[]
}

const earlyNewsDays = 30
/** Accounts asked about in one round. Chance picks them, so that those that never get an answer keep no other from theirs. */
const checkedAtOnce = 200

export function createPayoutService(needs: Needs): PayoutService {
  const { db, clock, emit, enqueue, settings, programs, partners, notifications, discord, identify } = needs
  const books = createBooks(needs)
  const planner = createPlanner(needs)
  const preparer = createPreparer({ ...needs, planner, books })

  const locked = async (tx: Tx, payoutId: string): Promise<PayoutRow | undefined> =>
    (await tx.select().from(payouts).where(eq(payouts.id, payoutId)).for('update'))[0]

  async function countTry(tx: Tx, payoutId: string): Promise<PayoutRow | undefined> {
    const payout = await locked(tx, payoutId)
    if (payout?.state !== 'queued') return undefined
    await tx
      .update(payouts)
      .set({ attempts: payout.attempts + 1 })
      .where(eq(payouts.id, payoutId))
    return payout
  }

  async function wait(tx: Tx, payoutId: string, note: string, { untried = false, postponed = false } = {}): Promise<void> {
    await tx
      .update(payouts)
      .set({
        note: note.slice(0, 500),
        nextTryAt: new Date(clock.now().getTime() + retryMs),
        ...(untried && { attempts: sql`greatest(${payouts.attempts} - 1, 0)` }),
        ...(postponed && { postponed: sql`${payouts.postponed} + case when ${payouts.attempts} > 1 then 0 else 1 end` }),
      })
      .where(and(eq(payouts.id, payoutId), eq(payouts.state, 'queued')))
  }

  /** The provider's news of a transfer and our record of it may come at the same moment: whichever is second must see the first. */
  const lockTransfer = (tx: Tx, providerId: string): Promise<void> => lockNames(tx, [`payouts transfer ${providerId}`])

  async function recordSent(tx: Tx, payoutId: string, transfer: ProviderTransfer): Promise<void> {
    await lockTransfer(tx, transfer.providerId)
    const payout = await locked(tx, payoutId)
    if (payout?.state !== 'queued') return
    const change = { state: 'sent', providerId: transfer.providerId, sentAt: clock.now(), note: null } as const
    await tx.update(payouts).set(change).where(eq(payouts.id, payoutId))
    const sent: PayoutRow = { ...payout, ...change }
    await emit(tx, payoutSent, payloadOf(sent))
    const news = await tx
      .delete(earlyNews)
      .where(and(eq(earlyNews.provider, payout.provider), eq(earlyNews.providerId, transfer.providerId)))
      .returning()
    const returned = news.find(({ outcome }) => outcome === 'returned')
    if (returned || transfer.state === 'returned')
      await comeBack(tx, sent, 'returned', returned?.detail ?? 'The provider sent it back.')
    else if (news[0]) await confirmPaid(tx, sent, news[0].receivedAt)
  }

  async function recordRefused(tx: Tx, payoutId: string, message: string, forPartner: string): Promise<void> {
    const payout = await locked(tx, payoutId)
    if (payout?.state === 'queued') await comeBack(tx, payout, 'refused', message, forPartner)
  }

  const confirm: Payouts['confirm'] = async (tx, provider, providerId, outcome, detail, paidAt) => {
    await lockTransfer(tx, providerId)
    const [payout] = await tx
      .select()
      .from(payouts)
      .where(and(eq(payouts.provider, provider), eq(payouts.providerId, providerId)))
      .for('update')
    if (!payout) {
      await tx
        .insert(earlyNews)
        .values({ provider, providerId, outcome, detail: detail.slice(0, 500), receivedAt: clock.now() })
        .onConflictDoNothing()
      return false
    }
    if (outcome === 'paid' && payout.state === 'sent') await confirmPaid(tx, payout, paidAt)
    if (outcome === 'returned' && (payout.state === 'sent' || payout.state === 'paid'))
      await comeBack(tx, payout, 'returned', detail)
    return true
  }

  async function confirmPaid(tx: Tx, payout: PayoutRow, toldAt = clock.now()): Promise<void> {
    // The provider's clock may be a little ahead of ours.
    const paidAt = new Date(Math.min(toldAt.getTime(), clock.now().getTime()))
    const covered = await books.bookPaid(tx, payout, paidAt)
    await emit(tx, payoutPaid, payloadOf(payout))
    const partner = await partnerOf(tx, payout)
    const program = await programs.byId(tx, payout.programId)
    const told = { ...payout, commissions: covered, programName: program.name }
    const key = `payouts.paid:${payout.id}`
    await notifications.tell(tx, { programId: payout.programId, key, userId: partner.userId, message: paidMessage(told) })
    await notifications.mail(tx, {
      programId: payout.programId,
      key,
      to: partner.email,
      userId: partner.userId,
      ...paidMail(told, partner.name),
    })
  }

  async function comeBack(
    tx: Tx,
    payout: PayoutRow,
    state: 'returned' | 'refused',
    detail: string,
    forPartner = detail,
  ): Promise<void> {
    const note = detail.slice(0, 500)
    await books.takeBack(tx, payout, state, note)
    await emit(tx, payoutReturned, { ...payloadOf(payout), reason: note })
    const { programId, provider, destination: account } = payout
    await enqueue(tx, checkAccount, { programId, provider, account }, { programId })
    const partner = await partnerOf(tx, payout)
    if (isErased(partner)) {
      const message = cameBackErasedMessage(payout, note)
      await discord.post(tx, { programId, key: `payouts.came_back_erased:${payout.id}`, channel: staffChannel, message })
    }
    await notifications.tell(tx, {
      programId,
      key: `payouts.returned:${payout.id}`,
      userId: partner.userId,
      message: returnedMessage(payout, forPartner.slice(0, 500)),
    })
  }

  async function partnerOf(reader: Reader, { programId, partnerId }: { programId: string; partnerId: string }): Promise<Partner> {
    const partner = await partners.byId(reader, programId, partnerId)
    if (!partner) throw new Error(`The partner ${partnerId} of a payout does not exist`)
    return partner
  }

  const accountChanged: Payouts['accountChanged'] = async (tx, provider, account, { ready, missing, places = [], taxForm, at }) => {
    const known = await tx
      .select()
      .from(methods)
      .where(and(eq(methods.provider, provider), eq(methods.account, account)))
      .for('update')
    const now = clock.now()
    const asOf = toTheSecond(at ?? now)
    for (const method of known) {
      if (taxForm !== undefined) {
        const { programId, partnerId } = method
        await emit(tx, taxFormTold, { programId, partnerId, provider, at: at ?? now, form: taxForm })
      }
      if (method.toldAt && method.toldAt > asOf) continue
      const becameReady = ready && !method.ready
      // Whoever took an account over at the provider gives their own bank there: for us nothing but the places changes.
      const { moved, ...learned } = afterTold(method, places, (name) => identify(provider, name))
      await tx
        .update(methods)
        .set({
          ready,
          missing: missing.slice(0, 500),
          toldAt: asOf,
          ...learned,
          ...((becameReady || moved) && { changedAt: now }),
          ...(becameReady && { verifiedAt: now }),
        })
        .where(eq(methods.id, method.id))
      if (!becameReady && !moved) continue
      const change = { changedAt: now, coolingHours: (await settings.of(tx, method.programId)).methodCoolingHours }
      await notifications.tell(tx, {
        programId: method.programId,
        key: `payouts.method_${becameReady ? 'ready' : 'moved'}:${method.id}:${now.toISOString()}`,
        userId: (await partnerOf(tx, method)).userId,
        message: becameReady ? methodReadyMessage(change) : methodMovedMessage(change),
      })
    }
    return known.length > 0
  }

  return {
    ...preparer,
    plan: planner.plan,
    countTry,
    wait,
    recordSent,
    recordRefused,
    confirm,
    accountChanged,
    sharing,
    newest: (reader, programId, limit, partnerId) =>
      reader
        .select()
        .from(payouts)
        .where(and(eq(payouts.programId, programId), partnerId ? eq(payouts.partnerId, partnerId) : undefined))
        .orderBy(desc(payouts.preparedAt), desc(payouts.id))
        .limit(limit),
    cancellable: (reader, programId, limit) =>
      reader
        .select()
        .from(payouts)
        .where(
          and(eq(payouts.programId, programId), inArray(payouts.state, ['awaiting_approval', 'queued']), eq(payouts.attempts, 0)),
        )
        .orderBy(asc(payouts.preparedAt), asc(payouts.id))
        .limit(limit),
    paidBetween: async (reader, programId, { from, to }, partnerIds) =>
      partnerIds?.length === 0
        ? []
        : totals(
            reader,
            programId,
            and(
              eq(payouts.state, 'paid'),
              gte(payouts.settledAt, from),
              lt(payouts.settledAt, to),
              partnerIds && amongIds(payouts.partnerId, partnerIds),
            ),
          ),
    cameBackBetween: (reader, programId, { from, to }) =>
      totals(
        reader,
        programId,
        and(eq(payouts.state, 'returned'), gte(payouts.settledAt, from), lt(payouts.settledAt, to), lt(payouts.paidAt, from)),
      ),
    onTheWay: async (reader, programId, partnerIds) =>
      partnerIds.length === 0
        ? []
        : (
            await reader
              .select()
              .from(payouts)
              .where(
                and(
                  eq(payouts.programId, programId),
                  inArray(payouts.state, ['awaiting_approval', 'queued', 'sent']),
                  amongIds(payouts.partnerId, partnerIds),
                ),
              )
              .orderBy(asc(payouts.id))
          ).map(({ id: payoutId, partnerId, currency, amount, state }) => ({
            payoutId,
            partnerId,
            currency,
            amount,
            sent: state === 'sent',
          })),
    unconfirmed: async (reader, programId, provider, sentBefore, limit) => {
      const rows = await reader
        .select({ providerId: payouts.providerId })
        .from(payouts)
        .where(
          and(
            eq(payouts.programId, programId),
            eq(payouts.state, 'sent'),
            eq(payouts.provider, provider),
            lte(payouts.sentAt, sentBefore),
          ),
        )
        .orderBy(asc(payouts.sentAt), asc(payouts.id))
        .limit(limit)
      return rows.flatMap(({ providerId }) => providerId ?? [])
    },
    programOfAccount: async (reader, provider, account) =>
      (
        await reader
          .select({ programId: methods.programId })
          .from(methods)
          .where(and(eq(methods.provider, provider), eq(methods.account, account)))
          .limit(1)
      )[0]?.programId,
    checkAgain: (providers) =>
      db.transaction(async (tx) => {
        const unheard = await tx.execute<{ programId: string; provider: string; account: string }>(sql`
          select m.program_id as "programId", m.provider, m.account from payouts_methods m
          where m.chosen and m.provider = any(${textArray(providers)}) and exists (
            select from payouts_payouts p
            where p.program_id = m.program_id and p.partner_id = m.partner_id and p.provider = m.provider and p.destination = m.account
              and p.state in ('returned', 'refused') and (m.told_at is null or m.told_at < date_trunc('second', p.settled_at)))
          order by random() limit ${checkedAtOnce}`)
        const requests = unheard.map((payload) => ({
          payload,
          programId: payload.programId,
          dedupeKey: `${payload.provider} ${payload.account}`,
        }))
        await enqueue.many(tx, checkAccount, requests)
      }),
    forgetEarlyNews: async () => {
      const before = sql`${clock.now().toISOString()}::timestamptz - make_interval(days => ${earlyNewsDays}::integer)`
      await db.delete(earlyNews).where(lte(earlyNews.receivedAt, before))
    },
  }
}

/** Providers date to the second what they tell, so what they are asked at the same moment is no newer. */
const toTheSecond = (at: Date): Date => new Date(Math.floor(at.getTime() / 1000) * 1000)

/** Sums of the payouts that the condition picks, by partner and currency. */
async function totals(reader: Reader, programId: string, condition: SQL | undefined): Promise<PaidTotal[]> {
  const rows = await reader
    .select({
      partnerId: payouts.partnerId,
      currency: payouts.currency,
      amount: sql<string>`sum(${payouts.amount})`,
      payouts: sql<number>`count(*)::integer`,
    })
    .from(payouts)
    .where(and(eq(payouts.programId, programId), condition))
    .groupBy(payouts.partnerId, payouts.currency)
    .orderBy(asc(payouts.partnerId), asc(payouts.currency))
  return rows.map((row) => ({ ...row, amount: BigInt(row.amount) }))
}
