// Checkout sessions: created by the API, paid by a person on the hosted page (or a control endpoint), expired by time or request.

import type Stripe from 'stripe'
import {
  type BilledLine,
  buildSubscription,
  draftInvoice,
  finalizeInvoice,
  linesOf,
  settleInvoice,
  spreadDiscount,
} from './billing.ts'
import { chargeableAmount, createCustomer, fullAddress, priceForLine } from './catalog.ts'
import { invalid, type StripeRefusal } from './errors.ts'
import { newId } from './ids.ts'
import { confirmIntent, createIntent, createPaymentMethod, finishCharge, type Payer } from './payments.ts'
import {
  type Includable,
  listPage,
  listRoute,
  mergeMetadata,
  type Route,
  referred,
  required,
  retrieveRoute,
  route,
} from './routes.ts'
import { embeddedList, emit, idOf, newestFirst, put, type Scope, type SessionDetails, type World } from './world.ts'

const DAY = 86_400

function createSession(world: World, scope: Scope, params: Stripe.Checkout.SessionCreateParams): Stripe.Checkout.Session {
  const mode = params.mode ?? 'payment'
  const uiMode = params.ui_mode ?? 'hosted_page'
  if (mode === 'setup') throw invalid('The sandbox supports mode payment and subscription.', 'mode')
  if (uiMode !== 'hosted_page') throw invalid('The sandbox supports ui_mode hosted_page.', 'ui_mode')
  checkUrl(params.success_url, 'success_url', true)
  checkUrl(params.cancel_url, 'cancel_url', false)
  if (!params.line_items?.length) throw invalid(`Missing required param: line_items.`, 'line_items', 'parameter_missing')
  if (params.line_items.length > 100) throw invalid('You can only pass up to 100 line_items.', 'line_items')
  checkCombinations(params, mode)
  if (params.customer) referred(scope, 'customer', 'customer', params.customer, 'customer')
  const expiresAt = params.expires_at ?? world.now() + DAY
  if (params.expires_at !== undefined && (expiresAt < world.now() + 1800 || expiresAt > world.now() + DAY))
    throw invalid(
      `The \`expires_at\` timestamp must be ${expiresAt < world.now() + 1800 ? 'at least 30 minutes' : 'less than 24 hours'} from Checkout Session creation.`,
      'expires_at',
    )

  const lines = params.line_items.map((line, index) => {
    const at = `line_items[${index}]`
    if (line.quantity === undefined)
      throw invalid(`Missing required param: ${at}[quantity].`, `${at}[quantity]`, 'parameter_missing')
    if (line.quantity < 1)
      throw invalid('This value must be greater than or equal to 1.', `${at}[quantity]`, 'parameter_invalid_integer')
    return { price: priceForLine(world, scope, line, at), quantity: line.quantity, metadata: mergeMetadata(null, line.metadata) }
  })
  const currency = lines[0]!.price.currency
  lines.forEach(({ price }, index) => {
    if (price.currency !== currency)
      throw invalid('All prices on a Checkout Session must have the same currency.', `line_items[${index}]`)
    if (mode === 'payment' && price.recurring)
      throw invalid(
        'You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.',
        'line_items',
      )
  })
  if (mode === 'subscription' && !lines.some(({ price }) => price.recurring))
    throw invalid('You must provide at least one recurring price in `subscription` mode when using prices.', 'line_items')

  const { coupon, promotionCode } = discountFor(scope, params.discounts?.[0])
  const details: SessionDetails = {
    lineItems: lineItemsOf(scope, lines, coupon),
    paymentIntentData: params.payment_intent_data,
    subscriptionData: params.subscription_data,
    coupon,
    promotionCode,
  }
  const id = newId('cs')
  const total = details.lineItems.reduce((sum, line) => sum + line.amount_total, 0)
  if (mode === 'payment' && total > 0) chargeableAmount(total, currency, 'line_items')
  world.sessions.set(id, details)
  const session: Stripe.Checkout.Session = {
    id,
    object: 'checkout.session',
    adaptive_pricing: mode === 'payment' ? { enabled: params.adaptive_pricing?.enabled ?? true } : null,
    after_expiration: null,
    allow_promotion_codes: params.allow_promotion_codes ?? null,
    allowed_payment_method_types: (params.allowed_payment_method_types as string[] | undefined) ?? null,
    amount_subtotal: details.lineItems.reduce((sum, line) => sum + line.amount_subtotal, 0),
    amount_total: total,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: params.billing_address_collection ?? null,
    cancel_url: params.cancel_url ?? null,
    client_reference_id: params.client_reference_id ?? null,
    client_secret: null,
    collected_information: null,
    consent: null,
    consent_collection: null,
    created: world.now(),
    currency,
    currency_conversion: null,
    custom_fields: [],
    custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
    customer: params.customer ?? null,
    customer_account: null,
    customer_creation:
      mode === 'payment' && !params.customer
        ? (params.customer_creation ?? 'if_required')
        : mode === 'subscription' && !params.customer
          ? 'always'
          : null,
    customer_details: params.customer_email ? customerDetails({ email: params.customer_email }) : null,
    customer_email: params.customer_email ?? null,
    discounts: coupon ? [{ coupon: coupon.id, promotion_code: promotionCode?.id ?? null }] : [],
    expires_at: expiresAt,
    integration_identifier: null,
    invoice: null,
    invoice_creation: mode === 'payment' ? invoiceCreation(params.invoice_creation) : null,
    livemode: false,
    locale: params.locale ?? null,
    managed_payments: null,
    metadata: mergeMetadata(null, params.metadata),
    mode,
    origin_context: params.origin_context ?? null,
    payment_intent: null,
    payment_link: null,
    payment_method_collection: mode === 'subscription' ? (params.payment_method_collection ?? 'always') : 'if_required',
    payment_method_configuration_details: null,
    payment_method_options: { card: { request_three_d_secure: 'automatic' } },
    payment_method_types: ['card'],
    payment_status: total === 0 ? 'no_payment_required' : 'unpaid',
    permissions: null,
    phone_number_collection: { enabled: params.phone_number_collection?.enabled ?? false },
    recovered_from: null,
    saved_payment_method_options: params.customer
      ? { allow_redisplay_filters: ['always'], payment_method_remove: 'disabled', payment_method_save: null }
      : null,
    setup_intent: null,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: 'open',
    submit_type: params.submit_type ?? null,
    subscription: null,
    success_url: params.success_url ?? null,
    total_details: totals(details.lineItems),
    ui_mode: 'hosted_page',
    url: `${world.pagesUrl}/c/pay/${id}`,
    wallet_options: null,
  }
  return put(scope, 'checkout.session', session)
}

function checkUrl(url: string | undefined, param: string, needed: boolean): void {
  if (url === undefined) {
    if (needed) throw invalid(`Missing required param: ${param}.`, param, 'parameter_missing')
    return
  }
  if (!/^https?:\/\/[^\s]+$/.test(url)) throw invalid('Not a valid URL', param, 'url_invalid')
}

function checkCombinations(params: Stripe.Checkout.SessionCreateParams, mode: string): void {
  if (params.customer && params.customer_email)
    throw invalid('You may only specify one of these parameters: customer, customer_email.', 'customer')
  if (params.customer && params.customer_creation)
    throw invalid('You may only specify one of these parameters: customer, customer_creation.', 'customer_creation')
  if (params.customer_email !== undefined && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(params.customer_email))
    throw invalid(`Invalid email address: ${params.customer_email}`, 'customer_email', 'email_invalid')
  if (params.client_reference_id !== undefined && params.client_reference_id.length > 200)
    throw invalid('client_reference_id must be at most 200 characters', 'client_reference_id')
  if (params.allow_promotion_codes && params.discounts?.length)
    throw invalid('You may only specify one of these parameters: allow_promotion_codes, discounts.', 'discounts')
  for (const key of ['payment_intent_data', 'invoice_creation', 'customer_creation', 'submit_type'] as const)
    if (mode !== 'payment' && params[key] !== undefined) throw invalid(`You can not pass \`${key}\` in \`${mode}\` mode.`, key)
  if (mode !== 'subscription' && params.subscription_data !== undefined)
    throw invalid(`You can not pass \`subscription_data\` in \`${mode}\` mode.`, 'subscription_data')
}

function discountFor(
  scope: Scope,
  given: Stripe.Checkout.SessionCreateParams.Discount | undefined,
): { coupon: Stripe.Coupon | undefined; promotionCode: Stripe.PromotionCode | undefined } {
  if (given?.promotion_code) {
    const promotionCode = referred(scope, 'promotion_code', 'promotion code', given.promotion_code, 'discounts[0][promotion_code]')
    if (!promotionCode.active) throw invalid('This promotion code is not active.', 'discounts[0][promotion_code]')
    return { coupon: scope.tables.coupon.get(idOf(promotionCode.promotion.coupon)!), promotionCode }
  }
  return {
    coupon: given?.coupon ? referred(scope, 'coupon', 'coupon', given.coupon, 'discounts[0][coupon]') : undefined,
    promotionCode: undefined,
  }
}

function lineItemsOf(
  scope: Scope,
  lines: ReadonlyArray<{ price: Stripe.Price; quantity: number; metadata: Stripe.Metadata }>,
  coupon: Stripe.Coupon | undefined,
): Stripe.LineItem[] {
  const amounts = lines.map(({ price, quantity }) => Math.round(Number(price.unit_amount_decimal ?? 0) * quantity))
  const discounts = spreadDiscount(coupon, amounts)
  return lines.map(({ price, quantity, metadata }, index) => ({
    id: newId('li'),
    object: 'item',
    adjustable_quantity: null,
    amount_discount: discounts[index]!,
    amount_subtotal: amounts[index]!,
    amount_tax: 0,
    amount_total: amounts[index]! - discounts[index]!,
    currency: price.currency,
    description: scope.tables.product.get(idOf(price.product)!)?.name ?? null,
    metadata,
    price: structuredClone(price),
    quantity,
  }))
}

function totals(lines: readonly Stripe.LineItem[]): Stripe.Checkout.Session.TotalDetails {
  return { amount_discount: lines.reduce((sum, line) => sum + line.amount_discount, 0), amount_shipping: 0, amount_tax: 0 }
}

function customerDetails(payer: Payer): Stripe.Checkout.Session.CustomerDetails {
  return {
    address: fullAddress(payer.country ? { country: payer.country } : null),
    business_name: null,
    email: payer.email ?? null,
    individual_name: null,
    name: payer.name ?? null,
    phone: null,
    tax_exempt: 'none',
    tax_ids: [],
  }
}

function invoiceCreation(
  given: Stripe.Checkout.SessionCreateParams.InvoiceCreation | undefined,
): Stripe.Checkout.Session.InvoiceCreation {
  const data = given?.invoice_data
  return {
    enabled: given?.enabled ?? false,
    invoice_data: {
      account_tax_ids: null,
      custom_fields: (data?.custom_fields || null) as Stripe.Checkout.Session.InvoiceCreation.InvoiceData.CustomField[] | null,
      description: data?.description ?? null,
      footer: data?.footer ?? null,
      issuer: null,
      metadata: mergeMetadata(null, data?.metadata),
      rendering_options: null,
    },
  }
}

/** What a person enters on the hosted page. */
export interface PayForm extends Payer {
  card?: string
  promotion_code?: string
}

type PayResult = { ok: true; session: Stripe.Checkout.Session; redirect: string } | { ok: false; refusal: StripeRefusal }

/** Pays an open session as a person would. A decline leaves it open; a session that is no longer open is refused by throwing. */
export function paySession(world: World, scope: Scope, session: Stripe.Checkout.Session, form: PayForm): PayResult {
  expireIfDue(world, scope, session)
  if (session.status !== 'open')
    throw invalid(
      session.status === 'complete' ? 'This Checkout Session has already been completed.' : 'This Checkout Session has expired.',
    )
  const details = world.sessions.get(session.id)!
  const existing = scope.tables.customer.get(idOf(session.customer) ?? '')
  const payer: Payer = {
    email: session.customer_email ?? existing?.email ?? form.email ?? null,
    name: form.name ?? existing?.name ?? null,
    country: form.country ?? existing?.address?.country ?? 'US',
  }
  if (!payer.email || !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(payer.email))
    throw invalid('Your email is incomplete.', 'email', 'email_invalid')
  if (form.promotion_code) applyPromotionCode(scope, session, details, form.promotion_code)

  const number = form.card ?? '4242424242424242'
  const method = createPaymentMethod(world, scope, number, payer)
  const outcome =
    session.mode === 'subscription'
      ? paySubscription(world, scope, session, details, payer, method, existing)
      : payOnce(world, scope, session, details, payer, method, existing)
  if (outcome) return { ok: false, refusal: outcome }
  if (details.promotionCode) details.promotionCode.times_redeemed += 1
  if (details.coupon) details.coupon.times_redeemed += 1
  return { ok: true, session, redirect: (session.success_url ?? world.pagesUrl).replaceAll('{CHECKOUT_SESSION_ID}', session.id) }
}

function applyPromotionCode(scope: Scope, session: Stripe.Checkout.Session, details: SessionDetails, code: string): void {
  const promotionCode = newestFirst(scope, 'promotion_code').find(
    (row) => row.active && row.code.toLowerCase() === code.toLowerCase(),
  )
  if (!session.allow_promotion_codes || !promotionCode) throw invalid('This code is invalid.', 'promotion_code')
  details.promotionCode = promotionCode
  details.coupon = scope.tables.coupon.get(idOf(promotionCode.promotion.coupon)!)
  details.lineItems = lineItemsOf(
    scope,
    details.lineItems.map((line) => ({ price: line.price!, quantity: line.quantity ?? 1, metadata: line.metadata ?? {} })),
    details.coupon,
  )
  session.total_details = totals(details.lineItems)
  session.amount_total = details.lineItems.reduce((sum, line) => sum + line.amount_total, 0)
  session.discounts = [{ coupon: details.coupon!.id, promotion_code: promotionCode.id }]
}

/** Pays once. The customer appears only with the payment; the invoice, when wanted, after it. Returns the decline, if any. */
function payOnce(
  world: World,
  scope: Scope,
  session: Stripe.Checkout.Session,
  details: SessionDetails,
  payer: Payer,
  method: Stripe.PaymentMethod,
  existing: Stripe.Customer | undefined,
): StripeRefusal | undefined {
  const data = details.paymentIntentData
  const total = session.amount_total ?? 0
  const wantsCustomer = session.customer_creation === 'always' || session.invoice_creation?.enabled || data?.setup_future_usage
  const customer = existing ?? (wantsCustomer ? createCustomer(world, scope, customerGiven(payer)) : undefined)
  // A customer made for a payment that is then declined is kept for the next attempt, as the payment intent is.
  if (customer) session.customer = customer.id
  let intent: Stripe.PaymentIntent | undefined
  let charge: Stripe.Charge | undefined
  if (total > 0) {
    intent =
      scope.tables.payment_intent.get(idOf(session.payment_intent) ?? '') ??
      createIntent(world, scope, {
        amount: total,
        currency: session.currency!,
        customer: customer?.id ?? null,
        metadata: mergeMetadata(null, data?.metadata),
        description: data?.description ?? null,
        receiptEmail: data?.receipt_email ?? null,
        transferGroup: data?.transfer_group ?? null,
        setupFutureUsage: data?.setup_future_usage ?? null,
      })
    session.payment_intent = intent.id
    const confirmation = confirmIntent(world, scope, intent, method)
    if (!confirmation.ok) return confirmation.refusal
    charge = confirmation.charge
  }
  let invoice: Stripe.Invoice | undefined
  if (session.invoice_creation?.enabled && customer) {
    const wish = session.invoice_creation.invoice_data
    invoice = draftInvoice(world, scope, {
      customer,
      currency: session.currency!,
      lines: details.lineItems.map(billedLine),
      billingReason: 'manual',
      metadata: wish.metadata ?? {},
      description: wish.description,
      footer: wish.footer,
      customFields: wish.custom_fields as Stripe.Invoice.CustomField[] | null,
      coupon: details.coupon,
    })
    finalizeInvoice(world, scope, invoice)
  }
  complete(world, scope, session, payer, {
    customer: customer?.id ?? null,
    payment_intent: intent?.id ?? null,
    invoice: invoice?.id ?? null,
  })
  if (invoice) settleInvoice(world, scope, invoice, intent)
  if (charge) finishCharge(world, scope, charge)
  return undefined
}

/** Starts a subscription: customer, first invoice, payment. Returns the decline, if any; then no subscription begins. */
function paySubscription(
  world: World,
  scope: Scope,
  session: Stripe.Checkout.Session,
  details: SessionDetails,
  payer: Payer,
  method: Stripe.PaymentMethod,
  existing: Stripe.Customer | undefined,
): StripeRefusal | undefined {
  const data = details.subscriptionData
  const recurring = details.lineItems.filter((line) => line.price!.recurring)
  const trialDays = data?.trial_period_days ?? 0
  const total =
    trialDays > 0
      ? details.lineItems.filter((line) => !line.price!.recurring).reduce((sum, line) => sum + line.amount_total, 0)
      : (session.amount_total ?? 0)
  const customer = existing ?? createCustomer(world, scope, customerGiven(payer))
  session.customer = customer.id
  method.customer = customer.id
  let intent: Stripe.PaymentIntent | undefined
  let charge: Stripe.Charge | undefined
  if (total > 0) {
    intent = createIntent(world, scope, {
      amount: total,
      currency: session.currency!,
      customer: customer.id,
      description: 'Subscription creation',
      setupFutureUsage: 'off_session',
    })
    const confirmation = confirmIntent(world, scope, intent, method)
    if (!confirmation.ok) return confirmation.refusal
    charge = confirmation.charge
  }
  emit(world, scope, 'payment_method.attached', method)
  const subscription = buildSubscription(world, scope, {
    customer,
    lines: recurring.map((line) => ({ price: line.price!, quantity: line.quantity ?? 1 })),
    paymentMethod: method,
    metadata: mergeMetadata(null, data?.metadata),
    description: data?.description ?? null,
    trialDays,
  })
  const nameOf = (price: Stripe.Price) => scope.tables.product.get(idOf(price.product)!)?.name ?? price.id
  const discounts = recurring.map((line) => (trialDays > 0 ? 0 : line.amount_discount))
  const lines: BilledLine[] = linesOf(subscription, nameOf).map((line, index) => ({
    ...line,
    amount: trialDays > 0 ? 0 : line.amount,
    discount: discounts[index]!,
  }))
  const oneTime = details.lineItems.filter((line) => !line.price!.recurring).map(billedLine)
  const item = subscription.items.data[0]!
  const invoice = draftInvoice(world, scope, {
    customer,
    currency: session.currency!,
    lines: [...lines, ...oneTime],
    billingReason: 'subscription_create',
    subscription,
    period: { start: item.current_period_start, end: item.current_period_end },
    coupon: details.coupon,
  })
  subscription.latest_invoice = invoice.id
  emit(world, scope, 'customer.subscription.created', subscription)
  finalizeInvoice(world, scope, invoice)
  settleInvoice(world, scope, invoice, intent)
  complete(world, scope, session, payer, { customer: customer.id, subscription: subscription.id, invoice: invoice.id })
  if (charge) finishCharge(world, scope, charge)
  return undefined
}

function billedLine(line: Stripe.LineItem): BilledLine {
  return {
    description: line.description,
    price: line.price!,
    quantity: line.quantity ?? 1,
    amount: line.amount_subtotal,
    discount: line.amount_discount,
  }
}

function customerGiven(payer: Payer): Parameters<typeof createCustomer>[2] {
  return {
    ...(payer.email ? { email: payer.email } : {}),
    ...(payer.name ? { name: payer.name } : {}),
    address: fullAddress(payer.country ? { country: payer.country } : null),
  }
}

function complete(
  world: World,
  scope: Scope,
  session: Stripe.Checkout.Session,
  payer: Payer,
  made: Partial<Stripe.Checkout.Session>,
): void {
  Object.assign(session, made, {
    customer_details: customerDetails(payer),
    payment_status: (session.amount_total ?? 0) > 0 ? 'paid' : 'no_payment_required',
    status: 'complete',
    url: null,
  })
  emit(world, scope, 'checkout.session.completed', session)
}

/** Expires an open session; emits `checkout.session.expired`. */
export function expireSession(world: World, scope: Scope, session: Stripe.Checkout.Session): Stripe.Checkout.Session {
  if (session.status !== 'open')
    throw invalid(
      `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of \`${session.status}\`.`,
    )
  Object.assign(session, { status: 'expired', url: null, expires_at: Math.min(session.expires_at, world.now()) })
  emit(world, scope, 'checkout.session.expired', session)
  return session
}

/** Expires a session whose time has come. */
export function expireIfDue(world: World, scope: Scope, session: Stripe.Checkout.Session): void {
  if (session.status === 'open' && session.expires_at <= world.now()) expireSession(world, scope, session)
}

const SESSION = 'Checkout/Sessions'

export function checkoutRoutes(): Route[] {
  return [
    route<Stripe.Checkout.SessionCreateParams>(
      'POST',
      '/v1/checkout/sessions',
      [SESSION, 'Checkout.SessionCreateParams'],
      ({ world, scope }, params) => createSession(world, scope, params),
    ),
    listRoute<'checkout.session', Stripe.Checkout.SessionListParams>(
      '/v1/checkout/sessions',
      [SESSION, 'Checkout.SessionListParams'],
      'checkout.session',
      (row, params) =>
        (!params.customer || row.customer === params.customer) &&
        (!params.payment_intent || row.payment_intent === params.payment_intent) &&
        (!params.subscription || row.subscription === params.subscription) &&
        (!params.status || row.status === params.status) &&
        (!params.customer_details || row.customer_details?.email === params.customer_details.email),
    ),
    retrieveRoute(
      '/v1/checkout/sessions',
      [SESSION, 'Checkout.SessionRetrieveParams'],
      'checkout.session',
      'checkout.session',
      'session',
    ),
    route<Stripe.Checkout.SessionUpdateParams>(
      'POST',
      '/v1/checkout/sessions/:id',
      [SESSION, 'Checkout.SessionUpdateParams'],
      ({ scope, path }, params) => {
        const session = required(scope, 'checkout.session', 'checkout.session', path.id!, 'session')
        session.metadata = mergeMetadata(session.metadata, params.metadata)
        return session
      },
    ),
    route('POST', '/v1/checkout/sessions/:id/expire', [SESSION, 'Checkout.SessionExpireParams'], ({ world, scope, path }) =>
      expireSession(world, scope, required(scope, 'checkout.session', 'checkout.session', path.id!, 'session')),
    ),
    route<Stripe.Checkout.SessionListLineItemsParams>(
      'GET',
      '/v1/checkout/sessions/:id/line_items',
      [SESSION, 'Checkout.SessionListLineItemsParams'],
      ({ world, scope, path }, params) => {
        const session = required(scope, 'checkout.session', 'checkout.session', path.id!, 'session')
        return listPage(`/v1/checkout/sessions/${session.id}/line_items`, world.sessions.get(session.id)!.lineItems, params)
      },
    ),
  ]
}

/** What `expand` may ask of a session beyond its fields. */
export const checkoutIncludable: Includable = {
  'checkout.session.line_items': ({ world }, session: Stripe.Checkout.Session) =>
    embeddedList(`/v1/checkout/sessions/${session.id}/line_items`, world.sessions.get(session.id)?.lineItems ?? []),
  'customer.subscriptions': ({ scope }, customer: Stripe.Customer) =>
    embeddedList(
      `/v1/customers/${customer.id}/subscriptions`,
      newestFirst(scope, 'subscription').filter((row) => row.customer === customer.id),
    ),
  'charge.refunds': ({ scope }, charge: Stripe.Charge) =>
    embeddedList(
      `/v1/charges/${charge.id}/refunds`,
      newestFirst(scope, 'refund').filter((row) => row.charge === charge.id),
    ),
  'invoice.payments': ({ scope }, invoice: Stripe.Invoice) =>
    embeddedList(
      `/v1/invoices/${invoice.id}/payments`,
      newestFirst(scope, 'invoice_payment').filter((row) => row.invoice === invoice.id),
    ),
  'customer.tax_ids': () => embeddedList('/v1/tax_ids', []),
}
