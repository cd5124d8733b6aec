// The shop of the simulation: clicks on links, payments as their provider tells them, and payments that cannot be.
import { attribution } from '../../../plugins/attribution/plugin.ts'
import type { CanonicalPayment } from '../../../plugins/attribution/public.ts'
import { UserError } from '../../../plugins/kit/index.ts'
import type { Click, News, Payment } from '../plan/shop.ts'
import type { Day } from '../plan.ts'
import { chance } from '../random.ts'
import type { People } from './people.ts'
import type { Setting } from './setting.ts'
import type { StripeDoor } from './stripe.ts'

export interface Shop {
  /** Follows the partner's link like a browser, with the cookie of the click before. A link that rests takes no click. */
  click(click: Click): Promise<void>
  /** In the order in which the news came: many together, and some of them by several at the same moment. */
  hear(day: Day): Promise<void>
  /** @throws Error when the payment, which cannot be, was recorded */
  refuse(payment: Payment): Promise<void>
  /** The payment behind a sale, by the sale's id. */
  readonly paymentOf: Map<string, string>
  /** The sale of a payment. */
  saleOf(payment: string): string | undefined
  /** The id of a click that a link took. */
  clickIdOf(click: string): string | undefined
}

/** Payments that are recorded in one transaction, at most. */
const mostTogether = 40

interface Known {
  made?: Payment
  refund?: News & { kind: 'refunded' }
  dispute?: News & { kind: 'dispute' }
  tax?: News & { kind: 'retaxed' }
  click?: string
}

/** @param stripe where the news of payments through Stripe are told */
export function createShop({ house, faults }: Setting, people: People, stripe: StripeDoor): Shop {
  const { clock, program } = house
  const clicks = new Map<string, { id: string; cookie: string }>()
  const facts = new Map<string, Known>()
  const paymentOf = new Map<string, string>()
  const sales = new Map<string, string>()

  /** What is known of the payment so far, by the provider's time; nothing before the payment itself is known. */
  function merge(item: News): CanonicalPayment | undefined {
    const known = facts.get(item.payment) ?? {}
    facts.set(item.payment, known)
    if (item.kind === 'paid') known.made = item.made
    else if (item.kind === 'click') known.click = item.click
    else if (item.kind === 'refunded') known.refund = known.refund && known.refund.at > item.at ? known.refund : item
    else if (item.kind === 'retaxed') known.tax = known.tax && known.tax.at > item.at ? known.tax : item
    else known.dispute = known.dispute && known.dispute.at > item.at ? known.dispute : item
    return known.made && canonical(known.made, known)
  }

  function canonical(made: Payment, known: Known): CanonicalPayment {
    const { email, key, country } = made.customer
    const click = known.click ?? made.click
    const clickId = click === undefined ? undefined : clicks.get(click)?.id
    return {
      programId: program.id,
      provider: 'simulated',
      paymentKey: made.key,
      gross: made.gross,
      tax: known.tax?.tax ?? made.tax,
      shipping: made.shipping,
      currency: made.currency,
      refunded: known.refund?.total ?? 0n,
      dispute: known.dispute?.state ?? 'none',
      ...(known.dispute?.lost !== undefined && { lost: known.dispute.lost }),
      customer: { key, emailHash: email && house.use(attribution).hashEmail(email), country },
      hints: { ...(clickId !== undefined && { clickId }), ...(made.coupon !== undefined && { coupon: made.coupon }) },
      product: made.product,
      ...(made.subscription && { recurring: { subscription: made.subscription.id, sequence: made.subscription.sequence } }),
      paidAt: new Date(made.paidAt),
    }
  }

  async function record(given: readonly { news: News; payment: CanonicalPayment }[], name: string): Promise<void> {
    const results = await faults.survive(name, () =>
      house.db.transaction((tx) =>
        house.use(attribution).recordPayments(
          tx,
          given.map(({ payment }) => payment),
        ),
      ),
    )
    for (const [i, { saleId }] of results.entries()) {
      paymentOf.set(saleId, given[i]!.news.payment)
      sales.set(given[i]!.news.payment, saleId)
    }
  }

  return {
    paymentOf,
    saleOf: (payment) => sales.get(payment),
    clickIdOf: (click) => clicks.get(click)?.id,
    click: async (click) => {
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
      // A link rests while its partner has not signed what is current; whether it may, the count of clicks tells.
      if (answer.statusCode === 404 && answer.body.includes('This link is resting')) return
      if (answer.statusCode !== 302 || !id) throw new Error(`the link of ${click.partner} answered ${answer.statusCode}`)
      clicks.set(click.key, { id, cookie: String(answer.headers['set-cookie']).split(';')[0]! })
    },
    hear: async (day) => {
      let together: { news: News; payment: CanonicalPayment }[] = []
      let customers = new Set<string>()
      const recordTogether = async (name: string) => {
        const given = together
        together = []
        customers = new Set()
        if (given.length > 0) await record(given, name)
      }
      const tellStripe = async (name: string) => {
        for (const { saleId, payment } of await stripe.settle(name)) {
          paymentOf.set(saleId, payment)
          sales.set(payment, saleId)
        }
      }
      await stripe.begin(day)
      for (const [i, { news, times }] of day.news.entries()) {
        const name = `${day.day} ${i}`
        // What is told of one customer is told in its order, whoever tells it.
        if (stripe.knows(news.payment)) {
          const names = stripe.namesOf(news.payment)
          if (names.some((one) => customers.has(one))) await recordTogether(`record ${name} before`)
          if (stripe.isAbout(names, news)) await tellStripe(name)
          stripe.tell(news, times)
          continue
        }
        const payment = merge(news)
        if (!payment) continue
        const { key, emailHash = key } = payment.customer
        if (stripe.isAbout([key, emailHash])) await tellStripe(name)
        customers.add(key).add(emailHash)
        together.push({ news, payment })
        if (times === 1 && together.length < mostTogether) continue
        const last = together.pop()!
        await recordTogether(`record ${name}`)
        await Promise.all(Array.from({ length: times }, (_, copy) => record([last], `record ${name} ${copy}`)))
      }
      await recordTogether(`record ${day.day}`)
      await tellStripe(`${day.day} end`)
    },
    refuse: async (payment) => {
      try {
        await house.connection.db.transaction((tx) => house.use(attribution).recordPayment(tx, canonical(payment, {})))
      } catch (error) {
        if (error instanceof UserError) return
        throw error
      }
      throw new Error(`The payment ${payment.key} cannot be and was recorded`)
    },
  }
}
