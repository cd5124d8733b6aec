// Which events Stripe sends, and when: those that tell a piece of news, in one of several ways, and others that come too early, too late, twice or never.
import { keep } from '../plan/customers.ts'
import type { Charged, News } from '../plan/shop.ts'
import { type Dice, diceOf } from '../random.ts'
import { type Account, isAllTold, openAccount, refundsAt, seconds } from './account.ts'
import {
  apiVersion,
  type ClickIdOf,
  chargeOf,
  declinedChargeOf,
  disputeOf,
  intentOf,
  invoiceOf,
  invoicePaymentOf,
  refundOf,
  type StripeObject,
  sessionOf,
  subscriptionOf,
} from './objects.ts'

export interface StripeEvent {
  readonly id: string
  readonly body: string
}

export interface PostOffice {
  /** Events of this day that are about no news of it: about payments that were made and are not told yet, and what lay somewhere until now. */
  strayOn(day: number, charged: readonly Charged[]): StripeEvent[]
  /** The events that tell the news, each `times` times or more; whoever has them all, and asks Stripe for what is missing, knows the news. */
  tell(news: News, times: number, day: number): StripeEvent[]
  account(payment: string): Account | undefined
  /** All payments of the subscription that were made, in their order. */
  ofSubscription(id: string): readonly Account[]
}

/** An event before it is written down. */
interface Draft {
  readonly type: string
  readonly created: number
  readonly object: StripeObject
  /** As long as it would tell something else, too. */
  readonly waits?: () => boolean
}

export function createPostOffice(seed: number, clickIdOf: ClickIdOf): PostOffice {
  const accounts = new Map<string, Account>()
  const subscriptions = new Map<string, Account[]>()
  const lying = new Map<number, { account: Account; draft: Draft }[]>()
  const written = new Map<string, StripeEvent>()
  const arrivals = new Map<string, number>()

  /** An event that is sent again is the same. */
  function write(account: Account, draft: Draft, day: number): StripeEvent {
    const { type, created, object } = draft
    const id = idOf(draft)
    const before = written.get(id)
    if (before) return before
    // Some endpoint of the shop has always been in another version: of its events only the id can be believed, so nothing else is in them.
    const mayBeRead = object.object !== 'charge' || (object.status !== 'failed' && isAllTold(account, day))
    const isOld = mayBeRead && object.object !== 'subscription' && diceOf(seed, 'version', id).maybe(0.025)
    const body = {
      id,
      object: 'event',
      api_version: isOld ? '2023-10-16' : apiVersion,
      created,
      data: { object: isOld ? { id: object.id, object: object.object } : object },
      livemode: false,
      pending_webhooks: 1,
      request: { id: null, idempotency_key: null },
      type,
    }
    const event = { id, body: JSON.stringify(body) }
    written.set(id, event)
    return event
  }

  /** Some come at once, some later, a few after months, and some never. */
  function scatter(account: Account, drafts: readonly Draft[], day: number, dice: Dice): Draft[] {
    return drafts.filter((draft) => {
      if (dice.maybe(0.5)) return false
      if (dice.maybe(0.5) && !draft.waits?.()) return true
      keep(lying, day + (dice.maybe(0.8) ? dice.between(1, 6) : dice.between(20, 100)), { account, draft })
      return false
    })
  }

  const draft = (type: string, created: number, object: StripeObject, waits?: Draft['waits']): Draft => ({
    type,
    created,
    object,
    ...(waits && { waits }),
  })
  const ifAny = (type: string, created: number, object: StripeObject | undefined): Draft[] =>
    object ? [draft(type, created, object)] : []

  const paidAt = ({ charged: { made } }: Account): number => seconds(made.paidAt)
  /** Not before the payment and the late click are told: a charge shows both. */
  const showsTooMuch = (account: Account) => () => !account.paid || !account.hinted

  const sessionTold = (account: Account): Draft[] =>
    ifAny('checkout.session.completed', paidAt(account), sessionOf(account, clickIdOf, !account.way.isSlow))
  const asyncTold = (account: Account): Draft[] =>
    account.way.isSlow
      ? ifAny('checkout.session.async_payment_succeeded', paidAt(account) + 2, sessionOf(account, clickIdOf, true))
      : []
  const invoiceTold = (account: Account): Draft[] => ifAny('invoice.paid', paidAt(account), invoiceOf(account))
  const linkTold = (account: Account): Draft[] => ifAny('invoice_payment.paid', paidAt(account), invoicePaymentOf(account))
  const intentTold = (account: Account): Draft =>
    draft('payment_intent.succeeded', paidAt(account), intentOf(account, clickIdOf, 'succeeded'))
  const chargeTold = (account: Account): Draft =>
    draft('charge.succeeded', paidAt(account), chargeOf(account, clickIdOf, { status: 'succeeded', hinted: false, until: 0 }))
  /** The shop adds the click a second after the payment. */
  const hintTold = (account: Account): Draft =>
    draft('charge.updated', paidAt(account) + 1, chargeOf(account, clickIdOf, { status: 'succeeded', hinted: true, until: 0 }))

  /** What may come before it is told that something was paid: nothing here says so. */
  function early(account: Account): Draft[] {
    const { way } = account
    const at = paidAt(account)
    return [
      ...(way.isSlow ? sessionTold(account) : []),
      ...ifAny('customer.subscription.updated', at, subscriptionOf(account)),
      ...(way.isRetried ? [draft('charge.failed', at - 60, declinedChargeOf(account, clickIdOf))] : []),
      ...(way.isSlow
        ? [
            draft('charge.pending', at - 1, chargeOf(account, clickIdOf, { status: 'pending', hinted: false, until: 0 })),
            draft('payment_intent.processing', at - 1, intentOf(account, clickIdOf, 'processing')),
          ]
        : []),
    ]
  }

  /** What says without the charge that something was paid. */
  const proofsOf = (account: Account, intent: Draft): Draft[] => [
    intent,
    ...(account.way.isSlow ? asyncTold(account) : sessionTold(account)),
    ...invoiceTold(account),
    ...linkTold(account),
  ]

  interface Telling {
    /** Together they tell the news. */
    readonly needed: readonly Draft[]
    /** They say nothing more. */
    readonly others: readonly Draft[]
  }

  function paid(account: Account, day: number, dice: Dice): Telling {
    account.paid = true
    const charge = account.charged.lateClick !== undefined && account.hinted ? hintTold(account) : chargeTold(account)
    const intent = intentTold(account)
    const origin = [...sessionTold(account), ...invoiceTold(account), ...linkTold(account)]
    const others = [...asyncTold(account), chargeTold(account)]
    // Instead of the charge, something else may tell that something was paid: then the charge is read from Stripe.
    const proofs = isAllTold(account, day) && dice.maybe(0.12) ? proofsOf(account, intent) : [charge]
    const proof = dice.pick(proofs)
    const isAsked = account.way.kind === 'intent' || proof !== charge || dice.maybe(0.1)
    const told = isAsked ? origin.filter(() => dice.maybe(0.4)) : origin
    const needed = [proof, ...told.filter((one) => idOf(one) !== idOf(proof))]
    return {
      needed,
      others: [charge, intent, ...others, ...origin].filter((one) => !needed.some((other) => idOf(other) === idOf(one))),
    }
  }

  function clicked(account: Account): Telling {
    account.hinted = true
    // Before the payment is told, nobody knows what it is about: it is told together with it.
    return { needed: account.paid ? [hintTold(account)] : [], others: [] }
  }

  /** The charge's total tells it, or each refund for itself does: all of them, as they are then. */
  function refunded(account: Account, { at }: News, dice: Dice): Telling {
    account.refundsUntil = Math.max(account.refundsUntil, at)
    const known = refundsAt(account, at)
    const { refund, nth } = known.find(({ refund }) => refund.at === at || refund.failedAt === at)!
    const made = (i: number) => draft('refund.created', seconds(account.charged.refunds[i]!.at), refundOf(account, i, 'pending'))
    const failed = (i: number) => {
      const type = diceOf(seed, 'failed', account.charged.made.key, i).pick([
        'refund.failed',
        'refund.updated',
        'charge.refund.updated',
      ])
      return draft(type, seconds(account.charged.refunds[i]!.failedAt!), refundOf(account, i, 'failed'))
    }
    const done = draft('refund.updated', seconds(refund.at) + 40, refundOf(account, nth, 'succeeded'))
    const shown = chargeOf(account, clickIdOf, { status: 'succeeded', hinted: true, until: refund.at })
    const total = draft('charge.refunded', seconds(refund.at), shown, showsTooMuch(account))
    const mayShow = !showsTooMuch(account)()
    const each = known.map((one) => (one.stands ? made(one.nth) : failed(one.nth)))
    if (refund.failedAt !== at)
      return mayShow && dice.maybe(0.6) ? { needed: [total], others: [made(nth), done] } : { needed: each, others: [done, total] }
    if (written.has(idOf(total))) return { needed: [failed(nth)], others: [made(nth), total] }
    return mayShow && dice.maybe(0.5)
      ? { needed: [total, failed(nth)], others: [made(nth)] }
      : { needed: each, others: [total, done] }
  }

  function disputed(account: Account, news: News & { kind: 'dispute' }): Telling {
    const { isInquiry } = account.way
    const begun = seconds(account.charged.disputed!.at)
    const at = seconds(news.at)
    if (!account.dispute || account.dispute.at <= news.at) account.dispute = news
    const about = (what: string, created: number, status: string) =>
      draft(`charge.dispute.${what}`, created, disputeOf(account, status))
    const status = statusOf(news.state, isInquiry)
    if (news.state === 'open') {
      const review = about('updated', begun + 3600, isInquiry ? 'warning_under_review' : 'under_review')
      return {
        needed: [about('created', begun, status)],
        others: [review, ...(isInquiry ? [] : [about('funds_withdrawn', begun, status)])],
      }
    }
    const others = [
      about('updated', at, status),
      ...(news.state === 'won' && !isInquiry ? [about('funds_reinstated', at + 5, status)] : []),
    ]
    return { needed: [about('closed', at, status)], others }
  }

  function telling(account: Account, news: News, day: number, dice: Dice): Telling {
    switch (news.kind) {
      case 'paid':
        return paid(account, day, dice)
      case 'click':
        return clicked(account)
      case 'refunded':
        return refunded(account, news, dice)
      case 'dispute':
        return disputed(account, news)
      case 'retaxed':
        throw new Error('At Stripe the tax of what is paid stands.')
    }
  }

  return {
    account: (payment) => accounts.get(payment),
    ofSubscription: (id) => subscriptions.get(id) ?? [],
    strayOn: (day, charged) => {
      const opened = charged.map((one) => {
        const { key, subscription } = one.made
        const siblings = subscription ? (subscriptions.get(subscription.id) ?? []) : []
        const account = openAccount(seed, one, siblings.at(-1))
        accounts.set(key, account)
        if (subscription) subscriptions.set(subscription.id, [...siblings, account])
        return account
      })
      const tooEarly = opened.flatMap((account) => {
        const dice = diceOf(seed, 'early', account.charged.made.key)
        return dice.maybe(0.2) ? early(account).flatMap((one) => (dice.maybe(0.6) ? [write(account, one, day)] : [])) : []
      })
      const tooLate = (lying.get(day) ?? []).flatMap(({ account, draft: one }) => {
        if (!one.waits?.()) return [write(account, one, day)]
        keep(lying, day + 3, { account, draft: one })
        return []
      })
      lying.delete(day)
      return [...tooEarly, ...tooLate]
    },
    tell: (news, times, day) => {
      const account = accounts.get(news.payment)!
      const name = `${news.payment} ${news.kind} ${news.at}`
      const arrival = (arrivals.get(name) ?? 0) + 1
      arrivals.set(name, arrival)
      const dice = diceOf(seed, 'tell', name, arrival)
      const { needed, others } = telling(account, news, day, dice)
      const more = others.filter((one) => !needed.some((other) => idOf(other) === idOf(one)))
      return [...needed, ...scatter(account, more, day, dice)].flatMap((one) => {
        const event = write(account, one, day)
        return Array.from({ length: times + (dice.maybe(0.1) ? 1 : 0) }, () => event)
      })
    },
  }
}

/** Stripe's word for how far a dispute is. */
export function statusOf(state: 'open' | 'won' | 'lost', isInquiry: boolean): string {
  if (state === 'lost') return 'lost'
  if (state === 'won') return isInquiry ? 'warning_closed' : 'won'
  return isInquiry ? 'warning_needs_response' : 'needs_response'
}

const idOf = ({ type, object, created }: Draft): string => `evt_${type.replaceAll('.', '_')}_${object.id}_${created}`
