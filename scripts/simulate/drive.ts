// Does to the real plugins what the plan says, out of order, several times and with crashes, and reads what the books say then. Decides nothing itself.
import { and, inArray, isNull, lte, notInArray } from 'drizzle-orm'
import { type OfflineHouse, offlineHouse } from '../../app/offline.ts'
import type { Connection } from '../../db/connect.ts'
import { setAside } from '../../db/outbox.ts'
import { outbox } from '../../db/tables.ts'
import { createDeliverer } from '../../jobs/deliver.ts'
import { agreements } from '../../plugins/agreements/plugin.ts'
import { attribution } from '../../plugins/attribution/plugin.ts'
import type { CanonicalPayment } from '../../plugins/attribution/public.ts'
import { commissions } from '../../plugins/commissions/plugin.ts'
import { memberJoined, memberLeft, newId, UserError } from '../../plugins/kit/index.ts'
import { ledger } from '../../plugins/ledger/plugin.ts'
import type { Checkpoint, Proof } from '../../plugins/ledger/public.ts'
import { links } from '../../plugins/links/plugin.ts'
import { notifications } from '../../plugins/notifications/plugin.ts'
import { partners } from '../../plugins/partners/plugin.ts'
import { payouts } from '../../plugins/payouts/plugin.ts'
import { bankId, createBank } from './bank.ts'
import { type Faults, faultyDatabase } from './faults.ts'
import { eveningMs, isPutOff, morningMs } from './oracle.ts'
import { type Click, type Day, epoch, type News, type Payment, partnerEmail, type Size } from './plan.ts'
import { chance, shuffled } from './random.ts'

export interface Driver {
  live(day: Day): Promise<void>
  /** After the last day: everything that was put off. */
  settle(): Promise<void>
  /** Balances that are not zero, as `partner currency account` → amount. */
  balances(): Promise<Map<string, bigint>>
  /** Every sale, as `payment` → `partner amount`. */
  sales(): Promise<Map<string, string>>
  transferred(): Map<string, bigint>
  /** Seals what was posted and proves the books: all of them anew, or going on from the proof before. */
  prove(anew: boolean): Promise<Proof>
  crashes(): number
  /** Milliseconds spent by kind of work. */
  spent(): Record<string, number>
  close(): Promise<void>
}

interface OpenRow {
  readonly id: number
  readonly kind: 'event' | 'job'
  readonly name: string
  readonly payload: Record<string, unknown>
}

interface Known {
  made?: Payment
  refund?: News & { kind: 'refunded' }
  dispute?: News & { kind: 'dispute' }
  click?: string
}

const boss = { isAdmin: true, userId: '1', username: 'boss' }
const second = { isAdmin: true, userId: '2', username: 'second' }
/** Transactions at the same time; also how many partners or customers are looked after at once. */
const lanes = 5
const crashRate = 0.02

export async function createDriver(connection: Connection, size: Size): Promise<Driver> {
  const faults = faultyDatabase(connection.db, size.seed, crashRate)
  let today = 0
  const bank = createBank(
    size,
    () => today,
    (word) => tell(house, faults, word, `early ${word.providerId}`),
  )
  const house = await offlineHouse(
    connection,
    [notifications, partners, agreements, ledger, attribution, links, commissions, payouts, bank.plugin],
    { now: new Date(epoch).toISOString(), db: faults.db },
  )
  const people = await createPeople(house, size, faults)
  const clicks = new Map<string, { id: string; cookie: string }>()
  const facts = new Map<string, Known>()
  /** Who paid, by payment: what is about one customer is done in turn. */
  const buyers = new Map<string, string>()
  const paymentOf = new Map<string, string>()
  const work = createWork(house, faults, size)
  const spent: Record<string, number> = {}
  const { clock, program } = house
  let proven: Checkpoint | undefined

  async function timed<T>(what: string, run: () => Promise<T>): Promise<T> {
    const from = performance.now()
    const result = await run()
    spent[what] = (spent[what] ?? 0) + performance.now() - from
    return result
  }

  async function live(day: Day): Promise<void> {
    today = day.day
    clock.set(new Date(day.start + morningMs))
    for (const { name, value } of day.settings) await house.set('commissions', name, name === 'holdDays' ? Number(value) : value)
    await timed('partners', () => people.change(day, () => work.deliverPeople(day.day)))
    await timed('clicks', async () => {
      for (const click of day.clicks) await record(click)
    })
    clock.set(new Date(day.start + eveningMs - 7_200_000))
    await timed('payments', async () => {
      await hear(day)
      for (const payment of day.impossible) await refuse(payment)
    })
    clock.set(new Date(day.start + eveningMs - 3_600_000))
    await timed('bookings', () => work.deliverSales(day.day, paymentOf, (payment) => isPutOff(size, day.day, payment)))
    clock.set(new Date(day.start + eveningMs))
    await timed('releases', () => faults.survive(`release ${day.day}`, () => house.tick('commissions.release')))
    await timed('payouts', async () => {
      await faults.survive(`retry ${day.day}`, () => house.tick('payouts.retry'))
      await work.deliverPayouts(day.day)
      if (day.payday) await pay(day.day)
      for (const [i, word] of bank.wordsOn(day.day).entries()) await tell(house, faults, word, `word ${day.day} ${i}`)
    })
    await timed('payouts', () => work.deliverPeople(day.day))
    await faults.quiet()
  }

  /** Follows the partner's link like a browser, with the cookie of the click before. */
  async function record(click: Click): Promise<void> {
    clock.set(new Date(click.at))
    const before = click.previous === undefined ? undefined : clicks.get(click.previous)
    const answer = await house.app.inject({
      url: await people.linkOf(click.partner),
      headers: {
        'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
        ...(before && { cookie: before.cookie }),
      },
      remoteAddress: `10.${Math.floor(chance(click.key) * 256)}.0.1`,
    })
    const id = answer.headers.location && new URL(answer.headers.location).searchParams.get('siso_cid')
    if (answer.statusCode !== 302 || !id) throw new Error(`the link of ${click.partner} answered ${answer.statusCode}`)
    clicks.set(click.key, { id, cookie: String(answer.headers['set-cookie']).split(';')[0]! })
  }

  /** Customers side by side, the payments of one in their order; some news by several at the same moment. */
  async function hear(day: Day): Promise<void> {
    for (const { news } of day.news)
      if (news.kind === 'paid') buyers.set(news.payment, news.made.customer.email?.toLowerCase() ?? news.made.customer.key)
    await inLanes(
      day.news.map((entry, i) => ({ ...entry, name: `record ${day.day} ${i}` })),
      ({ news }) => buyers.get(news.payment) ?? news.payment,
      async ({ news, times, name }) => {
        const payment = merge(news)
        if (!payment) return
        const record = (_: unknown, copy: number) =>
          faults.survive(`${name} ${copy}`, () => house.db.transaction((tx) => house.use(attribution).recordPayment(tx, payment)))
        for (const { saleId } of await Promise.all(Array.from({ length: times }, record))) paymentOf.set(saleId, news.payment)
      },
    )
  }

  /** What is known of the payment so far, by the provider's time; nothing before the payment itself is known. */
  function merge(item: News): CanonicalPayment | undefined {
    const known = facts.get(item.payment) ?? {}
    facts.set(item.payment, known)
    if (item.kind === 'paid') known.made = item.made
    else if (item.kind === 'click') known.click = item.click
    else if (item.kind === 'refunded') known.refund = known.refund && known.refund.at > item.at ? known.refund : item
    else known.dispute = known.dispute && known.dispute.at > item.at ? known.dispute : item
    return known.made && canonical(known.made, known)
  }

  function canonical(made: Payment, known: Known): CanonicalPayment {
    const { email, key } = made.customer
    const click = known.click ?? made.click
    const clickId = click === undefined ? undefined : clicks.get(click)?.id
    return {
      programId: program.id,
      provider: 'simulated',
      paymentKey: made.key,
      gross: made.gross,
      tax: made.tax,
      shipping: made.shipping,
      currency: made.currency,
      refunded: known.refund?.total ?? 0n,
      dispute: known.dispute?.state ?? 'none',
      customer: { key, emailHash: email && house.use(attribution).hashEmail(email), country: 'DE' },
      hints: clickId === undefined ? {} : { clickId },
      product: 'Course',
      ...(made.subscription && { recurring: { subscription: made.subscription.id, sequence: made.subscription.sequence } }),
      paidAt: new Date(made.paidAt),
    }
  }

  async function refuse(payment: Payment): Promise<void> {
    try {
      await connection.db.transaction((tx) => house.use(attribution).recordPayment(tx, canonical(payment, {})))
    } catch (error) {
      if (error instanceof UserError) return
      throw error
    }
    throw new Error(`The payment ${payment.key} cannot be and was recorded`)
  }

  /** The run is started by one admin, sometimes several times at once, and let go by another. */
  async function pay(day: number): Promise<void> {
    const runs = chance(size.seed, 'runs', day) < 0.3 ? 3 : 1
    await Promise.all(
      Array.from({ length: runs }, (_, i) => faults.survive(`run ${day} ${i}`, () => house.run('admin payouts run', {}, boss))),
    )
    await faults.quiet()
    await faults.survive(`approve ${day}`, () => house.run('admin payouts approve', {}, second))
    await work.deliverPayouts(day)
  }

  return {
    live,
    settle: async () => {
      await work.deliverSales(size.days, paymentOf, () => false)
      await faults.quiet()
    },
    balances: async () =>
      new Map(
        (await house.use(ledger).balances(connection.db, program.id))
          .filter(({ partnerId, amount }) => partnerId !== null && amount !== 0n)
          .map(({ partnerId, currency, kind, amount }) => [`${people.keyOf(partnerId!)} ${currency} ${kind}`, amount]),
      ),
    sales: async () => {
      const rows = await connection.sql<{ payment: string; partner: string | null; amount: string }[]>`
        select s.payment_key as payment, s.partner_id as partner, coalesce(sum(c.amount), 0)::text as amount
        from attribution_sales s left join commissions_commissions c on c.sale_id = s.id
        group by s.id, s.payment_key, s.partner_id`
      return new Map(rows.map((row) => [row.payment, `${row.partner ? people.keyOf(row.partner) : 'nobody'} ${row.amount}`]))
    },
    transferred: bank.transferred,
    prove: (anew) =>
      timed('proof', async () => {
        await house.tick('ledger.seal')
        const proof = await house.use(ledger).prove(connection.db, program.id, anew ? undefined : proven)
        proven = proof.ok ? proof.checkpoint : undefined
        return proof
      }),
    crashes: faults.crashes,
    spent: () => Object.fromEntries(Object.entries(spent).map(([what, ms]) => [what, Math.round(ms)])),
    close: house.close,
  }
}

/** The bank's word, brought by a webhook until it is taken in. */
async function tell(
  house: OfflineHouse,
  faults: Faults,
  { providerId, outcome }: { providerId: string; outcome: 'paid' | 'returned' },
  name: string,
): Promise<void> {
  await faults.survive(name, () =>
    house.db.transaction((tx) => house.use(payouts).confirm(tx, bankId, providerId, outcome, 'The bank says so.')),
  )
}

interface Work {
  /** Everything about partners and their agreements. */
  deliverPeople(day: number): Promise<void>
  /** Everything about sales, in an order of its own, some of it twice. */
  deliverSales(day: number, paymentOf: ReadonlyMap<string, string>, waits: (payment: string) => boolean): Promise<void>
  /** Payouts that are to be sent, each tried until the bank answers or is given up for the day. */
  deliverPayouts(day: number): Promise<void>
}

/** The queue of the simulation: hands open rows of the outbox to the real deliverer, as often and in whatever order it likes. */
function createWork(house: OfflineHouse, faults: Faults, size: Size): Work {
  const { clock, loaded, connection } = house
  const deliverer = createDeliverer({ db: faults.db, clock, log: silent(), loaded })
  const signal = new AbortController().signal
  const heard = [...new Set(loaded.listeners.map(({ event }) => event.name))].filter((name) => !name.startsWith('notifications.'))

  async function open(names: readonly string[]): Promise<OpenRow[]> {
    if (names.length === 0) return []
    return connection.db
      .select({ id: outbox.id, kind: outbox.kind, name: outbox.name, payload: outbox.payload })
      .from(outbox)
      .where(
        and(isNull(outbox.doneAt), isNull(outbox.failedAt), lte(outbox.availableAt, clock.now()), inArray(outbox.name, [...names])),
      )
      .orderBy(outbox.id) as Promise<OpenRow[]>
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

  return {
    deliverPeople: async (day) => {
      const names = heard.filter((name) => /^(guild\.member|partners|agreements)/.test(name))
      for (let rows = await open(names), round = 0; rows.length > 0; rows = await open(names), round++)
        await inLanes(
          rows,
          ({ payload }) => String(payload.userId ?? payload.partnerId),
          (row) => deliver(row, `${row.name} ${day} ${round} ${String(payload(row).userId)}`),
        )
    },
    deliverSales: async (day, paymentOf, waits) => {
      const rows = await open(heard.filter((name) => name.startsWith('attribution.')))
      const byPayment = Map.groupBy(rows, (row) => paymentOf.get(String(payload(row).saleId))!)
      const due = shuffled(
        [...byPayment].filter(([payment]) => !waits(payment)),
        ([payment]) => payment,
        size.seed,
        'book',
        day,
      )
      await inLanes(
        due,
        ([payment, about]) => String(about.map((row) => payload(row).partnerId).find((id) => id) ?? payment),
        async ([payment, about]) => {
          for (const row of shuffled(about, ({ id, name }) => `${name} ${id}`, size.seed, day))
            await deliver(row, `${row.name} ${day} ${payment}`)
        },
      )
      await closeTheRest()
    },
    deliverPayouts: async (day) => {
      const rows = await open(['payouts.send'])
      await inLanes(
        rows,
        ({ id }) => String(id),
        async (row) => {
          for (let attempt = 1; ; attempt++)
            try {
              await faults.survive(`send ${day} ${attempt}`, () => deliverer.deliver(row.id, row.name, attempt, signal))
              return
            } catch (error) {
              if (attempt < 8) continue
              return setAside(connection.db, row.id, String(error), clock.now())
            }
        },
      )
    },
  }

  /** Messages, mails and what nobody here listens to are no concern of the books. */
  async function closeTheRest(): Promise<void> {
    await connection.db
      .update(outbox)
      .set({ doneAt: clock.now() })
      .where(and(isNull(outbox.doneAt), notInArray(outbox.name, [...heard, 'payouts.send'])))
  }
}

/** Does the items of one lane in turn and the lanes side by side. */
async function inLanes<T>(items: readonly T[], laneOf: (item: T) => string, run: (item: T) => Promise<void>): Promise<void> {
  const byLane = Map.groupBy(items, (item) => Math.floor(chance('lane', laneOf(item)) * lanes))
  await Promise.all(
    [...byLane.values()].map(async (lane) => {
      for (const item of lane) await run(item)
    }),
  )
}

const payload = (row: OpenRow): Record<string, unknown> => row.payload

interface People {
  change(day: Day, deliver: () => Promise<void>): Promise<void>
  /** The path of the partner's link, made when it is first asked for. */
  linkOf(partner: string): Promise<string>
  keyOf(partnerId: string): string
}

/** The partners and their accounts at the bank. The first one signs on the page; the others' signatures are copies of it, since each takes a while to render. */
async function createPeople(house: OfflineHouse, size: Size, faults: Faults): Promise<People> {
  const { clock, program, connection, emit } = house
  const programId = program.id
  const ids = new Map<string, string>()
  const keys = new Map<string, string>()
  const active = new Set<string>()
  const paths = new Map<string, string>()
  let signed = false

  const userOf = (partner: string) => String(200_000_000_000_000_000n + BigInt(partner.slice(1)))

  async function join(joining: readonly string[]): Promise<void> {
    const now = clock.now()
    const rows = joining.map((partner) => ({
      id: newId(now),
      program_id: programId,
      user_id: userOf(partner),
      name: `Partner ${partner}`,
      email: partnerEmail(partner),
      industry: 'saas',
      status: 'verified',
      registered_at: now.toISOString(),
      verified_at: now.toISOString(),
    }))
    for (const [i, { id }] of rows.entries()) {
      ids.set(joining[i]!, id)
      keys.set(id, joining[i]!)
      active.add(joining[i]!)
    }
    await connection.sql`insert into partners_partners ${connection.sql(rows)}`
    if (!signed) await sign(rows[0]!)
    signed = true
    await connection.sql`
      insert into agreements_signatures (id, program_id, partner_id, user_id, version, document_versions, hash, typed_name, email, ip_hash, user_agent, signed_at, pdf)
      select p.id, p.program_id, p.id, p.user_id, s.version, s.document_versions, s.hash, s.typed_name, p.email, s.ip_hash, s.user_agent, p.verified_at, ''::bytea
      from partners_partners p, (select * from agreements_signatures order by signed_at, id limit 1) s
      where p.id in ${connection.sql(rows.map(({ id }) => id))} on conflict do nothing`
    for (let i = 0; i < rows.length; i += 50)
      await faults.survive(`join ${clock.now().toISOString()} ${i}`, () =>
        house.db.transaction(async (tx) => {
          for (const { id } of rows.slice(i, i + 50)) await house.use(partners).reviewActivation(tx, programId, id)
        }),
      )
  }

  async function sign({ user_id: userId, name }: { user_id: string; name: string }): Promise<void> {
    const answer = JSON.stringify(await house.run('agreement', {}, { userId, username: name }))
    const [, path] = /"url":"[^"]*(\/agreements\/[^"]+)"/.exec(answer)!
    const page = await house.app.inject({
      method: 'POST',
      url: path!,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'name=A+Partner&consent=yes',
    })
    if (page.statusCode !== 200) throw new Error(`signing answered ${page.statusCode}`)
  }

  /** News of people coming and going, sometimes told twice. */
  async function wander(partner: string, event: typeof memberLeft | typeof memberJoined, day: number): Promise<void> {
    const times = chance(size.seed, 'wander', partner, day) < 0.2 ? 2 : 1
    for (let i = 0; i < times; i++)
      await connection.db.transaction((tx) =>
        emit(tx, event as typeof memberJoined, { programId, userId: userOf(partner), username: partner }),
      )
  }

  async function setMethod(partner: string, ready: boolean): Promise<void> {
    if (ready && !active.has(partner)) return
    const name = `method ${partner} ${clock.now().toISOString()}`
    if (ready) await faults.survive(name, () => house.run('payout setup', {}, { userId: userOf(partner), username: partner }))
    await faults.survive(name, () =>
      house.db.transaction((tx) =>
        house.use(payouts).accountChanged(tx, bankId, `acct_${partner}`, { ready, missing: ready ? '' : 'a bank account' }),
      ),
    )
  }

  return {
    change: async (day, deliver) => {
      const joining = day.partners.filter(({ kind }) => kind === 'joined').map(({ partner }) => partner)
      if (joining.length > 0) await join(joining)
      for (const { partner, kind } of day.partners) {
        if (kind === 'left') await wander(partner, memberLeft, day.day)
        if (kind === 'returned') await wander(partner, memberJoined, day.day)
        if (kind === 'left') active.delete(partner)
        if (kind === 'returned') active.add(partner)
        if (kind === 'left' || kind === 'returned') await deliver()
        if (kind === 'method_ready' || kind === 'method_broken') await setMethod(partner, kind === 'method_ready')
      }
      await deliver()
    },
    linkOf: async (partner) => {
      const known = paths.get(partner)
      if (known) return known
      const who = { userId: userOf(partner), username: partner }
      const answer = JSON.stringify(await house.run('link create', { code: partnerCode(partner) }, who))
      const [, path] = new RegExp(`(/r/${partnerCode(partner)})`, 'i').exec(answer) ?? []
      if (!path) throw new Error(`the link of ${partner} was not made: ${answer}`)
      paths.set(partner, path)
      return path
    },
    keyOf: (partnerId) => keys.get(partnerId) ?? partnerId,
  }
}

/** Look-alikes of 0 and 1 would make two codes the same. */
const partnerCode = (partner: string): string => `shop-${partner.slice(1).replaceAll('1', 'a').replaceAll('0', 'b')}-link`

function silent() {
  const nothing = () => {}
  return { warn: nothing, error: nothing, info: nothing, debug: nothing } as never
}
