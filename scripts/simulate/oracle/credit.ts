// Whose sale it is: customers, bindings, and what speaks for a partner, folded over the news of payments.
import { dayMs, partnerEmail } from '../plan/calendar.ts'
import type { Click, Customer, News, Payment } from '../plan/shop.ts'
import type { Offers, Touch } from './offers.ts'
import type { People } from './people.ts'
import type { Sale, SaleNews } from './sale.ts'

interface Known {
  made: Payment | undefined
  refund: { at: number; total: bigint } | undefined
  dispute: { at: number; state: 'open' | 'won' | 'lost'; lost?: bigint } | undefined
  tax: { at: number; tax: bigint } | undefined
  click: string | undefined
}

export interface Credit {
  /** Links rest while their partner is away or has not signed. */
  click(click: Click): void
  /** News count by the provider's time: an older one changes nothing. Before the payment itself is known they only wait. */
  hear(news: News): void
  /** Records the payment as it is known. */
  record(made: Payment, about?: Known): void
  /** Whether it may be credited to the partner, whoever decides it. */
  mayEarn(made: Payment, partner: string): boolean
  /** People give the sale to somebody, or to nobody: the customer is bound anew. */
  give(sale: Sale, to: string | undefined): void
  readonly sales: ReadonlyMap<string, Sale>
  /** How many clicks were taken. */
  clicks(): number
}

const windowMs = 90 * dayMs
const toleranceMs = 5 * 60_000

export function createCredit({
  people,
  offers,
  recorded,
  tell,
}: {
  people: People
  offers: Offers
  /** A sale was recorded for the first time. */
  recorded: (sale: Sale) => void
  tell: (sale: Sale, news: SaleNews) => void
}): Credit {
  const clicks = new Map<string, Click>()
  const known = new Map<string, Known>()
  const sales = new Map<string, Sale>()
  const customers = new Map<string, number>()
  const countries: (string | undefined)[] = []
  const bought = new Map<number, Sale[]>()
  const bound = new Map<number, string>()

  function record(made: Payment, about: Known): void {
    // A click that the link did not take is no hint.
    const click = about.click !== undefined && clicks.has(about.click) ? about.click : undefined
    let sale = sales.get(made.key)
    if (!sale) {
      const customer = identify(made.customer)
      sale = {
        key: made.key,
        order: sales.size,
        made,
        customer,
        country: countries[customer],
        firstOfCustomer: isFirst(made, customer),
        partner: undefined,
        clickLead: undefined,
        tax: about.tax?.tax ?? made.tax,
        deal: undefined,
        refunded: 0n,
        dispute: 'none',
        lost: 0n,
        click,
        shares: new Map(),
        change: undefined,
      }
      if (sale.firstOfCustomer) for (const other of salesOf(customer)) if (!other.partner) other.firstOfCustomer = false
      sales.set(made.key, sale)
      bought.set(customer, [...salesOf(customer), sale])
      recorded(sale)
      const binds = credit(sale)
      tell(sale, sale.partner ? 'recorded' : 'unclaimed')
      if (binds) creditLater(sale)
    } else if (sale.click !== click && !sale.partner && !sale.change) {
      sale.click = click
      const binds = credit(sale)
      if (sale.partner) tell(sale, 'attributed')
      if (binds) creditLater(sale)
    }
    const dispute = about.dispute?.state ?? 'none'
    const now = {
      tax: about.tax?.tax ?? made.tax,
      refunded: about.refund?.total ?? 0n,
      dispute,
      lost: dispute === 'lost' ? (about.dispute?.lost ?? made.gross) : 0n,
    }
    if (now.tax !== sale.tax) tell(sale, 'rebased')
    if (now.refunded !== sale.refunded) tell(sale, 'refunded')
    if (now.dispute !== sale.dispute) tell(sale, 'disputed')
    Object.assign(sale, now)
  }

  /** A customer is whoever has the provider's key, else whoever has the address; where they live is what they said first. */
  function identify({ key, email, country }: Customer): number {
    const names = [`key ${key}`, ...(email ? [`email ${email.toLowerCase()}`] : [])]
    const found = names.map((name) => customers.get(name)).find((one) => one !== undefined)
    const id = found ?? countries.push(country) - 1
    for (const name of names) if (!customers.has(name)) customers.set(name, id)
    return id
  }

  const salesOf = (customer: number): Sale[] => bought.get(customer) ?? []

  /** The first payment is the earliest that is known, until a sale with a partner was taken for it. A later payment of a subscription never is. */
  function isFirst(made: Payment, customer: number): boolean {
    if (made.subscription && made.subscription.sequence > 1) return false
    return salesOf(customer).every((sale) => sale.made.paidAt >= made.paidAt && !(sale.firstOfCustomer && sale.partner))
  }

  /** True when the sale is the one that binds its customer. */
  function credit(sale: Sale): boolean {
    const partner = winner(sale)
    if (!partner) return false
    sale.partner = partner
    if (bound.has(sale.customer)) return false
    bound.set(sale.customer, partner)
    return true
  }

  /** Payments that were told before an earlier one of their customer, and were nobody's though no person said so, go to whoever the customer is bound to. */
  function creditLater({ customer, made }: Sale): void {
    const later = salesOf(customer).filter((sale) => !sale.partner && !sale.change && sale.made.paidAt >= made.paidAt)
    for (const sale of later) {
      credit(sale)
      if (sale.partner) tell(sale, 'attributed')
    }
  }

  /** Who is not active is never credited, nor who buys themselves. */
  const mayEarn = ({ customer: { email } }: Payment, partner: string): boolean =>
    people.isActive(partner) && email?.toLowerCase() !== partnerEmail(partner)

  /** Whoever the customer is bound to; else a deal, else a coupon, else a click: of each kind the last one within the window, by someone who may earn. */
  function winner(sale: Sale): string | undefined {
    const { made } = sale
    const deals = offers.dealsFor(made)
    sale.deal = deals[0]?.deal
    const bearer = bound.get(sale.customer)
    if (bearer) return mayEarn(made, bearer) ? bearer : undefined
    const last = (touches: readonly Touch[]) =>
      touches
        .filter(({ at, partner }) => at + windowMs >= made.paidAt && at <= made.paidAt + toleranceMs && mayEarn(made, partner))
        .reduce<Touch | undefined>((best, one) => (best && best.at >= one.at ? best : one), undefined)
    const coupon = offers.couponFor(made)
    const offered = last(deals) ?? last(coupon ? [coupon] : [])
    if (offered) return offered.partner
    const click = last(clicksBefore(sale.click))
    if (click) sale.clickLead = made.paidAt - click.at
    return click?.partner
  }

  function clicksBefore(key: string | undefined): Click[] {
    const chain: Click[] = []
    for (let click = key ? clicks.get(key) : undefined; click; click = click.previous ? clicks.get(click.previous) : undefined)
      chain.push(click)
    return chain
  }

  return {
    sales,
    mayEarn,
    give: (sale, to) => {
      sale.change = { from: sale.partner }
      sale.partner = to
      sale.clickLead = undefined
      if (to === undefined) bound.delete(sale.customer)
      else bound.set(sale.customer, to)
    },
    clicks: () => clicks.size,
    click: (click) => {
      if (people.isActive(click.partner) && people.hasSigned(click.partner, click.at)) clicks.set(click.key, click)
    },
    record: (made, about = { made, refund: undefined, dispute: undefined, tax: undefined, click: undefined }) =>
      record(made, about),
    hear: (news) => {
      const about: Known = known.get(news.payment) ?? {
        made: undefined,
        refund: undefined,
        dispute: undefined,
        tax: undefined,
        click: undefined,
      }
      known.set(news.payment, about)
      if (news.kind === 'paid') {
        about.made = news.made
        about.click ??= news.made.click
      }
      if (news.kind === 'click') about.click = news.click
      if (news.kind === 'refunded' && (!about.refund || about.refund.at <= news.at)) about.refund = news
      if (news.kind === 'retaxed' && (!about.tax || about.tax.at <= news.at)) about.tax = news
      if (news.kind === 'dispute' && (!about.dispute || about.dispute.at <= news.at)) about.dispute = news
      if (about.made) record(about.made, about)
    },
  }
}
