// Where the money of each sale is: lots that move between accounts, and what partners owe. Folded from the rules in the handbook of commissions.
import { exponentOf } from '../plan/calendar.ts'
import type { People } from './people.ts'
import { basisOf, earned, type Rates } from './rates.ts'
import { bookOf, isOpen, type Lot, type Sale, type Share, smaller } from './sale.ts'

export interface Placed {
  readonly lot: Lot
  readonly share: Share
}

export interface Books {
  /** Brings what is booked for the sale to what it is worth to whoever has it, and lets what they have coming repay what they owe. */
  book(sale: Sale, now: number, day: number): void
  /** The same for one who has it or had it; repays unless that is left for later. */
  bring(share: Share, now: number, repayNow?: boolean): void
  /** The sale was given to somebody else, or to nobody: what it was to the one who had it ends, and what it is to the new one begins, or goes on. */
  pass(sale: Sale, former: string | undefined, now: number, day: number): void
  repay(own: string): void
  /** Looks again at what is held of the partner. */
  review(partner: string, now: number): void
  release(now: number): void
  /** What lies in an account, the older payment first. */
  lotsAt(own: string, account: Lot['at']): Placed[]
  worthOf(share: Share): bigint
  debtOf(own: string): bigint
  /** Partner and currency of everything that was ever earned. */
  owners(): Iterable<string>
  /** Does the work; when it returns false, nothing has happened. */
  attempt(share: Share, work: () => boolean): boolean
  /** Somebody moved lots of this book from account to account. */
  moved(own: string): void
  balances(): ReadonlyMap<string, bigint>
}

export function createBooks(people: People, rates: Rates): Books {
  const debts = new Map<string, bigint>()
  const books = new Map<string, Set<Share>>()
  /** Every balance that is not zero, as it was when it was asked for last, and what has moved since: most of it never moves again. */
  const standing = new Map<string, bigint>()
  const moved = new Set<string>()

  /** Whether the partner may not earn by it now. Who left keeps what they had earned. */
  function isBarred(partner: string, accepted: boolean, now: number): boolean {
    return people.isActive(partner) ? !people.hasSigned(partner, now) : !accepted
  }

  function worthOf({ sale, partner, stamp, adjusted, voided }: Share): bigint {
    if (sale.partner !== partner || voided) return 0n
    const left = basisOf(sale) - sale.refunded - sale.lost
    let worth = earned(stamp, left)
    for (const amount of adjusted) worth = worth + amount > 0n ? worth + amount : 0n
    return worth
  }

  const book: Books['book'] = (sale, now, day) => {
    const { partner } = sale
    if (partner !== undefined) bring(sale.shares.get(partner) ?? begin(sale, partner, now, day), now)
  }

  function begin(sale: Sale, partner: string, now: number, day: number): Share {
    const stamp = rates.stamp(sale, partner, day)
    const first: Lot = { at: 'nowhere', barred: !people.hasSigned(partner, now), worth: 0n, there: 0n, missed: 0n }
    const share: Share = { sale, partner, stamp, stops: new Set(), adjusted: [], voided: false, accepted: false, lots: [first] }
    sale.shares.set(partner, share)
    const own = bookOf(partner, sale.made.currency)
    books.set(own, (books.get(own) ?? new Set()).add(share))
    return share
  }

  const bring: Books['bring'] = (share, now, repayNow = true) => {
    const { sale, partner, lots, stops } = share
    const own = bookOf(partner, sale.made.currency)
    moved.add(own)
    const accepted = share.accepted || lots.some(({ barred }) => !barred)
    rates.grow(share)
    const change = worthOf(share) - lots.reduce((sum, lot) => sum + lot.worth, 0n)
    if (change < 0n) takeBack(share, -change, own)
    if (change > 0n) give(share, change, own)
    const barred = isBarred(partner, accepted, now)
    for (const lot of lots) place(lot, barred, barred || stops.size > 0 || sale.dispute === 'open')
    if (lots.some((lot) => !lot.barred && lot.at !== 'nowhere')) share.accepted = true
    if (repayNow) repay(own)
  }

  const pass: Books['pass'] = (sale, former, now, day) => {
    const ended = former === undefined ? undefined : sale.shares.get(former)
    if (ended) {
      ended.stops.clear()
      ended.adjusted.length = 0
      ended.voided = false
      bring(ended, now)
      rates.left(ended)
    }
    const again = sale.partner === undefined ? undefined : sale.shares.get(sale.partner)
    if (again) again.stamp = rates.cameBack(again)
    book(sale, now, day)
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

  function takeBack({ lots }: Share, amount: bigint, own: string): void {
    let left = amount
    const newestFirst = lots.toReversed()
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

  function give({ lots }: Share, amount: bigint, own: string): void {
    let left = amount
    for (const lot of lots) {
      const forgiven = smaller(smaller(left, lot.missed), debtOf(own))
      lot.worth += forgiven
      lot.missed -= forgiven
      debts.set(own, debtOf(own) - forgiven)
      left -= forgiven
    }
    if (left === 0n) return
    let bearer = lots.findLast((lot) => isOpen(lot) || lot.at === 'nowhere')
    if (!bearer) {
      bearer = { at: 'pending', barred: false, worth: 0n, there: 0n, missed: 0n }
      lots.push(bearer)
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
    for (const share of books.get(own) ?? []) for (const lot of share.lots) if (lot.at === account) found.push({ lot, share })
    return found.sort(({ share: { sale: a } }, { share: { sale: b } }) => a.made.paidAt - b.made.paidAt || a.order - b.order)
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
  const sharesOf = (partner: string): { own: string; shares: Set<Share> }[] =>
    [...books].filter(([own]) => own.startsWith(`${partner} `)).map(([own, shares]) => ({ own, shares }))

  return {
    book,
    bring,
    pass,
    repay,
    lotsAt,
    worthOf,
    debtOf,
    owners: () => books.keys(),
    review: (partner, now) => {
      for (const { own, shares } of sharesOf(partner)) {
        const held = [...shares].filter(({ lots }) => lots.some(({ at }) => at === 'held'))
        for (const share of held) bring(share, now, false)
        if (held.length > 0) repay(own)
      }
    },
    release: (now) => {
      for (const [own, shares] of books) {
        const due: Lot[] = []
        for (const { stamp, lots } of shares)
          if (stamp.until <= now) for (const lot of lots) if (lot.at === 'pending') due.push(lot)
        if (due.length === 0) continue
        moved.add(own)
        const barred = isBarred(own.split(' ')[0]!, true, now)
        for (const lot of due) {
          lot.barred = barred
          lot.at = barred ? 'held' : lot.there === 0n ? 'paid' : 'payable'
        }
      }
    },
    attempt: (share, work) => {
      const own = bookOf(share.partner, share.sale.made.currency)
      const before = [...(books.get(own) ?? [])].flatMap(({ lots }) => lots.map((lot) => ({ lot, was: { ...lot } })))
      const lots = [...share.lots]
      const { accepted } = share
      const debt = debtOf(own)
      if (work()) return true
      share.lots.splice(0, share.lots.length, ...lots)
      for (const { lot, was } of before) Object.assign(lot, was)
      debts.set(own, debt)
      share.accepted = accepted
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
