// Records payments as sales, decides whose they are and binds the customers: many payments with few statements, so that a flood of webhooks costs little.
import { and, eq, isNull, sql } from 'drizzle-orm'
import {
  amongIds,
  amongTexts,
  type Clock,
  type Emit,
  exponentOf,
  isInTheFuture,
  lockNames,
  newId,
  type Settings,
  type Tx,
  textArray,
  UserError,
} from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import type { Config } from './config.ts'
import { decide, originOf, type Standing, type Trace } from './decide.ts'
import { saleAttributed, saleDisputed, saleRebased, saleRecorded, saleRefunded } from './events.ts'
import { askedOf, type Binding, type EmailsOf, isFirst, pastOf, readEmails } from './past.ts'
import {
  type Asked,
  type Attribution,
  type CanonicalPayment,
  largestSale,
  type Origin,
  type Touch,
  type TouchSource,
} from './public.ts'
import { basisOf, lostOf, parties, type SaleRow, toSale, whole } from './sale.ts'
import { sales } from './tables.ts'

export interface Needs {
  readonly clock: Clock
  readonly emit: Emit
  readonly settings: Settings<Config>
  readonly partners: Partners
  readonly touchSources: () => readonly TouchSource[]
  readonly hashEmail: (email: string) => string
}

/** See `Attribution.recordPayments`. */
export function createRecording({
  clock,
  emit,
  settings,
  partners,
  touchSources,
  hashEmail,
}: Needs): Attribution['recordPayments'] {
  return async (tx, given) => {
    const payments = given.map(checked)
    const results: { saleId: string; created: boolean }[] = new Array(payments.length)
    await lockPayments(tx, payments)
    for (const wave of inWaves(payments)) {
      const ofWave = wave.map((i) => payments[i]!)
      const known = await salesOf(tx, ofWave)
      const fresh = ofWave.filter((payment) => !known.has(payment.paymentKey))
      for (const payment of fresh) refuseFuture(payment, clock.now())
      const made = await create(tx, fresh)
      for (const i of wave) {
        const payment = payments[i]!
        const before = known.get(payment.paymentKey)
        const sale = before ? await refine(tx, before, payment) : made.get(payment.paymentKey)!
        await followUp(tx, sale, payment)
        results[i] = { saleId: sale.id, created: !before }
      }
    }
    return results
  }

  /** Sales for payments of one program that have none, whose customers are all different; by payment key. */
  async function create(tx: Tx, payments: readonly CanonicalPayment[]): Promise<Map<string, SaleRow>> {
    if (payments.length === 0) return new Map()
    const { programId } = payments[0]!
    const [{ customerIds, alsoKnownAs, missing, fresh }, touches, rule] = await Promise.all([
      namedCustomers(tx, payments),
      touchesOf(tx, programId, payments),
      settings.of(tx, programId),
    ])
    const all = [...customerIds, ...alsoKnownAs.flat()]
    if (new Set(all).size < all.length) {
      // One customer under names that had nothing in common: each payment must see what the one before it did.
      const made = new Map<string, SaleRow>()
      for (const payment of payments) for (const [key, row] of await create(tx, [payment])) made.set(key, row)
      return made
    }
    await keepNames(tx, programId, fresh, missing)
    const freshIds = new Set(fresh.map(({ id }) => id))
    const before = await pastOf(
      tx,
      programId,
      all.filter((id) => !freshIds.has(id)),
    )
    const bindingOf = new Map(before.bindingOf)
    for (const [i, customerId] of customerIds.entries()) {
      const ofOther = alsoKnownAs[i]!.flatMap((id) => before.bindingOf.get(id) ?? [])[0]
      if (ofOther && !bindingOf.has(customerId)) bindingOf.set(customerId, { ...ofOther, customerId })
    }
    const judged = await judge(tx, programId, payments, { customerIds, touches, rule, bindingOf, emailsOf: before.emailsOf })
    const now = clock.now()
    const rows = payments.map((payment, i): SaleRow => {
      const { programId, provider, paymentKey, currency, gross, tax, shipping, hints, paidAt } = payment
      return {
        id: newId(now),
        programId,
        provider,
        paymentKey,
        customerId: customerIds[i]!,
        partnerId: judged[i]!.trace.winner,
        currency,
        gross,
        tax,
        shipping,
        refunded: 0n,
        dispute: 'none',
        lost: 0n,
        product: payment.product ?? null,
        subscription: payment.recurring?.subscription ?? null,
        sequence: payment.recurring?.sequence ?? null,
        firstOfCustomer: isFirst(payment, before.bought.get(customerIds[i]!)),
        hints,
        origin: judged[i]!.origin,
        paidAt,
        recordedAt: now,
      }
    })
    await Promise.all([
      insertSales(tx, rows),
      ...keepDecisions(
        tx,
        rows,
        judged.map(({ trace }) => trace),
      ),
    ])
    await emit(tx, saleRecorded, ...rows.map((row) => ({ ...whole(row), partnerId: row.partnerId })))
    const known = rows.filter(({ customerId }) => !freshIds.has(customerId))
    await takeFirst(
      tx,
      programId,
      known.filter(({ firstOfCustomer }) => firstOfCustomer),
    )
    await bindLater(
      tx,
      known.filter(({ partnerId, customerId }) => partnerId !== null && !before.bindingOf.has(customerId)),
      rule,
    )
    return new Map(rows.map((row) => [row.paymentKey, row]))
  }

  /**
   * A known sale: what was paid stands, tax and shipping follow the provider; a new hint may give it the partner that it does not have yet, unless people
   * decided that it has none.
   */
  async function refine(tx: Tx, known: SaleRow, payment: CanonicalPayment): Promise<SaleRow> {
    const row = await rebase(tx, known, payment)
    if (payment.currency !== row.currency || payment.gross !== row.gross)
      throw new UserError(
        'sale_changed',
        `The payment ${payment.paymentKey} was recorded as ${row.gross} ${row.currency} (minor units) and now comes as ${payment.gross} ${payment.currency}.`,
      )
    const hints = { ...row.hints, ...payment.hints }
    const nothingNew = (['clickId', 'coupon', 'deal'] as const).every((kind) => hints[kind] === row.hints[kind])
    if (row.partnerId !== null || nothingNew || (await isDecidedByPeople(tx, row))) return row
    const { programId, customerId } = row
    const [{ bindingOf, emailsOf }, touches, rule] = await Promise.all([
      pastOf(tx, programId, [customerId]),
      touchesOf(tx, programId, [{ ...payment, hints }]),
      settings.of(tx, programId),
    ])
    const given = { customerIds: [customerId], touches, bindingOf, emailsOf, rule }
    const { trace, origin } = (await judge(tx, programId, [{ ...payment, hints }], given))[0]!
    const updated = { ...row, hints, origin, partnerId: trace.winner }
    await tx.update(sales).set({ hints, origin, partnerId: trace.winner }).where(eq(sales.id, row.id))
    await Promise.all(keepDecisions(tx, [updated], [trace]))
    if (trace.winner) await emit(tx, saleAttributed, { ...whole(updated), partnerId: trace.winner })
    if (trace.winner && !bindingOf.has(customerId)) await bindLater(tx, [updated], rule)
    return updated
  }

  /**
   * Payments may be told in another order than they were made. Later ones of customers whom these sales bind, recorded while nobody was known to have brought
   * the customer, are decided again. What an admin decided stays.
   */
  async function bindLater(tx: Tx, binding: readonly SaleRow[], rule: Config): Promise<void> {
    if (binding.length === 0) return
    const { programId } = binding[0]!
    const by = new Map(binding.map((row) => [row.customerId, row]))
    const unclaimed = await tx
      .select()
      .from(sales)
      .where(
        and(
          eq(sales.programId, programId),
          amongIds(sales.customerId, by.keys()),
          isNull(sales.partnerId),
          sql`not ${overriddenBefore}`,
        ),
      )
      .orderBy(sales.paidAt, sales.id)
      .for('update')
    const later = unclaimed.filter(({ customerId, paidAt }) => paidAt >= by.get(customerId)!.paidAt)
    if (later.length === 0) return
    const payments = await askedOf(tx, programId, later)
    const touches = await touchesOf(tx, programId, payments)
    const bindingOf = new Map(
      binding.map(({ customerId, partnerId, paidAt, origin }) => [
        customerId,
        { customerId, partnerId: partnerId!, boundAt: paidAt, origin },
      ]),
    )
    const customerIds = later.map(({ customerId }) => customerId)
    const emailsOf = await readEmails(tx, programId, [...by.keys()])
    const judged = await judge(tx, programId, payments, { customerIds, touches, bindingOf, emailsOf, rule })
    const won = later.flatMap((row, i) => {
      const { trace, origin } = judged[i]!
      return trace.winner === null ? [] : [{ row: { ...row, origin, partnerId: trace.winner }, partnerId: trace.winner, trace }]
    })
    for (const { row } of won)
      await tx.update(sales).set({ origin: row.origin, partnerId: row.partnerId }).where(eq(sales.id, row.id))
    if (won.length === 0) return
    await Promise.all(
      keepDecisions(
        tx,
        won.map(({ row }) => row),
        won.map(({ trace }) => trace),
      ),
    )
    await emit(tx, saleAttributed, ...won.map(({ row, partnerId }) => ({ ...whole(row), partnerId })))
  }

  /** Which of a customer's sales is the first is settled once one of them has a partner; until then an earlier payment takes it from a later one. */
  async function takeFirst(tx: Tx, programId: string, firsts: readonly SaleRow[]): Promise<void> {
    if (firsts.length === 0) return
    await tx.execute(sql`
      update attribution_sales set first_of_customer = false
      where program_id = ${programId}::uuid and ${amongIds(
        sql`customer_id`,
        firsts.map(({ customerId }) => customerId),
      )} and first_of_customer and partner_id is null and not ${amongIds(
        sql`id`,
        firsts.map(({ id }) => id),
      )}`)
  }

  async function rebase(tx: Tx, row: SaleRow, { tax, shipping }: CanonicalPayment): Promise<SaleRow> {
    if (tax === row.tax && shipping === row.shipping) return row
    const rebased = { ...row, tax, shipping }
    await tx.update(sales).set({ tax, shipping }).where(eq(sales.id, row.id))
    await emit(tx, saleRebased, { ...parties(row), basis: basisOf(rebased) })
    return rebased
  }

  /** Takes over what was refunded or disputed since, and tells it. */
  async function followUp(tx: Tx, row: SaleRow, payment: CanonicalPayment): Promise<void> {
    const { refunded } = payment
    // A provider that knows of no dispute has not closed one: an open dispute ends as won or lost.
    const dispute = payment.dispute === 'none' ? row.dispute : payment.dispute
    const lost = lostOf(payment, row.lost)
    const disputeChanged = dispute !== row.dispute || lost !== row.lost
    if (refunded === row.refunded && !disputeChanged) return
    await tx.update(sales).set({ refunded, dispute, lost }).where(eq(sales.id, row.id))
    if (refunded !== row.refunded) await emit(tx, saleRefunded, { ...parties(row), refundedTotal: refunded })
    if (disputeChanged && dispute !== 'none')
      await emit(tx, saleDisputed, { ...parties(row), dispute, lostTotal: toSale({ ...row, refunded, lost }).lost })
  }

  async function judge(
    tx: Tx,
    programId: string,
    payments: readonly Asked[],
    { customerIds, touches, bindingOf, emailsOf, rule }: Evidence,
  ): Promise<{ trace: Trace; origin: Origin | null }[]> {
    const involved = new Set([...bindingOf.values(), ...touches.flat()].map(({ partnerId }) => partnerId))
    const standings = new Map(
      (await partners.byIds(tx, programId, [...involved])).map((partner): [string, Standing] => [
        partner.id,
        { status: partner.status, emailHash: hashEmail(partner.email) },
      ]),
    )
    return payments.map(({ customer, paidAt }, i) => {
      const binding = bindingOf.get(customerIds[i]!)
      const trace = decide(
        {
          boundAt: paidAt,
          customerEmails: [
            ...(emailsOf.get(customerIds[i]!) ?? []),
            ...(customer.emailHash === undefined ? [] : [customer.emailHash]),
          ],
          existing: binding && { partnerId: binding.partnerId, boundAt: binding.boundAt },
          touches: touches[i]!,
          partners: standings,
        },
        rule,
      )
      return { trace, origin: originOf(trace, touches[i]!, binding?.origin ?? null) }
    })
  }

  /** For each payment what speaks for a partner. */
  async function touchesOf(tx: Tx, programId: string, payments: readonly Asked[]): Promise<Touch[][]> {
    const found: Touch[][] = payments.map(() => [])
    const answers = await Promise.all(
      touchSources().map(
        async (source): Promise<readonly (readonly Touch[])[]> =>
          source.findAll
            ? source.findAll(tx, programId, payments)
            : Promise.all(payments.map(({ hints, customer, paidAt }) => source.find(tx, programId, hints, customer, paidAt))),
      ),
    )
    for (const ofSource of answers) for (const [i, touches] of ofSource.entries()) found[i]!.push(...touches)
    return found
  }

  /** The statements that keep the decisions and bind the customers, on their way in this order. */
  function keepDecisions(tx: Tx, rows: readonly SaleRow[], traces: readonly Trace[]): PromiseLike<unknown>[] {
    const now = clock.now()
    const made = rows.map((row, i) => ({ row, trace: traces[i]!, id: newId(now) }))
    const decided = tx.execute(sql`
      insert into attribution_decisions (id, program_id, sale_id, number, partner_id, rule_version, trace, decided_at)
      select d.id, d.program_id, d.sale_id,
        (select count(*) + 1 from attribution_decisions e where e.program_id = d.program_id and e.sale_id = d.sale_id),
        d.partner_id, d.rule_version, d.trace, ${now.toISOString()}::timestamptz
      from jsonb_to_recordset(${json(
        made.map(({ row, trace, id }) => ({
          id,
          program_id: row.programId,
          sale_id: row.id,
          partner_id: row.partnerId,
          rule_version: trace.ruleVersion,
          trace,
        })),
      )}::text::jsonb) as d (id uuid, program_id uuid, sale_id uuid, partner_id uuid, rule_version text, trace jsonb)`)
    const binding = made.filter(({ row }) => row.partnerId !== null)
    if (binding.length === 0) return [decided]
    const bound = tx.execute(sql`
      insert into attribution_bindings (program_id, customer_id, partner_id, sale_id, decision_id, bound_at)
      select program_id, customer_id, partner_id, sale_id, decision_id, bound_at
      from jsonb_to_recordset(${json(
        binding.map(({ row, id }) => ({
          program_id: row.programId,
          customer_id: row.customerId,
          partner_id: row.partnerId,
          sale_id: row.id,
          decision_id: id,
          bound_at: row.paidAt,
        })),
      )}::text::jsonb) as b (program_id uuid, customer_id uuid, partner_id uuid, sale_id uuid, decision_id uuid, bound_at timestamptz)
      on conflict do nothing`)
    return [decided, bound]
  }

  /** For each payment its customer, under any of the payment's names, with a new id when all of them are new; and the names that are. */
  async function namedCustomers(tx: Tx, payments: readonly CanonicalPayment[]): Promise<NamedCustomers> {
    const { programId } = payments[0]!
    const now = clock.now()
    const names = payments.map(namesOf)
    const rows = await tx.execute<{ kind: string; value: string; customer_id: string }>(sql`
      select i.kind, i.value, i.customer_id
      from unnest(${textArray(names.flat().map(({ kind }) => kind))}::text[], ${textArray(names.flat().map(({ value }) => value))}::text[]) as n (kind, value)
      join attribution_identities i on i.program_id = ${programId}::uuid and i.kind = n.kind and i.value = n.value`)
    const found = new Map(rows.map((row) => [keyOf(row), row.customer_id]))
    const customerIds = names.map((own) => own.map((name) => found.get(keyOf(name))).find((id) => id !== undefined) ?? newId(now))
    const isNew = names.map((own) => own.every((name) => !found.has(keyOf(name))))
    return {
      customerIds,
      alsoKnownAs: names.map((own, i) => [
        ...new Set(own.flatMap((name) => found.get(keyOf(name)) ?? []).filter((id) => id !== customerIds[i])),
      ]),
      missing: names.flatMap((own, i) =>
        own.filter((name) => !found.has(keyOf(name))).map((name) => ({ ...name, id: customerIds[i]! })),
      ),
      fresh: payments.flatMap(({ customer }, i) => (isNew[i] ? [{ id: customerIds[i]!, country: customer.country ?? null }] : [])),
    }
  }

  async function keepNames(
    tx: Tx,
    programId: string,
    fresh: NamedCustomers['fresh'],
    missing: NamedCustomers['missing'],
  ): Promise<void> {
    if (missing.length === 0) return
    await tx.execute(sql`
      with fresh as (
        insert into attribution_customers (id, program_id, country, created_at)
        select id, ${programId}::uuid, country, ${clock.now().toISOString()}::timestamptz
        from jsonb_to_recordset(${json(fresh)}::text::jsonb) as c (id uuid, country text))
      insert into attribution_identities (program_id, kind, value, customer_id)
      select ${programId}::uuid, kind, value, id from jsonb_to_recordset(${json(missing)}::text::jsonb) as i (kind text, value text, id uuid)`)
  }
}

interface NamedCustomers {
  readonly customerIds: readonly string[]
  /** For each the customers that the payment's other names belong to: the same one, as it turns out, who is bound once. */
  readonly alsoKnownAs: readonly (readonly string[])[]
  /** Those among them that do not exist yet. */
  readonly fresh: readonly { readonly id: string; readonly country: string | null }[]
  /** Names that are not on record yet. */
  readonly missing: readonly (Name & { readonly id: string })[]
}

/** What payments of one program are judged by; lists in the order of the payments. */
interface Evidence {
  readonly customerIds: readonly string[]
  readonly touches: readonly (readonly Touch[])[]
  readonly bindingOf: ReadonlyMap<string, Binding>
  readonly emailsOf: EmailsOf
  readonly rule: Config
}

async function insertSales(tx: Tx, rows: readonly SaleRow[]): Promise<void> {
  await tx.execute(sql`
    insert into attribution_sales (id, program_id, provider, payment_key, customer_id, partner_id, currency, gross, tax, shipping, product,
      subscription, sequence, first_of_customer, hints, origin, paid_at, recorded_at)
    select * from jsonb_to_recordset(${json(
      rows.map((row) => ({
        id: row.id,
        program_id: row.programId,
        provider: row.provider,
        payment_key: row.paymentKey,
        customer_id: row.customerId,
        partner_id: row.partnerId,
        currency: row.currency,
        gross: row.gross.toString(),
        tax: row.tax.toString(),
        shipping: row.shipping.toString(),
        product: row.product,
        subscription: row.subscription,
        sequence: row.sequence,
        first_of_customer: row.firstOfCustomer,
        hints: row.hints,
        origin: row.origin,
        paid_at: row.paidAt,
        recorded_at: row.recordedAt,
      })),
    )}::text::jsonb) as s (id uuid, program_id uuid, provider text, payment_key text, customer_id uuid, partner_id uuid, currency text, gross bigint,
      tax bigint, shipping bigint, product text, subscription text, sequence integer, first_of_customer boolean, hints jsonb, origin jsonb, paid_at timestamptz,
      recorded_at timestamptz)`)
}

const json = (rows: readonly unknown[]): string => JSON.stringify(rows)

/** The payment in canonical form. @throws UserError that names what cannot be */
function checked(payment: CanonicalPayment): CanonicalPayment {
  const currency = payment.currency.toUpperCase()
  exponentOf(currency)
  const { gross, tax, shipping, refunded, lost } = payment
  const refuse = (code: string, what: string) => {
    throw cannotBeRecorded(payment, code, what)
  }
  if (gross <= 0n) refuse('bad_gross', `its amount is ${gross}, and a sale is more than zero`)
  if (gross > largestSale) refuse('bad_gross', `its amount of ${gross} minor units is larger than any sale can be`)
  if (tax < 0n || shipping < 0n || tax + shipping > gross)
    refuse('bad_basis', `tax ${tax} and shipping ${shipping} do not fit into its amount of ${gross}`)
  if (refunded < 0n || refunded > gross) refuse('bad_refund', `${refunded} were refunded of ${gross}`)
  if (lost !== undefined && lost < 0n) refuse('bad_dispute', `${lost} were lost to disputes, and nothing can be lost below zero`)
  return { ...payment, currency }
}

/** Only new sales are refused: one that is recorded already is still refunded and disputed. */
function refuseFuture(payment: CanonicalPayment, now: Date): void {
  if (isInTheFuture(payment.paidAt, now))
    throw cannotBeRecorded(payment, 'in_the_future', `it is dated ${payment.paidAt.toISOString()}, which is in the future`)
}

const cannotBeRecorded = ({ paymentKey }: CanonicalPayment, code: string, what: string): UserError =>
  new UserError(code, `The payment ${paymentKey} cannot be recorded: ${what}.`)

interface Name {
  readonly kind: string
  readonly value: string
}

/** The customer's names: the provider's key first, since it is the most certain. */
function namesOf({ provider, customer }: CanonicalPayment): Name[] {
  return [
    { kind: provider, value: customer.key },
    ...(customer.emailHash === undefined ? [] : [{ kind: 'email', value: customer.emailHash }]),
  ]
}

const keyOf = ({ kind, value }: Name): string => `${kind} ${value}`

/** Indices of the payments in groups that share no program's payment or customer within a group: a later payment of a customer must see the earlier one. */
function inWaves(payments: readonly CanonicalPayment[]): number[][] {
  const waves: { names: Set<string>; programId: string; provider: string; members: number[] }[] = []
  for (const [i, payment] of payments.entries()) {
    const { programId, provider, paymentKey } = payment
    const names = [`payment ${paymentKey}`, ...namesOf(payment).map(keyOf)]
    // Not before a wave that has one of its names: what was given first is recorded first.
    const after = waves.findLastIndex((wave) => wave.programId === programId && names.some((name) => wave.names.has(name)))
    const wave = waves.find((wave, at) => at > after && wave.programId === programId && wave.provider === provider)
    if (wave) {
      wave.members.push(i)
      for (const name of names) wave.names.add(name)
    } else waves.push({ names: new Set(names), programId, provider, members: [i] })
  }
  return waves.map(({ members }) => members)
}

/**
 * Holds the payments and their customers until the transaction ends, so that of concurrent deliveries the first records and the others find it recorded,
 * and two first payments of one customer make one binding.
 */
async function lockPayments(tx: Tx, payments: readonly CanonicalPayment[]): Promise<void> {
  await lockNames(
    tx,
    payments.flatMap((payment) =>
      [`payment ${payment.provider} ${payment.paymentKey}`, ...namesOf(payment).map((name) => `customer ${keyOf(name)}`)].map(
        (name) => `attribution ${payment.programId} ${name}`,
      ),
    ),
  )
}

/** Whether people decided whose the sale is. */
const overriddenBefore = sql`exists (select from attribution_decisions d where d.program_id = ${sales.programId} and d.sale_id = ${sales.id} and d.trace ? 'override')`

async function isDecidedByPeople(tx: Tx, { programId, id }: SaleRow): Promise<boolean> {
  const found = await tx
    .select({ id: sales.id })
    .from(sales)
    .where(and(eq(sales.programId, programId), eq(sales.id, id), overriddenBefore))
  return found.length > 0
}

/** The sales that the payments (of one program and provider) have already, locked; by payment key. */
async function salesOf(tx: Tx, payments: readonly CanonicalPayment[]): Promise<Map<string, SaleRow>> {
  const { programId, provider } = payments[0]!
  const keys = payments.map(({ paymentKey }) => paymentKey)
  const rows = await tx
    .select()
    .from(sales)
    .where(and(eq(sales.programId, programId), eq(sales.provider, provider), amongTexts(sales.paymentKey, keys)))
    .orderBy(sales.id)
    .for('update')
  return new Map(rows.map((row) => [row.paymentKey, row]))
}
