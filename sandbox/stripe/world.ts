// What Stripe remembers: accounts, their objects, their balance and the events about them. In memory; it decides nothing about HTTP or delivery.

import type Stripe from 'stripe'
import { newId } from './ids.ts'

/** The version that objects are rendered in; the one the installed `stripe` package pins. */
export const API_VERSION = '2026-10-28.endive'

/** Everything an account owns, by object type. Cross references are held as identifiers and expanded on request. */
export interface Tables {
  account: Stripe.Account
  balance_transaction: Stripe.BalanceTransaction
  charge: Stripe.Charge
  'checkout.session': Stripe.Checkout.Session
  coupon: Stripe.Coupon
  customer: Stripe.Customer
  dispute: Stripe.Dispute
  event: Stripe.Event
  external_account: Stripe.BankAccount
  invoice: Stripe.Invoice
  invoice_payment: Stripe.InvoicePayment
  payment_intent: Stripe.PaymentIntent
  payment_method: Stripe.PaymentMethod
  payout: Stripe.Payout
  price: Stripe.Price
  product: Stripe.Product
  promotion_code: Stripe.PromotionCode
  refund: Stripe.Refund
  subscription: Stripe.Subscription
  topup: Stripe.Topup
  transfer: Stripe.Transfer
  webhook_endpoint: Stripe.WebhookEndpoint
}
export type TableName = keyof Tables

/** One account's objects. Maps keep the order of creation. */
export interface Scope {
  id: string
  tables: { [K in TableName]: Map<string, Tables[K]> }
}

/** What happened, as the delivery needs it. */
export interface Published {
  event: Stripe.Event
  scope: Scope
}

export interface World {
  platform: Scope
  scopes: Map<string, Scope>
  /** Side tables: what Stripe knows of an object without showing it in the object itself. */
  sessions: Map<string, SessionDetails>
  /** Card numbers behind payment methods. */
  cards: Map<string, string>
  webhookSecrets: Map<string, { secret: string; connect: boolean }>
  /** Seconds since 1970, by the sandbox's clock. */
  now(): number
  /** Moves the clock forward. */
  advance(seconds: number): void
  /** Address of the hosted pages, without a trailing slash. */
  pagesUrl: string
  /** The API request under way, which events name as their cause. */
  request: { id: string; idempotency_key: string | null } | null
  publish(published: Published): void
}

/** What a Checkout session was asked to do when it is paid. */
export interface SessionDetails {
  lineItems: Stripe.LineItem[]
  paymentIntentData: Stripe.Checkout.SessionCreateParams.PaymentIntentData | undefined
  subscriptionData: Stripe.Checkout.SessionCreateParams.SubscriptionData | undefined
  coupon: Stripe.Coupon | undefined
  promotionCode: Stripe.PromotionCode | undefined
}

export function createWorld(options: { now: () => Date; publish: (published: Published) => void }): World {
  let offset = 0
  const platform = newScope(newId('acct'))
  const world: World = {
    platform,
    scopes: new Map([[platform.id, platform]]),
    sessions: new Map(),
    cards: new Map(),
    webhookSecrets: new Map(),
    now: () => Math.floor(options.now().getTime() / 1000) + offset,
    advance: (seconds) => {
      offset += seconds
    },
    pagesUrl: '',
    request: null,
    publish: options.publish,
  }
  return world
}

export function newScope(id: string): Scope {
  const names: TableName[] = [
    'account',
    'balance_transaction',
    'charge',
    'checkout.session',
    'coupon',
    'customer',
    'dispute',
    'event',
    'external_account',
    'invoice',
    'invoice_payment',
    'payment_intent',
    'payment_method',
    'payout',
    'price',
    'product',
    'promotion_code',
    'refund',
    'subscription',
    'topup',
    'transfer',
    'webhook_endpoint',
  ]
  return { id, tables: Object.fromEntries(names.map((name) => [name, new Map()])) as unknown as Scope['tables'] }
}

/** The scope of a connected account. */
export function scopeOf(world: World, accountId: string): Scope {
  const scope = world.scopes.get(accountId)
  if (!scope) throw new Error(`no scope for ${accountId}`)
  return scope
}

/** Stores an object under its id and gives it back. */
export function put<K extends TableName>(scope: Scope, table: K, object: Tables[K]): Tables[K] {
  scope.tables[table].set(object.id, object)
  return object
}

/** Any object of the scope by its id; connected accounts belong to the platform. */
export function lookUp(scope: Scope, id: string): object | undefined {
  for (const table of Object.values(scope.tables) as Array<Map<string, object>>) {
    const found = table.get(id)
    if (found) return found
  }
  return undefined
}

/** Rows of a table, newest first. */
export function newestFirst<K extends TableName>(scope: Scope, table: K): Array<Tables[K]> {
  return [...scope.tables[table].values()].reverse() as Array<Tables[K]>
}

/** The id of a reference, whether it is held as an id or as an object. */
export function idOf(reference: string | { id: string } | null | undefined): string | null {
  return typeof reference === 'string' ? reference : (reference?.id ?? null)
}

/** A decimal amount as it travels on the wire: text. */
export function decimal(value: number | string): Stripe.Decimal {
  return String(value) as unknown as Stripe.Decimal
}

/** A page of objects embedded in another object. */
export function embeddedList<T>(url: string, data: T[], total?: number): Stripe.ApiList<T> {
  return { object: 'list', data, has_more: false, ...(total === undefined ? {} : { total_count: total }), url } as Stripe.ApiList<T>
}

/**
 * Records an event and hands it to delivery. `previous` holds the former values of what an `*.updated` event changed.
 * Events of a connected account carry its id in `account`.
 */
export function emit(world: World, scope: Scope, type: string, object: object, previous?: Record<string, unknown>): Stripe.Event {
  const event = {
    id: newId('evt'),
    object: 'event',
    ...(scope === world.platform ? {} : { account: scope.id }),
    api_version: API_VERSION,
    created: world.now(),
    data: { object: structuredClone(object), ...(previous ? { previous_attributes: structuredClone(previous) } : {}) },
    livemode: false,
    pending_webhooks: 0,
    request: world.request ?? { id: null, idempotency_key: null },
    type,
  } as unknown as Stripe.Event
  put(scope, 'event', event)
  world.publish({ event, scope })
  return event
}

/** Changes an object in place and emits `type` with the former values of the changed fields. Nothing changed, nothing emitted. */
export function change<T extends object>(world: World, scope: Scope, type: string, object: T, changes: Partial<T>): T {
  const previous: Record<string, unknown> = {}
  for (const key of Object.keys(changes) as Array<keyof T & string>)
    if (JSON.stringify(object[key]) !== JSON.stringify(changes[key])) previous[key] = structuredClone(object[key]) ?? null
  if (Object.keys(previous).length === 0) return object
  Object.assign(object, changes)
  emit(world, scope, type, object, previous)
  return object
}
