// The side of Stripe that pays partners: their accounts, the platform's balance, and transfers, with everything that goes wrong about them.
import {
  type AccountChange,
  answersFor,
  changed,
  changedAt,
  inOrder,
  type Look,
  type Telling,
  tellingsOf,
} from '../plan/accounts.ts'
import { currencies, dayMs, dayOf, hourMs, paydayBefore, type Size, startOf, timesOfDay } from '../plan/calendar.ts'
import { keep } from '../plan/customers.ts'
import { type Fate, fateOf, isPoor, isShortAtOnce, type TransferFate, transferFateOf, transferNewsOf } from '../plan/fates.ts'
import { chance, shuffled } from '../random.ts'
import { seconds } from './account.ts'
import { apiVersion, type StripeObject } from './objects.ts'
import type { StripeEvent } from './post.ts'

export interface Reply {
  readonly status: number
  readonly value: object
}

/** What Stripe tells about one account, or one book of a partner: the events of one such subject come in this order. */
export interface Subject {
  readonly name: string
  readonly event: StripeEvent
}

export interface Connect {
  /** Undefined: nothing here answers to that. `broken`: the connection breaks. */
  answer(request: ConnectRequest): Promise<Reply | 'broken' | undefined>
  /** Something becomes of the partner's account on this day. */
  change(partner: string, change: AccountChange, day: number): void
  lookOf(partner: string): Look | undefined
  /** Where Stripe's page sends the partner: back, and for another page when the first has run out. */
  pagesOf(partner: string): { returnUrl: string; refreshUrl: string }
  /** What Stripe tells of transfers on this day, and of accounts. */
  transferNews(day: number): Subject[]
  accountNews(day: number): Subject[]
  /** How many accounts there are, and how many transfers were made. */
  accounts(): number
  transfers(): number
  /** What was transferred and not reversed, by `partner currency`. */
  transferred(): Map<string, bigint>
}

export interface ConnectRequest {
  readonly method: string
  readonly path: readonly string[]
  readonly query: URLSearchParams
  readonly body: URLSearchParams
  readonly key: string | undefined
}

interface Account {
  readonly partner: string
  readonly looks: Look[]
  pages: { returnUrl: string; refreshUrl: string } | undefined
}

interface Transfer {
  readonly id: string
  readonly payoutId: string
  readonly programId: string
  readonly partner: string
  readonly currency: string
  readonly amount: number
  readonly at: number
  readonly reversedAt: number
  /** It is not on the list yet: whoever asked for it was not answered, and Stripe is still at it. */
  isUnderWay: boolean
}

/** A payout that somebody tried to make. */
interface Wish {
  readonly partner: string
  readonly currency: string
  readonly payday: number
  readonly fate: Fate
  readonly transferFate: TransferFate
  tries: number
}

const ok = (value: object): Reply => ({ status: 200, value })
const no = (status: number, type: string, code: string, message: string): Reply => ({
  status,
  value: { error: { type, code, message } },
})
const refusal = (code: string, message: string): Reply => no(400, 'invalid_request_error', code, message)
const busy = no(503, 'api_error', 'unavailable', 'Stripe has a bad moment')
const failed = no(500, 'api_error', 'unknown', 'Something went wrong at Stripe')
/** What says that nothing came of a try. */
const before: readonly Reply[] = [
  busy,
  no(429, 'invalid_request_error', 'rate_limit', 'Too many requests'),
  no(409, 'invalid_request_error', 'lock_timeout', 'Somebody else is at it'),
]
const enough = 1_000_000_000_000

/** @param world.tellEarly brings an event at once, before the answer to the request */
export function createConnect(size: Size, world: { now: () => number; tellEarly: (event: StripeEvent) => Promise<void> }): Connect {
  const accounts = new Map<string, Account>()
  const transfers: Transfer[] = []
  const wishes = new Map<string, Wish>()
  const answered = new Map<string, { given: string; until: number; reply: Reply }>()
  const tellings = new Map<number, Telling[]>()
  const words = new Map<number, { transfer: Transfer; kind: 'created' | 'reversed'; isRead: boolean }[]>()

  const today = (): number => dayOf(world.now())
  const idOf = (partner: string): string => `acct_${partner}`
  const partnerAt = (id: string): string => id.replace(/^acct_/, '')

  /** A key is good for a day, or longer: until then Stripe repeats its answer. https://docs.stripe.com/api/idempotent_requests */
  async function once({ key, body }: ConnectRequest, work: () => Promise<Reply | 'broken'>): Promise<Reply | 'broken'> {
    const earlier = key === undefined ? undefined : answered.get(key)
    if (earlier && world.now() < earlier.until)
      return earlier.given === body.toString()
        ? earlier.reply
        : no(400, 'idempotency_error', 'idempotency_key_in_use', 'This key was used for something else')
    return work()
  }
  const remember = ({ key, body }: ConnectRequest, reply: Reply, days = 1): Reply => {
    if (key !== undefined) answered.set(key, { given: body.toString(), until: world.now() + days * dayMs, reply })
    return reply
  }

  function open(request: ConnectRequest): Reply {
    const partner = request.body.get('email')!.split('@')[0]!
    // Without the same key Stripe makes another account for the same partner.
    const id = accounts.has(partner) ? `acct_${partner}x${accounts.size}` : idOf(partner)
    accounts.set(partnerAt(id), { partner, looks: [], pages: undefined })
    change(partnerAt(id), 'begun', today())
    return remember(request, ok(accountOf(id)!))
  }

  function pageFor({ body }: ConnectRequest): Reply {
    const account = accounts.get(partnerAt(body.get('account')!))
    if (!account) return refusal('account_invalid', 'No such account')
    account.pages = { returnUrl: body.get('return_url')!, refreshUrl: body.get('refresh_url')! }
    return ok({
      object: 'account_link',
      created: seconds(world.now()),
      expires_at: seconds(world.now()) + 300,
      url: `https://connect.stripe.test/${body.get('account')}`,
    })
  }

  function change(partner: string, what: AccountChange, day: number): void {
    const { looks } = accounts.get(partner)!
    looks.push(changed(looks.at(-1), what, day))
    for (const telling of tellingsOf(size, partner, what, day)) keep(tellings, telling.on, telling)
  }

  const lookNow = (partner: string): Look | undefined => accounts.get(partner)?.looks.findLast(({ at }) => at <= world.now())

  function accountOf(id: string, look = lookNow(partnerAt(id))): StripeObject | undefined {
    if (!look) return undefined
    const banks = look.banks.map((bank) => ({
      id: `ba_${bank}`,
      object: 'bank_account',
      fingerprint: `${id} ${bank}`,
      default_for_currency: bank === look.usual,
    }))
    return {
      id,
      object: 'account',
      country: 'DE',
      capabilities: { transfers: look.ready ? 'active' : 'inactive' },
      payouts_enabled: look.ready,
      requirements: {
        disabled_reason: look.ready ? null : 'requirements.past_due',
        currently_due: look.ready ? [] : ['external_account'],
        past_due: [],
        eventually_due: [],
        pending_verification: [],
        errors: [],
      },
      external_accounts: { object: 'list', data: banks },
    }
  }

  async function make(request: ConnectRequest): Promise<Reply | 'broken'> {
    const { body } = request
    const payoutId = body.get('transfer_group')!
    const currency = body.get('currency')!.toUpperCase()
    const partner = partnerAt(body.get('destination')!)
    const payday = paydayBefore(today())
    const wish: Wish = wishes.get(payoutId) ?? {
      partner,
      currency,
      payday,
      fate: fateOf(size, partner, currency, payday),
      transferFate: transferFateOf(size, partner, currency, payday),
      tries: 0,
    }
    wishes.set(payoutId, wish)
    const { fate, transferFate } = wish
    const isFirstDay = today() === payday
    const stuck = isFirstDay ? transferFate.stuck : undefined
    const nth = wish.tries++
    const trouble = fate.troubles[nth]
    const dice = (what: string) => chance(size.seed, what, partner, currency, payday, nth)
    if (stuck === 'silent' || isMute(payoutId)) return busy
    const late = transfers.find((one) => one.payoutId === payoutId && one.isUnderWay)
    if (late) late.isUnderWay = false
    return once(request, async () => {
      if (stuck === 'failed') return remember(request, failed)
      // A connection that breaks is tried again by the client itself, and then nobody knows of the first try.
      if (trouble === 'before')
        return stuck !== 'short' && dice('broken') < 0.15 ? 'broken' : before[Math.floor(dice('how') * before.length)]!
      if (fate.refused) return remember(request, refusal('parameter_invalid', 'This cannot be transferred'))
      if (!lookNow(partner)?.ready)
        return remember(
          request,
          refusal('insufficient_capabilities_for_transfer', 'The destination lacks the capability transfers'),
        )
      if (stuck === 'short') {
        // Where an earlier try may still come to something, the program has to go on under the same key.
        const days = isShortAtOnce(fate, transferFate) ? 10 : 1
        return remember(request, refusal('balance_insufficient', 'You have insufficient funds'), days)
      }
      const transfer = take(wish, body, trouble === 'after' && stuck !== 'taken')
      const reply = remember(request, ok(show(transfer)))
      if (fate.early) await world.tellEarly(eventOf(transfer, 'created', false))
      if (stuck === 'taken') return busy
      if (trouble !== 'after') return reply
      if (dice('unsure') < 0.3) return remember(request, failed)
      return dice('broken') < 0.15 ? 'broken' : busy
    })
  }

  function take({ partner, currency, payday, transferFate }: Wish, body: URLSearchParams, isUnderWay: boolean): Transfer {
    const { reversedAfter } = transferFate
    const transfer: Transfer = {
      id: `tr_${transfers.length + 1}`,
      payoutId: body.get('metadata[payoutId]')!,
      programId: body.get('metadata[programId]')!,
      partner,
      currency,
      amount: Number(body.get('amount')),
      at: world.now(),
      reversedAt: reversedAfter === undefined ? Number.POSITIVE_INFINITY : startOf(today() + reversedAfter) + 12 * hourMs,
      isUnderWay,
    }
    transfers.push(transfer)
    for (const { on, kind, isRead } of transferNewsOf(size, partner, currency, payday, today()))
      keep(words, on, { transfer, kind, isRead })
    return transfer
  }

  /** Whether Stripe took the money and says nothing more about this payout today. */
  function isMute(payoutId: string): boolean {
    const wish = wishes.get(payoutId)
    return wish?.transferFate.stuck === 'taken' && wish.payday === today() && transfers.some((one) => one.payoutId === payoutId)
  }

  function show(transfer: Transfer, reversed = transfer.reversedAt <= world.now()): StripeObject {
    const { id, payoutId, programId, amount, currency, partner, at } = transfer
    return {
      id,
      object: 'transfer',
      amount,
      amount_reversed: reversed ? amount : 0,
      created: seconds(at),
      currency: currency.toLowerCase(),
      destination: idOf(partner),
      metadata: { payoutId, programId },
      reversed,
      transfer_group: payoutId,
    }
  }

  function group(payoutId: string): Reply {
    const wish = wishes.get(payoutId)
    if (isMute(payoutId) || (wish?.transferFate.stuck === 'silent' && wish.payday === today())) return busy
    const found = transfers.filter((one) => one.payoutId === payoutId && !one.isUnderWay)
    return ok({ object: 'list', data: found.toReversed().map((one) => show(one)), has_more: false, url: '/v1/transfers' })
  }

  function balance(): Reply {
    const available = Object.keys(currencies).map((currency) => ({
      currency: currency.toLowerCase(),
      amount: isPoor(size, currency, today()) ? 0 : enough,
    }))
    return ok({ object: 'balance', available, pending: [] })
  }

  function write(id: string, type: string, at: number, object: StripeObject, isRead: boolean, account?: string): StripeEvent {
    const body = {
      id,
      object: 'event',
      api_version: isRead ? '2023-10-16' : apiVersion,
      created: seconds(at),
      data: { object: isRead ? { id: object.id, object: object.object } : object },
      livemode: false,
      type,
      ...(account !== undefined && { account }),
    }
    return { id, body: JSON.stringify(body) }
  }

  const eventOf = (transfer: Transfer, kind: 'created' | 'reversed', isRead: boolean): StripeEvent =>
    write(
      `evt_transfer_${kind}_${transfer.id}`,
      `transfer.${kind}`,
      kind === 'created' ? transfer.at : transfer.reversedAt,
      show(transfer, kind === 'reversed'),
      isRead,
    )

  function accountEvent({ partner, change: what, day, isRead }: Telling): StripeEvent {
    const id = idOf(partner)
    const at = changedAt(what, day)
    const look = accounts.get(partner)!.looks.find((one) => one.at === at)
    const object = accountOf(id, look)!
    const name = `evt_account_${partner}_${what}_${day}`
    if (!isRead || !what.startsWith('bank')) return write(name, 'account.updated', at, object, isRead, id)
    // Only whose it is can be read from it.
    const bank = { id: `ba_${look!.banks.at(-1)}`, object: 'bank_account', account: id }
    return write(name, 'account.external_account.created', at, bank, false, id)
  }

  async function answer(request: ConnectRequest): Promise<Reply | 'broken' | undefined> {
    const { method, path, query } = request
    const [kind, id] = path
    if (kind === 'balance') return balance()
    if (method === 'POST' && kind === 'accounts') return once(request, async () => open(request))
    if (kind === 'account_links') return pageFor(request)
    if (method === 'POST' && kind === 'transfers') return make(request)
    if (kind === 'transfers') {
      if (id === undefined) return group(query.get('transfer_group')!)
      const transfer = transfers.find((one) => one.id === id)
      return transfer ? ok(show(transfer)) : no(404, 'invalid_request_error', 'resource_missing', 'No such transfer')
    }
    if (kind !== 'accounts') return undefined
    const isEvening = world.now() >= startOf(today()) + timesOfDay.hands
    if (isEvening && !answersFor(size, partnerAt(id!), today())) return busy
    const account = accountOf(id!)
    return account ? ok(account) : no(403, 'invalid_request_error', 'account_invalid', 'No such account')
  }

  return {
    answer,
    change,
    lookOf: (partner) => accounts.get(partner)?.looks.at(-1),
    pagesOf: (partner) => accounts.get(partner)!.pages!,
    transferNews: (day) => {
      const due = words.get(day) ?? []
      const nameOf = ({ transfer: { partner, currency, at }, kind }: (typeof due)[number]) =>
        `${partner} ${currency} ${paydayBefore(dayOf(at))} ${kind}`
      return shuffled(due, nameOf, size.seed, 'transfers', day).map(({ transfer, kind, isRead }) => ({
        name: `${transfer.partner} ${transfer.currency}`,
        event: eventOf(transfer, kind, isRead),
      }))
    },
    accountNews: (day) =>
      inOrder(size, tellings.get(day) ?? [], day).map((telling) => ({ name: telling.partner, event: accountEvent(telling) })),
    accounts: () => accounts.size,
    transfers: () => transfers.length,
    transferred: () => {
      const found = new Map<string, bigint>()
      for (const { partner, currency, amount, reversedAt } of transfers) {
        if (reversedAt <= world.now()) continue
        const own = `${partner} ${currency}`
        found.set(own, (found.get(own) ?? 0n) + BigInt(amount))
      }
      return found
    },
  }
}
