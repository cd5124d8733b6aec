// Turns kept events into facts, and facts into payments, payout confirmations and account states. Knows Stripe's API only as a port.
import { and, desc, eq, isNotNull, ne, sql } from 'drizzle-orm'
import type { Logger } from 'pino'
import { z } from 'zod'
import type { Attribution } from '../attribution/public.ts'
import {
  type Clock,
  type Db,
  defineJob,
  type Enqueue,
  inGroups,
  lockNames,
  minutes,
  type Programs,
  type Reader,
  type StoredWebhook,
  type Tx,
  UserError,
  type WebhookInbox,
} from '../kit/index.ts'
import type { Payouts } from '../payouts/public.ts'
import { askedEventId, type Fact, type KeptEvent, keptEvent, readAt, type UnreadObject } from './facts.ts'
import { aboutInvoice, assemble, isTied, keep, keepOne, newestOf, ofInvoice, paymentsOf, present, unexplained } from './known.ts'
import { createCouponReader, hasPromotion, type PromotionApi } from './promotions.ts'
import { accounts, facts, payments } from './tables.ts'

/** What is asked of Stripe itself, never within a transaction. */
export interface StripeApi extends PromotionApi {
  /** The account that the secret key belongs to. */
  ownAccount(): Promise<{ id: string; name: string }>
  /** Everything that Stripe has about a payment: intent, charge, sessions, invoices. */
  originOf(paymentKey: string): Promise<Fact[]>
  /** The invoice, if Stripe has it. */
  invoice(id: string): Promise<Fact[]>
  /** What was paid of an invoice. */
  paymentsOfInvoice(invoiceId: string): Promise<Fact<'invoice_payment'>[]>
  /** The event, read again: for one that could not be read when it came. */
  event(id: string): Promise<KeptEvent | undefined>
  /** What an object tells now, as of the event; a sentence when it is not as expected, undefined when Stripe has no such object. */
  object(unread: UnreadObject, eventId: string): Promise<Fact | string | undefined>
  /** The version of the API that this is asked in. */
  readonly version: string
}

export interface StripeService {
  /** Keeps a verified event and asks for its handling. A duplicate is only counted; kinds that are not handled are not kept. */
  receive(event: { id: string; type: string; kept: KeptEvent | undefined }): Promise<void>
  /** Handles kept events once, together. What needs Stripe, is nobody's yet, or moves the books of a partner, is left to `handleAlone`; a single one that cannot be handled is parked with a reason. */
  handleEvents(tx: Tx, eventIds: readonly string[]): Promise<void>
  /** Handles kept events as `handleEvents` does, but when one of them cannot be handled, leaves each to a job of its own. */
  handleOrPart(tx: Tx, eventIds: readonly string[]): Promise<void>
  /** Handles a kept event once, asking Stripe what is missing. What cannot be handled is parked with a reason. */
  handleAlone(eventId: string): Promise<void>
  /** Completes a payment whose origin no event told, by asking Stripe once. When it cannot be recorded, its newest event is parked with the reason. */
  findOrigin(programId: string, paymentKey: string): Promise<void>
  /**
   * Sees to an invoice that is paid, of which no event told how: the payments that Stripe has of it are completed, and what was paid outside Stripe is parked,
   * unless somebody reported it as a sale.
   */
  checkInvoice(programId: string, invoiceId: string): Promise<void>
  /** Asks Stripe about transfers whose making no event confirmed: a webhook may be lost, or not set up. @throws the first error, after all were asked about */
  reconcile(): Promise<void>
  /** Says that payments of the platform's account belong to this program. @throws UserError when they belong to another */
  connect(programId: string): Promise<{ id: string; name: string }>
  /** Asks for the handling of kept events once more. */
  handleAgain(tx: Tx, programId: string, eventIds: readonly string[]): Promise<void>
  /** Events that could not even be read belong to nobody: whoever the account belongs to sees them, and a single program before it has an account. */
  seesUnassigned(reader: Reader, programId: string): Promise<boolean>
}

interface Received {
  readonly id: string
  readonly type: string
  readonly kept: KeptEvent
}

export const source = 'stripe'
export const handleEventJob = defineJob({ name: 'stripe.handle_event', payload: z.object({ eventId: z.string() }) })
/** For events that were kept together. */
export const handleEventsJob = defineJob({ name: 'stripe.handle_events', payload: z.object({ eventIds: z.array(z.string()) }) })
/** For an event that cannot be handled on the database alone. */
export const handleAloneJob = defineJob({ name: 'stripe.handle_alone', payload: z.object({ eventId: z.string() }) })
export const findOriginJob = defineJob({
  name: 'stripe.find_origin',
  payload: z.object({ programId: z.uuid(), paymentKey: z.string() }),
})

export const checkInvoiceJob = defineJob({
  name: 'stripe.check_invoice',
  payload: z.object({ programId: z.uuid(), invoiceId: z.string() }),
})

/** Events of one payment come within seconds of each other: only after this is Stripe asked for what is missing. */
const originPatienceMs = 5_000
/** Stripe tells of a new account while the answer that names it is still on its way to us. */
const accountPatienceMs = 30_000
/** A transfer is confirmed within seconds: only after this is Stripe asked. */
const confirmPatienceMs = minutes(15)
/** Transfers of a program in one round. What Stripe does not show, which should not be, is asked about in every round. */
const askedAtOnce = 100

export function createStripeService({
  db,
  clock,
  log,
  enqueue,
  webhooks,
  programs,
  attribution,
  payouts,
  api,
}: {
  db: Db
  clock: Clock
  log: Logger
  enqueue: Enqueue
  webhooks: WebhookInbox
  programs: Programs
  attribution: Attribution
  payouts: Payouts
  api: StripeApi
}): StripeService {
  const keepTogether = inGroups(async (events: readonly Received[]) => {
    await db.transaction(async (tx) => {
      const fresh = await webhooks.storeAll(
        tx,
        events.map(({ id, type, kept }) => ({ source, eventId: id, type, body: kept })),
      )
      if (fresh.length > 0) await enqueue(tx, handleEventsJob, { eventIds: fresh })
    })
    return events
  })
  const receive: StripeService['receive'] = async ({ id, type, kept }) => {
    if (kept) await keepTogether({ id, type, kept })
  }

  const handleEvents: StripeService['handleEvents'] = async (tx, eventIds) => {
    const [stored, owner] = await Promise.all([webhooks.openAll(tx, source, eventIds), ownerOfKnown(tx)])
    const ready = readyToLearn(stored, owner)
    const others = stored.filter((event) => !ready.some(({ eventId }) => eventId === event.eventId))
    await enqueue.many(
      tx,
      handleAloneJob,
      others.map(({ eventId }) => ({ payload: { eventId } })),
    )
    const learnAll = async (within: Tx) => {
      for (const [programId, own] of Map.groupBy(ready, (event) => event.programId)) {
        await learn(
          within,
          programId,
          own.map(({ fact }) => fact),
        )
        await webhooks.markAllHandled(
          within,
          source,
          own.map(({ eventId }) => eventId),
          programId,
        )
        await tryParkedAgain(
          within,
          programId,
          own.map(({ fact }) => fact),
        )
      }
    }
    const [first, ...more] = ready
    if (!first || more.length > 0) return learnAll(tx)
    const { eventId, programId, fact } = first
    const problem = async () => {
      try {
        await tx.transaction(learnAll)
      } catch (error) {
        if (error instanceof UserError) return error
        throw error
      }
      return undefined
    }
    let error = await problem()
    if (error && fact.paymentKey) {
      // Until the end nobody else records the payment: whoever did so meanwhile is seen now, and whoever comes later finds the event parked.
      await lock(tx, [paymentName(programId, fact.paymentKey)])
      error = await problem()
    }
    if (error) await webhooks.park(tx, source, eventId, error.message, programId)
  }

  /** What was parked of a payment because it did not fit may fit, now that more is known of it: a refund may have been told before the failure of another. */
  async function tryParkedAgain(tx: Tx, programId: string, learned: readonly Fact[]): Promise<void> {
    const keys = present(learned.map(({ paymentKey }) => paymentKey))
    if (keys.length === 0) return
    const parked = await webhooks.parkedWith(tx, { source, programId, unassigned: false }, ['fact', 'paymentKey'], keys)
    await handleAgain(tx, programId, parked)
  }

  const handleAgain: StripeService['handleAgain'] = async (tx, programId, eventIds) => {
    await enqueue.many(
      tx,
      handleEventJob,
      eventIds.map((eventId) => ({ payload: { eventId }, programId, dedupeKey: eventId })),
    )
  }

  const handleOrPart: StripeService['handleOrPart'] = async (tx, eventIds) => {
    try {
      await tx.transaction((within) => handleEvents(within, eventIds))
    } catch (error) {
      if (eventIds.length === 1) throw error
      log.debug({ err: error, events: eventIds.length }, 'events that failed together are handled one by one')
      await enqueue.many(
        tx,
        handleEventJob,
        eventIds.map((eventId) => ({ payload: { eventId } })),
      )
    }
  }

  /** The program whose the own account is, once both are known. */
  async function ownerOfKnown(reader: Reader): Promise<{ accountId: string; programId: string } | undefined> {
    return known && (await reader.select().from(accounts).where(eq(accounts.accountId, known.id)))[0]
  }

  /**
   * The events about which nothing has to be asked of Stripe, nor decided whose they are. Those of transfers go alone: each locks a payout and the books of a
   * partner, and several of those beside sales, in whatever order they come, may wait for others in a circle.
   */
  function readyToLearn(stored: readonly StoredWebhook[], owner: { accountId: string; programId: string } | undefined) {
    if (!owner) return []
    return stored.flatMap(({ eventId, body }) => {
      const { account, fact } = keptEvent.parse(body)
      return fact && fact.type !== 'transfer' && !hasPromotion(fact) && (account === null || account === owner.accountId)
        ? [{ eventId, programId: owner.programId, fact }]
        : []
    })
  }

  const handleAlone: StripeService['handleAlone'] = async (eventId) => {
    const stored = await db.transaction((tx) => webhooks.open(tx, source, eventId))
    if (!stored) return
    let programId: string | undefined
    try {
      const { account, fact } = await readable(stored)
      programId = await programOf(account)
      await handleReadable(eventId, programId, fact)
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      const again = new Date(stored.receivedAt.getTime() + accountPatienceMs)
      const isEarly = error.code === 'unknown_account' && clock.now() < again
      await db.transaction((tx) =>
        isEarly
          ? enqueue(tx, handleAloneJob, { eventId }, { dedupeKey: eventId, at: again })
          : webhooks.park(tx, source, eventId, error.message, programId),
      )
    }
  }

  async function handleReadable(eventId: string, programId: string, fact: Fact): Promise<void> {
    const isUnclear = await db.transaction(async (tx) => {
      // Held until the end: of two runs for one event the second finds it handled.
      if (!(await webhooks.open(tx, source, eventId))) return false
      if (fact.type === 'account' && fact.eventId !== askedEventId) {
        await lock(tx, [`account ${programId} ${fact.objectId}`])
        if (await isTied(tx, programId, fact)) return true
      }
      await learn(tx, programId, [fact])
      await webhooks.markHandled(tx, source, eventId, programId)
      await tryParkedAgain(tx, programId, [fact])
      return false
    })
    // An account goes back and forth, so nothing in two events of one second says which is the later one.
    if (!isUnclear) return
    const unread = { object: 'account', id: fact.objectId, created: fact.eventCreated, version: api.version } as const
    await handleReadable(eventId, programId, await readAnew(unread, eventId))
  }

  /** The fact of the event. @throws UserError for an event that is still not as expected */
  async function readable(stored: StoredWebhook): Promise<{ account: string | null; fact: Fact }> {
    const kept = keptEvent.parse(stored.body)
    const { account, fact, problem, unread } = kept.fact || kept.unread ? kept : ((await api.event(stored.eventId)) ?? kept)
    if (!fact && !unread) throw new UserError('unreadable_event', problem ?? 'Stripe no longer has this event.')
    const ownEvent = account === null || account === (await ownAccount()).id
    if (!ownEvent && (fact?.type ?? unread?.object) !== 'account')
      throw new UserError('foreign_account', `It happened on the connected account ${account}, not on the program’s own.`)
    return { account: ownEvent ? null : account, fact: await withCoupon(fact ?? (await readAnew(unread!, stored.eventId))) }
  }

  /** The object of an event that says only which one it is about, or that was written in another version of the API. @throws UserError when Stripe does not have it as expected */
  async function readAnew(unread: UnreadObject, eventId: string): Promise<Fact> {
    const asked = clock.now()
    const found = await api.object(unread, eventId)
    // An account is read as it is now, however old the event is; what Stripe tells while it is asked may be newer.
    if (typeof found === 'object' && found.type === 'account')
      return { ...found, eventCreated: inSeconds(asked), rank: asked.getTime(), eventId: askedEventId }
    if (typeof found === 'object') return readAt(found, clock.now())
    const why = `its ${unread.object} ${unread.id} cannot be read anew: ${found ?? 'Stripe does not have it.'}`
    throw new UserError(
      'unreadable_object',
      unread.version === api.version
        ? `The event does not say enough by itself, and ${why}`
        : `The event is written in version ${unread.version} of Stripe’s API, and ${why} Set the webhook endpoint to version ${api.version}, so that its events can be read as they come.`,
    )
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
      if (!programId) throw new UserError('unknown_account', `The account ${account} belongs to no partner of this program.`)
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

  const seesUnassigned: StripeService['seesUnassigned'] = async (reader, programId) => {
    const [row] = await reader.select().from(accounts).where(eq(accounts.programId, programId))
    return row !== undefined || (await programs.all(reader)).length === 1
  }

  const connect: StripeService['connect'] = async (programId) => {
    const own = await ownAccount()
    await db.transaction(async (tx) => {
      // The first events of a new program come together, and each finds that it is not connected yet.
      await lock(tx, [`account ${own.id}`])
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
          `The Stripe account ${own.id} belongs to another program already. A deployment has one Stripe account, that of STRIPE_SECRET_KEY; a second program with Stripe needs a deployment of its own.`,
        )
    })
    return own
  }

  async function learn(tx: Tx, programId: string, given: readonly Fact[]): Promise<void> {
    for (const fact of newestOf(given)) {
      if (fact.type === 'transfer') await learnTransfer(tx, programId, fact)
      if (fact.type === 'account') await learnAccount(tx, programId, fact)
    }
    const told = given.filter(({ type }) => type !== 'transfer' && type !== 'account')
    if (told.length === 0) return
    // Facts that meet in an invoice take turns, so that the later one sees the earlier.
    await lock(
      tx,
      told.flatMap(({ invoiceId }) => (invoiceId ? [`invoice ${programId} ${invoiceId}`] : [])),
    )
    await keep(tx, programId, told)
    await settle(tx, programId, await paymentsOf(tx, programId, told))
    const at = new Date(clock.now().getTime() + originPatienceMs)
    await enqueue.many(
      tx,
      checkInvoiceJob,
      (await unexplained(tx, programId, told)).map((invoiceId) => ({
        payload: { programId, invoiceId },
        programId,
        dedupeKey: `${programId}:${invoiceId}`,
        at,
      })),
    )
  }

  async function learnTransfer(tx: Tx, programId: string, fact: Fact<'transfer'>): Promise<void> {
    const { objectId, fields } = await keepOne(tx, programId, fact)
    if (fields.payoutId === null) return
    if (fields.reversed > 0 && fields.reversed < fields.amount)
      throw new UserError(
        'partly_reversed',
        `The transfer ${objectId} was reversed in part. Settle the rest with the partner, then correct the books by hand.`,
      )
    // Stripe may tell of a transfer before the call that made it has returned: payouts remembers what it cannot place yet.
    if (fields.reversed > 0) await payouts.confirm(tx, source, objectId, 'returned', 'Stripe reversed the transfer')
    else {
      // An event may be handled days later: parked, or with its endpoint set up too late.
      const paidAt = fields.madeAt == null ? undefined : new Date(fields.madeAt * 1000)
      await payouts.confirm(tx, source, objectId, 'paid', 'Stripe transferred the money', paidAt)
    }
  }

  async function learnAccount(tx: Tx, programId: string, fact: Fact<'account'>): Promise<void> {
    const { objectId, fields, eventCreated } = await keepOne(tx, programId, fact)
    await payouts.accountChanged(tx, source, objectId, { ...fields, at: new Date(eventCreated * 1000) })
  }

  const findOrigin: StripeService['findOrigin'] = async (programId, paymentKey) => {
    try {
      await complete(programId, paymentKey)
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      await db.transaction((tx) => parkNewest(tx, programId, paymentKey, error))
    }
  }

  /** Parks the newest event about a payment that cannot be recorded. Handed in again, it asks for the payment's origin once more. */
  async function parkNewest(tx: Tx, programId: string, paymentKey: string, error: UserError): Promise<void> {
    const [newest] = await tx
      .select({ eventId: facts.eventId })
      .from(facts)
      .where(and(eq(facts.programId, programId), eq(facts.paymentKey, paymentKey), ne(facts.eventId, askedEventId)))
      .orderBy(desc(facts.eventCreated), desc(facts.rank), desc(facts.eventId))
      .limit(1)
    if (!newest) throw error
    await webhooks.parkHandled(tx, source, newest.eventId, error.message, programId)
  }

  const checkInvoice: StripeService['checkInvoice'] = async (programId, invoiceId) => {
    const told = await ofInvoice(db, programId, invoiceId)
    if ((await unexplained(db, programId, told)).length === 0) return
    const found: Fact[] = await api.paymentsOfInvoice(invoiceId)
    if (!aboutInvoice(told).known)
      for (const fact of await api.invoice(invoiceId)) found.push(await withCoupon(readAt(fact, clock.now())))
    try {
      await db.transaction((tx) => explain(tx, programId, invoiceId, found))
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      await db.transaction((tx) => parkInvoice(tx, programId, invoiceId, error.message))
    }
  }

  async function parkInvoice(tx: Tx, programId: string, invoiceId: string, reason: string): Promise<void> {
    const { event } = aboutInvoice(await ofInvoice(tx, programId, invoiceId))
    if (!event) throw new Error(`No event told of the invoice ${invoiceId}, which is to be parked: ${reason}`)
    await webhooks.parkHandled(tx, source, event, reason, programId)
  }

  /** Records what Stripe has of the invoice's payments, and parks the invoice when that is not all and nobody has reported the rest. */
  async function explain(tx: Tx, programId: string, invoiceId: string, found: readonly Fact[]): Promise<void> {
    await lock(tx, [`invoice ${programId} ${invoiceId}`])
    await keep(tx, programId, found, { asked: true })
    await settle(tx, programId, present(found.map(({ paymentKey }) => paymentKey)).toSorted(), 0)
    const { known, outside, inStripe, due } = aboutInvoice(await ofInvoice(tx, programId, invoiceId))
    if (!known && inStripe === 0)
      return parkInvoice(tx, programId, invoiceId, `Stripe has no invoice ${invoiceId}, which is said to be paid.`)
    if (!outside && (inStripe > 0 || !due)) return
    const [reported] = await attribution.matching(tx, programId, { reference: invoiceId, from: new Date(0), to: new Date(0) }, 1)
    if (reported) return
    await parkInvoice(
      tx,
      programId,
      invoiceId,
      `The invoice ${invoiceId} was paid outside Stripe${inStripe > 0 ? ' in part, and that part' : ', and'} is no sale yet. Report it to POST /v1/sales with ${invoiceId} as payment_id and what was paid as amount; then run /admin stripe replay.`,
    )
  }

  const reconcile: StripeService['reconcile'] = async () => {
    const sentBefore = new Date(clock.now().getTime() - confirmPatienceMs)
    const errors: unknown[] = []
    for (const { id: programId } of await programs.all(db))
      for (const transferId of await payouts.unconfirmed(db, programId, source, sentBefore, askedAtOnce))
        await askAboutTransfer(programId, transferId).catch((error: unknown) => errors.push(error))
    if (errors.length > 0) throw errors[0]
  }

  async function askAboutTransfer(programId: string, transferId: string): Promise<void> {
    const now = clock.now()
    const unread = { object: 'transfer', id: transferId, created: Math.floor(now.getTime() / 1000), version: api.version } as const
    const found = await api.object(unread, askedEventId)
    if (typeof found === 'object') return db.transaction((tx) => learn(tx, programId, [found]))
    log.warn({ programId, transferId, problem: found }, 'Stripe does not show a transfer that it was asked to make')
  }

  async function complete(programId: string, paymentKey: string): Promise<void> {
    if (await db.transaction((tx) => isSettled(tx, programId, paymentKey))) return
    const found: Fact[] = []
    for (const fact of await api.originOf(paymentKey)) found.push(await withCoupon(readAt(fact, clock.now())))
    await db.transaction(async (tx) => {
      await keep(tx, programId, found, { asked: true })
      await tx
        .insert(payments)
        .values({ programId, paymentKey, askedAt: clock.now() })
        .onConflictDoUpdate({ target: [payments.programId, payments.paymentKey], set: { askedAt: clock.now() } })
      if (!(await settle(tx, programId, [paymentKey])))
        throw new Error(`Stripe has no charge for the payment ${paymentKey}, which is paid`)
    })
  }

  /** Whether nothing more is missing of the payment. One that was recorded is only looked at: what was told of it since may ask for more than is known. */
  async function isSettled(tx: Tx, programId: string, paymentKey: string): Promise<boolean> {
    const [recorded] = await tx
      .select({ saleId: payments.saleId })
      .from(payments)
      .where(and(eq(payments.programId, programId), eq(payments.paymentKey, paymentKey), isNotNull(payments.saleId)))
    if (!recorded) return settle(tx, programId, [paymentKey])
    return (await assemble(tx, programId, [paymentKey])).get(paymentKey)!.state !== 'incomplete'
  }

  /** Records the payments that are complete; else sees to it that Stripe is asked after that time. Returns whether nothing more is missing of any. */
  async function settle(
    tx: Tx,
    programId: string,
    paymentKeys: readonly string[],
    patienceMs = originPatienceMs,
  ): Promise<boolean> {
    if (paymentKeys.length === 0) return true
    // Held until the end: the last of several transactions about one payment sees the facts of all.
    await lock(
      tx,
      paymentKeys.map((key) => paymentName(programId, key)),
    )
    const assembled = await assemble(tx, programId, paymentKeys)
    const incomplete = paymentKeys.filter((key) => assembled.get(key)!.state === 'incomplete')
    const at = new Date(clock.now().getTime() + patienceMs)
    await enqueue.many(
      tx,
      findOriginJob,
      incomplete.map((paymentKey) => ({
        payload: { programId, paymentKey },
        programId,
        dedupeKey: `${programId}:${paymentKey}`,
        at,
      })),
    )
    const complete = paymentKeys.flatMap((key) => {
      const known = assembled.get(key)!
      return known.state === 'complete' ? [known.payment] : []
    })
    const recorded = await attribution.recordPayments(tx, complete)
    if (complete.length > 0)
      await tx.execute(sql`
        insert into stripe_payments (program_id, payment_key, sale_id)
        select ${programId}::uuid, payment_key, sale_id
        from jsonb_to_recordset(${JSON.stringify(
          complete.map(({ paymentKey }, i) => ({ payment_key: paymentKey, sale_id: recorded[i]!.saleId })),
        )}::text::jsonb) as p (payment_key text, sale_id uuid)
        on conflict (program_id, payment_key) do update set sale_id = excluded.sale_id where stripe_payments.sale_id is distinct from excluded.sale_id`)
    return incomplete.length === 0
  }

  return {
    receive,
    handleEvents,
    handleOrPart,
    handleAlone,
    findOrigin,
    checkInvoice,
    reconcile,
    connect,
    seesUnassigned,
    handleAgain,
  }
}

/** The name of the lock that whoever records the payment holds. */
const paymentName = (programId: string, paymentKey: string): string => `payment ${programId} ${paymentKey}`

const inSeconds = (at: Date): number => Math.floor(at.getTime() / 1000)

const lock = (tx: Tx, names: readonly string[]): Promise<void> =>
  lockNames(
    tx,
    names.map((name) => `stripe ${name}`),
  )
