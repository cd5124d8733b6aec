// Payouts: plans them, books them, and takes in what providers say of them. Calls no provider (send.ts and methods.ts do).
import { and, asc, desc, eq, inArray, isNull, lte, sql } from 'drizzle-orm'
import type { Agreements } from '../agreements/public.ts'
import type { Commissions } from '../commissions/public.ts'
import {
  type Clock,
  type Db,
  type Emit,
  type Enqueue,
  minutes,
  newId,
  type Programs,
  type Reader,
  type Settings,
  sum,
  type Tx,
  UserError,
} from '../kit/index.ts'
import type { AccountRef, Ledger } from '../ledger/public.ts'
import type { Notifications } from '../notifications/public.ts'
import type { Partner, Partners } from '../partners/public.ts'
import type { Config } from './config.ts'
import { closedGate, inMinorUnits } from './decide.ts'
import { payoutPaid, payoutReturned, payoutSent } from './events.ts'
import { sendPayout } from './jobs.ts'
import { methodReadyMessage, paidMail, paidMessage, returnedMessage } from './messages.ts'
import type { PayoutRow, PayoutService, PlanLine, RunResult } from './model.ts'
import type { Payouts, ProviderTransfer } from './public.ts'
import { earlyNews, items, methods, payouts, runs } from './tables.ts'

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
}

/** Payouts prepared side by side: partners do not wait for each other, and the connections last for the rest of the house. */
const preparedAtOnce = 3
const retryMs = minutes(5)
const earlyNewsDays = 30

export function createPayoutService(needs: Needs): PayoutService {
  const { db, clock, emit, enqueue, settings, programs, ledger, partners, agreements, commissions, notifications } = needs

  async function plan(reader: Reader, programId: string, partnerId?: string): Promise<PlanLine[]> {
    const config = await settings.of(reader, programId)
    const waiting = await commissions.payable(reader, programId, partnerId)
    const known = partnerId ? [await partners.byId(reader, programId, partnerId)] : await partners.list(reader, programId)
    const byId = new Map(known.flatMap((partner) => (partner ? [[partner.id, partner] as const] : [])))
    const chosen = await reader
      .select()
      .from(methods)
      .where(
        and(eq(methods.programId, programId), eq(methods.chosen, true), partnerId ? eq(methods.partnerId, partnerId) : undefined),
      )
    const methodOf = new Map(chosen.map((method) => [method.partnerId, method]))
    const debts = new Map(
      (await ledger.balances(reader, programId, partnerId))
        .filter(({ kind }) => kind === 'clawback_debt')
        .map((balance) => [`${balance.partnerId} ${balance.currency}`, balance.amount]),
    )
    const lines: PlanLine[] = []
    for (const { partnerId: id, currency, amount, count } of waiting) {
      const partner = byId.get(id)
      if (!partner) throw new Error(`The partner ${id}, who has payable commissions, does not exist`)
      const method = methodOf.get(id)
      const gate = closedGate(
        {
          amount,
          currency,
          partnerStatus: partner.status,
          agreementSigned: await agreements.hasSignedCurrent(reader, programId, id, clock.now()),
          debt: debts.get(`${id} ${currency}`) ?? 0n,
          method,
          now: clock.now(),
        },
        config,
      )
      lines.push({ partner, currency, amount, commissions: count, method, gate })
    }
    return lines
  }

  async function run(programId: string, actor: string): Promise<RunResult> {
    const lines = await plan(db, programId)
    const config = await settings.of(db, programId)
    const toPay = lines.filter(({ gate }) => !gate)
    const started = { id: newId(clock.now()), programId, actor, startedAt: clock.now() }
    const prepared: PayoutRow[] = []
    const aboveThreshold = new Set(
      [...Map.groupBy(toPay, ({ currency }) => currency)]
        .filter(([currency, group]) => sum(group.map(({ amount }) => amount)) > inMinorUnits(config.approvalAbove, currency))
        .map(([currency]) => currency),
    )
    const left = toPay.toReversed()
    const prepareNext = async (): Promise<void> => {
      for (let line = left.pop(); line; line = left.pop()) {
        const next = line
        const payout = await db.transaction((tx) => prepare(tx, next, started, aboveThreshold.has(next.currency)))
        if (payout) prepared.push(payout)
      }
    }
    await Promise.all(Array.from({ length: preparedAtOnce }, prepareNext))
    return { prepared, skipped: lines.filter(({ gate }) => gate) }
  }

  /** Books one payout; nothing when another run was faster or a gate has closed meanwhile. */
  async function prepare(
    tx: Tx,
    { partner, currency }: PlanLine,
    started: typeof runs.$inferInsert,
    needsApproval: boolean,
  ): Promise<PayoutRow | undefined> {
    const programId = partner.programId
    // This locks the partner's books: of runs at the same time, the first finds the commissions and the others find none.
    const taken = await commissions.takePayable(tx, programId, partner.id, currency)
    if (taken.length === 0) return undefined
    const line = (await plan(tx, programId, partner.id)).find((candidate) => candidate.currency === currency)
    if (!line?.method || line.gate) return undefined
    await tx.insert(runs).values(started).onConflictDoNothing()
    const now = clock.now()
    const [payout] = await tx
      .insert(payouts)
      .values({
        id: newId(now),
        programId,
        runId: started.id,
        partnerId: partner.id,
        currency,
        amount: sum(taken.map(({ due }) => due)),
        provider: line.method.provider,
        destination: line.method.account,
        state: needsApproval ? 'awaiting_approval' : 'queued',
        nextTryAt: new Date(now.getTime() + retryMs),
        preparedAt: now,
      })
      .returning()
    for (let i = 0; i < taken.length; i += 1000)
      await tx
        .insert(items)
        .values(taken.slice(i, i + 1000).map(({ id, due }) => ({ payoutId: payout!.id, commissionId: id, programId, amount: due })))
    await post(tx, payout!, 'payout_prepared', [
      ['payable', 1n],
      ['in_flight', -1n],
    ])
    await commissions.setState(tx, programId, idsOf(taken), 'in_payout', null)
    if (!needsApproval) await askToSend(tx, payout!)
    return payout!
  }

  /** A transfer over the payout's whole amount; 1 debits the account, −1 credits it. */
  async function post(
    tx: Tx,
    payout: PayoutRow,
    reason: string,
    sides: readonly (readonly [AccountRef['kind'], 1n | -1n])[],
  ): Promise<void> {
    await ledger.post(tx, {
      programId: payout.programId,
      key: `payout:${payout.id}:${reason}`,
      reason,
      subject: { type: 'payout', id: payout.id },
      entries: sides.map(([kind, side]) => ({
        account: { kind, partnerId: kind === 'cash' || kind === 'settled' ? null : payout.partnerId, currency: payout.currency },
        amount: side * payout.amount,
      })),
    })
  }

  const askToSend = (tx: Tx, { id: payoutId, programId }: PayoutRow) =>
    enqueue(tx, sendPayout, { programId, payoutId }, { programId })

  async function approve(programId: string, actor: string): Promise<PayoutRow[]> {
    return db.transaction(async (tx) => {
      const waiting = await tx
        .select({ id: payouts.id, actor: runs.actor })
        .from(payouts)
        .innerJoin(runs, eq(runs.id, payouts.runId))
        .where(and(eq(payouts.programId, programId), eq(payouts.state, 'awaiting_approval')))
        .orderBy(asc(payouts.id))
        .for('update', { of: payouts })
      const ids = waiting.filter((row) => row.actor !== actor).map(({ id }) => id)
      if (ids.length === 0 && waiting.length > 0)
        throw new UserError(
          'second_person_needed',
          'You started this payout run yourself. Ask another admin to run /admin payouts approve.',
        )
      if (ids.length === 0) return []
      const approved = await tx
        .update(payouts)
        .set({ state: 'queued', approvedBy: actor, nextTryAt: new Date(clock.now().getTime() + retryMs) })
        .where(inArray(payouts.id, ids))
        .returning()
      for (const payout of approved) await askToSend(tx, payout)
      return approved
    })
  }

  async function retryDue(): Promise<number> {
    return db.transaction(async (tx) => {
      const due = await tx
        .select()
        .from(payouts)
        .where(and(eq(payouts.state, 'queued'), lte(payouts.nextTryAt, clock.now())))
        .orderBy(asc(payouts.nextTryAt))
        .limit(500)
        .for('update', { skipLocked: true })
      for (const payout of due) {
        await tx
          .update(payouts)
          .set({ nextTryAt: new Date(clock.now().getTime() + retryMs) })
          .where(eq(payouts.id, payout.id))
        await askToSend(tx, payout)
      }
      return due.length
    })
  }

  const locked = async (tx: Tx, payoutId: string): Promise<PayoutRow | undefined> =>
    (await tx.select().from(payouts).where(eq(payouts.id, payoutId)).for('update'))[0]

  async function countTry(tx: Tx, payoutId: string): Promise<number | undefined> {
    const payout = await locked(tx, payoutId)
    if (payout?.state !== 'queued') return undefined
    await tx
      .update(payouts)
      .set({ attempts: payout.attempts + 1 })
      .where(eq(payouts.id, payoutId))
    return payout.attempts
  }

  async function wait(tx: Tx, payoutId: string, note: string): Promise<void> {
    await tx
      .update(payouts)
      .set({ note: note.slice(0, 500), nextTryAt: new Date(clock.now().getTime() + retryMs) })
      .where(and(eq(payouts.id, payoutId), eq(payouts.state, 'queued')))
  }

  async function recordSent(tx: Tx, payoutId: string, transfer: ProviderTransfer): Promise<void> {
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
      await takeBack(tx, sent, 'returned', returned?.detail ?? 'The provider sent it back.')
    else if (news.length > 0) await confirmPaid(tx, sent)
  }

  async function recordRefused(tx: Tx, payoutId: string, message: string): Promise<void> {
    const payout = await locked(tx, payoutId)
    if (payout?.state === 'queued') await takeBack(tx, payout, 'refused', message)
  }

  const confirm: Payouts['confirm'] = async (tx, provider, providerId, outcome, detail) => {
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
    if (outcome === 'paid' && payout.state === 'sent') await confirmPaid(tx, payout)
    if (outcome === 'returned' && (payout.state === 'sent' || payout.state === 'paid'))
      await takeBack(tx, payout, 'returned', detail)
    return true
  }

  async function confirmPaid(tx: Tx, payout: PayoutRow): Promise<void> {
    const now = clock.now()
    await tx.update(payouts).set({ state: 'paid', settledAt: now }).where(eq(payouts.id, payout.id))
    await post(tx, payout, 'payout_confirmed', [
      ['in_flight', 1n],
      ['paid', -1n],
      ['settled', 1n],
      ['cash', -1n],
    ])
    const covered = await itemsOf(tx, payout)
    await commissions.setState(tx, payout.programId, covered, 'paid', null)
    await emit(tx, payoutPaid, payloadOf(payout))
    const partner = await partnerOf(tx, payout)
    const program = await programs.byId(tx, payout.programId)
    const told = { ...payout, commissions: covered.length, programName: program.name }
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

  /** Money that did not arrive is payable again. */
  async function takeBack(tx: Tx, payout: PayoutRow, state: 'returned' | 'refused', detail: string): Promise<void> {
    const now = clock.now()
    const note = detail.slice(0, 500)
    await tx.update(payouts).set({ state, settledAt: now, note }).where(eq(payouts.id, payout.id))
    const covered = await itemsOf(tx, payout)
    await tx.update(items).set({ releasedAt: now }).where(eq(items.payoutId, payout.id))
    await post(
      tx,
      payout,
      `payout_${state}`,
      payout.state === 'paid'
        ? [
            ['paid', 1n],
            ['payable', -1n],
            ['cash', 1n],
            ['settled', -1n],
          ]
        : [
            ['in_flight', 1n],
            ['payable', -1n],
          ],
    )
    await commissions.setState(tx, payout.programId, covered, 'payable', `payout_${state}`)
    await emit(tx, payoutReturned, { ...payloadOf(payout), reason: note })
    await notifications.tell(tx, {
      programId: payout.programId,
      key: `payouts.returned:${payout.id}`,
      userId: (await partnerOf(tx, payout)).userId,
      message: returnedMessage(payout, note),
    })
  }

  async function partnerOf(reader: Reader, { programId, partnerId }: { programId: string; partnerId: string }): Promise<Partner> {
    const partner = await partners.byId(reader, programId, partnerId)
    if (!partner) throw new Error(`The partner ${partnerId} of a payout does not exist`)
    return partner
  }

  const accountChanged: Payouts['accountChanged'] = async (tx, provider, account, { ready, missing }) => {
    const known = await tx
      .select()
      .from(methods)
      .where(and(eq(methods.provider, provider), eq(methods.account, account)))
      .for('update')
    const now = clock.now()
    for (const method of known) {
      if (method.ready === ready && method.missing === missing) continue
      const becameReady = ready && !method.ready
      await tx
        .update(methods)
        .set({ ready, missing: missing.slice(0, 500), ...(becameReady && { changedAt: now, verifiedAt: now }) })
        .where(eq(methods.id, method.id))
      if (!becameReady) continue
      const config = await settings.of(tx, method.programId)
      await notifications.tell(tx, {
        programId: method.programId,
        key: `payouts.method_ready:${method.id}:${now.toISOString()}`,
        userId: (await partnerOf(tx, method)).userId,
        message: methodReadyMessage({ changedAt: now, coolingHours: config.methodCoolingHours }),
      })
    }
    return known.length > 0
  }

  return {
    plan,
    run,
    approve,
    retryDue,
    countTry,
    wait,
    recordSent,
    recordRefused,
    confirm,
    accountChanged,
    byId: async (reader, payoutId) => (await reader.select().from(payouts).where(eq(payouts.id, payoutId)))[0],
    newest: (reader, programId, limit, partnerId) =>
      reader
        .select()
        .from(payouts)
        .where(and(eq(payouts.programId, programId), partnerId ? eq(payouts.partnerId, partnerId) : undefined))
        .orderBy(desc(payouts.preparedAt), desc(payouts.id))
        .limit(limit),
    programOfAccount: async (reader, provider, account) =>
      (
        await reader
          .select({ programId: methods.programId })
          .from(methods)
          .where(and(eq(methods.provider, provider), eq(methods.account, account)))
          .limit(1)
      )[0]?.programId,
    forgetEarlyNews: async () => {
      const before = sql`${clock.now().toISOString()}::timestamptz - make_interval(days => ${earlyNewsDays}::integer)`
      await db.delete(earlyNews).where(lte(earlyNews.receivedAt, before))
    },
  }
}

const idsOf = (rows: readonly { id: string }[]): string[] => rows.map(({ id }) => id)

const itemsOf = async (tx: Tx, payout: PayoutRow): Promise<string[]> =>
  (
    await tx
      .select({ id: items.commissionId })
      .from(items)
      .where(and(eq(items.payoutId, payout.id), isNull(items.releasedAt)))
  ).map(({ id }) => id)

const payloadOf = ({ programId, id, partnerId, currency, amount }: PayoutRow) => ({
  programId,
  payoutId: id,
  partnerId,
  currency,
  amount,
})
