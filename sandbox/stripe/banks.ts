// The bank accounts behind a connected account, of which one a currency is the default. For an Express account only its owner changes them, so no API call does.
import type Stripe from 'stripe'
import { invalid } from './errors.ts'
import { newId, randomText } from './ids.ts'
import { required } from './routes.ts'
import { change, embeddedList, emit, put, scopeOf, type World } from './world.ts'

/** The owner gives a bank account, the first one or one more. `account.external_account.created` follows; telling of the account is the caller's. */
export function putBank(world: World, account: Stripe.Account, given: { fingerprint?: string } = {}): Stripe.BankAccount {
  const scope = scopeOf(world, account.id)
  const isFirst = scope.tables.external_account.size === 0
  const bank = put(scope, 'external_account', { ...bankAccount(account, given.fingerprint), default_for_currency: isFirst })
  emit(world, scope, 'account.external_account.created', bank)
  return bank
}

/** One more bank account; the default stays what it was. */
export function addBank(world: World, account: Stripe.Account, given: { fingerprint?: string }): Stripe.BankAccount {
  const bank = putBank(world, account, given)
  tell(world, account)
  return bank
}

/** What is paid out goes to this bank account from now on. */
export function makeDefault(world: World, account: Stripe.Account, bankId: string): Stripe.BankAccount {
  const scope = scopeOf(world, account.id)
  const chosen = required(scope, 'external_account', 'external account', bankId)
  for (const bank of scope.tables.external_account.values())
    if (bank.currency === chosen.currency)
      change(world, scope, 'account.external_account.updated', bank, { default_for_currency: bank === chosen })
  tell(world, account)
  return chosen
}

/** The owner takes a bank account away. */
export function removeBank(world: World, account: Stripe.Account, bankId: string): Stripe.BankAccount {
  const scope = scopeOf(world, account.id)
  const bank = required(scope, 'external_account', 'external account', bankId)
  if (bank.default_for_currency)
    throw invalid(
      `You cannot delete the default external account for your default currency. Please make another external account the default using the \`default_for_currency\` param, and then delete this one.`,
    )
  scope.tables.external_account.delete(bankId)
  emit(world, scope, 'account.external_account.deleted', bank)
  tell(world, account)
  return bank
}

function tell(world: World, account: Stripe.Account): void {
  const scope = scopeOf(world, account.id)
  const banks = [...scope.tables.external_account.values()].map((bank) => ({ ...bank })).reverse()
  change(world, scope, 'account.updated', account, {
    external_accounts: embeddedList(`/v1/accounts/${account.id}/external_accounts`, banks, banks.length),
  })
}

function bankAccount(account: Stripe.Account, fingerprint = randomText(16)): Stripe.BankAccount {
  return {
    id: newId('ba'),
    object: 'bank_account',
    account: account.id,
    account_holder_name: null,
    account_holder_type: null,
    account_type: null,
    available_payout_methods: ['standard'],
    bank_name: 'STRIPE TEST BANK',
    country: account.country ?? 'US',
    currency: account.default_currency ?? 'usd',
    default_for_currency: true,
    fingerprint,
    future_requirements: bankRequirements(),
    last4: '6789',
    metadata: {},
    requirements: bankRequirements(),
    routing_number: '110000000',
    status: 'new',
  }
}

function bankRequirements(): Stripe.BankAccount.Requirements {
  return { currently_due: [], errors: [], past_due: [], pending_verification: [] }
}
