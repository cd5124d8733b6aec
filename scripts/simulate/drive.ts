// Does to the real plugins what the plan says, out of order, several times and with crashes, and reads what the books say then. Decides nothing itself.
import { offlineHouse } from '../../app/offline.ts'
import type { Connection } from '../../db/connect.ts'
import { agreementsWith } from '../../plugins/agreements/plugin.ts'
import { attribution } from '../../plugins/attribution/plugin.ts'
import { channels } from '../../plugins/channels/plugin.ts'
import { claims } from '../../plugins/claims/plugin.ts'
import { commissions } from '../../plugins/commissions/plugin.ts'
import { coupons } from '../../plugins/coupons/plugin.ts'
import { deals } from '../../plugins/deals/plugin.ts'
import { fraud } from '../../plugins/fraud/plugin.ts'
import { parseAmount } from '../../plugins/kit/index.ts'
import { ledger } from '../../plugins/ledger/plugin.ts'
import type { Checkpoint, Proof } from '../../plugins/ledger/public.ts'
import { links } from '../../plugins/links/plugin.ts'
import { notifications } from '../../plugins/notifications/plugin.ts'
import { partners } from '../../plugins/partners/plugin.ts'
import { payouts } from '../../plugins/payouts/plugin.ts'
import { paypal } from '../../plugins/paypal/plugin.ts'
import { stripe } from '../../plugins/stripe/plugin.ts'
import { bankId, createBank, type Word } from './bank.ts'
import { createEdition } from './drive/agreement.ts'
import { createChanges } from './drive/changes.ts'
import { createClaims } from './drive/claims.ts'
import { createStripeAccounts } from './drive/connect.ts'
import { createHands } from './drive/hands.ts'
import { createOffers } from './drive/offers.ts'
import { createPayday } from './drive/payday.ts'
import { createCourier } from './drive/paypal.ts'
import { createPeople, type People } from './drive/people.ts'
import type { Setting } from './drive/setting.ts'
import { createShop, type Shop } from './drive/shop.ts'
import { createStripeDoor, type StripeDoor } from './drive/stripe.ts'
import { createTerms } from './drive/terms.ts'
import { createWork, indexOpenWork } from './drive/work.ts'
import { faultyDatabase } from './faults.ts'
import { isPutOff } from './oracle.ts'
import { startPayPal } from './paypal.ts'
import { epoch, type Size, timesOfDay } from './plan/calendar.ts'
import { tierOf } from './plan/lives.ts'
import type { Day } from './plan.ts'
import { startStripe } from './stripe.ts'

export interface Driver {
  live(day: Day): Promise<void>
  /** After the last day: everything that was put off. */
  settle(): Promise<void>
  /** Balances that are not zero, as `partner currency account` → amount. */
  balances(): Promise<Map<string, bigint>>
  /** Every sale, as `payment` → `partner amount rule number`. */
  sales(): Promise<Map<string, string>>
  /** How many clicks were taken, accounts were made at Stripe and payouts were prepared, and how far deals, claims, changes of hands and suspicions are: `clicks`, `deal …`, `claim …`, `change …` or `case …`. */
  states(): Promise<Map<string, string>>
  /** What was paid out and did not come back, by `partner currency`. */
  transferred(): Map<string, bigint>
  /** Seals what was posted and proves the books: all of them anew, or going on from the proof before. */
  prove(anew: boolean): Promise<Proof>
  crashes(): number
  /** Events that Stripe told, how many of them it had told before, how often it was asked about payments, and how many transfers it made. */
  stripe(): { events: number; again: number; asked: number; transfers: number }
  /** What was wanted that may not be, and was refused. */
  refusals(): number
  payouts(): number
  /** Milliseconds spent by kind of work. */
  spent(): Record<string, number>
  close(): Promise<void>
}

const crashRate = 0.02
/** One signal, told apart by the oracle, and none that looks at rates over months: what those find is measured on a labelled set of its own. */
const fraudWeights = {
  sale_too_soon: 60,
  same_email: 0,
  refund_outlier: 0,
  click_velocity: 0,
  conversion_outlier: 0,
  coupon_without_clicks: 0,
  same_payout_method: 0,
  banned_referrer: 0,
  same_device: 0,
  same_ip: 0,
  paid_click: 0,
  datacentre_ip: 0,
}

export async function createDriver(connection: Connection, size: Size): Promise<Driver> {
  await indexOpenWork(connection)
  const faults = faultyDatabase(connection.db, size.seed, crashRate)
  const edition = createEdition()
  let today = 0
  let refusals = 0
  let people: People | undefined
  const bank = createBank(size, {
    today: () => today,
    tellEarly: (word) => tell(word, `early ${word.providerId}`),
    tierOf: (partnerId) => tierOf(size, people!.keyOf(partnerId), today) ?? null,
  })
  const paypalServer = await startPayPal(size, { today: () => today, read: parseAmount })
  let shop: Shop | undefined
  let stripeDoor: StripeDoor | undefined
  const stripeWorld = await startStripe(size, {
    clickIdOf: (click) => shop!.clickIdOf(click),
    now: () => house.clock.now().getTime(),
    tellEarly: (event) => stripeDoor!.deliver([event], `early ${event.id}`),
  })
  const plugins = [
    notifications,
    partners,
    agreementsWith(() => edition.agreement),
    channels,
    ledger,
    attribution,
    claims,
    links,
    coupons,
    deals,
    commissions,
    fraud,
    payouts,
    paypal,
    stripe,
    bank.plugin,
  ]
  const house = await offlineHouse(connection, plugins, {
    now: new Date(epoch).toISOString(),
    db: faults.db,
    environment: { ...paypalServer.environment, ...stripeWorld.environment },
  })
  const setting: Setting = { house, faults, size, refused: () => refusals++ }
  const work = createWork(setting)
  stripeDoor = createStripeDoor(setting, stripeWorld, work)
  const accounts = createStripeAccounts(setting, stripeWorld.connect, stripeDoor, work)
  people = createPeople(setting, edition, accounts)
  shop = createShop(setting, people, stripeDoor)
  const offers = createOffers(setting, people, shop)
  const terms = createTerms(setting, people)
  const hands = createHands(setting, people, shop)
  const changes = createChanges(setting, people, shop, work)
  const claimsDesk = createClaims(setting, people, shop, changes, work)
  const payday = createPayday(setting, people)
  const courier = createCourier(setting, paypalServer, work)
  await house.set('payouts', 'manual', true)
  await house.set('fraud', 'weights', fraudWeights)
  const spent: Record<string, number> = {}
  let proven: Checkpoint | undefined

  /** The bank's word, brought by a webhook until it is taken in. */
  async function tell({ providerId, outcome }: Word, name: string): Promise<void> {
    await faults.survive(name, () =>
      house.db.transaction((tx) => house.use(payouts).confirm(tx, bankId, providerId, outcome, 'The bank says so.')),
    )
  }

  async function timed<T>(what: string, run: () => Promise<T>): Promise<T> {
    const from = performance.now()
    const result = await run()
    spent[what] = (spent[what] ?? 0) + performance.now() - from
    return result
  }

  async function live(day: Day): Promise<void> {
    today = day.day
    const clockTo = (time: keyof typeof timesOfDay) => house.clock.set(new Date(day.start + timesOfDay[time]))
    clockTo('morning')
    await timed('terms', async () => {
      for (const change of day.settings) await terms.set(change)
      for (const step of day.rules) await terms.rule(step)
    })
    await timed('partners', () => people!.change(day, () => work.deliverPeople(day.day)))
    await timed('offers', async () => {
      for (const step of day.coupons) await offers.coupon(step)
      await offers.expire()
      for (const step of day.deals) if (step.kind !== 'won') await offers.deal(step)
    })
    await timed('clicks', async () => {
      for (const click of day.clicks) await shop!.click(click)
    })
    clockTo('news')
    await timed('payments', () => shop!.hear(day))
    clockTo('payments')
    await timed('payments', async () => {
      for (const step of day.deals) if (step.kind === 'won') await offers.deal(step)
      for (const payment of day.impossible) await shop!.refuse(payment)
    })
    clockTo('bookings')
    await timed('bookings', () => work.deliverSales(day.day, shop!.paymentOf, (payment) => isPutOff(size, day.day, payment)))
    clockTo('hands')
    await timed('partners', () => accounts.comeBack())
    await timed('hands', async () => {
      for (const hand of day.hands) await hands.act(hand, day.day)
      await work.deliverHands(day.day)
      for (const step of day.changes)
        if ('claim' in step) await claimsDesk.act(step, day.day)
        else await changes.act(step, day.day)
    })
    clockTo('evening')
    await timed('releases', () => faults.survive(`release ${day.day}`, () => house.tick('commissions.release')))
    await timed('payouts', async () => {
      await faults.survive(`retry ${day.day}`, () => house.tick('payouts.retry'))
      await work.deliverPayouts(day.day)
      await work.deliverChecks(day.day)
      if (day.payday) {
        await payday.pay(day.day)
        await work.deliverPayouts(day.day)
        await work.deliverChecks(day.day)
      }
      for (const [i, word] of bank.wordsOn(day.day).entries()) await tell(word, `word ${day.day} ${i}`)
      await courier.bring(day.day)
      await accounts.bring(day.day)
      await payday.byHand(day.day)
    })
    await faults.quiet()
  }

  return {
    live,
    settle: async () => {
      await work.deliverSales(size.days, shop!.paymentOf, () => false)
      await faults.quiet()
    },
    balances: async () =>
      new Map(
        (await house.use(ledger).balances(connection.db, house.program.id))
          .filter(({ partnerId, amount }) => partnerId !== null && amount !== 0n)
          .map(({ partnerId, currency, kind, amount }) => [`${people!.keyOf(partnerId!)} ${currency} ${kind}`, amount]),
      ),
    sales: async () => {
      const rows = await connection.sql<
        { payment: string; partner: string | null; amount: string; rule: string; number: string }[]
      >`
        select s.payment_key as payment, s.partner_id as partner, coalesce(sum(c.amount), 0)::text as amount, coalesce(max(r.name), 'unbooked') as rule,
          coalesce(s.sequence::text, 'once') as number
        from attribution_sales s left join commissions_commissions c on c.sale_id = s.id and c.partner_id = s.partner_id left join commissions_rules r on r.id = c.rule_id
        group by s.id, s.payment_key, s.partner_id, s.sequence`
      return new Map(
        rows.map(({ payment, partner, amount, rule, number }) => [
          offers.keyOf(payment) ?? stripeWorld.keyOf(payment) ?? payment,
          `${partner ? people!.keyOf(partner) : 'nobody'} ${amount} ${rule} ${number}`,
        ]),
      )
    },
    states: async () => {
      const cases = await connection.sql<{ payment: string; state: string }[]>`
        select s.payment_key as payment, c.state from fraud_cases c join attribution_sales s on s.id = c.sale_id where c.state <> 'noted'`
      const parked = await connection.sql<{ event: string; reason: string }[]>`
        select event_id as event, park_reason as reason from core_webhooks where parked_at is not null and handled_at is null`
      const [counted] = await connection.sql<
        { clicks: string }[]
      >`select count(*)::text as clicks from links_clicks where rejected is null`
      return new Map([
        ['clicks', counted!.clicks],
        ['accounts at Stripe', String(stripeWorld.connect.accounts())],
        ['payouts', String(payday.count())],
        ...[...(await offers.statuses())].map(([deal, status]) => [`deal ${deal}`, status] as const),
        ...[...(await claimsDesk.states())].map(([claim, state]) => [`claim ${claim}`, state] as const),
        ...[...(await changes.states())].map(([change, state]) => [`change ${change}`, state] as const),
        ...cases.map(({ payment, state }) => [`case ${stripeWorld.keyOf(payment) ?? payment}`, state] as const),
        ...parked.map(({ event, reason }) => [`parked ${event}`, reason] as const),
      ])
    },
    transferred: () => {
      const found = new Map(bank.transferred())
      const others = [...paypalServer.transferred(), ...stripeWorld.connect.transferred(), ...payday.transferred()]
      for (const [own, amount] of others) found.set(own, (found.get(own) ?? 0n) + amount)
      return found
    },
    prove: (anew) =>
      timed('proof', async () => {
        await house.tick('ledger.seal')
        const proof = await house.use(ledger).prove(connection.db, house.program.id, anew ? undefined : proven)
        proven = proof.ok ? proof.checkpoint : undefined
        return proof
      }),
    crashes: faults.crashes,
    stripe: () => ({ ...stripeDoor!.told(), asked: stripeWorld.asked(), transfers: stripeWorld.connect.transfers() }),
    refusals: () => refusals,
    payouts: payday.count,
    spent: () => Object.fromEntries(Object.entries(spent).map(([what, ms]) => [what, Math.round(ms)])),
    close: async () => {
      await house.close()
      await paypalServer.close()
      await stripeWorld.close()
    },
  }
}
