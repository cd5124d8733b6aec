// Disputes: the bank takes the money of a charge back, and later the case is won or lost.

import type Stripe from 'stripe'
import { book } from './balance.ts'
import { invalid } from './errors.ts'
import { newId } from './ids.ts'
import { listRoute, mergeMetadata, type Route, required, retrieveRoute, route } from './routes.ts'
import { change, emit, idOf, put, type Scope, type World } from './world.ts'

const DISPUTE_FEE = 1500
const DAY = 86_400

/** Opens a dispute over what is left of a charge; emits `charge.dispute.created`, `charge.dispute.funds_withdrawn` and `charge.updated`. */
export function openDispute(
  world: World,
  scope: Scope,
  charge: Stripe.Charge,
  given: { reason?: string; amount?: number } = {},
): Stripe.Dispute {
  if (!charge.paid) throw invalid(`Charge ${charge.id} has not been paid.`, 'charge')
  if (charge.disputed) throw invalid(`Charge ${charge.id} is already disputed.`, 'charge', 'charge_disputed')
  const amount = given.amount ?? charge.amount - charge.amount_refunded
  if (amount < 1 || amount > charge.amount - charge.amount_refunded)
    throw invalid('A dispute cannot exceed what is left of the charge.', 'amount')
  const id = newId('du')
  const withdrawn = book(world, scope, {
    type: 'adjustment',
    reportingCategory: 'dispute',
    amount: -amount,
    fee: DISPUTE_FEE,
    currency: charge.currency,
    source: id,
    description: `Chargeback withdrawal for ${charge.id}`,
  })
  const dispute = put(scope, 'dispute', {
    id,
    object: 'dispute',
    amount,
    balance_transactions: [],
    charge: charge.id,
    created: world.now(),
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: emptyEvidence(charge),
    evidence_details: {
      due_by: world.now() + 7 * DAY,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: 'not_submitted',
    },
    intended_submission_method: 'manual',
    is_charge_refundable: false,
    livemode: false,
    metadata: {},
    payment_intent: idOf(charge.payment_intent),
    payment_method_details: {
      card: {
        brand: charge.payment_method_details?.card?.brand ?? 'visa',
        case_type: 'chargeback',
        network: charge.payment_method_details?.card?.network ?? 'visa',
        network_reason_code: '10.4',
      },
      type: 'card',
    },
    reason: given.reason ?? 'fraudulent',
    status: 'needs_response',
  })
  emit(world, scope, 'charge.dispute.created', dispute)
  change(world, scope, 'charge.updated', charge, { disputed: true })
  change(world, scope, 'charge.dispute.funds_withdrawn', dispute, { balance_transactions: [structuredClone(withdrawn)] })
  return dispute
}

/** Closes a dispute. Won: the money comes back (`charge.dispute.funds_reinstated`). Both ways `charge.dispute.closed` with the new status. */
export function closeDispute(world: World, scope: Scope, dispute: Stripe.Dispute, outcome: 'won' | 'lost'): Stripe.Dispute {
  if (dispute.status === 'won' || dispute.status === 'lost') throw invalid(`Dispute ${dispute.id} is already ${dispute.status}.`)
  change(world, scope, 'charge.dispute.updated', dispute, { status: 'under_review' })
  if (outcome === 'won') {
    const back = book(world, scope, {
      type: 'adjustment',
      reportingCategory: 'dispute_reversal',
      amount: dispute.amount,
      fee: -DISPUTE_FEE,
      currency: dispute.currency,
      source: dispute.id,
      description: `Chargeback reversal for ${idOf(dispute.charge)}`,
    })
    change(world, scope, 'charge.dispute.funds_reinstated', dispute, {
      balance_transactions: [...dispute.balance_transactions, structuredClone(back)],
    })
  }
  change(world, scope, 'charge.dispute.closed', dispute, { status: outcome })
  return dispute
}

function emptyEvidence(charge: Stripe.Charge): Stripe.Dispute.Evidence {
  return {
    access_activity_log: null,
    billing_address: null,
    cancellation_policy: null,
    cancellation_policy_disclosure: null,
    cancellation_rebuttal: null,
    customer_communication: null,
    customer_email_address: charge.billing_details.email,
    customer_name: charge.billing_details.name,
    customer_purchase_ip: null,
    customer_signature: null,
    duplicate_charge_documentation: null,
    duplicate_charge_explanation: null,
    duplicate_charge_id: null,
    enhanced_evidence: {},
    product_description: null,
    receipt: null,
    refund_policy: null,
    refund_policy_disclosure: null,
    refund_refusal_explanation: null,
    service_date: null,
    service_documentation: null,
    shipping_address: null,
    shipping_carrier: null,
    shipping_date: null,
    shipping_documentation: null,
    shipping_tracking_number: null,
    uncategorized_file: null,
    uncategorized_text: null,
  }
}

export function disputeRoutes(): Route[] {
  return [
    listRoute<'dispute', Stripe.DisputeListParams>(
      '/v1/disputes',
      ['Disputes', 'DisputeListParams'],
      'dispute',
      (row, params) =>
        (!params.charge || row.charge === params.charge) &&
        (!params.payment_intent || row.payment_intent === params.payment_intent),
    ),
    retrieveRoute('/v1/disputes', ['Disputes', 'DisputeRetrieveParams'], 'dispute', 'dispute'),
    route<Stripe.DisputeUpdateParams>(
      'POST',
      '/v1/disputes/:id',
      ['Disputes', 'DisputeUpdateParams'],
      ({ world, scope, path }, params) => {
        const dispute = required(scope, 'dispute', 'dispute', path.id!)
        const submitted = params.submit !== false && params.evidence !== undefined
        return change(world, scope, 'charge.dispute.updated', dispute, {
          metadata: mergeMetadata(dispute.metadata, params.metadata),
          evidence_details: {
            ...dispute.evidence_details,
            has_evidence: dispute.evidence_details.has_evidence || params.evidence !== undefined,
            submission_count: dispute.evidence_details.submission_count + (submitted ? 1 : 0),
            submission_method: submitted ? 'manual' : dispute.evidence_details.submission_method,
          },
          ...(submitted ? { status: 'under_review' as const } : {}),
        })
      },
    ),
    route('POST', '/v1/disputes/:id/close', null, ({ world, scope, path }) =>
      closeDispute(world, scope, required(scope, 'dispute', 'dispute', path.id!), 'lost'),
    ),
  ]
}
