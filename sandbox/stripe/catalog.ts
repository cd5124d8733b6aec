// What is sold and to whom: customers, products, prices, coupons and promotion codes.

import type Stripe from 'stripe'
import { invalid } from './errors.ts'
import { newId, randomText } from './ids.ts'
import { listRoute, mergeMetadata, type Route, referred, required, retrieveRoute, route } from './routes.ts'
import { change, decimal, emit, newestFirst, put, type Scope, type World } from './world.ts'

const MINIMUM_AMOUNT = 50

export function createCustomer(
  world: World,
  scope: Scope,
  given: Pick<Stripe.CustomerCreateParams, 'email' | 'name' | 'phone' | 'description' | 'metadata'> & {
    address?: Stripe.Address | null
  },
): Stripe.Customer {
  const customer: Stripe.Customer = {
    id: newId('cus'),
    object: 'customer',
    address: given.address ?? null,
    balance: 0,
    created: world.now(),
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: given.description ?? null,
    discount: null,
    email: given.email ?? null,
    invoice_prefix: randomText(8).toUpperCase(),
    invoice_settings: { custom_fields: null, default_payment_method: null, footer: null, rendering_options: null },
    livemode: false,
    metadata: mergeMetadata(null, given.metadata),
    name: given.name ?? null,
    next_invoice_sequence: 1,
    phone: given.phone ?? null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
    test_clock: null,
  }
  put(scope, 'customer', customer)
  emit(world, scope, 'customer.created', customer)
  return customer
}

function createProduct(
  world: World,
  scope: Scope,
  given: {
    name: string
    id?: string
    description?: string
    images?: string[]
    metadata?: Stripe.ProductCreateParams['metadata']
    active?: boolean
    url?: string
  },
): Stripe.Product {
  if (given.id && scope.tables.product.has(given.id)) throw invalid(`Product already exists.`, 'id', 'resource_already_exists')
  const now = world.now()
  const product = put(scope, 'product', {
    id: given.id ?? newId('prod'),
    object: 'product',
    active: given.active ?? true,
    created: now,
    default_price: null,
    description: given.description ?? null,
    images: given.images ?? [],
    livemode: false,
    marketing_features: [],
    metadata: mergeMetadata(null, given.metadata),
    name: given.name,
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    tax_details: null,
    type: 'service',
    unit_label: null,
    updated: now,
    url: given.url ?? null,
  })
  emit(world, scope, 'product.created', product)
  return product
}

interface PriceGiven {
  currency: string
  product: string
  unitAmount: number
  recurring: { interval: Stripe.Price.Recurring.Interval; interval_count?: number } | undefined
  active?: boolean
  lookupKey?: string
  nickname?: string
  metadata?: Stripe.PriceCreateParams['metadata']
}

function createPrice(world: World, scope: Scope, given: PriceGiven): Stripe.Price {
  if (given.lookupKey && newestFirst(scope, 'price').some((price) => price.lookup_key === given.lookupKey))
    throw invalid(`A price (\`${given.lookupKey}\`) already uses that lookup key.`, 'lookup_key')
  const price = put(scope, 'price', {
    id: newId('price'),
    object: 'price',
    active: given.active ?? true,
    billing_scheme: 'per_unit',
    created: world.now(),
    currency: currencyOf(given.currency, 'currency'),
    custom_unit_amount: null,
    livemode: false,
    lookup_key: given.lookupKey ?? null,
    metadata: mergeMetadata(null, given.metadata),
    nickname: given.nickname ?? null,
    product: given.product,
    recurring: given.recurring
      ? {
          interval: given.recurring.interval,
          interval_count: given.recurring.interval_count ?? 1,
          meter: null,
          trial_period_days: null,
          usage_type: 'licensed',
        }
      : null,
    tax_behavior: 'unspecified',
    tiers_mode: null,
    transform_quantity: null,
    type: given.recurring ? 'recurring' : 'one_time',
    unit_amount: given.unitAmount,
    unit_amount_decimal: decimal(given.unitAmount),
  })
  emit(world, scope, 'price.created', price)
  return price
}

const CURRENCIES = new Set(Intl.supportedValuesOf('currency').map((code) => code.toLowerCase()))

/** The currency in lower case; refuses what is no currency. */
export function currencyOf(given: string, param: string): string {
  const currency = given.toLowerCase()
  if (!CURRENCIES.has(currency))
    throw invalid(`Invalid currency: ${given}. Stripe currently supports these currencies: usd, aed, afn, all, …`, param)
  return currency
}

/** Refuses amounts that Stripe would not charge. */
export function chargeableAmount(amount: number, currency: string, param = 'amount'): number {
  if (amount < 1) throw invalid('This value must be greater than or equal to 1.', param, 'parameter_invalid_integer')
  if (amount > 99_999_999) throw invalid('Amount must be no more than $999,999.99', param, 'amount_too_large')
  if (currency === 'usd' && amount < MINIMUM_AMOUNT) throw invalid('Amount must be at least $0.50 usd', param, 'amount_too_small')
  return amount
}

function unitAmountOf(params: { unit_amount?: number; unit_amount_decimal?: Stripe.Decimal }, at: string): number {
  if (params.unit_amount !== undefined && params.unit_amount_decimal !== undefined)
    throw invalid('You may only specify one of these parameters: unit_amount, unit_amount_decimal.', `${at}unit_amount`)
  const amount = params.unit_amount ?? (params.unit_amount_decimal === undefined ? undefined : Number(params.unit_amount_decimal))
  if (amount === undefined) throw invalid(`Missing required param: ${at}unit_amount.`, `${at}unit_amount`, 'parameter_missing')
  if (amount < 0) throw invalid('Invalid non-negative integer', `${at}unit_amount`, 'parameter_invalid_integer')
  return amount
}

/** The price behind a line of a checkout: an existing one, or a new one made of `price_data`. */
export function priceForLine(
  world: World,
  scope: Scope,
  line: { price?: string; price_data?: Stripe.Checkout.SessionCreateParams.LineItem.PriceData },
  at: string,
): Stripe.Price {
  if (line.price && line.price_data)
    throw invalid('You may only specify one of these parameters: price, price_data.', `${at}[price]`)
  if (line.price) {
    const price = referred(scope, 'price', 'price', line.price, `${at}[price]`)
    if (!price.active) throw invalid('The price specified is inactive. This field only accepts active prices.', `${at}[price]`)
    return price
  }
  const data = line.price_data
  if (!data) throw invalid(`Missing required param: ${at}[price].`, `${at}[price]`, 'parameter_missing')
  if (!data.product && !data.product_data)
    throw invalid(
      `Missing required param: ${at}[price_data][product_data].`,
      `${at}[price_data][product_data]`,
      'parameter_missing',
    )
  const unitAmount = unitAmountOf(data, `${at}[price_data]`)
  const currency = currencyOf(data.currency, `${at}[price_data][currency]`)
  const product = data.product
    ? referred(scope, 'product', 'product', data.product, `${at}[price_data][product]`)
    : createProduct(world, scope, data.product_data!)
  return createPrice(world, scope, { currency, product: product.id, unitAmount, recurring: data.recurring, active: false })
}

export function plan(price: Stripe.Price): Stripe.Plan {
  return {
    id: price.id,
    object: 'plan',
    active: price.active,
    amount: price.unit_amount,
    amount_decimal: price.unit_amount_decimal,
    billing_scheme: 'per_unit',
    created: price.created,
    currency: price.currency,
    interval: price.recurring?.interval ?? 'month',
    interval_count: price.recurring?.interval_count ?? 1,
    livemode: false,
    metadata: price.metadata,
    meter: null,
    nickname: price.nickname,
    product: price.product,
    tiers_mode: null,
    transform_usage: null,
    trial_period_days: null,
    usage_type: 'licensed',
  }
}

function createCoupon(world: World, scope: Scope, params: Stripe.CouponCreateParams): Stripe.Coupon {
  if ((params.percent_off === undefined) === (params.amount_off === undefined))
    throw invalid('You must pass either percent_off or amount_off, and not both.', 'percent_off')
  if (params.percent_off !== undefined && (params.percent_off <= 0 || params.percent_off > 100))
    throw invalid('Invalid percent_off: must be greater than 0 and at most 100', 'percent_off')
  if (params.amount_off !== undefined && !params.currency)
    throw invalid('You must pass currency when passing amount_off', 'currency', 'parameter_missing')
  if (params.id && scope.tables.coupon.has(params.id)) throw invalid('Coupon already exists.', 'id', 'resource_already_exists')
  if (params.duration === 'repeating' && !params.duration_in_months)
    throw invalid('You must pass duration_in_months when passing duration=repeating', 'duration_in_months', 'parameter_missing')
  const coupon = put(scope, 'coupon', {
    id: params.id ?? randomText(8),
    object: 'coupon',
    amount_off: params.amount_off ?? null,
    created: world.now(),
    currency: params.currency ? currencyOf(params.currency, 'currency') : null,
    duration: params.duration ?? 'once',
    duration_in_months: params.duration_in_months ?? null,
    livemode: false,
    max_redemptions: params.max_redemptions ?? null,
    metadata: mergeMetadata(null, params.metadata),
    name: params.name ?? null,
    percent_off: params.percent_off ?? null,
    redeem_by: params.redeem_by ?? null,
    times_redeemed: 0,
    valid: true,
  })
  emit(world, scope, 'coupon.created', coupon)
  return coupon
}

function createPromotionCode(world: World, scope: Scope, params: Stripe.PromotionCodeCreateParams): Stripe.PromotionCode {
  const coupon = referred(scope, 'coupon', 'coupon', params.promotion.coupon ?? '', 'promotion[coupon]')
  const code = params.code ?? randomText(8).toUpperCase()
  if (!/^[A-Za-z0-9-]{1,500}$/.test(code)) throw invalid('Promotion codes can only contain letters, digits and dashes.', 'code')
  if (newestFirst(scope, 'promotion_code').some((other) => other.active && other.code.toLowerCase() === code.toLowerCase()))
    throw invalid('An active promotion code with that code already exists.', 'code')
  const promotion = put(scope, 'promotion_code', {
    id: newId('promo'),
    object: 'promotion_code',
    active: params.active ?? true,
    code,
    created: world.now(),
    customer: params.customer ?? null,
    customer_account: null,
    expires_at: params.expires_at ?? null,
    livemode: false,
    max_redemptions: params.max_redemptions ?? null,
    metadata: mergeMetadata(null, params.metadata),
    promotion: { coupon: coupon.id, type: 'coupon' },
    restrictions: {
      first_time_transaction: params.restrictions?.first_time_transaction ?? false,
      minimum_amount: params.restrictions?.minimum_amount ?? null,
      minimum_amount_currency: params.restrictions?.minimum_amount_currency ?? null,
    },
    times_redeemed: 0,
  })
  emit(world, scope, 'promotion_code.created', promotion)
  return promotion
}

/** Minor units that a coupon takes off `amount`. */
export function discountOf(coupon: Stripe.Coupon | undefined, amount: number): number {
  if (!coupon) return 0
  return Math.min(amount, coupon.amount_off ?? Math.round((amount * (coupon.percent_off ?? 0)) / 100))
}

const pick = <T extends object, K extends keyof T>(from: T, keys: readonly K[]): Partial<T> =>
  Object.fromEntries(
    keys.filter((key) => from[key] !== undefined).map((key) => [key, (from[key] as unknown) === '' ? null : from[key]]),
  ) as Partial<T>

export function catalogRoutes(): Route[] {
  return [
    route<Stripe.CustomerCreateParams>('POST', '/v1/customers', ['Customers', 'CustomerCreateParams'], ({ world, scope }, params) =>
      createCustomer(world, scope, { ...params, address: fullAddress(params.address) }),
    ),
    listRoute<'customer', Stripe.CustomerListParams>(
      '/v1/customers',
      ['Customers', 'CustomerListParams'],
      'customer',
      (row, { email }) => email === undefined || row.email === email,
    ),
    retrieveRoute('/v1/customers', ['Customers', 'CustomerRetrieveParams'], 'customer', 'customer'),
    route<Stripe.CustomerUpdateParams>(
      'POST',
      '/v1/customers/:id',
      ['Customers', 'CustomerUpdateParams'],
      ({ world, scope, path }, params) => {
        const customer = required(scope, 'customer', 'customer', path.id!)
        return change(world, scope, 'customer.updated', customer, {
          ...(pick(params, ['email', 'name', 'phone', 'description']) as Partial<Stripe.Customer>),
          ...(params.address === undefined ? {} : { address: fullAddress(params.address) }),
          metadata: mergeMetadata(customer.metadata, params.metadata),
        })
      },
    ),
    route('DELETE', '/v1/customers/:id', null, ({ world, scope, path }) => {
      const customer = required(scope, 'customer', 'customer', path.id!)
      scope.tables.customer.delete(customer.id)
      emit(world, scope, 'customer.deleted', customer)
      return { id: customer.id, object: 'customer', deleted: true }
    }),

    route<Stripe.ProductCreateParams>('POST', '/v1/products', ['Products', 'ProductCreateParams'], ({ world, scope }, params) => {
      const product = createProduct(world, scope, params)
      const data = params.default_price_data
      if (data) {
        const unitAmount = unitAmountOf(data, 'default_price_data')
        product.default_price = createPrice(world, scope, {
          currency: data.currency,
          product: product.id,
          unitAmount,
          recurring: data.recurring,
        }).id
      }
      return product
    }),
    listRoute<'product', Stripe.ProductListParams>(
      '/v1/products',
      ['Products', 'ProductListParams'],
      'product',
      (row, { active, ids }) => (active === undefined || row.active === active) && (!ids || ids.includes(row.id)),
    ),
    retrieveRoute('/v1/products', ['Products', 'ProductRetrieveParams'], 'product', 'product'),
    route<Stripe.ProductUpdateParams>(
      'POST',
      '/v1/products/:id',
      ['Products', 'ProductUpdateParams'],
      ({ world, scope, path }, params) => {
        const product = required(scope, 'product', 'product', path.id!)
        if (params.default_price) referred(scope, 'price', 'price', params.default_price, 'default_price')
        return change(world, scope, 'product.updated', product, {
          ...(pick(params, ['name', 'active', 'description', 'images', 'url', 'default_price']) as Partial<Stripe.Product>),
          metadata: mergeMetadata(product.metadata, params.metadata),
          updated: world.now(),
        })
      },
    ),

    route<Stripe.PriceCreateParams>('POST', '/v1/prices', ['Prices', 'PriceCreateParams'], ({ world, scope }, params) => {
      if (Boolean(params.product) === Boolean(params.product_data))
        throw invalid('You must pass either product or product_data, and not both.', 'product')
      const unitAmount = unitAmountOf(params, '')
      const currency = currencyOf(params.currency, 'currency')
      const product = params.product
        ? referred(scope, 'product', 'product', params.product, 'product')
        : createProduct(world, scope, params.product_data!)
      return createPrice(world, scope, {
        currency,
        product: product.id,
        unitAmount,
        recurring: params.recurring,
        ...(params.lookup_key ? { lookupKey: params.lookup_key } : {}),
        ...(params.nickname ? { nickname: params.nickname } : {}),
        ...(params.metadata ? { metadata: params.metadata } : {}),
        active: params.active ?? true,
      })
    }),
    listRoute<'price', Stripe.PriceListParams>(
      '/v1/prices',
      ['Prices', 'PriceListParams'],
      'price',
      (row, params) =>
        (params.active === undefined || row.active === params.active) &&
        (!params.product || row.product === params.product) &&
        (!params.currency || row.currency === params.currency) &&
        (!params.type || row.type === params.type) &&
        (!params.lookup_keys || params.lookup_keys.includes(row.lookup_key ?? '')),
    ),
    retrieveRoute('/v1/prices', ['Prices', 'PriceRetrieveParams'], 'price', 'price', 'price'),
    route<Stripe.PriceUpdateParams>('POST', '/v1/prices/:id', ['Prices', 'PriceUpdateParams'], ({ world, scope, path }, params) => {
      const price = required(scope, 'price', 'price', path.id!, 'price')
      return change(world, scope, 'price.updated', price, {
        ...(pick(params, ['active', 'nickname', 'lookup_key']) as Partial<Stripe.Price>),
        metadata: mergeMetadata(price.metadata, params.metadata),
      })
    }),

    route<Stripe.CouponCreateParams>('POST', '/v1/coupons', ['Coupons', 'CouponCreateParams'], ({ world, scope }, params) =>
      createCoupon(world, scope, params),
    ),
    listRoute('/v1/coupons', ['Coupons', 'CouponListParams'], 'coupon'),
    retrieveRoute('/v1/coupons', ['Coupons', 'CouponRetrieveParams'], 'coupon', 'coupon', 'coupon'),
    route('DELETE', '/v1/coupons/:id', null, ({ world, scope, path }) => {
      const coupon = required(scope, 'coupon', 'coupon', path.id!, 'coupon')
      scope.tables.coupon.delete(coupon.id)
      emit(world, scope, 'coupon.deleted', coupon)
      return { id: coupon.id, object: 'coupon', deleted: true }
    }),
    route<Stripe.PromotionCodeCreateParams>(
      'POST',
      '/v1/promotion_codes',
      ['PromotionCodes', 'PromotionCodeCreateParams'],
      ({ world, scope }, params) => createPromotionCode(world, scope, params),
    ),
    listRoute<'promotion_code', Stripe.PromotionCodeListParams>(
      '/v1/promotion_codes',
      ['PromotionCodes', 'PromotionCodeListParams'],
      'promotion_code',
      (row, params) =>
        (params.active === undefined || row.active === params.active) &&
        (!params.code || row.code.toLowerCase() === params.code.toLowerCase()) &&
        (!params.coupon || row.promotion.coupon === params.coupon),
    ),
    retrieveRoute(
      '/v1/promotion_codes',
      ['PromotionCodes', 'PromotionCodeRetrieveParams'],
      'promotion_code',
      'promotion code',
      'promotion_code',
    ),
    route<Stripe.PromotionCodeUpdateParams>(
      'POST',
      '/v1/promotion_codes/:id',
      ['PromotionCodes', 'PromotionCodeUpdateParams'],
      ({ world, scope, path }, params) => {
        const promotion = required(scope, 'promotion_code', 'promotion code', path.id!, 'promotion_code')
        return change(world, scope, 'promotion_code.updated', promotion, {
          ...(params.active === undefined ? {} : { active: params.active }),
          metadata: mergeMetadata(promotion.metadata, params.metadata),
        })
      },
    ),
  ]
}

/** An address with every field, as Stripe shows it. */
export function fullAddress(given: Stripe.AddressParam | '' | null | undefined): Stripe.Address | null {
  if (!given) return null
  return { city: null, country: null, line1: null, line2: null, postal_code: null, state: null, ...given } as Stripe.Address
}
