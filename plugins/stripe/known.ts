// What was told by Stripe, as it is kept: written unless something newer is known, and read again for the payments and invoices that it is about.
import { and, eq, isNotNull, ne, or, type SQL, sql } from 'drizzle-orm'
import { amongTexts, type Reader, type Tx } from '../kit/index.ts'
import { type Assembled, canonicalPayment } from './canonical.ts'
import { askedEventId, type Fact, tookMoney } from './facts.ts'
import { facts, payments } from './tables.ts'

/**
 * Keeps the facts unless something newer is known of the same object. With `asked`, for what was asked rather than told, what an event told stays, unless the
 * object has come further since.
 */
export async function keep(tx: Tx, programId: string, given: readonly Fact[], options: { asked?: boolean } = {}): Promise<void> {
  const isNewer = options.asked
    ? sql`excluded.rank > stripe_facts.rank`
    : sql`(excluded.event_created, excluded.rank, excluded.event_id) >= (stripe_facts.event_created, stripe_facts.rank, stripe_facts.event_id)`
  await tx.execute(sql`
    insert into stripe_facts (program_id, object_id, type, payment_key, invoice_id, subscription_id, fields, event_created, rank, event_id)
    select ${programId}::uuid, f."objectId", f.type, f."paymentKey", f."invoiceId", f."subscriptionId", f.fields, f."eventCreated", f.rank, f."eventId"
    from jsonb_to_recordset(${JSON.stringify(newestOf(given))}::text::jsonb) as f ("objectId" text, type text, "paymentKey" text, "invoiceId" text,
      "subscriptionId" text, fields jsonb, "eventCreated" bigint, rank bigint, "eventId" text)
    order by f."objectId" on conflict (program_id, object_id) do update set payment_key = excluded.payment_key, invoice_id = excluded.invoice_id,
      subscription_id = excluded.subscription_id, fields = excluded.fields, rank = excluded.rank, event_id = excluded.event_id,
      event_created = greatest(excluded.event_created, stripe_facts.event_created)
      where ${isNewer}`)
}

/** Of several facts of one object the newest alone can stay. */
export function newestOf(given: readonly Fact[]): Fact[] {
  const newest = new Map<string, Fact>()
  for (const fact of given) {
    const other = newest.get(fact.objectId)
    if (!other || !isNewer(other, fact)) newest.set(fact.objectId, fact)
  }
  return [...newest.values()]
}

const isNewer = (a: Fact, b: Fact): boolean =>
  a.eventCreated !== b.eventCreated ? a.eventCreated > b.eventCreated : a.rank !== b.rank ? a.rank > b.rank : a.eventId > b.eventId

/** Whether something else told of the object in the very second. */
export async function isTied(reader: Reader, programId: string, { objectId, eventCreated, eventId }: Fact): Promise<boolean> {
  const others = await reader
    .select({ eventId: facts.eventId })
    .from(facts)
    .where(
      and(
        eq(facts.programId, programId),
        eq(facts.objectId, objectId),
        eq(facts.eventCreated, eventCreated),
        ne(facts.eventId, eventId),
      ),
    )
  return others.length > 0
}

/** Keeps the fact, and returns what is known of its object now. */
export async function keepOne<T extends Fact>(tx: Tx, programId: string, fact: T): Promise<T> {
  await keep(tx, programId, [fact])
  const rows = await tx
    .select()
    .from(facts)
    .where(and(eq(facts.programId, programId), eq(facts.objectId, fact.objectId)))
  return toFacts(rows)[0] as T
}

/** The payments that the facts say something about: their own, and those of their invoices. */
export async function paymentsOf(tx: Tx, programId: string, given: readonly Fact[]): Promise<string[]> {
  const keys = new Set(given.flatMap(({ paymentKey }) => paymentKey ?? []))
  const invoiceIds = given.flatMap(({ type, invoiceId }) => (invoiceId && type !== 'invoice_payment' ? [invoiceId] : []))
  if (invoiceIds.length > 0) {
    const links = await tx
      .select({ paymentKey: facts.paymentKey })
      .from(facts)
      .where(and(eq(facts.programId, programId), amongTexts(facts.invoiceId, invoiceIds), eq(facts.type, 'invoice_payment')))
    for (const { paymentKey } of links) if (paymentKey) keys.add(paymentKey)
  }
  return [...keys].sort()
}

const isOutside = (fact: Fact): boolean =>
  fact.type === 'invoice_payment' && fact.fields.outside === true && fact.fields.status === 'paid'

/** Something of the invoice was to be paid and is, as the invoice itself says, or the session that made it. */
const saysPaid = (fact: Fact): boolean =>
  (fact.type === 'invoice' && tookMoney(fact)) || (fact.type === 'session' && fact.fields.paid === true && fact.fields.total > 0)

/** Of the invoices that the facts are about: those with a payment outside Stripe, and those that are paid without any known payment. */
export async function unexplained(reader: Reader, programId: string, given: readonly Fact[]): Promise<string[]> {
  const outside = given.filter(isOutside)
  const paid = given.filter(saysPaid)
  const paidIds = present(paid.map(({ invoiceId }) => invoiceId))
  const links =
    paidIds.length === 0
      ? []
      : await reader
          .select({ invoiceId: facts.invoiceId })
          .from(facts)
          .where(
            and(
              eq(facts.programId, programId),
              amongTexts(facts.invoiceId, paidIds),
              eq(facts.type, 'invoice_payment'),
              isNotNull(facts.paymentKey),
            ),
          )
  const explained = new Set(links.map(({ invoiceId }) => invoiceId))
  return present([...paid.filter(({ invoiceId }) => !explained.has(invoiceId)), ...outside].map(({ invoiceId }) => invoiceId))
}

export interface AboutInvoice {
  /** The invoice itself is known, not only what belongs to it. */
  readonly known: boolean
  /** It is paid, and something was to be paid: it was not free, nor covered by the customer's credit. */
  readonly due: boolean
  /** Something of it was paid outside Stripe. */
  readonly outside: boolean
  /** How many payments went through it. */
  readonly inStripe: number
  /** Which event to park for it. */
  readonly event: string | undefined
}

/** What the facts of one invoice say, those of its session among them. */
export function aboutInvoice(given: readonly Fact[]): AboutInvoice {
  const told = given.filter(({ eventId }) => eventId !== askedEventId)
  const event = told.find(({ type }) => type === 'invoice') ?? told.find(isOutside) ?? told.find(({ type }) => type === 'session')
  return {
    known: given.some(({ type }) => type === 'invoice'),
    due: given.some((fact) => fact.type === 'invoice' && saysPaid(fact)),
    outside: given.some(isOutside),
    inStripe: given.filter(({ type, paymentKey }) => type === 'invoice_payment' && paymentKey !== null).length,
    event: event?.eventId,
  }
}

export const ofInvoice = (reader: Reader, programId: string, invoiceId: string): Promise<Fact[]> =>
  factsWhere(
    reader,
    programId,
    and(
      eq(facts.invoiceId, invoiceId),
      or(...(['invoice', 'invoice_payment', 'session'] as const).map((type) => eq(facts.type, type))),
    )!,
  )

/** What all known facts make of each payment. */
export async function assemble(tx: Tx, programId: string, paymentKeys: readonly string[]): Promise<Map<string, Assembled>> {
  const [ofPayments, askedFor] = await Promise.all([
    factsWhere(tx, programId, amongTexts(facts.paymentKey, paymentKeys)),
    tx
      .select({ key: payments.paymentKey })
      .from(payments)
      .where(and(eq(payments.programId, programId), amongTexts(payments.paymentKey, paymentKeys), isNotNull(payments.askedAt))),
  ])
  const own = Map.groupBy(ofPayments, ({ paymentKey }) => paymentKey!)
  const asked = new Set(askedFor.map(({ key }) => key))
  const invoiceIds = present([...own.values()].flat().map(({ invoiceId }) => invoiceId))
  const ofInvoices = invoiceIds.length === 0 ? [] : await factsWhere(tx, programId, amongTexts(facts.invoiceId, invoiceIds))
  const related = Map.groupBy(
    ofInvoices.filter(({ type }) => type === 'invoice' || type === 'session'),
    ({ invoiceId }) => invoiceId!,
  )
  const subscriptions = present([...related.values()].flat().map(({ subscriptionId }) => subscriptionId))
  const ofSubscriptions = subscriptions.length === 0 ? [] : await factsOfSubscriptions(tx, programId, subscriptions)
  return new Map(
    paymentKeys.map((paymentKey) => {
      const mine = own.get(paymentKey) ?? []
      const around = present(mine.map(({ invoiceId }) => invoiceId)).flatMap((invoiceId) => related.get(invoiceId) ?? [])
      const partOf = new Set(present(around.map(({ subscriptionId }) => subscriptionId)))
      const all = new Map([...mine, ...around].map((fact) => [fact.objectId, fact]))
      const siblings = ofSubscriptions.filter(({ subscriptionId }) => partOf.has(subscriptionId!))
      return [
        paymentKey,
        canonicalPayment({
          programId,
          paymentKey,
          facts: [...all.values()],
          siblings: siblings.filter((fact) => fact.type === 'invoice'),
          beginnings: siblings.filter((fact) => fact.type === 'session'),
          asked: asked.has(paymentKey),
        }),
      ]
    }),
  )
}

/** The ids that there are, each once. */
export const present = (ids: readonly (string | null)[]): string[] => [...new Set(ids.flatMap((id) => id ?? []))]

async function factsWhere(reader: Reader, programId: string, condition: SQL): Promise<Fact[]> {
  return toFacts(
    await reader
      .select()
      .from(facts)
      .where(and(eq(facts.programId, programId), condition)),
  )
}

const factsOfSubscriptions = (tx: Tx, programId: string, subscriptions: readonly string[]): Promise<Fact[]> =>
  factsWhere(
    tx,
    programId,
    and(amongTexts(facts.subscriptionId, subscriptions), or(eq(facts.type, 'invoice'), eq(facts.type, 'session')))!,
  )

function toFacts(rows: readonly (typeof facts.$inferSelect)[]): Fact[] {
  return rows.map(({ programId: _, ...fact }) => fact as Fact)
}
