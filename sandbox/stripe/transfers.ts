// Money to connected accounts: transfers out of the platform's balance, their reversals, and the payouts that bring it to the bank.

import type Stripe from 'stripe'
import { transferRefusal } from './accounts.ts'
import { available, balanceOf, book, settle } from './balance.ts'
import { currencyOf } from './catalog.ts'
import { invalid } from './errors.ts'
import { newId } from './ids.ts'
import { money } from './money.ts'
import { listPage, listRoute, mergeMetadata, type Route, referred, required, retrieveRoute, route } from './routes.ts'
import { change, embeddedList, emit, idOf, newestFirst, put, type Scope, scopeOf, type World } from './world.ts'

const DAY = 86_400

/** How a transfer's money goes on to the bank. */
export interface PayoutPlan {
  /** Called when a connected account receives money; may create and settle its payout, at once or later. */
  received: (scope: Scope, currency: string) => void
}

function createTransfer(world: World, plan: PayoutPlan, params: Stripe.TransferCreateParams): Stripe.Transfer {
  const { platform } = world
  const currency = currencyOf(params.currency, 'currency')
  const account = platform.tables.account.get(params.destination)
  if (!account || account.id === platform.id)
    throw invalid(`No such destination: '${params.destination}'`, 'destination', 'resource_missing')
  const source = params.source_transaction
    ? referred(platform, 'charge', 'charge', params.source_transaction, 'source_transaction')
    : undefined
  const amount = params.amount ?? source?.amount
  if (amount === undefined) throw invalid('Missing required param: amount.', 'amount', 'parameter_missing')
  if (amount < 1) throw invalid('This value must be greater than or equal to 1.', 'amount', 'parameter_invalid_integer')
  if (amount > 99_999_999_999) throw invalid('Amount is too large', 'amount', 'amount_too_large')
  const refusal = transferRefusal(world, account)
  if (refusal) throw refusal
  if (source && source.currency !== currency)
    throw invalid(
      `The currency of source_transaction's balance transaction (${source.currency}) must be the same as the transfer currency (${currency})`,
      'currency',
    )
  if (source && amount > source.amount - source.amount_refunded - transferredFrom(platform, source.id))
    throw invalid('Transfers using this transaction as a source must not exceed the source amount.', 'amount')
  if (!source && amount > available(world, platform, currency))
    throw invalid(
      'You have insufficient available funds in your Stripe account. Try adding funds directly to your available balance by creating Charges using the 4000000000000077 test card. See: https://stripe.com/docs/testing#available-balance',
      undefined,
      'balance_insufficient',
    )

  const id = newId('tr')
  const paymentId = newId('py')
  const destination = scopeOf(world, account.id)
  const transaction = book(world, platform, {
    type: 'transfer',
    reportingCategory: 'transfer',
    amount: -amount,
    currency,
    source: id,
    description: params.description ?? null,
  })
  book(world, destination, { type: 'payment', reportingCategory: 'charge', amount, currency, source: paymentId })
  const transfer = put(platform, 'transfer', {
    id,
    object: 'transfer',
    amount,
    amount_reversed: 0,
    balance_transaction: transaction.id,
    created: world.now(),
    currency,
    description: params.description ?? null,
    destination: account.id,
    destination_payment: paymentId,
    livemode: false,
    metadata: mergeMetadata(null, params.metadata),
    reversals: embeddedList(`/v1/transfers/${id}/reversals`, [], 0),
    reversed: false,
    source_transaction: source?.id ?? null,
    source_type: 'card',
    transfer_group: params.transfer_group ?? (source ? `group_${idOf(source.payment_intent)}` : null),
  })
  emit(world, platform, 'transfer.created', transfer)
  put(destination, 'charge', destinationPayment(world, transfer, paymentId))
  plan.received(destination, currency)
  return transfer
}

function transferredFrom(scope: Scope, charge: string): number {
  return [...scope.tables.transfer.values()]
    .filter((row) => row.source_transaction === charge)
    .reduce((sum, row) => sum + row.amount - row.amount_reversed, 0)
}

/** The connected account's side of a transfer: a payment that has succeeded. */
function destinationPayment(world: World, transfer: Stripe.Transfer, id: string): Stripe.Charge {
  return {
    id,
    object: 'charge',
    amount: transfer.amount,
    amount_captured: transfer.amount,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: [...scopeOf(world, idOf(transfer.destination)!).tables.balance_transaction.values()].at(-1)!.id,
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    calculated_statement_descriptor: null,
    captured: true,
    created: world.now(),
    currency: transfer.currency,
    customer: null,
    description: transfer.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    fraud_details: {},
    livemode: false,
    metadata: {},
    on_behalf_of: null,
    outcome: null,
    paid: true,
    payment_intent: null,
    payment_method: null,
    payment_method_details: { stripe_account: {}, type: 'stripe_account' },
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: transfer.id,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'succeeded',
    transfer_data: null,
    transfer_group: transfer.transfer_group,
  }
}

/** Takes back `amount` of a transfer, or what is left; emits `transfer.reversed`. */
export function reverseTransfer(
  world: World,
  transfer: Stripe.Transfer,
  given: { amount?: number; metadata?: Stripe.Metadata } = {},
): Stripe.TransferReversal {
  const left = transfer.amount - transfer.amount_reversed
  if (left === 0) throw invalid(`Transfer ${transfer.id} is already fully reversed.`)
  const amount = given.amount ?? left
  if (amount < 1) throw invalid('This value must be greater than or equal to 1.', 'amount', 'parameter_invalid_integer')
  if (amount > left)
    throw invalid(
      `Amount to reverse (${money(amount, transfer.currency)}) is greater than unreversed amount on transfer (${money(left, transfer.currency)})`,
      'amount',
    )
  const destination = scopeOf(world, idOf(transfer.destination)!)
  const id = newId('trr')
  const refundId = newId('pyr')
  const transaction = book(world, world.platform, {
    type: 'transfer_refund',
    reportingCategory: 'transfer_reversal',
    amount,
    currency: transfer.currency,
    source: transfer.id,
    description: `REFUND FOR TRANSFER (${transfer.id})`,
  })
  book(world, destination, {
    type: 'payment_refund',
    reportingCategory: 'refund',
    amount: -amount,
    currency: transfer.currency,
    source: refundId,
  })
  const reversal: Stripe.TransferReversal = {
    id,
    object: 'transfer_reversal',
    amount,
    balance_transaction: transaction.id,
    created: world.now(),
    currency: transfer.currency,
    destination_payment_refund: refundId,
    metadata: given.metadata ?? {},
    source_refund: null,
    transfer: transfer.id,
  }
  const reversals = [reversal, ...transfer.reversals.data]
  change(world, world.platform, 'transfer.reversed', transfer, {
    amount_reversed: transfer.amount_reversed + amount,
    reversed: transfer.amount_reversed + amount === transfer.amount,
    reversals: embeddedList(`/v1/transfers/${transfer.id}/reversals`, reversals, reversals.length),
  })
  return reversal
}

/** A payout to the account's bank; emits `payout.created`. */
export function createPayout(
  world: World,
  scope: Scope,
  given: { amount: number; currency: string; automatic: boolean; description?: string | null; metadata?: Stripe.Metadata },
): Stripe.Payout {
  const bank = [...scope.tables.external_account.values()].find((place) => place.default_for_currency)
  if (!bank && scope !== world.platform) throw invalid("Sorry, you don't have any external accounts in that currency.", 'currency')
  if (given.amount > available(world, scope, given.currency))
    throw invalid(
      'You have insufficient funds in your Stripe account for this payout. You can use the /v1/balance endpoint to view your Stripe balance (for more details, see stripe.com/docs/api#balance).',
      undefined,
      'balance_insufficient',
    )
  const id = newId('po')
  const transaction = book(world, scope, {
    type: 'payout',
    reportingCategory: 'payout',
    amount: -given.amount,
    currency: given.currency,
    source: id,
    description: 'STRIPE PAYOUT',
  })
  const payout = put(scope, 'payout', {
    id,
    object: 'payout',
    amount: given.amount,
    application_fee: null,
    application_fee_amount: null,
    arrival_date: world.now() + 2 * DAY,
    automatic: given.automatic,
    balance_transaction: transaction.id,
    created: world.now(),
    currency: given.currency,
    description: given.description ?? 'STRIPE PAYOUT',
    destination: bank?.id ?? null,
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    livemode: false,
    metadata: given.metadata ?? {},
    method: 'standard',
    original_payout: null,
    payout_method: null,
    reconciliation_status: given.automatic ? 'in_progress' : 'not_applicable',
    reversed_by: null,
    source_type: 'card',
    statement_descriptor: null,
    status: 'in_transit',
    trace_id: { status: 'pending', value: null },
    type: 'bank_account',
  })
  emit(world, scope, 'payout.created', payout)
  return payout
}

/** The money has arrived; emits `payout.paid`. */
export function settlePayout(world: World, scope: Scope, payout: Stripe.Payout): Stripe.Payout {
  if (payout.status === 'paid' || payout.status === 'failed') throw invalid(`Payout ${payout.id} is already ${payout.status}.`)
  Object.assign(payout, {
    status: 'paid',
    arrival_date: world.now(),
    trace_id: { status: 'supported', value: payout.id.slice(-12).toUpperCase() },
    ...(payout.automatic ? { reconciliation_status: 'completed' } : {}),
  })
  emit(world, scope, 'payout.paid', payout)
  return payout
}

/** The bank refuses: the money returns to the account's balance; emits `payout.failed`. A paid payout can still fail, as at Stripe. */
export function failPayout(world: World, scope: Scope, payout: Stripe.Payout, code = 'account_closed'): Stripe.Payout {
  if (payout.status === 'failed') throw invalid(`Payout ${payout.id} has already failed.`)
  const transaction = book(world, scope, {
    type: 'payout_failure',
    reportingCategory: 'payout_reversal',
    amount: payout.amount,
    currency: payout.currency,
    source: payout.id,
    description: 'PAYOUT FAILURE',
  })
  Object.assign(payout, {
    status: 'failed',
    failure_balance_transaction: transaction.id,
    failure_code: code,
    failure_message: 'The bank account has been closed.',
  })
  emit(world, scope, 'payout.failed', payout)
  return payout
}

export function transferRoutes(plan: PayoutPlan): Route[] {
  return [
    route<Stripe.TransferCreateParams>('POST', '/v1/transfers', ['Transfers', 'TransferCreateParams'], ({ world }, params) =>
      createTransfer(world, plan, params),
    ),
    listRoute<'transfer', Stripe.TransferListParams>(
      '/v1/transfers',
      ['Transfers', 'TransferListParams'],
      'transfer',
      (row, params) =>
        (!params.destination || row.destination === params.destination) &&
        (!params.transfer_group || row.transfer_group === params.transfer_group),
    ),
    retrieveRoute('/v1/transfers', ['Transfers', 'TransferRetrieveParams'], 'transfer', 'transfer', 'transfer'),
    route<Stripe.TransferUpdateParams>(
      'POST',
      '/v1/transfers/:id',
      ['Transfers', 'TransferUpdateParams'],
      ({ world, scope, path }, params) => {
        const transfer = required(scope, 'transfer', 'transfer', path.id!, 'transfer')
        return change(world, scope, 'transfer.updated', transfer, {
          metadata: mergeMetadata(transfer.metadata, params.metadata),
          ...(params.description === undefined ? {} : { description: params.description }),
        })
      },
    ),
    route<Stripe.TransferCreateReversalParams>(
      'POST',
      '/v1/transfers/:id/reversals',
      ['Transfers', 'TransferCreateReversalParams'],
      ({ world, scope, path }, params) =>
        reverseTransfer(world, required(scope, 'transfer', 'transfer', path.id!, 'transfer'), {
          ...(params.amount === undefined ? {} : { amount: params.amount }),
          metadata: mergeMetadata(null, params.metadata),
        }),
    ),
    route<Stripe.TransferListReversalsParams>(
      'GET',
      '/v1/transfers/:id/reversals',
      ['Transfers', 'TransferListReversalsParams'],
      ({ scope, path }, params) =>
        listPage(
          `/v1/transfers/${path.id}/reversals`,
          required(scope, 'transfer', 'transfer', path.id!, 'transfer').reversals.data,
          params,
        ),
    ),
    route('GET', '/v1/transfers/:id/reversals/:reversal', ['Transfers', 'TransferRetrieveReversalParams'], ({ scope, path }) => {
      const found = required(scope, 'transfer', 'transfer', path.id!, 'transfer').reversals.data.find(
        (row) => row.id === path.reversal,
      )
      if (!found) throw invalid(`No such transfer reversal: '${path.reversal}'`, 'id', 'resource_missing')
      return found
    }),

    route<Stripe.PayoutCreateParams>('POST', '/v1/payouts', ['Payouts', 'PayoutCreateParams'], ({ world, scope }, params) => {
      if (params.amount < 1) throw invalid('This value must be greater than or equal to 1.', 'amount', 'parameter_invalid_integer')
      return createPayout(world, scope, {
        amount: params.amount,
        currency: currencyOf(params.currency, 'currency'),
        automatic: false,
        description: params.description ?? null,
        metadata: mergeMetadata(null, params.metadata),
      })
    }),
    listRoute<'payout', Stripe.PayoutListParams>(
      '/v1/payouts',
      ['Payouts', 'PayoutListParams'],
      'payout',
      (row, params) =>
        (!params.status || row.status === params.status) && (!params.destination || row.destination === params.destination),
    ),
    retrieveRoute('/v1/payouts', ['Payouts', 'PayoutRetrieveParams'], 'payout', 'payout', 'payout'),

    route('GET', '/v1/balance', ['Balance', 'BalanceRetrieveParams'], ({ world, scope }) => balanceOf(world, scope)),
    route<Stripe.BalanceTransactionListParams>(
      'GET',
      '/v1/balance_transactions',
      ['BalanceTransactions', 'BalanceTransactionListParams'],
      ({ world, scope }, params) => {
        settle(world, scope)
        const rows = newestFirst(scope, 'balance_transaction').filter(
          (row) =>
            (!params.type || row.type === params.type) &&
            (!params.source || row.source === params.source) &&
            (!params.currency || row.currency === params.currency),
        )
        return listPage('/v1/balance_transactions', rows, params)
      },
    ),
    route(
      'GET',
      '/v1/balance_transactions/:id',
      ['BalanceTransactions', 'BalanceTransactionRetrieveParams'],
      ({ world, scope, path }) => {
        settle(world, scope)
        return required(scope, 'balance_transaction', 'balance transaction', path.id!)
      },
    ),
    listRoute('/v1/topups', ['Topups', 'TopupListParams'], 'topup'),
    retrieveRoute('/v1/topups', ['Topups', 'TopupRetrieveParams'], 'topup', 'topup', 'topup'),
  ]
}
