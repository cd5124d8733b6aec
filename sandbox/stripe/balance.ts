// The balance of an account: every movement is a balance transaction, and the balance is nothing but their sum.

import type Stripe from 'stripe'
import { newId } from './ids.ts'
import { put, type Scope, type World } from './world.ts'

const DAY = 86_400

/** Books a movement (minor units, negative for money going out) and returns the transaction. */
export function book(
  world: World,
  scope: Scope,
  entry: {
    type: Stripe.BalanceTransaction.Type
    reportingCategory: string
    amount: number
    currency: string
    source: string
    fee?: number
    description?: string | null
    /** Days until the money is available; 0 at once. */
    settlesInDays?: number
  },
): Stripe.BalanceTransaction {
  const fee = entry.fee ?? 0
  const created = world.now()
  const availableOn = created + (entry.settlesInDays ?? 0) * DAY
  return put(scope, 'balance_transaction', {
    id: newId('txn'),
    object: 'balance_transaction',
    amount: entry.amount,
    available_on: availableOn,
    balance_type: 'payments',
    created,
    currency: entry.currency,
    description: entry.description ?? null,
    exchange_rate: null,
    fee,
    fee_details: fee
      ? [{ amount: fee, application: null, currency: entry.currency, description: 'Stripe processing fees', type: 'stripe_fee' }]
      : [],
    net: entry.amount - fee,
    reporting_category: entry.reportingCategory,
    source: entry.source,
    status: availableOn <= created ? 'available' : 'pending',
    type: entry.type,
  })
}

/** Marks what has settled by now. Called before the balance or a transaction is shown. */
export function settle(world: World, scope: Scope): void {
  for (const transaction of scope.tables.balance_transaction.values())
    if (transaction.available_on <= world.now()) transaction.status = 'available'
}

/** Minor units that can be spent now. */
export function available(world: World, scope: Scope, currency: string): number {
  settle(world, scope)
  return sumOf(scope, currency, 'available')
}

function sumOf(scope: Scope, currency: string, status: string): number {
  let sum = 0
  for (const transaction of scope.tables.balance_transaction.values())
    if (transaction.currency === currency && transaction.status === status) sum += transaction.net
  return sum
}

/** The balance object of an account. */
export function balanceOf(world: World, scope: Scope): Stripe.Balance {
  settle(world, scope)
  const currencies = new Set([...scope.tables.balance_transaction.values()].map((transaction) => transaction.currency))
  if (currencies.size === 0) currencies.add('usd')
  const lines = (status: string) =>
    [...currencies].sort().map((currency) => {
      const amount = sumOf(scope, currency, status)
      return { amount, currency, source_types: { card: amount } }
    })
  return { object: 'balance', available: lines('available'), livemode: false, pending: lines('pending') }
}

/** Stripe's price for a card payment: 2.9 % and 30 minor units (rounded half up), as on a standard US account. */
export function cardFee(amount: number): number {
  return Math.round(amount * 0.029) + 30
}

/** Money the platform adds to its own balance, available at once: a top-up that has succeeded. */
export function fund(world: World, amount: number, currency: string): Stripe.Topup {
  const scope = world.platform
  const id = newId('tu')
  const transaction = book(world, scope, {
    type: 'topup',
    reportingCategory: 'topup',
    amount,
    currency,
    source: id,
    description: 'Top-up',
  })
  return put(scope, 'topup', {
    id,
    object: 'topup',
    amount,
    balance_transaction: transaction.id,
    created: world.now(),
    currency,
    description: 'Top-up',
    expected_availability_date: world.now(),
    initiated_by: 'user',
    failure_code: null,
    failure_message: null,
    livemode: false,
    metadata: {},
    source: null,
    statement_descriptor: null,
    status: 'succeeded',
    transfer_group: null,
  })
}
