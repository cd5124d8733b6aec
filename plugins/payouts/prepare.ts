// Makes payouts: prepares them, lets go what was approved, calls back what was not sent. Calls no provider.
import { and, asc, eq, gt, inArray, lte, ne, sql } from 'drizzle-orm'
import { staffChannel } from '../channels/public.ts'
import type { Commission, Commissions } from '../commissions/public.ts'
import {
  atLeastZero,
  type Clock,
  type Db,
  type DiscordEffects,
  type Emit,
  type Enqueue,
  formatMoney,
  hours,
  minutes,
  newId,
  type Reader,
  type Settings,
  sum,
  type Tx,
  UserError,
} from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import { type Books, itemsOf } from './books.ts'
import type { Config } from './config.ts'
import { type ApprovalBar, approvalBar, settingsCountMs, thresholdIn } from './decide.ts'
import { payoutCancelled } from './events.ts'
import { sendPayout } from './jobs.ts'
import { gateNote, setTheDayWords, takenBackMessage } from './messages.ts'
import { byHand, type PayoutRow, type PayoutService, type PlanLine, payloadOf, type RunResult } from './model.ts'
import type { Planner } from './plan.ts'
import { payouts, runs } from './tables.ts'

export interface Preparer {
  run(programId: string, actor: string): Promise<RunResult>
  approver: PayoutService['approver']
  waiting: PayoutService['waiting']
  approve: PayoutService['approve']
  reject: PayoutService['reject']
  mayGo: PayoutService['mayGo']
  lookAgain: PayoutService['lookAgain']
  cancel(programId: string, payoutId: string, reason: string): Promise<PayoutRow>
  retryDue(): Promise<number>
}

/** Payouts prepared side by side: partners do not wait for each other, and enough connections are left for the rest of the house. */
const preparedAtOnce = 4
export const retryMs = minutes(5)
/** What was prepared so lately is sent without another look at the gates. */
const freshMs = minutes(1)
/** Runs within this time are one run to the threshold above which a second admin is needed. */
const thresholdMs = hours(24)

export function createPreparer(needs: {
  db: Db
  clock: Clock
  emit: Emit
  enqueue: Enqueue
  settings: Settings<Config>
  commissions: Commissions
  partners: Partners
  discord: DiscordEffects
  planner: Planner
  books: Books
}): Preparer {
  const { db, clock, emit, enqueue, settings, commissions, partners, discord, planner, books } = needs

  const run: Preparer['run'] = async (programId, actor) => {
    const [lines, config] = await Promise.all([planner.plan(db, programId), settings.of(db, programId)])
    const toPay = lines.filter(({ gate }) => !gate)
    const skipped = lines.filter(({ gate }) => gate)
    if (toPay.length === 0) return { prepared: [], skipped, lowerUntil: undefined }
    const changes = await lateChanges(db, programId)
    const started = { id: newId(clock.now()), programId, actor, startedAt: clock.now() }
    await db.insert(runs).values(started)
    const earlier = await preparedLately(programId)
    const totals = new Map(
      [...Map.groupBy(toPay, ({ currency }) => currency)].map(([currency, group]) => [
        currency,
        sum(group.map(({ amount }) => amount)) + (earlier.get(currency) ?? 0n),
      ]),
    )
    let lowerUntil: Date | undefined
    /** What a payout holds more than was planned, because it became payable meanwhile, counts, too. */
    const stateOf = ({ currency, amount: planned }: PlanLine, held: bigint) => {
      const total = totals.get(currency)! + atLeastZero(held - planned)
      totals.set(currency, total)
      const { above, later } = thresholdIn(currency, config, changes)
      if (total <= above) return 'queued'
      if (later && total <= later.above) lowerUntil ??= later.from
      return 'awaiting_approval'
    }
    const prepared = await eachAlone(toPay, (tx, line) => prepare(tx, line, { runId: started.id, stateOf, config }))
    return { prepared, skipped, lowerUntil }
  }

  const lateChanges = (reader: Reader, programId: string) =>
    settings.changes(reader, programId, new Date(clock.now().getTime() - settingsCountMs))

  /** Does the work for each in a transaction of its own, some side by side, and gathers what came of it. */
  async function eachAlone<T, R>(all: readonly T[], work: (tx: Tx, one: T) => Promise<R | undefined>): Promise<R[]> {
    const done: R[] = []
    const left = [...all.entries()].reverse()
    const next = async (): Promise<void> => {
      for (let entry = left.pop(); entry; entry = left.pop()) {
        const [, one] = entry
        const result = await db.transaction((tx) => work(tx, one))
        if (result !== undefined) done.push(result)
      }
    }
    await Promise.all(Array.from({ length: preparedAtOnce }, next))
    return done
  }

  /**
   * What runs of the last day prepared and what was not called back, by currency. It counts towards the threshold: else the rest of a run that died
   * half-way, or a total cut into several runs, would need no second admin. Read after the plan, so that it is rather counted twice than not at all.
   */
  async function preparedLately(programId: string): Promise<ReadonlyMap<string, bigint>> {
    const rows = await db
      .select({ currency: payouts.currency, amount: sql<string>`sum(${payouts.amount})` })
      .from(payouts)
      .where(
        and(
          eq(payouts.programId, programId),
          gt(payouts.preparedAt, new Date(clock.now().getTime() - thresholdMs)),
          inArray(payouts.state, ['awaiting_approval', 'queued', 'sent', 'paid']),
        ),
      )
      .groupBy(payouts.currency)
    return new Map(rows.map(({ currency, amount }) => [currency, BigInt(amount)]))
  }

  /** Books one payout; nothing when another run was faster or a gate has closed meanwhile. */
  async function prepare(
    tx: Tx,
    planned: PlanLine,
    { runId, stateOf, config }: { runId: string; stateOf: (line: PlanLine, held: bigint) => PayoutRow['state']; config: Config },
  ): Promise<PayoutRow | undefined> {
    const { partner, currency } = planned
    // This locks the partner's books: of runs at the same time, the first finds the commissions and the others find none.
    const taken = await commissions.takePayable(tx, partner.programId, partner.id, currency)
    if (taken.length === 0) return undefined
    const { line, held } = await planner.again(tx, planned, taken, config)
    const { amount } = line
    if (!line.method || line.gate) return undefined
    const now = clock.now()
    const state = stateOf(planned, amount)
    const payout: PayoutRow = {
      id: newId(now),
      programId: partner.programId,
      runId,
      partnerId: partner.id,
      currency,
      amount,
      provider: line.method.provider,
      destination: line.method.account,
      state,
      providerId: null,
      attempts: 0,
      postponed: 0,
      nextTryAt: new Date(now.getTime() + retryMs),
      note: null,
      approvedBy: null,
      preparedAt: now,
      sentAt: null,
      paidAt: null,
      settledAt: null,
    }
    const ids = held.map(({ id }) => id)
    // None of them waits for what another found, so they go out together.
    await Promise.all([
      store(tx, payout, held),
      books.bookPrepared(tx, payout, ids),
      state === 'queued' ? askToSend(tx, payout) : undefined,
    ])
    return payout
  }

  /** Whoever pays by hand is asked by nobody: they fetch the list. */
  async function askToSend(tx: Tx, { id: payoutId, programId, provider }: PayoutRow): Promise<void> {
    if (provider !== byHand) await enqueue(tx, sendPayout, { programId, payoutId }, { programId })
  }

  const approver: Preparer['approver'] = async (reader, programId, userId) => {
    const own = await partners.byUser(reader, programId, userId)
    const changes = await lateChanges(reader, programId)
    const setTheDay = changes.filter(({ key, actor }) => key === 'scheduleDay' && actor === userId).map(({ at }) => at)
    return { userId, partnerId: own?.id, setTheDay }
  }

  const waiting: Preparer['waiting'] = async (reader, programId) => {
    const rows = await reader
      .select({
        runId: payouts.runId,
        actor: runs.actor,
        startedAt: runs.startedAt,
        partnerId: payouts.partnerId,
        currency: payouts.currency,
        amount: payouts.amount,
      })
      .from(payouts)
      .innerJoin(runs, eq(runs.id, payouts.runId))
      .where(and(eq(payouts.programId, programId), eq(payouts.state, 'awaiting_approval')))
      .orderBy(asc(runs.startedAt), asc(payouts.runId), asc(payouts.id))
    return [...Map.groupBy(rows, ({ runId }) => runId).values()].map((own) => {
      const { runId, actor, startedAt } = own[0]!
      return { runId, actor, startedAt, payouts: own }
    })
  }

  const waitingOf = (programId: string, runId: string) =>
    db
      .select({ id: payouts.id, partnerId: payouts.partnerId })
      .from(payouts)
      .where(and(eq(payouts.programId, programId), eq(payouts.runId, runId), eq(payouts.state, 'awaiting_approval')))
      .orderBy(asc(payouts.id))

  async function lockedIn(tx: Tx, payoutId: string, state: PayoutRow['state']): Promise<PayoutRow | undefined> {
    const [payout] = await tx
      .select()
      .from(payouts)
      .where(and(eq(payouts.id, payoutId), eq(payouts.state, state)))
      .for('update')
    return payout
  }

  const approve: Preparer['approve'] = async (programId, runId, actor, seen) => {
    const [started] = await db
      .select()
      .from(runs)
      .where(and(eq(runs.programId, programId), eq(runs.id, runId)))
    const left = await waitingOf(programId, runId)
    const bar = started && approvalBar({ ...started, payouts: left }, await approver(db, programId, actor))
    if (bar) throw refusalOf(bar)
    if (left.length > seen)
      throw new UserError(
        'run_changed',
        `The run has ${left.length} waiting payouts now, more than you were shown. Nothing was sent. Run /admin payouts approve again and look at its totals.`,
      )
    const done = await eachAlone(left, (tx, { id }) => letGo(tx, id, actor))
    return {
      approved: done.filter(({ state }) => state === 'queued'),
      takenBack: done.filter(({ state }) => state === 'cancelled'),
    }
  }

  async function letGo(tx: Tx, payoutId: string, approvedBy: string): Promise<PayoutRow | undefined> {
    const payout = await lockedIn(tx, payoutId, 'awaiting_approval')
    if (!payout) return undefined
    const note = await standsInTheWay(tx, payout)
    if (note !== undefined) return callBack(tx, payout, note)
    const change = { state: 'queued', approvedBy, nextTryAt: new Date(clock.now().getTime() + retryMs) } as const
    await tx.update(payouts).set(change).where(eq(payouts.id, payoutId))
    await askToSend(tx, payout)
    return { ...payout, ...change }
  }

  /** Why a payout that was not sent should not be any more, in words for an admin: days may have passed since its gates were looked at. */
  async function standsInTheWay(tx: Tx, payout: PayoutRow): Promise<string | undefined> {
    const { id: payoutId, programId, partnerId: id, currency, amount, provider, destination } = payout
    const config = await settings.of(tx, programId)
    const { line } = await planner.again(tx, { partner: { programId, id }, currency }, [{ due: amount }], config, payoutId)
    if (line.gate) return gateNote(line.gate, currency)
    if (await commissions.isAnyStopped(tx, programId, await itemsOf(tx, payout))) return 'a sale in it is disputed or on hold'
    if (line.method?.provider === provider && line.method.account === destination) return undefined
    return 'uses another payout method now'
  }

  async function callBack(tx: Tx, payout: PayoutRow, note: string): Promise<PayoutRow> {
    await books.takeBack(tx, payout, 'cancelled', note)
    await emit(tx, payoutCancelled, { ...payloadOf(payout), reason: note })
    return { ...payout, state: 'cancelled', note }
  }

  const mayGo: Preparer['mayGo'] = async (tx, payoutId) => {
    const payout = await lockedIn(tx, payoutId, 'queued')
    if (!payout) return false
    // Whoever counted another try meanwhile may be handing it over.
    const isFresh = clock.now().getTime() - payout.preparedAt.getTime() < freshMs
    const note = isFresh || payout.attempts > 1 ? undefined : await standsInTheWay(tx, payout)
    if (note === undefined) return true
    await takeBack(tx, payout, note)
    return false
  }

  /** Calls the payout back without an admin at hand, so the staff is told. */
  async function takeBack(tx: Tx, payout: PayoutRow, note: string): Promise<void> {
    await callBack(tx, payout, note)
    const { id, programId, partnerId } = payout
    const partner = await partners.byId(tx, programId, partnerId)
    const message = takenBackMessage({ ...payout, note }, partner?.name ?? '')
    await discord.post(tx, { programId, key: `payouts.taken_back:${id}`, channel: staffChannel, message })
  }

  const lookAgain: Preparer['lookAgain'] = async (tx, programId, partnerId) => {
    const untried = await tx
      .select()
      .from(payouts)
      .where(
        and(
          eq(payouts.programId, programId),
          eq(payouts.partnerId, partnerId),
          inArray(payouts.state, ['awaiting_approval', 'queued']),
          eq(payouts.attempts, 0),
        ),
      )
      .orderBy(asc(payouts.preparedAt), asc(payouts.id))
      .for('update')
    for (const payout of untried) {
      const note = await standsInTheWay(tx, payout)
      if (note !== undefined) await takeBack(tx, payout, note)
    }
  }

  const reject: Preparer['reject'] = async (programId, runId) =>
    eachAlone(await waitingOf(programId, runId), async (tx, { id }) => {
      const payout = await lockedIn(tx, id, 'awaiting_approval')
      return payout && callBack(tx, payout, 'The whole run was rejected.')
    })

  const cancel: Preparer['cancel'] = (programId, payoutId, reason) =>
    db.transaction(async (tx) => {
      const [payout] = await tx
        .select()
        .from(payouts)
        .where(and(eq(payouts.programId, programId), eq(payouts.id, payoutId)))
        .for('update')
      if (!payout)
        throw new UserError(
          'unknown_payout',
          'There is no such payout. Choose one from the suggestions; they are those not sent yet.',
        )
      const what = formatMoney(payout.amount, payout.currency)
      if (payout.state !== 'awaiting_approval' && payout.state !== 'queued')
        throw new UserError('payout_not_waiting', `The payout of ${what} cannot be called back any more: ${whyNot[payout.state]}`)
      if (payout.attempts > 0)
        throw new UserError(
          'payout_being_sent',
          `The payout of ${what} cannot be called back now: it was tried without a clear answer, so its provider may have the money. The provider is asked again every few minutes, until it answers; then the payout counts as sent, comes back by itself, or can be called back.${payout.note ? ` Said last: ${payout.note}` : ''}`,
        )
      return callBack(tx, payout, reason)
    })

  const retryDue: Preparer['retryDue'] = () =>
    db.transaction(async (tx) => {
      const due = await tx
        .select()
        .from(payouts)
        .where(and(eq(payouts.state, 'queued'), ne(payouts.provider, byHand), lte(payouts.nextTryAt, clock.now())))
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

  return { run, approver, waiting, approve, reject, mayGo, lookAgain, cancel, retryDue }
}

function refusalOf(bar: ApprovalBar): UserError {
  switch (bar.because) {
    case 'started_it':
      return new UserError(
        'second_person_needed',
        'You started this payout run yourself. Ask another admin to run /admin payouts approve.',
      )
    case 'set_the_day':
      return new UserError('second_person_needed', setTheDayWords(bar.until))
    case 'is_paid_by_it':
      return new UserError(
        'own_payout',
        'This run contains a payout of your own. Ask another admin, who did not start it, to run /admin payouts approve; or call yours back with /admin payouts cancel, then approve the rest.',
      )
  }
}

const whyNot: Readonly<Record<Exclude<PayoutRow['state'], 'awaiting_approval' | 'queued'>, string>> = {
  sent: 'it was sent.',
  paid: 'it was paid.',
  returned: 'it came back, and its commissions are payable again.',
  refused: 'its provider refused it, and its commissions are payable again.',
  cancelled: 'it was called back before.',
}

/** The payout and what it holds, in one statement, because there are thousands of them. */
async function store(tx: Tx, payout: PayoutRow, commissions: readonly Commission[]): Promise<void> {
  const held = JSON.stringify(commissions.map(({ id, due }) => ({ id, due: due.toString() })))
  await tx.execute(sql`
    with made as (
      insert into payouts_payouts (id, program_id, run_id, partner_id, currency, amount, provider, destination, state, next_try_at, prepared_at)
      values (${payout.id}, ${payout.programId}, ${payout.runId}, ${payout.partnerId}, ${payout.currency}, ${payout.amount.toString()}::bigint,
        ${payout.provider}, ${payout.destination}, ${payout.state}, ${payout.nextTryAt.toISOString()}::timestamptz,
        ${payout.preparedAt.toISOString()}::timestamptz)
      returning id, program_id
    )
    insert into payouts_items (payout_id, commission_id, program_id, amount)
    select made.id, held.id, made.program_id, held.due from made, jsonb_to_recordset(${held}::text::jsonb) as held (id uuid, due bigint)`)
}
