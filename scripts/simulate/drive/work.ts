// The queue of the simulation: hands open rows of the outbox to the real deliverer, as often and in whatever order it likes.
import { and, inArray, isNull, lte, notInArray } from 'drizzle-orm'
import type { Connection } from '../../../db/connect.ts'
import { type DueRow, setAside } from '../../../db/outbox.ts'
import { outbox } from '../../../db/tables.ts'
import { createDeliverer } from '../../../jobs/deliver.ts'
import { newsInTurn } from '../oracle.ts'
import { isPayday, type Size } from '../plan/calendar.ts'
import { fateOf, isShortAtOnce, transferFateOf } from '../plan/fates.ts'
import { chance, shuffled } from '../random.ts'
import { inLanes, type Setting } from './setting.ts'

/** Whether events go one by one on this day, as is done after something went wrong; else together. */
const isPatient = (size: Size, turn: number): boolean => chance(size.seed, 'patient', turn) < 0.2

export interface Work {
  /** Everything about partners and their agreements. */
  deliverPeople(day: number): Promise<void>
  /** Everything about sales, in an order of its own, some of it twice; then the judgement of what they earned. */
  deliverSales(turn: number, paymentOf: ReadonlyMap<string, string>, waits: (payment: string) => boolean): Promise<void>
  /** What follows from the hands of admins. */
  deliverHands(day: number): Promise<void>
  /** What follows from a sale that changed hands. */
  deliverChange(day: number): Promise<void>
  /** Events of PayPal that were taken in. */
  deliverPayPal(day: number): Promise<void>
  /** Events of Stripe that were taken in, and what they ask for by now: until nothing more is due. */
  deliverStripe(name: string): Promise<void>
  /** Payouts that are to be sent, each tried until the bank answers or is given up for the day. */
  deliverPayouts(day: number): Promise<void>
  /** Has Stripe asked about the accounts of payouts that did not get through, or came back. */
  deliverChecks(day: number): Promise<void>
}

const stripeJobs = ['handle_events', 'handle_event', 'handle_alone', 'find_origin', 'check_invoice'].map((name) => `stripe.${name}`)

type OpenRow = DueRow & { readonly payload: Record<string, unknown> }

/** Lets the simulation's database, which is its own, find open work at once. */
export async function indexOpenWork({ sql }: Connection): Promise<void> {
  // The relay asks for what is fresh, and for what is stale; the simulation, in its disorder, for both at once.
  await sql.unsafe('create index simulation_open on core_outbox (id) where done_at is null')
}

export function createWork({ house, faults, size }: Setting): Work {
  const { clock, loaded, connection } = house
  const deliverer = createDeliverer({ db: faults.db, clock, log: silent(), loaded })
  const signal = new AbortController().signal
  const heard = [...new Set(loaded.listeners.map(({ event }) => event.name))].filter((name) => !name.startsWith('notifications.'))
  const delivered = [...heard, 'payouts.send', 'fraud.evaluate_commission', 'paypal.handle_event', ...stripeJobs]

  async function open(names: readonly string[]): Promise<OpenRow[]> {
    if (names.length === 0) return []
    return connection.db
      .select()
      .from(outbox)
      .where(
        and(isNull(outbox.doneAt), isNull(outbox.failedAt), lte(outbox.availableAt, clock.now()), inArray(outbox.name, [...names])),
      )
      .orderBy(outbox.id) as Promise<OpenRow[]>
  }

  /** Tries again what failed outside of the database, and gives up after a while. */
  async function persistently(work: (attempt: number) => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++)
      try {
        return await work(attempt)
      } catch (error) {
        if (attempt === 8) throw error
      }
  }

  async function deliver(row: OpenRow, name: string): Promise<void> {
    const twice = chance(size.seed, 'twice', name) < 0.05 ? 2 : 1
    for (const target of deliverer.targetsOf(row))
      await Promise.all(
        Array.from({ length: twice }, (_, copy) =>
          faults.survive(`deliver ${name} ${target} ${copy}`, () => deliverer.deliver(row.id, target, 1, signal)),
        ),
      )
  }

  /** One kind of news after the other, and within it sales in an order that has nothing to do with time. */
  function inTurn(rows: readonly OpenRow[], payment: (row: OpenRow) => string, turn: number): OpenRow[] {
    const byKind = Map.groupBy(rows, ({ name, payload }) => {
      const kind = name.replace('attribution.sale_', '')
      return kind === 'recorded' && payload.partnerId === null ? 'unclaimed' : kind
    })
    return newsInTurn(size, turn).flatMap((kind) => {
      const byPayment = Map.groupBy(byKind.get(kind) ?? [], payment)
      return shuffled([...byPayment], ([name]) => name, size.seed, 'book', turn).flatMap(([, about]) => about)
    })
  }

  /**
   * Delivers the rows in one transaction, with everything that follows from them, as is done where all goes well. Whatever else is open counts as handed
   * over: it waits for a turn of its own.
   */
  async function deliverTogether(rows: readonly OpenRow[], name: string): Promise<void> {
    if (rows.length === 0) return
    await connection.db
      .update(outbox)
      .set({ relayedAt: clock.now() })
      .where(and(isNull(outbox.doneAt), isNull(outbox.relayedAt)))
    await faults.survive(`together ${name}`, () => house.db.transaction((tx) => deliverer.deliverTogether(tx, rows)))
  }

  /** Delivers what is open under these names, and what that asks for: together, or side by side and one by one. */
  async function deliverAll(names: readonly string[], turn: number, idOf: (payload: OpenRow['payload']) => unknown): Promise<void> {
    for (let rows = await open(names), round = 0; rows.length > 0; rows = await open(names), round++)
      if (!isPatient(size, turn) && rows.every((row) => deliverer.isInner(row)))
        await deliverTogether(rows, `${names[0]} ${turn} ${round}`)
      else
        await inLanes(
          rows,
          ({ payload }) => String(idOf(payload)),
          (row) => deliver(row, `${row.name} ${turn} ${round} ${String(idOf(row.payload))}`),
        )
  }

  return {
    deliverPeople: (day) =>
      deliverAll(
        heard.filter((name) => /^(guild\.member|partners|agreements)/.test(name)),
        day,
        ({ userId, partnerId }) => userId ?? partnerId,
      ),
    deliverSales: async (turn, paymentOf, waits) => {
      const rows = await open(heard.filter((name) => name.startsWith('attribution.')))
      const payment = ({ payload }: OpenRow) => paymentOf.get(String(payload.saleId))!
      const due = inTurn(
        rows.filter((row) => !waits(payment(row))),
        payment,
        turn,
      )
      if (!isPatient(size, turn)) {
        await deliverTogether(due, `sales ${turn}`)
        await closeTheRest()
        return
      }
      const partners = new Map(due.flatMap((row) => (row.payload.partnerId ? [[payment(row), row.payload.partnerId]] : [])))
      await inLanes(
        due,
        (row) => String(partners.get(payment(row)) ?? payment(row)),
        (row) => deliver(row, `${row.name} ${turn} ${payment(row)}`),
      )
      await deliverAll(['commissions.accrued', 'fraud.evaluate_commission'], turn, ({ saleId }) => saleId)
      await closeTheRest()
    },
    deliverChange: (day) =>
      deliverAll(['attribution.sale_reassigned', 'commissions.accrued', 'fraud.evaluate_commission'], day, ({ saleId }) => saleId),
    deliverHands: (day) => deliverAll(['commissions.released'], day, ({ saleId }) => saleId),
    deliverPayPal: (day) => deliverAll(['paypal.handle_event'], day, ({ eventId }) => eventId),
    deliverStripe: async (name) => {
      for (let rows = await open(stripeJobs), round = 0; rows.length > 0; rows = await open(stripeJobs), round++)
        await inLanes(
          rows,
          ({ payload }) => JSON.stringify(payload),
          (row) =>
            persistently((attempt) => deliver(row, `${row.name} ${name} ${round} ${JSON.stringify(row.payload)} ${attempt}`)),
        )
    },
    deliverPayouts: async (day) => {
      const rows = await open(['payouts.send'])
      const throughStripe = isPayday(day)
        ? await stripePayouts(
            rows.map(({ payload }) => String(payload.payoutId)),
            day,
          )
        : undefined
      await inLanes(
        rows,
        ({ id }) => String(id),
        async (row) => {
          const way = throughStripe?.get(String(row.payload.payoutId))
          for (let attempt = 1; ; attempt++)
            try {
              const send = () => deliverer.deliver(row.id, row.name, attempt, signal)
              const tries = await Promise.allSettled(
                Array.from({ length: way?.copies ?? 1 }, (_, copy) =>
                  way?.mayCrash === false ? send() : faults.survive(`send ${day} ${attempt}${copy > 0 ? ` ${copy}` : ''}`, send),
                ),
              )
              const failed = tries.find((one) => one.status === 'rejected')
              if (failed) throw failed.reason
              return
            } catch (error) {
              if (attempt < 8) continue
              return setAside(connection.db, row.id, String(error), clock.now())
            }
        },
      )
    },
    deliverChecks: async (day) => {
      const rows = await open(['payouts.check_account'])
      for (const [i, row] of rows.filter(({ payload }) => payload.provider === 'stripe').entries())
        await deliver(row, `${row.name} ${day} ${i}`)
    },
  }

  /**
   * How those of the payouts are sent that go through Stripe: some by two workers at once, whose tries Stripe tells apart. Who died over one that Stripe put off
   * does not know that nothing came of it, and would go on under the old key: so nobody does.
   */
  async function stripePayouts(ids: readonly string[], day: number): Promise<Map<string, { copies: number; mayCrash: boolean }>> {
    const rows = await connection.sql<{ id: string; partner: string; currency: string }[]>`
      select id, replace(destination, 'acct_', '') as partner, currency from payouts_payouts
      where provider = 'stripe' and id = any(${[...ids]}::uuid[])`
    return new Map(
      rows.map(({ id, partner, currency }) => {
        const own = [size, partner, currency, day] as const
        return [
          id,
          {
            copies: chance(size.seed, 'sent twice', partner, currency, day) < 0.15 ? 2 : 1,
            mayCrash: !isShortAtOnce(fateOf(...own), transferFateOf(...own)),
          },
        ]
      }),
    )
  }

  /** Messages, mails and what nobody here listens to are no concern of the books. */
  async function closeTheRest(): Promise<void> {
    await connection.db
      .update(outbox)
      .set({ doneAt: clock.now() })
      .where(and(isNull(outbox.doneAt), notInArray(outbox.name, delivered)))
  }
}

function silent() {
  const nothing = () => {}
  return { warn: nothing, error: nothing, info: nothing, debug: nothing } as never
}
