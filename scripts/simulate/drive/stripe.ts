// Brings Stripe's events to the door of the program, several at a time and out of order, and has the program handle them and ask Stripe for the rest.
import { attribution } from '../../../plugins/attribution/plugin.ts'
import { Crash } from '../faults.ts'
import type { News } from '../plan/shop.ts'
import type { Day } from '../plan.ts'
import { chance, shuffled } from '../random.ts'
import type { StripeEvent } from '../stripe/post.ts'
import type { StripeWorld } from '../stripe.ts'
import { signatureOf } from '../stripe.ts'
import type { Setting } from './setting.ts'
import type { Work } from './work.ts'

export interface StripeDoor {
  knows(payment: string): boolean
  /** All names of the payment's customer: the key, and the hash of the address. */
  namesOf(payment: string): string[]
  /** A new day: events of it that tell nothing new wait to be brought. */
  begin(day: Day): Promise<void>
  /** The events that tell the news wait to be brought, too. */
  tell(news: News, times: number): void
  /** Whether something waits about one of these customers, other than this very piece of news. */
  isAbout(names: readonly string[], news?: News): boolean
  /** Brings what waits, lets the program handle it and ask for what it misses; returns the sales that are new. */
  settle(name: string): Promise<{ saleId: string; payment: string }[]>
  /** Brings these at once, side by side, and has the program handle them. */
  deliver(events: readonly StripeEvent[], name: string): Promise<void>
  /** Events that were brought, and how many of them had been brought before. */
  told(): { events: number; again: number }
}

/** So long the program waits for events before it asks. */
const patienceMs = 6_000

export function createStripeDoor({ house, faults, size }: Setting, stripe: StripeWorld, work: Work): StripeDoor {
  const { clock } = house
  const brought = new Set<string>()
  let waiting: StripeEvent[] = []
  /** Of which customers something waits, and what. */
  let customers = new Map<string, string>()
  const unsold = new Set<string>()
  const sold = new Set<string>()
  let today = 0
  let events = 0
  let again = 0

  async function post(body: string, signature: string): Promise<number> {
    const headers = { 'content-type': 'application/json', 'stripe-signature': signature }
    return (await house.app.inject({ method: 'POST', url: '/webhooks/stripe', headers, payload: body })).statusCode
  }

  /** Stripe delivers again what was not answered with 200. */
  async function bring({ id, body }: StripeEvent, name: string): Promise<void> {
    events++
    if (brought.has(id)) again++
    brought.add(id)
    await faults.survive(`stripe ${name} ${id}`, async () => {
      const status = await post(body, signatureOf(body, clock.now()))
      if (status >= 500) throw new Crash('the program did not take the event')
      if (status !== 200) throw new Error(`an event of Stripe was answered with ${status}: ${body}`)
    })
  }

  /** What Stripe did not sign, or signed long ago, is refused. */
  async function forge({ body }: StripeEvent): Promise<void> {
    const forged = [
      signatureOf(body, clock.now(), 'whsec_of_nobody'),
      signatureOf(body, new Date(clock.now().getTime() - 3_600_000)),
    ]
    for (const signature of forged) {
      const status = await post(body, signature)
      if (status !== 400) throw new Error(`a forged event was answered with ${status}: ${body}`)
    }
  }

  async function newSales(): Promise<{ saleId: string; payment: string }[]> {
    const keys = [...unsold].map(stripe.paymentKeyOf)
    if (keys.length === 0) return []
    const rows = await house.connection.sql<{ id: string; key: string }[]>`
      select id, payment_key as key from attribution_sales where provider = 'stripe' and payment_key = any(${keys})`
    const found = rows.map(({ id, key }) => ({ saleId: id, payment: stripe.keyOf(key)! }))
    for (const { payment } of found) {
      unsold.delete(payment)
      sold.add(payment)
    }
    return found
  }

  const namesOf = (payment: string): string[] => {
    const { key, email } = stripe.customerOf(payment)
    return email === undefined ? [key] : [key, house.use(attribution).hashEmail(email)]
  }

  async function deliver(given: readonly StripeEvent[], name: string): Promise<void> {
    await Promise.all(given.map((event, i) => bring(event, `${name} ${i}`)))
    await work.deliverStripe(name)
  }

  return {
    deliver,
    knows: stripe.knows,
    namesOf,
    begin: async (day) => {
      today = day.day
      waiting.push(...stripe.strayOn(day.day, day.charged))
      const [first] = waiting
      if (first && chance(size.seed, 'forged', today) < 0.2) await forge(first)
    },
    tell: (news, times) => {
      for (const name of namesOf(news.payment)) customers.set(name, titleOf(news))
      if (!sold.has(news.payment)) unsold.add(news.payment)
      waiting.push(...stripe.tell(news, times, today))
    },
    isAbout: (names, news) =>
      names.some((name) => {
        const waits = customers.get(name)
        return waits !== undefined && (!news || waits !== titleOf(news))
      }),
    settle: async (name) => {
      const given = shuffled(
        waiting.map((event, i) => ({ event, name: `${event.id} ${i}` })),
        (one) => one.name,
        size.seed,
        'stripe',
        name,
      )
      waiting = []
      customers = new Map()
      if (given.length === 0) return []
      // Some are handled before the next ones come.
      const parts = chance(size.seed, 'parts', name) < 0.3 ? 2 : 1
      const most = Math.ceil(given.length / parts)
      for (let from = 0; from < given.length; from += most) {
        await deliver(
          given.slice(from, from + most).map(({ event }) => event),
          `${name} ${from}`,
        )
      }
      clock.advance(patienceMs)
      await work.deliverStripe(`${name} asked`)
      return newSales()
    },
    told: () => ({ events, again }),
  }
}

const titleOf = ({ payment, kind, at }: News): string => `${payment} ${kind} ${at}`
