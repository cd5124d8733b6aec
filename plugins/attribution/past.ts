// What customers did before a payment: to whom they are bound, what they bought, and under which names they are known. Reads, and holds the customers.
import { and, eq, min, sql } from 'drizzle-orm'
import { amongIds, type Reader, type Tx } from '../kit/index.ts'
import type { Asked, CanonicalPayment, Origin } from './public.ts'
import type { SaleRow } from './sale.ts'
import { bindings, customers, identities, sales } from './tables.ts'

export interface Binding {
  readonly customerId: string
  readonly partnerId: string
  readonly boundAt: Date
  readonly origin: Origin | null
}

/** What a customer bought before. */
interface Bought {
  readonly earliest: Date
  /** A sale that has a partner is the customer's first. */
  readonly firstIsSettled: boolean
}

/** Whether the payment is the customer's first, as far as is known: whoever tells it may tell an earlier one later. */
export function isFirst({ paidAt, recurring }: CanonicalPayment, bought: Bought | undefined): boolean {
  if (recurring && recurring.sequence > 1) return false
  return !bought || (bought.earliest >= paidAt && !bought.firstIsSettled)
}

/**
 * To whom known customers are bound, what they bought before, and the addresses they are known under. The customers are held until the end: payments of one
 * under names that do not overlap are still decided one after the other.
 */
export async function pastOf(
  tx: Tx,
  programId: string,
  customerIds: readonly string[],
): Promise<{ bindingOf: Map<string, Binding>; bought: Map<string, Bought>; emailsOf: EmailsOf }> {
  if (customerIds.length === 0) return { bindingOf: new Map(), bought: new Map(), emailsOf: new Map() }
  await tx
    .select({ id: customers.id })
    .from(customers)
    .where(amongIds(customers.id, customerIds))
    .orderBy(customers.id)
    .for('update')
  const [bound, bought, emailsOf] = await Promise.all([
    tx
      .select({ customerId: bindings.customerId, partnerId: bindings.partnerId, boundAt: bindings.boundAt, origin: sales.origin })
      .from(bindings)
      .innerJoin(sales, and(eq(sales.programId, bindings.programId), eq(sales.id, bindings.saleId)))
      .where(and(eq(bindings.programId, programId), amongIds(bindings.customerId, customerIds))),
    tx
      .select({
        customerId: sales.customerId,
        earliest: min(sales.paidAt),
        firstIsSettled: sql<boolean>`bool_or(${sales.firstOfCustomer} and ${sales.partnerId} is not null)`,
      })
      .from(sales)
      .where(and(eq(sales.programId, programId), amongIds(sales.customerId, customerIds)))
      .groupBy(sales.customerId),
    readEmails(tx, programId, customerIds),
  ])
  return {
    bindingOf: new Map(bound.map((binding) => [binding.customerId, binding])),
    bought: new Map(
      bought.map(({ customerId, earliest, firstIsSettled }) => [customerId, { earliest: earliest!, firstIsSettled }]),
    ),
    emailsOf,
  }
}

/** The keyed hashes of customers' e-mail addresses; who has none is absent. */
export type EmailsOf = ReadonlyMap<string, readonly string[]>

export async function readEmails(reader: Reader, programId: string, customerIds: readonly string[]): Promise<EmailsOf> {
  const rows = await reader
    .select({ customerId: identities.customerId, hash: identities.value })
    .from(identities)
    .where(and(eq(identities.programId, programId), amongIds(identities.customerId, customerIds), eq(identities.kind, 'email')))
  return new Map([...Map.groupBy(rows, ({ customerId }) => customerId)].map(([id, own]) => [id, own.map(({ hash }) => hash)]))
}

/** What the sales' payments said, and the customers' names, as far as they are on record. */
export async function askedOf(tx: Tx, programId: string, rows: readonly SaleRow[]): Promise<Asked[]> {
  const named = await tx
    .select()
    .from(identities)
    .where(
      and(
        eq(identities.programId, programId),
        amongIds(
          identities.customerId,
          rows.map(({ customerId }) => customerId),
        ),
      ),
    )
    .orderBy(identities.kind, identities.value)
  return rows.map(({ customerId, provider, paymentKey, hints, paidAt }) => {
    const own = named.filter((name) => name.customerId === customerId)
    const key = own.find(({ kind }) => kind === provider)?.value ?? paymentKey
    return { hints, paidAt, customer: { key, emailHash: own.find(({ kind }) => kind === 'email')?.value, country: undefined } }
  })
}
