// Refunds, whole and partial, and what they do to the charge and the balance.

import type Stripe from 'stripe'
import { book } from './balance.ts'
import { invalid } from './errors.ts'
import { newId, randomText } from './ids.ts'
import { money } from './money.ts'
import { listRoute, mergeMetadata, type Route, referred, required, retrieveRoute, route } from './routes.ts'
import { change, emit, idOf, put, type Scope, type World } from './world.ts'

/**
 * Refunds `amount` minor units of a charge, or what is left of it. Emits `refund.created`, `charge.refunded` and `refund.updated`.
 * Refuses more than is left, and with `charge_already_refunded` when nothing is.
 */
export function refundCharge(
  world: World,
  scope: Scope,
  charge: Stripe.Charge,
  given: { amount?: number; reason?: Stripe.Refund.Reason | null; metadata?: Stripe.Metadata } = {},
): Stripe.Refund {
  const left = charge.amount_captured - charge.amount_refunded
  if (!charge.paid) throw invalid(`Charge ${charge.id} has not been paid and cannot be refunded.`, 'charge')
  if (charge.refunded || left === 0)
    throw invalid(`Charge ${charge.id} has already been refunded.`, undefined, 'charge_already_refunded')
  if (charge.disputed && disputeBlocks(scope, charge))
    throw invalid(`Charge ${charge.id} has been charged back; cannot issue a refund.`, undefined, 'charge_disputed')
  const amount = given.amount ?? left
  if (amount < 1) throw invalid('Invalid positive integer', 'amount', 'parameter_invalid_integer')
  if (amount > left)
    throw invalid(
      `Refund amount (${money(amount, charge.currency)}) is greater than unrefunded amount on charge (${money(left, charge.currency)})`,
      'amount',
    )
  const id = newId('re')
  const transaction = book(world, scope, {
    type: 'refund',
    reportingCategory: 'refund',
    amount: -amount,
    currency: charge.currency,
    source: id,
    description: `REFUND FOR CHARGE${charge.description ? ` (${charge.description})` : ''}`,
  })
  const refund = put(scope, 'refund', {
    id,
    object: 'refund',
    amount,
    balance_transaction: transaction.id,
    charge: charge.id,
    created: world.now(),
    currency: charge.currency,
    customer: idOf(charge.customer),
    customer_account: null,
    destination_details: {
      card: { reference_status: 'pending', reference_type: 'acquirer_reference_number', type: 'refund' },
      type: 'card',
    },
    metadata: given.metadata ?? {},
    payment_intent: idOf(charge.payment_intent),
    payment_method: charge.payment_method,
    reason: given.reason ?? null,
    receipt_number: null,
    source_transfer_reversal: null,
    status: 'succeeded',
    transfer_reversal: null,
  })
  emit(world, scope, 'refund.created', refund)
  change(world, scope, 'charge.refunded', charge, {
    amount_refunded: charge.amount_refunded + amount,
    refunded: charge.amount_refunded + amount === charge.amount_captured,
  })
  change(world, scope, 'refund.updated', refund, {
    destination_details: {
      card: {
        reference: randomText(23).toUpperCase(),
        reference_status: 'available',
        reference_type: 'acquirer_reference_number',
        type: 'refund',
      },
      type: 'card',
    },
  })
  return refund
}

/** The bank takes a refund back to us: the refund fails, the charge is as before. Emits `refund.failed` and `charge.updated`. */
export function failRefund(world: World, scope: Scope, refund: Stripe.Refund): Stripe.Refund {
  if (refund.status !== 'succeeded') throw invalid(`Refund ${refund.id} is ${refund.status} and cannot fail.`)
  const charge = scope.tables.charge.get(idOf(refund.charge)!)!
  const transaction = book(world, scope, {
    type: 'refund_failure',
    reportingCategory: 'refund_failure',
    amount: refund.amount,
    currency: refund.currency,
    source: refund.id,
  })
  Object.assign(refund, {
    status: 'failed',
    failure_balance_transaction: transaction.id,
    failure_reason: 'expired_or_canceled_card',
  })
  emit(world, scope, 'refund.updated', refund, { status: 'succeeded' })
  emit(world, scope, 'refund.failed', refund)
  change(world, scope, 'charge.updated', charge, { amount_refunded: charge.amount_refunded - refund.amount, refunded: false })
  return refund
}

function disputeBlocks(scope: Scope, charge: Stripe.Charge): boolean {
  return [...scope.tables.dispute.values()].some(
    (dispute) => dispute.charge === charge.id && !dispute.is_charge_refundable && dispute.status !== 'won',
  )
}

function chargeOf(scope: Scope, params: Stripe.RefundCreateParams): Stripe.Charge {
  if (params.charge && params.payment_intent)
    throw invalid('You may only specify one of these parameters: charge, payment_intent.', 'charge')
  if (params.charge) return referred(scope, 'charge', 'charge', params.charge, 'charge')
  if (!params.payment_intent)
    throw invalid(
      'One of the following params should be provided for this request: payment_intent or charge.',
      undefined,
      'parameter_missing',
    )
  const intent = referred(scope, 'payment_intent', 'payment_intent', params.payment_intent, 'payment_intent')
  const charge = scope.tables.charge.get(idOf(intent.latest_charge) ?? '')
  if (!charge?.paid)
    throw invalid(`This PaymentIntent (${intent.id}) does not have a successful charge to refund.`, 'payment_intent')
  return charge
}

export function refundRoutes(): Route[] {
  return [
    route<Stripe.RefundCreateParams>('POST', '/v1/refunds', ['Refunds', 'RefundCreateParams'], ({ world, scope }, params) =>
      refundCharge(world, scope, chargeOf(scope, params), {
        ...(params.amount === undefined ? {} : { amount: params.amount }),
        reason: params.reason ?? null,
        metadata: mergeMetadata(null, params.metadata),
      }),
    ),
    listRoute<'refund', Stripe.RefundListParams>(
      '/v1/refunds',
      ['Refunds', 'RefundListParams'],
      'refund',
      (row, params) =>
        (!params.charge || row.charge === params.charge) &&
        (!params.payment_intent || row.payment_intent === params.payment_intent),
    ),
    retrieveRoute('/v1/refunds', ['Refunds', 'RefundRetrieveParams'], 'refund', 'refund'),
    route<Stripe.RefundUpdateParams>(
      'POST',
      '/v1/refunds/:id',
      ['Refunds', 'RefundUpdateParams'],
      ({ world, scope, path }, params) => {
        const refund = required(scope, 'refund', 'refund', path.id!)
        return change(world, scope, 'refund.updated', refund, { metadata: mergeMetadata(refund.metadata, params.metadata) })
      },
    ),
  ]
}
