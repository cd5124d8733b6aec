// The tax number behind a US account that Stripe files forms 1099 for: asked for, checked, refused or verified. The number itself is nowhere, as in Stripe's answers.
import type Stripe from 'stripe'
import { capabilityOf, requirements } from './accounts.ts'
import { invalid } from './errors.ts'
import { change, emit, scopeOf, type World } from './world.ts'

const capability = 'tax_reporting_us_1099_misc'
const statuses = { due: 'inactive', checking: 'pending', refused: 'inactive', verified: 'active' } as const
export const taxNumberStates = Object.keys(statuses) as readonly (keyof typeof statuses)[]

/** What Stripe makes of the account's tax number from now on: `capability.updated` and `account.updated` follow. The capability is requested if it was not yet. */
export function setTaxNumber(world: World, account: Stripe.Account, given: unknown): Stripe.Account {
  const state = taxNumberStates.find((one) => one === given)
  if (!state) throw invalid(`\`state\` must be one of ${taxNumberStates.join(', ')}.`, 'state')
  if (account.country !== 'US')
    throw invalid(`Stripe files forms 1099 for accounts in the US, and this one is in ${account.country}.`)
  const scope = scopeOf(world, account.id)
  const isCompany = account.business_type === 'company'
  const field = isCompany ? 'company.tax_id' : 'individual.id_number'
  const due = state === 'due' || state === 'refused' ? [field] : []
  const error = {
    code: isCompany ? 'verification_failed_tax_id_match' : 'verification_failed_id_number_match',
    reason: 'The name and the number do not match what the IRS has.',
    requirement: field,
  } as const
  const before = account.capabilities?.[capability]
  change(world, scope, 'account.updated', account, {
    capabilities: { ...account.capabilities, [capability]: statuses[state] },
    requirements: {
      ...requirements([]),
      currently_due: due,
      eventually_due: due,
      pending_verification: state === 'checking' ? [field] : [],
      errors: state === 'refused' ? [error] : [],
    },
  })
  if (before !== statuses[state])
    emit(world, scope, 'capability.updated', capabilityOf(world, account, capability), { status: before ?? 'unrequested' })
  return account
}
