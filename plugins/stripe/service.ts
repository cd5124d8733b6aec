// Turns kept events into facts, and facts into payments, payout confirmations and account states. Knows Stripe's API only as a port.
import { and, eq, inArray, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Attribution } from '../attribution/public.ts'
import {
  type Clock,
  type Db,
  defineJob,
  type Enqueue,
  type Programs,
  type Reader,
  type StoredWebhook,
  type Tx,
  UserError,
  type WebhookInbox,
} from '../kit/index.ts'
import type { Payouts } from '../payouts/public.ts'
import { type Assembled, canonicalPayment } from './canonical.ts'
import { type Fact, type KeptEvent, keptEvent } from './facts.ts'
import { createCouponReader, type PromotionApi } from './promotions.ts'
import { accounts, facts, payments } from './tables.ts'

/** What is asked of Stripe itself, never within a transaction. */
export interface StripeApi extends PromotionApi {
  /** The account that the secret key belongs to. */
  ownAccount(): Promise<{ id: string; name: string }>
  /** Everything that Stripe has about a payment: intent, charge, sessions, invoices. */
  originOf(paymentKey: string): Promise<Fact[]>
  /** The event, read again: for one that could not be read when it came. */
  event(id: string): Promise<KeptEvent | undefined>
}

export interface StripeService {
  /** Keeps a verified event and asks for its handling. A duplicate is only counted; kinds that are not handled are not kept. */
  receive(event: { id: string; type: string; kept: KeptEvent | undefined }): Promise<void>
  /** Handles a kept event once. What cannot be handled is parked with a reason. */
  handleEvent(eventId: string): Promise<void>
  /** Completes a payment whose origin no event told, by asking Stripe once. */
  findOrigin(programId: string, paymentKey: string): Promise<void>
  /** Says that payments of the platform's account belong to this program. @throws UserError when they belong to another */
  connect(programId: string): Promise<{ id: string; name: string }>
  parked(reader: Reader, programId: string): Promise<StoredWebhook[]>
  /** Hands every parked event in again; returns how many. */
  replay(programId: string): Promise<number>
}

export const source = 'stripe'
export const handleEventJob = defineJob({ name: 'stripe.handle_event', payload: z.object({ eventId: z.string() }) })
export const findOriginJob = defineJob({
  name: 'stripe.find_origin',
  payload: z.object({ programId: z.uuid(), paymentKey: z.string() }),
})

/** Events of one payment come within seconds of each other: only after this is Stripe asked for what is missing. */
const originPatienceMs = 5_000
const shownParked = 100

export function createStripeService({
  db,
  clock,
  enqueue,
  webhooks,
  programs,
  attribution,
  payouts,
  api,
}: {
  db: Db
  clock: Clock
  enqueue: Enqueue
  webhooks: WebhookInbox
  programs: Programs
  attribution: Attribution
  payouts: Payouts
  api: StripeApi
}): StripeService {
  const receive: StripeService['receive'] = async ({ id, type, kept }) => {
    if (!kept) return
    await db.transaction(async (tx) => {
      if (await webhooks.store(tx, { source, eventId: id, type, body: kept })) await enqueue(tx, handleEventJob, { eventId: id })
    })
  }

  const handleEvent: StripeService['handleEvent'] = async (eventId) => {
    const stored = await db.transaction((tx) => webhooks.open(tx, source, eventId))
    if (!stored) return
    let programId: string | undefined
    try {
      const { account, fact } = await readable(stored)
      programId = await programOf(account)
      const belongsTo = programId
      await db.transaction(async (tx) => {
        // Held until the end: of two runs for one event the second finds it handled.
        if (!(await webhooks.open(tx, source, eventId))) return
        await learn(tx, belongsTo, fact)
        await webhooks.markHandled(tx, source, eventId, belongsTo)
      })
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      await db.transaction((tx) => webhooks.park(tx, source, eventId, error.message, programId))
    }
  }

  /** The fact of the event. @throws UserError for an event that is still not as expected */
  async function readable(stored: StoredWebhook): Promise<{ account: string | null; fact: Fact }> {
    const kept = keptEvent.parse(stored.body)
    const { account, fact, problem } = kept.fact ? kept : ((await api.event(stored.eventId)) ?? kept)
    if (!fact) throw new UserError('unreadable_event', problem ?? 'Stripe no longer has this event.')
    const ownEvent = account === null || account === (await ownAccount()).id
    if (!ownEvent && fact.type !== 'account')
      throw new UserError('foreign_account', `It happened on the connected account ${account}, not on the program’s own.`)
    return { account: ownEvent ? null : account, fact: await withCoupon(fact) }
  }

  const withCoupon = createCouponReader(api)
  let known: { id: string; name: string } | undefined
  async function ownAccount(): Promise<{ id: string; name: string }> {
    known ??= await api.ownAccount()
    return known
  }

  /** Whose event it is. With a single program the platform's account is taken to be its own. @throws UserError when it is nobody's */
  async function programOf(account: string | null): Promise<string> {
    if (account !== null) {
      const programId = await payouts.programOfAccount(db, source, account)
      if (!programId) throw new UserError('foreign_account', `The account ${account} belongs to no partner of this program.`)
      return programId
    }
    const own = await ownAccount()
    const [row] = await db.select().from(accounts).where(eq(accounts.accountId, own.id))
    if (row) return row.programId
    const [only, ...others] = await programs.all(db)
    if (!only || others.length > 0)
      throw new UserError(
        'no_program',
        `No program is connected to the Stripe account ${own.id}. Run /admin stripe connect in the server that it belongs to, then /admin stripe replay.`,
      )
    await connect(only.id)
    return only.id
  }

  const connect: StripeService['connect'] = async (programId) => {
    const own = await ownAccount()
    await db.transaction(async (tx) => {
      const [row] = await tx.select().from(accounts).where(eq(accounts.accountId, own.id))
      const account = { accountId: own.id, name: own.name, connectedAt: clock.now() }
      if (!row || row.programId === programId)
        await tx
          .insert(accounts)
          .values({ programId, ...account })
          .onConflictDoUpdate({ target: accounts.programId, set: account })
      else
        throw new UserError(
          'account_taken',
          `The Stripe account ${own.id} belongs to another program already. Each program needs its own.`,
        )
    })
    return own
  }

  async function learn(tx: Tx, programId: string, fact: Fact): Promise<void> {
    if (fact.type === 'transfer') return learnTransfer(tx, programId, fact)
    if (fact.type === 'account') return learnAccount(tx, programId, fact)
    // Facts that meet in an invoice take turns, so that the later one sees the earlier.
    if (fact.invoiceId) await lock(tx, `invoice ${programId} ${fact.invoiceId}`)
    await keep(tx, programId, [fact])
    for (const paymentKey of await paymentsOf(tx, programId, fact)) await settle(tx, programId, paymentKey)
  }

  async function learnTransfer(tx: Tx, programId: string, fact: Fact<'transfer'>): Promise<void> {
    const { objectId, fields } = (await keep(tx, programId, [fact]))[0] as Fact<'transfer'>
    if (fields.payoutId === null) return
    if (fields.reversed > 0 && fields.reversed < fields.amount)
      throw new UserError(
        'partly_reversed',
        `The transfer ${objectId} was reversed in part. Settle the rest with the partner, then correct the books by hand.`,
      )
    // Stripe may tell of a transfer before the call that made it has returned: payouts remembers what it cannot place yet.
    if (fields.reversed > 0) await payouts.confirm(tx, source, objectId, 'returned', 'Stripe reversed the transfer')
    else await payouts.confirm(tx, source, objectId, 'paid', 'Stripe transferred the money')
  }

  async function learnAccount(tx: Tx, programId: string, fact: Fact<'account'>): Promise<void> {
    const { objectId, fields } = (await keep(tx, programId, [fact]))[0] as Fact<'account'>
    await payouts.accountChanged(tx, source, objectId, fields)
  }

  const findOrigin: StripeService['findOrigin'] = async (programId, paymentKey) => {
    const [known] = await db
      .select({ saleId: payments.saleId })
      .from(payments)
      .where(and(eq(payments.programId, programId), eq(payments.paymentKey, paymentKey)))
    if (known?.saleId || (await db.transaction((tx) => settle(tx, programId, paymentKey)))) return
    const found: Fact[] = []
    for (const fact of await api.originOf(paymentKey)) found.push(await withCoupon(fact))
    await db.transaction(async (tx) => {
      await keep(tx, programId, found, { onlyNew: true })
      await tx
        .insert(payments)
        .values({ programId, paymentKey, askedAt: clock.now() })
        .onConflictDoUpdate({ target: [payments.programId, payments.paymentKey], set: { askedAt: clock.now() } })
      if (!(await settle(tx, programId, paymentKey)))
        throw new Error(`Stripe has no charge for the payment ${paymentKey}, which is paid`)
    })
  }

  /** Records the payment if it is complete; else sees to it that it will be. Returns whether nothing more is missing. */
  async function settle(tx: Tx, programId: string, paymentKey: string): Promise<boolean> {
    // Held until the end: the last of several transactions about one payment sees the facts of all.
    await lock(tx, `payment ${programId} ${paymentKey}`)
    const assembled = await assemble(tx, programId, paymentKey)
    if (assembled.state === 'unpaid') return true
    if (assembled.state === 'incomplete') {
      const at = new Date(clock.now().getTime() + originPatienceMs)
      await enqueue(tx, findOriginJob, { programId, paymentKey }, { programId, dedupeKey: `${programId}:${paymentKey}`, at })
      return false
    }
    const { saleId } = await attribution.recordPayment(tx, assembled.payment)
    await tx
      .insert(payments)
      .values({ programId, paymentKey, saleId })
      .onConflictDoUpdate({ target: [payments.programId, payments.paymentKey], set: { saleId } })
    return true
  }

  return {
    receive,
    handleEvent,
    findOrigin,
    connect,
    parked: async (reader, programId) => {
      const [row] = await reader.select().from(accounts).where(eq(accounts.programId, programId))
      return webhooks.parked(reader, source, programId, { unassigned: row !== undefined, limit: shownParked })
    },
    replay: async (programId) =>
      db.transaction(async (tx) => {
        const [row] = await tx.select().from(accounts).where(eq(accounts.programId, programId))
        const parked = await webhooks.parked(tx, source, programId, { unassigned: row !== undefined, limit: 1000 })
        for (const { eventId } of parked) await enqueue(tx, handleEventJob, { eventId }, { programId, dedupeKey: eventId })
        return parked.length
      }),
  }
}

async function lock(tx: Tx, name: string): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`stripe ${name}`}, 0))`)
}

/**
 * Keeps the facts unless something newer is known of the same object, and returns what is known now. With `onlyNew`, for what was asked rather than told,
 * anything that an event told stays.
 */
async function keep(tx: Tx, programId: string, given: readonly Fact[], options: { onlyNew?: boolean } = {}): Promise<Fact[]> {
  for (const fact of given) {
    const insert = tx.insert(facts).values({ programId, ...fact })
    if (options.onlyNew) await insert.onConflictDoNothing()
    else
      await insert.onConflictDoUpdate({
        target: [facts.programId, facts.objectId],
        set: {
          paymentKey: fact.paymentKey,
          invoiceId: fact.invoiceId,
          subscriptionId: fact.subscriptionId,
          fields: fact.fields,
          eventCreated: fact.eventCreated,
          rank: fact.rank,
          eventId: fact.eventId,
        },
        setWhere: sql`(excluded.event_created, excluded.rank, excluded.event_id) > (stripe_facts.event_created, stripe_facts.rank, stripe_facts.event_id)`,
      })
  }
  const ids = given.map(({ objectId }) => objectId)
  if (ids.length === 0) return []
  return toFacts(
    await tx
      .select()
      .from(facts)
      .where(and(eq(facts.programId, programId), inArray(facts.objectId, ids))),
  )
}

/** The payments that a fact says something about: its own, and those of its invoice. */
async function paymentsOf(tx: Tx, programId: string, fact: Fact): Promise<string[]> {
  const keys = new Set(fact.paymentKey ? [fact.paymentKey] : [])
  if (fact.invoiceId && fact.type !== 'invoice_payment') {
    const links = await tx
      .select({ paymentKey: facts.paymentKey })
      .from(facts)
      .where(and(eq(facts.programId, programId), eq(facts.invoiceId, fact.invoiceId), eq(facts.type, 'invoice_payment')))
    for (const { paymentKey } of links) if (paymentKey) keys.add(paymentKey)
  }
  return [...keys].sort()
}

async function assemble(tx: Tx, programId: string, paymentKey: string): Promise<Assembled> {
  const own = toFacts(
    await tx
      .select()
      .from(facts)
      .where(and(eq(facts.programId, programId), eq(facts.paymentKey, paymentKey))),
  )
  const invoiceIds = [...new Set(own.flatMap(({ invoiceId }) => invoiceId ?? []))]
  const ofInvoices = invoiceIds.length === 0 ? [] : await among(tx, programId, invoiceIds)
  const related = ofInvoices.filter(({ type }) => type === 'invoice' || type === 'session')
  const subscriptions = [...new Set(related.flatMap(({ subscriptionId }) => subscriptionId ?? []))]
  const siblings = subscriptions.length === 0 ? [] : await invoicesOf(tx, programId, subscriptions)
  const [asked] = await tx
    .select({ at: payments.askedAt })
    .from(payments)
    .where(and(eq(payments.programId, programId), eq(payments.paymentKey, paymentKey)))
  const all = new Map([...own, ...related].map((fact) => [fact.objectId, fact]))
  return canonicalPayment({ programId, paymentKey, facts: [...all.values()], siblings, asked: Boolean(asked?.at) })
}

async function among(tx: Tx, programId: string, invoiceIds: readonly string[]): Promise<Fact[]> {
  return toFacts(
    await tx
      .select()
      .from(facts)
      .where(and(eq(facts.programId, programId), inArray(facts.invoiceId, [...invoiceIds]))),
  )
}

async function invoicesOf(tx: Tx, programId: string, subscriptions: readonly string[]): Promise<Fact<'invoice'>[]> {
  const rows = await tx
    .select()
    .from(facts)
    .where(and(eq(facts.programId, programId), inArray(facts.subscriptionId, [...subscriptions]), eq(facts.type, 'invoice')))
  return toFacts(rows) as Fact<'invoice'>[]
}

function toFacts(rows: readonly (typeof facts.$inferSelect)[]): Fact[] {
  return rows.map(({ programId: _, ...fact }) => fact as Fact)
}
