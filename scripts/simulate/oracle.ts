// What the books must say: plain folds over the plan, written from the rules in the handbooks of the plugins. Shares no code with them; may import only
// the plan and the dice.
import {
  type Click,
  type Customer,
  currencies,
  type Day,
  dayMs,
  fateOf,
  type News,
  type Payment,
  partnerEmail,
  type Size,
} from './plan.ts'
import { chance, shuffled } from './random.ts'

export type Account = 'pending' | 'held' | 'payable' | 'in_flight' | 'paid' | 'clawback_debt'

export interface Oracle {
  /** Everything of the day up to the evening: changes, clicks, payments, bookings, releases, payouts and the bank's word. */
  live(day: Day): void
  /** After the last day: what was put off is booked. */
  settle(): void
  /** Balances that are not zero, as `partner currency account` → amount. */
  balances(): Map<string, bigint>
  /** Every sale: who has it (or nobody), and what it is worth to them now, as `payment` → `partner amount`. */
  sales(): Map<string, string>
  /** What the bank must have paid out and not got back, by `partner currency`. */
  transferred(): Map<string, bigint>
  /** How many things have happened. */
  events(): number
}

/** Whether the work about this payment that is open on this day waits for the next day: by itself, or because the workers stand still. */
export const isPutOff = (size: Size, day: number, payment: string): boolean =>
  chance(size.seed, 'standstill', day) < 0.06 || chance(size.seed, 'put off', day, payment) < 0.05

interface Lot {
  at: 'pending' | 'held' | 'payable' | 'in_flight' | 'paid' | 'nowhere'
  /** What it is worth as part of the sale. */
  worth: bigint
  /** What of it lies in its account. */
  there: bigint
  /** What of it was taken back after it had been paid. */
  missed: bigint
}

interface Sale {
  readonly key: string
  readonly order: number
  partner: string | undefined
  readonly made: Payment
  refunded: bigint
  dispute: 'none' | 'open' | 'won' | 'lost'
  click: string | undefined
  stamp: { rate: bigint; until: number } | undefined
  readonly lots: Lot[]
  toBook: boolean
}

interface Person {
  active: boolean
  method: { ready: boolean; since: number } | undefined
}

interface Known {
  made: Payment | undefined
  refund: { at: number; total: bigint } | undefined
  dispute: { at: number; state: 'open' | 'won' | 'lost' } | undefined
  click: string | undefined
}

interface Payout {
  readonly partner: string
  readonly currency: string
  readonly day: number
  readonly lots: Map<Lot, Sale>
  readonly amount: bigint
  state: 'waiting' | 'sent' | 'paid' | 'back'
  sentOn: number
  wordOn: number
  backOn: number | undefined
}

const windowMs = 90 * dayMs
const toleranceMs = 5 * 60_000
const coolingMs = 72 * 3_600_000
/** At what time of day things are done: commissions are released and payouts run in the evening. */
export const eveningMs = 22 * 3_600_000
export const morningMs = 60_000

/** @param waits what is put off: by the dice, unless a test wants it otherwise */
export function createOracle(size: Size, waits: typeof isPutOff = isPutOff): Oracle {
  let rate = 200_000n
  let holdDays = 30
  let happened = 0
  const people = new Map<string, Person>()
  const clicks = new Map<string, Click>()
  const known = new Map<string, Known>()
  const sales = new Map<string, Sale>()
  const customers = new Map<string, number>()
  const bound = new Map<number, string>()
  const debts = new Map<string, bigint>()
  const books = new Map<string, Set<Sale>>()
  const payouts: Payout[] = []

  function live(day: Day): void {
    for (const { name, value } of day.settings) {
      if (name === 'holdDays') holdDays = Number(value)
      else rate = ppmOf(value)
    }
    for (const change of day.partners) person(change.partner, change.kind, day)
    for (const click of day.clicks) clicks.set(click.key, click)
    for (const { news } of day.news) hear(news)
    happened += day.settings.length + day.partners.length + day.clicks.length + day.impossible.length
    happened += day.news.reduce((count, { times }) => count + times, 0)
    bookOpen((sale) => !waits(size, day.day, sale.key), day.day)
    release(day.start + eveningMs)
    for (const payout of payouts) if (payout.state === 'waiting' && payout.day < day.day) send(payout, day.day)
    if (day.payday) payEveryone(day)
    listenToBank(day.day)
  }

  function person(key: string, kind: Day['partners'][number]['kind'], day: Day): void {
    const one = people.get(key) ?? { active: false, method: undefined }
    people.set(key, one)
    if (kind === 'joined' || kind === 'returned') one.active = true
    if (kind === 'left') one.active = false
    if (kind === 'method_ready' && one.active && !one.method?.ready) one.method = { ready: true, since: day.start + morningMs }
    if (kind === 'method_broken' && one.method) one.method.ready = false
  }

  /** News count by the provider's time: an older one changes nothing. Before the payment itself is known they only wait. */
  function hear(news: News): void {
    const about: Known = known.get(news.payment) ?? { made: undefined, refund: undefined, dispute: undefined, click: undefined }
    known.set(news.payment, about)
    if (news.kind === 'paid') {
      about.made = news.made
      about.click ??= news.made.click
    }
    if (news.kind === 'click') about.click = news.click
    if (news.kind === 'refunded' && (!about.refund || about.refund.at <= news.at)) about.refund = news
    if (news.kind === 'dispute' && (!about.dispute || about.dispute.at <= news.at)) about.dispute = news
    if (about.made) record(about.made, about)
  }

  function record(made: Payment, about: Known): void {
    let sale = sales.get(made.key)
    if (!sale) {
      const customer = identify(made.customer)
      sale = {
        key: made.key,
        order: sales.size,
        partner: undefined,
        made,
        refunded: 0n,
        dispute: 'none',
        click: about.click,
        stamp: undefined,
        lots: [],
        toBook: true,
      }
      sales.set(made.key, sale)
      credit(sale, customer)
    } else if (sale.click !== about.click && !sale.partner) {
      sale.click = about.click
      credit(sale, identify(made.customer))
    }
    const refunded = about.refund?.total ?? 0n
    const dispute = about.dispute?.state ?? 'none'
    if (refunded !== sale.refunded || dispute !== sale.dispute) sale.toBook = true
    sale.refunded = refunded
    sale.dispute = dispute
  }

  /** A customer is whoever has the provider's key, else whoever has the address. */
  function identify(customer: Customer): number {
    const names = [`key ${customer.key}`, ...(customer.email ? [`email ${customer.email.toLowerCase()}`] : [])]
    const id = names.map((name) => customers.get(name)).find((found) => found !== undefined) ?? customers.size
    for (const name of names) if (!customers.has(name)) customers.set(name, id)
    return id
  }

  function credit(sale: Sale, customer: number): void {
    const partner = winner(sale, customer)
    if (!partner) return
    sale.partner = partner
    sale.toBook = true
    if (!bound.has(customer)) bound.set(customer, partner)
    const book = bookOf(partner, sale.made.currency)
    if (!books.has(book)) books.set(book, new Set())
    books.get(book)!.add(sale)
  }

  /** Whoever the customer is bound to; else the last click within the window by someone who may earn. */
  function winner(sale: Sale, customer: number): string | undefined {
    const { paidAt } = sale.made
    const mayEarn = (partner: string) =>
      people.get(partner)?.active === true && sale.made.customer.email?.toLowerCase() !== partnerEmail(partner)
    const bearer = bound.get(customer)
    if (bearer) return mayEarn(bearer) ? bearer : undefined
    let best: Click | undefined
    for (
      let click = sale.click ? clicks.get(sale.click) : undefined;
      click;
      click = click.previous ? clicks.get(click.previous) : undefined
    ) {
      const inTime = click.at + windowMs >= paidAt && click.at <= paidAt + toleranceMs
      if (inTime && mayEarn(click.partner) && (!best || click.at > best.at)) best = click
    }
    return best?.partner
  }

  function bookOpen(wanted: (sale: Sale) => boolean, day: number): void {
    const open = [...sales.values()].filter((sale) => sale.toBook && wanted(sale))
    for (const sale of shuffled(open, ({ key }) => key, size.seed, 'book', day)) {
      sale.toBook = false
      book(sale)
    }
  }

  /** Brings what is booked for the sale to what it is worth, and lets what the partner has coming repay what they owe. */
  function book(sale: Sale): void {
    if (!sale.partner) return
    const { gross, tax, shipping, paidAt, currency } = sale.made
    sale.stamp ??= { rate, until: paidAt + holdDays * dayMs }
    const earning = gross - tax - shipping - sale.refunded
    const worth = sale.dispute === 'lost' || earning <= 0n ? 0n : share(earning, sale.stamp.rate)
    const change = worth - sale.lots.reduce((sum, lot) => sum + lot.worth, 0n)
    const own = bookOf(sale.partner, currency)
    if (change < 0n) takeBack(sale, -change, own)
    if (change > 0n) give(sale, change, own)
    for (const lot of sale.lots) {
      if (!isOpen(lot) && lot.at !== 'nowhere') continue
      if (lot.worth === 0n && lot.there === 0n) lot.at = 'nowhere'
      else if (sale.dispute === 'open') lot.at = 'held'
      else if (lot.at === 'held' || lot.at === 'nowhere') lot.at = 'pending'
      else if (lot.at === 'payable' && lot.there === 0n) lot.at = 'paid'
    }
    repay(own)
  }

  function takeBack(sale: Sale, amount: bigint, own: string): void {
    let left = amount
    const newestFirst = sale.lots.toReversed()
    for (const lot of [...newestFirst.filter(isOpen), ...newestFirst.filter((lot) => !isOpen(lot))]) {
      const taken = smaller(left, lot.worth)
      const outOfAccount = isOpen(lot) ? smaller(taken, lot.there) : 0n
      lot.worth -= taken
      lot.there -= outOfAccount
      lot.missed += taken - outOfAccount
      debts.set(own, (debts.get(own) ?? 0n) + taken - outOfAccount)
      left -= taken
    }
  }

  function give(sale: Sale, amount: bigint, own: string): void {
    let left = amount
    for (const lot of sale.lots) {
      const forgiven = smaller(smaller(left, lot.missed), debts.get(own) ?? 0n)
      lot.worth += forgiven
      lot.missed -= forgiven
      debts.set(own, (debts.get(own) ?? 0n) - forgiven)
      left -= forgiven
    }
    if (left === 0n) return
    let bearer = sale.lots.find((lot) => isOpen(lot) || lot.at === 'nowhere')
    if (!bearer) {
      bearer = { at: 'pending', worth: 0n, there: 0n, missed: 0n }
      sale.lots.push(bearer)
    }
    if (bearer.at === 'nowhere') bearer.at = 'pending'
    bearer.worth += left
    bearer.there += left
  }

  /** Payable before pending, the older payment first; never what is held. */
  function repay(own: string): void {
    let debt = debts.get(own) ?? 0n
    if (debt === 0n) return
    for (const account of ['payable', 'pending'] as const)
      for (const { lot } of lotsAt(own, account)) {
        const paid = smaller(debt, lot.there)
        if (paid === 0n) continue
        lot.there -= paid
        debt -= paid
        if (account === 'payable' && lot.there === 0n) lot.at = 'paid'
      }
    debts.set(own, debt)
  }

  function lotsAt(own: string, account: Lot['at']): { lot: Lot; sale: Sale }[] {
    return [...(books.get(own) ?? [])]
      .sort((a, b) => a.made.paidAt - b.made.paidAt || a.order - b.order)
      .flatMap((sale) => sale.lots.filter((lot) => lot.at === account).map((lot) => ({ lot, sale })))
  }

  function release(now: number): void {
    for (const sale of sales.values())
      for (const lot of sale.lots)
        if (lot.at === 'pending' && sale.stamp!.until <= now) lot.at = lot.there === 0n ? 'paid' : 'payable'
  }

  function payEveryone(day: Day): void {
    const now = day.start + eveningMs
    for (const own of books.keys()) {
      const [partner, currency] = own.split(' ') as [string, string]
      const { active, method } = people.get(partner)!
      const ready = lotsAt(own, 'payable').filter(({ lot }) => lot.there > 0n)
      const amount = ready.reduce((sum, { lot }) => sum + lot.there, 0n)
      const minimum = 50n * 10n ** BigInt(currencies[currency as keyof typeof currencies].exponent)
      if (amount === 0n || (debts.get(own) ?? 0n) > 0n || !method?.ready || method.since + coolingMs > now) continue
      if (amount < minimum && active) continue
      const payout: Payout = {
        partner,
        currency,
        day: day.day,
        lots: new Map(ready.map(({ lot, sale }) => [lot, sale])),
        amount,
        state: 'waiting',
        sentOn: Number.NaN,
        wordOn: Number.NaN,
        backOn: undefined,
      }
      for (const { lot } of ready) lot.at = 'in_flight'
      payouts.push(payout)
      if (fateOf(size, partner, currency, day.day).stuck === undefined) send(payout, day.day)
    }
  }

  function send(payout: Payout, today: number): void {
    const fate = fateOf(size, payout.partner, payout.currency, payout.day)
    if (fate.refused) {
      cameBack(payout)
      return
    }
    payout.state = 'sent'
    payout.sentOn = today
    // What the bank took before our own record was written may be confirmed before it, too.
    payout.wordOn = fate.early && fate.troubles.includes('after') ? today : today + fate.daysToWord
    if (fate.comesBack !== undefined && fate.word === 'paid') payout.backOn = payout.wordOn + fate.comesBack
  }

  function listenToBank(today: number): void {
    const nameOf = ({ partner, currency, day }: Payout) => `${partner} ${currency} ${day}`
    const due = payouts.filter(({ wordOn, backOn }) => wordOn === today || backOn === today)
    for (const payout of shuffled(due, nameOf, size.seed, 'bank', today)) {
      if (payout.state === 'sent' && payout.wordOn === today) {
        if (fateOf(size, payout.partner, payout.currency, payout.day).word === 'returned') cameBack(payout)
        else {
          payout.state = 'paid'
          for (const lot of payout.lots.keys()) lot.at = 'paid'
        }
      }
      if (payout.state === 'paid' && payout.backOn === today) cameBack(payout)
    }
  }

  /** Money that did not arrive is payable again, subject to what happened meanwhile. */
  function cameBack(payout: Payout): void {
    payout.state = 'back'
    for (const lot of payout.lots.keys()) lot.at = 'payable'
    const touched = [...new Set(payout.lots.values())]
    // What a dispute stops is stopped before anything repays a debt.
    for (const sale of touched) if (sale.dispute === 'open') for (const lot of sale.lots) if (lot.at === 'payable') lot.at = 'held'
    for (const sale of touched) book(sale)
  }

  return {
    live,
    settle: () => bookOpen(() => true, size.days),
    events: () => happened,
    balances: () => {
      const found = new Map<string, bigint>()
      const add = (key: string, amount: bigint) => amount !== 0n && found.set(key, (found.get(key) ?? 0n) + amount)
      for (const [own, there] of books)
        for (const { lots } of there) for (const lot of lots) if (lot.at !== 'nowhere') add(`${own} ${lot.at}`, lot.there)
      for (const [own, debt] of debts) add(`${own} clawback_debt`, debt)
      return found
    },
    sales: () =>
      new Map(
        [...sales.values()].map(({ key, partner, lots }) => [
          key,
          `${partner ?? 'nobody'} ${lots.reduce((sum, lot) => sum + lot.worth, 0n)}`,
        ]),
      ),
    transferred: () => {
      const found = new Map<string, bigint>()
      for (const { partner, currency, state, amount } of payouts)
        if (state === 'sent' || state === 'paid')
          found.set(bookOf(partner, currency), (found.get(bookOf(partner, currency)) ?? 0n) + amount)
      return found
    },
  }
}

const bookOf = (partner: string, currency: string): string => `${partner} ${currency}`
const isOpen = (lot: Lot): boolean => lot.at === 'pending' || lot.at === 'held' || lot.at === 'payable'
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b)

/** "12.5" per cent in parts per million. */
function ppmOf(percent: string): bigint {
  return BigInt(Math.round(Number(percent) * 10_000))
}

/** A half is rounded up: what is shared here is never negative. */
function share(amount: bigint, ppm: bigint): bigint {
  return (amount * ppm + 500_000n) / 1_000_000n
}
