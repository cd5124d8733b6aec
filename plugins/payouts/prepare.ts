// Makes payouts: prepares them, lets go what was approved, calls back what was not sent. Calls no provider.
import { and, asc, eq, gt, inArray, lte, ne, sql } from 'drizzle-orm'
import type { Commission, Commissions } from '../commissions/public.ts'
import {
  type Clock,
  type Db,
  type Emit,
  type Enqueue,
  formatMoney,
  hours,
  minutes,
  newId,
  type Settings,
  sum,
  type Tx,
  UserError,
} from '../kit/index.ts'
import type { Books } from './books.ts'
import type { Config } from './config.ts'
import { approvalAboveIn } from './decide.ts'
import { payoutCancelled } from './events.ts'
import { sendPayout } from './jobs.ts'
import { byHand, type PayoutRow, type PlanLine, payloadOf, type RunResult } from './model.ts'
import type { Planner } from './plan.ts'
import { payouts, runs } from './tables.ts'

export interface Preparer {
  run(programId: string, actor: string): Promise<RunResult>
  approve(programId: string, actor: string): Promise<PayoutRow[]>
  cancel(programId: string, payoutId: string, reason: string): Promise<PayoutRow>
  retryDue(): Promise<number>
}

/** Payouts prepared side by side: partners do not wait for each other, and enough connections are left for the rest of the house. */
const preparedAtOnce = 4
export const retryMs = minutes(5)
/** Runs within this time are one run to the threshold above which a second admin is needed. */
const thresholdMs = hours(24)

export function createPreparer(needs: {
  db: Db
  clock: Clock
  emit: Emit
  enqueue: Enqueue
  settings: Settings<Config>
  commissions: Commissions
  planner: Planner
  books: Books
}): Preparer {
  const { db, clock, emit, enqueue, settings, commissions, planner, books } = needs

  const run: Preparer['run'] = async (programId, actor) => {
    const [lines, config] = await Promise.all([planner.plan(db, programId), settings.of(db, programId)])
    const toPay = lines.filter(({ gate }) => !gate)
    const skipped = lines.filter(({ gate }) => gate)
    if (toPay.length === 0) return { prepared: [], skipped }
    const started = { id: newId(clock.now()), programId, actor, startedAt: clock.now() }
    await db.insert(runs).values(started)
    const earlier = await preparedLately(programId)
    const aboveThreshold = new Set(
      [...Map.groupBy(toPay, ({ currency }) => currency)]
        .filter(([currency, group]) => {
          const total = sum(group.map(({ amount }) => amount)) + (earlier.get(currency) ?? 0n)
          return total > approvalAboveIn(currency, config)
        })
        .map(([currency]) => currency),
    )
    const prepared: PayoutRow[] = []
    const left = toPay.toReversed()
    const prepareNext = async (): Promise<void> => {
      for (let line = left.pop(); line; line = left.pop()) {
        const next = line
        const state = aboveThreshold.has(next.currency) ? 'awaiting_approval' : 'queued'
        const payout = await db.transaction((tx) => prepare(tx, next, { runId: started.id, state, config }))
        if (payout) prepared.push(payout)
      }
    }
    await Promise.all(Array.from({ length: preparedAtOnce }, prepareNext))
    return { prepared, skipped }
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
    { runId, state, config }: { runId: string; state: 'awaiting_approval' | 'queued'; config: Config },
  ): Promise<PayoutRow | undefined> {
    const { partner, currency } = planned
    // This locks the partner's books: of runs at the same time, the first finds the commissions and the others find none.
    const taken = await commissions.takePayable(tx, partner.programId, partner.id, currency)
    if (taken.length === 0) return undefined
    const amount = sum(taken.map(({ due }) => due))
    const line = await planner.again(tx, planned, { amount, commissions: taken.length }, config)
    if (!line.method || line.gate) return undefined
    const now = clock.now()
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
      nextTryAt: new Date(now.getTime() + retryMs),
      note: null,
      approvedBy: null,
      preparedAt: now,
      sentAt: null,
      settledAt: null,
    }
    await store(tx, payout, taken)
    await books.bookPrepared(
      tx,
      payout,
      taken.map(({ id }) => id),
    )
    if (state === 'queued') await askToSend(tx, payout)
    return payout
  }

  /** Whoever pays by hand is asked by nobody: they fetch the list. */
  async function askToSend(tx: Tx, { id: payoutId, programId, provider }: PayoutRow): Promise<void> {
    if (provider !== byHand) await enqueue(tx, sendPayout, { programId, payoutId }, { programId })
  }

  const approve: Preparer['approve'] = (programId, actor) =>
    db.transaction(async (tx) => {
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
          `The payout of ${what} is being sent: its provider may have the money already. It is found out within minutes; see /admin payouts list.`,
        )
      await books.takeBack(tx, payout, 'cancelled', reason)
      await emit(tx, payoutCancelled, { ...payloadOf(payout), reason })
      return { ...payout, state: 'cancelled', note: reason }
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

  return { run, approve, cancel, retryDue }
}

const whyNot: Readonly<Record<Exclude<PayoutRow['state'], 'awaiting_approval' | 'queued'>, string>> = {
  sent: 'it was sent.',
  paid: 'it was paid.',
  returned: 'it came back, and its commissions are payable again.',
  refused: 'its provider refused it, and its commissions are payable again.',
  cancelled: 'it was called back before.',
}

/** The payout and what it holds, in one statement, because there are thousands of them. */
async function store(tx: Tx, payout: PayoutRow, taken: readonly Commission[]): Promise<void> {
  const held = JSON.stringify(taken.map(({ id, due }) => ({ id, due: due.toString() })))
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
