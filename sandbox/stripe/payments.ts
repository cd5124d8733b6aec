// Payments by card: payment methods, payment intents and their charges, with the events Stripe sends for each.

import type Stripe from 'stripe'
import { book, cardFee } from './balance.ts'
import { fingerprintOf, numberOfTestMethod, outcomeOf } from './cards.ts'
import { chargeableAmount, currencyOf, fullAddress } from './catalog.ts'
import { openDispute } from './disputes.ts'
import { cardError, invalid, StripeRefusal } from './errors.ts'
import { newId, randomText } from './ids.ts'
import { listRoute, mergeMetadata, type Route, referred, required, retrieveRoute, route } from './routes.ts'
import { change, emit, idOf, put, type Scope, type World } from './world.ts'

export interface Payer {
  email?: string | null
  name?: string | null
  country?: string | null
}

/** A card as a payment method. The number is remembered beside it and shown nowhere. */
export function createPaymentMethod(
  world: World,
  scope: Scope,
  number: string,
  payer: Payer,
  customer: string | null = null,
): Stripe.PaymentMethod {
  const { brand, funding } = outcomeOf(number)
  const id = newId('pm')
  world.cards.set(id, number)
  return put(scope, 'payment_method', {
    id,
    object: 'payment_method',
    allow_redisplay: 'unspecified',
    billing_details: billingDetails(payer),
    card: {
      brand,
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
      country: 'US',
      display_brand: brand,
      exp_month: 12,
      exp_year: 2034,
      fingerprint: fingerprintOf(number),
      funding,
      generated_from: null,
      last4: number.replace(/\D/g, '').slice(-4),
      networks: { available: [brand], preferred: null },
      regulated_status: 'unregulated',
      three_d_secure_usage: { supported: true },
      wallet: null,
    },
    created: world.now(),
    customer,
    customer_account: null,
    livemode: false,
    metadata: {},
    type: 'card',
  })
}

function billingDetails(payer: Payer): Stripe.PaymentMethod.BillingDetails {
  return {
    address: fullAddress({ ...(payer.country ? { country: payer.country } : {}) }),
    email: payer.email ?? null,
    name: payer.name ?? null,
    phone: null,
    tax_id: null,
  }
}

interface IntentGiven {
  amount: number
  currency: string
  customer?: string | null
  metadata?: Stripe.Metadata
  description?: string | null
  receiptEmail?: string | null
  transferGroup?: string | null
  setupFutureUsage?: Stripe.PaymentIntent.SetupFutureUsage | null
}

/** A payment intent that waits for a payment method; emits `payment_intent.created`. */
export function createIntent(world: World, scope: Scope, given: IntentGiven): Stripe.PaymentIntent {
  const id = newId('pi')
  const intent = put(scope, 'payment_intent', {
    id,
    object: 'payment_intent',
    allowed_payment_method_types: null,
    amount: given.amount,
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: null,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: 'automatic_async',
    client_secret: `${id}_secret_${randomText(25)}`,
    confirmation_method: 'automatic',
    created: world.now(),
    currency: given.currency,
    customer: given.customer ?? null,
    customer_account: null,
    description: given.description ?? null,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: null,
    metadata: given.metadata ?? {},
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: {
      card: { installments: null, mandate_options: null, network: null, request_three_d_secure: 'automatic' },
    },
    payment_method_types: ['card'],
    payment_record: null,
    processing: null,
    receipt_email: given.receiptEmail ?? null,
    review: null,
    setup_future_usage: given.setupFutureUsage ?? null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'requires_payment_method',
    transfer_data: null,
    transfer_group: given.transferGroup ?? null,
  })
  emit(world, scope, 'payment_intent.created', intent)
  return intent
}

type Confirmation = { ok: true; charge: Stripe.Charge } | { ok: false; refusal: StripeRefusal; charge: Stripe.Charge }

/**
 * Charges the intent's payment method. On success: `charge.succeeded`, `payment_intent.succeeded`, and later `charge.updated` once the
 * balance transaction is known (the caller tells when, with `finishCharge`). On a decline: `charge.failed`, `payment_intent.payment_failed`.
 */
export function confirmIntent(
  world: World,
  scope: Scope,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
): Confirmation {
  const number = world.cards.get(method.id) ?? '4242424242424242'
  const outcome = outcomeOf(number)
  const paidBefore = [...scope.tables.charge.values()].some((charge) => charge.payment_method === method.id && charge.paid)
  const later = { code: 'card_declined', declineCode: 'generic_decline', message: 'Your card was declined.' }
  const decline = outcome.decline ?? (outcome.declinesLater && paidBefore ? later : undefined)
  const charge = put(scope, 'charge', buildCharge(world, intent, method, decline))
  if (decline) {
    emit(world, scope, 'charge.failed', charge)
    const lastError: Stripe.PaymentIntent.LastPaymentError = {
      advice_code: 'try_again_later',
      charge: charge.id,
      code: decline.code,
      ...(decline.declineCode ? { decline_code: decline.declineCode } : {}),
      doc_url: `https://docs.stripe.com/error-codes#${decline.code.replaceAll('_', '-')}`,
      message: decline.message,
      payment_method: structuredClone(method),
      type: 'card_error',
    }
    Object.assign(intent, {
      last_payment_error: lastError,
      latest_charge: charge.id,
      payment_method: null,
      status: 'requires_payment_method',
    })
    emit(world, scope, 'payment_intent.payment_failed', intent)
    const extra = { charge: charge.id, payment_intent: structuredClone(intent), payment_method: structuredClone(method) }
    return { ok: false, charge, refusal: cardError(decline.message, decline.code, decline.declineCode, extra) }
  }
  Object.assign(intent, {
    amount_received: intent.amount,
    last_payment_error: null,
    latest_charge: charge.id,
    payment_method: method.id,
    status: 'succeeded',
  })
  emit(world, scope, 'charge.succeeded', charge)
  emit(world, scope, 'payment_intent.succeeded', intent)
  return { ok: true, charge }
}

/** What follows a charge a moment later: its balance transaction (`charge.updated`), and a dispute for the cards that ask for one. */
export function finishCharge(world: World, scope: Scope, charge: Stripe.Charge): void {
  const outcome = outcomeOf(world.cards.get(charge.payment_method ?? '') ?? '4242424242424242')
  const transaction = book(world, scope, {
    type: 'charge',
    reportingCategory: 'charge',
    amount: charge.amount,
    currency: charge.currency,
    source: charge.id,
    fee: cardFee(charge.amount),
    description: charge.description,
    settlesInDays: outcome.bypassesPending ? 0 : 2,
  })
  change(world, scope, 'charge.updated', charge, {
    balance_transaction: transaction.id,
    receipt_url: `${world.pagesUrl}/receipts/${charge.id}`,
  })
  if (outcome.disputed) openDispute(world, scope, charge, { reason: outcome.disputed })
}

function buildCharge(
  world: World,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  decline: { code: string; declineCode?: string; message: string } | undefined,
): Stripe.Charge {
  const card = method.card!
  return {
    id: newId('ch'),
    object: 'charge',
    amount: intent.amount,
    amount_captured: decline ? 0 : intent.amount,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: method.billing_details,
    calculated_statement_descriptor: 'SANDBOX',
    captured: !decline,
    created: world.now(),
    currency: intent.currency,
    customer: idOf(intent.customer),
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: decline?.code ?? null,
    failure_message: decline?.message ?? null,
    fraud_details: {},
    livemode: false,
    metadata: intent.metadata,
    on_behalf_of: null,
    outcome: {
      advice_code: decline ? 'try_again_later' : null,
      network_advice_code: null,
      network_decline_code: decline ? '01' : null,
      network_status: decline ? 'declined_by_network' : 'approved_by_network',
      reason: decline?.declineCode ?? null,
      risk_level: 'normal',
      risk_score: 20,
      seller_message: decline ? 'The bank did not return any further details with this decline.' : 'Payment complete.',
      type: decline ? 'issuer_declined' : 'authorized',
    },
    paid: !decline,
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: {
      card: {
        amount_authorized: decline ? null : intent.amount,
        authorization_code: decline ? null : randomText(6).toUpperCase(),
        brand: card.brand,
        checks: card.checks,
        country: card.country,
        electronic_commerce_indicator: null,
        exp_month: card.exp_month,
        exp_year: card.exp_year,
        extended_authorization: { status: 'disabled' },
        fingerprint: card.fingerprint ?? null,
        funding: card.funding,
        incremental_authorization: { status: 'unavailable' },
        installments: null,
        last4: card.last4,
        mandate: null,
        multicapture: { status: 'unavailable' },
        network: card.brand,
        network_token: { used: false },
        network_transaction_id: randomText(15),
        overcapture: { maximum_amount_capturable: intent.amount, status: 'unavailable' },
        regulated_status: 'unregulated',
        three_d_secure: null,
        transaction_link_id: null,
        wallet: null,
      },
      type: 'card',
    },
    radar_options: {},
    receipt_email: intent.receipt_email,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: decline ? 'failed' : 'succeeded',
    transfer_data: null,
    transfer_group: intent.transfer_group,
  }
}

/** The payment method that a parameter names: a stored one, or one of Stripe's test methods. */
function methodOf(world: World, scope: Scope, id: string, param: string, customer: string | null): Stripe.PaymentMethod {
  const number = numberOfTestMethod(id)
  if (number) return createPaymentMethod(world, scope, number, {}, customer)
  const method = scope.tables.payment_method.get(id)
  if (!method) throw new StripeRefusal(400, `No such PaymentMethod: '${id}'`, { code: 'resource_missing', param })
  return method
}

/** Confirms with the method given, or throws the decline. */
function confirmOrRefuse(
  world: World,
  scope: Scope,
  intent: Stripe.PaymentIntent,
  methodId: string | undefined,
): Stripe.PaymentIntent {
  const id = methodId ?? idOf(intent.payment_method)
  if (!id)
    throw invalid(
      "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.",
      undefined,
      'payment_intent_unexpected_state',
    )
  if (intent.status === 'succeeded' || intent.status === 'canceled')
    throw invalid(
      `You cannot confirm this PaymentIntent because it has already ${intent.status === 'succeeded' ? 'succeeded after being previously confirmed' : 'been canceled'}.`,
      undefined,
      'payment_intent_unexpected_state',
    )
  const confirmation = confirmIntent(world, scope, intent, methodOf(world, scope, id, 'payment_method', idOf(intent.customer)))
  if (!confirmation.ok) throw confirmation.refusal
  finishCharge(world, scope, confirmation.charge)
  return intent
}

const INTENT = 'PaymentIntents'

export function paymentRoutes(): Route[] {
  return [
    route<Stripe.PaymentIntentCreateParams>(
      'POST',
      '/v1/payment_intents',
      [INTENT, 'PaymentIntentCreateParams'],
      ({ world, scope }, params) => {
        const currency = currencyOf(params.currency, 'currency')
        chargeableAmount(params.amount, currency)
        if (params.customer) referred(scope, 'customer', 'customer', params.customer, 'customer')
        if (params.payment_method && !params.confirm) methodOf(world, scope, params.payment_method, 'payment_method', null)
        const intent = createIntent(world, scope, {
          amount: params.amount,
          currency,
          customer: params.customer ?? null,
          metadata: mergeMetadata(null, params.metadata),
          description: params.description ?? null,
          receiptEmail: params.receipt_email || null,
          transferGroup: params.transfer_group ?? null,
        })
        intent.automatic_payment_methods = {
          allow_redirects: params.automatic_payment_methods?.allow_redirects ?? 'always',
          enabled: true,
        }
        if (params.confirm) return confirmOrRefuse(world, scope, intent, params.payment_method)
        if (params.payment_method) Object.assign(intent, { payment_method: params.payment_method, status: 'requires_confirmation' })
        return intent
      },
    ),
    listRoute<'payment_intent', Stripe.PaymentIntentListParams>(
      '/v1/payment_intents',
      [INTENT, 'PaymentIntentListParams'],
      'payment_intent',
      (row, { customer }) => !customer || row.customer === customer,
    ),
    retrieveRoute('/v1/payment_intents', [INTENT, 'PaymentIntentRetrieveParams'], 'payment_intent', 'payment_intent', 'intent'),
    route<Stripe.PaymentIntentUpdateParams>(
      'POST',
      '/v1/payment_intents/:id',
      [INTENT, 'PaymentIntentUpdateParams'],
      ({ scope, path }, params) => {
        const intent = required(scope, 'payment_intent', 'payment_intent', path.id!, 'intent')
        if (params.description !== undefined) intent.description = params.description || null
        intent.metadata = mergeMetadata(intent.metadata, params.metadata)
        return intent
      },
    ),
    route<Stripe.PaymentIntentConfirmParams>(
      'POST',
      '/v1/payment_intents/:id/confirm',
      [INTENT, 'PaymentIntentConfirmParams'],
      ({ world, scope, path }, params) =>
        confirmOrRefuse(
          world,
          scope,
          required(scope, 'payment_intent', 'payment_intent', path.id!, 'intent'),
          params.payment_method,
        ),
    ),
    route<Stripe.PaymentIntentCancelParams>(
      'POST',
      '/v1/payment_intents/:id/cancel',
      [INTENT, 'PaymentIntentCancelParams'],
      ({ world, scope, path }, params) => {
        const intent = required(scope, 'payment_intent', 'payment_intent', path.id!, 'intent')
        if (intent.status === 'succeeded' || intent.status === 'canceled')
          throw invalid(
            `You cannot cancel this PaymentIntent because it has a status of ${intent.status}.`,
            undefined,
            'payment_intent_unexpected_state',
          )
        Object.assign(intent, {
          status: 'canceled',
          canceled_at: world.now(),
          cancellation_reason: params.cancellation_reason ?? null,
        })
        emit(world, scope, 'payment_intent.canceled', intent)
        return intent
      },
    ),

    route<Stripe.ChargeCreateParams>('POST', '/v1/charges', ['Charges', 'ChargeCreateParams'], ({ world, scope }, params) => {
      if (params.amount === undefined) throw invalid('Missing required param: amount.', 'amount', 'parameter_missing')
      if (!params.currency) throw invalid('Missing required param: currency.', 'currency', 'parameter_missing')
      const currency = currencyOf(params.currency, 'currency')
      chargeableAmount(params.amount, currency)
      if (!params.source) throw invalid('Must provide source or customer.', undefined, 'parameter_missing')
      const intent = createIntent(world, scope, {
        amount: params.amount,
        currency,
        metadata: mergeMetadata(null, params.metadata),
        description: params.description ?? null,
        transferGroup: params.transfer_group ?? null,
      })
      confirmOrRefuse(world, scope, intent, params.source)
      return scope.tables.charge.get(idOf(intent.latest_charge)!)!
    }),
    listRoute<'charge', Stripe.ChargeListParams>(
      '/v1/charges',
      ['Charges', 'ChargeListParams'],
      'charge',
      (row, params) =>
        (!params.customer || row.customer === params.customer) &&
        (!params.payment_intent || row.payment_intent === params.payment_intent) &&
        (!params.transfer_group || row.transfer_group === params.transfer_group),
    ),
    retrieveRoute('/v1/charges', ['Charges', 'ChargeRetrieveParams'], 'charge', 'charge'),
    route<Stripe.ChargeUpdateParams>(
      'POST',
      '/v1/charges/:id',
      ['Charges', 'ChargeUpdateParams'],
      ({ world, scope, path }, params) => {
        const charge = required(scope, 'charge', 'charge', path.id!)
        return change(world, scope, 'charge.updated', charge, {
          metadata: mergeMetadata(charge.metadata, params.metadata),
          ...(params.description === undefined ? {} : { description: params.description }),
          ...(params.transfer_group === undefined ? {} : { transfer_group: params.transfer_group }),
        })
      },
    ),

    route<Stripe.PaymentMethodListParams>(
      'GET',
      '/v1/payment_methods',
      ['PaymentMethods', 'PaymentMethodListParams'],
      ({ scope }, params) => ({
        object: 'list',
        data: [...scope.tables.payment_method.values()]
          .reverse()
          .filter((method) => params.customer !== undefined && method.customer === params.customer),
        has_more: false,
        url: '/v1/payment_methods',
      }),
    ),
    retrieveRoute(
      '/v1/payment_methods',
      ['PaymentMethods', 'PaymentMethodRetrieveParams'],
      'payment_method',
      'PaymentMethod',
      'payment_method',
    ),
  ]
}
