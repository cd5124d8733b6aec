// Where the money of each sale is: lots that move between accounts, and what partners owe. Folded from the rules in the handbook of commissions.
import { exponentOf } from '../plan/calendar.ts'
import type { People } from './people.ts'
import { basisOf, earned, type Rates } from './rates.ts'
import { bookOf, isOpen, type Lot, type Sale, smaller } from './sale.ts'

export interface Placed {
  readonly lot: Lot
  readonly sale: Sale
}

export interface Books {
  /** Brings what is booked for the sale to what it is worth, and, unless that is left for later, lets what the partner has coming repay what they owe. */
  book(sale: Sale, now: number, day: number, repayNow?: boolean): void
  repay(own: string): void
  /** Looks again at what is held of the partner. */
  review(partner: string, now: number, day: number): void
  release(now: number): void
  /** What lies in an account, the older payment first. */
  lotsAt(own: string, account: Lot['at']): Placed[]
  worthOf(sale: Sale): bigint
  debtOf(own: string): bigint
  /** Partner and currency of everything that was ever earned. */
  owners(): Iterable<string>
  /** Does the work; when it returns false, nothing has happened. */
  attempt(sale: Sale, work: () => boolean): boolean
  /** Somebody moved lots of this book from account to account. */
  moved(own: string): void
  balances(): ReadonlyMap<string, bigint>
}

export function createBooks(people: People, rates: Rates): Books {
  const debts = new Map<string, bigint>()
  const books = new Map<string, Set<Sale>>()
  /** Every balance that is not zero, as it was when it was asked for last, and what has moved since: most of it never moves again. */
  const standing = new Map<string, bigint>()
  const moved = new Set<string>()

  /** Whether the partner may not earn by it now. Who left keeps what they had earned. */
  function isBarred(partner: string, accepted: boolean, now: number): boolean {
    return people.isActive(partner) ? !people.hasSigned(partner, now) : !accepted
  }

  function worthOf(sale: Sale): bigint {
    if (!sale.stamp || sale.voided) return 0n
    const left = basisOf(sale) - sale.refunded - sale.lost
    let worth = earned(sale.stamp, left)
    for (const amount of sale.adjusted) worth = worth + amount > 0n ? worth + amount : 0n
    return worth
  }

  const book: Books['book'] = (sale, now, day, repayNow = true) => {
    const { partner } = sale
    if (!partner) return
    const own = bookOf(partner, sale.made.currency)
    moved.add(own)
    const accepted = sale.stamp ? sale.accepted || sale.lots.some(({ barred }) => !barred) : people.hasSigned(partner, now)
    if (!sale.stamp) {
      sale.stamp = rates.stamp(sale, partner, day)
      sale.lots.push({ at: 'nowhere', barred: false, worth: 0n, there: 0n, missed: 0n })
      books.set(own, (books.get(own) ?? new Set()).add(sale))
    }
    rates.grow(sale)
    const change = worthOf(sale) - sale.lots.reduce((sum, lot) => sum + lot.worth, 0n)
    if (change < 0n) takeBack(sale, -change, own)
    if (change > 0n) give(sale, change, own)
    const barred = isBarred(partner, accepted, now)
    for (const lot of sale.lots) place(lot, barred, barred || sale.stops.size > 0 || sale.dispute === 'open')
    if (sale.lots.some((lot) => !lot.barred && lot.at !== 'nowhere')) sale.accepted = true
    if (repayNow) repay(own)
  }

  function place(lot: Lot, barred: boolean, held: boolean): void {
    if (!isOpen(lot) && lot.at !== 'nowhere') return
    if (lot.worth === 0n && lot.there === 0n) {
      lot.at = 'nowhere'
      lot.barred = false
    } else if (held) {
      lot.at = 'held'
      lot.barred = barred
    } else {
      lot.barred = false
      if (lot.at === 'held' || lot.at === 'nowhere') lot.at = 'pending'
      else if (lot.at === 'payable' && lot.there === 0n) lot.at = 'paid'
    }
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
      debts.set(own, debtOf(own) + taken - outOfAccount)
      left -= taken
    }
  }

  function give(sale: Sale, amount: bigint, own: string): void {
    let left = amount
    for (const lot of sale.lots) {
      const forgiven = smaller(smaller(left, lot.missed), debtOf(own))
      lot.worth += forgiven
      lot.missed -= forgiven
      debts.set(own, debtOf(own) - forgiven)
      left -= forgiven
    }
    if (left === 0n) return
    let bearer = sale.lots.findLast((lot) => isOpen(lot) || lot.at === 'nowhere')
    if (!bearer) {
      bearer = { at: 'pending', barred: false, worth: 0n, there: 0n, missed: 0n }
      sale.lots.push(bearer)
    }
    if (bearer.at === 'nowhere') bearer.at = 'pending'
    bearer.worth += left
    bearer.there += left
  }

  /** Payable before pending, the older payment first; never what is held. */
  function repay(own: string): void {
    let debt = debtOf(own)
    if (debt === 0n) return
    moved.add(own)
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

  function lotsAt(own: string, account: Lot['at']): Placed[] {
    const found: Placed[] = []
    for (const sale of books.get(own) ?? []) for (const lot of sale.lots) if (lot.at === account) found.push({ lot, sale })
    return found.sort((a, b) => a.sale.made.paidAt - b.sale.made.paidAt || a.sale.order - b.sale.order)
  }

  function sumUp(own: string): void {
    const sums: Record<Lot['at'] | 'clawback_debt', bigint> = {
      pending: 0n,
      held: 0n,
      payable: 0n,
      in_flight: 0n,
      paid: 0n,
      nowhere: 0n,
      clawback_debt: debtOf(own),
    }
    for (const { lots } of books.get(own) ?? []) for (const lot of lots) sums[lot.at] += lot.there
    for (const [account, sum] of Object.entries(sums)) {
      if (sum === 0n || account === 'nowhere') standing.delete(`${own} ${account}`)
      else standing.set(`${own} ${account}`, sum)
    }
  }

  const debtOf = (own: string): bigint => debts.get(own) ?? 0n
  const salesOf = (partner: string): { own: string; sales: Set<Sale> }[] =>
    [...books].filter(([own]) => own.startsWith(`${partner} `)).map(([own, sales]) => ({ own, sales }))

  return {
    book,
    repay,
    lotsAt,
    worthOf,
    debtOf,
    owners: () => books.keys(),
    review: (partner, now, day) => {
      for (const { own, sales } of salesOf(partner)) {
        const held = [...sales].filter(({ lots }) => lots.some(({ at }) => at === 'held'))
        for (const sale of held) book(sale, now, day, false)
        if (held.length > 0) repay(own)
      }
    },
    release: (now) => {
      for (const [own, sales] of books) {
        const due: Lot[] = []
        for (const { stamp, lots } of sales)
          if (stamp!.until <= now) for (const lot of lots) if (lot.at === 'pending') due.push(lot)
        if (due.length === 0) continue
        moved.add(own)
        const barred = isBarred(own.split(' ')[0]!, true, now)
        for (const lot of due) {
          lot.barred = barred
          lot.at = barred ? 'held' : lot.there === 0n ? 'paid' : 'payable'
        }
      }
    },
    attempt: (sale, work) => {
      const own = bookOf(sale.partner!, sale.made.currency)
      const before = [...(books.get(own) ?? [])].flatMap(({ lots }) => lots.map((lot) => ({ lot, was: { ...lot } })))
      const lots = [...sale.lots]
      const { accepted } = sale
      const debt = debtOf(own)
      if (work()) return true
      sale.lots.splice(0, sale.lots.length, ...lots)
      for (const { lot, was } of before) Object.assign(lot, was)
      debts.set(own, debt)
      sale.accepted = accepted
      return false
    },
    moved: (own) => moved.add(own),
    balances: () => {
      for (const own of moved) sumUp(own)
      moved.clear()
      return standing
    },
  }
}

/** The smallest payout, in minor units. */
export const minimumIn = (currency: string): bigint => 50n * 10n ** BigInt(exponentOf(currency))
