// Invoices and subscriptions. An invoice does not name its payment and a charge not its invoice: Invoice Payments join them, as in the pinned version.

import type Stripe from 'stripe'
import { discountOf, plan, priceForLine } from './catalog.ts'
import { invalid } from './errors.ts'
import { newId, randomText } from './ids.ts'
import { confirmIntent, createIntent, finishCharge } from './payments.ts'
import { listPage, listRoute, mergeMetadata, type Route, required, retrieveRoute, route } from './routes.ts'
import { change, decimal, embeddedList, emit, idOf, newestFirst, put, type Scope, type World } from './world.ts'

/** One line of an invoice before it is one. Amounts in minor units. */
export interface BilledLine {
  description: string | null
  price: Stripe.Price
  quantity: number
  amount: number
  discount: number
  subscriptionItem?: string
}

interface InvoiceGiven {
  customer: Stripe.Customer
  currency: string
  lines: readonly BilledLine[]
  billingReason: Stripe.Invoice.BillingReason
  subscription?: Stripe.Subscription
  metadata?: Stripe.Metadata
  description?: string | null
  footer?: string | null
  customFields?: Stripe.Invoice.CustomField[] | null
  period?: { start: number; end: number }
  coupon?: Stripe.Coupon | undefined
}

/** A draft invoice; emits `invoice.created`. */
export function draftInvoice(world: World, scope: Scope, given: InvoiceGiven): Stripe.Invoice {
  const id = newId('in')
  const now = world.now()
  const period = given.period ?? { start: now, end: now }
  const subtotal = given.lines.reduce((sum, line) => sum + line.amount, 0)
  const discount = given.lines.reduce((sum, line) => sum + line.discount, 0)
  const discountId = given.coupon ? newId('di') : undefined
  const total = subtotal - discount
  const invoice = put(scope, 'invoice', {
    id,
    object: 'invoice',
    account_country: world.platform.tables.account.get(world.platform.id)?.country ?? 'US',
    account_name: world.platform.tables.account.get(world.platform.id)?.business_profile?.name ?? null,
    account_tax_ids: null,
    amount_due: total,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_remaining: total,
    amount_shipping: 0,
    application: null,
    attempt_count: 0,
    attempted: false,
    auto_advance: given.subscription !== undefined,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    automatically_finalizes_at: null,
    billing_reason: given.billingReason,
    collection_method: 'charge_automatically',
    created: now,
    currency: given.currency,
    custom_fields: given.customFields ?? null,
    customer: given.customer.id,
    customer_account: null,
    customer_address: given.customer.address ?? null,
    customer_email: given.customer.email,
    customer_name: given.customer.name ?? null,
    customer_phone: given.customer.phone ?? null,
    customer_shipping: null,
    customer_tax_exempt: 'none',
    customer_tax_ids: [],
    default_payment_method: null,
    default_source: null,
    default_tax_rates: [],
    description: given.description ?? null,
    discounts: discountId ? [discountId] : [],
    due_date: null,
    effective_at: null,
    ending_balance: null,
    footer: given.footer ?? null,
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    issuer: { type: 'self' },
    last_finalization_error: null,
    latest_revision: null,
    lines: embeddedList(
      `/v1/invoices/${id}/lines`,
      given.lines.map((line) => invoiceLine(id, line, given, period, discountId)),
      given.lines.length,
    ),
    livemode: false,
    metadata: given.metadata ?? {},
    next_payment_attempt: null,
    number: null,
    on_behalf_of: null,
    parent: given.subscription
      ? {
          quote_details: null,
          subscription_details: { metadata: { ...given.subscription.metadata }, subscription: given.subscription.id },
          type: 'subscription_details',
        }
      : null,
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    period_end: period.end,
    period_start: period.start,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: 0,
    statement_descriptor: null,
    status: 'draft',
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    subtotal,
    subtotal_excluding_tax: subtotal,
    test_clock: null,
    total,
    total_discount_amounts: discountId ? [{ amount: discount, discount: discountId }] : [],
    total_excluding_tax: total,
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: now,
  })
  emit(world, scope, 'invoice.created', invoice)
  return invoice
}

function invoiceLine(
  invoice: string,
  line: BilledLine,
  given: InvoiceGiven,
  period: { start: number; end: number },
  discountId: string | undefined,
): Stripe.InvoiceLineItem {
  return {
    id: newId('il'),
    object: 'line_item',
    amount: line.amount,
    currency: given.currency,
    description: line.description,
    discount_amounts: discountId ? [{ amount: line.discount, discount: discountId }] : [],
    discountable: true,
    discounts: [],
    invoice,
    livemode: false,
    metadata: given.subscription?.metadata ?? {},
    parent: line.subscriptionItem
      ? {
          invoice_item_details: null,
          subscription_item_details: {
            invoice_item: null,
            proration: false,
            proration_details: { credited_items: null },
            subscription: given.subscription?.id ?? null,
            subscription_item: line.subscriptionItem,
          },
          type: 'subscription_item_details',
        }
      : {
          invoice_item_details: {
            invoice_item: newId('ii'),
            proration: false,
            proration_details: { credited_items: null },
            subscription: null,
          },
          subscription_item_details: null,
          type: 'invoice_item_details',
        },
    period,
    pretax_credit_amounts: [],
    pricing: {
      price_details: { price: line.price.id, product: idOf(line.price.product)! },
      type: 'price_details',
      unit_amount_decimal: decimal(line.price.unit_amount ?? 0),
    },
    quantity: line.quantity,
    quantity_decimal: decimal(line.quantity),
    subscription: given.subscription?.id ?? null,
    subtotal: line.amount,
    taxes: [],
  }
}

/** Draft to open: the invoice gets its number and pages; emits `invoice.finalized`. */
export function finalizeInvoice(world: World, scope: Scope, invoice: Stripe.Invoice): Stripe.Invoice {
  const customer = scope.tables.customer.get(idOf(invoice.customer)!)
  const sequence = customer?.next_invoice_sequence ?? 1
  if (customer) customer.next_invoice_sequence = sequence + 1
  const secret = randomText(40)
  Object.assign(invoice, {
    number: `${customer?.invoice_prefix ?? 'SANDBOX'}-${String(sequence).padStart(4, '0')}`,
    status: 'open',
    effective_at: world.now(),
    ending_balance: 0,
    hosted_invoice_url: `${world.pagesUrl}/i/${invoice.id}/${secret}`,
    invoice_pdf: `${world.pagesUrl}/i/${invoice.id}/${secret}/pdf`,
    status_transitions: { ...invoice.status_transitions, finalized_at: world.now() },
  })
  emit(world, scope, 'invoice.finalized', invoice)
  return invoice
}

/** Records that `intent` (or nobody, for nothing due) paid the invoice; emits `invoice.updated`, `invoice_payment.paid`, `invoice.paid`, `invoice.payment_succeeded`. */
export function settleInvoice(
  world: World,
  scope: Scope,
  invoice: Stripe.Invoice,
  intent: Stripe.PaymentIntent | undefined,
): Stripe.Invoice {
  const due = invoice.amount_due
  change(world, scope, 'invoice.updated', invoice, {
    amount_paid: due,
    amount_remaining: 0,
    attempt_count: invoice.attempt_count + (intent ? 1 : 0),
    attempted: true,
    auto_advance: false,
    next_payment_attempt: null,
    status: 'paid',
    status_transitions: { ...invoice.status_transitions, paid_at: world.now() },
  })
  if (intent) emit(world, scope, 'invoice_payment.paid', put(scope, 'invoice_payment', invoicePayment(world, invoice, intent)))
  emit(world, scope, 'invoice.paid', invoice)
  emit(world, scope, 'invoice.payment_succeeded', invoice)
  return invoice
}

function invoicePayment(world: World, invoice: Stripe.Invoice, intent: Stripe.PaymentIntent): Stripe.InvoicePayment {
  const now = world.now()
  return {
    id: newId('inpay'),
    object: 'invoice_payment',
    amount_paid: invoice.amount_due,
    amount_requested: invoice.amount_due,
    created: now,
    currency: invoice.currency,
    invoice: invoice.id,
    is_default: true,
    livemode: false,
    payment: { payment_intent: intent.id, type: 'payment_intent' },
    status: 'paid',
    status_transitions: { canceled_at: null, paid_at: now },
  }
}

interface SubscriptionGiven {
  customer: Stripe.Customer
  lines: readonly { price: Stripe.Price; quantity: number }[]
  paymentMethod: Stripe.PaymentMethod
  metadata: Stripe.Metadata
  description: string | null
  trialDays: number
}

/** A subscription in its first period; emits nothing, since Stripe tells of it only with its first invoice known. */
export function buildSubscription(world: World, scope: Scope, given: SubscriptionGiven): Stripe.Subscription {
  const id = newId('sub')
  const now = world.now()
  const trialEnd = given.trialDays > 0 ? now + given.trialDays * 86_400 : null
  const items = given.lines.map(
    ({ price, quantity }): Stripe.SubscriptionItem => ({
      id: newId('si'),
      object: 'subscription_item',
      billing_thresholds: null,
      created: now,
      current_period_end: trialEnd ?? periodEnd(now, price.recurring!),
      current_period_start: now,
      current_trial: null,
      discounts: [],
      metadata: {},
      plan: plan(price),
      price: structuredClone(price),
      quantity,
      subscription: id,
      tax_rates: [],
    }),
  )
  return put(scope, 'subscription', {
    id,
    object: 'subscription',
    application: null,
    application_fee_percent: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_cycle_anchor: trialEnd ?? now,
    billing_cycle_anchor_config: null,
    billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible' },
    billing_schedules: [],
    billing_thresholds: null,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
    collection_method: 'charge_automatically',
    created: now,
    currency: given.lines[0]!.price.currency,
    customer: given.customer.id,
    customer_account: null,
    days_until_due: null,
    default_payment_method: given.paymentMethod.id,
    default_source: null,
    default_tax_rates: [],
    description: given.description,
    discounts: [],
    ended_at: null,
    invoice_settings: { account_tax_ids: null, custom_fields: null, description: null, footer: null, issuer: { type: 'self' } },
    items: embeddedList(`/v1/subscription_items?subscription=${id}`, items, items.length),
    latest_invoice: null,
    livemode: false,
    managed_payments: null,
    metadata: given.metadata,
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: null,
    payment_settings: { payment_method_options: null, payment_method_types: null, save_default_payment_method: 'off' },
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: now,
    status: trialEnd ? 'trialing' : 'active',
    test_clock: null,
    transfer_data: null,
    trial_end: trialEnd,
    trial_settings: { end_behavior: { billing_cycle_anchor: 'now', missing_payment_method: 'create_invoice' } },
    trial_start: trialEnd ? now : null,
  })
}

/** End of a billing period that starts at `start` (seconds, UTC): calendar months keep the day, or take the month's last. */
export function periodEnd(start: number, recurring: { interval: string; interval_count: number }): number {
  const { interval, interval_count: count } = recurring
  if (interval === 'day') return start + count * 86_400
  if (interval === 'week') return start + count * 7 * 86_400
  const from = new Date(start * 1000)
  const months = interval === 'year' ? count * 12 : count
  const lastDay = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + months + 1, 0)).getUTCDate()
  const day = Math.min(from.getUTCDate(), lastDay)
  return Math.floor(
    Date.UTC(
      from.getUTCFullYear(),
      from.getUTCMonth() + months,
      day,
      from.getUTCHours(),
      from.getUTCMinutes(),
      from.getUTCSeconds(),
    ) / 1000,
  )
}

/** What a subscription bills for one period. */
export function linesOf(subscription: Stripe.Subscription, nameOf: (price: Stripe.Price) => string): BilledLine[] {
  return subscription.items.data.map((item) => {
    const quantity = item.quantity ?? 1
    const unit = item.price.unit_amount ?? 0
    return {
      description: `${quantity} × ${nameOf(item.price)}`,
      price: item.price,
      quantity,
      amount: unit * quantity,
      discount: 0,
      subscriptionItem: item.id,
    }
  })
}

/**
 * Renews a subscription at the end of its period (the clock is not asked whether it is due): the next period begins, an invoice is made and
 * paid with the default payment method. A decline leaves it open and the subscription `past_due`. One that was to end at the period's end ends.
 * A paused one is invoiced as its `pause_collection` says.
 */
export function renewSubscription(world: World, scope: Scope, subscription: Stripe.Subscription): Stripe.Invoice | undefined {
  if (['canceled', 'incomplete_expired', 'unpaid'].includes(subscription.status))
    throw invalid(`Subscription ${subscription.id} is ${subscription.status}.`)
  if (subscription.cancel_at_period_end) {
    endSubscription(world, scope, subscription, 'cancellation_requested')
    return undefined
  }
  const items = subscription.items.data.map((item) => ({
    ...item,
    current_period_start: item.current_period_end,
    current_period_end: periodEnd(item.current_period_end, item.price.recurring!),
  }))
  const start = items[0]!.current_period_start
  const customer = scope.tables.customer.get(idOf(subscription.customer)!)!
  change(world, scope, 'customer.subscription.updated', subscription, {
    items: embeddedList(`/v1/subscription_items?subscription=${subscription.id}`, items, items.length),
    ...(subscription.status === 'trialing' ? { status: 'active' as const } : {}),
  })
  const invoice = draftInvoice(world, scope, {
    customer,
    currency: subscription.currency,
    lines: linesOf(subscription, (price) => scope.tables.product.get(idOf(price.product)!)?.name ?? price.id),
    billingReason: 'subscription_cycle',
    subscription,
    period: { start, end: items[0]!.current_period_end },
  })
  const pause = subscription.pause_collection?.behavior
  if (pause === 'keep_as_draft') return invoice
  finalizeInvoice(world, scope, invoice)
  if (pause) return closeUnpaid(world, scope, invoice, pause === 'void' ? 'void' : 'uncollectible')
  return collect(world, scope, invoice, subscription, 'Subscription update')
}

function closeUnpaid(world: World, scope: Scope, invoice: Stripe.Invoice, status: 'void' | 'uncollectible'): Stripe.Invoice {
  const at = status === 'void' ? { voided_at: world.now() } : { marked_uncollectible_at: world.now() }
  Object.assign(invoice, { status, auto_advance: false, status_transitions: { ...invoice.status_transitions, ...at } })
  emit(world, scope, status === 'void' ? 'invoice.voided' : 'invoice.marked_uncollectible', invoice)
  return invoice
}

/** Charges an open invoice to the subscription's payment method. */
function collect(
  world: World,
  scope: Scope,
  invoice: Stripe.Invoice,
  subscription: Stripe.Subscription,
  description: string,
): Stripe.Invoice {
  subscription.latest_invoice = invoice.id
  if (invoice.amount_due === 0) return settleInvoice(world, scope, invoice, undefined)
  const method = scope.tables.payment_method.get(idOf(subscription.default_payment_method) ?? '')
  if (!method) throw invalid(`Subscription ${subscription.id} has no payment method.`)
  const intent = createIntent(world, scope, {
    amount: invoice.amount_due,
    currency: invoice.currency,
    customer: idOf(invoice.customer),
    description,
    setupFutureUsage: 'off_session',
  })
  const confirmation = confirmIntent(world, scope, intent, method)
  if (!confirmation.ok) {
    change(world, scope, 'invoice.updated', invoice, {
      attempt_count: invoice.attempt_count + 1,
      attempted: true,
      next_payment_attempt: world.now() + 3 * 86_400,
    })
    emit(world, scope, 'invoice.payment_failed', invoice)
    change(world, scope, 'customer.subscription.updated', subscription, { status: 'past_due' })
    return invoice
  }
  settleInvoice(world, scope, invoice, intent)
  finishCharge(world, scope, confirmation.charge)
  if (subscription.status === 'past_due') change(world, scope, 'customer.subscription.updated', subscription, { status: 'active' })
  return invoice
}

/** Ends a subscription now; emits `customer.subscription.deleted`. */
export function endSubscription(
  world: World,
  scope: Scope,
  subscription: Stripe.Subscription,
  reason: Stripe.Subscription.CancellationDetails.Reason,
): Stripe.Subscription {
  const now = world.now()
  Object.assign(subscription, {
    status: 'canceled',
    canceled_at: subscription.canceled_at ?? now,
    ended_at: now,
    cancel_at_period_end: false,
    cancellation_details: { ...subscription.cancellation_details!, reason },
  })
  emit(world, scope, 'customer.subscription.deleted', subscription)
  return subscription
}

/** Renews every subscription whose period has ended, as often as the clock says. Returns how many invoices that made. */
export function renewDue(world: World, scope: Scope): number {
  let renewed = 0
  for (const subscription of scope.tables.subscription.values())
    while (['active', 'trialing'].includes(subscription.status) && subscription.items.data[0]!.current_period_end <= world.now()) {
      renewSubscription(world, scope, subscription)
      renewed += 1
    }
  return renewed
}

function updateSubscription(
  world: World,
  scope: Scope,
  subscription: Stripe.Subscription,
  params: Stripe.SubscriptionUpdateParams,
): Stripe.Subscription {
  if (subscription.status === 'canceled')
    throw invalid('A canceled subscription can only update its cancellation_details and metadata.', undefined)
  const items = subscription.items.data.map((item) => {
    const wish =
      params.items?.find((candidate) => candidate.id === item.id) ??
      (params.items?.length === 1 && !params.items[0]!.id ? params.items[0] : undefined)
    if (!wish) return item
    const price = wish.price || wish.price_data ? priceForLine(world, scope, wish as { price?: string }, 'items[0]') : item.price
    if (!price.recurring)
      throw invalid(
        'The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.',
        'items[0][price]',
      )
    return { ...item, price: structuredClone(price), plan: plan(price), quantity: wish.quantity ?? item.quantity ?? 1 }
  })
  const ending = params.cancel_at_period_end
  return change(world, scope, 'customer.subscription.updated', subscription, {
    items: embeddedList(`/v1/subscription_items?subscription=${subscription.id}`, items, items.length),
    metadata: mergeMetadata(subscription.metadata, params.metadata),
    ...(params.description === undefined ? {} : { description: params.description || null }),
    ...(params.pause_collection === undefined
      ? {}
      : {
          pause_collection: params.pause_collection
            ? { behavior: params.pause_collection.behavior, resumes_at: params.pause_collection.resumes_at ?? null }
            : null,
        }),
    ...(ending === undefined
      ? {}
      : {
          cancel_at_period_end: ending,
          cancel_at: ending ? items[0]!.current_period_end : null,
          canceled_at: ending ? world.now() : null,
          cancellation_details: {
            ...subscription.cancellation_details!,
            reason: ending ? ('cancellation_requested' as const) : null,
          },
        }),
  })
}

/** The discount of a coupon spread over lines so that it adds up: the last line takes the rest. */
export function spreadDiscount(coupon: Stripe.Coupon | undefined, amounts: readonly number[]): number[] {
  const subtotal = amounts.reduce((sum, amount) => sum + amount, 0)
  const total = discountOf(coupon, subtotal)
  let left = total
  return amounts.map((amount, index) => {
    const share = index === amounts.length - 1 ? left : Math.floor((total * amount) / (subtotal || 1))
    left -= share
    return share
  })
}

export function billingRoutes(): Route[] {
  return [
    listRoute<'invoice', Stripe.InvoiceListParams>(
      '/v1/invoices',
      ['Invoices', 'InvoiceListParams'],
      'invoice',
      (row, params) =>
        (!params.customer || row.customer === params.customer) &&
        (!params.status || row.status === params.status) &&
        (!params.subscription || idOf(row.parent?.subscription_details?.subscription) === params.subscription),
    ),
    retrieveRoute('/v1/invoices', ['Invoices', 'InvoiceRetrieveParams'], 'invoice', 'invoice', 'invoice'),
    route<Stripe.InvoiceListLineItemsParams>(
      'GET',
      '/v1/invoices/:id/lines',
      ['Invoices', 'InvoiceListLineItemsParams'],
      ({ scope, path }, params) =>
        listPage(`/v1/invoices/${path.id}/lines`, required(scope, 'invoice', 'invoice', path.id!, 'invoice').lines.data, params),
    ),
    route<Stripe.InvoicePayParams>('POST', '/v1/invoices/:id/pay', ['Invoices', 'InvoicePayParams'], ({ world, scope, path }) => {
      const invoice = required(scope, 'invoice', 'invoice', path.id!, 'invoice')
      if (invoice.status !== 'open')
        throw invalid(
          invoice.status === 'paid' ? 'Invoice is already paid' : `Invoice is ${invoice.status}`,
          undefined,
          'invoice_not_editable',
        )
      const subscription = scope.tables.subscription.get(idOf(invoice.parent?.subscription_details?.subscription) ?? '')
      if (!subscription) throw invalid('This invoice has no payment method.', undefined, 'invoice_payment_intent_requires_action')
      return collect(world, scope, invoice, subscription, 'Invoice payment')
    }),
    listRoute<'invoice_payment', Stripe.InvoicePaymentListParams>(
      '/v1/invoice_payments',
      ['InvoicePayments', 'InvoicePaymentListParams'],
      'invoice_payment',
      (row, params) =>
        (!params.invoice || row.invoice === params.invoice) &&
        (!params.status || row.status === params.status) &&
        (!params.payment || row.payment.payment_intent === params.payment.payment_intent),
    ),
    retrieveRoute(
      '/v1/invoice_payments',
      ['InvoicePayments', 'InvoicePaymentRetrieveParams'],
      'invoice_payment',
      'invoice_payment',
      'invoice_payment',
    ),

    listRoute<'subscription', Stripe.SubscriptionListParams>(
      '/v1/subscriptions',
      ['Subscriptions', 'SubscriptionListParams'],
      'subscription',
      (row, params) =>
        (!params.customer || row.customer === params.customer) &&
        (!params.price || row.items.data.some((item) => item.price.id === params.price)) &&
        (params.status === 'all' ||
          (params.status === 'ended'
            ? row.status === 'canceled'
            : params.status
              ? row.status === params.status
              : row.status !== 'canceled')),
    ),
    retrieveRoute('/v1/subscriptions', ['Subscriptions', 'SubscriptionRetrieveParams'], 'subscription', 'subscription', 'id'),
    route<Stripe.SubscriptionUpdateParams>(
      'POST',
      '/v1/subscriptions/:id',
      ['Subscriptions', 'SubscriptionUpdateParams'],
      ({ world, scope, path }, params) =>
        updateSubscription(world, scope, required(scope, 'subscription', 'subscription', path.id!), params),
    ),
    route<Stripe.SubscriptionCancelParams>(
      'DELETE',
      '/v1/subscriptions/:id',
      ['Subscriptions', 'SubscriptionCancelParams'],
      ({ world, scope, path }) => {
        const subscription = required(scope, 'subscription', 'subscription', path.id!)
        if (subscription.status === 'canceled')
          throw invalid(`No such subscription: '${subscription.id}'`, 'id', 'resource_missing')
        return endSubscription(world, scope, subscription, 'cancellation_requested')
      },
    ),
    route<Stripe.SubscriptionItemListParams>(
      'GET',
      '/v1/subscription_items',
      ['SubscriptionItems', 'SubscriptionItemListParams'],
      ({ scope }, params) =>
        listPage(
          '/v1/subscription_items',
          newestFirst(scope, 'subscription').find((row) => row.id === params.subscription)?.items.data ?? [],
          params,
        ),
    ),
  ]
}
