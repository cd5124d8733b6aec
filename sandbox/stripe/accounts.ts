// Accounts: the platform's own and the connected ones, their onboarding links, login links and capabilities. Who may be paid is decided here.

import type Stripe from 'stripe'
import { putBank } from './banks.ts'
import { invalid, StripeRefusal } from './errors.ts'
import { newId, randomText } from './ids.ts'
import { listPage, mergeMetadata, type Route, route } from './routes.ts'
import { change, embeddedList, emit, newestFirst, newScope, put, type Scope, scopeOf, type World } from './world.ts'

/** Countries that a US platform can send transfers to under a full service agreement: US, UK, EEA, Canada, Switzerland. */
const TRANSFER_REGION = new Set(
  'US GB CA CH AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LI LT LU MT NL NO PL PT RO SK SI ES SE IS'.split(' '),
)
const CURRENCY_OF: Record<string, string> = {
  US: 'usd',
  GB: 'gbp',
  CA: 'cad',
  CH: 'chf',
  AU: 'aud',
  JP: 'jpy',
  IN: 'inr',
  BR: 'brl',
  MX: 'mxn',
  SE: 'sek',
  NO: 'nok',
  DK: 'dkk',
  PL: 'pln',
  CZ: 'czk',
  HU: 'huf',
  RO: 'ron',
  SG: 'sgd',
  NZ: 'nzd',
}
const COUNTRIES = new Set([
  ...TRANSFER_REGION,
  'AU',
  'JP',
  'IN',
  'BR',
  'MX',
  'SG',
  'NZ',
  'HK',
  'MY',
  'TH',
  'AE',
  'ZA',
  'PH',
  'ID',
  'VN',
  'KE',
  'NG',
  'GH',
  'AR',
  'CL',
  'CO',
  'PE',
  'TR',
  'IL',
  'TW',
  'KR',
  'UA',
  'PK',
  'BD',
  'LK',
  'EG',
  'MA',
  'TN',
  'RS',
  'AL',
  'BA',
  'GI',
])

const ONBOARDING_FIELDS = ['external_account', 'tos_acceptance.date', 'tos_acceptance.ip']

type AccountLinkState = { account: string; refreshUrl: string; returnUrl: string; expiresAt: number; used: boolean }

/** Open onboarding and login links, by the secret part of their address. */
export interface LinkBook {
  onboarding: Map<string, AccountLinkState>
  login: Map<string, string>
}

/** The platform's own account, ready for everything. */
export function createPlatformAccount(world: World, options: { country: string; name: string; email: string }): Stripe.Account {
  return put(world.platform, 'account', {
    ...blankAccount(world, world.platform.id, options.country, options.email),
    business_profile: profile({ name: options.name }),
    business_type: 'company',
    capabilities: { card_payments: 'active', transfers: 'active' },
    charges_enabled: true,
    details_submitted: true,
    payouts_enabled: true,
    controller: { type: 'account' },
    settings: accountSettings(options.name),
    type: 'standard',
  })
}

function blankAccount(world: World, id: string, country: string, email: string | null): Stripe.Account {
  return {
    id,
    object: 'account',
    business_profile: profile({}),
    business_type: null,
    capabilities: {},
    charges_enabled: false,
    country,
    created: world.now(),
    default_currency: CURRENCY_OF[country] ?? (TRANSFER_REGION.has(country) ? 'eur' : 'usd'),
    details_submitted: false,
    email,
    external_accounts: embeddedList(`/v1/accounts/${id}/external_accounts`, [], 0),
    future_requirements: requirements([]),
    metadata: {},
    payouts_enabled: false,
    requirements: requirements([]),
    settings: accountSettings(null),
    tos_acceptance: { date: null, ip: null, user_agent: null },
    type: 'express',
  }
}

function profile(given: Partial<Stripe.Account.BusinessProfile>): Stripe.Account.BusinessProfile {
  return {
    annual_revenue: null,
    estimated_worker_count: null,
    mcc: null,
    minority_owned_business_designation: null,
    name: null,
    product_description: null,
    specified_commercial_transactions_act_url: null,
    support_address: null,
    support_email: null,
    support_phone: null,
    support_url: null,
    url: null,
    ...given,
  }
}

function accountSettings(name: string | null): Stripe.Account.Settings {
  return {
    bacs_debit_payments: { display_name: null, service_user_number: null },
    branding: { icon: null, logo: null, primary_color: null, secondary_color: null },
    card_issuing: { tos_acceptance: { date: null, ip: null } },
    card_payments: {
      decline_on: { avs_failure: false, cvc_failure: false },
      statement_descriptor_prefix: null,
      statement_descriptor_prefix_kana: null,
      statement_descriptor_prefix_kanji: null,
    },
    dashboard: { display_name: name, timezone: 'Etc/UTC' },
    invoices: { default_account_tax_ids: null, hosted_payment_method_save: 'offer' },
    payments: {
      statement_descriptor: null,
      statement_descriptor_kana: null,
      statement_descriptor_kanji: null,
      statement_descriptor_prefix_kana: null,
      statement_descriptor_prefix_kanji: null,
    },
    payouts: { debit_negative_balances: true, schedule: { delay_days: 2, interval: 'daily' }, statement_descriptor: null },
    sepa_debit_payments: {},
  }
}

export function requirements(due: readonly string[]): Stripe.Account.Requirements {
  return {
    alternatives: [],
    current_deadline: null,
    currently_due: [...due],
    disabled_reason: due.length > 0 ? 'requirements.past_due' : null,
    errors: [],
    eventually_due: [...due],
    past_due: [...due],
    pending_verification: [],
  }
}

function connectedAccount(scope: Scope, world: World, id: string): Stripe.Account {
  if (id === world.platform.id) return world.platform.tables.account.get(id)!
  const account = scope === world.platform ? world.platform.tables.account.get(id) : undefined
  if (!account)
    throw new StripeRefusal(
      403,
      `The provided key does not have access to account '${id}' (or that account does not exist). Application access may have been revoked.`,
      { code: 'account_invalid' },
    )
  return account
}

function createAccount(world: World, params: Stripe.AccountCreateParams): Stripe.Account {
  if (params.type && params.controller)
    throw invalid(
      'You may not provide the `type` parameter and `controller` parameters simultaneously. They are mutually exclusive.',
      'type',
    )
  const country = params.country ?? 'US'
  if (!COUNTRIES.has(country))
    throw invalid(
      `Country '${country}' is unknown. Try using a 2-character alphanumeric country code instead, such as 'US', 'EG', or 'GB'.`,
      'country',
      'country_unsupported',
    )
  if (params.email !== undefined && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(params.email))
    throw invalid(`Invalid email address: ${params.email}`, 'email', 'email_invalid')
  const { controller, type } = controllerOf(params)
  const requested = requestedCapabilities(params.capabilities)
  if (type === 'express' && requested.includes('transfers') === false && requested.length === 0)
    requested.push('transfers', 'card_payments')
  const recipient = params.tos_acceptance?.service_agreement === 'recipient'
  if (recipient && requested.includes('card_payments'))
    throw invalid('You cannot request the card_payments capability with the recipient service agreement.', 'capabilities')
  const id = newId('acct')
  world.scopes.set(id, newScope(id))
  const due = [...ONBOARDING_FIELDS, ...(params.business_type ? [] : ['business_type'])]
  const account = put(world.platform, 'account', {
    ...blankAccount(world, id, country, params.email ?? null),
    business_profile: profile(compact({ ...params.business_profile }) as Partial<Stripe.Account.BusinessProfile>),
    business_type: params.business_type ?? null,
    capabilities: Object.fromEntries(requested.map((name) => [name, 'inactive'])),
    controller,
    metadata: mergeMetadata(null, params.metadata),
    requirements: requirements(due),
    tos_acceptance: { date: null, ip: null, user_agent: null, ...(recipient ? { service_agreement: 'recipient' } : {}) },
    type,
  })
  if (params.default_currency) account.default_currency = params.default_currency
  return account
}

function compact(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}

function requestedCapabilities(capabilities: Stripe.AccountCreateParams['capabilities']): string[] {
  return Object.entries(capabilities ?? {}).flatMap(([name, wish]) => ((wish as { requested?: boolean }).requested ? [name] : []))
}

/** The controller of a new account, from `controller` or from the older `type`. */
function controllerOf(params: Stripe.AccountCreateParams): { controller: Stripe.Account.Controller; type: Stripe.Account.Type } {
  const dashboard =
    params.controller?.stripe_dashboard?.type ??
    { express: 'express', custom: 'none', standard: 'full' }[params.type as string] ??
    'full'
  const byPlatform = dashboard !== 'full'
  const controller: Stripe.Account.Controller = {
    type: 'application',
    is_controller: true,
    fees: {
      payer:
        params.controller?.fees?.payer ??
        (params.type ? (byPlatform ? `application_${dashboard === 'none' ? 'custom' : 'express'}` : 'account') : 'account'),
    },
    losses: { payments: params.controller?.losses?.payments ?? (byPlatform && params.type ? 'application' : 'stripe') },
    requirement_collection: params.controller?.requirement_collection ?? (params.type === 'custom' ? 'application' : 'stripe'),
    stripe_dashboard: { type: dashboard },
  }
  if (controller.requirement_collection === 'application' && dashboard === 'express')
    throw invalid(
      'When `controller[stripe_dashboard][type]` is `express`, `controller[requirement_collection]` must be `stripe`.',
      'controller[requirement_collection]',
    )
  if (
    dashboard === 'express' &&
    params.controller &&
    controller.losses?.payments === 'stripe' &&
    controller.fees?.payer === 'account'
  )
    throw invalid(
      'When `controller[stripe_dashboard][type]` is `express`, `controller[fees][payer]` or `controller[losses][payments]` must be `application`.',
      'controller',
    )
  const type = { express: 'express', none: 'custom', full: 'standard' }[dashboard as string] ?? 'none'
  return { controller, type }
}

function updateAccount(world: World, account: Stripe.Account, params: Stripe.AccountUpdateParams): Stripe.Account {
  const wished = requestedCapabilities(params.capabilities as Stripe.AccountCreateParams['capabilities'])
  const state = account.details_submitted ? 'active' : 'inactive'
  const capabilities = {
    ...account.capabilities,
    ...Object.fromEntries(wished.filter((name) => !(name in (account.capabilities ?? {}))).map((name) => [name, state])),
  }
  return change(world, scopeOf(world, account.id), 'account.updated', account, {
    capabilities,
    metadata: mergeMetadata(account.metadata ?? null, params.metadata),
    ...(params.email ? { email: params.email } : {}),
    ...(params.business_type ? { business_type: params.business_type } : {}),
    ...(params.business_profile
      ? {
          business_profile: {
            ...account.business_profile!,
            ...(compact({ ...params.business_profile }) as Partial<Stripe.Account.BusinessProfile>),
          },
        }
      : {}),
  })
}

/**
 * What a person does on the hosted page: gives bank details and accepts the terms. The requested capabilities become active,
 * `details_submitted` and `payouts_enabled` true; `account.external_account.created`, `capability.updated` and `account.updated` follow.
 */
export function completeOnboarding(world: World, accountId: string): Stripe.Account {
  const account = world.platform.tables.account.get(accountId)!
  if (account.details_submitted) return account
  const scope = scopeOf(world, accountId)
  const bank = putBank(world, account)
  const names = Object.keys(account.capabilities ?? {})
  change(world, scope, 'account.updated', account, {
    business_type: account.business_type ?? 'individual',
    details_submitted: true,
    external_accounts: embeddedList(`/v1/accounts/${accountId}/external_accounts`, [bank], 1),
    tos_acceptance: { ...account.tos_acceptance, date: world.now(), ip: '127.0.0.1' },
    requirements: {
      ...requirements([]),
      disabled_reason: 'requirements.pending_verification',
      pending_verification: ['individual.verification.document'],
    },
  })
  for (const name of names) {
    account.capabilities = { ...account.capabilities, [name]: 'active' }
    emit(world, scope, 'capability.updated', capabilityOf(world, account, name), { status: 'inactive' })
  }
  // The capabilities changed above; `change` compares against what it finds, so the former state is told here.
  const previous = {
    payouts_enabled: false,
    charges_enabled: account.charges_enabled,
    capabilities: Object.fromEntries(names.map((name) => [name, 'inactive'])),
  }
  Object.assign(account, {
    payouts_enabled: true,
    charges_enabled: names.includes('card_payments'),
    requirements: requirements([]),
  })
  emit(world, scope, 'account.updated', account, previous)
  return account
}

/** What Stripe does when it stops trusting an account: transfers and payouts are switched off with a reason. */
export function restrictAccount(world: World, accountId: string, reason = 'requirements.past_due'): Stripe.Account {
  const account = world.platform.tables.account.get(accountId)
  if (!account) throw invalid(`No such account: '${accountId}'`, 'account', 'resource_missing')
  return change(world, scopeOf(world, accountId), 'account.updated', account, {
    capabilities: Object.fromEntries(Object.keys(account.capabilities ?? {}).map((name) => [name, 'inactive'])),
    charges_enabled: false,
    payouts_enabled: false,
    requirements: { ...requirements(['individual.verification.document']), disabled_reason: reason as 'requirements.past_due' },
  })
}

export function capabilityOf(world: World, account: Stripe.Account, name: string): Stripe.Capability {
  const status = (account.capabilities as Record<string, Stripe.Capability.Status> | undefined)?.[name]
  if (!status) throw invalid(`No such capability: '${name}'`, 'capability', 'resource_missing')
  const rest = {
    alternatives: [],
    current_deadline: null,
    currently_due: [],
    disabled_reason: null,
    errors: [],
    eventually_due: [],
    past_due: [],
    pending_verification: [],
  }
  return {
    id: name,
    object: 'capability',
    account: account.id,
    future_requirements: rest,
    requested: true,
    requested_at: account.created ?? world.now(),
    requirements: rest,
    status,
  }
}

/** The refusal of a transfer to this account, or nothing: a capability that is not active, or a country out of reach. */
export function transferRefusal(world: World, account: Stripe.Account): StripeRefusal | undefined {
  const platform = world.platform.tables.account.get(world.platform.id)!
  if (account.capabilities?.transfers !== 'active')
    return invalid(
      'Your destination account needs to have at least one of the following capabilities enabled: transfers, crypto_transfers, legacy_payments',
      'destination',
      'insufficient_capabilities_for_transfer',
    )
  const sameRegion = TRANSFER_REGION.has(platform.country ?? '') && TRANSFER_REGION.has(account.country ?? '')
  if (platform.country !== account.country && !sameRegion && account.tos_acceptance?.service_agreement !== 'recipient')
    return invalid(
      `Funds can't be sent to accounts located in ${account.country} because it's restricted outside of your platform's region. To learn more, see https://stripe.com/docs/connect/account-capabilities#transfers-cross-border`,
      'destination',
      'transfers_not_allowed',
    )
  return undefined
}

function createLink(world: World, links: LinkBook, params: Stripe.AccountLinkCreateParams): object {
  const account = world.platform.tables.account.get(params.account)
  if (!account || account.id === world.platform.id)
    throw invalid(`No such account: '${params.account}'`, 'account', 'resource_missing')
  if (params.type === 'account_onboarding' || params.type === 'account_update') {
    if (!params.return_url) throw invalid('You must provide `return_url`.', 'return_url', 'parameter_missing')
    if (!params.refresh_url) throw invalid('You must provide `refresh_url`.', 'refresh_url', 'parameter_missing')
  }
  for (const [name, url] of [
    ['return_url', params.return_url],
    ['refresh_url', params.refresh_url],
  ] as const)
    if (url !== undefined && !/^https?:\/\/.+/.test(url)) throw invalid('Not a valid URL', name, 'url_invalid')
  const secret = randomText(12)
  const expiresAt = world.now() + 300
  links.onboarding.set(secret, {
    account: account.id,
    refreshUrl: params.refresh_url ?? '',
    returnUrl: params.return_url ?? '',
    expiresAt,
    used: false,
  })
  return {
    object: 'account_link',
    created: world.now(),
    expires_at: expiresAt,
    url: `${world.pagesUrl}/setup/e/${account.id}/${secret}`,
  } satisfies Stripe.AccountLink
}

function createLoginLink(world: World, links: LinkBook, account: Stripe.Account): object {
  if (account.controller?.stripe_dashboard?.type !== 'express')
    throw invalid('Cannot create a login link for an account that is not an Express account', 'account')
  if (!account.details_submitted)
    throw invalid('Cannot create a login link for an account that has not completed onboarding.', 'account')
  const secret = randomText(12)
  links.login.set(secret, account.id)
  return {
    object: 'login_link',
    created: world.now(),
    url: `${world.pagesUrl}/express/${account.id}/${secret}`,
  } satisfies Stripe.LoginLink
}

const ACCOUNT = 'Accounts'

export function accountRoutes(links: LinkBook): Route[] {
  return [
    route(
      'GET',
      '/v1/account',
      [ACCOUNT, 'AccountRetrieveCurrentParams'],
      ({ world, scope }) => world.platform.tables.account.get(scope.id)!,
    ),
    route<Stripe.AccountListParams>('GET', '/v1/accounts', [ACCOUNT, 'AccountListParams'], ({ world, scope }, params) =>
      listPage(
        '/v1/accounts',
        newestFirst(scope, 'account').filter((account) => account.id !== world.platform.id),
        params,
      ),
    ),
    route<Stripe.AccountCreateParams>('POST', '/v1/accounts', [ACCOUNT, 'AccountCreateParams'], ({ world }, params) =>
      createAccount(world, params),
    ),
    route('GET', '/v1/accounts/:id', [ACCOUNT, 'AccountRetrieveParams'], ({ world, scope, path }) =>
      connectedAccount(scope, world, path.id!),
    ),
    route<Stripe.AccountUpdateParams>(
      'POST',
      '/v1/accounts/:id',
      [ACCOUNT, 'AccountUpdateParams'],
      ({ world, scope, path }, params) => updateAccount(world, connectedAccount(scope, world, path.id!), params),
    ),
    route('DELETE', '/v1/accounts/:id', null, ({ world, scope, path }) => {
      const account = connectedAccount(scope, world, path.id!)
      world.platform.tables.account.delete(account.id)
      emit(world, scopeOf(world, account.id), 'account.application.deauthorized', {
        id: 'ca_sandbox',
        object: 'application',
        name: 'Sandbox',
      })
      return { id: account.id, object: 'account', deleted: true }
    }),
    route<Stripe.AccountRejectParams>(
      'POST',
      '/v1/accounts/:id/reject',
      [ACCOUNT, 'AccountRejectParams'],
      ({ world, scope, path }, params) => {
        const account = connectedAccount(scope, world, path.id!)
        return restrictAccount(
          world,
          account.id,
          `rejected.${params.reason === 'terms_of_service' ? 'terms_of_service' : params.reason}`,
        )
      },
    ),
    route('GET', '/v1/accounts/:id/capabilities', [ACCOUNT, 'AccountListCapabilitiesParams'], ({ world, scope, path }) => {
      const account = connectedAccount(scope, world, path.id!)
      const data = Object.keys(account.capabilities ?? {}).map((name) => capabilityOf(world, account, name))
      return embeddedList(`/v1/accounts/${account.id}/capabilities`, data)
    }),
    route(
      'GET',
      '/v1/accounts/:id/capabilities/:capability',
      [ACCOUNT, 'AccountRetrieveCapabilityParams'],
      ({ world, scope, path }) => capabilityOf(world, connectedAccount(scope, world, path.id!), path.capability!),
    ),
    route<Stripe.AccountListExternalAccountsParams>(
      'GET',
      '/v1/accounts/:id/external_accounts',
      [ACCOUNT, 'AccountListExternalAccountsParams'],
      ({ world, scope, path }, params) => {
        const account = connectedAccount(scope, world, path.id!)
        return listPage(
          `/v1/accounts/${account.id}/external_accounts`,
          newestFirst(scopeOf(world, account.id), 'external_account'),
          params as { limit?: number },
        )
      },
    ),
    route('POST', '/v1/accounts/:id/login_links', [ACCOUNT, 'AccountCreateLoginLinkParams'], ({ world, scope, path }) =>
      createLoginLink(world, links, connectedAccount(scope, world, path.id!)),
    ),
    route<Stripe.AccountLinkCreateParams>(
      'POST',
      '/v1/account_links',
      ['AccountLinks', 'AccountLinkCreateParams'],
      ({ world }, params) => createLink(world, links, params),
    ),
  ]
}
