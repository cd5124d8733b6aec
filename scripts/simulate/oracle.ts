// What the books must say: plain folds over the plan, written from the rules in the handbooks of the plugins. Shares no code with them; may import only
// the plan and the dice.
import { createAccounts } from './oracle/accounts.ts'
import { createBooks } from './oracle/books.ts'
import { createChanges } from './oracle/changes.ts'
import { type Claims, createClaims } from './oracle/claims.ts'
import { createCredit } from './oracle/credit.ts'
import { createHands } from './oracle/hands.ts'
import { createOffers } from './oracle/offers.ts'
import { createPayouts } from './oracle/payouts.ts'
import { createPeople } from './oracle/people.ts'
import { createRates } from './oracle/rates.ts'
import { type Sale, type SaleNews, shareOf } from './oracle/sale.ts'
import { type Size, startOf, timesOfDay } from './plan/calendar.ts'
import type { DealStep } from './plan/offers.ts'
import type { Payment } from './plan/shop.ts'
import type { Day } from './plan.ts'
import { chance, shuffled } from './random.ts'

export interface Oracle {
  /** Everything of the day up to the evening: changes, clicks, payments, bookings, hands laid on them, releases, payouts and the bank's word. */
  live(day: Day): void
  /** After the last day: what was put off is booked. */
  settle(): void
  /** Balances that are not zero, as `partner currency account` → amount. */
  balances(): ReadonlyMap<string, bigint>
  /** Every sale: who has it (or nobody), what it is worth to them now, by which rule, and which payment of a subscription it is, as `payment` → `partner amount rule number`. */
  sales(): Map<string, string>
  /** What must have been paid out and not come back, by `partner currency`. */
  transferred(): Map<string, bigint>
  /** How many clicks were taken, accounts were made at Stripe and payouts were prepared, and how far deals, claims, changes of hands and suspicions are: `clicks`, `deal …`, `claim …`, `change …` or `case …`. */
  states(): Map<string, string>
}

/** Whether the work about this payment that is open on this day waits for the next day: by itself, or because the workers stand still. */
export const isPutOff = (size: Size, day: number, payment: string): boolean =>
  chance(size.seed, 'standstill', day) < 0.06 || chance(size.seed, 'put off', day, payment) < 0.05

/** The order in which the news of one turn are told, kind by kind: `turn` is the day, or the number of days at the end. */
export function newsInTurn(size: Size, turn: number): SaleNews[] {
  const kinds: SaleNews[] = ['recorded', 'attributed', 'rebased', 'refunded', 'disputed']
  const mixed = shuffled(kinds, (kind) => kind, size.seed, 'news', turn)
  return mixed.flatMap((kind) => (kind === 'recorded' ? ['unclaimed', kind] : [kind]))
}

/** @param waits what is put off: by the dice, unless a test wants it otherwise */
export function createOracle(size: Size, waits: typeof isPutOff = isPutOff): Oracle {
  const accounts = createAccounts(size)
  const people = createPeople(size, accounts)
  const offers = createOffers()
  const rates = createRates(size)
  const books = createBooks(people, rates)
  const untold = new Map<Sale, Set<SaleNews>>()
  const tell = (sale: Sale, news: SaleNews) => untold.set(sale, (untold.get(sale) ?? new Set()).add(news))
  const credit = createCredit({ people, offers, recorded: rates.recorded, tell })
  const hands = createHands(books, credit.sales)
  const payouts = createPayouts(size, people, accounts, books)
  const changes = createChanges({
    sales: credit.sales,
    isPartner: (partner) => people.get(partner) !== undefined,
    mayEarn: ({ made }, partner) => credit.mayEarn(made, partner),
    give,
    decided: (change, verdict) => claims.decided(change, verdict),
  })
  const claims: Claims = createClaims({ sales: credit.sales, isActive: people.isActive, changes })

  function give(sale: Sale, to: string | undefined, now: number, day: number): void {
    const former = sale.partner
    credit.give(sale, to)
    books.pass(sale, former, now, day)
    hands.passed(sale, now)
  }

  function live(day: Day): void {
    const at = (time: keyof typeof timesOfDay) => day.start + timesOfDay[time]
    rates.morning(day.settings, day.rules, day.start, at('morning'))
    for (const partner of people.morning(day)) books.review(partner, at('morning'))
    offers.coupons(day.coupons, at('morning'))
    offers.deals(day.deals, at('morning'))
    for (const click of day.clicks) credit.click(click)
    for (const { news } of day.news) credit.hear(news)
    for (const step of day.deals) {
      const email = step.kind === 'won' ? offers.win(step, at('payments')) : undefined
      if (step.kind === 'won' && email !== undefined) credit.record(saleOf(step, email, at('payments')))
    }
    bookOpen((sale) => !waits(size, day.day, sale.key), at('bookings'), day.day, day.day)
    accounts.comeBack(day.day)
    for (const hand of day.hands) hands.act(hand, at('hands'))
    for (const step of day.changes)
      if ('claim' in step) claims.act(step, at('hands'), day.day)
      else changes.act(step, at('hands'), day.day)
    books.release(at('evening'))
    payouts.evening(day)
  }

  /** One kind of news after the other, each for all sales that it is about. */
  function bookOpen(wanted: (sale: Sale) => boolean, now: number, day: number, turn: number): void {
    const open = [...untold].filter(([sale]) => wanted(sale))
    const booked: Sale[] = []
    for (const kind of newsInTurn(size, turn)) {
      const about = open.filter(([, news]) => news.has(kind)).map(([sale]) => sale)
      for (const sale of shuffled(about, ({ key }) => key, size.seed, 'book', turn)) {
        if (kind === 'recorded' || kind === 'unclaimed' || kind === 'attributed') offers.told(sale)
        const isFirst = !shareOf(sale)
        books.book(sale, now, day)
        const share = shareOf(sale)
        if (isFirst && share && books.worthOf(share) > 0n) booked.push(sale)
      }
    }
    for (const [sale] of open) untold.delete(sale)
    for (const sale of booked) hands.judge(sale, now)
  }

  return {
    live,
    settle: () => bookOpen(() => true, startOf(size.days - 1) + timesOfDay.evening, size.days - 1, size.days),
    balances: books.balances,
    sales: () =>
      new Map(
        [...credit.sales.values()].map((sale) => {
          const { lots = [], stamp } = shareOf(sale) ?? {}
          const amount = lots.reduce((sum, lot) => sum + lot.worth, 0n)
          const number = sale.made.subscription?.sequence ?? 'once'
          return [sale.key, `${sale.partner ?? 'nobody'} ${amount} ${stamp?.rule ?? 'unbooked'} ${number}`]
        }),
      ),
    transferred: payouts.transferred,
    states: () =>
      new Map([
        ['clicks', String(credit.clicks())],
        ['accounts at Stripe', String(accounts.count())],
        ['payouts', String(payouts.count())],
        ...[...offers.statuses()].map(([deal, status]) => [`deal ${deal}`, status] as const),
        ...[...claims.states()].map(([claim, state]) => [`claim ${claim}`, state] as const),
        ...[...changes.states()].map(([change, state]) => [`change ${change}`, state] as const),
        ...[...hands.cases()].map(([payment, state]) => [`case ${payment}`, state] as const),
      ]),
  }
}

/** A won deal is a sale, made at the moment at which it is told, with everything in its amount. */
function saleOf({ deal, amount, currency }: DealStep & { kind: 'won' }, email: string, paidAt: number): Payment {
  return {
    key: deal,
    customer: { key: deal, email, country: undefined },
    currency,
    gross: amount,
    tax: 0n,
    shipping: 0n,
    paidAt,
    product: undefined,
    click: undefined,
    coupon: undefined,
    subscription: undefined,
  }
}
